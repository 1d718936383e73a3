//! Where things stand on a sheet of an edition: found by words, because editions move them.

use chrono::NaiveDate;

use super::{Measure, Settings};
use crate::error::{Error, Result};
use crate::import::cells::{first_of, squeeze, year};
use crate::read::{Cell, Grid, Row};

/// Rows of title, citation and header above the data; the deepest known header is in row 16.
const PREAMBLE: usize = 25;

/// The title of the dataset above a table.
pub(super) fn title(grid: &Grid) -> Option<String> {
    let mut texts = grid.rows.iter().take(PREAMBLE).flat_map(|r| r.cells.iter()).map(|c| squeeze(&c.text()));
    texts.find(|t| {
        let t = t.to_lowercase();
        t.contains("international migrant stock") || t.contains("pop/db/mig/stock")
    })
}

/// A column of facts.
pub(super) struct Fact<'a> {
    pub(super) column: usize,
    /// Year and sex, for messages.
    pub(super) label: String,
    pub(super) year: i32,
    pub(super) first_day: NaiveDate,
    pub(super) sex: &'static str,
    pub(super) measure: &'a Measure,
    /// From the unit of the sheet to the base unit.
    pub(super) scale: f64,
}

/// What the columns beside the labels hold.
pub(super) enum Columns<'a> {
    /// Years of measures by sex.
    Facts(Vec<Fact<'a>>),
    /// Origins, one column each; the year is in a column of labels.
    Origins { sex: &'static str, year: usize, names: usize },
}

/// Columns that name one end of the move.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) name: usize,
    pub(super) code: usize,
}

/// Where things stand on a sheet.
pub(super) struct Layout<'a> {
    /// Index of the row of labels.
    pub(super) header: usize,
    /// Index of the first row below the header.
    pub(super) body: usize,
    pub(super) destination: Option<End>,
    pub(super) origin: Option<End>,
    /// How the estimate was made: foreign-born, foreign citizens, imputed; blank for groups.
    pub(super) kind: Option<usize>,
    pub(super) columns: Columns<'a>,
}

fn label(row: &Row, i: usize) -> String {
    squeeze(&row.cell(i).text()).to_lowercase()
}

/// Editions to 2019 say `Code`.
fn is_code(row: &Row, i: usize) -> bool {
    let text = label(row, i);
    text.contains("location code") || text == "code"
}

impl<'a> Layout<'a> {
    pub(super) fn of(grid: &Grid, settings: &'a Settings) -> Result<Self> {
        let is_header = |row: &Row| (0..row.cells.len()).any(|i| is_code(row, i));
        let Some((header, row)) = grid.rows.iter().enumerate().take(PREAMBLE).find(|(_, r)| is_header(r)) else {
            return Err(Error::data(grid.place(), "has no header row with `Location code`"));
        };
        let codes: Vec<usize> = (0..row.cells.len()).filter(|i| is_code(row, *i)).collect();
        let end = |code: usize| -> Result<End> {
            let name = (0..code).rev().find(|i| {
                let text = label(row, *i);
                text.contains("country or area") || text.contains("region")
            });
            let name = name.ok_or_else(|| {
                Error::data(grid.at(row, "Location code"), "has no column of country names before it")
            })?;
            Ok(End { name, code })
        };
        let kind = (0..row.cells.len()).find(|i| {
            let text = label(row, *i);
            text.contains("type of data") || text.contains("data type")
        });
        let time = (0..row.cells.len()).find(|i| label(row, *i) == "year");
        if let (Some(year), [one]) = (time, codes.as_slice()) {
            let last = [Some(year), Some(*one), kind].into_iter().flatten().max().unwrap_or(*one);
            let names = names_row(grid, header, last)?;
            let columns = Columns::Origins { sex: sex_of_sheet(grid, header)?, year, names };
            let body = names.max(header) + 1;
            return Ok(Self { header, body, destination: Some(end(*one)?), origin: None, kind, columns });
        }
        let said = preamble(grid, header).join(" ").to_lowercase();
        let (destination, origin) = match codes.as_slice() {
            [one] if label(row, end(*one)?.name).contains("of origin") => (None, Some(end(*one)?)),
            [one] if said.contains("destination") || !said.contains("origin") => (Some(end(*one)?), None),
            [one] => (None, Some(end(*one)?)),
            [first, second] if label(row, end(*first)?.name).contains("of origin") => {
                (Some(end(*second)?), Some(end(*first)?))
            }
            [first, second] => (Some(end(*first)?), Some(end(*second)?)),
            _ => return Err(Error::data(grid.place().row(row.number), "has more than two columns `Location code`")),
        };
        let (years, facts) = facts(grid, header, settings)?;
        Ok(Self { header, body: years + 1, destination, origin, kind, columns: Columns::Facts(facts) })
    }
}

/// The texts above the header.
fn preamble(grid: &Grid, header: usize) -> Vec<String> {
    let cells = grid.rows.iter().take(header).flat_map(|r| r.cells.iter());
    cells.map(|c| squeeze(&c.text())).filter(|t| !t.is_empty()).collect()
}

/// The year of the edition, from `POP/DB/MIG/Stock/Rev.2020` or the title.
pub(super) fn edition(grid: &Grid) -> Result<i32> {
    let texts = preamble(grid, PREAMBLE);
    let digits =
        |text: &str| text.chars().take(4).collect::<String>().parse::<i32>().ok().filter(|y| (1990..2100).contains(y));
    let after = |mark: &str| {
        texts.iter().find_map(|t| t.find(mark).and_then(|at| digits(t.get(at + mark.len()..)?.trim_start())))
    };
    let found = after("Rev.").or_else(|| after("Rev ")).or_else(|| after("International Migrant Stock"));
    found.or_else(|| after("International migrant stock")).or_else(|| after("The ")).ok_or_else(|| {
        Error::data(
            grid.place(),
            "names no edition; expected `Rev.` or `International Migrant Stock` and a year above the header",
        )
    })
}

/// The row of the origins' names: the header itself or the row below it, where the label
/// `Country or area of origin` is merged above the names.
fn names_row(grid: &Grid, header: usize, last_label: usize) -> Result<usize> {
    let names = |index: usize| {
        let row = grid.rows.get(index)?;
        // A row of data has numbers there.
        let text = |c: &Cell| matches!(c, Cell::Text(t) if t.chars().any(char::is_alphabetic));
        Some(row.cells.iter().skip(last_label + 1).filter(|c| text(c)).count())
    };
    let best = [header, header + 1].into_iter().max_by_key(|i| (names(*i), std::cmp::Reverse(*i)));
    best.filter(|i| names(*i).is_some_and(|n| n > 1)).ok_or_else(|| {
        let row = grid.rows.get(header).map_or(0, |r| r.number);
        Error::data(grid.place().row(row), "has a column `Year` and no names of origins beside the labels")
    })
}

/// The sex of a sheet that holds one only.
fn sex_of_sheet(grid: &Grid, header: usize) -> Result<&'static str> {
    let texts: Vec<String> = preamble(grid, header).iter().map(|t| t.to_lowercase()).collect();
    let of_table = texts.iter().filter(|t| t.starts_with("table"));
    for text in of_table.chain(&texts) {
        match () {
            () if text.contains("female") => return Ok("female"),
            () if text.contains("both") || text.contains("total migrant") => return Ok("both"),
            () if text.contains("male") => return Ok("male"),
            () => {}
        }
    }
    Err(Error::data(
        grid.place(),
        "does not say whose stock it is; expected `Total migrant stock`, `Male migrant stock` or `Female migrant stock` above the header",
    ))
}

/// Year columns by measure and sex, and the row they stand in: the header or one of the two
/// below. Measure and sex stand in merged cells, above the years or beside the labels, so they
/// hold until the next text of their row; else the title says what the sheet holds.
fn facts<'a>(grid: &Grid, header: usize, settings: &'a Settings) -> Result<(usize, Vec<Fact<'a>>)> {
    let number = grid.rows.get(header).map_or(0, |r| r.number);
    let periods = |row: &Row| row.cells.iter().filter(|c| period(c).is_some()).count();
    let missing = || Error::data(grid.place().row(number), "has no column of a year beside `Location code`");
    let years = if grid.rows.get(header).is_some_and(|r| periods(r) > 0) {
        header
    } else {
        // Data begins where a code stands below `Location code`; a row of years has none.
        let below = |i: &usize| grid.rows.get(*i).is_some_and(|r| periods(r) > 0 && r.cell(1).is_blank());
        (header + 1..header + 3).find(below).ok_or_else(missing)?
    };
    let Some(row) = grid.rows.get(years) else { return Err(missing()) };
    let above: Vec<&Row> = grid.rows.iter().take(years).skip(header.saturating_sub(4)).rev().collect();
    let covering = |column: usize, wanted: &dyn Fn(&str) -> bool| {
        above.iter().find_map(|r| {
            let text = (0..=column).rev().map(|i| label(r, i)).find(|t| !t.is_empty())?;
            wanted(&text).then_some(text)
        })
    };
    let texts = preamble(grid, header);
    let title = texts.iter().find(|t| t.to_lowercase().starts_with("table")).map(|t| t.to_lowercase());
    let mut facts = Vec::new();
    for (column, cell) in row.cells.iter().enumerate() {
        let Some((year, period)) = period(cell) else { continue };
        let sexed = |t: &str| t.contains("male") || t.contains("both");
        let sex = match covering(column, &sexed) {
            Some(t) if t.contains("percentage") && t.contains("female migrants") => "both",
            Some(t) if t.contains("female") => "female",
            Some(t) if t.contains("both") => "both",
            Some(_) => "male",
            None => "both",
        };
        let known = |t: &str| settings.measures.iter().any(|m| m.is(t));
        let block = covering(column, &known).or_else(|| title.clone()).unwrap_or_default();
        let label = format!("{period} {sex}");
        let measure = settings.measures.iter().find(|m| m.is(&block)).ok_or_else(|| {
            let what = "says neither above the years nor in its title what it holds; expected such as `International migrant stock at mid-year`";
            Error::data(grid.at(row, &label), what)
        })?;
        let both = format!("{block} {}", title.as_deref().unwrap_or_default());
        let scale = settings.scales.iter().find(|(word, _)| measure.scaled && both.contains(word.as_str()));
        let scale = scale.map_or(1.0, |(_, scale)| *scale);
        let first_day = first_of(year, grid.at(row, &label))?;
        facts.push(Fact { column, first_day, label, year, sex, measure, scale });
    }
    Ok((years, facts))
}

/// A year, or the first year of `1990-1995`; and how the column is called.
fn period(cell: &Cell) -> Option<(i32, String)> {
    if let Some(year) = year(cell) {
        return Some((year, year.to_string()));
    }
    let text = squeeze(&cell.text());
    let (from, to) = text.split_once(['-', '–'])?;
    let years = [from, to].map(|t| year(&Cell::Text(t.trim().to_owned())));
    match years {
        [Some(from), Some(to)] if from < to => Some((from, text)),
        _ => None,
    }
}
