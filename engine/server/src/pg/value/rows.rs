//! Rows as `DataRow` messages.

use std::ops::Range;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use bytes::BytesMut;

use super::Format;
use super::column::Column;
use super::out::Out;
use super::style::Style;
use super::types::Kind;
use crate::pg::error::{INTERNAL_ERROR, PROGRAM_LIMIT_EXCEEDED, PROTOCOL_VIOLATION, PgError, Result};

/// Bytes of a message or a field before what it holds.
const FRAME: usize = 8;

/// Writes the rows of one statement's batches.
pub(crate) struct RowEncoder {
    columns: Columns,
    formats: Vec<Format>,
    style: Style,
}

impl RowEncoder {
    /// `formats` has one for each column of the schema, one for all, or none: then all is text. An error otherwise.
    pub(crate) fn new(schema: &Schema, formats: &[Format], style: &Style) -> Result<Self> {
        let columns = Columns::new(schema)?;
        let count = columns.plans.len();
        let formats = match formats {
            [] => vec![Format::Text; count],
            [all] => vec![*all; count],
            each if each.len() == count => each.to_vec(),
            each => {
                let message =
                    format!("{} result formats for {count} columns; give one for each or one for all", each.len());
                return Err(PgError::new(PROTOCOL_VIOLATION, message));
            }
        };
        Ok(Self { columns, formats, style: style.clone() })
    }

    /// Appends a `DataRow` for each of the rows; nothing where one of them fails.
    pub(crate) fn rows(&self, batch: &RecordBatch, rows: Range<usize>, out: &mut BytesMut) -> Result<()> {
        let bound = self.columns.bind(batch, &rows)?;
        let mut out = Out::new(out, self.columns.expected(&bound, &rows));
        let count = bound.len() as u16;
        for row in rows {
            let start = out.position();
            let [high, low] = count.to_be_bytes();
            out.put_array([b'D', 0, 0, 0, 0, high, low]);
            for (at, (column, format)) in bound.iter().zip(&self.formats).enumerate() {
                match format {
                    Format::Text => column.text_field(row, &self.style, &mut out),
                    Format::Binary => column.binary_field(row, &self.style, &mut out),
                }
                .map_err(|error| self.columns.name(at, error))?;
            }
            patch_length(&mut out, start + 1, start + 1)?;
        }
        out.finish();
        Ok(())
    }
}

/// What the columns of a statement's result are.
pub(super) struct Columns {
    plans: Vec<(String, Kind)>,
}

impl Columns {
    /// An error where there are more columns than a row of the protocol can have.
    pub(super) fn new(schema: &Schema) -> Result<Self> {
        let plans: Vec<_> = schema.fields().iter().map(|field| (field.name().clone(), Kind::of(field))).collect();
        if plans.len() > i16::MAX as usize {
            let message = format!("a result of {} columns cannot be sent; the most is {}", plans.len(), i16::MAX);
            return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, message));
        }
        Ok(Self { plans })
    }

    /// Reads a batch's columns as planned; an error where it is not of the schema or has not these rows.
    pub(super) fn bind<'a>(&self, batch: &'a RecordBatch, rows: &Range<usize>) -> Result<Vec<Column<'a>>> {
        if batch.num_columns() != self.plans.len() || rows.start > rows.end || rows.end > batch.num_rows() {
            let message = format!(
                "rows {rows:?} of {} columns were asked of a batch of {} rows and {} columns",
                self.plans.len(),
                batch.num_rows(),
                batch.num_columns()
            );
            return Err(PgError::new(INTERNAL_ERROR, message));
        }
        let arrays = batch.columns().iter().zip(&self.plans).enumerate();
        arrays
            .map(|(at, (array, (_, kind)))| Column::bind(array.as_ref(), kind).map_err(|error| self.name(at, error)))
            .collect()
    }

    /// How many bytes to make ready for some rows.
    pub(super) fn expected(&self, bound: &[Column<'_>], rows: &Range<usize>) -> usize {
        let values: usize = bound.iter().map(|column| column.expected(rows)).sum();
        values + rows.len() * (FRAME + 4 * bound.len())
    }

    /// An error of a column's value, with the column's name.
    #[cold]
    pub(super) fn name(&self, at: usize, mut error: PgError) -> PgError {
        if let Some((name, _)) = self.plans.get(at) {
            error.message = format!("column \"{name}\": {}", error.message).into();
        }
        error
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.plans.iter().map(|(name, _)| name.as_str())
    }
}

/// Writes at `position` how many bytes were written since `start`.
#[inline]
pub(super) fn patch_length(out: &mut Out<'_>, position: usize, start: usize) -> Result<()> {
    let Ok(length) = i32::try_from(out.position() - start) else { return Err(too_long()) };
    out.patch(position, length.to_be_bytes());
    Ok(())
}

#[cold]
fn too_long() -> PgError {
    PgError::new(PROGRAM_LIMIT_EXCEEDED, "a row of more than 2147483647 bytes cannot be sent")
}
