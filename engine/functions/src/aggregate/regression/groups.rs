//! Pairs by group.

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array};
use datafusion_common::Result;
use datafusion_expr::{EmitTo, GroupsAccumulator};
use std::mem::size_of;
use std::sync::Arc;

use super::single::{doubles, moments_at, pairs};
use super::{Moments, Statistic};

/// The moments of many groups.
pub(super) struct PairGroups {
    statistic: Statistic,
    groups: Vec<Moments>,
}

impl PairGroups {
    pub(super) fn new(statistic: Statistic) -> Self {
        Self { statistic, groups: Vec::new() }
    }

    fn grow(&mut self, groups: usize) {
        if groups > self.groups.len() {
            self.groups.resize(groups, Moments::default());
        }
    }
}

fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|f| f.is_valid(row) && f.value(row))
}

fn states(groups: &[Moments]) -> Vec<ArrayRef> {
    let column = |place: usize| -> ArrayRef {
        let part = |m: &Moments| m.numbers().get(place).copied();
        Arc::new(groups.iter().map(part).collect::<Float64Array>())
    };
    (0..Moments::PARTS.len()).map(column).collect()
}

impl GroupsAccumulator for PairGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let groups = &mut self.groups;
        pairs(values, |row, y, x| {
            if passes(opt_filter, row)
                && let Some(moments) = group_indices.get(row).and_then(|g| groups.get_mut(*g))
            {
                moments.add(y, x);
            }
        })
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.grow(total_num_groups);
        let columns = doubles(values)?;
        for (row, group) in group_indices.iter().enumerate() {
            if let Some(moments) = self.groups.get_mut(*group) {
                moments.merge(&moments_at(&columns, row));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.statistic.array(&emit_to.take_needed(&mut self.groups)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(states(&emit_to.take_needed(&mut self.groups)))
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut rows = vec![Moments::default(); values.first().map_or(0, |v| v.len())];
        pairs(values, |row, y, x| {
            if passes(opt_filter, row)
                && let Some(moments) = rows.get_mut(row)
            {
                moments.add(y, x);
            }
        })?;
        Ok(states(&rows))
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<Moments>()
    }
}
