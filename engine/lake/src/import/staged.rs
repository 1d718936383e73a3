//! The publisher's shape as a table of text, kept for audit.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};

use super::importer::Staged;
use crate::error::Result;
use crate::read::{Cell, Grid, Row};

/// A grid below its header as a staging table: one text column per header cell,
/// exactly as written, and `file_row`, the row of the file. Blank is NULL.
pub fn stage(name: &str, grid: &Grid, header: &Row, rows: &[Row]) -> Result<Staged> {
    let width = rows.iter().map(|r| r.cells.len()).max().unwrap_or(0).max(header.cells.len());
    let mut fields = vec![Field::new("file_row", DataType::Int64, false)];
    let numbers: Int64Array = rows.iter().map(|r| i64::try_from(r.number).ok()).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(numbers)];
    let mut taken = HashSet::from(["file_row".to_owned()]);
    for index in 0..width {
        // The phantom column after a trailing comma holds nothing.
        if header.cell(index).is_blank() && rows.iter().all(|r| r.cell(index).is_blank()) {
            continue;
        }
        fields.push(Field::new(column_name(&header.cell(index).text(), index, &mut taken), DataType::Utf8, true));
        let mut values = StringBuilder::new();
        for row in rows {
            match row.cell(index) {
                Cell::Empty => values.append_null(),
                Cell::Text(t) if t.is_empty() => values.append_null(),
                cell => values.append_value(cell.text()),
            }
        }
        columns.push(Arc::new(values.finish()));
    }
    let metadata =
        [("file".to_owned(), grid.file.clone()), ("sheet".to_owned(), grid.sheet.clone().unwrap_or_default())];
    let schema = Schema::new_with_metadata(fields, metadata.into());
    Ok(Staged { name: table_name(name), batch: RecordBatch::try_new(Arc::new(schema), columns)? })
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
