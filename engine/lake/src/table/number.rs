//! Numbers as statistical offices write them: thousands separators of all kinds,
//! decimal commas, footnote letters, brackets, other digit systems. A number is kept
//! as exact decimal text (`-1234.50`), never through a float.

/// A number read from text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    /// Exact decimal text: sign, digits, point; zeros at the end as written.
    pub(super) value: String,
    /// What stood around the number: `e`, `*`, `b/`, `%`, `[]`, `$`.
    pub(super) flag: Option<String>,
    /// Whether digits of another script were mapped.
    pub(super) other_digits: bool,
    /// What the text says about the decimal sign.
    pub(super) evidence: Evidence,
}

/// What one number tells about the decimal sign of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// Only a decimal point makes sense.
    Point,
    /// Only a decimal comma makes sense.
    Comma,
    /// One sign before three digits: `1,234` or `1.234`.
    Either(char),
    /// Digits and blanks only.
    None,
}

/// Reads a number; `decimal` settles texts that can be read both ways.
pub(super) fn parse(text: &str, decimal: char) -> Option<Number> {
    // Most cells of most files are plain digits.
    if (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        let value = compose(false, text, "", 0)?;
        return Some(Number { value, flag: None, other_digits: false, evidence: Evidence::None });
    }
    let (plain, other_digits) = to_ascii(text);
    let mut rest = plain.trim();
    if rest.len() > 200 || !rest.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut flags: Vec<String> = Vec::new();
    let mut negative = false;
    if let Some(inner) = rest.strip_prefix('[').and_then(|r| r.strip_suffix(']')) {
        flags.push("[]".to_owned());
        rest = inner.trim();
    }
    rest = take_suffixes(rest, &mut flags);
    if let Some(inner) = rest.strip_prefix('(').and_then(|r| r.strip_suffix(')')) {
        // Accountants' brackets.
        negative = true;
        rest = inner.trim();
    }
    rest = take_prefix(rest, &mut flags, &mut negative);
    rest = take_suffixes(rest, &mut flags);
    if let Some(before) = rest.strip_suffix('-').filter(|_| !negative) {
        negative = true;
        rest = before.trim_end();
    }
    let (mantissa, exponent) = split_exponent(rest)?;
    let (whole, fraction, evidence) = digits(mantissa, decimal)?;
    let value = compose(negative, &whole, &fraction, exponent)?;
    let flag = if flags.is_empty() { None } else { Some(flags.join(" ")) };
    Some(Number { value, flag, other_digits, evidence })
}

/// ASCII digits and signs; every kind of blank becomes a plain one, invisible marks go.
fn to_ascii(text: &str) -> (String, bool) {
    let mut other = false;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0'..='\u{7f}' => out.push(c),
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => out.push(' '),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}' | '\u{feff}' => {}
            '\u{2212}' | '\u{2010}'..='\u{2014}' | '\u{fe63}' | '\u{ff0d}' => out.push('-'),
            '\u{2019}' | '\u{2018}' | '\u{2bc}' | '\u{b4}' | '\u{2032}' => out.push('\''),
            '\u{66c}' | '\u{ff07}' => out.push('\''),
            // The Arabic decimal separator must not be taken for a thousands one.
            '\u{66b}' | '\u{ff0e}' => out.push(if c == '\u{66b}' { '\u{1}' } else { '.' }),
            '\u{ff0c}' | '\u{60c}' => out.push(','),
            '\u{ff05}' | '\u{66a}' => out.push('%'),
            _ => match digit(c) {
                Some(d) => {
                    other = true;
                    out.push(d);
                }
                None => out.push(c),
            },
        }
    }
    (out, other)
}

/// Decimal digits of the scripts that publish statistics; each block runs 0 to 9.
fn digit(c: char) -> Option<char> {
    const ZEROS: [u32; 22] = [
        0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
        0x1040, 0x17e0, 0x1810, 0x19d0, 0xa9d0, 0xff10,
    ];
    let code = c as u32;
    let zero = ZEROS.iter().find(|&&zero| (zero..zero + 10).contains(&code))?;
    char::from_digit(code - zero, 10)
}

const CURRENCIES: [&str; 12] = ["US$", "USD", "EUR", "GBP", "A$", "C$", "$", "€", "£", "¥", "₹", "Rs"];

fn take_prefix<'a>(mut rest: &'a str, flags: &mut Vec<String>, negative: &mut bool) -> &'a str {
    for _ in 0..3 {
        if let Some(after) = rest.strip_prefix('-') {
            if *negative {
                return rest;
            }
            *negative = true;
            rest = after.trim_start();
        } else if let Some(after) = rest.strip_prefix('+') {
            rest = after;
        } else if let Some(mark) = CURRENCIES.iter().chain(&["*", "†", "~", "≈"]).find(|m| rest.starts_with(**m)) {
            flags.push((*mark).to_owned());
            rest = rest[mark.len()..].trim_start();
        } else {
            break;
        }
    }
    rest
}

/// Takes flags off the end, innermost last: `12.5%*` gives `*`, then `%`.
fn take_suffixes<'a>(mut rest: &'a str, flags: &mut Vec<String>) -> &'a str {
    for _ in 0..3 {
        let Some((before, flag)) = suffix(rest) else {
            break;
        };
        let before = before.trim_end();
        if !before.ends_with(|c: char| c.is_ascii_digit() || matches!(c, ')' | '-' | '%' | '.') || "*†‡§#^".contains(c))
        {
            break;
        }
        flags.insert(0, flag);
        rest = before;
    }
    rest
}

fn suffix(rest: &str) -> Option<(&str, String)> {
    let short = |s: &str| {
        let count = s.chars().count();
        (1..=4).contains(&count) && s.chars().all(|c| c.is_ascii_alphanumeric() || c == ',')
    };
    if let Some(before) = rest.strip_suffix('%') {
        return Some((before, "%".to_owned()));
    }
    if let Some(mark) = CURRENCIES.iter().find(|m| rest.ends_with(**m)) {
        return Some((&rest[..rest.len() - mark.len()], (*mark).to_owned()));
    }
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some(inner) = rest.strip_suffix(close)
            && let Some(at) = inner.rfind(open)
            && at > 0
            && short(&inner[at + 1..])
        {
            return Some((&rest[..at], inner[at + 1..].to_owned()));
        }
    }
    let marks = rest.trim_end_matches(|c: char| "*†‡§#^¹²³⁰⁴⁵⁶⁷⁸⁹ªº".contains(c) || ('ᵃ'..='ᶻ').contains(&c));
    if marks.len() < rest.len() {
        return Some((marks, rest[marks.len()..].to_owned()));
    }
    // `b/` and `1/`, the latter only after a blank: `12/` is no number.
    if let Some(inner) = rest.strip_suffix('/') {
        let letters = inner.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        if (1..=2).contains(&(inner.len() - letters.len())) {
            return Some((letters, rest[letters.len()..].to_owned()));
        }
        let (before, mark) = inner.rsplit_once(' ')?;
        return (mark.len() == 1 && mark.bytes().all(|b| b.is_ascii_digit())).then(|| (before, format!("{mark}/")));
    }
    // Letters of footnotes and of observation status, several by commas; scales such as
    // `m` and `bn` are no flags.
    let letters = rest.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ',');
    let flag = &rest[letters.len()..];
    let scale = ["m", "M", "k", "K", "bn", "mn", "B", "T", "bp", "pp"].contains(&flag);
    let short = flag.split(',').all(|part| (1..=2).contains(&part.len())) && flag.len() <= 8;
    (short && !scale).then(|| (letters, flag.to_owned()))
}

fn split_exponent(text: &str) -> Option<(&str, i32)> {
    let Some(at) = text.find(['e', 'E']) else {
        return Some((text, 0));
    };
    let exponent: i32 = text[at + 1..].strip_prefix('+').unwrap_or(&text[at + 1..]).parse().ok()?;
    (exponent.abs() <= 60).then_some((&text[..at], exponent))
}

/// Whole and fractional digits. Groups must be of three (or end in three after twos,
/// as in India); one separator that could be either is read by `decimal`.
fn digits(text: &str, decimal: char) -> Option<(String, String, Evidence)> {
    let signs: Vec<char> = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    if signs.iter().any(|c| !matches!(c, ',' | '.' | ' ' | '\'' | '_' | '\u{1}')) {
        return None;
    }
    let count = |sign: char| signs.iter().filter(|&&c| c == sign).count();
    let (points, commas) = (count('.'), count(','));
    if count('\u{1}') == 1 {
        let (whole, fraction) = text.split_once('\u{1}')?;
        return grouped(whole).map(|whole| (whole, fraction.to_owned(), Evidence::None)).filter(|f| all_digits(&f.1));
    }
    let last = signs.iter().rev().find(|c| matches!(c, '.' | ','));
    let (sign, evidence) = match (points, commas, last) {
        (0, 0, _) => (None, Evidence::None),
        (1.., 1.., Some(&last)) if count(last) == 1 => (Some(last), evidence_of(last)),
        (0, 2.., _) => (None, Evidence::Point),
        (2.., 0, _) => (None, Evidence::Comma),
        (_, _, Some(&only)) if points + commas == 1 => {
            let (whole, fraction) = text.split_once(only)?;
            let other_groups = whole.contains([' ', '\'', '_']);
            let lead = whole.trim_start_matches('0');
            let either = fraction.len() == 3
                && !lead.is_empty()
                && lead.len() == whole.len()
                && whole.len() <= 3
                && !other_groups;
            match either {
                true if only == decimal => (Some(only), Evidence::Either(only)),
                true => (None, Evidence::Either(only)),
                false => (Some(only), evidence_of(only)),
            }
        }
        _ => return None,
    };
    let (whole, fraction) = match sign {
        Some(sign) => text.rsplit_once(sign)?,
        None => (text, ""),
    };
    if !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    Some((grouped(whole)?, fraction.to_owned(), evidence))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn evidence_of(decimal: char) -> Evidence {
    if decimal == ',' { Evidence::Comma } else { Evidence::Point }
}

fn grouped(whole: &str) -> Option<String> {
    let groups: Vec<&str> = whole.split([' ', '\'', '_', ',', '.']).collect();
    let [first, middle @ .., last] = &groups[..] else {
        return all_digits(whole).then(|| whole.to_owned());
    };
    let one_sign = {
        let mut signs = whole.chars().filter(|c| !c.is_ascii_digit());
        let sign = signs.next();
        signs.all(|c| Some(c) == sign)
    };
    let threes = middle.iter().all(|g| g.len() == 3);
    let twos = !middle.is_empty() && middle.iter().all(|g| g.len() == 2) && first.len() <= 2;
    let sound = one_sign && (1..=3).contains(&first.len()) && last.len() == 3 && (threes || twos);
    (sound && groups.iter().all(|g| all_digits(g))).then(|| groups.concat())
}

fn compose(negative: bool, whole: &str, fraction: &str, exponent: i32) -> Option<String> {
    let mut all = format!("{whole}{fraction}");
    let point = i32::try_from(whole.len()).ok()? + exponent;
    if point <= 0 {
        all.insert_str(0, &"0".repeat(usize::try_from(1 - point).ok()?));
    }
    let point = usize::try_from(point.max(1)).ok()?;
    while all.len() < point {
        all.push('0');
    }
    let (whole, fraction) = all.split_at(point);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    // An exponent moves zeros behind the point that nobody wrote.
    let fraction = if exponent == 0 { fraction } else { fraction.trim_end_matches('0') };
    let zero = whole == "0" && fraction.bytes().all(|b| b == b'0');
    let sign = if negative && !zero { "-" } else { "" };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let cases = [
            ("61,103,118,000.55", '.', "61103118000.55", None),
            ("203,400", '.', "203400", None),
            ("203,400", ',', "203.400", None),
            ("2\u{a0}906,4", '.', "2906.4", None),
            ("1\u{202f}234,05", ',', "1234.05", None),
            ("1.234.567,8", '.', "1234567.8", None),
            ("1'234’567.8", '.', "1234567.8", None),
            ("12,34,56,789", '.', "123456789", None),
            ("0,125", '.', "0.125", None),
            ("1234e", '.', "1234", Some("e")),
            ("1234 (p)", '.', "1234", Some("p")),
            ("1,234a", '.', "1234", Some("a")),
            ("1,234a,b", '.', "1234", Some("a,b")),
            ("12.5*", '.', "12.5", Some("*")),
            ("1 234 b/", '.', "1234", Some("b/")),
            ("1 234 1/", '.', "1234", Some("1/")),
            ("[345]", '.', "345", Some("[]")),
            ("12¹", '.', "12", Some("¹")),
            ("(123.4)", '.', "-123.4", None),
            ("(1,234)e", '.', "-1234", Some("e")),
            ("−12.4", '.', "-12.4", None),
            ("12-", '.', "-12", None),
            ("- 5", '.', "-5", None),
            ("12.5%", '.', "12.5", Some("%")),
            ("$1,234.50", '.', "1234.50", Some("$")),
            ("-US$ 3", '.', "-3", Some("US$")),
            ("12 €", '.', "12", Some("€")),
            ("1.75E+08", '.', "175000000", None),
            ("1,75E+08", '.', "175000000", None),
            ("2.5e-3", '.', "0.0025", None),
            ("١٢٣", '.', "123", None),
            ("١٬٢٣٤٫٥", '.', "1234.5", None),
            ("１２３", '.', "123", None),
            (".5", '.', "0.5", None),
            ("-0", '.', "0", None),
            ("1.10", '.', "1.10", None),
        ];
        for (text, decimal, value, flag) in cases {
            let number = parse(text, decimal).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((number.value.as_str(), number.flag.as_deref()), (value, flag), "{text}");
        }
    }

    #[test]
    fn not_numbers() {
        for text in [
            "", "-", "12 34", "1,2,3", "1.2.3", "12m", "3bn", "A1", "2003Q4", "1/2", "12/", "1-2", "--5", "+1+1",
            "(e)", "e5", "1 2345",
        ] {
            assert_eq!(parse(text, '.'), None, "{text}");
        }
    }
}
