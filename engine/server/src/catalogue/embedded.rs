//! The files that are built in: shapes and rows taken from PostgreSQL 15 (`catalogue/README.md`).

use rust_embed::RustEmbed;

use super::error::{CatalogueError, Result};

#[derive(RustEmbed)]
#[folder = "catalogue/"]
struct Files;

/// A table of text: the names of its columns, and its rows. A cell that is empty may stand for NULL.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<csv::StringRecord>,
}

/// Reads a file, named without its ending; `None` if there is no such file.
pub(super) fn sheet(name: &str) -> Result<Option<Sheet>> {
    let file = format!("{name}.csv");
    let Some(bytes) = Files::get(&file) else { return Ok(None) };
    let fault = |e: csv::Error| CatalogueError::File { file: file.clone(), why: e.to_string() };
    let mut reader = csv::Reader::from_reader(bytes.data.as_ref());
    let columns = reader.headers().map_err(fault)?.iter().map(str::to_owned).collect();
    let rows = reader.records().collect::<Result<_, _>>().map_err(fault)?;
    Ok(Some(Sheet { columns, rows }))
}

/// Whether there is a file of the name, which is without its ending.
pub(super) fn has(name: &str) -> bool {
    Files::get(&format!("{name}.csv")).is_some()
}

/// Names of the files without their endings.
#[cfg(test)]
pub(super) fn names() -> Vec<String> {
    Files::iter().filter_map(|f| f.strip_suffix(".csv").map(str::to_owned)).collect()
}
