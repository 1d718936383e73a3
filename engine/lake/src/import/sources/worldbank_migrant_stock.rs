//! World Bank bilateral estimates of migrant stocks: origins down, destinations across, persons.
//!
//! The roles lie the other way round than in the remittance matrix. A corner cell
//! says so where the edition has one; the one of 2017 has it in another sheet.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::Deserialize;

use crate::country::{Iso3, Match, Provider};
use crate::error::{Error, Result};
use crate::import::cells::{first_of, like, number, squeeze};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::{AGGREGATE_OBSERVATION, MIGRANT_STOCK, MIGRANT_STOCK_TOTAL};

pub(super) struct WorldBankMigrantStock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    titles: Vec<String>,
    sheets: Vec<String>,
    missing: Vec<String>,
    unit: String,
    indicator: String,
    origin_words: Vec<String>,
    destination_words: Vec<String>,
    origins_down: bool,
    world: Vec<String>,
    residuals: BTreeMap<String, String>,
    vintages: HashMap<String, NaiveDate>,
}

const PREAMBLE: usize = 6;
const SERIES: &str = "worldbank.migrant_stock";

impl Importer for WorldBankMigrantStock {
    fn id(&self) -> &'static str {
        "worldbank.migrant_stock"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        let mut almost = None;
        for sheet in input.sheets() {
            let grid = input.sheet(&sheet)?;
            let named = settings.sheets.iter().any(|pattern| like(pattern, &sheet));
            let titled = titled(&grid, &settings);
            if !(titled || named && corner(&grid, &settings).is_some()) {
                continue;
            }
            if named && header(&grid).is_some() {
                return Ok(Recognition::Yes);
            }
            almost = Some(if named {
                format!("sheet `{}` has no header row of country names", sheet.trim())
            } else {
                format!(
                    "sheet `{}` holds the matrix under another name; expected one like `{}`",
                    sheet.trim(),
                    settings.sheets.join("`, `")
                )
            });
        }
        Ok(almost.map_or(Recognition::No, Recognition::Almost))
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let (mut found, mut said) = (None, None);
        for sheet in input.sheets() {
            let grid = input.sheet(&sheet)?;
            said = said.or_else(|| corner(&grid, &settings).map(|down| (down, sheet.clone())));
            if found.is_none() && settings.sheets.iter().any(|p| like(p, &sheet)) && header(&grid).is_some() {
                found = Some(grid);
            }
        }
        let Some(grid) = found else {
            return Err(Error::data(input.place(), "has no sheet with a matrix of migrant stocks"));
        };
        let said = corner(&grid, &settings).map(|d| (d, grid.sheet.clone().unwrap_or_default())).or(said);
        let (origins_down, note) = match said {
            Some((down, sheet)) => (down, format!("sheet `{}` says who stands where", sheet.trim())),
            None => (
                settings.origins_down,
                "no cell says who stands where: taken as the publisher's other editions".to_owned(),
            ),
        };
        let (down, across) = if origins_down { ("origins", "destinations") } else { ("destinations", "origins") };
        import(&grid, origins_down, format!("{down} down, {across} across: {note}"), context, &settings)
    }
}

fn titled(grid: &Grid, settings: &Settings) -> bool {
    let mut texts = grid.rows.iter().take(PREAMBLE).map(|r| squeeze(&r.cell(0).text()));
    texts.any(|text| settings.titles.iter().any(|pattern| like(pattern, &text)))
}

/// True if a corner cell puts origins down, false if across, `None` if no cell says it.
fn corner(grid: &Grid, settings: &Settings) -> Option<bool> {
    grid.rows.iter().take(PREAMBLE).find_map(|row| {
        let text = squeeze(&row.cell(0).text()).to_lowercase();
        let first = |words: &[String]| words.iter().filter_map(|w| text.find(w.as_str())).min();
        let (origin, destination) = (first(&settings.origin_words)?, first(&settings.destination_words)?);
        let (across, down) = (text.find("across")?, text.find("down")?);
        Some((origin < destination) == (down < across))
    })
}

/// The first row with names across.
fn header(grid: &Grid) -> Option<usize> {
    let texts = |row: &Row| {
        row.cells.iter().skip(1).filter(|c| matches!(c, crate::read::Cell::Text(_)) && !c.is_blank()).count()
    };
    grid.rows.iter().take(PREAMBLE).position(|row| texts(row) > 1)
}

/// Who stands at one end of a cell.
enum End {
    Economy(Iso3),
    /// Code and name of what is no economy.
    Residual(String, String),
    World,
}

fn end(label: &str, grid: &Grid, row: &Row, context: &Context<'_>, settings: &Settings) -> Result<End> {
    let label = squeeze(label);
    if settings.world.contains(&label.to_lowercase()) {
        return Ok(End::World);
    }
    if let Some((name, code)) = settings.residuals.iter().find(|(name, _)| name.eq_ignore_ascii_case(&label)) {
        return Ok(End::Residual(code.clone(), name.clone()));
    }
    let place = grid.at(row, &label);
    match context.concordance.resolve(Provider::Knomad, &label, place.clone())? {
        Match::Economy(iso3) => Ok(End::Economy(iso3)),
        Match::Aggregate { name, .. } => {
            let known: Vec<&str> = settings.residuals.keys().map(String::as_str).collect();
            let what = format!(
                "`{name}` is an aggregate; the matrix has economies, `World` and `{}` only",
                known.join("`, `")
            );
            Err(Error::data(place, what))
        }
    }
}

fn import(
    grid: &Grid,
    origins_down: bool,
    orientation: String,
    context: &Context<'_>,
    settings: &Settings,
) -> Result<Imported> {
    let Some((index, head)) = header(grid).and_then(|i| Some((i, grid.rows.get(i)?))) else {
        return Err(Error::data(grid.place(), "has no header row of country names"));
    };
    let mut notes = vec![orientation];
    let year = year(grid, index)?;
    let known = context.vintage.or_else(|| settings.vintages.get(&year.to_string()).copied());
    if known.is_none() {
        notes
            .push(format!("the file states no edition: the vintage is the last day of {year}; --vintage sets another"));
    }
    let vintage = known.or_else(|| NaiveDate::from_ymd_opt(year, 12, 31));
    let vintage = vintage.ok_or_else(|| Error::data(grid.place(), format!("`{year}` is not a year")))?;
    let mut across = Vec::new();
    for (column, cell) in head.cells.iter().enumerate().skip(1).filter(|(_, c)| !c.is_blank()) {
        across.push((column, squeeze(&cell.text()), end(&cell.text(), grid, head, context, settings)?));
    }
    let body = grid.rows.get(index + 1..).unwrap_or_default();
    // Footnotes begin below the row of totals.
    let Some(total) = body.iter().position(|r| settings.world.contains(&squeeze(&r.cell(0).text()).to_lowercase()))
    else {
        return Err(Error::data(grid.place(), "has no row `World` with the published totals; the file seems cut off"));
    };
    let body: Vec<Row> = body.iter().take(total + 1).filter(|r| !r.is_blank()).cloned().collect();

    let series = format!("{SERIES}/{year}");
    let mut pairs = Rows::new(&MIGRANT_STOCK, series.clone());
    let mut totals = Rows::new(&MIGRANT_STOCK_TOTAL, series.clone());
    let mut apart = Rows::new(&AGGREGATE_OBSERVATION, series);
    let facts =
        |persons| [Value::Number(persons), Value::Text(&context.descriptor.id), Value::Date(vintage), Value::Text("E")];
    let first_day = first_of(year, grid.place())?;
    let (row_role, column_role) = if origins_down { ("origin", "destination") } else { ("destination", "origin") };
    let (mut sum_of_pairs, mut zeros, mut unpaired) = (0.0, 0u64, 0u64);
    let mut checks = Checks::default();
    for row in &body {
        let side = end(&row.cell(0).text(), grid, row, context, settings)?;
        for (column, label, other) in &across {
            let Some(persons) = number(grid, row, *column, label, &settings.missing)? else { continue };
            if persons < 0.0 {
                return Err(Error::data(grid.at(row, label), format!("`{persons}` is negative; a stock is 0 or more")));
            }
            checks.add(row.number, *column, matches!(side, End::World), matches!(other, End::World), persons);
            let mut total = |iso3: &Iso3, role| {
                let keys = [Value::Text(iso3.as_ref()), Value::Text(role), Value::Integer(year), Value::Text("both")];
                totals.push(row.number, label, &[keys.as_slice(), &facts(persons)].concat())
            };
            let mut residual = |role: &str, code: &str, name: &str| {
                let indicator = format!("{}.{}", settings.indicator, role.to_uppercase());
                let keys = [Value::Text(&indicator), Value::Text(code), Value::Text(name), Value::Date(first_day)];
                let [value, source, day, status] = facts(persons);
                let values = [value, Value::Text(&settings.unit), source, day, status];
                apart.push(row.number, label, &[keys.as_slice(), &values].concat())
            };
            match (&side, other) {
                (End::Economy(down), End::Economy(across)) => {
                    sum_of_pairs += persons;
                    zeros += u64::from(persons == 0.0);
                    let (origin, destination) = if origins_down { (down, across) } else { (across, down) };
                    let keys = [
                        Value::Text(origin.as_ref()),
                        Value::Text(destination.as_ref()),
                        Value::Integer(year),
                        Value::Text("both"),
                    ];
                    pairs.push(row.number, label, &[keys.as_slice(), &facts(persons)].concat())?;
                }
                (End::Economy(iso3), End::World) => total(iso3, row_role)?,
                (End::World, End::Economy(iso3)) => total(iso3, column_role)?,
                (End::Residual(code, name), End::World) => residual(row_role, code, name)?,
                (End::World, End::Residual(code, name)) => residual(column_role, code, name)?,
                (End::World, End::World) => residual("destination", "WLD", "World")?,
                _ => unpaired += 1,
            }
        }
    }
    if pairs.is_empty() {
        return Err(Error::data(grid.place(), "has no value for any pair of economies; the file seems cut off"));
    }
    notes.push(format!(
        "{year}: {} pairs of economies, {zeros} of them exactly 0, which often means not known; kept",
        pairs.len()
    ));
    notes.push(format!(
        "{} published totals of economies in migrant_stock_total, {} of others apart; {unpaired} cells of residual origins or destinations are in staging only",
        totals.len(),
        apart.len()
    ));
    notes.extend(checks.notes(sum_of_pairs));
    let staged = vec![stage(&format!("{} {year}", context.descriptor.id), grid, head, &body)?];
    let edition = format!("{year} ({vintage})");
    Ok(Imported {
        place: grid.place(),
        edition,
        vintage,
        rows: vec![pairs, totals, apart],
        files: Vec::new(),
        staged,
        notes,
    })
}

/// The first year named above the header, or in the sheet's name.
fn year(grid: &Grid, header: usize) -> Result<i32> {
    let above = grid.rows.iter().take(header + 1).map(|r| r.cell(0).text());
    let year = above.chain(grid.sheet.clone()).find_map(|text| {
        let digits = text.split(|c: char| !c.is_ascii_digit()).filter(|d| d.len() == 4).map(str::to_owned);
        digits.filter_map(|d| d.parse::<i32>().ok()).find(|y| (1960..=2100).contains(y))
    });
    year.ok_or_else(|| {
        let what = "names no year above its header nor in the sheet's name; expected a title such as `Bilateral Estimates of Migrant Stocks in 2017`";
        Error::data(grid.place(), what)
    })
}

/// Sums of cells against the publisher's own totals.
#[derive(Default)]
struct Checks {
    rows: BTreeMap<u64, (f64, Option<f64>)>,
    columns: BTreeMap<usize, (f64, Option<f64>)>,
    world: Option<f64>,
}

impl Checks {
    fn add(&mut self, row: u64, column: usize, world_row: bool, world_column: bool, persons: f64) {
        match (world_row, world_column) {
            (true, true) => self.world = Some(persons),
            (true, false) => self.columns.entry(column).or_default().1 = Some(persons),
            (false, true) => self.rows.entry(row).or_default().1 = Some(persons),
            (false, false) => {
                self.rows.entry(row).or_default().0 += persons;
                self.columns.entry(column).or_default().0 += persons;
            }
        }
    }

    fn notes(&self, pairs: f64) -> Vec<String> {
        let all = || self.rows.values().chain(self.columns.values()).filter_map(|(sum, total)| Some((*sum, (*total)?)));
        let worst = all().map(|(sum, total)| (sum - total).abs()).fold(0.0, f64::max);
        let agreed = all().filter(|(sum, total)| (sum - total).abs() < 0.5).count();
        let mut notes = vec![format!(
            "{agreed} of {} published totals of rows and columns are the sum of their cells, residuals included; the largest difference is {worst}",
            all().count()
        )];
        if let Some(world) = self.world {
            notes.push(format!(
                "the pairs of economies sum to {pairs}, the published world total is {world}: {} more, in `Other North`, `Other South` and such",
                world - pairs
            ));
        }
        notes
    }
}
