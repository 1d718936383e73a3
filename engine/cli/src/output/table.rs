//! Aligned columns for reading.

use std::io;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use nu_ansi_term::{AnsiGenericString, Style};
use unicode_width::UnicodeWidthStr;

use super::cell::{CellOptions, Reader, is_number};
use super::{Look, Out, OutputError, ResultWriter, fit, printable, row_count, unit};

/// Rows held to find the widths; later rows that are wider step out of line
/// rather than lose anything.
const SAMPLE: usize = 1_000;
/// A text column is not cut below this, columns are left out instead.
const NARROWEST: usize = 12;

/// psql's layout. Numbers are aligned right, units stand under the names, NULL
/// is dim (and the text `NULL` is quoted). In a terminal, long text is cut with
/// `…` first, then columns in the middle are left out, and the footer says so.
pub(super) struct Table<'a> {
    out: Out<'a>,
    look: Look,
    columns: Vec<Column>,
    held: Vec<Vec<Cell>>,
    /// What is printed, in order, once the widths are known.
    layout: Option<Vec<Slot>>,
    rows: u64,
}

struct Column {
    name: String,
    unit: String,
    right: bool,
    width: usize,
}

/// A column by its index, or the mark of those left out.
#[derive(Clone, Copy)]
enum Slot {
    Column(usize),
    Gap,
}

/// A value; None is NULL.
type Cell = Option<String>;

impl<'a> Table<'a> {
    pub(super) fn new(schema: &SchemaRef, out: Out<'a>, look: Look) -> Self {
        let columns = schema
            .fields()
            .iter()
            .map(|field| {
                let name = printable(field.name()).into_owned();
                let unit = printable(unit(field).unwrap_or_default()).into_owned();
                let width = name.width().max(unit.width()).max(1);
                Column { name, unit, right: is_number(field.data_type()), width }
            })
            .collect();
        Self { out, look, columns, held: Vec::new(), layout: None, rows: 0 }
    }

    fn style(&self, style: Style) -> Style {
        if self.look.color { style } else { Style::new() }
    }

    /// Finds the widths, writes the header and what was held.
    fn start(&mut self) -> io::Result<()> {
        for row in &self.held {
            for (column, cell) in self.columns.iter_mut().zip(row) {
                column.width = column.width.max(cell.as_deref().unwrap_or("NULL").width());
            }
        }
        let layout = self.lay_out();
        let names = |column: &Column| column.name.clone();
        let units = |column: &Column| column.unit.clone();
        self.header_line(&layout, names, Style::new().bold())?;
        if self.columns.iter().any(|column| !column.unit.is_empty()) {
            self.header_line(&layout, units, Style::new().dimmed())?;
        }
        self.rule(&layout)?;
        for row in std::mem::take(&mut self.held) {
            self.line(&layout, &row)?;
        }
        self.layout = Some(layout);
        Ok(())
    }

    /// Cuts text columns to a common width, then leaves out middle columns.
    fn lay_out(&mut self) -> Vec<Slot> {
        let all = (0..self.columns.len()).map(Slot::Column);
        let Some(limit) = self.look.width else { return all.collect() };
        let total = |columns: &[Column]| columns.iter().map(|c| c.width + 3).sum::<usize>().saturating_sub(1);
        let longest = self.columns.iter().filter(|c| !c.right).map(|c| c.width).max().unwrap_or(0);
        let mut cap = longest;
        while total(&self.columns) > limit && cap > NARROWEST {
            cap -= 1;
            for column in self.columns.iter_mut().filter(|column| !column.right) {
                column.width = column.width.min(cap);
            }
        }
        if total(&self.columns) <= limit {
            return all.collect();
        }
        // Take columns from both ends, the left first, while there is room.
        let (mut front, mut back, mut used) = (0, self.columns.len(), 3);
        while front < back {
            let left = front <= self.columns.len() - back;
            let next = if left { front } else { back - 1 };
            used += self.columns[next].width + 3;
            if used > limit && front > 0 {
                break;
            }
            if left { front += 1 } else { back -= 1 }
        }
        let gap = (front < back).then_some(Slot::Gap);
        (0..front).map(Slot::Column).chain(gap).chain((back..self.columns.len()).map(Slot::Column)).collect()
    }

    fn bars(&self) -> (&'static str, &'static str, &'static str) {
        if self.look.lines { ("│", "─", "┼") } else { ("|", "-", "+") }
    }

    fn header_line(&mut self, layout: &[Slot], text: impl Fn(&Column) -> String, style: Style) -> io::Result<()> {
        let style = self.style(style);
        let mut line = Line::new(self.bars().0);
        for slot in layout {
            match slot {
                Slot::Gap => line.push("…", 1, false, Style::new()),
                Slot::Column(i) => {
                    let column = &self.columns[*i];
                    line.push(&fit(&text(column), column.width), column.width, column.right, style);
                }
            }
        }
        line.write(self.out)
    }

    fn rule(&mut self, layout: &[Slot]) -> io::Result<()> {
        let (_, dash, cross) = self.bars();
        let widths = layout.iter().map(|slot| match slot {
            Slot::Gap => 1,
            Slot::Column(i) => self.columns[*i].width,
        });
        let parts: Vec<String> = widths.map(|width| dash.repeat(width + 2)).collect();
        writeln!(self.out, "{}", parts.join(cross))
    }

    fn line(&mut self, layout: &[Slot], row: &[Cell]) -> io::Result<()> {
        let dim = self.style(Style::new().dimmed());
        let mut line = Line::new(self.bars().0);
        for slot in layout {
            let Slot::Column(i) = slot else {
                line.push("…", 1, false, dim);
                continue;
            };
            let column = &self.columns[*i];
            match row.get(*i).and_then(Option::as_deref) {
                None => line.push("NULL", column.width, column.right, dim),
                // Only text is cut; a number missing digits would be a wrong number.
                Some(text) if self.look.width.is_some() && !column.right => {
                    line.push(&fit(text, column.width), column.width, false, Style::new());
                }
                Some(text) => line.push(text, column.width, column.right, Style::new()),
            }
        }
        line.write(self.out)
    }

    fn footer(&mut self) -> io::Result<()> {
        let shown = self.layout.iter().flatten().filter(|slot| matches!(slot, Slot::Column(_))).count();
        let note = if shown < self.columns.len() {
            format!("; {shown} of {} columns fit, \\x shows all", self.columns.len())
        } else {
            String::new()
        };
        writeln!(self.out, "({}{note})", row_count(self.rows))
    }
}

impl ResultWriter for Table<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let options = CellOptions::new(Reader::Person);
        let mut columns = options.columns(batch)?;
        let mut value = String::new();
        for row in 0..batch.num_rows() {
            let mut cells = Vec::with_capacity(columns.len());
            for column in &mut columns {
                value.clear();
                column.write(row, &mut value)?;
                cells.push((!column.is_null(row)).then(|| match value.as_str() {
                    "NULL" => "'NULL'".to_owned(),
                    text => printable(text).into_owned(),
                }));
            }
            self.rows += 1;
            match self.layout.take() {
                Some(layout) => {
                    self.line(&layout, &cells)?;
                    self.layout = Some(layout);
                }
                None => {
                    self.held.push(cells);
                    if self.held.len() == SAMPLE {
                        self.start()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<u64, OutputError> {
        if self.layout.is_none() {
            self.start()?;
        }
        self.footer()?;
        self.out.flush()?;
        Ok(self.rows)
    }
}

/// One line being put together; blanks at its end are not written.
struct Line {
    text: String,
    bar: &'static str,
}

impl Line {
    fn new(bar: &'static str) -> Self {
        Self { text: String::new(), bar }
    }

    fn push(&mut self, cell: &str, width: usize, right: bool, style: Style) {
        if !self.text.is_empty() {
            self.text.push_str(self.bar);
        }
        let pad = " ".repeat(width.saturating_sub(cell.width()));
        let painted: AnsiGenericString<'_, str> = style.paint(cell);
        let padded = if right { format!(" {pad}{painted} ") } else { format!(" {painted}{pad} ") };
        self.text.push_str(&padded);
    }

    fn write(self, out: Out<'_>) -> io::Result<()> {
        writeln!(out, "{}", self.text.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{empty, text};
    use super::super::{Format, Look};
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn golden() {
        let expected = r#" iso3                     | remittance_usd |                   n | day        | parts
                          |            US$ |                     |            |
--------------------------+----------------+---------------------+------------+----------
 MEX                      |    52595343000 | 9223372036854775807 | 2022-01-01 | [1,null]
 =1+1                     |            0.1 |                  -1 | 1970-01-01 | []
 NULL                     |           NULL |                NULL | NULL       | NULL
 a,"b"\n|é日本\u{202e}    |            NaN |                   0 | 1970-01-02 | NULL
                          |         -1e300 |                   7 | 1970-01-03 | NULL
(5 rows)
"#;
        let out = text(Format::Table, Look::default());
        let squeeze =
            |s: &str| s.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
        assert_eq!(
            squeeze(&out).iter().filter(|l| !l.starts_with('-')).collect::<Vec<_>>(),
            squeeze(expected).iter().filter(|l| !l.starts_with('-')).collect::<Vec<_>>()
        );
        let bars: Vec<Vec<usize>> = out
            .lines()
            .filter(|l| l.contains("1970-01-0"))
            .map(|l| l.match_indices(" | ").map(|(i, _)| l[..i].width()).collect())
            .collect();
        assert!(bars.windows(2).all(|w| w[0].last() == w[1].last()), "columns line up: {out}");
    }

    #[test]
    fn narrow_terminals() {
        for width in [20, 40, 60, 80] {
            let out = text(Format::Table, Look { width: Some(width), lines: true, ..Look::default() });
            for line in out.lines().filter(|line| !line.starts_with('(')) {
                assert!(line.width() <= width.max(32), "{width}: {line}");
            }
        }
        let out = text(Format::Table, Look { width: Some(40), ..Look::default() });
        assert!(out.ends_with("(5 rows; 2 of 5 columns fit, \\x shows all)\n"), "{out}");
    }

    #[test]
    fn no_rows() {
        assert!(empty(Format::Table, Look::default()).ends_with("(0 rows)\n"));
    }
}
