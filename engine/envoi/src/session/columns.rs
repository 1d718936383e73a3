//! Names of columns that a query does not name.
//!
//! The engine below has words of its own for them (`sum(t.x) + Int64(1)`), calls `x::int` as it does `x`, and wants all
//! names of a select to differ; so `select x::int, x`, `select count(*), count(*)` and `select x::int from t order by x`
//! are errors there. Here a column has the name of what is cast, or is called as it was written; one whose name was
//! there before gets a number.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Ident, OrderBy, OrderByKind, Query, SelectItem, SetExpr, VisitorMut};

use crate::error::Error;

/// Names what has no name.
pub(super) struct Columns;

impl VisitorMut for Columns {
    type Break = Error;

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let named = name(&mut query.body, query.order_by.is_some());
        // Rows that are distinct are ordered by what they have, and that has a name now.
        if let Some(OrderBy { kind: OrderByKind::Expressions(orders), .. }) = &mut query.order_by {
            for order in orders {
                if let Some((_, name)) = named.iter().find(|(expr, _)| *expr == order.expr) {
                    order.expr = Expr::Identifier(name.clone());
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Names the columns of all selects of a body, and gives those of the first if they are wanted; queries in brackets
/// are visited for themselves.
fn name(mut body: &mut SetExpr, wanted: bool) -> Vec<(Expr, Ident)> {
    loop {
        match body {
            SetExpr::SetOperation { left, right, .. } => {
                name(right, false);
                body = left;
            }
            SetExpr::Select(select) => return columns(&mut select.projection, wanted),
            _ => return Vec::new(),
        }
    }
}

/// The expressions that got a name, with it, if they are wanted.
fn columns(items: &mut [SelectItem], wanted: bool) -> Vec<(Expr, Ident)> {
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
    let (mut seen, mut named): (HashSet<String>, Vec<(Expr, Ident)>) = Default::default();
    for item in items {
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        let free = |name: &Ident| !taken.contains(&name.value.to_lowercase());
        let name = match (column(expr), column(uncast(expr))) {
            // The same column twice.
            (Some(name), _) if !seen.insert(expr.to_string().to_lowercase()) => numbered(name, &taken),
            (Some(_), _) => continue,
            // Of all columns there may be one of its name.
            (None, Some(name)) if !any_all && free(name) => name.clone(),
            (None, Some(name)) => numbered(name, &taken),
            (None, None) => {
                let written = Ident::with_quote('"', written(expr));
                if free(&written) { written } else { numbered(&written, &taken) }
            }
        };
        taken.insert(name.value.to_lowercase());
        if wanted {
            named.push((expr.clone(), name.clone()));
        }
        let expr = std::mem::replace(expr, Expr::Identifier(Ident::new("")));
        *item = SelectItem::ExprWithAlias { expr, alias: name };
    }
    named
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

/// An expression as it was written, in short.
fn written(expr: &Expr) -> String {
    /// What a heading has room for.
    const MOST: usize = 60;
    let text = uncast(expr).to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The first name with a number that is free.
fn numbered(name: &Ident, taken: &HashSet<String>) -> Ident {
    let names = (1..).map(|number| format!("{}:{number}", name.value));
    let free = |name: &String| !taken.contains(&name.to_lowercase());
    // There are more numbers than names.
    Ident::with_quote('"', names.into_iter().find(free).unwrap_or_default())
}
