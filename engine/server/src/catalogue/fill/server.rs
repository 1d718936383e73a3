//! `pg_database` and `pg_settings`.

use super::super::batch::Rows;
use super::super::cell::Cell;
use super::super::embedded;
use super::super::snapshot::{OWNER, Snapshot};

/// Number of the encoding UTF-8.
pub(crate) const UTF8: i32 = 6;
/// Oid of the tablespace `pg_default`.
const PG_DEFAULT: u32 = 1663;

pub(super) fn databases(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    rows.push([
        ("oid", snapshot.database.into()),
        ("datname", (&snapshot.server.database).into()),
        ("datdba", OWNER.into()),
        ("encoding", UTF8.into()),
        ("datlocprovider", "c".into()),
        ("datallowconn", true.into()),
        ("datconnlimit", (-1).into()),
        ("dattablespace", PG_DEFAULT.into()),
        ("datcollate", "C".into()),
        ("datctype", "C".into()),
    ]);
}

/// PostgreSQL's settings with the server's values, and those of the server that PostgreSQL does not have.
pub(super) fn settings(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    let own = &snapshot.server.settings;
    let sheet = embedded::sheet("settings").ok().flatten().unwrap_or_default();
    let mut known = Vec::new();
    for row in &sheet.rows {
        let name = row.get(0).unwrap_or_default();
        known.push(name.to_lowercase());
        let ours = decided(snapshot, name);
        let cells = sheet.columns.iter().map(String::as_str).zip(row.iter());
        rows.push(cells.map(|(column, text)| match (column, ours) {
            ("setting" | "reset_val", Some(ours)) => (column, ours.into()),
            _ if text.is_empty() && column != "setting" => (column, Cell::Null),
            _ => (column, text.into()),
        }));
    }
    for (name, value) in own.iter().filter(|(n, _)| !known.contains(&n.to_lowercase())) {
        rows.push([
            ("name", name.into()),
            ("setting", value.into()),
            ("category", "Customized Options".into()),
            ("short_desc", "Setting of envoi.".into()),
            ("context", "user".into()),
            ("vartype", "string".into()),
            ("source", "default".into()),
            ("reset_val", value.into()),
            ("pending_restart", false.into()),
        ]);
    }
}

/// The value of a setting, by its name in any case; `None` if there is no such setting.
pub(crate) fn setting(snapshot: &Snapshot, name: &str) -> Option<String> {
    if let Some(value) = decided(snapshot, name) {
        return Some(value.to_owned());
    }
    let sheet = embedded::sheet("settings").ok().flatten()?;
    let row = sheet.rows.iter().find(|r| r.get(0).is_some_and(|n| n.eq_ignore_ascii_case(name)))?;
    let unit = row.get(2).unwrap_or_default();
    row.get(1).map(|value| with_unit(value, unit))
}

/// A value in the largest of its units that leaves it whole, as `SHOW` has it: 4096 kB is 4MB.
fn with_unit(value: &str, unit: &str) -> String {
    const SIZES: &[(&str, i64)] = &[("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10), ("B", 1)];
    const TIMES: &[(&str, i64)] = &[("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];
    let (factor, units) = match unit {
        "B" => (1, SIZES),
        "kB" => (1 << 10, SIZES),
        "8kB" => (1 << 13, SIZES),
        "MB" => (1 << 20, SIZES),
        "ms" => (1, TIMES),
        "s" => (1000, TIMES),
        "min" => (60_000, TIMES),
        _ => return value.to_owned(),
    };
    let Some(base) = value.parse::<i64>().ok().filter(|v| *v > 0).and_then(|v| v.checked_mul(factor)) else {
        return value.to_owned();
    };
    let whole = units.iter().find(|(_, size)| base % size == 0);
    whole.map_or_else(|| value.to_owned(), |(unit, size)| format!("{}{unit}", base / size))
}

/// The value of a setting that the server decides.
fn decided<'s>(snapshot: &'s Snapshot, name: &str) -> Option<&'s str> {
    let own = snapshot.server.settings.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    let version = || name.eq_ignore_ascii_case("server_version").then_some(snapshot.server.version.as_str());
    own.map(|(_, v)| v.as_str()).or_else(version)
}
