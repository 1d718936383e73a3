//! `schedule.toml`: which jobs there are, and everything that is wrong with it before anything runs.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use serde::Deserialize;
use toml::Spanned;

use super::cron::CronLine;
use super::error::{Error, Result};
use super::job::{Action, Job, Misfire, Target};
use crate::duration::duration;
use crate::hint::hint_of_all;
use crate::notify::{Channel, Route, When};

/// Jobs, and what they share.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// The file, as the user gave it.
    pub file: String,
    /// Lines of the jobs in it, by name.
    pub lines: BTreeMap<String, usize>,
    /// The jobs, in the order of the file.
    pub jobs: Vec<Arc<Job>>,
    /// Length of a term of the lease that makes one scheduler the leader.
    pub lease: Duration,
    /// How long jobs that run are given when the scheduler is asked to stop.
    pub shutdown: Duration,
    /// Jobs that run at a time.
    pub parallel: usize,
    /// Who can be told.
    pub notify: BTreeMap<String, Channel>,
    /// Where lineage goes.
    pub lineage: Option<Lineage>,
    /// File that Prometheus' textfile collector reads.
    pub metrics_file: Option<String>,
}

/// Where OpenLineage events go.
#[derive(Clone, PartialEq, Eq)]
pub struct Lineage {
    /// A file, one event a line, or an address.
    pub target: LineageTarget,
    /// Namespace of jobs and runs.
    pub namespace: String,
    /// Headers for an address; values may name environment variables.
    pub headers: BTreeMap<String, String>,
}

impl std::fmt::Debug for Lineage {
    /// Without what may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lineage").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// A file or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineageTarget {
    /// One event a line is added.
    File(String),
    /// Every event is sent by POST.
    Url(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    time_zone: Option<Spanned<String>>,
    lease: Option<Spanned<String>>,
    shutdown: Option<Spanned<String>>,
    parallel: Option<Spanned<i64>>,
    #[serde(default)]
    notify: BTreeMap<String, Spanned<RawChannel>>,
    lineage: Option<Spanned<RawLineage>>,
    metrics: Option<RawMetrics>,
    #[serde(default)]
    job: Vec<Spanned<RawJob>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMetrics {
    file: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLineage {
    file: Option<String>,
    url: Option<String>,
    namespace: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChannel {
    webhook: Option<String>,
    command: Option<Vec<String>>,
    on: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    timeout: Option<Spanned<String>>,
    retries: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawJob {
    name: Spanned<String>,
    description: Option<String>,
    action: Option<Spanned<String>>,
    cron: Spanned<String>,
    time_zone: Option<Spanned<String>>,
    #[serde(default)]
    select: Vec<String>,
    output: Option<String>,
    country: Option<String>,
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    full_refresh: bool,
    #[serde(default)]
    prune: bool,
    jitter: Option<Spanned<String>>,
    misfire: Option<Spanned<String>>,
    grace: Option<Spanned<String>>,
    retries: Option<Spanned<i64>>,
    backoff: Option<Spanned<String>>,
    timeout: Option<Spanned<String>>,
    #[serde(default)]
    notify: Vec<Spanned<String>>,
    enabled: Option<bool>,
}

/// The text, for places.
struct Text<'a> {
    file: &'a str,
    text: &'a str,
}

impl Text<'_> {
    fn line(&self, at: &Range<usize>) -> usize {
        self.text.get(..at.start).unwrap_or_default().matches('\n').count() + 1
    }

    fn wrong(&self, at: &Range<usize>, what: impl Into<String>) -> Error {
        let before = self.text.get(..at.start).unwrap_or_default();
        let line = self.line(at);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Error::File { file: self.file.to_owned(), line, column, what: what.into() }
    }

    fn time(&self, raw: Option<&Spanned<String>>, default: Duration, least: Duration) -> Result<Duration> {
        let Some(raw) = raw else { return Ok(default) };
        let time = duration(raw.get_ref()).map_err(|what| self.wrong(&raw.span(), what))?;
        if time < least {
            let what = format!("`{}` is too short; {} s is the least", raw.get_ref(), least.as_secs_f64());
            return Err(self.wrong(&raw.span(), what));
        }
        Ok(time)
    }

    fn number(&self, raw: Option<&Spanned<i64>>, default: u32, range: Range<u32>) -> Result<u32> {
        let Some(raw) = raw else { return Ok(default) };
        u32::try_from(*raw.get_ref()).ok().filter(|n| range.contains(n)).ok_or_else(|| {
            let what = format!("{} is not from {} to {}", raw.get_ref(), range.start, range.end.saturating_sub(1));
            self.wrong(&raw.span(), what)
        })
    }

    fn zone(&self, raw: &Spanned<String>) -> Result<Tz> {
        let name = raw.get_ref();
        name.parse().map_err(|_| {
            let all = chrono_tz::TZ_VARIANTS.iter().map(|z| z.name());
            let near = envoi::nearest(name, all)
                .map_or("; write one such as `Europe/Paris`".to_owned(), |near| format!("; did you mean `{near}`?"));
            self.wrong(&raw.span(), format!("unknown time zone `{name}`{near}"))
        })
    }
}

impl Schedule {
    /// The jobs that come with the program.
    ///
    /// # Errors
    /// None: a test reads it.
    pub fn shipped() -> Result<Self> {
        Self::parse(include_str!("../../../../sql/jobs/schedule.toml"), "the shipped schedule.toml")
    }

    /// Finds out whether the environment holds what notifications and lineage need.
    ///
    /// # Errors
    /// What is missing, and for whom.
    pub fn ready(&self) -> Result<()> {
        let used = self.jobs.iter().filter(|job| job.enabled).flat_map(|job| &job.notify);
        for (name, channel) in used {
            channel.route.ready().map_err(|what| Error::Usage(format!("[notify.{name}]: {what}")))?;
        }
        if let Some(Lineage { target: LineageTarget::Url(url), headers, .. }) = &self.lineage {
            let route = Route::Webhook { url: url.clone(), headers: headers.clone() };
            route.ready().map_err(|what| Error::Usage(format!("[lineage]: {what}")))?;
        }
        Ok(())
    }

    /// Where a job is, for messages: `schedule.toml:12: job `marts``.
    pub fn place(&self, job: &Job) -> String {
        let line = self.lines.get(&job.name).map(|line| format!(":{line}")).unwrap_or_default();
        format!("{}{line}: job `{}`", self.file, job.name)
    }

    /// Reads the text of a file of jobs; `file` names it in errors.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its place.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let at = Text { file, text };
        let raw: RawFile = toml::from_str(text).map_err(|e| syntax(&at, &e))?;
        let zone = raw.time_zone.as_ref().map_or(Ok(Tz::UTC), |zone| at.zone(zone))?;
        let notify = raw
            .notify
            .iter()
            .map(|(name, channel)| Ok((name.clone(), channel_of(&at, name, channel)?)))
            .collect::<Result<BTreeMap<_, _>>>()?;
        let lineage = raw.lineage.as_ref().map(|lineage| lineage_of(&at, lineage)).transpose()?;
        let mut jobs: Vec<Arc<Job>> = Vec::with_capacity(raw.job.len());
        let mut lines = BTreeMap::new();
        for one in &raw.job {
            let job = job_of(&at, one, zone, &notify)?;
            if jobs.iter().any(|other| other.name == job.name) {
                let what = format!("there are two jobs `{}`", job.name);
                return Err(at.wrong(&one.get_ref().name.span(), what));
            }
            lines.insert(job.name.clone(), at.line(&one.get_ref().name.span()));
            jobs.push(Arc::new(job));
        }
        let least = Duration::from_secs(1);
        Ok(Self {
            file: file.to_owned(),
            lines,
            jobs,
            lease: at.time(raw.lease.as_ref(), Duration::from_secs(30), least)?,
            shutdown: at.time(raw.shutdown.as_ref(), Duration::from_secs(60), Duration::ZERO)?,
            parallel: at.number(raw.parallel.as_ref(), 2, 1..257)? as usize,
            notify,
            lineage,
            metrics_file: raw.metrics.map(|m| m.file),
        })
    }
}

/// The parser's complaint, with a near match for an unknown key.
fn syntax(at: &Text<'_>, error: &toml::de::Error) -> Error {
    let message = error.message().trim_end_matches('.');
    let mut words = message.split('`').skip(1).step_by(2);
    let what = match (message.strip_prefix("unknown field"), words.next()) {
        (Some(_), Some(unknown)) => format!("unknown key `{unknown}`{}", hint_of_all(unknown, words)),
        _ => message.replace("missing field", "missing key").replace('\n', " "),
    };
    at.wrong(&error.span().unwrap_or(0..0), what)
}

fn job_of(at: &Text<'_>, raw: &Spanned<RawJob>, zone: Tz, channels: &BTreeMap<String, Channel>) -> Result<Job> {
    let job = raw.get_ref();
    let name = job.name.get_ref();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if name.is_empty()
        || name.len() > 64
        || !name.starts_with(|c: char| c.is_ascii_lowercase())
        || !name.chars().all(plain)
    {
        let what = format!("`{name}` cannot name a job; use a-z, 0-9, `_` and `-`, a letter first, 64 at most");
        return Err(at.wrong(&job.name.span(), what));
    }
    let zone = job.time_zone.as_ref().map_or(Ok(zone), |zone| at.zone(zone))?;
    let cron = CronLine::parse(job.cron.get_ref(), zone).map_err(|what| at.wrong(&job.cron.span(), what))?;
    let action = match &job.action {
        None => Action::Run,
        Some(action) => action.get_ref().parse().map_err(|what: String| at.wrong(&action.span(), what))?,
    };
    let misfire = match &job.misfire {
        None => Misfire::Skip,
        Some(misfire) => misfire.get_ref().parse().map_err(|what: String| at.wrong(&misfire.span(), what))?,
    };
    let target = Target {
        select: job.select.clone(),
        output: job.output.clone(),
        country: job.country.clone(),
        strict: job.strict,
        full_refresh: job.full_refresh,
        prune: job.prune,
    };
    target.check(action).map_err(|what| at.wrong(&raw.span(), format!("job `{name}`: {what}")))?;
    let mut notify = Vec::new();
    for channel in &job.notify {
        let Some(found) = channels.get(channel.get_ref()) else {
            let names = channels.keys().map(String::as_str);
            let what = format!(
                "there is no [notify.{0}] for `{0}`{1}",
                channel.get_ref(),
                hint_of_all(channel.get_ref(), names)
            );
            return Err(at.wrong(&channel.span(), what));
        };
        notify.push((channel.get_ref().clone(), found.clone()));
    }
    let jitter = at.time(job.jitter.as_ref(), Duration::ZERO, Duration::ZERO)?;
    if let (Some(shortest), Some(raw)) = (cron.shortest(), &job.jitter)
        && jitter > shortest
    {
        let (jitter, shortest) = (jitter.as_secs_f64(), shortest.as_secs_f64());
        let what = format!("a jitter of {jitter} s is longer than the {shortest} s between two times of the job");
        return Err(at.wrong(&raw.span(), what));
    }
    Ok(Job {
        name: name.clone(),
        description: job.description.clone().unwrap_or_default(),
        cron,
        action,
        target,
        jitter,
        misfire,
        grace: at.time(job.grace.as_ref(), Duration::from_secs(300), Duration::from_secs(1))?,
        retries: at.number(job.retries.as_ref(), 0, 0..101)?,
        backoff: at.time(job.backoff.as_ref(), Duration::from_secs(60), Duration::ZERO)?,
        timeout: job.timeout.as_ref().map(|t| at.time(Some(t), Duration::ZERO, Duration::from_secs(1))).transpose()?,
        notify,
        enabled: job.enabled.unwrap_or(true),
    })
}

fn channel_of(at: &Text<'_>, name: &str, raw: &Spanned<RawChannel>) -> Result<Channel> {
    let channel = raw.get_ref();
    let wrong = |what: String| at.wrong(&raw.span(), format!("[notify.{name}]: {what}"));
    let route = match (&channel.webhook, &channel.command) {
        (Some(url), None) => Route::webhook(url, &channel.headers).map_err(wrong)?,
        (None, Some(command)) => Route::command(command).map_err(wrong)?,
        _ => return Err(wrong("give either `webhook` or `command`".to_owned())),
    };
    let on = match &channel.on {
        None => vec![When::Failure, When::Recovery],
        Some(on) if on.is_empty() => {
            let what = "`on` is empty, so nobody is ever told; leave it out for `failure` and `recovery`";
            return Err(wrong(what.to_owned()));
        }
        Some(on) => on
            .iter()
            .map(|when| when.get_ref().parse().map_err(|what: String| at.wrong(&when.span(), what)))
            .collect::<Result<_>>()?,
    };
    Ok(Channel {
        route,
        on,
        timeout: at.time(channel.timeout.as_ref(), Duration::from_secs(10), Duration::from_millis(100))?,
        retries: at.number(channel.retries.as_ref(), 2, 0..11)?,
    })
}

fn lineage_of(at: &Text<'_>, raw: &Spanned<RawLineage>) -> Result<Lineage> {
    let lineage = raw.get_ref();
    let wrong = |what: String| at.wrong(&raw.span(), format!("[lineage]: {what}"));
    let target = match (&lineage.file, &lineage.url) {
        (Some(file), None) => LineageTarget::File(file.clone()),
        (None, Some(url)) => {
            Route::webhook(url, &lineage.headers).map_err(wrong)?;
            LineageTarget::Url(url.clone())
        }
        _ => return Err(wrong("give either `file` or `url`".to_owned())),
    };
    Ok(Lineage {
        target,
        namespace: lineage.namespace.clone().unwrap_or_else(|| "envoi".to_owned()),
        headers: lineage.headers.clone(),
    })
}
