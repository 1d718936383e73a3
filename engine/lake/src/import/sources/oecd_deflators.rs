//! DAC deflators: donors down, years across, one sheet a language.
//!
//! ```text
//! Deflators for Resource Flows from DAC Donors a (2011 = 100)
//!
//!             1960  1961  …  2012
//! Australia    …
//! TOTAL DAC
//! a) Including the effect of exchange rate changes, …
//! ```
//! The base year is in the title. A value of 0 is none: a donor that was not yet one.

use std::sync::Arc;

use serde::Deserialize;

use super::facts::{Fact, Facts, Indicator};
use crate::country::{Match, Provider};
use crate::error::{Error, Result};
use crate::import::cells::{first_of, number, squeeze, year};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::staged::stage;
use crate::read::{Grid, Row};

pub(super) struct OecdDeflators;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    missing: Vec<String>,
    /// Words of the title, in each language.
    titles: Vec<String>,
    /// Rows of the header are among the first so many.
    preamble: usize,
    /// Fewer years across are a table of something else.
    least_years: usize,
    indicator: String,
    name: String,
    definition: String,
}

/// A sheet of deflators.
struct Sheet {
    grid: Arc<Grid>,
    /// Index of the row of years.
    header: usize,
    base: i32,
    years: Vec<(usize, i32)>,
}

/// A deflator of a donor that is an economy, or of a group.
struct Deflator {
    row: u64,
    donor: Match,
    name: String,
    year: i32,
    value: f64,
}

impl Sheet {
    fn of(grid: Arc<Grid>, settings: &Settings) -> Option<Self> {
        let title = grid.rows.iter().take(settings.preamble).find_map(|row| {
            let text = squeeze(&row.cell(0).text());
            settings.titles.iter().any(|t| text.to_lowercase().starts_with(&t.to_lowercase())).then_some(text)
        })?;
        let (_, rest) = title.rsplit_once('(')?;
        let base = rest.split('=').next().and_then(|y| y.trim().parse().ok())?;
        let years = |row: &Row| -> Vec<(usize, i32)> {
            row.cells.iter().enumerate().filter_map(|(i, cell)| Some((i, year(cell)?))).collect()
        };
        let header = grid.rows.iter().take(settings.preamble).position(|r| years(r).len() >= settings.least_years)?;
        let years = years(grid.rows.get(header)?);
        Some(Self { grid, header, base, years })
    }

    /// The deflators, in the order of the sheet, and how many are not there.
    fn read(&self, context: &Context<'_>, settings: &Settings) -> Result<(Vec<Deflator>, usize)> {
        let (mut all, mut absent) = (Vec::new(), 0);
        for row in self.grid.rows.iter().skip(self.header + 1) {
            let name = squeeze(&row.cell(0).text());
            // Footnotes have no figures.
            if name.is_empty() || self.years.iter().all(|(i, _)| row.cell(*i).is_blank()) {
                continue;
            }
            let donor =
                context.concordance.resolve(Provider::Oecd, &name, self.grid.place().row(row.number).column("A"))?;
            for (index, year) in &self.years {
                match number(&self.grid, row, *index, &year.to_string(), &settings.missing)? {
                    Some(value) if value > 0.0 => {
                        all.push(Deflator {
                            row: row.number,
                            donor: donor.clone(),
                            name: name.clone(),
                            year: *year,
                            value,
                        });
                    }
                    Some(value) if value < 0.0 => {
                        let place = self.grid.at(row, &year.to_string());
                        return Err(Error::data(place, format!("a deflator of {value}; expected a number above 0")));
                    }
                    _ => absent += 1,
                }
            }
        }
        Ok((all, absent))
    }
}

/// The sheets of deflators of a workbook.
fn sheets(input: &Input, settings: &Settings) -> Result<Vec<Sheet>> {
    let grids = input.sheets().into_iter().map(|name| input.sheet(&name)).collect::<Result<Vec<_>>>()?;
    Ok(grids.into_iter().filter_map(|grid| Sheet::of(grid, settings)).collect())
}

impl Importer for OecdDeflators {
    fn id(&self) -> &'static str {
        "oecd.deflators"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let found = sheets(input, &descriptor.settings()?)?;
        Ok(if found.is_empty() { Recognition::No } else { Recognition::Yes })
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let sheets = sheets(input, &settings)?;
        let Some(first) = sheets.first() else {
            return Err(Error::data(input.place(), "has no sheet of deflators"));
        };
        let mut notes = Vec::new();
        let vintage = input.edition_day(context.vintage, &mut notes)?;
        let (all, absent) = first.read(context, &settings)?;
        if all.is_empty() {
            return Err(Error::data(first.grid.place(), "has no deflator; the file seems cut off"));
        }
        let unit = format!("index, {} = 100", first.base);
        let series = context.descriptor.id.as_str();
        let indicator = Indicator {
            code: &settings.indicator,
            name: &settings.name,
            unit: Some(&unit),
            definition: Some(&settings.definition),
            source_id: &context.descriptor.id,
            vintage,
        };
        let mut facts = Facts::new(series);
        for deflator in &all {
            let fact = Fact {
                row: deflator.row,
                column: &deflator.year.to_string(),
                area: &deflator.name,
                period: first_of(deflator.year, first.grid.place())?,
                frequency: "A",
                value: deflator.value,
                status: None,
            };
            facts.push(&indicator, &deflator.donor, &fact)?;
        }
        let (economies, aggregates) = facts.len();
        notes.push(format!("{economies} deflators of donors, {aggregates} of groups kept apart, {unit}"));
        if absent > 0 {
            notes.push(format!("{absent} cells are empty or 0, which stands for none: no deflator"));
        }
        for other in sheets.iter().skip(1) {
            notes.push(agreement(&all, other, context, &settings)?);
        }
        let mut staged = Vec::new();
        if let Some(header) = first.grid.rows.get(first.header) {
            let body: Vec<&Row> = first.grid.rows.iter().skip(first.header + 1).collect();
            staged.push(stage(&context.descriptor.id, &first.grid, header, &body)?);
        }
        let row = first.grid.rows.first().map_or(1, |r| r.number);
        Ok(Imported {
            place: first.grid.place(),
            edition: format!("base {} ({vintage})", first.base),
            vintage,
            rows: vec![facts.economies, facts.aggregates, indicator.row(series, row, "A")?],
            files: Vec::new(),
            staged,
            notes,
        })
    }
}

/// Compares with the sheet of another language, which is not imported.
fn agreement(all: &[Deflator], other: &Sheet, context: &Context<'_>, settings: &Settings) -> Result<String> {
    let sheet = other.grid.sheet.as_deref().unwrap_or_default();
    let (again, _) = other.read(context, settings)?;
    let same = |a: &Deflator| {
        again
            .iter()
            .any(|b| a.donor.economy() == b.donor.economy() && a.year == b.year && (a.value - b.value).abs() < 1e-9)
    };
    let differing = all.iter().filter(|d| d.donor.economy().is_some() && !same(d)).count();
    Ok(match differing {
        0 => format!("sheet `{sheet}` says the same of every donor"),
        n => format!("sheet `{sheet}` differs in {n} deflators; the first sheet was taken"),
    })
}
