//! Reading the tables of a call.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::common::utils::memory::RecordBatchMemoryCounter;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use envoi_lake::tables::DESCRIPTION;
use futures::StreamExt;

use super::call::Call;
use crate::error::{Error, Result as Own};

/// Rows of a table that are needed to the end; the memory is taken from the pool.
pub(super) struct Held {
    pub(super) batches: Vec<RecordBatch>,
    /// Bytes of the rows; batches may share them.
    size: usize,
    memory: MemoryReservation,
}

impl Held {
    /// Holds all rows and shows each batch once as it comes; `see` returns the bytes that it holds itself by then.
    ///
    /// # Errors
    /// Those of the table and of `see`, and more memory than the pool has left.
    pub(super) async fn all(
        mut table: SendableRecordBatchStream,
        memory: &MemoryReservation,
        mut see: impl FnMut(&RecordBatch) -> Result<usize, DataFusionError>,
    ) -> Result<Self, DataFusionError> {
        let mut held = Self { batches: Vec::new(), size: 0, memory: memory.new_empty() };
        let mut counter = RecordBatchMemoryCounter::new();
        while let Some(batch) = table.next().await {
            let batch = batch?;
            if batch.num_rows() > 0 {
                held.size += counter.count_batch(&batch);
                held.beside(0)?;
                held.beside(see(&batch)?)?;
                held.batches.push(batch);
            }
            // A table that is always ready would keep the thread, and a cancelled query would go on.
            tokio::task::yield_now().await;
        }
        Ok(held)
    }

    /// Takes more, or gives back what is not needed any longer: so many bytes beside the rows.
    pub(super) fn beside(&self, bytes: usize) -> Result<(), DataFusionError> {
        self.memory.try_resize(self.size + bytes)
    }
}

/// The columns of a table that is an argument.
pub(super) fn table<'a>(call: &Call, tables: &'a [SchemaRef], argument: &str) -> Own<&'a Schema> {
    let table = tables.get(call.table(argument)?).map(AsRef::as_ref);
    table.ok_or_else(|| Error::internal(format!("table `{argument}` is not there")))
}

/// A column of the rows, with what users read of it.
pub(super) fn described(name: &str, data_type: DataType, description: &str) -> FieldRef {
    let metadata = HashMap::from([(DESCRIPTION.to_owned(), description.to_owned())]);
    Arc::new(Field::new(name, data_type, true).with_metadata(metadata))
}

/// Columns of the rows by name, type and description.
pub(super) fn all_described(columns: &[(&str, DataType, &str)]) -> Vec<FieldRef> {
    columns.iter().map(|(name, data_type, text)| described(name, data_type.clone(), text)).collect()
}

/// A column as doubles.
pub(super) fn doubles(column: &dyn Array) -> Result<Float64Array, DataFusionError> {
    Ok(cast(column, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

/// A column as texts.
pub(super) fn texts(column: &dyn Array) -> Result<StringArray, DataFusionError> {
    Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// A column of a batch, which has it by the plan.
pub(super) fn column(batch: &RecordBatch, place: usize) -> Result<&ArrayRef, DataFusionError> {
    let missing = || DataFusionError::Internal(format!("a batch has no column {place}"));
    batch.columns().get(place).ok_or_else(missing)
}

/// The values of a column; `None` is NULL.
pub(super) fn values(column: &Float64Array) -> impl Iterator<Item = Option<f64>> + '_ {
    column.iter()
}

/// A column of what may be missing.
pub(super) fn optional(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}
