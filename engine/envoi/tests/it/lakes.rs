//! The lakes that the tests ask: the sample, and one of the publishers' files kept outside this repository.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use envoi::lake::{Lake, import, sample};
use envoi::{Config, Session};

/// A session with some settings, over a lake.
pub(crate) async fn session(lake: &Path, settings: &[(&'static str, &str)]) -> Session {
    let mut flags = vec![("lake.url", lake.display().to_string(), "--lake")];
    flags.extend(settings.iter().map(|(key, value)| (*key, (*value).to_owned(), "test")));
    let config = Config::load(Some(Path::new("/dev/null")), std::iter::empty(), flags).unwrap();
    let factory = envoi::open(&config).await.unwrap();
    factory.owner().await.unwrap()
}

/// Rows of a query, as text.
pub(crate) async fn rows(session: &Session, sql: &str) -> Vec<Vec<String>> {
    let answer = session.run(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let batches = answer.collect().await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            rows.push(batch.columns().iter().map(|c| cell(c, row)).collect());
        }
    }
    rows
}

pub(crate) fn cell(column: &arrow::array::ArrayRef, row: usize) -> String {
    use arrow::array::Array;
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    let text = arrow::util::display::array_value_to_string(column, row).unwrap();
    if text.is_empty() { "(empty)".to_owned() } else { text }
}

/// The sample lake, written once a test run.
pub(crate) fn sample_lake() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let write = || {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(&folder.path().display().to_string()).unwrap();
        blocking(async move { sample::write(&lake).await.unwrap() });
        folder
    };
    FOLDER.get_or_init(write).path()
}

/// A lake of two invented editions of one indicator, each a version.
pub(crate) fn editions_lake() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let write = || {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/fixtures/editions");
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(&folder.path().display().to_string()).unwrap();
        blocking(async move {
            for file in ["remittances_2022.csv", "remittances_2023.csv"] {
                let paths = [fixtures.join(file)];
                import::import(&lake, &paths, &import::Options::default(), &|_| {}).await.unwrap();
            }
        });
        folder
    };
    FOLDER.get_or_init(write).path()
}

/// A lake of an invented indicator of economies that split and joined.
pub(crate) fn territories_lake() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let write = || {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/fixtures/territories");
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(&folder.path().display().to_string()).unwrap();
        let options = import::Options::default();
        blocking(async move { import::import(&lake, &[fixtures], &options, &|_| {}).await.unwrap() });
        folder
    };
    FOLDER.get_or_init(write).path()
}

/// A lake of the invented survey of docs/surveys.md.
pub(crate) fn survey_lake() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let write = || {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/fixtures/survey");
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(&folder.path().display().to_string()).unwrap();
        let text = std::fs::read_to_string(fixtures.join("ton_example_2015.toml")).unwrap();
        let mappings = vec![std::sync::Arc::new(import::mapping(&text, "ton_example_2015.toml").unwrap())];
        let options = import::Options { mappings, ..import::Options::default() };
        blocking(async move { import::import(&lake, &[fixtures], &options, &|_| {}).await.unwrap() });
        folder
    };
    FOLDER.get_or_init(write).path()
}

/// A lake with two surveys of one economy and year: the invented one, and one in which no household counts.
pub(crate) fn two_surveys_lake() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let write = || {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/fixtures/survey");
        let (folder, weightless) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let lake = Lake::open(&folder.path().display().to_string()).unwrap();
        let read = |name: &str| std::fs::read_to_string(fixtures.join(name)).unwrap();
        let households = read("households.csv").lines().enumerate().fold(String::new(), |all, (number, line)| {
            let cells: Vec<&str> = line.split(';').collect();
            let cell = |(at, cell)| if number > 0 && at == 5 { "0" } else { cell };
            all + &cells.into_iter().enumerate().map(cell).collect::<Vec<_>>().join(";") + "\n"
        });
        std::fs::write(weightless.path().join("households.csv"), households).unwrap();
        for name in ["persons.csv", "income.csv"] {
            // One byte apart, so that it is not passed over as known.
            std::fs::write(weightless.path().join(name), read(name) + "\n").unwrap();
        }
        let first = read("ton_example_2015.toml");
        let second = first.replace("ton_example_2015", "ton_weightless_2015").replace("tonga_2015", "tonga_weightless");
        for (text, from) in [(first, fixtures), (second, weightless.path().to_path_buf())] {
            let mappings = vec![std::sync::Arc::new(import::mapping(&text, "a mapping").unwrap())];
            let options = import::Options { mappings, ..import::Options::default() };
            let lake = lake.clone();
            blocking(async move { import::import(&lake, &[from], &options, &|_| {}).await.unwrap() });
        }
        folder
    };
    FOLDER.get_or_init(write).path()
}

/// A lake of the publishers' files, imported once a test run; `None`, said loudly, without them.
pub(crate) fn publishers_lake() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<tempfile::TempDir>> = OnceLock::new();
    let write = || {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
        if !data.is_dir() {
            eprintln!("\n*** NOT TESTED: ../shared/data is absent, so the publishers' figures were left out ***\n");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(&folder.path().display().to_string()).unwrap();
        let paths: Vec<PathBuf> = [
            "worldbank_wdi",
            "knomad",
            "undesa/undesa_pd_2020_ims_stock_by_sex_and_destination.xlsx",
            "undesa/UN_MigrantStockByOriginAndDestination_2019_clean.csv.gz",
            "oecd_dac/dac2a_alld_net_oda_current.csv",
            "oecd_dac/legacy_stats_ref_total_odf_sample.csv",
            "oecd_dac/legacy_stats_flags_legend.csv",
            "oecd_dac/Deflators_base_2011.xls",
            "oecd_dac/DAC-CRS-CODES.xlsx",
            "rpw/36d1ed87-9a2d-41da-8eac-c1c25d45fa65_Data.csv.gz",
            "ecb_fx/eurofxref-hist.zip",
            "rpw/rpw_firm_level_sample_2011.csv",
            "sbp_pakistan/workers_remittances_monthly.csv",
            "banxico",
            "country",
            "enigh_mexico_2012",
        ]
        .map(|p| data.join(p))
        .to_vec();
        blocking(async move { import::import(&lake, &paths, &import::Options::default(), &|_| {}).await.unwrap() });
        Some(folder)
    };
    FOLDER.get_or_init(write).as_ref().map(tempfile::TempDir::path)
}

/// Waits on a thread of its own, so that it can be called from inside another runtime.
pub(crate) fn blocking<F>(work: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    std::thread::spawn(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work))
        .join()
        .unwrap()
}
