//! The metadata that comes with an indicator: regions and income groups of
//! economies, definitions of indicators.
//!
//! These files name no edition: it is that of the data file they came with,
//! found by the number at the end of both names, or beside it in one archive. The bulk
//! archive has the same under other names: `WDICountry.csv` and `WDISeries.csv`.

use chrono::{Datelike, NaiveDate};

use super::worldbank_wdi::{Settings, is_data, last_updated, series};
use crate::country::{Match, Provider};
use crate::error::{Error, Place, Result};
use crate::import::importer::{Context, Imported, Staged};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::{COUNTRY_GROUP, INDICATOR};

/// Series of the World Bank's regions and income groups.
pub(super) const GROUPS: &str = "worldbank.country_group";

/// Names of a column: of an API download, and of the bulk archive. Blanks, underscores and
/// case do not count.
type Names = &'static [&'static str];

const COUNTRY: Names = &["Country Code"];
const REGION: Names = &["Region"];
const INCOME: Names = &["IncomeGroup"];
const CODE: Names = &["INDICATOR_CODE", "Series Code"];
const NAME: Names = &["INDICATOR_NAME"];
const NOTE: Names = &["SOURCE_NOTE", "Long definition"];

pub(super) fn is_countries(grid: &Grid) -> bool {
    columns(grid, &[COUNTRY, REGION, INCOME]).is_some()
}

pub(super) fn is_indicators(grid: &Grid) -> bool {
    columns(grid, &[CODE, NAME, NOTE]).is_some()
}

/// Positions of the wanted columns in the first row.
fn columns<const N: usize>(grid: &Grid, wanted: &[Names; N]) -> Option<[usize; N]> {
    let letters = |text: &str| text.replace([' ', '_'], "").to_lowercase();
    let header: Vec<String> = grid.rows.first()?.cells.iter().map(|c| letters(c.text().trim())).collect();
    let mut found = [0; N];
    for (slot, names) in found.iter_mut().zip(wanted) {
        *slot = names.iter().find_map(|name| header.iter().position(|c| *c == letters(name)))?;
    }
    Some(found)
}

/// The codes that a grid of country metadata lists, in its order.
pub(super) fn country_codes(grid: &Grid) -> Vec<String> {
    let Some([code]) = columns(grid, &[COUNTRY]) else { return Vec::new() };
    let codes = grid.rows.iter().skip(1).map(|r| r.cell(code).text().trim().to_owned());
    codes.filter(|c| !c.is_empty()).collect()
}

pub(super) fn import_countries(
    input: &Input,
    grid: &Grid,
    context: &Context<'_>,
    settings: &Settings,
) -> Result<Imported> {
    let vintage = vintage(input, context)?;
    let (rows, staged) = countries(grid, vintage, context, settings)?;
    let members: usize = rows.iter().map(Rows::len).sum();
    Ok(Imported {
        place: grid.place(),
        edition: format!("country groups {vintage}"),
        vintage,
        rows,
        files: Vec::new(),
        staged: vec![staged],
        notes: vec![format!("{members} memberships in regions and income groups")],
    })
}

/// Regions and income groups: a row whose `Region` is empty is an aggregate.
pub(super) fn countries(
    grid: &Grid,
    vintage: NaiveDate,
    context: &Context<'_>,
    settings: &Settings,
) -> Result<(Vec<Rows>, Staged)> {
    let Some([code, region, income]) = columns(grid, &[COUNTRY, REGION, INCOME]) else {
        return Err(Error::data(grid.place(), "has no columns `Country Code`, `Region` and `IncomeGroup`"));
    };
    // The classification of a fiscal year is in force from the 1 July before.
    let fiscal_year = if vintage.month() >= 7 { vintage.year() } else { vintage.year() - 1 };
    let valid_from = NaiveDate::from_ymd_opt(fiscal_year, 7, 1);
    let mut rows = Rows::new(&COUNTRY_GROUP, GROUPS);
    let Some((header, body)) = grid.rows.split_first() else {
        return Err(Error::data(grid.place(), "is empty"));
    };
    let body: Vec<Row> = body.iter().filter(|r| !r.is_blank()).cloned().collect();
    for row in &body {
        let label = row.cell(region).text().trim().to_owned();
        if label.is_empty() || label == "Aggregates" {
            continue;
        }
        let text = row.cell(code).text();
        let place = grid.at(row, "Country Code");
        let iso3 = match context.concordance.resolve(Provider::WorldBank, &text, place.clone())? {
            Match::Economy(iso3) => iso3,
            Match::Aggregate { name, .. } => {
                return Err(Error::data(place, format!("`{text}` has a region but is the aggregate `{name}`")));
            }
        };
        let income_label = row.cell(income).text().trim().to_owned();
        let groups = [
            ("region", label, &settings.regions, "Region"),
            ("income", income_label, &settings.incomes, "IncomeGroup"),
        ];
        for (kind, label, codes, column) in groups {
            if label.is_empty() {
                continue;
            }
            let Some(group) = codes.get(&label) else {
                let what = format!("unknown group `{label}`; add it to datasets/sources/worldbank_wdi.toml");
                return Err(Error::data(grid.at(row, column), what));
            };
            if group.is_empty() {
                continue;
            }
            let values = [
                Value::Text(kind),
                Value::Text(group),
                Value::Text(&label),
                Value::Text(iso3.as_ref()),
                Value::MaybeDate(valid_from),
                Value::Null,
                Value::Text(&context.descriptor.id),
                Value::Date(vintage),
            ];
            rows.push(row.number, column, &values)?;
        }
    }
    if rows.is_empty() {
        return Err(Error::data(grid.place(), "gives no economy a region; the file seems cut off"));
    }
    let staged = stage(&format!("{} country metadata", context.descriptor.id), grid, header, &body)?;
    Ok((vec![rows], staged))
}

pub(super) fn import_indicators(input: &Input, grid: &Grid, context: &Context<'_>) -> Result<Imported> {
    let vintage = vintage(input, context)?;
    let Some([code, name]) = columns(grid, &[CODE, NAME]) else {
        return Err(Error::data(grid.place(), "has no columns `INDICATOR_CODE` and `INDICATOR_NAME`"));
    };
    let mut all = Vec::new();
    // With its data file beside it, the definition goes into that file's row.
    if companion(input, context, is_data).is_none() {
        for row in grid.rows.iter().skip(1).filter(|r| !r.is_blank()) {
            let indicator = row.cell(code).text().trim().to_owned();
            let mut rows = Rows::new(&INDICATOR, series(&indicator));
            let definition = definition(grid, &indicator);
            let name = row.cell(name).text();
            let (source, day) = (Value::Text(&context.descriptor.id), Value::Date(vintage));
            let values = [
                Value::Text(&indicator),
                Value::Text(&name),
                Value::Null,
                Value::MaybeText(definition.as_deref()),
                source,
                day,
            ];
            rows.push(row.number, "INDICATOR_CODE", &values)?;
            all.push(rows);
        }
    }
    let notes = vec!["definitions of indicators".to_owned()];
    Ok(Imported {
        place: grid.place(),
        edition: format!("definitions {vintage}"),
        vintage,
        rows: all,
        files: Vec::new(),
        staged: Vec::new(),
        notes,
    })
}

/// The definition of an indicator in a metadata grid.
pub(super) fn definition(grid: &Grid, indicator: &str) -> Option<String> {
    let [code, note] = columns(grid, &[CODE, NOTE])?;
    let row = grid.rows.iter().skip(1).find(|r| r.cell(code).text().trim() == indicator)?;
    Some(row.cell(note).text().trim().to_owned()).filter(|text| !text.is_empty())
}

/// The text that belongs to the same download: same folder or archive, and the same
/// number at the end of the name, or the only one where a name has no number.
pub(super) fn companion<'a>(input: &Input, context: &'a Context<'_>, wanted: fn(&Grid) -> bool) -> Option<&'a Grid> {
    let folder = folder(&input.name);
    let beside = || context.inputs.iter().filter(|other| folder == self::folder(&other.name));
    let fitting = |other: &&Input| other.text().is_some_and(wanted);
    let number = download_number(input.base_name());
    let numbered = number.and_then(|n| beside().filter(fitting).find(|o| download_number(o.base_name()) == Some(n)));
    if let Some(found) = numbered {
        return found.text();
    }
    // Renamed files have lost their number: the only one there is belongs to it.
    let mut candidates = beside().filter(fitting);
    let only = candidates.next()?;
    if candidates.next().is_some() {
        return None;
    }
    let contradicts = number.is_some() && download_number(only.base_name()).is_some();
    if contradicts { None } else { only.text() }
}

fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `38454` of `API_BX.TRF.PWKR.CD.DT_DS2_en_csv_v2_38454.csv`; browsers append ` (1)`.
fn download_number(name: &str) -> Option<&str> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = stem.split(" (").next().unwrap_or(stem);
    let (_, number) = stem.rsplit_once('_')?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}

fn vintage(input: &Input, context: &Context<'_>) -> Result<NaiveDate> {
    let data = || companion(input, context, is_data);
    // The files of the bulk archive name no edition at all.
    let packed = || data().and(input.packed);
    context.vintage.or_else(|| data().and_then(last_updated)).or_else(packed).ok_or_else(|| {
        Error::data(
            Place::file(&input.name),
            "is metadata and names no edition; import it together with its data file, or say the date with --vintage YYYY-MM-DD",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::download_number;

    #[test]
    fn number_of_a_download() {
        assert_eq!(download_number("API_BX.TRF.PWKR.CD.DT_DS2_en_csv_v2_38454.csv"), Some("38454"));
        assert_eq!(
            download_number("Metadata_Country_API_BX.TRF.PWKR.CD.DT_DS2_en_csv_v2_38454 (1).csv"),
            Some("38454")
        );
        assert_eq!(download_number("population_data_WB.csv"), None);
    }
}
