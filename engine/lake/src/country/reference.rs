//! The reference tables that every lake has, as files of a version.

use chrono::{NaiveDate, SecondsFormat, Utc};

use super::{Concordance, Iso3};
use crate::error::{Error, Place, Result};
use crate::import::{Rows, Value, descriptor};
use crate::lake::{Change, Manifest, NewFile, REFERENCE_SOURCE, SourceEdition, checksum};
use crate::tables::{COUNTRY, COUNTRY_ALIAS, COUNTRY_GROUP};

/// The day to which the tables in `datasets/country` were brought up.
fn edition() -> Result<NaiveDate> {
    NaiveDate::from_ymd_opt(2025, 10, 7).ok_or_else(|| Error::Internal("not a date".to_owned()))
}

/// Adds `country`, `country_alias` and `country_group` to a change, where the lake does not have these very files.
pub fn add_reference(change: &mut Change, current: Option<&Manifest>) -> Result<()> {
    let concordance = Concordance::embedded()?;
    let found = descriptor(REFERENCE_SOURCE)?;
    let vintage = edition()?;
    let mut all = vec![countries(concordance, vintage)?, aliases(concordance, vintage)?];
    all.extend(groups(concordance, vintage)?);
    let place = Place::file("datasets/country");
    let (mut files, mut sums) = (Vec::new(), String::new());
    for rows in all {
        let (table, series) = (rows.table, rows.series.clone());
        let file = NewFile::of(table, &series, REFERENCE_SOURCE, vintage, &rows.finish(&place)?)?;
        sums += &checksum(&file.content.read()?);
        files.push(file);
    }
    let sha256 = checksum(sums.as_bytes());
    if current.is_some_and(|m| m.has_source(&sha256)) {
        return Ok(());
    }
    for file in &mut files {
        file.from.push(sha256.clone());
    }
    change.sources.push(SourceEdition {
        source_id: found.id.clone(),
        provider: found.provider.clone(),
        dataset: found.dataset.clone(),
        edition: format!("{vintage}"),
        vintage,
        licence: found.licence.clone(),
        citation: found.citation.replace("{vintage}", &vintage.to_string()),
        url: found.url.clone(),
        file: "datasets/country".to_owned(),
        sha256,
        bytes: files.iter().map(|f| f.content.len()).sum(),
        rows: files.iter().map(|f| f.rows).sum(),
        imported_at: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        caveats: Some(found.caveats.join("; ")),
    });
    change.files.extend(files);
    Ok(())
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

/// The World Bank's groups and the OECD's are series of their own, which their publishers' files replace.
fn groups(concordance: &Concordance, vintage: NaiveDate) -> Result<[Rows; 3]> {
    let mut world_bank = Rows::new(&COUNTRY_GROUP, "worldbank.country_group");
    let mut oecd = Rows::new(&COUNTRY_GROUP, "oecd.country_group");
    let mut others = Rows::new(&COUNTRY_GROUP, "envoi.country_group");
    for (line, group) in (2..).zip(concordance.groups()?) {
        let rows = match group.group_kind.as_str() {
            "region" | "income" => &mut world_bank,
            "dac_recipient" => &mut oecd,
            _ => &mut others,
        };
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
    Ok([world_bank, oecd, others])
}
