//! Which tables a statement mentions, also while it is being typed.

use crate::lexer::{self, Kind, Token};

/// A table in a FROM, JOIN, UPDATE or INTO.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    pub(crate) alias: Option<String>,
}

impl Source {
    /// Whether `qualifier.` in the statement means this table.
    pub(crate) fn is_called(&self, qualifier: &str) -> bool {
        self.alias.as_deref().unwrap_or(&self.name).eq_ignore_ascii_case(qualifier)
    }
}

/// Words that may follow a table and so cannot be its alias.
const NOT_ALIASES: &[&str] = &[
    "where",
    "join",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "natural",
    "on",
    "using",
    "group",
    "order",
    "having",
    "limit",
    "offset",
    "union",
    "except",
    "intersect",
    "set",
    "values",
    "select",
    "for",
    "window",
    "qualify",
    "fetch",
    "tablesample",
    "lateral",
    "with",
    "semi",
    "anti",
    "returning",
];

/// Whether a table name comes next after this word.
pub(crate) fn introduces_table(word: &str) -> bool {
    ["from", "join", "update", "into", "table", "describe", "desc"].iter().any(|w| word.eq_ignore_ascii_case(w))
}

/// The tables of `sql`, in order.
pub(crate) fn tables_in(sql: &str) -> Vec<Source> {
    let tokens: Vec<Token> = lexer::tokens(sql).filter(Token::is_significant).collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(token) = tokens.get(at) {
        at += 1;
        if token.kind != Kind::Word || !introduces_table(token.text(sql)) {
            continue;
        }
        // `from a, b` and `from (select …), b`: names go on after a comma.
        while let Some((source, next)) = source(sql, &tokens, at) {
            found.push(source);
            at = next;
            if !tokens.get(at).is_some_and(|t| t.is(sql, ",")) {
                break;
            }
            at += 1;
        }
    }
    found
}

fn source(sql: &str, tokens: &[Token], mut at: usize) -> Option<(Source, usize)> {
    let mut parts = Vec::new();
    loop {
        let token = tokens.get(at).filter(|t| is_name(t) && !is_reserved(t, sql))?;
        parts.push(lexer::name_of(token, sql));
        at += 1;
        if !tokens.get(at).is_some_and(|t| t.is(sql, ".")) {
            break;
        }
        at += 1;
    }
    let name = parts.pop()?;
    if tokens.get(at).is_some_and(|t| t.is_word(sql, "as")) {
        at += 1;
    }
    let alias = tokens.get(at).filter(|t| is_name(t) && !is_reserved(t, sql)).map(|t| lexer::name_of(t, sql));
    at += usize::from(alias.is_some());
    Some((Source { schema: parts.pop(), name, alias }, at))
}

fn is_name(token: &Token) -> bool {
    matches!(token.kind, Kind::Word | Kind::QuotedName)
}

fn is_reserved(token: &Token, sql: &str) -> bool {
    token.kind == Kind::Word && NOT_ALIASES.iter().any(|word| token.text(sql).eq_ignore_ascii_case(word))
}

/// Names that WITH gives to queries in this statement.
pub(crate) fn common_tables(sql: &str) -> Vec<String> {
    let tokens: Vec<Token> = lexer::tokens(sql).filter(Token::is_significant).collect();
    if !tokens.first().is_some_and(|t| t.is_word(sql, "with")) {
        return Vec::new();
    }
    tokens
        .windows(3)
        .filter(|w| is_name(&w[0]) && w[1].is_word(sql, "as") && w[2].is(sql, "("))
        .map(|w| lexer::name_of(&w[0], sql))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &[(&str, &str, &str)]) {
        let found = tables_in(sql);
        let found: Vec<_> = found
            .iter()
            .map(|s| (s.schema.as_deref().unwrap_or(""), s.name.as_str(), s.alias.as_deref().unwrap_or("")))
            .collect();
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn finds_tables_and_aliases() {
        check("select x from mart.a where", &[("mart", "a", "")]);
        check("select t. from a t join lake.b as u on", &[("", "a", "t"), ("lake", "b", "u")]);
        check(
            "from a, b c, \"D d\" where x in (select 1 from e)",
            &[("", "a", ""), ("", "b", "c"), ("", "D d", ""), ("", "e", "")],
        );
        check("select 'from x' -- from y", &[]);
        check("select * from ", &[]);
        check("insert into t values (1)", &[("", "t", "")]);
    }

    #[test]
    fn finds_common_tables() {
        assert_eq!(common_tables("with a as (select 1), b as (select 2) select * from "), ["a", "b"]);
        assert!(common_tables("select a as (").is_empty());
    }
}
