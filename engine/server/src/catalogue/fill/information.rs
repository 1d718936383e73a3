//! `information_schema`: the database, schemas, tables and views.

use super::super::batch::Rows;
use super::super::definition;
use super::super::shape::shapes;
use super::super::snapshot::Snapshot;

pub(super) fn catalogue(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    rows.push([("catalog_name", (&snapshot.server.database).into())]);
}

pub(super) fn schemata(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for name in snapshot.namespaces.keys() {
        rows.push([
            ("catalog_name", (&snapshot.server.database).into()),
            ("schema_name", name.into()),
            ("schema_owner", snapshot.owner().into()),
        ]);
    }
}

pub(super) fn tables(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    let system = shapes().iter().map(|s| (s.schema, s.name, s.view));
    let own = snapshot.tables.iter().map(|t| &t.relation);
    let own = own.map(|r| (r.schema.as_str(), r.name.as_str(), r.view));
    for (schema, name, view) in system.chain(own) {
        rows.push([
            ("table_catalog", (&snapshot.server.database).into()),
            ("table_schema", schema.into()),
            ("table_name", name.into()),
            ("table_type", if view { "VIEW" } else { "BASE TABLE" }.into()),
            ("is_insertable_into", "NO".into()),
            ("is_typed", "NO".into()),
        ]);
    }
}

pub(super) fn views(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for table in snapshot.tables.iter().filter(|t| t.relation.view) {
        rows.push([
            ("table_catalog", (&snapshot.server.database).into()),
            ("table_schema", (&table.relation.schema).into()),
            ("table_name", (&table.relation.name).into()),
            ("view_definition", definition::view(&table.relation).into()),
            ("check_option", "NONE".into()),
            ("is_updatable", "NO".into()),
            ("is_insertable_into", "NO".into()),
            ("is_trigger_updatable", "NO".into()),
            ("is_trigger_deletable", "NO".into()),
            ("is_trigger_insertable_into", "NO".into()),
        ]);
    }
}

pub(super) fn character_sets(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    rows.push([
        ("character_set_name", "UTF8".into()),
        ("character_repertoire", "UCS".into()),
        ("form_of_use", "UTF8".into()),
        ("default_collate_catalog", (&snapshot.server.database).into()),
        ("default_collate_schema", "pg_catalog".into()),
        ("default_collate_name", "C".into()),
    ]);
}

pub(super) fn collations(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for name in ["default", "C", "POSIX", "ucs_basic", "und-x-icu", "en-x-icu", "fr-x-icu", "de-x-icu"] {
        rows.push([
            ("collation_catalog", (&snapshot.server.database).into()),
            ("collation_schema", "pg_catalog".into()),
            ("collation_name", name.into()),
            ("pad_attribute", "NO PAD".into()),
        ]);
    }
}
