//! What a run does, as it does it: a tree on a terminal, lines otherwise.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use envoi_batch::record::{ModelRecord, ModelStatus, RunRecord};
use envoi_batch::{Event, Planned, Progress};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use nu_ansi_term::{Color, Style};

use super::super::{Screen, columns, size};

/// Shows a run.
pub(super) struct Show {
    screen: Screen,
    bars: MultiProgress,
    running: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Show {
    pub(super) fn new(screen: Screen) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        if screen.quiet || !screen.terminal.stderr {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { screen, bars, running: Mutex::default() }
    }

    fn say(&self, text: &str) {
        self.bars.suspend(|| self.screen.say(text));
    }

    pub(super) fn end(&self) {
        // A terminal that is gone has nothing to clear.
        let _ = self.bars.clear();
    }
}

impl Progress for Show {
    fn event(&self, event: &Event<'_>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Begin(_) => {}
            Event::Gone(names) => self.say(&format!(
                "no longer in the project, still in the lake: {}; `--prune` takes {} out",
                names.join(", "),
                if names.len() == 1 { "it" } else { "them" }
            )),
            Event::Step(step) => stop_at(step),
            Event::Start(name) => {
                let bar = self.bars.add(ProgressBar::new_spinner());
                let style = ProgressStyle::with_template("  {spinner} {msg} {elapsed}");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                bar.set_message((*name).to_owned());
                bar.enable_steady_tick(Duration::from_millis(120));
                running.insert((*name).to_owned(), bar);
            }
            Event::Done(record) => {
                if let Some(bar) = running.remove(&record.name) {
                    bar.finish_and_clear();
                }
                self.say(&line(record, self.screen));
            }
        }
    }
}

/// In builds for tests a run may be made to end at a step, as if it were killed there.
fn stop_at(step: &str) {
    if cfg!(debug_assertions) && std::env::var("STOP_ENVOI_AT").is_ok_and(|at| at == step) {
        std::process::abort();
    }
}

fn line(record: &ModelRecord, screen: Screen) -> String {
    let (mark, word, color) = match record.status {
        ModelStatus::Published => ("✓", "published", Color::Green.normal()),
        ModelStatus::Unchanged => ("·", "unchanged", Style::new().dimmed()),
        ModelStatus::Failed => ("✗", "failed", Color::Red.bold()),
        ModelStatus::Blocked => ("-", "blocked", Color::Yellow.normal()),
    };
    let style = if screen.terminal.color_err { color } else { Style::new() };
    let mut text = match screen.terminal.stderr {
        true => format!("  {} {} {word}", style.paint(mark), record.name),
        false => format!("{} {word}", record.name),
    };
    if record.reason != word {
        let _ = write!(text, " ({})", record.reason);
    }
    if record.status == ModelStatus::Published {
        if let (Some(rows), Some(bytes)) = (record.rows, record.bytes) {
            let _ = write!(text, ", {rows} rows, {}", size(bytes));
        }
        let _ = write!(text, ", {:.2} s", record.seconds);
    }
    // The end of the run says the first failure alone.
    if let (Some(error), true) = (&record.error, record.tests.iter().all(|t| t.passed || !t.blocks)) {
        let _ = write!(text, "\n      {}", error.replace('\n', "\n      "));
    }
    for test in record.tests.iter().filter(|t| !t.passed) {
        let found = test.found.as_deref().unwrap_or_default();
        let word = if test.blocks { "failed" } else { "warning" };
        let _ = write!(text, "\n      {word}: {}: {found}", test.name);
    }
    text
}

/// The run in a line.
pub(super) fn summary(record: &RunRecord) -> String {
    let count = |status| record.models.iter().filter(|m| m.status == status).count();
    let parts = [
        (count(ModelStatus::Published), "published"),
        (count(ModelStatus::Unchanged), "unchanged"),
        (count(ModelStatus::Failed), "failed"),
        (count(ModelStatus::Blocked), "blocked"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let pruned = (!record.pruned.is_empty()).then(|| format!("{} taken out", record.pruned.len()));
    let parts: Vec<String> = parts.into_iter().chain(pruned).collect();
    let version = record.published_version.map(|v| format!(", lake version {v}")).unwrap_or_default();
    let took = (record.finished_at - record.started_at).num_milliseconds() as f64 / 1000.0;
    format!("{}{version}, {took:.2} s, run {}", parts.join(", "), record.run_id)
}

/// What would be done, for people.
pub(super) fn plan(planned: &[Planned], screen: Screen) -> String {
    let rows: Vec<Vec<String>> = planned
        .iter()
        .map(|p| {
            let what = match (p.gone, p.built) {
                (true, _) => "gone",
                (false, true) => "build",
                (false, false) => "keep",
            };
            let rows = p.rows.map(|n| n.to_string()).unwrap_or_default();
            vec![what.to_owned(), p.name.clone(), p.materialisation.clone(), p.reason.clone(), rows, p.reads.join(", ")]
        })
        .collect();
    let mut text = columns(&["", "model", "kind", "why", "rows, about", "reads"], &rows);
    let bold = if screen.terminal.color_out { Style::new().bold() } else { Style::new() };
    for p in planned.iter().filter(|p| p.built) {
        let _ = write!(text, "\n{}\n{}\n", bold.paint(format!("-- {}", p.name)), p.sql.trim_end());
    }
    text
}

/// What would be done, for programs.
pub(super) fn plan_json(planned: &[Planned]) -> String {
    let all: Vec<serde_json::Value> = planned
        .iter()
        .map(|p| {
            serde_json::json!({
                "name": p.name, "materialisation": p.materialisation, "gone": p.gone, "built": p.built, "reason": p.reason,
                "reads": p.reads, "sql": p.sql, "rows_estimated": p.rows,
            })
        })
        .collect();
    serde_json::to_string_pretty(&all).map(|text| format!("{text}\n")).unwrap_or_default()
}
