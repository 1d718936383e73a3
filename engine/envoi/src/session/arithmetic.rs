//! Operations that the engine below does another way: whole numbers that grow out of their type are an error, where it
//! goes on from the other end; `||` makes no text larger than functions may; a cast to a whole number rounds, as SQL
//! has it, where it cuts; one to a text writes what SQL does.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::kernels::numeric::{add, mul, sub};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float32Type, Float64Type, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::functions::math::round;
use datafusion::logical_expr::binary::BinaryTypeCoercer;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ReturnFieldArgs, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, TryCast, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr::expressions::{BinaryExpr as Joined, Column};
use datafusion::physical_expr_common::datum::apply;
use datafusion::physical_plan::PhysicalExpr;

use super::bounded::joining;
use crate::text::{is_written, length, written};

/// Puts operations that look first in the place of those that do not.
#[derive(Debug)]
pub(super) struct Checked {
    concat: Arc<ScalarUDF>,
}

impl Checked {
    pub(super) fn new(pool: &Arc<dyn MemoryPool>) -> Self {
        Self { concat: Arc::new(joining(Operation::of(Operator::StringConcat), pool)) }
    }

    fn replaced(&self, expr: Expr, type_of: &impl Fn(&Expr) -> Option<DataType>) -> Transformed<Expr> {
        let (left, op, right) = match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => (left, op, right),
            Expr::Cast(cast) if cuts(&cast.expr, cast.field.data_type(), type_of) => {
                return Transformed::yes(Expr::Cast(Cast { expr: Box::new(rounded(*cast.expr)), ..cast }));
            }
            Expr::Cast(cast) if tells(&cast.expr, cast.field.data_type(), type_of) => {
                return Transformed::yes(Expr::Cast(Cast { expr: Box::new(written(*cast.expr)), ..cast }));
            }
            Expr::TryCast(cast) if tells(&cast.expr, cast.field.data_type(), type_of) => {
                return Transformed::yes(Expr::TryCast(TryCast { expr: Box::new(written(*cast.expr)), ..cast }));
            }
            Expr::TryCast(cast) if cuts(&cast.expr, cast.field.data_type(), type_of) => {
                return Transformed::yes(Expr::TryCast(TryCast { expr: Box::new(rounded(*cast.expr)), ..cast }));
            }
            other => return Transformed::no(other),
        };
        let both = |is: fn(&DataType) -> bool| [&left, &right].iter().all(|e| type_of(e).is_some_and(|t| is(&t)));
        if compares(op) && both(|t| matches!(t, DataType::Interval(_))) {
            let [left, right] = [left, right].map(|side| Box::new(length(*side)));
            return Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }));
        }
        let function = match op {
            Operator::Plus | Operator::Minus | Operator::Multiply if both(DataType::is_integer) => {
                Arc::new(Operation::of(op))
            }
            Operator::StringConcat if both(DataType::is_string) => Arc::clone(&self.concat),
            _ => return Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })),
        };
        Transformed::yes(function.call(vec![*left, *right]))
    }
}

impl AnalyzerRule for Checked {
    fn name(&self) -> &'static str {
        "checked_operations"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let of_node = |node: LogicalPlan| {
            // Most steps of a plan have no such operation, and are left without a copy.
            let mut any = false;
            node.apply_expressions(|expr| {
                any |= expr.exists(|e| Ok(is_checked(e)))?;
                Ok(if any { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })?;
            if !any {
                return Ok(Transformed::no(node));
            }
            let schema = merge_schema(&node.inputs());
            let type_of = |expr: &Expr| expr.get_type(&schema).ok();
            // Columns are asked for above by the names they had.
            let names = NamePreserver::new(&node);
            let replaced = |expr: Expr| Ok(expr.transform_up(|expr| Ok(self.replaced(expr, &type_of)))?.data);
            let changed = node.map_expressions(|expr| {
                let name = names.save(&expr);
                Ok(Transformed::yes(name.restore(within(expr, &replaced)?)))
            })?;
            changed.map_data(LogicalPlan::recompute_schema)
        };
        Ok(plan.transform_up_with_subqueries(of_node)?.data)
    }
}

/// Replaces in all of an expression but the orders of windows and aggregates: the engine below knows rows that are in
/// an order by its own operators, and by no function.
fn within(expr: Expr, replaced: &impl Fn(Expr) -> Result<Expr>) -> Result<Expr> {
    let all = |args: Vec<Expr>| args.into_iter().map(replaced).collect::<Result<Vec<_>>>();
    let one = |filter: Option<Box<Expr>>| filter.map(|f| replaced(*f).map(Box::new)).transpose();
    Ok(match expr {
        Expr::Alias(mut alias) => {
            alias.expr = Box::new(within(*alias.expr, replaced)?);
            Expr::Alias(alias)
        }
        Expr::WindowFunction(mut call) => {
            call.params.args = all(std::mem::take(&mut call.params.args))?;
            call.params.filter = one(call.params.filter.take())?;
            Expr::WindowFunction(call)
        }
        Expr::AggregateFunction(mut call) => {
            call.params.args = all(std::mem::take(&mut call.params.args))?;
            call.params.filter = one(call.params.filter.take())?;
            Expr::AggregateFunction(call)
        }
        other => replaced(other)?,
    })
}

fn compares(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// Whether an expression may be one that is replaced.
fn is_checked(expr: &Expr) -> bool {
    use Operator::{Minus, Multiply, Plus, StringConcat};
    match expr {
        Expr::BinaryExpr(BinaryExpr { op: Plus | Minus | Multiply | StringConcat, .. }) => true,
        Expr::BinaryExpr(BinaryExpr { op, .. }) => compares(*op),
        Expr::Cast(Cast { field, .. }) | Expr::TryCast(TryCast { field, .. }) => {
            let to = field.data_type();
            to.is_integer() || to.is_string() || matches!(to, DataType::List(_))
        }
        _ => false,
    }
}

/// Whether a cast loses what is behind the point.
fn cuts(expr: &Expr, to: &DataType, type_of: impl Fn(&Expr) -> Option<DataType>) -> bool {
    match to {
        DataType::List(to) => match type_of(expr) {
            Some(DataType::List(from)) => to.data_type().is_integer() && from.data_type().is_floating(),
            _ => false,
        },
        to => to.is_integer() && type_of(expr).is_some_and(|from| from.is_floating() || from.is_decimal()),
    }
}

/// Whether a cast writes a value in another way than SQL does.
fn tells(expr: &Expr, to: &DataType, type_of: impl Fn(&Expr) -> Option<DataType>) -> bool {
    // A constant is a numeric to SQL, and keeps its zeros.
    to.is_string()
        && !matches!(expr, Expr::Literal(ScalarValue::Float64(_), _))
        && type_of(expr).is_some_and(|from| is_written(&from))
}

/// A constant is a numeric to SQL, and rounds half away from zero as one; a double rounds half to even.
fn rounded(expr: Expr) -> Expr {
    match expr {
        Expr::Literal(ScalarValue::Float64(Some(number)), metadata) => {
            Expr::Literal(ScalarValue::Float64(Some(number.round())), metadata)
        }
        other => {
            ScalarUDF::new_from_impl(Rounded { signature: Signature::any(1, Volatility::Immutable) }).call(vec![other])
        }
    }
}

/// The whole number next to one; called as what it takes, since a cast is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Rounded {
    signature: Signature,
}

impl ScalarUDFImpl for Rounded {
    fn name(&self) -> &'static str {
        "rounded"
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        Ok(args.iter().map(ToString::to_string).collect())
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        Ok(args.iter().map(|e| e.schema_name().to_string()).collect())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [float] => Ok(float.clone()),
            _ => exec_err!("one number is rounded"),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        match args.arg_fields {
            [field] if field.data_type().is_decimal() => round().return_field_from_args(args),
            [field] => Ok(Arc::clone(field)),
            _ => exec_err!("one number is rounded"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [number] = args.args.as_slice() else { return exec_err!("one number is rounded") };
        let constant = matches!(number, ColumnarValue::Scalar(_));
        let array = number.to_array(if constant { 1 } else { args.number_rows })?;
        let Some(rounded) = even(&array) else { return round().invoke_with_args(args) };
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&rounded, 0)?)
        } else {
            ColumnarValue::Array(rounded)
        })
    }
}

/// Floats, or lists of them, rounded half to even.
fn even(array: &ArrayRef) -> Option<ArrayRef> {
    Some(match array.data_type() {
        DataType::Float64 => {
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::round_ties_even))
        }
        DataType::Float32 => {
            Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(f32::round_ties_even))
        }
        DataType::List(field) => {
            let list = array.as_list::<i32>();
            let (values, offsets) = (even(list.values())?, list.offsets().clone());
            Arc::new(ListArray::new(Arc::clone(field), offsets, values, list.nulls().cloned()))
        }
        _ => return None,
    })
}

/// An operation as a function; its columns are called as the operation's are.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Operation {
    op: Operator,
    signature: Signature,
}

impl Operation {
    fn of(op: Operator) -> ScalarUDF {
        ScalarUDF::new_from_impl(Self { op, signature: Signature::any(2, Volatility::Immutable) })
    }

    fn named(&self, args: &[Expr], name: impl Fn(&Expr) -> String) -> Result<String> {
        match args {
            [left, right] => Ok(format!("{} {} {}", name(left), self.op, name(right))),
            _ => exec_err!("`{}` is between two values", self.op),
        }
    }
}

impl ScalarUDFImpl for Operation {
    fn name(&self) -> &'static str {
        match self.op {
            Operator::Plus => "+",
            Operator::Minus => "-",
            Operator::Multiply => "*",
            _ => "||",
        }
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        self.named(args, ToString::to_string)
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.named(args, |e| e.schema_name().to_string())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [left, right] => BinaryTypeCoercer::new(left, &self.op, right).get_result_type(),
            _ => exec_err!("`{}` is between two values", self.op),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|f| f.data_type().clone()).collect();
        let nullable = args.arg_fields.iter().any(|f| f.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else { return exec_err!("`{}` is between two values", self.op) };
        match self.op {
            Operator::Plus => apply(left, right, add),
            Operator::Minus => apply(left, right, sub),
            Operator::Multiply => apply(left, right, mul),
            op => joined(left, op, right, args.number_rows),
        }
    }
}

/// Two texts as the engine below joins them.
fn joined(left: &ColumnarValue, op: Operator, right: &ColumnarValue, rows: usize) -> Result<ColumnarValue> {
    let constant = matches!((left, right), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)));
    let rows = if constant { 1 } else { rows };
    let sides = [left.to_array(rows)?, right.to_array(rows)?];
    let field = |(name, side): (&str, &ArrayRef)| Field::new(name, side.data_type().clone(), true);
    let schema = Schema::new(["left", "right"].into_iter().zip(&sides).map(field).collect::<Vec<_>>());
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::new(schema), sides.to_vec(), &options)?;
    let expr = Joined::new(Arc::new(Column::new("left", 0)), op, Arc::new(Column::new("right", 1)));
    match expr.evaluate(&batch)? {
        ColumnarValue::Array(array) if constant => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)),
        value => Ok(value),
    }
}
