//! Files of `envoi generate`: they have the lake's own shape, so what is checked is kept as it is.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Float64Type, SchemaRef};
use arrow::row::{OwnedRow, RowConverter, SortField};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use crate::error::{Error, Printable, Result};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::days;
use crate::lake::{Content, NewFile, Spool};
use crate::read::Kind;
use crate::synthetic::{MARK, Mark, SOURCE_ID};
use crate::tables::{HOUSEHOLD, TRANSFER, TableDef, UNIT};

pub(super) struct Synthetic;

/// Bytes of a footer, at most; the largest that is generated has some tens of kilobytes.
const FOOTER: u32 = 16 << 20;
/// A file of more bytes waits on disk to be published.
const HELD: usize = 1 << 20;
/// Rows decoded at once.
const CHUNK: usize = 8192;

impl Importer for Synthetic {
    fn id(&self) -> &'static str {
        SOURCE_ID
    }

    fn recognise(&self, input: &Input, _descriptor: &Descriptor) -> Result<Recognition> {
        if input.kind != Kind::Parquet {
            return Ok(Recognition::No);
        }
        let marked = footer(input)?.and_then(|metadata| {
            let all = metadata.file_metadata().key_value_metadata()?;
            Some(all.iter().find(|kv| kv.key == MARK)?.value.clone().unwrap_or_default())
        });
        let Some(text) = marked else { return Ok(Recognition::No) };
        Ok(match serde_json::from_str::<Mark>(&text) {
            Ok(_) => Recognition::Yes,
            Err(e) => Recognition::Almost(format!("the mark `{MARK}` in its metadata cannot be read: {e}")),
        })
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let wrong = |what: String| Error::data(input.place(), what);
        let bytes = input.whole_bytes()?;
        let damaged = |e: parquet::errors::ParquetError| wrong(format!("is damaged: {e}"));
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).map_err(damaged)?;
        let metadata = builder.metadata();
        let rows = usize::try_from(metadata.file_metadata().num_rows()).unwrap_or(usize::MAX);
        context.limits.check_rows(rows, || input.place())?;
        let unpacked = metadata.row_groups().iter().map(|g| u64::try_from(g.total_byte_size()).unwrap_or(u64::MAX));
        context.limits.check_unpacked(unpacked.fold(0, u64::saturating_add), input.size, || input.place())?;
        let mark = mark(metadata).ok_or_else(|| wrong(format!("has no mark `{MARK}`")))?;
        let known = [&HOUSEHOLD, &TRANSFER].into_iter().find(|t| t.name == mark.table);
        let table = known
            .ok_or_else(|| wrong(format!("is of a table `{}`, which is not generated", Printable(&mark.table))))?;
        if let Some(asked) = context.vintage.filter(|asked| *asked != mark.vintage) {
            let what = format!("states its vintage in every row, {}; leave --vintage {asked} out", mark.vintage);
            return Err(wrong(what));
        }
        same_columns(builder.schema(), table).map_err(wrong)?;
        let mut check = Check::new(table, &mark)?;
        let reader = builder.with_batch_size(CHUNK).build().map_err(damaged)?;
        for batch in reader {
            let batch = batch.map_err(|e| wrong(format!("is damaged: {e}")))?;
            check.batch(&batch).map_err(|(row, what)| Error::data(input.place().row(row), what))?;
        }
        if check.rows == 0 {
            return Err(wrong("has no row".to_owned()));
        }
        let lead = (table.name == HOUSEHOLD.name).then(|| (mark.set.clone(), mark.set.clone()));
        let file = NewFile {
            schema: "lake",
            table: table.name.to_owned(),
            series: format!("{}/{:05}", mark.set, mark.part),
            source_id: context.descriptor.id.clone(),
            vintage: mark.vintage,
            rows: check.rows,
            lead,
            from: Vec::new(),
            content: content(bytes)?,
        };
        Ok(Imported {
            place: input.place(),
            edition: format!("{}, part {} of {}, seed {}", mark.set, mark.part, mark.parts, mark.seed),
            vintage: mark.vintage,
            rows: Vec::new(),
            files: vec![file],
            staged: Vec::new(),
            notes: vec![format!("{} invented rows of `{}`: no survey, no record", check.rows, table.name)],
        })
    }
}

fn content(bytes: Bytes) -> Result<Content> {
    if bytes.len() <= HELD { Ok(bytes.into()) } else { Ok(Content::Spooled(Spool::shared()?.append(&bytes)?)) }
}

/// The footer, read from the end of the file; `None` if there is none that can be read.
fn footer(input: &Input) -> Result<Option<ParquetMetaData>> {
    let end = input.tail(8)?;
    let Some((length, b"PAR1")) = end.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length);
    if length > FOOTER {
        return Ok(None);
    }
    let tail = input.tail(length as usize + 8)?;
    let Some(body) = tail.get(..length as usize) else { return Ok(None) };
    Ok(ParquetMetaDataReader::decode_metadata(body).ok())
}

fn mark(metadata: &ParquetMetaData) -> Option<Mark> {
    let all = metadata.file_metadata().key_value_metadata()?;
    let text = all.iter().find(|kv| kv.key == MARK)?.value.as_deref()?;
    serde_json::from_str(text).ok()
}

/// Refuses columns that are not those of the table, with their types and units.
fn same_columns(found: &SchemaRef, table: &TableDef) -> Result<(), String> {
    const AGAIN: &str = "it was generated by another version of envoi, or changed; generate it again";
    let wanted = table.schema();
    for field in wanted.fields() {
        match found.field_with_name(field.name()) {
            Err(_) => return Err(format!("lacks column `{}` of `{}`: {AGAIN}", field.name(), table.name)),
            Ok(there) if there.data_type() != field.data_type() || there.is_nullable() != field.is_nullable() => {
                return Err(format!(
                    "column `{}` is {}, not {}: {AGAIN}",
                    field.name(),
                    there.data_type(),
                    field.data_type()
                ));
            }
            Ok(there) if there.metadata().get(UNIT) != field.metadata().get(UNIT) => {
                return Err(format!("column `{}` has another unit than in `{}`: {AGAIN}", field.name(), table.name));
            }
            Ok(_) => {}
        }
    }
    let same_order = found.fields().iter().map(|f| f.name()).eq(wanted.fields().iter().map(|f| f.name()));
    if same_order { Ok(()) } else { Err(format!("has other columns than `{}`: {AGAIN}", table.name)) }
}

/// What the rows of a generated file have in common, checked batch by batch.
struct Check<'a> {
    table: &'static TableDef,
    mark: &'a Mark,
    rows: u64,
    sort: Ascending,
    key: Ascending,
}

/// A row of the file, from 1, and what is wrong with it.
type Wrong = (u64, String);

impl<'a> Check<'a> {
    fn new(table: &'static TableDef, mark: &'a Mark) -> Result<Self> {
        // Keys ascend as rows do, so two of one key would be beside each other.
        let (sort, key) = (Ascending::new(table, table.sort, false)?, Ascending::new(table, table.key, true)?);
        Ok(Self { table, mark, rows: 0, sort, key })
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Wrong> {
        let first = self.rows + 1;
        for (column, def) in batch.columns().iter().zip(self.table.columns) {
            self.column(def.name, column).map_err(|(row, what)| (first + row, what))?;
        }
        for order in [&mut self.sort, &mut self.key] {
            order.check(batch).map_err(|(row, what)| (first + row, what))?;
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// The first row, from 0, whose value is not what is generated.
    fn column(&self, name: &str, column: &dyn Array) -> Result<(), Wrong> {
        let set = self.mark.set.as_str();
        if let Some(texts) = column.as_string_opt::<i32>() {
            let fits = |text: &str| match name {
                "source_id" => text == SOURCE_ID,
                "survey_id" => text == set && set.starts_with("synthetic"),
                "transfer_id" => text.starts_with("synthetic"),
                "iso3" | "sender_iso3" | "receiver_iso3" => crate::country::Iso3::new(text).is_some(),
                _ => true,
            };
            let odd = texts.iter().enumerate().find(|(_, text)| text.is_some_and(|text| !fits(text)));
            return odd.map_or(Ok(()), |(row, text)| {
                Err((row as u64, format!("`{}` is no `{name}` of generated rows", Printable(text.unwrap_or_default()))))
            });
        }
        let number = match column.data_type() {
            DataType::Float64 => {
                let least = if name == "fx_margin_pct" { f64::MIN } else { 0.0 };
                let fits = |v: f64| v.is_finite() && v >= least;
                column
                    .as_primitive::<Float64Type>()
                    .iter()
                    .enumerate()
                    .find_map(|(row, v)| Some((row, v.filter(|v| !fits(*v))?)))
            }
            DataType::Date32 => {
                let day = days(self.mark.vintage);
                let all = column.as_primitive::<Date32Type>().iter().enumerate();
                all.flat_map(|(row, v)| Some((row, v?))).find(|(_, v)| *v != day).map(|(row, v)| (row, f64::from(v)))
            }
            _ => None,
        };
        number.map_or(Ok(()), |(row, v)| Err((row as u64, format!("{v} is no `{name}` of generated rows"))))
    }
}

/// Rows that must ascend by some columns.
struct Ascending {
    columns: &'static [&'static str],
    /// Two rows may not be equal.
    strictly: bool,
    converter: RowConverter,
    last: Option<OwnedRow>,
}

impl Ascending {
    fn new(table: &TableDef, columns: &'static [&'static str], strictly: bool) -> Result<Self> {
        let schema = table.schema();
        let field = |name: &&str| Ok(SortField::new(schema.field_with_name(name)?.data_type().clone()));
        let converter = RowConverter::new(columns.iter().map(field).collect::<Result<_>>()?)?;
        Ok(Self { columns, strictly, converter, last: None })
    }

    fn check(&mut self, batch: &RecordBatch) -> Result<(), Wrong> {
        let broken = |e: arrow::error::ArrowError| (0, e.to_string());
        let columns: Vec<_> = self.columns.iter().filter_map(|name| batch.column_by_name(name).cloned()).collect();
        let rows = self.converter.convert_columns(&columns).map_err(broken)?;
        for (number, row) in (0..).zip(&rows) {
            let fits = match (number, &self.last) {
                (0, None) => true,
                (0, Some(last)) => last.row() < row || !self.strictly && last.row() == row,
                _ => {
                    let before = rows.row(number - 1);
                    before < row || !self.strictly && before == row
                }
            };
            if !fits {
                let what =
                    format!("is not in the order of `{}` of generated rows, or twice there", self.columns.join(", "));
                return Err((number as u64, what));
            }
        }
        if let Some(last) = rows.num_rows().checked_sub(1) {
            self.last = Some(rows.row(last).owned());
        }
        Ok(())
    }
}
