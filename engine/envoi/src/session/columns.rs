//! Names of columns that a query does not name.
//!
//! The engine below has words of its own for them (`sum(t.x) + Int64(1)`), calls `x::int` as it does `x`, and wants all
//! names of a select to differ; so `select x::int, x`, `select count(*), count(*)` and `select x::int from t order by x`
//! are errors there. Here a column has the name of what is cast, or is called as it was written; one whose name was
//! there before gets a number.

use std::collections::HashSet;
use std::fmt::Write;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, OrderBy, OrderByKind, Query, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, VisitorMut,
    WildcardAdditionalOptions, visit_expressions,
};

use crate::error::Error;

/// Names what has no name.
pub(super) struct Columns;

impl VisitorMut for Columns {
    type Break = Error;

    // From the outside in: headings have queries within them as they were written.
    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let mut orders: Vec<&mut Expr> = match &mut query.order_by {
            Some(OrderBy { kind: OrderByKind::Expressions(orders), .. }) => {
                orders.iter_mut().map(|order| &mut order.expr).collect()
            }
            _ => Vec::new(),
        };
        let inputs = inputs(&orders);
        for named in name(&mut query.body, &inputs, !orders.is_empty()) {
            for order in &mut orders {
                // Rows that are distinct are ordered by what they have, and that has a name now.
                let output =
                    matches!((&**order, &named.cast), (Expr::Identifier(name), Some(cast)) if key(name) == *cast);
                if output || **order == named.expr {
                    **order = Expr::Identifier(named.name.clone());
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// A name as SQL compares it.
fn key(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

/// The names within expressions of an order: there they are of the input, and of the output where they stand alone.
fn inputs(orders: &[&mut Expr]) -> HashSet<String> {
    let mut found = HashSet::new();
    for order in orders.iter().filter(|order| !matches!(order, Expr::Identifier(_))) {
        let _ = visit_expressions(&**order, |expr| {
            found.extend(column(expr).map(key));
            ControlFlow::<()>::Continue(())
        });
    }
    found
}

/// An item that got a name.
struct Named {
    expr: Expr,
    name: Ident,
    /// The column that is cast, if it is one and nothing else has its name.
    cast: Option<String>,
}

/// Names the columns of all selects of a body, and gives those of the first if they are wanted; queries in brackets
/// are visited for themselves.
fn name(mut body: &mut SetExpr, inputs: &HashSet<String>, wanted: bool) -> Vec<Named> {
    loop {
        match body {
            SetExpr::SetOperation { left, right, .. } => {
                name(right, inputs, false);
                body = left;
            }
            SetExpr::Select(select) => return columns(&mut select.projection, inputs, wanted),
            _ => return Vec::new(),
        }
    }
}

/// The items that got a name, if they are wanted.
fn columns(items: &mut [SelectItem], inputs: &HashSet<String>, wanted: bool) -> Vec<Named> {
    let all = |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
    let any_all = items.iter().any(all);
    // What has all columns has those that are named beside it.
    let of_all: Vec<String> = items.iter().filter_map(whole).collect();
    // Names that were written, and those of columns that stand for themselves.
    let (mut taken, mut plain): (HashSet<String>, HashSet<String>) = Default::default();
    for item in items.iter() {
        match item {
            SelectItem::ExprWithAlias { alias, .. } => drop(taken.insert(key(alias))),
            SelectItem::UnnamedExpr(expr) => plain.extend(column(expr).map(key)),
            _ => {}
        }
    }
    let written_names = taken.clone();
    taken.extend(plain);
    let others = taken.clone();
    let (mut seen, mut named): (HashSet<String>, Vec<Named>) = Default::default();
    for item in items {
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        let (cast, _) = uncast(expr);
        let free = |name: &Ident| !taken.contains(&key(name));
        let name = match (column(expr), column(cast)) {
            (Some(name), _) => {
                // The same column twice, or one of a name that was given to another.
                let qualified = matches!(expr, Expr::CompoundIdentifier(_));
                let again = !seen.insert(expr.to_string().to_lowercase())
                    || (!qualified && !seen.insert(format!("{}.", key(name))))
                    || (qualified && seen.contains(&format!("{}.", key(name))));
                let again = again || of_all.iter().any(|of| within(expr, of));
                if !again && !written_names.contains(&key(name)) {
                    continue;
                }
                numbered(name, &taken)
            }
            // Of all columns there may be one of its name.
            (None, Some(name)) if !any_all && free(name) && !inputs.contains(&key(name)) => name.clone(),
            (None, Some(name)) => numbered(name, &taken),
            (None, None) => {
                let written = Ident::with_quote('"', written(cast));
                if free(&written) { written } else { numbered(&written, &taken) }
            }
        };
        taken.insert(key(&name));
        if wanted {
            let cast = column(cast).map(key).filter(|name| !any_all && !others.contains(name));
            named.push(Named { expr: expr.clone(), name: name.clone(), cast });
        }
        let expr = std::mem::replace(expr, Expr::Identifier(Ident::new("")));
        *item = SelectItem::ExprWithAlias { expr, alias: name };
    }
    named
}

/// What a `*` or `t.*` has all columns of; of all there is, it is nothing.
fn whole(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::Wildcard(options) if options == &WildcardAdditionalOptions::default() => Some(String::new()),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
            if options == &WildcardAdditionalOptions::default() =>
        {
            Some(name.to_string().to_lowercase())
        }
        _ => None,
    }
}

/// Whether a column is one of those.
fn within(expr: &Expr, of: &str) -> bool {
    match expr {
        _ if of.is_empty() => true,
        Expr::CompoundIdentifier(parts) => match parts.split_last() {
            Some((_, relation)) => {
                relation.iter().map(Ident::to_string).collect::<Vec<_>>().join(".").to_lowercase() == of
            }
            None => false,
        },
        _ => false,
    }
}

/// What is cast, through brackets and several casts, and how many there are of both.
pub(super) fn uncast(mut expr: &Expr) -> (&Expr, usize) {
    let mut around = 0;
    while let Expr::Cast { expr: inner, .. } | Expr::Nested(inner) = expr {
        expr = inner;
        around += 1;
    }
    (expr, around)
}

/// The name of a column that stands for itself.
fn column(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    }
}

/// What a heading has room for.
const MOST: usize = 60;

/// An expression as it was written, in short.
fn written(expr: &Expr) -> String {
    let mut short = Short(String::new());
    if write!(short, "{expr}").is_err() {
        short.0.push('…');
    }
    short.0
}

/// Takes the beginning of a text: of expressions within each other none is written out whole.
struct Short(String);

impl Write for Short {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for letter in text.chars() {
            if self.0.chars().count() >= MOST {
                return Err(std::fmt::Error);
            }
            self.0.push(letter);
        }
        Ok(())
    }
}

/// The first name with a number that is free.
fn numbered(name: &Ident, taken: &HashSet<String>) -> Ident {
    let names = (1..).map(|number| Ident::with_quote('"', format!("{}:{number}", name.value)));
    // There are more numbers than names.
    names.into_iter().find(|name| !taken.contains(&key(name))).unwrap_or_else(|| name.clone())
}
