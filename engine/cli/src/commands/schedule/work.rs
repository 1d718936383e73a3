//! What jobs do: what the commands of the same name do, on threads of their own.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use envoi::Config;
use envoi_batch::schedule::{Action, Cancel, Job, Outcome, Work};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use super::super::brief::{BriefArgs, brief};
use super::super::check::{CheckArgs, check as check_quality, wanted};
use super::super::fetch::{FetchArgs, fetched, known};
use super::super::{Failure, Screen};
use crate::sql::EXIT_USAGE;

/// Does jobs with the settings of this process.
pub(super) struct CliWork {
    config: Arc<Config>,
    screen: Screen,
}

/// Refuses datasets and tables that nobody knows, before anything runs.
pub(super) fn check(job: &Job) -> Result<(), Failure> {
    match job.action {
        Action::Fetch => job.target.select.iter().try_for_each(|id| known(id).map(|_| ())),
        Action::Check => wanted(&job.target.select).map(|_| ()),
        Action::Run | Action::Brief => Ok(()),
    }
}

/// One try of a job.
struct Try {
    job: Job,
    due: DateTime<Utc>,
    attempt: u32,
}

impl CliWork {
    pub(super) fn new(config: Config, screen: Screen) -> Self {
        Self { config: Arc::new(config), screen }
    }
}

impl Work for CliWork {
    fn run<'a>(&'a self, job: &'a Job, due: DateTime<Utc>, attempt: u32, cancel: Cancel) -> BoxFuture<'a, Outcome> {
        let (config, screen) = (Arc::clone(&self.config), self.screen);
        let one = Try { job: job.clone(), due, attempt };
        let (tell, told) = oneshot::channel();
        // Downloads and imports block: they have a thread, and timers and signals go on.
        let thread = std::thread::Builder::new().name(format!("job-{}", job.name)).spawn(move || {
            let outcome = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime.block_on(done(&config, screen, &one, cancel)),
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
async fn done(config: &Config, screen: Screen, one: &Try, cancel: Cancel) -> Outcome {
    let stop = cancel.clone();
    let work = async {
        let output = one.job.output(one.due).map(PathBuf::from);
        let target = &one.job.target;
        match one.job.action {
            Action::Run => models(config, screen, one, cancel).await,
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

/// Builds models: the place where `envoi run` comes in. The record of the run has the job,
/// the due time and the attempt as its trigger.
async fn models(_config: &Config, _screen: Screen, one: &Try, _cancel: Cancel) -> Outcome {
    Outcome::hopeless(format!("action `run` is not built in: try {} of `{}` did nothing", one.attempt, one.job.name))
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
