//! A lake in a temporary folder, files to import into it, and its rows as text.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use envoi_lake::import::{Options, Report, import};
use envoi_lake::{Lake, Manifest, Result};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::files_below;

/// Runs a future to its end on this thread.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A day.
pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A fixture of this repository.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/fixtures").join(name)
}

/// Its bytes.
pub(crate) fn fixture_bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

/// Its text.
pub(crate) fn fixture_text(name: &str) -> String {
    String::from_utf8(fixture_bytes(name)).unwrap()
}

pub(crate) const WDI_REMITTANCES: &str = "worldbank/API_BX.TRF.PWKR.CD.DT_DS2_en_csv_v2_101.csv";
pub(crate) const WDI_ODA: &str = "worldbank/API_DT.ODA.ALLD.CD_DS2_en_csv_v2_202.csv";
pub(crate) const DAC2A: &str = "oecd/dac2a.csv";

/// One row of a table: column to value as text, NULL left out.
pub(crate) type Fact = BTreeMap<String, String>;

/// A lake of one test.
pub(crate) struct Scratch {
    folder: tempfile::TempDir,
    pub(crate) lake: Lake,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().join("lake").to_str().unwrap()).unwrap();
        Self { folder, lake }
    }

    /// Folder of the lake on disk.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("lake")
    }

    /// Folder of the files to import.
    pub(crate) fn inbox(&self) -> PathBuf {
        self.folder.path().join("inbox")
    }

    /// Puts a file into the inbox, in a folder of it if the name has one.
    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.inbox().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Imports with the given options.
    pub(crate) fn import_with(&self, paths: &[PathBuf], options: &Options) -> Result<Report> {
        run(import(&self.lake, paths, options, &|_| {}))
    }

    /// Imports as a user would without options.
    pub(crate) fn import(&self, paths: &[PathBuf]) -> Result<Report> {
        self.import_with(paths, &Options::default())
    }

    /// Writes one file and imports it by name.
    pub(crate) fn import_bytes(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<Report> {
        let path = self.put(name, bytes);
        self.import(&[path])
    }

    pub(crate) fn manifest(&self) -> Arc<Manifest> {
        run(self.lake.current()).unwrap().expect("the lake has a version")
    }

    /// Rows of a table that a query sees now.
    pub(crate) fn rows(&self, table: &str) -> Vec<Fact> {
        self.rows_as_of(table, None)
    }

    /// Rows of a table that a query saw on a day.
    pub(crate) fn rows_as_of(&self, table: &str, as_of: Option<NaiveDate>) -> Vec<Fact> {
        let manifest = self.manifest();
        let files = manifest.visible(as_of).into_iter().filter(|f| f.table == table);
        files.flat_map(|f| facts(&self.root().join(&f.path))).collect()
    }

    /// The value of `value` in the only row that has all of `keys`; `None` if there is no such row.
    pub(crate) fn value(&self, table: &str, keys: &[(&str, &str)], value: &str) -> Option<f64> {
        let fits = |row: &Fact| keys.iter().all(|(k, v)| row.get(*k).is_some_and(|found| found == v));
        let found: Vec<Fact> = self.rows(table).into_iter().filter(fits).collect();
        assert!(found.len() < 2, "{keys:?}: {found:?}");
        found.first().map(|row| row[value].parse().unwrap())
    }

    /// Every file of the lake on disk, with its bytes: nothing may change after an error.
    pub(crate) fn snapshot(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        if !self.root().exists() {
            return BTreeMap::new();
        }
        files_below(&self.root()).into_iter().map(|p| (p.clone(), std::fs::read(p).unwrap())).collect()
    }

    /// Opens, verifies, and checks that no file lies about that no version names.
    pub(crate) fn check_whole(&self) {
        let versions = run(self.lake.versions()).unwrap();
        let mut named = std::collections::BTreeSet::new();
        for version in &versions {
            let manifest = run(self.lake.version(*version)).unwrap();
            assert_eq!(run(self.lake.verify(&manifest, |_| {})).unwrap(), [], "version {version}");
            named.extend(manifest.files.iter().map(|f| self.root().join(&f.path)));
            named.insert(self.root().join(format!("manifest/{version:08}.json")));
        }
        let stray: Vec<PathBuf> = self.snapshot().into_keys().filter(|p| !named.contains(p)).collect();
        assert_eq!(stray, Vec::<PathBuf>::new(), "files that no version names");
    }

    /// An import that must fail with all of `words` in its message and change nothing.
    pub(crate) fn refuses_with(&self, paths: &[PathBuf], options: &Options, words: &[&str]) -> String {
        let before = self.snapshot();
        let message = match self.import_with(paths, options) {
            Err(error) => error.to_string(),
            Ok(report) => panic!("imported, but should say {words:?}: {report:?}"),
        };
        for word in words {
            assert!(message.contains(word), "`{word}` is not in: {message}");
        }
        assert!(!message.ends_with('.'), "a message of another style: {message}");
        assert!(self.snapshot() == before, "the lake changed: {message}");
        message
    }

    /// [`Self::refuses_with`] for one file.
    pub(crate) fn refuses(&self, name: &str, bytes: impl AsRef<[u8]>, words: &[&str]) -> String {
        let path = self.put(name, bytes);
        self.refuses_with(&[path], &Options::default(), words)
    }
}

/// Rows of a Parquet file.
fn facts(path: &Path) -> Vec<Fact> {
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut all = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        for index in 0..batch.num_rows() {
            let schema = batch.schema();
            let cells = schema.fields().iter().zip(batch.columns()).filter(|(_, c)| !c.is_null(index)).map(
                |(field, column)| {
                    let text = arrow::util::display::array_value_to_string(column, index).unwrap();
                    (field.name().clone(), text)
                },
            );
            all.push(cells.collect());
        }
    }
    all
}

/// Sum of a column.
pub(crate) fn sum(rows: &[Fact], column: &str) -> f64 {
    rows.iter().map(|r| r[column].parse::<f64>().unwrap()).sum()
}

/// A zip archive.
pub(crate) fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
