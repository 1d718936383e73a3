//! Rows that are computed once, read by any number of streams.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::utils::memory::RecordBatchMemoryCounter;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use tokio::sync::watch;

/// A computation that begins when its rows are first asked for. Dropped, it ends.
#[derive(Debug, Default)]
pub(super) struct Computation(Mutex<Option<Running>>);

#[derive(Debug)]
struct Running {
    held: Arc<Held>,
    /// Ends with the computation, so that nothing works for a statement that is gone.
    _task: SpawnedTask<()>,
}

/// The rows so far. All are held: a stream that begins late reads them from the start.
#[derive(Debug)]
struct Held {
    rows: Mutex<Vec<RecordBatch>>,
    /// Taken from the pool, and given back with the rows.
    memory: MemoryReservation,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Clone)]
enum Progress {
    /// There may be more rows than were seen.
    More,
    /// That is all.
    Done,
    Failed(Arc<DataFusionError>),
}

impl Computation {
    /// A stream of all rows; `plan` computes them unless another stream's does already.
    pub(super) fn rows(
        self: Arc<Self>,
        name: &str,
        plan: &Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = match running.as_ref() {
            Some(running) => Arc::clone(&running.held),
            None => {
                let memory = MemoryConsumer::new(format!("rows of `{name}`")).register(context.memory_pool());
                let progress = watch::Sender::new(Progress::More);
                let held = Arc::new(Held { rows: Mutex::default(), memory, progress });
                let input = plan.execute(0, context)?;
                let task = SpawnedTask::spawn(compute(input, Arc::clone(&held)));
                *running = Some(Running { held: Arc::clone(&held), _task: task });
                held
            }
        };
        drop(running);
        let progress = held.progress.subscribe();
        let reader = Reader { held, progress, read: 0, _computation: self };
        Ok(stream::unfold(reader, Reader::next).boxed())
    }
}

async fn compute(mut input: SendableRecordBatchStream, held: Arc<Held>) {
    let mut counter = RecordBatchMemoryCounter::new();
    let mut bytes = 0;
    while let Some(batch) = input.next().await {
        let taken = batch.and_then(|batch| {
            bytes += counter.count_batch(&batch);
            held.memory.try_resize(bytes)?;
            let mut rows = held.rows.lock().unwrap_or_else(PoisonError::into_inner);
            rows.push(batch);
            Ok(())
        });
        match taken {
            Ok(()) => held.progress.send_replace(Progress::More),
            Err(error) => {
                held.progress.send_replace(Progress::Failed(Arc::new(error)));
                return;
            }
        };
    }
    held.progress.send_replace(Progress::Done);
}

/// A stream over the rows.
struct Reader {
    held: Arc<Held>,
    progress: watch::Receiver<Progress>,
    read: usize,
    /// Goes on for as long as someone reads.
    _computation: Arc<Computation>,
}

impl Reader {
    async fn next(mut self) -> Option<(Result<RecordBatch>, Self)> {
        loop {
            // What is said is seen before the rows are looked at: none come after `Done`.
            let progress = self.progress.borrow_and_update().clone();
            let batch = {
                let rows = self.held.rows.lock().unwrap_or_else(PoisonError::into_inner);
                rows.get(self.read).cloned()
            };
            if let Some(batch) = batch {
                self.read += 1;
                return Some((Ok(batch), self));
            }
            match progress {
                Progress::Done => return None,
                // Said once; the stream ends with it.
                Progress::Failed(error) => {
                    self.progress = watch::channel(Progress::Done).1;
                    return Some((Err(DataFusionError::Shared(error)), self));
                }
                Progress::More => {}
            }
            if self.progress.changed().await.is_err() {
                let gone = DataFusionError::Internal("shared rows ended before they were all there".to_owned());
                self.progress = watch::channel(Progress::Done).1;
                return Some((Err(gone), self));
            }
        }
    }
}
