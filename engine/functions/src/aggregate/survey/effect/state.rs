//! Households on their way between partial and final aggregation: lists by group.

use std::mem::take;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float64Type, UInt32Type, UInt64Type};
use datafusion_common::{Result, internal_datafusion_err};

use super::call::Call;
use super::names::{Member, Members, Name, Names};
use super::store::{CHANGED, Fact, Part, SAME, Store};
use crate::aggregate::frame::{lists_of, state_type_of, values_of};

/// Columns of a part besides its numbers: lines, factors, units, cells.
const BESIDES: usize = 4;
/// Numbers of a unit: name of the stratum, name of the unit, number of units in the population, rows outside
/// the domain.
const UNIT: usize = 6;
/// Numbers of a cell: its two names.
const CELL: usize = 4;

/// The types of the columns: both parts, then units, cells and facts of the group.
pub(super) fn types() -> Vec<DataType> {
    let part = |width: usize| {
        let numbers = std::iter::repeat_n(state_type_of::<Float64Type>(), width + 2);
        numbers.chain(std::iter::repeat_n(state_type_of::<UInt32Type>(), 2))
    };
    let names = std::iter::repeat_n(state_type_of::<UInt64Type>(), 2);
    part(SAME).chain(part(CHANGED)).chain(names).chain([state_type_of::<Float64Type>()]).collect()
}

/// States of groups before `leaving`, which are gone then.
pub(super) fn states(store: &mut Store, leaving: usize) -> Result<Vec<ArrayRef>> {
    let (unit_numbers, units, unit_ends) = by_group(&store.units, leaving);
    let (cell_numbers, cells, cell_ends) = by_group(&store.cells, leaving);
    let name = |names: &Names, number: u32| <[u64; 2]>::from(names.name(number));
    let unit = |number: &u32| {
        let member = member(&store.units, *number);
        let fpc = store.fpc.get(*number as usize).copied().unwrap_or(f64::NAN);
        let (stratum, psu) = (name(&store.stratum_names, member.first), name(&store.psu_names, member.second));
        let outside = store.outside.get(*number as usize).copied().unwrap_or(0);
        stratum.into_iter().chain(psu).chain([fpc.to_bits(), outside])
    };
    let units: Vec<u64> = units.iter().flat_map(unit).collect();
    let cell = |number: &u32| {
        let member = member(&store.cells, *number);
        name(&store.cell_names, member.first).into_iter().chain(name(&store.subcell_names, member.second))
    };
    let cells: Vec<u64> = cells.iter().flat_map(cell).collect();
    let facts: Vec<f64> =
        store.groups.iter().take(leaving).flat_map(|g| [g.line, g.captured].map(doubles)).flatten().collect();
    let fact_ends: Vec<usize> = (1..=leaving).map(|g| g * FACTS).collect();
    let last = [
        list::<UInt64Type>(units, &times(&unit_ends, UNIT))?,
        list::<UInt64Type>(cells, &times(&cell_ends, CELL))?,
        list::<Float64Type>(facts, &fact_ends)?,
    ];
    let mut states = Vec::with_capacity(SAME + CHANGED + 2 * BESIDES + last.len());
    let all = leaving >= store.groups.len();
    for part in [&mut store.same, &mut store.changed] {
        part_states(part, &store.units, leaving, all, [&unit_numbers, &cell_numbers], &mut states)?;
    }
    states.extend(last);
    store.forget(leaving);
    Ok(states)
}

const FACTS: usize = 4;

/// A fact as doubles: which it is, and its value.
fn doubles(fact: Fact) -> [f64; 2] {
    match fact {
        Fact::Unknown => [0.0, 0.0],
        Fact::One(value) => [1.0, value],
        Fact::Many => [2.0, 0.0],
    }
}

fn fact(which: f64, value: f64) -> Fact {
    match which {
        0.0 => Fact::Unknown,
        1.0 => Fact::One(value),
        _ => Fact::Many,
    }
}

fn member(members: &Members, number: u32) -> Member {
    let nobody = Member { group: u32::MAX, first: u32::MAX, second: u32::MAX };
    members.all.get(number as usize).copied().unwrap_or(nobody)
}

fn times(ends: &[usize], width: usize) -> Vec<usize> {
    ends.iter().map(|end| end * width).collect()
}

/// The number of each member within its group, the members by group, and where each group ends.
fn by_group(members: &Members, groups: usize) -> (Vec<u32>, Vec<u32>, Vec<usize>) {
    let mut counts = vec![0usize; groups];
    let mut number = |m: &Member| {
        let Some(count) = counts.get_mut(m.group as usize) else { return u32::MAX };
        *count += 1;
        (*count - 1) as u32
    };
    let numbers: Vec<u32> = members.all.iter().map(&mut number).collect();
    let mut end = 0;
    let ends: Vec<usize> = counts
        .iter()
        .map(|count| {
            end += count;
            end
        })
        .collect();
    let mut sorted = vec![0u32; end];
    for ((old, member), number) in (0u32..).zip(&members.all).zip(&numbers) {
        let group = member.group as usize;
        let begin = group.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        if group < groups
            && let Some(slot) = sorted.get_mut(begin + *number as usize)
        {
            *slot = old;
        }
    }
    (numbers, sorted, ends)
}

fn list<T: ArrowPrimitiveType>(values: Vec<T::Native>, ends: &[usize]) -> Result<ArrayRef> {
    Ok(Arc::new(lists_of::<T>(values, ends)?))
}

/// The columns of a part; if all groups leave, each is let go before the next is made.
fn part_states(
    part: &mut Part,
    units: &Members,
    leaving: usize,
    all: bool,
    [unit_numbers, cell_numbers]: [&[u32]; 2],
    states: &mut Vec<ArrayRef>,
) -> Result<()> {
    let (order, begins) = part.by_group(units, leaving);
    let ends = begins.get(1..).unwrap_or_default();
    let none = vec![0; ends.len()];
    // Households that came group by group are their own state, without a copy.
    let sorted = all && order.len() == part.len() && (0u32..).zip(&order).all(|(place, row)| place == *row);
    for column in part.numbers.iter_mut().chain([&mut part.line, &mut part.factor]) {
        let ends = if column.is_empty() { &none } else { ends };
        let values = match sorted {
            true => take(column),
            false => order.iter().filter_map(|row| column.get(*row as usize).copied()).collect(),
        };
        states.push(list::<Float64Type>(values, ends)?);
        if all {
            *column = Vec::new();
        }
    }
    for (column, numbers) in [(&part.unit, unit_numbers), (&part.cell, cell_numbers)] {
        let ends = if column.is_empty() { &none } else { ends };
        let number = |row: &u32| numbers.get(*column.get(*row as usize)? as usize).copied();
        states.push(list::<UInt32Type>(order.iter().filter_map(number).collect(), ends)?);
    }
    Ok(())
}

/// Takes states in, each into its group.
pub(super) fn merge(store: &mut Store, call: &Call, arrays: &[ArrayRef], groups: &[usize]) -> Result<()> {
    let wrong = || internal_datafusion_err!("the state of a measure lacks a column");
    let (same, rest) = arrays.split_at_checked(SAME + BESIDES).ok_or_else(wrong)?;
    let (changed, rest) = rest.split_at_checked(CHANGED + BESIDES).ok_or_else(wrong)?;
    let [units, cells, facts] = rest else { return Err(wrong()) };
    let rows = |part: &[ArrayRef]| -> Result<usize> {
        let first = part.first().ok_or_else(wrong)?;
        (0..groups.len()).map(|state| Ok(values_of::<Float64Type>(first, state)?.len())).sum()
    };
    store.grow(0, rows(same)?, rows(changed)?, call)?;
    for (state, group) in groups.iter().enumerate() {
        let member = |first: u32, second: u32| Member { group: *group as u32, first, second };
        let name = |high: &u64, low: &u64| -> Name { (*high, *low) };
        let mut line = f64::NAN;
        if let [line_is, line_value, captured_is, captured] = values_of::<Float64Type>(facts, state)? {
            line = *line_value;
            store.learn(*group, fact(*line_is, *line_value), fact(*captured_is, *captured))?;
        }
        let mut unit_numbers = Vec::new();
        for unit in values_of::<UInt64Type>(units, state)?.chunks(UNIT) {
            let [a, b, c, d, fpc, outside] = unit else { return Err(wrong()) };
            let (stratum, psu) = (store.stratum_names.number(name(a, b)), store.psu_names.number(name(c, d)));
            unit_numbers.push(store.unit(member(stratum, psu), f64::from_bits(*fpc), *outside));
        }
        let mut cell_numbers = Vec::new();
        for cell in values_of::<UInt64Type>(cells, state)?.chunks(CELL) {
            let [a, b, c, d] = cell else { return Err(wrong()) };
            let cell = (store.cell_names.number(name(a, b)), store.subcell_names.number(name(c, d)));
            cell_numbers.push(store.cells.number(member(cell.0, cell.1)));
        }
        for part in [same, changed] {
            let factors = part.iter().rev().nth(2).ok_or_else(wrong)?;
            if !values_of::<Float64Type>(factors, state)?.is_empty() {
                store.give_factors();
            }
        }
        let (lined, reweighted) = (store.lined, store.reweighted);
        for (part, columns) in [(&mut store.same, same), (&mut store.changed, changed)] {
            let renumber = |numbers: &[u32], by: &[u32]| -> Vec<u32> {
                numbers.iter().map(|n| by.get(*n as usize).copied().unwrap_or(u32::MAX)).collect()
            };
            let [numbers @ .., lines, factors, units, cells] = columns else { return Err(wrong()) };
            let numbers = numbers.iter().map(|n| values_of::<Float64Type>(n, state)).collect::<Result<Vec<_>>>()?;
            let units = renumber(values_of::<UInt32Type>(units, state)?, &unit_numbers);
            let cells = renumber(values_of::<UInt32Type>(cells, state)?, &cell_numbers);
            let given = values_of::<Float64Type>(lines, state)?;
            let lines = match given {
                _ if !lined => Vec::new(),
                [] => vec![line; units.len()],
                _ => given.to_vec(),
            };
            let given = values_of::<Float64Type>(factors, state)?;
            let factors = match given {
                _ if !reweighted => Vec::new(),
                [] => vec![1.0; units.len()],
                _ => given.to_vec(),
            };
            part.append(&numbers, [&lines, &factors], &units, &cells);
        }
    }
    Ok(())
}
