//! What a scheduler has to say while it runs.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

use super::ledger::Ending;

/// Takes what is said.
pub type Events = std::sync::Arc<dyn Fn(&Event) + Send + Sync>;

/// Something happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// This scheduler leads, under the lease of that number.
    Leads {
        /// Number of the lease.
        fence: u64,
    },
    /// Another leads.
    StandsBy {
        /// Who.
        holder: String,
        /// Until when, if they do not renew.
        until: DateTime<Utc>,
    },
    /// The lease is lost: nothing more is begun.
    Lost,
    /// The file has other jobs.
    Reloaded {
        /// Those that came.
        added: Vec<String>,
        /// Those that are others.
        changed: Vec<String>,
        /// Those that went; one that runs ends first.
        removed: Vec<String>,
    },
    /// When a job begins next.
    Next {
        /// The job.
        job: String,
        /// The due time.
        due: DateTime<Utc>,
        /// When its run begins.
        start: DateTime<Utc>,
    },
    /// Due times were left out.
    Skipped {
        /// The job.
        job: String,
        /// The newest of them.
        due: DateTime<Utc>,
        /// How many.
        count: usize,
    },
    /// A try was begun.
    Started {
        /// The job.
        job: String,
        /// The due time.
        due: DateTime<Utc>,
        /// From 1.
        attempt: u32,
        /// So long after it should have begun.
        late: Duration,
    },
    /// A try ended.
    Ended {
        /// The job.
        job: String,
        /// The due time.
        due: DateTime<Utc>,
        /// From 1.
        attempt: u32,
        /// How.
        ending: Ending,
        /// What there is to say.
        message: String,
        /// The run, in the history.
        run_id: Option<String>,
        /// How long it took.
        took: Duration,
        /// When.
        at: DateTime<Utc>,
        /// When it is tried again.
        again: Option<DateTime<Utc>>,
    },
    /// A try ended, but another scheduler had taken over meanwhile and given it up.
    Disowned {
        /// The job.
        job: String,
        /// The due time.
        due: DateTime<Utc>,
        /// From 1.
        attempt: u32,
    },
    /// The clock shows a time well before what was decided already: the job waits for it.
    Behind {
        /// The job.
        job: String,
        /// What was decided last.
        decided: DateTime<Utc>,
    },
    /// State, lineage or a notification could not be written or sent.
    Trouble {
        /// What, and why.
        what: String,
    },
    /// A job that was asked to stop goes on.
    Stuck {
        /// The job.
        job: String,
    },
}

/// A time for people.
fn time(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leads { fence } => write!(f, "leads, by lease {fence}"),
            Self::StandsBy { holder, until } => {
                write!(f, "stands by: {holder} leads, until {} if it is gone", time(until))
            }
            Self::Lost => f.write_str("the lease is lost: nothing more is begun"),
            Self::Reloaded { added, changed, removed } => {
                let part =
                    |word: &str, jobs: &[String]| (!jobs.is_empty()).then(|| format!("{word} {}", jobs.join(", ")));
                let parts = [part("new", added), part("changed", changed), part("gone", removed)];
                write!(f, "the jobs are others: {}", parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
            }
            Self::Next { job, due, start } if due == start => write!(f, "{job}: next at {}", time(due)),
            Self::Next { job, due, start } => write!(f, "{job}: next at {}, for {}", time(start), time(due)),
            Self::Skipped { job, due, count: 1 } => write!(f, "{job}: left out {}", time(due)),
            Self::Skipped { job, due, count } => write!(f, "{job}: left out {count} times up to {}", time(due)),
            Self::Started { job, due, attempt: 1, .. } => write!(f, "{job}: begins, for {}", time(due)),
            Self::Started { job, due, attempt, .. } => write!(f, "{job}: begins try {attempt}, for {}", time(due)),
            Self::Ended { job, ending, message, took, again, .. } => {
                write!(f, "{job}: {} after {:.1} s", ending.name().replace('_', " "), took.as_secs_f64())?;
                if !message.is_empty() {
                    write!(f, ": {message}")?;
                }
                match again {
                    Some(again) => write!(f, "; tries again at {}", time(again)),
                    None => Ok(()),
                }
            }
            Self::Disowned { job, due, attempt } => {
                write!(f, "{job}: try {attempt} for {} ended after another scheduler had given it up", time(due))
            }
            Self::Behind { job, decided } => {
                write!(f, "{job}: the clock is behind what was done already; nothing before {}", time(decided))
            }
            Self::Trouble { what } => f.write_str(what),
            Self::Stuck { job } => write!(f, "{job}: was asked to stop and goes on"),
        }
    }
}
