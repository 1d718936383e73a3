//! Fills the brief from a session.

use super::complete::{newest_complete_year, newest_gdp_year};
use super::data::{BriefData, BriefOptions, Corridor, CountryPage, Figure, SourceLine, YearCoverage};
use super::error::{Below, Error};
use super::{queries, rows};
use arrow::array::RecordBatch;
use envoi::lake::country::REFERENCE_SOURCE;

/// Whoever can answer SQL; the session in the program, a table of answers in
/// tests.
pub(crate) trait Ask {
    /// All rows of the answer.
    async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>, Below>;
}

/// Corridors kept for the page of one economy, each way.
const COUNTRY_CORRIDORS: usize = 10;

/// Asks everything the brief shows.
pub(crate) async fn load(ask: &impl Ask, options: BriefOptions) -> Result<BriefData, Error> {
    let coverage = rows::coverage(&query(ask, "the coverage", queries::COVERAGE).await?)?;
    let complete = newest_complete_year(&coverage);
    if let Some(asked) = options.year {
        check_year(asked, &coverage)?;
    }
    let year = options.year.or(complete);
    let gdp_year = year.and_then(|y| newest_gdp_year(&coverage, y));
    let mut data = BriefData {
        sample: options.sample,
        year,
        complete_year: complete,
        gdp_year,
        groups: rows::groups(&query(ask, "the groups", queries::GROUPS).await?)?,
        sources: sources(ask, options.country.is_some()).await?,
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
        let sql = queries::PANELS.replace("{year}", &complete.to_string());
        data.panels = rows::panels(&query(ask, "the growth", &sql).await?)?;
    }
    match options.country {
        Some(asked) => data.country = Some(country(ask, &asked).await?),
        None => data.corridors = rows::corridors(&query(ask, "the corridors", queries::CORRIDORS).await?)?,
    }
    Ok(data)
}

async fn query(ask: &impl Ask, what: &'static str, sql: &str) -> Result<Vec<RecordBatch>, Error> {
    ask.rows(sql).await.map_err(|source| Error::Query { what, source })
}

async fn economies(ask: &impl Ask, year: i32) -> Result<Vec<super::data::EconomyYear>, Error> {
    let sql = queries::ECONOMIES.replace("{year}", &year.to_string());
    rows::economies(&query(ask, "the economies", &sql).await?)
}

fn check_year(asked: i32, coverage: &[YearCoverage]) -> Result<(), Error> {
    let filled = |c: &&YearCoverage| c.with_remittance > 0 || c.with_oda > 0;
    if coverage.iter().filter(filled).any(|c| c.year == asked) {
        return Ok(());
    }
    let years: Vec<_> = coverage.iter().filter(filled).map(|c| c.year).collect();
    let have = match (years.iter().min(), years.iter().max()) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => format!("no remittances and no ODA yet, try `{}`", Figure::Remittance.import_hint()),
    };
    Err(Error::UnknownYear { asked, have })
}

async fn country(ask: &impl Ask, asked: &str) -> Result<CountryPage, Error> {
    let known = rows::names(&query(ask, "the names", queries::NAMES).await?)?;
    // Only a code out of the lake's own list goes into a statement.
    let (iso3, name) = find_economy(asked, &known)?;
    let sql = queries::SERIES.replace("{iso3}", iso3);
    let series = rows::economies(&query(ask, "the series", &sql).await?)?;
    let sql = queries::COUNTRY_CORRIDORS.replace("{iso3}", iso3);
    let corridors = rows::corridors(&query(ask, "the corridors", &sql).await?)?;
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

/// The economy with this code or this English name, or an error with what is
/// near.
fn find_economy<'a>(asked: &str, known: &'a [(String, String)]) -> Result<(&'a str, &'a str), Error> {
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
        (true, true) => format!("; the lake holds no economies yet, try `{}`", Figure::Remittance.import_hint()),
    };
    Err(Error::UnknownEconomy { asked: asked.to_owned(), hint })
}

/// The editions that feed the brief, each once, in the order of the figures.
/// Only the page of one economy shows amounts per head.
async fn sources(ask: &impl Ask, per_head: bool) -> Result<Vec<SourceLine>, Error> {
    let mut feeds = rows::feeds(&query(ask, "the origin of the figures", queries::FEEDS).await?)?;
    feeds.retain(|(name, ..)| per_head || figure_of(name) != Some(Figure::Population));
    let known = rows::sources(&query(ask, "the sources", queries::SOURCES).await?)?;
    Ok(join_sources(&feeds, &known))
}

fn join_sources(feeds: &[(String, String, String)], known: &[SourceLine]) -> Vec<SourceLine> {
    let mut out: Vec<SourceLine> = Vec::new();
    for figure in Figure::ALL {
        for (_, id, vintage) in feeds.iter().filter(|(name, ..)| figure_of(name) == Some(figure)) {
            if let Some(line) = out.iter_mut().find(|s| s.source_id == *id && s.vintage == *vintage) {
                if !line.figures.contains(&figure) {
                    line.figures.push(figure);
                }
                continue;
            }
            let of_source = || known.iter().filter(|s| s.source_id == *id);
            let exact = of_source().find(|s| s.vintage == *vintage).cloned();
            let line = exact.or_else(|| of_source().next().map(other_edition));
            let line = line.map(|line| SourceLine { source_id: id.clone(), vintage: vintage.clone(), ..line });
            out.push(SourceLine { figures: vec![figure], ..line.unwrap_or_else(|| unlisted(id, vintage)) });
        }
    }
    out
}

/// What holds for every edition of a dataset; a citation or a caveat of another
/// edition would be wrong.
fn other_edition(line: &SourceLine) -> SourceLine {
    SourceLine {
        provider: line.provider.clone(),
        dataset: line.dataset.clone(),
        licence: line.licence.clone(),
        ..SourceLine::default()
    }
}

/// A source without a line in `lake.source`. The groups that ship with the
/// program have none, and stand under a date before every edition so that any
/// import overrides them: that date is not a vintage to show.
fn unlisted(id: &str, vintage: &str) -> SourceLine {
    if id != REFERENCE_SOURCE {
        return SourceLine { source_id: id.to_owned(), vintage: vintage.to_owned(), ..SourceLine::default() };
    }
    SourceLine {
        source_id: id.to_owned(),
        provider: "World Bank".to_owned(),
        dataset: "country metadata, as shipped with envoi".to_owned(),
        vintage: SHIPPED_GROUPS.to_owned(),
        licence: "CC BY 4.0".to_owned(),
        citation: format!("World Bank, World Development Indicators, country metadata, {SHIPPED_GROUPS}"),
        ..SourceLine::default()
    }
}

/// Edition of the metadata behind the groups in force in `datasets/country`.
const SHIPPED_GROUPS: &str = "2025-10-07";

fn figure_of(name: &str) -> Option<Figure> {
    Some(match name {
        "BX.TRF.PWKR.CD.DT" => Figure::Remittance,
        "DT.ODA.ALLD.CD" | "aid_flow" => Figure::Oda,
        "NY.GDP.MKTP.CD" => Figure::Gdp,
        "SP.POP.TOTL" => Figure::Population,
        "corridor" => Figure::Corridor,
        "group" => Figure::Group,
        _ => return None,
    })
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
        assert_eq!(find_economy("mex", &known()).unwrap(), ("MEX", "Mexico"));
        assert_eq!(find_economy("nigeria", &known()).unwrap(), ("NGA", "Nigeria"));
    }

    #[test]
    fn an_unknown_economy_names_what_is_near() {
        let error = find_economy("Mexiko", &known()).unwrap_err().to_string();
        assert_eq!(error, "unknown economy `Mexiko`; did you mean MEX (Mexico)?");
        let error = find_economy("Atlantis", &[]).unwrap_err().to_string();
        assert!(error.contains("envoi source import"), "{error}");
    }

    #[test]
    fn only_a_plain_code_reaches_a_statement() {
        assert!(find_economy("O'R", &known()).is_err());
    }

    #[test]
    fn a_year_without_values_says_which_years_there_are() {
        let coverage = [YearCoverage { year: 2000, with_remittance: 3, ..YearCoverage::default() }];
        assert!(check_year(2000, &coverage).is_ok());
        let error = check_year(1990, &coverage).unwrap_err().to_string();
        assert_eq!(error, "no values for 1990; the lake has 2000 to 2000");
        assert!(check_year(1990, &[]).unwrap_err().to_string().contains("envoi source import"));
    }

    #[test]
    fn editions_of_one_dataset_stay_apart() {
        let line = |vintage: &str| SourceLine {
            source_id: "wdi".into(),
            vintage: vintage.into(),
            citation: format!("edition {vintage}"),
            ..SourceLine::default()
        };
        let feed = |f: &str, v: &str| (f.to_owned(), "wdi".to_owned(), v.to_owned());
        let feeds = [
            feed("BX.TRF.PWKR.CD.DT", "2025-07-01"),
            feed("DT.ODA.ALLD.CD", "2025-10-07"),
            feed("group", "2025-07-01"),
        ];
        let out = join_sources(&feeds, &[line("2025-10-07"), line("2025-07-01")]);
        assert_eq!(out.len(), 2);
        assert_eq!(out[0].figures, [Figure::Remittance, Figure::Group]);
        assert_eq!(out[0].citation, "edition 2025-07-01");
        assert_eq!(out[1].figures, [Figure::Oda]);

        let shipped = join_sources(&[("group".into(), REFERENCE_SOURCE.into(), "1900-01-01".into())], &[]);
        assert_eq!((shipped[0].provider.as_str(), shipped[0].vintage.as_str()), ("World Bank", SHIPPED_GROUPS));

        let unknown = join_sources(&feeds[..1], &[line("2020-01-01")]);
        assert_eq!(unknown[0].vintage, "2025-07-01");
        assert_eq!(unknown[0].citation, "", "the citation of another edition");
    }
}
