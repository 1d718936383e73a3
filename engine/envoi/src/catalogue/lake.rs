//! Schemas `lake` and `staging`: the tables of one lake version.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{Date32Array, Int64Array, RecordBatch, StringArray};
use datafusion::catalog::{MemTable, SchemaProvider, TableProvider};
use datafusion::common::DataFusionError;
use envoi_lake::lake::{DataFile, PLAIN_TABLE, REFERENCE_SOURCE, SourceEdition};
use envoi_lake::tables::{SOURCE, TABLES};
use envoi_lake::{Manifest, tables};

use super::edition::{self, Edition};
use super::granted::Named;
use super::lake_table::{LakeTable, Microdata};
use super::view::StateHandle;
use crate::runtime::Runtime;

/// The lake as one session sees it: a manifest, and the session's `as_of` and version.
#[derive(Debug)]
pub(crate) struct LakeView {
    runtime: Arc<Runtime>,
    state: Arc<StateHandle>,
    newest: Mutex<Arc<Manifest>>,
    /// A transaction reads the version that it began with.
    pinned: AtomicBool,
}

impl LakeView {
    pub(crate) fn new(runtime: Arc<Runtime>, state: Arc<StateHandle>, newest: Arc<Manifest>) -> Self {
        Self { runtime, state, newest: Mutex::new(newest), pinned: AtomicBool::new(false) }
    }

    /// Looks for a newer version; a statement sees one version from begin to end.
    pub(crate) async fn refresh(&self) -> crate::Result<()> {
        if self.pinned.load(Ordering::Acquire) {
            return Ok(());
        }
        let newest = self.runtime.manifest(None).await?;
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = newest;
        Ok(())
    }

    /// Whether statements see one version until this is taken back.
    pub(crate) fn pin(&self, pinned: bool) {
        self.pinned.store(pinned, Ordering::Release);
    }

    /// The newest manifest as of the last refresh.
    pub(crate) fn newest(&self) -> Arc<Manifest> {
        Arc::clone(&self.newest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The manifest that the session's settings ask for.
    pub(crate) async fn manifest(&self) -> crate::Result<Arc<Manifest>> {
        let newest = self.newest();
        match self.state.options().lake_version {
            Some(number) if number != newest.version => self.runtime.manifest(Some(number)).await,
            _ => Ok(newest),
        }
    }

    /// What the sessions share.
    pub(super) fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// The session's settings.
    pub(super) fn state_options(&self) -> crate::EnvoiOptions {
        self.state.options()
    }

    /// What the session sees, as a key for plans made of it.
    pub(crate) fn key(&self) -> String {
        let options = self.state.options();
        let conventions = options.conventions;
        format!("{:?} {:?} {} {conventions:?}", options.as_of, options.lake_version, self.newest().version)
    }
}

/// Which part of the lake a schema shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Lake,
    Staging,
}

/// One of the two schemas.
#[derive(Debug)]
pub(crate) struct LakeSchema {
    pub(crate) view: Arc<LakeView>,
    pub(crate) part: Part,
    /// Of a role that there is not everything for.
    pub(crate) grants: Option<Named>,
}

impl LakeSchema {
    fn name(&self) -> &'static str {
        match self.part {
            Part::Lake => "lake",
            Part::Staging => "staging",
        }
    }

    /// The table as it is there for the session, by its name and the one that was asked for, with an edition.
    fn found(
        &self,
        (name, asked): (&str, &str),
        table: LakeTable,
    ) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let table = table.named(self.name(), asked);
        let kept = self.grants.as_ref().and_then(|grants| grants.of.of(self.name(), name));
        Ok(Some(Arc::new(match kept {
            Some(kept) => table.granted(&kept, &self.view.state.state()?)?,
            None => table,
        })))
    }

    fn root(&self) -> object_store::path::Path {
        self.view.runtime.lake().store().path("")
    }
}

#[async_trait::async_trait]
impl SchemaProvider for LakeSchema {
    fn table_names(&self) -> Vec<String> {
        let mut all: Vec<String> = match self.part {
            Part::Lake => TABLES.iter().map(|t| t.name.to_owned()).collect(),
            Part::Staging => {
                let newest = self.view.newest();
                let names: BTreeSet<&String> =
                    newest.files.iter().filter(|f| f.schema == "staging").map(|f| &f.table).collect();
                names.into_iter().cloned().collect()
            }
        };
        if let Some(grants) = &self.grants {
            all.retain(|name| grants.shows(self.name(), name));
        }
        all
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        // Another edition is another table, by this name.
        let asked = name;
        let (name, edition) = edition::split(name);
        if let Some(grants) = self.grants.as_ref().filter(|_| self.table_exist(name)) {
            grants.check(self.name(), name)?;
        }
        let mut as_of = self.view.state.options().as_of;
        let manifest = match edition {
            Some(Edition::Version(number)) => self.view.runtime.manifest(Some(number)).await?,
            Some(Edition::AsOf(day)) => {
                as_of = Some(day);
                self.view.manifest().await?
            }
            None => self.view.manifest().await?,
        };
        if self.part == Part::Staging {
            let files: Vec<DataFile> = visible(&manifest, as_of, "staging", name);
            let Some(first) = files.first() else { return Ok(None) };
            let schema = LakeTable::stored_schema(self.view.runtime.lake(), first).await?;
            let microdata = match () {
                () if files.iter().any(|f| manifest.is_microdata(f)) => Microdata::Staged,
                () if files.iter().any(|f| f.source_id == PLAIN_TABLE) => Microdata::Unknown,
                () => Microdata::No,
            };
            return self.found((name, asked), LakeTable::stored(schema, files)?.of(microdata).rooted(self.root()));
        }
        let Some(table) = tables::table(name) else { return Ok(None) };
        if table.name == SOURCE.name {
            return Ok(Some(Arc::new(sources(&manifest, as_of)?)));
        }
        let files = visible(&manifest, as_of, "lake", name);
        let editions = manifest.sources.as_slice();
        let newest = table.microdata && visible(&self.view.newest(), None, "lake", name) == files;
        let microdata = if table.microdata { Microdata::Lake { newest } } else { Microdata::No };
        self.found((name, asked), LakeTable::lake(table, files, editions)?.of(microdata).rooted(self.root()))
    }

    fn table_exist(&self, name: &str) -> bool {
        match self.part {
            Part::Lake => tables::table(name).is_some(),
            Part::Staging => self.view.newest().files.iter().any(|f| f.schema == "staging" && f.table == name),
        }
    }
}

fn visible(manifest: &Manifest, as_of: Option<chrono::NaiveDate>, schema: &str, table: &str) -> Vec<DataFile> {
    manifest.visible(as_of).into_iter().filter(|f| f.schema == schema && f.table == table).cloned().collect()
}

/// Table `source`, from the manifest: every edition the session may see, the
/// older ones too, since `as_of` reaches them. The tables of economies are seen
/// at every date, so their edition is listed at every date.
fn sources(manifest: &Manifest, as_of: Option<chrono::NaiveDate>) -> Result<MemTable, DataFusionError> {
    let mut by_key: BTreeMap<(&str, &str, &str), &SourceEdition> = BTreeMap::new();
    let seen = |s: &&SourceEdition| s.source_id == REFERENCE_SOURCE || as_of.is_none_or(|day| s.vintage <= day);
    for edition in manifest.sources.iter().filter(seen) {
        by_key.insert((&edition.source_id, &edition.edition, &edition.sha256), edition);
    }
    let rows: Vec<&SourceEdition> = by_key.into_values().collect();
    let text = |get: fn(&SourceEdition) -> &str| Arc::new(rows.iter().map(|s| Some(get(s))).collect::<StringArray>());
    let maybe =
        |get: fn(&SourceEdition) -> Option<&str>| Arc::new(rows.iter().map(|s| get(s)).collect::<StringArray>());
    let count = |get: fn(&SourceEdition) -> u64| {
        Arc::new(rows.iter().map(|s| i64::try_from(get(s)).ok()).collect::<Int64Array>())
    };
    let vintage: Date32Array =
        rows.iter().map(|s| Some(datafusion::arrow::datatypes::Date32Type::from_naive_date(s.vintage))).collect();
    let schema = SOURCE.schema();
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![
            text(|s| &s.source_id),
            text(|s| &s.provider),
            text(|s| &s.dataset),
            text(|s| &s.edition),
            Arc::new(vintage),
            text(|s| &s.licence),
            text(|s| &s.citation),
            maybe(|s| s.url.as_deref()),
            text(|s| &s.file),
            text(|s| &s.sha256),
            count(|s| s.bytes),
            count(|s| s.rows),
            text(|s| &s.imported_at),
            maybe(|s| s.caveats.as_deref()),
        ],
    )?;
    MemTable::try_new(schema, vec![vec![batch]])
}
