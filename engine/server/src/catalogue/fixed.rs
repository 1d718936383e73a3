//! Rows that are the same in every database, read once.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arrow::array::RecordBatch;

use super::batch::Rows;
use super::cell::Cell;
use super::embedded;
use super::error::{CatalogueError, Result};
use super::shape::Shape;

static READ: LazyLock<Mutex<HashMap<u32, Arc<RecordBatch>>>> = LazyLock::new(Mutex::default);

/// The fixed rows of a relation; none for most.
pub(super) fn fixed(shape: &Shape) -> Result<Arc<RecordBatch>> {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(batch) = read.get(&shape.oid) {
        return Ok(Arc::clone(batch));
    }
    let batch = Arc::new(rows(shape)?);
    read.insert(shape.oid, Arc::clone(&batch));
    Ok(batch)
}

fn rows(shape: &Shape) -> Result<RecordBatch> {
    let mut rows = Rows::of(shape);
    let name = format!("rows/{}", shape.name);
    if let Some(sheet) = embedded::sheet(&name)? {
        let not_null: Vec<bool> = sheet
            .columns
            .iter()
            .map(|name| {
                let unknown = || CatalogueError::NoColumn { table: shape.name.to_owned(), column: name.clone() };
                shape.columns.iter().find(|c| c.name == *name).map(|c| c.not_null).ok_or_else(unknown)
            })
            .collect::<Result<_>>()?;
        for row in &sheet.rows {
            let cells = sheet.columns.iter().map(String::as_str).zip(row.iter().zip(&not_null));
            rows.push(cells.map(|(name, (value, not_null))| match value {
                // Nothing between two commas is NULL where NULL may be.
                "" if !not_null => (name, Cell::Null),
                _ => (name, Cell::from(value)),
            }));
        }
    }
    rows.finish()
}
