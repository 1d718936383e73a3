//! Dates and intervals of hours: `date '2020-01-31' + interval '5 hours'` is a moment of that day, where the engine
//! below has the day.
//!
//! A day and constant days or months stay a day, which PostgreSQL makes a timestamp of: so a condition on a date
//! leaves out files and pages by their statistics.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use datafusion::sql::sqlparser::ast::BinaryOperator;

/// Makes a moment of such a date while expressions are planned.
#[derive(Debug)]
pub(super) struct Moments;

impl ExprPlanner for Moments {
    fn plan_binary_op(&self, mut expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let moment = || DataType::Timestamp(TimeUnit::Microsecond, None);
        let is_day = |expr: &Expr| expr.get_type(schema).is_ok_and(|t| t == DataType::Date32);
        if matches!(expr.op, BinaryOperator::Plus | BinaryOperator::Minus)
            && has_time(&expr.right, schema)
            && is_day(&expr.left)
        {
            expr.left = cast(expr.left, moment());
        } else if expr.op == BinaryOperator::Plus && has_time(&expr.left, schema) && is_day(&expr.right) {
            expr.right = cast(expr.right, moment());
        }
        Ok(PlannerResult::Original(expr))
    }
}

/// Whether an expression is an interval that may have hours.
fn has_time(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) => interval.nanoseconds != 0,
        Expr::Literal(..) => false,
        expr => matches!(expr.get_type(schema), Ok(DataType::Interval(_))),
    }
}
