//! Subqueries over relations that have no rows here: policies, triggers, defaults of columns.
//!
//! Clients ask for them in subqueries that depend on the query around in ways that the engine cannot plan. What they
//! answer is known.

use envoi::sqlparser::ast::{
    Expr, JoinOperator, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins, Visit, Visitor,
};
use std::ops::ControlFlow;

use super::build::{self, called};
use super::functions;
use crate::catalogue::is_array_column;

/// Whether a query has no rows, whatever there is.
pub(super) fn without_rows(query: &Query) -> bool {
    match query.body.as_ref() {
        SetExpr::Select(select) => is_empty(select) && !aggregates(select),
        SetExpr::Query(inner) => without_rows(inner),
        _ => false,
    }
}

/// Whether the rows that a select reads are none: a relation that has to have some has none.
pub(super) fn is_empty(select: &Select) -> bool {
    select.from.iter().any(of_table)
}

fn of_table(table: &TableWithJoins) -> bool {
    let inner =
        |j: &JoinOperator| matches!(j, JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_));
    // A right or full join brings rows that the relation before it does not have.
    let outer = |j: &JoinOperator| !inner(j) && !matches!(j, JoinOperator::Left(_) | JoinOperator::LeftOuter(_));
    if table.joins.iter().any(|j| outer(&j.join_operator)) {
        return false;
    }
    of_factor(&table.relation) || table.joins.iter().any(|j| inner(&j.join_operator) && of_factor(&j.relation))
}

fn of_factor(factor: &TableFactor) -> bool {
    match factor {
        TableFactor::Table { name, args: None, .. } => match build::parts(name).as_slice() {
            [.., schema, table] => crate::catalogue::is_empty(schema, table),
            _ => false,
        },
        TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
            functions::is_empty(&build::last(name))
        }
        TableFactor::UNNEST { array_exprs, .. } => array_exprs.iter().any(never),
        TableFactor::Derived { subquery, .. } => without_rows(subquery),
        TableFactor::NestedJoin { table_with_joins, .. } => of_table(table_with_joins),
        _ => false,
    }
}

/// Whether a column of arrays is always NULL: there are no options and no rights but to read.
fn never(array: &Expr) -> bool {
    let name = match array {
        Expr::Identifier(ident) => build::folded(ident),
        Expr::CompoundIdentifier(parts) => parts.last().map(build::folded).unwrap_or_default(),
        _ => return false,
    };
    is_array_column(&name) && ["options", "acl", "config"].iter().any(|end| name.ends_with(end))
}

/// Whether a select has one row even if it reads none.
pub(super) fn aggregates(select: &Select) -> bool {
    let expressions = select.projection.iter().filter_map(|item| match item {
        SelectItem::UnnamedExpr(e) | SelectItem::ExprWithAlias { expr: e, .. } => Some(e),
        _ => None,
    });
    let mut found = Aggregates(false);
    for expression in expressions {
        let _ = expression.visit(&mut found);
    }
    found.0
}

struct Aggregates(bool);

impl Visitor for Aggregates {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        const NAMES: [&str; 18] = [
            "count",
            "sum",
            "min",
            "max",
            "avg",
            "array_agg",
            "string_agg",
            "bool_and",
            "bool_or",
            "every",
            "first_value",
            "last_value",
            "json_agg",
            "jsonb_agg",
            "json_object_agg",
            "median",
            "stddev",
            "xmlagg",
        ];
        let name = match expr {
            Expr::Function(f) if f.over.is_none() => build::last(&f.name),
            _ => called(expr).map(|(n, _)| n).unwrap_or_default(),
        };
        if NAMES.contains(&name.as_str()) {
            self.0 = true;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}
