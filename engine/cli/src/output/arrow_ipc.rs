//! Arrow IPC: the stream format for pipes, the file format for files.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::{FileWriter, StreamWriter};

use super::{Out, OutputError, ResultWriter};

/// Batches as they come; field metadata travels in the schema message.
pub(super) struct ArrowIpc<'a> {
    writer: Flavour<'a>,
    schema: SchemaRef,
    rows: u64,
}

enum Flavour<'a> {
    File(Box<FileWriter<Out<'a>>>),
    Stream(Box<StreamWriter<Out<'a>>>),
}

impl<'a> ArrowIpc<'a> {
    pub(super) fn new(schema: &SchemaRef, out: Out<'a>, to_file: bool) -> Result<Self, OutputError> {
        let writer = if to_file {
            Flavour::File(Box::new(FileWriter::try_new(out, schema)?))
        } else {
            Flavour::Stream(Box::new(StreamWriter::try_new(out, schema)?))
        };
        Ok(Self { writer, schema: SchemaRef::clone(schema), rows: 0 })
    }
}

impl ResultWriter for ArrowIpc<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        // A batch may lack the metadata of the result's schema; readers take the latter.
        let batch = batch.clone().with_schema(SchemaRef::clone(&self.schema))?;
        self.rows += batch.num_rows() as u64;
        match &mut self.writer {
            Flavour::File(writer) => writer.write(&batch)?,
            Flavour::Stream(writer) => writer.write(&batch)?,
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<u64, OutputError> {
        match &mut self.writer {
            Flavour::File(writer) => writer.finish()?,
            Flavour::Stream(writer) => {
                writer.finish()?;
                writer.flush()?;
            }
        }
        Ok(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{sample, written};
    use super::super::{Format, Look, unit};
    use arrow::ipc::reader::{FileReader, StreamReader};
    use std::io::Cursor;

    #[test]
    fn both_flavours_read_back() {
        let stream = written(Format::Arrow, Look::default());
        let batches: Vec<_> = StreamReader::try_new(Cursor::new(stream), None).unwrap().map(Result::unwrap).collect();
        assert_eq!(batches, [sample().slice(0, 2), sample().slice(2, 3)]);
        assert_eq!(unit(batches[0].schema().field(1)), Some("US$"));
        let file = written(Format::Arrow, Look { to_file: true, ..Look::default() });
        assert_eq!(FileReader::try_new(Cursor::new(file), None).unwrap().count(), 2);
    }
}
