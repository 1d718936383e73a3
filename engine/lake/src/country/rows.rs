//! The country tables as rows, for the lake tables `country`, `country_alias` and `country_group`.
//! They are read on request: looking up a name never needs them.

use chrono::NaiveDate;

use super::Iso3;
use crate::error::{Error, Result};

const COUNTRY: &str = include_str!("../../../../datasets/country/country.csv");
const GROUP: &str = include_str!("../../../../datasets/country/group.csv");
const SUCCESSOR: &str = include_str!("../../../../datasets/country/successor.csv");
const AGGREGATE: &str = include_str!("../../../../datasets/country/aggregate.csv");
const ALIASES: [&str; 6] = [
    include_str!("../../../../datasets/country/alias_iso.csv"),
    include_str!("../../../../datasets/country/alias_general.csv"),
    include_str!("../../../../datasets/country/alias_worldbank.csv"),
    include_str!("../../../../datasets/country/alias_knomad.csv"),
    include_str!("../../../../datasets/country/alias_undesa.csv"),
    include_str!("../../../../datasets/country/alias_oecd.csv"),
];

/// One economy in one period of validity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country {
    /// Key.
    pub iso3: Iso3,
    /// Two letters; Namibia's is `NA`. `None` where there is no code.
    pub iso2: Option<String>,
    /// UN M49, three digits with leading zeros.
    pub m49: Option<String>,
    /// Names in English, French, Spanish, Arabic, Chinese, Russian.
    pub names: [String; 6],
    /// UN region.
    pub un_region: Option<String>,
    /// UN sub-region.
    pub un_subregion: Option<String>,
    /// World Bank region code of today, such as `SSF`.
    pub wb_region: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// First day, `None` for an open start.
    pub valid_from: Option<NaiveDate>,
    /// Last day, `None` for an economy of today.
    pub valid_to: Option<NaiveDate>,
}

/// One spelling or code of an economy, as a provider writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// `iso`, `general`, `worldbank`, `knomad`, `undesa` or `oecd`.
    pub provider: String,
    /// The spelling.
    pub alias: String,
    /// The economy.
    pub iso3: Iso3,
}

/// Membership of an economy in a group, for a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `region`, `income`, `ldc`, `lldc`, `sids` or `dac_recipient`.
    pub group_kind: String,
    /// Code, such as `LMC`.
    pub group_code: String,
    /// Name in English.
    pub group_name: String,
    /// The member.
    pub iso3: Iso3,
    /// First day, `None` where it is not known.
    pub valid_from: Option<NaiveDate>,
    /// Last day, `None` for a member of today.
    pub valid_to: Option<NaiveDate>,
}

/// A spelling of something that is not an economy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// Who uses it.
    pub provider: String,
    /// The publisher's code, or the name where there is none.
    pub code: String,
    /// One spelling of its name; the first of a code is the one to show.
    pub name: String,
}

/// An economy that passed its territory, or part of it, to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Successor {
    /// The economy before.
    pub old: Iso3,
    /// The economy after.
    pub new: Iso3,
    /// First day of the new one.
    pub date: NaiveDate,
    /// `split` (the old one ended), `apart` (part of it left) or `merge` (it joined the new one).
    pub rule: String,
}

pub(super) fn countries() -> Result<Vec<Country>> {
    read(COUNTRY, |r| {
        let mut names: [String; 6] = Default::default();
        for (name, column) in names.iter_mut().zip(3..) {
            *name = text(r, column)?;
        }
        Ok(Country {
            iso3: iso3(r, 0)?,
            iso2: optional(r, 1),
            m49: optional(r, 2),
            names,
            un_region: optional(r, 9),
            un_subregion: optional(r, 10),
            wb_region: optional(r, 11),
            currency: optional(r, 12),
            valid_from: day(r, 13)?,
            valid_to: day(r, 14)?,
        })
    })
}

pub(super) fn aliases() -> Result<Vec<Alias>> {
    let mut out = Vec::with_capacity(4096);
    for file in ALIASES {
        out.append(&mut read(file, |r| Ok(Alias { provider: text(r, 0)?, alias: text(r, 1)?, iso3: iso3(r, 2)? }))?);
    }
    Ok(out)
}

pub(super) fn groups() -> Result<Vec<Group>> {
    read(GROUP, |r| {
        Ok(Group {
            group_kind: text(r, 0)?,
            group_code: text(r, 1)?,
            group_name: text(r, 2)?,
            iso3: iso3(r, 3)?,
            valid_from: day(r, 4)?,
            valid_to: day(r, 5)?,
        })
    })
}

pub(super) fn aggregates() -> Result<Vec<Aggregate>> {
    read(AGGREGATE, |r| Ok(Aggregate { provider: text(r, 0)?, code: text(r, 1)?, name: text(r, 2)? }))
}

pub(super) fn successors() -> Result<Vec<Successor>> {
    read(SUCCESSOR, |r| {
        let date = day(r, 2)?.ok_or_else(|| broken(r))?;
        Ok(Successor { old: iso3(r, 0)?, new: iso3(r, 1)?, date, rule: text(r, 3)? })
    })
}

/// Every record of an embedded table. A fault in one is ours, so it is an internal error.
fn read<T>(table: &str, mut row: impl FnMut(&csv::StringRecord) -> Result<T>) -> Result<Vec<T>> {
    let mut reader = csv::ReaderBuilder::new().from_reader(table.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut out = Vec::new();
    while reader.read_record(&mut record).map_err(|e| Error::Internal(format!("country table: {e}")))? {
        out.push(row(&record)?);
    }
    Ok(out)
}

fn broken(r: &csv::StringRecord) -> Error {
    Error::Internal(format!("country table holds the broken record {r:?}"))
}

fn text(r: &csv::StringRecord, column: usize) -> Result<String> {
    r.get(column).filter(|t| !t.is_empty()).map(str::to_owned).ok_or_else(|| broken(r))
}

fn optional(r: &csv::StringRecord, column: usize) -> Option<String> {
    r.get(column).filter(|t| !t.is_empty()).map(str::to_owned)
}

fn iso3(r: &csv::StringRecord, column: usize) -> Result<Iso3> {
    r.get(column).and_then(Iso3::new).ok_or_else(|| broken(r))
}

fn day(r: &csv::StringRecord, column: usize) -> Result<Option<NaiveDate>> {
    match r.get(column) {
        None | Some("") => Ok(None),
        Some(t) => t.parse().map(Some).map_err(|_| broken(r)),
    }
}
