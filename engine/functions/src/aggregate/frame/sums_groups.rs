//! A measure of sums by group.

use arrow::array::{ArrayRef, BooleanArray, Float64Array};
use datafusion_common::Result;
use datafusion_expr::{EmitTo, GroupsAccumulator};
use std::mem::size_of;
use std::sync::Arc;

use super::Total;
use super::intake::Intake;
use super::sums::{SumsMaker, read};

/// The sums of many groups, those of a group side by side.
pub(crate) struct SumsGroups {
    intake: Intake,
    maker: SumsMaker,
    totals: Vec<Total>,
    counts: Vec<u64>,
    terms: Vec<Vec<f64>>,
}

impl SumsGroups {
    /// No rows yet.
    pub(crate) fn new(intake: Intake, maker: SumsMaker) -> Self {
        Self { intake, maker, totals: Vec::new(), counts: Vec::new(), terms: Vec::new() }
    }

    fn grow(&mut self, groups: usize) {
        if groups > self.counts.len() {
            self.counts.resize(groups, 0);
            self.totals.resize(groups * self.maker.width, Total::default());
        }
    }

    fn group(&mut self, group: usize) -> &mut [Total] {
        let width = self.maker.width;
        self.totals.get_mut(group * width..(group + 1) * width).unwrap_or_default()
    }

    fn emit(&mut self, emit_to: EmitTo) -> (Vec<Total>, Vec<u64>) {
        let counts = emit_to.take_needed(&mut self.counts);
        let totals = match emit_to {
            EmitTo::All => std::mem::take(&mut self.totals),
            EmitTo::First(n) => EmitTo::First(n * self.maker.width).take_needed(&mut self.totals),
        };
        (totals, counts)
    }
}

impl GroupsAccumulator for SumsGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let mut batch = self.intake.take(values, opt_filter)?;
        let kept = batch.kept.clone();
        batch.compact();
        let mut terms = std::mem::take(&mut self.terms);
        self.maker.terms(&batch.columns, &mut terms)?;
        // Sums that nothing is added to, such as of what is wrong, cost nothing.
        let adds = |terms: &Vec<f64>| terms.iter().fold(false, |any, t| any | (*t != 0.0));
        let adding: Vec<(usize, &[f64])> =
            terms.iter().enumerate().filter(|(_, t)| adds(t)).map(|(place, t)| (place, t.as_slice())).collect();
        let groups = |row: usize| kept.as_ref().map_or(Some(row), |k| k.get(row).copied());
        for row in 0..batch.len() {
            let Some(group) = groups(row).and_then(|p| group_indices.get(p).copied()) else { continue };
            let totals = self.group(group);
            for (place, terms) in &adding {
                if let (Some(total), Some(term)) = (totals.get_mut(*place), terms.get(row)) {
                    total.add(*term);
                }
            }
            if let Some(count) = self.counts.get_mut(group) {
                *count += 1;
            }
        }
        self.terms = terms;
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.grow(total_num_groups);
        let states = read(values)?;
        let Some((counts, parts)) = states.split_last() else { return Ok(()) };
        let at = |column: Option<&&[f64]>, row: usize| column.and_then(|c| c.get(row)).copied().unwrap_or(0.0);
        for (row, group) in group_indices.iter().enumerate() {
            for (place, total) in self.group(*group).iter_mut().enumerate() {
                total.merge(Total { sum: at(parts.get(2 * place), row), lost: at(parts.get(2 * place + 1), row) });
            }
            if let Some(count) = self.counts.get_mut(*group) {
                *count += at(Some(counts), row) as u64;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (totals, counts) = self.emit(emit_to);
        let mut sink = self.maker.sink();
        let mut sums = Vec::with_capacity(self.maker.width);
        for (totals, count) in totals.chunks(self.maker.width.max(1)).zip(counts) {
            if count == 0 {
                sink.null();
                continue;
            }
            sums.clear();
            sums.extend(totals.iter().map(|t| t.value()));
            self.maker.sums.finish(&sums, &mut sink)?;
        }
        sink.finish()
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (totals, counts) = self.emit(emit_to);
        let width = self.maker.width;
        let column = |place: usize, part: fn(&Total) -> f64| -> ArrayRef {
            Arc::new(totals.iter().skip(place).step_by(width.max(1)).map(part).collect::<Float64Array>())
        };
        let mut columns: Vec<ArrayRef> =
            (0..width).flat_map(|place| [column(place, |t| t.sum), column(place, |t| t.lost)]).collect();
        columns.push(Arc::new(counts.iter().map(|c| *c as f64).collect::<Float64Array>()));
        Ok(columns)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut batch = self.intake.take(values, opt_filter)?;
        let len = values.first().map_or(0, |v| v.len());
        let kept = batch.kept.clone().unwrap_or_else(|| (0..len).collect());
        batch.compact();
        let mut terms = Vec::new();
        self.maker.terms(&batch.columns, &mut terms)?;
        let spread = |values: &dyn Fn(usize) -> f64| -> ArrayRef {
            let mut column = vec![0.0; len];
            for (row, place) in kept.iter().enumerate() {
                if let Some(slot) = column.get_mut(*place) {
                    *slot = values(row);
                }
            }
            Arc::new(Float64Array::from(column))
        };
        let mut columns = Vec::with_capacity(2 * self.maker.width + 1);
        for terms in &terms {
            columns.push(spread(&|row| terms.get(row).copied().unwrap_or(0.0)));
            columns.push(spread(&|_| 0.0));
        }
        columns.push(spread(&|_| 1.0));
        Ok(columns)
    }

    fn size(&self) -> usize {
        self.totals.capacity() * size_of::<Total>()
            + self.counts.capacity() * size_of::<u64>()
            + self.terms.iter().map(|t| t.capacity() * size_of::<f64>()).sum::<usize>()
    }
}
