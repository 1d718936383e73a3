//! `pg_stat_activity` and the statistics that clients sort tables by.

use super::super::batch::Rows;
use super::super::snapshot::Snapshot;

pub(super) fn tables(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for table in snapshot.tables.iter().filter(|t| !t.relation.view) {
        let live = i64::try_from(table.relation.rows.unwrap_or_default()).unwrap_or(i64::MAX);
        rows.push([
            ("relid", table.oid.into()),
            ("schemaname", (&table.relation.schema).into()),
            ("relname", (&table.relation.name).into()),
            ("seq_scan", 0.into()),
            ("seq_tup_read", 0.into()),
            ("n_tup_ins", 0.into()),
            ("n_tup_upd", 0.into()),
            ("n_tup_del", 0.into()),
            ("n_tup_hot_upd", 0.into()),
            ("n_dead_tup", 0.into()),
            ("n_mod_since_analyze", 0.into()),
            ("n_ins_since_vacuum", 0.into()),
            ("vacuum_count", 0.into()),
            ("autovacuum_count", 0.into()),
            ("analyze_count", 0.into()),
            ("autoanalyze_count", 0.into()),
            ("n_live_tup", live.into()),
        ]);
    }
}

pub(super) fn indexes(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for table in &snapshot.tables {
        let Some(key) = &table.key else { continue };
        rows.push([
            ("relid", table.oid.into()),
            ("indexrelid", key.index.into()),
            ("schemaname", (&table.relation.schema).into()),
            ("relname", (&table.relation.name).into()),
            ("indexrelname", (&key.name).into()),
            ("idx_scan", 0.into()),
            ("idx_tup_read", 0.into()),
            ("idx_tup_fetch", 0.into()),
        ]);
    }
}

pub(super) fn database(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    rows.push([
        ("datid", snapshot.database.into()),
        ("datname", (&snapshot.server.database).into()),
        ("numbackends", i32::try_from(snapshot.server.activity.len()).unwrap_or(i32::MAX).into()),
        ("xact_commit", 0.into()),
        ("xact_rollback", 0.into()),
        ("blks_read", 0.into()),
        ("blks_hit", 0.into()),
        ("tup_returned", 0.into()),
        ("tup_fetched", 0.into()),
        ("tup_inserted", 0.into()),
        ("tup_updated", 0.into()),
        ("tup_deleted", 0.into()),
        ("conflicts", 0.into()),
        ("deadlocks", 0.into()),
    ]);
}

pub(super) fn activity(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for connection in &snapshot.server.activity {
        rows.push([
            ("datid", snapshot.database.into()),
            ("datname", (&snapshot.server.database).into()),
            ("pid", connection.pid.into()),
            ("usesysid", snapshot.role_oid(&connection.user).into()),
            ("usename", (&connection.user).into()),
            ("application_name", (&connection.application).into()),
            ("client_addr", connection.address.clone().into()),
            ("backend_start", connection.backend_start.into()),
            ("xact_start", connection.xact_start.into()),
            ("query_start", connection.query_start.into()),
            ("state_change", connection.state_change.into()),
            ("state", (&connection.state).into()),
            ("query", (&connection.query).into()),
            ("backend_type", "client backend".into()),
        ]);
    }
}
