//! World Bank country classifications: the list of a fiscal year (CLASS), and the history
//! of income groups (OGHIST, in `worldbank_income_history`).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::said::{day_after, month_of, year_after};
use super::worldbank_income_history as history;
use super::worldbank_wdi::Settings as Labels;
use super::worldbank_wdi_metadata::GROUPS;
use crate::country::{Match, Provider};
use crate::error::{Error, Printable, Result};
use crate::import::cells::{like, squeeze};
use crate::import::descriptor::{Descriptor, descriptor};
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::COUNTRY_GROUP;

pub(super) struct WorldBankClassification;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) missing: Vec<String>,
    list: List,
    pub(super) history: history::History,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    sheets: Vec<String>,
    economy: String,
    code: String,
    region: String,
    income: String,
    groups_sheet: String,
    filler: Vec<String>,
}

impl Importer for WorldBankClassification {
    fn id(&self) -> &'static str {
        "worldbank.classification"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        let mut almost = None;
        for sheet in input.sheets() {
            let grid = input.sheet(&sheet)?;
            let list = header(&grid, &settings.list).is_some();
            let history = history::header(&grid, &settings.history).is_some();
            let wanted = if list { &settings.list.sheets } else { &settings.history.sheets };
            if (list || history) && wanted.iter().any(|pattern| like(pattern, &sheet)) {
                return Ok(Recognition::Yes);
            }
            if list || history && history::lists_economies(&grid) {
                almost = Some(format!("its data are in sheet `{sheet}`; expected the name `{}`", wanted.join("`, `")));
            }
        }
        Ok(almost.map_or(Recognition::No, Recognition::Almost))
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        for sheet in input.sheets() {
            let grid = input.sheet(&sheet)?;
            let named = |patterns: &[String]| patterns.iter().any(|pattern| like(pattern, &sheet));
            if named(&settings.history.sheets) && history::header(&grid, &settings.history).is_some() {
                return history::import(&grid, context, &settings);
            }
            if named(&settings.list.sheets) && header(&grid, &settings.list).is_some() {
                return import(input, &grid, context, &settings);
            }
        }
        Err(Error::data(input.place(), "has no sheet with a list of economies or a history of income groups"))
    }
}

/// Row and columns of the list: code, region, income group.
fn header(grid: &Grid, list: &List) -> Option<(usize, [usize; 3])> {
    const PREAMBLE: usize = 10;
    grid.rows.iter().enumerate().take(PREAMBLE).find_map(|(index, row)| {
        let find = |name: &str| row.cells.iter().position(|c| squeeze(&c.text()).eq_ignore_ascii_case(name));
        find(&list.economy)?;
        Some((index, [find(&list.code)?, find(&list.region)?, find(&list.income)?]))
    })
}

/// The first day of the classification, and how it is known.
fn in_force(input: &Input, vintage: Option<NaiveDate>) -> Result<Option<(NaiveDate, Vec<String>)>> {
    let first_july = |year: i32| NaiveDate::from_ymd_opt(year, 7, 1);
    if let Some(day) = vintage {
        let year = if day.month() >= 7 { day.year() } else { day.year() - 1 };
        return Ok(first_july(year).map(|first| (first, Vec::new())));
    }
    let mut texts = Vec::new();
    for sheet in input.sheets() {
        let grid = input.sheet(&sheet)?;
        texts
            .extend(grid.rows.iter().flat_map(|r| r.cells.iter()).map(|c| squeeze(&c.text())).filter(|t| t.len() > 20));
    }
    let any = |read: &dyn Fn(&str) -> Option<NaiveDate>| texts.iter().find_map(|t| read(t));
    let income_year = texts
        .iter()
        .find_map(|t| year_after(t, "income groups according to"))
        .or_else(|| texts.iter().find_map(|t| year_after(t, "according to")));
    let set = any(&|t| day_after(t, "classifications set on").or_else(|| day_after(t, "set on")));
    let ends = || any(&|t| day_after(t, "in effect until")).and_then(|day| first_july(day.year() - 1));
    let titled = || {
        any(&|t| if t.to_lowercase().contains("list of economies") { month_of(t) } else { None })
            .and_then(|d| first_july(d.year()))
    };
    let by_income = || income_year.and_then(|year| first_july(year + 1));
    let found = set.or_else(ends).or_else(titled).or_else(by_income);
    Ok(found.map(|day| {
        let mut notes = vec![format!("the workbook says that this classification is of {day}")];
        if let Some(year) = income_year.filter(|year| year + 1 != day.year()) {
            notes.push(format!(
                "it also says that it rests on the income of {year}, which is not the year before: the date was taken"
            ));
        }
        (day, notes)
    }))
}

fn import(input: &Input, grid: &Grid, context: &Context<'_>, settings: &Settings) -> Result<Imported> {
    let Some((index, [code, region, income])) = header(grid, &settings.list) else {
        return Err(Error::data(grid.place(), "has no header row of a list of economies"));
    };
    let Some((first_day, mut notes)) = in_force(input, context.vintage)? else {
        let what = "says nowhere from which day it is in force; say the edition's date with --vintage YYYY-MM-DD";
        return Err(Error::data(grid.place(), what));
    };
    let vintage = context.vintage.unwrap_or(first_day);
    // Labels and codes of groups are the same in all of the publisher's files.
    let labels: Labels = descriptor("worldbank.wdi")?.settings()?;
    let head = grid.rows.get(index).ok_or_else(|| Error::Internal("header row vanished".to_owned()))?;
    let body: Vec<Row> = grid.rows.iter().skip(index + 1).filter(|r| !r.is_blank()).cloned().collect();
    let mut rows = Rows::new(&COUNTRY_GROUP, GROUPS);
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut economies, mut unclassified) = (0, Vec::new());
    for row in &body {
        let [text, region_label, income_label] = [code, region, income].map(|i| squeeze(&row.cell(i).text()));
        // Aggregates below the economies have no region; a filler row marks the columns.
        if region_label.is_empty() || text.is_empty() || settings.list.filler.contains(&region_label) {
            continue;
        }
        let place = grid.at(row, &settings.list.code);
        let iso3 = match context.concordance.resolve(Provider::WorldBank, &text, place.clone())? {
            Match::Economy(iso3) => iso3,
            Match::Aggregate { name, .. } => {
                return Err(Error::data(place, format!("`{text}` has a region but is the aggregate `{name}`")));
            }
        };
        economies += 1;
        let sides =
            [("region", &region_label, &labels.regions, region), ("income", &income_label, &labels.incomes, income)];
        for (kind, label, codes, column) in sides {
            let column = head.cell(column).text();
            if settings.missing.contains(label) {
                unclassified.push(iso3.as_ref().to_owned());
                continue;
            }
            let Some(group) = codes.get(label) else {
                let what =
                    format!("unknown group `{}`; add it to datasets/sources/worldbank_wdi.toml", Printable(label));
                return Err(Error::data(grid.at(row, &column), what));
            };
            if group.is_empty() {
                unclassified.push(iso3.as_ref().to_owned());
                continue;
            }
            members.entry(group.clone()).or_default().insert(iso3.as_ref().to_owned());
            let values = [
                Value::Text(kind),
                Value::Text(group),
                Value::Text(label),
                Value::Text(iso3.as_ref()),
                Value::Date(first_day),
                Value::Null,
                Value::Text(&context.descriptor.id),
                Value::Date(vintage),
            ];
            rows.push(row.number, &column, &values)?;
        }
    }
    if rows.is_empty() {
        return Err(Error::data(grid.place(), "gives no economy a region; the file seems cut off"));
    }
    notes.push(format!("{economies} economies with region and income group, valid from {first_day}"));
    if !unclassified.is_empty() {
        notes.push(format!("without an income group: {}", unclassified.join(", ")));
    }
    let mut staged = vec![stage(&format!("{} {vintage}", context.descriptor.id), grid, head, &body)?];
    if input.sheets().contains(&settings.list.groups_sheet) {
        let groups = input.sheet(&settings.list.groups_sheet)?;
        notes.push(agreement(&groups, &members, context));
        if let Some((head, body)) = groups.rows.split_first() {
            staged.push(stage(&format!("{} groups {vintage}", context.descriptor.id), &groups, head, body)?);
        }
    }
    let edition = format!("fiscal year {}", first_day.year() + 1);
    Ok(Imported { place: grid.place(), edition, vintage, rows: vec![rows], files: Vec::new(), staged, notes })
}

/// Compares the members by the list with those by the sheet of groups.
fn agreement(groups: &Grid, members: &BTreeMap<String, BTreeSet<String>>, context: &Context<'_>) -> String {
    let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in groups.rows.iter().skip(1) {
        let [group, text] = [0, 2].map(|i| squeeze(&row.cell(i).text()));
        if let Some(Match::Economy(iso3)) = context.concordance.lookup(Provider::WorldBank, &text) {
            listed.entry(group).or_default().insert(iso3.as_ref().to_owned());
        }
    }
    let differing: Vec<&str> = members
        .iter()
        .filter(|(group, found)| listed.get(*group) != Some(*found))
        .map(|(group, _)| group.as_str())
        .collect();
    if differing.is_empty() {
        format!("sheet of groups agrees with the list in all {} regions and income groups", members.len())
    } else {
        format!(
            "the members of `{}` differ between the list and the sheet of groups; the list was taken",
            differing.join("`, `")
        )
    }
}
