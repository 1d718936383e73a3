//! Subqueries in expressions, brought to what the engine can turn into joins.

use std::collections::HashSet;
use std::ops::ControlFlow;

use envoi::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArgumentClause, FunctionArguments, GroupByExpr, OrderBy, OrderByKind,
    Query, Select, SelectItem, SetExpr, TableFactor, VisitMut, VisitorMut,
};

use super::build::{self, all_of, conjuncts};
use super::casts::is_registered;
use super::{empty, key_columns, scope};
use crate::catalogue::SCHEMAS;

/// `ARRAY(SELECT ...)` becomes an aggregate, before anything in it is looked at.
pub(super) fn before(expr: &mut Expr) {
    if let Expr::Subquery(query) = expr
        && let Some(domain) = base_of_domain(query)
    {
        *expr = build::call("envoi_base_type", vec![domain]);
        return;
    }
    let Expr::Function(Function { name, args: FunctionArguments::Subquery(query), .. }) = expr else { return };
    if build::last(name) != "array" {
        return;
    }
    let mut query = query.clone();
    if let SetExpr::Select(select) = query.body.as_mut()
        && select.distinct.is_none()
        && query.limit_clause.is_none()
        && let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
            select.projection.as_mut_slice()
    {
        let order = query.order_by.take();
        let value = std::mem::replace(item, build::null());
        let value = aggregate("array_agg", value, order);
        select.projection = vec![SelectItem::UnnamedExpr(value)];
        *expr = Expr::Subquery(query);
    }
}

/// An aggregate of a value in an order. A place in the select list, `ORDER BY 1`, is the value itself.
fn aggregate(name: &str, value: Expr, order: Option<OrderBy>) -> Expr {
    let mut call = build::call(name, vec![value.clone()]);
    if let Some(OrderBy { kind: OrderByKind::Expressions(mut by), .. }) = order
        && let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = &mut call
    {
        for one in &mut by {
            if matches!(&one.expr, Expr::Value(_)) {
                one.expr = value.clone();
            }
        }
        list.clauses.push(FunctionArgumentClause::OrderBy(by));
    }
    call
}

pub(super) fn subquery(expr: &mut Expr, catalogue: bool) {
    match expr {
        Expr::Subquery(query) if is_array(query) && empty_array(query) => *expr = build::no_texts(),
        Expr::Subquery(query) if empty::without_rows(query) => *expr = build::null(),
        Expr::Subquery(query) if catalogue && scope::is_correlated(query) => {
            if let Some(replaced) = key_columns::named(query).or_else(|| single(query)) {
                *expr = replaced;
            }
        }
        Expr::Exists { subquery, negated } if empty::without_rows(subquery) => *expr = build::boolean(*negated),
        Expr::InSubquery { subquery, negated, .. } if empty::without_rows(subquery) => {
            *expr = build::boolean(*negated);
        }
        // A list of oids is compared, not shown.
        Expr::InSubquery { subquery, .. } => unshown(subquery),
        _ => {}
    }
}

/// Whether a query makes one array of its rows.
pub(super) fn is_array(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    let [SelectItem::UnnamedExpr(Expr::Function(f))] = select.projection.as_slice() else { return false };
    build::last(&f.name) == "array_agg"
}

fn empty_array(query: &Query) -> bool {
    matches!(query.body.as_ref(), SetExpr::Select(select) if empty::is_empty(select))
}

/// Names of oids in the select list of a subquery as the oids again.
fn unshown(query: &mut Query) {
    unshown_in(&mut query.body);
}

fn unshown_in(body: &mut SetExpr) {
    let select = match body {
        SetExpr::Select(select) => select,
        SetExpr::SetOperation { left, right, .. } => {
            unshown_in(left);
            unshown_in(right);
            return;
        }
        _ => return,
    };
    for item in &mut select.projection {
        let (SelectItem::UnnamedExpr(Expr::Function(f)) | SelectItem::ExprWithAlias { expr: Expr::Function(f), .. }) =
            item
        else {
            continue;
        };
        let name = build::last(&f.name);
        if let Some(plain) = name.strip_suffix("_name")
            && is_registered(plain)
            && let Some(envoi::sqlparser::ast::ObjectNamePart::Identifier(last)) = f.name.0.last_mut()
        {
            plain.clone_into(&mut last.value);
        }
    }
}

/// A subquery that depends on the query around and has at most one row, as an aggregate; what of its condition is no
/// equation of a column here with a value there is asked around it.
fn single(query: &Query) -> Option<Expr> {
    let mut query = query.clone();
    let limit = query.limit_clause.take();
    let order = query.order_by.take();
    query.fetch = None;
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    if select.distinct.is_some() || select.having.is_some() || !ungrouped(select) {
        return None;
    }
    let aggregated = empty::aggregates(select);
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
        select.projection.as_mut_slice()
    else {
        return None;
    };
    let value = std::mem::replace(item, build::null());
    let own = scope::sources(select);
    let (kept, asked) = split(select.selection.take(), &own);
    // Of an aggregate there is one row: its limit says nothing.
    if asked.is_empty() && aggregated && limit.is_none() {
        return None;
    }
    // Every column of such a condition becomes a copy of the subquery: none of them may have subqueries itself.
    if !asked.is_empty() && scope::has_query(&kept) | scope::has_query(&asked) | scope::has_query(&select.from) {
        return None;
    }
    // More than one row is an error in PostgreSQL; only the catalogue's keys are trusted to have one.
    if !aggregated && !scope::factors(&select.from).all(is_system) {
        return None;
    }
    let value = if aggregated { value } else { outer_of(value, &own, order)? };
    select.selection = all_of(kept);
    let condition = all_of(asked.into_iter().map(|c| with_values(c, &own, select)).collect());
    select.projection = vec![SelectItem::UnnamedExpr(value)];
    let subquery = Expr::Subquery(Box::new(query));
    Some(match condition {
        Some(condition) if !aggregated => build::when(condition, subquery),
        Some(_) => return None,
        None => subquery,
    })
}

fn is_system(factor: &TableFactor) -> bool {
    match factor {
        TableFactor::Table { name, .. } => match build::parts(name).as_slice() {
            [.., schema, _] => SCHEMAS.contains(&schema.as_str()),
            _ => false,
        },
        _ => true,
    }
}

pub(super) fn ungrouped(select: &Select) -> bool {
    matches!(&select.group_by, GroupByExpr::Expressions(e, _) if e.is_empty())
}

/// The first of the values; `None` if it names the query around, which an aggregate may not.
fn outer_of(value: Expr, own: &HashSet<String>, order: Option<OrderBy>) -> Option<Expr> {
    if scope::names_other(&value, own) {
        return None;
    }
    Some(aggregate("first_value", value, order))
}

/// Conditions that stay, and those that have to be asked around the subquery.
fn split(condition: Option<Expr>, own: &HashSet<String>) -> (Vec<Expr>, Vec<Expr>) {
    let stays = |c: &Expr| {
        if !scope::names_other(c, own) {
            return true;
        }
        let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = build::bare(c) else { return false };
        let sides = [left, right].map(|s| (scope::names_own(s, own), scope::names_other(s, own)));
        matches!(sides, [(true, false), (false, true)] | [(false, true), (true, false)])
    };
    condition.map(conjuncts).unwrap_or_default().into_iter().partition(stays)
}

/// A condition in which columns of the subquery are subqueries themselves.
fn with_values(condition: Expr, own: &HashSet<String>, select: &Select) -> Expr {
    let mut condition = condition;
    let _ = condition.visit(&mut Values { own, select });
    condition
}

struct Values<'a> {
    own: &'a HashSet<String>,
    select: &'a Select,
}

impl VisitorMut for Values<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let own = match expr {
            Expr::Identifier(_) => true,
            Expr::CompoundIdentifier(parts) => scope::qualifier(parts).is_some_and(|q| self.own.contains(&q)),
            _ => false,
        };
        if own {
            let mut select = self.select.clone();
            select.projection = vec![SelectItem::UnnamedExpr(build::call("first_value", vec![expr.clone()]))];
            let body = Box::new(SetExpr::Select(Box::new(select)));
            *expr = Expr::Subquery(Box::new(plain(body)));
        }
        ControlFlow::Continue(())
    }
}

pub(super) fn plain(body: Box<SetExpr>) -> Query {
    Query {
        with: None,
        body,
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// The type whose base a recursive subquery looks for, as asyncpg asks.
fn base_of_domain(query: &Query) -> Option<Expr> {
    let with = query.with.as_ref().filter(|w| w.recursive)?;
    let [table] = with.cte_tables.as_slice() else { return None };
    let SetExpr::SetOperation { left, right, .. } = table.query.body.as_ref() else { return None };
    let (SetExpr::Select(anchor), SetExpr::Select(step)) = (left.as_ref(), right.as_ref()) else { return None };
    let bases = |s: &Select| s.projection.iter().any(|p| p.to_string().contains("typbasetype"));
    if !bases(anchor) || !bases(step) {
        return None;
    }
    match anchor.selection.as_ref()? {
        Expr::BinaryOp { op: BinaryOperator::Eq, right, .. } if matches!(**right, Expr::CompoundIdentifier(_)) => {
            Some((**right).clone())
        }
        _ => None,
    }
}
