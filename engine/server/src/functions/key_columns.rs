//! Names of the columns that an array of numbers stands for, as keys and indexes have them.
//!
//! The rewriter puts these in place of subqueries that collect the names from `pg_attribute`.

use std::sync::Arc;

use super::call::{Answer, Call, Definition, Returns};
use super::definitions::relation;
use crate::catalogue::{Cell, columns_of_shape};

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition::strict("envoi_key_columns", Returns::Names, in_order),
    Definition::strict("envoi_key_columns_by_number", Returns::Names, by_number),
];

/// In the order of the array.
fn in_order(call: &Call<'_>) -> Answer {
    Ok(names(call, numbers(call)))
}

/// In the order of the relation's columns, each once.
fn by_number(call: &Call<'_>) -> Answer {
    let mut numbers = numbers(call);
    numbers.sort_unstable();
    numbers.dedup();
    Ok(names(call, numbers))
}

fn numbers(call: &Call<'_>) -> Vec<i64> {
    let number = |cell: &Cell| match cell {
        Cell::Int(number) => Some(*number),
        Cell::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    call.list(1).unwrap_or_default().iter().filter_map(number).collect()
}

/// NULL where no number is one of a column, as of an aggregate without rows.
fn names(call: &Call<'_>, numbers: Vec<i64>) -> Cell {
    let Some(oid) = relation(call, 0) else { return Cell::Null };
    let schema = match call.snapshot.table(oid) {
        Some(table) => Arc::clone(&table.relation.columns),
        None => match columns_of_shape(oid) {
            Some(schema) => schema,
            None => return Cell::Null,
        },
    };
    let name = |number: i64| {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        schema.fields().get(place).map(|f| Cell::from(f.name().as_str()))
    };
    let names: Vec<Cell> = numbers.into_iter().filter_map(name).collect();
    if names.is_empty() { Cell::Null } else { Cell::List(names) }
}
