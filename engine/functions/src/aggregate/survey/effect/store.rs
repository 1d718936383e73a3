//! Households of all groups, kept in compact form, those of a group side by side.
//!
//! A household whose income is the same with and without remittances takes three doubles
//! and the number of its sampling unit; the others six. Names of units and cells are kept
//! once.

use arrow::array::{ArrayRef, BooleanArray};
use datafusion_common::{Result, exec_err, internal_datafusion_err, internal_err};

use super::NAME;
use super::call::{Call, Household};
use super::names::{Member, Members, Names};
use crate::aggregate::frame::passing;

/// Columns of every household: income without remittances, weight of persons, weight.
pub(super) const SAME: usize = 3;
/// Of those whose income changes besides: income with remittances, remittances by the scale, remittances.
pub(super) const CHANGED: usize = 6;

/// A fact of a group that its rows repeat.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) enum Fact {
    /// No rows yet.
    #[default]
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

/// Households of one kind in a group.
#[derive(Debug)]
pub(super) struct Part<const WIDTH: usize> {
    pub(super) numbers: [Vec<f64>; WIDTH],
    /// Lines, where they differ within the group.
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

/// A group: its households, and what is known of it.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) same: Part<SAME>,
    pub(super) changed: Part<CHANGED>,
    pub(super) line: Fact,
    pub(super) captured: Fact,
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
    /// Bytes held, as they were counted.
    bytes: usize,
}

/// Households of all groups.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) groups: Vec<Group>,
    pub(super) stratum_names: Names,
    pub(super) psu_names: Names,
    pub(super) cell_names: Names,
    pub(super) subcell_names: Names,
    /// Bytes that the groups hold.
    bytes: usize,
    rows: usize,
}

impl<const WIDTH: usize> Default for Part<WIDTH> {
    fn default() -> Self {
        Self {
            numbers: std::array::from_fn(|_| Vec::new()),
            line: Vec::new(),
            factor: Vec::new(),
            unit: Vec::new(),
            cell: Vec::new(),
        }
    }
}

impl<const WIDTH: usize> Part<WIDTH> {
    /// How many households.
    pub(super) fn len(&self) -> usize {
        self.unit.len()
    }

    fn push(&mut self, numbers: [f64; WIDTH], unit: u32, besides: &Besides) {
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

    fn size(&self) -> usize {
        let doubles: usize = self.numbers.iter().chain([&self.line, &self.factor]).map(Vec::capacity).sum::<usize>();
        doubles * size_of::<f64>() + (self.unit.capacity() + self.cell.capacity()) * size_of::<u32>()
    }
}

impl Group {
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

    /// Learns of a row.
    #[inline]
    pub(super) fn learn(&mut self, line: Fact, captured: Fact) -> Result<()> {
        let (line, both) = (self.line.and(line), self.captured.and(captured));
        if both == Fact::Many {
            let text = |fact: Fact| if fact.value().is_nan() { "NULL".to_owned() } else { fact.value().to_string() };
            return exec_err!(
                "`{NAME}` got {} and {} as `captured`; expected one number for a group, or NULL in all its rows",
                text(self.captured),
                text(captured)
            );
        }
        if line == Fact::Many && !self.lined {
            self.give_lines();
        }
        (self.line, self.captured) = (line, both);
        Ok(())
    }

    /// From now on every household has its line: those so far the one of the group.
    fn give_lines(&mut self) {
        self.same.line = vec![self.line.value(); self.same.len()];
        self.changed.line = vec![self.line.value(); self.changed.len()];
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

    #[inline]
    fn push(&mut self, h: &Household, unit: u32, besides: &Besides) {
        if h.received == 0.0 && h.with == h.without {
            self.same.push([h.with, h.persons, h.weight], unit, besides);
        } else {
            let numbers = [h.without, h.persons, h.weight, h.with, h.share, h.received];
            self.changed.push(numbers, unit, besides);
        }
    }

    /// What tells that its size is another: what its columns can hold, and how many units and cells there are.
    #[inline]
    fn grade(&self) -> (usize, usize, usize) {
        let rows = self.same.unit.capacity() + self.changed.unit.capacity();
        (rows, self.units.all.len() + self.cells.all.len(), usize::from(self.lined) + usize::from(self.reweighted))
    }

    /// By how many bytes it grew since they were counted.
    fn grown(&mut self) -> usize {
        let now = self.size();
        now.saturating_sub(std::mem::replace(&mut self.bytes, now))
    }

    fn size(&self) -> usize {
        self.same.size()
            + self.changed.size()
            + self.units.size()
            + self.cells.size()
            + self.fpc.capacity() * size_of::<f64>()
            + self.outside.capacity() * size_of::<u64>()
    }
}

impl Store {
    /// Makes room for groups, and for rows in all of them.
    pub(super) fn grow(&mut self, groups: usize, rows: usize) -> Result<()> {
        let most = u32::MAX as usize;
        self.rows += rows;
        if groups >= most || self.rows >= most {
            return internal_err!("`{NAME}` keeps fewer than {most} households and groups in one partition");
        }
        if groups > self.groups.len() {
            self.bytes += (groups - self.groups.len()) * size_of::<Group>();
            self.groups.resize_with(groups, Group::default);
        }
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
        self.grow(groups, columns.len())?;
        for row in 0..columns.len() {
            let outside = columns.outside(row);
            let household = if outside.is_some() { None } else { columns.household(row)? };
            let Some(fpc) = outside.or(household.as_ref().map(|h| h.fpc)) else { continue };
            let group = self.groups.get_mut(group_of(row)).ok_or_else(stranger)?;
            let before = group.grade();
            let member = Member {
                first: self.stratum_names.at(&columns.stratum, row),
                second: self.psu_names.at(&columns.psu, row),
            };
            let unit = group.unit(member, fpc, u64::from(outside.is_some()));
            if let Some(household) = household {
                let cell = call.cells.then(|| {
                    let first = self.cell_names.at(&columns.cell, row);
                    let second = self.subcell_names.at(&columns.subcell, row);
                    group.cells.number(Member { first, second })
                });
                group.learn(Fact::One(household.line), Fact::One(household.captured))?;
                if household.without_factor != 1.0 {
                    group.give_factors();
                }
                let line = group.lined.then_some(household.line);
                let factor = group.reweighted.then_some(household.without_factor);
                group.push(&household, unit, &Besides { cell, line, factor });
            }
            if group.grade() != before {
                self.bytes += group.grown();
            }
        }
        Ok(())
    }

    /// Changes a group, and counts what it holds then.
    pub(super) fn change(&mut self, group: usize, change: impl FnOnce(&mut Group) -> Result<()>) -> Result<()> {
        let group = self.groups.get_mut(group).ok_or_else(stranger)?;
        change(group)?;
        self.bytes += group.grown();
        Ok(())
    }

    /// Lets groups before `leaving` go; the others move down.
    pub(super) fn forget(&mut self, leaving: usize) {
        if leaving >= self.groups.len() {
            *self = Self::default();
            return;
        }
        self.groups.drain(..leaving);
        self.bytes = self.groups.iter().map(|g| size_of::<Group>() + g.bytes).sum();
        self.rows = self.groups.iter().map(|g| g.same.len() + g.changed.len()).sum();
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.bytes
            + self.stratum_names.size()
            + self.psu_names.size()
            + self.cell_names.size()
            + self.subcell_names.size()
    }
}

fn stranger() -> datafusion_common::DataFusionError {
    internal_datafusion_err!("a group that is not there")
}
