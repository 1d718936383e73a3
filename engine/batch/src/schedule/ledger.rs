//! What was decided about which due time, kept in the lake by files that are only ever created.
//!
//! ```text
//! schedule/<job>/20261127T183000Z/1.json        the first try was begun, or the time was left out
//! schedule/<job>/20261127T183000Z/1.end.json    how it ended
//! ```
//!
//! Whoever creates a file has decided: a second scheduler, or the same one after a crash,
//! finds it there. So no due time is begun twice for the same try, whatever lists show.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use envoi::lake::Error as LakeError;
use envoi::lake::lake::Store;
use serde::{Deserialize, Serialize};

use super::error::Result;
use super::job::Job;

const FOLDER: &str = "schedule";
const FORM: &str = "%Y%m%dT%H%M%SZ";
/// Due times of a job that are kept.
const KEPT: usize = 200;
/// Tries of one due time that are read: more than any job has.
const MOST_TRIES: u32 = 1000;

/// What a try was begun as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The job is known from here on: earlier times are none of its.
    First,
    /// The time, and those before it that were not decided, are left out.
    Skip,
    /// A try was begun.
    Claim,
}

/// Who decided what, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What.
    pub kind: Kind,
    /// Who, in words for people.
    pub holder: String,
    /// Number of the lease it was decided under.
    pub fence: u64,
    /// When, by that one's clock.
    pub at: DateTime<Utc>,
    /// The cron line with its zone: of another, earlier times mean nothing.
    pub line: String,
    /// What tells this file from another's of the same name.
    pub nonce: String,
}

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It was done.
    Success,
    /// It was not.
    Failed,
    /// It took longer than it may.
    TimedOut,
    /// The scheduler was asked to stop.
    Cancelled,
    /// The scheduler was killed, or lost its lease.
    Interrupted,
    /// It was not tried again, because the next time had come.
    Superseded,
}

impl Ending {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 6] = [
        ("success", Self::Success),
        ("failed", Self::Failed),
        ("timed_out", Self::TimedOut),
        ("cancelled", Self::Cancelled),
        ("interrupted", Self::Interrupted),
        ("superseded", Self::Superseded),
    ];

    /// As files and metrics have it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, ending)| *ending == self).map_or("", |(name, _)| name)
    }
}

/// The end of a try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How.
    pub ending: Ending,
    /// What there is to say.
    pub message: String,
    /// The run, in the history.
    pub run_id: Option<String>,
    /// When, by the clock of who wrote it.
    pub at: DateTime<Utc>,
    /// Who wrote it.
    pub holder: String,
    /// It is not tried again, whatever the job allows.
    #[serde(default)]
    pub last: bool,
    /// What tells this file from another's of the same name.
    pub nonce: String,
}

/// What is known of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The newest due time that was decided; all before it are.
    pub due: Option<DateTime<Utc>>,
    /// Its tries, from the first.
    pub tries: Vec<(Entry, Option<End>)>,
    /// How the due time before it ended.
    pub before: Option<Ending>,
}

/// The state of all jobs of a lake.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: Store,
}

impl Ledger {
    /// Of the lake in `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// What is known of a job, after due times that are no longer of interest were removed.
    ///
    /// # Errors
    /// The store failed, or the state is damaged.
    pub async fn load(&self, job: &str) -> Result<State> {
        let mut files: BTreeMap<DateTime<Utc>, Vec<String>> = BTreeMap::new();
        for object in self.store.list(&format!("{FOLDER}/{job}")).await? {
            let Some(path) = self.store.relative(&object.location) else { continue };
            let due = path.rsplit('/').nth(1).and_then(|d| NaiveDateTime::parse_from_str(d, FORM).ok());
            if let Some(due) = due {
                files.entry(due.and_utc()).or_default().push(path);
            }
        }
        let mut state = State::default();
        for (at, due) in files.keys().rev().take(8).enumerate() {
            let tries = self.tries(job, *due).await?;
            let ending = tries.iter().rev().find_map(|(_, end)| end.as_ref()).map(|end| end.ending);
            if at == 0 {
                (state.due, state.tries) = (Some(*due), tries);
            } else if ending.is_some() {
                state.before = ending;
                break;
            }
        }
        if files.len() > 2 * KEPT {
            for path in files.into_iter().rev().skip(KEPT).flat_map(|(_, paths)| paths) {
                self.store.delete(&path).await?;
            }
        }
        Ok(state)
    }

    /// The tries of one due time, asked for one by one: a list may be behind.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub async fn tries(&self, job: &str, due: DateTime<Utc>) -> Result<Vec<(Entry, Option<End>)>> {
        let mut tries = Vec::new();
        for attempt in 1..=MOST_TRIES {
            let Some(entry) = self.read::<Entry>(&entry_path(job, due, attempt)).await? else { break };
            tries.push((entry, self.read::<End>(&end_path(job, due, attempt)).await?));
        }
        Ok(tries)
    }

    /// Decides: `false` if somebody else has already.
    ///
    /// # Errors
    /// The store failed, and it is not known to be decided.
    pub async fn decide(&self, job: &Job, due: DateTime<Utc>, attempt: u32, entry: &Entry) -> Result<bool> {
        let path = entry_path(&job.name, due, attempt);
        self.create(&path, entry, |there: &Entry| there.nonce == entry.nonce).await
    }

    /// Writes the end of a try: `false` if somebody else has written another.
    ///
    /// # Errors
    /// As [`Self::decide`].
    pub async fn end(&self, job: &Job, due: DateTime<Utc>, attempt: u32, end: &End) -> Result<bool> {
        let path = end_path(&job.name, due, attempt);
        self.create(&path, end, |there: &End| there.nonce == end.nonce).await
    }

    async fn create<T>(&self, path: &str, value: &T, ours: impl Fn(&T) -> bool) -> Result<bool>
    where
        T: Serialize + serde::de::DeserializeOwned,
    {
        let text = serde_json::to_vec(value).map_err(|e| LakeError::Internal(e.to_string()))?;
        let put = self.store.put(path, Bytes::from(text)).await;
        if matches!(put, Ok(true)) {
            return Ok(true);
        }
        // A store that failed, or was asked again, after it had written has decided for us.
        match self.read::<T>(path).await {
            Ok(Some(there)) => Ok(ours(&there)),
            Ok(None) => match put {
                Err(e) => Err(e.into()),
                Ok(_) => Err(LakeError::Lake(format!("`{path}` was there and is gone")).into()),
            },
            Err(e) => Err(put.err().map_or(e, Into::into)),
        }
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let Some(bytes) = self.store.get(path).await? else { return Ok(None) };
        let read = serde_json::from_slice(&bytes);
        read.map(Some).map_err(|e| {
            let label = self.store.label();
            LakeError::Lake(format!("`{path}` of lake `{label}` is damaged: {e}; delete it and the job goes on")).into()
        })
    }
}

fn entry_path(job: &str, due: DateTime<Utc>, attempt: u32) -> String {
    format!("{FOLDER}/{job}/{}/{attempt}.json", due.format(FORM))
}

fn end_path(job: &str, due: DateTime<Utc>, attempt: u32) -> String {
    format!("{FOLDER}/{job}/{}/{attempt}.end.json", due.format(FORM))
}
