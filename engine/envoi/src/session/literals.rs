//! Decimal literals that keep their digits.
//!
//! A number with a point is a double, as users of the marts expect: `1.0 / 3` is
//! 0.3333333333333333, and `value * 0.1` needs no thought about scale. With the
//! engine's `parse_float_as_decimal` the same literals are decimals, whose quotients
//! have the digits that a rule of scales leaves them and whose products overflow at
//! 38. So that stays off. But who writes `0.1::decimal(38, 20)` asks for a decimal,
//! and must not get the digits of the double nearest to it.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{DataType, Expr, UnaryOperator, Value, VisitorMut};

use crate::error::Error;

/// Makes a number that is cast to a decimal, and nothing else, a text: its cast is exact.
pub(super) struct ExactDecimals;

impl VisitorMut for ExactDecimals {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if let Expr::Cast { expr: inner, data_type, .. } = expr
            && is_decimal(data_type)
        {
            make_exact(inner);
        }
        ControlFlow::Continue(())
    }
}

fn is_decimal(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal(_) | DataType::Numeric(_) | DataType::Dec(_))
}

fn make_exact(expr: &mut Expr) {
    match expr {
        Expr::Nested(inner) => make_exact(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } => {
            if let Expr::Value(value) = inner.as_mut()
                && let Some(text) = digits(&value.value)
            {
                value.value = Value::SingleQuotedString(format!("-{text}"));
                *expr = (**inner).clone();
            }
        }
        Expr::Value(value) => {
            if let Some(text) = digits(&value.value) {
                value.value = Value::SingleQuotedString(text);
            }
        }
        _ => {}
    }
}

/// The digits of a number that a double may not hold; casts of text know no exponent.
fn digits(value: &Value) -> Option<String> {
    const EXACT: usize = 18;
    match value {
        Value::Number(text, _) if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            (text.contains('.') || text.len() > EXACT).then(|| text.clone())
        }
        _ => None,
    }
}
