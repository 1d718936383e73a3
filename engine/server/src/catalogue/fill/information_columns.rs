//! `information_schema.columns`.

use super::super::batch::Rows;
use super::super::cell::Cell;
use super::super::format::format_type;
use super::super::mapping::type_oid;
use super::super::shape::{PG_CATALOG, shapes};
use super::super::snapshot::Snapshot;
use super::super::system::types;
use super::attribute::in_key;

pub(super) fn columns(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for shape in shapes().iter() {
        for (number, column) in (1..).zip(&shape.columns) {
            let place = Place { schema: shape.schema, table: shape.name, number };
            push(snapshot, rows, &place, &column.name, (column.type_oid, -1), column.not_null);
        }
    }
    for table in &snapshot.tables {
        let relation = &table.relation;
        for (number, field) in (1_i16..).zip(relation.columns.fields()) {
            let (oid, modifier, _) = type_oid(field);
            let not_null = !relation.view && (!field.is_nullable() || in_key(table.key.as_ref(), number));
            let place = Place { schema: &relation.schema, table: &relation.name, number: number.into() };
            push(snapshot, rows, &place, field.name(), (oid, modifier), not_null);
        }
    }
}

struct Place<'a> {
    schema: &'a str,
    table: &'a str,
    number: i32,
}

fn push(
    snapshot: &Snapshot,
    rows: &mut Rows<'_>,
    place: &Place<'_>,
    name: &str,
    (oid, modifier): (u32, i32),
    not_null: bool,
) {
    let database = || Cell::from(&snapshot.server.database);
    let found = types().get(oid);
    let array = found.is_some_and(|t| t.category == "A" && t.length == -1 && t.name.starts_with('_'));
    let data_type = if array { "ARRAY".to_owned() } else { format_type(oid, None) };
    let (precision, radix, scale) = numeric(oid, modifier);
    let octets = matches!(oid, 25 | 1042 | 1043).then_some(1_073_741_824);
    let common = [
        ("table_catalog", database()),
        ("table_schema", place.schema.into()),
        ("table_name", place.table.into()),
        ("column_name", name.into()),
        ("ordinal_position", place.number.into()),
        ("is_nullable", if not_null { "NO" } else { "YES" }.into()),
        ("data_type", data_type.into()),
        ("character_octet_length", octets.into()),
        ("numeric_precision", precision.into()),
        ("numeric_precision_radix", radix.into()),
        ("numeric_scale", scale.into()),
        ("datetime_precision", datetime(oid).into()),
        ("udt_catalog", database()),
        ("udt_name", found.map_or("text", |t| t.name.as_str()).into()),
        ("dtd_identifier", place.number.to_string().into()),
        ("is_self_referencing", "NO".into()),
        ("is_identity", "NO".into()),
        ("identity_cycle", "NO".into()),
        ("is_generated", "NEVER".into()),
        ("is_updatable", "NO".into()),
    ];
    let system = found.is_none_or(|t| t.namespace == PG_CATALOG);
    let udt = if system { "pg_catalog" } else { "information_schema" };
    rows.push(common.into_iter().chain([("udt_schema", udt.into())]));
}

/// Precision, its radix and the scale of a number.
fn numeric(oid: u32, modifier: i32) -> (Option<i32>, Option<i32>, Option<i32>) {
    match oid {
        21 => (Some(16), Some(2), Some(0)),
        23 => (Some(32), Some(2), Some(0)),
        20 => (Some(64), Some(2), Some(0)),
        700 => (Some(24), Some(2), None),
        701 => (Some(53), Some(2), None),
        1700 if modifier < 4 => (None, Some(10), None),
        1700 => {
            let packed = modifier - 4;
            (Some((packed >> 16) & 0xffff), Some(10), Some(((packed & 0x7ff) ^ 1024) - 1024))
        }
        _ => (None, None, None),
    }
}

/// Digits of the seconds.
fn datetime(oid: u32) -> Option<i32> {
    match oid {
        1082 => Some(0),
        1083 | 1114 | 1184 | 1186 | 1266 => Some(6),
        _ => None,
    }
}
