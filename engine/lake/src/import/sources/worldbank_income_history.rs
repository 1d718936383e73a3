//! OGHIST: income groups by fiscal year.
//!
//! ```text
//!      Bank's fiscal year:       FY89  FY90 …
//!      Data for calendar year :  1987  1988 …
//!      Low income (L)            <= 480 …
//! AFG  Afghanistan               L     L    …
//! ```
//! A fiscal year runs from 1 July of the year before to 30 June; a run of equal
//! codes is one membership.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::worldbank_classification::Settings;
use crate::country::{Iso3, Match, Provider};
use crate::error::{Error, Printable, Result};
use crate::import::cells::squeeze;
use crate::import::importer::{Context, Imported};
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::COUNTRY_GROUP;

/// A series of its own: the list of a year, with regions, does not replace it.
const SERIES: &str = "worldbank.income_history";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct History {
    pub(super) sheets: Vec<String>,
    fiscal_year: String,
    century: i32,
    first_month: u32,
    former: String,
    marks: Vec<String>,
    codes: BTreeMap<String, String>,
    names: BTreeMap<String, String>,
}

impl History {
    /// 2026 of `FY26`.
    fn year(&self, label: &str) -> Option<i32> {
        let digits = label.trim().strip_prefix("FY")?.trim();
        let number: i32 = digits.parse().ok().filter(|n| *n >= 0)?;
        match digits.len() {
            2 => Some(number + if number >= self.century { 1900 } else { 2000 }),
            4 => Some(number),
            _ => None,
        }
    }
}

/// The row of fiscal years.
pub(super) fn header(grid: &Grid, history: &History) -> Option<usize> {
    const PREAMBLE: usize = 15;
    grid.rows.iter().take(PREAMBLE).position(|row| {
        let said = row.cells.iter().take(3).any(|c| squeeze(&c.text()).to_lowercase().contains(&history.fiscal_year));
        said && row.cells.iter().any(|c| history.year(&c.text()).is_some())
    })
}

/// True if rows begin with codes of economies, as those of the thresholds do not.
pub(super) fn lists_economies(grid: &Grid) -> bool {
    grid.rows.iter().filter(|row| is_code(&row.cell(0).text())).count() > 1
}

fn is_code(text: &str) -> bool {
    let text = text.trim();
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())
}

/// A membership while it lasts: group, first and last fiscal year.
struct Run {
    group: String,
    first: i32,
    last: i32,
}

pub(super) fn import(grid: &Grid, context: &Context<'_>, settings: &Settings) -> Result<Imported> {
    let history = &settings.history;
    let Some((index, head)) = header(grid, history).and_then(|i| Some((i, grid.rows.get(i)?))) else {
        return Err(Error::data(grid.place(), "has no row of fiscal years such as `FY26`"));
    };
    let mut years: Vec<(usize, i32, String)> = Vec::new();
    for (column, cell) in head.cells.iter().enumerate() {
        let label = squeeze(&cell.text());
        let Some(year) = history.year(&label) else { continue };
        if years.last().is_some_and(|(_, before, _)| before + 1 != year) {
            return Err(Error::data(
                grid.at(head, &label),
                format!("fiscal year `{label}` does not follow the one before it"),
            ));
        }
        years.push((column, year, label));
    }
    let Some(newest) = years.last().map(|(_, year, _)| *year) else {
        return Err(Error::data(grid.place(), "has no fiscal years"));
    };
    let first_day = |year: i32| {
        NaiveDate::from_ymd_opt(year - 1, history.first_month, 1).ok_or_else(|| Error::data(grid.place(), "not a year"))
    };
    let mut notes = Vec::new();
    let vintage = match context.vintage {
        Some(day) => day,
        None => {
            let day = first_day(newest)?;
            notes.push(format!("the file states no edition: vintage {day}, the first day of its last fiscal year; --vintage sets another"));
            day
        }
    };
    let body: Vec<Row> = grid.rows.iter().skip(index + 1).filter(|r| is_code(&r.cell(0).text())).cloned().collect();
    let mut rows = Rows::new(&COUNTRY_GROUP, SERIES);
    let (mut marked, mut economies) = (Vec::new(), 0);
    for row in &body {
        let iso3 = economy(grid, row, history, context, &mut notes)?;
        economies += 1;
        for run in runs(grid, row, &years, settings, &mut marked)? {
            let last_day = first_day(run.last + 1)?.pred_opt();
            let name = history.names.get(&run.group).map_or(run.group.as_str(), String::as_str);
            let values = [
                Value::Text("income"),
                Value::Text(&run.group),
                Value::Text(name),
                Value::Text(iso3.as_ref()),
                Value::Date(first_day(run.first)?),
                Value::MaybeDate(last_day),
                Value::Text(&context.descriptor.id),
                Value::Date(vintage),
            ];
            rows.push(row.number, &format!("FY{:02}", run.first % 100), &values)?;
        }
    }
    if rows.is_empty() {
        return Err(Error::data(grid.place(), "gives no economy an income group; the file seems cut off"));
    }
    let first = years.first().map(|(_, _, label)| label.clone()).unwrap_or_default();
    notes.push(format!(
        "{} periods of {economies} economies, {first} to FY{:02}; a run of equal codes is one period, and a fiscal year runs from 1 July of the year before",
        rows.len(),
        newest % 100
    ));
    if !marked.is_empty() {
        notes.push(format!("marks of footnotes do not change a code: {}", marked.join(", ")));
    }
    let staged = vec![stage(&format!("{} history {vintage}", context.descriptor.id), grid, head, &body)?];
    let edition = format!("history to fiscal year {newest}");
    Ok(Imported { place: grid.place(), edition, vintage, rows: vec![rows], files: Vec::new(), staged, notes })
}

/// Code and name must mean the same; the sheet has two economies under `YUG`, told apart by name.
fn economy(grid: &Grid, row: &Row, history: &History, context: &Context<'_>, notes: &mut Vec<String>) -> Result<Iso3> {
    let (code, name) = (squeeze(&row.cell(0).text()), squeeze(&row.cell(1).text()));
    let lookup = |text: &str| match context.concordance.lookup(Provider::WorldBank, text) {
        Some(Match::Economy(iso3)) => Some(iso3),
        _ => None,
    };
    let by_name = lookup(&name).or_else(|| lookup(name.trim_end_matches(&history.former).trim()));
    match (lookup(&code), by_name) {
        (Some(code_iso3), Some(name_iso3)) if code_iso3 != name_iso3 => {
            notes.push(format!(
                "row {}: `{code}` stands for `{}`, taken as {}",
                row.number,
                Printable(&name),
                name_iso3.as_ref()
            ));
            Ok(name_iso3)
        }
        (Some(iso3), _) | (None, Some(iso3)) => Ok(iso3),
        (None, None) => {
            let place = grid.place().row(row.number);
            match context.concordance.resolve(Provider::WorldBank, &name, place.clone())? {
                Match::Economy(iso3) => Ok(iso3),
                Match::Aggregate { name, .. } => Err(Error::data(place, format!("`{code}` is the aggregate `{name}`"))),
            }
        }
    }
}

fn runs(
    grid: &Grid,
    row: &Row,
    years: &[(usize, i32, String)],
    settings: &Settings,
    marked: &mut Vec<String>,
) -> Result<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    for (column, year, label) in years {
        let text = squeeze(&row.cell(*column).text());
        if settings.missing.contains(&text) {
            continue;
        }
        let mut code = text.as_str();
        for mark in &settings.history.marks {
            code = code.trim_end_matches(mark.as_str()).trim_end();
        }
        if code != text {
            marked.push(format!("`{}` of {} in {label}", Printable(&text), row.cell(0).text()));
        }
        let Some(group) = settings.history.codes.get(code) else {
            let known: Vec<&str> = settings.history.codes.keys().map(String::as_str).collect();
            let what = format!("unknown income group `{}`; known are `{}`", Printable(&text), known.join("`, `"));
            return Err(Error::data(grid.at(row, label), what));
        };
        match runs.last_mut() {
            Some(run) if run.group == *group && run.last + 1 == *year => run.last = *year,
            _ => runs.push(Run { group: group.clone(), first: *year, last: *year }),
        }
    }
    Ok(runs)
}
