//! Series of central banks: a column of months or quarters, and a column for each series.
//!
//! ```text
//! Date,Workers Remittances (Million USD)
//! JUL-2005,313.14
//! ```
//! Which words and which unit is up to the descriptor, so another bank's file of this
//! shape needs a descriptor that names this importer, and no code.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::import::cells::{number, squeeze};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::{INDICATOR, OBSERVATION};

pub(super) struct CentralBankSeries;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    iso3: String,
    period: String,
    period_format: String,
    period_example: String,
    frequency: Frequency,
    missing: Vec<String>,
    series: Vec<Series>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
enum Frequency {
    M,
    Q,
}

/// A column of values.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    header: String,
    scale: f64,
    indicator: String,
    name: String,
    unit: String,
    definition: String,
}

impl Frequency {
    fn code(self) -> &'static str {
        match self {
            Self::M => "M",
            Self::Q => "Q",
        }
    }

    fn months(self) -> u32 {
        match self {
            Self::M => 1,
            Self::Q => 3,
        }
    }
}

/// Where what stands.
struct Layout {
    header: usize,
    period: usize,
    /// Of each series of the descriptor.
    values: Vec<Option<usize>>,
}

impl Importer for CentralBankSeries {
    fn id(&self) -> &'static str {
        "central_bank.series"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        let found = input.text().and_then(|grid| layout(grid, &settings));
        Ok(if found.is_some() { Recognition::Yes } else { Recognition::No })
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let found = input.text().and_then(|grid| Some((grid, layout(grid, &settings)?)));
        let Some((grid, layout)) = found else {
            return Err(Error::data(input.place(), format!("has no header `{}`", settings.period)));
        };
        if let Some(header) = grid.rows.get(layout.header) {
            input.whole(header, |_, _| false)?;
        }
        read(grid, &layout, context, &settings)
    }
}

/// The header: the word for periods, and that of at least one series.
fn layout(grid: &Grid, settings: &Settings) -> Option<Layout> {
    const PREAMBLE: usize = 12;
    grid.rows.iter().take(PREAMBLE).enumerate().find_map(|(header, row)| {
        let position = |name: &str| row.cells.iter().position(|c| squeeze(&c.text()).eq_ignore_ascii_case(name));
        let period = position(&settings.period)?;
        let values: Vec<Option<usize>> = settings.series.iter().map(|s| position(&s.header)).collect();
        values.iter().any(Option::is_some).then_some(Layout { header, period, values })
    })
}

/// The first day of a period written without a day; `None` if it is not of the frequency.
fn first_day(text: &str, settings: &Settings) -> Option<NaiveDate> {
    let format = format!("%d {}", settings.period_format);
    let day = NaiveDate::parse_from_str(&format!("1 {}", squeeze(text)), &format).ok()?;
    // A year cut short is a year all the same.
    let sane = (1900..2200).contains(&day.year()) && (day.month() - 1) % settings.frequency.months() == 0;
    sane.then_some(day)
}

fn read(grid: &Grid, layout: &Layout, context: &Context<'_>, settings: &Settings) -> Result<Imported> {
    let header = grid.rows.get(layout.header).ok_or_else(|| Error::Internal("header row vanished".to_owned()))?;
    let body: Vec<Row> = grid.rows.iter().skip(layout.header + 1).filter(|r| !r.is_blank()).cloned().collect();
    let mut periods = Vec::with_capacity(body.len());
    for row in &body {
        if row.cells.len() != header.cells.len() {
            let (found, wanted) = (row.cells.len(), header.cells.len());
            let what = format!(
                "the row has {found} cells, the header {wanted}; the file is cut off, or a comma stands where none should"
            );
            return Err(Error::data(grid.place().row(row.number), what));
        }
        let text = row.cell(layout.period).text();
        let day = first_day(&text, settings).ok_or_else(|| {
            let what = format!("`{}` is not a period; expected such as `{}`", text.trim(), settings.period_example);
            Error::data(grid.at(row, &settings.period), what)
        })?;
        periods.push(day);
    }
    let (Some(first), Some(last)) = (periods.iter().min().copied(), periods.iter().max().copied()) else {
        return Err(Error::data(grid.place(), "has no period below its header; the file seems cut off"));
    };
    let step = Months::new(settings.frequency.months());
    let end = last.checked_add_months(step).and_then(|d| d.checked_sub_days(Days::new(1))).unwrap_or(last);
    let vintage = context.vintage.unwrap_or(end);
    let id = context.descriptor.id.as_str();
    let mut notes = vec![format!("vintage {vintage}; the file states no edition, its newest period ends on {end}")];
    let span = (last.year() - first.year()) * 12 + last.month() as i32 - first.month() as i32;
    let expected = span / settings.frequency.months() as i32 + 1;
    let (mut rows, mut indicators) =
        (Rows::new(&OBSERVATION, format!("{id}/series")), Rows::new(&INDICATOR, format!("{id}/series")));
    for (series, index) in settings.series.iter().zip(&layout.values) {
        let Some(index) = *index else {
            notes.push(format!("column `{}` is not in this edition", series.header));
            continue;
        };
        let mut years: BTreeMap<i32, (f64, u32)> = BTreeMap::new();
        let mut count = 0;
        for (row, day) in body.iter().zip(&periods) {
            let Some(value) = number(grid, row, index, &series.header, &settings.missing)? else { continue };
            let (sum, periods) = years.entry(day.year()).or_default();
            *sum += value * series.scale;
            *periods += 1;
            count += 1;
            let key = [Value::Text(&series.indicator), Value::Text(&settings.iso3), Value::Date(*day)];
            let facts = [Value::Text(settings.frequency.code()), Value::Number(value * series.scale)];
            let rest = [Value::Text(&series.unit), Value::Text(id), Value::Date(vintage), Value::Null];
            rows.push(row.number, &series.header, &[&key[..], &facts, &rest].concat())?;
        }
        let named = [Value::Text(&series.indicator), Value::Text(&series.name), Value::Text(&series.unit)];
        let rest = [Value::Text(&series.definition), Value::Text(id), Value::Date(vintage)];
        indicators.push(header.number, &series.header, &[named, rest].concat())?;
        notes.push(format!("`{}`: {count} values of {expected} periods from {first} to {last}", series.indicator));
        notes.push(format!("`{}`: read as {} times {}", series.header, series.unit, series.scale));
        let whole = 12 / settings.frequency.months();
        if let Some((year, (sum, _))) = years.iter().rev().find(|(_, (_, periods))| *periods == whole) {
            notes.push(format!("`{}`: sum of {year} {sum:.0} {}", series.indicator, series.unit));
        }
    }
    if rows.is_empty() {
        return Err(Error::data(grid.place(), "has no value below its header; the file seems cut off"));
    }
    Ok(Imported {
        place: grid.place(),
        edition: format!("series {vintage}"),
        vintage,
        staged: vec![stage(&format!("{id} series"), grid, header, &body)?],
        rows: vec![rows, indicators],
        notes,
    })
}
