//! Texts as SQL has them where the engine below does something else without a word: `varchar(3)` keeps three letters,
//! and `SIMILAR TO` is a pattern of SQL, for all of a text.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{CharacterLength, DataType, Expr, Value, ValueWithSpan, VisitorMut};

use super::operators::filled;
use crate::error::{Error, Result};

/// Puts `left` around such casts, and regular expressions in the place of such patterns.
pub(super) struct Texts;

impl VisitorMut for Texts {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match replaced(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

fn replaced(expr: &mut Expr) -> Result<()> {
    match expr {
        Expr::Cast { data_type, .. } => {
            let Some(letters) = letters(data_type) else { return Ok(()) };
            *data_type = DataType::Varchar(None);
            let number = Expr::Value(Value::Number(letters.to_string(), false).into());
            let cast = std::mem::replace(expr, Expr::Value(Value::Null.into()));
            *expr = filled("left(null, null)", [cast, number])?;
        }
        Expr::SimilarTo { pattern, escape_char, .. } => {
            let escape = escape_char.take();
            let text = match pattern.as_mut() {
                Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => text,
                Expr::Value(ValueWithSpan { value: Value::Null, .. }) => return Ok(()),
                _ => {
                    return Err(Error::user("the pattern of `similar to` is not a constant")
                        .with_state("0A000")
                        .with_hint("`~` compares with a regular expression that is computed"));
                }
            };
            let escape = match escape.map(|escape| escape.value) {
                None => Some('\\'),
                Some(Value::SingleQuotedString(letter)) => {
                    let mut letters = letter.chars();
                    let first = letters.next();
                    if letters.next().is_some() {
                        return Err(Error::user(format!("`{letter}` is no escape: it is one letter, or none"))
                            .with_state("22019"));
                    }
                    first
                }
                Some(_) => None,
            };
            *text = regular(text, escape);
        }
        _ => {}
    }
    Ok(())
}

/// How many letters a type has room for, if it says so.
fn letters(data_type: &DataType) -> Option<u64> {
    use DataType::{Char, CharVarying, Character, CharacterVarying, Nvarchar, Varchar};
    match data_type {
        Char(length)
        | CharVarying(length)
        | Character(length)
        | CharacterVarying(length)
        | Nvarchar(length)
        | Varchar(length) => match length {
            Some(CharacterLength::IntegerLength { length, .. }) => Some(*length),
            _ => None,
        },
        _ => None,
    }
}

/// A pattern of SQL as a regular expression: `%` and `_` are what they are to LIKE; of signs that only the latter has,
/// none means anything.
fn regular(pattern: &str, escape: Option<char>) -> String {
    let mut regular = String::from("^(?s:");
    let mut letters = pattern.chars();
    // Within brackets, and whether one of them has come.
    let mut bracket = None;
    while let Some(letter) = letters.next() {
        if Some(letter) == escape {
            if let Some(next) = letters.next() {
                regular.push_str(&regex_literal(next));
            }
            continue;
        }
        match (letter, &mut bracket) {
            (']', Some(true)) => {
                bracket = None;
                regular.push(']');
            }
            ('[' | '&' | '~' | '\\' | ']', Some(some)) => {
                *some = true;
                regular.push('\\');
                regular.push(letter);
            }
            (letter, Some(some)) => {
                *some |= letter != '^';
                regular.push(letter);
            }
            ('[', None) => {
                bracket = Some(false);
                regular.push('[');
            }
            ('%', None) => regular.push_str(".*"),
            ('_', None) => regular.push('.'),
            ('.' | '^' | '$' | '\\', None) => {
                regular.push('\\');
                regular.push(letter);
            }
            (letter, None) => regular.push(letter),
        }
    }
    regular.push_str(")$");
    regular
}

/// A letter that stands for itself.
fn regex_literal(letter: char) -> String {
    if letter.is_ascii_punctuation() { format!("\\{letter}") } else { letter.to_string() }
}

#[cfg(test)]
mod tests {
    use super::regular;

    #[test]
    fn patterns_of_sql_as_regular_expressions() {
        for (pattern, expected) in [
            ("a%", "^(?s:a.*)$"),
            ("_(b|c)+", "^(?s:.(b|c)+)$"),
            ("a.c^$", "^(?s:a\\.c\\^\\$)$"),
            ("10\\%", "^(?s:10\\%)$"),
            ("[^a-c.]{2}", "^(?s:[^a-c.]{2})$"),
            ("[[]x", "^(?s:[\\[]x)$"),
        ] {
            assert_eq!(regular(pattern, Some('\\')), expected, "{pattern}");
        }
        assert_eq!(regular("a#_b\\", Some('#')), "^(?s:a\\_b\\\\)$");
        assert_eq!(regular("a#_", None), "^(?s:a#.)$");
    }
}
