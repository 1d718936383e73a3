//! The users file: who may log in, and what each may read.
//!
//! ```toml
//! [user.anna]
//! verifier = "SCRAM-SHA-256$4096:...$...:..."
//! # the rest is optional
//! schemas = ["mart"]
//! tables = ["mart.remittance_vs_oda", "lake.country"]
//! deny_columns = ["lake.household.consumption"]
//! row_filter = { "lake.observation" = "iso3 = 'MEX'" }
//! min_households = 10
//! operator = false
//! ```

mod edit;
mod error;
mod file;
mod parse;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use envoi::{DisclosureRules, Grants};

pub use crate::pg::Verifier;
pub use error::UsersError;

/// Somebody who may log in.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct User {
    /// The name that the client gives.
    pub name: String,
    /// What is kept of the password.
    pub verifier: Verifier,
    /// The only schemas that may be read; `None`: no restriction, empty: none.
    pub schemas: Option<Vec<String>>,
    /// The only tables that may be read, as `schema.table`; `None`: no restriction, empty: none.
    pub tables: Option<Vec<String>>,
    /// Columns that may not be read, as `schema.table.column`.
    pub deny_columns: Vec<String>,
    /// Conditions in SQL, not looked at here but by [`envoi::SessionFactory::check`], that rows must meet, by `schema.table`.
    pub row_filter: BTreeMap<String, String>,
    /// When cells of microdata are shown; what the file does not say is as by default.
    pub rules: DisclosureRules,
    /// Whether the user may cancel and terminate the queries of others.
    pub operator: bool,
}

impl User {
    /// What of the lake there is for the user.
    pub fn grants(&self) -> Grants {
        let mut denied: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for name in &self.deny_columns {
            if let Some((table, column)) = name.rsplit_once('.') {
                denied.entry(table.to_owned()).or_default().insert(column.to_owned());
            }
        }
        let set = |names: &Option<Vec<String>>| names.as_ref().map(|names| names.iter().cloned().collect());
        Grants { schemas: set(&self.schemas), tables: set(&self.tables), denied, rows: self.row_filter.clone() }
    }
}

/// Who may log in.
#[derive(Debug, Clone, PartialEq)]
pub struct Users {
    path: PathBuf,
    users: BTreeMap<String, User>,
}

impl Users {
    /// Reads a users file. An empty file has no users.
    ///
    /// # Errors
    /// No such file; one that others than its owner may read; what is not as this module
    /// describes it, with the line, the user and the key.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, UsersError> {
        let path = path.as_ref();
        let users = parse::users(path, &file::read(path)?.text)?;
        Ok(Self { path: path.to_owned(), users })
    }

    /// The file that they come from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A user by name; upper and lower case differ.
    pub fn find(&self, name: &str) -> Option<&User> {
        self.users.get(name)
    }

    /// All users in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// Whether nobody may log in.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Adds a user to the file, or gives one that is in it another password; makes the file
    /// where there is none. Everything else in it stays as it is. Returns whether the user is new.
    ///
    /// # Errors
    /// A name that is none; a file that cannot be read, written, or that would not load
    /// afterwards: then it is left as it was.
    pub fn add(path: impl AsRef<Path>, name: &str, verifier: &Verifier) -> Result<bool, UsersError> {
        let path = path.as_ref();
        check_name(name)?;
        let _held = file::hold(path);
        let before = match file::read(path) {
            Err(UsersError::Missing { .. }) => None,
            found => Some(found?),
        };
        let text = before.as_ref().map_or("", |before| &before.text);
        let (text, new) = edit::with(path, text, name, verifier)?;
        let after = parse::users(path, &text)?;
        if after.get(name).is_none_or(|user| user.verifier != *verifier) {
            return Err(UsersError::by_hand(path, name, "set its `verifier`"));
        }
        file::write(path, &text, before.as_ref())?;
        Ok(new)
    }

    /// Takes a user's sections out of the file. Everything else in it stays as it is, comments included.
    ///
    /// # Errors
    /// No such user or file; a user who is not written as a section `[user.NAME]`; a file that
    /// cannot be read, written, or that would not load afterwards: then it is left as it was.
    pub fn remove(path: impl AsRef<Path>, name: &str) -> Result<(), UsersError> {
        let path = path.as_ref();
        let _held = file::hold(path);
        let before = file::read(path)?;
        let text = edit::without(path, &before.text, name)?;
        if parse::users(path, &text)?.contains_key(name) {
            return Err(UsersError::by_hand(path, name, "take it out"));
        }
        file::write(path, &text, Some(&before))
    }
}

/// Names are `[A-Za-z_][A-Za-z0-9_.-]{0,62}`: what PostgreSQL's clients can say, and a line of a log shows as it is.
fn check_name(name: &str) -> Result<(), UsersError> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if first && name.len() <= 63 && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
        return Ok(());
    }
    Err(UsersError::Name { name: name.to_owned() })
}
