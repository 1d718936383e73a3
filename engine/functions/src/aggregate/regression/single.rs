//! Pairs without groups, or in a window.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::Float64Type;
use datafusion_common::{Result, ScalarValue, internal_datafusion_err};
use datafusion_expr::Accumulator;
use std::mem::{size_of, size_of_val, take};
use std::sync::Arc;

use super::{Moments, Statistic};
use crate::aggregate::frame::{States, dedup, lists, sort};

/// Columns of doubles among the arguments or states.
pub(super) fn doubles(arrays: &[ArrayRef]) -> Result<Vec<&Float64Array>> {
    let wrong = || internal_datafusion_err!("pairs are to be doubles");
    arrays.iter().map(|a| a.as_primitive_opt::<Float64Type>().ok_or_else(wrong)).collect()
}

/// The moments of a row of states.
pub(super) fn moments_at(columns: &[&Float64Array], row: usize) -> Moments {
    let mut numbers = [0.0; 8];
    for (number, column) in numbers.iter_mut().zip(columns) {
        *number = column.values().get(row).copied().unwrap_or(0.0);
    }
    Moments::of(numbers)
}

/// Calls with every pair that has no NULL.
pub(super) fn pairs(arrays: &[ArrayRef], mut call: impl FnMut(usize, f64, f64)) -> Result<()> {
    let columns = doubles(arrays)?;
    let [y, x] = columns.as_slice() else { return Ok(()) };
    let whole = y.null_count() == 0 && x.null_count() == 0;
    for (row, (a, b)) in y.values().iter().zip(x.values()).enumerate() {
        if whole || (y.is_valid(row) && x.is_valid(row)) {
            call(row, *a, *b);
        }
    }
    Ok(())
}

/// The moments of one group.
#[derive(Debug)]
pub(super) struct PairAccumulator {
    statistic: Statistic,
    moments: Moments,
}

impl PairAccumulator {
    pub(super) fn new(statistic: Statistic) -> Self {
        Self { statistic, moments: Moments::default() }
    }
}

impl Accumulator for PairAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        pairs(values, |_, y, x| self.moments.add(y, x))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        pairs(values, |_, y, x| self.moments.remove(y, x))
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.statistic.scalar(&self.moments)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(self.moments.numbers().into_iter().map(|n| ScalarValue::Float64(Some(n))).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let columns = doubles(states)?;
        for row in 0..columns.first().map_or(0, |c| c.len()) {
            self.moments.merge(&moments_at(&columns, row));
        }
        Ok(())
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// Pairs that differ, of one group: all are kept, and compared when asked for.
#[derive(Debug)]
pub(super) struct DistinctPairs {
    statistic: Statistic,
    columns: [Vec<f64>; 2],
}

impl DistinctPairs {
    pub(super) fn new(statistic: Statistic) -> Self {
        Self { statistic, columns: [Vec::new(), Vec::new()] }
    }

    /// Leaves one of each pair.
    fn compact(&mut self) {
        sort(&mut self.columns);
        dedup(&mut self.columns);
    }
}

impl Accumulator for DistinctPairs {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [ys, xs] = &mut self.columns;
        pairs(values, |_, y, x| {
            // Zero with either sign is one value.
            ys.push(y + 0.0);
            xs.push(x + 0.0);
        })
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.compact();
        let [ys, xs] = &self.columns;
        let mut moments = Moments::default();
        ys.iter().zip(xs).for_each(|(y, x)| moments.add(*y, *x));
        self.statistic.scalar(&moments)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.compact();
        let state = |column: &mut Vec<f64>| {
            let end = column.len();
            Ok(ScalarValue::LargeList(Arc::new(lists(take(column), &[end])?)))
        };
        self.columns.iter_mut().map(state).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = States::new(states)?;
        for state in 0..states.len() {
            for (column, part) in self.columns.iter_mut().zip(states.columns(state)) {
                column.extend_from_slice(part);
            }
        }
        Ok(())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.columns.iter().map(|c| c.capacity() * size_of::<f64>()).sum::<usize>()
    }
}
