//! Rows of the catalogue that come from the engine's relations and from the server.

mod attribute;
mod class;
mod constraint;
mod description;
mod functions;
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

/// Adds a relation's rows.
type Filler = fn(&Snapshot, &mut Rows<'_>);

/// What is filled, by schema and name.
const FILLERS: &[(&str, &str, Filler)] = &[
    ("pg_catalog", "pg_namespace", class::namespaces),
    ("pg_catalog", "pg_class", class::classes),
    ("pg_catalog", "pg_index", class::indexes),
    ("pg_catalog", "pg_attribute", attribute::attributes),
    ("pg_catalog", "pg_constraint", constraint::constraints),
    ("pg_catalog", "pg_depend", constraint::dependencies),
    ("pg_catalog", "pg_description", description::descriptions),
    ("pg_catalog", "pg_proc", functions::procedures),
    ("pg_catalog", "pg_tables", listing::tables),
    ("pg_catalog", "pg_views", listing::views),
    ("pg_catalog", "pg_indexes", listing::indexes),
    ("pg_catalog", "pg_stat_user_tables", statistics::tables),
    ("pg_catalog", "pg_stat_all_tables", statistics::tables),
    ("pg_catalog", "pg_stat_user_indexes", statistics::indexes),
    ("pg_catalog", "pg_stat_all_indexes", statistics::indexes),
    ("pg_catalog", "pg_stat_database", statistics::database),
    ("pg_catalog", "pg_stat_activity", statistics::activity),
    ("pg_catalog", "pg_database", server::databases),
    ("pg_catalog", "pg_settings", server::settings),
    ("pg_catalog", "pg_authid", roles::authid),
    ("pg_catalog", "pg_roles", roles::roles),
    ("pg_catalog", "pg_user", roles::users),
    ("information_schema", "information_schema_catalog_name", information::catalogue),
    ("information_schema", "schemata", information::schemata),
    ("information_schema", "tables", information::tables),
    ("information_schema", "columns", information_columns::columns),
    ("information_schema", "views", information::views),
    ("information_schema", "character_sets", information::character_sets),
    ("information_schema", "collations", information::collations),
    ("information_schema", "table_constraints", keys::table_constraints),
    ("information_schema", "key_column_usage", keys::key_columns),
    ("information_schema", "referential_constraints", keys::referential),
    ("information_schema", "constraint_column_usage", keys::constraint_columns),
    ("information_schema", "constraint_table_usage", keys::constraint_tables),
    ("information_schema", "table_privileges", grants::tables),
    ("information_schema", "role_table_grants", grants::tables),
    ("information_schema", "column_privileges", grants::columns),
    ("information_schema", "role_column_grants", grants::columns),
    ("information_schema", "enabled_roles", grants::enabled),
];

/// Adds the rows of a relation; nothing to most.
pub(super) fn fill(schema: &str, table: &str, snapshot: &Snapshot, rows: &mut Rows<'_>) {
    if let Some(filler) = filler(schema, table) {
        filler(snapshot, rows);
    }
}

/// Whether a relation has rows of the engine or the server.
pub(super) fn is_filled(schema: &str, table: &str) -> bool {
    filler(schema, table).is_some()
}

fn filler(schema: &str, table: &str) -> Option<Filler> {
    FILLERS.iter().find(|(s, t, _)| *s == schema && *t == table).map(|(_, _, filler)| *filler)
}
