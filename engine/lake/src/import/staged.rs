//! The publisher's shape as a table of text, kept for audit.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayBuilder, ArrayRef, Int64Array, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;

use super::importer::{Staged, StagedRows};
use crate::error::Result;
use crate::read::{Cell, Grid, Row};

/// A grid below its header as a staging table: one text column per header cell,
/// exactly as written, and `file_row`, the row of the file. Blank is NULL.
pub fn stage<R: Borrow<Row>>(name: &str, grid: &Grid, header: &Row, rows: &[R]) -> Result<Staged> {
    let rows = || rows.iter().map(Borrow::borrow);
    let width = rows().map(|r: &Row| r.cells.len()).max().unwrap_or(0).max(header.cells.len());
    let mut fields = vec![Field::new("file_row", DataType::Int64, false)];
    let numbers: Int64Array = rows().map(|r| i64::try_from(r.number).ok()).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(numbers)];
    let mut taken = HashSet::from(["file_row".to_owned()]);
    for index in 0..width {
        // The phantom column after a trailing comma holds nothing.
        if header.cell(index).is_blank() && rows().all(|r| r.cell(index).is_blank()) {
            continue;
        }
        fields.push(Field::new(column_name(&header.cell(index).text(), index, &mut taken), DataType::Utf8, true));
        let mut values = StringBuilder::new();
        for row in rows() {
            append(&mut values, row.cell(index));
        }
        columns.push(Arc::new(values.finish()));
    }
    let schema = Schema::new_with_metadata(fields, origin(grid));
    Ok(Staged::of(table_name(name), RecordBatch::try_new(Arc::new(schema), columns)?))
}

/// A staging table as [`stage`] makes it, written row by row for sheets that do not
/// fit into memory. Cells beyond the header go to `beyond_header`, each with the
/// number of its column.
pub struct StageWriter {
    name: String,
    schema: SchemaRef,
    writer: ArrowWriter<Vec<u8>>,
    numbers: Int64Builder,
    cells: Vec<StringBuilder>,
    beyond: StringBuilder,
    rows: u64,
}

impl StageWriter {
    /// Rows written at once: some megabytes of the widest sheets.
    const CHUNK: usize = 8192;

    /// A table of no rows yet, with the columns of `header`.
    pub fn new(name: &str, grid: &Grid, header: &Row) -> Result<Self> {
        let mut taken = HashSet::from(["file_row".to_owned(), "beyond_header".to_owned()]);
        let mut fields = vec![Field::new("file_row", DataType::Int64, false)];
        let names = header.cells.iter().enumerate().map(|(i, cell)| column_name(&cell.text(), i, &mut taken));
        fields.extend(names.map(|name| Field::new(name, DataType::Utf8, true)));
        fields.push(Field::new("beyond_header", DataType::Utf8, true));
        let schema = Arc::new(Schema::new_with_metadata(fields, origin(grid)));
        Ok(Self {
            name: table_name(name),
            writer: crate::lake::writer(Arc::clone(&schema))?,
            schema,
            numbers: Int64Builder::new(),
            cells: header.cells.iter().map(|_| StringBuilder::new()).collect(),
            beyond: StringBuilder::new(),
            rows: 0,
        })
    }

    /// Adds a row.
    pub fn push(&mut self, row: &Row) -> Result<()> {
        self.numbers.append_option(i64::try_from(row.number).ok());
        for (index, values) in self.cells.iter_mut().enumerate() {
            append(values, row.cell(index));
        }
        let beyond = row.cells.iter().enumerate().skip(self.cells.len()).filter(|(_, cell)| !cell.is_blank());
        let beyond: Vec<String> = beyond.map(|(i, cell)| format!("{}={}", i + 1, cell.text())).collect();
        self.beyond.append_option(Some(beyond.join("; ")).filter(|text| !text.is_empty()));
        self.rows += 1;
        if self.numbers.len() >= Self::CHUNK { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.numbers.finish())];
        columns.extend(self.cells.iter_mut().map(|values| -> ArrayRef { Arc::new(values.finish()) }));
        columns.push(Arc::new(self.beyond.finish()));
        Ok(self.writer.write(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?)?)
    }

    /// The table.
    pub fn finish(mut self) -> Result<Staged> {
        self.write()?;
        let bytes = self.writer.into_inner()?.into();
        Ok(Staged { name: self.name, content: StagedRows::Parquet { rows: self.rows, bytes } })
    }
}

fn origin(grid: &Grid) -> HashMap<String, String> {
    [("file".to_owned(), grid.file.clone()), ("sheet".to_owned(), grid.sheet.clone().unwrap_or_default())].into()
}

fn append(values: &mut StringBuilder, cell: &Cell) {
    match cell {
        Cell::Empty => values.append_null(),
        Cell::Text(text) if text.is_empty() => values.append_null(),
        Cell::Text(text) => values.append_value(text),
        cell => values.append_value(cell.text()),
    }
}

fn column_name(text: &str, index: usize, taken: &mut HashSet<String>) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let base = if text.is_empty() { format!("column_{}", index + 1) } else { text.to_lowercase().replace(' ', "_") };
    let mut name = base.clone();
    let mut again = 2;
    while !taken.insert(name.clone()) {
        name = format!("{base}_{again}");
        again += 1;
    }
    name
}

/// A name for SQL: lower case letters, digits and underscores, not beginning with a digit.
pub fn table_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
    }
    let name = name.trim_end_matches('_');
    match name.chars().next() {
        None => "table".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("t_{name}"),
        Some(_) => name.to_owned(),
    }
}
