//! From PostgreSQL's dialect, as clients write it, to what the engine plans.
//!
//! One walk over the statement, from the innermost expressions outwards: names ([`names`]), casts ([`casts`]),
//! operators ([`operators`]), arrays ([`arrays`]), then whole queries ([`queries`]) with their subqueries
//! ([`subqueries`], [`empty`]).

mod arrays;
mod build;
mod casts;
mod empty;
mod functions;
mod key_columns;
mod listed;
mod names;
mod operators;
pub(crate) mod origins;
pub(crate) mod output;
pub(crate) mod parameters;
mod queries;
#[cfg(test)]
mod recorded;
mod records;
mod scope;
mod subqueries;
#[cfg(test)]
mod tests;
mod unnests;

use std::ops::ControlFlow;

use envoi::sqlparser::ast::{Expr, Query, Select, Statement, TableFactor, VisitMut, VisitorMut};

/// Rewrites a statement in place. One that has nothing of PostgreSQL's own is left as it is.
///
/// # Errors
/// What PostgreSQL can do and the engine cannot; the text says what would work.
pub(crate) fn rewrite(statement: &mut Statement) -> Result<(), String> {
    let catalogue = scope::reads_catalogue(statement);
    match statement.visit(&mut Rewriter { expressions: Vec::new(), catalogue }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(fault) => Err(fault),
    }
}

/// The walk: what it needs to know of the queries around.
struct Rewriter {
    /// Names of the common table expressions of each query around.
    expressions: Vec<Vec<String>>,
    /// Whether the statement reads a relation of the catalogue: only then are columns known by their names, and may
    /// a subquery be taken to have one row.
    catalogue: bool,
}

impl VisitorMut for Rewriter {
    type Break = String;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<String> {
        let named = query.with.iter().flat_map(|w| &w.cte_tables).map(|t| build::folded(&t.alias.name)).collect();
        self.expressions.push(named);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<String> {
        self.expressions.pop();
        queries::finish(query, self.catalogue);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<String> {
        names::relation(factor, &self.expressions);
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<String> {
        flow(functions::in_from(factor))
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<String> {
        queries::select(select, self.catalogue);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        casts::before(expr);
        subqueries::before(expr);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        names::keyword(expr);
        functions::call(expr);
        arrays::subscript(expr);
        casts::cast(expr);
        operators::operator(expr, self.catalogue);
        subqueries::subquery(expr, self.catalogue);
        ControlFlow::Continue(())
    }
}

fn flow(result: Result<(), String>) -> ControlFlow<String> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(fault) => ControlFlow::Break(fault),
    }
}
