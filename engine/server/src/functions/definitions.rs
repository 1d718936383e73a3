//! Definitions of views, keys, indexes and functions, and names of types.

use super::call::{Answer, Call, Definition, Returns};
use crate::catalogue::{
    Cell, Procedure, Snapshot, foreign_definition, format_type, index_column, index_definition, primary_definition,
    view_definition,
};

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition::lenient("format_type", Returns::Text, type_name),
    Definition::strict("pg_get_viewdef", Returns::Text, view),
    Definition::strict("pg_get_constraintdef", Returns::Text, constraint),
    Definition::strict("pg_get_indexdef", Returns::Text, index),
    Definition::strict("pg_get_function_result", Returns::Text, result),
    Definition::strict("pg_get_function_arguments", Returns::Text, arguments),
    Definition::strict("pg_get_function_identity_arguments", Returns::Text, arguments),
];

fn type_name(call: &Call<'_>) -> Answer {
    let modifier = call.number(1).and_then(|m| i32::try_from(m).ok());
    Ok(call.oid(0).map(|oid| format_type(oid, modifier)).into())
}

/// The oid of a relation, given as such or by its name.
pub(super) fn relation(call: &Call<'_>, place: usize) -> Option<u32> {
    call.oid(place).or_else(|| super::casts::find_relation(call.snapshot, call.text(place)?))
}

fn view(call: &Call<'_>) -> Answer {
    let table = relation(call, 0).and_then(|oid| call.snapshot.table(oid));
    Ok(table.and_then(|t| view_definition(&t.relation)).into())
}

fn constraint(call: &Call<'_>) -> Answer {
    let snapshot: &Snapshot = call.snapshot;
    let Some(oid) = call.oid(0) else { return Ok(Cell::Null) };
    if let Some((table, key)) = snapshot.key(oid) {
        return Ok(primary_definition(table, key).into());
    }
    Ok(snapshot.foreign(oid).and_then(|(table, key)| foreign_definition(snapshot, table, key)).into())
}

/// All of an index, or the column that the second argument numbers.
fn index(call: &Call<'_>) -> Answer {
    let Some((table, key)) = call.oid(0).and_then(|oid| call.snapshot.indexed(oid)) else { return Ok(Cell::Null) };
    let number = if call.count() > 1 { call.number(1).and_then(|n| i32::try_from(n).ok()).unwrap_or(0) } else { 0 };
    if number != 0 {
        return Ok(index_column(table, key, number).unwrap_or_default().into());
    }
    let short = call.count() > 2 && call.cell(2) == &Cell::Bool(true);
    Ok(index_definition(call.snapshot, table, key, short).into())
}

fn result(call: &Call<'_>) -> Answer {
    let Some(function) = call.oid(0).and_then(|oid| call.snapshot.procedure(oid)) else { return Ok(Cell::Null) };
    if function.kind == "p" {
        return Ok(Cell::Null);
    }
    let columns = function.modes.iter().any(|m| m == "t");
    if columns {
        let shown = shown(function, |mode| mode == "t", false);
        return Ok(format!("TABLE({shown})").into());
    }
    let set = if function.returns_set { "SETOF " } else { "" };
    Ok(format!("{set}{}", format_type(function.returns, None)).into())
}

fn arguments(call: &Call<'_>) -> Answer {
    let Some(function) = call.oid(0).and_then(|oid| call.snapshot.procedure(oid)) else { return Ok(Cell::Null) };
    Ok(shown(function, |mode| mode != "t", true).into())
}

/// Arguments of some modes with their names and types.
fn shown(function: &Procedure, of: impl Fn(&str) -> bool, modes: bool) -> String {
    let types = if function.all_arguments.is_empty() { &function.arguments } else { &function.all_arguments };
    let one = |(place, oid): (usize, &u32)| {
        let mode = function.modes.get(place).map_or("i", String::as_str);
        let variadic = function.variadic && place + 1 == types.len() && function.modes.is_empty();
        let word = match mode {
            "o" => "OUT ",
            "b" => "INOUT ",
            "v" => "VARIADIC ",
            _ if variadic => "VARIADIC ",
            _ => "",
        };
        let name = function.names.get(place).filter(|n| !n.is_empty());
        let name = name.map(|n| format!("{} ", crate::catalogue::quoted(n))).unwrap_or_default();
        of(mode).then(|| format!("{}{name}{}", if modes { word } else { "" }, format_type(*oid, None)))
    };
    types.iter().enumerate().filter_map(one).collect::<Vec<_>>().join(", ")
}
