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
    row.get(1).map(str::to_owned)
}

/// The value of a setting that the server decides.
fn decided<'s>(snapshot: &'s Snapshot, name: &str) -> Option<&'s str> {
    let own = snapshot.server.settings.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    let version = || name.eq_ignore_ascii_case("server_version").then_some(snapshot.server.version.as_str());
    own.map(|(_, v)| v.as_str()).or_else(version)
}
