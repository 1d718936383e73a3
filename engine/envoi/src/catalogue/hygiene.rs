//! Names of a library query's steps that no other query has.
//!
//! The planner takes a second `with survey as` inside the first for an error, and a user
//! may have a step of that name too. So the steps of a query get names of their own
//! before arguments are put in, and keep the old ones as aliases:
//!
//! ```text
//! with survey as (…) select survey.iso3 from survey
//! with "survey 3" as (…) select survey.iso3 from "survey 3" as survey
//! ```
//!
//! A step that is given to a function is written `(select … from step)`: after `=>` a
//! name alone may be a column's.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer, Word};

use crate::error::{Error, Result, offset};

/// The query with its steps named anew, by what no other query of the statement has. Calls of a
/// function with the same arguments have the same, so that equal queries have equal plans.
pub(super) fn own_steps(sql: &str, number: &str) -> Result<String> {
    let wrong = |why: String| Error::internal(format!("a query of the library: {why}"));
    let mut tokens =
        Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location().map_err(|e| wrong(e.to_string()))?;
    tokens.retain(|t| !matches!(t.token, Token::Whitespace(_)));
    let token = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map(|t| &t.token);
    let mut steps: Vec<&str> = Vec::new();
    let mut depth = 0_usize;
    for (at, found) in tokens.iter().enumerate() {
        match &found.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Word(word) if depth == 0 && is(token(Some(at + 1)), Keyword::AS) => {
                let before = token(at.checked_sub(1));
                let begins = is(before, Keyword::WITH) || before == Some(&Token::Comma);
                if begins && token(Some(at + 2)) == Some(&Token::LParen) {
                    steps.push(&word.value);
                }
            }
            _ => {}
        }
    }
    let (mut named, mut copied) = (String::with_capacity(sql.len() + 32 * steps.len()), 0);
    for (at, found) in tokens.iter().enumerate() {
        let Token::Word(Word { value, quote_style: None, .. }) = &found.token else { continue };
        if !steps.contains(&value.as_str()) {
            continue;
        }
        let (before, after) = (token(at.checked_sub(1)), token(Some(at + 1)));
        let defined = is(after, Keyword::AS) && token(Some(at + 2)) == Some(&Token::LParen);
        let read = (is(before, Keyword::FROM) || is(before, Keyword::JOIN))
            && !matches!(after, Some(Token::LParen | Token::Period));
        // A table that a function of the query is given.
        let given = before == Some(&Token::RArrow);
        if !(defined || read || given) {
            continue;
        }
        let byte = |place: Location| offset(sql, place.line, place.column);
        let place = byte(found.span.start).zip(byte(found.span.end));
        let (start, end) = place.ok_or_else(|| wrong(format!("`{value}` has no place")))?;
        named += sql.get(copied..start).unwrap_or_default();
        named += &format!("\"{value} {number}\"");
        if read && !is(after, Keyword::AS) {
            named += &format!(" as {value}");
        }
        copied = end;
    }
    named += sql.get(copied..).unwrap_or_default();
    Ok(named)
}

fn is(token: Option<&Token>, keyword: Keyword) -> bool {
    matches!(token, Some(Token::Word(Word { keyword: found, quote_style: None, .. })) if *found == keyword)
}

#[cfg(test)]
mod tests {
    use super::own_steps;

    #[test]
    fn steps_are_named_anew() {
        let check = |sql: &str, expected: &str| assert_eq!(own_steps(sql, "3").unwrap(), expected);
        check(
            "with\n\na as (select x from t),\n\nb as (select a.x from a)\n\nselect b.x, a from b as c inner join a on a.x = c.x",
            "with\n\n\"a 3\" as (select x from t),\n\n\"b 3\" as (select a.x from \"a 3\" as a)\n\n\
             select b.x, a from \"b 3\" as c inner join \"a 3\" as a on a.x = c.x",
        );
        // What is given comes from outside; a function or a schema of the name is another thing.
        check(
            "with t as (select 1 from $t as given) select 1 from t where x in (select y from lake.t)",
            "with \"t 3\" as (select 1 from $t as given) select 1 from \"t 3\" as t where x in (select y from lake.t)",
        );
        check("select a as (b) from t", "select a as (b) from t");
        check(
            "with -- of a\na as (select 'it''s a')\nselect x from f(a => a, b => 2)",
            "with -- of a\n\"a 3\" as (select 'it''s a')\nselect x from f(a => \"a 3\", b => 2)",
        );
    }
}
