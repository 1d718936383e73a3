//! Numbered manifests: one JSON file names every data file of one lake version.
//!
//! `manifest/00000042.json` is written with create-if-absent, so of two
//! publishers only one wins a number, on local disk as on object stores, and a
//! reader that has read one manifest sees one version whatever happens beside it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::models::PublishedModel;
use crate::error::{Error, Result};

/// Layout of a manifest without models; a reader refuses a number it does not know.
pub(super) const PLAIN: u32 = 1;
/// Layout of a manifest with models, which older readers would drop.
const WITH_MODELS: u32 = 2;

/// `source_id` of the tables that come with envoi.
pub const REFERENCE_SOURCE: &str = "envoi.country";

/// `source_id` of tables of no known publisher, which are in schema `staging` only.
pub const PLAIN_TABLE: &str = "local.table";

/// Everything one lake version consists of.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Layout number: 1, or 2 where there are models.
    pub format: u32,
    /// Version of the lake, from 1.
    pub version: u64,
    /// When it was published, RFC 3339 UTC.
    pub created_at: String,
    /// What made it: `init`, `import …`.
    pub operation: String,
    /// Engine and version that wrote it.
    pub engine: String,
    /// Contains figures selected for demonstration: no total over it is a world total.
    #[serde(default)]
    pub sample: bool,
    /// Data files.
    pub files: Vec<DataFile>,
    /// Editions imported so far.
    pub sources: Vec<SourceEdition>,
    /// Tables and views that queries made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<PublishedModel>,
}

/// A Parquet file of the lake.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct DataFile {
    /// Schema: `lake`, `staging` or `model`.
    pub schema: String,
    /// Table the rows belong to.
    pub table: String,
    /// What editions replace one another in: the newest vintage of each series is the current one.
    pub series: String,
    /// Dataset.
    pub source_id: String,
    /// Date of the edition.
    pub vintage: NaiveDate,
    /// Path below the lake's root.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// Checksum of the file.
    pub sha256: String,
    /// Least and greatest value of the first sort column, where it is text:
    /// a lookup opens only the files that may hold its value.
    #[serde(default)]
    pub lead: Option<(String, String)>,
    /// Checksums of the imported files that gave it. Empty where that was not
    /// recorded: then it is of every file of its dataset and vintage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
}

impl DataFile {
    /// True if that imported file gave it, alone or with others.
    pub fn is_from(&self, source: &SourceEdition) -> bool {
        (&self.source_id, self.vintage) == (&source.source_id, source.vintage)
            && (self.from.is_empty() || self.from.contains(&source.sha256))
    }

    /// True if this file takes the place of the other: same table, series, dataset and vintage.
    pub(super) fn replaces(&self, old: &Self) -> bool {
        (&self.schema, &self.table, &self.series, &self.source_id, self.vintage)
            == (&old.schema, &old.table, &old.series, &old.source_id, old.vintage)
    }
}

/// How the rows of an imported file stand in a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A query sees them.
    Current,
    /// A newer edition is seen instead.
    Older,
    /// Its edition is later than the day asked for.
    Later,
    /// Another file of the same edition took their place.
    Replaced,
    /// It gave no rows of its own, such as definitions that went into another file's.
    NoRows,
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Current => "current",
            Self::Older => "older",
            Self::Later => "later",
            Self::Replaced => "replaced",
            Self::NoRows => "no rows",
        })
    }
}

/// An imported file of a dataset's edition: one row of table `source`.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct SourceEdition {
    /// Dataset.
    pub source_id: String,
    /// Publisher.
    pub provider: String,
    /// Dataset's name.
    pub dataset: String,
    /// Part and edition.
    pub edition: String,
    /// Date of the edition.
    pub vintage: NaiveDate,
    /// Licence.
    pub licence: String,
    /// Citation.
    pub citation: String,
    /// Publisher's address.
    pub url: Option<String>,
    /// File name as given.
    pub file: String,
    /// Checksum of the imported file.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Rows it gave to the lake.
    pub rows: u64,
    /// RFC 3339 UTC.
    pub imported_at: String,
    /// Caveats, of the producer and of this import.
    pub caveats: Option<String>,
}

impl SourceEdition {
    /// True if both are the same file, as the same dataset, under the same vintage.
    pub fn same_filing(&self, other: &Self) -> bool {
        (&self.sha256, &self.source_id, self.vintage) == (&other.sha256, &other.source_id, other.vintage)
    }
}

impl Manifest {
    /// A manifest with nothing in it, as version 0: the state before `init`.
    pub fn empty() -> Self {
        Self {
            format: PLAIN,
            version: 0,
            created_at: String::new(),
            operation: String::new(),
            engine: String::new(),
            sample: false,
            files: Vec::new(),
            sources: Vec::new(),
            models: Vec::new(),
        }
    }

    /// The layout that holds what is in it.
    pub(super) fn layout(&self) -> u32 {
        if self.models.is_empty() { PLAIN } else { WITH_MODELS }
    }

    /// Reads a manifest; one of a newer layout is an error that says so.
    pub fn parse(bytes: &[u8], path: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Probe {
            format: u32,
        }
        let damaged = |e: serde_json::Error| {
            Error::Lake(format!("manifest `{path}` is damaged: {e}; `envoi lake verify` checks the rest"))
        };
        let probe: Probe = serde_json::from_slice(bytes).map_err(damaged)?;
        if ![PLAIN, WITH_MODELS].contains(&probe.format) {
            return Err(Error::Lake(format!(
                "manifest `{path}` has layout {}, this envoi reads layouts {PLAIN} and {WITH_MODELS}; use the envoi that wrote it or a newer one",
                probe.format
            )));
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    /// The file names of manifests sort as their numbers do.
    pub fn file_name(version: u64) -> String {
        format!("{version:08}.json")
    }

    /// The number in a manifest's file name, `None` for any other name.
    pub fn number(file_name: &str) -> Option<u64> {
        let digits = file_name.strip_suffix(".json")?;
        if digits.len() >= 8 && digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
    }

    /// The files a query sees: of each series in each table, those of the newest
    /// vintage not later than `as_of`; without a date, of the newest. The
    /// reference tables hold their own periods of validity, so they are seen at
    /// every date, but a publisher's edition of the same series goes before them.
    pub fn visible(&self, as_of: Option<NaiveDate>) -> Vec<&DataFile> {
        let is_reference = |f: &DataFile| f.source_id == REFERENCE_SOURCE;
        let eligible = |f: &&DataFile| is_reference(f) || as_of.is_none_or(|day| f.vintage <= day);
        let rank = |f: &DataFile| (!is_reference(f), f.vintage);
        let mut first = std::collections::HashMap::new();
        for file in self.files.iter().filter(eligible) {
            let best = first.entry((&file.schema, &file.table, &file.series)).or_insert_with(|| rank(file));
            *best = rank(file).max(*best);
        }
        let shown = |f: &&DataFile| first.get(&(&f.schema, &f.table, &f.series)) == Some(&rank(f));
        self.files.iter().filter(eligible).filter(shown).collect()
    }

    /// How the rows of an imported file stand for a query of that day; `None`: of today.
    pub fn standing(&self, source: &SourceEdition, as_of: Option<NaiveDate>) -> Standing {
        // What is kept for audit shows nothing, unless it is all there is.
        let schema = if source.source_id == PLAIN_TABLE { "staging" } else { "lake" };
        let given = |f: &DataFile| f.schema == schema && f.is_from(source);
        match () {
            () if source.rows == 0 => Standing::NoRows,
            () if !self.files.iter().any(given) => Standing::Replaced,
            () if self.visible(as_of).into_iter().any(given) => Standing::Current,
            () if as_of.is_some_and(|day| source.vintage > day) => Standing::Later,
            () => Standing::Older,
        }
    }

    /// True if the rows of a file are people or households: those of a table that says so, and
    /// whatever is staged of a dataset that feeds such a table.
    pub fn is_microdata(&self, file: &DataFile) -> bool {
        let of_people =
            |f: &DataFile| f.schema == "lake" && crate::tables::table(&f.table).is_some_and(|t| t.microdata);
        of_people(file) || self.files.iter().any(|f| f.source_id == file.source_id && of_people(f))
    }

    /// True if a file with this checksum was imported already.
    pub fn has_source(&self, sha256: &str) -> bool {
        self.sources.iter().any(|s| s.sha256 == sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(series: &str, vintage: &str) -> DataFile {
        DataFile {
            schema: "lake".into(),
            table: "observation".into(),
            series: series.into(),
            source_id: "s".into(),
            vintage: vintage.parse().unwrap(),
            path: format!("{series}{vintage}"),
            rows: 1,
            bytes: 1,
            sha256: String::new(),
            lead: None,
            from: Vec::new(),
        }
    }

    #[test]
    fn newest_vintage_of_each_series_is_visible() {
        let mut m = Manifest::empty();
        m.files = vec![file("a", "2021-01-01"), file("a", "2023-01-01"), file("b", "2022-01-01")];
        let paths = |as_of: Option<&str>| -> Vec<String> {
            m.visible(as_of.map(|d| d.parse().unwrap())).iter().map(|f| f.path.clone()).collect()
        };
        assert_eq!(paths(None), ["a2023-01-01", "b2022-01-01"]);
        assert_eq!(paths(Some("2022-06-01")), ["a2021-01-01", "b2022-01-01"]);
        assert_eq!(paths(Some("2020-06-01")), Vec::<String>::new());
    }

    #[test]
    fn what_is_staged_of_a_survey_is_microdata_too() {
        let mut m = Manifest::empty();
        m.files = vec![file("a", "2021-01-01"), file("b", "2021-01-01"), file("c", "2021-01-01")];
        m.files[0].table = "household".to_owned();
        m.files[1].schema = "staging".to_owned();
        m.files[2].source_id = "other".to_owned();
        assert_eq!(m.files.iter().map(|f| m.is_microdata(f)).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn reference_tables_are_seen_at_every_date_behind_publishers() {
        let mut m = Manifest::empty();
        m.files = vec![file("g", "2025-01-01"), file("g", "2022-01-01")];
        m.files[0].source_id = REFERENCE_SOURCE.to_owned();
        let path = |as_of: &str| m.visible(Some(as_of.parse().unwrap()))[0].path.clone();
        assert_eq!(path("2021-01-01"), "g2025-01-01");
        assert_eq!(path("2026-01-01"), "g2022-01-01");
    }

    #[test]
    fn only_numbered_json_is_a_manifest() {
        assert_eq!(Manifest::number("00000042.json"), Some(42));
        for other in ["42.json", "0000004x.json", "00000042.json#1", "tmp"] {
            assert_eq!(Manifest::number(other), None, "{other}");
        }
    }

    #[test]
    fn newer_layout_is_refused_by_name() {
        let text = r#"{"format": 99, "anything": true}"#;
        let error = Manifest::parse(text.as_bytes(), "manifest/00000001.json").unwrap_err().to_string();
        assert!(error.contains("layout 99"), "{error}");
    }
}
