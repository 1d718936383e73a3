//! A measure without groups, or in a window.

use arrow::array::ArrayRef;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::Accumulator;
use std::borrow::Cow;
use std::mem::size_of;
use std::sync::Arc;

use super::intake::Intake;
use super::lists::{States, lists};
use super::sort::{dedup, sort};
use super::{Kernel, Rows, Shape, Sink};

/// How results are made of rows.
#[derive(Debug)]
pub(crate) struct Maker {
    pub(crate) kernel: Box<dyn Kernel>,
    pub(crate) shape: Shape,
    pub(crate) labels: Vec<Cow<'static, str>>,
    pub(crate) weighted: bool,
    pub(crate) distinct: bool,
}

impl Maker {
    /// A sink for results.
    pub(crate) fn sink(&self) -> Sink {
        Sink::new(self.shape.clone(), self.labels.clone())
    }

    /// Sorts the rows of a group and computes its result.
    pub(crate) fn sorted(&self, columns: &mut [Vec<f64>], sink: &mut Sink) -> Result<()> {
        sort(columns);
        if self.distinct {
            dedup(columns);
        }
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        self.compute(&slices, sink)
    }

    /// Computes the result of sorted rows, of which the weights are the last column.
    pub(crate) fn compute(&self, columns: &[&[f64]], sink: &mut Sink) -> Result<()> {
        if columns.first().is_none_or(|c| c.is_empty()) {
            sink.null();
            return Ok(());
        }
        let rows = match columns.split_last() {
            Some((weights, rest)) if self.weighted => Rows::new(rest, Some(weights)),
            _ => Rows::new(columns, None),
        };
        self.kernel.compute(&rows, sink)
    }
}

/// The rows of one group.
#[derive(Debug)]
pub(crate) struct RowsAccumulator {
    intake: Intake,
    maker: Maker,
    columns: Vec<Vec<f64>>,
    /// Rows before this have left the window.
    begin: usize,
}

impl RowsAccumulator {
    /// No rows yet.
    pub(crate) fn new(intake: Intake, maker: Maker) -> Self {
        let columns = vec![Vec::new(); intake.width()];
        Self { intake, maker, columns, begin: 0 }
    }

    fn present(&self) -> Vec<Vec<f64>> {
        self.columns.iter().map(|c| c.get(self.begin..).unwrap_or_default().to_vec()).collect()
    }
}

impl Accumulator for RowsAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.intake.take(values, None)?.append(&mut self.columns);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        // Rows leave a window in the order they came in.
        self.begin += self.intake.take(values, None)?.len();
        if self.begin > 1024 && self.begin * 2 > self.columns.first().map_or(0, Vec::len) {
            for column in &mut self.columns {
                column.drain(..self.begin.min(column.len()));
            }
            self.begin = 0;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        // A window asks again and again; the rows stay.
        let mut sink = self.maker.sink();
        self.maker.sorted(&mut self.present(), &mut sink)?;
        ScalarValue::try_from_array(&sink.finish()?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut columns = self.present();
        // Sorted here, by every partition for itself; merging sorted runs is quick.
        sort(&mut columns);
        columns
            .into_iter()
            .map(|column| {
                let end = column.len();
                Ok(ScalarValue::LargeList(Arc::new(lists(column, &[end])?)))
            })
            .collect()
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
        size_of::<Self>() + self.columns.iter().map(|c| c.capacity() * size_of::<f64>()).sum::<usize>()
    }
}
