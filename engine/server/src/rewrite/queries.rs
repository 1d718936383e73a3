//! Whole queries and selects: locks, names of what is selected.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use envoi::sqlparser::ast::{
    Expr, Ident, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, TableFactor, VisitMut, VisitorMut,
};

use super::build::{self, called};
use super::casts::to_name;
use super::{listed, records, scope, unnests};

/// Leaves out what a server that is read has no use for: locks on rows.
pub(super) fn finish(query: &mut Query, catalogue: bool) {
    query.locks.clear();
    if let Some(order) = &mut query.order_by {
        listed::in_order(order, catalogue);
    }
    unnests::beside(query);
}

/// Brings a select to what the engine plans, once all in it is.
pub(super) fn select(select: &mut Select, catalogue: bool) {
    if catalogue {
        table_oids(select);
    }
    records::to_json(select);
    listed::in_select_list(select, catalogue);
    show(select);
    name_casts(select);
    distinct_names(select);
}

/// Calls a cast as PostgreSQL does, by what is cast: the engine takes it for that, and what is ordered by it for both.
fn name_casts(select: &mut Select) {
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr @ Expr::Cast { .. }) = item
            && let Some(name) = super::output::of_expr(expr)
        {
            let expr = std::mem::replace(expr, build::null());
            *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', name) };
        }
    }
}

/// Shows what oids stand for: in a select list `x::regclass` is a name.
fn show(select: &mut Select) {
    for item in &mut select.projection {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let Some(alias) = shown(expr) else { continue };
                let expr = std::mem::replace(expr, build::null());
                *item = SelectItem::ExprWithAlias { expr, alias: Ident::new(alias) };
            }
            SelectItem::ExprWithAlias { expr, .. } => {
                shown(expr);
            }
            _ => {}
        }
    }
}

/// Turns a cast to what stands for an oid to its name; the answer is what PostgreSQL calls the column.
fn shown(expr: &mut Expr) -> Option<String> {
    let alias = called(expr).and_then(|(_, arguments)| match arguments.first() {
        Some(Expr::Identifier(i)) => Some(build::folded(i)),
        Some(Expr::CompoundIdentifier(parts)) => parts.last().map(build::folded),
        _ => None,
    });
    let name = to_name(expr)?;
    Some(alias.unwrap_or_else(|| name.trim_start_matches("envoi_").to_owned()))
}

/// Gives columns that have one name to two: the engine wants names that differ.
fn distinct_names(select: &mut Select) {
    let mut taken: HashSet<String> = HashSet::new();
    let all = wildcards(select);
    for item in &mut select.projection {
        match item {
            SelectItem::UnnamedExpr(expr) if again(expr, &all).is_some() => {
                // The column that the star stands for keeps the name.
                let alias = free(&taken, &again(expr, &all).unwrap_or_default());
                taken.insert(alias.clone());
                let expr = std::mem::replace(expr, build::null());
                *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', alias) };
            }
            SelectItem::UnnamedExpr(expr) => {
                let plain = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
                // The engine calls all subqueries the same.
                let name = if scope::has_query(expr) { "(<subquery>)".to_owned() } else { expr.to_string() };
                if taken.insert(name) || plain {
                    continue;
                }
                let alias = free(&taken, "?column?");
                taken.insert(alias.clone());
                let expr = std::mem::replace(expr, build::null());
                *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', alias) };
            }
            SelectItem::ExprWithAlias { alias, .. } => {
                let name = build::folded(alias);
                if !taken.insert(name.clone()) {
                    let name = free(&taken, &name);
                    taken.insert(name.clone());
                    *alias = Ident::with_quote('"', name);
                }
            }
            _ => {}
        }
    }
}

/// The relations of which all columns are selected; `None` stands for all of them.
fn wildcards(select: &Select) -> HashSet<Option<String>> {
    let wildcard = |item: &SelectItem| match item {
        SelectItem::Wildcard(_) => Some(None),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
            Some(Some(build::last(name)))
        }
        _ => None,
    };
    select.projection.iter().filter_map(wildcard).collect()
}

/// The name of a column that a star selects too.
fn again(expr: &Expr, all: &HashSet<Option<String>>) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => (!all.is_empty()).then(|| build::folded(ident)),
        Expr::CompoundIdentifier(parts) => {
            let selected = all.contains(&None) || all.contains(&scope::qualifier(parts));
            parts.last().filter(|_| selected).map(build::folded)
        }
        _ => None,
    }
}

fn free(taken: &HashSet<String>, name: &str) -> String {
    let mut number = 1_u32;
    loop {
        let candidate = format!("{name}_{number}");
        if !taken.contains(&candidate) {
            return candidate;
        }
        number += 1;
    }
}

/// `c.tableoid`, the oid of the relation that a row is of, as the number that it is.
fn table_oids(select: &mut Select) {
    let oid = |factor: &TableFactor| {
        let TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
        let [.., schema, table] = &*build::parts(name) else { return None };
        let oid = crate::catalogue::shape_oid(schema, table)?;
        Some((alias.as_ref().map_or_else(|| table.clone(), |a| build::folded(&a.name)), oid))
    };
    let oids: HashMap<String, u32> = scope::factors(&select.from).filter_map(oid).collect();
    let _ = select.visit(&mut TableOids { oids });
}

struct TableOids {
    oids: HashMap<String, u32>,
}

impl VisitorMut for TableOids {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let found = match expr {
            Expr::CompoundIdentifier(parts) if parts.last().is_some_and(|p| build::folded(p) == "tableoid") => {
                scope::qualifier(parts).and_then(|q| self.oids.get(&q)).copied()
            }
            Expr::Identifier(ident) if build::folded(ident) == "tableoid" && self.oids.len() == 1 => {
                self.oids.values().next().copied()
            }
            _ => None,
        };
        if let Some(oid) = found {
            *expr = build::call("envoi_oid", vec![build::number(&oid.to_string())]);
        }
        ControlFlow::Continue(())
    }
}
