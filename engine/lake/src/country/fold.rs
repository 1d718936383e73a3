//! The key under which a spelling of a country is found.
//!
//! Publishers differ in accents, case, punctuation, footnote marks and in how far they
//! abbreviate, so these are folded away on both sides. What is left must be equal: nothing
//! here or above it guesses. `fold` in `datasets/country/build.py` mirrors this function.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longer text is prose, not a name; the bound keeps a hostile cell from costing anything.
const LONGEST_BYTES: usize = 300;

/// Folds a spelling: accents, case, punctuation, apostrophes and superscript footnote
/// numbers go; articles and `of`, `and` go; words that publishers abbreviate take one form;
/// a number loses its leading zeros. Empty for text that is too long or says nothing.
pub(super) fn fold(text: &str) -> String {
    if text.len() > LONGEST_BYTES {
        return String::new();
    }
    let mut clean = String::with_capacity(text.len());
    if text.is_ascii() {
        for c in text.chars() {
            push(&mut clean, c.to_ascii_lowercase());
        }
    } else {
        let marks = |c: &char| !matches!(c, '¹' | '²' | '³' | '⁰' | '⁴'..='⁹' | '´');
        for c in text.chars().filter(marks).nfkd().filter(|c| !is_combining_mark(*c)) {
            for c in c.to_lowercase() {
                push(&mut clean, c);
            }
        }
    }
    let clean = clean.trim_end();
    if clean.contains(' ') {
        let mut out = String::with_capacity(clean.len());
        for word in clean.split(' ').map(word).filter(|w| !w.is_empty()) {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
        out
    } else if is_number(clean) {
        let digits = clean.trim_start_matches('0');
        if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
    } else {
        clean.to_owned()
    }
}

/// True for a folded key that is a number.
pub(super) fn is_number(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit())
}

fn push(out: &mut String, c: char) {
    match c {
        '\'' | '’' | '‘' | 'ʼ' | '`' => {}
        'ß' => out.push_str("ss"),
        'ø' => out.push('o'),
        'æ' => out.push_str("ae"),
        'œ' => out.push_str("oe"),
        'ł' => out.push('l'),
        'ı' => out.push('i'),
        'đ' | 'ð' => out.push('d'),
        'þ' => out.push_str("th"),
        c if c.is_alphanumeric() => out.push(c),
        _ if out.is_empty() || out.ends_with(' ') => {}
        _ => out.push(' '),
    }
}

fn word(w: &str) -> &str {
    match w {
        "and" | "the" | "of" => "",
        "saint" | "states" | "state" | "sts" => "st",
        "republic" => "rep",
        "democratic" => "dem",
        "federated" | "federal" => "fed",
        "islands" | "island" | "isl" => "is",
        "united" => "utd",
        "peoples" => "people",
        w => w,
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn blind_to_accents_case_punctuation_and_stars() {
        assert_eq!(fold("CÔTE D’IVOIRE"), fold("Cote d'Ivoire"));
        assert_eq!(fold("  United States of America* "), fold("United States of America"));
        assert_eq!(fold("St. Kitts & Nevis"), fold("Saint Kitts and Nevis"));
        assert_eq!(fold("Türkiye"), fold("Turkiye"));
        assert_eq!(fold("Kosovo¹"), fold("Kosovo"));
        assert_eq!(fold("004"), "4");
    }

    #[test]
    fn keeps_identity() {
        assert_ne!(fold("Niger"), fold("Nigeria"));
        assert_ne!(fold("Dominica"), fold("Dominican Republic"));
        assert_ne!(fold("N/A"), fold("NA"));
        assert_eq!(fold("AND"), "and");
        assert_eq!(fold(&"x".repeat(1000)), "");
        assert_eq!(fold("***"), "");
    }
}
