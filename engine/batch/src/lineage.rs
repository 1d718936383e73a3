//! OpenLineage events: what ran, what it read, what it made; to a file, one event a line, or to an address.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use envoi::lake::lake::ModelColumn;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::notify::{Post, on_a_thread, post};
use crate::record::{ModelRecord, ModelStatus, RunRecord, RunStatus, Trigger};
use crate::schedule::{End, Ending, Job, Lineage, LineageTarget};

const PRODUCER: &str = concat!("https://github.com/envoi-sql/envoi/tree/v", env!("CARGO_PKG_VERSION"));
const RUN_EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
/// An address has so long to take an event.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What becomes of events that were sent.
pub type Sent = BoxFuture<'static, Result<(), String>>;

/// Writes or sends events; without a target, none.
#[derive(Debug, Clone)]
pub struct Recorder {
    to: Option<Lineage>,
    /// Where the tables are.
    lake: String,
}

impl Recorder {
    /// To this target, of the lake at this address.
    pub fn new(to: Option<Lineage>, lake: String) -> Self {
        Self { to, lake }
    }

    /// A job began.
    pub fn start(&self, job: &Job, due: DateTime<Utc>, attempt: u32, at: DateTime<Utc>) -> Sent {
        let events = self.to.as_ref().map(|to| {
            let mut event = Event::of(to, "START", at, &run_uuid(&job.name, due, attempt), &job.name);
            event.scheduled(job, due);
            vec![event.whole()]
        });
        self.send(events.unwrap_or_default())
    }

    /// A job ended; with the record of its run, each model has a run of its own below it.
    pub fn end(&self, job: &Job, (due, attempt): (DateTime<Utc>, u32), end: &End, record: Option<&RunRecord>) -> Sent {
        let events = self.to.as_ref().map(|to| {
            let kind = match end.ending {
                Ending::Success => "COMPLETE",
                Ending::Failed | Ending::TimedOut => "FAIL",
                Ending::Cancelled | Ending::Interrupted | Ending::Superseded => "ABORT",
            };
            let uuid = run_uuid(&job.name, due, attempt);
            let mut event = Event::of(to, kind, end.at, &uuid, &job.name);
            event.scheduled(job, due);
            if kind == "FAIL" {
                event.error(&end.message);
            }
            let mut events = Vec::new();
            if let Some(record) = record {
                event.datasets(record, &self.lake);
                events = models(to, record, &self.lake, (&uuid, &job.name));
            }
            events.push(event.whole());
            events
        });
        self.send(events.unwrap_or_default())
    }

    /// A run that no job began, as a whole: a begin and an end, and those of its models.
    pub fn run(&self, record: &RunRecord) -> Sent {
        let events = self.to.as_ref().map(|to| {
            let (uuid, name) = match &record.trigger {
                Trigger::Manual => (uuid(&record.run_id), "run"),
                Trigger::Schedule { job, due, attempt } => (run_uuid(job, *due, *attempt), job.as_str()),
            };
            let mut events = vec![Event::of(to, "START", record.started_at, &uuid, name).whole()];
            events.extend(models(to, record, &self.lake, (&uuid, name)));
            let kind = match record.status {
                RunStatus::Success => "COMPLETE",
                RunStatus::Failed => "FAIL",
                RunStatus::Cancelled | RunStatus::Running | RunStatus::Interrupted => "ABORT",
            };
            let mut event = Event::of(to, kind, record.finished_at, &uuid, name);
            if let (Some(failure), "FAIL") = (&record.failure, kind) {
                event.error(&failure.message);
            }
            event.datasets(record, &self.lake);
            events.push(event.whole());
            events
        });
        self.send(events.unwrap_or_default())
    }

    fn send(&self, events: Vec<Value>) -> Sent {
        let Some(to) = self.to.clone().filter(|_| !events.is_empty()) else { return async { Ok(()) }.boxed() };
        let sending = on_a_thread(move || match &to.target {
            LineageTarget::File(path) => append(path, &events),
            LineageTarget::Url(url) => {
                let pause = Duration::from_millis(500);
                events.iter().try_for_each(|event| {
                    let body = event.to_string();
                    post(&Post { url, headers: &to.headers, body: &body, timeout: TIMEOUT, retries: 2, pause })
                })
            }
        });
        async { sending.await.map_err(|e| format!("cannot tell lineage: {e}")) }.boxed()
    }
}

/// Adds whole lines in one write, so that two writers do not mix theirs.
fn append(path: &str, events: &[Value]) -> Result<(), String> {
    let text: String = events.iter().map(|event| format!("{event}\n")).collect();
    let mut options = std::fs::OpenOptions::new();
    let written = options.create(true).append(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| format!("`{path}`: {e}"))
}

/// An event as it grows.
struct Event {
    namespace: String,
    kind: &'static str,
    at: DateTime<Utc>,
    run: String,
    job: String,
    run_facets: Map<String, Value>,
    job_facets: Map<String, Value>,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
}

impl Event {
    fn of(to: &Lineage, kind: &'static str, at: DateTime<Utc>, run: &str, job: &str) -> Self {
        let mut event = Self {
            namespace: to.namespace.clone(),
            kind,
            at,
            run: run.to_owned(),
            job: job.to_owned(),
            run_facets: Map::new(),
            job_facets: Map::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        let version = env!("CARGO_PKG_VERSION");
        let engine = json!({"name": "envoi", "version": version, "openlineageAdapterVersion": version});
        event.run_facets.insert("processing_engine".to_owned(), facet("1-1-1/ProcessingEngineRunFacet", engine));
        event.job_type("JOB");
        event
    }

    fn job_type(&mut self, what: &str) {
        let of = json!({"processingType": "BATCH", "integration": "ENVOI", "jobType": what});
        self.job_facets.insert("jobType".to_owned(), facet("2-0-3/JobTypeJobFacet", of));
    }

    fn scheduled(&mut self, job: &Job, due: DateTime<Utc>) {
        let nominal = json!({"nominalStartTime": time(due)});
        self.run_facets.insert("nominalTime".to_owned(), facet("1-0-1/NominalTimeRunFacet", nominal));
        if !job.description.is_empty() {
            let text = json!({"description": job.description});
            self.job_facets.insert("documentation".to_owned(), facet("1-0-1/DocumentationJobFacet", text));
        }
    }

    fn error(&mut self, message: &str) {
        let error = json!({"message": message, "programmingLanguage": "SQL"});
        self.run_facets.insert("errorMessage".to_owned(), facet("1-0-1/ErrorMessageRunFacet", error));
    }

    /// What a run as a whole read from outside, and published.
    fn datasets(&mut self, record: &RunRecord, lake: &str) {
        let made: BTreeSet<String> = record.models.iter().map(|m| format!("model.{}", m.name)).collect();
        let read: BTreeMap<&str, Value> = record
            .models
            .iter()
            .flat_map(|model| &model.inputs)
            .filter(|input| !made.contains(&input.table))
            .map(|input| (input.table.as_str(), read(record, lake, input)))
            .collect();
        self.inputs = read.into_values().collect();
        self.outputs = record.models.iter().filter_map(|model| output(record, lake, model)).collect();
    }

    fn whole(self) -> Value {
        json!({
            "eventTime": time(self.at),
            "eventType": self.kind,
            "producer": PRODUCER,
            "schemaURL": RUN_EVENT,
            "run": {"runId": self.run, "facets": self.run_facets},
            "job": {"namespace": self.namespace, "name": self.job, "facets": self.job_facets},
            "inputs": self.inputs,
            "outputs": self.outputs,
        })
    }
}

/// A run for each model that was built, below the run of all.
fn models(to: &Lineage, record: &RunRecord, lake: &str, (parent, name): (&str, &str)) -> Vec<Value> {
    let built = |m: &&ModelRecord| matches!(m.status, ModelStatus::Published | ModelStatus::Failed);
    let mut events = Vec::new();
    for model in record.models.iter().filter(built) {
        let run = uuid(&format!("{}\n{}", record.run_id, model.name));
        for (kind, at) in [("START", record.started_at), (ended(model), record.finished_at)] {
            let mut event = Event::of(to, kind, at, &run, &format!("{name}.{}", model.name));
            event.job_type("MODEL");
            let above = json!({"run": {"runId": parent}, "job": {"namespace": to.namespace, "name": name}});
            event.run_facets.insert("parent".to_owned(), facet("1-0-1/ParentRunFacet", above));
            event.inputs = model.inputs.iter().map(|input| read(record, lake, input)).collect();
            if kind != "START" {
                event.outputs = output(record, lake, model).into_iter().collect();
            }
            if let (Some(error), "FAIL") = (&model.error, kind) {
                event.error(error);
            }
            events.push(event.whole());
        }
    }
    events
}

fn ended(model: &ModelRecord) -> &'static str {
    if model.status == ModelStatus::Published { "COMPLETE" } else { "FAIL" }
}

/// A table that was read, with the lake's version and the newest editions.
fn read(record: &RunRecord, lake: &str, input: &crate::record::Input) -> Value {
    let editions = input.editions.iter().map(|(source, vintage)| format!("{source}@{vintage}"));
    let version = [vec![record.lake_version.to_string()], editions.collect()].concat().join(" ");
    json!({"namespace": lake, "name": input.table, "facets": facets(lake, &version)})
}

/// A table that was published.
fn output(record: &RunRecord, lake: &str, model: &ModelRecord) -> Option<Value> {
    let version = record.published_version.filter(|_| model.status == ModelStatus::Published)?;
    let mut out = json!({
        "namespace": lake,
        "name": format!("model.{}", model.name),
        "facets": facets(lake, &version.to_string()),
    });
    if !model.columns.is_empty()
        && let Some(facets) = out.get_mut("facets").and_then(Value::as_object_mut)
    {
        let fields: Vec<Value> = model.columns.iter().map(field).collect();
        let schema = facet("1-1-1/SchemaDatasetFacet", json!({"fields": fields}));
        facets.insert("schema".to_owned(), schema);
    }
    if let (Some(rows), Some(whole)) = (model.rows, out.as_object_mut()) {
        let mut statistics = json!({"rowCount": rows});
        if let (Some(bytes), Some(fields)) = (model.bytes, statistics.as_object_mut()) {
            fields.insert("size".to_owned(), bytes.into());
        }
        let statistics = facet("1-0-2/OutputStatisticsOutputDatasetFacet", statistics);
        whole.insert("outputFacets".to_owned(), json!({"outputStatistics": statistics}));
    }
    Some(out)
}

/// A column with its type, and what it means where that is said.
fn field(column: &ModelColumn) -> Value {
    let mut field = json!({"name": column.name, "type": column.data_type});
    let meaning: Vec<&str> = column.description.iter().chain(&column.unit).map(String::as_str).collect();
    if let (false, Some(fields)) = (meaning.is_empty(), field.as_object_mut()) {
        fields.insert("description".to_owned(), meaning.join("; ").into());
    }
    field
}

fn facets(lake: &str, version: &str) -> Value {
    json!({
        "dataSource": facet("1-0-1/DatasourceDatasetFacet", json!({"name": "envoi", "uri": lake})),
        "version": facet("1-0-1/DatasetVersionDatasetFacet", json!({"datasetVersion": version})),
    })
}

/// A facet says who made it and what its form is.
fn facet(form: &str, mut fields: Value) -> Value {
    let name = form.split_once('/').map_or(form, |(_, name)| name);
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("_producer".to_owned(), PRODUCER.into());
        let schema = format!("https://openlineage.io/spec/facets/{form}.json#/$defs/{name}");
        fields.insert("_schemaURL".to_owned(), schema.into());
    }
    fields
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The run of a try: its begin and its end are of one run, also after a restart.
fn run_uuid(job: &str, due: DateTime<Utc>, attempt: u32) -> String {
    uuid(&format!("{job}\n{}\n{attempt}", due.timestamp()))
}

/// A UUID of version 8 that stands for a text.
fn uuid(text: &str) -> String {
    let digest = Sha256::digest(format!("envoi\n{text}"));
    let mut bytes: Vec<u8> = digest.iter().take(16).copied().collect();
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = match at {
            6 => (*byte & 0x0f) | 0x80,
            8 => (*byte & 0x3f) | 0x80,
            _ => *byte,
        };
    }
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}
