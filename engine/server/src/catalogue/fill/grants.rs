//! `information_schema`: what the session's role may read.

use super::super::batch::Rows;
use super::super::cell::Cell;
use super::super::snapshot::{Snapshot, Table};

pub(super) fn tables(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for table in &snapshot.tables {
        rows.push(grant(snapshot, table).into_iter().chain([("with_hierarchy", "YES".into())]));
    }
}

pub(super) fn columns(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for table in &snapshot.tables {
        for field in table.relation.columns.fields() {
            rows.push(grant(snapshot, table).into_iter().chain([("column_name", field.name().into())]));
        }
    }
}

pub(super) fn enabled(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    rows.push([("role_name", (&snapshot.server.current_user).into())]);
}

fn grant(snapshot: &Snapshot, table: &Table) -> [(&'static str, Cell); 7] {
    [
        ("grantor", snapshot.owner().into()),
        ("grantee", (&snapshot.server.current_user).into()),
        ("table_catalog", (&snapshot.server.database).into()),
        ("table_schema", (&table.relation.schema).into()),
        ("table_name", (&table.relation.name).into()),
        ("privilege_type", "SELECT".into()),
        ("is_grantable", "NO".into()),
    ]
}
