//! `EXCEPT ALL` and `INTERSECT ALL` count rows: of three equal rows less one, two are left.
//!
//! The engine below asks of each row only whether there is an equal one on the other side. So equal rows are
//! numbered on both sides, and compared with their numbers.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, JoinType, NullEquality, Result};
use datafusion::config::ConfigOptions;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Distinct, Expr, ExprFunctionExt, Join, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::AnalyzerRule;

/// Numbers equal rows where rows are counted.
#[derive(Debug)]
pub(super) struct Multisets;

/// The column of the number, which nobody can name.
const NUMBER: &str = "__envoi_row_number";

impl AnalyzerRule for Multisets {
    fn name(&self) -> &'static str {
        "multiset_operations"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let counted = |node: LogicalPlan| match node {
            LogicalPlan::Join(join) if is_counted(&join) => Ok(Transformed::yes(numbered(&join)?)),
            other => Ok(Transformed::no(other)),
        };
        Ok(plan.transform_up_with_subqueries(counted)?.data)
    }
}

/// Before rules have been at work, no join but that of a set operation compares all columns, NULL with NULL too.
/// Where each row is there once, nothing is to be counted.
fn is_counted(join: &Join) -> bool {
    matches!(join.join_type, JoinType::LeftAnti | JoinType::LeftSemi)
        && join.null_equality == NullEquality::NullEqualsNull
        && join.filter.is_none()
        && join.on.len() == join.left.schema().fields().len()
        && join.on.len() == join.right.schema().fields().len()
        && !matches!(join.left.as_ref(), LogicalPlan::Distinct(Distinct::All(_)))
}

fn numbered(join: &Join) -> Result<LogicalPlan> {
    let with_numbers = |input: &Arc<LogicalPlan>, keys: Vec<Expr>| -> Result<LogicalPlan> {
        let number = row_number().partition_by(keys).build()?;
        let numbers = Expr::Column(Column::from_name(number.schema_name().to_string())).alias(NUMBER);
        let columns = input.schema().columns().into_iter().map(Expr::Column).chain([numbers]).collect::<Vec<_>>();
        LogicalPlanBuilder::from(Arc::clone(input)).window([number])?.project(columns)?.build()
    };
    let (left, right): (Vec<Expr>, Vec<Expr>) = join.on.iter().cloned().unzip();
    let left_side = with_numbers(&join.left, left.clone())?;
    let right_side = with_numbers(&join.right, right.clone())?;
    let number = |schema: &DFSchema| schema.columns().into_iter().filter(|c| c.name == NUMBER).map(Expr::Column);
    let left_on = left.into_iter().chain(number(left_side.schema()));
    let right_on = right.into_iter().chain(number(right_side.schema()));
    let on = left_on.zip(right_on).collect();
    let (schema_of, join_type) = (Arc::clone(join.left.schema()), join.join_type);
    let joined = Join::try_new(
        Arc::new(left_side),
        Arc::new(right_side),
        on,
        None,
        join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    let columns: Vec<Column> = schema_of.columns();
    LogicalPlanBuilder::from(LogicalPlan::Join(joined))
        .project(columns.into_iter().map(Expr::Column).collect::<Vec<_>>())?
        .build()
}
