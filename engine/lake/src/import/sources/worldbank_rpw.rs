//! Remittance Prices Worldwide: the DataBank export of corridor averages, quarters across.
//!
//! ```text
//! Sending Countries Name,Sending Countries Code,Series Name,Series Code,Receiving Countries  Name,…,2011Q1 [YR2011Q1],…
//! United States of America,USA,Average Total Cost to remit in corridor,ATCR.CORR,Yemen,YEM,..,5.52,…
//! Last Updated: 12/07/2020
//! ```

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::Deserialize;

use crate::country::{Match, Provider};
use crate::error::{Error, Place, Result};
use crate::import::cells::{number, squeeze};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::CORRIDOR_PRICE;

pub(super) struct WorldBankRpw;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    missing: Vec<String>,
    sender: String,
    receiver: String,
    series: String,
    footer: String,
    footer_day: String,
    amounts: HashMap<String, f64>,
}

/// Where what stands.
struct Layout {
    header: usize,
    sender: usize,
    receiver: usize,
    series: usize,
    quarters: Vec<(usize, String, NaiveDate)>,
}

impl Importer for WorldBankRpw {
    fn id(&self) -> &'static str {
        "worldbank.rpw"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        let Some(layout) = input.text().and_then(|grid| layout(grid, &settings)) else { return Ok(Recognition::No) };
        if layout.quarters.is_empty() {
            let why = "it has no column of a quarter such as `2020Q3 [YR2020Q3]`; export it with time across";
            return Ok(Recognition::Almost(why.to_owned()));
        }
        Ok(Recognition::Yes)
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let found = input.text().and_then(|grid| Some((grid, layout(grid, &settings)?)));
        let Some((grid, layout)) = found else {
            return Err(Error::data(input.place(), "has no header of corridors"));
        };
        // A footer line ends a whole file; a corridor at the end may have lost digits of its last cost.
        let footer = |row: &Row| row.cells.iter().skip(1).all(crate::read::Cell::is_blank);
        if let (Some(header), Some(last)) = (grid.rows.get(layout.header), grid.rows.last())
            && !footer(last)
        {
            input.whole(header, |_, _| false)?;
        }
        read(grid, &layout, context, &settings)
    }
}

fn layout(grid: &Grid, settings: &Settings) -> Option<Layout> {
    const PREAMBLE: usize = 12;
    grid.rows.iter().take(PREAMBLE).enumerate().find_map(|(header, row)| {
        let position = |name: &str| row.cells.iter().position(|c| squeeze(&c.text()).eq_ignore_ascii_case(name));
        let (sender, receiver) = (position(&settings.sender)?, position(&settings.receiver)?);
        let series = position(&settings.series)?;
        let named = row.cells.iter().enumerate().map(|(i, c)| (i, squeeze(&c.text())));
        let quarters = named.filter_map(|(i, name)| quarter(&name).map(|day| (i, name, day))).collect();
        Some(Layout { header, sender, receiver, series, quarters })
    })
}

/// The first day of `2020Q3 [YR2020Q3]`.
fn quarter(text: &str) -> Option<NaiveDate> {
    let (year, quarter) = text.split([' ', '[']).next()?.split_once('Q')?;
    let quarter: u32 = quarter.parse().ok().filter(|q| (1..=4).contains(q))?;
    NaiveDate::from_ymd_opt(year.parse().ok().filter(|y| (1990..2200).contains(y))?, quarter * 3 - 2, 1)
}

fn read(grid: &Grid, layout: &Layout, context: &Context<'_>, settings: &Settings) -> Result<Imported> {
    let header = grid.rows.get(layout.header).ok_or_else(|| Error::Internal("header row vanished".to_owned()))?;
    let below: Vec<&Row> = grid.rows.iter().skip(layout.header + 1).filter(|r| !r.is_blank()).collect();
    let mut notes = Vec::new();
    let vintage = vintage(grid, &below, context, settings, &mut notes)?;
    let mut rows = Rows::new(&CORRIDOR_PRICE, "worldbank.rpw/corridor");
    let mut body = Vec::new();
    let mut newest: BTreeMap<NaiveDate, (f64, usize)> = BTreeMap::new();
    for row in below {
        // Footer lines have their text in the first cell only.
        if row.cells.iter().skip(1).all(crate::read::Cell::is_blank) {
            continue;
        }
        if row.cells.len() != header.cells.len() {
            let (found, wanted) = (row.cells.len(), header.cells.len());
            let what = format!(
                "the row has {found} cells, the header {wanted}; the file is cut off, or a comma stands where none should"
            );
            return Err(Error::data(grid.place().row(row.number), what));
        }
        body.push(row.clone());
        let series = row.cell(layout.series).text();
        let amount = *settings.amounts.get(series.trim()).ok_or_else(|| {
            let known: Vec<&str> = settings.amounts.keys().map(String::as_str).collect();
            let what = format!("series `{}` is not known; known are `{}`", series.trim(), known.join("`, `"));
            Error::data(grid.at(row, &settings.series), what)
        })?;
        let economy = |index: usize, column: &str| {
            let (code, place): (String, Place) = (row.cell(index).text(), grid.at(row, column));
            match context.concordance.resolve(Provider::WorldBank, &code, place.clone())? {
                Match::Economy(iso3) => Ok(iso3),
                Match::Aggregate { name, .. } => {
                    Err(Error::data(place, format!("`{name}` is an aggregate; corridors are between economies")))
                }
            }
        };
        let sender = economy(layout.sender, &settings.sender)?;
        let receiver = economy(layout.receiver, &settings.receiver)?;
        for (index, name, day) in &layout.quarters {
            let Some(cost) = number(grid, row, *index, name, &settings.missing)? else { continue };
            let (sum, count) = newest.entry(*day).or_default();
            *sum += cost;
            *count += 1;
            let key = [Value::Text(sender.as_ref()), Value::Text(receiver.as_ref()), Value::Date(*day)];
            // Provider, product and service are NULL: the average over all services.
            let facts = [Value::Null, Value::Null, Value::Null, Value::Number(amount), Value::Null, Value::Null];
            let rest = [Value::Number(cost), Value::Null, Value::Null, Value::Text(&context.descriptor.id)];
            let edition = [Value::Date(vintage), Value::Null];
            rows.push(row.number, name, &[&key[..], &facts, &rest, &edition].concat())?;
        }
    }
    let Some((day, (sum, count))) = newest.last_key_value() else {
        return Err(Error::data(grid.place(), "has no cost for any corridor; the file seems cut off"));
    };
    let span = format!("{} to {day}", newest.keys().next().unwrap_or(day));
    notes.push(format!("{} costs in {} quarters, {span}", rows.len(), newest.len()));
    notes.push(format!("quarter of {day}: mean of {count} corridors {:.4} percent", sum / *count as f64));
    notes.push("costs are of sending US$ 200, as the publisher's averages are; the file does not say so".to_owned());
    Ok(Imported {
        place: grid.place(),
        edition: format!("corridors {vintage}"),
        vintage,
        files: Vec::new(),
        staged: vec![stage(&format!("{} corridors", context.descriptor.id), grid, header, &body)?],
        rows: vec![rows],
        notes,
    })
}

/// The day of the last line, which also shows that the file is whole.
fn vintage(
    grid: &Grid,
    below: &[&Row],
    context: &Context<'_>,
    settings: &Settings,
    notes: &mut Vec<String>,
) -> Result<NaiveDate> {
    let stated = below.iter().rev().find_map(|row| {
        let text = squeeze(&row.cell(0).text());
        text.strip_prefix(&settings.footer).map(|day| (row.number, day.trim().to_owned()))
    });
    if let Some(day) = context.vintage {
        return Ok(day);
    }
    let Some((line, text)) = stated else {
        let what = format!(
            "has no last line `{} MM/DD/YYYY`, so it seems cut off; fetch it again, or say the day of a whole one with --vintage YYYY-MM-DD",
            settings.footer
        );
        return Err(Error::data(grid.place(), what));
    };
    let read = NaiveDate::parse_from_str(&text, &settings.footer_day).ok();
    // A year cut short is a day all the same, of the year 202.
    let day = read.filter(|day| *day >= NaiveDate::default()).ok_or_else(|| {
        let what = format!("`{text}` is not a day such as 12/07/2020 (month first); say it with --vintage YYYY-MM-DD");
        Error::data(grid.place().row(line), what)
    })?;
    notes.push(format!("vintage {day}: `{text}` read month first, as the publisher writes days"));
    Ok(day)
}
