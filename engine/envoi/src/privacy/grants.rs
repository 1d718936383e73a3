//! Grants: which tables a role may name, and which of their rows and columns there are for it.
//!
//! Names are looked at where somebody writes them: a mart may read tables that its reader may
//! not name, as views of PostgreSQL do. Rows and columns are taken away where a table is found,
//! so they are gone below every mart, CTE and subquery too: a query gives what it would give
//! over a copy of the lake without them.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};

/// What of the lake there is for a role. The default: all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// The only schemas whose tables may be named; `None`: every one.
    pub schemas: Option<BTreeSet<String>>,
    /// The only tables that may be named, as `schema.table`; `None`: every one. Where `schemas`
    /// is given too, a table of either may be named.
    pub tables: Option<BTreeSet<String>>,
    /// Columns that are not there, by `schema.table`.
    pub denied: BTreeMap<String, BTreeSet<String>>,
    /// Conditions that rows must meet to be there, in SQL over the columns of the table, by `schema.table`.
    pub rows: BTreeMap<String, String>,
}

impl Grants {
    /// Whether nothing is kept from the role.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a table may be named.
    pub fn allows(&self, schema: &str, table: &str) -> bool {
        let named = |names: &BTreeSet<String>| names.contains(&format!("{schema}.{table}"));
        match (&self.schemas, &self.tables) {
            (None, None) => true,
            (schemas, tables) => {
                schemas.as_ref().is_some_and(|s| s.contains(schema)) || tables.as_ref().is_some_and(named)
            }
        }
    }

    /// Whether a column of a table is there.
    pub fn has_column(&self, schema: &str, table: &str, column: &str) -> bool {
        self.denied.get(&format!("{schema}.{table}")).is_none_or(|denied| !denied.contains(column))
    }

    /// The condition of a table's rows.
    pub fn condition(&self, schema: &str, table: &str) -> Option<&str> {
        self.rows.get(&format!("{schema}.{table}")).map(String::as_str)
    }

    /// What is taken from a table; `None` where nothing is.
    pub(crate) fn of(&self, schema: &str, table: &str) -> Option<Kept> {
        let name = format!("{schema}.{table}");
        let kept =
            Kept { denied: self.denied.get(&name).cloned().unwrap_or_default(), rows: self.rows.get(&name).cloned() };
        (kept.rows.is_some() || !kept.denied.is_empty()).then_some(kept)
    }

    /// Whether rows or columns of a table, `schema.table`, are kept from the role.
    pub(crate) fn keeps_from(&self, table: &str) -> bool {
        self.rows.contains_key(table) || self.denied.contains_key(table)
    }

    /// # Errors
    /// The table may not be named.
    pub(crate) fn check(&self, schema: &str, table: &str) -> Result<()> {
        if self.allows(schema, table) {
            return Ok(());
        }
        Err(Error::user(format!("permission denied for table `{schema}.{table}`"))
            .with_hint("`\\dt *.*` lists the tables there are; the owner of the server grants others"))
    }

    /// Every table that something is said of, as `schema.table`.
    pub(crate) fn named(&self) -> impl Iterator<Item = &str> {
        let tables = self.tables.iter().flatten();
        tables.chain(self.denied.keys()).chain(self.rows.keys()).map(String::as_str)
    }
}

/// What is kept of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) denied: BTreeSet<String>,
    pub(crate) rows: Option<String>,
}
