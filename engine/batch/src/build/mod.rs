//! Building one model over a version of the lake that nobody else sees yet.

mod incremental;
mod snapshot;
mod write;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use chrono::{DateTime, SecondsFormat, Utc};
use envoi::lake::Manifest;
use envoi::lake::lake::{BuiltModel, DataFile, ModelColumn, ModelInput, PublishedModel, Stage, checksum};
use envoi::lake::tables::{DESCRIPTION, UNIT};
use envoi::{Bounds, Draft, Session, SessionFactory, Shape};

use crate::plan::{Asked, Days, Prints, Verdict, Why, judge};
use crate::project::{ColumnConfig, Materialisation, Model, bytes};
use crate::record::{Input, TestRecord};
use crate::testing;
use write::{Layout, Written, write};

pub(crate) use incremental::followed;
pub(crate) use write::plain;

/// What all models of a run are built with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) factory: SessionFactory,
    pub(crate) prints: Arc<Prints>,
    pub(crate) stage: Stage,
    pub(crate) run_id: String,
    /// Whose models they are.
    pub(crate) project: String,
    pub(crate) now: DateTime<Utc>,
    pub(crate) asked: Asked,
    /// Partitions of a backfill are built, and published, one by one.
    pub(crate) stepwise: bool,
}

/// What became of a model, before it is published.
#[derive(Debug)]
pub(crate) enum Made {
    /// It is what it would be.
    Unchanged,
    /// It is another.
    Built(Box<Built>),
}

/// A model that was built and tested.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) built: BuiltModel,
    pub(crate) reason: String,
    pub(crate) tests: Vec<TestRecord>,
    /// Days that were asked for and are still to be built, where partitions are published one by one.
    pub(crate) more: Option<Days>,
    /// The partition that this is, there: its first day.
    pub(crate) partition: Option<String>,
}

/// Why a model was not built.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) step: &'static str,
    pub(crate) what: String,
    pub(crate) tests: Vec<TestRecord>,
    /// It may work when it is tried again.
    pub(crate) passing: bool,
    pub(crate) cancelled: bool,
}

impl Failed {
    pub(crate) fn at(step: &'static str, model: &Model, error: &envoi::Error) -> Self {
        let what = match error.position() {
            Some(_) => model.problem(error).to_string(),
            None => error.to_string(),
        };
        let passing = matches!(error.class(), envoi::Class::Resource | envoi::Class::Data);
        Self { step, what, tests: Vec::new(), passing, cancelled: error.class() == envoi::Class::Cancelled }
    }
}

/// How much of a table is built anew.
#[derive(Debug)]
pub(crate) enum How {
    /// All of it.
    Whole,
    /// These days now, others later.
    Days { now: Days, later: Days, step: Option<Days> },
    /// The rows of these keys.
    Keys(incremental::Changed),
    /// Nothing: only what is said of it.
    Said,
}

impl Context {
    /// Builds a model over `manifest`, in which everything is that it reads, and tests it.
    pub(crate) async fn build(
        &self,
        model: &Model,
        manifest: &Arc<Manifest>,
        remaining: Option<&Days>,
    ) -> Result<Made, Failed> {
        let verdict = match remaining {
            Some(_) => Verdict::Build(Why::Backfill),
            None => judge(model, manifest, &self.prints, self.asked),
        };
        if verdict == Verdict::Unchanged {
            return Ok(Made::Unchanged);
        }
        let failed = |step| move |e: envoi::Error| Failed::at(step, model, &e);
        let session = self.session(model, manifest).await.map_err(failed("plan"))?;
        testing::unit_tests(self, model, manifest).await?;
        let draft = session.draft(&model.compiled).await.map_err(failed("plan"))?;
        let (how, reason) = match &verdict {
            Verdict::Build(why) => {
                let chosen = self.how(&session, &draft, model, manifest, why, remaining).await;
                chosen.map_err(failed("plan"))?
            }
            _ => (How::Said, "what is said of it changed".to_owned()),
        };
        let (written, pending, more) = match self.rows(&session, &draft, model, manifest, &how).await {
            Ok(found) => found,
            Err(e) => return Err(Failed::at("build", model, &e)),
        };
        let published = self.published(model, manifest, &draft, &written, pending).await.map_err(failed("build"))?;
        let built = BuiltModel { model: published, files: written.files };
        let candidate = Arc::new(manifest.with_models(std::slice::from_ref(&built)));
        let tests = testing::run(self, model, &candidate, &built).await.map_err(failed("test"))?;
        if let Some(first) = tests.iter().find(|t| t.blocks && !t.passed) {
            let found = first.found.as_deref().map(|f| format!(": {f}")).unwrap_or_default();
            let what = format!("test `{}` failed{found}", first.name);
            return Err(Failed { step: "test", what, tests, passing: false, cancelled: false });
        }
        let partition = match &how {
            How::Days { now, step, .. } if self.stepwise && !now.is_all() => Some(step.as_ref().unwrap_or(now).label()),
            _ => None,
        };
        Ok(Made::Built(Box::new(Built { built, reason, tests, more, partition })))
    }

    /// A session for a model's queries, within its bounds.
    pub(crate) async fn session(&self, model: &Model, manifest: &Arc<Manifest>) -> envoi::Result<Session> {
        let memory = model.config.memory.as_deref().and_then(|m| bytes(m).ok());
        self.factory.over(Arc::clone(manifest), Bounds { partitions: None, memory }).await
    }

    async fn how(
        &self,
        session: &Session,
        draft: &Draft,
        model: &Model,
        manifest: &Arc<Manifest>,
        why: &Why,
        remaining: Option<&Days>,
    ) -> envoi::Result<(How, String)> {
        if model.config.materialisation != Materialisation::Incremental {
            return Ok((How::Whole, why.to_string()));
        }
        incremental::how(self, session, draft, model, manifest, why, remaining).await
    }

    async fn rows(
        &self,
        session: &Session,
        draft: &Draft,
        model: &Model,
        manifest: &Arc<Manifest>,
        how: &How,
    ) -> envoi::Result<(Written, Days, Option<Days>)> {
        let held = manifest.model_files(&model.name);
        let none = Days::default;
        let layout =
            Layout { sort: model.config.sort.clone(), parts: model.config.partition_by.clone(), ..Layout::default() };
        let shape = Shape { sort: layout.sort.clone(), parts: layout.parts.clone(), ..Shape::default() };
        let put = |answer, layout: Layout| {
            let held = held.clone();
            async move { write(answer, &layout, &self.stage, &model.name, &held, self.packers()).await }
        };
        match (model.config.materialisation, how) {
            (Materialisation::View, _) => {
                let schema = plain(&draft.schema);
                Ok((Written { files: Vec::new(), schema }, none(), None))
            }
            (_, How::Said) => {
                let pending = manifest.model(&model.name).map(|m| Days::from_list(&m.pending)).unwrap_or_default();
                let lake = self.factory.runtime().lake();
                let schema = match held.first() {
                    Some(file) => lake.stored_schema(file).await?,
                    None => plain(&draft.schema),
                };
                Ok((Written { files: held, schema }, pending, None))
            }
            (Materialisation::Snapshot, _) => {
                snapshot::sound(session, model).await?;
                let sql = snapshot::query(self, draft, model, manifest).await?;
                let draft = session.draft(&sql).await?;
                Ok((put(session.shaped(&draft, shape).await?, layout).await?, none(), None))
            }
            (_, How::Days { now, later, step }) => {
                let built = step.as_ref().unwrap_or(now);
                let written = incremental::days(self, session, draft, model, &held, built).await?;
                let left = now.without(built);
                let more = (!left.is_empty()).then(|| left.clone());
                Ok((written, left.union(later), more))
            }
            (_, How::Keys(changed)) => {
                let answer = incremental::keys(draft, model, changed, shape).await?;
                Ok((put(answer, layout).await?, none(), None))
            }
            (_, How::Whole) => Ok((put(session.shaped(draft, shape).await?, layout).await?, none(), None)),
        }
    }

    fn packers(&self) -> usize {
        self.factory.runtime().threads().max(1)
    }

    async fn published(
        &self,
        model: &Model,
        manifest: &Manifest,
        draft: &Draft,
        written: &Written,
        pending: Days,
    ) -> envoi::Result<PublishedModel> {
        // By name, and not one by one: tables of thousands of columns are not rare.
        let drafted: HashMap<&str, &FieldRef> = draft.schema.fields().iter().map(|f| (f.name().as_str(), f)).collect();
        let told: HashMap<&str, &ColumnConfig> = model.config.column.iter().map(|c| (c.name.as_str(), c)).collect();
        let columns = written.schema.fields().iter().map(|field| {
            let known = drafted.get(field.name().as_str()).map(|f| f.metadata());
            let said = told.get(field.name().as_str());
            let kept = |key: &str| known.and_then(|m| m.get(key)).filter(|t| !t.is_empty()).cloned();
            ModelColumn {
                name: field.name().clone(),
                data_type: field.data_type().to_string(),
                unit: said.and_then(|c| c.unit.clone()).or_else(|| kept(UNIT)),
                description: said.and_then(|c| c.description.clone()).or_else(|| kept(DESCRIPTION)),
            }
        });
        let (inputs, microdata, unsteady) = self.inputs(model, manifest, draft).await?;
        let of_files = || written.files.iter().map(|f| f.sha256.as_str()).collect::<Vec<_>>().join(" ");
        let view = model.config.materialisation == Materialisation::View;
        Ok(PublishedModel {
            name: model.name.clone(),
            materialisation: model.config.materialisation.name().to_owned(),
            description: model.config.description.clone(),
            owner: model.config.owner.clone(),
            tags: model.config.tags.clone(),
            query: model.text.clone(),
            compiled: model.compiled.clone(),
            query_hash: model.query_hash.clone(),
            config_hash: model.config_hash.clone(),
            engine: crate::ENGINE.to_owned(),
            run_id: self.run_id.clone(),
            project: Some(self.project.clone()),
            built_at: self.now.to_rfc3339_opts(SecondsFormat::Secs, true),
            inputs,
            columns: columns.collect(),
            rows: written.files.iter().map(|f| f.rows).sum(),
            bytes: written.files.iter().map(|f| f.bytes).sum(),
            sha256: if view { model.query_hash.clone() } else { checksum(of_files().as_bytes()) },
            volatile: unsteady || !draft.reads.volatile.is_empty(),
            microdata,
            release: model.config.release,
            pending: pending.to_list(),
        })
    }

    /// What a model was built from, whether people are below it, and whether it cannot be told when that changes.
    async fn inputs(
        &self,
        model: &Model,
        manifest: &Manifest,
        draft: &Draft,
    ) -> envoi::Result<(Vec<ModelInput>, bool, bool)> {
        let own = format!("model.{}", model.name);
        let mut tables = draft.reads.tables.clone();
        tables.extend(model.reads.iter().map(|m| format!("model.{m}")));
        tables.extend(model.tables.iter().filter(|t| t.starts_with("model.")).cloned());
        tables.extend(model.tested.iter().cloned());
        tables.extend(draft.reads.files.iter().map(|path| format!("file:{path}")));
        tables.remove(&own);
        let (mut inputs, mut unsteady) = (Vec::new(), false);
        let mut microdata = draft.reads.microdata;
        let followed = incremental::followed(model);
        for table in tables {
            let fingerprint = self.prints.of(manifest, &table);
            unsteady |= fingerprint.is_none();
            if let Some(read) = table.strip_prefix("model.").and_then(|name| manifest.model(name)) {
                microdata |= read.microdata && !read.release;
            }
            let files = match &followed {
                Some(input) if *input == table => incremental::files(self, model, manifest, &table).await?,
                _ => Vec::new(),
            };
            inputs.push(ModelInput {
                editions: self.prints.editions(manifest, &table),
                fingerprint: fingerprint.unwrap_or_default(),
                table,
                files,
            });
        }
        Ok((inputs, microdata, unsteady))
    }
}

/// The inputs of a model as a run's record has them.
pub(crate) fn recorded(model: &PublishedModel) -> Vec<Input> {
    let input = |i: &ModelInput| Input { table: i.table.clone(), editions: i.editions.clone() };
    model.inputs.iter().map(input).collect()
}

/// Files in the order of their partitions, those without a time last.
pub(super) fn by_part(mut files: Vec<DataFile>) -> Vec<DataFile> {
    files.sort_by(|a, b| a.series.cmp(&b.series));
    files
}
