//! `pg_constraint`.

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
