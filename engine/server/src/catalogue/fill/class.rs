//! `pg_namespace`, `pg_class` and `pg_index`.

use super::super::batch::Rows;
use super::super::cell::Cell;
use super::super::snapshot::{OWNER, Snapshot};

/// Access method of tables.
const HEAP: u32 = 2;
/// Access method of the indexes that keys have.
const BTREE: u32 = 403;
/// Operator class that stands for all of them: text.
const TEXT_OPS: u32 = 3126;

pub(super) fn namespaces(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for (name, oid) in &snapshot.namespaces {
        rows.push([("oid", (*oid).into()), ("nspname", name.into()), ("nspowner", OWNER.into())]);
    }
}

pub(super) fn classes(snapshot: &Snapshot, rows: &mut Rows<'_>) {
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
            ("indcollation", each(0)),
            ("indclass", each(TEXT_OPS)),
            ("indoption", each(0)),
        ]);
    }
}

fn count(number: usize) -> Cell {
    i16::try_from(number).unwrap_or(i16::MAX).into()
}
