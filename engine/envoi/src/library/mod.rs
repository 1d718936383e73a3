//! The SQL library: models from `sql/`, each a query and what it means.

mod checks;
mod functions;

use std::sync::OnceLock;

use rust_embed::RustEmbed;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use checks::{Check, CheckMeta, Severity, checks};
pub(crate) use functions::wrong_call;
pub use functions::{Argument, ArgumentKind, FunctionMeta, TableFunction, functions, signature};

use crate::error::{Error, Result};

#[derive(RustEmbed)]
#[folder = "../../sql/marts"]
struct Marts;

/// A mart: a view over the lake with a stated grain.
#[derive(Debug)]
pub struct Mart {
    /// Name of the view.
    pub name: String,
    /// Folder it is in: `macro`, `corridor`, `household`.
    pub area: String,
    /// The query.
    pub sql: String,
    /// What it means.
    pub meta: MartMeta,
}

/// What a mart's TOML says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MartMeta {
    /// What question it answers.
    pub description: String,
    /// One row per what.
    pub grain: String,
    /// Columns that identify a row.
    pub key: Vec<String>,
    /// The columns, in the order of the query.
    pub column: Vec<MartColumn>,
    /// What may be said in a call, `select * from mart(…)`; without a call defaults hold.
    #[serde(default)]
    pub argument: Vec<Argument>,
    /// What must hold of the rows; run by the tests on every lake they build.
    #[serde(default)]
    pub test: Vec<MartTest>,
}

/// A column of a mart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MartColumn {
    /// Name.
    pub name: String,
    /// Unit of the values, if they have one.
    pub unit: Option<String>,
    /// What it means.
    pub description: String,
}

/// A test of a mart: at most one of the fields beside `column` is set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MartTest {
    /// No NULL in these columns.
    #[serde(default)]
    pub not_null: Vec<String>,
    /// These columns together identify a row.
    #[serde(default)]
    pub unique: Vec<String>,
    /// Column of `accepted_values`.
    pub column: Option<String>,
    /// The only values `column` may have.
    #[serde(default)]
    pub accepted_values: Vec<String>,
    /// Must be true or NULL for every row.
    pub expression: Option<String>,
}

impl MartTest {
    /// The query that returns a row for every violation.
    pub fn violations(&self, mart: &str) -> String {
        if !self.not_null.is_empty() {
            let any: Vec<String> = self.not_null.iter().map(|c| format!("{} is null", quoted(c))).collect();
            return format!("select * from {mart} where {}", any.join(" or "));
        }
        if !self.unique.is_empty() {
            let keys = self.unique.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(", ");
            return format!("select {keys}, count(*) from {mart} group by {keys} having count(*) > 1");
        }
        if let Some(column) = &self.column {
            let values: Vec<String> =
                self.accepted_values.iter().map(|v| format!("'{}'", v.replace('\'', "''"))).collect();
            let column = quoted(column);
            return format!("select * from {mart} where {column} not in ({})", values.join(", "));
        }
        let expression = self.expression.as_deref().unwrap_or("true");
        format!("select * from {mart} where not ({expression})")
    }
}

/// A name as it is written in SQL, capitals and blanks too.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// All marts, sorted by name. They are part of the program: an error is a bug of ours.
pub fn marts() -> Result<&'static [Mart]> {
    static ALL: OnceLock<Result<Vec<Mart>>> = OnceLock::new();
    ALL.get_or_init(load).as_ref().map(Vec::as_slice).map_err(Clone::clone)
}

/// The mart of that name.
pub fn mart(name: &str) -> Result<Option<&'static Mart>> {
    let all = marts()?;
    Ok(all.binary_search_by(|m| m.name.as_str().cmp(name)).ok().and_then(|i| all.get(i)))
}

fn load() -> Result<Vec<Mart>> {
    let read = |stem: String| {
        let (sql, meta) = sql_and_meta::<Marts, _>("sql/marts", &stem)?;
        let not_filed = || Error::internal(format!("sql/marts/{stem} is not in a folder"));
        let (area, name) = stem.split_once('/').ok_or_else(not_filed)?;
        Ok(Mart { name: name.to_owned(), area: area.to_owned(), sql, meta })
    };
    let mut all = stems::<Marts>(".sql").map(read).collect::<Result<Vec<Mart>>>()?;
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// The files of a folder with that ending, without it, in order.
fn stems<F: RustEmbed>(ending: &str) -> impl Iterator<Item = String> {
    let mut all: Vec<String> = F::iter().filter_map(|p| Some(p.strip_suffix(ending)?.to_owned())).collect();
    all.sort();
    all.into_iter()
}

/// A query and what the TOML beside it says.
fn sql_and_meta<F: RustEmbed, M: DeserializeOwned>(folder: &str, stem: &str) -> Result<(String, M)> {
    let (sql, meta) = meta_with_sql::<F, M>(folder, stem)?;
    Ok((sql.ok_or_else(|| Error::internal(format!("{folder}/{stem}: there is no .sql")))?, meta))
}

/// What a TOML says, and the query beside it if there is one.
fn meta_with_sql<F: RustEmbed, M: DeserializeOwned>(folder: &str, stem: &str) -> Result<(Option<String>, M)> {
    let wrong = |why: String| Error::internal(format!("{folder}/{stem}: {why}"));
    let text = |ending: &str| -> Result<Option<String>> {
        let file = F::get(&format!("{stem}.{ending}"));
        file.map(|f| String::from_utf8(f.data.into_owned())).transpose().map_err(|e| wrong(e.to_string()))
    };
    let toml = text("toml")?.ok_or_else(|| wrong("there is no .toml".to_owned()))?;
    Ok((text("sql")?, toml::from_str(&toml).map_err(|e| wrong(e.to_string()))?))
}
