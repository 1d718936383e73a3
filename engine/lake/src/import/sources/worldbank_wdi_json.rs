//! World Development Indicators as the pages of the World Bank's API, version 2.
//!
//! ```text
//! [{"page":1,"pages":2,"per_page":500,"total":868,"sourceid":"2","lastupdated":"2025-07-01"},
//!  [{"indicator":{"id":"BX.TRF.PWKR.CD.DT","value":"Personal remittances, received (current US$)"},
//!    "country":{"id":"MX","value":"Mexico"},"countryiso3code":"MEX","date":"2023",
//!    "value":63319190000,"unit":"","obs_status":"","decimal":0}, …]]
//! ```
//! The pages of one answer are one edition: the first of them makes its rows from all, and one
//! that is missing is an error. What went wrong at the API is a file too: `[{"message":[…]}]`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value as Json;

use super::worldbank_wdi::{Settings, series, unit};
use crate::country::{Match, Provider};
use crate::error::{Error, Place, Printable, Result};
use crate::import::cells::number;
use crate::import::importer::{Context, Imported};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Cell, Grid, Kind, Row};
use crate::tables::{AGGREGATE_OBSERVATION, INDICATOR, OBSERVATION};

/// Columns of the pages as a table.
const COLUMNS: [&str; 11] = [
    "page",
    "indicator",
    "indicator name",
    "country",
    "country name",
    "countryiso3code",
    "date",
    "value",
    "unit",
    "obs_status",
    "decimal",
];

/// What a page says of itself.
#[derive(Debug, Clone, PartialEq)]
struct Head {
    page: u64,
    pages: u64,
    total: u64,
    last_updated: Option<NaiveDate>,
}

struct Page<'a> {
    input: &'a Input,
    head: Head,
    records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
struct Record {
    indicator: Named,
    country: Named,
    #[serde(default)]
    countryiso3code: Json,
    date: Json,
    value: Json,
    #[serde(default)]
    unit: Json,
    #[serde(default)]
    obs_status: Json,
    #[serde(default)]
    decimal: Json,
}

#[derive(Debug, Deserialize)]
struct Named {
    id: Json,
    value: Json,
}

/// True for an answer of the API, be it data or a message of what is wrong.
pub(super) fn is_page(input: &Input) -> bool {
    const HEAD: usize = 64;
    let head: Vec<u8> = input.bytes.iter().filter(|b| !b.is_ascii_whitespace()).take(HEAD).copied().collect();
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    input.kind == Kind::Json && (head.starts_with(b"[{\"page\":") || head.starts_with(b"[{\"message\":["))
}

pub(super) fn import(input: &Input, context: &Context<'_>, settings: &Settings) -> Result<Imported> {
    let own = page(input)?;
    let pages = answer(&own, context)?;
    let vintage = context.vintage.or(own.head.last_updated).ok_or_else(|| {
        Error::data(input.place(), "has no `lastupdated`; say the edition's date with --vintage YYYY-MM-DD")
    })?;
    let codes = indicators(&pages);
    let named = codes.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
    let mut imported = Imported {
        place: input.place(),
        edition: format!("{named} {vintage}"),
        vintage,
        rows: Vec::new(),
        files: Vec::new(),
        staged: Vec::new(),
        notes: Vec::new(),
    };
    let first = pages.values().next().map(|p| p.input.name.as_str()).unwrap_or_default();
    if own.head.page != 1 {
        let what = format!("page {} of {}, read together with `{}`", own.head.page, own.head.pages, Printable(first));
        imported.notes.push(what);
        return Ok(imported);
    }
    let grid = grid(input, &pages);
    let (economies, aggregates) = facts(&grid, context, settings, vintage, &pages)?;
    let count = |rows: &BTreeMap<String, Rows>| rows.values().map(Rows::len).sum::<usize>();
    imported.notes.push(format!(
        "{}: {} values of economies, {} of aggregates kept apart, from {} pages",
        named.replace(' ', ", "),
        count(&economies),
        count(&aggregates),
        pages.len()
    ));
    for (code, name) in &codes {
        let mut rows = Rows::new(&INDICATOR, series(code));
        let unit = unit(code, name, settings);
        let values = [
            Value::Text(code),
            Value::Text(name),
            Value::MaybeText(unit.as_deref()),
            Value::Null,
            Value::Text(&context.descriptor.id),
            Value::Date(vintage),
        ];
        rows.push(1, "indicator", &values)?;
        imported.rows.push(rows);
    }
    imported.rows.extend(economies.into_values());
    imported.rows.extend(aggregates.into_values());
    if let Some((header, body)) = grid.rows.split_first() {
        imported.staged.push(stage(&format!("{} {named} api", context.descriptor.id), &grid, header, body)?);
    }
    Ok(imported)
}

/// Reads a page. A message of the API is an error that quotes it.
fn page(input: &Input) -> Result<Page<'_>> {
    let wrong = |what: String| Error::data(input.place(), what);
    let bytes = input.bytes.strip_prefix(b"\xef\xbb\xbf".as_slice()).unwrap_or(&input.bytes);
    let answer: Vec<Json> = serde_json::from_slice(bytes)
        .map_err(|e| wrong(format!("is no whole answer of the API ({e}); it seems cut off, fetch it again")))?;
    let mut parts = answer.into_iter();
    let head = parts.next().unwrap_or_default();
    if let Some(messages) = head.get("message").and_then(Json::as_array) {
        let said = messages.iter().map(|m| {
            let of = |key: &str| m.get(key).map(text).unwrap_or_default();
            format!("{} {}: {}", of("id"), of("key"), of("value"))
        });
        let said = said.collect::<Vec<_>>().join("; ");
        return Err(wrong(format!("the API refused the request: {}", Printable(&said))));
    }
    let whole = |key: &str| {
        head.get(key)
            .and_then(|v| text(v).parse::<u64>().ok())
            .ok_or_else(|| wrong(format!("its `{key}` is no number")))
    };
    let updated = head.get("lastupdated").map(text).filter(|t| !t.is_empty());
    let last_updated = match updated {
        Some(day) => {
            Some(day.parse().map_err(|_| wrong(format!("its `lastupdated` `{}` is no date", Printable(&day))))?)
        }
        None => None,
    };
    let head = Head { page: whole("page")?, pages: whole("pages")?, total: whole("total")?, last_updated };
    let records = parts.next().unwrap_or_default();
    if records.is_null() || head.total == 0 {
        return Err(wrong("has no record: the API knows no value for what was asked".to_owned()));
    }
    let records = serde_json::from_value(records).map_err(|e| {
        wrong(format!("its records are not those of an indicator ({e}); ask the API for /country/all/indicator/…"))
    })?;
    Ok(Page { input, head, records })
}

/// All pages of the answer that a page belongs to, by number.
fn answer<'a>(own: &Page<'a>, context: &Context<'a>) -> Result<BTreeMap<u64, Page<'a>>> {
    let alike = |head: &Head| Head { page: own.head.page, ..head.clone() } == own.head;
    let mut found = Vec::new();
    for input in context.inputs.iter().filter(|i| is_page(i)) {
        // Another answer that is damaged is reported where it is read itself.
        match page(input) {
            Ok(page) if alike(&page.head) => found.push(page),
            _ => {}
        }
    }
    // Answers for two indicators may agree in all that pages say of themselves.
    let first = |page: &Page<'_>| page.records.first().map(|r| text(&r.indicator.id));
    let mut numbers: Vec<(u64, &str)> = found.iter().map(|p| (p.head.page, p.input.sha256.as_str())).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.windows(2).any(|w| matches!(w, [(a, _), (b, _)] if a == b)) {
        found.retain(|page| first(page) == first(own));
    }
    let mut pages = BTreeMap::new();
    for page in found {
        let (number, sha256) = (page.head.page, page.input.sha256.clone());
        let name = page.input.name.clone();
        if let Some(other) = pages.insert(number, page).filter(|other| other.input.sha256 != sha256) {
            let what = format!(
                "is page {number} of the same answer as `{}`, with other records; keep one of the two",
                Printable(&name)
            );
            return Err(Error::data(other.input.place(), what));
        }
    }
    let Head { pages: expected, total, .. } = own.head;
    if let Some(missing) = (1..=expected).find(|n| !pages.contains_key(n)) {
        let what = format!(
            "page {missing} of {expected} is missing; import all pages together, or ask the API for all records at once with per_page={total}"
        );
        return Err(Error::data(own.input.place(), what));
    }
    let records: usize = pages.values().map(|p| p.records.len()).sum();
    if records as u64 != total {
        let what = format!("its {expected} pages have {records} records, the API counted {total}; fetch them again");
        return Err(Error::data(own.input.place(), what));
    }
    Ok(pages)
}

/// Code and name of every indicator.
fn indicators(pages: &BTreeMap<u64, Page<'_>>) -> BTreeMap<String, String> {
    let records = pages.values().flat_map(|p| &p.records);
    records.map(|r| (text(&r.indicator.id), text(&r.indicator.value))).collect()
}

/// The pages as one table; a row's number is that of the record in all pages.
fn grid(input: &Input, pages: &BTreeMap<u64, Page<'_>>) -> Grid {
    let row = |number: usize, cells: Vec<Cell>| Row { number: number as u64, hidden: false, cells };
    let header = row(0, COLUMNS.iter().map(|c| Cell::Text((*c).to_owned())).collect());
    let records = pages.values().flat_map(|p| p.records.iter().map(|r| (p.head.page, r)));
    let line = |(i, (page, r)): (usize, (u64, &Record))| {
        let values = [
            &r.indicator.id,
            &r.indicator.value,
            &r.country.id,
            &r.country.value,
            &r.countryiso3code,
            &r.date,
            &r.value,
            &r.unit,
            &r.obs_status,
            &r.decimal,
        ];
        let cells = values.map(|v| Cell::Text(text(v)));
        row(i + 1, std::iter::once(Cell::Text(page.to_string())).chain(cells).collect())
    };
    let rows = std::iter::once(header).chain(records.enumerate().map(line)).collect();
    Grid { file: input.name.clone(), sheet: None, rows }
}

type Facts = (BTreeMap<String, Rows>, BTreeMap<String, Rows>);

fn facts(
    grid: &Grid,
    context: &Context<'_>,
    settings: &Settings,
    vintage: NaiveDate,
    pages: &BTreeMap<u64, Page<'_>>,
) -> Result<Facts> {
    let (mut economies, mut aggregates): Facts = Default::default();
    // Where a record stands: its file, and its number there.
    let places = pages.values().flat_map(|p| (1..=p.records.len() as u64).map(|n| Place::file(&p.input.name).row(n)));
    for (row, place) in grid.rows.iter().skip(1).zip(places) {
        let cell = |i: usize| row.cell(i).text().trim().to_owned();
        let [indicator, name, id, country, iso3, date] = [1, 2, 3, 4, 5, 6].map(cell);
        if indicator.is_empty() {
            return Err(Error::data(place.column(COLUMNS[1]), "is blank; every record names its indicator"));
        }
        let (day, frequency) = period(&date).ok_or_else(|| {
            let what = format!("`{}` is no year, quarter or month such as 2020, 2020Q1 or 2020M01", Printable(&date));
            Error::data(place.clone().column(COLUMNS[6]), what)
        })?;
        let value = number(grid, row, 7, COLUMNS[7], &settings.missing).map_err(|e| match e {
            Error::Data { what, .. } => Error::data(place.clone().column(COLUMNS[7]), what),
            other => other,
        })?;
        // Of some groups of countries the API gives no code of three letters.
        let code = if iso3.is_empty() { &id } else { &iso3 };
        let at = place.clone().column(if iso3.is_empty() { COLUMNS[3] } else { COLUMNS[5] });
        let found = context.concordance.resolve_code(Provider::WorldBank, code, &country, at)?;
        let Some(value) = value else { continue };
        let own_unit = Some(cell(8)).filter(|u| !u.is_empty()).or_else(|| unit(&indicator, &name, settings));
        let status = Some(cell(9)).filter(|s| !s.is_empty());
        let unit = Value::MaybeText(own_unit.as_deref());
        let (source, edition) = (Value::Text(&context.descriptor.id), Value::Date(vintage));
        let status = Value::MaybeText(status.as_deref());
        let (kind, value) = (Value::Text(&indicator), Value::Number(value));
        match &found {
            Match::Economy(iso3) => {
                let values = [
                    kind,
                    Value::Text(iso3.as_ref()),
                    Value::Date(day),
                    Value::Text(frequency),
                    value,
                    unit,
                    source,
                    edition,
                    status,
                ];
                let rows =
                    economies.entry(indicator.clone()).or_insert_with(|| Rows::new(&OBSERVATION, series(&indicator)));
                rows.push(row.number, COLUMNS[7], &values)?;
            }
            Match::Aggregate { code, .. } => {
                let values = [
                    kind,
                    Value::Text(code),
                    Value::Text(&country),
                    Value::Date(day),
                    value,
                    unit,
                    source,
                    edition,
                    status,
                ];
                let rows = aggregates
                    .entry(indicator.clone())
                    .or_insert_with(|| Rows::new(&AGGREGATE_OBSERVATION, series(&indicator)));
                rows.push(row.number, COLUMNS[7], &values)?;
            }
        }
    }
    Ok((economies, aggregates))
}

/// First day and frequency of `2020`, `2020Q1` or `2020M01`.
fn period(text: &str) -> Option<(NaiveDate, &'static str)> {
    let (year, rest) = text.split_at_checked(4)?;
    let year = year.parse().ok().filter(|y| (1800..=2200).contains(y))?;
    let (month, frequency) = match rest.split_at_checked(1) {
        None => (1, "A"),
        Some(("Q", quarter)) => (quarter.parse::<u32>().ok().filter(|q| (1..=4).contains(q))? * 3 - 2, "Q"),
        Some(("M", month)) => (month.parse().ok()?, "M"),
        Some(_) => return None,
    };
    Some((NaiveDate::from_ymd_opt(year, month, 1)?, frequency))
}

/// A JSON value as text; null is none.
fn text(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::period;

    #[test]
    fn years_quarters_and_months() {
        let told = |text: &str| period(text).map(|(day, frequency)| format!("{day} {frequency}"));
        for (text, expected) in [
            ("2020", Some("2020-01-01 A")),
            ("2020Q4", Some("2020-10-01 Q")),
            ("2020M01", Some("2020-01-01 M")),
            ("2020M12", Some("2020-12-01 M")),
            ("2020M13", None),
            ("2020Q0", None),
            ("20", None),
            ("2020-01", None),
            ("20é0", None),
        ] {
            assert_eq!(told(text).as_deref(), expected, "{text}");
        }
    }
}
