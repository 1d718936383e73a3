//! `pg_description`: what relations and columns mean.

use std::collections::HashMap;

use arrow::datatypes::Field;

use super::super::batch::Rows;
use super::super::snapshot::Snapshot;

/// Oid of `pg_proc`, whose objects functions are.
const PG_PROC: u32 = 1255;
/// Oid of `pg_class`, whose objects relations and columns are.
const PG_CLASS: u32 = 1259;

pub(super) fn descriptions(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    let texts = snapshot.server.functions.iter().map(|f| ((f.name.as_str(), f.kind), f.description.as_str()));
    let texts: HashMap<(&str, char), &str> = texts.filter(|(_, text)| !text.is_empty()).collect();
    for function in snapshot.functions.values() {
        let kind = function.kind.chars().next().unwrap_or('f');
        let Some(text) = texts.get(&(function.name.as_str(), kind)) else { continue };
        rows.push([
            ("objoid", function.oid.into()),
            ("classoid", PG_PROC.into()),
            ("objsubid", 0.into()),
            ("description", (*text).into()),
        ]);
    }
    for table in &snapshot.tables {
        let mut push = |number: i32, text: String| {
            rows.push([
                ("objoid", table.oid.into()),
                ("classoid", PG_CLASS.into()),
                ("objsubid", number.into()),
                ("description", text.into()),
            ]);
        };
        if let Some(text) = &table.relation.description {
            push(0, text.clone());
        }
        for (number, field) in (1..).zip(table.relation.columns.fields()) {
            if let Some(text) = of_column(field) {
                push(number, text);
            }
        }
    }
}

/// Description, unit in brackets, source and licence of a column; `None` if it has none of them.
pub(crate) fn of_column(field: &Field) -> Option<String> {
    let get = |name: &str| field.metadata().get(name).filter(|t| !t.is_empty());
    let unit = get("unit").map(|u| format!("[{u}]"));
    let meaning = [get("description").cloned(), unit].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let parts = [
        (!meaning.is_empty()).then_some(meaning),
        get("source").map(|s| format!("source: {s}")),
        get("licence").map(|l| format!("licence: {l}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}
