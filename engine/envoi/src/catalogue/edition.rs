//! Editions named in a statement: `observation FOR TIMESTAMP AS OF '2023-06-01'`.
//!
//! ```text
//! text  observation FOR TIMESTAMP AS OF '2023-06-01'
//!    -> observation (as_of=>'2023-06-01')              the same length: places in errors stay true
//!    -> table "observation@2023-06-01"                 which the schemas take apart again
//! ```
//! The engine's parser knows the clause in other dialects only, and its planner
//! ignores it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::ControlFlow;

use chrono::NaiveDate;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, TableAlias, TableFactor, Value, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use crate::error::{Error, offset};

/// The edition of the lake that one table of a statement is read at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edition {
    /// The newest editions not later than this.
    AsOf(NaiveDate),
    /// A version of the lake.
    Version(u64),
}

const AS_OF: &str = "as_of";
const VERSION: &str = "version";

impl std::fmt::Display for Edition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AsOf(day) => write!(f, "{day}"),
            Self::Version(number) => write!(f, "v{number}"),
        }
    }
}

/// A table's name and its edition, if one was asked for.
pub(crate) fn split(name: &str) -> (&str, Option<Edition>) {
    let parsed = name.rsplit_once('@').and_then(|(table, text)| {
        let version = || text.strip_prefix('v')?.parse().ok().map(Edition::Version);
        let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Edition::AsOf);
        Some((table, version().or_else(day)?))
    });
    parsed.map_or((name, None), |(table, edition)| (table, Some(edition)))
}

/// Puts every clause `[FOR] TIMESTAMP|VERSION|SYSTEM_TIME AS OF literal` as an argument that the parser reads.
pub(crate) fn as_arguments(sql: &str) -> Cow<'_, str> {
    let lower = sql.to_ascii_lowercase();
    let mut words = lower.split_whitespace().peekable();
    let mut asked = false;
    while let Some(word) = words.next() {
        asked |= word == "as" && words.peek().is_some_and(|next| next.starts_with("of"));
    }
    if !asked {
        return Cow::Borrowed(sql);
    }
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location() else {
        return Cow::Borrowed(sql);
    };
    let tokens: Vec<&TokenWithSpan> = tokens.iter().filter(|t| !matches!(t.token, Token::Whitespace(_))).collect();
    let mut rewritten = sql.to_owned();
    for (at, window) in tokens.windows(4).enumerate() {
        let [kind, r#as, of, literal] = window else { continue };
        let name = if word(kind, "version") { VERSION } else { AS_OF };
        if !["version", "timestamp", "system_time"].iter().any(|w| word(kind, w))
            || !keyword(r#as, Keyword::AS)
            || !keyword(of, Keyword::OF)
        {
            continue;
        }
        let before = at.checked_sub(1).and_then(|i| tokens.get(i)).filter(|t| keyword(t, Keyword::FOR));
        // `DATE '…'` and `TIMESTAMP '…'` say no more than the text.
        let typed = word(literal, "date") || word(literal, "timestamp");
        let literal = if typed { tokens.get(at + 4).copied().unwrap_or(literal) } else { literal };
        if !matches!(literal.token, Token::SingleQuotedString(_) | Token::Number(..)) {
            continue;
        }
        let byte = |place: Location| offset(sql, place.line, place.column);
        let first = before.map_or(kind.span.start, |t| t.span.start);
        let (Some(first), Some(start), Some(end)) = (byte(first), byte(literal.span.start), byte(literal.span.end))
        else {
            continue;
        };
        let Some(text) = sql.get(start..end) else { continue };
        let mut argument = format!("({name}=>{text})");
        let width = end - first;
        let _ = write!(argument, "{}", " ".repeat(width.saturating_sub(argument.len())));
        rewritten.replace_range(first..end, &argument);
    }
    Cow::Owned(rewritten)
}

fn keyword(token: &TokenWithSpan, wanted: Keyword) -> bool {
    matches!(&token.token, Token::Word(w) if w.quote_style.is_none() && w.keyword == wanted)
}

fn word(token: &TokenWithSpan, wanted: &str) -> bool {
    matches!(&token.token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(wanted))
}

/// Turns tables with such an argument into tables of that edition.
pub(crate) struct NamedEditions;

impl VisitorMut for NamedEditions {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let TableFactor::Table { name, alias, args, .. } = factor else { return ControlFlow::Continue(()) };
        let edition = match args.as_ref().map(|a| a.args.as_slice()) {
            Some([FunctionArg::Named { name, arg: FunctionArgExpr::Expr(Expr::Value(value)), .. }]) => {
                match edition(&name.value, &value.value) {
                    Some(Ok(edition)) => edition,
                    Some(Err(error)) => return ControlFlow::Break(error),
                    None => return ControlFlow::Continue(()),
                }
            }
            _ => return ControlFlow::Continue(()),
        };
        *args = None;
        at_edition(name, alias, edition);
        ControlFlow::Continue(())
    }
}

/// The edition an argument names; `None` for an argument of another name.
fn edition(name: &str, value: &Value) -> Option<Result<Edition, Error>> {
    let text = match value {
        Value::SingleQuotedString(text) | Value::Number(text, _) => text.as_str(),
        _ => return None,
    };
    match name {
        AS_OF => {
            let day = text.split(['T', ' ']).next().unwrap_or_default();
            let parsed = NaiveDate::parse_from_str(day, "%Y-%m-%d").map(Edition::AsOf);
            Some(parsed.map_err(|_| Error::user(format!("`as of '{text}'` is not a date; expected 'YYYY-MM-DD'"))))
        }
        VERSION => Some(text.parse().map(Edition::Version).map_err(|_| {
            Error::user(format!("`version as of {text}` is not a version; `envoi lake history` lists them"))
        })),
        _ => None,
    }
}

/// Names an edition of a table, which keeps the table's name in the statement.
fn at_edition(name: &mut ObjectName, alias: &mut Option<TableAlias>, edition: Edition) {
    let Some(ObjectNamePart::Identifier(last)) = name.0.last_mut() else { return };
    let table = if last.quote_style.is_some() { last.value.clone() } else { last.value.to_lowercase() };
    if alias.is_none() {
        *alias = Some(TableAlias {
            explicit: false,
            name: Ident::with_quote('"', table.clone()),
            columns: Vec::new(),
            at: None,
        });
    }
    last.value = format!("{table}@{edition}");
    last.quote_style = Some('"');
}

/// Reads every table of the lake and mart in a query at an edition: a mart as of a day.
pub(crate) struct AllAt(pub(crate) Edition);

impl VisitorMut for AllAt {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        if let TableFactor::Table { name, alias, args: None, .. } = factor
            && let [ObjectNamePart::Identifier(schema), _] = name.0.as_slice()
            && ["lake", "mart"].contains(&schema.value.as_str())
        {
            at_edition(name, alias, self.0);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_become_arguments_of_the_same_length() {
        let check = |sql: &str, expected: &str| {
            let found = as_arguments(sql);
            assert_eq!(found.split_whitespace().collect::<Vec<_>>().join(" "), expected);
            assert_eq!(found.len(), sql.len());
        };
        check(
            "select 1 from t for timestamp as of '2023-06-01' where a",
            "select 1 from t (as_of=>'2023-06-01') where a",
        );
        check("select 1 from t VERSION AS OF 3", "select 1 from t (version=>3)");
        check(
            "select é from t FOR SYSTEM_TIME\nAS OF DATE '2023-06-01', u",
            "select é from t (as_of=>'2023-06-01') , u",
        );
        check("select 'as of' as of, version from t", "select 'as of' as of, version from t");
        check("select a as of from t", "select a as of from t");
    }

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(split("a@2023-06-01"), ("a", Some(Edition::AsOf(NaiveDate::from_ymd_opt(2023, 6, 1).unwrap()))));
        assert_eq!(split("a@v12"), ("a", Some(Edition::Version(12))));
        assert_eq!(split("a@b.csv"), ("a@b.csv", None));
        assert_eq!(split("a"), ("a", None));
    }
}
