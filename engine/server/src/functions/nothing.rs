//! Functions about what this server does not have: defaults of columns, partitions, triggers, statistics of storage.

use super::call::{Answer, Call, Definition, Returns};
use crate::catalogue::Cell;

pub(super) const DEFINITIONS: &[Definition] = &[
    // There are no locks: pools give back those that a connection may have.
    Definition::lenient("pg_advisory_unlock_all", Returns::Text, null),
    Definition::lenient("pg_advisory_unlock", Returns::Bool, no),
    Definition::lenient("pg_get_expr", Returns::Text, null),
    Definition::lenient("pg_get_partkeydef", Returns::Text, null),
    Definition::lenient("pg_get_partition_constraintdef", Returns::Text, null),
    Definition::lenient("pg_get_functiondef", Returns::Text, null),
    Definition::lenient("pg_get_function_sqlbody", Returns::Text, null),
    Definition::lenient("pg_get_function_arg_default", Returns::Text, null),
    Definition::lenient("pg_get_ruledef", Returns::Text, null),
    Definition::lenient("pg_get_triggerdef", Returns::Text, null),
    Definition::lenient("pg_get_statisticsobjdef", Returns::Text, null),
    Definition::lenient("pg_get_statisticsobjdef_columns", Returns::Text, null),
    Definition::lenient("pg_get_serial_sequence", Returns::Text, null),
    Definition::lenient("pg_get_replica_identity_index", Returns::Oid, null),
    Definition::lenient("pg_identify_object", Returns::Text, null),
    Definition::lenient("pg_describe_object", Returns::Text, null),
    Definition::lenient("pg_index_column_has_property", Returns::Bool, null),
    Definition::lenient("pg_index_has_property", Returns::Bool, null),
    Definition::lenient("pg_indexam_has_property", Returns::Bool, null),
    Definition::lenient("pg_sequence_last_value", Returns::Int8, null),
    Definition::lenient("pg_partition_root", Returns::Oid, null),
    Definition::lenient("pg_partition_ancestors", Returns::Oids, empty),
    Definition::lenient("pg_blocking_pids", Returns::Integers, empty),
    Definition::lenient("pg_safe_snapshot_blocking_pids", Returns::Integers, empty),
    Definition::lenient("pg_stat_get_numscans", Returns::Int8, zero),
    Definition::lenient("pg_stat_get_tuples_returned", Returns::Int8, zero),
    Definition::lenient("pg_stat_get_tuples_fetched", Returns::Int8, zero),
    Definition::lenient("pg_stat_get_tuples_inserted", Returns::Int8, zero),
    Definition::lenient("pg_stat_get_tuples_updated", Returns::Int8, zero),
    Definition::lenient("pg_stat_get_tuples_deleted", Returns::Int8, zero),
    Definition::lenient("pg_stat_get_live_tuples", Returns::Int8, zero),
    Definition::lenient("pg_stat_get_dead_tuples", Returns::Int8, zero),
    Definition::lenient("pg_stat_get_blocks_fetched", Returns::Int8, zero),
    Definition::lenient("pg_stat_get_blocks_hit", Returns::Int8, zero),
    Definition::lenient("pg_stat_get_last_vacuum_time", Returns::Timestamp, null),
    Definition::lenient("pg_stat_get_last_analyze_time", Returns::Timestamp, null),
    Definition::lenient("pg_export_snapshot", Returns::Text, null),
    Definition::lenient("pg_collation_actual_version", Returns::Text, null),
    Definition::lenient("pg_database_collation_actual_version", Returns::Text, null),
    Definition::lenient("mxid_age", Returns::Int4, zero),
];

fn null(_: &Call<'_>) -> Answer {
    Ok(Cell::Null)
}

fn no(_: &Call<'_>) -> Answer {
    Ok(false.into())
}

fn zero(_: &Call<'_>) -> Answer {
    Ok(0.into())
}

fn empty(_: &Call<'_>) -> Answer {
    Ok(Cell::List(Vec::new()))
}
