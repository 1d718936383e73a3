//! KNOMAD's series as the World Bank's Data360 offers them: SDMX as CSV, codes and labels.
//!
//! ```text
//! …,REF_AREA,REF_AREA_LABEL,INDICATOR,INDICATOR_LABEL,…,COMP_BREAKDOWN_1,…,TIME_PERIOD,OBS_VALUE,…
//! …,USA,United States,WB_KNOMAD_BRE,Bilateral Remittance Estimates … (US$ million),…,WB_KNOMAD_MEX,…,2021,52595.34,…
//! ```
//! The scale is in the label of the indicator only: `UNIT_MULT` is 0 although amounts are in
//! millions, so a label that says something else is an error.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::facts::{Fact, Facts, Indicator};
use crate::country::{Match, Provider};
use crate::error::{Error, Printable, Result};
use crate::import::cells::{first_of, number, year};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::{CORRIDOR_FLOW, MIGRANT_STOCK};

pub(super) struct KnomadData360;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    missing: Vec<String>,
    prefix: String,
    nobody: Vec<String>,
    only: BTreeMap<String, String>,
    indicators: BTreeMap<String, Series>,
}

/// What an indicator is here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    holds: Holds,
    series: String,
    code: String,
    name: String,
    definition: String,
    unit: String,
    scale: f64,
    says: String,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Holds {
    Flow,
    Corridor,
    Stock,
}

/// Columns that every file has.
const NEEDED: [&str; 4] = ["REF_AREA", "INDICATOR", "TIME_PERIOD", "OBS_VALUE"];
const COUNTERPART: &str = "COMP_BREAKDOWN_1";

impl Importer for KnomadData360 {
    fn id(&self) -> &'static str {
        "knomad.data360"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let Some([header, first, ..]) = input.text().map(|g| g.rows.as_slice()) else { return Ok(Recognition::No) };
        let settings: Settings = descriptor.settings()?;
        let Some(indicator) = column(header, "INDICATOR") else { return Ok(Recognition::No) };
        let code = first.cell(indicator).text();
        if !code.trim().starts_with(&settings.prefix) || column(header, "REF_AREA").is_none() {
            return Ok(Recognition::No);
        }
        if let Some(missing) = NEEDED.iter().find(|name| column(header, name).is_none()) {
            let what =
                format!("it has no column `{missing}`; take the file of one observation a line, not of years across");
            return Ok(Recognition::Almost(what));
        }
        Ok(Recognition::Yes)
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let Some((grid, (header, body))) = input.text().and_then(|g| Some((g, g.rows.split_first()?))) else {
            return Err(Error::data(input.place(), "is empty"));
        };
        input.whole(header, |_, _| false)?;
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
        let mut reading =
            Reading { grid, header, context, settings: &settings, vintage, found: BTreeMap::new(), notes };
        for row in body.iter().filter(|r| !r.is_blank()) {
            reading.add(row)?;
        }
        reading.finish(body)
    }
}

/// Where a column stands.
fn column(header: &Row, name: &str) -> Option<usize> {
    header.cells.iter().position(|c| c.text().trim() == name)
}

/// What was read of an indicator.
struct Found {
    facts: Facts,
    pairs: BTreeMap<i32, Rows>,
    /// Pairs with the world or another group: totals, which the pairs make up.
    totals: usize,
    zeros: usize,
    first: u64,
}

struct Reading<'a> {
    grid: &'a Grid,
    header: &'a Row,
    context: &'a Context<'a>,
    settings: &'a Settings,
    vintage: NaiveDate,
    found: BTreeMap<&'a str, Found>,
    notes: Vec<String>,
}

impl<'a> Reading<'a> {
    fn text(&self, row: &Row, name: &str) -> Option<String> {
        Some(row.cell(column(self.header, name)?).text().trim().to_owned())
    }

    fn add(&mut self, row: &'a Row) -> Result<()> {
        let code = self.text(row, "INDICATOR").unwrap_or_default();
        let Some((code, series)) = self.settings.indicators.get_key_value(&code) else {
            let known: Vec<&str> = self.settings.indicators.keys().map(String::as_str).collect();
            let what = format!("`{}` is not known; expected `{}`", Printable(&code), known.join("`, `"));
            return Err(Error::data(self.grid.at(row, "INDICATOR"), what));
        };
        self.check(row, series)?;
        let value_at = column(self.header, "OBS_VALUE").unwrap_or_default();
        let Some(value) = number(self.grid, row, value_at, "OBS_VALUE", &self.settings.missing)? else { return Ok(()) };
        if value < 0.0 {
            return Err(Error::data(
                self.grid.at(row, "OBS_VALUE"),
                format!("`{value}` is negative; expected 0 or more"),
            ));
        }
        let time = column(self.header, "TIME_PERIOD").unwrap_or_default();
        let Some(year) = year(row.cell(time)) else {
            let what = format!("`{}` is no year", Printable(&row.cell(time).text()));
            return Err(Error::data(self.grid.at(row, "TIME_PERIOD"), what));
        };
        let area = self.area(row, "REF_AREA", "")?;
        let other = match series.holds {
            Holds::Flow => None,
            Holds::Corridor | Holds::Stock => Some(self.counterpart(row)?),
        };
        let status = self.text(row, "OBS_STATUS").filter(|s| !s.is_empty());
        let name = self.text(row, "REF_AREA_LABEL").unwrap_or_default();
        let found = self.found.entry(code).or_insert_with(|| Found {
            facts: Facts::new(&series.series),
            pairs: BTreeMap::new(),
            totals: 0,
            zeros: 0,
            first: row.number,
        });
        found.zeros += usize::from(value == 0.0);
        let value = value * series.scale;
        let source = &self.context.descriptor.id;
        let (iso3, other) = match (&area, &other) {
            (_, None) => {
                let period = first_of(year, self.grid.at(row, "TIME_PERIOD"))?;
                let fact = Fact {
                    row: row.number,
                    column: "OBS_VALUE",
                    area: &name,
                    period,
                    frequency: "A",
                    value,
                    status: status.as_deref(),
                };
                return found.facts.push(&indicator(series, source, self.vintage), &area, &fact);
            }
            (Match::Economy(iso3), Some(Match::Economy(other))) => (iso3, other),
            _ => {
                found.totals += 1;
                return Ok(());
            }
        };
        let (source, day) = (Value::Text(source), Value::Date(self.vintage));
        let ends = [Value::Text(iso3.as_ref()), Value::Text(other.as_ref()), Value::Integer(year)];
        let (table, rest) = match series.holds {
            Holds::Stock => (&MIGRANT_STOCK, [Value::Text("both"), Value::Number(value)]),
            _ => (&CORRIDOR_FLOW, [Value::Number(value), Value::Text("published_matrix")]),
        };
        let status = [source, day, Value::MaybeText(status.as_deref())];
        let rows = found.pairs.entry(year).or_insert_with(|| Rows::new(table, format!("{}/{year}", series.series)));
        rows.push(row.number, "OBS_VALUE", &[ends.as_slice(), &rest, &status].concat())
    }

    /// Refuses a row of another scale, sex or age.
    fn check(&self, row: &Row, series: &Series) -> Result<()> {
        if let Some(label) = self.text(row, "INDICATOR_LABEL").filter(|l| !l.to_lowercase().contains(&series.says)) {
            let what = format!("`{}` does not say `{}`, so the scale is not known", Printable(&label), series.says);
            return Err(Error::data(self.grid.at(row, "INDICATOR_LABEL"), what));
        }
        for (name, only) in &self.settings.only {
            if let Some(other) = self.text(row, name).filter(|v| v != only && !self.settings.nobody.contains(v)) {
                let what = format!("`{}` is a part; only `{only}` is read", Printable(&other));
                return Err(Error::data(self.grid.at(row, name), what));
            }
        }
        Ok(())
    }

    fn area(&self, row: &Row, name: &str, prefix: &str) -> Result<Match> {
        let code = self.text(row, name).unwrap_or_default();
        let code = code.strip_prefix(prefix).unwrap_or(&code);
        let label = self.text(row, &format!("{name}_LABEL")).unwrap_or_default();
        self.context.concordance.resolve_code(Provider::WorldBank, code, &label, self.grid.at(row, name))
    }

    fn counterpart(&self, row: &Row) -> Result<Match> {
        let code = self.text(row, COUNTERPART).unwrap_or_default();
        if self.settings.nobody.contains(&code) {
            let what = "names no other economy; a pair has two";
            return Err(Error::data(self.grid.at(row, COUNTERPART), what));
        }
        self.area(row, COUNTERPART, &self.settings.prefix)
    }

    fn finish(mut self, body: &[Row]) -> Result<Imported> {
        let mut rows = Vec::new();
        let codes: Vec<&str> = self.found.keys().copied().collect();
        for (code, found) in self.found {
            let Some(series) = self.settings.indicators.get(code) else { continue };
            let Found { facts, pairs, totals, zeros, first } = found;
            let count = match series.holds {
                Holds::Flow => {
                    let (economies, apart) = facts.len();
                    rows.push(indicator(series, &self.context.descriptor.id, self.vintage).row(
                        &series.series,
                        first,
                        "INDICATOR",
                    )?);
                    format!("{economies} values of economies, {apart} of aggregates kept apart")
                }
                Holds::Corridor | Holds::Stock => {
                    let all: usize = pairs.values().map(Rows::len).sum();
                    format!("{all} pairs, {totals} totals of the publisher left out, which the pairs make up")
                }
            };
            let zeros = match zeros {
                0 => String::new(),
                zeros => format!("; {zeros} values are exactly 0, which often means that nothing was reported"),
            };
            self.notes.push(format!("{code}: {count}, times {} they are {}{zeros}", series.scale, series.unit));
            rows.extend([facts.economies, facts.aggregates]);
            rows.extend(pairs.into_values());
        }
        if rows.iter().all(Rows::is_empty) {
            return Err(Error::data(self.grid.place(), "has no value; the file seems cut off"));
        }
        let named = codes.join(" ");
        let staged = vec![stage(&format!("{} {named}", self.context.descriptor.id), self.grid, self.header, body)?];
        let edition = format!("{named} {}", self.vintage);
        Ok(Imported {
            place: self.grid.place(),
            edition,
            vintage: self.vintage,
            rows,
            files: Vec::new(),
            staged,
            notes: self.notes,
        })
    }
}

fn indicator<'a>(series: &'a Series, source_id: &'a str, vintage: NaiveDate) -> Indicator<'a> {
    Indicator {
        code: &series.code,
        name: &series.name,
        unit: Some(&series.unit),
        definition: Some(&series.definition),
        source_id,
        vintage,
    }
}
