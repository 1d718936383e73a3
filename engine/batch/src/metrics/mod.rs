//! Figures about jobs for Prometheus: made of what the scheduler says, as text.

mod serve;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;

use chrono::{DateTime, Utc};

use crate::schedule::{Ending, Event, Schedule};

pub use serve::Server;

/// Figures of one job.
#[derive(Debug, Clone, Default)]
struct Figures {
    runs: BTreeMap<Ending, u64>,
    seconds: f64,
    last_seconds: Option<f64>,
    last_success: Option<DateTime<Utc>>,
    last_end: Option<(DateTime<Utc>, bool)>,
    next: Option<DateTime<Utc>>,
    late: Option<f64>,
    skipped: u64,
    running: bool,
}

/// What a scheduler has done, and will do next.
#[derive(Debug, Default)]
pub struct Metrics {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    jobs: BTreeMap<String, Figures>,
    leads: bool,
    troubles: u64,
}

/// One figure: name, kind and help, and its value of a job.
type Row = (&'static str, &'static str, &'static str, fn(&Figures) -> Option<f64>);

const ROWS: [Row; 9] = [
    ("envoi_job_running", "gauge", "Whether the job runs now.", |f| Some(f64::from(u8::from(f.running)))),
    ("envoi_job_duration_seconds_total", "counter", "Time of all tries.", |f| Some(f.seconds)),
    ("envoi_job_last_duration_seconds", "gauge", "Time of the last try.", |f| f.last_seconds),
    ("envoi_job_last_success_timestamp_seconds", "gauge", "When the job was last done.", |f| {
        f.last_success.map(seconds)
    }),
    ("envoi_job_last_end_timestamp_seconds", "gauge", "When a try last ended.", |f| {
        f.last_end.map(|(at, _)| seconds(at))
    }),
    ("envoi_job_last_success", "gauge", "Whether the last try succeeded.", |f| {
        f.last_end.map(|(_, good)| f64::from(u8::from(good)))
    }),
    ("envoi_job_next_due_timestamp_seconds", "gauge", "When the job is due next.", |f| f.next.map(seconds)),
    ("envoi_job_lag_seconds", "gauge", "How late the last try began.", |f| f.late),
    ("envoi_job_skipped_total", "counter", "Due times that were left out.", |f| Some(f.skipped as f64)),
];

fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}

impl Metrics {
    /// Of the jobs of a schedule, so that those which never ran are seen.
    pub fn new(schedule: &Schedule) -> Self {
        let jobs = schedule.jobs.iter().filter(|job| job.enabled);
        let jobs = jobs.map(|job| (job.name.clone(), Figures::default())).collect();
        Self { inner: Mutex::new(Inner { jobs, ..Inner::default() }) }
    }

    /// Counts what was said.
    pub fn observe(&self, event: &Event) {
        let mut inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            Event::Leads { .. } => inner.leads = true,
            Event::Lost | Event::StandsBy { .. } => inner.leads = false,
            Event::Trouble { .. } => inner.troubles += 1,
            Event::Reloaded { added, removed, .. } => {
                inner.jobs.retain(|name, _| !removed.contains(name));
                for name in added {
                    inner.job(name);
                }
            }
            Event::Next { job, due, .. } => inner.job(job).next = Some(*due),
            Event::Skipped { job, count, .. } => inner.job(job).skipped += *count as u64,
            Event::Started { job, late, .. } => {
                let figures = inner.job(job);
                (figures.running, figures.late) = (true, Some(late.as_secs_f64()));
            }
            Event::Ended { job, ending, took, at, .. } => {
                let figures = inner.job(job);
                let good = *ending == Ending::Success;
                *figures.runs.entry(*ending).or_default() += 1;
                figures.running = false;
                figures.seconds += took.as_secs_f64();
                figures.last_seconds = Some(took.as_secs_f64());
                figures.last_end = Some((*at, good));
                if good {
                    figures.last_success = Some(*at);
                }
            }
            Event::Disowned { job, .. } => inner.job(job).running = false,
            _ => {}
        }
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        let inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut text = String::new();
        let head = |text: &mut String, name: &str, kind: &str, help: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        };
        head(&mut text, "envoi_scheduler_leader", "gauge", "Whether this scheduler leads.");
        let _ = writeln!(text, "envoi_scheduler_leader {}", u8::from(inner.leads));
        let help = "Troubles with state, lineage and notifications.";
        head(&mut text, "envoi_scheduler_troubles_total", "counter", help);
        let _ = writeln!(text, "envoi_scheduler_troubles_total {}", inner.troubles);
        head(&mut text, "envoi_job_runs_total", "counter", "Tries by how they ended.");
        for (job, figures) in &inner.jobs {
            for (name, ending) in Ending::ALL {
                let count = figures.runs.get(&ending).copied().unwrap_or_default();
                let _ = writeln!(text, "envoi_job_runs_total{{job=\"{job}\",outcome=\"{name}\"}} {count}");
            }
        }
        for (name, kind, help, value) in ROWS {
            head(&mut text, name, kind, help);
            for (job, figures) in &inner.jobs {
                if let Some(value) = value(figures) {
                    let _ = writeln!(text, "{name}{{job=\"{job}\"}} {value}");
                }
            }
        }
        text
    }

    /// Writes the text to a file, whole or not at all.
    ///
    /// # Errors
    /// The system's own words, with the path.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let failed = |e: std::io::Error| format!("cannot write `{}`: {e}", path.display());
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        // The collector reads `*.prom` only.
        name.push(format!(".{}", std::process::id()));
        let staged = path.with_file_name(name);
        let written = std::fs::File::create(&staged).and_then(|mut file| {
            file.write_all(self.text().as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&staged, path)
        });
        if written.is_err() {
            // It was not there, perhaps.
            let _ = std::fs::remove_file(&staged);
        }
        written.map_err(failed)
    }
}

impl Inner {
    fn job(&mut self, name: &str) -> &mut Figures {
        self.jobs.entry(name.to_owned()).or_default()
    }
}
