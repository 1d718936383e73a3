//! Order among rows that the columns to sort by leave side by side.
//!
//! A table has but one order, by all its columns. Sorting by all of them encodes and compares whole rows, three times
//! over; where the columns asked for tell nearly all rows apart, sorting by those and then, among the few rows that
//! are alike in them, by the rest takes half the time, for the same order.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{SortOptions, concat, concat_batches, partition, take, take_record_batch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::{StreamExt, stream};

/// What a sort in memory is worth: about a megabyte a column.
pub(super) const FEW: usize = 1 << 17;

/// What rows are sorted by, and what they are to be sorted by where that ties.
#[derive(Debug)]
pub(super) struct Order {
    /// Values that the rows are sorted by.
    pub(super) leading: Vec<Arc<dyn PhysicalExpr>>,
    /// Places of the other columns, in turn.
    pub(super) rest: Vec<usize>,
    /// So many rows that tie are sorted in memory; more by a sort that spills.
    pub(super) few: usize,
}

/// The rows of a stream that is sorted by `order.leading`, sorted by the rest too; NULL comes first.
pub(super) fn settled(
    rows: SendableRecordBatchStream,
    order: Order,
    context: Arc<TaskContext>,
) -> SendableRecordBatchStream {
    let schema = rows.schema();
    let reader = Reader { rows, ahead: VecDeque::new() };
    let ties = Ties { order: Arc::new(order), schema: Arc::clone(&schema), context, reader: Some(reader), long: None };
    let settled = stream::try_unfold(ties, |mut ties| async move {
        let next = ties.next().await?;
        Ok(next.map(|batch| (batch, ties)))
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, settled))
}

/// Batches, of which some were put back.
struct Reader {
    rows: SendableRecordBatchStream,
    ahead: VecDeque<RecordBatch>,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let next = match self.ahead.pop_front() {
                Some(batch) => Some(batch),
                None => self.rows.next().await.transpose()?,
            };
            match next {
                Some(batch) if batch.num_rows() == 0 => {}
                next => return Ok(next),
            }
        }
    }
}

struct Ties {
    order: Arc<Order>,
    schema: SchemaRef,
    context: Arc<TaskContext>,
    /// Away while a long run of ties is read.
    reader: Option<Reader>,
    long: Option<Long>,
}

/// A run of ties that is sorted by a plan of its own.
struct Long {
    sorted: SendableRecordBatchStream,
    run: Run,
}

impl Ties {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(long) = &mut self.long {
            if let Some(batch) = long.sorted.next().await {
                return batch.map(Some);
            }
            self.reader = long.run.reader().take();
            self.long = None;
        }
        let Some(reader) = &mut self.reader else {
            return Err(internal_datafusion_err!("the rows behind a run of ties are gone"));
        };
        let mut open: Option<RecordBatch> = None;
        while let Some(batch) = reader.next().await? {
            let whole = match open.take() {
                Some(open) => concat_batches(&self.schema, [&open, &batch])?,
                None => batch,
            };
            let mut runs = partition(&self.order.leading(&whole)?)?.ranges();
            // The last run may go on in the next batch.
            let begin = runs.pop().map_or(0, |last| last.start);
            let rest = whole.slice(begin, whole.num_rows() - begin);
            if begin > 0 {
                reader.ahead.push_front(rest);
                return self.order.settle(&whole.slice(0, begin), &runs).map(Some);
            }
            if rest.num_rows() >= self.order.few {
                self.begin_long(rest)?;
                return Box::pin(self.next()).await;
            }
            open = Some(rest);
        }
        open.map(|last| {
            let all = 0..last.num_rows();
            self.order.settle(&last, &[all])
        })
        .transpose()
    }

    /// Sorts the run that begins with `rows` by a plan that may spill.
    fn begin_long(&mut self, rows: RecordBatch) -> Result<()> {
        let key = self.order.leading(&rows.slice(0, 1))?;
        let mut reader = self.reader.take();
        if let Some(reader) = &mut reader {
            reader.ahead.push_front(rows);
        }
        let (order, schema) = (Arc::clone(&self.order), Arc::clone(&self.schema));
        let run = Run { order, schema, key, reader: Arc::new(Mutex::new(reader)) };
        let keys = self.order.rest.iter().map(|place| {
            let column = Column::new(self.schema.field(*place).name(), *place);
            PhysicalSortExpr::new(Arc::new(column), SORT)
        });
        let keys =
            LexOrdering::new(keys).ok_or_else(|| internal_datafusion_err!("there is nothing to sort ties by"))?;
        let part = Arc::new(run.clone()) as Arc<dyn PartitionStream>;
        let rows = StreamingTableExec::try_new(Arc::clone(&self.schema), vec![part], None, [], false, None)?;
        let sorted = SortExec::new(keys, Arc::new(rows)).execute(0, Arc::clone(&self.context))?;
        self.long = Some(Long { sorted, run });
        Ok(())
    }
}

const SORT: SortOptions = SortOptions { descending: false, nulls_first: true };

impl Order {
    fn leading(&self, rows: &RecordBatch) -> Result<Vec<ArrayRef>> {
        self.leading.iter().map(|e| e.evaluate(rows)?.into_array(rows.num_rows())).collect()
    }

    /// Sorts the rows of each run by the rest.
    fn settle(&self, rows: &RecordBatch, runs: &[Range<usize>]) -> Result<RecordBatch> {
        let tied: Vec<&Range<usize>> = runs.iter().filter(|run| run.len() > 1).collect();
        if tied.is_empty() || self.rest.is_empty() {
            return Ok(rows.clone());
        }
        let at: UInt32Array = tied.iter().flat_map(|run| (*run).clone()).map(|row| row as u32).collect();
        let columns = self.rest.iter().map(|place| Ok(take(rows.column(*place), &at, None)?));
        let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
        let fields = columns.iter().map(|c| SortField::new_with_options(c.data_type().clone(), SORT)).collect();
        let keys = RowConverter::new(fields)?.convert_columns(&columns)?;
        let mut places: Vec<u32> = (0..rows.num_rows() as u32).collect();
        let mut from = 0;
        for run in tied {
            // The keys of a run follow one another.
            let mut order: Vec<usize> = (from..from + run.len()).collect();
            order.sort_by(|a, b| keys.row(*a).cmp(&keys.row(*b)));
            if let Some(places) = places.get_mut(run.clone()) {
                let moved = order.iter().map(|key| (run.start + key - from) as u32);
                places.iter_mut().zip(moved).for_each(|(place, row)| *place = row);
            }
            from += run.len();
        }
        Ok(take_record_batch(rows, &UInt32Array::from(places))?)
    }
}

/// The rows of one run, as a table that can be read once.
#[derive(Clone)]
struct Run {
    order: Arc<Order>,
    schema: SchemaRef,
    /// What all of them are alike in.
    key: Vec<ArrayRef>,
    /// There before the run is read, and again after it.
    reader: Arc<Mutex<Option<Reader>>>,
}

impl Run {
    fn reader(&self) -> MutexGuard<'_, Option<Reader>> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next rows of the run; what is behind them is put back.
    async fn read(&self, reader: &mut Reader) -> Result<Option<RecordBatch>> {
        let Some(batch) = reader.next().await? else { return Ok(None) };
        let beside = self.key.iter().zip(self.order.leading(&batch)?);
        let beside = beside.map(|(key, values)| Ok(concat(&[key.as_ref(), values.as_ref()])?));
        let runs = partition(&beside.collect::<Result<Vec<_>>>()?)?.ranges();
        // The key itself is the first row of the first run.
        let alike = runs.first().map_or(0, |run| run.len().saturating_sub(1));
        if alike < batch.num_rows() {
            reader.ahead.push_front(batch.slice(alike, batch.num_rows() - alike));
        }
        Ok((alike > 0).then(|| batch.slice(0, alike)))
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("order", &self.order).finish_non_exhaustive()
    }
}

impl PartitionStream for Run {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let state = (self.clone(), self.reader().take());
        let rows = stream::try_unfold(state, |(run, reader)| async move {
            let Some(mut reader) = reader else {
                return Err(internal_datafusion_err!("a run of ties is read twice"));
            };
            match run.read(&mut reader).await? {
                Some(batch) => Ok(Some((batch, (run, Some(reader))))),
                None => {
                    *run.reader() = Some(reader);
                    Ok(None)
                }
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use datafusion::arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
    use datafusion::physical_plan::PhysicalExpr;
    use datafusion::physical_plan::expressions::Column;
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
    use futures::TryStreamExt;
    use std::sync::Arc;

    use super::{Order, SORT, settled};

    const FEW: usize = 64;

    /// Rows `(key, text, number)`, as many of each key as `lengths` says, no two keys alike.
    fn rows(lengths: &[usize]) -> RecordBatch {
        let keys = lengths.iter().enumerate().flat_map(|(key, n)| std::iter::repeat_n(key as i64, *n));
        let mut keys: Vec<Option<i64>> = keys.map(Some).collect();
        keys.iter_mut().take_while(|k| **k == Some(0)).for_each(|k| *k = None);
        let mixed = |row: usize| row as u64 * 2_654_435_761 % 4_294_967_291;
        let text = |row| (mixed(row) % 5 > 0).then(|| format!("t{}", mixed(row) % 97));
        let texts: StringArray = (0..keys.len()).map(text).collect();
        let numbers: Int64Array = (0..keys.len()).map(|row| Some((mixed(row) >> 7) as i64)).collect();
        let column = |name: &str, of: ArrayRef| (name.to_owned(), of, true);
        RecordBatch::try_from_iter_with_nullable([
            column("key", Arc::new(Int64Array::from(keys))),
            column("text", Arc::new(texts)),
            column("number", Arc::new(numbers)),
        ])
        .unwrap()
    }

    async fn check(lengths: &[usize], batch: usize) {
        let whole = rows(lengths);
        let columns: Vec<SortColumn> =
            whole.columns().iter().map(|c| SortColumn { values: Arc::clone(c), options: Some(SORT) }).collect();
        let wanted = take_record_batch(&whole, &lexsort_to_indices(&columns, None).unwrap()).unwrap();
        let batches = (0..whole.num_rows()).step_by(batch).map(|at| whole.slice(at, batch.min(whole.num_rows() - at)));
        let batches: Vec<_> = batches.map(Ok).collect();
        let stream = RecordBatchStreamAdapter::new(whole.schema(), futures::stream::iter(batches));
        let key: Arc<dyn PhysicalExpr> = Arc::new(Column::new("key", 0));
        let order = Order { leading: vec![key], rest: vec![1, 2], few: FEW };
        let settled: Vec<RecordBatch> = settled(Box::pin(stream), order, Arc::default()).try_collect().await.unwrap();
        let settled = concat_batches(&whole.schema(), &settled).unwrap();
        assert!(settled == wanted, "{lengths:?} in batches of {batch}");
    }

    #[tokio::test]
    async fn ties_are_sorted_by_the_other_columns_however_rows_are_cut() {
        for lengths in [&[][..], &[1], &[1, 1, 1], &[5], &[3, 1, 4, 1, 5, 9, 2, 6], &[0, 1, 20, 1]] {
            for batch in [1, 2, 3, 7, 100] {
                check(lengths, batch).await;
            }
        }
    }

    #[tokio::test]
    async fn long_runs_of_ties_are_sorted_by_a_plan_that_may_spill() {
        for batch in [1, 10, FEW - 1, FEW, FEW + 1, 1000] {
            check(&[FEW + 5], batch).await;
            check(&[3, 2 * FEW, 1, FEW, FEW - 1, 2], batch).await;
            check(&[1, FEW + 1, FEW + 1], batch).await;
            check(&[FEW, 1], batch).await;
            check(&[10 * FEW, 10 * FEW], batch).await;
        }
    }
}
