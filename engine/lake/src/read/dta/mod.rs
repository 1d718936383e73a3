//! Stata data sets, versions 113 to 115 and 117 to 119 (Stata 8 to 18).
//!
//! ```text
//! bytes -> Cursor -> Layout (variables, where the data and long strings are)
//!                 -> Batches: rows are decoded in chunks, a variable at a time
//! ```
//! Source: StataCorp, "File formats .dta" (`help dta_113`, `dta_115`, `dta_117`, `dta_118`,
//! `dta_119`). Every count that the file declares is checked against its size before
//! anything is allocated for it.

mod column;
mod cursor;
mod layout;
mod layout_old;
mod layout_tagged;
mod strls;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use bytes::Bytes;

use self::layout::Layout;
use self::strls::Strls;
use super::Limits;
use crate::error::{Error, Place, Result};

/// An opened data set: its variables are known, its rows are decoded when asked for.
///
/// Types: byte, int and long are `Int8`, `Int16` and `Int32`; float and double `Float32` and
/// `Float64`; `str#` and `strL` are `Utf8`. Variables in a `%td`, `%tw`, `%tm`, `%tq` or `%th`
/// format are `Date32` (the first day of the period), in `%tc` a `Timestamp` in milliseconds
/// without time zone; years (`%ty`) and `%tC`, which counts leap seconds, stay numbers. The
/// missing values `.` and `.a` to `.z`, and the empty string, are NULL. Text before version 118
/// is read as Windows-1252 unless it is valid UTF-8, since then as UTF-8. A field's metadata has the variable's label as
/// `description`, its value labels as a JSON object in `value_labels`, and `stata_format`.
///
/// A clone shares the bytes.
#[derive(Debug, Clone)]
pub struct Dta {
    bytes: Bytes,
    file: Arc<str>,
    layout: Arc<Layout>,
    schema: SchemaRef,
}

impl Dta {
    /// Reads everything but the rows; `file` is for messages.
    ///
    /// # Errors
    /// A data error for bytes that are no data set of a known version or are cut off, naming
    /// version and byte; a limit error for more rows or variables than `limits` allow.
    pub fn open(bytes: Bytes, file: &str, limits: &Limits) -> Result<Self> {
        let layout = match layout::version(&bytes, file)? {
            version @ 113..=115 => layout_old::read(&bytes, file, version, limits)?,
            version => layout_tagged::read(&bytes, file, version, limits)?,
        };
        let fields: Vec<Field> = layout.variables.iter().map(column::field).collect();
        let mut names = std::collections::HashSet::new();
        if let Some(twice) = fields.iter().find(|f| !names.insert(f.name())) {
            let what =
                format!("has two variables of the name `{}`, so it is damaged", crate::error::Printable(twice.name()));
            return Err(Error::data(Place::file(file), what));
        }
        let metadata: HashMap<String, String> =
            layout.label.iter().map(|l| ("description".to_owned(), l.clone())).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
        Ok(Self { bytes, file: file.into(), layout: Arc::new(layout), schema })
    }

    /// Version of the format, such as 118.
    pub fn version(&self) -> u16 {
        self.layout.version
    }

    /// Number of observations.
    pub fn rows(&self) -> usize {
        self.layout.rows
    }

    /// One field a variable.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The rows, so many in each batch (1 at least). `projection` chooses variables by their
    /// position, in any order; `None` is all.
    ///
    /// # Errors
    /// For a position that no variable has, and, while iterating, for a long string that is not
    /// in the file.
    pub fn batches(&self, projection: Option<&[usize]>, size: usize) -> Result<Batches> {
        let columns: Vec<usize> =
            projection.map_or_else(|| (0..self.layout.variables.len()).collect(), <[usize]>::to_vec);
        let schema = Arc::new(self.schema.project(&columns)?);
        let long = columns.iter().filter_map(|i| self.layout.variables.get(*i)).any(|v| v.is_long());
        let strls = if long { Strls::read(&self.bytes, &self.file, &self.layout)? } else { Strls::default() };
        Ok(Batches {
            dta: self.clone(),
            schema,
            columns,
            strls: Arc::new(strls),
            next: 0,
            end: self.rows(),
            size: size.max(1),
        })
    }
}

/// The rows of a [`Dta`], batch by batch.
#[derive(Debug, Clone)]
pub struct Batches {
    dta: Dta,
    schema: SchemaRef,
    columns: Vec<usize>,
    strls: Arc<Strls>,
    next: usize,
    end: usize,
    size: usize,
}

impl Batches {
    /// Only these rows, counted from 0.
    #[must_use]
    pub fn between(mut self, rows: std::ops::Range<usize>) -> Self {
        (self.next, self.end) = (rows.start, rows.end.min(self.dta.rows()));
        self
    }

    fn batch(&self, first: usize, rows: usize) -> Result<RecordBatch> {
        let Layout { data, width, .. } = self.dta.layout.as_ref();
        let data = self.dta.bytes.get(data + first * width..data + (first + rows) * width).unwrap_or_default();
        let chunk = column::Chunk { data, first, layout: &self.dta.layout, strls: &self.strls, bytes: &self.dta.bytes };
        let decode = |i: &usize| {
            let variable = self.dta.layout.variables.get(*i);
            let variable = variable.ok_or_else(|| Error::Internal(format!("there is no variable {i}")))?;
            chunk.decode(variable).map_err(|what| {
                let (row, what) = what;
                Error::data(Place::file(&*self.dta.file).row(row as u64 + 1).column(&variable.name), what)
            })
        };
        let columns = self.columns.iter().map(decode).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.next;
        let rows = self.size.min(self.end.saturating_sub(first));
        if rows == 0 {
            return None;
        }
        self.next = first + rows;
        Some(self.batch(first, rows))
    }
}
