//! `pg_attribute`: columns of relations, of indexes and of the catalogue itself.

use super::super::batch::Rows;
use super::super::cell::Cell;
use super::super::mapping::type_oid;
use super::super::shape::shapes;
use super::super::snapshot::Snapshot;
use super::super::system::types;

pub(super) fn attributes(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for shape in shapes().iter() {
        for (number, column) in (1_i16..).zip(&shape.columns) {
            push(rows, (shape.oid, number), &column.name, (column.type_oid, -1), column.not_null);
        }
    }
    for table in &snapshot.tables {
        let fields = table.relation.columns.fields();
        for (number, field) in (1_i16..).zip(fields) {
            let (oid, modifier, _) = type_oid(field);
            let not_null = !table.relation.view && (!field.is_nullable() || in_key(table.key.as_ref(), number));
            push(rows, (table.oid, number), field.name(), (oid, modifier), not_null);
        }
        let Some(key) = &table.key else { continue };
        for (number, column) in (1_i16..).zip(&key.columns) {
            let place = usize::try_from(*column).unwrap_or_default().saturating_sub(1);
            let Some(field) = fields.get(place) else { continue };
            let (oid, modifier, _) = type_oid(field);
            push(rows, (key.index, number), field.name(), (oid, modifier), false);
        }
    }
}

/// Columns of a primary key hold no NULL, whatever else is known of them.
pub(super) fn in_key(key: Option<&super::super::snapshot::Key>, number: i16) -> bool {
    key.is_some_and(|k| k.columns.contains(&number))
}

fn push(rows: &mut Rows<'_>, place: (u32, i16), name: &str, (oid, modifier): (u32, i32), not_null: bool) {
    let found = types().get(oid);
    let word = |pick: fn(&super::super::system::PgType) -> &str, other: &str| Cell::from(found.map_or(other, pick));
    // An array has at least one dimension; more are not told apart.
    let dimensions = i32::from(found.is_some_and(|t| t.category == "A" && t.name.starts_with('_')));
    rows.push([
        ("attrelid", place.0.into()),
        ("attnum", place.1.into()),
        ("attname", name.into()),
        ("atttypid", oid.into()),
        ("atttypmod", modifier.into()),
        ("attlen", found.map_or(-1, |t| t.length).into()),
        ("attbyval", found.is_some_and(|t| t.by_value).into()),
        ("attalign", word(|t| &t.align, "i")),
        ("attstorage", word(|t| &t.storage, "x")),
        ("attcollation", found.map_or(0, |t| t.collation).into()),
        ("attstattarget", (-1).into()),
        ("attcacheoff", (-1).into()),
        ("attndims", dimensions.into()),
        ("attnotnull", not_null.into()),
        ("attislocal", true.into()),
    ]);
}
