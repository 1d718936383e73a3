//! Where things stand in KNOMAD's tables of flows, and how their totals compare.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::knomad_flows::Settings;
use super::said::month_of;
use crate::error::{Error, Printable, Result};
use crate::import::cells::{first_of, like, squeeze, year};
use crate::read::{Cell, Grid, Row};

/// What stands in a column.
pub(super) enum Content {
    Money { status: Option<String> },
    Share { status: Option<String> },
}

/// A column of values.
pub(super) struct Column {
    pub(super) index: usize,
    pub(super) label: String,
    pub(super) year: i32,
    pub(super) period: NaiveDate,
    pub(super) content: Content,
}

/// The values of a year over economies, in the file's unit.
#[derive(Default)]
pub(super) struct Sum {
    sum: f64,
    pub(super) zeros: usize,
    /// Economies with a value above zero.
    values: Vec<(String, f64)>,
    /// The published total, and its row.
    pub(super) world: Option<(f64, u64)>,
}

impl Sum {
    pub(super) fn add(&mut self, name: &str, value: f64) {
        self.sum += value;
        if value == 0.0 {
            self.zeros += 1;
        } else {
            self.values.push((name.to_owned(), value));
        }
    }
}

/// The scale that the corner cell names.
pub(super) fn scale(grid: &Grid, header: &Row, corner: &str, settings: &Settings) -> Result<f64> {
    let text = corner.to_lowercase().replace("us $", "us$");
    // `us$ millions` is found before `us$ million`.
    let mut known: Vec<_> = settings.money.scales.iter().collect();
    known.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
    known.iter().find(|(words, _)| text.contains(words.as_str())).map(|(_, scale)| **scale).ok_or_else(|| {
        let words: Vec<&str> = settings.money.scales.keys().map(String::as_str).collect();
        let what = format!(
            "`{}` does not say in which unit the values are; expected one of `{}`",
            Printable(corner),
            words.join("`, `")
        );
        Error::data(grid.at(header, corner), what)
    })
}

/// The columns of values: years, years with a mark such as `2023e`, and shares of GDP.
pub(super) fn columns(grid: &Grid, header: &Row, settings: &Settings) -> Result<Vec<Column>> {
    let mut columns: Vec<Column> = Vec::new();
    let mut shares = Vec::new();
    for (index, cell) in header.cells.iter().enumerate().skip(1) {
        let label = squeeze(&cell.text());
        if label.is_empty() {
            continue;
        }
        let place = || grid.at(header, &label);
        if settings.share.headers.iter().any(|pattern| like(pattern, &label)) {
            shares.push((index, label));
            continue;
        }
        let Some((year, status)) = marked_year(cell, &label, settings) else {
            let marks: Vec<&str> = settings.marks.keys().map(String::as_str).collect();
            let what = format!(
                "`{}` is neither a year (marks are `{}`) nor a share of GDP, so its values have no known unit",
                Printable(&label),
                marks.join("`, `")
            );
            return Err(Error::data(place(), what));
        };
        let period = first_of(year, place())?;
        columns.push(Column { index, label, year, period, content: Content::Money { status } });
    }
    for (index, label) in shares {
        // A share without a year is of the last year of the money.
        let named = label.split(|c: char| !c.is_ascii_digit()).find_map(|w| year(&Cell::Text(w.to_owned())));
        let last = columns.iter().map(|c| c.year).max();
        let year = named.or(last).ok_or_else(|| Error::data(grid.at(header, &label), "names no year"))?;
        let status = columns.iter().find(|c| c.year == year).and_then(|c| match &c.content {
            Content::Money { status } | Content::Share { status } => status.clone(),
        });
        let period = first_of(year, grid.at(header, &label))?;
        columns.push(Column { index, label, year, period, content: Content::Share { status } });
    }
    Ok(columns)
}

/// `2023`, `2023e` or `2023 (e)`, and the status that the mark stands for.
fn marked_year(cell: &Cell, label: &str, settings: &Settings) -> Option<(i32, Option<String>)> {
    if let Some(year) = year(cell) {
        return Some((year, None));
    }
    let (digits, mark) = (label.get(..4)?, label.get(4..)?);
    let year = year(&Cell::Text(digits.to_owned()))?;
    let mark = mark.trim().trim_matches(['(', ')', '.']).to_lowercase();
    Some((year, Some(settings.marks.get(&mark)?.clone())))
}

/// The rows of the table, and the prose below it: from the first row that has a
/// text and no value, once the table has begun and nothing but such rows follow.
pub(super) fn split<'a>(rows: &'a [Row], columns: &[Column]) -> (Vec<&'a Row>, Vec<String>) {
    let valued = |row: &Row| columns.iter().any(|c| !row.cell(c.index).is_blank());
    let end = rows.iter().rposition(|r| !r.cell(0).is_blank() && valued(r)).map_or(0, |last| last + 1);
    let body = rows.iter().take(end).filter(|r| !r.is_blank()).collect();
    let prose = rows.iter().skip(end).flat_map(|r| r.cells.iter()).map(|c| squeeze(&c.text()));
    (body, prose.filter(|text| !text.is_empty()).collect())
}

/// The month of the edition: of the line that begins with `Date`, of the one that says how to
/// cite, or of any cell above the table.
pub(super) fn vintage(grid: &Grid, below: &[String]) -> Option<NaiveDate> {
    const ABOVE: usize = 4;
    let lower = |text: &String| text.to_lowercase();
    let dated =
        below.iter().filter(|t| lower(t).starts_with("date") || lower(t).contains("as of")).find_map(|t| month_of(t));
    let cited = || below.iter().filter(|t| lower(t).contains("cite")).find_map(|t| month_of(t));
    let above = || grid.rows.iter().take(ABOVE).flat_map(|r| r.cells.iter()).find_map(|c| month_of(&c.text()));
    dated.or_else(cited).or_else(above)
}

/// Compares the published world totals with the sums of the economies.
pub(super) fn check_totals(
    grid: &Grid,
    columns: &[Column],
    sums: &BTreeMap<usize, Sum>,
    below: &[String],
    settings: &Settings,
) -> Result<Vec<String>> {
    let (mut notes, mut agreed, mut published) = (Vec::new(), 0, 0);
    let mut left_out: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for column in columns {
        let Some(sum) = sums.get(&column.index) else { continue };
        let Some((world, row)) = sum.world else { continue };
        published += 1;
        let near = |sum: f64| (sum - world).abs() <= settings.totals.agrees * world.abs().max(1.0);
        if near(sum.sum) {
            agreed += 1;
            continue;
        }
        // The producer leaves economies out of its totals and says so in a footnote.
        let named = |name: &str| {
            let word = name.split([',', ' ']).next().unwrap_or(name);
            word.len() > 3 && below.iter().any(|text| text.contains(word))
        };
        if let Some((name, _)) = sum.values.iter().find(|(name, value)| named(name) && near(sum.sum - value)) {
            left_out.entry(name).or_default().push(column.year);
            continue;
        }
        let difference = (sum.sum - world) / world.abs().max(1.0);
        let what = format!(
            "{}: the published total {world} is not the sum of the economies, {} ({:+.3} %)",
            column.label,
            sum.sum,
            100.0 * difference
        );
        if difference.abs() > settings.totals.differs {
            let place = grid.place().row(row).column(&column.label);
            return Err(Error::data(place, format!("{what}; a row or a cell was changed or lost")));
        }
        notes.push(what);
    }
    for (name, years) in left_out {
        let (first, last) = (years.iter().min().copied(), years.iter().max().copied());
        notes.push(format!(
            "{} published totals of {} to {} are the sum of the economies without {}, as a footnote says",
            years.len(),
            first.unwrap_or_default(),
            last.unwrap_or_default(),
            Printable(name)
        ));
    }
    if published == 0 {
        notes.push("the file has no world total to compare the economies with".to_owned());
    } else {
        notes.push(format!("{agreed} of {published} published world totals are the sum of the economies"));
    }
    Ok(notes)
}
