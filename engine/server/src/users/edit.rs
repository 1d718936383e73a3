//! Changes to the text of a users file that leave the rest of it as it was written.

use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::parse::table;
use super::{UsersError, Verifier};

/// The text with a user's verifier set, and whether the user is new in it.
pub(super) fn with(path: &Path, text: &str, name: &str, verifier: &Verifier) -> Result<(String, bool), UsersError> {
    let parsed = table(path, text)?;
    let line = format!("verifier = \"{verifier}\"");
    match (entry(parsed.get_ref(), name), verifier_of(parsed.get_ref(), name)) {
        (_, Some(span)) => Ok((replaced(text, span, &format!("\"{verifier}\"")), false)),
        (true, None) => {
            let header = sections(parsed.get_ref(), text).into_iter().find(|section| section.is(&["user", name]));
            let header = header.ok_or_else(|| UsersError::by_hand(path, name, "set its `verifier`"))?;
            Ok((replaced(text, header.body..header.body, &format!("{}{line}\n", header.gap(text))), false))
        }
        (false, None) => {
            let gap = match text {
                "" => "",
                _ if text.ends_with('\n') => "\n",
                _ => "\n\n",
            };
            let key = if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() };
            Ok((format!("{text}{gap}[user.{key}]\n{line}\n"), true))
        }
    }
}

/// The text without a user's sections. What follows a section's last key, such as a comment on
/// the next one, stays.
pub(super) fn without(path: &Path, text: &str, name: &str) -> Result<String, UsersError> {
    let parsed = table(path, text)?;
    if !entry(parsed.get_ref(), name) {
        return Err(UsersError::Unknown { name: name.to_owned(), path: path.to_owned() });
    }
    let gone: Vec<_> =
        sections(parsed.get_ref(), text).into_iter().filter(|s| s.starts_with(&["user", name])).collect();
    if gone.is_empty() {
        return Err(UsersError::by_hand(path, name, "take it out"));
    }
    Ok(gone.into_iter().rev().fold(text.to_owned(), |text, section| replaced(&text, section.whole, "")))
}

/// A header `[a.b]` with what belongs to it.
struct Section {
    path: Vec<String>,
    /// From the header's line to behind the last key's, with blank lines behind that.
    whole: Range<usize>,
    /// Where the line behind the header begins.
    body: usize,
}

impl Section {
    fn is(&self, path: &[&str]) -> bool {
        self.path == path
    }

    fn starts_with(&self, path: &[&str]) -> bool {
        self.path.len() >= path.len() && self.path.iter().zip(path).all(|(a, b)| a == b)
    }

    /// A line break, where the header's line has none.
    fn gap(&self, text: &str) -> &'static str {
        if text.get(..self.body).is_some_and(|before| before.ends_with('\n')) { "" } else { "\n" }
    }
}

/// The sections in their order. A line that begins with `[` inside a value is no header.
fn sections(parsed: &DeTable<'_>, text: &str) -> Vec<Section> {
    let mut values = Vec::new();
    spans(parsed, &mut values);
    let mut sections: Vec<Section> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        let within = values.iter().any(|value| value.start < start && start < value.end);
        let bare = line.trim();
        match header(bare) {
            Some(path) if !within => sections.push(Section { path, whole: start..end, body: end }),
            _ => {
                let said = within || !(bare.is_empty() || bare.starts_with('#'));
                if let Some(section) = sections.last_mut()
                    && (said || (bare.is_empty() && section.whole.end == start))
                {
                    section.whole.end = end;
                }
            }
        }
    }
    sections
}

/// The path in a header's line.
fn header(line: &str) -> Option<Vec<String>> {
    if !line.starts_with('[') {
        return None;
    }
    let parsed = DeTable::parse(line).ok()?;
    let (mut path, mut table) = (Vec::new(), parsed.get_ref());
    while let Some((key, value)) = table.iter().next() {
        path.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(next) => table = next,
            _ => break,
        }
    }
    Some(path)
}

/// Where the values are that are no tables.
fn spans(table: &DeTable<'_>, into: &mut Vec<Range<usize>>) {
    for value in table.values() {
        match value.get_ref() {
            DeValue::Table(inner) => spans(inner, into),
            _ => into.push(value.span()),
        }
    }
}

fn user<'v>(parsed: &'v DeTable<'_>, name: &str) -> Option<&'v DeValue<'v>> {
    parsed.get("user")?.get_ref().as_table()?.get(name).map(|value| value.get_ref())
}

fn entry(parsed: &DeTable<'_>, name: &str) -> bool {
    user(parsed, name).is_some()
}

fn verifier_of(parsed: &DeTable<'_>, name: &str) -> Option<Range<usize>> {
    user(parsed, name)?.as_table()?.get("verifier").map(|value| value.span())
}

/// The text with a range of it replaced; as it is, where the range is none of it.
fn replaced(text: &str, range: Range<usize>, with: &str) -> String {
    match (text.get(..range.start), text.get(range.end..)) {
        (Some(before), Some(after)) => [before, with, after].concat(),
        _ => text.to_owned(),
    }
}
