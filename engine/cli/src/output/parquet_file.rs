//! Parquet.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::{Out, OutputError, ResultWriter, unique_names};

/// Rows held before a row group is written: large enough for readers to skip
/// by statistics, small enough that a wide result stays within memory.
const ROW_GROUP: usize = 256 * 1024;

/// A Parquet file whose Arrow schema keeps units, sources and licences.
pub(super) struct ParquetFile<'a> {
    writer: ArrowWriter<Out<'a>>,
    schema: SchemaRef,
    rows: u64,
}

impl<'a> ParquetFile<'a> {
    pub(super) fn new(schema: &SchemaRef, out: Out<'a>) -> Result<Self, OutputError> {
        let schema = unique_names(schema);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .build();
        let writer = ArrowWriter::try_new(out, SchemaRef::clone(&schema), Some(properties))?;
        Ok(Self { writer, schema, rows: 0 })
    }
}

impl ResultWriter for ParquetFile<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        self.writer.write(&batch.clone().with_schema(SchemaRef::clone(&self.schema))?)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(&mut self) -> Result<u64, OutputError> {
        self.writer.finish()?;
        Ok(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{sample, written};
    use super::super::{Format, Look, unit};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use std::io::Write;

    #[test]
    fn rows_and_units_survive() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&written(Format::Parquet, Look::default())).unwrap();
        let mut reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        let batch = reader.next().unwrap().unwrap();
        assert_eq!(batch.columns()[..3], sample().columns()[..3]);
        assert_eq!(unit(batch.schema().field(1)), Some("US$"));
    }
}
