//! OECD DAC2A as SDMX-CSV: one observation a line, columns found by name.
//!
//! Dialects differ in the column of the value (`OBS_VALUE`, or `ObsValue` from
//! R), in leading columns (row number, dataflow) and in labels beside codes
//! (`RECIPIENT: Recipient`); the codes are the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::country::{Match, Provider};
use crate::error::{Error, Result};
use crate::import::cells::{first_of, number, year};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::{AGGREGATE_OBSERVATION, AID_FLOW};

pub(super) struct OecdDac2a;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    missing: Vec<String>,
    dimensions: Vec<String>,
    value: Vec<String>,
    unit: String,
}

impl Importer for OecdDac2a {
    fn id(&self) -> &'static str {
        "oecd.dac2a"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let Some(header) = input.text().and_then(|g| g.rows.first()) else { return Ok(Recognition::No) };
        let settings: Settings = descriptor.settings()?;
        let absent: Vec<&String> = settings.dimensions.iter().filter(|d| position(header, d).is_none()).collect();
        let valued = settings.value.iter().any(|v| position(header, v).is_some());
        if absent.is_empty() && valued {
            return Ok(Recognition::Yes);
        }
        let sdmx = ["DONOR", "RECIPIENT", "MEASURE"].iter().all(|d| position(header, d).is_some());
        if !sdmx {
            return Ok(Recognition::No);
        }
        let mut missing: Vec<&str> = absent.into_iter().map(String::as_str).collect();
        if !valued {
            missing.extend(settings.value.first().map(String::as_str));
        }
        Ok(Recognition::Almost(format!("it lacks the columns `{}`", missing.join("`, `"))))
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let Some((grid, (header, body))) = input.text().and_then(|g| Some((g, g.rows.split_first()?))) else {
            return Err(Error::data(input.place(), "is empty"));
        };
        let mut notes = Vec::new();
        let vintage = match (context.vintage, input.modified) {
            (Some(day), _) => day,
            (None, Some(day)) => {
                notes.push(format!(
                    "the file states no edition: vintage {day} is the day it was last modified; --vintage sets another"
                ));
                day
            }
            (None, None) => {
                return Err(Error::data(input.place(), "states no edition; say its date with --vintage YYYY-MM-DD"));
            }
        };
        input.whole(header, complete)?;
        read(grid, header, body, vintage, context, &settings, notes)
    }
}

/// True if a value of that last column, as it stands, is the beginning of no longer
/// one: statuses and prices have codes of one letter, years four digits, and no
/// power of ten that is in use begins with one of those named.
fn complete(column: &str, value: &str) -> bool {
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    match column.trim() {
        "OBS_STATUS" | "PRICE_BASE" => value.len() == 1 && value.bytes().all(|b| b.is_ascii_uppercase()),
        "TIME_PERIOD" => value.len() == 4 && digits,
        "UNIT_MULT" => matches!(value, "0" | "3" | "6" | "9"),
        _ => false,
    }
}

/// Column of that code; `CODE: Label` is how SDMX-CSV 2 writes both.
fn position(header: &Row, name: &str) -> Option<usize> {
    header.cells.iter().position(|c| c.text().split(':').next().is_some_and(|code| code.trim() == name))
}

/// The code of a cell that may be `code: label`.
fn code(row: &Row, index: Option<usize>) -> String {
    let text = index.map(|i| row.cell(i).text()).unwrap_or_default();
    text.split(':').next().unwrap_or_default().trim().to_owned()
}

fn read(
    grid: &Grid,
    header: &Row,
    body: &[Row],
    vintage: chrono::NaiveDate,
    context: &Context<'_>,
    settings: &Settings,
    mut notes: Vec<String>,
) -> Result<Imported> {
    let [donor, recipient, measure, time, price] =
        ["DONOR", "RECIPIENT", "MEASURE", "TIME_PERIOD", "PRICE_BASE"].map(|name| position(header, name));
    let [flow, status, multiplier, unit] =
        ["FLOW_TYPE", "OBS_STATUS", "UNIT_MULT", "UNIT_MEASURE"].map(|name| position(header, name));
    let value = settings
        .value
        .iter()
        .find_map(|name| position(header, name))
        .ok_or_else(|| Error::data(grid.place(), "has no column of values"))?;
    let value_name = header.cell(value).text();

    let mut economies: BTreeMap<String, Rows> = BTreeMap::new();
    let mut aggregates: BTreeMap<String, Rows> = BTreeMap::new();
    let (mut years, mut recipients) = (BTreeSet::new(), BTreeSet::new());
    let body: Vec<Row> = body.iter().filter(|r| !r.is_blank()).cloned().collect();
    for row in &body {
        if row.cells.len() < header.cells.len() {
            let what = format!(
                "the row has {} cells, the header {}; the file seems cut off",
                row.cells.len(),
                header.cells.len()
            );
            return Err(Error::data(grid.place().row(row.number), what));
        }
        let Some(amount) = number(grid, row, value, &value_name, &settings.missing)? else { continue };
        let unit = code(row, unit);
        if !unit.is_empty() && unit != "USD" {
            return Err(Error::data(
                grid.at(row, "UNIT_MEASURE"),
                format!("`{unit}` is not USD; only US dollars are imported"),
            ));
        }
        let exponent = match multiplier {
            Some(_) => {
                let text = code(row, multiplier);
                let exponent = if text.is_empty() { Some(0) } else { text.parse::<i32>().ok() };
                exponent.filter(|e| (-12..=12).contains(e)).ok_or_else(|| {
                    let what = format!("`{text}` is not a power of ten; expected such as `6` for millions");
                    Error::data(grid.at(row, "UNIT_MULT"), what)
                })?
            }
            None => {
                return Err(Error::data(
                    grid.place(),
                    "has no column `UNIT_MULT`, so the size of its unit is not known",
                ));
            }
        };
        let dollars = amount * 10f64.powi(exponent);
        let period = time.map(|i| row.cell(i));
        let year = period.and_then(year).ok_or_else(|| {
            let text = period.map(crate::read::Cell::text).unwrap_or_default();
            Error::data(grid.at(row, "TIME_PERIOD"), format!("`{text}` is not a year"))
        })?;
        let [donor, measure, price, flow, status] = [donor, measure, price, flow, status].map(|index| code(row, index));
        let recipient_code = code(row, recipient);
        let found = context.concordance.resolve(Provider::Oecd, &recipient_code, grid.at(row, "RECIPIENT"))?;
        let status = Value::MaybeText(Some(status.as_str()).filter(|s| !s.is_empty()));
        let (source, day) = (Value::Text(&context.descriptor.id), Value::Date(vintage));
        let series = format!("oecd.dac2a/{donor}/{measure}/{price}");
        match found {
            Match::Economy(iso3) => {
                years.insert(year);
                recipients.insert(iso3);
                let rows = economies.entry(series.clone()).or_insert_with(|| Rows::new(&AID_FLOW, series));
                let keys =
                    [Value::Text(&donor), Value::Text(iso3.as_ref()), Value::Integer(year), Value::Text(&measure)];
                let facts = [Value::Text(&flow), Value::Text(&price), Value::Number(dollars), source, day, status];
                rows.push(row.number, &value_name, &[keys.as_slice(), facts.as_slice()].concat())?;
            }
            Match::Aggregate { name, .. } => {
                let indicator = format!("DAC2A.{donor}.{measure}.{price}.{flow}");
                let rows =
                    aggregates.entry(series.clone()).or_insert_with(|| Rows::new(&AGGREGATE_OBSERVATION, series));
                let keys = [
                    Value::Text(&indicator),
                    Value::Text(&recipient_code),
                    Value::Text(&name),
                    Value::Date(first_of(year, grid.place())?),
                ];
                let facts = [Value::Number(dollars), Value::Text(&settings.unit), source, day, status];
                rows.push(row.number, &value_name, &[keys.as_slice(), facts.as_slice()].concat())?;
            }
        }
    }
    let facts: usize = economies.values().map(Rows::len).sum();
    let kept_apart: usize = aggregates.values().map(Rows::len).sum();
    if facts == 0 {
        return Err(Error::data(grid.place(), "has no value for any economy; the file seems cut off"));
    }
    let span =
        format!("{} to {}", years.first().copied().unwrap_or_default(), years.last().copied().unwrap_or_default());
    notes.push(format!(
        "{facts} values of {} recipients, {kept_apart} of aggregates kept apart, {span}",
        recipients.len()
    ));
    let measures: BTreeSet<String> = body.iter().map(|r| code(r, measure)).collect();
    let measures = format!("measure {}", measures.into_iter().collect::<Vec<_>>().join(" "));
    let staged = vec![stage(&format!("{} {measures}", context.descriptor.id), grid, header, &body)?];
    let edition = format!("{measures} {vintage}");
    Ok(Imported {
        place: grid.place(),
        edition,
        vintage,
        rows: economies.into_values().chain(aggregates.into_values()).collect(),
        staged,
        notes,
    })
}
