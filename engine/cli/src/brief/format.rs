//! Numbers and names as people read them.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

use crate::output::{self, is_hostile};

/// What stands for a missing value, everywhere.
pub(crate) const MISSING: &str = "–";

/// Billions of US$ with one decimal; more below one billion, so that a small
/// island's receipts do not read as zero.
pub(crate) fn bn(usd: Option<f64>) -> String {
    let Some(usd) = usd.filter(|v| v.is_finite()) else {
        return MISSING.to_owned();
    };
    let value = usd / 1e9;
    let decimals = match value.abs() {
        v if v >= 0.95 || v == 0.0 => 1,
        v if v >= 0.095 => 2,
        v if v >= 0.000_5 => 3,
        _ => 6,
    };
    number(value, decimals)
}

/// A fraction as a percentage.
pub(crate) fn pct(share: Option<f64>, decimals: usize) -> String {
    let Some(value) = share.filter(|v| v.is_finite()).map(|v| v * 100.0) else { return MISSING.to_owned() };
    // A share too small for the decimals is not none.
    if value > 0.0 && value < 0.05 && decimals == 1 { "<0.1".to_owned() } else { number(value, decimals) }
}

/// How many times ODA.
pub(crate) fn ratio(ratio: Option<f64>) -> String {
    let Some(r) = ratio.filter(|r| r.is_finite()) else {
        return MISSING.to_owned();
    };
    let decimals = match r {
        r if r >= 99.95 => 0,
        r if r >= 9.995 => 1,
        _ => 2,
    };
    // Far below a hundredth a rounded value would read as zero.
    if r > 0.0 && r < 0.005 { "<0.01".to_owned() } else { number(r, decimals) }
}

/// US$ for each person.
pub(crate) fn per_head(usd: Option<f64>) -> String {
    usd.filter(|v| v.is_finite()).map_or_else(|| MISSING.to_owned(), |v| number(v, if v.abs() < 10.0 { 1 } else { 0 }))
}

/// Fixed decimals, thousands apart by commas, a real minus sign.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    if value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        out.push('−');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// With its sign, for growth.
pub(crate) fn signed(value: f64, decimals: usize) -> String {
    let text = number(value, decimals);
    if text.starts_with('−') { text } else { format!("+{text}") }
}

/// `1 economy`, `2 economies`.
pub(crate) fn economies(n: i64) -> String {
    if n == 1 { "1 economy".to_owned() } else { format!("{n} economies") }
}

/// Text from data, fit for a terminal: no control characters, no marks that
/// turn the direction of the line.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if is_hostile(c) { ' ' } else { c }).collect()
}

/// Cut to so many columns, with an ellipsis, after cleaning.
pub(crate) fn fit(text: &str, width: usize) -> String {
    let text = clean(text);
    match output::fit(&text, width) {
        Cow::Borrowed(_) => text.clone(),
        // No blank before the ellipsis.
        Cow::Owned(cut) => format!("{}…", cut.trim_end_matches('…').trim_end()),
    }
}

/// Filled to so many columns, text at the left.
pub(crate) fn left(text: &str, width: usize) -> String {
    let text = fit(text, width);
    let fill = width.saturating_sub(text.width());
    text + &" ".repeat(fill)
}

/// Filled to so many columns, text at the right.
pub(crate) fn right(text: &str, width: usize) -> String {
    let text = fit(text, width);
    " ".repeat(width.saturating_sub(text.width())) + &text
}

/// Lines of at most so many columns; a word longer than a line stays whole.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in clean(text).split_whitespace() {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(number(52_595.343, 1), "52,595.3");
        assert_eq!(number(-0.04, 1), "0.0");
        assert_eq!(number(-1_234.0, 0), "−1,234");
        assert_eq!(signed(7.567, 3), "+7.567");
        assert_eq!(bn(Some(626.062e9)), "626.1");
        assert_eq!(bn(Some(23.4e6)), "0.023");
        assert_eq!(ratio(Some(0.001)), "<0.01");
        assert_eq!((pct(Some(0.000_1), 1), pct(Some(0.0), 1)), ("<0.1".to_owned(), "0.0".to_owned()));
        assert_eq!(ratio(Some(1234.5)), "1,234");
    }

    #[test]
    fn missing_is_neither_zero_nor_nan() {
        for text in
            [bn(None), pct(None, 1), ratio(None), per_head(None), bn(Some(f64::NAN)), ratio(Some(f64::INFINITY))]
        {
            assert_eq!(text, MISSING);
        }
    }

    #[test]
    fn columns_are_counted_as_the_terminal_counts_them() {
        assert_eq!(left("Côte d'Ivoire", 8), "Côte d'…");
        assert_eq!(left("中国", 6), "中国  ");
        assert_eq!(right("7", 3), "  7");
        assert_eq!(fit("a\u{1b}[31mb\u{202e}", 10), "a [31mb ");
    }

    #[test]
    fn wrapping_keeps_words_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("extraordinary", 4), ["extraordinary"]);
    }
}
