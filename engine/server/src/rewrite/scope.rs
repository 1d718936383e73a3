//! Which names of a query are its own, and which those of a query around it.

use std::collections::HashSet;
use std::ops::ControlFlow;

use envoi::sqlparser::ast::{
    Expr, Ident, ObjectName, Query, Select, SetExpr, Statement, TableFactor, TableWithJoins, Visit, Visitor,
};

use super::build;
use crate::catalogue::{SCHEMAS, is_system};

/// Whether a statement names a relation of `pg_catalog` or `information_schema`.
pub(super) fn reads_catalogue(statement: &Statement) -> bool {
    let mut named = Named(false);
    let _ = statement.visit(&mut named);
    named.0
}

struct Named(bool);

impl Visitor for Named {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let found = match build::parts(relation).as_slice() {
            [one] => is_system(one),
            [.., schema, _] => SCHEMAS.contains(&schema.as_str()),
            [] => false,
        };
        if found {
            self.0 = true;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// The names that a select's FROM gives to relations.
pub(super) fn sources(select: &Select) -> HashSet<String> {
    factors(&select.from).filter_map(name).collect()
}

/// The relations of a FROM, those in brackets too.
pub(super) fn factors(from: &[TableWithJoins]) -> impl Iterator<Item = &TableFactor> {
    let mut all = Vec::new();
    for table in from {
        collect(table, &mut all);
    }
    all.into_iter()
}

fn collect<'a>(table: &'a TableWithJoins, all: &mut Vec<&'a TableFactor>) {
    for factor in std::iter::once(&table.relation).chain(table.joins.iter().map(|j| &j.relation)) {
        match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => collect(table_with_joins, all),
            other => all.push(other),
        }
    }
}

fn name(factor: &TableFactor) -> Option<String> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::Function { alias: Some(alias), .. }
        | TableFactor::UNNEST { alias: Some(alias), .. } => Some(build::folded(&alias.name)),
        TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => Some(build::last(name)),
        _ => None,
    }
}

/// The relation that a column's name begins with; `None` if it is a column alone.
pub(super) fn qualifier(parts: &[Ident]) -> Option<String> {
    let place = parts.len().checked_sub(2)?;
    parts.get(place).map(build::folded)
}

/// Whether a query names a relation that neither it nor a query in it has.
pub(super) fn is_correlated(query: &Query) -> bool {
    let mut outer = Outer { scopes: Vec::new(), found: false };
    let _ = query.visit(&mut outer);
    outer.found
}

/// Whether an expression names a relation that is not among these.
pub(super) fn names_other(expr: &Expr, own: &HashSet<String>) -> bool {
    let mut outer = Outer { scopes: vec![own.clone()], found: false };
    let _ = expr.visit(&mut outer);
    outer.found
}

/// Whether an expression names one of these relations, or a column alone.
pub(super) fn names_own(expr: &Expr, own: &HashSet<String>) -> bool {
    let mut inner = Inner { own, found: false };
    let _ = expr.visit(&mut inner);
    inner.found
}

struct Outer {
    scopes: Vec<HashSet<String>>,
    found: bool,
}

impl Visitor for Outer {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let mut own: HashSet<String> =
            query.with.iter().flat_map(|w| &w.cte_tables).map(|t| build::folded(&t.alias.name)).collect();
        add(&query.body, &mut own);
        self.scopes.push(own);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let Some(relation) = qualifier(parts)
            && !self.scopes.iter().any(|s| s.contains(&relation))
        {
            self.found = true;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

fn add(body: &SetExpr, own: &mut HashSet<String>) {
    match body {
        SetExpr::Select(select) => own.extend(sources(select)),
        SetExpr::SetOperation { left, right, .. } => {
            add(left, own);
            add(right, own);
        }
        _ => {}
    }
}

struct Inner<'a> {
    own: &'a HashSet<String>,
    found: bool,
}

impl Visitor for Inner<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let own = match expr {
            Expr::Identifier(_) => true,
            Expr::CompoundIdentifier(parts) => qualifier(parts).is_some_and(|q| self.own.contains(&q)),
            _ => false,
        };
        if own {
            self.found = true;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// Whether an expression or query has a query in it.
pub(super) fn has_query(node: &impl Visit) -> bool {
    struct Any(bool);
    impl Visitor for Any {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0 = true;
            ControlFlow::Break(())
        }
    }
    let mut any = Any(false);
    let _ = node.visit(&mut any);
    any.0
}
