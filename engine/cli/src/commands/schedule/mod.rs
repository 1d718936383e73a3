//! `envoi schedule`: jobs at their times, until somebody asks it to stop.

mod work;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Utc;
use envoi::Config;
use envoi_batch::Canceller;
use envoi_batch::metrics::{Metrics, Server};
use envoi_batch::schedule::{Event, Options, Reload, Schedule, Scheduler, SystemClock};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::run::USUAL;
use super::serve::stopped;
use super::{Failure, Screen, columns, print};
use crate::sql::EXIT_FAILED;
use work::CliWork;

const FILE: &str = "schedule.toml";

/// Flags of `envoi schedule`.
#[derive(Debug, clap::Args)]
pub(crate) struct ScheduleArgs {
    /// Folder with `schedule.toml` [default: sql/jobs if it has one, else the shipped jobs]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Do what is due now, and end: for cron, or a systemd timer
    #[arg(long)]
    once: bool,
    /// Say when jobs are due next, N times of each, and run none
    #[arg(long, visible_alias = "dry-run", value_name = "N", num_args = 0..=1, default_missing_value = "3")]
    list: Option<usize>,
    /// Answer Prometheus at /metrics of this address of this machine
    #[arg(long, value_name = "ADDR")]
    metrics: Option<SocketAddr>,
}

pub(crate) async fn schedule(config: &Config, screen: Screen, args: &ScheduleArgs) -> Result<u8, Failure> {
    let (schedule, file) = load(args.dir.as_deref())?;
    checked(config, screen, args.dir.as_deref(), &schedule).await?;
    schedule.ready().map_err(|e| Failure::usage(e.to_string()))?;
    if let Some(times) = args.list {
        print(&listed(&schedule, times))?;
        return Ok(0);
    }
    if !schedule.jobs.iter().any(|job| job.enabled) {
        return Err(Failure::usage("there are no jobs to run; write [[job]] into schedule.toml"));
    }
    let lake = envoi::default_lake(config)?;
    let metrics = Arc::new(Metrics::new(&schedule));
    if let Some(at) = args.metrics {
        let server = Server::bind(at).await.map_err(Failure::usage)?;
        let at = server.address().map_err(Failure::failed)?;
        print(&format!("http://{at}/metrics\n"))?;
        tokio::spawn(server.run(Arc::clone(&metrics)));
    }
    let label = lake.store().label();
    screen.say(&format!("{} jobs on lake {label}", schedule.jobs.iter().filter(|job| job.enabled).count()));
    let metrics_file = schedule.metrics_file.clone().map(PathBuf::from);
    let observed = Arc::clone(&metrics);
    let events = Arc::new(move |event: &Event| {
        observed.observe(event);
        told(screen, event);
        if let Some(Err(e)) = metrics_file.as_deref().map(|file| observed.write(file)) {
            screen.say(&e);
        }
    });
    let options = Options { holder: holder(), once: args.once, ..Options::default() };
    let shutdown = schedule.shutdown.as_secs_f64();
    let work = Arc::new(CliWork::new(config.clone(), screen, args.dir.clone()));
    let mut scheduler = Scheduler::new(schedule, lake, work, Arc::new(SystemClock::new()), events, options);
    if let (Some((path, text)), false) = (file, args.once) {
        let (config, dir, seen) = (config.clone(), args.dir.clone(), Mutex::new(text));
        scheduler = scheduler.reloading(Arc::new(JobsFile { config, screen, dir, path, seen }));
    }
    let stop = Canceller::new();
    let token = stop.token();
    tokio::spawn(async move {
        stopped().await;
        screen.say(&format!("stops; jobs that run have {shutdown} s"));
        stop.cancel();
        stopped().await;
        // What was begun is found interrupted by the next one.
        screen.say("ended at once");
        std::process::exit(EXIT_FAILED.into());
    });
    let summary = scheduler.run(token).await.map_err(|e| Failure::failed(e.to_string()))?;
    match &summary.stood_by {
        Some(holder) if args.once && !summary.led => {
            screen.say(&format!("{holder} leads and does what is due"));
            Ok(0)
        }
        None if args.once && !summary.led => {
            Err(Failure::failed(format!("nothing was done: lake {label} gave no lease")))
        }
        _ => Ok(if args.once && summary.failed > 0 { EXIT_FAILED } else { 0 }),
    }
}

/// Finds what jobs name and nobody knows: selectors, datasets, tables, economies.
async fn checked(config: &Config, screen: Screen, dir: Option<&Path>, schedule: &Schedule) -> Result<(), Failure> {
    for job in schedule.jobs.iter().filter(|job| job.enabled) {
        let found = work::check(config, screen, dir, job).await;
        found.map_err(|e| Failure::usage(format!("{}: {}", schedule.place(job), e.message)))?;
    }
    Ok(())
}

/// The jobs, and the file that they stand in with its text, if they are not the shipped ones.
fn load(dir: Option<&Path>) -> Result<(Schedule, Option<(PathBuf, String)>), Failure> {
    let usual = Path::new(USUAL).join(FILE);
    let path = match dir {
        Some(dir) => dir.join(FILE),
        None if usual.is_file() => usual,
        None => return Schedule::shipped().map(|s| (s, None)).map_err(|e| Failure::failed(e.to_string())),
    };
    let text = read(&path).map_err(Failure::usage)?;
    let schedule = Schedule::parse(&text, &path.display().to_string()).map_err(|e| Failure::usage(e.to_string()))?;
    Ok((schedule, Some((path, text))))
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("cannot read `{}`: {e}", path.display()))
}

/// A file of jobs that may be written anew while they run.
struct JobsFile {
    config: Config,
    screen: Screen,
    dir: Option<PathBuf>,
    path: PathBuf,
    /// What was in it, or why it could not be read, when it was looked at last.
    seen: Mutex<String>,
}

impl Reload for JobsFile {
    fn changed(&self) -> BoxFuture<'_, Option<Result<Schedule, String>>> {
        async {
            let found = read(&self.path);
            let now = found.clone().unwrap_or_else(|why| why);
            let before = {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::replace(&mut *seen, now.clone())
            };
            if before == now {
                return None;
            }
            let schedule = found
                .and_then(|text| Schedule::parse(&text, &self.path.display().to_string()).map_err(|e| e.to_string()));
            let schedule = match schedule {
                Ok(schedule) => schedule,
                Err(what) => return Some(Err(what)),
            };
            let checked = checked(&self.config, self.screen, self.dir.as_deref(), &schedule).await;
            let ready = checked.map_err(|e| e.message).and_then(|()| schedule.ready().map_err(|e| e.to_string()));
            Some(ready.map(|()| schedule))
        }
        .boxed()
    }
}

/// Says what happened, with the time.
fn told(screen: Screen, event: &Event) {
    // What is next is of interest to those who ask for it.
    if matches!(event, Event::Next { .. }) && !screen.verbose {
        return;
    }
    screen.say(&format!("{} {event}", Utc::now().format("%Y-%m-%dT%H:%M:%SZ")));
}

/// Due times, each on its job's own clock.
fn listed(schedule: &Schedule, times: usize) -> String {
    let mut rows = Vec::new();
    for job in &schedule.jobs {
        let mut at = Utc::now();
        let next = || {
            at = job.cron.next(at)?;
            Some(at.with_timezone(&job.cron.zone()).format("%Y-%m-%d %H:%M:%S %:z").to_string())
        };
        let mut due: Vec<String> = std::iter::from_fn(next).take(times.clamp(1, 1000)).collect();
        if !job.enabled {
            due = vec!["not enabled".to_owned()];
        }
        for (at, time) in due.into_iter().enumerate() {
            let head = [&job.name, job.action.name(), job.cron.text(), job.cron.zone().name()];
            let head = head.map(|text| if at == 0 { text.to_owned() } else { String::new() });
            rows.push([&head[..], &[time]].concat());
        }
    }
    columns(&["job", "action", "cron", "time zone", "due"], &rows)
}

/// This machine and process, for people.
fn holder() -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let machine = machine.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok());
    let machine = machine.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    format!("{}, process {}", machine.as_deref().unwrap_or("unknown"), std::process::id())
}
