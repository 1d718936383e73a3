//! Table functions of the SQL library: described in `sql/functions`, each with a query or an operator behind it.

use std::sync::OnceLock;

use rust_embed::RustEmbed;
use serde::Deserialize;

use super::{meta_with_sql, stems};
use crate::conventions::{Convention, convention};
use crate::error::{Error, Result};

#[derive(RustEmbed)]
#[folder = "../../sql/functions"]
struct Files;

/// A table with arguments, called as `select * from name(…)`.
#[derive(Debug)]
pub struct TableFunction {
    /// Name.
    pub name: String,
    /// The query, with `$argument` where an argument stands; without one the rows are computed.
    pub sql: Option<String>,
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
    /// Whether its rows are computed once for all calls of a statement with the same arguments: few
    /// rows that cost much. No condition of the statement goes below then.
    #[serde(default)]
    pub shared: bool,
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
    /// What it means; of a convention that says it itself.
    #[serde(default)]
    pub description: String,
    /// All that may be given; empty: anything of its kind.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Taken where it is left out, as SQL; without one the argument must be given.
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
    /// A number.
    Number,
    /// A column of a table argument, by name.
    Column,
    /// A table by name, or a query in brackets. Its columns count by position.
    Table,
    /// How families are measured; left out, what the session has set.
    Convention,
}

impl Argument {
    /// The convention that it is, if it is one.
    pub fn convention(&self) -> Option<&'static Convention> {
        convention(&self.name).filter(|_| self.kind == ArgumentKind::Convention)
    }

    /// What it means.
    pub fn meaning(&self) -> &str {
        self.convention().map_or(&self.description, |c| c.description)
    }
}

/// `revision(indicator, old, new)`.
pub fn signature(name: &str, arguments: &[Argument]) -> String {
    let optional = |a: &Argument| a.default.is_some() || a.kind == ArgumentKind::Convention;
    let shown = |a: &Argument| if optional(a) { format!("[{}]", a.name) } else { a.name.clone() };
    format!("{name}({})", arguments.iter().map(shown).collect::<Vec<_>>().join(", "))
}

/// An error of a call: what the function does or lacks, and how it is called.
pub(crate) fn wrong_call(name: &str, arguments: &[Argument], why: &str) -> Error {
    Error::user(format!("`{name}` {why}")).with_hint(format!("call it as `{}`", signature(name, arguments)))
}

impl TableFunction {
    /// `revision(indicator, old, new)`.
    pub fn signature(&self) -> String {
        signature(&self.name, &self.meta.argument)
    }
}

/// All table functions, sorted by name. They are part of the program: an error is a bug of ours.
pub fn functions() -> Result<&'static [TableFunction]> {
    static ALL: OnceLock<Result<Vec<TableFunction>>> = OnceLock::new();
    let load = || {
        let read = |name: String| {
            let (sql, meta) = meta_with_sql::<Files, _>("sql/functions", &name)?;
            Ok(TableFunction { name, sql, meta })
        };
        stems::<Files>(".toml").map(read).collect()
    };
    ALL.get_or_init(load).as_ref().map(Vec::as_slice).map_err(Clone::clone)
}
