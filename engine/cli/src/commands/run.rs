//! `envoi run`: models in dependency order, built, tested and published.

mod pack;
mod show;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{NaiveDate, Utc};
use envoi::Config;
use envoi_batch::record::{RunRecord, RunStatus};
use envoi_batch::{Canceller, Options, RunError, Sources};

use super::serve::stopped;
use super::{Failure, Screen, print};
use crate::sql::EXIT_FAILED;
pub(crate) use pack::Files;
use show::Show;

/// The project that is looked for in the working folder.
pub(super) const USUAL: &str = "sql/jobs";

/// Flags of `envoi run`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RunArgs {
    /// Models to run: `name`, `+name` with what it reads, `name+` with what reads it, `2+name`, `@name`, `tag:x`,
    /// a folder, `source:x`, `state:modified`; `a,b` is both; none: all
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    /// The project's folder; by default sql/jobs here, or else the jobs that come with envoi
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Models not to run
    #[arg(long, value_name = "SELECTOR")]
    exclude: Vec<String>,
    /// Build from nothing, whatever has changed
    #[arg(long)]
    full_refresh: bool,
    /// Build partitions of incremental models from this day on
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// … and before this day
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// Say what would be done, and why, with the SQL and the rows it may give; do nothing
    #[arg(long)]
    dry_run: bool,
    /// Begin nothing more after the first failure
    #[arg(long)]
    fail_fast: bool,
    /// A value for `var('NAME')` in templates
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    var: Vec<(String, String)>,
    /// Read models that are not run as this version of the lake has them
    #[arg(long, value_name = "VERSION")]
    defer: Option<u64>,
    /// Take models out of the lake that the project made and no longer has, or these, whoever made them
    #[arg(long, value_name = "MODEL,…", num_args = 0.., value_delimiter = ',', require_equals = true)]
    prune: Option<Vec<String>>,
    /// Models at once; by default as many as threads
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// The run's record, or with --dry-run its plan, as JSON on standard output
    #[arg(long)]
    json: bool,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

impl RunArgs {
    fn options(&self, threads: usize) -> Options {
        Options {
            selectors: self.selectors.clone(),
            exclude: self.exclude.clone(),
            full_refresh: self.full_refresh,
            from: self.from,
            to: self.to,
            fail_fast: self.fail_fast,
            vars: self.var.iter().cloned().collect(),
            defer: self.defer,
            prune: self.prune.clone(),
            jobs: self.jobs.unwrap_or(threads).max(1),
            ..Options::at(Utc::now())
        }
    }
}

/// The project of a folder, or the one that is found without it.
pub(crate) fn sources(dir: Option<&Path>) -> Result<Sources, Failure> {
    let usual = Path::new(USUAL);
    let folder = dir.or_else(|| usual.is_dir().then_some(usual));
    match folder {
        Some(folder) if !folder.is_dir() => {
            Err(Failure::usage(format!("`{}` is not a folder; --dir names the one of the project", folder.display())))
        }
        Some(folder) => Sources::folder(folder).map_err(|p| Failure::failed(p.to_string())),
        None => Ok(Sources::shipped()),
    }
}

pub(crate) async fn run(config: &Config, screen: Screen, args: &RunArgs) -> Result<u8, Failure> {
    if config.as_of().is_some() || config.lake_version().is_some() {
        return Err(Failure::usage(
            "a run reads the newest editions of the newest version; leave --as-of and --lake-version out",
        ));
    }
    let sources = sources(args.dir.as_deref())?;
    let factory = envoi::open(config).await?;
    let options = args.options(config.threads());
    if args.dry_run {
        let planned = envoi_batch::plan(&factory, &sources, &options).await.map_err(failure)?;
        print(&if args.json { show::plan_json(&planned) } else { show::plan(&planned, screen) })?;
        return Ok(0);
    }
    let stop = Canceller::new();
    let cancel = stop.token();
    let watch = tokio::spawn(async move {
        stopped().await;
        screen.say("stops; nothing more is published, and what was staged is taken back");
        stop.cancel();
        stopped().await;
        // What is left of it the history calls interrupted, and `lake gc` takes.
        screen.say("ended at once");
        std::process::exit(EXIT_FAILED.into());
    });
    let show = Show::new(screen);
    let outcome = envoi_batch::run(&factory, &sources, &options, Arc::new(Files), &show, &cancel).await;
    watch.abort();
    show.end();
    if let (Err(error), true) = (&outcome, args.json) {
        print(&format!("{}\n", unbegun(error)))?;
    }
    let record = outcome.map_err(failure)?;
    report(&record, screen, args.json)
}

/// What is said at the end, and the exit code.
pub(crate) fn report(record: &RunRecord, screen: Screen, json: bool) -> Result<u8, Failure> {
    if json {
        let text = serde_json::to_string_pretty(record).map_err(|e| Failure::failed(e.to_string()))?;
        print(&format!("{text}\n"))?;
    } else {
        screen.say(&show::summary(record));
    }
    if record.status == RunStatus::Success {
        return Ok(0);
    }
    let what = match (&record.failure, record.status) {
        (Some(failure), _) => {
            let blocked = match failure.blocked.as_slice() {
                [] => String::new(),
                all => format!("\nblocked: {}", all.join(", ")),
            };
            format!("model `{}`, {}: {}{blocked}", failure.model, failure.step, failure.message)
        }
        (None, RunStatus::Cancelled) => "stopped; nothing more was published".to_owned(),
        (None, _) => "not everything that was asked for was published".to_owned(),
    };
    Err(Failure::failed(what))
}

/// A run that did not begin, or left no record, as JSON.
fn unbegun(error: &RunError) -> serde_json::Value {
    let problems: Vec<String> = match error {
        RunError::Problems(all) => all.iter().map(ToString::to_string).collect(),
        other => vec![other.to_string()],
    };
    serde_json::json!({ "status": "failed", "problems": problems })
}

fn failure(error: RunError) -> Failure {
    match error {
        RunError::Usage(what) => Failure::usage(what),
        RunError::Problems(all) => {
            let text: Vec<String> = all.iter().map(ToString::to_string).collect();
            let count = if all.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", all.len()) };
            Failure::failed(format!("{count}, nothing was run\n{}", text.join("\n")))
        }
        RunError::Engine(e) => e.into(),
    }
}
