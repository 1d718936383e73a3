//! How DataFusion keeps households and asks for the effect.

use arrow::array::{ArrayRef, BooleanArray};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::call::Call;
use super::group::households;
use super::result;
use super::state::{merge, states};
use super::store::Store;

/// The households of groups.
pub(super) struct Effect {
    call: Call,
    store: Store,
}

impl std::fmt::Debug for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Effect").field("call", &self.call).finish_non_exhaustive()
    }
}

impl Effect {
    /// No households yet.
    pub(super) fn new(call: Call) -> Self {
        Self { call, store: Store::default() }
    }

    fn leaving(&self, emit_to: EmitTo) -> usize {
        match emit_to {
            EmitTo::All => self.store.groups.len(),
            EmitTo::First(n) => n.min(self.store.groups.len()),
        }
    }

    /// The results of the groups before `groups`.
    fn results(&self, groups: usize) -> Result<ArrayRef> {
        let mut sink = result::sink();
        for group in 0..groups {
            match households(&self.call, &self.store, group)? {
                Some(households) => result::put(&self.call, &households, &mut sink)?,
                None => sink.null(),
            }
        }
        sink.finish()
    }
}

impl GroupsAccumulator for Effect {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let group = |row: usize| group_indices.get(row).copied().unwrap_or(0);
        self.store.take(&self.call, values, group, opt_filter, total_num_groups)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.store.grow(total_num_groups, 0)?;
        merge(&mut self.store, values, group_indices)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let leaving = self.leaving(emit_to);
        let results = self.results(leaving)?;
        self.store.forget(leaving);
        Ok(results)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let leaving = self.leaving(emit_to);
        states(&mut self.store, leaving)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut store = Store::default();
        let rows = values.first().map_or(0, |v| v.len());
        store.take(&self.call, values, |row| row, opt_filter, rows)?;
        states(&mut store, rows)
    }

    fn size(&self) -> usize {
        self.store.size()
    }
}

impl Accumulator for Effect {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.store.take(&self.call, values, |_| 0, None, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        // A window asks again and again; the households stay.
        self.store.grow(1, 0)?;
        ScalarValue::try_from_array(&self.results(1)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.store.grow(1, 0)?;
        states(&mut self.store, 1)?.iter().map(|array| ScalarValue::try_from_array(array, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.store.grow(1, 0)?;
        let groups = vec![0; states.first().map_or(0, |s| s.len())];
        merge(&mut self.store, states, &groups)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.store.size()
    }
}
