//! Invented surveys of the sample, so that what is said of families has something to be said of.

use chrono::{NaiveDate, SecondsFormat, Utc};

use crate::error::Result;
use crate::import::descriptor;
use crate::lake::{Change, NewFile, SourceEdition, checksum};
use crate::synthetic::{SOURCE_ID, survey};
use crate::tables::HOUSEHOLD;

/// Economies with a survey, in which remittances are from a thirtieth to a quarter of GDP.
const ECONOMIES: [&str; 4] = ["MEX", "NPL", "PHL", "SEN"];

/// Households, strata and units of each: ten households a unit.
const HOUSEHOLDS: u64 = 2400;
const STRATA: u64 = 24;
const UNITS: u64 = 240;
const SEED: u64 = 2019;

pub(super) fn surveys(change: &mut Change) -> Result<()> {
    for iso3 in ECONOMIES {
        let (survey, vintage) = survey(iso3, HOUSEHOLDS, SEED, STRATA, UNITS)?;
        let mut file = NewFile::of(&HOUSEHOLD, &survey.id, SOURCE_ID, vintage, &survey.whole()?)?;
        let sha256 = checksum(&file.content.read()?);
        file.from.push(sha256.clone());
        change.sources.push(edition(&survey.id, vintage, sha256, &file)?);
        change.files.push(file);
    }
    Ok(())
}

fn edition(survey: &str, vintage: NaiveDate, sha256: String, file: &NewFile) -> Result<SourceEdition> {
    let found = descriptor(SOURCE_ID)?;
    Ok(SourceEdition {
        source_id: found.id.clone(),
        provider: found.provider.clone(),
        dataset: found.dataset.clone(),
        edition: format!("{survey}, seed {SEED}"),
        vintage,
        licence: found.licence.clone(),
        citation: found.citation.replace("{vintage}", &vintage.to_string()),
        url: found.url.clone(),
        file: "made by the program".to_owned(),
        sha256,
        bytes: file.content.len(),
        rows: file.rows,
        imported_at: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        caveats: Some(found.caveats.join("; ")),
    })
}
