//! Households of all groups, kept in compact form.
//!
//! A household whose income is the same with and without remittances takes three doubles
//! and the number of its sampling unit; the others six. Names of units and cells are kept
//! once.

use arrow::array::{ArrayRef, BooleanArray};
use datafusion_common::{Result, exec_err, internal_err};

use super::NAME;
use super::call::{Call, Household};
use super::names::{Member, Members, Names};
use crate::aggregate::frame::passing;

/// Columns of every household: income without remittances, weight of persons, weight.
pub(super) const SAME: usize = 3;
/// Of those whose income changes besides: income with remittances, remittances by the scale, remittances.
pub(super) const CHANGED: usize = 6;

/// A fact of a group that its rows repeat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fact {
    /// No rows yet.
    Unknown,
    /// The same in all rows; NaN for NULL.
    One(f64),
    /// It differs.
    Many,
}

impl Fact {
    /// With another row, or with other rows.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, fact) | (fact, Self::Unknown) => fact,
            (Self::One(a), Self::One(b)) if a == b || (a.is_nan() && b.is_nan()) => self,
            _ => Self::Many,
        }
    }

    /// The one value; NaN if there is none.
    pub(super) fn value(self) -> f64 {
        if let Self::One(value) = self { value } else { f64::NAN }
    }
}

/// What is known of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) line: Fact,
    pub(super) captured: Fact,
}

/// Households of one kind.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) numbers: Vec<Vec<f64>>,
    /// Lines, where they differ within a group.
    pub(super) line: Vec<f64>,
    /// Factors of weights without remittances, if there are some.
    pub(super) factor: Vec<f64>,
    pub(super) unit: Vec<u32>,
    /// Cells, if there are some.
    pub(super) cell: Vec<u32>,
}

/// What only some calls give of a household.
struct Besides {
    cell: Option<u32>,
    line: Option<f64>,
    factor: Option<f64>,
}

/// Households of all groups.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) same: Part,
    pub(super) changed: Part,
    pub(super) groups: Vec<Facts>,
    /// Whether each household has its line.
    pub(super) lined: bool,
    /// Whether each household has its factor: one was not 1.
    pub(super) reweighted: bool,
    pub(super) units: Members,
    /// Number of units in the population of each unit's stratum.
    pub(super) fpc: Vec<f64>,
    /// Rows outside the domain of each unit.
    pub(super) outside: Vec<u64>,
    pub(super) cells: Members,
    pub(super) stratum_names: Names,
    pub(super) psu_names: Names,
    pub(super) cell_names: Names,
    pub(super) subcell_names: Names,
}

impl Part {
    fn new(width: usize) -> Self {
        Self { numbers: vec![Vec::new(); width], ..Self::default() }
    }

    /// How many households.
    pub(super) fn len(&self) -> usize {
        self.unit.len()
    }

    fn push<const N: usize>(&mut self, numbers: [f64; N], unit: u32, besides: &Besides) {
        for (column, number) in self.numbers.iter_mut().zip(numbers) {
            column.push(number);
        }
        self.unit.push(unit);
        self.cell.extend(besides.cell);
        self.line.extend(besides.line);
        self.factor.extend(besides.factor);
    }

    /// Appends rows of another store, of which units and cells have other numbers here.
    pub(super) fn append(&mut self, numbers: &[&[f64]], [line, factor]: [&[f64]; 2], unit: &[u32], cell: &[u32]) {
        for (column, more) in self.numbers.iter_mut().zip(numbers) {
            column.extend_from_slice(more);
        }
        self.unit.extend_from_slice(unit);
        self.cell.extend_from_slice(cell);
        self.line.extend_from_slice(line);
        self.factor.extend_from_slice(factor);
    }

    fn reserve(&mut self, rows: usize, cells: bool, factors: bool) {
        self.numbers.iter_mut().for_each(|c| c.reserve(rows));
        self.unit.reserve(rows);
        self.cell.reserve(if cells { rows } else { 0 });
        self.factor.reserve(if factors { rows } else { 0 });
    }

    /// Rows by group, in the order they came, of groups before `groups`; and where each begins.
    pub(super) fn by_group(&self, units: &Members, groups: usize) -> (Vec<u32>, Vec<usize>) {
        let mut begins = vec![0usize; groups + 1];
        for unit in &self.unit {
            if let Some(count) = begins.get_mut(units.group(*unit).saturating_add(1)) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        let mut next = begins.clone();
        let mut order = vec![0u32; sum];
        for (row, unit) in self.unit.iter().enumerate() {
            let group = units.group(*unit);
            if group < groups
                && let Some(next) = next.get_mut(group)
                && let Some(slot) = order.get_mut(*next)
            {
                *slot = row as u32;
                *next += 1;
            }
        }
        (order, begins)
    }

    fn size(&self) -> usize {
        let doubles: usize = self.numbers.iter().chain([&self.line, &self.factor]).map(Vec::capacity).sum::<usize>();
        doubles * size_of::<f64>() + (self.unit.capacity() + self.cell.capacity()) * size_of::<u32>()
    }

    fn forget(&mut self, units: &[u32], cells: &[u32]) {
        let new = |numbers: &[u32], old: u32| numbers.get(old as usize).copied().unwrap_or(u32::MAX);
        let stays: Vec<bool> = self.unit.iter().map(|unit| new(units, *unit) != u32::MAX).collect();
        let keep = |column: &mut Vec<f64>| {
            let mut stays = stays.iter();
            column.retain(|_| stays.next().copied().unwrap_or(false));
        };
        self.numbers.iter_mut().for_each(keep);
        keep(&mut self.line);
        keep(&mut self.factor);
        for (column, numbers) in [(&mut self.unit, units), (&mut self.cell, cells)] {
            column.iter_mut().for_each(|old| *old = new(numbers, *old));
            column.retain(|new| *new != u32::MAX);
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            same: Part::new(SAME),
            changed: Part::new(CHANGED),
            groups: Vec::new(),
            lined: false,
            reweighted: false,
            units: Members::default(),
            fpc: Vec::new(),
            outside: Vec::new(),
            cells: Members::default(),
            stratum_names: Names::default(),
            psu_names: Names::default(),
            cell_names: Names::default(),
            subcell_names: Names::default(),
        }
    }
}

impl Store {
    /// Makes room for groups and rows.
    pub(super) fn grow(&mut self, groups: usize, same: usize, changed: usize, call: &Call) -> Result<()> {
        let most = u32::MAX as usize;
        if groups >= most || self.same.len() + same >= most || self.changed.len() + changed >= most {
            return internal_err!("`{NAME}` keeps fewer than {most} households and groups in one partition");
        }
        if groups > self.groups.len() {
            self.groups.resize(groups, Facts { line: Fact::Unknown, captured: Fact::Unknown });
        }
        self.same.reserve(same, call.cells, self.reweighted);
        self.changed.reserve(changed, call.cells, self.reweighted);
        Ok(())
    }

    /// Takes a batch of arguments in.
    pub(super) fn take(
        &mut self,
        call: &Call,
        arrays: &[ArrayRef],
        group_of: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        let passes = passing(filter);
        let columns = call.columns(arrays, passes.as_ref())?;
        self.grow(groups, 0, 0, call)?;
        if self.same.len().max(self.changed.len()) + columns.len() >= u32::MAX as usize {
            return internal_err!("`{NAME}` keeps fewer than {} households in one partition", u32::MAX);
        }
        for row in 0..columns.len() {
            let outside = columns.outside(row);
            let household = if outside.is_some() { None } else { columns.household(row)? };
            let Some(fpc) = outside.or(household.as_ref().map(|h| h.fpc)) else { continue };
            let group = group_of(row);
            let stratum = self.stratum_names.at(&columns.stratum, row);
            let psu = self.psu_names.at(&columns.psu, row);
            let member = Member { group: group as u32, first: stratum, second: psu };
            let unit = self.unit(member, fpc, u64::from(outside.is_some()));
            let Some(household) = household else { continue };
            let cell = call.cells.then(|| {
                let first = self.cell_names.at(&columns.cell, row);
                let second = self.subcell_names.at(&columns.subcell, row);
                self.cells.number(Member { group: group as u32, first, second })
            });
            self.learn(group, Fact::One(household.line), Fact::One(household.captured))?;
            let line = self.lined.then_some(household.line);
            if household.without_factor != 1.0 {
                self.give_factors();
            }
            let factor = self.reweighted.then_some(household.without_factor);
            self.push(&household, unit, &Besides { cell, line, factor });
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, h: &Household, unit: u32, besides: &Besides) {
        if h.received == 0.0 && h.with == h.without {
            self.same.push([h.with, h.persons, h.weight], unit, besides);
        } else {
            let numbers = [h.without, h.persons, h.weight, h.with, h.share, h.received];
            self.changed.push(numbers, unit, besides);
        }
    }

    /// The number of a unit, of which there are so many in the population; so many rows of it are outside
    /// the domain.
    #[inline]
    pub(super) fn unit(&mut self, member: Member, fpc: f64, outside: u64) -> u32 {
        let unit = self.units.number(member);
        match self.outside.get_mut(unit as usize) {
            Some(known) => *known += outside,
            None => self.outside.push(outside),
        }
        match self.fpc.get_mut(unit as usize) {
            Some(known) => *known = known.max(fpc),
            None => self.fpc.push(fpc),
        }
        unit
    }

    /// Learns of a row of a group.
    #[inline]
    pub(super) fn learn(&mut self, group: usize, line: Fact, captured: Fact) -> Result<()> {
        let Some(facts) = self.groups.get(group).copied() else { return internal_err!("a group that is not there") };
        let both = Facts { line: facts.line.and(line), captured: facts.captured.and(captured) };
        if both.captured == Fact::Many {
            let text = |fact: Fact| if fact.value().is_nan() { "NULL".to_owned() } else { fact.value().to_string() };
            return exec_err!(
                "`{NAME}` got {} and {} as `captured`; expected one number for a group, or NULL in all its rows",
                text(facts.captured),
                text(captured)
            );
        }
        if both.line == Fact::Many && !self.lined {
            self.give_lines();
        }
        if let Some(facts) = self.groups.get_mut(group) {
            *facts = both;
        }
        Ok(())
    }

    /// From now on every household has its line: those so far the one of their group.
    fn give_lines(&mut self) {
        let line = |unit: &u32| self.groups.get(self.units.group(*unit)).map_or(f64::NAN, |g| g.line.value());
        self.same.line = self.same.unit.iter().map(line).collect();
        self.changed.line = self.changed.unit.iter().map(line).collect();
        self.lined = true;
    }

    /// From now on every household has its factor: those so far 1.
    pub(super) fn give_factors(&mut self) {
        if !self.reweighted {
            self.same.factor = vec![1.0; self.same.len()];
            self.changed.factor = vec![1.0; self.changed.len()];
            self.reweighted = true;
        }
    }

    /// Lets groups before `leaving` go; the others move down.
    pub(super) fn forget(&mut self, leaving: usize) {
        if leaving >= self.groups.len() {
            *self = Self::default();
            return;
        }
        let (units, cells) = (self.units.forget(leaving), self.cells.forget(leaving));
        let mut kept = units.iter();
        self.fpc.retain(|_| kept.next().is_some_and(|new| *new != u32::MAX));
        let mut kept = units.iter();
        self.outside.retain(|_| kept.next().is_some_and(|new| *new != u32::MAX));
        self.same.forget(&units, &cells);
        self.changed.forget(&units, &cells);
        self.groups.drain(..leaving);
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.same.size()
            + self.changed.size()
            + self.units.size()
            + self.cells.size()
            + self.fpc.capacity() * size_of::<f64>()
            + self.outside.capacity() * size_of::<u64>()
            + self.groups.capacity() * size_of::<Facts>()
            + self.stratum_names.size()
            + self.psu_names.size()
            + self.cell_names.size()
            + self.subcell_names.size()
    }
}
