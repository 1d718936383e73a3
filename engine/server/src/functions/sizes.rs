//! Sizes. The engine's tables have no files of their own here, and are of no size.

use super::call::{Answer, Call, Definition, Returns};
use crate::catalogue::Cell;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition::strict("pg_relation_size", Returns::Int8, none),
    Definition::strict("pg_total_relation_size", Returns::Int8, none),
    Definition::strict("pg_table_size", Returns::Int8, none),
    Definition::strict("pg_indexes_size", Returns::Int8, none),
    Definition::strict("pg_database_size", Returns::Int8, none),
    Definition::strict("pg_tablespace_size", Returns::Int8, none),
    Definition::strict("pg_column_size", Returns::Int4, none),
    Definition::strict("pg_size_pretty", Returns::Text, pretty),
    Definition::strict("pg_relation_filenode", Returns::Oid, |c| Ok(c.oid(0).into())),
    Definition::strict("pg_relation_filepath", Returns::Text, |_| Ok(Cell::Null)),
    Definition::strict("pg_tablespace_location", Returns::Text, |_| Ok("".into())),
];

fn none(_: &Call<'_>) -> Answer {
    Ok(0.into())
}

/// The unit is the largest in which ten or more remain, as in PostgreSQL.
fn pretty(call: &Call<'_>) -> Answer {
    const LIMIT: i64 = 10 * 1024;
    let bytes = match call.cell(0) {
        Cell::Float(f) => *f as i64,
        _ => call.number(0).unwrap_or_default(),
    };
    let mut size = bytes;
    for (step, unit) in ["bytes", "kB", "MB", "GB", "TB", "PB"].into_iter().enumerate() {
        let limit = if step == 0 { LIMIT } else { 2 * LIMIT - 1 };
        if size.saturating_abs() < limit || unit == "PB" {
            // One bit more was kept for rounding.
            let shown = if step == 0 { size } else { (size + size.signum()) / 2 };
            return Ok(format!("{shown} {unit}").into());
        }
        size /= if step == 0 { 512 } else { 1024 };
    }
    Ok(Cell::Null)
}
