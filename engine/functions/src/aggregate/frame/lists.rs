//! Rows on their way between partial and final aggregation: one list of numbers a column and group.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, LargeListArray, PrimitiveArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion_common::{Result, internal_datafusion_err};

/// The type of a column of states that are doubles.
pub(crate) fn state_type() -> DataType {
    state_type_of::<Float64Type>()
}

/// The type of a column of states.
pub(crate) fn state_type_of<T: ArrowPrimitiveType>() -> DataType {
    DataType::LargeList(item::<T>())
}

fn item<T: ArrowPrimitiveType>() -> FieldRef {
    Arc::new(Field::new_list_field(T::DATA_TYPE, false))
}

/// Lists of doubles that end where `ends` says.
pub(crate) fn lists(values: Vec<f64>, ends: &[usize]) -> Result<LargeListArray> {
    lists_of::<Float64Type>(values, ends)
}

/// Lists that end where `ends` says. Offsets are 64 bits wide: a partition may hold
/// more rows than 32 bits can count.
pub(crate) fn lists_of<T: ArrowPrimitiveType>(values: Vec<T::Native>, ends: &[usize]) -> Result<LargeListArray> {
    let offsets: ScalarBuffer<i64> = std::iter::once(0).chain(ends.iter().map(|e| *e as i64)).collect();
    let values = PrimitiveArray::<T>::new(values.into(), None);
    Ok(LargeListArray::try_new(item::<T>(), OffsetBuffer::new(offsets), Arc::new(values), None)?)
}

/// The values of one state in an array that [`lists_of`] made.
pub(crate) fn values_of<T: ArrowPrimitiveType>(array: &ArrayRef, state: usize) -> Result<&[T::Native]> {
    let wrong = || internal_datafusion_err!("the state of a measure is not lists of numbers");
    let list = array.as_list_opt::<i64>().ok_or_else(wrong)?;
    let values = list.values().as_primitive_opt::<T>().ok_or_else(wrong)?;
    Ok(part(list, values.values(), state))
}

/// Columns of states, read.
pub(crate) struct States<'a> {
    columns: Vec<(&'a LargeListArray, &'a [f64])>,
}

impl<'a> States<'a> {
    /// The states in arrays that [`lists`] made.
    pub(crate) fn new(arrays: &'a [ArrayRef]) -> Result<Self> {
        let wrong = || internal_datafusion_err!("the state of a measure is not lists of doubles");
        let read = |array: &'a ArrayRef| {
            let list = array.as_list_opt::<i64>().ok_or_else(wrong)?;
            let values = list.values().as_primitive_opt::<Float64Type>().ok_or_else(wrong)?;
            Ok((list, values.values().as_ref()))
        };
        Ok(Self { columns: arrays.iter().map(read).collect::<Result<_>>()? })
    }

    /// How many states there are.
    pub(crate) fn len(&self) -> usize {
        self.columns.first().map_or(0, |(list, _)| list.len())
    }

    /// How many rows a state has.
    pub(crate) fn rows(&self, state: usize) -> usize {
        self.columns.first().map_or(0, |(list, values)| part(list, values, state).len())
    }

    /// The values of each column in a state.
    pub(crate) fn columns(&self, state: usize) -> impl Iterator<Item = &'a [f64]> {
        self.columns.iter().map(move |(list, values)| part(list, values, state))
    }
}

fn part<'a, T>(list: &LargeListArray, values: &'a [T], state: usize) -> &'a [T] {
    let offsets = list.value_offsets();
    match (offsets.get(state), offsets.get(state + 1)) {
        (Some(begin), Some(end)) if list.is_valid(state) => {
            values.get(*begin as usize..*end as usize).unwrap_or_default()
        }
        _ => &[],
    }
}
