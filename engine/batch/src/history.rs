//! Records of runs in the lake: `run/<run_id>.json`, each created once.

use std::hash::{BuildHasher, Hasher, RandomState};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use envoi::lake::lake::Store;
use envoi::lake::{Error, Lake, Printable, Result};
use futures::{StreamExt, TryStreamExt};

use crate::record::{Failure, RunRecord, RunStatus, Trigger};
use crate::schedule::Job;

const FOLDER: &str = "run";
/// Records that are read at a time.
const AT_A_TIME: usize = 8;
/// Records that are looked through for the run of a due time.
const LOOKED_AT: usize = 500;

/// The records of a lake.
#[derive(Debug, Clone)]
pub struct History {
    lake: Lake,
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
        let ids = self.ids().await?;
        let mut read = futures::stream::iter(ids).map(|id| self.read(id)).buffered(AT_A_TIME);
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
        let ids = self.ids().await?;
        let (label, shown) = (self.store().label(), Printable(id));
        let found: Vec<&String> = match ids.iter().find(|known| *known == id) {
            Some(exact) => vec![exact],
            None => ids.iter().filter(|known| known.starts_with(id)).collect(),
        };
        match found.as_slice() {
            [one] => self.read((*one).clone()).await?.map_err(Error::Lake),
            [] if ids.is_empty() => Err(Error::Usage(format!("lake `{label}` has no runs yet"))),
            [] => Err(Error::Usage(format!("lake `{label}` has no run `{shown}`; `envoi history` lists them"))),
            [first, second, ..] => Err(Error::Usage(format!(
                "{} runs begin with `{shown}`, such as `{first}` and `{second}`; write more of it",
                found.len()
            ))),
        }
    }

    /// The successful run of a job for a due time, if its record is among the newest.
    ///
    /// # Errors
    /// The store failed.
    pub async fn of_due(&self, job: &str, due: DateTime<Utc>) -> Result<Option<RunRecord>> {
        let ids = self.ids().await?;
        let mut read =
            futures::stream::iter(ids.into_iter().take(LOOKED_AT)).map(|id| self.read(id)).buffered(AT_A_TIME);
        while let Some(run) = read.try_next().await? {
            let Ok(run) = run else { continue };
            let of_it = |t: &Trigger| matches!(t, Trigger::Schedule { job: j, due: d, .. } if j == job && *d == due);
            if of_it(&run.trigger) && run.status == RunStatus::Success {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// Ids, newest first.
    async fn ids(&self) -> Result<Vec<String>> {
        let listed = self.store().list(FOLDER).await?;
        let mut ids: Vec<String> = listed
            .iter()
            .filter_map(|object| object.location.filename()?.strip_suffix(".json").map(str::to_owned))
            .collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        Ok(ids)
    }

    /// A record, or what is wrong with it.
    async fn read(&self, id: String) -> Result<Result<RunRecord, String>> {
        let path = format!("{FOLDER}/{id}.json");
        let Some(text) = self.store().get(&path).await? else {
            return Ok(Err(format!("`{}` is gone", Printable(&path))));
        };
        let damaged = |e: String| format!("`{}` is damaged: {e}", Printable(&path));
        Ok(match serde_json::from_slice::<RunRecord>(&text) {
            Ok(run) if run.run_id == id => Ok(run),
            Ok(run) => Err(damaged(format!("it names run `{}`", Printable(&run.run_id)))),
            Err(e) => Err(damaged(e.to_string())),
        })
    }
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
        failure,
        engine: concat!("envoi ", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}
