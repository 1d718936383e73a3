//! Exports of OECD.Stat, the publisher's service until 2024: a column of codes and one of
//! words for each dimension, amounts in millions as words say.
//!
//! ```text
//! "PART","Part","DATATYPE","Amount type","DAC_RECIPIENT","Recipient","TIME","Year",Value,Flags
//! "1","1 : Part I - Developing Countries","A","Current Prices (USD millions)","71","Albania","1988","1988",5.56,
//! ```
//! With donor and kind of aid a value is a row of `aid_flow`, in the same series as
//! the newer service's; without them an observation of the recipient.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Deserialize;

use super::said::day_after;
use crate::country::{Match, Provider};
use crate::error::{Error, Printable, Result};
use crate::import::cells::{first_of, number, squeeze, year};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::{AGGREGATE_OBSERVATION, AID_FLOW, INDICATOR, OBSERVATION};

pub(super) struct OecdStat;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    missing: Vec<String>,
    recipient: Vec<String>,
    donor: Vec<String>,
    /// Kind of aid: the measure of newer files.
    measure: Vec<String>,
    /// Current or constant prices, and in words unit and scale.
    amount: String,
    time: Vec<String>,
    value: Vec<String>,
    flags: Vec<String>,
    /// First words of an amount type, and its price basis.
    prices: BTreeMap<String, String>,
    /// Words of an amount type that say its unit, longest first, and what one is in US dollars.
    units: Vec<(String, f64)>,
    /// Series of the newer service that values with donor and kind belong to.
    series: String,
    flow: String,
    prefix: String,
    /// First cell of a list of flags, its columns, and how the lines below a table begin.
    legend: Vec<String>,
    extracted: String,
}

/// Columns of an export.
struct Columns {
    recipient: usize,
    donor: Option<usize>,
    measure: Option<usize>,
    amount: usize,
    time: usize,
    value: usize,
    flags: Option<usize>,
    /// Dimensions beyond those: name and column.
    more: Vec<(String, usize)>,
}

impl Columns {
    fn of(header: &Row, settings: &Settings) -> Option<Self> {
        let at = |name: &str| header.cells.iter().position(|c| c.text().trim() == name);
        let first = |names: &[String]| names.iter().find_map(|name| at(name));
        let (recipient, amount) = (first(&settings.recipient)?, at(&settings.amount)?);
        let (time, value) = (first(&settings.time)?, first(&settings.value)?);
        let (donor, measure) = (first(&settings.donor), first(&settings.measure));
        let taken = [Some(recipient), Some(amount), Some(time), donor, measure];
        // A dimension's code is in capitals, its words are beside it.
        let coded = |i: &usize| {
            let (name, beside) = (header.cell(*i).text(), header.cell(*i + 1).text());
            let capitals = !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            capitals && beside.chars().any(char::is_lowercase) && *i < value && !taken.contains(&Some(*i))
        };
        let more = (0..header.cells.len()).filter(coded).map(|i| (header.cell(i).text(), i)).collect();
        Some(Self { recipient, donor, measure, amount, time, value, flags: first(&settings.flags), more })
    }
}

impl Importer for OecdStat {
    fn id(&self) -> &'static str {
        "oecd.stat"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let Some(header) = input.text().and_then(|g| g.rows.first()) else { return Ok(Recognition::No) };
        let settings: Settings = descriptor.settings()?;
        let ours = Columns::of(header, &settings).is_some() || is_legend(header, &settings);
        Ok(if ours { Recognition::Yes } else { Recognition::No })
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let Some((grid, (header, body))) = input.text().and_then(|g| Some((g, g.rows.split_first()?))) else {
            return Err(Error::data(input.place(), "is empty"));
        };
        let mut notes = Vec::new();
        if is_legend(header, &settings) {
            let vintage = input.edition_day(context.vintage, &mut notes)?;
            return legend(grid, vintage, context, notes);
        }
        let Some(columns) = Columns::of(header, &settings) else {
            return Err(Error::data(input.place(), "lacks a column that it needs"));
        };
        // The table ends where notes begin: a line of one cell.
        let below = |row: &Row| row.cells.iter().filter(|c| !c.is_blank()).count() < 2 || is_legend(row, &settings);
        let end = body.iter().position(|row| !row.is_blank() && below(row)).unwrap_or(body.len());
        let (body, remarks) = body.split_at(end);
        let extracted = remarks.iter().find_map(|row| day_after(&row.cell(0).text(), &settings.extracted));
        if remarks.is_empty() {
            input.whole(header, |_, _| false)?;
        }
        let vintage = match context.vintage.or(extracted) {
            Some(day) => day,
            None => input.edition_day(None, &mut notes)?,
        };
        let body: Vec<&Row> = body.iter().filter(|r| !r.is_blank()).collect();
        let mut tables =
            Tables { grid, context, settings: &settings, vintage, all: BTreeMap::new(), names: BTreeMap::new() };
        let mut told = Told::default();
        for row in &body {
            if row.cells.len() + 1 < header.cells.len() {
                let what = format!(
                    "the row has {} cells, the header {}; the file seems cut off",
                    row.cells.len(),
                    header.cells.len()
                );
                return Err(Error::data(grid.place().row(row.number), what));
            }
            tables.row(row, header, &columns, &mut told)?;
        }
        if told.economies == 0 {
            return Err(Error::data(grid.place(), "has no value for any economy; the file seems cut off"));
        }
        notes.push(format!(
            "{} values of {} recipients, {} of aggregates kept apart, {} to {}",
            told.economies,
            told.places.len(),
            told.aggregates,
            told.years.first().copied().unwrap_or_default(),
            told.years.last().copied().unwrap_or_default()
        ));
        notes.extend(told.units.iter().map(|(words, factor)| format!("`{words}`: read as US dollars times {factor}")));
        if told.foreign > 0 {
            notes.push(format!("{} values in another currency than US dollars: in schema staging only", told.foreign));
        }
        let dimensions: Vec<String> = columns.more.iter().map(|(name, _)| name.to_lowercase()).collect();
        let named = if columns.measure.is_some() { "aid" } else { "receipts" };
        let staged = format!("{} {named} {}", context.descriptor.id, dimensions.join(" "));
        Ok(Imported {
            place: grid.place(),
            edition: format!("{named} {vintage}"),
            vintage,
            rows: tables.finish()?,
            files: Vec::new(),
            staged: vec![stage(&staged, grid, header, &body)?],
            notes,
        })
    }
}

fn is_legend(row: &Row, settings: &Settings) -> bool {
    let first = squeeze(&row.cell(0).text());
    let word = first.split('/').next().unwrap_or_default();
    settings.legend.iter().any(|name| name.eq_ignore_ascii_case(word.trim()))
}

/// The list of flags that comes with exports: kept as it is, for reading `obs_status`.
fn legend(grid: &Grid, vintage: NaiveDate, context: &Context<'_>, mut notes: Vec<String>) -> Result<Imported> {
    let body: Vec<&Row> = grid.rows.iter().skip(1).filter(|r| !r.is_blank()).collect();
    let Some((header, body)) = body.split_first() else {
        return Err(Error::data(grid.place(), "has no flag below its title; the file seems cut off"));
    };
    notes.push(format!("{} flags, for reading obs_status: in schema staging", body.len()));
    Ok(Imported {
        place: grid.place(),
        edition: format!("flags {vintage}"),
        vintage,
        rows: Vec::new(),
        files: Vec::new(),
        staged: vec![stage(&format!("{} flags", context.descriptor.id), grid, header, body)?],
        notes,
    })
}

/// What the report says of the rows.
#[derive(Default)]
struct Told {
    economies: usize,
    aggregates: usize,
    foreign: usize,
    places: BTreeSet<String>,
    years: BTreeSet<i32>,
    units: BTreeMap<String, f64>,
}

/// A value in US dollars, what it is of, and where it stands.
struct Amount<'a> {
    row: u64,
    column: &'a str,
    place: &'a Match,
    year: i32,
    dollars: f64,
    unit: &'a str,
    status: Option<&'a str>,
}

/// Rows by table and series.
struct Tables<'a> {
    grid: &'a Grid,
    context: &'a Context<'a>,
    settings: &'a Settings,
    vintage: NaiveDate,
    all: BTreeMap<(&'static str, String), Rows>,
    /// Name and unit of each indicator, with series and row.
    names: BTreeMap<String, (String, String, String, u64)>,
}

impl Tables<'_> {
    fn row(&mut self, row: &Row, header: &Row, columns: &Columns, told: &mut Told) -> Result<()> {
        let (grid, settings) = (self.grid, self.settings);
        let named = |at: usize| header.cell(at).text();
        let value_name = named(columns.value);
        let Some(amount) = number(grid, row, columns.value, &value_name, &settings.missing)? else { return Ok(()) };
        let text = |at: usize| squeeze(&row.cell(at).text());
        let words = text(columns.amount + 1);
        let Some(price) = settings.prices.iter().find(|(begin, _)| words.starts_with(begin.as_str())) else {
            let known: Vec<&str> = settings.prices.keys().map(String::as_str).collect();
            let what = format!("unknown amount type `{}`; expected one of `{}`", Printable(&words), known.join("`, `"));
            return Err(Error::data(grid.at(row, &named(columns.amount + 1)), what));
        };
        let Some((_, factor)) = settings.units.iter().find(|(unit, _)| words.contains(unit.as_str())) else {
            told.foreign += 1;
            return Ok(());
        };
        let base = year_in(&words);
        told.units.insert(words.clone(), *factor);
        let dollars = amount * factor;
        let period = row.cell(columns.time);
        let year = year(period).ok_or_else(|| {
            Error::data(grid.at(row, &named(columns.time)), format!("`{}` is not a year", Printable(&period.text())))
        })?;
        let code = text(columns.recipient);
        let at = grid.at(row, &named(columns.recipient));
        let place = self.context.concordance.resolve_code(Provider::Oecd, &code, &text(columns.recipient + 1), at)?;
        let status = columns.flags.map(text).filter(|s| !s.is_empty());
        let unit = unit_of(base);
        let amount = Amount {
            row: row.number,
            column: &value_name,
            place: &place,
            year,
            dollars,
            unit: &unit,
            status: status.as_deref(),
        };
        let status = Value::MaybeText(status.as_deref());
        let (source, day) = (Value::Text(&self.context.descriptor.id), Value::Date(self.vintage));

        let price = price.1.as_str();
        let more = columns.more.iter().map(|(_, i)| text(*i)).filter(|c| !c.is_empty()).collect::<Vec<_>>().join(".");
        match &place {
            Match::Economy(iso3) => {
                told.economies += 1;
                told.places.insert(iso3.to_string());
                told.years.insert(year);
            }
            Match::Aggregate { .. } => told.aggregates += 1,
        }
        if let (Some(donor), Some(measure)) = (columns.donor, columns.measure) {
            let (donor, measure) = (self.donor(&text(donor), &text(donor + 1)), text(measure));
            let series = format!("{}/{donor}/{measure}/{price}", settings.series);
            if let Match::Economy(iso3) = &place {
                let values = [
                    Value::Text(&donor),
                    Value::Text(iso3.as_ref()),
                    Value::Integer(year),
                    Value::Text(&measure),
                    Value::Text(&settings.flow),
                    Value::Text(price),
                    Value::Number(dollars),
                    source,
                    day,
                    status,
                ];
                let rows =
                    self.all.entry((AID_FLOW.name, series.clone())).or_insert_with(|| Rows::new(&AID_FLOW, series));
                return rows.push(row.number, &value_name, &values);
            }
            let indicator = format!("DAC2A.{donor}.{measure}.{price}.{}", settings.flow);
            return self.aggregate(&indicator, &series, &amount);
        }
        let indicator = [settings.prefix.as_str(), &more, price]
            .into_iter()
            .filter(|p| !p.is_empty())
            .collect::<Vec<_>>()
            .join(".");
        let series = format!("{}/{indicator}", self.context.descriptor.id);
        self.names.entry(indicator.clone()).or_insert_with(|| {
            let labels = columns.more.iter().map(|(_, i)| squeeze(&row.cell(i + 1).text()));
            let name = labels.chain([words.clone()]).collect::<Vec<_>>().join(", ");
            (name, unit.clone(), series.clone(), row.number)
        });
        let Match::Economy(iso3) = &place else {
            return self.aggregate(&indicator, &series, &amount);
        };
        let values = [
            Value::Text(&indicator),
            Value::Text(iso3.as_ref()),
            Value::Date(first_of(year, grid.place())?),
            Value::Text("A"),
            Value::Number(dollars),
            Value::Text(&unit),
            source,
            day,
            status,
        ];
        let rows =
            self.all.entry((OBSERVATION.name, series.clone())).or_insert_with(|| Rows::new(&OBSERVATION, series));
        rows.push(row.number, &value_name, &values)
    }

    fn aggregate(&mut self, indicator: &str, series: &str, amount: &Amount<'_>) -> Result<()> {
        let Match::Aggregate { code, name } = amount.place else { return Ok(()) };
        let values = [
            Value::Text(indicator),
            Value::Text(code),
            Value::Text(name),
            Value::Date(first_of(amount.year, self.grid.place())?),
            Value::Number(amount.dollars),
            Value::Text(amount.unit),
            Value::Text(&self.context.descriptor.id),
            Value::Date(self.vintage),
            Value::MaybeText(amount.status),
        ];
        let key = (AGGREGATE_OBSERVATION.name, series.to_owned());
        let rows = self.all.entry(key).or_insert_with(|| Rows::new(&AGGREGATE_OBSERVATION, series));
        rows.push(amount.row, amount.column, &values)
    }

    /// The newer service's code of a donor, by number or name; the number again for one that it does not have.
    fn donor(&self, number: &str, name: &str) -> String {
        let found = |text: &str| self.context.concordance.lookup(Provider::Oecd, text);
        match found(number).or_else(|| found(name)) {
            Some(Match::Economy(iso3)) => iso3.to_string(),
            Some(Match::Aggregate { code, .. }) => code,
            None => number.to_owned(),
        }
    }

    fn finish(self) -> Result<Vec<Rows>> {
        let mut all: Vec<Rows> = self.all.into_values().collect();
        for (indicator, (name, unit, series, row)) in &self.names {
            let mut rows = Rows::new(&INDICATOR, series.as_str());
            let values = [
                Value::Text(indicator),
                Value::Text(name),
                Value::Text(unit),
                Value::Null,
                Value::Text(&self.context.descriptor.id),
                Value::Date(self.vintage),
            ];
            rows.push(*row, "Amount type", &values)?;
            all.push(rows);
        }
        Ok(all)
    }
}

fn unit_of(base: Option<i32>) -> String {
    base.map_or_else(|| "US dollars".to_owned(), |year| format!("US dollars at prices of {year}"))
}

/// The year in `Constant Prices (2011 USD millions)`.
fn year_in(words: &str) -> Option<i32> {
    let mut numbers = words.split(|c: char| !c.is_ascii_digit()).filter(|w| w.len() == 4);
    numbers.find_map(|w| w.parse().ok())
}
