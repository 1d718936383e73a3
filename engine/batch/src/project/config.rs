//! What the TOML of a model and of a project says.

use std::collections::BTreeMap;
use std::time::Duration;

use envoi::Granularity;
use envoi::library::MartTest;
use serde::{Deserialize, Serialize};

use crate::duration::duration;

/// How a model's rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Materialisation {
    /// Not at all: the query runs whenever it is read.
    View,
    /// As a table that every change builds anew.
    #[default]
    Table,
    /// As a table of which a change builds the touched parts anew.
    Incremental,
    /// As a history of its rows, with `valid_from` and `valid_to`.
    Snapshot,
}

impl Materialisation {
    /// As the TOML says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Table => "table",
            Self::Incremental => "incremental",
            Self::Snapshot => "snapshot",
        }
    }
}

/// When the models of a run are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Publish {
    /// All of them as one version.
    #[default]
    Together,
    /// Each as soon as it is built and tested.
    Each,
}

/// `project.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectConfig {
    /// Name, for people.
    pub name: Option<String>,
    /// When models are published.
    pub publish: Publish,
    /// Values of `var('…')`.
    pub vars: BTreeMap<String, toml::Value>,
    /// What models say unless they say otherwise; tags are added to theirs.
    pub defaults: toml::Table,
}

/// The TOML of a model.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// How its rows are kept.
    pub materialisation: Materialisation,
    /// What it holds.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// Columns its rows are sorted by.
    pub sort: Vec<String>,
    /// Columns whose values have files of their own.
    pub partition_by: Vec<String>,
    /// Readers may see it although households are below it.
    pub release: bool,
    /// How often it is tried again after a failure that is not its own fault.
    pub retries: u32,
    /// Pause before it is tried again, doubled each time: `5s`.
    pub backoff: Option<Span>,
    /// The longest that building and testing may take: `10m`.
    pub timeout: Option<Span>,
    /// Memory of its queries: `2GiB`.
    pub memory: Option<String>,
    /// Where it is written beside the lake: a folder or URL.
    pub target: Option<String>,
    /// The format there.
    pub format: Option<String>,
    /// More places.
    pub export: Vec<Export>,
    /// How an incremental table grows.
    pub incremental: Option<Incremental>,
    /// How a snapshot tells rows and changes apart.
    pub snapshot: Option<Snapshot>,
    /// What columns mean.
    pub column: Vec<ColumnConfig>,
    /// How old its inputs may be.
    pub freshness: Vec<Freshness>,
    /// What must hold of its rows.
    pub test: Vec<TestConfig>,
    /// What its query must make of given rows.
    pub unit_test: Vec<UnitTest>,
}

/// How an incremental table grows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incremental {
    /// The table that it follows: `transfer`.
    pub input: String,
    /// Column of the input that says when a row was.
    pub time: Option<String>,
    /// Column of the model that says in which partition a row is; without it `time`.
    pub column: Option<String>,
    /// Length of a partition: `day`, `week`, `month`, `quarter`, `year`.
    pub every: Option<String>,
    /// So long before the first change is built anew too.
    #[serde(default)]
    pub late: Option<Span>,
    /// Columns, of the input and the model, that tell which rows belong together.
    #[serde(default)]
    pub key: Vec<String>,
    /// What to do when the query has other columns than the table.
    #[serde(default)]
    pub on_schema_change: SchemaChange,
}

impl Incremental {
    /// Length of a partition.
    pub fn granularity(&self) -> Option<Granularity> {
        Granularity::of(self.every.as_deref().unwrap_or("month"))
    }

    /// Column of the model that says in which partition a row is.
    pub fn output(&self) -> Option<&str> {
        self.column.as_deref().or(self.time.as_deref())
    }
}

/// What to do when an incremental query has other columns than its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SchemaChange {
    /// Stop before anything runs.
    #[default]
    Fail,
    /// Columns may come, none may go or change; the table is built anew.
    Append,
    /// The table is built anew.
    Rebuild,
}

/// How a snapshot tells rows and changes apart.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Columns that identify a row.
    pub key: Vec<String>,
    /// Columns of which a change makes a new version; without `updated_at` all, if none are named.
    #[serde(default)]
    pub check: Vec<String>,
    /// Column that says when a row was changed.
    pub updated_at: Option<String>,
    /// Rows that are gone stay valid, instead of ending.
    #[serde(default)]
    pub keep_deleted: bool,
}

/// A place beside the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// Folder or URL.
    pub target: String,
    /// `parquet`, `csv`, `json`, `ndjson`, `tsv`, `xlsx`.
    #[serde(default = "parquet")]
    pub format: String,
    /// A file for each partition instead of one.
    #[serde(default)]
    pub partitioned: bool,
}

fn parquet() -> String {
    "parquet".to_owned()
}

/// What a column means.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnConfig {
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: Option<String>,
    /// Meaning.
    pub description: Option<String>,
}

/// How old an input may be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// The table.
    pub table: String,
    /// Age of its newest edition: `400 days`.
    pub max_age: Span,
    /// Whether an older one blocks publication.
    #[serde(default)]
    pub severity: Severity,
}

/// Whether a failure blocks publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does.
    #[default]
    Error,
    /// It is said.
    Warn,
}

/// What must hold of a model's rows: one of the fields beside `column`, `severity` and `name`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TestConfig {
    /// What it is called; by default what it says.
    pub name: Option<String>,
    /// Whether its failure blocks.
    pub severity: Severity,
    /// No NULL in these columns.
    pub not_null: Vec<String>,
    /// These columns together identify a row.
    pub unique: Vec<String>,
    /// Column of `accepted_values` and `relationships`.
    pub column: Option<String>,
    /// The only values `column` may have.
    pub accepted_values: Vec<String>,
    /// Must be true or NULL for every row.
    pub expression: Option<String>,
    /// Every value of `column` is in this column of another table: `lake.country.iso3`.
    pub relationships: Option<String>,
    /// How many rows there are.
    pub row_count: Option<RowCount>,
    /// Totals agree with those of another query.
    pub reconcile: Option<Reconcile>,
}

impl TestConfig {
    /// The part that marts have too.
    pub fn plain(&self) -> Option<MartTest> {
        let any = !self.not_null.is_empty()
            || !self.unique.is_empty()
            || !self.accepted_values.is_empty()
            || self.expression.is_some();
        any.then(|| MartTest {
            not_null: self.not_null.clone(),
            unique: self.unique.clone(),
            column: self.column.clone(),
            accepted_values: self.accepted_values.clone(),
            expression: self.expression.clone(),
        })
    }
}

/// How many rows a model has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCount {
    /// At least.
    pub min: Option<u64>,
    /// At most.
    pub max: Option<u64>,
    /// As many as this table.
    pub same_as: Option<String>,
}

/// Totals that agree with those of another query.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// The total of the model: `sum(remittance_usd)`.
    pub total: String,
    /// A query with a column `total`, and those of `by`.
    pub against: String,
    /// For each value of these columns; none: one total.
    #[serde(default)]
    pub by: Vec<String>,
    /// Difference that is allowed, as a share of the other total.
    #[serde(default)]
    pub tolerance: f64,
}

/// What a query must make of given rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitTest {
    /// Name.
    pub name: String,
    /// The model, where the test stands in `tests/`.
    pub model: Option<String>,
    /// Rows of each table that it reads; columns left out are NULL.
    #[serde(default)]
    pub given: BTreeMap<String, Vec<toml::Table>>,
    /// Its rows then, in any order, with the columns that matter.
    pub expect: Vec<toml::Table>,
}

/// `tests/….toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TestFile {
    /// The tests.
    pub unit_test: Vec<UnitTest>,
}

/// A length of time: `30s`, `10m`, `2h`, `3 days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(pub Duration);

impl Span {
    /// Whole days of it, rounded up.
    pub fn days(self) -> i64 {
        i64::try_from(self.0.as_secs().div_ceil(86_400)).unwrap_or(i64::MAX)
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        duration(&text).map(Self)
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        format!("{}ms", span.0.as_millis())
    }
}

/// Bytes in `2GiB`.
pub(crate) fn bytes(text: &str) -> Result<usize, String> {
    let size = envoi::config::size(text).and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| format!("`{text}` is not a size; expected one such as `512MiB` or `2GiB`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_sizes() {
        assert_eq!(Span::try_from("3 days".to_owned()).unwrap().days(), 3);
        assert_eq!(Span::try_from("90s".to_owned()).unwrap().0.as_secs(), 90);
        let span = Span(Duration::from_millis(200));
        assert_eq!(Span::try_from(String::from(span)), Ok(span));
        assert!(Span::try_from("soon".to_owned()).is_err());
        assert_eq!(bytes("2GiB"), Ok(2 << 30));
        assert!(bytes("lots").is_err());
    }
}
