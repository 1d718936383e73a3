//! Publishing a version: data files first, then one manifest, created or not.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Read;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use chrono::{NaiveDate, SecondsFormat, Utc};
use sha2::{Digest, Sha256};

use super::Lake;
use super::content::Content;
use super::manifest::{DataFile, Manifest, PLAIN, PLAIN_TABLE, SourceEdition};
use crate::error::{Error, Result};
use crate::tables::TableDef;

/// How often a publisher that lost the race tries the next number. Imports only
/// add, so a loser can lay its change over the winner's version.
pub(super) const ATTEMPTS: usize = 16;

/// Engine and version, as manifests say it.
pub(super) const ENGINE: &str = concat!("envoi ", env!("CARGO_PKG_VERSION"));

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
    /// Checksums of the imported files that gave it; empty: not recorded.
    pub from: Vec<String>,
    /// The Parquet file.
    pub content: Content,
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
    /// Checksum and dataset of imported files whose vintage was wrong: what they
    /// gave under another vintage than in `sources`, and no other file gave too, goes.
    pub refiled: Vec<(String, String)>,
}

impl Change {
    /// True if that edition of the version before is filed anew by this change.
    fn withdraws(&self, old: &SourceEdition) -> bool {
        self.refiled.iter().any(|(sha256, source_id)| (sha256, source_id) == (&old.sha256, &old.source_id))
            && !self.sources.iter().any(|new| new.same_filing(old))
    }
}

/// What came of a change.
#[derive(Debug)]
pub struct Published {
    /// The version that holds the change.
    pub manifest: Arc<Manifest>,
    /// False if the version was there already and had all of the change in it.
    pub made: bool,
    /// Rows of an edition that other rows of the same edition took the place of.
    pub replaced: Vec<Replaced>,
}

/// Rows that gave way to others of the same series and vintage.
#[derive(Debug, Clone, PartialEq)]
pub struct Replaced {
    /// Table they were in.
    pub table: String,
    /// Checksums of the imported files that replaced them.
    pub by: Vec<String>,
    /// The imported file they came from.
    pub old: SourceEdition,
}

/// SHA-256 in hexadecimal.
pub fn checksum(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// SHA-256 in hexadecimal of all that can be read from there.
pub fn checksum_of(from: &mut dyn Read) -> std::io::Result<String> {
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(hexadecimal(&sum.finalize())),
            n => sum.update(buffer.get(..n).unwrap_or_default()),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
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
            from: Vec::new(),
            content: super::encode(sorted, table.sort)?.into(),
        })
    }
}

impl Lake {
    /// Publishes a change as the next version: all of it or nothing.
    ///
    /// Readers see the old version until the manifest exists and the new one
    /// after. If another publisher wins the number, the change is laid over the
    /// winner's version; one that the winner has published meanwhile drops out.
    /// After an error the files written here are removed again: no other publisher
    /// can have come to name them, because every publication has names of its own.
    pub async fn publish(&self, change: Change) -> Result<Published> {
        let mut written = Written { id: publication(), paths: Vec::new() };
        let outcome = self.try_publish(&change, &mut written).await;
        if !matches!(outcome, Ok(Published { made: true, .. })) {
            self.take_back(&written.paths).await;
        }
        outcome
    }

    async fn try_publish(&self, change: &Change, written: &mut Written) -> Result<Published> {
        let sums: Vec<String> = change.files.iter().map(|f| Ok(checksum(&f.content.read()?))).collect::<Result<_>>()?;
        for _ in 0..ATTEMPTS {
            let base = match self.current().await? {
                Some(current) => current,
                None => Arc::new(Manifest::empty()),
            };
            let has = |new: &SourceEdition| base.sources.iter().any(|old| old.same_filing(new));
            let withdraws = base.sources.iter().any(|old| change.withdraws(old));
            // A mapping that was changed makes other rows of files that the lake has.
            let held = |(file, sha256): (&NewFile, &String)| {
                let same = |old: &DataFile| old.table == file.table && old.vintage == file.vintage;
                base.files.iter().any(|old| old.sha256 == *sha256 && same(old))
            };
            let known = change.sources.iter().all(has) && change.files.iter().zip(&sums).all(held);
            if !change.sources.is_empty() && known && !withdraws {
                return Ok(Published { manifest: base, made: false, replaced: Vec::new() });
            }
            let mut files = Vec::with_capacity(change.files.len());
            for (file, sha256) in change.files.iter().zip(&sums) {
                files.push(self.data_file(file, sha256, &base, written).await?);
            }
            let replaced = replaced(&base, &files, change);
            let next = next_version(&base, files, change);
            if self.create(&next).await? {
                return Ok(Published { manifest: Arc::new(next), made: true, replaced });
            }
        }
        Err(Error::Conflict(self.current().await?.map_or(0, |m| m.version)))
    }

    /// Writes a file, unless this publication has written it or the version below has the same.
    async fn data_file(
        &self,
        file: &NewFile,
        sha256: &str,
        base: &Manifest,
        written: &mut Written,
    ) -> Result<DataFile> {
        let folder = if file.schema == "staging" { "staging" } else { "data" };
        let short = sha256.get(..24).unwrap_or(sha256);
        let own = format!("{folder}/{}/{short}-{}.parquet", file.table, written.id);
        let same =
            |f: &&DataFile| (f.schema.as_str(), &f.table, f.sha256.as_str()) == (file.schema, &file.table, sha256);
        let path = match base.files.iter().find(same) {
            Some(held) if !written.paths.contains(&own) => held.path.clone(),
            _ => {
                if !written.paths.contains(&own) {
                    // Also after an error: a store can fail after it has written.
                    written.paths.push(own.clone());
                    self.store.put(&own, file.content.read()?).await?;
                }
                own
            }
        };
        Ok(DataFile {
            schema: file.schema.to_owned(),
            table: file.table.clone(),
            series: file.series.clone(),
            source_id: file.source_id.clone(),
            vintage: file.vintage,
            path,
            rows: file.rows,
            bytes: file.content.len(),
            sha256: sha256.to_owned(),
            lead: file.lead.clone(),
            from: file.from.clone(),
        })
    }

    /// Gives the space of an abandoned change back. A file that another version
    /// has come to name stays; failures are left to `gc`.
    async fn take_back(&self, written: &[String]) {
        let Ok(versions) = self.versions().await else { return };
        let mut named = HashSet::new();
        for version in versions {
            let Ok(manifest) = self.version(version).await else { return };
            named.extend(manifest.files.iter().map(|f| f.path.clone()));
        }
        for path in written.iter().filter(|path| !named.contains(*path)) {
            let _ = self.store.delete(path).await;
        }
    }
}

/// The data files of one publication.
struct Written {
    id: String,
    paths: Vec<String>,
}

/// A name that no other publication has, here or elsewhere. With names by content
/// alone, an import that failed would take back a file that another import, which
/// had found it there, is about to name; so would `gc` with what a killed one left.
pub(super) fn publication() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// Rows of the version below whose place others of the same edition take.
fn replaced(base: &Manifest, files: &[DataFile], change: &Change) -> Vec<Replaced> {
    let mut all = Vec::new();
    for new in files.iter().filter(|f| f.schema == "lake" || f.source_id == PLAIN_TABLE) {
        let Some(old) = base.files.iter().find(|old| new.replaces(old) && new.sha256 != old.sha256) else { continue };
        let again = |s: &&SourceEdition| !change.sources.iter().any(|again| again.same_filing(s));
        for source in base.sources.iter().filter(|s| old.is_from(s)).filter(again) {
            all.push(Replaced { table: new.table.clone(), by: new.from.clone(), old: source.clone() });
        }
    }
    all
}

fn next_version(base: &Manifest, mut files: Vec<DataFile>, change: &Change) -> Manifest {
    let (withdrawn, kept): (Vec<_>, Vec<_>) = base.sources.iter().partition(|old| change.withdraws(old));
    let mut below = Vec::with_capacity(base.files.len());
    for old in &base.files {
        if let Some(new) = files.iter_mut().find(|new| new.replaces(old)) {
            if new.sha256 == old.sha256 {
                // Both imported files gave these rows.
                let others = old.from.iter().filter(|sha256| !new.from.contains(sha256)).cloned().collect::<Vec<_>>();
                new.from.extend(others);
            }
            continue;
        }
        let mut old = old.clone();
        if withdrawn.iter().any(|source| old.is_from(source)) {
            let recorded = !old.from.is_empty();
            old.from.retain(|sha256| !withdrawn.iter().any(|source| source.sha256 == *sha256));
            if old.from.is_empty() && (recorded || !kept.iter().any(|source| old.is_from(source))) {
                continue;
            }
        }
        below.push(old);
    }
    let again =
        |old: &&&SourceEdition| !change.sources.iter().any(|new| new.same_filing(old) && new.edition == old.edition);
    let sources = kept.iter().filter(again).map(|old| (*old).clone()).chain(change.sources.iter().cloned()).collect();
    below.extend(files);
    let mut next = Manifest {
        format: PLAIN,
        version: base.version + 1,
        created_at: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        operation: change.operation.clone(),
        engine: ENGINE.to_owned(),
        sample: base.sample || change.sample,
        files: below,
        sources,
        models: base.models.clone(),
    };
    next.format = next.layout();
    next
}
