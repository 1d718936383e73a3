//! The 2019 edition of UN DESA's pairs as a table of text: `Year,Dest`, then one column an origin.
//!
//! The publisher gives workbooks only; this is how they are passed on after tidying. The file
//! states no edition: that of its last year is taken, and said.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::country::{Concordance, Match, Provider};
use crate::error::{Error, Result};
use crate::import::cells::{number, squeeze, year};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::Row;
use crate::tables::MIGRANT_STOCK;

pub(super) struct UnDesaTidyPairs;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    year: Vec<String>,
    destination: Vec<String>,
    missing: Vec<String>,
    origins_at_least: usize,
    sex: String,
    zero_is_missing: bool,
}

/// Columns of year and destination.
fn labels(header: &Row, settings: &Settings) -> Option<(usize, usize)> {
    let find = |names: &[String]| {
        header.cells.iter().position(|c| names.iter().any(|n| n.eq_ignore_ascii_case(c.text().trim())))
    };
    Some((find(&settings.year)?, find(&settings.destination)?))
}

impl Importer for UnDesaTidyPairs {
    fn id(&self) -> &'static str {
        "undesa.migrant_stock_tidy"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        let Some(header) = input.text().and_then(|g| g.rows.first()) else { return Ok(Recognition::No) };
        let Some((year, destination)) = labels(header, &settings) else { return Ok(Recognition::No) };
        let concordance = Concordance::embedded()?;
        let others = header.cells.iter().enumerate().filter(|(i, _)| *i != year && *i != destination);
        let (mut known, mut unknown) = (0, Vec::new());
        for (_, cell) in others {
            match concordance.lookup(Provider::UnDesa, &cell.text()) {
                Some(_) => known += 1,
                None => unknown.push(squeeze(&cell.text())),
            }
        }
        Ok(match known {
            known if known < settings.origins_at_least => Recognition::No,
            known if unknown.len() * 10 > known => Recognition::Almost(format!(
                "`{}` and {} other columns are not economies of origin",
                unknown.first().map(String::as_str).unwrap_or_default(),
                unknown.len().saturating_sub(1)
            )),
            _ => Recognition::Yes,
        })
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let Some((grid, (header, body))) = input.text().and_then(|g| Some((g, g.rows.split_first()?))) else {
            return Err(Error::data(input.place(), "is empty"));
        };
        input.whole(header, |_, _| false)?;
        let (year_column, destination) =
            labels(header, &settings).ok_or_else(|| Error::data(grid.place(), "has no columns `Year` and `Dest`"))?;
        let mut origins = Vec::new();
        for (index, cell) in header.cells.iter().enumerate().filter(|(i, _)| *i != year_column && *i != destination) {
            let name = squeeze(&cell.text());
            let place = grid.place().row(header.number).column(name.clone());
            match context.concordance.resolve(Provider::UnDesa, &name, place)? {
                Match::Economy(iso3) => origins.push((index, name, Some(iso3))),
                Match::Aggregate { .. } => origins.push((index, name, None)),
            }
        }
        let body: Vec<Row> = body.iter().filter(|r| !r.is_blank()).cloned().collect();
        let last = body.iter().filter_map(|r| year(r.cell(year_column))).max();
        let vintage = context
            .vintage
            .or(last.and_then(|y| NaiveDate::from_ymd_opt(y, 12, 31)))
            .ok_or_else(|| Error::data(grid.place(), "has no year in any row; the file seems cut off"))?;
        let mut rows = Rows::new(&MIGRANT_STOCK, "undesa.migrant_stock/pair");
        let (mut missing, mut zeros, mut apart) = (0, 0, 0);
        let mut destinations: BTreeMap<i32, usize> = BTreeMap::new();
        for row in &body {
            if row.cells.len() != header.cells.len() {
                let what = format!(
                    "the row has {} cells, the header {}; the file seems cut off",
                    row.cells.len(),
                    header.cells.len()
                );
                return Err(Error::data(grid.place().row(row.number), what));
            }
            let year = year(row.cell(year_column)).ok_or_else(|| {
                let text = row.cell(year_column).text();
                Error::data(grid.at(row, "Year"), format!("`{text}` is not a year"))
            })?;
            *destinations.entry(year).or_default() += 1;
            let name = row.cell(destination).text();
            let to = context.concordance.resolve(Provider::UnDesa, &name, grid.at(row, "Dest"))?;
            for (index, label, from) in &origins {
                let Some(persons) = number(grid, row, *index, label, &settings.missing)? else {
                    missing += 1;
                    continue;
                };
                if persons < 0.0 {
                    let what = format!("`{persons}` is negative; a stock is 0 or more");
                    return Err(Error::data(grid.at(row, label), what));
                }
                let (Match::Economy(to), Some(from)) = (&to, from) else {
                    apart += 1;
                    continue;
                };
                zeros += usize::from(persons == 0.0);
                if persons == 0.0 && settings.zero_is_missing {
                    continue;
                }
                let values = [
                    Value::Text(from.as_ref()),
                    Value::Text(to.as_ref()),
                    Value::Integer(year),
                    Value::Text(&settings.sex),
                    Value::Number(persons),
                    Value::Text(&context.descriptor.id),
                    Value::Date(vintage),
                    Value::Null,
                ];
                rows.push(row.number, label, &values)?;
            }
        }
        if rows.is_empty() {
            return Err(Error::data(grid.place(), "has no stock of any pair; the file seems cut off"));
        }
        let counts: Vec<usize> = destinations.values().copied().collect();
        let mut notes = vec![
            format!(
                "{} stocks of pairs of economies; {missing} cells are missing; {zeros} cells say 0, {}",
                rows.len(),
                if settings.zero_is_missing { "which here stands for blank and is left out" } else { "kept" }
            ),
            format!("{} years, {} destinations in the last", counts.len(), counts.last().copied().unwrap_or_default()),
            "a table derived from the publisher's workbook: both sexes, no totals to check, residual origins left out by its author".to_owned(),
        ];
        if context.vintage.is_none() {
            notes.push(format!(
                "the file states no edition: vintage {vintage} is the end of its last year; --vintage sets another"
            ));
        }
        if apart > 0 {
            notes.push(format!("{apart} stocks of groups are kept in staging only"));
        }
        if counts.iter().any(|c| Some(c) != counts.first()) {
            notes.push("years differ in the number of destinations; the file may be cut off".to_owned());
        }
        let edition = format!("pairs {}", last.unwrap_or_default());
        let staged = vec![stage(&format!("{} {edition}", context.descriptor.id), grid, header, &body)?];
        Ok(Imported { place: grid.place(), edition, vintage, rows: vec![rows], files: Vec::new(), staged, notes })
    }
}
