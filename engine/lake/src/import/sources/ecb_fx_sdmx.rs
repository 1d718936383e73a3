//! ECB reference rates as SDMX-CSV of the dataflow EXR: one line a currency and day.
//!
//! ```text
//! KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,OBS_STATUS,…
//! EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,A,2023-12-29,1.1050,A,…
//! ```
//! Only daily reference rates against the euro belong in `fx_rate`; others stay in staging.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::Deserialize;

use super::ecb_fx::{DOLLAR, EURO};
use crate::error::{Error, Printable, Result};
use crate::import::cells::{date, number, squeeze};
use crate::import::importer::{Context, Imported, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::FX_RATE;

/// Names of columns, and the codes of daily reference rates against the euro.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sdmx {
    currency: String,
    day: String,
    value: String,
    status: String,
    /// Column to the code that counts.
    only: BTreeMap<String, String>,
}

/// Where what stands.
struct Layout {
    currency: usize,
    day: usize,
    value: usize,
    status: Option<usize>,
    only: Vec<(usize, String)>,
}

fn layout(header: &Row, sdmx: &Sdmx) -> Option<Layout> {
    let position = |name: &String| header.cells.iter().position(|c| squeeze(&c.text()) == *name);
    let only =
        sdmx.only.iter().map(|(name, code)| Some((position(name)?, code.clone()))).collect::<Option<Vec<_>>>()?;
    let (currency, day, value) = (position(&sdmx.currency)?, position(&sdmx.day)?, position(&sdmx.value)?);
    Some(Layout { currency, day, value, status: position(&sdmx.status), only })
}

impl Layout {
    fn counts(&self, row: &Row) -> bool {
        self.only.iter().all(|(index, code)| squeeze(&row.cell(*index).text()) == *code)
    }
}

/// Is it the dataflow, and does it hold what rates per US dollar need?
pub(super) fn recognise(grid: &Grid, sdmx: &Sdmx) -> Recognition {
    let found = grid.rows.split_first().and_then(|(header, body)| Some((layout(header, sdmx)?, body)));
    let Some((layout, body)) = found else { return Recognition::No };
    let mut rates = body.iter().filter(|row| layout.counts(row)).peekable();
    if rates.peek().is_none() {
        let wanted: Vec<String> = sdmx.only.iter().map(|(name, code)| format!("{name} {code}")).collect();
        return Recognition::Almost(format!("it has no daily reference rates ({}); fetch these", wanted.join(", ")));
    }
    if rates.any(|row| squeeze(&row.cell(layout.currency).text()) == DOLLAR) {
        return Recognition::Yes;
    }
    let why = "it has no currency `USD`, by way of which rates per US dollar are found; fetch it with the others";
    Recognition::Almost(why.to_owned())
}

/// A rate per euro, and where it stands.
struct Rate<'a> {
    row: &'a Row,
    currency: String,
    units: f64,
    status: Option<String>,
}

pub(super) fn read(
    input: &Input,
    grid: &Grid,
    sdmx: &Sdmx,
    missing: &[String],
    context: &Context<'_>,
) -> Result<Imported> {
    let found = grid.rows.split_first().and_then(|(header, body)| Some((header, layout(header, sdmx)?, body)));
    let Some((header, layout, body)) = found else {
        return Err(Error::data(input.place(), "has no header of exchange rates"));
    };
    input.whole(header, |_, _| false)?;
    let mut days: BTreeMap<NaiveDate, Vec<Rate<'_>>> = BTreeMap::new();
    let mut dollars: HashMap<NaiveDate, f64> = HashMap::new();
    let (mut others, mut absent) = (0usize, 0usize);
    for row in body {
        if row.cells.len() != header.cells.len() {
            let (found, wanted) = (row.cells.len(), header.cells.len());
            let what = format!(
                "the row has {found} cells, the header {wanted}; the file is cut off, or a comma stands where none should"
            );
            return Err(Error::data(grid.place().row(row.number), what));
        }
        if !layout.counts(row) {
            others += 1;
            continue;
        }
        let day = date(row.cell(layout.day)).ok_or_else(|| {
            let text = row.cell(layout.day).text();
            let what = format!("`{}` is not a day; expected such as `2023-12-29`", Printable(&text));
            Error::data(grid.at(row, &sdmx.day), what)
        })?;
        let currency = squeeze(&row.cell(layout.currency).text());
        if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) || currency == EURO {
            let what = format!("`{}` is not a currency other than the euro, such as `USD`", Printable(&currency));
            return Err(Error::data(grid.at(row, &sdmx.currency), what));
        }
        let Some(units) = number(grid, row, layout.value, &sdmx.value, missing)? else {
            absent += 1;
            continue;
        };
        if units <= 0.0 {
            let what = format!("`{units}` is no exchange rate; a rate is above 0");
            return Err(Error::data(grid.at(row, &sdmx.value), what));
        }
        if currency == DOLLAR {
            dollars.insert(day, units);
        }
        let status = layout.status.map(|i| row.cell(i).text()).filter(|s| ["A", "E", "F", "I"].contains(&s.as_str()));
        days.entry(day).or_default().push(Rate { row, currency, units, status });
    }
    let Some((first, last)) = days.keys().next().copied().zip(days.keys().next_back().copied()) else {
        return Err(Error::data(grid.place(), "has no rate below its header; the file seems cut off"));
    };
    let vintage = context.vintage.unwrap_or(last);
    let mut rows = Rows::new(&FX_RATE, "ecb.fx/reference");
    let mut without_dollar = 0usize;
    for (day, rates) in &days {
        let Some(dollar) = dollars.get(day).copied() else {
            without_dollar += 1;
            continue;
        };
        for rate in rates {
            let mut push = |code: &str, per_usd: f64| {
                let facts = [Value::Text(code), Value::Date(*day), Value::Number(per_usd)];
                let status = Value::MaybeText(rate.status.as_deref());
                let rest = [Value::Text(&context.descriptor.id), Value::Date(vintage), status];
                rows.push(rate.row.number, &sdmx.value, &[facts, rest].concat())
            };
            if rate.currency == DOLLAR {
                // The division could leave a last digit beside 1.
                push(DOLLAR, 1.0)?;
                push(EURO, 1.0 / dollar)?;
            } else {
                push(&rate.currency, rate.units / dollar)?;
            }
        }
    }
    let mut notes = vec![
        format!("{} days, {first} to {last}, {} rates", days.len(), rows.len()),
        "published per euro; per US dollar is units per euro over US dollars per euro".to_owned(),
        "of the same series as eurofxref-hist: of the two the newer edition is seen, however many days it has"
            .to_owned(),
    ];
    for (number, what) in [
        (absent, "observations without a value left out"),
        (others, "observations other than daily reference rates against the euro: in schema staging only"),
        (without_dollar, "days without a rate of the US dollar left out: nothing to cross them with"),
    ] {
        if number > 0 {
            notes.push(format!("{number} {what}"));
        }
    }
    if context.vintage.is_none() {
        notes.push(format!("the file states no edition: vintage {vintage} is its newest day; --vintage sets another"));
    }
    Ok(Imported {
        place: grid.place(),
        edition: format!("{first} to {last}"),
        vintage,
        files: Vec::new(),
        staged: vec![stage(&format!("{} sdmx", context.descriptor.id), grid, header, body)?],
        rows: vec![rows],
        notes,
    })
}
