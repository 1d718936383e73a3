//! `pg_namespace`, `pg_class` and `pg_index`.

use super::super::batch::Rows;
use super::super::cell::Cell;
use super::super::definition::quoted;
use super::super::mapping::type_oid;
use super::super::snapshot::{OWNER, PUBLIC, Snapshot, Table};
use super::super::system::{operator_class, types as types_of_all};

/// Oid of the role `pg_database_owner`, which has the schema `public`.
const DATABASE_OWNER: u32 = 6171;

/// Access method of tables.
const HEAP: u32 = 2;
/// Access method of the indexes that keys have.
const BTREE: u32 = 403;
/// Operator class of texts, which stands for what has none.
const TEXT_OPS: u32 = 3126;

pub(super) fn namespaces(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for (name, oid) in &snapshot.namespaces {
        let owner = if *oid == PUBLIC { DATABASE_OWNER } else { OWNER };
        rows.push([("oid", (*oid).into()), ("nspname", name.into()), ("nspowner", owner.into())]);
    }
}

pub(super) fn classes(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    // The session's role may read, and nothing else.
    let rights = format!("{}=r/{}", quoted(&snapshot.server.current_user), quoted(snapshot.owner()));
    for table in &snapshot.tables {
        let relation = &table.relation;
        let tuples = relation.rows.map_or(-1.0, |r| r as f64);
        rows.push([
            ("oid", table.oid.into()),
            ("relname", (&relation.name).into()),
            ("relnamespace", table.namespace.into()),
            ("relowner", OWNER.into()),
            ("relam", if relation.view { 0 } else { HEAP }.into()),
            ("relfilenode", if relation.view { 0 } else { table.oid }.into()),
            ("reltuples", if relation.view { -1.0 } else { tuples }.into()),
            ("relhasindex", table.key.is_some().into()),
            ("relpersistence", "p".into()),
            ("relkind", if relation.view { "v" } else { "r" }.into()),
            ("relnatts", count(relation.columns.fields().len())),
            ("relhasrules", relation.view.into()),
            ("relispopulated", true.into()),
            ("relacl", vec![rights.clone()].into()),
            ("relreplident", if relation.view { "n" } else { "d" }.into()),
        ]);
        let Some(key) = &table.key else { continue };
        rows.push([
            ("oid", key.index.into()),
            ("relname", (&key.name).into()),
            ("relnamespace", table.namespace.into()),
            ("relowner", OWNER.into()),
            ("relam", BTREE.into()),
            ("relfilenode", key.index.into()),
            ("reltuples", tuples.into()),
            ("relpersistence", "p".into()),
            ("relkind", "i".into()),
            ("relnatts", count(key.columns.len())),
            ("relispopulated", true.into()),
            ("relreplident", "n".into()),
        ]);
    }
}

pub(super) fn indexes(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for table in &snapshot.tables {
        let Some(key) = &table.key else { continue };
        let each = |value: u32| Cell::from(vec![value; key.columns.len()]);
        let types: Vec<u32> = key.columns.iter().map(|c| column_type(table, *c)).collect();
        let collations: Vec<u32> = types.iter().map(|t| types_of_all().get(*t).map_or(0, |t| t.collation)).collect();
        let classes: Vec<u32> = types.iter().map(|t| operator_class(*t).unwrap_or(TEXT_OPS)).collect();
        rows.push([
            ("indexrelid", key.index.into()),
            ("indrelid", table.oid.into()),
            ("indnatts", count(key.columns.len())),
            ("indnkeyatts", count(key.columns.len())),
            ("indisunique", true.into()),
            ("indisprimary", true.into()),
            ("indimmediate", true.into()),
            ("indisvalid", true.into()),
            ("indisready", true.into()),
            ("indislive", true.into()),
            ("indkey", key.columns.clone().into()),
            ("indcollation", collations.into()),
            ("indclass", classes.into()),
            ("indoption", each(0)),
        ]);
    }
}

fn column_type(table: &Table, number: i16) -> u32 {
    let place = usize::try_from(number).unwrap_or_default().saturating_sub(1);
    table.relation.columns.fields().get(place).map_or(0, |f| type_oid(f).0)
}

fn count(number: usize) -> Cell {
    i16::try_from(number).unwrap_or(i16::MAX).into()
}
