//! `information_schema`: keys and what they refer to.

use super::super::batch::Rows;
use super::super::cell::Cell;
use super::super::snapshot::{Snapshot, Table};

pub(super) fn table_constraints(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    each(snapshot, |table, name, primary, _, _| {
        let kind = if primary { "PRIMARY KEY" } else { "FOREIGN KEY" };
        let rest = [
            ("constraint_type", kind.into()),
            ("is_deferrable", "NO".into()),
            ("initially_deferred", "NO".into()),
            ("enforced", "YES".into()),
        ];
        rows.push(constraint(snapshot, table, name).into_iter().chain(of_table(snapshot, table)).chain(rest));
    });
}

pub(super) fn key_columns(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    each(snapshot, |table, name, primary, columns, _| {
        for (position, number) in (1_i32..).zip(columns) {
            let rest = [
                ("column_name", column(table, *number)),
                ("ordinal_position", position.into()),
                ("position_in_unique_constraint", (!primary).then_some(position).into()),
            ];
            rows.push(constraint(snapshot, table, name).into_iter().chain(of_table(snapshot, table)).chain(rest));
        }
    });
}

pub(super) fn referential(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for table in &snapshot.tables {
        for foreign in &table.foreign {
            let target = snapshot.table(foreign.target);
            let key = target.and_then(|t| t.key.as_ref());
            let rest = [
                ("unique_constraint_catalog", key.map(|_| snapshot.server.database.clone()).into()),
                ("unique_constraint_schema", key.and(target).map(|t| t.relation.schema.clone()).into()),
                ("unique_constraint_name", key.map(|k| k.name.clone()).into()),
                ("match_option", "NONE".into()),
                ("update_rule", "NO ACTION".into()),
                ("delete_rule", "NO ACTION".into()),
            ];
            rows.push(constraint(snapshot, table, &foreign.name).into_iter().chain(rest));
        }
    }
}

/// Of a foreign key, the columns that it refers to.
pub(super) fn constraint_columns(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    each(snapshot, |table, name, _, columns, reference| {
        let (used, columns) = reference.unwrap_or((table, columns));
        for number in columns {
            let rest = [("column_name", column(used, *number))];
            rows.push(constraint(snapshot, table, name).into_iter().chain(of_table(snapshot, used)).chain(rest));
        }
    });
}

pub(super) fn constraint_tables(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    each(snapshot, |table, name, _, _, reference| {
        let used = reference.map_or(table, |(t, _)| t);
        rows.push(constraint(snapshot, table, name).into_iter().chain(of_table(snapshot, used)));
    });
}

/// Calls with every key: its table, name, whether it is primary, columns, and what it refers to.
fn each<'s>(
    snapshot: &'s Snapshot,
    mut with: impl FnMut(&'s Table, &'s str, bool, &'s [i16], Option<(&'s Table, &'s [i16])>),
) {
    for table in &snapshot.tables {
        if let Some(key) = &table.key {
            with(table, &key.name, true, &key.columns, None);
        }
        for foreign in &table.foreign {
            let target = snapshot.table(foreign.target).map(|t| (t, foreign.to.as_slice()));
            with(table, &foreign.name, false, &foreign.columns, target);
        }
    }
}

fn constraint(snapshot: &Snapshot, table: &Table, name: &str) -> [(&'static str, Cell); 3] {
    [
        ("constraint_catalog", (&snapshot.server.database).into()),
        ("constraint_schema", (&table.relation.schema).into()),
        ("constraint_name", name.into()),
    ]
}

fn of_table(snapshot: &Snapshot, table: &Table) -> [(&'static str, Cell); 3] {
    [
        ("table_catalog", (&snapshot.server.database).into()),
        ("table_schema", (&table.relation.schema).into()),
        ("table_name", (&table.relation.name).into()),
    ]
}

fn column(table: &Table, number: i16) -> Cell {
    let place = usize::try_from(number).unwrap_or_default().saturating_sub(1);
    table.relation.columns.fields().get(place).map(|f| f.name().clone()).into()
}
