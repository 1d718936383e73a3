//! Household surveys of any country: what is where is up to a mapping, so another survey
//! needs a TOML file and no code.
//!
//! ```text
//! dwellings (weight, stratum, psu, persons)  ─┐
//! income lines (household, code, amount)     ─┴─ mapping ─> household (one row per household)
//! ```
//! Files are Stata, CSV or workbooks, told apart by the columns that the mapping names. The
//! file that has the households makes the rows; the others are read with it.

mod households;
mod settings;
mod table;

use std::collections::BTreeMap;

use self::households::Households;
use self::settings::Settings;
use self::table::{Found, Table};
use crate::error::{Error, Printable, Result};
use crate::import::cells::like;
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::read::{Kind, Limits};
use crate::tables::HOUSEHOLD;

/// What descriptors name as their `importer`.
pub(super) const ID: &str = "household_survey";

pub(super) struct HouseholdSurvey;

impl Importer for HouseholdSurvey {
    fn id(&self) -> &'static str {
        ID
    }

    fn check(&self, descriptor: &Descriptor) -> Result<(), String> {
        Settings::of(descriptor).map(|_| ())
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings = settings(descriptor)?;
        let limits = Limits::default();
        for name in settings.files.keys() {
            if whole(input, &settings, name, &limits)?.is_some() {
                return Ok(Recognition::Yes);
            }
        }
        // A file that the user names together with a mapping is meant to be of it. In a
        // folder, and for a shipped mapping, files that are much alike are others' business.
        if input.named
            && descriptor.mapping.is_some()
            && let Some(why) = nearest(std::slice::from_ref(input), &settings, settings.files.keys(), &limits)?
        {
            return Ok(Recognition::Almost(why + &of_mapping(descriptor, &settings)));
        }
        Ok(Recognition::No)
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings = settings(context.descriptor)?;
        survey(input, context, &settings).map_err(|error| named(error, context.descriptor, &settings))
    }
}

fn settings(descriptor: &Descriptor) -> Result<Settings> {
    Settings::of(descriptor).map_err(|e| Error::Internal(format!("settings of `{}`: {e}", descriptor.id)))
}

/// The error with the survey and the mapping that it is about.
fn named(error: Error, descriptor: &Descriptor, settings: &Settings) -> Error {
    match error {
        Error::Data { place, what } => Error::data(place, what + &of_mapping(descriptor, settings)),
        other => other,
    }
}

fn of_mapping(descriptor: &Descriptor, settings: &Settings) -> String {
    let mapping = descriptor.mapping.as_deref().unwrap_or(&descriptor.id);
    format!(" (survey `{}`, mapping `{}`)", settings.survey_id, Printable(mapping))
}

/// Where the columns of that file of the mapping are, if the input has all of them.
fn whole(input: &Input, settings: &Settings, name: &str, limits: &Limits) -> Result<Option<Found>> {
    let Some(file) = settings.files.get(name) else { return Ok(None) };
    if file.name.as_ref().is_some_and(|pattern| !like(pattern, input.base_name())) {
        return Ok(None);
    }
    let wanted = settings.reads(name);
    Ok(table::find(input, &wanted, limits)?.filter(|found| found.lacks(&wanted).is_empty()))
}

/// Of the inputs the one that comes nearest to one of the files, and what it lacks.
fn nearest<'a>(
    inputs: &[Input],
    settings: &Settings,
    files: impl Iterator<Item = &'a String>,
    limits: &Limits,
) -> Result<Option<String>> {
    let mut best: Option<(usize, String)> = None;
    for name in files {
        let wanted = settings.reads(name);
        for input in inputs {
            let Some(found) = table::find(input, &wanted, limits)? else { continue };
            let lacks = found.lacks(&wanted);
            if best.as_ref().is_none_or(|(fewest, _)| lacks.len() < *fewest) {
                let missing =
                    if lacks.is_empty() { "a name that fits".to_owned() } else { format!("`{}`", lacks.join("`, `")) };
                let told = format!("for file `{name}` of the mapping, `{}` lacks {missing}", Printable(&input.name));
                best = Some((lacks.len(), told));
            }
        }
    }
    Ok(best.map(|(_, told)| told))
}

/// Which input is which file of the mapping. Files with more columns choose first, so that
/// one which has another's columns and more is not taken for it.
fn assign<'a>(settings: &Settings, context: &Context<'a>) -> Result<BTreeMap<String, (&'a Input, Found)>> {
    let mut names: Vec<&String> = settings.files.keys().collect();
    names.sort_by_key(|name| std::cmp::Reverse(settings.reads(name).len()));
    let mut chosen: BTreeMap<String, (&Input, Found)> = BTreeMap::new();
    for name in names {
        for input in context.inputs {
            if chosen.values().any(|(taken, _)| taken.sha256 == input.sha256) {
                continue;
            }
            let Some(found) = whole(input, settings, name, context.limits)? else { continue };
            if let Some((first, _)) = chosen.get(name) {
                let what = format!(
                    "has the columns of file `{name}` of the mapping, and so has `{}`; import one of the two, or add `name` to the mapping's file",
                    Printable(&first.name)
                );
                return Err(Error::data(input.place(), what));
            }
            chosen.insert(name.clone(), (input, found));
        }
    }
    if let Some(name) = settings.files.keys().find(|name| !chosen.contains_key(*name)) {
        let near = nearest(context.inputs, settings, std::iter::once(name), context.limits)?;
        let what = format!(
            "file `{name}` of the mapping is not among what is imported: no file has its columns `{}`{}",
            settings.reads(name).join("`, `"),
            near.map(|near| format!("; {near}")).unwrap_or_default()
        );
        let place = chosen.values().next().map(|(input, _)| input.place()).unwrap_or_default();
        return Err(Error::data(place, what));
    }
    Ok(chosen)
}

fn survey(input: &Input, context: &Context<'_>, settings: &Settings) -> Result<Imported> {
    let vintage = match context.vintage {
        Some(vintage) => vintage,
        None => settings.vintage().map_err(Error::Internal)?,
    };
    let mut imported = Imported {
        place: input.place(),
        edition: format!("{} ({vintage})", settings.survey_id),
        vintage,
        rows: Vec::new(),
        files: Vec::new(),
        staged: Vec::new(),
        notes: Vec::new(),
    };
    let files = assign(settings, context)?;
    let is = |name: &str| files.get(name).is_some_and(|(file, _)| file.sha256 == input.sha256);
    if !is(&settings.households) {
        let base = files.get(&settings.households).map(|(file, _)| file.name.as_str()).unwrap_or_default();
        imported.notes.push(format!("read together with `{}`, which has the households", Printable(base)));
        return Ok(imported);
    }
    let mut tables = BTreeMap::new();
    for (name, (input, found)) in &files {
        let file = settings.file(name).map_err(Error::Internal)?;
        let table = Table::read(input, file, &settings.reads(name), found, context.limits)?;
        if input.kind != Kind::Stata && file.decimal == '.' {
            // Digits without a decimal sign are right either way.
            imported.notes.push(format!("`{}`: decimal sign is a point", Printable(&input.name)));
        }
        if table.left_out > 0 {
            imported.notes.push(format!("{} rows of `{name}` are left out by its `where`", table.left_out));
        }
        tables.insert(name.clone(), table);
    }
    let (rows, notes) = rows(context.descriptor, settings, &tables, vintage)?;
    for (name, table) in &tables {
        totals(settings, name, table)?;
    }
    imported.rows.push(rows);
    imported.notes.extend(notes);
    Ok(imported)
}

/// Compares the file with the sums that the mapping gives of its edition: another round of
/// a survey has the same columns, and would pass for this one.
fn totals(settings: &Settings, name: &str, table: &Table<'_>) -> Result<()> {
    const NEAR: f64 = 1e-6;
    for (column, expected) in settings.file(name).map_err(Error::Internal)?.totals.iter() {
        let mut sum = 0.0;
        for row in 0..table.len() {
            sum += table.number(column, row)?.unwrap_or(0.0);
        }
        if (sum - expected).abs() > NEAR * expected.abs().max(1.0) {
            let what = format!(
                "the sum of `{column}` is {sum}, of this edition it is {expected}; for another round or edition of the survey copy the mapping, change its year, vintage and totals, and name it with --mapping"
            );
            return Err(Error::data(table.place.clone(), what));
        }
    }
    Ok(())
}

fn rows(
    descriptor: &Descriptor,
    settings: &Settings,
    tables: &BTreeMap<String, Table<'_>>,
    vintage: chrono::NaiveDate,
) -> Result<(Rows, Vec<String>)> {
    let mut households = Households::of(settings, tables)?;
    let columns = &settings.columns;
    let weight = households.numbers("weight", &columns.weight.from())?;
    let none = || vec![None; households.len()];
    let texts = |name: &str, source: &Option<settings::Source>| match source {
        Some(source) => households.texts(name, &source.from()),
        None => Ok(none()),
    };
    let (stratum, psu, region) =
        (texts("stratum", &columns.stratum)?, texts("psu", &columns.psu)?, texts("region", &columns.region)?);
    let urban = columns.urban.as_ref().map(|s| households.flags("urban", &s.from())).transpose()?;
    let members = |name: &str, source: &Option<settings::Source>| {
        source.as_ref().map(|s| households.numbers(name, &s.from())).transpose()
    };
    let persons = members("size_persons", &columns.size_persons)?;
    let adults = members("adults", &columns.adults)?;
    let children = members("children", &columns.children)?;
    let mut amounts = Vec::new();
    for (name, all) in settings.amounts.all() {
        amounts.push(households.amounts(name, &all)?);
    }
    let mut rows = Rows::new(&HOUSEHOLD, settings.survey_id.clone());
    let mut told = Told::default();
    let number = |of: &[Option<f64>], i: usize| of.get(i).copied().flatten();
    let text = |of: &'_ [Option<String>], i: usize| -> Option<String> { of.get(i).cloned().flatten() };
    for i in 0..households.len() {
        let of = |k: usize| amounts.get(k).and_then(|all| number(all, i));
        told.count(number(&weight, i).unwrap_or(0.0), of(4), of(0));
        told.lacks.see(
            persons.as_ref().is_some_and(|p| number(p, i).is_some()),
            [&stratum, &psu].map(|d| text(d, i).is_some()),
        );
        if let Some(negative) = of(4).filter(|r| *r < 0.0) {
            let what = format!("remittance {negative} of household {} is below 0", Printable(&households.id(i)));
            return Err(Error::data(households.at(i), what));
        }
        let (stratum, psu, region) = (text(&stratum, i), text(&psu, i), text(&region, i));
        let values = [
            Value::Text(&settings.survey_id),
            Value::Text(&settings.iso3),
            Value::Integer(settings.year),
            Value::Text(&households.id(i)),
            Value::MaybeText(stratum.as_deref()),
            Value::MaybeText(psu.as_deref()),
            Value::Number(number(&weight, i).unwrap_or(0.0)),
            Value::MaybeNumber(persons.as_ref().and_then(|p| number(p, i))),
            Value::MaybeNumber(adults.as_ref().and_then(|p| number(p, i))),
            Value::MaybeNumber(children.as_ref().and_then(|p| number(p, i))),
            Value::MaybeFlag(urban.as_ref().and_then(|u| u.get(i).copied().flatten())),
            Value::MaybeText(region.as_deref()),
            Value::MaybeNumber(of(0)),
            Value::MaybeNumber(of(1)),
            Value::MaybeNumber(of(2)),
            Value::MaybeNumber(of(3)),
            Value::MaybeNumber(of(4)),
            Value::MaybeNumber(of(5)),
            Value::MaybeNumber(of(6)),
            Value::Text(&settings.currency),
            Value::Number(settings.months),
            Value::Text(&descriptor.id),
            Value::Date(vintage),
        ];
        rows.push(households.row(i), "household", &values)?;
    }
    let mut notes = told.notes(settings);
    for (name, from) in columns.all().filter(|(_, from)| from.shared_by.is_some()) {
        let by = from.shared_by.unwrap_or_default();
        notes.push(format!("{name}: that of the dwelling, shared evenly among its households (`{by}`)"));
    }
    notes.append(&mut households.notes);
    Ok((rows, notes))
}

/// What the households are together, for the report.
#[derive(Default)]
struct Told {
    households: u64,
    receiving: u64,
    weight: f64,
    weight_receiving: f64,
    remittances: f64,
    unknown: u64,
    above_income: u64,
    weightless: u64,
    income_unknown: u64,
    income_negative: u64,
    lacks: Lacks,
}

/// Households without what estimates and their errors ask for.
#[derive(Default)]
struct Lacks {
    persons: u64,
    stratum: u64,
    psu: u64,
}

impl Lacks {
    fn see(&mut self, persons: bool, [stratum, psu]: [bool; 2]) {
        self.persons += u64::from(!persons);
        self.stratum += u64::from(!stratum);
        self.psu += u64::from(!psu);
    }

    /// What follows of it, of so many households.
    fn notes(&self, households: u64) -> Vec<String> {
        let mut notes = Vec::new();
        let mut say = |count: u64, what: &str, all: &str, some: &str| match count {
            0 => {}
            _ if count == households => notes.push(format!("no household has {what}: {all}")),
            _ => notes.push(format!("{count} households have no {what}: {some}")),
        };
        let left_out = "estimates of families leave them out";
        say(
            self.psu,
            "sampling unit",
            "there are no sampling errors unless envoi.sampling = 'simple_random' asks for them",
            left_out,
        );
        say(self.stratum, "stratum", "sampling errors take all units as of one", left_out);
        say(self.persons, "number of members", "there is no income per person", left_out);
        notes
    }
}

impl Told {
    fn count(&mut self, weight: f64, remittance: Option<f64>, income: Option<f64>) {
        self.households += 1;
        self.weight += weight;
        self.weightless += u64::from(weight == 0.0);
        self.income_unknown += u64::from(income.is_none());
        self.income_negative += u64::from(income.is_some_and(|income| income < 0.0));
        let Some(remittance) = remittance else {
            self.unknown += 1;
            return;
        };
        if remittance > 0.0 {
            self.receiving += 1;
            self.weight_receiving += weight;
            self.remittances += weight * remittance;
        }
        self.above_income += u64::from(income.is_some_and(|income| remittance > income * (1.0 + 1e-9)));
    }

    fn notes(&self, settings: &Settings) -> Vec<String> {
        let share = if self.weight > 0.0 { 100.0 * self.weight_receiving / self.weight } else { 0.0 };
        let mut notes = vec![
            format!(
                "{} households, {} of them receive remittances; weighted, {share:.4} % of {:.0}",
                self.households, self.receiving, self.weight
            ),
            format!(
                "weighted remittances are {:.2} {} in {} months",
                self.remittances, settings.currency, settings.months
            ),
        ];
        if self.unknown > 0 {
            notes.push(format!("of {} households the remittances are not known (NULL)", self.unknown));
        }
        if self.above_income > 0 {
            notes.push(format!("{} households have more remittances than total income", self.above_income));
        }
        if self.income_unknown > 0 {
            notes.push(format!("of {} households the total income is not known (NULL)", self.income_unknown));
        }
        if self.income_negative > 0 {
            notes.push(format!("{} households have a negative total income, which is kept", self.income_negative));
        }
        if self.weightless > 0 {
            notes.push(format!("{} households have a weight of 0: they stand for nobody", self.weightless));
        }
        notes.extend(self.lacks.notes(self.households));
        notes
    }
}
