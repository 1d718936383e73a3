//! Subqueries in a select list that the engine plans in a condition only.

use std::ops::ControlFlow;

use envoi::sqlparser::ast::{
    BinaryOperator, Expr, OrderBy, Query, Select, SelectItem, SetExpr, UnaryOperator, VisitMut, VisitorMut,
};

use super::subqueries::{is_array, ungrouped};
use super::{build, empty, scope};

/// What stands in a select list, where the engine asks for more: `EXISTS` as a count, and nothing at all where the
/// select has no rows.
pub(super) fn in_select_list(select: &mut Select, catalogue: bool) {
    let mut items = std::mem::take(&mut select.projection);
    let mut visitor = Shown { depth: 0, catalogue, empty: empty::is_empty(select) && !empty::aggregates(select) };
    let _ = items.visit(&mut visitor);
    select.projection = items;
}

/// The same in what is ordered by.
pub(super) fn in_order(order: &mut OrderBy, catalogue: bool) {
    let _ = order.visit(&mut Shown { depth: 0, catalogue, empty: false });
}

struct Shown {
    depth: usize,
    catalogue: bool,
    empty: bool,
}

impl VisitorMut for Shown {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth = self.depth.saturating_sub(1);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        match expr {
            Expr::Subquery(query) if self.empty && is_array(query) => *expr = build::no_texts(),
            Expr::Subquery(query) if self.empty && scope::is_correlated(query) => *expr = build::null(),
            Expr::Exists { .. } if self.empty => *expr = build::boolean(false),
            Expr::InSubquery { expr: value, subquery, negated } if self.catalogue => {
                if let Some(listed) = listed(value, subquery, *negated) {
                    *expr = listed;
                }
            }
            Expr::Exists { subquery, negated } if self.catalogue => {
                if let Some(counted) = counted(subquery, *negated) {
                    *expr = counted;
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// `x IN (SELECT ...)` as `array_has((SELECT array_agg(...)), x)`; NULL of a list is not told from false.
fn listed(value: &Expr, query: &Query, negated: bool) -> Option<Expr> {
    let mut query = query.clone();
    query.order_by = None;
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    if query.limit_clause.is_some() || select.distinct.is_some() || !ungrouped(select) || empty::aggregates(select) {
        return None;
    }
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
        select.projection.as_mut_slice()
    else {
        return None;
    };
    let all = build::call("array_agg", vec![std::mem::replace(item, build::null())]);
    select.projection = vec![SelectItem::UnnamedExpr(all)];
    let has = build::call("array_has", vec![Expr::Subquery(Box::new(query)), value.clone()]);
    let has = build::call("coalesce", vec![has, build::boolean(false)]);
    Some(if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(has) } } else { has })
}

/// `EXISTS (SELECT ...)` as `(SELECT count(*) ...) > 0`.
fn counted(query: &Query, negated: bool) -> Option<Expr> {
    let mut query = query.clone();
    query.order_by = None;
    if query.limit_clause.take().is_some() || query.fetch.is_some() {
        return None;
    }
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    if select.having.is_some() || !ungrouped(select) || empty::aggregates(select) {
        return None;
    }
    select.distinct = None;
    select.projection = vec![SelectItem::UnnamedExpr(build::call("count", vec![build::number("1")]))];
    let op = if negated { BinaryOperator::Eq } else { BinaryOperator::Gt };
    let count = build::call("coalesce", vec![Expr::Subquery(Box::new(query)), build::number("0")]);
    Some(Expr::Nested(Box::new(build::binary(count, op, build::number("0")))))
}
