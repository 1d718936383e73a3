//! `(a, b) IN (query)`: the engine below compares one value only, so it is asked whether there is such a row.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Ident, Query, Select, SetExpr, TableFactor, VisitorMut};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::error::{Error, Result};

/// How deep one IN with a query may be within another: as a value it is asked up to three times a level.
const DEEPEST: usize = 6;

/// Puts `EXISTS` in their place.
#[derive(Default)]
pub(super) struct Pairs(usize);

impl VisitorMut for Pairs {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Expr::InSubquery { expr: left, subquery, negated } = expr else { return ControlFlow::Continue(()) };
        let values = match left.as_ref() {
            Expr::Tuple(values) if values.len() > 1 => values,
            _ => {
                self.0 += 1;
                if self.0 > DEEPEST {
                    let deep = format!("IN with a query is nested more than {DEEPEST} times");
                    return ControlFlow::Break(Error::user(deep).with_state("54001"));
                }
                return ControlFlow::Continue(());
            }
        };
        match such_a_row(values, subquery, *negated) {
            Ok(exists) => *expr = exists,
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        self.0 -= usize::from(matches!(expr, Expr::InSubquery { .. }));
        ControlFlow::Continue(())
    }
}

const ROWS: &str = "__envoi_rows";

fn such_a_row(values: &[Expr], query: &Query, negated: bool) -> Result<Expr> {
    let names: Vec<String> = (0..values.len()).map(|place| format!("__envoi_value_{place}")).collect();
    let equal = names.iter().zip(values).map(|(name, value)| Expr::BinaryOp {
        left: Box::new(Expr::CompoundIdentifier(vec![Ident::new(ROWS), Ident::new(name)])),
        op: BinaryOperator::Eq,
        right: Box::new(Expr::Nested(Box::new(value.clone()))),
    });
    let and = |left, right| Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::And, right: Box::new(right) };
    let equal = equal.reduce(and).map(|all| Expr::Nested(Box::new(all)));
    // A row that a NULL keeps from being compared may be the one.
    let condition = equal.map(|all| if negated { Expr::IsNotFalse(Box::new(all)) } else { all });
    let text = format!("exists (select 1 from (select 1) as {ROWS} ({}))", names.join(", "));
    let parsed = Parser::new(&GenericDialect {}).try_with_sql(&text).and_then(|mut parser| parser.parse_expr());
    let (Ok(Expr::Exists { mut subquery, .. }), Some(condition)) = (parsed, condition) else {
        return Err(Error::internal("a question about rows cannot be put"));
    };
    if let SetExpr::Select(select) = subquery.body.as_mut() {
        put(select, query, condition);
    }
    Ok(Expr::Exists { subquery, negated })
}

/// The query as that of a select from it, and the condition.
fn put(select: &mut Select, query: &Query, condition: Expr) {
    for from in &mut select.from {
        if let TableFactor::Derived { subquery, .. } = &mut from.relation {
            **subquery = query.clone();
        }
    }
    select.selection = Some(condition);
}
