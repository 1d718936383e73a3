//! ECB reference rates: one line a day, one column a currency, units per euro.
//!
//! ```text
//! Date,USD,JPY,BGN,…,
//! 2023-12-29,1.1050,156.33,1.9558,…,
//! ```
//! The lake's rates are per US dollar: units per euro over US dollars per euro.

use serde::Deserialize;

use super::ecb_fx_sdmx;
use crate::error::{Error, Result};
use crate::import::cells::{date, number};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::FX_RATE;

pub(super) struct EcbFx;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    missing: Vec<String>,
    day: String,
    least_currencies: usize,
    sdmx: ecb_fx_sdmx::Sdmx,
}

pub(super) const DOLLAR: &str = "USD";
pub(super) const EURO: &str = "EUR";

impl Importer for EcbFx {
    fn id(&self) -> &'static str {
        "ecb.fx"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        let Some(grid) = input.text() else { return Ok(Recognition::No) };
        let Some(header) = grid.rows.first() else { return Ok(Recognition::No) };
        let names: Vec<String> = header.cells.iter().map(|c| c.text().trim().to_owned()).collect();
        let currencies = currencies(header);
        let named = names.iter().filter(|n| !n.is_empty()).count();
        let alone = currencies.len() + 1 == named && currencies.len() >= settings.least_currencies;
        // A column of the euro itself would mean that the rates are not per euro.
        if names.first() != Some(&settings.day) || !alone || names.iter().any(|n| n == EURO) {
            return Ok(ecb_fx_sdmx::recognise(grid, &settings.sdmx));
        }
        if !names.iter().any(|n| n == DOLLAR) {
            let why = "it has no column `USD`, by way of which rates per US dollar are found";
            return Ok(Recognition::Almost(why.to_owned()));
        }
        Ok(Recognition::Yes)
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let Some((grid, (header, body))) = input.text().and_then(|g| Some((g, g.rows.split_first()?))) else {
            return Err(Error::data(input.place(), "is empty"));
        };
        if ecb_fx_sdmx::recognise(grid, &settings.sdmx) == Recognition::Yes {
            return ecb_fx_sdmx::read(input, grid, &settings.sdmx, &settings.missing, context);
        }
        input.whole(header, |_, _| false)?;
        read(grid, header, body, context, &settings)
    }
}

/// Columns that are currencies, by their ISO 4217 code.
fn currencies(header: &Row) -> Vec<(usize, String)> {
    let named = header.cells.iter().enumerate().map(|(i, c)| (i, c.text().trim().to_owned()));
    named.filter(|(_, n)| n.len() == 3 && n.bytes().all(|b| b.is_ascii_uppercase())).collect()
}

fn read(grid: &Grid, header: &Row, body: &[Row], context: &Context<'_>, settings: &Settings) -> Result<Imported> {
    let currencies = currencies(header);
    let dollar = currencies.iter().find(|(_, n)| n == DOLLAR).map(|(i, _)| *i);
    let dollar = dollar.ok_or_else(|| Error::data(grid.place(), "has no column `USD`"))?;
    let body: Vec<Row> = body.iter().filter(|r| !r.is_blank()).cloned().collect();
    let mut days = Vec::with_capacity(body.len());
    for row in &body {
        if row.cells.len() != header.cells.len() {
            let (found, wanted) = (row.cells.len(), header.cells.len());
            let what = format!(
                "the row has {found} cells, the header {wanted}; the file is cut off, or a comma stands where none should"
            );
            return Err(Error::data(grid.place().row(row.number), what));
        }
        let day = date(row.cell(0)).ok_or_else(|| {
            let what = format!("`{}` is not a day; expected such as `2023-12-29`", row.cell(0).text());
            Error::data(grid.at(row, &settings.day), what)
        })?;
        days.push(day);
    }
    let (Some(first), Some(last)) = (days.iter().min(), days.iter().max()) else {
        return Err(Error::data(grid.place(), "has no day below its header; the file seems cut off"));
    };
    let vintage = context.vintage.unwrap_or(*last);
    let mut rows = Rows::new(&FX_RATE, "ecb.fx/reference");
    let (mut missing, mut without_dollar) = (0usize, 0usize);
    for (row, day) in body.iter().zip(&days) {
        let Some(dollars) = rate(grid, row, dollar, DOLLAR, settings)? else {
            without_dollar += 1;
            continue;
        };
        let mut push = |column: &str, code: &str, per_usd: f64| {
            let facts = [Value::Text(code), Value::Date(*day), Value::Number(per_usd)];
            let rest = [Value::Text(&context.descriptor.id), Value::Date(vintage), Value::Null];
            rows.push(row.number, column, &[facts, rest].concat())
        };
        push(DOLLAR, EURO, 1.0 / dollars)?;
        for (index, code) in &currencies {
            match rate(grid, row, *index, code, settings)? {
                // The division could leave a last digit beside 1.
                Some(_) if *index == dollar => push(code, code, 1.0)?,
                Some(units) => push(code, code, units / dollars)?,
                None => missing += 1,
            }
        }
    }
    let mut notes = vec![
        format!("{} days, {} currencies and the euro, {first} to {last}", days.len(), currencies.len()),
        "published per euro; per US dollar is units per euro over US dollars per euro".to_owned(),
        format!("{missing} cells without a rate left out"),
    ];
    if without_dollar > 0 {
        notes.push(format!(
            "{without_dollar} days without a rate of the US dollar left out: nothing to cross them with"
        ));
    }
    if context.vintage.is_none() {
        notes.push(format!("the file states no edition: vintage {vintage} is its newest day; --vintage sets another"));
    }
    Ok(Imported {
        place: grid.place(),
        edition: format!("{first} to {last}"),
        vintage,
        files: Vec::new(),
        staged: vec![stage(&context.descriptor.id, grid, header, &body)?],
        rows: vec![rows],
        notes,
    })
}

fn rate(grid: &Grid, row: &Row, index: usize, column: &str, settings: &Settings) -> Result<Option<f64>> {
    let rate = number(grid, row, index, column, &settings.missing)?;
    match rate {
        Some(units) if units <= 0.0 => {
            Err(Error::data(grid.at(row, column), format!("`{units}` is no exchange rate; a rate is above 0")))
        }
        rate => Ok(rate),
    }
}
