//! What an importer is: it recognises a publisher's file by content and makes rows of it.

use chrono::NaiveDate;

use super::descriptor::Descriptor;
use super::input::Input;
use super::rows::Rows;
use crate::country::Concordance;
use crate::error::{Place, Result};
use crate::lake::NewFile;
use crate::read::{Grid, Limits};

/// Is this file the importer's?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognition {
    /// Nothing of the publisher's.
    No,
    /// It bears the publisher's marks, but what the importer needs is not as it should be: why.
    Almost(String),
    /// Yes.
    Yes,
}

/// What importers may look at beside the file itself.
pub struct Context<'a> {
    /// Everything else that is being imported, for companions of a file.
    pub inputs: &'a [Input],
    /// Countries and aggregates.
    pub concordance: &'a Concordance,
    /// The dataset's descriptor.
    pub descriptor: &'a Descriptor,
    /// `--vintage`.
    pub vintage: Option<NaiveDate>,
    /// Bounds for reading.
    pub limits: &'a Limits,
}

/// What a file became.
#[derive(Debug)]
pub struct Imported {
    /// File, and sheet, that the rows stand in.
    pub place: Place,
    /// Part and edition of the dataset, for table `source`.
    pub edition: String,
    /// Date of the edition.
    pub vintage: NaiveDate,
    /// Rows for the lake.
    pub rows: Vec<Rows>,
    /// Rows of lake tables that were sorted, checked for duplicates and encoded where they
    /// were read, because all of them together do not fit into memory.
    pub files: Vec<NewFile>,
    /// The publisher's shape, kept for audit.
    pub staged: Vec<Staged>,
    /// What the user should know: decisions, counts, checks.
    pub notes: Vec<String>,
}

/// A table in the publisher's shape, for schema `staging`.
#[derive(Debug)]
pub struct Staged {
    /// Table name.
    pub name: String,
    /// The rows, typed or as text.
    pub content: StagedRows,
}

/// Rows of a staging table.
#[derive(Debug)]
pub enum StagedRows {
    /// In memory.
    Batch(arrow::array::RecordBatch),
    /// Written as they came, because all of them together do not fit into memory.
    Parquet {
        /// How many.
        rows: u64,
        /// The finished file.
        bytes: bytes::Bytes,
    },
}

impl Staged {
    /// A table that is in memory.
    pub fn of(name: impl Into<String>, batch: arrow::array::RecordBatch) -> Self {
        Self { name: name.into(), content: StagedRows::Batch(batch) }
    }
}

/// A publisher's format.
pub trait Importer: Send + Sync {
    /// Id of the descriptor, or what several descriptors name as their `importer`.
    fn id(&self) -> &'static str;
    /// Checks a mapping of the user's for this importer; most read what they read by code alone.
    fn check(&self, _descriptor: &Descriptor) -> Result<(), String> {
        Err(format!("`{}` needs no mapping; mappings are for `household_survey` and `central_bank.series`", self.id()))
    }
    /// True for the beginning of a text that it reads from disk if it is large.
    fn streams(&self, _opening: &Grid) -> bool {
        false
    }
    /// Recognises a file by its content, never by its name.
    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition>;
    /// Reads it. Every value that is not as it should be is an error with its place.
    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported>;
}
