//! psql's variables: `:NAME`, `:'NAME'` (as text) and `:"NAME"` (as a name).

use std::collections::BTreeMap;
use std::ops::Range;

use crate::lexer::{self, Kind};

/// Variables of a session, set by `-v NAME=VALUE` or `\set`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables(BTreeMap<String, String>);

/// A reference to a variable that nobody set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undefined {
    /// Its name.
    pub(crate) name: String,
    /// Where the reference stands in the text.
    pub(crate) span: Range<usize>,
}

/// Text with its variables filled in, which remembers where each part came from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expanded {
    /// What to run.
    pub(crate) text: String,
    /// (range in `text`, range in the original), one per variable.
    edits: Vec<(Range<usize>, Range<usize>)>,
}

impl Variables {
    /// Sets one variable; a later value replaces an earlier one.
    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Removes one; false if it was not there.
    pub(crate) fn unset(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    /// All of them, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Fills in every reference outside quotes and comments. The text was split
    /// into statements before, so a value can never start another statement.
    pub(crate) fn expand(&self, sql: &str) -> Result<Expanded, Undefined> {
        let mut out = Expanded::default();
        let mut tokens = lexer::tokens(sql).peekable();
        while let Some(token) = tokens.next() {
            let name = if token.is(sql, ":") { tokens.peek().and_then(|t| reference(t, sql)) } else { None };
            let (Some((name, form)), Some(operand)) = (name, tokens.peek().copied()) else {
                out.text.push_str(token.text(sql));
                continue;
            };
            let span = token.start..operand.end;
            let Some(value) = self.0.get(&name) else { return Err(Undefined { name, span }) };
            let start = out.text.len();
            match form {
                Form::Raw => out.text.push_str(value),
                Form::Text => out.text.push_str(&format!("'{}'", value.replace('\'', "''"))),
                Form::Name => out.text.push_str(&format!("\"{}\"", value.replace('"', "\"\""))),
            }
            out.edits.push((start..out.text.len(), span));
            tokens.next();
        }
        Ok(out)
    }
}

impl Expanded {
    /// The offset in the original of an offset in `text`; anywhere inside a
    /// value is the reference that brought it.
    pub(crate) fn original(&self, offset: usize) -> usize {
        let mut shift = (0, 0);
        for (out, original) in &self.edits {
            if offset < out.start {
                break;
            }
            if offset < out.end {
                return original.start;
            }
            shift = (out.end, original.end);
        }
        offset - shift.0 + shift.1
    }
}

enum Form {
    Raw,
    Text,
    Name,
}

fn reference(token: &lexer::Token, sql: &str) -> Option<(String, Form)> {
    let text = token.text(sql);
    let (name, form) = match token.kind {
        Kind::Word => (text, Form::Raw),
        Kind::Text => (text.strip_prefix('\'')?.strip_suffix('\'')?, Form::Text),
        Kind::QuotedName => (text.strip_prefix('"')?.strip_suffix('"')?, Form::Name),
        _ => return None,
    };
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then(|| (name.to_owned(), form))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let mut v = Variables::default();
        v.set("year", "2023");
        v.set("who", "O'Neil");
        v.set("col", "a\"b");
        v
    }

    #[test]
    fn fills_in() {
        for (sql, expected) in [
            ("select :year", "select 2023"),
            ("select :'who'", "select 'O''Neil'"),
            ("select :\"col\"", "select \"a\"\"b\""),
            ("select ':year', \":year\" -- :year", "select ':year', \":year\" -- :year"),
            ("select a::year, x := 1, a[1:2]", "select a::year, x := 1, a[1:2]"),
            ("select $$:year$$", "select $$:year$$"),
        ] {
            assert_eq!(variables().expand(sql).unwrap().text, expected);
        }
    }

    #[test]
    fn undefined_is_named() {
        let undefined = variables().expand("select :nope").unwrap_err();
        assert_eq!(undefined, Undefined { name: "nope".into(), span: 7..12 });
    }

    #[test]
    fn offsets_lead_back() {
        let sql = "select :year + :year + x";
        let expanded = variables().expand(sql).unwrap();
        assert_eq!(expanded.text, "select 2023 + 2023 + x");
        assert_eq!(expanded.original(0), 0);
        assert_eq!(expanded.original(8), 7);
        assert_eq!(expanded.original(15), 15);
        assert_eq!(expanded.original(21), 23);
        assert_eq!(&sql[expanded.original(21)..], "x");
    }
}
