//! A run: what is asked for, checked whole, then built, tested and published.

mod check;
mod execute;
mod gone;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use envoi::lake::Manifest;
use envoi::lake::lake::checksum;
use envoi::{EnvoiOptions, SessionFactory};

use crate::cancel::Cancel;
use crate::export::Packer;
use crate::plan::{Asked, Prints};
use crate::project::{Problem, Project, Sources};
use crate::record::{ModelStatus, RunRecord, Trigger};
use crate::select::State;
use crate::{graph, select};

pub use check::Planned;
use gone::Gone;

/// What is asked of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which models; none: all.
    pub selectors: Vec<String>,
    /// Which not.
    pub exclude: Vec<String>,
    /// Build from nothing.
    pub full_refresh: bool,
    /// First day of a backfill.
    pub from: Option<NaiveDate>,
    /// Day after the last of a backfill.
    pub to: Option<NaiveDate>,
    /// Begin nothing more after the first failure.
    pub fail_fast: bool,
    /// Values of `var('…')`, over those of the project.
    pub vars: BTreeMap<String, String>,
    /// Models that are not asked for are read as this version of the lake has them.
    pub defer: Option<u64>,
    /// Take out of the lake what the project no longer has: these models, or whatever it made, if none are named.
    pub prune: Option<Vec<String>>,
    /// Models at once.
    pub jobs: usize,
    /// What started it.
    pub trigger: Trigger,
    /// Now.
    pub now: DateTime<Utc>,
    /// Pause before a second attempt, where a model does not say.
    pub backoff: std::time::Duration,
}

impl Options {
    /// Everything, by hand, at that time.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self {
            selectors: Vec::new(),
            exclude: Vec::new(),
            full_refresh: false,
            from: None,
            to: None,
            fail_fast: false,
            vars: BTreeMap::new(),
            defer: None,
            prune: None,
            jobs: 2,
            trigger: Trigger::Manual,
            now,
            backoff: std::time::Duration::from_secs(5),
        }
    }

    fn asked(&self) -> Asked {
        Asked { full_refresh: self.full_refresh, from: self.from, to: self.to }
    }
}

/// Why a run did not begin.
#[derive(Debug)]
pub enum RunError {
    /// What is wrong with the project; all of it.
    Problems(Vec<Problem>),
    /// What was asked for cannot be.
    Usage(String),
    /// The lake or the engine.
    Engine(envoi::Error),
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Problems(all) => {
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                f.write_str(&all.join("\n"))
            }
            Self::Usage(what) => f.write_str(what),
            Self::Engine(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}

impl From<envoi::Error> for RunError {
    fn from(e: envoi::Error) -> Self {
        Self::Engine(e)
    }
}

impl From<envoi::lake::Error> for RunError {
    fn from(e: envoi::lake::Error) -> Self {
        Self::Engine(e.into())
    }
}

/// What happens in a run, as it happens.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// The run begins: these models, in this order.
    Begin(&'a [String]),
    /// The project made these models and has them no longer; they stay.
    Gone(&'a [String]),
    /// A model begins.
    Start(&'a str),
    /// A model is done, published or not.
    Done(&'a crate::record::ModelRecord),
    /// A step of publication is reached: `staged`, `tested`, `published`, `exported`, `recorded`.
    Step(&'static str),
}

/// Takes what happens.
pub trait Progress: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

impl Progress for () {
    fn event(&self, _: &Event<'_>) {}
}

/// A run that may begin.
pub(crate) struct Ready {
    pub(crate) project: Project,
    pub(crate) order: Vec<String>,
    /// The version that is read, its files in an order that depends on nothing but them.
    pub(crate) base: Arc<Manifest>,
    /// The same, where models that are not asked for are those of another version.
    pub(crate) candidate: Arc<Manifest>,
    pub(crate) prints: Arc<Prints>,
    pub(crate) planned: Vec<Planned>,
    pub(crate) gone: Gone,
}

/// What a run would do, without doing it.
///
/// # Errors
/// Every problem of the project; a selector that means nothing; a lake that cannot be read.
pub async fn plan(factory: &SessionFactory, sources: &Sources, options: &Options) -> Result<Vec<Planned>, RunError> {
    Ok(ready(factory, sources, options, true).await?.planned)
}

/// Runs: checks everything, builds what changed, tests it, publishes it, writes it to its other places.
///
/// What failed is in the record: its `status` is that of everything asked for.
///
/// # Errors
/// As [`plan`]; then nothing was changed.
pub async fn run(
    factory: &SessionFactory,
    sources: &Sources,
    options: &Options,
    packer: Arc<dyn Packer>,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<RunRecord, RunError> {
    let ready = ready(factory, sources, options, false).await?;
    execute::execute(factory, ready, options, packer, progress, cancel).await
}

async fn ready(
    factory: &SessionFactory,
    sources: &Sources,
    options: &Options,
    estimates: bool,
) -> Result<Ready, RunError> {
    if let (Some(from), Some(to)) = (options.from, options.to)
        && from >= to
    {
        return Err(RunError::Usage(format!("`--from {from}` is not before `--to {to}`, the day after the last")));
    }
    let manifest = factory.runtime().manifest(None).await?;
    let project = Project::read(sources, &options.vars, &settings()?, &manifest).map_err(RunError::Problems)?;
    if project.is_empty() {
        return Err(RunError::Usage(format!("there is no model in {}; a model is a `name.sql`", project.label)));
    }
    let base = Arc::new(steady(&manifest));
    let prints = Arc::new(Prints::new(&base));
    let state = |model: &crate::project::Model| match base.model(&model.name) {
        None => State::New,
        Some(m) if m.query_hash != model.query_hash || m.config_hash != model.config_hash => State::Modified,
        Some(_) => State::Unmodified,
    };
    let wanted = select::select(&project, &options.selectors, &options.exclude, &state).map_err(RunError::Usage)?;
    let order = graph::order(&project, &wanted);
    let candidate = match options.defer {
        Some(version) => Arc::new(deferred(&base, &*factory.runtime().manifest(Some(version)).await?, &wanted)),
        None => Arc::clone(&base),
    };
    let gone = gone::gone(&project, &base, options)?;
    let mut planned = check::check(factory, &project, &order, &candidate, &prints, options.asked(), estimates).await?;
    planned.extend(gone.planned(&base));
    Ok(Ready { project, order, base, candidate, prints, planned, gone })
}

/// What queries depend on beside their text: the engine, its library, and settings of sessions.
fn settings() -> Result<String, RunError> {
    let marts = envoi::library::marts()?.iter().map(|m| m.sql.as_str());
    let functions = envoi::library::functions()?.iter().filter_map(|f| f.sql.as_deref());
    let library: String = marts.chain(functions).collect();
    let conventions = EnvoiOptions::default().conventions;
    Ok(format!("{} {} {conventions:?}", crate::ENGINE, checksum(library.as_bytes())))
}

/// The same version with its files in an order that does not tell how they came.
fn steady(manifest: &Manifest) -> Manifest {
    let mut steady = manifest.clone();
    steady.files.sort_by(|a, b| {
        let models = |f: &envoi::lake::lake::DataFile| f.schema == envoi::lake::lake::MODEL_SCHEMA;
        // Those of models stand in the order of their rows.
        match (models(a), models(b)) {
            (false, false) => (&a.schema, &a.table, &a.series, &a.source_id, a.vintage, &a.sha256).cmp(&(
                &b.schema,
                &b.table,
                &b.series,
                &b.source_id,
                b.vintage,
                &b.sha256,
            )),
            (true, true) => a.table.cmp(&b.table),
            (a, b) => a.cmp(&b),
        }
    });
    steady
}

/// The version with models that are not asked for as another has them.
fn deferred(base: &Manifest, other: &Manifest, wanted: &BTreeSet<String>) -> Manifest {
    let mut all = base.clone();
    let others = other.models.iter().filter(|m| !wanted.contains(&m.name));
    let built: Vec<_> =
        others.map(|m| envoi::lake::lake::BuiltModel { model: m.clone(), files: other.model_files(&m.name) }).collect();
    all = all.with_models(&built);
    all
}

/// Whether a status is that of a model as it should be.
fn good(status: ModelStatus) -> bool {
    matches!(status, ModelStatus::Published | ModelStatus::Unchanged)
}
