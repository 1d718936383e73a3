//! One line per column: `\x`.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use nu_ansi_term::Style;
use unicode_width::UnicodeWidthStr;

use super::cell::{CellOptions, Reader};
use super::{Look, Out, OutputError, ResultWriter, fit, printable, row_count, unit};

/// Each row as a block of `column | value` lines, values in full.
pub(super) struct Expanded<'a> {
    out: Out<'a>,
    look: Look,
    labels: Vec<String>,
    label_width: usize,
    rows: u64,
}

impl<'a> Expanded<'a> {
    pub(super) fn new(schema: &SchemaRef, out: Out<'a>, look: Look) -> Self {
        let labels: Vec<String> = schema
            .fields()
            .iter()
            .map(|field| match unit(field) {
                Some(unit) => format!("{} ({})", printable(field.name()), printable(unit)),
                None => printable(field.name()).into_owned(),
            })
            .collect();
        let label_width = labels.iter().map(|label| label.width()).max().unwrap_or(0).min(40);
        Self { out, look, labels, label_width, rows: 0 }
    }

    fn record_line(&mut self) -> Result<(), OutputError> {
        let dash = if self.look.lines { "─" } else { "-" };
        let title = format!("{dash}[ RECORD {} ]", self.rows);
        let rest = (self.label_width + 20).saturating_sub(title.width());
        let line = format!("{title}{}", dash.repeat(rest));
        let style = if self.look.color { Style::new().dimmed() } else { Style::new() };
        writeln!(self.out, "{}", style.paint(line))?;
        Ok(())
    }
}

impl ResultWriter for Expanded<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let options = CellOptions::new(Reader::Person);
        let mut columns = options.columns(batch)?;
        let bar = if self.look.lines { "│" } else { "|" };
        let (bold, dim) =
            if self.look.color { (Style::new().bold(), Style::new().dimmed()) } else { (Style::new(), Style::new()) };
        let mut value = String::new();
        for row in 0..batch.num_rows() {
            self.rows += 1;
            self.record_line()?;
            for (label, column) in self.labels.iter().zip(&mut columns) {
                let label = fit(label, self.label_width);
                let pad = " ".repeat(self.label_width - label.width());
                write!(self.out, "{}{pad} {bar} ", bold.paint(label))?;
                if column.is_null(row) {
                    writeln!(self.out, "{}", dim.paint("NULL"))?;
                } else {
                    value.clear();
                    column.write(row, &mut value)?;
                    writeln!(self.out, "{}", printable(&value))?;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<u64, OutputError> {
        writeln!(self.out, "({})", row_count(self.rows))?;
        self.out.flush()?;
        Ok(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{empty, text};
    use super::super::{Format, Look};

    #[test]
    fn golden() {
        let look = Look { expanded: true, ..Look::default() };
        let out = text(Format::Table, look);
        let first = "\
            -[ RECORD 1 ]---------------------------\n\
            iso3                 | MEX\n\
            remittance_usd (US$) | 52595343000\n\
            n                    | 9223372036854775807\n\
            day                  | 2022-01-01\n\
            parts                | [1,null]\n\
            -[ RECORD 2 ]---------------------------\n";
        assert!(out.starts_with(first), "{out}");
        assert!(out.contains("iso3                 | NULL\n"));
        assert!(out.ends_with("(5 rows)\n"));
        assert_eq!(empty(Format::Table, look), "(0 rows)\n");
    }
}
