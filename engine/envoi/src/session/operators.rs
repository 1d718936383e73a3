//! Operators as PostgreSQL has them.
//!
//! `a ^ b` is a power. The parser has it for exclusive or, and binds it looser than `+`; so what it put together is
//! taken apart and put together again, tightest first. `mod(a, b)` is `a % b`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value, VisitorMut,
    visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::error::{Error, Result};

/// Puts calls of `power` in the place of `^`, and `%` in that of `mod`.
pub(super) struct Operators;

impl VisitorMut for Operators {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if matches!(expr, Expr::BinaryOp { op: BinaryOperator::BitwiseXor, .. }) {
            let mut sequence = Sequence::default();
            sequence.take(std::mem::replace(expr, nothing()));
            match sequence.bound() {
                Ok(bound) => *expr = bound,
                Err(error) => return ControlFlow::Break(error),
            }
        }
        if let Expr::Function(call) = expr
            && let Some((left, right)) = modulo(call)
        {
            let bracketed = |operand: Expr| Box::new(Expr::Nested(Box::new(operand)));
            let op = BinaryOperator::Modulo;
            let remainder = Expr::BinaryOp { left: bracketed(left), op, right: bracketed(right) };
            *expr = *bracketed(remainder);
        }
        ControlFlow::Continue(())
    }
}

/// What `mod` is called with.
fn modulo(call: &mut Function) -> Option<(Expr, Expr)> {
    let [name] = call.name.0.as_slice() else { return None };
    if !name.as_ident().is_some_and(|name| name.value.eq_ignore_ascii_case("mod")) {
        return None;
    }
    let FunctionArguments::List(list) = &mut call.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(left)), FunctionArg::Unnamed(FunctionArgExpr::Expr(right))] =
        list.args.as_mut_slice()
    else {
        return None;
    };
    Some((std::mem::replace(left, nothing()), std::mem::replace(right, nothing())))
}

fn nothing() -> Expr {
    Expr::Value(Value::Null.into())
}

/// How tight an operator binds; `None` for those that the parser binds looser than it does `^`.
fn tightness(op: &BinaryOperator) -> Option<u8> {
    match op {
        BinaryOperator::StringConcat => Some(0),
        BinaryOperator::Plus | BinaryOperator::Minus => Some(1),
        BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Modulo => Some(2),
        BinaryOperator::BitwiseXor => Some(3),
        _ => None,
    }
}

/// Operands and the operators between them, as they were written.
#[derive(Default)]
struct Sequence {
    operands: Vec<Expr>,
    operators: Vec<BinaryOperator>,
}

impl Sequence {
    fn take(&mut self, expr: Expr) {
        match expr {
            Expr::BinaryOp { left, op, right } if tightness(&op).is_some() => {
                self.take(*left);
                self.operators.push(op);
                self.take(*right);
            }
            operand => self.operands.push(operand),
        }
    }

    /// The expression; of operators that bind alike the left one goes first.
    fn bound(self) -> Result<Expr> {
        let mut waiting: Vec<(Expr, BinaryOperator)> = Vec::new();
        let mut operands = self.operands.into_iter();
        let mut last = operands.next().unwrap_or_else(nothing);
        for (op, operand) in self.operators.into_iter().zip(operands) {
            while let Some((left, before)) = waiting.pop_if(|(_, before)| tightness(before) >= tightness(&op)) {
                last = joined(left, before, last)?;
            }
            waiting.push((last, op));
            last = operand;
        }
        while let Some((left, op)) = waiting.pop() {
            last = joined(left, op, last)?;
        }
        Ok(last)
    }
}

fn joined(left: Expr, op: BinaryOperator, right: Expr) -> Result<Expr> {
    if op != BinaryOperator::BitwiseXor {
        return Ok(Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) });
    }
    // Of doubles: a power of whole numbers may be none.
    const CALL: &str = "power(cast(null as double precision), cast(null as double precision))";
    filled(CALL, [left, right])
}

/// An expression with operands in the places of its NULLs.
pub(super) fn filled(sql: &str, operands: impl IntoIterator<Item = Expr>) -> Result<Expr> {
    let parsed = Parser::new(&GenericDialect {}).try_with_sql(sql).and_then(|mut parser| parser.parse_expr());
    let mut expr = parsed.map_err(|e| Error::internal(e.to_string()))?;
    let mut operands = operands.into_iter();
    let mut place = |expr: &mut Expr| -> ControlFlow<()> {
        if matches!(expr, Expr::Value(_))
            && let Some(operand) = operands.next()
        {
            *expr = operand;
        }
        ControlFlow::Continue(())
    };
    let _ = visit_expressions_mut(&mut expr, &mut place);
    Ok(expr)
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::ast::VisitMut;
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::Operators;

    /// Beside the same with all brackets that PostgreSQL puts.
    #[test]
    fn binds_tightest_and_from_the_left() {
        let read = |sql: &str| {
            let mut expr = Parser::new(&GenericDialect {}).try_with_sql(sql).unwrap().parse_expr().unwrap();
            let _ = VisitMut::visit(&mut expr, &mut Operators);
            expr.to_string().replace("CAST(", "").replace(" AS DOUBLE PRECISION)", "")
        };
        for (written, meant) in [
            ("2 ^ 3", "power(2, 3)"),
            ("1 + 2 ^ 3", "1 + power(2, 3)"),
            ("2 * a ^ b * c - 1", "2 * power(a, b) * c - 1"),
            ("2 ^ 3 ^ 2", "power(power(2, 3), 2)"),
            ("-2 ^ 2", "power(-2, 2)"),
            ("2 ^ -1", "power(2, -1)"),
            ("(1 + 2) ^ (3 - 1)", "power((1 + 2), (3 - 1))"),
            ("a = 2 ^ 3 + 1", "a = power(2, 3) + 1"),
            ("(2 ^ (1 + 1 ^ 2))", "(power(2, (1 + power(1, 2))))"),
            ("1 - 2 - 3", "1 - 2 - 3"),
            ("'1' || 2 ^ 3", "'1' || power(2, 3)"),
            ("2 ^ 3 || '1'", "power(2, 3) || '1'"),
            ("7 + 1 ^ 2 || 'x'", "7 + power(1, 2) || 'x'"),
            ("mod(a + 1, 3) * 2", "((a + 1) % (3)) * 2"),
            ("mod(2 ^ 3, mod(7, 4))", "((power(2, 3)) % (((7) % (4))))"),
        ] {
            assert_eq!(read(written), meant, "{written}");
        }
    }
}
