//! CSV and TSV.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::cell::{CellOptions, Reader};
use super::{Out, OutputError, ResultWriter};

/// RFC 4180 with line feeds, as psql and most tools write it. NULL is an empty
/// field and empty text is `""`, so the two can be told apart.
pub(super) struct Delimited<'a> {
    out: Out<'a>,
    separator: char,
    options: CellOptions,
    rows: u64,
    line: String,
}

impl<'a> Delimited<'a> {
    pub(super) fn new(schema: &SchemaRef, out: Out<'a>, separator: char) -> Result<Self, OutputError> {
        let mut line = String::new();
        for (i, field) in schema.fields().iter().enumerate() {
            if i > 0 {
                line.push(separator);
            }
            push_field(&mut line, field.name(), separator);
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
        Ok(Self { out, separator, options: CellOptions::new(Reader::Program), rows: 0, line })
    }
}

impl ResultWriter for Delimited<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let mut columns = self.options.columns(batch)?;
        let mut value = String::new();
        for row in 0..batch.num_rows() {
            self.line.clear();
            for (i, column) in columns.iter_mut().enumerate() {
                if i > 0 {
                    self.line.push(self.separator);
                }
                if !column.is_null(row) {
                    value.clear();
                    column.write(row, &mut value)?;
                    push_field(&mut self.line, &value, self.separator);
                }
            }
            self.line.push('\n');
            self.out.write_all(self.line.as_bytes())?;
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(&mut self) -> Result<u64, OutputError> {
        self.out.flush()?;
        Ok(self.rows)
    }
}

fn push_field(line: &mut String, value: &str, separator: char) {
    let quote = value.is_empty() || value.contains([separator, '"', '\n', '\r']);
    if quote {
        line.push('"');
        line.push_str(&value.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{empty, text};
    use super::super::{Format, Look};

    #[test]
    fn csv() {
        let expected = "iso3,remittance_usd,n,day,parts\n\
            MEX,52595343000,9223372036854775807,2022-01-01,\"[1,null]\"\n\
            =1+1,0.1,-1,1970-01-01,[]\n\
            ,,,,\n\
            \"a,\"\"b\"\"\n|é日本\u{202e}\",NaN,0,1970-01-02,\n\
            \"\",-1e300,7,1970-01-03,\n";
        assert_eq!(text(Format::Csv, Look::default()), expected);
    }

    #[test]
    fn tsv_and_empty() {
        let tsv = text(Format::Tsv, Look::default());
        assert!(tsv.starts_with("iso3\tremittance_usd\tn\tday\tparts\nMEX\t52595343000\t"));
        assert_eq!(empty(Format::Csv, Look::default()), "iso3,remittance_usd,n,day,parts\n");
    }
}
