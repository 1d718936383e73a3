//! Texts that are compared with truths: `remit_exceeds_oda = 'true'`, as PostgreSQL reads a literal without a type.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, lit};
use datafusion::sql::sqlparser::ast::BinaryOperator;

/// Reads such texts while expressions are planned.
#[derive(Debug)]
pub(super) struct Truths;

impl ExprPlanner for Truths {
    fn plan_binary_op(&self, mut expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let compares = matches!(
            expr.op,
            BinaryOperator::Eq
                | BinaryOperator::NotEq
                | BinaryOperator::Lt
                | BinaryOperator::LtEq
                | BinaryOperator::Gt
                | BinaryOperator::GtEq
        );
        if compares {
            if let Some(read) = truth(&expr.right).filter(|_| is_truth(&expr.left, schema)) {
                expr.right = lit(read);
            } else if let Some(read) = truth(&expr.left).filter(|_| is_truth(&expr.right, schema)) {
                expr.left = lit(read);
            }
        }
        Ok(PlannerResult::Original(expr))
    }
}

fn is_truth(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|t| t == DataType::Boolean)
}

/// What a literal says: words and what they begin with, as PostgreSQL takes them.
fn truth(expr: &Expr) -> Option<bool> {
    let Expr::Literal(value, _) = expr else { return None };
    let text = value.try_as_str().flatten()?.trim().to_lowercase();
    match text.as_str() {
        "t" | "tr" | "tru" | "true" | "y" | "ye" | "yes" | "on" | "1" => Some(true),
        "f" | "fa" | "fal" | "fals" | "false" | "n" | "no" | "of" | "off" | "0" => Some(false),
        _ => None,
    }
}
