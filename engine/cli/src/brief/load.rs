//! Fills the brief from a session.

use super::complete::{newest_complete_year, newest_gdp_year};
use super::data::{BriefData, BriefOptions, Corridor, CountryPage, Figure};
use super::error::{Below, Error};
use super::family_load::families;
use super::family_queries::Surveys;
use super::origin::sources;
use super::queries::{self, Corridors};
use super::rows;
use super::years::{check_country_year, check_year, none_so_old};
use arrow::array::RecordBatch;

/// Whoever can answer SQL; the session in the program, a table of answers in
/// tests.
pub(crate) trait Ask {
    /// All rows of the answer.
    async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>, Below>;
}

/// Corridors kept of the whole, for the map of the page.
const LARGEST_CORRIDORS: usize = 40;
/// Corridors kept for the page of one economy, each way.
const COUNTRY_CORRIDORS: usize = 10;

/// Asks everything the brief shows.
pub(crate) async fn load(ask: &impl Ask, options: BriefOptions) -> Result<BriefData, Error> {
    let coverage = rows::coverage(&query(ask, "the coverage", queries::COVERAGE).await?)?;
    let complete = newest_complete_year(&coverage);
    if let Some(asked) = options.year {
        check_year(asked, &coverage, &options)?;
    }
    let year = options.year.or(complete);
    let gdp_year = year.and_then(|y| newest_gdp_year(&coverage, y));
    let mut data = BriefData {
        sample: options.sample,
        as_of: options.as_of,
        oldest: options.oldest.clone(),
        year,
        complete_year: complete,
        gdp_year,
        groups: rows::groups(&query(ask, "the groups", queries::GROUPS).await?)?,
        coverage,
        ..BriefData::default()
    };
    if let Some(year) = year {
        data.economies = economies(ask, year).await?;
        data.gdp_economies = match gdp_year {
            Some(y) if y == year => data.economies.clone(),
            Some(y) => economies(ask, y).await?,
            None => Vec::new(),
        };
    }
    if let Some(complete) = complete {
        data.panels = rows::panels(&query(ask, "the growth", &queries::panels(complete)).await?)?;
    }
    match &options.country {
        Some(asked) => data.country = Some(country(ask, asked, &options).await?),
        None => data.corridors = corridors(ask, Corridors::Largest(LARGEST_CORRIDORS)).await?,
    }
    let surveys = match &data.country {
        Some(country) => Surveys::Of(&country.iso3),
        None => Surveys::All,
    };
    // What a survey lacks, such as a second unit in a stratum, does not take the rest away.
    match families(ask, surveys).await {
        Ok(found) => data.families = found,
        Err(e) => data.families_missing = Some(e.to_string()),
    }
    data.sources = sources(ask, &data).await?;
    Ok(data)
}

pub(super) async fn query(ask: &impl Ask, what: &'static str, sql: &str) -> Result<Vec<RecordBatch>, Error> {
    ask.rows(sql).await.map_err(|source| Error::Query { what, source })
}

async fn economies(ask: &impl Ask, year: i32) -> Result<Vec<super::data::EconomyYear>, Error> {
    rows::economies(&query(ask, "the economies", &queries::economies(year)).await?)
}

async fn corridors(ask: &impl Ask, of: Corridors<'_>) -> Result<Vec<Corridor>, Error> {
    rows::corridors(&query(ask, "the corridors", &queries::corridors(of)).await?)
}

async fn country(ask: &impl Ask, asked: &str, options: &BriefOptions) -> Result<CountryPage, Error> {
    let known = rows::names(&query(ask, "the names", queries::NAMES).await?)?;
    // Only a code out of the lake's own list goes into a statement.
    let (iso3, name) = find_economy(asked, &known, options)?;
    let series = rows::economies(&query(ask, "the series", &queries::series(iso3)).await?)?;
    if let Some(year) = options.year {
        check_country_year(year, name, &series)?;
    }
    let corridors = corridors(ask, Corridors::Of(iso3)).await?;
    let some = |keep: fn(&Corridor) -> &str| -> Vec<Corridor> {
        corridors.iter().filter(|c| keep(c) == iso3).take(COUNTRY_CORRIDORS).cloned().collect()
    };
    Ok(CountryPage {
        inward: some(|c| &c.receiver_iso3),
        outward: some(|c| &c.sender_iso3),
        series,
        iso3: iso3.to_owned(),
        name: if name.is_empty() { iso3.to_owned() } else { name.to_owned() },
    })
}

/// Refuses an economy that is not among those that envoi knows.
pub(crate) fn known_economy(asked: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let all = envoi::lake::country::Concordance::embedded()?.countries()?;
    let known: Vec<(String, String)> =
        all.into_iter().map(|e| (e.iso3.to_string(), e.names.into_iter().next().unwrap_or_default())).collect();
    Ok(find_economy(asked, &known, &BriefOptions::default()).map(drop)?)
}

/// The economy with this code or this English name, or an error with what is
/// near.
fn find_economy<'a>(
    asked: &str,
    known: &'a [(String, String)],
    options: &BriefOptions,
) -> Result<(&'a str, &'a str), Error> {
    let wanted = asked.trim().to_lowercase();
    let is_code = |c: &str| c.len() == 3 && c.bytes().all(|b| b.is_ascii_uppercase());
    let same = |(iso3, name): &&(String, String)| iso3.to_lowercase() == wanted || name.to_lowercase() == wanted;
    if let Some((iso3, name)) = known.iter().filter(|(iso3, _)| is_code(iso3)).find(same) {
        return Ok((iso3, name));
    }
    let mut near: Vec<_> = known
        .iter()
        .map(|(iso3, name)| {
            let by_name = strsim::jaro_winkler(&wanted, &name.to_lowercase());
            // Codes are too short for a measure of likeness to mean much.
            let by_code = if strsim::levenshtein(&wanted, &iso3.to_lowercase()) <= 1 { 0.9 } else { 0.0 };
            (by_name.max(by_code), iso3, name)
        })
        .filter(|(likeness, ..)| *likeness > 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<_> = near.iter().take(3).map(|(_, iso3, name)| format!("{iso3} ({name})")).collect();
    let hint = match (near.is_empty(), known.is_empty()) {
        (false, _) => format!("; did you mean {}?", near.join(", ")),
        (true, false) => "; give an ISO 3166 alpha-3 code such as `MEX`, or an English name".to_owned(),
        (true, true) => match none_so_old(options) {
            Some(why) => format!(": {why}"),
            None => format!("; the lake holds no economies yet, try `{}`", Figure::Remittance.import_hint()),
        },
    };
    Err(Error::UnknownEconomy { asked: asked.to_owned(), hint })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray, StringViewArray,
    };
    use std::sync::Arc;

    /// Answers for 2022, complete, and 2023, partial.
    struct Answers;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<Vec<RecordBatch>, Below> {
        Ok(vec![RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)))?])
    }

    fn text(values: &[&str]) -> ArrayRef {
        Arc::new(StringViewArray::from(values.to_vec()))
    }

    fn usd(values: &[Option<f64>]) -> ArrayRef {
        Arc::new(Float64Array::from(values.to_vec()))
    }

    impl Ask for Answers {
        async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>, Below> {
            let counts = |a: i64, b: i64| Arc::new(Int64Array::from(vec![a, b])) as ArrayRef;
            if sql == queries::COVERAGE {
                return batch(vec![
                    ("year", Arc::new(Int32Array::from(vec![2022, 2023]))),
                    ("with_remittance", counts(2, 1)),
                    ("with_oda", counts(2, 0)),
                    ("with_both", counts(2, 0)),
                    ("with_gdp_share", counts(2, 0)),
                ]);
            }
            if sql == queries::NAMES {
                return batch(vec![("iso3", text(&["MEX", "CHN"])), ("name_en", text(&["Mexico", "China"]))]);
            }
            if sql.contains("year = 2022\n") || sql.contains("iso3 = 'MEX'\n") {
                return batch(vec![
                    ("iso3", text(&["MEX", "CHN"])),
                    ("name_en", Arc::new(StringArray::from(vec![Some("Mexico"), None]))),
                    ("year", counts(2022, 2022)),
                    ("income_group", text(&["UMC", "UMC"])),
                    ("remittance_usd", usd(&[Some(61.5e9), Some(f64::NAN)])),
                    ("oda_usd", usd(&[Some(0.5e9), Some(-1e9)])),
                    ("remit_oda_ratio", usd(&[Some(123.0), None])),
                    ("remit_exceeds_oda", Arc::new(BooleanArray::from(vec![Some(true), None]))),
                    ("remittance_gdp_share", Arc::new(Float32Array::from(vec![Some(0.042), None]))),
                    ("remittance_per_head_usd", usd(&[None, None])),
                    ("oda_per_head_usd", usd(&[None, None])),
                ]);
            }
            if sql.contains("mart.remittance_growth") {
                assert!(sql.contains("year > 2022"), "growth is asked for after the complete year: {sql}");
                let one = |n: i64| Arc::new(Int64Array::from(vec![n])) as ArrayRef;
                return batch(vec![
                    ("year", one(2023)),
                    ("economies", one(1)),
                    ("remittance_usd", usd(&[Some(66.0)])),
                    ("previous_usd", usd(&[Some(60.0)])),
                ]);
            }
            // The rest of the lake is empty.
            Ok(Vec::new())
        }
    }

    #[tokio::test]
    async fn the_marts_fill_the_brief() {
        let data = load(&Answers, BriefOptions::default()).await.unwrap();
        assert_eq!((data.year, data.complete_year, data.gdp_year), (Some(2022), Some(2022), Some(2022)));
        assert_eq!(data.economies[0].remittance_usd, Some(61.5e9));
        assert_eq!(data.economies[1].name, "CHN", "a missing name falls back to the code");
        assert_eq!(data.economies[1].remittance_usd, None, "what is not a number is no value");
        assert_eq!(data.panels[0].year, 2023);
        assert_eq!(data.missing(), [Figure::Corridor, Figure::Group]);
    }

    #[tokio::test]
    async fn a_partial_year_may_be_asked_for() {
        let options = BriefOptions { year: Some(2023), ..BriefOptions::default() };
        let data = load(&Answers, options).await.unwrap();
        assert_eq!((data.year, data.complete_year), (Some(2023), Some(2022)));
        assert_eq!(data.partial().map(|c| c.year).collect::<Vec<_>>(), [2023]);
    }

    #[tokio::test]
    async fn an_economy_may_be_asked_for() {
        let options = BriefOptions { country: Some("mexico".to_owned()), ..BriefOptions::default() };
        let data = load(&Answers, options).await.unwrap();
        assert_eq!(data.country.map(|c| (c.iso3, c.name)), Some(("MEX".to_owned(), "Mexico".to_owned())));
    }

    #[tokio::test]
    async fn errors_say_which_part() {
        struct Fails;
        impl Ask for Fails {
            async fn rows(&self, _: &str) -> Result<Vec<RecordBatch>, Below> {
                Err("table `mart.x` does not exist".into())
            }
        }
        let error = load(&Fails, BriefOptions::default()).await.unwrap_err().to_string();
        assert_eq!(error, "cannot read the coverage for the brief: table `mart.x` does not exist");
        struct Odd;
        impl Ask for Odd {
            async fn rows(&self, _: &str) -> Result<Vec<RecordBatch>, Below> {
                batch(vec![("year", text(&["MMXXII"]))])
            }
        }
        let error = load(&Odd, BriefOptions::default()).await.unwrap_err().to_string();
        assert!(error.contains("column `with_remittance` of the coverage is missing"), "{error}");
    }

    fn known() -> Vec<(String, String)> {
        [("NER", "Niger"), ("NGA", "Nigeria"), ("MEX", "Mexico"), ("O'R", "Quote")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .to_vec()
    }

    #[test]
    fn economies_are_found_by_code_and_by_name() {
        assert_eq!(find_economy("mex", &known(), &BriefOptions::default()).unwrap(), ("MEX", "Mexico"));
        assert_eq!(find_economy("nigeria", &known(), &BriefOptions::default()).unwrap(), ("NGA", "Nigeria"));
    }

    #[test]
    fn an_unknown_economy_names_what_is_near() {
        let error = find_economy("Mexiko", &known(), &BriefOptions::default()).unwrap_err().to_string();
        assert_eq!(error, "unknown economy `Mexiko`; did you mean MEX (Mexico)?");
        let error = find_economy("Atlantis", &[], &BriefOptions::default()).unwrap_err().to_string();
        assert!(error.contains("envoi source import"), "{error}");
    }

    #[test]
    fn only_a_plain_code_reaches_a_statement() {
        assert!(find_economy("O'R", &known(), &BriefOptions::default()).is_err());
    }
}
