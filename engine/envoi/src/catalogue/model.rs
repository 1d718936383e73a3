//! Schema `model`: tables and views that `envoi run` published.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::datasource::{TableType, ViewTable};
use envoi_lake::Manifest;
use envoi_lake::lake::{MODEL_SCHEMA, ModelColumn, PublishedModel};
use envoi_lake::tables::{DESCRIPTION, UNIT};
use parking_lot::RwLock;

use super::edition::{self, Edition};
use super::granted::{self, Named, Within};
use super::lake::LakeView;
use super::lake_table::{LakeTable, PROVENANCE};
use super::view::StateHandle;
use crate::error::Error;
use crate::privacy::Grants;
use crate::session::statement;

/// The schema. Plans of views are kept for as long as the session sees the same lake.
#[derive(Debug)]
pub(crate) struct ModelSchema {
    pub(crate) state: Arc<StateHandle>,
    pub(crate) view: Arc<LakeView>,
    pub(crate) plans: Mutex<HashMap<(String, String), Arc<dyn TableProvider>>>,
    /// Models that are not built yet, with the columns that they will have, so that what reads them can be planned.
    pub(crate) expected: RwLock<HashMap<String, SchemaRef>>,
    /// The session is not the owner's.
    pub(crate) reader: bool,
    /// Of a role that there is not everything for.
    pub(crate) grants: Option<Named>,
    /// Where the tables of views are sought; `None`: where the session's are.
    pub(crate) within: Option<Within>,
}

impl ModelSchema {
    async fn planned(&self, name: &str, model: &PublishedModel) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        let key = (name.to_owned(), self.view.key());
        if let Some(known) = self.plans.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let mut state = self.state.state()?;
        if let Some(within) = &self.within {
            within.over(&mut state);
        }
        let plan = state.statement_to_plan(statement(&state, &model.compiled)?).await.map_err(|e| {
            let error = Error::from_datafusion(&e, &model.compiled);
            Error::new(error.class(), format!("model `{name}`: {error}"))
        })?;
        let plan = match self.grants.as_ref().and_then(|grants| grants.of.of(MODEL_SCHEMA, name)) {
            Some(kept) => granted::kept(plan, &kept, &state)?,
            None => plan,
        };
        let view: Arc<dyn TableProvider> = Arc::new(ViewTable::new(plan, Some(model.compiled.clone())));
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|(_, seen), _| *seen == key.1);
        plans.insert(key, Arc::clone(&view));
        Ok(view)
    }
}

#[async_trait::async_trait]
impl SchemaProvider for ModelSchema {
    fn table_names(&self) -> Vec<String> {
        let hidden = |m: &PublishedModel| self.reader && m.microdata && !m.release;
        let shown = |m: &&PublishedModel| {
            !hidden(m) && self.grants.as_ref().is_none_or(|grants| grants.shows(MODEL_SCHEMA, &m.name))
        };
        self.view.newest().models.iter().filter(shown).map(|m| m.name.clone()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let (base, edition) = edition::split(name);
        if let Some(columns) = self.expected.read().get(base) {
            let table = LakeTable::stored(Arc::clone(columns), Vec::new())?.named(MODEL_SCHEMA, base);
            return Ok(Some(Arc::new(table)));
        }
        let mut as_of = self.view.state_options().as_of;
        let manifest = match edition {
            Some(Edition::Version(number)) => self.view.runtime().manifest(Some(number)).await?,
            Some(Edition::AsOf(day)) => {
                as_of = Some(day);
                self.view.manifest().await?
            }
            None => self.view.manifest().await?,
        };
        let Some(model) = manifest.model(base) else { return Ok(None) };
        if let Some(grants) = &self.grants {
            grants.check(MODEL_SCHEMA, base)?;
            let named = grants.of.tables.iter().flatten().any(|t| *t == format!("{MODEL_SCHEMA}.{base}"));
            let own = named || grants.of.of(MODEL_SCHEMA, base).is_some();
            if let Some(table) = made_of(&manifest, model, &grants.of).filter(|_| !own) {
                let error = Error::user(format!("permission denied for table `model.{base}`"));
                let hint = format!("it was made of `{table}`, of which there is not everything for you");
                return Err(error.with_hint(hint).into());
            }
        }
        if self.reader && model.microdata && !model.release {
            let error = Error::user(format!("model `{base}` is made of households; it is its owner's alone"));
            return Err(error.with_hint("`release = true` in its TOML shows it to readers").into());
        }
        if model.is_view() {
            if edition.is_some() {
                let error = Error::user(format!("model `{base}` is a view, which has no editions of its own"));
                return Err(error.with_hint("`--lake-version` reads everything at one version").into());
            }
            return self.planned(base, model).await.map(Some);
        }
        // It can be listed all the same.
        let refused = as_of.zip(model.vintage()).filter(|(day, vintage)| day < vintage).map(|(day, vintage)| {
            let error = Error::user(format!("model `{base}` was built from editions up to {vintage}, after {day}"));
            error.with_hint("`--lake-version` reads it as it was published before")
        });
        let files = manifest.model_files(base);
        let Some(first) = files.first() else { return Ok(None) };
        let stored = self.view.runtime().stored_schema(first).await?;
        let schema = described(&stored, model, &manifest);
        let table = LakeTable::stored(schema, files)?.named(MODEL_SCHEMA, name).refused(refused);
        let table = table.rooted(self.view.runtime().lake().store().path(""));
        let kept = self.grants.as_ref().and_then(|grants| grants.of.of(MODEL_SCHEMA, base));
        Ok(Some(Arc::new(match kept {
            Some(kept) => table.granted(&kept, &self.state.state()?)?,
            None => table,
        })))
    }

    fn table_exist(&self, name: &str) -> bool {
        let base = edition::split(name).0;
        self.expected.read().contains_key(base) || self.view.newest().model(base).is_some()
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>, DataFusionError> {
        let newest = self.view.newest();
        let kind = |m: &PublishedModel| if m.is_view() { TableType::View } else { TableType::Base };
        Ok(newest.model(edition::split(name).0).map(kind))
    }
}

/// A table that rows or columns are kept back of, and that a model was made of, through others too. Tables are made
/// of all there is; views are asked anew.
fn made_of(manifest: &Manifest, model: &PublishedModel, grants: &Grants) -> Option<String> {
    let (mut seen, mut left) = (BTreeSet::new(), vec![model]);
    while let Some(model) = left.pop() {
        for input in model.inputs.iter().filter(|input| seen.insert(&input.table)) {
            if grants.keeps_from(&input.table) && !model.is_view() {
                return Some(input.table.clone());
            }
            let made = input.table.strip_prefix("model.").and_then(|name| manifest.model(name));
            left.extend(made);
        }
    }
    None
}

/// Units, descriptions and origins, which stand in the manifest and not in the files: those of equal rows are equal.
fn described(stored: &SchemaRef, model: &PublishedModel, manifest: &Manifest) -> SchemaRef {
    let editions: BTreeSet<_> = model.inputs.iter().flat_map(|i| &i.editions).collect();
    let known = manifest.sources.iter().filter(|s| editions.contains(&(s.source_id.clone(), s.vintage)));
    let (mut licences, mut caveats) = (BTreeSet::new(), BTreeSet::new());
    for source in known {
        licences.insert(source.licence.as_str());
        caveats.extend(source.caveats.as_deref());
    }
    let joined = |texts: BTreeSet<&str>| texts.into_iter().collect::<Vec<_>>().join("; ");
    let [source, licence, caveat] = PROVENANCE;
    let origin: Vec<String> = editions.iter().map(|(id, vintage)| format!("{id} {vintage}")).collect();
    let provenance = [(source, origin.join("; ")), (licence, joined(licences)), (caveat, joined(caveats))];
    let columns: HashMap<&str, &ModelColumn> = model.columns.iter().map(|c| (c.name.as_str(), c)).collect();
    let fields = stored.fields().iter().map(|field| {
        let mut metadata = field.metadata().clone();
        let said = columns.get(field.name().as_str());
        if let Some(unit) = said.and_then(|c| c.unit.clone()) {
            metadata.insert(UNIT.to_owned(), unit);
            if field.data_type() == &DataType::Float64 {
                let origin = provenance.iter().filter(|(_, text)| !text.is_empty());
                metadata.extend(origin.map(|(key, text)| ((*key).to_owned(), text.clone())));
            }
        }
        if let Some(description) = said.and_then(|c| c.description.clone()) {
            metadata.insert(DESCRIPTION.to_owned(), description);
        }
        field.as_ref().clone().with_metadata(metadata)
    });
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}
