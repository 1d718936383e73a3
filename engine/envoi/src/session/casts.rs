//! The engine below has one name for `sum(x::int)` and `sum(x)`, and for `x::int` and `x` in a GROUP BY, and wants
//! all names of an aggregate to differ. Where a select has several, what is cast is told apart by calls of `coalesce`
//! around it, which the planner takes away.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, OrderBy, OrderByKind, Query, Select, SetExpr, Value, Visit, VisitMut, Visitor, VisitorMut,
};

use super::columns::uncast;
use super::operators::filled;
use crate::error::Error;

/// Tells casts apart.
pub(super) struct Casts;

impl VisitorMut for Casts {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let mut orders: Vec<&mut Expr> = match &mut query.order_by {
            Some(OrderBy { kind: OrderByKind::Expressions(orders), .. }) => {
                orders.iter_mut().map(|order| &mut order.expr).collect()
            }
            _ => Vec::new(),
        };
        for select in selects(&mut query.body) {
            let mut casts = Forms { of: HashMap::new(), bare: false, within: 0, chain: 0 };
            see(select, &orders, &mut casts);
            if casts.of.is_empty() {
                continue;
            }
            let mut forms = Forms { bare: true, ..casts };
            see(select, &orders, &mut forms);
            let mut apart = Apart(forms.of.into_iter().filter(|(_, forms)| forms.len() > 1).collect());
            let Select { projection, group_by, having, .. } = select;
            projection.visit(&mut apart)?;
            group_by.visit(&mut apart)?;
            having.visit(&mut apart)?;
            for order in &mut orders {
                order.visit(&mut apart)?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// Looks at what has names in an aggregate: calls, and all of a select with groups.
fn see(select: &Select, orders: &[&mut Expr], forms: &mut Forms) {
    let grouped = matches!(&select.group_by, GroupByExpr::Expressions(by, _) if !by.is_empty());
    forms.within = usize::from(grouped);
    let _ = select.projection.visit(forms);
    let _ = select.group_by.visit(forms);
    let _ = select.having.visit(forms);
    for order in orders {
        let _ = Visit::visit(&**order, forms);
    }
}

fn selects(mut body: &mut SetExpr) -> Vec<&mut Select> {
    let mut found = Vec::new();
    loop {
        match body {
            SetExpr::SetOperation { left, right, .. } => {
                found.extend(selects(right));
                body = left;
            }
            SetExpr::Select(select) => {
                found.push(select);
                return found;
            }
            _ => return found,
        }
    }
}

/// What is cast, with all its forms as they appear; bare is one of them.
struct Forms {
    of: HashMap<Expr, Vec<Expr>>,
    /// Whether what is cast is looked for where it is bare; that it is cast is known then.
    bare: bool,
    /// How many calls are around, or groups.
    within: usize,
    /// How many expressions to come are of the cast before.
    chain: usize,
}

impl Visitor for Forms {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.within += usize::from(matches!(expr, Expr::Function(_)));
        if self.chain > 0 {
            self.chain -= 1;
            return ControlFlow::Continue(());
        }
        if self.within == 0 {
            return ControlFlow::Continue(());
        }
        if matches!(expr, Expr::Cast { .. }) {
            let (cast, chain) = uncast(expr);
            self.chain = chain;
            if !matches!(cast, Expr::Value(_)) {
                let forms = self.of.entry(cast.clone()).or_default();
                if forms.len() <= MOST && !forms.contains(expr) {
                    forms.push(expr.clone());
                }
            }
        } else if self.bare
            && let Some(forms) = self.of.get_mut(expr)
            && forms.first() != Some(expr)
        {
            forms.insert(0, expr.clone());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.within -= usize::from(matches!(expr, Expr::Function(_)));
        ControlFlow::Continue(())
    }
}

/// Forms of what is cast that are told apart.
const MOST: usize = 16;

/// Puts as many calls around what is cast as there are forms before.
struct Apart(HashMap<Expr, Vec<Expr>>);

impl VisitorMut for Apart {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if matches!(expr, Expr::Cast { .. }) {
            let before = self.0.get(uncast(expr).0).and_then(|forms| forms.iter().position(|form| form == expr));
            let mut inner = &mut *expr;
            while let Expr::Cast { expr: next, .. } | Expr::Nested(next) = inner {
                inner = next;
            }
            // Who casts one thing to so many types is told that their names clash: calls in calls are a deep tree.
            for _ in 0..before.filter(|before| *before <= MOST).unwrap_or(0) {
                let bare = std::mem::replace(inner, Expr::Value(Value::Null.into()));
                match filled("coalesce(null)", [bare]) {
                    Ok(call) => *inner = call,
                    Err(error) => return ControlFlow::Break(error),
                }
            }
        }
        ControlFlow::Continue(())
    }
}
