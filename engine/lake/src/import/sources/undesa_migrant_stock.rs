//! UN DESA International Migrant Stock: workbooks by destination, by origin, or both.
//!
//! ```text
//!        International migrant stock at mid-year (both sexes)   … (male) … (female)
//! Index  Region, …, country or area  Notes  Location code  Type of data  1990 1995 … 1990 …
//!     1  WORLD                                        900                152986157 …
//!    24     Burundi                                   108  B R              333110 …
//! ```
//! Columns are found by their labels, because editions move them. Regions and
//! development groups stand between the economies; they go to
//! `aggregate_observation` and their world total checks the sum of economies.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Deserialize;

use crate::country::{Iso3, Match, Provider};
use crate::error::{Error, Result};
use crate::import::cells::{first_of, like, number, squeeze, year};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Cell, Grid, Row};
use crate::tables::{AGGREGATE_OBSERVATION, MIGRANT_STOCK, MIGRANT_STOCK_TOTAL};

pub(super) struct UnDesaMigrantStock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    sheets: Vec<String>,
    missing: Vec<String>,
    unit: String,
    total_tolerance: f64,
    total_tolerance_by_sex: f64,
    residual_origins: Vec<String>,
}

impl Importer for UnDesaMigrantStock {
    fn id(&self) -> &'static str {
        "undesa.migrant_stock"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        let sheets = input.sheets();
        for sheet in sheets.iter().filter(|s| settings.sheets.iter().any(|p| like(p, s))) {
            if title(&*input.sheet(sheet)?).is_some() {
                return Ok(Recognition::Yes);
            }
        }
        for sheet in &sheets {
            if title(&*input.sheet(sheet)?).is_some() {
                return Ok(Recognition::Almost(format!(
                    "it has no sheet `{}`; sheet `{sheet}` bears the title of the dataset",
                    settings.sheets.join("`, `")
                )));
            }
        }
        Ok(Recognition::No)
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let sheets = input.sheets();
        let sheet = sheets
            .iter()
            .find(|s| settings.sheets.iter().any(|p| like(p, s)))
            .ok_or_else(|| Error::data(input.place(), format!("has no sheet `{}`", settings.sheets.join("`, `"))))?;
        let grid = input.sheet(sheet)?;
        let layout = Layout::of(&grid)?;
        import(&grid, &layout, context, &settings)
    }
}

const PREAMBLE: usize = 20;

/// The title of the dataset above a table.
fn title(grid: &Grid) -> Option<String> {
    let texts = grid.rows.iter().take(PREAMBLE).flat_map(|r| r.cells.iter()).map(|c| squeeze(&c.text()));
    texts.into_iter().find(|t| t.to_lowercase().contains("international migrant stock"))
}

/// A column of facts.
struct Fact {
    column: usize,
    label: String,
    year: i32,
    first_day: NaiveDate,
    sex: &'static str,
}

/// Where things stand in a workbook of one edition.
struct Layout {
    header: usize,
    destination: Option<Place>,
    origin: Option<Place>,
    /// Non-blank only for economies, where the edition has the column.
    kind: Option<usize>,
    facts: Vec<Fact>,
    edition: i32,
}

/// Columns that name one end of the move.
#[derive(Clone, Copy)]
struct Place {
    name: usize,
    code: usize,
}

impl Layout {
    fn of(grid: &Grid) -> Result<Self> {
        let label = |row: &Row, i: usize| squeeze(&row.cell(i).text()).to_lowercase();
        // Editions to 2019 say `Code`.
        let is_code = |row: &Row, i: usize| label(row, i).contains("location code") || label(row, i) == "code";
        let is_header = |row: &Row| (0..row.cells.len()).any(|i| is_code(row, i));
        let Some((header, row)) = grid.rows.iter().enumerate().take(PREAMBLE).find(|(_, r)| is_header(r)) else {
            return Err(Error::data(grid.place(), "has no header row with `Location code`"));
        };
        let codes: Vec<usize> = (0..row.cells.len()).filter(|i| is_code(row, *i)).collect();
        let end = |code: usize| -> Result<Place> {
            let name = (0..code).rev().find(|i| {
                let text = label(row, *i);
                text.contains("country or area") || text.contains("region")
            });
            let name = name.ok_or_else(|| {
                Error::data(grid.at(row, "Location code"), "has no column of country names before it")
            })?;
            Ok(Place { name, code })
        };
        let said = format!(
            "{} {}",
            title(grid).unwrap_or_default(),
            grid.rows.iter().take(header).flat_map(|r| r.cells.iter()).map(Cell::text).collect::<Vec<_>>().join(" ")
        )
        .to_lowercase();
        let (destination, origin) = match codes.as_slice() {
            [one] if label(row, end(*one)?.name).contains("of origin") => (None, Some(end(*one)?)),
            [one] if said.contains("destination") || !said.contains("origin") => (Some(end(*one)?), None),
            [one] => (None, Some(end(*one)?)),
            [first, second] if label(row, *first).contains("origin") => (Some(end(*second)?), Some(end(*first)?)),
            [first, second] => (Some(end(*first)?), Some(end(*second)?)),
            _ => return Err(Error::data(grid.place().row(row.number), "has more than two columns `Location code`")),
        };
        let kind = (0..row.cells.len()).find(|i| label(row, *i).contains("type of data"));
        let facts = facts(grid, header)?;
        Ok(Self { header, destination, origin, kind, facts, edition: edition(grid, header)? })
    }
}

/// The year of the edition, from `POP/DB/MIG/Stock/Rev.2020` or the title.
fn edition(grid: &Grid, header: usize) -> Result<i32> {
    let texts: Vec<String> =
        grid.rows.iter().take(header).flat_map(|r| r.cells.iter().map(|c| squeeze(&c.text()))).collect();
    let digits =
        |text: &str| text.chars().take(4).collect::<String>().parse::<i32>().ok().filter(|y| (1990..2100).contains(y));
    let after = |mark: &str| {
        texts.iter().find_map(|t| t.find(mark).and_then(|at| digits(t.get(at + mark.len()..)?.trim_start())))
    };
    after("Rev.").or_else(|| after("International Migrant Stock")).ok_or_else(|| {
        Error::data(
            grid.place(),
            "names no edition; expected `Rev.` or `International Migrant Stock` and a year above the header",
        )
    })
}

/// Year columns of the stock, by sex. The sex stands in a merged cell above,
/// so it holds until the next text of that row; other measures have another title.
fn facts(grid: &Grid, header: usize) -> Result<Vec<Fact>> {
    let Some(row) = grid.rows.get(header) else { return Ok(Vec::new()) };
    let above: Vec<&Row> = grid.rows.iter().take(header).rev().take(4).collect();
    let covering = |column: usize, wanted: &dyn Fn(&str) -> bool| {
        above.iter().find_map(|r| {
            let text = (0..=column).rev().map(|i| squeeze(&r.cell(i).text()).to_lowercase()).find(|t| !t.is_empty())?;
            wanted(&text).then_some(text)
        })
    };
    let mut facts = Vec::new();
    for (column, cell) in row.cells.iter().enumerate() {
        let Some(year) = year(cell) else { continue };
        let sexed = |t: &str| t.contains("male") || t.contains("both");
        let sex = match covering(column, &sexed) {
            Some(t) if t.contains("female") => "female",
            Some(t) if t.contains("both") => "both",
            Some(_) => "male",
            None => "both",
        };
        let label = format!("{year} {sex}");
        facts.push(Fact { column, first_day: first_of(year, grid.at(row, &label))?, label, year, sex });
    }
    if facts.is_empty() {
        return Err(Error::data(grid.place().row(row.number), "has no column of a year beside `Location code`"));
    }
    Ok(facts)
}

/// One end of a row: an economy, or one of the publisher's groups.
enum End {
    Economy(Iso3),
    Group { code: String, name: String },
}

fn end(place: Place, row: &Row, grid: &Grid, kind: Option<usize>, context: &Context<'_>) -> Result<End> {
    let name = squeeze(&row.cell(place.name).text()).trim_end_matches('*').trim().to_owned();
    let code = row.cell(place.code).text().trim().to_owned();
    let group = |code: String, name: String| Ok(End::Group { code, name });
    // `Type of data` is blank for the groups of this publisher and nothing else.
    if kind.is_some_and(|k| row.cell(k).is_blank()) {
        return group(code, name);
    }
    let spot = grid.at(row, "Location code");
    match context.concordance.lookup(Provider::UnDesa, &code) {
        Some(Match::Economy(iso3)) => Ok(End::Economy(iso3)),
        Some(Match::Aggregate { .. }) => group(code, name),
        None => match context.concordance.resolve(Provider::UnDesa, &name, spot)? {
            Match::Economy(iso3) => Ok(End::Economy(iso3)),
            Match::Aggregate { .. } => group(code, name),
        },
    }
}

fn import(grid: &Grid, layout: &Layout, context: &Context<'_>, settings: &Settings) -> Result<Imported> {
    let year_end = NaiveDate::from_ymd_opt(layout.edition, 12, 31);
    let vintage = context
        .vintage
        .or(year_end)
        .ok_or_else(|| Error::data(grid.place(), "names no edition; say its date with --vintage"))?;
    let role = match (layout.destination, layout.origin) {
        (Some(_), Some(_)) => "pair",
        (Some(_), None) => "destination",
        _ => "origin",
    };
    let series = format!("undesa.migrant_stock/{role}");
    let table = if role == "pair" { &MIGRANT_STOCK } else { &MIGRANT_STOCK_TOTAL };
    let mut rows = Rows::new(table, series.clone());
    let mut groups = Rows::new(&AGGREGATE_OBSERVATION, series);
    let mut sums: BTreeMap<(i32, &str), f64> = BTreeMap::new();
    let mut world: BTreeMap<(i32, &str), (f64, u64)> = BTreeMap::new();
    let mut listed: BTreeMap<(String, (i32, &str)), f64> = BTreeMap::new();
    let mut economies = BTreeSet::new();
    let Some(header) = grid.rows.get(layout.header) else {
        return Err(Error::Internal("header row vanished".to_owned()));
    };
    let body: Vec<Row> = grid.rows.iter().skip(layout.header + 1).filter(|r| has_code(r, layout)).cloned().collect();
    if body.is_empty() {
        return Err(Error::data(grid.place(), "has a header and no rows; the file seems cut off"));
    }
    for row in &body {
        let [destination, origin] = [layout.destination, layout.origin]
            .map(|place| place.map(|p| end(p, row, grid, if role == "pair" { None } else { layout.kind }, context)));
        let (destination, origin) = (destination.transpose()?, origin.transpose()?);
        for fact in &layout.facts {
            let Some(persons) = number(grid, row, fact.column, &fact.label, &settings.missing)? else { continue };
            if persons < 0.0 {
                return Err(Error::data(
                    grid.at(row, &fact.label),
                    format!("`{persons}` is negative; a stock is 0 or more"),
                ));
            }
            let key = (fact.year, fact.sex);
            let facts = [
                Value::Integer(fact.year),
                Value::Text(fact.sex),
                Value::Number(persons),
                Value::Text(&context.descriptor.id),
                Value::Date(vintage),
                Value::Null,
            ];
            match (&destination, &origin) {
                (Some(End::Economy(to)), Some(End::Economy(from))) => {
                    *sums.entry(key).or_default() += persons;
                    rows.push(
                        row.number,
                        &fact.label,
                        &[&[Value::Text(from.as_ref()), Value::Text(to.as_ref())], facts.as_slice()].concat(),
                    )?;
                }
                // A residual origin is nobody's, but it counts in the total.
                (Some(End::Economy(_)), Some(End::Group { name, .. })) if settings.residual_origins.contains(name) => {
                    *sums.entry(key).or_default() += persons;
                }
                (Some(End::Group { code: to, .. }), Some(End::Group { code: from, .. }))
                    if to == "900" && from == "900" =>
                {
                    world.insert(key, (persons, row.number));
                }
                // Other groups of pairs are sums of rows that are here already.
                (Some(_), Some(_)) => {}
                (Some(End::Economy(iso3)), None) | (None, Some(End::Economy(iso3))) => {
                    *sums.entry(key).or_default() += persons;
                    economies.insert(*iso3);
                    rows.push(
                        row.number,
                        &fact.label,
                        &[&[Value::Text(iso3.as_ref()), Value::Text(role)], facts.as_slice()].concat(),
                    )?;
                }
                (Some(End::Group { code, name }), None) | (None, Some(End::Group { code, name })) => {
                    if settings.residual_origins.contains(name) {
                        *sums.entry(key).or_default() += persons;
                    }
                    if code == "900" {
                        world.insert(key, (persons, row.number));
                    }
                    // A region that is also a sub-region, such as Australia and New Zealand, is listed twice.
                    if listed.insert((code.clone(), key), persons) == Some(persons) {
                        continue;
                    }
                    let indicator = format!("UNDESA.STOCK.{}.{}", role.to_uppercase(), fact.sex.to_uppercase());
                    let keys =
                        [Value::Text(&indicator), Value::Text(code), Value::Text(name), Value::Date(fact.first_day)];
                    let facts = [
                        Value::Number(persons),
                        Value::Text(&settings.unit),
                        Value::Text(&context.descriptor.id),
                        Value::Date(vintage),
                        Value::Null,
                    ];
                    groups.push(row.number, &fact.label, &[keys.as_slice(), facts.as_slice()].concat())?;
                }
                (None, None) => {}
            }
        }
    }
    let mut notes = vec![format!(
        "edition {}: {} stocks by {role}, {} economies, {} values of groups kept apart",
        layout.edition,
        rows.len(),
        economies.len(),
        groups.len()
    )];
    notes.extend(check_world(&sums, &world, grid, settings)?);
    let staged = vec![stage(&format!("{} {role} {}", context.descriptor.id, layout.edition), grid, header, &body)?];
    Ok(Imported {
        place: grid.place(),
        edition: format!("{} by {role}", layout.edition),
        vintage,
        rows: vec![rows, groups],
        staged,
        notes,
    })
}

/// Compares the published world totals with the sums of economies. By sex the
/// publisher's own totals differ a little, because some economies give no sexes.
fn check_world(
    sums: &BTreeMap<(i32, &str), f64>,
    world: &BTreeMap<(i32, &str), (f64, u64)>,
    grid: &Grid,
    settings: &Settings,
) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for ((year, sex), (published, row)) in world {
        let sum = sums.get(&(*year, *sex)).copied().unwrap_or_default();
        let difference = (sum - published).abs() / published.abs().max(1.0);
        let tolerance = if *sex == "both" { settings.total_tolerance } else { settings.total_tolerance_by_sex };
        if difference > tolerance {
            let place = grid.place().row(*row).column(format!("{year} {sex}"));
            return Err(Error::data(
                place,
                format!(
                    "the published world total {published} is not the sum of the economies, {sum}; a row was changed or lost"
                ),
            ));
        }
        if difference > settings.total_tolerance {
            notes.push(format!(
                "{year} {sex}: the published world total {published} is not quite the sum of the economies, {sum}"
            ));
        }
    }
    if !world.is_empty() {
        notes.push(format!(
            "{} of {} published world totals are the sum of the economies",
            world.len() - notes.len(),
            world.len()
        ));
    }
    Ok(notes)
}

/// Footnotes and blank rows have no numeric location code.
fn has_code(row: &Row, layout: &Layout) -> bool {
    let numeric = |place: Option<Place>| place.is_none_or(|p| row.cell(p.code).text().trim().parse::<u32>().is_ok());
    numeric(layout.destination) && numeric(layout.origin)
}
