//! A measure by group: all rows in the same flat columns, with the number of their group.

use arrow::array::{ArrayRef, BooleanArray};
use datafusion_common::{Result, internal_err};
use datafusion_expr::{EmitTo, GroupsAccumulator};
use std::mem::{size_of, take};
use std::sync::Arc;

use super::accumulator::Maker;
use super::buckets::Buckets;
use super::intake::{Batch, Intake};
use super::lists::{States, lists};
use super::sort::{pair, unpair};

/// The rows of many groups.
pub(crate) struct RowsGroups {
    intake: Intake,
    maker: Maker,
    columns: Vec<Vec<f64>>,
    groups: Vec<u32>,
    count: usize,
}

/// Where the rows of each group go when they are brought together.
struct Plan {
    /// How many groups leave; rows of later ones stay.
    leaving: usize,
    /// Where the rows of each leaving group begin; one more than there are groups.
    begins: Vec<usize>,
}

impl RowsGroups {
    /// No rows yet.
    pub(crate) fn new(intake: Intake, maker: Maker) -> Self {
        let columns = vec![Vec::new(); intake.width()];
        Self { intake, maker, columns, groups: Vec::new(), count: 0 }
    }

    fn append(&mut self, batch: &Batch<'_>, group_indices: &[usize]) {
        batch.append(&mut self.columns);
        match &batch.kept {
            None => self.groups.extend(group_indices.iter().map(|g| *g as u32)),
            Some(kept) => self.groups.extend(kept.iter().filter_map(|r| group_indices.get(*r)).map(|g| *g as u32)),
        }
    }

    fn plan(&self, emit_to: EmitTo) -> Plan {
        let leaving = match emit_to {
            EmitTo::All => self.count,
            EmitTo::First(n) => n.min(self.count),
        };
        let mut begins = vec![0usize; leaving + 1];
        for group in &self.groups {
            if let Some(count) = begins.get_mut(*group as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        Plan { leaving, begins }
    }

    /// Makes something of every row that leaves, brought together by group in the order they came.
    fn scatter<T: Copy + Default>(&self, plan: &Plan, make: impl Fn(usize) -> T) -> Vec<T> {
        let total = plan.begins.last().copied().unwrap_or(0);
        let mut out = vec![T::default(); total];
        let mut next = plan.begins.clone();
        for (row, group) in self.groups.iter().enumerate() {
            let group = *group as usize;
            if group < plan.leaving
                && let Some(next) = next.get_mut(group)
                && let Some(slot) = out.get_mut(*next)
            {
                *slot = make(row);
                *next += 1;
            }
        }
        out
    }

    /// Lets the groups go that were emitted; the others move down.
    fn forget(&mut self, plan: &Plan) {
        if plan.leaving >= self.count {
            self.columns.iter_mut().for_each(|c| drop(take(c)));
            self.groups = Vec::new();
            self.count = 0;
            return;
        }
        let stays: Vec<bool> = self.groups.iter().map(|g| *g as usize >= plan.leaving).collect();
        for column in &mut self.columns {
            let mut stays = stays.iter();
            column.retain(|_| stays.next().copied().unwrap_or(false));
        }
        self.groups.retain(|g| *g as usize >= plan.leaving);
        self.groups.iter_mut().for_each(|g| *g -= plan.leaving as u32);
        self.count -= plan.leaving;
    }

    fn grow(&mut self, total_num_groups: usize) -> Result<()> {
        if u32::try_from(total_num_groups).is_err() {
            return internal_err!("more than {} groups in one partition", u32::MAX);
        }
        self.count = self.count.max(total_num_groups);
        Ok(())
    }
}

impl GroupsAccumulator for RowsGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups)?;
        let batch = self.intake.take(values, opt_filter)?;
        self.append(&batch, group_indices);
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.grow(total_num_groups)?;
        let states = States::new(values)?;
        for (state, group) in group_indices.iter().enumerate() {
            for (column, part) in self.columns.iter_mut().zip(states.columns(state)) {
                column.extend_from_slice(part);
            }
            self.groups.extend(std::iter::repeat_n(*group as u32, states.rows(state)));
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let plan = self.plan(emit_to);
        let mut sink = self.maker.sink();
        let bounds: Vec<(usize, usize)> =
            plan.begins.iter().copied().zip(plan.begins.iter().skip(1).copied()).collect();
        if let ([first, second], false) = (self.columns.as_slice(), self.maker.distinct) {
            // Two columns, the usual case: a row is one integer, which sorts like the row.
            let at = |column: &[f64], row: usize| column.get(row).copied().unwrap_or(0.0);
            let mut pairs = self.scatter(&plan, |row| pair(at(first, row), at(second, row)));
            let (mut left, mut right) = (Vec::new(), Vec::new());
            let mut buckets = Buckets::default();
            for (begin, end) in bounds {
                let group = pairs.get_mut(begin..end).unwrap_or_default();
                buckets.sort(group);
                left.clear();
                right.clear();
                left.extend(group.iter().map(|p| unpair(*p).0));
                right.extend(group.iter().map(|p| unpair(*p).1));
                self.maker.compute(&[&left, &right], &mut sink)?;
            }
        } else {
            let gathered: Vec<Vec<f64>> =
                self.columns.iter().map(|c| self.scatter(&plan, |row| c.get(row).copied().unwrap_or(0.0))).collect();
            let mut group: Vec<Vec<f64>> = vec![Vec::new(); gathered.len()];
            for (begin, end) in bounds {
                for (to, from) in group.iter_mut().zip(&gathered) {
                    to.clear();
                    to.extend_from_slice(from.get(begin..end).unwrap_or_default());
                }
                self.maker.sorted(&mut group, &mut sink)?;
            }
        }
        self.forget(&plan);
        sink.finish()
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let plan = self.plan(emit_to);
        let ends = plan.begins.get(1..).unwrap_or_default();
        let state = |column: &Vec<f64>| -> Result<ArrayRef> {
            let values = self.scatter(&plan, |row| column.get(row).copied().unwrap_or(0.0));
            Ok(Arc::new(lists(values, ends)?))
        };
        let states = self.columns.iter().map(state).collect::<Result<_>>()?;
        self.forget(&plan);
        Ok(states)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let batch = self.intake.take(values, opt_filter)?;
        let len = values.first().map_or(0, |v| v.len());
        let ends: Vec<usize> = match &batch.kept {
            None => (1..=len).collect(),
            Some(kept) => {
                let mut ends = vec![0; len];
                let mut kept = kept.iter().peekable();
                let mut end = 0;
                for (row, slot) in ends.iter_mut().enumerate() {
                    end += usize::from(kept.next_if(|k| **k == row).is_some());
                    *slot = end;
                }
                ends
            }
        };
        let mut columns = vec![Vec::new(); self.intake.width()];
        batch.append(&mut columns);
        columns.into_iter().map(|c| Ok(Arc::new(lists(c, &ends)?) as ArrayRef)).collect()
    }

    fn size(&self) -> usize {
        self.columns.iter().map(|c| c.capacity() * size_of::<f64>()).sum::<usize>()
            + self.groups.capacity() * size_of::<u32>()
    }
}
