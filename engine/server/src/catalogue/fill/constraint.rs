//! `pg_constraint`, and `pg_depend`, which tells of an index that a key made it.

use super::super::batch::Rows;
use super::super::cell::Cell;
use super::super::snapshot::Snapshot;

/// Operator `=` of texts, which stands for that of every type.
const TEXT_EQUAL: u32 = 98;

pub(super) fn constraints(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for table in &snapshot.tables {
        let common = |name: &str, oid: u32, kind: &str, index: u32, columns: &[i16]| {
            [
                ("oid", oid.into()),
                ("conname", name.into()),
                ("connamespace", table.namespace.into()),
                ("contype", kind.into()),
                ("convalidated", true.into()),
                ("conrelid", table.oid.into()),
                ("conindid", index.into()),
                ("conislocal", true.into()),
                ("connoinherit", true.into()),
                ("conkey", columns.to_vec().into()),
            ]
        };
        if let Some(key) = &table.key {
            // Not of a foreign key: PostgreSQL has a blank there.
            let blank = [("confupdtype", " "), ("confdeltype", " "), ("confmatchtype", " ")];
            let rest = blank.map(|(name, value)| (name, Cell::from(value)));
            rows.push(common(&key.name, key.constraint, "p", key.index, &key.columns).into_iter().chain(rest));
        }
        for foreign in &table.foreign {
            let equal: Cell = vec![TEXT_EQUAL; foreign.to.len()].into();
            let rest = [
                ("confrelid", foreign.target.into()),
                ("confkey", foreign.to.clone().into()),
                ("confupdtype", "a".into()),
                ("confdeltype", "a".into()),
                ("confmatchtype", "s".into()),
                ("conpfeqop", equal.clone()),
                ("conppeqop", equal.clone()),
                ("conffeqop", equal),
            ];
            let all = common(&foreign.name, foreign.constraint, "f", foreign.index, &foreign.columns);
            rows.push(all.into_iter().chain(rest));
        }
    }
}

/// Oids of `pg_class` and `pg_constraint`.
const CLASSES: (u32, u32) = (1259, 2606);

pub(super) fn dependencies(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for key in snapshot.tables.iter().filter_map(|t| t.key.as_ref()) {
        rows.push([
            ("classid", CLASSES.0.into()),
            ("objid", key.index.into()),
            ("refclassid", CLASSES.1.into()),
            ("refobjid", key.constraint.into()),
            ("deptype", "i".into()),
        ]);
    }
}
