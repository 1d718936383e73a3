//! What a table is known by: the checksums of its files.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use envoi::lake::Manifest;
use envoi::lake::lake::{DataFile, checksum};

/// Tables of one version of the lake that are not models.
#[derive(Debug)]
pub(crate) struct Prints {
    whole: Arc<Manifest>,
    tables: HashMap<String, Table>,
    sources: String,
}

#[derive(Debug, Default)]
struct Table {
    print: String,
    files: Vec<DataFile>,
    editions: Vec<(String, NaiveDate)>,
}

impl Prints {
    pub(crate) fn new(manifest: &Arc<Manifest>) -> Self {
        let mut files: BTreeMap<String, Vec<DataFile>> = BTreeMap::new();
        for file in manifest.visible(None) {
            if file.schema != envoi::lake::lake::MODEL_SCHEMA {
                files.entry(format!("{}.{}", file.schema, file.table)).or_default().push(file.clone());
            }
        }
        let tables = files.into_iter().map(|(name, files)| {
            let mut editions: Vec<_> = files.iter().map(|f| (f.source_id.clone(), f.vintage)).collect();
            editions.sort();
            editions.dedup();
            (name, Table { print: of_files(&files), files, editions })
        });
        let sources = serde_json::to_vec(&manifest.sources).unwrap_or_default();
        Self { whole: Arc::clone(manifest), tables: tables.collect(), sources: checksum(&sources) }
    }

    /// What a table is known by now; `None` where that cannot be said.
    pub(crate) fn of(&self, manifest: &Manifest, table: &str) -> Option<String> {
        if let Some(path) = table.strip_prefix("file:") {
            return of_path(path);
        }
        if let Some((table, edition)) = table.split_once('@') {
            return self.of_edition(table, edition);
        }
        if let Some(name) = table.strip_prefix("model.") {
            let model = manifest.model(name)?;
            if !model.is_view() {
                return Some(checksum(format!("{} {}", model.sha256, model.microdata && !model.release).as_bytes()));
            }
            if model.volatile {
                return None;
            }
            let mut text = model.query_hash.clone();
            for input in &model.inputs {
                text += &self.of(manifest, &input.table)?;
            }
            return Some(checksum(text.as_bytes()));
        }
        if table == "lake.source" {
            return Some(self.sources.clone());
        }
        // A table without a row is as good as any other.
        Some(self.tables.get(table).map_or_else(|| checksum(b""), |t| t.print.clone()))
    }

    /// What a table is known by at another edition: a version never changes, what a day shows may.
    fn of_edition(&self, table: &str, edition: &str) -> Option<String> {
        if edition.strip_prefix('v').is_some_and(|n| n.parse::<u64>().is_ok()) {
            return Some(checksum(edition.as_bytes()));
        }
        let day: NaiveDate = edition.parse().ok()?;
        let (schema, name) = table.split_once('.')?;
        let seen = self.whole.visible(Some(day)).into_iter().filter(|f| f.schema == schema && f.table == name);
        Some(of_files(&seen.cloned().collect::<Vec<_>>()))
    }

    /// The files of a table.
    pub(crate) fn files(&self, manifest: &Manifest, table: &str) -> Vec<DataFile> {
        match table.strip_prefix("model.") {
            Some(name) => manifest.model_files(name),
            None => self.tables.get(table).map(|t| t.files.clone()).unwrap_or_default(),
        }
    }

    /// Editions that a table is made of.
    pub(crate) fn editions(&self, manifest: &Manifest, table: &str) -> Vec<(String, NaiveDate)> {
        if let Some(name) = table.strip_prefix("model.") {
            let inputs = manifest.model(name).map(|m| m.inputs.as_slice()).unwrap_or_default();
            let mut all: Vec<_> = inputs.iter().flat_map(|i| i.editions.iter().cloned()).collect();
            all.sort();
            all.dedup();
            return all;
        }
        self.tables.get(table).map(|t| t.editions.clone()).unwrap_or_default()
    }
}

fn of_files(files: &[DataFile]) -> String {
    let mut sums: Vec<&str> = files.iter().map(|f| f.sha256.as_str()).collect();
    sums.sort_unstable();
    checksum(sums.join(" ").as_bytes())
}

/// A file is known by its size and time; a folder, a pattern and an address are not.
fn of_path(path: &str) -> Option<String> {
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let time = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(checksum(format!("{path} {} {}", metadata.len(), time.as_nanos()).as_bytes()))
}
