//! Building in dependency order, several models at once, and publishing what is sound.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use envoi::SessionFactory;
use envoi::lake::Manifest;
use envoi::lake::lake::{BuiltModel, ModelChange, PublishedModel};
use tokio::task::JoinSet;

use super::{Event, Options, Progress, Ready, RunError, good};
use crate::build::{Built, Context, Failed, Made, recorded};
use crate::cancel::Cancel;
use crate::export::{self, Packer};
use crate::history::{History, run_id};
use crate::plan::Days;
use crate::project::{Model, Publish, Span};
use crate::record::{Failure, ModelRecord, ModelStatus, RunRecord, RunStatus, StepRecord};

/// The end of one attempt at a model.
struct Ended {
    name: String,
    made: Result<Made, Failed>,
    seconds: f64,
    attempts: u32,
}

/// What was published of a model, part by part.
#[derive(Default)]
struct Steps {
    /// Why it is built: later parts know only what is left.
    reason: String,
    all: Vec<StepRecord>,
}

struct Run<'a> {
    ready: &'a Ready,
    options: &'a Options,
    progress: &'a dyn Progress,
    cancel: &'a Cancel,
    context: Arc<Context>,
    /// The version that a run would read now: what it has built is in it.
    candidate: Arc<Manifest>,
    /// What this run knows to be published.
    known: Arc<Manifest>,
    /// Built and tested, not yet published.
    waiting: Vec<Built>,
    records: BTreeMap<String, ModelRecord>,
    steps: BTreeMap<String, Steps>,
    failure: Option<Failure>,
    published: Option<Arc<Manifest>>,
    pruned: Vec<String>,
}

pub(super) async fn execute(
    factory: &SessionFactory,
    ready: Ready,
    options: &Options,
    packer: Arc<dyn Packer>,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<RunRecord, RunError> {
    let run_id = run_id(options.now);
    let begin = Instant::now();
    let publish = ready.project.config.publish;
    let context = Context {
        factory: factory.clone(),
        prints: Arc::clone(&ready.prints),
        stage: factory.runtime().lake().stage(),
        run_id: run_id.clone(),
        project: ready.project.identity.clone(),
        now: options.now,
        asked: options.asked(),
        stepwise: publish == Publish::Each,
    };
    progress.event(&Event::Begin(&ready.order));
    if !ready.gone.left.is_empty() {
        progress.event(&Event::Gone(&ready.gone.left));
    }
    let mut run = Run {
        ready: &ready,
        options,
        progress,
        cancel,
        context: Arc::new(context),
        candidate: Arc::clone(&ready.candidate),
        known: Arc::clone(&ready.base),
        waiting: Vec::new(),
        records: BTreeMap::new(),
        steps: BTreeMap::new(),
        failure: None,
        published: None,
        pruned: Vec::new(),
    };
    let history = History::new(factory.runtime().lake().clone());
    let alive = history.begin(&run.begun(&run_id)).await?;
    run.build(publish).await;
    let removed = run.removed();
    let nothing = run.waiting.is_empty() && removed.is_empty();
    if !cancel.is_cancelled() && !nothing {
        progress.event(&Event::Step("tested"));
        let all = std::mem::take(&mut run.waiting);
        run.publish(all, removed).await;
    }
    let names: Vec<&str> = ready.order.iter().map(String::as_str).collect();
    if run.records.values().any(|r| !good(r.status)) || !run.waiting.is_empty() {
        run.context.stage.take_back(&names).await;
    }
    if !cancel.is_cancelled() {
        run.export(&packer).await;
    }
    let record = run.record(run_id, begin);
    history.write(&record).await.map_err(|e| {
        let done = record
            .published_version
            .map_or("nothing was published".to_owned(), |v| format!("version {v} is published"));
        let failed = record.failure.as_ref().map(|f| format!("model `{}`, {}: {}; ", f.model, f.step, f.message));
        let what = format!("{}{done}, but the record of the run was not written: {e}", failed.unwrap_or_default());
        envoi::Error::new(envoi::Class::Resource, what)
    })?;
    progress.event(&Event::Step("recorded"));
    alive.ended().await;
    Ok(record)
}

impl Run<'_> {
    async fn build(&mut self, publish: Publish) {
        let wanted: BTreeSet<&str> = self.ready.order.iter().map(String::as_str).collect();
        let mut left: Vec<String> = self.ready.order.clone();
        let mut running: JoinSet<Ended> = JoinSet::new();
        let mut at_work: BTreeSet<String> = BTreeSet::new();
        let mut stop = false;
        loop {
            let mut later = Vec::new();
            for name in std::mem::take(&mut left) {
                let Some(model) = self.ready.project.models.get(&name).cloned() else { continue };
                let above: Vec<&String> = model.reads.iter().filter(|r| wanted.contains(r.as_str())).collect();
                let of = |r: &&String| self.records.get(r.as_str()).map(|r| r.status);
                let bad = above.iter().find(|r| of(r).is_some_and(|s| !good(s))).map(|r| (**r).clone());
                if let Some(bad) = bad {
                    self.blocked(&model, &bad);
                } else if stop || running.len() >= self.options.jobs.max(1) || !above.iter().all(|r| of(r).is_some()) {
                    later.push(name);
                } else {
                    // Nothing to plan, nothing to start.
                    let asked = self.context.asked;
                    let verdict = crate::plan::judge(&model, &self.candidate, &self.context.prints, asked);
                    if verdict == crate::plan::Verdict::Unchanged {
                        self.unchanged(&model, 0.0);
                        continue;
                    }
                    self.progress.event(&Event::Start(&name));
                    at_work.insert(name);
                    self.start(&mut running, model, None);
                }
            }
            left = later;
            let ended = tokio::select! {
                biased;
                () = self.cancel.cancelled() => {
                    running.shutdown().await;
                    None
                }
                ended = running.join_next() => ended,
            };
            match ended {
                Some(Ok(ended)) => {
                    let name = ended.name.clone();
                    let more = self.ended(ended, publish).await;
                    match (more, self.ready.project.models.get(&name)) {
                        (Some(more), Some(model)) => self.start(&mut running, Arc::clone(model), Some(more)),
                        _ => drop(at_work.remove(&name)),
                    }
                    stop |= self.options.fail_fast && self.failure.is_some();
                }
                Some(Err(e)) if e.is_cancelled() => {}
                Some(Err(e)) => {
                    // A bug: whose it is cannot be told, so all that run are given up.
                    for name in std::mem::take(&mut at_work) {
                        let what = format!("internal error, please report: {e}");
                        let failed =
                            Failed { step: "build", what, tests: Vec::new(), passing: false, cancelled: false };
                        self.failed(&name, failed, 0.0, 1);
                    }
                }
                None if running.is_empty() && (left.is_empty() || stop || self.cancel.is_cancelled()) => break,
                None => {}
            }
        }
        let why = if self.cancel.is_cancelled() { "the run was stopped" } else { "the run ended before" };
        for name in left.into_iter().chain(at_work) {
            if let Some(model) = self.ready.project.models.get(&name)
                && !self.records.contains_key(&name)
            {
                self.note(model, ModelStatus::Blocked, why.to_owned(), 0.0, 0);
            }
        }
    }

    fn start(&self, running: &mut JoinSet<Ended>, model: Arc<Model>, remaining: Option<Days>) {
        let (context, manifest) = (Arc::clone(&self.context), Arc::clone(&self.candidate));
        let usual = self.options.backoff;
        running.spawn(async move {
            let begin = Instant::now();
            let mut attempts = 1;
            let made = loop {
                let work = context.build(&model, &manifest, remaining.as_ref());
                let made = match model.config.timeout {
                    Some(Span(most)) => match tokio::time::timeout(most, work).await {
                        Ok(made) => made,
                        Err(_) => {
                            let what = format!("it took longer than its `timeout` of {} s", most.as_secs_f64());
                            Err(Failed { step: "build", what, tests: Vec::new(), passing: true, cancelled: false })
                        }
                    },
                    None => work.await,
                };
                match made {
                    Err(failed) if failed.passing && attempts <= model.config.retries => {
                        let pause = model.config.backoff.map_or(usual, |s| s.0);
                        tokio::time::sleep(pause.saturating_mul(1 << (attempts - 1).min(6))).await;
                        attempts += 1;
                    }
                    made => break made,
                }
            };
            Ended { name: model.name.clone(), made, seconds: begin.elapsed().as_secs_f64(), attempts }
        });
    }

    /// Takes in what a model came to; gives the days that are to be built next.
    async fn ended(&mut self, ended: Ended, publish: Publish) -> Option<Days> {
        let Ended { name, made, seconds, attempts } = ended;
        let model = self.ready.project.models.get(&name).cloned()?;
        match made {
            Ok(Made::Unchanged) => self.unchanged(&model, seconds),
            Err(failed) => self.failed(&name, failed, seconds, attempts),
            Ok(Made::Built(built)) => {
                self.progress.event(&Event::Step("staged"));
                self.candidate = Arc::new(self.candidate.with_models(std::slice::from_ref(&built.built)));
                let mut record = self.entry(&model, ModelStatus::Published, built.reason.clone(), seconds, attempts);
                record.tests = built.tests.clone();
                fill(&mut record, &built.built.model);
                record.columns.clone_from(&built.built.model.columns);
                let more = built.more.clone();
                if publish == Publish::Together || self.cancel.is_cancelled() {
                    self.records.insert(name, record);
                    self.waiting.push(*built);
                    return None;
                }
                self.progress.event(&Event::Step("tested"));
                self.records.insert(name.clone(), record);
                let (partition, rows) = (built.partition.clone(), built.built.model.rows);
                self.publish(vec![*built], BTreeSet::new()).await;
                let sound = self.records.get(&name).is_some_and(|r| good(r.status));
                if let (true, Some(partition), Some(there)) = (sound, partition, &self.published) {
                    let step = StepRecord { partition, attempts, seconds, rows, version: there.version };
                    self.step(&name, step);
                }
                if more.is_some() && sound && !self.cancel.is_cancelled() {
                    self.records.remove(&name);
                    return more;
                }
                if let Some(record) = self.records.get(&name) {
                    self.progress.event(&Event::Done(record));
                }
            }
        }
        None
    }

    /// A part of a model is published: its record is of all parts so far.
    fn step(&mut self, name: &str, step: StepRecord) {
        let Some(record) = self.records.get_mut(name) else { return };
        let steps = self.steps.entry(name.to_owned()).or_default();
        if steps.all.is_empty() {
            steps.reason.clone_from(&record.reason);
        }
        steps.all.push(step);
        record.reason.clone_from(&steps.reason);
        record.attempts = steps.all.iter().map(|s| s.attempts).sum();
        record.seconds = steps.all.iter().map(|s| s.seconds).sum();
        record.steps.clone_from(&steps.all);
    }

    /// Models that are to go, if all else is as it should be: what is in their place may not be there otherwise.
    fn removed(&mut self) -> BTreeSet<String> {
        let pruned = &self.ready.gone.pruned;
        let sound = self.failure.is_none() && self.records.values().all(|r| good(r.status));
        if pruned.is_empty() || !sound || self.cancel.is_cancelled() {
            return BTreeSet::new();
        }
        let stay = self.candidate.models.iter().filter(|m| !pruned.contains(&m.name));
        if let Some(reader) = stay.into_iter().find(|m| m.reads_any(pruned)) {
            let message = format!(
                "`{}` reads it as it was built last, and was not built now; `{}` among the selectors builds it",
                reader.name, reader.name
            );
            let read = reader.inputs.iter().filter_map(|i| i.table.strip_prefix("model."));
            let model = read.into_iter().find(|r| pruned.contains(*r)).unwrap_or_default().to_owned();
            self.failure = Some(Failure { model, step: "prune".to_owned(), message, blocked: Vec::new() });
            return BTreeSet::new();
        }
        pruned.clone()
    }

    /// Publishes models, and the end of others, as one version; if that fails, nothing of it is.
    async fn publish(&mut self, all: Vec<Built>, removed: BTreeSet<String>) {
        let lake = self.context.factory.runtime().lake().clone();
        let models: Vec<BuiltModel> = all.iter().map(|b| b.built.clone()).collect();
        let ours: BTreeSet<&str> = all.iter().map(|b| b.built.model.name.as_str()).collect();
        let read = models.iter().flat_map(|m| &m.model.inputs).filter_map(|i| i.table.strip_prefix("model."));
        let touched = ours.iter().copied().chain(removed.iter().map(String::as_str));
        let names: BTreeSet<String> = read.chain(touched).map(str::to_owned).collect();
        let seen: BTreeMap<String, Option<PublishedModel>> =
            names.into_iter().map(|n| (n.clone(), self.known.model(&n).cloned())).collect();
        let shown: Vec<&str> = ours.iter().copied().take(4).collect();
        let others = ours.len().saturating_sub(shown.len());
        let and = if others > 0 { format!(" and {others} more") } else { String::new() };
        let mut operation = format!("run {}{and}", shown.join(", "));
        if !removed.is_empty() {
            let gone = removed.iter().cloned().collect::<Vec<_>>().join(", ");
            operation = format!("{}, without {gone}", operation.trim_end());
        }
        let change = ModelChange { operation, seen, models, removed };
        let outcome = lake.publish_models(&change).await;
        match outcome {
            Ok(manifest) => {
                self.known = Arc::clone(&manifest);
                self.published = Some(manifest);
                self.pruned = change.removed.into_iter().collect();
                self.progress.event(&Event::Step("published"));
                if self.ready.project.config.publish == Publish::Together {
                    for name in ours {
                        if let Some(record) = self.records.get(name) {
                            self.progress.event(&Event::Done(record));
                        }
                    }
                }
            }
            Err(e) => {
                let names: Vec<String> = ours.into_iter().map(str::to_owned).collect();
                let what = envoi::Error::from(e).to_string();
                if let (true, Some(model)) = (names.is_empty(), change.removed.first()) {
                    let (model, step, message) = (model.clone(), "prune".to_owned(), what.clone());
                    self.failure.get_or_insert(Failure { model, step, message, blocked: Vec::new() });
                }
                for name in &names {
                    let before = self.records.remove(name);
                    let (seconds, attempts) = before.map_or((0.0, 1), |r| (r.seconds, r.attempts));
                    let failed = Failed {
                        step: "publish",
                        what: what.clone(),
                        tests: Vec::new(),
                        passing: false,
                        cancelled: false,
                    };
                    self.failed(name, failed, seconds, attempts);
                }
            }
        }
    }

    /// Writes what is published to its other places.
    async fn export(&mut self, packer: &Arc<dyn Packer>) {
        let mut any = false;
        for name in &self.ready.order {
            let Some(model) = self.ready.project.models.get(name).filter(|m| !m.config.export.is_empty()) else {
                continue;
            };
            let Some(record) = self.records.get(name).filter(|r| good(r.status)) else { continue };
            let (seconds, attempts) = (record.seconds, record.attempts);
            if let Err(e) = export::exports(&self.context, model, &self.known, packer.as_ref()).await {
                let failed = Failed::at("export", model, &e);
                let kept = self.records.remove(name);
                self.failed(name, failed, seconds, attempts);
                if let (Some(kept), Some(record)) = (kept, self.records.get_mut(name)) {
                    record.tests = kept.tests;
                    record.rows = kept.rows;
                    record.bytes = kept.bytes;
                    record.sha256 = kept.sha256;
                    record.inputs = kept.inputs;
                }
            }
            any = true;
        }
        if any {
            self.progress.event(&Event::Step("exported"));
        }
    }

    /// What stands in the lake while the run goes on.
    fn begun(&self, run_id: &str) -> RunRecord {
        let built = self.ready.planned.iter().filter(|p| p.built);
        let models = built.filter_map(|p| self.ready.project.models.get(&p.name));
        let entry = |model: &Arc<Model>| self.entry(model, ModelStatus::Blocked, "not done yet".to_owned(), 0.0, 0);
        RunRecord { models: models.map(entry).collect(), ..self.head(run_id.to_owned(), RunStatus::Running) }
    }

    /// What is known of the run as a whole.
    fn head(&self, run_id: String, status: RunStatus) -> RunRecord {
        RunRecord {
            run_id,
            trigger: self.options.trigger.clone(),
            selectors: self.options.selectors.clone(),
            from: self.options.from,
            to: self.options.to,
            full_refresh: self.options.full_refresh,
            started_at: self.options.now,
            finished_at: self.options.now,
            status,
            lake_version: self.ready.base.version,
            published_version: self.published.as_ref().map(|m| m.version),
            models: Vec::new(),
            pruned: self.pruned.clone(),
            failure: self.failure.clone(),
            engine: crate::ENGINE.to_owned(),
        }
    }

    fn entry(&self, model: &Model, status: ModelStatus, reason: String, seconds: f64, attempts: u32) -> ModelRecord {
        let steps = self.steps.get(&model.name).map(|s| s.all.clone()).unwrap_or_default();
        ModelRecord {
            name: model.name.clone(),
            materialisation: model.config.materialisation.name().to_owned(),
            status,
            reason,
            attempts,
            seconds,
            rows: None,
            bytes: None,
            sha256: None,
            inputs: Vec::new(),
            columns: Vec::new(),
            steps,
            tests: Vec::new(),
            error: None,
        }
    }

    fn note(&mut self, model: &Model, status: ModelStatus, reason: String, seconds: f64, attempts: u32) {
        let mut record = self.entry(model, status, reason, seconds, attempts);
        if status == ModelStatus::Unchanged
            && let Some(published) = self.candidate.model(&model.name)
        {
            fill(&mut record, published);
        }
        self.progress.event(&Event::Done(&record));
        self.records.insert(model.name.clone(), record);
    }

    fn unchanged(&mut self, model: &Model, seconds: f64) {
        let tests = crate::testing::freshness(&self.context, model, &self.candidate);
        if let Some(stale) = tests.iter().find(|t| t.blocks && !t.passed) {
            let found = stale.found.as_deref().map(|f| format!(": {f}")).unwrap_or_default();
            let what = format!("test `{}` failed{found}", stale.name);
            let failed = Failed { step: "test", what, tests, passing: false, cancelled: false };
            return self.failed(&model.name, failed, seconds, 0);
        }
        self.note(model, ModelStatus::Unchanged, "unchanged".to_owned(), seconds, 0);
        if let Some(record) = self.records.get_mut(&model.name) {
            record.tests = tests;
        }
    }

    fn blocked(&mut self, model: &Model, by: &str) {
        let above = self.failure.as_ref().is_some_and(|f| f.model == by || f.blocked.iter().any(|b| b == by));
        if above && let Some(failure) = &mut self.failure {
            failure.blocked.push(model.name.clone());
        }
        self.note(model, ModelStatus::Blocked, format!("`{by}` failed"), 0.0, 0);
    }

    fn failed(&mut self, name: &str, failed: Failed, seconds: f64, attempts: u32) {
        let Some(model) = self.ready.project.models.get(name).cloned() else { return };
        if failed.cancelled && self.cancel.is_cancelled() {
            return self.note(&model, ModelStatus::Blocked, "the run was stopped".to_owned(), seconds, attempts);
        }
        let mut record = self.entry(&model, ModelStatus::Failed, failed.step.to_owned(), seconds, attempts);
        record.tests = failed.tests;
        record.error = Some(failed.what.clone());
        self.progress.event(&Event::Done(&record));
        self.records.insert(name.to_owned(), record);
        if self.failure.is_none() {
            let (model, step) = (name.to_owned(), failed.step.to_owned());
            self.failure = Some(Failure { model, step, message: failed.what, blocked: Vec::new() });
        }
    }

    fn record(mut self, run_id: String, begin: Instant) -> RunRecord {
        let mut records = std::mem::take(&mut self.records);
        // What was built and not published is not there.
        for built in &self.waiting {
            if let Some(record) = records.get_mut(&built.built.model.name) {
                record.status = ModelStatus::Blocked;
                record.reason = "the run was stopped".to_owned();
            }
        }
        let models: Vec<ModelRecord> = self.ready.order.iter().filter_map(|n| records.remove(n)).collect();
        let whole = models.len() == self.ready.order.len() && models.iter().all(|m| good(m.status));
        let status = match () {
            () if self.cancel.is_cancelled() => RunStatus::Cancelled,
            () if whole && self.failure.is_none() => RunStatus::Success,
            () => RunStatus::Failed,
        };
        let took = chrono::TimeDelta::from_std(begin.elapsed()).unwrap_or_default();
        RunRecord { models, finished_at: self.options.now + took, ..self.head(run_id, status) }
    }
}

fn fill(record: &mut ModelRecord, published: &PublishedModel) {
    record.rows = (!published.is_view()).then_some(published.rows);
    record.bytes = (!published.is_view()).then_some(published.bytes);
    record.sha256 = Some(published.sha256.clone());
    record.inputs = recorded(published);
}
