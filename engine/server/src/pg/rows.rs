//! Rows on their way to a client: of the engine, or made here.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use envoi::Answer;

/// Where rows come from.
#[derive(Debug)]
enum Source {
    Engine(Box<Answer>),
    /// Rows that are there as a whole.
    Fixed,
}

/// Rows, of which some may be sent already.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) schema: SchemaRef,
    source: Source,
    batch: Option<RecordBatch>,
    /// The first row of the batch that was not taken.
    at: usize,
    /// Rows taken of all batches.
    pub(crate) taken: u64,
}

impl Rows {
    /// Of an answer of the engine.
    pub(crate) fn of(answer: Answer) -> Self {
        let schema = Arc::clone(&answer.schema);
        Self { schema, source: Source::Engine(Box::new(answer)), batch: None, at: 0, taken: 0 }
    }

    /// Those of a batch.
    pub(crate) fn fixed(batch: RecordBatch) -> Self {
        Self { schema: batch.schema(), source: Source::Fixed, batch: Some(batch), at: 0, taken: 0 }
    }

    /// Columns of texts.
    pub(crate) fn texts(names: &[&str], columns: Vec<Vec<Option<String>>>) -> Self {
        let schema = Arc::new(texts(names));
        let arrays = columns.into_iter().map(|c| Arc::new(StringArray::from(c)) as ArrayRef).collect();
        // One array a name, all of one length: what cannot be made is no rows.
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap_or_else(|_| RecordBatch::new_empty(schema));
        Self::fixed(batch)
    }

    /// The next rows, at most so many; `None` at the end. Waits for the engine.
    pub(crate) async fn next(&mut self, most: usize) -> envoi::Result<Option<(RecordBatch, std::ops::Range<usize>)>> {
        loop {
            if let Some(batch) = &self.batch {
                let left = batch.num_rows().saturating_sub(self.at);
                if left > 0 {
                    let range = self.at..self.at + left.min(most);
                    self.at = range.end;
                    self.taken += range.len() as u64;
                    return Ok(Some((batch.clone(), range)));
                }
                self.batch = None;
            }
            let Source::Engine(answer) = &mut self.source else { return Ok(None) };
            match answer.next().await {
                Some(batch) => (self.batch, self.at) = (Some(batch?), 0),
                None => {
                    self.source = Source::Fixed;
                    return Ok(None);
                }
            }
        }
    }
}

/// A schema of texts.
pub(crate) fn texts(names: &[&str]) -> Schema {
    Schema::new(names.iter().map(|n| Field::new(*n, DataType::Utf8, true)).collect::<Vec<_>>())
}
