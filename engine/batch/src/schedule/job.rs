//! A job: what is done, when, and what if it was missed or fails.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::cron::CronLine;
use crate::hint::hint_of_all;
use crate::notify::Channel;

/// Waits between tries do not grow beyond this, unless the first is longer.
const LONGEST_BACKOFF: Duration = Duration::from_secs(3600);

/// One job of `schedule.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// `[a-z][a-z0-9_-]*`: names its state in the lake.
    pub name: String,
    /// For people.
    pub description: String,
    /// When it is due.
    pub cron: CronLine,
    /// What is done.
    pub action: Action,
    /// To what.
    pub target: Target,
    /// It begins up to so long after it is due, each time by another part of it.
    pub jitter: Duration,
    /// What becomes of due times that were missed.
    pub misfire: Misfire,
    /// A start that is late by no more is none that was missed.
    pub grace: Duration,
    /// Tries after the first.
    pub retries: u32,
    /// Wait before the first of them; it doubles with each.
    pub backoff: Duration,
    /// Longest time of a try.
    pub timeout: Option<Duration>,
    /// Who is told, by name.
    pub notify: Vec<(String, Channel)>,
    /// Whether it is done at all.
    pub enabled: bool,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Builds models, as `envoi run`.
    Run,
    /// Downloads from publishers and imports, as `envoi source fetch`.
    Fetch,
    /// Reports on data quality, as `envoi check`.
    Check,
    /// Writes the brief, as `envoi brief --html`.
    Brief,
}

impl Action {
    const ALL: [(&'static str, Self); 4] =
        [("run", Self::Run), ("fetch", Self::Fetch), ("check", Self::Check), ("brief", Self::Brief)];

    /// As the file has it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }
}

impl FromStr for Action {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, action)| *action);
        found.ok_or_else(|| {
            format!("unknown action `{text}`{}", hint_of_all(text, Self::ALL.iter().map(|(name, _)| *name)))
        })
    }
}

/// What becomes of due times at which nothing could begin: the machine was off, or the job still ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfire {
    /// They are left out; only one that is late by no more than the grace is made up for.
    Skip,
    /// One run for each, in their order.
    CatchUp,
    /// One run for the newest, which stands for all.
    Latest,
}

impl Misfire {
    const ALL: [(&'static str, Self); 3] =
        [("skip", Self::Skip), ("catch_up", Self::CatchUp), ("latest", Self::Latest)];
}

impl FromStr for Misfire {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, policy)| *policy);
        found.ok_or_else(|| {
            format!("unknown misfire policy `{text}`{}", hint_of_all(text, Self::ALL.iter().map(|(name, _)| *name)))
        })
    }
}

/// What an action is done to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// Selectors of models, ids of datasets, or tables to check.
    pub select: Vec<String>,
    /// File that is written; `{date}`, `{month}` and `{year}` stand for the due time's.
    pub output: Option<String>,
    /// Economy of a brief.
    pub country: Option<String>,
    /// Warnings of a check are failures.
    pub strict: bool,
    /// Incremental models are built from nothing.
    pub full_refresh: bool,
    /// Models that the project no longer has are taken out of the lake.
    pub prune: bool,
}

impl Target {
    /// Refuses what an action has no use for, and asks for what it needs.
    pub(super) fn check(&self, action: Action) -> Result<(), String> {
        let given = [
            ("output", self.output.is_some(), matches!(action, Action::Check | Action::Brief)),
            ("country", self.country.is_some(), action == Action::Brief),
            ("strict", self.strict, action == Action::Check),
            ("full_refresh", self.full_refresh, action == Action::Run),
            ("prune", self.prune, action == Action::Run),
            ("select", !self.select.is_empty(), action != Action::Brief),
        ];
        if let Some((key, ..)) = given.iter().find(|(_, given, used)| *given && !used) {
            return Err(format!("`{key}` means nothing to action `{}`", action.name()));
        }
        if self.prune && !self.select.is_empty() {
            return Err("`prune` takes out what the whole project no longer has; leave `select` out".to_owned());
        }
        if action == Action::Fetch && self.select.is_empty() {
            return Err("`select` must name datasets to fetch, such as [\"worldbank.wdi\"]".to_owned());
        }
        if action == Action::Brief && self.output.is_none() {
            return Err("`output` must name the page to write, such as \"brief-{month}.html\"".to_owned());
        }
        let Some(output) = &self.output else { return Ok(()) };
        let mut rest = output.as_str();
        while let Some((_, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            if !["date", "month", "year"].contains(&name) {
                return Err(format!(
                    "`{{{name}}}` in `output` stands for nothing; there are {{date}}, {{month}}, {{year}}"
                ));
            }
            rest = after;
        }
        Ok(())
    }
}

impl Job {
    /// Part of the jitter by which the run for a due time begins later: always the same for the same job and time.
    pub fn delay(&self, due: DateTime<Utc>) -> Duration {
        let most = u64::try_from(self.jitter.as_millis()).unwrap_or(u64::MAX);
        if most == 0 {
            return Duration::ZERO;
        }
        let digest = Sha256::digest(format!("{}\n{}", self.name, due.timestamp()));
        let number = digest.iter().take(8).fold(0u64, |n, byte| n << 8 | u64::from(*byte));
        Duration::from_millis(number % most.saturating_add(1))
    }

    /// When the run for a due time begins.
    pub fn start(&self, due: DateTime<Utc>) -> DateTime<Utc> {
        TimeDelta::from_std(self.delay(due)).ok().and_then(|delay| due.checked_add_signed(delay)).unwrap_or(due)
    }

    /// How long to wait after the failure number `failures`, from 1.
    pub fn wait(&self, failures: u32) -> Duration {
        let doubled = self.backoff.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1).min(30)));
        doubled.min(LONGEST_BACKOFF.max(self.backoff))
    }

    /// The file that is written for a due time, by the job's own clock.
    pub fn output(&self, due: DateTime<Utc>) -> Option<String> {
        let local = due.with_timezone(&self.cron.zone());
        let output = self.target.output.as_ref()?;
        let output = output.replace("{date}", &local.format("%Y-%m-%d").to_string());
        let output = output.replace("{month}", &local.format("%Y-%m").to_string());
        Some(output.replace("{year}", &local.format("%Y").to_string()))
    }
}
