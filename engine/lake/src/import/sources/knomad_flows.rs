//! KNOMAD's remittance inflows and outflows: economies down, years across, millions of US$.
//!
//! ```text
//! Remittance inflows (US$ million)   2000 … 2022  2023e  % of GDP in 2023
//! Afghanistan                           0 …   …    300             2.0
//! Low-and Middle-Income Countries  70 706 …   …   …                1.7
//! World                           120 316 …   …   …                0.8
//!
//! Note: All numbers are in current (nominal) US $.
//! Date: December 2023
//! ```
//! The corner cell says which way the money goes and in which unit; a column of
//! shares of GDP stands among the money and is an indicator of its own.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::facts::{Fact, Facts, Indicator};
use super::knomad_flows_layout::{Content, Sum, check_totals, columns, scale, split, vintage};
use crate::country::{Match, Provider};
use crate::error::{Error, Printable, Result};
use crate::import::cells::{like, number, squeeze, year};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::staged::stage;
use crate::read::{Grid, Row};

pub(super) struct KnomadFlows;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) missing: Vec<String>,
    pub(super) measures: Vec<Measure>,
    pub(super) money: Money,
    pub(super) share: Share,
    pub(super) marks: BTreeMap<String, String>,
    pub(super) totals: Totals,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measure {
    pub(super) corner: String,
    pub(super) indicator: String,
    pub(super) name: String,
    pub(super) definition: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Money {
    pub(super) unit: String,
    pub(super) scales: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Share {
    pub(super) headers: Vec<String>,
    pub(super) suffix: String,
    pub(super) unit: String,
    pub(super) words: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Totals {
    pub(super) code: String,
    pub(super) agrees: f64,
    pub(super) differs: f64,
}

impl Importer for KnomadFlows {
    fn id(&self) -> &'static str {
        "knomad.flows"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        let mut almost = None;
        for grid in grids(input)? {
            let Some(corner) = corner(&grid, &settings) else { continue };
            if corner.years {
                return Ok(Recognition::Yes);
            }
            almost = Some(format!(
                "row {} names `{}` and no years across; give the header its years back",
                corner.row,
                Printable(&corner.text)
            ));
        }
        Ok(almost.map_or(Recognition::No, Recognition::Almost))
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let found = grids(input)?.into_iter().find_map(|g| corner(&g, &settings).filter(|c| c.years).map(|c| (g, c)));
        let Some((grid, corner)) = found else {
            return Err(Error::data(input.place(), "has no table of remittance flows by year"));
        };
        import(&grid, &corner, context, &settings)
    }
}

/// The sheets of a workbook.
fn grids(input: &Input) -> Result<Vec<std::sync::Arc<Grid>>> {
    input.sheets().iter().map(|sheet| input.sheet(sheet)).collect()
}

/// The header row of a table of flows.
struct Corner {
    index: usize,
    row: u64,
    text: String,
    /// Index into `Settings::measures`.
    measure: usize,
    years: bool,
}

fn corner(grid: &Grid, settings: &Settings) -> Option<Corner> {
    const PREAMBLE: usize = 12;
    let mut titled = None;
    for (index, row) in grid.rows.iter().enumerate().take(PREAMBLE) {
        let text = squeeze(&row.cell(0).text());
        let Some(measure) = settings.measures.iter().position(|m| like(&m.corner, &text)) else { continue };
        let years = row.cells.iter().skip(1).filter(|c| year(c).is_some()).count() > 1;
        let corner = Corner { index, row: row.number, text, measure, years };
        if years {
            return Some(corner);
        }
        // A title may say the same words above a header that says them again.
        titled.get_or_insert(corner);
    }
    titled
}

fn import(grid: &Grid, corner: &Corner, context: &Context<'_>, settings: &Settings) -> Result<Imported> {
    let (Some(header), Some(measure)) = (grid.rows.get(corner.index), settings.measures.get(corner.measure)) else {
        return Err(Error::Internal("header row vanished".to_owned()));
    };
    let scale = scale(grid, header, &corner.text, settings)?;
    let columns = columns(grid, header, settings)?;
    let body = grid.rows.get(corner.index + 1..).unwrap_or_default();
    let (body, notes_below) = split(body, &columns);
    if body.is_empty() {
        return Err(Error::data(grid.place(), "has a header and no rows; the file seems cut off"));
    }
    let mut notes = Vec::new();
    let vintage = match (context.vintage, vintage(grid, &notes_below)) {
        (Some(day), _) => day,
        (None, Some(day)) => {
            notes.push(format!(
                "the file is dated `{}`: vintage {day}, the first day of that month",
                day.format("%B %Y")
            ));
            day
        }
        (None, None) => {
            let what = "names no date below its table (such as `Date: December 2023`); say the edition's date with --vintage YYYY-MM-DD";
            return Err(Error::data(grid.place(), what));
        }
    };
    let (indicator, share) = indicators(measure, settings, context, vintage);
    let (indicator, share) = (indicator.view(), share.view());
    let (mut money, mut shares) = (Facts::new(&series(indicator.code)), Facts::new(&series(share.code)));
    let mut sums: BTreeMap<usize, Sum> = BTreeMap::new();
    let mut economies = 0;
    for row in &body {
        let name = squeeze(&row.cell(0).text());
        let area = context.concordance.resolve(Provider::Knomad, &name, grid.at(row, &corner.text))?;
        let is_economy = matches!(area, Match::Economy(_));
        economies += usize::from(is_economy);
        for column in &columns {
            let Some(value) = number(grid, row, column.index, &column.label, &settings.missing)? else { continue };
            let fact = |value, status| Fact {
                row: row.number,
                column: &column.label,
                area: &name,
                period: column.period,
                frequency: "A",
                value,
                status,
            };
            match &column.content {
                Content::Share { status } => shares.push(&share, &area, &fact(value, status.as_deref()))?,
                Content::Money { status } => {
                    if value < 0.0 {
                        let what = format!("`{value}` is negative; a flow is 0 or more");
                        return Err(Error::data(grid.at(row, &column.label), what));
                    }
                    let sum = sums.entry(column.index).or_default();
                    match &area {
                        Match::Economy(_) => sum.add(&name, value),
                        Match::Aggregate { code, .. } if *code == settings.totals.code => {
                            sum.world = Some((value, row.number));
                        }
                        Match::Aggregate { .. } => {}
                    }
                    money.push(&indicator, &area, &fact(value * scale, status.as_deref()))?;
                }
            }
        }
    }
    notes.push(format!(
        "{}: values are in `{}`, times {scale} they are {}",
        indicator.code,
        Printable(&corner.text),
        settings.money.unit
    ));
    let (facts, apart) = money.len();
    let span = columns.iter().filter(|c| matches!(c.content, Content::Money { .. })).map(|c| c.year);
    let (first, last) = (span.clone().min().unwrap_or_default(), span.max().unwrap_or_default());
    notes.push(format!("{facts} values of {economies} economies, {apart} of aggregates kept apart, {first} to {last}"));
    for column in &columns {
        match &column.content {
            Content::Money { status: Some(status) } => {
                notes.push(format!("column `{}` has status {status}", column.label))
            }
            Content::Share { .. } => notes.push(format!(
                "column `{}` is no money: kept as indicator {} ({}), {} values",
                Printable(&column.label),
                share.code,
                settings.share.unit,
                shares.economies.len()
            )),
            Content::Money { status: None } => {}
        }
    }
    let zeros: usize = sums.values().map(|s| s.zeros).sum();
    if zeros > 0 {
        notes.push(format!(
            "{zeros} values of economies are exactly 0, which often means that nothing was reported; kept"
        ));
    }
    notes.extend(check_totals(grid, &columns, &sums, &notes_below, settings)?);
    let has_share = !shares.economies.is_empty() || !shares.aggregates.is_empty();
    let mut rows = vec![indicator.row(&series(indicator.code), header.number, &corner.text)?];
    if has_share {
        rows.push(share.row(&series(share.code), header.number, &corner.text)?);
    }
    rows.extend([money.economies, money.aggregates, shares.economies, shares.aggregates]);
    let owned: Vec<Row> = body.into_iter().cloned().collect();
    let staged = vec![stage(&format!("{} {} {vintage}", context.descriptor.id, indicator.code), grid, header, &owned)?];
    let edition = format!("{} {}-{:02}", indicator.code, vintage.year(), vintage.month());
    Ok(Imported { place: grid.place(), edition, vintage, rows, files: Vec::new(), staged, notes })
}

/// An indicator with its own text.
struct Owned {
    code: String,
    name: String,
    unit: String,
    definition: String,
    source_id: String,
    vintage: NaiveDate,
}

impl Owned {
    fn view(&self) -> Indicator<'_> {
        Indicator {
            code: &self.code,
            name: &self.name,
            unit: Some(&self.unit),
            definition: Some(&self.definition),
            source_id: &self.source_id,
            vintage: self.vintage,
        }
    }
}

fn series(indicator: &str) -> String {
    format!("knomad.flows/{indicator}")
}

/// The money and the share of GDP of a measure.
fn indicators(measure: &Measure, settings: &Settings, context: &Context<'_>, vintage: NaiveDate) -> (Owned, Owned) {
    let source_id = context.descriptor.id.clone();
    let money = Owned {
        code: measure.indicator.clone(),
        name: measure.name.clone(),
        unit: settings.money.unit.clone(),
        definition: measure.definition.clone(),
        source_id: source_id.clone(),
        vintage,
    };
    let share = Owned {
        code: format!("{}{}", measure.indicator, settings.share.suffix),
        name: format!("{}{}", measure.name, settings.share.words),
        unit: settings.share.unit.clone(),
        definition: format!("{}{}", measure.definition, settings.share.words),
        source_id,
        vintage,
    };
    (money, share)
}
