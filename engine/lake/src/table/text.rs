//! Small judgements about text cells.

use super::{number, period};

/// A name fit for a column: blanks collapsed, invisible characters gone.
pub(super) fn clean(text: &str) -> String {
    let visible: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|&c| !is_hidden(c)).collect();
    visible.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Characters that a terminal or page acts on or does not show.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{61c}' | '\u{feff}')
}

/// Without the blanks around it; tabs and line ends are content.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\u{a0}', '\u{202f}', '\u{2009}', '\u{3000}'])
}

pub(super) fn is_number_like(text: &str) -> bool {
    number::parse(text, '.').is_some()
}

pub(super) fn is_year_like(text: &str) -> bool {
    period::header_year(trim(text)).is_some()
}

/// UTF-8 that was once read as windows-1252 or Latin-1: `CÃ´te`. Written back in that
/// code page it would be valid UTF-8 again, which real words of Western languages never are.
pub(super) fn is_mojibake(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    let parts = text.split(|c: char| c.is_ascii()).filter(|part| part.chars().count() >= 2);
    parts
        .filter_map(|part| part.chars().map(western_byte).collect::<Option<Vec<u8>>>())
        .any(|bytes| std::str::from_utf8(&bytes).is_ok())
}

fn western_byte(c: char) -> Option<u8> {
    u8::try_from(c).ok().or_else(|| {
        let mut buffer = [0; 4];
        let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(c.encode_utf8(&mut buffer));
        bytes.first().copied().filter(|_| !unmappable)
    })
}

/// `004`: a code whose zeros are part of it.
pub(super) fn has_leading_zero(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mojibake() {
        for text in ["CÃ´te d'Ivoire", "SÃ£o TomÃ©", "â€™", "PerÃº", "C\u{c3}\u{83}\u{c2}\u{b4}te", "Ã\u{89}tat"]
        {
            assert!(is_mojibake(text), "{text}");
        }
        for text in [
            "Côte d’Ivoire",
            "São Tomé",
            "Åland",
            "Türkiye",
            "中国",
            "Россия",
            "été",
            "España – año",
            "Curaçao",
            "100 €",
        ] {
            assert!(!is_mojibake(text), "{text}");
        }
    }

    #[test]
    fn names_are_clean() {
        assert_eq!(clean("\u{feff} Receiving  Countries\nName "), "Receiving Countries Name");
        assert!(has_leading_zero("004") && !has_leading_zero("0") && !has_leading_zero("0.5"));
    }
}
