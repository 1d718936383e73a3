//! From text to a statement that the engine plans: what is envoi's own in it is rewritten.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::common::ScalarValue;
use datafusion::execution::SessionState;
use datafusion::sql::parser::{CopyToSource, ResetStatement, Statement};
use datafusion::sql::sqlparser::ast::{self, ObjectName, VisitMut, VisitorMut};

use super::{
    arguments, calls, caps, casts, columns, late, lateral, literals, operators, pairs, precedence, samples, texts,
};
use crate::catalogue::{LibraryFunctions, NamedEditions, ReadFunctions, as_arguments};
use crate::error::{Error, Result};
use crate::options::EnvoiOptions;

/// The statement of a text: within the caps, its calls of the library and names of editions in place.
pub(crate) fn statement(state: &SessionState, sql: &str) -> Result<Statement> {
    statement_with(state, sql, &BTreeMap::new())
}

/// The parameters that have to be known before the statement is planned, with a value of their kind.
pub(super) fn late_parameters(state: &SessionState, sql: &str) -> Result<late::Samples> {
    let mut finder = late::Finder::default();
    // Most statements have none, and are not parsed for it.
    if sql.contains('$') {
        let dialect = state.config().options().sql_parser.dialect;
        let tokens = caps::check_text(sql, dialect.as_ref())?;
        caps::with_stack_for(tokens, || {
            let mut statement = parsed(state, sql)?;
            walk(&mut statement, &mut caps::Caps::default())?;
            walk(&mut statement, &mut finder)
        })?;
    }
    Ok(finder.0)
}

/// The statement of a text with values for the parameters of functions in FROM, by their numbers.
pub(super) fn statement_with(
    state: &SessionState,
    sql: &str,
    values: &BTreeMap<usize, ScalarValue>,
) -> Result<Statement> {
    let dialect = state.config().options().sql_parser.dialect;
    let tokens = caps::check_text(sql, dialect.as_ref())?;
    let conventions =
        state.config_options().extensions.get::<EnvoiOptions>().map(|o| o.conventions.clone()).unwrap_or_default();
    caps::with_stack_for(tokens, || {
        let parse = |sql: &str| parsed(state, sql);
        let mut statement = parse(sql)?;
        if let Some(name) = reset(&statement) {
            // The engine resets its own settings only; ours are what they were when they are empty.
            let ours = name.to_string().to_lowercase().starts_with("envoi.");
            statement = parse(&if ours { format!("set {name} = ''") } else { format!("reset {name}") })?;
        }
        walk(&mut statement, &mut caps::Caps::default())?;
        walk(&mut statement, &mut precedence::Precedence)?;
        walk(&mut statement, &mut columns::Columns)?;
        walk(&mut statement, &mut calls::Calls)?;
        walk(&mut statement, &mut casts::Casts)?;
        walk(&mut statement, &mut pairs::Pairs::default())?;
        walk(&mut statement, &mut lateral::Undescribed)?;
        walk(&mut statement, &mut operators::Operators)?;
        walk(&mut statement, &mut texts::Texts)?;
        if !values.is_empty() {
            walk(&mut statement, &mut late::Values(values))?;
        }
        walk(&mut statement, &mut LibraryFunctions::new(&conventions, parse))?;
        walk(&mut statement, &mut NamedEditions)?;
        walk(&mut statement, &mut ReadFunctions)?;
        walk(&mut statement, &mut arguments::NamedArguments)?;
        walk(&mut statement, &mut literals::ExactDecimals)?;
        walk(&mut statement, &mut samples::Samples)?;
        Ok(statement)
    })
}

/// The setting that a statement brings back to its default.
fn reset(statement: &Statement) -> Option<&ObjectName> {
    match statement {
        Statement::Reset(ResetStatement::Variable(name)) => Some(name),
        Statement::Statement(inner) => match inner.as_ref() {
            ast::Statement::Set(ast::Set::SingleAssignment { variable, values, .. }) => match values.as_slice() {
                [ast::Expr::Identifier(word)] if word.quote_style.is_none() => {
                    word.value.eq_ignore_ascii_case("default").then_some(variable)
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The statement as it was written, but that editions are arguments.
pub(crate) fn parsed(state: &SessionState, sql: &str) -> Result<Statement> {
    let text = as_arguments(sql);
    let dialect = state.config().options().sql_parser.dialect;
    state.sql_to_statement(&text, &dialect).map_err(|e| Error::from_datafusion(&e, sql))
}

/// Visits every query and expression of a statement.
fn walk(statement: &mut Statement, visitor: &mut impl VisitorMut<Break = Error>) -> Result<()> {
    let flow = match statement {
        Statement::Statement(inner) => inner.visit(visitor),
        Statement::Explain(explain) => return walk(&mut explain.statement, visitor),
        Statement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => query.visit(visitor),
            CopyToSource::Relation(_) => ControlFlow::Continue(()),
        },
        Statement::CreateExternalTable(table) => table.columns.visit(visitor),
        Statement::Reset(_) => ControlFlow::Continue(()),
    };
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}
