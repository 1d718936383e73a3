//! Publishing a version: data files first, then one manifest, created or not.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use bytes::Bytes;
use chrono::{NaiveDate, SecondsFormat, Utc};
use sha2::{Digest, Sha256};

use super::manifest::{DataFile, FORMAT, Manifest, SourceEdition};
use super::{Lake, manifest_path};
use crate::error::{Error, Result};
use crate::tables::TableDef;

/// How often a publisher that lost the race tries the next number. Imports only
/// add, so a loser can lay its change over the winner's version.
const ATTEMPTS: usize = 16;

/// A data file to be added.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// `lake` or `staging`.
    pub schema: &'static str,
    /// Table.
    pub table: String,
    /// What editions replace one another in.
    pub series: String,
    /// Dataset.
    pub source_id: String,
    /// Date of the edition.
    pub vintage: NaiveDate,
    /// Rows in it.
    pub rows: u64,
    /// Least and greatest value of the first sort column, where it is text.
    pub lead: Option<(String, String)>,
    /// The Parquet file.
    pub bytes: Bytes,
}

/// What a version adds to the one before.
#[derive(Debug, Default)]
pub struct Change {
    /// What is being done, for the history.
    pub operation: String,
    /// The lake holds a selection for demonstration.
    pub sample: bool,
    /// Files; each replaces those of the same table, series and vintage.
    pub files: Vec<NewFile>,
    /// Editions they come from.
    pub sources: Vec<SourceEdition>,
}

/// SHA-256 in hexadecimal.
pub fn checksum(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl NewFile {
    /// Rows of a table of the lake, sorted as the table says, as a file.
    pub fn of(
        table: &TableDef,
        series: &str,
        source_id: &str,
        vintage: NaiveDate,
        sorted: &RecordBatch,
    ) -> Result<Self> {
        let first =
            table.sort.first().and_then(|name| sorted.column_by_name(name)).and_then(|c| c.as_string_opt::<i32>());
        let lead = first.filter(|c| !c.is_empty()).map(|c| (c.value(0).to_owned(), c.value(c.len() - 1).to_owned()));
        Ok(Self {
            schema: "lake",
            table: table.name.to_owned(),
            series: series.to_owned(),
            source_id: source_id.to_owned(),
            vintage,
            rows: sorted.num_rows() as u64,
            lead,
            bytes: super::encode(sorted, table.sort)?,
        })
    }
}

impl Lake {
    /// Publishes a change as the next version: all of it or nothing.
    ///
    /// Readers see the old version until the manifest exists and the new one
    /// after. If another publisher wins the number, the change is laid over the
    /// winner's version; a file that the winner has imported meanwhile drops out.
    /// After an error the files written here are removed again.
    pub async fn publish(&self, change: Change) -> Result<Arc<Manifest>> {
        let mut written = Vec::new();
        let outcome = self.try_publish(change, &mut written).await;
        if outcome.is_err() {
            self.take_back(&written).await;
        }
        outcome
    }

    async fn try_publish(&self, change: Change, written: &mut Vec<String>) -> Result<Arc<Manifest>> {
        let mut files = Vec::with_capacity(change.files.len());
        for file in change.files {
            let sha256 = checksum(&file.bytes);
            let folder = if file.schema == "staging" { "staging" } else { "data" };
            let path = format!("{folder}/{}/{}.parquet", file.table, sha256.get(..24).unwrap_or(&sha256));
            let bytes = file.bytes.len() as u64;
            // The name is the content's checksum: a file that is there is the same file.
            match self.store.put(&path, file.bytes, true).await {
                Ok(true) => written.push(path.clone()),
                Ok(false) => {}
                // It may be there all the same: a store can fail after it has written.
                Err(error) => {
                    written.push(path);
                    return Err(error);
                }
            }
            files.push(DataFile {
                schema: file.schema.to_owned(),
                table: file.table,
                series: file.series,
                source_id: file.source_id,
                vintage: file.vintage,
                path,
                rows: file.rows,
                bytes,
                sha256,
                lead: file.lead,
            });
        }
        for _ in 0..ATTEMPTS {
            let base = match self.current().await? {
                Some(current) => Arc::unwrap_or_clone(current),
                None => Manifest::empty(),
            };
            if !change.sources.is_empty() && change.sources.iter().all(|s| base.has_source(&s.sha256)) {
                self.take_back(written).await;
                return Ok(Arc::new(base));
            }
            let next = next_version(base, &files, &change.sources, &change.operation, change.sample);
            let text = serde_json::to_vec_pretty(&next).map_err(|e| Error::Internal(e.to_string()))?;
            let (path, text) = (manifest_path(next.version), Bytes::from(text));
            match self.store.put(&path, text.clone(), true).await {
                Ok(true) => return Ok(Arc::new(next)),
                Ok(false) => {}
                // A store that failed after it had written has published: an error
                // would say that nothing changed.
                Err(error) => {
                    return match self.store.get(&path).await {
                        Ok(Some(found)) if found == text => Ok(Arc::new(next)),
                        _ => Err(error),
                    };
                }
            }
        }
        Err(Error::Conflict(self.current().await?.map_or(0, |m| m.version)))
    }

    /// Gives the space of an abandoned change back. A file that another version
    /// has come to name stays; failures are left to `gc`.
    async fn take_back(&self, written: &[String]) {
        let Ok(versions) = self.versions().await else { return };
        let mut named = std::collections::HashSet::new();
        for version in versions {
            let Ok(manifest) = self.version(version).await else { return };
            named.extend(manifest.files.iter().map(|f| f.path.clone()));
        }
        for path in written.iter().filter(|path| !named.contains(*path)) {
            let _ = self.store.delete(path).await;
        }
    }
}

fn next_version(
    base: Manifest,
    files: &[DataFile],
    sources: &[SourceEdition],
    operation: &str,
    sample: bool,
) -> Manifest {
    let replaced = |old: &DataFile| {
        files.iter().any(|new| {
            (&new.schema, &new.table, &new.series, &new.source_id, new.vintage)
                == (&old.schema, &old.table, &old.series, &old.source_id, old.vintage)
        })
    };
    let kept = base.files.iter().filter(|old| !replaced(old)).cloned();
    let known = base
        .sources
        .iter()
        .filter(|old| !sources.iter().any(|new| new.sha256 == old.sha256 && new.edition == old.edition))
        .cloned();
    Manifest {
        format: FORMAT,
        version: base.version + 1,
        created_at: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        operation: operation.to_owned(),
        engine: concat!("envoi ", env!("CARGO_PKG_VERSION")).to_owned(),
        sample: base.sample || sample,
        files: kept.chain(files.iter().cloned()).collect(),
        sources: known.chain(sources.iter().cloned()).collect(),
    }
}
