//! Table functions of the SQL library: queries of `sql/functions` with arguments.

use std::sync::OnceLock;

use rust_embed::RustEmbed;
use serde::Deserialize;

use crate::error::{Error, Result};

#[derive(RustEmbed)]
#[folder = "../../sql/functions"]
struct Files;

/// A query with arguments, called as `select * from name(…)`.
#[derive(Debug)]
pub struct TableFunction {
    /// Name.
    pub name: String,
    /// The query, with `$argument` where an argument stands.
    pub sql: String,
    /// What it does.
    pub meta: FunctionMeta,
}

/// What a function's TOML says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionMeta {
    /// What the rows are, with NULL and empty behaviour.
    pub description: String,
    /// A call.
    pub example: String,
    /// The arguments in order.
    pub argument: Vec<Argument>,
}

/// An argument.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Argument {
    /// Name.
    pub name: String,
    /// What may be given.
    pub kind: ArgumentKind,
    /// What it means.
    pub description: String,
    /// Taken where it is left out; without one the argument must be given.
    pub default: Option<String>,
}

/// What may be given as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArgumentKind {
    /// Any text.
    Text,
    /// A date.
    Day,
}

impl TableFunction {
    /// `revision(indicator, old, new)`.
    pub fn signature(&self) -> String {
        let names: Vec<String> = self
            .meta
            .argument
            .iter()
            .map(|a| if a.default.is_some() { format!("[{}]", a.name) } else { a.name.clone() })
            .collect();
        format!("{}({})", self.name, names.join(", "))
    }
}

/// All table functions, sorted by name. They are part of the program: an error is a bug of ours.
pub fn functions() -> Result<&'static [TableFunction]> {
    static ALL: OnceLock<Result<Vec<TableFunction>>> = OnceLock::new();
    ALL.get_or_init(load).as_ref().map(Vec::as_slice).map_err(Clone::clone)
}

fn load() -> Result<Vec<TableFunction>> {
    let mut all = Vec::new();
    for path in Files::iter().filter(|p| p.ends_with(".sql")) {
        let name = path.trim_end_matches(".sql").to_owned();
        let wrong = |why: String| Error::internal(format!("sql/functions/{name}: {why}"));
        let text = |path: &str| -> Result<String> {
            let file = Files::get(path).ok_or_else(|| wrong(format!("there is no {path}")))?;
            String::from_utf8(file.data.into_owned()).map_err(|e| wrong(e.to_string()))
        };
        let meta: FunctionMeta = toml::from_str(&text(&format!("{name}.toml"))?).map_err(|e| wrong(e.to_string()))?;
        let sql = text(&path)?;
        all.push(TableFunction { name, sql, meta });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}
