//! Where a table of series has what, and its values.

use chrono::NaiveDate;

use super::settings::{Frequency, Series, Settings, Shape};
use crate::error::{Error, Printable, Result};
use crate::import::cells::{column_letters, number, squeeze};
use crate::read::{Cell, Grid, Row};

/// A table and its header.
pub(super) struct Table<'a> {
    pub(super) grid: &'a Grid,
    pub(super) header: &'a Row,
    pub(super) body: Vec<&'a Row>,
    lies: Lies,
}

/// How it lies, with the indices of its columns.
enum Lies {
    Down(Vec<usize>),
    Across { name: usize, periods: Vec<(usize, NaiveDate, Option<String>)> },
    Long { period: Vec<usize>, name: usize, value: usize },
}

/// A value and where it stands.
pub(super) struct Point {
    pub(super) row: u64,
    pub(super) column: String,
    pub(super) day: NaiveDate,
    pub(super) status: Option<String>,
    /// As the file has it, not scaled.
    pub(super) value: f64,
}

/// The column whose header is `name`, in any case.
pub(super) fn column(header: &Row, name: &str) -> Option<usize> {
    header.cells.iter().position(|c| squeeze(&c.text()).eq_ignore_ascii_case(name))
}

/// The header of a column, or its letters where it has none.
fn title(header: &Row, index: usize) -> String {
    let text = squeeze(&header.cell(index).text());
    if text.is_empty() { column_letters(index) } else { text }
}

impl<'a> Table<'a> {
    /// The table of a sheet that lies as the settings say; `None` if it has no such header.
    pub(super) fn find(grid: &'a Grid, settings: &Settings) -> Option<Self> {
        const PREAMBLE: usize = 20;
        grid.rows.iter().take(PREAMBLE).enumerate().find_map(|(index, header)| {
            let periods =
                || settings.period.columns.iter().map(|name| column(header, name)).collect::<Option<Vec<_>>>();
            let lies = match &settings.shape {
                Shape::Down => Lies::Down(periods()?),
                Shape::Long { series, value } => {
                    Lies::Long { period: periods()?, name: column(header, series)?, value: column(header, value)? }
                }
                Shape::Across { series } => {
                    let read = |cell: &Cell| settings.period.of_cell(cell, settings.frequency);
                    let found = header.cells.iter().enumerate().filter_map(|(i, c)| Some((i, read(c)?)));
                    let periods: Vec<_> = found.map(|(i, (day, status))| (i, day, status.map(str::to_owned))).collect();
                    Lies::Across { name: column(header, series)?, periods }
                }
            };
            if matches!(&lies, Lies::Across { periods, .. } if periods.is_empty()) {
                return None;
            }
            let body = grid.rows.iter().skip(index + 1).filter(|r| !r.is_blank()).collect();
            Some(Self { grid, header, body, lies })
        })
    }

    /// True if the table has the series.
    pub(super) fn has(&self, series: &Series) -> bool {
        if !series.stands_in(self.grid.sheet.as_deref()) {
            return false;
        }
        match &self.lies {
            Lies::Down(_) => self.header.cells.iter().any(|c| series.is(&c.text())),
            Lies::Across { name, .. } | Lies::Long { name, .. } => {
                self.body.iter().any(|r| series.is(&r.cell(*name).text()))
            }
        }
    }

    /// Leaves out rows of a single cell, which hold no value: remarks below the table, the
    /// number of which it gives, and periods without one. Other rows of text must be as long
    /// as the header.
    pub(super) fn check_rows(&mut self, settings: &Settings) -> Result<usize> {
        let mut remarks = 0;
        self.body.retain(|row| {
            let mut filled = row.cells.iter().filter(|c| !c.is_blank());
            let (Some(one), None) = (filled.next(), filled.next()) else { return true };
            remarks += usize::from(settings.period.of_cell(one, settings.frequency).is_none());
            false
        });
        if self.grid.sheet.is_none() {
            let wanted = self.header.cells.len();
            if let Some(row) = self.body.iter().find(|row| row.cells.len() != wanted) {
                let what = format!(
                    "the row has {} cells, the header {wanted}; the file is cut off, or a comma stands where none should",
                    row.cells.len()
                );
                return Err(Error::data(self.grid.place().row(row.number), what));
            }
        }
        Ok(remarks)
    }

    /// The period of a row, in the columns `of`.
    fn period(&self, row: &Row, of: &[usize], settings: &Settings) -> Result<(NaiveDate, Option<String>)> {
        let read = match of {
            [one] => settings.period.of_cell(row.cell(*one), settings.frequency),
            several => {
                let text: Vec<String> = several.iter().map(|i| squeeze(&row.cell(*i).text())).collect();
                settings.period.read(&text.join(" "), settings.frequency)
            }
        };
        read.map(|(day, status)| (day, status.map(str::to_owned))).ok_or_else(|| {
            let text: Vec<String> = of.iter().map(|i| squeeze(&row.cell(*i).text())).collect();
            let kind = match settings.frequency {
                Frequency::A => "year",
                Frequency::Q => "quarter",
                Frequency::M => "month",
            };
            let what = format!(
                "`{}` is not a {kind}; expected such as `{}`",
                Printable(&text.join(" ")),
                settings.period.example
            );
            let first = of.first().copied().unwrap_or_default();
            Error::data(self.grid.at(row, &title(self.header, first)), what)
        })
    }

    /// The period of each row of a table with periods down.
    pub(super) fn periods(&self, settings: &Settings) -> Result<Vec<(NaiveDate, Option<String>)>> {
        match &self.lies {
            Lies::Down(of) | Lies::Long { period: of, .. } => {
                self.body.iter().map(|row| self.period(row, of, settings)).collect()
            }
            Lies::Across { .. } => Ok(Vec::new()),
        }
    }

    /// The values of a column, with periods down.
    pub(super) fn values(&self, index: usize, settings: &Settings) -> Result<Vec<Point>> {
        let mut points = Vec::new();
        let column = title(self.header, index);
        for (row, (day, status)) in self.body.iter().zip(self.periods(settings)?) {
            let Some(value) = cell(self.grid, row, index, &column, settings)? else { continue };
            points.push(Point { row: row.number, column: column.clone(), day, status, value });
        }
        Ok(points)
    }

    /// The values of a series, in the order of the file.
    pub(super) fn points(&self, series: &Series, settings: &Settings) -> Result<Vec<Point>> {
        match &self.lies {
            Lies::Down(_) => {
                let index = self.header.cells.iter().position(|c| series.is(&c.text()));
                index.map_or(Ok(Vec::new()), |index| self.values(index, settings))
            }
            Lies::Long { name, value, period } => {
                let mut points = Vec::new();
                let column = title(self.header, *value);
                for row in self.body.iter().filter(|r| series.is(&r.cell(*name).text())) {
                    let (day, status) = self.period(row, period, settings)?;
                    let Some(value) = cell(self.grid, row, *value, &column, settings)? else { continue };
                    points.push(Point { row: row.number, column: column.clone(), day, status, value });
                }
                Ok(points)
            }
            Lies::Across { name, periods } => {
                let mut points = Vec::new();
                for row in self.body.iter().filter(|r| series.is(&r.cell(*name).text())) {
                    for (index, day, status) in periods {
                        let column = title(self.header, *index);
                        let Some(value) = cell(self.grid, row, *index, &column, settings)? else { continue };
                        points.push(Point { row: row.number, column, day: *day, status: status.clone(), value });
                    }
                }
                Ok(points)
            }
        }
    }

    /// Rows that are of none of `series`: their number. None where series lie side by side.
    pub(super) fn strangers(&self, series: &[Series]) -> usize {
        match &self.lies {
            Lies::Down(_) => 0,
            Lies::Across { name, .. } | Lies::Long { name, .. } => {
                let known = |row: &Row| series.iter().any(|s| s.is(&row.cell(*name).text()));
                self.body.iter().filter(|row| !known(row)).count()
            }
        }
    }
}

/// A number in the way the file writes them.
fn cell(grid: &Grid, row: &Row, index: usize, column: &str, settings: &Settings) -> Result<Option<f64>> {
    let Cell::Text(text) = row.cell(index) else { return number(grid, row, index, column, &settings.missing) };
    let text = text.trim();
    if settings.missing.iter().any(|m| m == text) {
        return Ok(None);
    }
    // Written otherwise than the descriptor says, it would be read as another number.
    let plain = settings.plain(text).ok_or_else(|| {
        let what = format!("`{}` is not a number as this file writes numbers", Printable(text));
        Error::data(grid.at(row, column), what)
    })?;
    let one = Row { number: row.number, hidden: row.hidden, cells: vec![Cell::Text(plain)] };
    number(grid, &one, 0, column, &settings.missing)
}
