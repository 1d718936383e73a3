//! Rows on their way to a client: of the engine, or made here.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use envoi::Answer;

use super::command::Direction;
use super::portal::ORIGIN;
use super::turn::Turn;
use crate::catalogue::PG_TYPE;

/// Where rows come from.
#[derive(Debug)]
enum Source {
    /// Of the engine, with its turn to compute the first of them.
    Engine { answer: Box<Answer>, turn: Option<Turn> },
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
    /// What there is to say of the answer, once its last row was taken.
    pub(crate) notes: Vec<String>,
}

impl Rows {
    /// Of an answer of the engine; `told` is how its columns were described.
    pub(crate) fn of(answer: Answer, told: Option<&SchemaRef>, turn: Turn) -> Self {
        let schema = match told.filter(|told| told.fields().len() == answer.schema.fields().len()) {
            Some(told) => described(&answer.schema, told),
            None => Arc::clone(&answer.schema),
        };
        Self {
            schema,
            source: Source::Engine { answer: Box::new(answer), turn: Some(turn) },
            batch: None,
            at: 0,
            taken: 0,
            notes: Vec::new(),
        }
    }

    /// Those of a batch.
    pub(crate) fn fixed(batch: RecordBatch) -> Self {
        Self { schema: batch.schema(), source: Source::Fixed, batch: Some(batch), at: 0, taken: 0, notes: Vec::new() }
    }

    /// Columns of texts.
    pub(crate) fn texts(names: &[&str], columns: Vec<Vec<Option<String>>>) -> Self {
        let schema = Arc::new(texts(names));
        let arrays = columns.into_iter().map(|c| Arc::new(StringArray::from(c)) as ArrayRef).collect();
        // One array a name, all of one length: what cannot be made is no rows.
        let batch =
            RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap_or_else(|_| RecordBatch::new_empty(schema));
        Self::fixed(batch)
    }

    /// Gives the turn on: nobody waits for these rows yet.
    pub(crate) fn pause(&mut self) {
        if let Source::Engine { turn, .. } = &mut self.source {
            *turn = None;
        }
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
            let Source::Engine { answer, turn } = &mut self.source else { return Ok(None) };
            let next = answer.next().await;
            // Whoever reads on at a pace of its own keeps nobody waiting.
            *turn = None;
            match next {
                Some(batch) => (self.batch, self.at) = (Some(batch?), 0),
                None => {
                    self.notes = answer.notes();
                    self.source = Source::Fixed;
                    return Ok(None);
                }
            }
        }
    }
}

/// The answer's columns with the names, types and origins that they were described by.
fn described(schema: &SchemaRef, told: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().zip(told.fields()).map(|(field, told)| {
        let mut metadata = field.metadata().clone();
        for key in [PG_TYPE, ORIGIN] {
            if let Some(value) = told.metadata().get(key) {
                metadata.insert(key.to_owned(), value.clone());
            }
        }
        field.as_ref().clone().with_name(told.name()).with_metadata(metadata)
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

/// All rows of a cursor that goes both ways, and where it is.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) batch: RecordBatch,
    /// 0 before the first row, one more than there are after the last.
    at: u64,
}

impl Kept {
    /// Before the first row.
    pub(crate) fn new(batch: RecordBatch) -> Self {
        Self { batch, at: 0 }
    }

    /// Goes where it is told; the rows it passes or stands at, in their order, from 0.
    pub(crate) fn go(&mut self, direction: Direction) -> Vec<usize> {
        let all = self.batch.num_rows() as u64;
        let one = |place: Option<u64>| -> Vec<usize> {
            let row = place.and_then(|p| p.checked_sub(1)).filter(|row| *row < all);
            row.and_then(|row| usize::try_from(row).ok()).into_iter().collect()
        };
        match direction {
            Direction::Forward(0) | Direction::Backward(0) | Direction::Relative(0) => one(Some(self.at)),
            Direction::Forward(_) | Direction::All => {
                let most = if let Direction::Forward(rows) = direction { rows } else { u64::MAX };
                let begin = self.at.min(all);
                let end = begin.saturating_add(most).min(all);
                // Who asks for more than there is stands behind the last one.
                self.at = if most > end - begin { all + 1 } else { end };
                (begin..end).filter_map(|row| usize::try_from(row).ok()).collect()
            }
            Direction::Backward(_) | Direction::BackwardAll => {
                let most = if let Direction::Backward(rows) = direction { rows } else { u64::MAX };
                // Rows before the one where it is.
                let before = self.at.saturating_sub(1).min(all);
                let begin = before.saturating_sub(most);
                self.at = if most > before { 0 } else { begin + 1 };
                (begin..before).rev().filter_map(|row| usize::try_from(row).ok()).collect()
            }
            Direction::Absolute(number) => {
                let place = match number {
                    0.. => number.unsigned_abs(),
                    _ => (all + 1).saturating_sub(number.unsigned_abs()),
                };
                self.at = place.min(all + 1);
                one(Some(self.at))
            }
            Direction::Relative(by) => {
                let place = self.at.checked_add_signed(by).unwrap_or(0);
                self.at = place.min(all + 1);
                one(Some(self.at))
            }
        }
    }
}

/// A schema of texts.
pub(crate) fn texts(names: &[&str]) -> Schema {
    Schema::new(names.iter().map(|n| Field::new(*n, DataType::Utf8, true)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_both_ways() {
        let letters = ["a", "b", "c", "d"].map(|l| Some(l.to_owned())).to_vec();
        let Rows { batch: Some(batch), .. } = Rows::texts(&["x"], vec![letters]) else { panic!("no rows") };
        let mut kept = Kept::new(batch);
        for (direction, rows) in [
            (Direction::Forward(2), vec![0, 1]),
            (Direction::Backward(1), vec![0]),
            (Direction::Backward(1), vec![]),
            (Direction::Forward(1), vec![0]),
            (Direction::All, vec![1, 2, 3]),
            (Direction::Forward(1), vec![]),
            (Direction::Backward(1), vec![3]),
            (Direction::Absolute(2), vec![1]),
            (Direction::Relative(1), vec![2]),
            (Direction::Relative(0), vec![2]),
            (Direction::Absolute(-1), vec![3]),
            (Direction::Absolute(9), vec![]),
            (Direction::BackwardAll, vec![3, 2, 1, 0]),
            (Direction::Relative(-5), vec![]),
            (Direction::Absolute(0), vec![]),
            (Direction::Forward(0), vec![]),
        ] {
            assert_eq!(kept.go(direction), rows, "{direction:?}");
        }
    }
}
