//! `sum` of whole numbers: one that grows out of its type is an error, where the engine below goes on from the
//! other end. Every other sum is the engine's own.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type, UInt64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, Expr, GroupsAccumulator, Operator,
    ReversedUDAF, SetMonotonicity, Signature, StatisticsArgs,
};

/// The engine's `sum`, with states of its own for whole numbers.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedSum(Arc<AggregateUDF>);

/// The function that takes the place of the engine's.
pub(super) fn checked(sum: &Arc<AggregateUDF>) -> AggregateUDF {
    AggregateUDF::new_from_impl(CheckedSum(Arc::clone(sum)))
}

impl CheckedSum {
    fn single(args: &AccumulatorArgs<'_>) -> Option<Box<dyn Accumulator>> {
        match args.return_field.data_type() {
            _ if args.is_distinct => None,
            DataType::Int64 => Some(Box::new(Single::<Int64Type>::new())),
            DataType::UInt64 => Some(Box::new(Single::<UInt64Type>::new())),
            _ => None,
        }
    }
}

impl AggregateUDFImpl for CheckedSum {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Self::single(&args).map_or_else(|| self.0.accumulator(args), Ok)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Self::single(&args).map_or_else(|| self.0.create_sliding_accumulator(args), Ok)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        match args.return_field.data_type() {
            DataType::Int64 => Ok(Box::new(Groups::<Int64Type>::new())),
            DataType::UInt64 => Ok(Box::new(Groups::<UInt64Type>::new())),
            _ => self.0.create_groups_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.0.reverse_udf()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.order_sensitivity()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.0.inner().set_monotonicity(data_type)
    }

    fn simplify_expr_op_literal(
        &self,
        call: &AggregateFunction,
        arg: &Expr,
        op: Operator,
        literal: &Expr,
        arg_is_left: bool,
    ) -> Result<Option<Expr>> {
        self.0.inner().simplify_expr_op_literal(call, arg, op, literal, arg_is_left)
    }

    fn value_from_stats(&self, args: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        self.0.value_from_stats(args)
    }
}

/// A type of whole numbers: its sums are made in one that holds any of them.
trait Whole: ArrowPrimitiveType<Native: Into<i128> + TryFrom<i128>> + Debug + Send + Sync {}

impl Whole for Int64Type {}
impl Whole for UInt64Type {}

/// The sum as its type has it.
fn fits<T: Whole>(sum: i128) -> Result<T::Native> {
    let what = || ArrowError::ArithmeticOverflow(format!("overflow: the sum {sum} is no {}", T::DATA_TYPE));
    T::Native::try_from(sum).map_err(|_| what().into())
}

/// The sum of one group; rows may leave it again.
#[derive(Debug)]
struct Single<T> {
    sum: i128,
    rows: usize,
    of: PhantomData<T>,
}

impl<T: Whole> Single<T> {
    fn new() -> Self {
        Self { sum: 0, rows: 0, of: PhantomData }
    }
}

fn numbers<T: Whole>(values: &[ArrayRef]) -> impl Iterator<Item = i128> {
    values.iter().flat_map(|v| v.as_primitive::<T>()).flatten().map(Into::into)
}

impl<T: Whole> Accumulator for Single<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in numbers::<T>(values) {
            self.sum += value;
            self.rows += 1;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in numbers::<T>(values) {
            self.sum -= value;
            self.rows -= 1;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = if self.rows > 0 { Some(fits::<T>(self.sum)?) } else { None };
        ScalarValue::new_primitive::<T>(sum, &T::DATA_TYPE)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The sums of many groups.
#[derive(Debug)]
struct Groups<T> {
    sums: Vec<i128>,
    /// Whether a group has had a value.
    seen: Vec<bool>,
    of: PhantomData<T>,
}

impl<T: Whole> Groups<T> {
    fn new() -> Self {
        Self { sums: Vec::new(), seen: Vec::new(), of: PhantomData }
    }

    fn taken(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (sums, seen) = (emit_to.take_needed(&mut self.sums), emit_to.take_needed(&mut self.seen));
        let sums = sums.into_iter().map(fits::<T>).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(PrimitiveArray::<T>::new(sums.into(), Some(seen.into()))))
    }

    fn add(&mut self, group: usize, value: T::Native) {
        if let (Some(sum), Some(seen)) = (self.sums.get_mut(group), self.seen.get_mut(group)) {
            *sum += value.into();
            *seen = true;
        }
    }
}

impl<T: Whole> GroupsAccumulator for Groups<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        passes: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.sums.resize(total, 0);
        self.seen.resize(total, false);
        for values in values {
            let values = values.as_primitive::<T>();
            if passes.is_none() && values.null_count() == 0 {
                groups.iter().zip(values.values()).for_each(|(group, value)| self.add(*group, *value));
                continue;
            }
            for (row, (group, value)) in groups.iter().zip(values).enumerate() {
                if let Some(value) = value
                    && passes.is_none_or(|p| p.is_valid(row) && p.value(row))
                {
                    self.add(*group, value);
                }
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.update_batch(states, groups, None, total)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.taken(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.taken(emit_to)?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], passes: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let kept = |values: &ArrayRef| -> ArrayRef {
            let Some(passes) = passes else { return Arc::clone(values) };
            let pairs = values.as_primitive::<T>().iter().zip(passes);
            Arc::new(pairs.map(|(value, passes)| value.filter(|_| passes == Some(true))).collect::<PrimitiveArray<T>>())
        };
        Ok(values.iter().map(kept).collect())
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<i128>() + self.seen.capacity()
    }
}
