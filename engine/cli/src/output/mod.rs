//! Result sets, written in the format that was asked for.
//!
//! Every format takes batches as they come. CSV, TSV, JSON, NDJSON, Markdown,
//! Arrow and the expanded layout hold one batch at a time; the table holds its
//! first thousand rows to find the column widths; Parquet holds a row group; an
//! XLSX file is held whole, which its row limit bounds.

mod arrow_ipc;
mod cell;
pub(crate) mod csvw;
mod delimited;
mod expanded;
pub(crate) mod file;
mod json;
mod markdown;
mod parquet_file;
mod printable;
mod table;
mod xlsx;

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};

pub(crate) use printable::{fit, is_hostile, printable};

/// How a result set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for reading
    Table,
    /// Comma-separated, RFC 4180; NULL is empty, empty text is `""`
    Csv,
    /// As csv, separated by tabs
    Tsv,
    /// One array of objects, so one result set; NaN and infinities become null, JSON having neither
    Json,
    /// One JSON object a line
    Ndjson,
    /// A Markdown table
    Markdown,
    /// Apache Parquet with column metadata
    Parquet,
    /// Arrow IPC: a stream on stdout, a file with -o
    Arrow,
    /// An Excel workbook
    Xlsx,
}

impl Format {
    /// The format a file name asks for, by its extension.
    pub(crate) fn from_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "csv" => Self::Csv,
            "tsv" | "tab" => Self::Tsv,
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::Ndjson,
            "md" => Self::Markdown,
            "parquet" => Self::Parquet,
            "arrow" | "feather" | "ipc" => Self::Arrow,
            "xlsx" => Self::Xlsx,
            "txt" => Self::Table,
            _ => return None,
        })
    }

    /// The name used on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Markdown => "markdown",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Xlsx => "xlsx",
        }
    }

    /// Whether a terminal can show it.
    pub(crate) fn is_text(self) -> bool {
        !matches!(self, Self::Parquet | Self::Arrow | Self::Xlsx)
    }

    /// Whether an output can hold only one result set of it: readers of JSON
    /// refuse what follows the array, readers of an Arrow stream never see it.
    pub(crate) fn holds_one_result(self) -> bool {
        matches!(self, Self::Json | Self::Parquet | Self::Arrow | Self::Xlsx)
    }

    /// Why a second result set is refused, and what holds many.
    pub(crate) fn is_full(self) -> String {
        let name = self.name();
        format!(
            "an output in {name} holds one result set, and this is the second; `--format ndjson` and csv hold many, \\o FILE before a statement gives it a file of its own"
        )
    }
}

/// How a result set is to look, beside its format.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    /// One line per column instead of one per row (`\x`); for the table only.
    pub(crate) expanded: bool,
    /// With ANSI colours.
    pub(crate) color: bool,
    /// With box-drawing characters instead of ASCII.
    pub(crate) lines: bool,
    /// Columns of the terminal to fit into; None shows everything in full.
    pub(crate) width: Option<usize>,
    /// Into a file, not a stream: chooses the flavour of Arrow IPC.
    pub(crate) to_file: bool,
}

/// Why a result set could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum OutputError {
    /// The system refused: a full disk, a closed pipe.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The values do not go into this format.
    #[error("{0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The values do not go into Parquet.
    #[error("{0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The values do not go into a workbook.
    #[error("{0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// A bound of the format, with what to use instead.
    #[error("{0}")]
    Limit(String),
}

/// Writes one result set; `finish` is called once, and not after an error.
pub(crate) trait ResultWriter {
    /// The next rows.
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), OutputError>;
    /// The end: footers, closing brackets. Returns the number of rows.
    fn finish(&mut self) -> Result<u64, OutputError>;
}

/// What result sets are written to. `Send`, because Parquet asks for it.
pub(crate) type Out<'a> = &'a mut (dyn Write + Send);

/// A writer of `format` for rows of `schema`.
pub(crate) fn writer<'a>(
    format: Format,
    schema: &SchemaRef,
    out: Out<'a>,
    look: Look,
) -> Result<Box<dyn ResultWriter + 'a>, OutputError> {
    Ok(match format {
        Format::Table if look.expanded => Box::new(expanded::Expanded::new(schema, out, look)),
        Format::Table => Box::new(table::Table::new(schema, out, look)),
        Format::Csv => Box::new(delimited::Delimited::new(schema, out, ',')?),
        Format::Tsv => Box::new(delimited::Delimited::new(schema, out, '\t')?),
        Format::Json => Box::new(json::Json::array(schema, out)),
        Format::Ndjson => Box::new(json::Json::lines(schema, out)),
        Format::Markdown => Box::new(markdown::Markdown::new(schema, out)?),
        Format::Parquet => Box::new(parquet_file::ParquetFile::new(schema, out)?),
        Format::Arrow => Box::new(arrow_ipc::ArrowIpc::new(schema, out, look.to_file)?),
        Format::Xlsx => Box::new(xlsx::Xlsx::new(schema, out)?),
    })
}

/// The schema with every column name unique: a second `x` becomes `x_2`.
/// Objects and column files are read by name, so a repeated one would be lost.
pub(crate) fn unique_names(schema: &SchemaRef) -> SchemaRef {
    let mut taken: HashSet<String> = HashSet::new();
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| {
            let mut name = field.name().clone();
            let mut n = 2;
            while !taken.insert(name.clone()) {
                name = format!("{}_{n}", field.name());
                n += 1;
            }
            field.as_ref().clone().with_name(name)
        })
        .collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// The unit of a column, when its metadata says.
pub(crate) fn unit(field: &Field) -> Option<&str> {
    field.metadata().get("unit").map(String::as_str).filter(|unit| !unit.is_empty())
}

/// `(1 row)`, `(10 rows)`.
pub(crate) fn row_count(rows: u64) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use arrow::array::*;
    use arrow::datatypes::{DataType, Int32Type};

    /// Every awkward value the formats are tested with.
    pub(crate) fn sample() -> RecordBatch {
        let unit = |f: Field| f.with_metadata([("unit".to_owned(), "US$".to_owned())].into());
        let schema = Arc::new(Schema::new(vec![
            Field::new("iso3", DataType::Utf8, true),
            unit(Field::new("remittance_usd", DataType::Float64, true)),
            Field::new("n", DataType::Int64, true),
            Field::new("day", DataType::Date32, true),
            Field::new("parts", DataType::new_list(DataType::Int32, true), true),
        ]));
        RecordBatch::try_new(
            schema,
            vec![
                Arc::new(StringArray::from(vec![
                    Some("MEX"),
                    Some("=1+1"),
                    None,
                    Some("a,\"b\"\n|é日本\u{202e}"),
                    Some(""),
                ])),
                Arc::new(Float64Array::from(vec![
                    Some(52_595_343_000.0),
                    Some(0.1),
                    None,
                    Some(f64::NAN),
                    Some(-1e300),
                ])),
                Arc::new(Int64Array::from(vec![Some(i64::MAX), Some(-1), None, Some(0), Some(7)])),
                Arc::new(Date32Array::from(vec![Some(18_993), Some(0), None, Some(1), Some(2)])),
                Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
                    Some(vec![Some(1), None]),
                    Some(vec![]),
                    None,
                    None,
                    None,
                ])),
            ],
        )
        .unwrap()
    }

    /// The sample written in `format`, in two batches.
    pub(crate) fn written(format: Format, look: Look) -> Vec<u8> {
        let (batch, mut out) = (sample(), Vec::new());
        let mut writer = writer(format, &batch.schema(), &mut out, look).unwrap();
        writer.batch(&batch.slice(0, 2)).unwrap();
        writer.batch(&batch.slice(2, 3)).unwrap();
        assert_eq!(writer.finish().unwrap(), 5);
        drop(writer);
        out
    }

    /// The sample as text.
    pub(crate) fn text(format: Format, look: Look) -> String {
        String::from_utf8(written(format, look)).unwrap()
    }

    /// An empty result set as text.
    pub(crate) fn empty(format: Format, look: Look) -> String {
        let mut out = Vec::new();
        let mut writer = writer(format, &sample().schema(), &mut out, look).unwrap();
        assert_eq!(writer.finish().unwrap(), 0);
        drop(writer);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn repeated_names_are_told_apart() {
        let field = |name| Field::new(name, DataType::Int32, true);
        let schema = unique_names(&Arc::new(Schema::new(vec![field("a"), field("a"), field("a_2"), field("a")])));
        let names: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        assert_eq!(names, ["a", "a_2", "a_2_2", "a_3"]);
    }

    #[test]
    fn extension_chooses() {
        assert_eq!(Format::from_path(Path::new("x.PARQUET")), Some(Format::Parquet));
        assert_eq!(Format::from_path(Path::new("x")), None);
    }
}
