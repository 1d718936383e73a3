//! Between the scheduler, which knows when, and what a job does.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::job::Job;
use crate::cancel::Cancel;
use crate::record::{RunRecord, RunStatus};

/// Does what jobs are for.
pub trait Work: Send + Sync {
    /// Does the job for a due time; `attempt` counts from 1.
    ///
    /// Ends soon after `cancel` is asked for: until it has ended the job does not begin again.
    /// What it did is done whole or not at all, since the process may be killed at any time;
    /// it may then be asked again for the same due time with the next attempt. A run that
    /// writes its record into the lake, with the job and due time as its trigger, is not.
    fn run<'a>(&'a self, job: &'a Job, due: DateTime<Utc>, attempt: u32, cancel: Cancel) -> BoxFuture<'a, Outcome>;
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub status: RunStatus,
    /// The run's record. Without one the scheduler writes a plain one.
    pub record: Option<RunRecord>,
    /// What there is to say: what was done, or what went wrong.
    pub message: String,
    /// Trying again may help.
    pub retry: bool,
}

impl Outcome {
    /// It was done.
    pub fn success(message: impl Into<String>) -> Self {
        Self { status: RunStatus::Success, record: None, message: message.into(), retry: false }
    }

    /// It was not, and may be another time.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { status: RunStatus::Failed, record: None, message: message.into(), retry: true }
    }

    /// It was not, and will not be without somebody's help.
    pub fn hopeless(message: impl Into<String>) -> Self {
        Self { retry: false, ..Self::failed(message) }
    }

    /// It was stopped.
    pub fn cancelled(message: impl Into<String>) -> Self {
        Self { status: RunStatus::Cancelled, ..Self::failed(message) }
    }

    /// With the record of its run.
    #[must_use]
    pub fn with(self, record: RunRecord) -> Self {
        Self { record: Some(record), ..self }
    }
}
