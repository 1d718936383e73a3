//! How rows become a Parquet file of the lake.
//!
//! Sorted by the columns queries filter on, with statistics per page, so that a
//! point lookup reads one page of one row group instead of the file. The figures
//! behind the settings stand at [`properties`].

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, UInt32Array};
use arrow::compute::{SortColumn, lexsort_to_indices, take};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::error::{Error, Result};
use crate::tables::TableDef;

/// Settings of the lake's files.
///
/// Row groups of 1 Mi rows: on a 10 million row table groups of 128 Ki rows make
/// files 28 % larger and no query faster; a lake file is mostly one group, and
/// pruning is by page. Pages of at most 8,192 rows: the batch size of the
/// engine, so a lookup decodes one batch. zstd level 3: lz4 or none scan up to
/// twice as fast on wide text but need 50 to 130 % more bytes, and the lake's
/// facts are read by key. Dictionaries stay on and plain encoding behind them:
/// DELTA and BYTE_STREAM_SPLIT on money and ids scan at half the speed and
/// are 18 % larger.
fn properties(sorting: Vec<SortingColumn>) -> std::result::Result<WriterProperties, ParquetError> {
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(1 << 20))
        .set_data_page_row_count_limit(8192)
        .set_write_batch_size(8192)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_sorting_columns(if sorting.is_empty() { None } else { Some(sorting) })
        // The version of the writer would change the bytes of equal content.
        .set_created_by("envoi".to_owned())
        .build())
}

/// Rows of a table in its sort order, with the order they were given in.
pub struct Sorted {
    /// The rows.
    pub batch: RecordBatch,
    /// For each row its index in the input.
    pub order: UInt32Array,
}

/// Sorts rows by the table's sort columns.
pub fn sort(table: &TableDef, batch: &RecordBatch) -> Result<Sorted> {
    let columns: Vec<SortColumn> = table
        .sort
        .iter()
        .chain(table.key)
        .map(|name| column(batch, name).map(|values| SortColumn { values, options: None }))
        .collect::<Result<_>>()?;
    let order = lexsort_to_indices(&columns, None)?;
    let sorted = batch.columns().iter().map(|c| take(c, &order, None)).collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(Sorted { batch: RecordBatch::try_new(batch.schema(), sorted)?, order })
}

/// The first two rows, as indices of the input, that share the table's key.
pub fn duplicate(table: &TableDef, rows: &Sorted) -> Result<Option<(usize, usize)>> {
    let keys = table.key.iter().map(|name| column(&rows.batch, name)).collect::<Result<Vec<_>>>()?;
    let fields = keys.iter().map(|k| SortField::new(k.data_type().clone())).collect();
    let converter = RowConverter::new(fields)?;
    let keys = converter.convert_columns(&keys)?;
    let mut seen = std::collections::HashMap::with_capacity(keys.num_rows());
    for (index, key) in keys.iter().enumerate() {
        if let Some(first) = seen.insert(key, index) {
            let given = |i: usize| rows.order.value(i) as usize;
            let (a, b) = (given(first), given(index));
            return Ok(Some((a.min(b), a.max(b))));
        }
    }
    Ok(None)
}

fn column(batch: &RecordBatch, name: &str) -> Result<Arc<dyn Array>> {
    batch.column_by_name(name).cloned().ok_or_else(|| Error::Internal(format!("no column `{name}` to sort by")))
}

/// A Parquet file in memory that takes rows of `schema` as they come, for tables
/// that are not sorted; what it has taken it holds compressed.
pub fn writer(schema: SchemaRef) -> Result<ArrowWriter<Vec<u8>>> {
    Ok(ArrowWriter::try_new(Vec::new(), schema, Some(properties(Vec::new())?))?)
}

/// A Parquet file that takes rows of a table as they come, which must be in the table's order.
pub(crate) fn file_writer<W: Write + Send>(
    to: W,
    table: &TableDef,
) -> std::result::Result<ArrowWriter<W>, ParquetError> {
    let schema = table.schema();
    let columns = table.sort.iter().map(|name| schema.index_of(name)).collect::<std::result::Result<Vec<_>, _>>()?;
    ArrowWriter::try_new(to, schema, Some(properties(columns.into_iter().map(ascending).collect())?))
}

fn ascending(column: usize) -> SortingColumn {
    // A table of more columns than that there is not.
    SortingColumn { column_idx: i32::try_from(column).unwrap_or(i32::MAX), descending: false, nulls_first: true }
}

/// Writes rows as one Parquet file in memory; `sort` names the columns they are sorted by.
pub fn encode(batch: &RecordBatch, sort: &[&str]) -> Result<Bytes> {
    let schema: SchemaRef = batch.schema();
    let sorting = sort.iter().map(|name| Ok(ascending(schema.index_of(name)?))).collect::<Result<Vec<_>>>()?;
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties(sorting)?))?;
    writer.write(batch)?;
    Ok(Bytes::from(writer.into_inner()?))
}
