//! Rows for `COPY ... TO STDOUT`: text, CSV and binary, a `CopyData` message for each row.

use std::ops::Range;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use bytes::BytesMut;

use super::column::Column;
use super::out::Out;
use super::rows::Columns;
use super::rows::patch_length;
use super::style::Style;
use crate::pg::error::Result;

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// How rows are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyFormat {
    Text,
    Csv,
    Binary,
}

/// Which columns of a CSV are quoted even where they need not be; nulls never are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ForceQuote {
    All,
    Columns(Vec<usize>),
}

/// The options of `COPY`; see [`CopyOptions::new`] for what they are by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyOptions {
    pub(crate) format: CopyFormat,
    /// Whether names come first; not in binary.
    pub(crate) header: bool,
    pub(crate) delimiter: u8,
    /// What stands for null.
    pub(crate) null: String,
    pub(crate) quote: u8,
    /// What comes before a quote within quotes.
    pub(crate) escape: u8,
    pub(crate) force_quote: ForceQuote,
}

impl CopyOptions {
    /// What PostgreSQL uses where a statement names nothing.
    pub(crate) fn new(format: CopyFormat) -> Self {
        let csv = format == CopyFormat::Csv;
        Self {
            format,
            header: false,
            delimiter: if csv { b',' } else { b'\t' },
            null: if csv { String::new() } else { "\\N".to_owned() },
            quote: b'"',
            escape: b'"',
            force_quote: ForceQuote::Columns(Vec::new()),
        }
    }
}

/// Writes the rows of one `COPY`.
pub(crate) struct CopyEncoder {
    columns: Columns,
    options: CopyOptions,
    /// By column: whether quotes are forced.
    forced: Vec<bool>,
    style: Style,
}

impl CopyEncoder {
    /// An error where there are too many columns. That the options go together is the statement's to check.
    pub(crate) fn new(schema: &Schema, options: CopyOptions, style: &Style) -> Result<Self> {
        let forced = (0..schema.fields().len()).map(|column| match &options.force_quote {
            ForceQuote::All => true,
            ForceQuote::Columns(columns) => columns.contains(&column),
        });
        Ok(Self { columns: Columns::new(schema)?, forced: forced.collect(), options, style: style.clone() })
    }

    /// Appends what comes before the rows: the signature, or a line of names where asked for.
    pub(crate) fn begin(&self, out: &mut BytesMut) -> Result<()> {
        let binary = self.options.format == CopyFormat::Binary;
        if !binary && !self.options.header {
            return Ok(());
        }
        let mut out = Out::new(out, 64);
        message(&mut out, |out| {
            if binary {
                out.put(SIGNATURE);
                // Flags, and the length of an extension.
                out.put_array([0; 8]);
            } else {
                self.header(out);
            }
            Ok(())
        })?;
        out.finish();
        Ok(())
    }

    /// Appends a message for each of the rows; nothing where one of them fails.
    pub(crate) fn rows(&self, batch: &RecordBatch, rows: Range<usize>, out: &mut BytesMut) -> Result<()> {
        let bound = self.columns.bind(batch, &rows)?;
        let mut out = Out::new(out, self.columns.expected(&bound, &rows));
        if self.options.format == CopyFormat::Binary {
            for row in rows {
                message(&mut out, |out| self.binary(&bound, row, out))?;
            }
        } else {
            let plain: Vec<bool> = bound.iter().map(|column| column.is_plain() && self.plain_is_safe()).collect();
            for row in rows {
                message(&mut out, |out| self.line(&bound, &plain, row, out))?;
            }
        }
        out.finish();
        Ok(())
    }

    /// Appends what comes after the rows: in binary, a row of -1 columns.
    pub(crate) fn end(&self, out: &mut BytesMut) -> Result<()> {
        if self.options.format == CopyFormat::Binary {
            let mut out = Out::new(out, 8);
            message(&mut out, |out| {
                out.put_array((-1_i16).to_be_bytes());
                Ok(())
            })?;
            out.finish();
        }
        Ok(())
    }

    fn header(&self, out: &mut Out<'_>) {
        for (at, name) in self.columns.names().enumerate() {
            if at > 0 {
                out.byte(self.options.delimiter);
            }
            let start = out.position();
            out.put(name.as_bytes());
            self.escape(start, false, out);
        }
        out.byte(b'\n');
    }

    fn binary(&self, bound: &[Column<'_>], row: usize, out: &mut Out<'_>) -> Result<()> {
        out.put_array((bound.len() as u16).to_be_bytes());
        for (at, column) in bound.iter().enumerate() {
            column.binary_field(row, &self.style, out).map_err(|error| self.columns.name(at, error))?;
        }
        Ok(())
    }

    fn line(&self, bound: &[Column<'_>], plain: &[bool], row: usize, out: &mut Out<'_>) -> Result<()> {
        for (at, column) in bound.iter().enumerate() {
            if at > 0 {
                out.byte(self.options.delimiter);
            }
            if column.is_null(row) {
                out.put(self.options.null.as_bytes());
                continue;
            }
            let start = out.position();
            column.text(row, &self.style, out).map_err(|error| self.columns.name(at, error))?;
            let forced = self.forced[at];
            if !plain[at] || forced {
                self.escape(start, forced, out);
            }
        }
        out.byte(b'\n');
        Ok(())
    }

    /// Whether values of letters, digits and `+-.:` never hold the delimiter, a quote or all of what is null.
    fn plain_is_safe(&self) -> bool {
        let CopyOptions { delimiter, null, quote, .. } = &self.options;
        let apart = |byte: u8| !byte.is_ascii_alphanumeric() && !b"+-.:".contains(&byte);
        apart(*delimiter) && apart(*quote) && null.bytes().next().is_none_or(apart)
    }

    /// Escapes what was written since `start`.
    fn escape(&self, start: usize, forced: bool, out: &mut Out<'_>) {
        let CopyOptions { delimiter, null, quote, escape, .. } = &self.options;
        let (delimiter, quote, escape) = (*delimiter, *quote, *escape);
        let value = out.since(start);
        if self.options.format == CopyFormat::Csv {
            let special = |byte: &u8| *byte == delimiter || *byte == quote || matches!(byte, b'\n' | b'\r');
            let end_of_data = self.forced.len() == 1 && value == b"\\.";
            if forced || end_of_data || value == null.as_bytes() || value.iter().any(special) {
                out.rewrite(start, Some(quote), |byte| (byte == quote || byte == escape).then_some([escape, byte]));
            }
        } else if value.iter().any(|byte| *byte < 0x20 || *byte == b'\\' || *byte == delimiter) {
            out.rewrite(start, None, |byte| match byte {
                8 => Some(*b"\\b"),
                b'\t' => Some(*b"\\t"),
                b'\n' => Some(*b"\\n"),
                11 => Some(*b"\\v"),
                12 => Some(*b"\\f"),
                b'\r' => Some(*b"\\r"),
                b'\\' => Some(*b"\\\\"),
                _ => (byte == delimiter).then_some([b'\\', byte]),
            });
        }
    }
}

/// A `CopyData` of what `body` writes.
#[inline]
fn message(out: &mut Out<'_>, body: impl FnOnce(&mut Out<'_>) -> Result<()>) -> Result<()> {
    let start = out.position();
    out.put_array([b'd', 0, 0, 0, 0]);
    body(out)?;
    patch_length(out, start + 1, start + 1)
}
