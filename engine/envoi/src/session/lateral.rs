//! `CROSS JOIN LATERAL (VALUES ('a', t.a), ('b', t.b)) AS v(name, value)`: columns turned into rows.
//!
//! The engine below plans a LATERAL that reads a table. Here one that only computes becomes columns of the rows
//! around it, each of which is there as often as there are rows in it.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, JoinType, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Expr, ExprSchemable, Join, LogicalPlan, LogicalPlanBuilder, Projection, cast, lit, when,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::sql::sqlparser::ast::{self, SetExpr, TableFactor, VisitorMut};

use super::operators::filled;
use crate::error::Error;

/// Takes such joins apart.
#[derive(Debug)]
pub(super) struct Computed;

impl AnalyzerRule for Computed {
    fn name(&self) -> &'static str {
        "computed_laterals"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        computed(plan)
    }
}

/// A plan without such joins.
pub(super) fn computed(plan: LogicalPlan) -> Result<LogicalPlan> {
    let of_node = |node: LogicalPlan| match &node {
        LogicalPlan::Join(join) => match columns(join)? {
            Some(columns) => Ok(Transformed::yes(columns)),
            None => Ok(Transformed::no(node)),
        },
        _ => Ok(Transformed::no(node)),
    };
    Ok(plan.transform_up_with_subqueries(of_node)?.data)
}

/// Columns of tables have descriptions and units, and the engine below wants those of a column of VALUES to be one; so
/// they are put in calls, which have none.
pub(super) struct Undescribed;

impl VisitorMut for Undescribed {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let TableFactor::Derived { lateral: true, subquery, .. } = factor else { return ControlFlow::Continue(()) };
        let SetExpr::Values(values) = subquery.body.as_mut() else { return ControlFlow::Continue(()) };
        for value in values.rows.iter_mut().flat_map(|row| &mut row.content) {
            if matches!(value, ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_)) {
                match filled("coalesce(null)", [value.clone()]) {
                    Ok(call) => *value = call,
                    Err(error) => return ControlFlow::Break(error),
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// The number of a row in it, which nobody can name.
const NUMBER: &str = "__envoi_row";

fn columns(join: &Join) -> Result<Option<LogicalPlan>> {
    let always = |filter: &Expr| matches!(filter, Expr::Literal(ScalarValue::Boolean(Some(true)), _));
    let filter = join.filter.clone().filter(|filter| !always(filter));
    let is_plain = filter.is_none() && join.on.is_empty();
    if !(join.join_type == JoinType::Inner || join.join_type == JoinType::Left && is_plain) || !asks(&join.right)? {
        return Ok(None);
    }
    let Some(rows) = rows(&join.right)?.filter(|rows| !rows.is_empty()) else { return Ok(None) };
    let left = LogicalPlanBuilder::from(Arc::clone(&join.left));
    let number = Expr::Column(Column::new_unqualified(NUMBER));
    let left = if rows.len() == 1 {
        left
    } else {
        let numbers = (0_i64..).take(rows.len()).map(|row| vec![lit(row)]).collect();
        let named = Expr::Column(Column::new_unqualified("column1")).alias(NUMBER);
        left.cross_join(LogicalPlanBuilder::values(numbers)?.project(vec![named])?.build()?)?
    };
    let schema = Arc::clone(left.schema());
    let mut all: Vec<Expr> = join.left.schema().columns().into_iter().map(Expr::Column).collect();
    for (place, (relation, field)) in join.right.schema().iter().enumerate() {
        let of_row =
            |row: &Vec<Expr>| row.get(place).cloned().unwrap_or_else(|| lit(ScalarValue::Null)).transform(outer);
        let mut values = rows.iter().map(of_row).collect::<Result<Vec<_>>>()?.into_iter().map(|value| value.data);
        let Some(first) = values.next() else { return Ok(None) };
        let value = if rows.len() == 1 {
            first
        } else {
            let mut case = when(number.clone().eq(lit(0_i64)), first);
            for (row, value) in (1_i64..).zip(values) {
                case = case.when(number.clone().eq(lit(row)), value);
            }
            case.end()?
        };
        let typed = value.get_type(&schema).is_ok_and(|t| &t == field.data_type());
        let value = if typed { value } else { cast(value, field.data_type().clone()) };
        all.push(value.alias_qualified(relation.cloned(), field.name()));
    }
    let mut plan = left.project(all)?;
    let on = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    if let Some(condition) = conjunction(on.chain(filter)) {
        plan = plan.filter(condition)?;
    }
    Ok(Some(plan.build()?))
}

/// Whether a plan looks at the rows around it.
pub(crate) fn asks(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|step| {
        found |= step.contains_outer_reference();
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// A column of the rows around as one of here.
fn outer(expr: Expr) -> Result<Transformed<Expr>> {
    Ok(match expr {
        Expr::OuterReferenceColumn(_, column) => Transformed::yes(Expr::Column(column)),
        other => Transformed::no(other),
    })
}

/// The rows of a plan that only computes.
fn rows(plan: &LogicalPlan) -> Result<Option<Vec<Vec<Expr>>>> {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => rows(&alias.input),
        LogicalPlan::Subquery(query) => rows(&query.subquery),
        LogicalPlan::EmptyRelation(nothing) if nothing.produce_one_row => Ok(Some(vec![Vec::new()])),
        LogicalPlan::Values(values) => {
            let bare = |row: &Vec<Expr>| row.iter().cloned().map(bare).collect();
            Ok(Some(values.values.iter().map(bare).collect()))
        }
        LogicalPlan::Union(union) => {
            let mut all = Vec::new();
            for input in &union.inputs {
                let Some(some) = rows(input)? else { return Ok(None) };
                all.extend(some);
            }
            Ok(Some(all))
        }
        LogicalPlan::Projection(projection) => {
            let Some(input) = rows(&projection.input)? else { return Ok(None) };
            input.iter().map(|row| projected(projection, row)).collect::<Result<Option<_>>>()
        }
        _ => Ok(None),
    }
}

/// A column out of the call that it was put in.
fn bare(expr: Expr) -> Expr {
    match expr {
        Expr::ScalarFunction(mut call) if call.name() == "coalesce" && call.args.len() == 1 => {
            call.args.pop().unwrap_or(Expr::ScalarFunction(call))
        }
        other => other,
    }
}

/// Parts of expressions that a row may be made of.
const MOST: usize = 4096;

/// What a projection makes of a row; `None` if that is more than to compute.
fn projected(projection: &Projection, row: &[Expr]) -> Result<Option<Vec<Expr>>> {
    let schema = projection.input.schema();
    let of_row = |e: Expr| match e {
        Expr::Column(column) => {
            let place = schema.index_of_column(&column)?;
            Ok(Transformed::yes(row.get(place).cloned().unwrap_or(Expr::Column(column))))
        }
        other => Ok(Transformed::no(other)),
    };
    let more = |e: &Expr| {
        matches!(
            e,
            Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::Unnest(_) | Expr::WindowFunction(_)
        )
    };
    let mut made = Vec::with_capacity(projection.expr.len());
    for expr in &projection.expr {
        if expr.exists(|e| Ok(more(e)))? {
            return Ok(None);
        }
        made.push(expr.clone().unalias().transform(of_row)?.data);
        // What is named once may be used twice, and so on in every query around it.
        let mut size = 0;
        for value in &made {
            value.apply(|_| {
                size += 1;
                Ok(if size > MOST { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })?;
        }
        if size > MOST {
            return Ok(None);
        }
    }
    Ok(Some(made))
}
