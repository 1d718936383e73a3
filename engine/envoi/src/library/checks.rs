//! Checks of the SQL library: queries of `sql/checks`, one row a finding.

use std::sync::OnceLock;

use chrono::NaiveDate;
use rust_embed::RustEmbed;
use serde::Deserialize;

use super::{sql_and_meta, stems};
use crate::error::Result;

#[derive(RustEmbed)]
#[folder = "../../sql/checks"]
struct Files;

/// A query whose rows are findings, all with the columns `table_name`,
/// `indicator`, `iso3`, `year`, `value`, `expected` and `finding`.
#[derive(Debug)]
pub struct Check {
    /// Name.
    pub name: String,
    /// What it looks for.
    pub meta: CheckMeta,
    sql: String,
}

/// What a check's TOML says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckMeta {
    /// A heading.
    pub title: String,
    /// How grave a finding is.
    pub severity: Severity,
    /// Tables it reads.
    pub tables: Vec<String>,
    /// What a finding means.
    pub description: String,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To be known.
    Note,
    /// To be looked at before the figures are used.
    Warning,
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
        })
    }
}

impl Check {
    /// The query; revisions and changes are those since a day.
    pub fn sql(&self, since: NaiveDate) -> String {
        self.sql.replace("$since", &format!("'{since}'"))
    }
}

/// All checks, sorted by name. They are part of the program: an error is a bug of ours.
pub fn checks() -> Result<&'static [Check]> {
    static ALL: OnceLock<Result<Vec<Check>>> = OnceLock::new();
    let load = || {
        let read = |name: String| {
            let (sql, meta) = sql_and_meta::<Files, _>("sql/checks", &name)?;
            Ok(Check { name, meta, sql })
        };
        stems::<Files>(".sql").map(read).collect()
    };
    ALL.get_or_init(load).as_ref().map(Vec::as_slice).map_err(Clone::clone)
}
