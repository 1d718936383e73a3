//! What the catalogue is filled from: the engine's relations, and the server that shows them.

use std::sync::Arc;

use arrow::datatypes::{Field, SchemaRef};

/// A table or view of the engine.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    pub(crate) schema: String,
    pub(crate) name: String,
    /// Whether it is a view; a table otherwise.
    pub(crate) view: bool,
    pub(crate) description: Option<String>,
    /// Fields may have the metadata `description`, `unit`, `source` and `licence`.
    pub(crate) columns: SchemaRef,
    /// Columns of the primary key; empty without one.
    pub(crate) key: Vec<String>,
    pub(crate) references: Vec<Reference>,
    /// Rows, where they are known without counting.
    pub(crate) rows: Option<u64>,
    /// The query of a view.
    pub(crate) definition: Option<String>,
}

/// Columns whose values are keys of another relation.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) columns: Vec<String>,
    pub(crate) schema: String,
    pub(crate) table: String,
    /// Columns of that relation, as many as `columns`.
    pub(crate) to: Vec<String>,
}

/// The server as a session of it sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Server {
    pub(crate) database: String,
    /// Names of roles; the first one owns everything.
    pub(crate) users: Vec<String>,
    pub(crate) current_user: String,
    /// As `server_version`: "15.18 (envoi 0.1.0)".
    pub(crate) version: String,
    /// Process id of the session.
    pub(crate) pid: i32,
    /// Start of the server, in microseconds since 1970.
    pub(crate) started: i64,
    pub(crate) activity: Vec<Activity>,
    pub(crate) functions: Arc<Vec<Function>>,
    /// Settings whose values the server decides; the rest have PostgreSQL's defaults.
    pub(crate) settings: Vec<(String, String)>,
}

/// A connection; times are microseconds since 1970.
#[derive(Debug, Clone, Default)]
pub(crate) struct Activity {
    pub(crate) pid: i32,
    pub(crate) user: String,
    pub(crate) application: String,
    /// Address of the client; `None` for a local socket.
    pub(crate) address: Option<String>,
    pub(crate) backend_start: i64,
    pub(crate) xact_start: Option<i64>,
    pub(crate) query_start: Option<i64>,
    pub(crate) state_change: Option<i64>,
    /// `active`, `idle`, `idle in transaction` or `idle in transaction (aborted)`.
    pub(crate) state: String,
    pub(crate) query: String,
}

/// A function of the engine.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// As `prokind`: `f`, `a` of aggregates, `w` of windows.
    pub(crate) kind: char,
    /// Types that it can be called with, as a PostgreSQL sees them.
    pub(crate) arguments: Vec<Field>,
    pub(crate) result: Field,
    pub(crate) description: String,
}
