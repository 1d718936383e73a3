//! Importing publishers' files: collect, recognise, read, check, sort, write, publish.
//!
//! ```text
//! paths -> Input (bytes, checksum, kind) -> Importer -> Rows -> Parquet -> one new lake version
//! ```
//! All files of one import are published as one version or not at all.

pub mod cells;
mod descriptor;
mod importer;
mod input;
mod prepare;
mod rows;
mod sources;
mod staged;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;

use crate::error::{Error, Printable, Result};
use crate::lake::{Change, Lake, Replaced, SourceEdition};
use crate::read::Limits;

pub use descriptor::{Descriptor, descriptor, descriptors, mapping};
pub use importer::{Context, Imported, Importer, Recognition, Staged, StagedRows};
pub use input::Input;
pub(crate) use rows::days;
pub use rows::{Rows, Value};
pub use staged::{StageWriter, stage, table_name};

/// What the user asked for beside the files.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// `--source`: the dataset all files must be of.
    pub source: Option<String>,
    /// The dataset that files which the user, or a download, names one by one must be of;
    /// what lies beside the data in an archive may be of nobody.
    pub expected: Option<String>,
    /// `--vintage`: the date of the edition, where the file does not say or says wrong.
    pub vintage: Option<NaiveDate>,
    /// `--mapping`: the descriptors that the files are of; none but these are tried.
    pub mappings: Vec<Arc<Descriptor>>,
    /// Bounds for reading.
    pub limits: Limits,
}

/// What an import is doing, for a progress bar.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// So many files, so many bytes.
    Begin(usize, u64),
    /// A file is done.
    File {
        /// Its name.
        name: &'a str,
        /// Its bytes.
        bytes: u64,
        /// Rows it gave.
        rows: u64,
    },
    /// All is read; the version is being written.
    Publish,
}

/// What became of one file.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// The file.
    pub file: String,
    /// Dataset it was recognised as; `None`: passed over.
    pub source_id: Option<String>,
    /// Edition.
    pub edition: Option<String>,
    /// Rows for the lake.
    pub rows: u64,
    /// Decisions, counts, checks, or why it was passed over.
    pub notes: Vec<String>,
}

/// What an import did.
#[derive(Debug, Clone)]
pub struct Report {
    /// The files in order.
    pub files: Vec<FileReport>,
    /// Version of the lake afterwards.
    pub version: u64,
    /// False if every file was in the lake already, or came into it by another
    /// import meanwhile: this one made no version.
    pub changed: bool,
}

/// Imports files and folders as one new version of the lake, or changes nothing.
///
/// Files are recognised by content. A file named by the user must be of a known
/// publisher, or is kept as a plain table in schema `staging`; in folders and
/// archives files of nobody are passed over and reported. A file whose checksum
/// the lake has already is not imported again, unless it is asked for under
/// another vintage: then it is filed anew, and no longer under the old one.
pub async fn import(
    lake: &Lake,
    paths: &[PathBuf],
    options: &Options,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Report> {
    let inputs = input::collect(paths, &options.limits, &sources::streams)?;
    let current = lake.current().await?;
    let (mut reports, mut change) = prepare::prepare(&inputs, options, current.as_deref(), progress)?;
    if change.files.is_empty() && change.sources.is_empty() {
        let version = current.map_or(0, |m| m.version);
        return Ok(Report { files: reports, version, changed: false });
    }
    progress(Progress::Publish);
    let named: Vec<&str> = inputs
        .iter()
        .filter(|i| reports.iter().any(|r| r.file == i.name && r.rows > 0))
        .map(Input::base_name)
        .collect();
    change.operation = format!("import {}", shortened(&named));
    crate::country::add_reference(&mut change, current.as_deref())?;
    let published = lake.publish(change).await?;
    say_replaced(&published.replaced, &inputs, &mut reports);
    Ok(Report { files: reports, version: published.manifest.version, changed: published.made })
}

/// Tells of each file which other file's rows it took the place of.
fn say_replaced(replaced: &[Replaced], inputs: &[Input], reports: &mut [FileReport]) {
    for (input, report) in inputs.iter().zip(reports) {
        let mut told: Vec<(&SourceEdition, Vec<&str>)> = Vec::new();
        for one in replaced.iter().filter(|r| r.by.contains(&input.sha256)) {
            match told.iter_mut().find(|(old, _)| **old == one.old) {
                Some((_, tables)) if tables.contains(&one.table.as_str()) => {}
                Some((_, tables)) => tables.push(&one.table),
                None => told.push((&one.old, vec![&one.table])),
            }
        }
        report.notes.extend(told.into_iter().map(|(old, tables)| {
            format!(
                "replaces `{}`, vintage {}, imported on {}, in `{}`",
                Printable(&old.file),
                old.vintage,
                old.imported_at,
                tables.join("`, `")
            )
        }));
    }
}

/// Makes a lake with the reference tables only. One that is there already is an error.
pub async fn init(lake: &Lake) -> Result<u64> {
    if let Some(current) = lake.current().await? {
        return Err(Error::Usage(format!(
            "there is a lake at `{}` already, at version {}",
            lake.store().label(),
            current.version
        )));
    }
    let mut change = Change { operation: "init".to_owned(), ..Change::default() };
    crate::country::add_reference(&mut change, None)?;
    Ok(lake.publish(change).await?.manifest.version)
}

fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
