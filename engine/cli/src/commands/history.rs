//! `envoi history`: what ran, how it ended, and why.

use std::fmt::Write;

use chrono::SecondsFormat;
use envoi::Config;
use envoi::lake::{Lake, Printable};
use envoi_batch::history::{Filter, History, Listed};
use envoi_batch::record::{ModelRecord, ModelStatus, RunRecord, RunStatus, Trigger};

use super::{Failure, Screen, columns, print, size};

/// Flags of `envoi history`.
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// One run with its models, inputs and tests: its id, or how it begins
    #[arg(value_name = "RUN_ID")]
    run: Option<String>,
    /// Runs to show, the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Only runs that failed
    #[arg(long)]
    failed: bool,
    /// Only runs of this model
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Only runs of this job of the schedule
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// The records as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn history(config: &Config, screen: Screen, args: &HistoryArgs) -> Result<u8, Failure> {
    let lakes = lakes(config).await?;
    if let Some(id) = &args.run {
        let run = one(&lakes, id).await?;
        print(&if args.json { json(serde_json::to_string_pretty(&run))? } else { details(&run) })?;
        return Ok(0);
    }
    let filter = Filter {
        limit: Some(args.limit),
        job: args.job.clone(),
        model: args.model.clone(),
        status: args.failed.then_some(RunStatus::Failed),
    };
    let mut all = Listed::default();
    for lake in &lakes {
        let listed = History::new(lake.clone()).list(&filter).await?;
        all.runs.extend(listed.runs);
        all.damaged.extend(listed.damaged);
    }
    for damage in &all.damaged {
        screen.say(&format!("passed over: {damage}"));
    }
    all.runs.sort_by(|a, b| b.run_id.cmp(&a.run_id));
    all.runs.truncate(args.limit);
    if args.json {
        print(&json(serde_json::to_string_pretty(&all.runs))?)?;
    } else if all.runs.is_empty() {
        screen.say("no run yet; `envoi schedule` and `envoi run` write them");
    } else {
        print(&table(&all.runs))?;
    }
    Ok(0)
}

/// The lake that imports go to, and the one that is read, where nothing was imported yet.
async fn lakes(config: &Config) -> Result<Vec<Lake>, Failure> {
    let lake = envoi::default_lake(config)?;
    if config.lake_url().is_some() || lake.current().await?.is_some() {
        return Ok(vec![lake]);
    }
    let read = envoi::open(config).await?.runtime().lake().clone();
    Ok(vec![lake, read])
}

async fn one(lakes: &[Lake], id: &str) -> Result<RunRecord, Failure> {
    let mut first = None;
    for lake in lakes {
        match History::new(lake.clone()).get(id).await {
            Ok(run) => return Ok(run),
            Err(e) => first = first.or(Some(e)),
        }
    }
    Err(first.map_or_else(|| Failure::failed("there is no lake"), Failure::from))
}

fn json(text: serde_json::Result<String>) -> Result<String, Failure> {
    text.map(|text| text + "\n").map_err(|e| Failure::failed(e.to_string()))
}

fn trigger(run: &RunRecord) -> String {
    match &run.trigger {
        Trigger::Manual => "by hand".to_owned(),
        Trigger::Schedule { job, attempt: 1, .. } => job.clone(),
        Trigger::Schedule { job, attempt, .. } => format!("{job}, try {attempt}"),
    }
}

fn seconds(run: &RunRecord) -> String {
    let time = run.finished_at.signed_duration_since(run.started_at).num_milliseconds();
    format!("{:.1} s", time as f64 / 1000.0)
}

fn table(runs: &[RunRecord]) -> String {
    let row = |run: &RunRecord| {
        let count = |status| run.models.iter().filter(|m| m.status == status).count();
        let unended = matches!(run.status, RunStatus::Running | RunStatus::Interrupted);
        let models = [
            (ModelStatus::Published, "published"),
            (ModelStatus::Unchanged, "unchanged"),
            (ModelStatus::Failed, "failed"),
            (ModelStatus::Blocked, if unended { "not done" } else { "blocked" }),
        ];
        let models = models.into_iter().map(|(status, name)| (count(status), name)).filter(|(n, _)| *n > 0);
        let models: Vec<String> = models.map(|(n, name)| format!("{n} {name}")).collect();
        let why = run.failure.as_ref().map(|f| Printable(&format!("{}: {}", f.model, f.message)).to_string());
        vec![
            Printable(&run.run_id).to_string(),
            run.started_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            seconds(run),
            Printable(&trigger(run)).to_string(),
            run.status.name().to_owned(),
            why.unwrap_or_else(|| models.join(", ")),
        ]
    };
    columns(&["run", "began", "took", "by", "status", ""], &runs.iter().map(row).collect::<Vec<_>>())
}

/// One run, whole.
fn details(run: &RunRecord) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{label:<11}{}", Printable(value));
    };
    line("run", &run.run_id);
    line("status", run.status.name());
    match &run.trigger {
        Trigger::Manual => line("by", "hand"),
        Trigger::Schedule { job, due, attempt } => {
            line("by", &format!("job {job}, due {}, try {attempt}", due.to_rfc3339_opts(SecondsFormat::Secs, true)));
        }
    }
    line("began", &run.started_at.to_rfc3339_opts(SecondsFormat::Millis, true));
    line("took", &seconds(run));
    line("asked for", &if run.selectors.is_empty() { "everything".to_owned() } else { run.selectors.join(" ") });
    let span = [("from", run.from), ("to", run.to)];
    for (label, day) in span.iter().filter_map(|(label, day)| day.map(|day| (label, day))) {
        line(label, &day.to_string());
    }
    if run.full_refresh {
        line("refresh", "incremental models from nothing");
    }
    line("read", &format!("version {} of the lake", run.lake_version));
    line("published", &run.published_version.map_or("nothing".to_owned(), |v| format!("version {v}")));
    line("engine", &run.engine);
    if !run.pruned.is_empty() {
        line("taken out", &run.pruned.join(", "));
    }
    if let Some(failure) = &run.failure {
        line("failure", &format!("{} ({}): {}", failure.model, failure.step, failure.message));
        if !failure.blocked.is_empty() {
            line("blocked", &failure.blocked.join(", "));
        }
    }
    if !run.models.is_empty() {
        let rows: Vec<Vec<String>> = run.models.iter().map(model).collect();
        text += "\n";
        text += &columns(&["model", "status", "why", "took", "rows", "size", "tests"], &rows);
    }
    for model in run.models.iter().filter(|model| !model.steps.is_empty()) {
        let rows = model.steps.iter().map(|step| {
            let took = format!("{:.2} s", step.seconds);
            vec![step.partition.clone(), took, step.rows.to_string(), step.version.to_string()]
        });
        text += "\n";
        text += &columns(&[&model.name, "took", "rows then", "version"], &rows.collect::<Vec<_>>());
    }
    for model in &run.models {
        for test in model.tests.iter().filter(|test| !test.passed) {
            let found = test.found.as_deref().unwrap_or("failed");
            let weight = if test.blocks { "" } else { " (warning)" };
            let _ =
                writeln!(text, "{}: {}{weight}: {}", Printable(&model.name), Printable(&test.name), Printable(found));
        }
    }
    text
}

fn model(model: &ModelRecord) -> Vec<String> {
    let status = match model.status {
        ModelStatus::Published => "published",
        ModelStatus::Unchanged => "unchanged",
        ModelStatus::Failed => "failed",
        ModelStatus::Blocked => "blocked",
    };
    let passed = model.tests.iter().filter(|test| test.passed).count();
    let tests = if model.tests.is_empty() { String::new() } else { format!("{passed} of {}", model.tests.len()) };
    vec![
        Printable(&model.name).to_string(),
        status.to_owned(),
        Printable(model.error.as_ref().unwrap_or(&model.reason)).to_string(),
        format!("{:.2} s", model.seconds),
        model.rows.map(|n| n.to_string()).unwrap_or_default(),
        model.bytes.map(size).unwrap_or_default(),
        tests,
    ]
}
