//! What is kept of a run: one JSON document, `run/<run_id>.json` in the lake.

use chrono::{DateTime, NaiveDate, Utc};
use envoi::lake::lake::ModelColumn;
use serde::{Deserialize, Serialize};

/// One run, from begin to end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Sorts by time: `20261127T183000.123Z-1f9a3c5e`.
    pub run_id: String,
    /// What started it.
    pub trigger: Trigger,
    /// What was asked for; empty: everything.
    pub selectors: Vec<String>,
    /// First day of a backfill.
    pub from: Option<NaiveDate>,
    /// Day after the last of a backfill.
    pub to: Option<NaiveDate>,
    /// Incremental models were built from nothing.
    pub full_refresh: bool,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// How it ended.
    pub status: RunStatus,
    /// Version of the lake that was read.
    pub lake_version: u64,
    /// Newest version that was published; `None` if none was.
    pub published_version: Option<u64>,
    /// The models that were asked for, in the order they were built.
    pub models: Vec<ModelRecord>,
    /// Models of the project as it was that were taken out of the lake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pruned: Vec<String>,
    /// The first failure and what it blocked.
    pub failure: Option<Failure>,
    /// Engine and version: `envoi 0.1.0`.
    pub engine: String,
}

/// What started a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trigger {
    /// Somebody, or another scheduler.
    Manual,
    /// `envoi schedule`.
    Schedule {
        /// The job of `schedule.toml`.
        job: String,
        /// The time of the cron line it was for.
        due: DateTime<Utc>,
        /// From 1; more after failures.
        attempt: u32,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Everything asked for was built, tested and published, or had not changed.
    Success,
    /// Something was not.
    Failed,
    /// It was stopped.
    Cancelled,
    /// It has not ended.
    Running,
    /// It was killed, or the machine was: it wrote no end. A record that says so was made by whoever read it.
    Interrupted,
}

impl RunStatus {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What became of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelStatus {
    /// Built, tested and published.
    Published,
    /// Neither it nor what it reads has changed.
    Unchanged,
    /// It could not be built, tested or published.
    Failed,
    /// What it reads failed, or the run ended before.
    Blocked,
}

/// One model of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// Name.
    pub name: String,
    /// `view`, `table`, `incremental`, `snapshot`.
    pub materialisation: String,
    /// What became of it.
    pub status: ModelStatus,
    /// Why it was built, or why not: `new`, `query changed`, `input remittance changed`, `2 partitions`.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Wall time of building and testing.
    pub seconds: f64,
    /// Rows of the whole table after the run.
    pub rows: Option<u64>,
    /// Bytes of the whole table after the run.
    pub bytes: Option<u64>,
    /// SHA-256 over the checksums of its files.
    pub sha256: Option<String>,
    /// Tables it reads.
    pub inputs: Vec<Input>,
    /// Its columns, of one that was published by this run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ModelColumn>,
    /// Partitions that were published one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepRecord>,
    /// Its tests.
    pub tests: Vec<TestRecord>,
    /// What went wrong.
    pub error: Option<String>,
}

/// A part of a model that was published by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// First day of the partition.
    pub partition: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Wall time of building and testing.
    pub seconds: f64,
    /// Rows of the whole table after it.
    pub rows: u64,
    /// Version of the lake that has it first.
    pub version: u64,
}

/// A table a model reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Input {
    /// `schema.table`.
    pub table: String,
    /// Editions of it that were read: dataset and vintage.
    pub editions: Vec<(String, NaiveDate)>,
}

/// A test of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestRecord {
    /// What was tested: `unique (iso3, year)`.
    pub name: String,
    /// Whether it held.
    pub passed: bool,
    /// Its failure blocks publication; otherwise it warns.
    pub blocks: bool,
    /// Rows that violate it, or what was found instead.
    pub found: Option<String>,
}

/// The first failure of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The model.
    pub model: String,
    /// `parse`, `plan`, `build`, `test`, `publish`, `export`.
    pub step: String,
    /// What went wrong.
    pub message: String,
    /// Models that were not built for it.
    pub blocked: Vec<String>,
}
