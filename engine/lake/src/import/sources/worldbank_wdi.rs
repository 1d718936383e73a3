//! World Development Indicators: the API's wide files, CSV or workbook, and their metadata; its JSON
//! pages are in `worldbank_wdi_json.rs`.
//!
//! ```text
//! "Data Source","World Development Indicators",
//! "Last Updated Date","2025-07-01",
//! "Country Name","Country Code","Indicator Name","Indicator Code","1960","1961",…
//! "Aruba","ABW","Personal remittances, received (current US$)","BX.TRF.PWKR.CD.DT","",…
//! ```
//! Economies and aggregates are mixed in the file; they are told apart by code
//! and go to different tables.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use serde::Deserialize;

use super::{worldbank_wdi_json as json, worldbank_wdi_metadata as metadata};
use crate::country::{Match, Provider};
use crate::error::{Error, Result};
use crate::import::cells::{date, first_of, number, year};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::{AGGREGATE_OBSERVATION, INDICATOR, OBSERVATION};

pub(super) struct WorldBankWdi;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) sheet: String,
    pub(super) sheet_countries: String,
    pub(super) sheet_indicators: String,
    pub(super) missing: Vec<String>,
    first_code: String,
    last_code: String,
    pub(super) regions: HashMap<String, String>,
    pub(super) incomes: HashMap<String, String>,
    units: HashMap<String, String>,
}

/// The four columns before the years.
const LABELS: [&str; 4] = ["Country Name", "Country Code", "Indicator Name", "Indicator Code"];

impl Importer for WorldBankWdi {
    fn id(&self) -> &'static str {
        "worldbank.wdi"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        if json::is_page(input) {
            return Ok(Recognition::Yes);
        }
        if let Some(grid) = input.text() {
            let known = is_data(grid) || metadata::is_countries(grid) || metadata::is_indicators(grid);
            return Ok(if known { Recognition::Yes } else { Recognition::No });
        }
        let settings: Settings = descriptor.settings()?;
        let sheets = input.sheets();
        if sheets.contains(&settings.sheet) {
            return Ok(if is_data(&*input.sheet(&settings.sheet)?) { Recognition::Yes } else { Recognition::No });
        }
        if sheets.contains(&settings.sheet_countries) || sheets.contains(&settings.sheet_indicators) {
            return Ok(Recognition::Almost(format!(
                "it has no sheet `{}`, only `{}`; give the data sheet its name back",
                settings.sheet,
                sheets.join("`, `")
            )));
        }
        for sheet in &sheets {
            if is_data(&*input.sheet(sheet)?) {
                return Ok(Recognition::Almost(format!(
                    "its data are in sheet `{sheet}`; expected the name `{}`",
                    settings.sheet
                )));
            }
        }
        Ok(Recognition::No)
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        if json::is_page(input) {
            return json::import(input, context, &settings);
        }
        if let Some(grid) = input.text() {
            // Metadata have their header in the first row.
            if let Some(header) = header(grid).map(|(_, row)| row).or_else(|| grid.rows.first()) {
                input.whole(header, |_, _| false)?;
            }
            if metadata::is_countries(grid) {
                return metadata::import_countries(input, grid, context, &settings);
            }
            if metadata::is_indicators(grid) {
                return metadata::import_indicators(input, grid, context);
            }
            let definition = metadata::companion(input, context, metadata::is_indicators);
            let mut imported = import_data(grid, context, &settings, definition, input.packed)?;
            let countries = metadata::companion(input, context, metadata::is_countries);
            imported.notes.extend(seems_cut(grid, countries, &settings));
            return Ok(imported);
        }
        let grid = input.sheet(&settings.sheet)?;
        let sheets = input.sheets();
        let indicators = if sheets.contains(&settings.sheet_indicators) {
            Some(input.sheet(&settings.sheet_indicators)?)
        } else {
            None
        };
        let mut imported = import_data(&grid, context, &settings, indicators.as_deref(), None)?;
        if sheets.contains(&settings.sheet_countries) {
            let countries = input.sheet(&settings.sheet_countries)?;
            let (rows, staged) = metadata::countries(&countries, imported.vintage, context, &settings)?;
            imported.rows.extend(rows);
            imported.staged.push(staged);
            imported.notes.extend(seems_cut(&grid, Some(&countries), &settings));
        }
        Ok(imported)
    }
}

/// True if the text says it is an API download of the World Development Indicators.
pub(super) fn is_data(grid: &Grid) -> bool {
    let first = grid.rows.iter().find(|r| !r.is_blank());
    let marked = first.is_some_and(|r| {
        r.cell(0).text().trim() == "Data Source" && r.cell(1).text().trim() == "World Development Indicators"
    });
    marked || header(grid).is_some()
}

fn header(grid: &Grid) -> Option<(usize, &Row)> {
    const PREAMBLE: usize = 12;
    grid.rows
        .iter()
        .enumerate()
        .take(PREAMBLE)
        .find(|(_, r)| LABELS.iter().enumerate().all(|(i, l)| r.cell(i).text().trim() == *l))
}

/// The `Last Updated Date` of a data file.
pub(super) fn last_updated(grid: &Grid) -> Option<NaiveDate> {
    let row = grid.rows.iter().take(12).find(|r| r.cell(0).text().trim() == "Last Updated Date")?;
    date(row.cell(1))
}

fn import_data(
    grid: &Grid,
    context: &Context<'_>,
    settings: &Settings,
    definitions: Option<&Grid>,
    packed: Option<NaiveDate>,
) -> Result<Imported> {
    let Some((index, header)) = header(grid) else {
        return Err(Error::data(
            grid.place(),
            format!("has no header row with `{}`; the file seems cut off", LABELS.join("`, `")),
        ));
    };
    let said = context.vintage.or_else(|| last_updated(grid));
    let vintage = said.or(packed).ok_or_else(|| {
        Error::data(
            grid.place(),
            "has no `Last Updated Date` above its header; say the edition's date with --vintage YYYY-MM-DD",
        )
    })?;
    let years = years(grid, header)?;
    let body = grid.rows.get(index + 1..).unwrap_or_default();
    let body: Vec<&Row> = body.iter().filter(|r| !r.is_blank()).collect();
    if body.is_empty() {
        return Err(Error::data(grid.place(), "has a header and no rows; the file seems cut off"));
    }

    let mut names: Vec<(String, String, u64)> = Vec::new();
    let mut economies: HashMap<String, Rows> = HashMap::new();
    let mut aggregates: HashMap<String, Rows> = HashMap::new();
    for row in &body {
        let [name, code, indicator_name, indicator] = [0, 1, 2, 3].map(|i| row.cell(i).text().trim().to_owned());
        if code.is_empty() || indicator.is_empty() {
            let what = format!(
                "has no country code or no indicator code (`{name}`, `{indicator_name}`); the row seems cut off"
            );
            return Err(Error::data(grid.at(row, LABELS[1]), what));
        }
        let width = row.cells.len();
        if width < header.cells.len().saturating_sub(1) && grid.sheet.is_none() {
            let what = format!("the row has {width} cells, the header {}; the file seems cut off", header.cells.len());
            return Err(Error::data(grid.place().row(row.number), what));
        }
        let unit = unit(&indicator, &indicator_name, settings);
        if !names.iter().any(|(code, _, _)| *code == indicator) {
            names.push((indicator.clone(), indicator_name, row.number));
        }
        let found = context.concordance.resolve_code(Provider::WorldBank, &code, &name, grid.at(row, LABELS[1]))?;
        let (table, target) = match &found {
            Match::Economy(_) => (&OBSERVATION, &mut economies),
            Match::Aggregate { .. } => (&AGGREGATE_OBSERVATION, &mut aggregates),
        };
        let rows = target.entry(indicator.clone()).or_insert_with(|| Rows::new(table, series(&indicator)));
        for (column, label, first_day) in &years {
            let Some(value) = number(grid, row, *column, label, &settings.missing)? else { continue };
            let (fact, unit) = (Value::Number(value), Value::MaybeText(unit.as_deref()));
            let (source, day) = (Value::Text(&context.descriptor.id), Value::Date(vintage));
            let indicator = Value::Text(&indicator);
            match &found {
                Match::Economy(iso3) => {
                    let values = [
                        indicator,
                        Value::Text(iso3.as_ref()),
                        Value::Date(*first_day),
                        Value::Text("A"),
                        fact,
                        unit,
                        source,
                        day,
                        Value::Null,
                    ];
                    rows.push(row.number, label, &values)?;
                }
                Match::Aggregate { code, .. } => {
                    let values = [
                        indicator,
                        Value::Text(code),
                        Value::Text(&name),
                        Value::Date(*first_day),
                        fact,
                        unit,
                        source,
                        day,
                        Value::Null,
                    ];
                    rows.push(row.number, label, &values)?;
                }
            }
        }
    }

    let mut all = Vec::new();
    for (indicator, name, row) in &names {
        let definition = definitions.and_then(|grid| metadata::definition(grid, indicator));
        let mut rows = Rows::new(&INDICATOR, series(indicator));
        let unit = unit(indicator, name, settings);
        let values = [indicator, name]
            .map(|t| Value::Text(t))
            .into_iter()
            .chain([Value::MaybeText(unit.as_deref()), Value::MaybeText(definition.as_deref())]);
        let values: Vec<_> = values.chain([Value::Text(&context.descriptor.id), Value::Date(vintage)]).collect();
        rows.push(*row, LABELS[3], &values)?;
        all.push(rows);
    }
    let facts: usize = economies.values().map(Rows::len).sum();
    let kept_apart: usize = aggregates.values().map(Rows::len).sum();
    all.extend(economies.into_values());
    all.extend(aggregates.into_values());
    let codes: Vec<&str> = names.iter().map(|(code, _, _)| code.as_str()).collect();
    let span = match (years.first(), years.last()) {
        (Some((_, first, _)), Some((_, last, _))) => format!("{first} to {last}"),
        _ => "no year".to_owned(),
    };
    let undated = said.is_none().then(|| {
        format!("the file names no edition: vintage {vintage} is the day of the newest file in its archive; --vintage says another")
    });
    Ok(Imported {
        place: grid.place(),
        edition: format!("{} {vintage}", part(&codes)),
        vintage,
        files: Vec::new(),
        staged: vec![stage(&format!("{} {}", context.descriptor.id, part(&codes)), grid, header, &body)?],
        notes: undated
            .into_iter()
            .chain([format!(
                "{}: {facts} values of economies, {kept_apart} of aggregates kept apart, {span}",
                part(&codes).replace(' ', ", ")
            )])
            .collect(),
        rows: all,
    })
}

/// Names the indicators of a file, the first few of many: the name of a staging
/// table is a folder's, which may have 255 bytes.
fn part(codes: &[&str]) -> String {
    const NAMED: usize = 3;
    match codes.len().checked_sub(NAMED) {
        Some(more @ 1..) => {
            format!("{} and {more} more", codes.iter().take(NAMED).copied().collect::<Vec<_>>().join(" "))
        }
        _ => codes.join(" "),
    }
}

/// The unit by which editions of an indicator replace one another.
pub(super) fn series(indicator: &str) -> String {
    format!("worldbank.wdi/{indicator}")
}

/// A warning where a file cut at a line end would look as this one does. A
/// selection of rows looks so too, and is imported all the same.
fn seems_cut(grid: &Grid, countries: Option<&Grid>, settings: &Settings) -> Option<String> {
    let (index, _) = header(grid)?;
    let body: Vec<&Row> = grid.rows.get(index + 1..)?.iter().filter(|r| !r.is_blank()).collect();
    let code = |row: &&Row| row.cell(1).text().trim().to_owned();
    let (first, last) = (code(body.first()?), code(body.last()?));
    let end = body.last()?.number;
    let held: HashSet<String> = body.iter().map(code).collect();
    let listed = countries.map(metadata::country_codes).unwrap_or_default();
    let absent: Vec<&String> = listed.iter().filter(|c| !held.contains(*c)).collect();
    if let Some(example) = absent.first() {
        return Some(format!(
            "warning: lacks {} of the {} countries and aggregates that its metadata list, such as `{example}`; if it is no selection of yours, it is cut off after row {end} (`{last}`)",
            absent.len(),
            listed.len()
        ));
    }
    // Whole files are in order of the codes.
    let begins = first == settings.first_code && held.len() > 1;
    (listed.is_empty() && begins && last != settings.last_code).then(|| {
        format!(
            "warning: begins with `{first}` as whole files do, but ends with `{last}` at row {end}, not with `{}`; if it is no selection of yours, it is cut off",
            settings.last_code
        )
    })
}

fn years(grid: &Grid, header: &Row) -> Result<Vec<(usize, String, NaiveDate)>> {
    let mut years = Vec::new();
    for (column, cell) in header.cells.iter().enumerate().skip(LABELS.len()) {
        if cell.is_blank() {
            continue;
        }
        let place = grid.at(header, &cell.text());
        let Some(year) = year(cell) else {
            return Err(Error::data(
                place,
                format!("`{}` is not a year; expected years after `{}`", cell.text(), LABELS[3]),
            ));
        };
        years.push((column, year.to_string(), first_of(year, place)?));
    }
    Ok(years)
}

/// The descriptor's unit, or the words in brackets that end the indicator's name.
pub(super) fn unit(indicator: &str, name: &str, settings: &Settings) -> Option<String> {
    if let Some(unit) = settings.units.get(indicator) {
        return Some(unit.clone());
    }
    let inside = name.trim().strip_suffix(')')?;
    let (_, unit) = inside.rsplit_once('(')?;
    Some(unit.replace("US$", "US dollars"))
}
