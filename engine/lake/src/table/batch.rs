//! Columns as Arrow arrays. A number is never rounded on the way.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float64Array, Int32Array, Int64Array,
    StringArray,
};
use arrow::datatypes::{Field, Schema, i256};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use chrono::NaiveDate;

use super::exact::number_kind;
use super::{Column, ColumnKind, Table};
use crate::error::{Error, Result};

impl Table {
    /// The table as it stands: one array per column; right after a column with flags
    /// its `<name>_flag`, after a period column `<name>_text` (as written), `<name>_start`,
    /// `<name>_end` (days) and `<name>_grain`; last `is_aggregate` where any row is one.
    /// Text is Utf8, whole numbers Int64, exact floats Float64, other numbers
    /// Decimal128 or Decimal256, days Date32.
    ///
    /// # Errors
    /// `Error::Internal` only, for a value that its kind does not admit.
    pub fn to_record_batch(&self) -> Result<RecordBatch> {
        let mut out = Out::new(self.columns.iter().map(|c| c.name.as_str()));
        for column in &self.columns {
            push_column(&mut out, column, 1, false)?;
        }
        self.push_aggregates(&mut out, 1);
        out.finish(self.rows())
    }

    /// A wide table in long form: the other columns, then `series` (only if headers
    /// have a part above the year), `year` (Int32), `value`, and `value_flag` where any
    /// is flagged; one row per row and year column, rows first. `None` if not wide.
    ///
    /// # Errors
    /// As [`Table::to_record_batch`].
    pub fn to_long_record_batch(&self) -> Result<Option<RecordBatch>> {
        let wide = self.year_columns();
        if wide.is_empty() {
            return Ok(None);
        }
        let others = || self.columns.iter().filter(|c| !wide.iter().any(|(w, _)| std::ptr::eq(*w, *c)));
        let mut out = Out::new(others().map(|c| c.name.as_str()));
        for column in others() {
            push_column(&mut out, column, wide.len(), false)?;
        }
        self.push_aggregates(&mut out, wide.len());
        let series: Vec<Option<&str>> =
            wide.iter().map(|(c, _)| c.name.rsplit_once('/').map(|(series, _)| series)).collect();
        let rows = self.rows();
        if series.iter().any(Option::is_some) {
            let all = StringArray::from_iter((0..rows).flat_map(|_| series.iter().copied()));
            out.push("series", Arc::new(all), true);
        }
        out.push("year", Arc::new(Int32Array::from_iter((0..rows).flat_map(|_| wide.iter().map(|(_, y)| *y)))), true);
        let interleave = |get: fn(&Column, usize) -> Option<String>| -> Vec<Option<String>> {
            (0..rows).flat_map(|row| wide.iter().map(move |(c, _)| get(c, row))).collect()
        };
        let values = interleave(|c, row| c.values[row].clone());
        let value = Column {
            name: "value".to_owned(),
            kind: widest(&wide, &values),
            values,
            flags: interleave(|c, row| c.flags[row].clone()),
            periods: Vec::new(),
            written: Vec::new(),
        };
        push_column(&mut out, &value, 1, true)?;
        out.finish(self.long_rows()).map(Some)
    }

    fn push_aggregates(&self, out: &mut Out, times: usize) {
        if !self.is_aggregate.is_empty() {
            let all: Vec<bool> = self.is_aggregate.iter().flat_map(|&a| std::iter::repeat_n(a, times)).collect();
            out.push("is_aggregate", Arc::new(BooleanArray::from(all)), true);
        }
    }
}

/// The kind that holds all values of the columns exactly; text where they do not mix.
fn widest(columns: &[(&Column, i32)], values: &[Option<String>]) -> ColumnKind {
    use ColumnKind::{Decimal, Integer, Number, Text};
    match columns {
        [] => Text,
        all if all.iter().all(|(c, _)| matches!(c.kind, Integer | Number | Decimal { .. })) => {
            number_kind(values).unwrap_or(Text)
        }
        // Periods are text with columns of their own, which the long form leaves out.
        [(first, _), rest @ ..]
            if first.kind != ColumnKind::Period && rest.iter().all(|(c, _)| c.kind == first.kind) =>
        {
            first.kind
        }
        _ => Text,
    }
}

/// Fields and arrays with names kept apart.
struct Out {
    taken: HashSet<String>,
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Out {
    fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self { taken: names.map(str::to_lowercase).collect(), fields: Vec::new(), arrays: Vec::new() }
    }

    /// Adds an array; a derived name that a column of the file has gets `_2`.
    fn push(&mut self, name: &str, array: ArrayRef, derived: bool) {
        let mut name = name.to_owned();
        if derived {
            let (base, mut n) = (name.clone(), 2);
            while !self.taken.insert(name.to_lowercase()) {
                name = format!("{base}_{n}");
                n += 1;
            }
        }
        self.fields.push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(array);
    }

    fn finish(self, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(self.fields)), self.arrays, &options)?)
    }
}

fn push_column(out: &mut Out, column: &Column, times: usize, derived: bool) -> Result<()> {
    let rows = column.values.len();
    let spread = move || (0..rows).flat_map(move |row| std::iter::repeat_n(row, times));
    let texts =
        |of: &[Option<String>]| -> ArrayRef { Arc::new(StringArray::from_iter(spread().map(|r| of[r].as_deref()))) };
    let values = || spread().map(|r| column.values[r].as_deref());
    let name = &column.name;
    let array: ArrayRef = match column.kind {
        ColumnKind::Text | ColumnKind::Period => texts(&column.values),
        ColumnKind::Integer => {
            Arc::new(parsed(values(), name, |v| v.parse().ok())?.into_iter().collect::<Int64Array>())
        }
        ColumnKind::Number => {
            Arc::new(parsed(values(), name, |v| v.parse().ok())?.into_iter().collect::<Float64Array>())
        }
        ColumnKind::Boolean => {
            Arc::new(parsed(values(), name, |v| Some(v == "TRUE"))?.into_iter().collect::<BooleanArray>())
        }
        ColumnKind::Date => {
            Arc::new(parsed(values(), name, |v| v.parse().ok().map(days))?.into_iter().collect::<Date32Array>())
        }
        ColumnKind::Decimal { precision, scale } if precision <= 38 => {
            let all: Decimal128Array =
                parsed(values(), name, |v| unscaled(v, scale)?.parse::<i128>().ok())?.into_iter().collect();
            Arc::new(all.with_precision_and_scale(precision, scale)?)
        }
        ColumnKind::Decimal { precision, scale } => {
            let all: Decimal256Array =
                parsed(values(), name, |v| i256::from_string(&unscaled(v, scale)?))?.into_iter().collect();
            Arc::new(all.with_precision_and_scale(precision, scale)?)
        }
    };
    out.push(name, array, derived);
    if column.has_flags() {
        out.push(&format!("{name}_flag"), texts(&column.flags), true);
    }
    if column.kind == ColumnKind::Period {
        let period = |r: usize| column.periods.get(r).and_then(Option::as_ref);
        out.push(&format!("{name}_text"), texts(&column.written), true);
        let start = Date32Array::from_iter(spread().map(|r| period(r).and_then(|p| p.start).map(days)));
        out.push(&format!("{name}_start"), Arc::new(start), true);
        let end = Date32Array::from_iter(spread().map(|r| period(r).and_then(|p| p.end).map(days)));
        out.push(&format!("{name}_end"), Arc::new(end), true);
        let grain = StringArray::from_iter(spread().map(|r| period(r).map(|p| p.grain.name())));
        out.push(&format!("{name}_grain"), Arc::new(grain), true);
    }
    Ok(())
}

fn parsed<'a, T>(
    values: impl Iterator<Item = Option<&'a str>>,
    column: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<Option<T>>> {
    let wrong = |v: &str| Error::Internal(format!("column `{column}` holds `{v}` against its kind"));
    values.map(|v| v.map(|v| parse(v).ok_or_else(|| wrong(v))).transpose()).collect()
}

/// Days since 1970-01-01, as Arrow counts them.
fn days(date: NaiveDate) -> i32 {
    arrow::datatypes::Date32Type::from_naive_date(date)
}

/// The digits of a decimal shifted left by `scale`.
fn unscaled(value: &str, scale: i8) -> Option<String> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let zeros = usize::try_from(scale).ok()?.checked_sub(fraction.len())?;
    Some(format!("{whole}{fraction}{}", "0".repeat(zeros)))
}
