//! Removing what no version names, and versions nobody wants to keep.

use std::collections::HashSet;
use std::time::Duration;

use chrono::Utc;

use super::{Lake, manifest_path};
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
        for folder in ["data", "staging"] {
            for object in self.store().list(folder).await? {
                let Some(path) = self.store().relative(&object.location) else { continue };
                if !named.contains(&path) && object.last_modified <= youngest {
                    collected.files.push(path);
                    collected.bytes += object.size;
                }
            }
        }
        if !dry_run {
            for version in old {
                self.store().delete(&manifest_path(*version)).await?;
            }
            for path in &collected.files {
                self.store().delete(path).await?;
            }
        }
        Ok(collected)
    }
}
