//! Comments.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::call::{Answer, Call, Definition, Returns};
use crate::catalogue::{Cell, column_description, fixed_descriptions, shape_oid};

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition::strict("obj_description", Returns::Text, object),
    Definition::strict("col_description", Returns::Text, column),
    Definition::strict("shobj_description", Returns::Text, |_| Ok(Cell::Null)),
];

static FIXED: LazyLock<HashMap<(u32, u32), String>> = LazyLock::new(fixed_descriptions);

/// Oid of `pg_class`.
const PG_CLASS: u32 = 1259;

fn object(call: &Call<'_>) -> Answer {
    let Some(oid) = call.oid(0) else { return Ok(Cell::Null) };
    let class = match call.count() {
        0 | 1 => None,
        _ => call.text(1).and_then(|name| shape_oid("pg_catalog", name)),
    };
    if class.is_none_or(|c| c == PG_CLASS)
        && let Some(table) = call.snapshot.table(oid)
    {
        return Ok(table.relation.description.clone().into());
    }
    match class {
        Some(class) => Ok(FIXED.get(&(class, oid)).cloned().into()),
        None => Ok(FIXED.iter().find(|((_, o), _)| *o == oid).map(|(_, text)| text.clone()).into()),
    }
}

fn column(call: &Call<'_>) -> Answer {
    let place = call.number(1).and_then(|n| usize::try_from(n).ok()).and_then(|n| n.checked_sub(1));
    let table = call.oid(0).and_then(|oid| call.snapshot.table(oid));
    let (Some(table), Some(place)) = (table, place) else { return Ok(Cell::Null) };
    Ok(table.relation.columns.fields().get(place).and_then(|f| column_description(f)).into())
}
