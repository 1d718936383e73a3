//! A lake of a few transfers, projects written in the test, and runs over them.

use std::io::Write;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::DataType;
use chrono::{DateTime, NaiveDate, Utc};
use envoi::lake::lake::{Change, Manifest, NewFile};
use envoi::lake::{Lake, tables};
use envoi::{Answer, Config, Runtime, SessionFactory};
use envoi_batch::record::RunRecord;
use envoi_batch::{Canceller, Options, Packer, Problem, RunError, Sink, Sources};

/// Runs a future of a test.
pub(crate) fn blocking<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// A lake in a folder of its own.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) lake: Lake,
    pub(crate) factory: SessionFactory,
    pub(crate) sources: Sources,
    pub(crate) options: Options,
}

/// One transfer: day of 2024, household, amount.
pub(crate) type Row = (i32, &'static str, f64);

pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-27T18:30:00Z".parse().unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_threads(2)
    }

    pub(crate) fn with_threads(threads: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().to_str().unwrap()).unwrap();
        Self::over(folder, lake, threads)
    }

    pub(crate) fn over(folder: tempfile::TempDir, lake: Lake, threads: usize) -> Self {
        let factory = factory(&lake, threads);
        let mut options = Options::at(now());
        options.backoff = std::time::Duration::ZERO;
        Self { folder, lake, factory, sources: Sources { label: "the project".into(), ..Sources::default() }, options }
    }

    /// Writes a file of the project.
    pub(crate) fn file(&mut self, path: &str, text: &str) -> &mut Self {
        self.sources.files.insert(path.to_owned(), text.to_owned());
        self
    }

    /// Imports transfers; those of the same series and vintage are replaced.
    pub(crate) async fn transfers(&self, series: &str, vintage: &str, rows: &[Row]) {
        self.lake.publish(change(series, vintage, rows)).await.unwrap();
    }

    pub(crate) async fn run(&self) -> RunRecord {
        self.try_run().await.unwrap_or_else(|e| panic!("{e}"))
    }

    pub(crate) async fn try_run(&self) -> Result<RunRecord, RunError> {
        envoi_batch::run(&self.factory, &self.sources, &self.options, Arc::new(Texts), &(), &Canceller::new().token())
            .await
    }

    /// A run that must succeed, as `name: status (reason)` in the order of the models.
    pub(crate) async fn ran(&self) -> Vec<String> {
        let record = self.run().await;
        assert!(record.failure.is_none(), "{:?}", record.failure);
        said(&record)
    }

    /// Problems of a project of these files contain each of these texts.
    pub(crate) async fn says(&mut self, files: &[(&str, &str)], expected: &[&str]) {
        for (path, text) in files {
            self.file(path, text);
        }
        let all: Vec<String> = self.problems().await.iter().map(ToString::to_string).collect();
        let text = all.join("\n");
        for part in expected {
            assert!(text.contains(part), "`{part}` is not in:\n{text}");
        }
    }

    pub(crate) async fn problems(&self) -> Vec<Problem> {
        match self.try_run().await {
            Err(RunError::Problems(all)) => all,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn manifest(&self) -> Arc<Manifest> {
        self.lake.current().await.unwrap().unwrap()
    }

    /// Rows of a query, as text.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let session = self.factory.owner().await.unwrap();
        let answer = session.run(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        let batches = answer.collect().await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        let mut rows = Vec::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                rows.push(batch.columns().iter().map(|c| cell(c, row)).collect::<Vec<_>>().join(" "));
            }
        }
        rows
    }

    /// Every file of the newest version is as its checksum says, and `gc` leaves nothing else.
    pub(crate) async fn is_sound(&self) {
        let manifest = self.manifest().await;
        assert_eq!(self.lake.verify(&manifest, |_| {}).await.unwrap(), []);
        self.lake.gc(Some(1), std::time::Duration::ZERO, false).await.unwrap();
        let named: Vec<&str> = manifest.files.iter().map(|f| f.path.as_str()).collect();
        for object in self.lake.store().list("model").await.unwrap() {
            let path = self.lake.store().relative(&object.location).unwrap();
            assert!(named.contains(&path.as_str()), "{path} is an orphan");
        }
        assert_eq!(self.lake.verify(&manifest, |_| {}).await.unwrap(), []);
    }
}

pub(crate) fn factory(lake: &Lake, threads: usize) -> SessionFactory {
    let flags = vec![("runtime.threads", threads.to_string(), "test")];
    let config = Config::load(Some(Path::new("/dev/null")), std::iter::empty(), flags).unwrap();
    SessionFactory::new(Runtime::new(&config, lake.clone()).unwrap(), &config)
}

pub(crate) fn said(record: &RunRecord) -> Vec<String> {
    let status = |m: &envoi_batch::record::ModelRecord| format!("{:?}", m.status).to_lowercase();
    record.models.iter().map(|m| format!("{}: {} ({})", m.name, status(m), m.reason)).collect()
}

fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    arrow::util::display::array_value_to_string(column, row).unwrap()
}

pub(crate) fn change(series: &str, vintage: &str, rows: &[Row]) -> Change {
    let table = tables::table("transfer").unwrap();
    let vintage: NaiveDate = vintage.parse().unwrap();
    let start = "2024-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap();
    let at = |day: i32| (start + chrono::TimeDelta::days(day.into()) + chrono::TimeDelta::hours(5)).timestamp_micros();
    let count = rows.len();
    let columns: Vec<ArrayRef> = table
        .schema()
        .fields()
        .iter()
        .map(|f| -> ArrayRef {
            match f.name().as_str() {
                "transfer_id" => Arc::new((0..count).map(|i| Some(format!("{series}{i}"))).collect::<StringArray>()),
                "sent_at" => Arc::new(rows.iter().map(|r| Some(at(r.0))).collect::<TimestampMicrosecondArray>()),
                "household_id" => Arc::new(rows.iter().map(|r| Some(r.1)).collect::<StringArray>()),
                "amount_usd" => Arc::new(rows.iter().map(|r| Some(r.2)).collect::<Float64Array>()),
                "vintage" => {
                    Arc::new(Date32Array::from(vec![arrow::datatypes::Date32Type::from_naive_date(vintage); count]))
                }
                _ if !f.is_nullable() && f.data_type() == &DataType::Utf8 => {
                    Arc::new(StringArray::from(vec!["XXX"; count]))
                }
                _ => new_null_array(f.data_type(), count),
            }
        })
        .collect();
    let batch = RecordBatch::try_new(table.schema(), columns).unwrap();
    let sorted = envoi::lake::lake::sort(table, &batch).unwrap().batch;
    let file = NewFile::of(table, series, "test.transfer", vintage, &sorted).unwrap();
    Change { operation: format!("import {series}"), files: vec![file], ..Change::default() }
}

/// Rows as lines, for exports.
pub(crate) struct Texts;

impl Packer for Texts {
    fn pack<'a>(
        &'a self,
        format: &'a str,
        mut answer: Answer,
        mut out: Sink,
    ) -> Pin<Box<dyn Future<Output = envoi::Result<Sink>> + Send + 'a>> {
        Box::pin(async move {
            writeln!(out, "{format}").unwrap();
            while let Some(batch) = answer.next().await {
                let batch = batch?;
                for row in 0..batch.num_rows() {
                    let cells: Vec<String> = batch.columns().iter().map(|c| cell(c, row)).collect();
                    writeln!(out, "{}", cells.join(",")).unwrap();
                }
            }
            Ok(out)
        })
    }
}
