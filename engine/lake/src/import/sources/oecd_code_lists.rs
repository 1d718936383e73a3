//! DAC and CRS code lists: the recipients of aid by income group, and the lists of
//! donors, purposes and channels, which are kept as they are.
//!
//! ```text
//! Recipient code  Recipient name (EN)  Recipient name (FR)  ISOcode  Region  DAC_IncomeGroup …
//! 55              Turkey               Turquie              TUR      Europe  UMICs
//! ```

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::said::month_of;
use crate::country::{Match, Provider};
use crate::error::{Error, Printable, Result};
use crate::import::cells::{first_of, squeeze};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::{COUNTRY_ALIAS, COUNTRY_GROUP};

pub(super) struct OecdCodeLists;

/// Series of the groups, which the list that comes with the program is in too.
const GROUPS: &str = "oecd.country_group";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    recipients: Recipients,
    /// Words before the date of the edition, and before the year of flows it is for.
    updated: Vec<String>,
    effective: String,
    /// Rows of a sheet's header are among the first so many.
    preamble: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipients {
    code: String,
    names: Vec<String>,
    iso3: String,
    group: String,
    provider: String,
    kind: String,
    /// Group by the words of the list: code and name; an empty code is no group.
    groups: BTreeMap<String, [String; 2]>,
}

/// Index of the header among the rows, and its columns.
struct Header {
    at: usize,
    code: usize,
    names: Vec<usize>,
    iso3: usize,
    group: usize,
}

fn header(grid: &Grid, settings: &Settings) -> Option<Header> {
    let wanted = &settings.recipients;
    grid.rows.iter().take(settings.preamble).enumerate().find_map(|(at, row)| {
        let find = |name: &str| row.cells.iter().position(|c| squeeze(&c.text()).eq_ignore_ascii_case(name));
        Some(Header {
            at,
            code: find(&wanted.code)?,
            names: wanted.names.iter().filter_map(|name| find(name)).collect(),
            iso3: find(&wanted.iso3)?,
            group: find(&wanted.group)?,
        })
    })
}

/// The first text of any sheet that `read` understands.
fn said<T>(input: &Input, read: &dyn Fn(&str) -> Option<T>) -> Result<Option<T>> {
    for sheet in input.sheets() {
        let grid = input.sheet(&sheet)?;
        let mut texts = grid.rows.iter().flat_map(|r| &r.cells).map(|c| squeeze(&c.text()));
        if let Some(found) = texts.find_map(|t| read(&t)) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The year in `effective for reporting on 2021 flows`.
fn year_of_flows(text: &str, mark: &str) -> Option<i32> {
    let lower = text.to_lowercase();
    let (_, rest) = lower.split_once(&mark.to_lowercase())?;
    rest.split(|c: char| !c.is_ascii_digit()).find(|w| w.len() == 4)?.parse().ok()
}

impl Importer for OecdCodeLists {
    fn id(&self) -> &'static str {
        "oecd.code_lists"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        for sheet in input.sheets() {
            if header(&*input.sheet(&sheet)?, &settings).is_some() {
                return Ok(Recognition::Yes);
            }
        }
        Ok(Recognition::No)
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let mut notes = Vec::new();
        let updated = said(input, &|text: &str| {
            let lower = text.to_lowercase();
            settings
                .updated
                .iter()
                .any(|mark| lower.starts_with(&mark.to_lowercase()))
                .then(|| month_of(text))
                .flatten()
        })?;
        let vintage = match context.vintage.or(updated) {
            Some(day) => day,
            None => input.edition_day(None, &mut notes)?,
        };
        let year = said(input, &|text: &str| year_of_flows(text, &settings.effective))?.unwrap_or(vintage.year() - 1);
        let valid_from = first_of(year, input.place())?;

        let mut rows = Vec::new();
        let mut staged = Vec::new();
        for sheet in input.sheets() {
            let grid = input.sheet(&sheet)?;
            if let Some(found) = header(&grid, &settings) {
                rows.extend(recipients(&grid, &found, context, &settings, (vintage, valid_from), &mut notes)?);
            }
            let body: Vec<&Row> = grid.rows.iter().filter(|r| !r.is_blank()).collect();
            // The header is the first row that is as wide as any: titles stand in one cell.
            let width = |row: &Row| row.cells.iter().filter(|c| !c.is_blank()).count();
            let widest = body.iter().map(|r| width(r)).max().unwrap_or(0);
            let Some(first) = body.iter().position(|r| width(r) * 2 > widest) else { continue };
            let (Some(head), Some(rest)) = (body.get(first), body.get(first + 1..)) else { continue };
            if !rest.is_empty() {
                staged.push(stage(&format!("{} {sheet}", context.descriptor.id), &grid, head, rest)?);
            }
        }
        notes.push(format!("{} sheets are kept in schema staging", staged.len()));
        Ok(Imported {
            place: input.place(),
            edition: format!("{year} flows ({vintage})"),
            vintage,
            rows,
            files: Vec::new(),
            staged,
            notes,
        })
    }
}

/// Recipients as members of income groups, and their codes and names.
fn recipients(
    grid: &Grid,
    header: &Header,
    context: &Context<'_>,
    settings: &Settings,
    (vintage, valid_from): (NaiveDate, NaiveDate),
    notes: &mut Vec<String>,
) -> Result<Vec<Rows>> {
    let wanted = &settings.recipients;
    let mut groups = Rows::new(&COUNTRY_GROUP, GROUPS);
    let mut aliases = Rows::new(&COUNTRY_ALIAS, format!("{}/{}", context.descriptor.id, wanted.provider));
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let (source, day) = (Value::Text(&context.descriptor.id), Value::Date(vintage));
    let (mut regional, mut counts) = (0, BTreeMap::<&str, usize>::new());
    for row in grid.rows.iter().skip(header.at + 1) {
        let text = |at: usize| squeeze(&row.cell(at).text());
        let (code, iso3, group) = (text(header.code), text(header.iso3), text(header.group));
        if code.is_empty() {
            continue;
        }
        // `Far East Asia, regional` is no economy and has no ISO code.
        if iso3.is_empty() {
            regional += 1;
            continue;
        }
        let place = grid.at(row, &wanted.iso3);
        let name = header.names.first().map(|i| text(*i)).unwrap_or_default();
        let found = context.concordance.resolve_code(Provider::Oecd, &iso3, &name, place.clone())?;
        let Match::Economy(iso3) = found else {
            return Err(Error::data(place, format!("`{}` is a group, not an economy", Printable(&iso3))));
        };
        let Some([group_code, group_name]) = wanted.groups.get(&group) else {
            let words: Vec<&str> = wanted.groups.keys().map(String::as_str).collect();
            let what =
                format!("unknown income group `{}`; expected one of `{}`", Printable(&group), words.join("`, `"));
            return Err(Error::data(grid.at(row, &wanted.group), what));
        };
        if !group_code.is_empty() {
            *counts.entry(group_code).or_default() += 1;
            let values = [
                Value::Text(&wanted.kind),
                Value::Text(group_code),
                Value::Text(group_name),
                Value::Text(iso3.as_ref()),
                Value::Date(valid_from),
                Value::Null,
                source,
                day,
            ];
            groups.push(row.number, &wanted.group, &values)?;
        }
        for alias in std::iter::once(code).chain(header.names.iter().map(|i| text(*i))).filter(|a| !a.is_empty()) {
            if known.insert(alias.clone(), iso3.to_string()).is_none() {
                let values =
                    [Value::Text(&wanted.provider), Value::Text(&alias), Value::Text(iso3.as_ref()), source, day];
                aliases.push(row.number, &wanted.code, &values)?;
            }
        }
    }
    if groups.is_empty() {
        return Err(Error::data(grid.place(), "has no recipient; the file seems cut off"));
    }
    let counts: Vec<String> = counts.iter().map(|(code, n)| format!("{code} {n}")).collect();
    notes.push(format!(
        "{} recipients, valid from {valid_from}: {}; {regional} regional rows are no economies",
        groups.len(),
        counts.join(", ")
    ));
    Ok(vec![groups, aliases])
}
