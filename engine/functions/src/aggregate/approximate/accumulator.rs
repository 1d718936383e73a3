//! Buckets as DataFusion accumulates them.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::Accumulator;

use super::counted::{Bucket, Counted};
use crate::aggregate::frame::{Intake, States, Total, lists};

/// How many columns a state has.
pub(in crate::aggregate) const STATES: usize = 6;

/// One group's buckets, and what is made of their means and weights.
#[derive(Debug)]
pub(in crate::aggregate) struct Sketch {
    intake: Intake,
    counted: Counted,
    finish: fn(&[f64], &[f64]) -> Option<f64>,
}

impl Sketch {
    /// No rows yet.
    pub(in crate::aggregate) fn new(intake: Intake, finish: fn(&[f64], &[f64]) -> Option<f64>) -> Self {
        Self { intake, counted: Counted::default(), finish }
    }

    fn each(&mut self, values: &[ArrayRef], of: fn(&mut Counted, f64, f64)) -> Result<()> {
        let mut batch = self.intake.take(values, None)?;
        batch.compact();
        let (y, w) = (batch.columns.first(), batch.columns.get(1));
        for (row, y) in y.iter().flat_map(|y| y.iter()).enumerate() {
            of(&mut self.counted, *y, w.map_or(1.0, |w| w.get(row).copied().unwrap_or(0.0)));
        }
        Ok(())
    }
}

impl Accumulator for Sketch {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.each(values, Counted::add)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.each(values, Counted::remove)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (means, weights) = self.counted.means();
        Ok(ScalarValue::Float64((self.finish)(&means, &weights).filter(|v| v.is_finite())))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let parts: [fn(&Bucket) -> f64; STATES] = [
            |b| f64::from(b.key),
            |b| b.rows as f64,
            |b| b.weight.sum,
            |b| b.weight.lost,
            |b| b.above.sum,
            |b| b.above.lost,
        ];
        let column = |part: fn(&Bucket) -> f64| {
            let column: Vec<f64> = self.counted.buckets().iter().map(part).collect();
            let end = column.len();
            Ok(ScalarValue::LargeList(Arc::new(lists(column, &[end])?)))
        };
        parts.into_iter().map(column).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = States::new(states)?;
        for state in 0..states.len() {
            let columns: Vec<&[f64]> = states.columns(state).collect();
            let at = |column: usize, row: usize| columns.get(column).and_then(|c| c.get(row)).copied().unwrap_or(0.0);
            for row in 0..states.rows(state) {
                self.counted.merge(Bucket {
                    key: at(0, row) as u32,
                    rows: at(1, row) as u64,
                    weight: Total { sum: at(2, row), lost: at(3, row) },
                    above: Total { sum: at(4, row), lost: at(5, row) },
                });
            }
        }
        Ok(())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.counted.size()
    }
}
