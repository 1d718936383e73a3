//! `IS [NOT] DISTINCT FROM`, as tight as SQL has it.
//!
//! The parser takes all that follows for its right side: `a IS DISTINCT FROM b AND c` becomes
//! `a IS DISTINCT FROM (b AND c)`, which gives other rows without a word. Brackets that were written stand in the
//! tree, so a right side that is an AND or OR without them was read so, and is taken apart again.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value, VisitorMut};

use crate::error::Error;

/// Takes right sides apart; what is around them first had them as its own.
pub(super) struct Precedence;

impl VisitorMut for Precedence {
    type Break = Error;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let takes_too_much = match expr {
            Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) => is_logical(right),
            Expr::UnaryOp { op: UnaryOperator::Not, expr: right } => is_logical(right) && begins_with_distinct(right),
            Expr::BinaryOp { op: BinaryOperator::And, right, .. } => is_or(right) && begins_with_distinct(right),
            _ => false,
        };
        if takes_too_much {
            lower(expr);
        }
        ControlFlow::Continue(())
    }
}

fn is_or(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryOp { op: BinaryOperator::Or, .. })
}

fn is_logical(expr: &Expr) -> bool {
    is_or(expr) || matches!(expr, Expr::BinaryOp { op: BinaryOperator::And, .. })
}

fn begins_with_distinct(mut expr: &Expr) -> bool {
    loop {
        expr = match expr {
            Expr::BinaryOp { left, .. } if is_logical(expr) => left,
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => expr,
            other => return matches!(other, Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..)),
        };
    }
}

/// `p(a AND b)` as `p(a) AND b`, where `p` is all of an expression but its last operand.
fn lower(expr: &mut Expr) {
    // Of an AND the operand is what stands before the first OR.
    let through = if matches!(expr, Expr::BinaryOp { .. }) { is_or } else { is_logical };
    let Some(last) = last(expr) else { return };
    let mut rest = std::mem::replace(last, nothing());
    let mut first = &mut rest;
    while through(first)
        && let Expr::BinaryOp { left, .. } = first
    {
        first = left;
    }
    std::mem::swap(last, first);
    std::mem::swap(expr, first);
    *expr = rest;
}

fn last(expr: &mut Expr) -> Option<&mut Expr> {
    match expr {
        Expr::IsDistinctFrom(_, right)
        | Expr::IsNotDistinctFrom(_, right)
        | Expr::UnaryOp { expr: right, .. }
        | Expr::BinaryOp { right, .. } => Some(right),
        _ => None,
    }
}

fn nothing() -> Expr {
    Expr::Value(Value::Null.into())
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::ast::VisitMut;
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::Precedence;

    /// All brackets that SQL puts beside those that the parser would.
    #[test]
    fn binds_as_sql_has_it() {
        let parse = |sql: &str| Parser::new(&GenericDialect {}).try_with_sql(sql).unwrap().parse_expr().unwrap();
        for (written, meant) in [
            ("a is distinct from b and c", "(a is distinct from b) and c"),
            ("a is not distinct from b or c", "(a is not distinct from b) or c"),
            ("a is distinct from b and c or d", "((a is distinct from b) and c) or d"),
            ("x and a is distinct from b or c", "(x and (a is distinct from b)) or c"),
            ("x or a is distinct from b and c", "x or ((a is distinct from b) and c)"),
            ("x and a is distinct from b and c or d", "(x and ((a is distinct from b) and c)) or d"),
            ("not a is distinct from b and c", "(not (a is distinct from b)) and c"),
            (
                "a is distinct from b and c is distinct from d or e",
                "((a is distinct from b) and (c is distinct from d)) or e",
            ),
            ("a is distinct from (b and c)", "a is distinct from (b and c)"),
            ("a is distinct from b + 1 and c", "(a is distinct from b + 1) and c"),
            ("x and (a is distinct from b or c)", "x and ((a is distinct from b) or c)"),
            ("not (a or b) and c", "(not (a or b)) and c"),
        ] {
            let bare = |sql: &str| {
                let mut expr = parse(sql);
                let _ = VisitMut::visit(&mut expr, &mut Precedence);
                shape(&expr)
            };
            assert_eq!(bare(written), bare(meant), "{written}");
        }
    }

    /// An expression with a bracket around every operation, and none beside.
    fn shape(expr: &super::Expr) -> String {
        use super::Expr::{BinaryOp, IsDistinctFrom, IsNotDistinctFrom, Nested, UnaryOp};
        match expr {
            Nested(inner) => shape(inner),
            BinaryOp { left, op, right } => format!("({} {op} {})", shape(left), shape(right)),
            UnaryOp { op, expr } => format!("({op} {})", shape(expr)),
            IsDistinctFrom(left, right) => format!("({} <> {})", shape(left), shape(right)),
            IsNotDistinctFrom(left, right) => format!("({} = {})", shape(left), shape(right)),
            other => other.to_string(),
        }
    }
}
