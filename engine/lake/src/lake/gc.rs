//! Removing what no version names, and versions nobody wants to keep.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use chrono::Utc;

use super::{Lake, MODEL_SCHEMA, manifest_path};
use crate::error::{Error, Result};

/// Files younger than this are left alone: an import that is running writes its
/// files before the manifest that names them.
pub const GRACE: Duration = Duration::from_secs(3600);

/// What a collection removed, or would.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Collected {
    /// Manifests of versions not kept.
    pub versions: Vec<u64>,
    /// Data files that no kept version names.
    pub files: Vec<String>,
    /// Their size.
    pub bytes: u64,
}

impl Lake {
    /// Removes versions before the newest `keep` (all are kept with `None`) and
    /// data files that no remaining version names and that are older than `grace`.
    ///
    /// With `dry_run` nothing is removed. Manifests go first, so a file is never
    /// missing from a version that can still be opened.
    pub async fn gc(&self, keep: Option<usize>, grace: Duration, dry_run: bool) -> Result<Collected> {
        let versions = self.versions().await?;
        if versions.is_empty() {
            return Err(Error::Usage(format!("there is no lake at `{}`", self.store().label())));
        }
        let dropped = keep.map_or(0, |keep| versions.len().saturating_sub(keep.max(1)));
        let (old, kept) = versions.split_at(dropped);
        let mut named = HashSet::new();
        for version in kept {
            named.extend(self.version(*version).await?.files.iter().map(|f| f.path.clone()));
        }
        let mut collected = Collected { versions: old.to_vec(), ..Collected::default() };
        let youngest = Utc::now() - grace;
        for folder in ["data", "staging", MODEL_SCHEMA] {
            for object in self.store().list(folder).await? {
                let Some(path) = self.store().relative(&object.location) else { continue };
                if !named.contains(&path) && object.last_modified <= youngest {
                    collected.files.push(path);
                    collected.bytes += object.size;
                }
            }
        }
        let unfinished = self.unfinished(grace)?;
        if !dry_run {
            for path in &unfinished {
                // Another collection may have been quicker.
                let _ = std::fs::remove_file(path);
            }
            for version in old {
                self.store().delete(&manifest_path(*version)).await?;
            }
            for path in &collected.files {
                self.store().delete(path).await?;
            }
        }
        Ok(collected)
    }
    /// What a killed import was writing on a local disk: `name#1`, which the store
    /// writes first and renames, and which its own listings leave out.
    fn unfinished(&self, grace: Duration) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let Some(root) = self.store().local_path() else { return Ok(found) };
        let mut folders: Vec<PathBuf> = ["data", "staging", MODEL_SCHEMA, "manifest", "run", "schedule", "lease"]
            .iter()
            .map(|f| root.join(f))
            .collect();
        while let Some(folder) = folders.pop() {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                Err(source) => return Err(Error::Io { path: folder.display().to_string(), source }),
            };
            for entry in entries.flatten() {
                let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                let Ok(metadata) = entry.metadata() else { continue };
                if metadata.is_dir() {
                    folders.push(path);
                    continue;
                }
                let ours = name.rsplit_once('#').is_some_and(|(stem, digits)| {
                    (stem.ends_with(".parquet") || stem.ends_with(".json"))
                        && digits.bytes().all(|b| b.is_ascii_digit())
                });
                let old = metadata.modified().ok().and_then(|t| t.elapsed().ok()).is_some_and(|age| age >= grace);
                if ours && old {
                    found.push(path);
                }
            }
        }
        Ok(found)
    }
}
