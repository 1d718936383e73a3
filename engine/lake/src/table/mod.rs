//! A statistical table of no known publisher: bytes to typed columns with flags,
//! notes, warnings, and a log of every guess.
//!
//! ```text
//! bytes -> read::{read_csv, Workbook, ...} -> Grid
//!       -> layout: titles | header rows | data | notes
//!       -> column: marks, flags, decimal sign, dates -> kind and canonical values
//!       -> checks: aggregates, repeated keys, mojibake
//!       -> Table -> RecordBatch, report
//! ```
//! Nothing is guessed silently: what was assumed is a [`Decision`] with its count and
//! lines, what may be wrong is a [`Warning`].

mod batch;
mod checks;
mod column;
mod exact;
mod layout;
mod missing;
mod names;
mod number;
mod open;
mod period;
mod report;
mod text;
mod unit;

pub use column::{Column, ColumnKind};
pub use open::{read_sheet, read_table};
pub use period::{Grain, Period};

use std::collections::BTreeSet;

use crate::error::Result;
use crate::read::{Cell, Grid, Merge, Row};

/// A guess that was made while reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub what: String,
    /// Column it concerns; `None` for the whole table.
    pub column: Option<String>,
    /// What was chosen.
    pub value: String,
    /// How many cells, rows or columns it touched; 0 where counting makes no sense.
    pub count: usize,
    /// Lines or rows of the file, from 1; the first [`Decision::LINES`] of them.
    pub lines: Vec<u64>,
}

impl Decision {
    /// Most lines kept; `count` counts all.
    pub const LINES: usize = 20;

    pub(crate) fn new(
        what: &str,
        column: Option<&str>,
        value: impl Into<String>,
        count: usize,
        mut lines: Vec<u64>,
    ) -> Self {
        lines.truncate(Self::LINES);
        Self { what: what.to_owned(), column: column.map(str::to_owned), value: value.into(), count, lines }
    }
}

/// Something in the file that may make an answer wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable name: `ambiguous-date`, `duplicate-key`, `hidden-row`.
    pub code: &'static str,
    /// What it is. Holds text of the file: print it through [`crate::Printable`].
    pub message: String,
    /// How many cells, rows or columns.
    pub count: usize,
    /// Lines or rows of the file, from 1; the first [`Decision::LINES`] of them.
    pub lines: Vec<u64>,
}

impl Warning {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, count: usize, mut lines: Vec<u64>) -> Self {
        lines.truncate(Decision::LINES);
        Self { code, message: message.into(), count, lines }
    }
}

/// A table with typed columns and all that was found out on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// File it came from, for messages.
    pub file: String,
    /// The columns, in file order. Columns without name and value are left out.
    pub columns: Vec<Column>,
    /// Line or row in the file of each table row, from 1.
    pub lines: Vec<u64>,
    /// Line or row of the first header row, from 1.
    pub header_row: u64,
    /// Rows of the header.
    pub header_rows: usize,
    /// Lines above the header.
    pub titles: Vec<String>,
    /// Lines below the data: sources, footnotes.
    pub notes: Vec<String>,
    /// What may make an answer wrong.
    pub warnings: Vec<Warning>,
    /// Every guess.
    pub decisions: Vec<Decision>,
    /// Unit of the whole table, such as `USD million`, from its titles or its one unit in headers.
    pub unit: Option<String>,
    /// Encoding of a text file; `None` for a workbook.
    pub encoding: Option<&'static str>,
    /// Delimiter of a text file; `None` for a workbook.
    pub delimiter: Option<char>,
    /// Decimal sign that most of the table uses.
    pub decimal: char,
    /// Sheet of a workbook.
    pub sheet: Option<String>,
    /// One entry per row if any row is a region, income group or total; else empty.
    pub is_aggregate: Vec<bool>,
}

impl Table {
    /// Rows of the table.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The column of that exact name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// Columns whose header is a year, with the year: at least two make a wide table,
    /// otherwise this is empty.
    pub fn year_columns(&self) -> Vec<(&Column, i32)> {
        let years: Vec<_> = self.columns.iter().filter_map(|c| Some((c, period::header_year(&c.name)?))).collect();
        if years.len() < 2 { Vec::new() } else { years }
    }

    /// The distinct years of a wide table, ascending.
    pub fn years(&self) -> Vec<i32> {
        self.year_columns().into_iter().map(|(_, y)| y).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Rows of the long form: one per row and year column, missing values included;
    /// 0 if the table is not wide.
    pub fn long_rows(&self) -> usize {
        self.rows() * self.year_columns().len()
    }

    /// Reads a grid whose encoding and the like are known to the caller.
    ///
    /// # Errors
    /// `Error::Data` if there is no table in it, or for ragged records of a text file.
    pub fn from_grid(grid: &Grid, merges: &[Merge], delimiter: Option<u8>) -> Result<Self> {
        let layout = layout::find(grid, grid.sheet.is_none(), merges, delimiter.unwrap_or(b','))?;
        let (mut decisions, mut warnings) = (Vec::new(), checks::text_warnings(&grid.rows));
        let lines: Vec<u64> = layout.data.iter().map(|r| r.number).collect();
        let header_row = layout.header.first().map_or(1, |r| r.number);
        if layout.header.iter().any(|r| !layout::looks_like_header(r)) {
            let what = "the header holds numbers: if the file has no header, its first record became the names; add a line of names";
            warnings.push(Warning::new("header-looks-like-data", what, 1, vec![header_row]));
        }
        let names = layout::names(&layout.header, layout.width, merges);
        let filled_down = fill_merged(&layout.data, merges, names.len());
        if !filled_down.is_empty() {
            let rows = filled_down.iter().map(|f| f.0).collect::<BTreeSet<_>>();
            let at = rows.iter().filter_map(|&r| lines.get(r).copied()).collect();
            decisions.push(Decision::new(
                "value of a merged area repeated in its rows",
                None,
                "merged cells",
                filled_down.len(),
                at,
            ));
        }
        let cell = |row: usize, column: usize| -> &Cell {
            filled_down
                .binary_search_by_key(&(row, column), |&(r, c, _)| (r, c))
                .map_or_else(|_| layout.data[row].cell(column), |at| layout.data[filled_down[at].2].cell(column))
        };
        let cells_of = |column: usize| (0..lines.len()).map(|row| cell(row, column)).collect::<Vec<_>>();
        let used: Vec<usize> =
            (0..names.len()).filter(|&i| !names[i].is_empty() || cells_of(i).iter().any(|c| !c.is_blank())).collect();
        if used.len() < names.len() {
            let value = (0..names.len())
                .filter(|i| !used.contains(i))
                .map(|i| (i + 1).to_string())
                .collect::<Vec<_>>()
                .join(", ");
            decisions.push(Decision::new(
                "columns without name and value left out",
                None,
                value,
                names.len() - used.len(),
                vec![header_row],
            ));
        }
        let kept = used.iter().map(|&i| names[i].clone()).collect();
        let kept = names::unique(kept, header_row, &mut decisions, &mut warnings);
        let decimal = table_decimal(used.iter().map(|&i| cells_of(i)));
        let mut context =
            column::Context { lines: &lines, decimal, decisions: &mut decisions, warnings: &mut warnings };
        let columns: Vec<Column> =
            kept.into_iter().zip(&used).map(|(name, &i)| column::build(name, &cells_of(i), &mut context)).collect();
        let mut is_aggregate = Vec::new();
        if let Some((marks, warning)) = checks::aggregates(&columns, &lines) {
            is_aggregate = marks;
            warnings.push(warning);
        }
        warnings.extend(checks::duplicate_keys(&columns, &lines));
        warnings.extend(checks::notes_inside(&columns, &lines));
        warnings.extend(hidden_rows(&layout.data));
        let unit = unit::of_titles(&layout.titles).or_else(|| one_unit(&columns));
        Ok(Self {
            file: grid.file.clone(),
            columns,
            lines,
            header_row,
            header_rows: layout.header.len(),
            titles: layout.titles,
            notes: layout.notes,
            warnings,
            decisions,
            unit,
            encoding: None,
            delimiter: delimiter.map(char::from),
            decimal,
            sheet: grid.sheet.clone(),
            is_aggregate,
        })
    }
}

/// (row, column, row of the value) for cells covered by a merged area below its first row, sorted.
fn fill_merged(data: &[&Row], merges: &[Merge], width: usize) -> Vec<(usize, usize, usize)> {
    let mut fills = Vec::new();
    for merge in merges.iter().filter(|m| m.rows.1 > m.rows.0 && m.columns.0 == m.columns.1 && m.columns.0 < width) {
        let Ok(from) = data.binary_search_by_key(&merge.rows.0, |r| r.number) else {
            continue;
        };
        for (row, _) in data.iter().enumerate().skip(from + 1).take_while(|(_, r)| r.number <= merge.rows.1) {
            if data[row].cell(merge.columns.0).is_blank() {
                fills.push((row, merge.columns.0, from));
            }
        }
    }
    fills.sort_unstable();
    fills.dedup_by_key(|f| (f.0, f.1));
    fills
}

/// The decimal sign that more numbers need; a point where nothing tells.
fn table_decimal<'a>(columns: impl Iterator<Item = Vec<&'a Cell>>) -> char {
    let (point, comma) = columns.fold((0, 0), |(p, c), cells| {
        let found = column::decimal_evidence(&cells);
        (p + found.0, c + found.1)
    });
    if comma > point { ',' } else { '.' }
}

fn hidden_rows(data: &[&Row]) -> Option<Warning> {
    let hidden: Vec<u64> = data.iter().filter(|r| r.hidden).map(|r| r.number).collect();
    (!hidden.is_empty()).then(|| Warning::new("hidden-row", "hidden rows are data and were read", hidden.len(), hidden))
}

/// The unit that headers name in brackets, if they name one only.
fn one_unit(columns: &[Column]) -> Option<String> {
    let units: BTreeSet<String> = columns.iter().filter_map(|c| unit::in_brackets(&c.name)).collect();
    units
        .into_iter()
        .next()
        .filter(|_| columns.iter().filter_map(|c| unit::in_brackets(&c.name)).collect::<BTreeSet<_>>().len() == 1)
}
