//! Lists of countries as others keep them: their codes and names become aliases.
//!
//! ```text
//! numcode,name,code            {"locale": "ar", "countries": {"AF": "أفغانستان", …}}
//! 4,Afghanistan,AFG            [["AF", "AFG", "004", "ISO 3166-2:AF"], …]
//! ```
//! An economy is known by its ISO code; which columns are names is up to the
//! descriptor. Table `country` is not changed: its names are chosen, see `datasets/country`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::country::{Match, Provider};
use crate::error::{Error, Printable, Result};
use crate::import::cells::squeeze;
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Cell, Grid, Kind, Row};
use crate::tables::COUNTRY_ALIAS;

pub(super) struct CountryList;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// `country_alias.provider`; `{locale}` stands for the language a file says it is in.
    provider: String,
    /// Columns of a table, all of which it has; none where the list is JSON.
    #[serde(default)]
    marks: Vec<String>,
    /// Column of the code that says which economy a row is.
    #[serde(default)]
    code: String,
    /// Columns of names and codes.
    #[serde(default)]
    names: Vec<String>,
    /// Fewer economies are somebody's own table.
    least: usize,
}

/// A row of a list: where it stands, which economy, and how it is called there.
struct Entry {
    row: u64,
    code: String,
    names: Vec<(String, String)>,
}

/// A list, and the language it says it is in.
struct List {
    entries: Vec<Entry>,
    locale: String,
    /// The list as a table, for audit.
    grid: Grid,
}

impl Importer for CountryList {
    fn id(&self) -> &'static str {
        "country_list"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        Ok(match list(input, &settings) {
            Some(list) if list.entries.len() >= settings.least => Recognition::Yes,
            _ => Recognition::No,
        })
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let Some(list) = list(input, &settings) else {
            return Err(Error::data(input.place(), "is no list of countries"));
        };
        let mut notes = Vec::new();
        let vintage = input.edition_day(context.vintage, &mut notes)?;
        let provider = settings.provider.replace("{locale}", &list.locale);
        let series = format!("{}/{provider}", context.descriptor.id);
        let rows = aliases(&list, &provider, &series, vintage, context, &mut notes)?;
        let staged = match list.grid.rows.split_first() {
            Some((header, body)) => vec![stage(&series, &list.grid, header, body)?],
            None => Vec::new(),
        };
        let edition = format!("{provider} {vintage}");
        Ok(Imported { place: input.place(), edition, vintage, rows: vec![rows], files: Vec::new(), staged, notes })
    }
}

fn aliases(
    list: &List,
    provider: &str,
    series: &str,
    vintage: NaiveDate,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<Rows> {
    let mut rows = Rows::new(&COUNTRY_ALIAS, series);
    let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut strangers = Vec::new();
    let mut found = Vec::new();
    for entry in &list.entries {
        match context.concordance.lookup(Provider::Any, &entry.code) {
            Some(Match::Economy(iso3)) => {
                for (column, name) in &entry.names {
                    // One name of two economies in one list is the name of neither.
                    let first = known.entry(name.clone()).or_insert_with(|| Some(iso3.to_string()));
                    if first.as_deref().is_some_and(|first| first != iso3.as_ref() as &str) {
                        *first = None;
                    }
                    found.push((entry.row, column, name, iso3));
                }
            }
            _ => strangers.push(entry.code.as_str()),
        }
    }
    let mut done = std::collections::BTreeSet::new();
    for (row, column, name, iso3) in found {
        if known.get(name).is_some_and(Option::is_some) && done.insert(name) {
            let values = [
                Value::Text(provider),
                Value::Text(name),
                Value::Text(iso3.as_ref()),
                Value::Text(&context.descriptor.id),
                Value::Date(vintage),
            ];
            rows.push(row, column, &values)?;
        }
    }
    notes.push(format!(
        "{} spellings of {} economies, as provider `{provider}`",
        rows.len(),
        list.entries.len() - strangers.len()
    ));
    if !strangers.is_empty() {
        let named: Vec<String> = strangers.iter().take(8).map(|c| Printable(c).to_string()).collect();
        notes.push(format!("{} rows are of no economy that we know: {}", strangers.len(), named.join(", ")));
    }
    let contested: Vec<&str> = known.iter().filter(|(_, one)| one.is_none()).map(|(name, _)| name.as_str()).collect();
    if !contested.is_empty() {
        notes.push(format!("names of two economies, left out: {}", contested.join(", ")));
    }
    Ok(rows)
}

fn list(input: &Input, settings: &Settings) -> Option<List> {
    match input.kind {
        Kind::Csv if !settings.marks.is_empty() => table(input.text()?, settings),
        Kind::Json if settings.marks.is_empty() => json(input),
        _ => None,
    }
}

fn table(grid: &Grid, settings: &Settings) -> Option<List> {
    let (header, body) = grid.rows.split_first()?;
    let at = |name: &str| header.cells.iter().position(|c| squeeze(&c.text()) == name);
    settings.marks.iter().all(|name| at(name).is_some()).then_some(())?;
    let code = at(&settings.code)?;
    let names: Vec<(String, usize)> = settings.names.iter().filter_map(|n| Some((n.clone(), at(n)?))).collect();
    let entry = |row: &Row| {
        let name = |(column, i): &(String, usize)| (column.clone(), squeeze(&row.cell(*i).text()));
        let names = names.iter().map(name).filter(|(_, name)| !name.is_empty()).collect();
        Entry { row: row.number, code: squeeze(&row.cell(code).text()), names }
    };
    let entries = body.iter().filter(|r| !r.cell(code).is_blank()).map(entry).collect();
    Some(List { entries, locale: String::new(), grid: grid.clone() })
}

/// The lists of i18n-iso-countries: names by two-letter code, or tuples of codes.
fn json(input: &Input) -> Option<List> {
    let (bytes, mut rows) = (input.bytes.strip_prefix(b"\xef\xbb\xbf".as_slice()).unwrap_or(&input.bytes), Vec::new());
    let all: Json = serde_json::from_slice(bytes).ok()?;
    let texts = |value: &Json| -> Vec<String> {
        match value {
            Json::String(text) => vec![squeeze(text)],
            Json::Array(all) => all.iter().filter_map(Json::as_str).map(squeeze).collect(),
            _ => Vec::new(),
        }
    };
    let (locale, pairs) = match &all {
        Json::Object(object) => {
            let countries = object.get("countries")?.as_object()?;
            let pairs: Vec<_> = countries.iter().map(|(code, names)| (code.clone(), texts(names))).collect();
            (object.get("locale")?.as_str()?.to_owned(), pairs)
        }
        Json::Array(tuples) => {
            let pairs: Option<Vec<_>> = tuples
                .iter()
                .map(|tuple| {
                    let codes = texts(tuple);
                    let alpha3 = codes.get(1).filter(|c| c.len() == 3)?;
                    Some((alpha3.clone(), codes.clone()))
                })
                .collect();
            ("codes".to_owned(), pairs?)
        }
        _ => return None,
    };
    rows.push(line(1, ["code", "names"].map(str::to_owned)));
    let mut entries = Vec::new();
    for (number, (code, names)) in (2..).zip(pairs) {
        rows.push(line(number, [code.clone(), names.join("; ")]));
        let names = names.into_iter().filter(|n| !n.is_empty()).map(|n| ("names".to_owned(), n)).collect();
        entries.push(Entry { row: number, code, names });
    }
    Some(List { entries, locale, grid: Grid { file: input.name.clone(), sheet: None, rows } })
}

fn line(number: u64, cells: [String; 2]) -> Row {
    Row { number, hidden: false, cells: cells.map(Cell::Text).to_vec() }
}
