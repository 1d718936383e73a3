//! Telling somebody how a job ended: a webhook or a command. That it cannot be told is said,
//! and changes nothing about how the job ended.

mod command;
mod http;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::hint::hint_of_all;
use crate::record::RunRecord;
use crate::schedule::End;
use crate::schedule::{Ending, Job};

pub(crate) use http::{Post, post};

/// Longest text that is told.
const LONGEST: usize = 4000;

/// One way of telling, as `[notify.<name>]` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// How.
    pub route: Route,
    /// Of which ends.
    pub on: Vec<When>,
    /// Longest time of one try.
    pub timeout: Duration,
    /// Tries after the first.
    pub retries: u32,
}

/// How something is told.
#[derive(Clone, PartialEq, Eq)]
pub enum Route {
    /// By POST, as JSON. `${NAME}` in address and headers stands for an environment variable.
    Webhook {
        /// The address.
        url: String,
        /// Headers beside the usual ones.
        headers: BTreeMap<String, String>,
    },
    /// By a program and its arguments, without a shell; JSON on its input.
    Command(Vec<String>),
}

impl std::fmt::Debug for Route {
    /// Without what may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Webhook { url, .. } => write!(f, "Webhook({})", http::shown(url)),
            Self::Command(command) => write!(f, "Command({})", command.first().map_or("", String::as_str)),
        }
    }
}

/// Of which ends of a due time somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It failed, and is not tried again.
    Failure,
    /// It was done.
    Success,
    /// It was done, and the one before was not.
    Recovery,
    /// It ended.
    Always,
}

impl When {
    const ALL: [(&'static str, Self); 4] = [
        ("failure", Self::Failure),
        ("success", Self::Success),
        ("recovery", Self::Recovery),
        ("always", Self::Always),
    ];
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = Self::ALL.iter().map(|(name, _)| *name);
        let found = Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, when)| *when);
        found.ok_or_else(|| format!("`{text}` is no end of a job{}", hint_of_all(text, names)))
    }
}

impl Route {
    /// A webhook.
    ///
    /// # Errors
    /// An address that is not https, nor of this machine; headers that cannot be.
    pub fn webhook(url: &str, headers: &BTreeMap<String, String>) -> Result<Self, String> {
        http::check(url, headers)?;
        Ok(Self::Webhook { url: url.to_owned(), headers: headers.clone() })
    }

    /// A program with its arguments.
    ///
    /// # Errors
    /// There is none.
    pub fn command(argv: &[String]) -> Result<Self, String> {
        match argv.first() {
            Some(program) if !program.trim().is_empty() => Ok(Self::Command(argv.to_vec())),
            _ => Err("`command` must name a program, such as [\"/usr/local/bin/tell\", \"ops\"]".to_owned()),
        }
    }

    /// Finds out whether the environment has what it needs.
    ///
    /// # Errors
    /// The variable that is missing, or what is wrong with the address it makes.
    pub fn ready(&self) -> Result<(), String> {
        match self {
            Self::Webhook { url, headers } => http::expanded(url, headers).map(|_| ()),
            Self::Command(_) => Ok(()),
        }
    }
}

/// What is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    ending: Ending,
    recovery: bool,
    json: Value,
    run_id: String,
    job: String,
    due: String,
    attempt: u32,
    message: String,
}

impl Report {
    /// Of the end of a due time; `before` is how the one before it ended.
    pub fn new(
        job: &Job,
        due: DateTime<Utc>,
        attempt: u32,
        end: &End,
        before: Option<Ending>,
        record: Option<&RunRecord>,
    ) -> Self {
        let bad = |ending| !matches!(ending, Ending::Success | Ending::Superseded | Ending::Cancelled);
        let recovery = end.ending == Ending::Success && before.is_some_and(bad);
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let message: String = end.message.chars().take(LONGEST).collect();
        let failed = record.and_then(|r| r.failure.as_ref());
        let blocked: Vec<&String> = failed.iter().flat_map(|f| f.blocked.iter().take(100)).collect();
        let json = json!({
            "text": text(job, end, recovery, &message),
            "job": job.name,
            "action": job.action.name(),
            "outcome": end.ending.name(),
            "recovery": recovery,
            "due": time(due),
            "finished_at": time(end.at),
            "attempt": attempt,
            "run_id": end.run_id,
            "message": message,
            "failed_model": failed.map(|f| &f.model),
            "blocked": blocked,
            "published_version": record.and_then(|r| r.published_version),
        });
        let run_id = end.run_id.clone().unwrap_or_default();
        Self { ending: end.ending, recovery, json, run_id, job: job.name.clone(), due: time(due), attempt, message }
    }

    fn concerns(&self, on: &[When]) -> bool {
        on.iter().any(|when| match when {
            When::Failure => !matches!(self.ending, Ending::Success | Ending::Superseded | Ending::Cancelled),
            When::Success => self.ending == Ending::Success,
            When::Recovery => self.recovery,
            When::Always => true,
        })
    }

    /// The JSON that is sent.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// What a command finds in its environment.
    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("ENVOI_JOB", self.job.clone()),
            ("ENVOI_RUN_ID", self.run_id.clone()),
            ("ENVOI_OUTCOME", self.ending.name().to_owned()),
            ("ENVOI_RECOVERY", self.recovery.to_string()),
            ("ENVOI_DUE", self.due.clone()),
            ("ENVOI_ATTEMPT", self.attempt.to_string()),
            // A variable cannot hold it.
            ("ENVOI_MESSAGE", self.message.replace('\0', " ")),
        ]
    }
}

/// One line: `text` is what Slack, Mattermost and their like show.
fn text(job: &Job, end: &End, recovery: bool, message: &str) -> String {
    let what = if recovery { "is well again".to_owned() } else { end.ending.name().replace('_', " ") };
    if message.is_empty() {
        format!("envoi: {} {what}", job.name)
    } else {
        format!("envoi: {} {what}: {message}", job.name)
    }
}

/// Tells.
#[derive(Debug, Clone)]
pub struct Notifier {
    /// Wait before the first further try; it doubles.
    pub pause: Duration,
}

impl Default for Notifier {
    fn default() -> Self {
        Self { pause: Duration::from_secs(1) }
    }
}

impl Notifier {
    /// Tells all whom it concerns, and gives what went wrong.
    pub async fn tell(&self, channels: &[(String, Channel)], report: &Report) -> Vec<String> {
        let mut troubles = Vec::new();
        for (name, channel) in channels.iter().filter(|(_, channel)| report.concerns(&channel.on)) {
            if let Err(e) = self.one(channel.clone(), report.clone()).await {
                troubles.push(format!("cannot notify `{name}`: {e}"));
            }
        }
        troubles
    }

    async fn one(&self, channel: Channel, report: Report) -> Result<(), String> {
        let pause = self.pause;
        on_a_thread(move || match &channel.route {
            Route::Webhook { url, headers } => {
                let body = report.json.to_string();
                post(&Post { url, headers, body: &body, timeout: channel.timeout, retries: channel.retries, pause })
            }
            Route::Command(argv) => {
                command::run(argv, &report.environment(), &report.json.to_string(), channel.timeout)
            }
        })
        .await
    }
}

/// What blocks does so where it may.
pub(crate) async fn on_a_thread(work: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), String> {
    match tokio::runtime::Handle::try_current() {
        Ok(handle) => handle.spawn_blocking(work).await.unwrap_or_else(|e| Err(e.to_string())),
        Err(_) => work(),
    }
}
