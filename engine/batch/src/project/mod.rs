//! A project: a folder of queries with what is said of them.

mod config;
mod lines;
mod load;
mod names;
mod problem;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

pub use config::{
    ColumnConfig, Export, Freshness, Incremental, Materialisation, ModelConfig, ProjectConfig, Publish, Reconcile,
    RowCount, SchemaChange, Severity, Snapshot, Span, TestConfig, TestFile, UnitTest,
};
pub use problem::Problem;

pub(crate) use config::bytes;
pub(crate) use names::Names;

use envoi::lake::Manifest;
use minijinja::value::Value;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../sql/jobs"]
struct Shipped;

/// Files larger than this are no queries.
const LARGEST: u64 = 4 << 20;

/// The text files of a project, by path below its folder.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// What people call the folder.
    pub label: String,
    /// What tells it from every other folder.
    pub home: String,
    /// Text by path, with `/` between folders.
    pub files: BTreeMap<String, String>,
}

impl Sources {
    /// The files of a folder and those below it.
    ///
    /// # Errors
    /// A folder or file that cannot be read, or is no text; a link to a folder that it is in.
    pub fn folder(path: &Path) -> Result<Self, Problem> {
        let label = path.display().to_string();
        let unread = |folder: &Path, e: &std::io::Error| {
            Problem::new(folder.display().to_string(), format!("cannot be read: {e}"))
        };
        let home = path.canonicalize().map_err(|e| unread(path, &e))?;
        let mut sources = Self { label, home: home.display().to_string(), files: BTreeMap::new() };
        // Each folder with where it really is and those that it is in are.
        let mut folders = vec![(path.to_path_buf(), String::new(), vec![home])];
        while let Some((folder, below, within)) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(|e| unread(&folder, &e))? {
                let entry = entry.map_err(|e| unread(&folder, &e))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let relative = format!("{below}{name}");
                let path = entry.path();
                if name.starts_with('.') {
                    continue;
                }
                if path.is_dir() {
                    let real = path.canonicalize().map_err(|e| unread(&path, &e))?;
                    if within.contains(&real) {
                        let what = format!("is a link to `{}`, a folder that it is in; remove it", real.display());
                        return Err(Problem::new(relative, what));
                    }
                    folders.push((path, format!("{relative}/"), [within.as_slice(), &[real]].concat()));
                } else if name.ends_with(".sql") || name.ends_with(".toml") {
                    sources.files.insert(relative.clone(), text_of(&path).map_err(|why| Problem::new(relative, why))?);
                }
            }
        }
        Ok(sources)
    }

    /// The models that come with envoi.
    pub fn shipped() -> Self {
        let text = |path: &str| Shipped::get(path).map(|f| String::from_utf8_lossy(&f.data).into_owned());
        let files = Shipped::iter().filter_map(|p| Some((p.to_string(), text(&p)?))).collect();
        let label = "the jobs that come with envoi".to_owned();
        Self { home: label.clone(), label, files }
    }
}

/// The text of a file.
fn text_of(path: &Path) -> Result<String, String> {
    let unread = |e: std::io::Error| format!("cannot be read: {e}");
    let metadata = std::fs::metadata(path).map_err(unread)?;
    if !metadata.is_file() {
        return Err("is no file".to_owned());
    }
    let size = metadata.len();
    if size > LARGEST {
        return Err(format!("has {size} bytes; a query has {LARGEST} at most"));
    }
    let text = std::fs::read_to_string(path).map_err(unread)?;
    // Editors of Windows put a mark in front that nobody sees.
    Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned))
}

/// A model of a project.
#[derive(Debug, Clone)]
pub struct Model {
    /// Name, of the file and of the table.
    pub name: String,
    /// Its file below the project's folder.
    pub file: String,
    /// The text of the file.
    pub text: String,
    /// The query.
    pub compiled: String,
    /// Where the query's lines are in the text.
    pub(crate) lines: Option<lines::Lines>,
    /// What its TOML says.
    pub config: ModelConfig,
    /// Models of the project that it reads, by name, or its tests do.
    pub reads: BTreeSet<String>,
    /// Other tables that it names.
    pub tables: BTreeSet<String>,
    /// Tables that its tests read and its query does not name.
    pub tested: BTreeSet<String>,
    /// Hash of what its rows depend on, beside its inputs.
    pub query_hash: String,
    /// Hash of the rest of what is said of it.
    pub config_hash: String,
}

impl Model {
    /// Where an error of the compiled query is.
    pub(crate) fn problem(&self, error: &envoi::Error) -> Problem {
        let (lines, what) = (self.lines.as_ref(), error.to_string());
        lines::located(&self.file, &self.text, &self.compiled, lines, error.position(), what)
    }
}

/// A project that was read without a problem.
#[derive(Debug, Clone)]
pub struct Project {
    /// What people call its folder.
    pub label: String,
    /// What models in the lake are known by as its own: the name that `project.toml` gives it, or else its folder.
    pub identity: String,
    /// What `project.toml` says.
    pub config: ProjectConfig,
    /// The models, by name.
    pub models: BTreeMap<String, Arc<Model>>,
}

impl Project {
    /// Reads a project against a version of the lake; every problem is found, not the first alone.
    ///
    /// # Errors
    /// All problems, in the order of the files.
    pub fn read(
        sources: &Sources,
        vars: &BTreeMap<String, String>,
        settings: &str,
        manifest: &Manifest,
    ) -> Result<Self, Vec<Problem>> {
        match load::read(sources, vars, settings, manifest) {
            (project, problems) if problems.is_empty() => Ok(project),
            (_, problems) => Err(problems),
        }
    }

    /// The models that can be read, whatever is wrong with the others: which there are, and what they are called.
    pub fn outline(sources: &Sources, vars: &BTreeMap<String, String>, manifest: &Manifest) -> (Self, Vec<Problem>) {
        load::read(sources, vars, "", manifest)
    }

    /// Paths of the files of its models, for `--dir` beside it.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }
}

/// A value of TOML in a template.
fn value(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(n) => Value::from(*n),
        toml::Value::Float(n) => Value::from(*n),
        toml::Value::Boolean(b) => Value::from(*b),
        toml::Value::Datetime(d) => Value::from(d.to_string()),
        toml::Value::Array(all) => all.iter().map(self::value).collect(),
        toml::Value::Table(table) => table.iter().map(|(k, v)| (k.clone(), self::value(v))).collect(),
    }
}
