//! Rows of the catalogue that come from the engine's relations and from the server.

mod attribute;
mod class;
mod constraint;
mod description;
mod grants;
mod information;
mod information_columns;
mod keys;
mod listing;
mod roles;
mod server;
mod statistics;

use super::batch::Rows;
use super::snapshot::Snapshot;

pub(crate) use description::of_column as column_description;
pub(crate) use server::setting;

/// Adds the rows of a relation; nothing to most.
pub(super) fn fill(schema: &str, table: &str, snapshot: &Snapshot, rows: &mut Rows<'_>) {
    match (schema, table) {
        ("pg_catalog", "pg_namespace") => class::namespaces(snapshot, rows),
        ("pg_catalog", "pg_class") => class::classes(snapshot, rows),
        ("pg_catalog", "pg_index") => class::indexes(snapshot, rows),
        ("pg_catalog", "pg_attribute") => attribute::attributes(snapshot, rows),
        ("pg_catalog", "pg_constraint") => constraint::constraints(snapshot, rows),
        ("pg_catalog", "pg_description") => description::descriptions(snapshot, rows),
        ("pg_catalog", "pg_tables") => listing::tables(snapshot, rows),
        ("pg_catalog", "pg_views") => listing::views(snapshot, rows),
        ("pg_catalog", "pg_indexes") => listing::indexes(snapshot, rows),
        ("pg_catalog", "pg_stat_user_tables" | "pg_stat_all_tables") => {
            statistics::tables(snapshot, rows);
        }
        ("pg_catalog", "pg_stat_user_indexes" | "pg_stat_all_indexes") => statistics::indexes(snapshot, rows),
        ("pg_catalog", "pg_stat_database") => statistics::database(snapshot, rows),
        ("pg_catalog", "pg_stat_activity") => statistics::activity(snapshot, rows),
        ("pg_catalog", "pg_database") => server::databases(snapshot, rows),
        ("pg_catalog", "pg_settings") => server::settings(snapshot, rows),
        ("pg_catalog", "pg_authid") => roles::authid(snapshot, rows),
        ("pg_catalog", "pg_roles") => roles::roles(snapshot, rows),
        ("pg_catalog", "pg_user") => roles::users(snapshot, rows),
        ("information_schema", _) => information(table, snapshot, rows),
        _ => {}
    }
}

fn information(table: &str, snapshot: &Snapshot, rows: &mut Rows<'_>) {
    match table {
        "information_schema_catalog_name" => information::catalogue(snapshot, rows),
        "schemata" => information::schemata(snapshot, rows),
        "tables" => information::tables(snapshot, rows),
        "columns" => information_columns::columns(snapshot, rows),
        "views" => information::views(snapshot, rows),
        "character_sets" => information::character_sets(snapshot, rows),
        "collations" => information::collations(snapshot, rows),
        "table_constraints" => keys::table_constraints(snapshot, rows),
        "key_column_usage" => keys::key_columns(snapshot, rows),
        "referential_constraints" => keys::referential(snapshot, rows),
        "constraint_column_usage" => keys::constraint_columns(snapshot, rows),
        "constraint_table_usage" => keys::constraint_tables(snapshot, rows),
        "table_privileges" | "role_table_grants" => grants::tables(snapshot, rows),
        "column_privileges" | "role_column_grants" => grants::columns(snapshot, rows),
        "enabled_roles" => grants::enabled(snapshot, rows),
        _ => {}
    }
}
