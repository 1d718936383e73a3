//! The households of one group, sorted, with its design.

use datafusion_common::Result;

use super::call::Call;
use super::names::{Member, Members, Name, Names};
use super::store::{CHANGED, Fact, Group, Part, Store};
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

/// The households of a group; `None` if it has none.
pub(super) fn households(call: &Call, store: &Store, group: usize) -> Result<Option<Households>> {
    let Some(group) = store.groups.get(group).filter(|g| g.same.len() + g.changed.len() > 0) else { return Ok(None) };
    let units = Ranks::new(&group.units, &store.stratum_names, &store.psu_names);
    let cells = Ranks::new(&group.cells, &store.cell_names, &store.subcell_names);
    let mut same = sorted(&group.same, &units.of, &cells.of);
    let mut changed = sorted(&group.changed, &units.of, &cells.of);
    let line = match group.line {
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
        captured: Some(group.captured.value()).filter(|c| !c.is_nan()),
        cells: group.cells.all.len().max(1),
        strata: Vec::new(),
        units: 0,
        scale: 1.0,
        amid: 0.0,
        alone: call.alone,
        same: Sorted::default(),
        changed: Sorted::default(),
    };
    design(call, group, &units.order, &mut [&mut same, &mut changed], &mut households)?;
    (households.same, households.changed) = (same, changed);
    households.bring_near_one();
    let middle = |rows: &Sorted| rows.without.get(rows.len() / 2).copied();
    households.amid = middle(&households.same).or_else(|| middle(&households.changed)).unwrap_or(0.0);
    Ok(Some(households))
}

/// The members of a group in the order of their names.
struct Ranks {
    /// Their numbers in that order.
    order: Vec<u32>,
    /// The place of each in it.
    of: Vec<u32>,
}

impl Ranks {
    fn new(members: &Members, first: &Names, second: &Names) -> Self {
        let name = |m: &Member| (first.name(m.first), second.name(m.second));
        let mut named: Vec<((Name, Name), u32)> = members.all.iter().map(name).zip(0..).collect();
        named.sort_unstable();
        let order: Vec<u32> = named.into_iter().map(|(_, number)| number).collect();
        let mut of = vec![0u32; order.len()];
        for (rank, number) in (0u32..).zip(&order) {
            if let Some(slot) = of.get_mut(*number as usize) {
                *slot = rank;
            }
        }
        Self { order, of }
    }
}

/// Households in their order.
fn sorted<const WIDTH: usize>(part: &Part<WIDTH>, unit_ranks: &[u32], cell_ranks: &[u32]) -> Sorted {
    let at = |column: &[f64], row: u32| column.get(row as usize).copied().unwrap_or(f64::NAN);
    let first = part.numbers.first().map(Vec::as_slice).unwrap_or_default();
    let mut keys: Vec<(u64, u32)> = first.iter().map(|y| key(*y)).zip(0..).collect();
    keys.sort_unstable_by_key(|(key, _)| *key);
    let rank = |column: &[u32], ranks: &[u32], row: u32| {
        let number = column.get(row as usize).copied().unwrap_or(u32::MAX);
        ranks.get(number as usize).copied().unwrap_or(0)
    };
    // Rows that tie in income go by all else they have, each read once.
    let further = |row: u32| -> ([u64; CHANGED], u32) {
        let unit = u64::from(rank(&part.unit, unit_ranks, row)) << 32;
        let mut all = [unit | u64::from(rank(&part.cell, cell_ranks, row)); CHANGED];
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
        unit: ranks(&part.unit, unit_ranks),
        cell: ranks(&part.cell, cell_ranks),
    }
}

/// Finds the strata; if every household is a unit, gives them their numbers.
fn design(call: &Call, group: &Group, units: &[u32], parts: &mut [&mut Sorted; 2], to: &mut Households) -> Result<()> {
    let stratum = |unit: &u32| group.units.all.get(*unit as usize).map_or(u32::MAX, |m| m.first);
    let fpc = |units: &[u32]| {
        let known = units.iter().filter_map(|u| group.fpc.get(*u as usize));
        call.finite.then(|| known.fold(0.0, |most: f64, fpc| most.max(*fpc)))
    };
    if !call.alone {
        to.units = units.len();
        let strata = units.chunk_by(|a, b| stratum(a) == stratum(b));
        to.strata = strata.map(|s| call.design.stratum(s.len(), fpc(s))).collect::<Result<_>>()?;
        return Ok(());
    }
    // What a household has as its unit is its stratum.
    let outside = |unit: &u32| group.outside.get(*unit as usize).map_or(0, |rows| *rows as usize);
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
