//! UN DESA International Migrant Stock: workbooks by destination, by origin, or both.
//!
//! ```text
//!        International migrant stock at mid-year (both sexes)   … (male) … (female)
//! Index  Region, …, country or area  Notes  Location code  Type of data  1990 1995 … 1990 …
//!     1  WORLD                                        900                152986157 …
//!    24     Burundi                                   108  B R              333110 …
//!
//! Year  Sort order  …, country or area of destination  Code  Type of data (a)  Country or area of origin
//!                                                                              Total Other South … Zimbabwe
//! 1990     1990001  WORLD                               900                    153011473 …
//! ```
//! Columns are found by their labels, because editions move them. Regions and development
//! groups stand between the economies; they go to `aggregate_observation`, and their world
//! total checks the sum of economies. Of pairs, those of two economies go to `migrant_stock`;
//! origins that are nobody's (`Other`, `Other South`) are an observation of the destination,
//! and pairs of groups, being sums of the others, are checked and stay in `staging`.

mod layout;
mod totals;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Deserialize;

use self::layout::{Columns, End, Layout, edition, title};
use self::totals::{Key, Totals, WORLD};
use crate::country::{Concordance, Iso3, Match, Provider};
use crate::error::{Error, Place, Result};
use crate::import::cells::{first_of, like, number, squeeze, year};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Cell, Grid, Row};
use crate::tables::{AGGREGATE_OBSERVATION, INDICATOR, MIGRANT_STOCK, MIGRANT_STOCK_TOTAL, OBSERVATION};

pub(super) struct UnDesaMigrantStock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    sheets: Vec<String>,
    more_sheets: Vec<String>,
    missing: Vec<String>,
    unit: String,
    total_tolerance: f64,
    total_tolerance_by_sex: f64,
    total_tolerance_of_pairs: f64,
    residual_origins: BTreeMap<String, String>,
    world: String,
    imputed: String,
    scales: BTreeMap<String, f64>,
    measures: Vec<Measure>,
}

/// What a block of columns holds, told by words above it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Measure {
    words: Vec<String>,
    indicator: String,
    name: String,
    unit: String,
    #[serde(default)]
    scaled: bool,
    #[serde(default)]
    stock: bool,
    #[serde(default)]
    signed: bool,
}

impl Measure {
    fn is(&self, text: &str) -> bool {
        self.words.iter().all(|w| text.contains(w.as_str()))
    }
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
        let main = sheets
            .iter()
            .find(|s| settings.sheets.iter().any(|p| like(p, s)))
            .ok_or_else(|| Error::data(input.place(), format!("has no sheet `{}`", settings.sheets.join("`, `"))))?;
        let first = input.sheet(main)?;
        let edition = edition(&first)?;
        let vintage = context
            .vintage
            .or(NaiveDate::from_ymd_opt(edition, 12, 31))
            .ok_or_else(|| Error::data(first.place(), "names no edition; say its date with --vintage"))?;
        let layout = Layout::of(&first, &settings)?;
        let mut stocks = Stocks::new(role(&layout), edition, vintage, context, &settings);
        stocks.sheet(&first, &layout, true)?;
        for sheet in sheets.iter().filter(|s| *s != main && settings.more_sheets.iter().any(|p| like(p, s))) {
            let grid = input.sheet(sheet)?;
            if title(&grid).is_none() {
                continue;
            }
            let layout = Layout::of(&grid, &settings)?;
            if role(&layout) == stocks.role {
                stocks.sheet(&grid, &layout, false)?;
            } else {
                stocks.notes.push(format!("sheet `{sheet}` is not by {} and was passed over", stocks.role));
            }
        }
        stocks.finish(first.place())
    }
}

fn role(layout: &Layout<'_>) -> &'static str {
    match (layout.destination, layout.origin, &layout.columns) {
        (Some(_), Some(_), _) | (_, _, Columns::Origins { .. }) => "pair",
        (Some(_), None, _) => "destination",
        _ => "origin",
    }
}

/// An economy, or one of the publisher's groups.
#[derive(Clone)]
enum Party {
    Economy(Iso3),
    Group { code: String, name: String },
}

impl Party {
    fn of(concordance: &Concordance, code: &str, name: &str, grouped: bool, spot: Place) -> Result<Self> {
        let name = squeeze(name).trim_end_matches('*').trim().to_owned();
        let code = code.trim().to_owned();
        match concordance.lookup(Provider::UnDesa, &code) {
            Some(Match::Economy(iso3)) => return Ok(Self::Economy(iso3)),
            Some(Match::Aggregate { .. }) => return Ok(Self::Group { code, name }),
            // `Type of data` is blank for the groups of this publisher and nothing else.
            None if grouped => return Ok(Self::Group { code, name }),
            None => {}
        }
        match concordance.resolve(Provider::UnDesa, &name, spot)? {
            Match::Economy(iso3) => Ok(Self::Economy(iso3)),
            Match::Aggregate { code: known, .. } => {
                Ok(Self::Group { code: if code.is_empty() { known } else { code }, name })
            }
        }
    }

    fn is_world(&self, settings: &Settings) -> bool {
        matches!(self, Self::Group { code, .. } if *code == settings.world)
    }
}

/// What the sheets of a workbook gave.
struct Stocks<'a> {
    role: &'static str,
    edition: i32,
    vintage: NaiveDate,
    context: &'a Context<'a>,
    settings: &'a Settings,
    stocks: Rows,
    groups: Rows,
    observations: Rows,
    indicators: BTreeMap<String, (&'a Measure, &'static str)>,
    totals: Totals,
    economies: BTreeSet<Iso3>,
    listed: BTreeMap<(String, String, i32), f64>,
    residuals: usize,
    zeros: usize,
    withheld: BTreeMap<String, usize>,
    staged: Vec<crate::import::importer::Staged>,
    notes: Vec<String>,
}

impl<'a> Stocks<'a> {
    fn new(
        role: &'static str,
        edition: i32,
        vintage: NaiveDate,
        context: &'a Context<'a>,
        settings: &'a Settings,
    ) -> Self {
        let series = format!("undesa.migrant_stock/{role}");
        let table = if role == "pair" { &MIGRANT_STOCK } else { &MIGRANT_STOCK_TOTAL };
        Self {
            role,
            edition,
            vintage,
            context,
            settings,
            stocks: Rows::new(table, series.clone()),
            groups: Rows::new(&AGGREGATE_OBSERVATION, series.clone()),
            observations: Rows::new(&OBSERVATION, series),
            indicators: BTreeMap::new(),
            totals: Totals::default(),
            economies: BTreeSet::new(),
            listed: BTreeMap::new(),
            residuals: 0,
            zeros: 0,
            withheld: BTreeMap::new(),
            staged: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn sheet(&mut self, grid: &Grid, layout: &Layout<'a>, main: bool) -> Result<()> {
        let Some(header) = grid.rows.get(layout.header) else {
            return Err(Error::Internal("header row vanished".to_owned()));
        };
        let body: Vec<Row> = grid.rows.iter().skip(layout.body).filter(|r| has_code(r, layout)).cloned().collect();
        if body.is_empty() {
            return Err(Error::data(grid.place(), "has a header and no rows; the file seems cut off"));
        }
        match &layout.columns {
            Columns::Facts(facts) => self.long(grid, layout, facts, &body)?,
            Columns::Origins { sex, year, names } => {
                let Some(names) = grid.rows.get(*names) else { return Err(Error::Internal("no names".to_owned())) };
                self.wide(grid, layout, sex, *year, names, &body)?;
            }
        }
        let name = format!("{} {} {}", self.context.descriptor.id, self.role, self.edition);
        let sheet = grid.sheet.as_deref().filter(|_| !main).unwrap_or_default();
        // Of a matrix the row of names says what the columns are.
        let header = match &layout.columns {
            Columns::Origins { names, .. } => {
                let below = grid.rows.get(*names).unwrap_or(header);
                let width = header.cells.len().max(below.cells.len());
                let pick = |i| if below.cell(i).is_blank() { header.cell(i) } else { below.cell(i) };
                &Row { number: header.number, hidden: false, cells: (0..width).map(|i| pick(i).clone()).collect() }
            }
            Columns::Facts(_) => header,
        };
        self.staged.push(stage(&format!("{name} {sheet}"), grid, header, &body)?);
        Ok(())
    }

    /// Rows of one end or of both, columns of years.
    fn long(&mut self, grid: &Grid, layout: &Layout<'a>, facts: &[layout::Fact<'a>], body: &[Row]) -> Result<()> {
        for row in body {
            let grouped = layout.kind.is_some_and(|k| row.cell(k).is_blank());
            let party = |end: End| {
                let [code, name] = [end.code, end.name].map(|i| row.cell(i).text());
                let grouped = grouped && self.role != "pair";
                Party::of(self.context.concordance, &code, &name, grouped, grid.at(row, "Location code"))
            };
            let (destination, origin) =
                (layout.destination.map(party).transpose()?, layout.origin.map(party).transpose()?);
            let status = self.status(row, layout);
            for fact in facts {
                let Some(value) = self.value(grid, row, fact.column, &fact.label)? else { continue };
                if value < 0.0 && !fact.measure.signed {
                    return Err(Error::data(
                        grid.at(row, &fact.label),
                        format!("`{value}` is negative; a stock is 0 or more"),
                    ));
                }
                let value = value * fact.scale;
                match (&destination, &origin) {
                    (Some(to), Some(from)) if fact.measure.stock => {
                        self.pair((grid, row, &fact.label), to, from, (fact.year, fact.sex), value, status)?;
                    }
                    (Some(_), Some(_)) => {}
                    (Some(one), None) | (None, Some(one)) => self.one(grid, row, fact, one, value, status)?,
                    (None, None) => {}
                }
            }
        }
        Ok(())
    }

    /// A matrix: a row is a destination in a year, a column an origin.
    fn wide(
        &mut self,
        grid: &Grid,
        layout: &Layout<'a>,
        sex: &'static str,
        year_column: usize,
        names: &Row,
        body: &[Row],
    ) -> Result<()> {
        let Some(end) = layout.destination else { return Ok(()) };
        let first = [Some(end.code), layout.kind, Some(year_column)].into_iter().flatten().max().unwrap_or(end.code);
        let mut origins = Vec::new();
        for (index, cell) in names.cells.iter().enumerate().skip(first + 1).filter(|(_, c)| !c.is_blank()) {
            let name = squeeze(&cell.text());
            let place = grid.place().row(names.number).column(name.clone());
            let party = Party::of(self.context.concordance, "", &name, false, place)?;
            origins.push((index, name, party));
        }
        for row in body {
            let [code, name] = [end.code, end.name].map(|i| row.cell(i).text());
            let grouped = layout.kind.is_some_and(|k| row.cell(k).is_blank());
            let spot = grid.at(row, "Code");
            let to = Party::of(self.context.concordance, &code, &name, grouped, spot)?;
            let year = year(row.cell(year_column)).ok_or_else(|| {
                let text = row.cell(year_column).text();
                Error::data(grid.at(row, "Year"), format!("`{text}` is not a year"))
            })?;
            let status = self.status(row, layout);
            for (index, label, from) in &origins {
                let Some(value) = self.value(grid, row, *index, label)? else { continue };
                if value < 0.0 {
                    let what = format!("`{value}` is negative; a stock is 0 or more");
                    return Err(Error::data(grid.at(row, label), what));
                }
                self.pair((grid, row, label), &to, from, (year, sex), value, status)?;
            }
        }
        Ok(())
    }

    fn value(&mut self, grid: &Grid, row: &Row, column: usize, label: &str) -> Result<Option<f64>> {
        let value = number(grid, row, column, label, &self.settings.missing)?;
        if let (None, Cell::Text(mark)) = (value, row.cell(column))
            && !mark.trim().is_empty()
        {
            *self.withheld.entry(mark.trim().to_owned()).or_default() += 1;
        }
        Ok(value)
    }

    /// `I` for a destination whose estimates the publisher imputed.
    fn status(&self, row: &Row, layout: &Layout<'_>) -> Option<&'static str> {
        let kind = layout.kind.map(|k| row.cell(k).text()).unwrap_or_default();
        kind.split_whitespace().any(|k| k == self.settings.imputed).then_some("I")
    }

    fn pair(
        &mut self,
        at: (&Grid, &Row, &str),
        to: &Party,
        from: &Party,
        key: Key,
        persons: f64,
        status: Option<&str>,
    ) -> Result<()> {
        let (grid, row, label) = at;
        let world = |party: &Party| party.is_world(self.settings);
        let (source, day) = (Value::Text(&self.context.descriptor.id), Value::Date(self.vintage));
        let into = |iso3: &Iso3| format!("destination {iso3}");
        let out = |iso3: &Iso3| format!("origin {iso3}");
        match (to, from) {
            (Party::Economy(to), Party::Economy(from)) => {
                self.totals.add(&[WORLD.to_owned(), into(to), out(from)], key, persons);
                self.zeros += usize::from(persons == 0.0);
                let values = [
                    Value::Text(from.as_ref()),
                    Value::Text(to.as_ref()),
                    Value::Integer(key.0),
                    Value::Text(key.1),
                    Value::Number(persons),
                    source,
                    day,
                    Value::MaybeText(status),
                ];
                self.stocks.push(row.number, label, &values)
            }
            // A residual origin is nobody's, but it counts in the totals.
            (Party::Economy(to), Party::Group { name, .. }) if self.settings.residual_origins.contains_key(name) => {
                self.totals.add(&[WORLD.to_owned(), into(to)], key, persons);
                self.residuals += 1;
                let part = self.settings.residual_origins.get(name).map(String::as_str).unwrap_or_default();
                let indicator = format!("UNDESA.STOCK.FROM_{part}.{}", key.1.to_uppercase());
                if let Some(measure) = self.settings.measures.iter().find(|m| m.stock) {
                    self.indicators.insert(indicator.clone(), (measure, key.1));
                }
                let values = [
                    Value::Text(&indicator),
                    Value::Text(to.as_ref()),
                    Value::Date(first_of(key.0, grid.at(row, label))?),
                    Value::Text("A"),
                    Value::Number(persons),
                    Value::Text(&self.settings.unit),
                    source,
                    day,
                    Value::MaybeText(status),
                ];
                self.observations.push(row.number, label, &values)
            }
            (to, from) if world(to) && world(from) => {
                self.totals.publish(WORLD, key, persons, grid.at(row, label));
                Ok(())
            }
            (Party::Economy(to), from) if world(from) => {
                self.totals.publish(&into(to), key, persons, grid.at(row, label));
                Ok(())
            }
            (to, Party::Economy(from)) if world(to) => {
                self.totals.publish(&out(from), key, persons, grid.at(row, label));
                Ok(())
            }
            // Other groups of pairs are sums of rows that are here already.
            _ => Ok(()),
        }
    }

    /// A fact of one economy or group, as destination or as origin.
    fn one(
        &mut self,
        grid: &Grid,
        row: &Row,
        fact: &layout::Fact<'a>,
        party: &Party,
        value: f64,
        status: Option<&str>,
    ) -> Result<()> {
        let key = (fact.year, fact.sex);
        let measure = fact.measure;
        let (source, day) = (Value::Text(&self.context.descriptor.id), Value::Date(self.vintage));
        let sex = fact.sex.to_uppercase();
        let indicator = match (measure.stock, self.role) {
            (false, "destination") => format!("{}.{sex}", measure.indicator),
            _ => format!("{}.{}.{sex}", measure.indicator, self.role.to_uppercase()),
        };
        let unit = if measure.stock { &self.settings.unit } else { &measure.unit };
        match party {
            Party::Economy(iso3) if measure.stock => {
                self.totals.add(&[WORLD.to_owned()], key, value);
                self.economies.insert(*iso3);
                let values = [
                    Value::Text(iso3.as_ref()),
                    Value::Text(self.role),
                    Value::Integer(fact.year),
                    Value::Text(fact.sex),
                    Value::Number(value),
                    source,
                    day,
                    Value::MaybeText(status),
                ];
                self.stocks.push(row.number, &fact.label, &values)
            }
            Party::Economy(iso3) => {
                self.indicators.entry(indicator.clone()).or_insert((measure, fact.sex));
                let values = [
                    Value::Text(&indicator),
                    Value::Text(iso3.as_ref()),
                    Value::Date(fact.first_day),
                    Value::Text("A"),
                    Value::Number(value),
                    Value::Text(unit),
                    source,
                    day,
                    Value::MaybeText(status),
                ];
                self.observations.push(row.number, &fact.label, &values)
            }
            Party::Group { code, name } => {
                if measure.stock && self.settings.residual_origins.contains_key(name) {
                    self.totals.add(&[WORLD.to_owned()], key, value);
                }
                if measure.stock && party.is_world(self.settings) {
                    self.totals.publish(WORLD, key, value, grid.at(row, &fact.label));
                }
                // A region that is also a sub-region, such as Australia and New Zealand, is listed twice.
                let listed = (indicator.clone(), code.clone(), fact.year);
                if self.listed.insert(listed, value) == Some(value) {
                    return Ok(());
                }
                let values = [
                    Value::Text(&indicator),
                    Value::Text(code),
                    Value::Text(name),
                    Value::Date(fact.first_day),
                    Value::Number(value),
                    Value::Text(unit),
                    source,
                    day,
                    Value::Null,
                ];
                self.groups.push(row.number, &fact.label, &values)
            }
        }
    }

    fn finish(mut self, place: Place) -> Result<Imported> {
        let (role, edition) = (self.role, self.edition);
        if self.stocks.is_empty() {
            return Err(Error::data(place, "has no migrant stock of any economy; the file seems cut off"));
        }
        let mut notes = match role {
            "pair" => vec![
                format!(
                    "edition {edition}: {} stocks of pairs of economies, {} of them 0",
                    self.stocks.len(),
                    self.zeros
                ),
                format!("{} stocks of residual origins are observations of the destination, not pairs", self.residuals),
                "pairs of regions and groups are sums of the others: compared, and kept in staging only".to_owned(),
            ],
            _ => vec![format!(
                "edition {edition}: {} stocks by {role}, {} economies, {} values of groups kept apart, {} other observations",
                self.stocks.len(),
                self.economies.len(),
                self.groups.len(),
                self.observations.len()
            )],
        };
        if self.context.vintage.is_none() {
            notes.push(format!("the file names the year of its edition only: vintage {}", self.vintage));
        }
        for (mark, count) in &self.withheld {
            notes.push(format!("{count} cells say `{mark}` and are left out"));
        }
        notes.extend(self.totals.check(self.settings, role == "pair")?);
        notes.append(&mut self.notes);
        let mut indicators = Rows::new(&INDICATOR, format!("undesa.migrant_stock/{role}"));
        for (row, (indicator, (measure, sex))) in (1..).zip(&self.indicators) {
            let origin = indicator.split('.').find_map(|part| part.strip_prefix("FROM_"));
            let of = origin.map(|o| format!(", origin {}", o.to_lowercase().replace('_', " "))).unwrap_or_default();
            let name = format!("{}{of} ({sex})", measure.name);
            let unit = if measure.stock { &self.settings.unit } else { &measure.unit };
            let values = [
                Value::Text(indicator),
                Value::Text(&name),
                Value::Text(unit),
                Value::Null,
                Value::Text(&self.context.descriptor.id),
                Value::Date(self.vintage),
            ];
            indicators.push(row, "indicator", &values)?;
        }
        Ok(Imported {
            place,
            edition: format!("{edition} by {role}"),
            vintage: self.vintage,
            rows: vec![self.stocks, self.groups, self.observations, indicators],
            files: Vec::new(),
            staged: self.staged,
            notes,
        })
    }
}

/// Footnotes and blank rows have no numeric location code.
fn has_code(row: &Row, layout: &Layout<'_>) -> bool {
    let numeric = |end: Option<End>| end.is_none_or(|e| row.cell(e.code).text().trim().parse::<u32>().is_ok());
    numeric(layout.destination) && numeric(layout.origin)
}
