//! JSON and NDJSON.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::json::writer::{JsonFormat, LineDelimited, Writer, WriterBuilder};

use super::cell::PlainFloats;
use super::{Out, OutputError, ResultWriter, unique_names};

/// Every column of every row is present, NULL as `null`. Numbers are written in
/// full, also integers beyond 2^53; NaN and infinities are `null`, JSON having
/// no word for them. Dates and times are ISO 8601 text, binary is hexadecimal.
pub(super) struct Json<'a, F: JsonFormat> {
    writer: Writer<Out<'a>, F>,
    schema: SchemaRef,
    rows: u64,
}

impl<'a> Json<'a, Rows> {
    /// One array, an object a line.
    pub(super) fn array(schema: &SchemaRef, out: Out<'a>) -> Self {
        Self::build(schema, out)
    }
}

impl<'a> Json<'a, LineDelimited> {
    /// An object a line, nothing around them.
    pub(super) fn lines(schema: &SchemaRef, out: Out<'a>) -> Self {
        Self::build(schema, out)
    }
}

impl<'a, F: JsonFormat> Json<'a, F> {
    fn build(schema: &SchemaRef, out: Out<'a>) -> Self {
        let builder = WriterBuilder::new().with_explicit_nulls(true).with_encoder_factory(Arc::new(PlainFloats));
        let writer = builder.build::<_, F>(out);
        Self { writer, schema: unique_names(schema), rows: 0 }
    }
}

impl<F: JsonFormat> ResultWriter for Json<'_, F> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        self.writer.write(&batch.clone().with_schema(SchemaRef::clone(&self.schema))?)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(&mut self) -> Result<u64, OutputError> {
        self.writer.finish()?;
        self.writer.get_mut().flush()?;
        Ok(self.rows)
    }
}

/// The array's punctuation, with each object on its own line: readable, and
/// friendly to line-based tools.
#[derive(Debug, Default)]
pub(super) struct Rows;

impl JsonFormat for Rows {
    fn start_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"[")?)
    }

    fn start_row<W: Write>(&self, writer: &mut W, is_first_row: bool) -> Result<(), ArrowError> {
        Ok(writer.write_all(if is_first_row { b"\n" } else { b",\n" })?)
    }

    fn end_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"\n]\n")?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{empty, text};
    use super::super::{Format, Look};

    #[test]
    fn array() {
        let json = text(Format::Json, Look::default());
        assert!(json.starts_with(
            "[\n{\"iso3\":\"MEX\",\"remittance_usd\":52595343000,\"n\":9223372036854775807,\"day\":\"2022-01-01\",\"parts\":[1,null]},\n"
        ));
        assert!(json.contains("{\"iso3\":null,\"remittance_usd\":null,\"n\":null,\"day\":null,\"parts\":null}"));
        let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        assert_eq!(rows.len(), 5);
        assert!(rows[3]["remittance_usd"].is_null(), "NaN");
        assert_eq!(rows[4]["remittance_usd"].as_f64(), Some(-1e300));
    }

    #[test]
    fn lines_and_empty() {
        assert_eq!(text(Format::Ndjson, Look::default()).lines().count(), 5);
        assert_eq!(empty(Format::Ndjson, Look::default()), "");
        assert!(serde_json::from_str::<Vec<()>>(&empty(Format::Json, Look::default())).unwrap().is_empty());
    }
}
