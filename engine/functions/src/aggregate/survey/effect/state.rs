//! Households on their way between partial and final aggregation: lists by group.

use std::mem::take;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float64Type, UInt32Type, UInt64Type};
use datafusion_common::{Result, internal_datafusion_err};

use super::names::{Member, Name, Names};
use super::store::{CHANGED, Fact, Group, Part, SAME, Store};
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
    let mut states = Vec::with_capacity(SAME + CHANGED + 2 * BESIDES + 3);
    let mut groups: Vec<&mut Group> = store.groups.iter_mut().take(leaving).collect();
    part_states(&mut groups, |g| &mut g.same, &mut states)?;
    part_states(&mut groups, |g| &mut g.changed, &mut states)?;
    let name = |names: &Names, number: u32| <[u64; 2]>::from(names.name(number));
    let units = groups.iter().map(|g| {
        let numbers = g.units.all.iter().zip(&g.fpc).zip(&g.outside);
        let unit = |((m, fpc), outside): ((&Member, &f64), &u64)| {
            let (stratum, psu) = (name(&store.stratum_names, m.first), name(&store.psu_names, m.second));
            stratum.into_iter().chain(psu).chain([fpc.to_bits(), *outside])
        };
        numbers.flat_map(unit).collect()
    });
    states.push(lists::<UInt64Type>(units)?);
    let cells = groups.iter().map(|g| {
        let cell =
            |m: &Member| name(&store.cell_names, m.first).into_iter().chain(name(&store.subcell_names, m.second));
        g.cells.all.iter().flat_map(cell).collect()
    });
    states.push(lists::<UInt64Type>(cells)?);
    let facts = groups.iter().map(|g| [g.line, g.captured].map(doubles).concat());
    states.push(lists::<Float64Type>(facts)?);
    store.forget(leaving);
    Ok(states)
}

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

/// One list a group.
fn lists<T: ArrowPrimitiveType>(groups: impl Iterator<Item = Vec<T::Native>>) -> Result<ArrayRef> {
    let (mut values, mut ends) = (Vec::new(), Vec::new());
    for group in groups {
        // Of one group its column is the state, without a copy.
        if values.is_empty() {
            values = group;
        } else {
            values.extend_from_slice(&group);
        }
        ends.push(values.len());
    }
    Ok(Arc::new(lists_of::<T>(values, &ends)?))
}

/// The columns of a part, of which each is let go before the next is made.
fn part_states<const WIDTH: usize>(
    groups: &mut [&mut Group],
    of: fn(&mut Group) -> &mut Part<WIDTH>,
    states: &mut Vec<ArrayRef>,
) -> Result<()> {
    for place in 0..WIDTH {
        let column = |g: &mut &mut Group| of(g).numbers.get_mut(place).map(take).unwrap_or_default();
        states.push(lists::<Float64Type>(groups.iter_mut().map(column))?);
    }
    states.push(lists::<Float64Type>(groups.iter_mut().map(|g| take(&mut of(g).line)))?);
    states.push(lists::<Float64Type>(groups.iter_mut().map(|g| take(&mut of(g).factor)))?);
    states.push(lists::<UInt32Type>(groups.iter_mut().map(|g| take(&mut of(g).unit)))?);
    states.push(lists::<UInt32Type>(groups.iter_mut().map(|g| take(&mut of(g).cell)))?);
    Ok(())
}

/// Takes states in, each into its group.
pub(super) fn merge(store: &mut Store, arrays: &[ArrayRef], groups: &[usize]) -> Result<()> {
    let wrong = || internal_datafusion_err!("the state of a measure lacks a column");
    let (same, rest) = arrays.split_at_checked(SAME + BESIDES).ok_or_else(wrong)?;
    let (changed, rest) = rest.split_at_checked(CHANGED + BESIDES).ok_or_else(wrong)?;
    let [units, cells, facts] = rest else { return Err(wrong()) };
    for (state, group) in groups.iter().enumerate() {
        let name = |high: &u64, low: &u64| -> Name { (*high, *low) };
        let mut members = Vec::new();
        for unit in values_of::<UInt64Type>(units, state)?.chunks(UNIT) {
            let [a, b, c, d, fpc, outside] = unit else { return Err(wrong()) };
            let first = store.stratum_names.number(name(a, b));
            let member = Member { first, second: store.psu_names.number(name(c, d)) };
            members.push((member, f64::from_bits(*fpc), *outside));
        }
        let mut named = Vec::new();
        for cell in values_of::<UInt64Type>(cells, state)?.chunks(CELL) {
            let [a, b, c, d] = cell else { return Err(wrong()) };
            let first = store.cell_names.number(name(a, b));
            named.push(Member { first, second: store.subcell_names.number(name(c, d)) });
        }
        let rows = |part: &[ArrayRef]| -> Result<usize> {
            Ok(values_of::<Float64Type>(part.first().ok_or_else(wrong)?, state)?.len())
        };
        store.grow(0, rows(same)? + rows(changed)?)?;
        store.change(*group, |g| {
            let mut line = f64::NAN;
            if let [line_is, line_value, captured_is, captured] = values_of::<Float64Type>(facts, state)? {
                line = *line_value;
                g.learn(fact(*line_is, *line_value), fact(*captured_is, *captured))?;
            }
            let units: Vec<u32> = members.iter().map(|(m, fpc, outside)| g.unit(*m, *fpc, *outside)).collect();
            let cells: Vec<u32> = named.iter().map(|m| g.cells.number(*m)).collect();
            for part in [same, changed] {
                let factors = part.iter().rev().nth(2).ok_or_else(wrong)?;
                if !values_of::<Float64Type>(factors, state)?.is_empty() {
                    g.give_factors();
                }
            }
            let given = (g.lined.then_some(line), g.reweighted.then_some(1.0));
            append(&mut g.same, same, state, given, [&units, &cells])?;
            append(&mut g.changed, changed, state, given, [&units, &cells])
        })?;
    }
    Ok(())
}

/// Appends a state to the households of a group: with lines and factors, if the group has them; where the state has
/// one for all, that one.
fn append<const WIDTH: usize>(
    part: &mut Part<WIDTH>,
    columns: &[ArrayRef],
    state: usize,
    (line, factor): (Option<f64>, Option<f64>),
    [unit_numbers, cell_numbers]: [&[u32]; 2],
) -> Result<()> {
    let [numbers @ .., lines, factors, units, cells] = columns else {
        return Err(internal_datafusion_err!("the state of a measure lacks a column"));
    };
    let renumber = |numbers: &[u32], by: &[u32]| -> Vec<u32> {
        numbers.iter().map(|n| by.get(*n as usize).copied().unwrap_or(u32::MAX)).collect()
    };
    let numbers = numbers.iter().map(|n| values_of::<Float64Type>(n, state)).collect::<Result<Vec<_>>>()?;
    let units = renumber(values_of::<UInt32Type>(units, state)?, unit_numbers);
    let cells = renumber(values_of::<UInt32Type>(cells, state)?, cell_numbers);
    let each = |given: &ArrayRef, all: Option<f64>| -> Result<Vec<f64>> {
        Ok(match (all, values_of::<Float64Type>(given, state)?) {
            (None, _) => Vec::new(),
            (Some(one), []) => vec![one; units.len()],
            (Some(_), given) => given.to_vec(),
        })
    };
    part.append(&numbers, [&each(lines, line)?, &each(factors, factor)?], &units, &cells);
    Ok(())
}
