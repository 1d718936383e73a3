//! Names of columns that a query does not name.
//!
//! The engine below calls `x::int` as it does `x`, and wants all names of a select to differ; so `select x::int, x`,
//! `select count(*), count(*)` and `select x::int from t order by x` are errors there. In SQL they are not: a column
//! of casts has the name of what is cast, and one of a name that was there before gets a number.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Ident, Query, SelectItem, SetExpr, VisitorMut};

use crate::error::Error;

/// Names what would have a name that is taken.
pub(super) struct Columns;

impl VisitorMut for Columns {
    type Break = Error;

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        name(&mut query.body);
        ControlFlow::Continue(())
    }
}

/// All selects of a body; queries in brackets are visited for themselves.
fn name(mut body: &mut SetExpr) {
    loop {
        match body {
            SetExpr::SetOperation { left, right, .. } => {
                name(right);
                body = left;
            }
            SetExpr::Select(select) => return columns(&mut select.projection),
            _ => return,
        }
    }
}

fn columns(items: &mut [SelectItem]) {
    let all = |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
    let any_all = items.iter().any(all);
    let mut taken: HashSet<String> = HashSet::new();
    for item in items.iter() {
        match item {
            SelectItem::ExprWithAlias { alias, .. } => drop(taken.insert(alias.value.to_lowercase())),
            SelectItem::UnnamedExpr(expr) => drop(column(expr).map(|name| taken.insert(name.value.to_lowercase()))),
            _ => {}
        }
    }
    let mut seen: HashSet<String> = HashSet::new();
    for item in items {
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        let cast = uncast(expr);
        let is_cast = !std::ptr::eq(cast, expr);
        // What the engine would call it, nearly.
        let mut known = || !seen.insert(cast.to_string().to_lowercase());
        let name = match column(cast) {
            // Of all columns there may be one of its name.
            Some(name) if is_cast && !any_all && !taken.contains(&name.value.to_lowercase()) => name.clone(),
            Some(name) if is_cast || known() => numbered(name, &taken),
            None if known() => numbered(&Ident::with_quote('"', cast.to_string()), &taken),
            _ => continue,
        };
        taken.insert(name.value.to_lowercase());
        let expr = std::mem::replace(expr, Expr::Identifier(Ident::new("")));
        *item = SelectItem::ExprWithAlias { expr, alias: name };
    }
}

/// What is cast, through brackets and several casts.
fn uncast(mut expr: &Expr) -> &Expr {
    while let Expr::Cast { expr: inner, .. } | Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

/// The name of a column that stands for itself.
fn column(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    }
}

/// The first name with a number that is free.
fn numbered(name: &Ident, taken: &HashSet<String>) -> Ident {
    let names = (1..).map(|number| format!("{}:{number}", name.value));
    let free = |name: &String| !taken.contains(&name.to_lowercase());
    // There are more numbers than names.
    Ident::with_quote('"', names.into_iter().find(free).unwrap_or_default())
}
