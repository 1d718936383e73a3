//! Records of runs in the lake, each created once.
//!
//! ```text
//! run/<run_id>.begin.json      it began; taken away when there is an end
//! run/<run_id>.alive.<n>.json  it still ran then, for those who cannot see its process
//! run/<run_id>.json            how it ended
//! ```

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use envoi::lake::lake::Store;
use envoi::lake::{Error, Lake, Printable, Result};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::process;
use crate::record::{Failure, ModelStatus, RunRecord, RunStatus, Trigger};
use crate::schedule::Job;

const FOLDER: &str = "run";
/// Records that are read at a time.
const AT_A_TIME: usize = 8;
/// Records that are looked through for the run of a due time.
const LOOKED_AT: usize = 500;
/// A run gives a sign of life so often.
const BEAT: Duration = Duration::from_secs(60);
/// One that has given none for so long is taken for dead: clocks of machines and stores differ by less.
const SILENT: TimeDelta = TimeDelta::minutes(10);
/// Versions that are looked through for what an interrupted run published.
const VERSIONS: usize = 20;

/// The records of a lake.
#[derive(Debug, Clone)]
pub struct History {
    lake: Lake,
}

/// A run that began.
#[derive(Debug, Serialize, Deserialize)]
struct Begin {
    run: RunRecord,
    process: Option<String>,
}

/// A run of which there is a file; if that is not its end, when it last gave a sign of life.
#[derive(Debug, Clone)]
struct Found {
    id: String,
    sign: Option<DateTime<Utc>>,
}

/// A run that goes on, as others see it; when it is dropped, nothing more is told of it.
#[derive(Debug)]
pub struct Alive {
    history: History,
    id: String,
    beats: tokio::task::JoinHandle<()>,
    /// Number of the newest sign of life.
    beat: Arc<AtomicU64>,
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.beats.abort();
    }
}

/// Which records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// At most so many, the newest.
    pub limit: Option<usize>,
    /// Of this job.
    pub job: Option<String>,
    /// That have to do with this model.
    pub model: Option<String>,
    /// That ended so.
    pub status: Option<RunStatus>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listed {
    /// Newest first.
    pub runs: Vec<RunRecord>,
    /// Files that are no records, with why.
    pub damaged: Vec<String>,
}

impl Filter {
    fn takes(&self, run: &RunRecord) -> bool {
        let job = |wanted: &String| matches!(&run.trigger, Trigger::Schedule { job, .. } if job == wanted);
        self.job.as_ref().is_none_or(job)
            && self.model.as_ref().is_none_or(|wanted| run.models.iter().any(|m| m.name == *wanted))
            && self.status.is_none_or(|wanted| run.status == wanted)
    }
}

impl History {
    /// Of this lake.
    pub fn new(lake: Lake) -> Self {
        Self { lake }
    }

    fn store(&self) -> &Store {
        self.lake.store()
    }

    /// Writes a record. One that is there already stays; the same one is no error.
    ///
    /// # Errors
    /// An id that cannot be a file, another run of that id, or a store that fails.
    pub async fn write(&self, run: &RunRecord) -> Result<()> {
        let path = path(&run.run_id)?;
        let text = serde_json::to_vec_pretty(run).map_err(|e| Error::Internal(e.to_string()))?;
        let put = self.store().put(&path, Bytes::from(text)).await;
        if matches!(put, Ok(true)) {
            return Ok(());
        }
        // A store that failed after it had written has written; whoever did the run may have, too.
        match self.store().get(&path).await? {
            Some(there) => match serde_json::from_slice::<RunRecord>(&there) {
                Ok(there) if there.trigger == run.trigger && there.started_at == run.started_at => Ok(()),
                _ => Err(Error::Lake(format!("lake `{}` has another run `{}`", self.store().label(), run.run_id))),
            },
            None => put.map(|_| ()),
        }
    }

    /// Writes that a run begins: where no end follows, it was interrupted.
    ///
    /// # Errors
    /// An id that cannot be a file, or a store that fails.
    pub async fn begin(&self, run: &RunRecord) -> Result<Alive> {
        path(&run.run_id)?;
        let begin = Begin { run: run.clone(), process: process::own() };
        let text = serde_json::to_vec(&begin).map_err(|e| Error::Internal(e.to_string()))?;
        self.store().put(&begin_path(&run.run_id), Bytes::from(text)).await?;
        let (history, id, beat) = (self.clone(), run.run_id.clone(), Arc::new(AtomicU64::new(0)));
        let newest = Arc::clone(&beat);
        let beats = tokio::spawn(async move {
            for number in 1u64.. {
                tokio::time::sleep(BEAT).await;
                newest.store(number, Ordering::Relaxed);
                // A store that fails now may not the next time; others wait for several.
                let _ = history.store().put(&alive_path(&id, number), Bytes::new()).await;
                let _ = history.store().delete(&alive_path(&id, number - 1)).await;
            }
        });
        Ok(Alive { history: self.clone(), id: run.run_id.clone(), beats, beat })
    }

    /// Puts the lake's newest version into a record that has none.
    pub async fn complete(&self, run: &mut RunRecord) {
        if run.lake_version == 0
            && let Ok(versions) = self.lake.versions().await
        {
            run.lake_version = versions.last().copied().unwrap_or_default();
        }
    }

    /// The records that a filter takes, newest first.
    ///
    /// # Errors
    /// The store failed. A damaged record is passed over and named.
    pub async fn list(&self, filter: &Filter) -> Result<Listed> {
        let most = filter.limit.unwrap_or(usize::MAX);
        let mut listed = Listed::default();
        let found = self.found().await?;
        let mut read = futures::stream::iter(found).map(|found| self.read(found)).buffered(AT_A_TIME);
        while listed.runs.len() < most {
            match read.try_next().await? {
                None => break,
                Some(Ok(run)) if filter.takes(&run) => listed.runs.push(run),
                Some(Ok(_)) => {}
                Some(Err(damage)) => listed.damaged.push(damage),
            }
        }
        Ok(listed)
    }

    /// One run, by its id or a beginning of it that only one has.
    ///
    /// # Errors
    /// There is none, or more than one, or it is damaged.
    pub async fn get(&self, id: &str) -> Result<RunRecord> {
        let all = self.found().await?;
        let (label, shown) = (self.store().label(), Printable(id));
        let found: Vec<&Found> = match all.iter().find(|known| known.id == id) {
            Some(exact) => vec![exact],
            None => all.iter().filter(|known| known.id.starts_with(id)).collect(),
        };
        match found.as_slice() {
            [one] => self.read((*one).clone()).await?.map_err(Error::Lake),
            [] if all.is_empty() => Err(Error::Usage(format!("lake `{label}` has no runs yet"))),
            [] => Err(Error::Usage(format!("lake `{label}` has no run `{shown}`; `envoi history` lists them"))),
            [first, second, ..] => Err(Error::Usage(format!(
                "{} runs begin with `{shown}`, such as `{}` and `{}`; write more of it",
                found.len(),
                first.id,
                second.id
            ))),
        }
    }

    /// The successful run of a job for a due time, if its record is among the newest.
    ///
    /// # Errors
    /// The store failed.
    pub async fn of_due(&self, job: &str, due: DateTime<Utc>) -> Result<Option<RunRecord>> {
        let ended = self.found().await?.into_iter().filter(|found| found.sign.is_none()).take(LOOKED_AT);
        let mut read = futures::stream::iter(ended).map(|found| self.read(found)).buffered(AT_A_TIME);
        while let Some(run) = read.try_next().await? {
            let Ok(run) = run else { continue };
            let of_it = |t: &Trigger| matches!(t, Trigger::Schedule { job: j, due: d, .. } if j == job && *d == due);
            if of_it(&run.trigger) && run.status == RunStatus::Success {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// Runs, newest first.
    async fn found(&self) -> Result<Vec<Found>> {
        let mut all: BTreeMap<String, Option<DateTime<Utc>>> = BTreeMap::new();
        for object in self.store().list(FOLDER).await? {
            let Some(name) = object.location.filename().and_then(|name| name.strip_suffix(".json")) else { continue };
            let begun = name.strip_suffix(".begin").or_else(|| name.rsplit_once(".alive.").map(|(id, _)| id));
            match begun {
                Some(id) => {
                    let sign = all.entry(id.to_owned()).or_insert(Some(object.last_modified));
                    *sign = sign.map(|sign| sign.max(object.last_modified));
                }
                None => drop(all.insert(name.to_owned(), None)),
            }
        }
        Ok(all.into_iter().rev().map(|(id, sign)| Found { id, sign }).collect())
    }

    /// A record, or what is wrong with it.
    async fn read(&self, found: Found) -> Result<Result<RunRecord, String>> {
        let Found { id, sign } = found;
        let file = if sign.is_some() { begin_path(&id) } else { format!("{FOLDER}/{id}.json") };
        let damaged = |e: String| format!("`{}` is damaged: {e}", Printable(&file));
        let named = |run: RunRecord| match run.run_id == id {
            true => Ok(run),
            false => Err(damaged(format!("it names run `{}`", Printable(&run.run_id)))),
        };
        let Some(text) = self.store().get(&file).await? else {
            // It ended while we looked.
            if sign.is_some() && self.store().get(&format!("{FOLDER}/{id}.json")).await?.is_some() {
                return Box::pin(self.read(Found { id, sign: None })).await;
            }
            return Ok(Err(format!("`{}` is gone", Printable(&file))));
        };
        let Some(sign) = sign else {
            return Ok(serde_json::from_slice(&text).map_err(|e| damaged(e.to_string())).and_then(named));
        };
        match serde_json::from_slice::<Begin>(&text) {
            Ok(begin) => {
                let process = begin.process;
                match named(begin.run) {
                    Ok(run) => Ok(Ok(self.unended(run, process.as_deref(), sign).await?)),
                    Err(e) => Ok(Err(e)),
                }
            }
            Err(e) => Ok(Err(damaged(e.to_string()))),
        }
    }

    /// The record of a run without an end: it goes on, or it was interrupted.
    async fn unended(&self, mut run: RunRecord, process: Option<&str>, sign: DateTime<Utc>) -> Result<RunRecord> {
        let now = Utc::now();
        if process.and_then(process::lives).unwrap_or(now - sign < SILENT) {
            run.finished_at = now.max(run.started_at);
            return Ok(run);
        }
        run.status = RunStatus::Interrupted;
        run.finished_at = sign.max(run.started_at);
        for model in &mut run.models {
            "the run was interrupted".clone_into(&mut model.reason);
        }
        let later = self.lake.versions().await?.into_iter().filter(|version| *version > run.lake_version);
        for version in later.take(VERSIONS) {
            let manifest = self.lake.version(version).await?;
            let published = manifest.models.iter().filter(|m| m.run_id == run.run_id);
            for there in published {
                run.published_version = Some(version);
                for model in run.models.iter_mut().filter(|m| m.name == there.name) {
                    model.status = ModelStatus::Published;
                    "published before the run was interrupted".clone_into(&mut model.reason);
                    (model.rows, model.bytes) = (Some(there.rows), Some(there.bytes));
                }
            }
        }
        Ok(run)
    }
}

impl Alive {
    /// Takes away what was said of a run while it went on: its end is written.
    pub async fn ended(self) {
        self.beats.abort();
        let store = self.history.store();
        // What is left is passed over: there is an end.
        let _ = store.delete(&begin_path(&self.id)).await;
        let newest = self.beat.load(Ordering::Relaxed);
        for number in newest.saturating_sub(1)..=newest {
            if number > 0 {
                let _ = store.delete(&alive_path(&self.id, number)).await;
            }
        }
    }
}

fn begin_path(id: &str) -> String {
    format!("{FOLDER}/{id}.begin.json")
}

fn alive_path(id: &str, number: u64) -> String {
    format!("{FOLDER}/{id}.alive.{number}.json")
}

fn path(id: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if id.is_empty() || id.len() > 100 || id.starts_with('.') || !id.chars().all(plain) {
        return Err(Error::Usage(format!("`{}` cannot be the id of a run", Printable(id))));
    }
    Ok(format!("{FOLDER}/{id}.json"))
}

/// An id that no other run has, which sorts by time.
pub fn run_id(at: DateTime<Utc>) -> String {
    format!("{}-{}", at.format("%Y%m%dT%H%M%S%.3fZ"), nonce().get(..8).unwrap_or_default())
}

/// A text that no other has.
pub(crate) fn nonce() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// The record of a job that builds no models.
pub(crate) fn plain(
    job: &Job,
    trigger: Trigger,
    (started_at, finished_at): (DateTime<Utc>, DateTime<Utc>),
    status: RunStatus,
    message: &str,
) -> RunRecord {
    let failure = (status != RunStatus::Success).then(|| Failure {
        model: job.name.clone(),
        step: job.action.name().to_owned(),
        message: message.to_owned(),
        blocked: Vec::new(),
    });
    RunRecord {
        run_id: run_id(started_at),
        trigger,
        selectors: job.target.select.clone(),
        from: None,
        to: None,
        full_refresh: job.target.full_refresh,
        started_at,
        finished_at,
        status,
        lake_version: 0,
        published_version: None,
        models: Vec::new(),
        pruned: Vec::new(),
        failure,
        engine: concat!("envoi ", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}
