//! A Markdown table, for pasting into a note or an issue.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::cell::{CellOptions, Reader, is_number};
use super::{Out, OutputError, ResultWriter, printable, unit};

/// GitHub's table, unpadded so that rows can be written as they come. Values
/// are escaped: none can open a column, a link or a tag.
pub(super) struct Markdown<'a> {
    out: Out<'a>,
    options: CellOptions,
    rows: u64,
}

impl<'a> Markdown<'a> {
    pub(super) fn new(schema: &SchemaRef, out: Out<'a>) -> Result<Self, OutputError> {
        let (mut names, mut rule) = (String::from("|"), String::from("|"));
        for field in schema.fields() {
            names.push_str(&format!(" {}", escape(field.name())));
            if let Some(unit) = unit(field) {
                names.push_str(&format!(" ({})", escape(unit)));
            }
            names.push_str(" |");
            rule.push_str(if is_number(field.data_type()) { " ---: |" } else { " --- |" });
        }
        writeln!(out, "{names}\n{rule}")?;
        Ok(Self { out, options: CellOptions::new(Reader::Person), rows: 0 })
    }
}

impl ResultWriter for Markdown<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let mut columns = self.options.columns(batch)?;
        let (mut line, mut value) = (String::new(), String::new());
        for row in 0..batch.num_rows() {
            line.clear();
            line.push('|');
            for column in &mut columns {
                value.clear();
                column.write(row, &mut value)?;
                line.push(' ');
                line.push_str(&escape(&value));
                line.push_str(" |");
            }
            writeln!(self.out, "{line}")?;
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(&mut self) -> Result<u64, OutputError> {
        self.out.flush()?;
        Ok(self.rows)
    }
}

fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for line in value.split('\n') {
        if !out.is_empty() {
            out.push_str("<br>");
        }
        for c in printable(line).chars() {
            match c {
                '|' | '\\' | '`' | '*' | '[' => {
                    out.push('\\');
                    out.push(c);
                }
                '<' => out.push_str("&lt;"),
                '&' => out.push_str("&amp;"),
                c => out.push(c),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::text;
    use super::super::{Format, Look};

    #[test]
    fn golden() {
        let expected = "\
            | iso3 | remittance_usd (US$) | n | day | parts |\n\
            | --- | ---: | ---: | --- | --- |\n\
            | MEX | 52595343000 | 9223372036854775807 | 2022-01-01 | \\[1,null] |\n\
            | =1+1 | 0.1 | -1 | 1970-01-01 | \\[] |\n\
            |  |  |  |  |  |\n\
            | a,\"b\"<br>\\|é日本\\\\u{202e} | NaN | 0 | 1970-01-02 |  |\n\
            |  | -1e300 | 7 | 1970-01-03 |  |\n";
        assert_eq!(text(Format::Markdown, Look::default()), expected);
    }
}
