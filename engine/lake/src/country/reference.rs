//! The reference tables that every lake has, as files of a version.

use chrono::NaiveDate;

use super::{Concordance, Iso3};
use crate::error::{Error, Place, Result};
use crate::import::{Rows, Value};
use crate::lake::{Manifest, NewFile, checksum};
use crate::tables::{COUNTRY, COUNTRY_ALIAS, COUNTRY_GROUP};

/// `source_id` of the reference tables.
pub const REFERENCE_SOURCE: &str = "envoi.country";

/// The tables hold their own periods of validity, so they must be there for every
/// `as_of`: their edition is older than any publisher's. A publisher's edition of
/// the same series, such as the World Bank's groups, takes their place.
fn edition() -> Result<NaiveDate> {
    NaiveDate::from_ymd_opt(1900, 1, 1).ok_or_else(|| Error::Internal("1900 is not a year".to_owned()))
}

/// `country`, `country_alias` and `country_group`, where the lake does not have these very files.
pub fn reference_files(current: Option<&Manifest>) -> Result<Vec<NewFile>> {
    let concordance = Concordance::embedded()?;
    let vintage = edition()?;
    let mut all = vec![countries(concordance, vintage)?, aliases(concordance, vintage)?];
    all.extend(groups(concordance, vintage)?);
    let place = Place::file("datasets/country");
    let mut files = Vec::new();
    for rows in all {
        let (table, series) = (rows.table, rows.series.clone());
        let file = NewFile::of(table, &series, REFERENCE_SOURCE, vintage, &rows.finish(&place)?)?;
        let sha256 = checksum(&file.bytes);
        if !current.is_some_and(|m| m.files.iter().any(|f| f.sha256 == sha256)) {
            files.push(file);
        }
    }
    Ok(files)
}

fn countries(concordance: &Concordance, vintage: NaiveDate) -> Result<Rows> {
    let mut rows = Rows::new(&COUNTRY, "envoi.country");
    for (line, c) in (2..).zip(concordance.countries()?) {
        let [en, fr, es, ar, zh, ru] = c.names.each_ref().map(String::as_str);
        let [fr, es, ar, zh, ru] =
            [fr, es, ar, zh, ru].map(|name| Value::MaybeText(Some(name).filter(|n| !n.is_empty())));
        let values = [
            Value::Text(c.iso3.as_str()),
            Value::MaybeText(c.iso2.as_deref()),
            Value::MaybeText(c.m49.as_deref()),
            Value::Text(en),
            fr,
            es,
            ar,
            zh,
            ru,
            Value::MaybeText(c.un_region.as_deref()),
            Value::MaybeText(c.un_subregion.as_deref()),
            Value::MaybeText(c.wb_region.as_deref()),
            Value::MaybeText(c.currency.as_deref()),
            Value::MaybeDate(c.valid_from),
            Value::MaybeDate(c.valid_to),
            Value::Text(REFERENCE_SOURCE),
            Value::Date(vintage),
        ];
        rows.push(line, "iso3", &values)?;
    }
    Ok(rows)
}

fn aliases(concordance: &Concordance, vintage: NaiveDate) -> Result<Rows> {
    let mut rows = Rows::new(&COUNTRY_ALIAS, "envoi.country_alias");
    for (line, alias) in (2..).zip(concordance.aliases()?) {
        let iso3: Iso3 = alias.iso3;
        let values = [
            Value::Text(&alias.provider),
            Value::Text(&alias.alias),
            Value::Text(iso3.as_str()),
            Value::Text(REFERENCE_SOURCE),
            Value::Date(vintage),
        ];
        rows.push(line, "alias", &values)?;
    }
    Ok(rows)
}

/// The World Bank's groups are a series of their own, which its metadata files replace.
fn groups(concordance: &Concordance, vintage: NaiveDate) -> Result<[Rows; 2]> {
    let mut world_bank = Rows::new(&COUNTRY_GROUP, "worldbank.country_group");
    let mut others = Rows::new(&COUNTRY_GROUP, "envoi.country_group");
    for (line, group) in (2..).zip(concordance.groups()?) {
        let rows = if matches!(group.group_kind.as_str(), "region" | "income") { &mut world_bank } else { &mut others };
        let values = [
            Value::Text(&group.group_kind),
            Value::Text(&group.group_code),
            Value::Text(&group.group_name),
            Value::Text(group.iso3.as_str()),
            Value::MaybeDate(group.valid_from),
            Value::MaybeDate(group.valid_to),
            Value::Text(REFERENCE_SOURCE),
            Value::Date(vintage),
        ];
        rows.push(line, "iso3", &values)?;
    }
    Ok([world_bank, others])
}
