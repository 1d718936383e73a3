//! What jobs do: what the commands of the same name do, on threads of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use envoi::Config;
use envoi::lake::Manifest;
use envoi_batch::record::{RunStatus, Trigger};
use envoi_batch::schedule::{Action, Job, Outcome, Work};
use envoi_batch::{Cancel, Options, Project, RunError, State, select};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use super::super::brief::{BriefArgs, brief};
use super::super::check::{CheckArgs, check as check_quality, wanted};
use super::super::fetch::{FetchArgs, fetched, known};
use super::super::run::{Files, sources};
use super::super::{Failure, Screen};
use crate::brief::load::known_economy;
use crate::output::Format;
use crate::sql::EXIT_USAGE;

/// Does jobs with the settings of this process.
pub(super) struct CliWork {
    config: Arc<Config>,
    screen: Screen,
    /// Where models are, if somebody said.
    dir: Option<PathBuf>,
}

/// Refuses what a job names and nobody knows, before anything runs. What is wrong with models is said: a job before
/// it may bring the tables that they lack.
pub(super) async fn check(config: &Config, screen: Screen, dir: Option<&Path>, job: &Job) -> Result<(), Failure> {
    let target = &job.target;
    match job.action {
        Action::Fetch => target.select.iter().try_for_each(|id| known(id).map(|_| ()))?,
        Action::Check => {
            wanted(&target.select)?;
            if let Some(output) = &target.output
                && Format::from_path(Path::new(output)).is_none()
            {
                let what = format!("`output = \"{output}\"` has no ending of a format, such as `.csv` or `.xlsx`");
                return Err(Failure::usage(what));
            }
        }
        Action::Brief => {
            if let Some(country) = &target.country {
                known_economy(country).map_err(|e| Failure::usage(e.to_string()))?;
            }
        }
        Action::Run => {
            let sources = sources(dir)?;
            // A lake that cannot be read is found when the lease is taken.
            let lake = envoi::default_lake(config)?.current().await.ok().flatten();
            let manifest = lake.unwrap_or_else(|| Arc::new(Manifest::empty()));
            let (project, problems) = Project::outline(&sources, &BTreeMap::new(), &manifest);
            if project.is_empty() && problems.is_empty() {
                screen.say(&format!("job `{}` would fail now: there is no model in {}", job.name, project.label));
            }
            for problem in &problems {
                screen.say(&format!("job `{}` would fail now: {problem}", job.name));
            }
            select(&project, &target.select, &[], &|_| State::Modified).map_err(Failure::usage)?;
        }
    }
    let folder = target.output.as_deref().map(Path::new).and_then(Path::parent);
    // One that is of the due time may come until then.
    match folder.filter(|folder| !folder.as_os_str().is_empty() && !folder.to_string_lossy().contains('{')) {
        Some(folder) if !folder.is_dir() => {
            Err(Failure::usage(format!("`output` is in `{}`, which is not a folder", folder.display())))
        }
        _ => Ok(()),
    }
}

/// One try of a job.
struct Try {
    job: Job,
    due: DateTime<Utc>,
    attempt: u32,
}

impl CliWork {
    pub(super) fn new(config: Config, screen: Screen, dir: Option<PathBuf>) -> Self {
        Self { config: Arc::new(config), screen, dir }
    }
}

impl Work for CliWork {
    fn run<'a>(&'a self, job: &'a Job, due: DateTime<Utc>, attempt: u32, cancel: Cancel) -> BoxFuture<'a, Outcome> {
        let (config, screen, dir) = (Arc::clone(&self.config), self.screen, self.dir.clone());
        let one = Try { job: job.clone(), due, attempt };
        let (tell, told) = oneshot::channel();
        // Downloads and imports block: they have a thread, and timers and signals go on.
        let thread = std::thread::Builder::new().name(format!("job-{}", job.name)).spawn(move || {
            let outcome = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime.block_on(done(&config, screen, dir.as_deref(), &one, cancel)),
                Err(e) => Outcome::failed(format!("cannot start: {e}")),
            };
            // Who waited may have gone.
            let _ = tell.send(outcome);
        });
        async move {
            match thread {
                Err(e) => Outcome::failed(format!("cannot start a thread: {e}")),
                Ok(_) => {
                    told.await.unwrap_or_else(|_| Outcome::failed("internal error, please report: the job panicked"))
                }
            }
        }
        .boxed()
    }
}

/// Does it, until it is asked to stop: then at the next point at which it waits.
async fn done(config: &Config, screen: Screen, dir: Option<&Path>, one: &Try, cancel: Cancel) -> Outcome {
    let stop = cancel.clone();
    let work = async {
        let output = one.job.output(one.due).map(PathBuf::from);
        let target = &one.job.target;
        match one.job.action {
            Action::Run => models(config, dir, one, cancel).await,
            Action::Fetch => match fetched(config, screen, &FetchArgs::of(target.select.clone())).await {
                Ok(failures) => of_failures(failures),
                Err(failure) => failed(failure),
            },
            Action::Check => {
                let args = CheckArgs::of(target.select.clone(), output.clone(), target.strict);
                outcome(check_quality(config, screen, &args).await, "there are warnings", output)
            }
            Action::Brief => {
                let args = BriefArgs::page(target.country.clone(), output.clone().unwrap_or_default());
                outcome(brief(config, screen, &args).await, "the brief failed", output)
            }
        }
    };
    tokio::select! {
        outcome = work => outcome,
        () = stop.cancelled() => Outcome::cancelled("stopped"),
    }
}

/// Builds models, as `envoi run` does. The record of the run has the job, the due time and the attempt as its trigger.
async fn models(config: &Config, dir: Option<&Path>, one: &Try, cancel: Cancel) -> Outcome {
    let sources = match sources(dir) {
        Ok(sources) => sources,
        Err(failure) => return failed(failure),
    };
    let factory = match envoi::open(config).await {
        Ok(factory) => factory,
        Err(error) => return Outcome::failed(error.to_string()),
    };
    let target = &one.job.target;
    let options = Options {
        selectors: target.select.clone(),
        full_refresh: target.full_refresh,
        prune: target.prune.then(Vec::new),
        jobs: config.threads().max(1),
        trigger: Trigger::Schedule { job: one.job.name.clone(), due: one.due, attempt: one.attempt },
        ..Options::at(Utc::now())
    };
    let run = envoi_batch::run(&factory, &sources, &options, Arc::new(Files), &(), &cancel).await;
    let record = match run {
        Ok(record) => record,
        Err(RunError::Engine(error)) => return Outcome::failed(error.to_string()),
        // A project that is wrong stays wrong.
        Err(error) => return Outcome::hopeless(error.to_string()),
    };
    let outcome = match (record.status, &record.failure) {
        (RunStatus::Success, _) => Outcome::success(format!("{} models", record.models.len())),
        (RunStatus::Cancelled, _) => Outcome::cancelled("stopped"),
        (RunStatus::Failed, Some(f)) => Outcome::failed(format!("model `{}`, {}: {}", f.model, f.step, f.message)),
        _ => Outcome::failed("not everything that was asked for was published"),
    };
    Outcome { record: Some(record), ..outcome }
}

fn outcome(ended: Result<u8, Failure>, what: &str, output: Option<PathBuf>) -> Outcome {
    match ended {
        Ok(0) => Outcome::success(output.map(|path| format!("wrote {}", path.display())).unwrap_or_default()),
        Ok(_) => Outcome::hopeless(what),
        Err(failure) => failed(failure),
    }
}

fn failed(failure: Failure) -> Outcome {
    // A wrong name stays wrong.
    if failure.code == EXIT_USAGE { Outcome::hopeless(failure.message) } else { Outcome::failed(failure.message) }
}

fn of_failures(failures: Vec<Failure>) -> Outcome {
    let count = failures.len();
    match failures.into_iter().next() {
        None => Outcome::success("fetched"),
        Some(first) if count == 1 => Outcome::failed(first.message),
        Some(first) => Outcome::failed(format!("{count} publishers failed; the first: {}", first.message)),
    }
}
