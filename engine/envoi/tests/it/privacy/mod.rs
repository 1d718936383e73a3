//! What somebody who is not the owner may learn of households: `docs/privacy.md`.

mod attacks;
mod gate;
mod linear;
mod measures;
mod owner;
mod same;

use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use envoi::lake::{Lake, import};
use envoi::{Audit, Config, DisclosureRules, Role, Session};

use crate::lakes::{blocking, cell};

/// A survey of 700 invented households in seven regions: `G` has 4 of them, `F` 14; 1 in 5
/// receives remittances, of region `E` 3 do; in `D` one household has nearly all; of 4 the
/// income from farms is not known.
/// The second survey, of another country, is of 400.
fn lake() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let write = || {
        let folder = tempfile::tempdir().unwrap();
        let files = tempfile::tempdir().unwrap();
        let lake = Lake::open(&folder.path().display().to_string()).unwrap();
        let mut paths = Vec::new();
        let mut mappings = Vec::new();
        for (survey, iso3, currency, households) in [("ton_2015", "TON", "TOP", 700), ("wsm_2016", "WSM", "WST", 400)] {
            let path = files.path().join(format!("{survey}.csv"));
            std::fs::write(&path, file(survey, households)).unwrap();
            paths.push(path);
            let text = MAPPING.replace("SURVEY", survey).replace("ISO3", iso3).replace("CURRENCY", currency);
            mappings.push(Arc::new(import::mapping(&text, "survey.toml").unwrap()));
        }
        let options = import::Options { mappings, ..import::Options::default() };
        blocking(async move { import::import(&lake, &paths, &options, &|_| {}).await.unwrap() });
        folder
    };
    FOLDER.get_or_init(write).path()
}

const MAPPING: &str = r#"
id = "invented.SURVEY"
importer = "household_survey"
provider = "Nobody"
dataset = "Invented households"
description = "Invented households for tests"
licence = "CC0"
citation = "envoi, invented, {vintage}"

[settings]
survey_id = "SURVEY"
iso3 = "ISO3"
year = 2015
currency = "CURRENCY"
months = 12
vintage = "2016-05-01"
households = "households"

[settings.files.households]
key = ["hhid"]
name = "SURVEY*"

[settings.columns]
weight = "weight"
stratum = "area"
psu = { column = ["area", "island"] }
size_persons = "persons"
urban = { column = "area", yes = ["urban"], no = ["rural"] }
region = "island"

[settings.amounts]
income_total = [{ amount = "labour" }, { amount = "remit" }]
income_labour = { amount = "labour" }
income_farm = { amount = "farm" }
remittance = { amount = "remit" }
"#;

/// Households as the survey's file has them.
fn file(survey: &str, households: u64) -> String {
    let mut text = "hhid,island,area,weight,persons,labour,farm,remit\n".to_owned();
    let mut state = survey.bytes().fold(7u64, |s, b| s.wrapping_mul(31).wrapping_add(b.into()));
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for household in 0..households {
        let region = match household {
            0..=3 => "G",
            4..=17 => "F",
            18..=60 => "E",
            61..=120 => "D",
            _ => ["A", "B", "C"][usize::try_from(next(3)).unwrap()],
        };
        let receives = match region {
            "E" => household < 21,
            _ => next(5) == 0,
        };
        let labour = if household == 61 { 2_000_000 } else { 500 + next(20_000) };
        let remit = if receives { 100 + next(5_000) } else { 0 };
        let area = if next(3) == 0 { "urban" } else { "rural" };
        let (weight, persons, farm) = (50 + next(100), 1 + next(7), next(2) * next(3_000));
        let farm = if (200..204).contains(&household) { String::new() } else { farm.to_string() };
        writeln!(text, "{household},{region},{area},{weight}.5,{persons},{labour},{farm},{remit}").unwrap();
    }
    text
}

/// Keeps the lines of the audit log.
#[derive(Debug, Default)]
struct Lines(Mutex<Vec<String>>);

impl Audit for Lines {
    fn record(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

async fn session(lake: &Path, role: Option<&Role>) -> Session {
    let flags = vec![("lake.url", lake.display().to_string(), "--lake")];
    let config = Config::load(Some(Path::new("/dev/null")), std::iter::empty(), flags).unwrap();
    let factory = envoi::open(&config).await.unwrap();
    match role {
        Some(role) => factory.reader(role).await.unwrap(),
        None => factory.owner().await.unwrap(),
    }
}

async fn owner() -> Session {
    session(lake(), None).await
}

/// A session of a new role, which has asked nothing yet.
async fn reader() -> Session {
    session(lake(), Some(&role())).await
}

fn role() -> Role {
    Role::new("analyst", DisclosureRules::default()).unwrap()
}

/// Rows as text, and the notes.
async fn ask(session: &Session, sql: &str) -> Result<(Vec<Vec<String>>, Vec<String>), envoi::Error> {
    let mut answer = session.run(sql).await?;
    let mut rows = Vec::new();
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            rows.push(batch.columns().iter().map(|c| cell(c, row)).collect());
        }
    }
    Ok((rows, answer.notes()))
}

async fn rows(session: &Session, sql: &str) -> Vec<Vec<String>> {
    ask(session, sql).await.unwrap_or_else(|e| panic!("{sql}: {e}")).0
}

/// Asks, and expects an error with these words.
async fn refused(session: &Session, sql: &str, part: &str) {
    match ask(session, sql).await {
        Ok((rows, _)) => panic!("{sql}: answered {} rows: {:?}", rows.len(), rows.first()),
        Err(error) => {
            assert_ne!(error.class(), envoi::Class::Internal, "{sql}: {error}");
            assert!(error.to_string().contains(part), "{sql}: `{error}` does not say `{part}`");
        }
    }
}
