//! `pg_tables`, `pg_views` and `pg_indexes`.

use super::super::batch::Rows;
use super::super::definition;
use super::super::shape::shapes;
use super::super::snapshot::Snapshot;

pub(super) fn tables(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    let system = shapes().iter().filter(|s| !s.view).map(|s| (s.schema, s.name, false));
    let own = snapshot.tables.iter().filter(|t| !t.relation.view);
    let own = own.map(|t| (t.relation.schema.as_str(), t.relation.name.as_str(), t.key.is_some()));
    for (schema, name, indexed) in system.chain(own) {
        rows.push([
            ("schemaname", schema.into()),
            ("tablename", name.into()),
            ("tableowner", snapshot.owner().into()),
            ("hasindexes", indexed.into()),
            ("hasrules", false.into()),
            ("hastriggers", false.into()),
            ("rowsecurity", false.into()),
        ]);
    }
}

pub(super) fn views(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    let system = shapes().iter().filter(|s| s.view).map(|s| (s.schema, s.name, None));
    let own = snapshot.tables.iter().filter(|t| t.relation.view);
    let own = own.map(|t| (t.relation.schema.as_str(), t.relation.name.as_str(), definition::view(&t.relation)));
    for (schema, name, definition) in system.chain(own) {
        rows.push([
            ("schemaname", schema.into()),
            ("viewname", name.into()),
            ("viewowner", snapshot.owner().into()),
            ("definition", definition.into()),
        ]);
    }
}

pub(super) fn indexes(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for table in &snapshot.tables {
        let Some(key) = &table.key else { continue };
        rows.push([
            ("schemaname", (&table.relation.schema).into()),
            ("tablename", (&table.relation.name).into()),
            ("indexname", (&key.name).into()),
            ("indexdef", definition::index(snapshot, table, key, false).into()),
        ]);
    }
}
