//! How large a statement may be. What would overflow a stack or plan for minutes
//! is refused before it is planned, with an error that names the limit.
//!
//! ```text
//! text -> check_text: bytes, tokens, brackets, set operations, readings    (tokens only, no recursion)
//!      -> parse      on a deep stack, if there are many tokens
//!      -> Caps       terms of a chain, subscripts, columns, grouping sets, tables after CTEs
//! ```
//! The parser limits how deep expressions nest, but builds a flat chain `1 + 1 + …`
//! into a tree as deep as the chain is long, and whatever plans, visits or drops
//! that tree recurses once a term.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, DataType, Expr, GroupByExpr, ObjectName, Query, Select, SetExpr, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::dialect_from_str;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::{Class, Error, Result};

/// Bytes of a statement.
const BYTES: usize = 1 << 20;
/// Words, numbers, texts and signs of a statement.
const TOKENS: usize = 100_000;
/// Terms of one chain such as `a + b + c`; planning takes time with the square of it.
const TERMS: usize = 1_000;
/// Levels that an expression may have beside its longest chain; the parser stops at 50.
const LEVELS: usize = 64;
/// Open brackets at once: the parser does not count those of types.
const BRACKETS: usize = 200;
/// Words and signs that the parser may read, again and again, before it says what is wrong.
const READINGS: u64 = 1 << 19;
/// Queries joined by UNION, INTERSECT and EXCEPT: 5,000 overflow the stack.
const BRANCHES: usize = 1_000;
/// Levels of a nested type, and subscripts of one value.
pub(super) const TYPE_LEVELS: usize = 64;
/// Elements of a fixed-size list, over all its levels: it is allocated for every row, NULL or not.
pub(super) const FIXED_SIZE: u64 = 1 << 20;
/// Columns of one CUBE; as many grouping sets as it makes are the limit of all kinds together.
const CUBE_COLUMNS: u32 = 12;
/// Tables of a statement, those of a CTE counted once for every use.
const TABLES: u64 = 1_000;
/// Columns written in one SELECT.
const COLUMNS: usize = 5_000;
/// EXPLAIN of an EXPLAIN.
const EXPLAINS: usize = 16;

/// Statements of no more tokens than this are parsed where they are.
const SHALLOW: usize = 4_000;

fn beyond(what: &str, limit: impl std::fmt::Display, setting: &str) -> Error {
    Error::new(Class::Resource, format!("{what}, more than the limit `{setting}` of {limit}"))
}

/// Checks what can be seen without parsing; returns the number of tokens.
///
/// # Errors
/// `Class::Resource`, naming the limit. Text that is no SQL is left to the parser.
pub(super) fn check_text(sql: &str, dialect: &str) -> Result<usize> {
    if sql.len() > BYTES {
        return Err(beyond(&format!("the statement has {} bytes", sql.len()), BYTES, "statement bytes")
            .with_hint("put the values into a file or a table"));
    }
    let Some(dialect) = dialect_from_str(dialect) else { return Ok(0) };
    let Ok(tokens) = Tokenizer::new(dialect.as_ref(), sql).tokenize() else { return Ok(0) };
    let (mut open, mut arrays, mut subscripts) = (0usize, 0, 0);
    let (mut count, mut branches, mut explains) = (0, 0, 0);
    let (mut attempts, mut readings) = (Vec::new(), 0u64);
    let mut before = &Token::EOF;
    for token in tokens.iter().filter(|t| !matches!(t, Token::Whitespace(_))) {
        count += 1;
        let level = attempts.last().copied().unwrap_or(0);
        readings = readings.saturating_add(1u64.checked_shl(level).unwrap_or(u64::MAX));
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => attempts.push(level + doublings(before, token)),
            Token::RParen | Token::RBracket | Token::RBrace => drop(attempts.pop()),
            _ => {}
        }
        match token {
            Token::LParen | Token::LBrace => open += 1,
            Token::LBracket => {
                open += 1;
                subscripts = if matches!(before, Token::RBracket) { subscripts + 1 } else { 1 };
            }
            Token::RParen | Token::RBrace | Token::RBracket => open = open.saturating_sub(1),
            Token::Lt if is(before, &[Keyword::ARRAY, Keyword::STRUCT, Keyword::MAP]) => arrays += 1,
            word if is(word, &[Keyword::UNION, Keyword::INTERSECT, Keyword::EXCEPT, Keyword::MINUS]) => branches += 1,
            word if is(word, &[Keyword::EXPLAIN]) => explains += 1,
            _ => {}
        }
        before = token;
        if open > BRACKETS {
            return Err(beyond("the statement nests its brackets too deeply", BRACKETS, "brackets"));
        }
        if arrays > TYPE_LEVELS || subscripts > TYPE_LEVELS {
            return Err(beyond("a type or a subscript is nested too deeply", TYPE_LEVELS, "type levels"));
        }
    }
    if count > TOKENS {
        return Err(beyond(&format!("the statement has {count} words and signs"), TOKENS, "tokens")
            .with_hint("put the values into a file or a table"));
    }
    if readings > READINGS {
        let what = "the statement nests `cast(…)`, `array[…]`, `substring(…)` or the like too deeply";
        return Err(beyond(what, READINGS, "readings").with_hint("take the inner ones out into a subquery"));
    }
    if branches >= BRANCHES {
        return Err(beyond(&format!("the statement joins {} queries by UNION", branches + 1), BRANCHES, "branches")
            .with_hint("put the values into a file, or write `values (…), (…)`"));
    }
    if explains > EXPLAINS {
        return Err(beyond("EXPLAIN is nested too deeply", EXPLAINS, "explains"));
    }
    Ok(count)
}

/// How often, as a power of two, the parser reads what is in a bracket if something in it is wrong: words of a
/// syntax of their own are read once more as names of functions, and what is nested in them each time again.
fn doublings(before: &Token, bracket: &Token) -> u32 {
    const OWN_SYNTAX: [Keyword; 20] = [
        Keyword::BOX,
        Keyword::CASE,
        Keyword::CAST,
        Keyword::CEIL,
        Keyword::CIRCLE,
        Keyword::CONVERT,
        Keyword::EXTRACT,
        Keyword::FLOOR,
        Keyword::INTERVAL,
        Keyword::MATCH,
        Keyword::NOT,
        Keyword::OVERLAY,
        Keyword::POINT,
        Keyword::SAFE_CAST,
        Keyword::STRUCT,
        Keyword::SUBSTR,
        Keyword::SUBSTRING,
        Keyword::TRIM,
        Keyword::TRY_CAST,
        Keyword::TRY_CONVERT,
    ];
    match bracket {
        Token::LParen if is(before, &[Keyword::POSITION]) => 2,
        Token::LParen => u32::from(is(before, &OWN_SYNTAX)),
        Token::LBracket => u32::from(is(before, &[Keyword::ARRAY])),
        _ => 0,
    }
}

/// Whether a text is within the limits that hold before it is parsed: others would keep the parser busy for good.
///
/// # Errors
/// `Class::Resource`, naming the limit.
pub fn parsable(sql: &str) -> Result<()> {
    check_text(sql, "generic").map(drop)
}

fn is(token: &Token, keywords: &[Keyword]) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && keywords.contains(&word.keyword))
}

/// Runs the parser on a stack that the longest chain of `tokens` fits on: also
/// a tree that is refused has to be dropped, which recurses.
pub(super) fn with_stack_for<T: Send>(tokens: usize, parse: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    const STACK: usize = 256 << 20;
    if tokens <= SHALLOW {
        return parse();
    }
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("envoi-parse".to_owned()).stack_size(STACK);
        let thread = builder
            .spawn_scoped(scope, parse)
            .map_err(|e| Error::new(Class::Resource, format!("cannot start a thread to read a long statement: {e}")))?;
        thread.join().unwrap_or_else(|_| Err(Error::internal("the parser panicked")))
    })
}

/// Checks the parsed statement. Visiting stops at the first limit, so it goes no deeper than a limit allows.
#[derive(Default)]
pub(super) struct Caps {
    depth: usize,
    /// Tables that the queries being visited use so far.
    queries: Vec<u64>,
    /// Names of the CTEs whose queries are still to be visited, by address.
    names: HashMap<usize, String>,
    /// Tables that one use of a CTE stands for.
    weights: HashMap<String, u64>,
}

impl VisitorMut for Caps {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        self.depth += 1;
        if self.depth > TERMS + LEVELS {
            return ControlFlow::Break(
                beyond("an expression chains too many terms", TERMS, "terms")
                    .with_hint("write `x in (…)` for `x = … or x = …`, or join with a table of the values"),
            );
        }
        match expr {
            Expr::CompoundFieldAccess { access_chain, .. } if access_chain.len() > TYPE_LEVELS => {
                ControlFlow::Break(beyond("a value has too many subscripts", TYPE_LEVELS, "type levels"))
            }
            Expr::Cast { data_type, .. } => check_type(data_type),
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, _: &mut Expr) -> ControlFlow<Error> {
        self.depth = self.depth.saturating_sub(1);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        if select.projection.len() > COLUMNS {
            let what = format!("a SELECT lists {} columns", select.projection.len());
            return ControlFlow::Break(beyond(&what, COLUMNS, "columns"));
        }
        if let GroupByExpr::Expressions(groups, _) = &select.group_by {
            let sets: f64 = groups.iter().map(grouping_sets).product();
            if sets > f64::from(1u32 << CUBE_COLUMNS) {
                let what = "GROUP BY makes too many grouping sets";
                let limit = format!("{} (a CUBE of {CUBE_COLUMNS} columns)", 1u32 << CUBE_COLUMNS);
                return ControlFlow::Break(beyond(what, limit, "grouping sets"));
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        self.queries.push(0);
        for cte in query.with.iter().flat_map(|w| &w.cte_tables) {
            self.names.insert(address(&cte.query), cte.alias.name.value.to_lowercase());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<Error> {
        let weight = self.weights.get(&relation.to_string().to_lowercase()).copied().unwrap_or(0);
        self.add(weight.saturating_add(1))
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let tables = self.queries.pop().unwrap_or(0);
        match self.names.remove(&address(query)) {
            Some(name) => {
                self.weights.insert(name, tables.saturating_add(1));
                ControlFlow::Continue(())
            }
            None if matches!(*query.body, SetExpr::Values(_)) => ControlFlow::Continue(()),
            None => self.add(tables),
        }
    }
}

impl Caps {
    fn add(&mut self, tables: u64) -> ControlFlow<Error> {
        // What is outside of every query, such as the target of an INSERT, counts for nothing.
        let Some(query) = self.queries.last_mut() else { return ControlFlow::Continue(()) };
        *query = query.saturating_add(tables);
        if *query > TABLES {
            return ControlFlow::Break(
                beyond("the statement reads too many tables, CTEs counted once for every use", TABLES, "tables")
                    .with_hint("`create table … as` keeps a step that is used often"),
            );
        }
        ControlFlow::Continue(())
    }
}

fn address(query: &Query) -> usize {
    std::ptr::from_ref(query).addr()
}

/// How many grouping sets an expression of GROUP BY makes.
fn grouping_sets(group: &Expr) -> f64 {
    match group {
        Expr::Cube(columns) => 2f64.powf(columns.len() as f64),
        Expr::Rollup(columns) => columns.len() as f64 + 1.0,
        Expr::GroupingSets(sets) => sets.len().max(1) as f64,
        _ => 1.0,
    }
}

/// Bounds the sizes that `int[3][4]` names; its levels are counted as tokens.
fn check_type(mut data_type: &DataType) -> ControlFlow<Error> {
    let mut elements = 1u64;
    while let DataType::Array(inner) = data_type {
        data_type = match inner {
            ArrayElemTypeDef::SquareBracket(inner, size) => {
                elements = elements.saturating_mul(size.unwrap_or(1));
                inner
            }
            ArrayElemTypeDef::AngleBracket(inner) | ArrayElemTypeDef::Parenthesis(inner) => inner,
            ArrayElemTypeDef::None => break,
        };
    }
    if elements > FIXED_SIZE { ControlFlow::Break(fixed_size(elements)) } else { ControlFlow::Continue(()) }
}

/// The error about a type of fixed size.
pub(super) fn fixed_size(elements: u64) -> Error {
    beyond(&format!("a type has {elements} elements in every value"), FIXED_SIZE, "fixed size")
        .with_hint("use a list of any size")
}

/// The error about a type nested too deeply.
pub(super) fn type_levels() -> Error {
    beyond("a type is nested too deeply", TYPE_LEVELS, "type levels")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_counted_without_parsing() {
        let check = |sql: &str, words: &str| {
            let error = check_text(sql, "generic").expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        };
        check(&format!("select 1{}", ",1".repeat(60_000)), "limit `tokens` of 100000");
        check(&"select 1 union all ".repeat(1_000), "limit `branches` of 1000");
        check(&format!("select {}1", "(".repeat(300)), "limit `brackets` of 200");
        check(&format!("select 1::{}", "array<".repeat(100)), "limit `type levels` of 64");
        check(&format!("select 1::int{}", "[]".repeat(100)), "limit `type levels` of 64");
        check(&"explain ".repeat(100), "limit `explains` of 16");
        check(&" ".repeat(2 << 20), "limit `statement bytes` of 1048576");
        assert_eq!(check_text("select 'union union', \"union\"", "generic").unwrap(), 4);
    }
}
