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
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Word};

use crate::error::{Error, Result};

/// The query with its steps named anew, with a number that no other query of the statement has.
pub(super) fn own_steps(sql: &str, number: usize) -> Result<String> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize()
        .map_err(|e| Error::internal(format!("a query of the library: {e}")))?;
    // Places of what is neither blank nor comment.
    let places: Vec<usize> =
        (0..tokens.len()).filter(|at| !matches!(tokens.get(*at), Some(Token::Whitespace(_)))).collect();
    let token = |nth: Option<usize>| nth.and_then(|n| places.get(n)).and_then(|at| tokens.get(*at));
    let mut steps: Vec<&str> = Vec::new();
    let mut depth = 0_usize;
    for (nth, at) in places.iter().enumerate() {
        match tokens.get(*at) {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => depth = depth.saturating_sub(1),
            Some(Token::Word(word)) if depth == 0 && is(token(Some(nth + 1)), Keyword::AS) => {
                let before = token(nth.checked_sub(1));
                let begins = is(before, Keyword::WITH) || before == Some(&Token::Comma);
                if begins && token(Some(nth + 2)) == Some(&Token::LParen) {
                    steps.push(&word.value);
                }
            }
            _ => {}
        }
    }
    let mut named = String::with_capacity(sql.len() + 16 * steps.len());
    let mut nth = 0;
    for (at, written) in tokens.iter().enumerate() {
        if places.get(nth) != Some(&at) {
            named += &written.to_string();
            continue;
        }
        let (before, after) = (token(nth.checked_sub(1)), token(Some(nth + 1)));
        nth += 1;
        let step = match written {
            Token::Word(word) if word.quote_style.is_none() && steps.contains(&word.value.as_str()) => word,
            _ => {
                named += &written.to_string();
                continue;
            }
        };
        let defined = is(after, Keyword::AS) && token(Some(nth + 1)) == Some(&Token::LParen);
        let read = is(before, Keyword::FROM) || is(before, Keyword::JOIN);
        if defined || read && after != Some(&Token::LParen) && after != Some(&Token::Period) {
            named += &format!("\"{} {number}\"", step.value);
            if read && !is(after, Keyword::AS) {
                named += &format!(" as {}", step.value);
            }
        } else {
            named += &step.value;
        }
    }
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
        let check = |sql: &str, expected: &str| assert_eq!(own_steps(sql, 3).unwrap(), expected);
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
    }
}
