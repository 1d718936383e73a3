//! Subqueries that stand for one value and depend on the row around: `(select name from t where t.id = o.id)`.
//!
//! The engine below plans such a subquery only if it is an aggregate. Here it becomes one: the first of its rows, and
//! how many there are. The number is looked at where the value is used, so that rows nobody asks for are no error.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::{is_null, nullif};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DataFusionError, Result, ScalarValue, exec_datafusion_err};
use datafusion::functions::core::named_struct;
use datafusion::functions_aggregate::expr_fn::{first_value, nth_value, sum};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Aggregate, ColumnarValue, Expr, FetchType, Filter, LogicalPlan, LogicalPlanBuilder, Projection, ReturnFieldArgs,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, SkipType, Sort, SortExpr, Subquery, Volatility, col, lit,
    when,
};
use datafusion::optimizer::AnalyzerRule;

use crate::error::Error;

/// Makes aggregates of such subqueries before anything else looks at the plan.
#[derive(Debug)]
pub(super) struct SingleValues;

impl AnalyzerRule for SingleValues {
    fn name(&self) -> &'static str {
        "single_values"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let of_node = |node: LogicalPlan| {
            let node = match node {
                LogicalPlan::Sort(sort) if sort.expr.iter().any(|by| asks(&by.expr)) => return unsorted(sort),
                node => node,
            };
            let names = NamePreserver::new(&node);
            let changed = node.map_expressions(|expr| {
                let name = names.save(&expr);
                Ok(expr.transform_up(single)?.update_data(|e| name.restore(e)))
            })?;
            if !changed.transformed {
                return Ok(changed);
            }
            changed.map_data(LogicalPlan::recompute_schema)
        };
        Ok(plan.transform_up_with_subqueries(of_node)?.data)
    }
}

/// Whether there is a subquery in an expression.
fn asks(expr: &Expr) -> bool {
    let subquery = |e: &Expr| matches!(e, Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_));
    expr.exists(|e| Ok(subquery(e))).unwrap_or(false)
}

/// An order by what subqueries say: they are columns below it, which the engine plans, and are left out above it.
fn unsorted(sort: Sort) -> Result<Transformed<LogicalPlan>> {
    let columns: Vec<Expr> = sort.input.schema().columns().into_iter().map(Expr::from).collect();
    let mut all = columns.clone();
    let mut order = Vec::with_capacity(sort.expr.len());
    for (place, by) in sort.expr.into_iter().enumerate() {
        if !asks(&by.expr) {
            order.push(by);
            continue;
        }
        let name = format!("order {place}");
        all.push(by.expr.transform_up(single)?.data.alias(&name));
        order.push(SortExpr { expr: Expr::Column(Column::new_unqualified(name)), ..by });
    }
    let plan = LogicalPlanBuilder::from(Arc::unwrap_or_clone(sort.input));
    Ok(Transformed::yes(plan.project(all)?.sort_with_limit(order, sort.fetch)?.project(columns)?.build()?))
}

/// The subquery as an aggregate; one that is an aggregate, or cannot become one, as it is.
fn single(expr: Expr) -> Result<Transformed<Expr>> {
    let Expr::ScalarSubquery(subquery) = &expr else { return Ok(Transformed::no(expr)) };
    if subquery.outer_ref_columns.is_empty() || subquery.subquery.schema().fields().len() != 1 {
        return Ok(Transformed::no(expr));
    }
    match aggregated(subquery)? {
        Some(value) => Ok(Transformed::yes(value)),
        None => Ok(Transformed::no(expr)),
    }
}

fn aggregated(subquery: &Subquery) -> Result<Option<Expr>> {
    let (input, skip, fetch) = match subquery.subquery.as_ref() {
        LogicalPlan::Limit(limit) => match (limit.get_skip_type()?, limit.get_fetch_type()?) {
            (SkipType::Literal(skip), FetchType::Literal(fetch)) => (limit.input.as_ref(), skip, fetch),
            _ => return Ok(None),
        },
        other => (other, 0, None),
    };
    let place = i64::try_from(skip).ok().and_then(|s| s.checked_add(1));
    let (Some(place), false) = (place, fetch == Some(0)) else {
        return nothing(input.schema().field(0).data_type()).map(Some);
    };
    let with = |plan| Expr::ScalarSubquery(Subquery { subquery: Arc::new(plan), ..subquery.clone() });
    if has_one_row(input) {
        // Its limit says nothing, and keeps the engine from planning it.
        return match (place, fetch) {
            (1, None) => Ok(None),
            (1, Some(_)) => Ok(Some(with(input.clone()))),
            _ => nothing(input.schema().field(0).data_type()).map(Some),
        };
    }
    let (input, value, order) = ordered(input);
    if std::iter::once(&value).chain(order.iter().map(|o| &o.expr)).any(Expr::contains_outer) {
        return Ok(None);
    }
    let input = LogicalPlanBuilder::from(input.clone());
    if fetch == Some(1) {
        let one = if place == 1 { first_value(value, order) } else { nth_value(value, place, order) };
        return Ok(Some(with(input.aggregate(Vec::<Expr>::new(), vec![one])?.build()?)));
    }
    if place != 1 {
        return Ok(None);
    }
    let (first, rows) = (first_value(value, order).alias("first"), sum(lit(1_i64)).alias("rows"));
    let counted = named_struct().call(vec![lit("first"), col("first"), lit("rows"), col("rows")]);
    // Of no rows it is NULL as a whole.
    let counted = when(col("rows").is_not_null(), counted).end()?.alias("counted");
    let plan = input.aggregate(Vec::<Expr>::new(), vec![first, rows])?.project(vec![counted])?.build()?;
    let only = ScalarUDF::new_from_impl(Only::new());
    Ok(Some(only.call(vec![with(plan)])))
}

fn nothing(data_type: &DataType) -> Result<Expr> {
    Ok(Expr::Literal(ScalarValue::try_from(data_type)?, None))
}

/// Whether a plan is an aggregate of all its rows, with what may be around it.
fn has_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(Projection { input, .. }) => has_one_row(input),
        LogicalPlan::SubqueryAlias(alias) => has_one_row(&alias.input),
        LogicalPlan::Filter(Filter { input, .. }) => has_one_row(input),
        LogicalPlan::Sort(sort) => has_one_row(&sort.input),
        LogicalPlan::Aggregate(Aggregate { group_expr, aggr_expr, .. }) => {
            group_expr.is_empty() && !aggr_expr.is_empty()
        }
        _ => false,
    }
}

/// The rows without their order, the value of each, and the order.
fn ordered(plan: &LogicalPlan) -> (&LogicalPlan, Expr, Vec<SortExpr>) {
    let column = |plan: &LogicalPlan| {
        let (relation, field) = plan.schema().qualified_field(0);
        Expr::Column((relation, field).into())
    };
    match plan {
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => (&sort.input, column(plan), sort.expr.clone()),
        // What is ordered by is left out only above the order.
        LogicalPlan::Projection(Projection { expr, input, .. }) => match (input.as_ref(), expr.as_slice()) {
            (LogicalPlan::Sort(sort), [value]) if sort.fetch.is_none() => {
                (&sort.input, value.clone().unalias(), sort.expr.clone())
            }
            _ => (plan, column(plan), Vec::new()),
        },
        _ => (plan, column(plan), Vec::new()),
    }
}

/// The value of a subquery if it has one row or none.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Only {
    signature: Signature,
}

impl Only {
    fn new() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

fn first_field(data_type: &DataType) -> Result<&FieldRef> {
    let DataType::Struct(fields) = data_type else {
        return Err(Error::internal("a subquery has no count of its rows").into());
    };
    fields.first().ok_or_else(|| Error::internal("a subquery has no value").into())
}

impl ScalarUDFImpl for Only {
    fn name(&self) -> &'static str {
        "only"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().map_or(Ok(DataType::Null), |t| Ok(first_field(t)?.data_type().clone()))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|f| f.data_type().clone()).collect();
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(counted) = args.args.first() else { return Ok(ColumnarValue::Scalar(ScalarValue::Null)) };
        let constant = matches!(counted, ColumnarValue::Scalar(_));
        let value = only(&counted.to_array(if constant { 1 } else { args.number_rows })?)?;
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&value, 0)?)
        } else {
            ColumnarValue::Array(value)
        })
    }
}

fn only(counted: &ArrayRef) -> Result<ArrayRef> {
    let counted = counted.as_struct_opt().ok_or_else(|| exec_datafusion_err!("a subquery has no count of its rows"))?;
    let (Some(value), Some(rows)) = (counted.columns().first(), counted.columns().get(1)) else {
        return Err(Error::internal("a subquery has no value").into());
    };
    let rows = rows.as_primitive::<Int64Type>();
    let several = |row: usize| counted.is_valid(row) && rows.is_valid(row) && rows.value(row) > 1;
    if (0..counted.len()).any(several) {
        return Err(several_rows().into());
    }
    if counted.null_count() == 0 {
        return Ok(Arc::clone(value));
    }
    nullif(value, &is_null(counted)?).map_err(DataFusionError::from)
}

/// The error about a subquery that was to give one value.
pub(crate) fn several_rows() -> Error {
    Error::user("a subquery that stands for one value gave more than one row")
        .with_state("21000")
        .with_hint("`limit 1` takes the first, `in (…)` compares with all of them")
}
