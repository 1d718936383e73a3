//! The answer to a statement: a stream of batches that crosses from the query threads.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc;

use super::stopping::Waits;
use crate::catalogue;
use crate::error::{Error, Result};
use crate::privacy::{Gate, Notes};
use crate::runtime::{Runtime, Work};
use crate::shared::shown;

/// Batches that may wait for a slow reader.
const WAITING: usize = 4;

/// What an answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerKind {
    /// Rows.
    Rows,
    /// No result set; what was done, such as `SET` or `CREATE TABLE`.
    Done(String),
}

/// The answer to one statement. Dropping it stops the work behind it.
#[derive(Debug)]
pub struct Answer {
    /// Columns; field metadata has `unit`, `description`, `source`, `licence`, `caveats` where known.
    pub schema: SchemaRef,
    /// Rows, or what was done.
    pub kind: AnswerKind,
    batches: Option<mpsc::Receiver<Result<RecordBatch>>>,
    plan: Option<Arc<dyn ExecutionPlan>>,
    notes: Notes,
    /// Held so that dropping the answer aborts the work: where it pauses, and where it does not.
    _work: Option<(Work<()>, Waits)>,
}

impl Answer {
    pub(super) fn done(tag: String, notes: Notes) -> Self {
        let kind = AnswerKind::Done(tag);
        Self { schema: Arc::new(Schema::empty()), kind, batches: None, plan: None, notes, _work: None }
    }

    pub(super) fn rows(
        runtime: &Runtime,
        plan: Arc<dyn ExecutionPlan>,
        mut stream: SendableRecordBatchStream,
        sql: String,
        notes: Notes,
        gate: Option<Gate>,
        waits: Waits,
    ) -> Result<Self> {
        let schema = stream.schema();
        let (sender, receiver) = mpsc::channel(WAITING);
        let files = catalogue::files_of(&plan);
        let work = runtime.spawn(async move {
            loop {
                // A panic in an operator is this query's error, not the end of the stream.
                let next = std::panic::AssertUnwindSafe(stream.next()).catch_unwind().await;
                let item = match next {
                    Ok(None) => return,
                    Ok(Some(Ok(batch))) => Ok(batch),
                    Ok(Some(Err(e))) => Err(catalogue::of_files(&files, &e, &sql)),
                    Err(panic) => Err(match files.as_slice() {
                        [file] => catalogue::damaged(file, &said(&*panic)),
                        _ => Error::panicked(&said(&*panic)),
                    }),
                };
                let item = match &gate {
                    Some(gate) => item.map_err(|e| gate.failed(e)),
                    None => item,
                };
                let failed = item.is_err();
                if sender.send(item).await.is_err() || failed {
                    return;
                }
            }
        })?;
        Ok(Self {
            schema,
            kind: AnswerKind::Rows,
            batches: Some(receiver),
            plan: Some(plan),
            notes,
            _work: Some((work, waits)),
        })
    }

    /// The next batch; `None` at the end. After an error there is no more.
    pub async fn next(&mut self) -> Option<Result<RecordBatch>> {
        self.batches.as_mut()?.recv().await
    }

    /// What there is to say of the answer, once its last batch is there: cells that are not
    /// shown, or for the owner, rows and small cells of households that are.
    pub fn notes(&self) -> Vec<String> {
        self.notes.all()
    }

    /// All batches, in memory.
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>> {
        let mut all = Vec::new();
        while let Some(batch) = self.next().await {
            all.push(batch?);
        }
        Ok(all)
    }

    /// Rows read from tables so far, for a progress line.
    pub fn rows_scanned(&self) -> u64 {
        fn leaves(plan: &Arc<dyn ExecutionPlan>) -> usize {
            if let Some(shared) = shown(plan.as_ref()) {
                return leaves(shared);
            }
            let children = plan.children();
            if children.is_empty() {
                return plan.metrics().and_then(|m| m.output_rows()).unwrap_or(0);
            }
            children.into_iter().map(leaves).sum()
        }
        self.plan.as_ref().map_or(0, |p| leaves(p) as u64)
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a query panicked".to_owned())
}
