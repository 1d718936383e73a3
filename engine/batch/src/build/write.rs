//! From sorted rows to files: cut where the partition changes and at a fixed number of rows, so that
//! the same rows give the same bits however they came.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{
    DataType, Date32Type, Field, Int16Type, Int32Type, Int64Type, Schema, SchemaRef, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::Datelike;
use envoi::lake::lake::{DataFile, Stage, encode};
use envoi::{Answer, Class, Error, Granularity, Result};
use tokio::task::JoinHandle;

use crate::plan::Days;
use crate::plan::spans::{begin, day, number};

/// Rows of a file, one row group; files are packed side by side.
const ROWS: usize = 1 << 20;

/// Files that partitions may make: a column that is a key would make one of each row.
const PARTS: usize = 10_000;

/// Name of the partition of rows without a time.
pub(crate) const NULLS: &str = "null";

/// The same of a partition of values, as Hive calls it and others read it.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// A value as part of a path: Hive, Arrow and others write it so, and read it back.
fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => text.push(char::from(byte)),
            _ => text += &format!("%{byte:02X}"),
        }
    }
    text
}

/// How rows go into files.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// Columns that the rows are sorted by.
    pub(super) sort: Vec<String>,
    /// Columns of partitions.
    pub(super) parts: Vec<String>,
    /// Their length, where the one is a time.
    pub(super) every: Option<Granularity>,
    /// The partitions that may come.
    pub(super) within: Option<Days>,
}

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) files: Vec<DataFile>,
    pub(super) schema: SchemaRef,
}

/// Writes all rows of an answer; `held` are the files of the version before.
pub(super) async fn write(
    mut answer: Answer,
    layout: &Layout,
    stage: &Stage,
    model: &str,
    held: &[DataFile],
    packers: usize,
) -> Result<Written> {
    let schema = plain(&answer.schema);
    let mut out = Out {
        layout,
        stage,
        model,
        held: Arc::new(held.to_vec()),
        schema: Arc::clone(&schema),
        packers,
        part: String::new(),
        parts: Parts::default(),
        rows: Vec::new(),
        waiting: 0,
        packing: Vec::new(),
        files: Vec::new(),
    };
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        let batch = RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec()).map_err(bug)?;
        out.take(batch).await?;
    }
    if out.files.is_empty() && out.packing.is_empty() {
        // A table without rows has its columns all the same.
        out.flush(out.rows.is_empty()).await?;
    } else {
        out.flush(false).await?;
    }
    while !out.packing.is_empty() {
        out.finish_first().await?;
    }
    let files = std::mem::take(&mut out.files);
    Ok(Written { files, schema })
}

fn bug(e: arrow::error::ArrowError) -> Error {
    Error::new(Class::Internal, format!("internal error, please report: {e}"))
}

/// Columns that may be empty, without what is said of them: that stands in the manifest.
pub(crate) fn plain(schema: &Schema) -> SchemaRef {
    let field = |f: &Arc<Field>| Field::new(f.name(), f.data_type().clone(), true);
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

/// Partitions so far.
#[derive(Debug, Default)]
struct Parts(usize);

impl Parts {
    fn add(&mut self, columns: &[String]) -> Result<()> {
        self.0 += 1;
        if self.0 <= PARTS {
            return Ok(());
        }
        let what = format!("`{}` divides the rows into more than {PARTS} partitions", columns.join("`, `"));
        let hint = "each has a file of its own; partition by a column of fewer values, or by a longer span";
        Err(Error::user(what).with_hint(hint))
    }
}

type Packing = JoinHandle<envoi::lake::Result<DataFile>>;

struct Out<'a> {
    layout: &'a Layout,
    stage: &'a Stage,
    model: &'a str,
    held: Arc<Vec<DataFile>>,
    schema: SchemaRef,
    packers: usize,
    part: String,
    parts: Parts,
    rows: Vec<RecordBatch>,
    waiting: usize,
    packing: Vec<Packing>,
    files: Vec<DataFile>,
}

impl Out<'_> {
    async fn take(&mut self, batch: RecordBatch) -> Result<()> {
        let labels = labels(&batch, self.layout)?;
        let mut at = 0;
        while at < batch.num_rows() {
            let (until, part) = match &labels {
                None => (batch.num_rows(), String::new()),
                Some(labels) => {
                    let part = labels.get(at).cloned().unwrap_or_default();
                    let more = labels.iter().skip(at).take_while(|l| **l == part).count();
                    (at + more, part)
                }
            };
            if part != self.part {
                self.flush(false).await?;
                self.part = part;
                self.parts.add(&self.layout.parts)?;
            }
            let room = ROWS - self.waiting;
            let count = (until - at).min(room);
            self.rows.push(batch.slice(at, count));
            self.waiting += count;
            at += count;
            if self.waiting == ROWS {
                self.flush(false).await?;
            }
        }
        Ok(())
    }

    /// Packs what waits; with `empty` also nothing.
    async fn flush(&mut self, empty: bool) -> Result<()> {
        if self.waiting == 0 && !empty {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        self.waiting = 0;
        if self.packing.len() >= self.packers {
            self.finish_first().await?;
        }
        let (schema, sort, part) = (Arc::clone(&self.schema), self.layout.sort.clone(), self.part.clone());
        let (stage, model, held) = (self.stage.clone(), self.model.to_owned(), Arc::clone(&self.held));
        self.packing.push(tokio::spawn(async move {
            let packed = tokio::task::spawn_blocking(move || {
                let whole = concat_batches(&schema, &rows)?;
                let sort: Vec<&str> = sort.iter().map(String::as_str).collect();
                Ok((whole.num_rows() as u64, encode(&whole, &sort)?))
            });
            let (rows, bytes) = packed.await.unwrap_or_else(|e| Err(envoi::lake::Error::Internal(e.to_string())))?;
            stage.put(&model, &part, rows, bytes, &held).await
        }));
        Ok(())
    }

    async fn finish_first(&mut self) -> Result<()> {
        if !self.packing.is_empty() {
            let file = self.packing.remove(0).await.map_err(|e| Error::new(Class::Internal, e.to_string()))??;
            self.files.push(file);
        }
        Ok(())
    }
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        for packing in &self.packing {
            packing.abort();
        }
    }
}

/// The partition of each row; `None` where the table has none.
fn labels(batch: &RecordBatch, layout: &Layout) -> Result<Option<Vec<String>>> {
    if layout.parts.is_empty() {
        return Ok(None);
    }
    if let (Some(every), [part]) = (layout.every, layout.parts.as_slice()) {
        let column = batch.column_by_name(part);
        let days = column.and_then(|c| days(c.as_ref())).ok_or_else(|| {
            Error::user(format!("column `{part}` says no partition; expected a date, a time or a year"))
        })?;
        let mut labels: Vec<String> = Vec::with_capacity(days.len());
        let mut last: Option<(Option<i64>, String)> = None;
        for found in days {
            let first = found.map(|d| begin(d, every));
            if let Some((known, label)) = &last
                && *known == first
            {
                labels.push(label.clone());
                continue;
            }
            let label = first.map_or_else(|| NULLS.to_owned(), |d| day(d).to_string());
            if let Some(within) = &layout.within
                && !within.has(first)
            {
                return Err(Error::user(format!(
                    "the query gives rows of partition {label} from input of other partitions"
                )));
            }
            labels.push(label.clone());
            last = Some((first, label));
        }
        return Ok(Some(labels));
    }
    let options = FormatOptions::default();
    let mut columns = Vec::new();
    for part in &layout.parts {
        let column = batch
            .column_by_name(part)
            .ok_or_else(|| Error::user(format!("there is no column `{part}` to partition by")))?;
        columns.push((encoded(part), column, ArrayFormatter::try_new(column.as_ref(), &options).map_err(bug)?));
    }
    let label = |row: usize| {
        let cells = columns.iter().map(|(name, column, cells)| match column.is_null(row) {
            true => format!("{name}={NO_VALUE}"),
            false => format!("{name}={}", encoded(&cells.value(row).to_string())),
        });
        cells.collect::<Vec<_>>().join("/")
    };
    Ok(Some((0..batch.num_rows()).map(label).collect()))
}

/// Days since 1970 of a column of dates, times or years.
fn days(column: &dyn Array) -> Option<Vec<Option<i64>>> {
    const DAY: i64 = 86_400;
    let years = |year: i64| {
        i32::try_from(year).ok().and_then(|y| chrono::NaiveDate::from_ymd_opt(y, 1, 1)).map(|d| {
            debug_assert_eq!(i64::from(d.year()), year);
            number(d)
        })
    };
    let scaled = |value: Option<i64>, per_second: i64| value.map(|v| v.div_euclid(per_second * DAY));
    Some(match column.data_type() {
        DataType::Date32 => column.as_primitive::<Date32Type>().iter().map(|d| d.map(i64::from)).collect(),
        DataType::Timestamp(TimeUnit::Second, _) => {
            column.as_primitive::<TimestampSecondType>().iter().map(|t| scaled(t, 1)).collect()
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            column.as_primitive::<TimestampMillisecondType>().iter().map(|t| scaled(t, 1_000)).collect()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            column.as_primitive::<TimestampMicrosecondType>().iter().map(|t| scaled(t, 1_000_000)).collect()
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            column.as_primitive::<TimestampNanosecondType>().iter().map(|t| scaled(t, 1_000_000_000)).collect()
        }
        DataType::Int64 => column.as_primitive::<Int64Type>().iter().map(|y| y.and_then(years)).collect(),
        DataType::Int32 => column.as_primitive::<Int32Type>().iter().map(|y| y.and_then(|y| years(y.into()))).collect(),
        DataType::Int16 => column.as_primitive::<Int16Type>().iter().map(|y| y.and_then(|y| years(y.into()))).collect(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_for_each_row_is_a_mistake() {
        let (mut parts, columns) = (Parts::default(), ["k".to_owned()]);
        assert!((0..PARTS).all(|_| parts.add(&columns).is_ok()));
        let told = parts.add(&columns).unwrap_err().to_string();
        assert!(told.contains("`k` divides the rows into more than 10000 partitions"), "{told}");
    }

    #[test]
    fn values_are_parts_of_paths() {
        let check = |value: &str, expected: &str| assert_eq!(encoded(value), expected);
        check("2024-01-01 05:00", "2024-01-01%2005%3A00");
        check("a/b=c%", "a%2Fb%3Dc%25");
        check("Côte", "C%C3%B4te");
        check("-1.5_x", "-1.5_x");
    }
}
