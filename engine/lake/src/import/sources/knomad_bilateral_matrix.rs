//! KNOMAD's bilateral remittance matrix: senders down, receivers across, millions of US$.
//!
//! Which way round the matrix lies is read from its corner cell: the same
//! publisher's migrant stocks lie the other way, and a transposed matrix looks
//! as plausible as the right one.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::country::{Iso3, Match, Provider};
use crate::error::{Error, Place, Result};
use crate::import::cells::{column_letters, first_of, like, number, squeeze};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Cell, Grid, Row};
use crate::tables::{AGGREGATE_OBSERVATION, CORRIDOR_FLOW};

pub(super) struct KnomadBilateralMatrix;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    sheets: Vec<String>,
    missing: Vec<String>,
    scale: f64,
    unit: String,
    indicator: String,
    total_tolerance: f64,
    vintages: HashMap<String, NaiveDate>,
}

/// Who stands across: read from the corner cell.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Across {
    Receivers,
    Senders,
}

impl Importer for KnomadBilateralMatrix {
    fn id(&self) -> &'static str {
        "knomad.bilateral_matrix"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        let mut displaced = None;
        for sheet in input.sheets() {
            let grid = input.sheet(&sheet)?;
            if corner(&grid).is_none() {
                displaced = displaced.or_else(|| displaced_corner(&grid));
                continue;
            }
            if settings.sheets.iter().any(|pattern| like(pattern, &sheet)) {
                return Ok(Recognition::Yes);
            }
            return Ok(Recognition::Almost(format!(
                "sheet `{}` holds the matrix under another name; expected one like `{}`",
                sheet.trim(),
                settings.sheets.join("`, `")
            )));
        }
        Ok(displaced.map_or(Recognition::No, Recognition::Almost))
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        for sheet in input.sheets() {
            let grid = input.sheet(&sheet)?;
            if corner(&grid).is_some() {
                return import(&grid, context, &settings);
            }
        }
        Err(Error::data(input.place(), "has no sheet with a bilateral matrix"))
    }
}

/// Rows that may stand above the header.
const PREAMBLE: usize = 6;

/// The header row and what stands across it.
fn corner(grid: &Grid) -> Option<(usize, Across)> {
    grid.rows.iter().enumerate().take(PREAMBLE).find_map(|(index, row)| Some((index, across(row.cell(0))?)))
}

/// What stands across, where a cell says it as the corner of the matrix does.
fn across(cell: &Cell) -> Option<Across> {
    let text = squeeze(&cell.text()).to_lowercase();
    let position = |word: &str| text.find(word);
    let (receiving, sending) = (position("receiving")?, position("sending")?);
    let (across, down) = (position("across")?, position("down")?);
    let first_is_across = across < down;
    let receiving_is_first = receiving < sending;
    Some(if receiving_is_first == first_is_across { Across::Receivers } else { Across::Senders })
}

/// Why a sheet whose corner is not where it should be is not read: a matrix that was
/// turned over still says which way round it was.
fn displaced_corner(grid: &Grid) -> Option<String> {
    for row in grid.rows.iter().take(PREAMBLE) {
        let found = row.cells.iter().enumerate().skip(1).find(|(_, cell)| across(cell).is_some());
        if let Some((column, _)) = found {
            return Some(format!(
                "in sheet `{}` the cell that says who receives (across) and who sends (down) is {}{}; expected in column A below the title: the sheet was transposed or moved",
                grid.sheet.as_deref().unwrap_or_default().trim(),
                column_letters(column),
                row.number
            ));
        }
    }
    None
}

/// The year of the flows: the first year named above the header, or in the sheet's name.
fn flow_year(grid: &Grid, header: usize) -> Result<i32> {
    let above = grid.rows.iter().take(header).flat_map(|r| r.cells.iter().map(|c| c.text()));
    let year = above.chain(grid.sheet.clone()).find_map(|text| {
        text.split(|c: char| !c.is_ascii_digit())
            .filter(|digits| digits.len() == 4)
            .find_map(|digits| digits.parse::<i32>().ok().filter(|y| (1990..=2100).contains(y)))
    });
    year.ok_or_else(|| Error::data(grid.place(), "names no year above its header nor in the sheet's name; expected a title such as `Bilateral Remittance Estimates for 2021`"))
}

fn import(grid: &Grid, context: &Context<'_>, settings: &Settings) -> Result<Imported> {
    let Some((index, across)) = corner(grid) else {
        return Err(Error::data(
            grid.place(),
            "has no cell that says which countries receive (across) and which send (down)",
        ));
    };
    let year = flow_year(grid, index)?;
    let vintage = context.vintage.or_else(|| settings.vintages.get(&year.to_string()).copied()).ok_or_else(|| {
        Error::data(
            grid.place(),
            format!("the edition of the matrix of {year} is not known; say its date with --vintage YYYY-MM-DD"),
        )
    })?;
    let header = grid.rows.get(index).ok_or_else(|| Error::Internal("header row vanished".to_owned()))?;
    let columns = columns(grid, header, context)?;
    // Footnotes begin after the row of totals, or after the first blank row.
    let body = grid.rows.get(index + 1..).unwrap_or_default();
    let total = body.iter().position(|r| is_total(&r.cell(0).text()));
    let Some(total) = total else {
        return Err(Error::data(grid.place(), "has no row `WORLD` with the published totals; the file seems cut off"));
    };
    let body: Vec<&Row> = body.iter().take(total + 1).filter(|r| !r.is_blank()).collect();

    let mut rows = Rows::new(&CORRIDOR_FLOW, format!("knomad.bilateral_matrix/{year}"));
    let mut sums: HashMap<usize, f64> = HashMap::new();
    let mut world = None;
    for row in &body {
        let label = row.cell(0).text();
        let is_total_row = is_total(&label);
        let down = if is_total_row { None } else { Some(economy(&label, grid.at(row, &column_letters(0)), context)?) };
        let mut sum = 0.0;
        for (column, name, other) in &columns {
            let Some(millions) = number(grid, row, *column, name, &settings.missing)? else { continue };
            match (down, other) {
                (Some(down), Some(other)) => {
                    sum += millions;
                    *sums.entry(*column).or_default() += millions;
                    let (sender, receiver) = if across == Across::Receivers { (down, *other) } else { (*other, down) };
                    if millions < 0.0 {
                        return Err(Error::data(
                            grid.at(row, name),
                            format!("`{millions}` is negative; a flow is 0 or more"),
                        ));
                    }
                    let values = [
                        Value::Text(sender.as_ref()),
                        Value::Text(receiver.as_ref()),
                        Value::Integer(year),
                        Value::Number(millions * settings.scale),
                        Value::Text("published_matrix"),
                        Value::Text(&context.descriptor.id),
                        Value::Date(vintage),
                        Value::Text("E"),
                    ];
                    rows.push(row.number, name, &values)?;
                }
                (Some(_), None) => agrees(sum, millions, grid, row, name, settings)?,
                (None, Some(_)) => {
                    agrees(sums.get(column).copied().unwrap_or(0.0), millions, grid, row, name, settings)?
                }
                (None, None) => {
                    agrees(sums.values().sum(), millions, grid, row, name, settings)?;
                    world = Some((row.number, name.clone(), millions * settings.scale));
                }
            }
        }
    }
    let senders = body.len() - 1;
    let notes = vec![format!(
        "{year}: {} cells, {senders} rows by {} columns, published totals agree with the cells",
        rows.len(),
        columns.len() - 1
    )];
    let mut all = vec![rows];
    if let Some((row, column, value)) = world {
        let mut totals = Rows::new(&AGGREGATE_OBSERVATION, format!("knomad.bilateral_matrix/{year}"));
        let first_day = first_of(year, grid.place())?;
        let values = [
            Value::Text(&settings.indicator),
            Value::Text("WLD"),
            Value::Text("World"),
            Value::Date(first_day),
            Value::Number(value),
            Value::Text(&settings.unit),
            Value::Text(&context.descriptor.id),
            Value::Date(vintage),
            Value::Text("E"),
        ];
        totals.push(row, &column, &values)?;
        all.push(totals);
    }
    let owned: Vec<Row> = body.into_iter().cloned().collect();
    let staged = vec![stage(&format!("{} {year}", context.descriptor.id), grid, header, &owned)?];
    Ok(Imported {
        place: grid.place(),
        edition: format!("{year} ({vintage})"),
        vintage,
        rows: all,
        files: Vec::new(),
        staged,
        notes,
    })
}

fn is_total(label: &str) -> bool {
    matches!(label.trim().to_lowercase().as_str(), "world" | "total")
}

/// Columns with their names; `None` for the column of totals.
fn columns(grid: &Grid, header: &Row, context: &Context<'_>) -> Result<Vec<(usize, String, Option<Iso3>)>> {
    let mut columns = Vec::new();
    for (index, cell) in header.cells.iter().enumerate().skip(1) {
        if cell.is_blank() {
            continue;
        }
        let name = squeeze(&cell.text());
        let place = grid.at(header, &column_letters(index));
        let economy = if is_total(&name) { None } else { Some(economy(&name, place, context)?) };
        columns.push((index, name, economy));
    }
    if columns.len() < 2 {
        return Err(Error::data(grid.place().row(header.number), "has no country names in its header row"));
    }
    // Totals are compared when their row is complete, so they must be read last.
    columns.sort_by_key(|(index, _, economy)| (economy.is_none(), *index));
    Ok(columns)
}

fn economy(label: &str, place: Place, context: &Context<'_>) -> Result<Iso3> {
    match context.concordance.resolve(Provider::Knomad, label, place.clone())? {
        Match::Economy(iso3) => Ok(iso3),
        Match::Aggregate { name, .. } => Err(Error::data(
            place,
            format!("`{name}` is an aggregate; the matrix has economies and the total `WORLD` only"),
        )),
    }
}

fn agrees(sum: f64, published: f64, grid: &Grid, row: &Row, column: &str, settings: &Settings) -> Result<()> {
    let difference = (sum - published).abs() / published.abs().max(1.0);
    if difference <= settings.total_tolerance {
        return Ok(());
    }
    Err(Error::data(
        grid.at(row, column),
        format!("the published total {published} is not the sum of its cells, {sum}; a cell was changed or lost"),
    ))
}
