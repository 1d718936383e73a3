//! The households of one group, sorted, with its design.

use datafusion_common::Result;

use super::call::Call;
use super::names::{Member, NAMELESS, Name};
use super::store::{CHANGED, Fact, Part, Store};
use crate::aggregate::frame::key;
use crate::aggregate::inequality::near_one;
use crate::aggregate::survey::design::Stratum;

/// What the poverty line of a group is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Line {
    /// Relative to the incomes.
    Relative,
    /// One for all households.
    One(f64),
    /// Each household has its own.
    Each,
    /// Not there, for some or all of them.
    Missing,
    /// Zero or less, for some or all of them.
    Nothing,
}

/// Households whose income is the same with and without remittances, or those of which it changes,
/// in ascending order of income without; rows that tie are in the order of all they have.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Income without remittances.
    pub(super) without: Vec<f64>,
    pub(super) persons: Vec<f64>,
    pub(super) weight: Vec<f64>,
    /// The next three of households whose income changes alone.
    pub(super) with: Vec<f64>,
    pub(super) share: Vec<f64>,
    pub(super) received: Vec<f64>,
    pub(super) line: Vec<f64>,
    /// What weights are multiplied by without remittances; empty if they stay.
    pub(super) factor: Vec<f64>,
    pub(super) unit: Vec<u32>,
    pub(super) cell: Vec<u32>,
}

/// The households of a group.
#[derive(Debug)]
pub(super) struct Households {
    pub(super) same: Sorted,
    pub(super) changed: Sorted,
    /// The design: units of a stratum have numbers side by side.
    pub(super) strata: Vec<Stratum>,
    pub(super) units: usize,
    /// How many cells there are.
    pub(super) cells: usize,
    pub(super) line: Line,
    /// Share of remittances that the survey captures, if it is known.
    pub(super) captured: Option<f64>,
    /// What incomes were multiplied by, a power of two: 1 unless they are huge or tiny.
    pub(super) scale: f64,
    /// An income amid the others: sums around it lose little to rounding.
    pub(super) amid: f64,
    /// Whether every household is a unit.
    pub(super) alone: bool,
}

/// The rows of all groups by group, and units by name.
pub(super) struct Ranked<'a> {
    store: &'a Store,
    /// Units by group, stratum and name.
    units: Vec<u32>,
    /// Where the units of each group begin among them.
    unit_begins: Vec<usize>,
    /// The place of each unit among those of its group, and of each cell.
    ranks: Vec<u32>,
    cell_ranks: Vec<u32>,
    cell_counts: Vec<usize>,
    same: (Vec<u32>, Vec<usize>),
    changed: (Vec<u32>, Vec<usize>),
}

impl<'a> Ranked<'a> {
    /// Brings rows and units of the groups before `groups` together.
    pub(super) fn new(store: &'a Store, groups: usize) -> Self {
        let unit_name = |unit: u32| -> (u32, Name, Name) {
            let Some(m) = store.units.all.get(unit as usize) else { return (u32::MAX, NAMELESS, NAMELESS) };
            (m.group, store.stratum_names.name(m.first), store.psu_names.name(m.second))
        };
        let mut named: Vec<((u32, Name, Name), u32)> =
            (0..store.units.all.len() as u32).map(|unit| (unit_name(unit), unit)).collect();
        named.sort_unstable();
        let mut ranks = vec![0u32; named.len()];
        let mut unit_begins = vec![0usize; groups + 1];
        for of_group in named.chunk_by(|a, b| a.0.0 == b.0.0) {
            for (rank, (_, unit)) in (0u32..).zip(of_group) {
                if let Some(slot) = ranks.get_mut(*unit as usize) {
                    *slot = rank;
                }
            }
            let group = of_group.first().map_or(0, |u| u.0.0 as usize);
            if let Some(count) = unit_begins.get_mut(group + 1) {
                *count = of_group.len();
            }
        }
        let mut sum = 0;
        for begin in &mut unit_begins {
            sum += *begin;
            *begin = sum;
        }
        let cell_name = |m: &Member| (m.group, store.cell_names.name(m.first), store.subcell_names.name(m.second));
        let mut named_cells: Vec<((u32, Name, Name), u32)> =
            (0u32..).zip(&store.cells.all).map(|(cell, m)| (cell_name(m), cell)).collect();
        named_cells.sort_unstable();
        let mut cell_ranks = vec![0u32; named_cells.len()];
        let mut cell_counts = vec![0usize; groups];
        for ((group, ..), cell) in &named_cells {
            if let (Some(rank), Some(count)) =
                (cell_ranks.get_mut(*cell as usize), cell_counts.get_mut(*group as usize))
            {
                *rank = *count as u32;
                *count += 1;
            }
        }
        Self {
            store,
            units: named.into_iter().map(|(_, unit)| unit).collect(),
            unit_begins,
            ranks,
            cell_ranks,
            cell_counts,
            same: store.same.by_group(&store.units, groups),
            changed: store.changed.by_group(&store.units, groups),
        }
    }

    /// The households of a group; `None` if it has none.
    pub(super) fn households(&self, call: &Call, group: usize) -> Result<Option<Households>> {
        let (mut same, mut changed) =
            (self.sorted(&self.store.same, &self.same, group), self.sorted(&self.store.changed, &self.changed, group));
        let Some(facts) = self.store.groups.get(group).filter(|_| same.len() + changed.len() > 0) else {
            return Ok(None);
        };
        let line = match facts.line {
            _ if call.relative.is_some() => Line::Relative,
            Fact::One(line) if line <= 0.0 => Line::Nothing,
            Fact::One(line) if line > 0.0 => Line::One(line),
            Fact::Many => {
                let lines = || same.line.iter().chain(&changed.line);
                match () {
                    () if lines().any(|l| l.is_nan()) => Line::Missing,
                    () if lines().any(|l| *l <= 0.0) => Line::Nothing,
                    () => Line::Each,
                }
            }
            _ => Line::Missing,
        };
        let mut households = Households {
            line,
            captured: Some(facts.captured.value()).filter(|c| !c.is_nan()),
            cells: self.cell_counts.get(group).copied().unwrap_or(0).max(1),
            strata: Vec::new(),
            units: 0,
            scale: 1.0,
            amid: 0.0,
            alone: call.alone,
            same: Sorted::default(),
            changed: Sorted::default(),
        };
        self.design(call, group, &mut [&mut same, &mut changed], &mut households)?;
        (households.same, households.changed) = (same, changed);
        households.bring_near_one();
        let middle = |rows: &Sorted| rows.without.get(rows.len() / 2).copied();
        households.amid = middle(&households.same).or_else(|| middle(&households.changed)).unwrap_or(0.0);
        Ok(Some(households))
    }

    /// Rows of a group in their order.
    fn sorted(&self, part: &Part, (order, begins): &(Vec<u32>, Vec<usize>), group: usize) -> Sorted {
        let bounds = (begins.get(group).copied(), begins.get(group + 1).copied());
        let (Some(begin), Some(end)) = bounds else { return Sorted::default() };
        let rows = order.get(begin..end).unwrap_or_default();
        let at = |column: &[f64], row: u32| column.get(row as usize).copied().unwrap_or(f64::NAN);
        let first = part.numbers.first().map(Vec::as_slice).unwrap_or_default();
        let mut keys: Vec<(u64, u32)> = rows.iter().map(|row| (key(at(first, *row)), *row)).collect();
        keys.sort_unstable_by_key(|(key, _)| *key);
        let rank = |column: &[u32], ranks: &[u32], row: u32| {
            let number = column.get(row as usize).copied().unwrap_or(u32::MAX);
            ranks.get(number as usize).copied().unwrap_or(0)
        };
        // Rows that tie in income go by all else they have, each read once.
        let further = |row: u32| -> ([u64; CHANGED], u32) {
            let unit = u64::from(rank(&part.unit, &self.ranks, row)) << 32;
            let mut all = [unit | u64::from(rank(&part.cell, &self.cell_ranks, row)); CHANGED];
            for (slot, column) in all.iter_mut().zip(part.numbers.iter().skip(1)) {
                *slot = key(at(column, row));
            }
            (all, row)
        };
        let mut tied_rows = Vec::new();
        for tied in keys.chunk_by_mut(|a, b| a.0 == b.0).filter(|t| t.len() > 1) {
            tied_rows.clear();
            tied_rows.extend(tied.iter().map(|(_, row)| further(*row)));
            if part.line.is_empty() && part.factor.is_empty() {
                tied_rows.sort_unstable();
            } else {
                let besides = |row: u32| [&part.line, &part.factor].map(|column| key(at(column, row)));
                tied_rows.sort_unstable_by_key(|(all, row)| (*all, besides(*row)));
            }
            for ((_, row), (_, sorted)) in tied.iter_mut().zip(&tied_rows) {
                *row = *sorted;
            }
        }
        let numbers = |place: usize| -> Vec<f64> {
            let Some(column) = part.numbers.get(place) else { return Vec::new() };
            keys.iter().map(|(_, row)| at(column, *row)).collect()
        };
        let ranks = |column: &[u32], by: &[u32]| keys.iter().map(|(_, row)| rank(column, by, *row)).collect();
        Sorted {
            without: numbers(0),
            persons: numbers(1),
            weight: numbers(2),
            with: numbers(3),
            share: numbers(4),
            received: numbers(5),
            line: keys.iter().filter_map(|(_, row)| part.line.get(*row as usize).copied()).collect(),
            factor: keys.iter().filter_map(|(_, row)| part.factor.get(*row as usize).copied()).collect(),
            unit: ranks(&part.unit, &self.ranks),
            cell: ranks(&part.cell, &self.cell_ranks),
        }
    }

    /// Finds the strata; if every household is a unit, gives them their numbers.
    fn design(&self, call: &Call, group: usize, parts: &mut [&mut Sorted; 2], to: &mut Households) -> Result<()> {
        let bounds = (self.unit_begins.get(group).copied(), self.unit_begins.get(group + 1).copied());
        let (Some(begin), Some(end)) = bounds else { return Ok(()) };
        let units = self.units.get(begin..end).unwrap_or_default();
        let stratum = |unit: &u32| self.store.units.all.get(*unit as usize).map_or(u32::MAX, |m| m.first);
        let fpc = |units: &[u32]| {
            let known = units.iter().filter_map(|u| self.store.fpc.get(*u as usize));
            call.finite.then(|| known.fold(0.0, |most: f64, fpc| most.max(*fpc)))
        };
        if !call.alone {
            to.units = units.len();
            let strata = units.chunk_by(|a, b| stratum(a) == stratum(b));
            to.strata = strata.map(|s| call.design.stratum(s.len(), fpc(s))).collect::<Result<_>>()?;
            return Ok(());
        }
        // What a household has as its unit is its stratum.
        let outside = |unit: &u32| self.store.outside.get(*unit as usize).map_or(0, |rows| *rows as usize);
        let mut counts: Vec<usize> = units.iter().map(outside).collect();
        for unit in parts.iter().flat_map(|p| &p.unit) {
            if let Some(count) = counts.get_mut(*unit as usize) {
                *count += 1;
            }
        }
        let strata = counts.iter().zip(units.chunks(1));
        to.strata = strata.map(|(count, unit)| call.design.stratum(*count, fpc(unit))).collect::<Result<_>>()?;
        to.units = counts.iter().sum();
        let mut begin = 0;
        let mut next: Vec<usize> = counts.iter().map(|count| (begin, begin += count).0).collect();
        for unit in parts.iter_mut().flat_map(|p| &mut p.unit) {
            if let Some(next) = next.get_mut(*unit as usize) {
                *unit = *next as u32;
                *next += 1;
            }
        }
        Ok(())
    }
}

impl Sorted {
    /// How many households.
    pub(super) fn len(&self) -> usize {
        self.unit.len()
    }
}

impl Households {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.same.len() + self.changed.len()
    }

    /// Multiplies incomes or weights so huge or tiny that their products would leave the range of doubles.
    fn bring_near_one(&mut self) {
        let factor = |columns: &[&[f64]]| {
            let largest = columns.iter().flat_map(|c| c.iter()).fold(0.0, |most: f64, v| most.max(v.abs()));
            if largest == 0.0 || (1e-100..1e100).contains(&largest) { 1.0 } else { near_one(largest) }
        };
        let (same, changed) = (&mut self.same, &mut self.changed);
        let multiply = |columns: &mut [&mut Vec<f64>], by: f64| {
            if by != 1.0 {
                columns.iter_mut().flat_map(|c| c.iter_mut()).for_each(|v| *v *= by);
            }
        };
        let by = factor(&[&same.persons, &changed.persons, &same.weight, &changed.weight]);
        multiply(&mut [&mut same.persons, &mut changed.persons, &mut same.weight, &mut changed.weight], by);
        let by = factor(&[&changed.received]);
        multiply(&mut [&mut changed.received], by);
        let by = factor(&[&same.without, &changed.without, &changed.with, &changed.share]);
        let amounts = [&mut same.without, &mut same.line, &mut changed.without, &mut changed.with];
        amounts.into_iter().chain([&mut changed.share, &mut changed.line]).for_each(|c| multiply(&mut [c], by));
        if let Line::One(line) = &mut self.line {
            *line *= by;
        }
        self.scale = by;
    }
}
