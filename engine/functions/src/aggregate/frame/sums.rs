//! A measure of sums without groups, and the same computed from rows.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use datafusion_common::{Result, ScalarValue, internal_datafusion_err};
use datafusion_expr::Accumulator;
use std::borrow::Cow;
use std::mem::size_of;

use super::intake::Intake;
use super::{Kernel, Rows, Shape, Sink, Sums, Total};

/// How results are made of sums.
#[derive(Debug)]
pub(crate) struct SumsMaker {
    pub(crate) sums: Box<dyn Sums>,
    pub(crate) width: usize,
    pub(crate) shape: Shape,
    pub(crate) labels: Vec<Cow<'static, str>>,
    pub(crate) weighted: bool,
}

impl SumsMaker {
    /// A sink for results.
    pub(crate) fn sink(&self) -> Sink {
        Sink::new(self.shape.clone(), self.labels.clone())
    }

    /// What each row adds to each sum.
    pub(crate) fn terms(&self, columns: &[Cow<'_, [f64]>], terms: &mut Vec<Vec<f64>>) -> Result<()> {
        let slices: Vec<&[f64]> = columns.iter().map(AsRef::as_ref).collect();
        terms.resize(self.width, Vec::new());
        terms.iter_mut().for_each(Vec::clear);
        let rows = match slices.split_last() {
            Some((weights, rest)) if self.weighted => Rows::new(rest, Some(weights)),
            _ => Rows::new(&slices, None),
        };
        self.sums.terms(&rows, terms)
    }
}

/// Sums from rows: for DISTINCT, which has to see the rows first.
#[derive(Debug)]
pub(crate) struct Summed(pub(crate) Box<dyn Sums>, pub(crate) usize);

impl Kernel for Summed {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let mut terms = vec![Vec::new(); self.1];
        self.0.terms(rows, &mut terms)?;
        let sums: Vec<f64> = terms.into_iter().map(|t| super::total(t.into_iter())).collect();
        self.0.finish(&sums, sink)
    }
}

/// The sums of one group, and how many rows are in them.
#[derive(Debug)]
pub(crate) struct SumsAccumulator {
    intake: Intake,
    maker: SumsMaker,
    totals: Vec<Total>,
    count: u64,
}

impl SumsAccumulator {
    /// No rows yet.
    pub(crate) fn new(intake: Intake, maker: SumsMaker) -> Self {
        let totals = vec![Total::default(); maker.width];
        Self { intake, maker, totals, count: 0 }
    }

    fn add(&mut self, values: &[ArrayRef], sign: f64) -> Result<usize> {
        let mut batch = self.intake.take(values, None)?;
        batch.compact();
        let mut terms = Vec::new();
        self.maker.terms(&batch.columns, &mut terms)?;
        for (total, terms) in self.totals.iter_mut().zip(terms) {
            terms.into_iter().for_each(|t| total.add(sign * t));
        }
        Ok(batch.len())
    }
}

impl Accumulator for SumsAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count += self.add(values, 1.0)? as u64;
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count = self.count.saturating_sub(self.add(values, -1.0)? as u64);
        if self.count == 0 {
            self.totals.fill(Total::default());
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut sink = self.maker.sink();
        if self.count == 0 {
            sink.null();
        } else {
            let sums: Vec<f64> = self.totals.iter().map(|t| t.value()).collect();
            self.maker.sums.finish(&sums, &mut sink)?;
        }
        ScalarValue::try_from_array(&sink.finish()?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let parts = self.totals.iter().flat_map(|t| [t.sum, t.lost]);
        Ok(parts.chain([self.count as f64]).map(|v| ScalarValue::Float64(Some(v))).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = read(states)?;
        let Some((counts, parts)) = states.split_last() else { return Ok(()) };
        for (total, part) in self.totals.iter_mut().zip(parts.chunks(2)) {
            if let [sums, lost] = part {
                sums.iter().zip(*lost).for_each(|(sum, lost)| total.merge(Total { sum: *sum, lost: *lost }));
            }
        }
        self.count += counts.iter().map(|c| *c as u64).sum::<u64>();
        Ok(())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.totals.capacity() * size_of::<Total>()
    }
}

/// The columns of states: two a sum, then the count of rows.
pub(crate) fn read(states: &[ArrayRef]) -> Result<Vec<&[f64]>> {
    let wrong = || internal_datafusion_err!("the state of a measure is not doubles");
    let column = |a| AsArray::as_primitive_opt::<Float64Type>(a).map(|p| p.values().as_ref()).ok_or_else(wrong);
    states.iter().map(column).collect()
}
