//! Tables that queries made: staged under names of their own, then published by one manifest.
//!
//! ```text
//! <lake>/model/<name>/<sha256>-<publication>.parquet     staged: no manifest names it yet
//! <lake>/manifest/<next>.json                            published: all models of it at once
//! ```

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::manifest::{DataFile, Manifest};
use super::publish::{ATTEMPTS, checksum, publication};
use super::{Lake, manifest_path};
use crate::error::{Error, Result};

/// Schema of the tables that queries made, and the folder of their files.
pub const MODEL_SCHEMA: &str = "model";

/// `source_id` of the files of such tables.
pub const MODEL_SOURCE: &str = "envoi.model";

/// A table or view that a query made, as a version of the lake holds it.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct PublishedModel {
    /// Name in schema `model`.
    pub name: String,
    /// `view`, `table`, `incremental` or `snapshot`.
    pub materialisation: String,
    /// What it holds.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Words to select it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The query as written.
    pub query: String,
    /// The query that ran.
    pub compiled: String,
    /// SHA-256 over the compiled query, its settings, and the engine and library that it ran in.
    pub query_hash: String,
    /// SHA-256 over the rest of its settings: what is said of it, tests, exports.
    #[serde(default)]
    pub config_hash: String,
    /// Engine and version that built it.
    pub engine: String,
    /// The run that built it.
    pub run_id: String,
    /// The project that has its query: the name it gives itself, or else its folder. Where it is not known, nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// When, RFC 3339 UTC.
    pub built_at: String,
    /// What it was built from, all the way down to files.
    pub inputs: Vec<ModelInput>,
    /// Its columns in order.
    pub columns: Vec<ModelColumn>,
    /// Rows of the whole table; 0 of a view.
    pub rows: u64,
    /// Bytes of the whole table.
    pub bytes: u64,
    /// SHA-256 over the checksums of its files, or over the query of a view.
    pub sha256: String,
    /// Its query gives other rows at other times.
    #[serde(default)]
    pub volatile: bool,
    /// Households or people are below it.
    #[serde(default)]
    pub microdata: bool,
    /// Its owner says that it may be shown although they are.
    #[serde(default)]
    pub release: bool,
    /// Days of an incremental table that are still to be built, as days since 1970: first, and the one after the last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<(i64, i64)>,
}

/// A table that a model read.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ModelInput {
    /// `schema.table`, or `file:` and a path.
    pub table: String,
    /// Editions that were read: dataset and vintage.
    pub editions: Vec<(String, NaiveDate)>,
    /// SHA-256 over the checksums of the files that were read.
    pub fingerprint: String,
    /// The files, of the input that an incremental table follows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<InputFile>,
}

/// A file that an incremental table was built from.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// Path below the lake's root.
    pub path: String,
    /// Its checksum.
    pub sha256: String,
    /// First and last day of the time column, as days since 1970; `None` where it is not known.
    pub days: Option<(i64, i64)>,
    /// Whether it may hold rows without a time.
    #[serde(default)]
    pub nulls: bool,
}

/// A column of a model.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ModelColumn {
    /// Name.
    pub name: String,
    /// Type, in Arrow's words.
    pub data_type: String,
    /// Unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl PublishedModel {
    /// True for a query without rows of its own.
    pub fn is_view(&self) -> bool {
        self.materialisation == "view"
    }

    /// True if it was built from one of those models, or tested against it.
    pub fn reads_any(&self, models: &BTreeSet<String>) -> bool {
        self.inputs.iter().filter_map(|i| i.table.strip_prefix("model.")).any(|read| models.contains(read))
    }

    /// The newest edition below it.
    pub fn vintage(&self) -> Option<NaiveDate> {
        self.inputs.iter().flat_map(|i| &i.editions).map(|(_, vintage)| *vintage).max()
    }
}

/// A model with all files of its table.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltModel {
    /// What is said of it.
    pub model: PublishedModel,
    /// Its files in order, those that it keeps of the version before too.
    pub files: Vec<DataFile>,
}

/// What a run changes in a lake.
#[derive(Debug, Default)]
pub struct ModelChange {
    /// What is being done, for the history.
    pub operation: String,
    /// The models, each in place of the one of its name.
    pub models: Vec<BuiltModel>,
    /// Models that are there no longer.
    pub removed: BTreeSet<String>,
    /// The models as this run saw them: those that it replaces or removes, and those that it read.
    /// Where the lake has another by now, the run was overtaken.
    pub seen: BTreeMap<String, Option<PublishedModel>>,
}

/// Writes files of models for one run, under names that no other run has.
#[derive(Debug, Clone)]
pub struct Stage {
    lake: Lake,
    publication: String,
}

impl Stage {
    /// Writes a file that no manifest names yet; `held` are the files of the version before, of
    /// which one with the same bytes is kept instead.
    ///
    /// # Errors
    /// A store that fails, a full disk.
    pub async fn put(&self, model: &str, part: &str, rows: u64, bytes: Bytes, held: &[DataFile]) -> Result<DataFile> {
        let sha256 = checksum(&bytes);
        let size = bytes.len() as u64;
        let path = match held.iter().find(|f| f.sha256 == sha256) {
            Some(file) => file.path.clone(),
            None => {
                let short = sha256.get(..24).unwrap_or(&sha256);
                let path = format!("{MODEL_SCHEMA}/{model}/{short}-{}.parquet", self.publication);
                self.lake.store().put(&path, bytes).await?;
                path
            }
        };
        Ok(DataFile {
            schema: MODEL_SCHEMA.to_owned(),
            table: model.to_owned(),
            series: part.to_owned(),
            source_id: MODEL_SOURCE.to_owned(),
            vintage: DateTime::<Utc>::UNIX_EPOCH.date_naive(),
            path,
            rows,
            bytes: size,
            sha256,
            lead: None,
            from: Vec::new(),
        })
    }

    /// Removes what was staged and what no version has come to name; what cannot be removed is left to `gc`.
    pub async fn take_back(&self, models: &[&str]) {
        let Ok(named) = self.lake.named().await else { return };
        let ours = format!("-{}.parquet", self.publication);
        for model in models {
            let Ok(objects) = self.lake.store().list(&format!("{MODEL_SCHEMA}/{model}")).await else { continue };
            let paths = objects.iter().filter_map(|o| self.lake.store().relative(&o.location));
            for path in paths.filter(|path| path.ends_with(&ours) && !named.contains(path)) {
                let _ = self.lake.store().delete(&path).await;
            }
        }
    }
}

impl Lake {
    /// Where the files of a run's models go.
    pub fn stage(&self) -> Stage {
        Stage { lake: self.clone(), publication: publication() }
    }

    /// Paths that the versions name.
    async fn named(&self) -> Result<HashSet<String>> {
        let mut named = HashSet::new();
        for version in self.versions().await? {
            named.extend(self.version(version).await?.files.iter().map(|f| f.path.clone()));
        }
        Ok(named)
    }

    /// Publishes models whose files are staged as the next version: all of them or none.
    ///
    /// If the lake has newer versions than the run saw, the change is laid over the newest, unless a
    /// model that the run replaces, removes or read is another one there, or one there reads what is removed.
    ///
    /// # Errors
    /// [`Error::Overtaken`] then; a store that fails.
    pub async fn publish_models(&self, change: &ModelChange) -> Result<Arc<Manifest>> {
        for _ in 0..ATTEMPTS {
            let base = match self.current().await? {
                Some(current) => current,
                None => Arc::new(Manifest::empty()),
            };
            if let Some((name, _)) = change.seen.iter().find(|(name, seen)| base.model(name) != seen.as_ref()) {
                return Err(Error::Overtaken { model: name.clone(), version: base.version });
            }
            let mut next = base.with_models(&change.models).without_models(&change.removed);
            if let Some(reader) = next.models.iter().find(|m| m.reads_any(&change.removed)) {
                return Err(Error::Overtaken { model: reader.name.clone(), version: base.version });
            }
            next.version = base.version + 1;
            next.created_at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
            next.operation = change.operation.clone();
            next.engine = super::publish::ENGINE.to_owned();
            if self.create(&next).await? {
                return Ok(Arc::new(next));
            }
        }
        Err(Error::Conflict(self.current().await?.map_or(0, |m| m.version)))
    }

    /// Writes a manifest, unless there is one of its number.
    pub(super) async fn create(&self, next: &Manifest) -> Result<bool> {
        let text = serde_json::to_vec_pretty(next).map_err(|e| Error::Internal(e.to_string()))?;
        let (path, text) = (manifest_path(next.version), Bytes::from(text));
        let put = self.store.put(&path, text.clone()).await;
        // A store that failed, or was asked again, after it had written has
        // published: an error would say that nothing changed.
        let ours = match &put {
            Ok(true) => true,
            _ => matches!(self.store.get(&path).await, Ok(Some(found)) if found == text),
        };
        if !ours {
            put?;
        }
        Ok(ours)
    }
}

impl Manifest {
    /// The model of that name.
    pub fn model(&self, name: &str) -> Option<&PublishedModel> {
        self.models.iter().find(|m| m.name == name)
    }

    /// The files of a model's table, in order.
    pub fn model_files(&self, name: &str) -> Vec<DataFile> {
        self.files.iter().filter(|f| f.schema == MODEL_SCHEMA && f.table == name).cloned().collect()
    }

    /// The same version with those models in place of the ones of their names.
    #[must_use]
    pub fn with_models(&self, models: &[BuiltModel]) -> Self {
        let ours = |name: &str| models.iter().any(|m| m.model.name == name);
        let mut next = self.clone();
        next.files.retain(|f| f.schema != MODEL_SCHEMA || !ours(&f.table));
        next.models.retain(|m| !ours(&m.name));
        for built in models {
            next.files.extend(built.files.iter().cloned());
            next.models.push(built.model.clone());
        }
        next.models.sort_by(|a, b| a.name.cmp(&b.name));
        next.format = next.layout();
        next
    }

    /// The same version without those models and their files.
    #[must_use]
    pub fn without_models(mut self, names: &BTreeSet<String>) -> Self {
        self.files.retain(|f| f.schema != MODEL_SCHEMA || !names.contains(&f.table));
        self.models.retain(|m| !names.contains(&m.name));
        self.format = self.layout();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, run: &str) -> PublishedModel {
        PublishedModel {
            name: name.into(),
            materialisation: "table".into(),
            description: None,
            owner: None,
            tags: Vec::new(),
            query: String::new(),
            compiled: String::new(),
            query_hash: String::new(),
            config_hash: String::new(),
            engine: String::new(),
            run_id: run.into(),
            project: None,
            built_at: String::new(),
            inputs: Vec::new(),
            columns: Vec::new(),
            rows: 1,
            bytes: 1,
            sha256: String::new(),
            volatile: false,
            microdata: false,
            release: false,
            pending: Vec::new(),
        }
    }

    async fn change(lake: &Lake, name: &str, run: &str, seen: Option<PublishedModel>) -> ModelChange {
        let file = lake.stage().put(name, "", 1, Bytes::from(format!("{name} {run}")), &[]).await.unwrap();
        ModelChange {
            operation: format!("run {run}"),
            models: vec![BuiltModel { model: model(name, run), files: vec![file] }],
            removed: BTreeSet::new(),
            seen: [(name.to_owned(), seen)].into(),
        }
    }

    #[tokio::test]
    async fn models_are_laid_over_what_others_published() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().to_str().unwrap()).unwrap();
        let (a, b) = (change(&lake, "a", "1", None).await, change(&lake, "b", "2", None).await);
        assert_eq!(lake.publish_models(&a).await.unwrap().version, 1);
        let second = lake.publish_models(&b).await.unwrap();
        assert_eq!((second.version, second.models.len(), second.files.len(), second.format), (2, 2, 2, 2));
        let late = change(&lake, "a", "3", None).await;
        let error = lake.publish_models(&late).await.unwrap_err().to_string();
        assert!(error.contains("model `a`") && error.contains("version 2"), "{error}");
        let again = change(&lake, "a", "4", Some(model("a", "1"))).await;
        let third = lake.publish_models(&again).await.unwrap();
        assert_eq!(third.model("a").unwrap().run_id, "4");
        assert_eq!(lake.verify(&third, |_| {}).await.unwrap(), []);
    }

    #[tokio::test]
    async fn models_are_removed_unless_somebody_reads_them_by_then() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().to_str().unwrap()).unwrap();
        for name in ["a", "b"] {
            lake.publish_models(&change(&lake, name, "1", None).await).await.unwrap();
        }
        let gone = |name: &str| ModelChange {
            removed: [name.to_owned()].into(),
            seen: [(name.to_owned(), Some(model(name, "1")))].into(),
            ..ModelChange::default()
        };
        let third = lake.publish_models(&gone("a")).await.unwrap();
        assert_eq!((third.models.len(), third.files.len(), third.format), (1, 1, 2));
        let mut reader = change(&lake, "c", "2", None).await;
        let input =
            ModelInput { table: "model.b".into(), editions: Vec::new(), fingerprint: String::new(), files: Vec::new() };
        reader.models[0].model.inputs.push(input);
        lake.publish_models(&reader).await.unwrap();
        let error = lake.publish_models(&gone("b")).await.unwrap_err().to_string();
        assert!(error.contains("model `c`"), "{error}");
        assert_eq!(lake.versions().await.unwrap().len(), 4);
    }

    #[tokio::test]
    async fn what_was_staged_can_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().to_str().unwrap()).unwrap();
        let kept = change(&lake, "a", "1", None).await;
        lake.publish_models(&kept).await.unwrap();
        let stage = lake.stage();
        stage.put("a", "", 1, Bytes::from("other"), &[]).await.unwrap();
        stage.take_back(&["a"]).await;
        let left = lake.store().list("model").await.unwrap();
        assert_eq!(left.len(), 1);
    }
}
