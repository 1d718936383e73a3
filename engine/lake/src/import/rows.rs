//! Rows of a lake table as an importer makes them, each with its place in the file.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder,
};
use arrow::datatypes::DataType;
use chrono::{Datelike, NaiveDate};

use crate::error::{Error, Place, Result};
use crate::tables::TableDef;

/// A value of a cell of a lake table.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// Missing.
    Null,
    /// Text.
    Text(&'a str),
    /// Text that may be missing.
    MaybeText(Option<&'a str>),
    /// A number.
    Number(f64),
    /// A number that may be missing.
    MaybeNumber(Option<f64>),
    /// Yes or no, or not known.
    MaybeFlag(Option<bool>),
    /// A year or other small integer.
    Integer(i32),
    /// A count.
    Count(i64),
    /// A day.
    Date(NaiveDate),
    /// A day that may be missing.
    MaybeDate(Option<NaiveDate>),
}

#[derive(Debug)]
enum Column {
    Text(StringBuilder),
    Number(Float64Builder),
    Integer(Int32Builder),
    Count(Int64Builder),
    Date(Date32Builder),
    Flag(BooleanBuilder),
}

/// Rows of one series of one table, in the order they were read.
#[derive(Debug)]
pub struct Rows {
    /// The table.
    pub table: &'static TableDef,
    /// What editions replace one another in.
    pub series: String,
    columns: Vec<Column>,
    /// Row of the file, and which of `places` is the column, for each row here.
    origins: Vec<(u64, u32)>,
    places: Vec<String>,
}

impl Rows {
    /// No rows yet.
    pub fn new(table: &'static TableDef, series: impl Into<String>) -> Self {
        let column = |data_type: &DataType| match data_type {
            DataType::Float64 => Column::Number(Float64Builder::new()),
            DataType::Int32 => Column::Integer(Int32Builder::new()),
            DataType::Int64 => Column::Count(Int64Builder::new()),
            DataType::Date32 => Column::Date(Date32Builder::new()),
            DataType::Boolean => Column::Flag(BooleanBuilder::new()),
            _ => Column::Text(StringBuilder::new()),
        };
        let columns = table.columns.iter().map(|c| column(&c.data_type)).collect();
        Self { table, series: series.into(), columns, origins: Vec::new(), places: Vec::new() }
    }

    /// Adds a row; `row` and `column` say where in the file it stands.
    pub fn push(&mut self, row: u64, column: &str, values: &[Value<'_>]) -> Result<()> {
        if values.len() != self.columns.len() {
            return Err(Error::Internal(format!(
                "`{}` has {} columns, a row has {}",
                self.table.name,
                self.columns.len(),
                values.len()
            )));
        }
        for ((builder, value), def) in self.columns.iter_mut().zip(values).zip(self.table.columns) {
            match (builder, *value) {
                (Column::Text(b), Value::Text(v)) => b.append_value(v),
                (Column::Text(b), Value::MaybeText(v)) => b.append_option(v),
                (Column::Text(b), Value::Null) => b.append_null(),
                (Column::Number(b), Value::Number(v)) => b.append_value(v),
                (Column::Number(b), Value::MaybeNumber(v)) => b.append_option(v),
                (Column::Number(b), Value::Null) => b.append_null(),
                (Column::Flag(b), Value::MaybeFlag(v)) => b.append_option(v),
                (Column::Flag(b), Value::Null) => b.append_null(),
                (Column::Integer(b), Value::Integer(v)) => b.append_value(v),
                (Column::Count(b), Value::Count(v)) => b.append_value(v),
                (Column::Date(b), Value::Date(v)) => b.append_value(days(v)),
                (Column::Date(b), Value::MaybeDate(v)) => b.append_option(v.map(days)),
                (Column::Date(b), Value::Null) => b.append_null(),
                (_, value) => {
                    return Err(Error::Internal(format!("`{}.{}` cannot hold {value:?}", self.table.name, def.name)));
                }
            }
        }
        // Columns come in the same order in every row: the next one is most often right.
        let next = self.origins.last().map_or(0, |(_, last)| *last as usize + 1);
        let is = |place: Option<&String>| place.is_some_and(|p| p == column);
        let found = [next, 0].into_iter().find(|at| is(self.places.get(*at)));
        let at = match found.or_else(|| self.places.iter().position(|p| p == column)) {
            Some(at) => at,
            None => {
                self.places.push(column.to_owned());
                self.places.len() - 1
            }
        };
        self.origins.push((row, at as u32));
        Ok(())
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.origins.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// Sorts the rows and refuses two of one key; `place` is the file or sheet they come from.
    pub fn finish(mut self, place: &Place) -> Result<RecordBatch> {
        let arrays: Vec<ArrayRef> = self
            .columns
            .iter_mut()
            .map(|c| -> ArrayRef {
                match c {
                    Column::Text(b) => Arc::new(b.finish()),
                    Column::Number(b) => Arc::new(b.finish()),
                    Column::Integer(b) => Arc::new(b.finish()),
                    Column::Count(b) => Arc::new(b.finish()),
                    Column::Date(b) => Arc::new(b.finish()),
                    Column::Flag(b) => Arc::new(b.finish()),
                }
            })
            .collect();
        let batch = RecordBatch::try_new(self.table.schema(), arrays)?;
        let sorted = crate::lake::sort(self.table, &batch)?;
        if let Some((first, second)) = crate::lake::duplicate(self.table, &sorted)? {
            return Err(self.duplicate(&batch, first, second, place));
        }
        Ok(sorted.batch)
    }

    fn duplicate(&self, batch: &RecordBatch, first: usize, second: usize, place: &Place) -> Error {
        let key = key_of(self.table, batch, second);
        let origin = |i: usize| self.origins.get(i).copied().unwrap_or_default();
        let ((row, _), (again, column)) = (origin(first), origin(second));
        let column = self.places.get(column as usize).map_or("", String::as_str);
        Error::data(
            place.clone().row(again).column(column),
            format!("duplicate key ({key}): row {row} has it already; remove one of the two"),
        )
    }
}

/// The key of a row in words, for messages.
pub(super) fn key_of(table: &TableDef, batch: &RecordBatch, row: usize) -> String {
    let value = |name: &&str| {
        let column = batch.column_by_name(name);
        let value = column.and_then(|c| arrow::util::display::array_value_to_string(c, row).ok());
        format!("{name} {}", value.unwrap_or_default())
    };
    table.key.iter().map(value).collect::<Vec<_>>().join(", ")
}

/// Days since 1970, as Arrow counts them.
pub(crate) fn days(day: NaiveDate) -> i32 {
    const UNIX_EPOCH_FROM_CE: i32 = 719_163;
    day.num_days_from_ce() - UNIX_EPOCH_FROM_CE
}
