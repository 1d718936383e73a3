//! What was meant, at the end of a message.

use envoi::nearest;

/// `; did you mean …?`, or what else would work.
pub(crate) fn hint<'a>(wanted: &str, names: impl Iterator<Item = &'a str>, otherwise: &str) -> String {
    match nearest(wanted, names) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if otherwise.is_empty() => String::new(),
        None => format!("; {otherwise}"),
    }
}

/// `; did you mean …?`, or all that there is.
pub(crate) fn hint_of_all<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = names.collect();
    let otherwise = if all.is_empty() { String::new() } else { format!("there are `{}`", all.join("`, `")) };
    hint(wanted, all.into_iter(), &otherwise)
}
