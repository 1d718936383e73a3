//! SASLprep (RFC 4013) the way PostgreSQL does it.

use stringprep::tables;
use unicode_normalization::UnicodeNormalization as _;

/// A password as it goes into the key, or `None` where PostgreSQL and libpq take its bytes as
/// they are.
///
/// They leave ASCII alone, control characters included, and look for what is prohibited
/// before they normalize. `stringprep::saslprep` looks afterwards, and so differs: for it
/// U+0340 is allowed, and U+2135 is a letter from right to left.
pub(super) fn saslprep(password: &str) -> Option<String> {
    if password.is_ascii() {
        return Some(password.to_owned());
    }
    let mapped: Vec<char> = password
        .chars()
        .map(|c| if tables::non_ascii_space_character(c) { ' ' } else { c })
        .filter(|&c| !tables::commonly_mapped_to_nothing(c))
        .collect();
    if mapped.iter().any(|&c| prohibited(c)) || is_mixed_in_direction(&mapped) || mapped.is_empty() {
        return None;
    }
    Some(mapped.into_iter().nfkc().collect())
}

fn prohibited(c: char) -> bool {
    tables::ascii_control_character(c)
        || tables::non_ascii_control_character(c)
        || tables::private_use(c)
        || tables::non_character_code_point(c)
        || tables::inappropriate_for_plain_text(c)
        || tables::inappropriate_for_canonical_representation(c)
        || tables::change_display_properties_or_deprecated(c)
        || tables::tagging_character(c)
        || tables::unassigned_code_point(c)
}

/// RFC 3454, section 6.
fn is_mixed_in_direction(text: &[char]) -> bool {
    let leftward = |c: Option<&char>| c.is_some_and(|&c| tables::bidi_r_or_al(c));
    text.iter().any(|c| leftward(Some(c)))
        && (text.iter().any(|&c| tables::bidi_l(c)) || !leftward(text.first()) || !leftward(text.last()))
}

#[cfg(test)]
mod tests {
    use super::saslprep;

    #[test]
    fn passwords_as_postgresql_prepares_them() {
        for (password, expected) in [
            ("pencil", Some("pencil")),
            ("a\x07b", Some("a\x07b")),
            ("I\u{ad}X", Some("IX")),
            ("\u{aa}", Some("a")),
            ("\u{2168}", Some("IX")),
            ("a\u{a0}b", Some("a b")),
            ("é", Some("é")),
            ("e\u{301}", Some("é")),
            ("é\x07", None),
            ("\u{ad}", None),
            ("\u{627}1", None),
            ("\u{627}1\u{628}", Some("\u{627}1\u{628}")),
            ("\u{627}a\u{628}", None),
            ("a\u{340}", None),
            ("a\u{2135}", Some("a\u{5d0}")),
            ("\u{e000}", None),
            ("\u{1f600}", None),
        ] {
            assert_eq!(saslprep(password).as_deref(), expected, "{password:?}");
        }
    }
}
