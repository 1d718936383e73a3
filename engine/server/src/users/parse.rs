//! The text of a users file, checked key by key, so that an error can name its line.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{User, UsersError, check_name};

/// All keys of a user, as errors list them.
const KEYS: &str = "verifier, schemas, tables, deny_columns, row_filter, min_households, max_share, order_factor, \
                    near_same_queries, cells, failures, operator";

/// Users by name.
pub(super) fn users(path: &Path, text: &str) -> Result<BTreeMap<String, User>, UsersError> {
    let mut users = BTreeMap::new();
    for (key, value) in table(path, text)?.get_ref() {
        let at = key.span().start;
        if key.get_ref() != "user" {
            let what = format!("unknown key `{}`; expected sections `[user.NAME]`", key.get_ref().escape_debug());
            return Err(UsersError::wrong(path, text, at, what));
        }
        let DeValue::Table(entries) = value.get_ref() else {
            return Err(UsersError::wrong(path, text, at, "`user` is not a table; expected sections `[user.NAME]`"));
        };
        for (name, value) in entries {
            let at = name.span().start;
            let wrong = |what: String| UsersError::wrong(path, text, at, what);
            check_name(name.get_ref()).map_err(|error| wrong(error.to_string()))?;
            let DeValue::Table(keys) = value.get_ref() else {
                return Err(wrong(format!(
                    "user `{0}` is not a table; expected a section `[user.{0}]`",
                    name.get_ref()
                )));
            };
            users.insert(name.get_ref().to_string(), Reader { path, text, name: name.get_ref() }.user(at, keys)?);
        }
    }
    Ok(users)
}

/// The text as TOML.
pub(super) fn table<'t>(path: &Path, text: &'t str) -> Result<Spanned<DeTable<'t>>, UsersError> {
    DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        UsersError::wrong(path, text, at, error.message().replace('\n', ", "))
    })
}

/// Reads the keys of one user.
struct Reader<'t> {
    path: &'t Path,
    text: &'t str,
    name: &'t str,
}

type Value<'t> = Spanned<DeValue<'t>>;

impl Reader<'_> {
    fn user(&self, at: usize, keys: &DeTable<'_>) -> Result<User, UsersError> {
        let verifier = match keys.get("verifier") {
            // What stands here may be a password, so that no error shows it.
            Some(value) => {
                let text = value.get_ref().as_str().ok_or_else(|| self.wrong(value, "`verifier` is not a string"))?;
                text.parse().map_err(|error| self.wrong(value, &format!("`verifier`: {error}")))?
            }
            None => {
                let what = format!("user `{0}` has no `verifier`; `envoi user add {0}` sets it", self.name);
                return Err(UsersError::wrong(self.path, self.text, at, what));
            }
        };
        let mut user = User {
            name: self.name.to_owned(),
            verifier,
            schemas: None,
            tables: None,
            deny_columns: Vec::new(),
            row_filter: BTreeMap::new(),
            rules: envoi::DisclosureRules::default(),
            operator: false,
        };
        for (spanned, value) in keys {
            let key: &str = spanned.get_ref();
            match key {
                "verifier" => {}
                "schemas" => user.schemas = Some(self.names(key, value, "schema")?),
                "tables" => user.tables = Some(self.names(key, value, "schema.table")?),
                "deny_columns" => user.deny_columns = self.names(key, value, "schema.table.column")?,
                "row_filter" => user.row_filter = self.row_filter(value)?,
                "min_households" => user.rules.min_households = self.whole(key, value, 2)?,
                "max_share" => user.rules.max_share = self.share(key, value)?,
                "order_factor" => user.rules.order_factor = self.whole(key, value, 1)?,
                "near_same_queries" => user.rules.near_same_queries = self.whole(key, value, 0)?,
                "cells" => user.rules.cells = self.whole(key, value, 0)?,
                "failures" => user.rules.failures = self.whole(key, value, 0)?,
                "operator" => match value.get_ref() {
                    DeValue::Boolean(operator) => user.operator = *operator,
                    _ => return Err(self.expected(key, value, "true or false")),
                },
                _ => {
                    let what =
                        format!("user `{}`: unknown key `{}`; expected one of {KEYS}", self.name, key.escape_debug());
                    return Err(UsersError::wrong(self.path, self.text, spanned.span().start, what));
                }
            }
        }
        Ok(user)
    }

    fn wrong(&self, value: &Value<'_>, what: &str) -> UsersError {
        UsersError::wrong(self.path, self.text, value.span().start, format!("user `{}`: {what}", self.name))
    }

    fn expected(&self, key: &str, value: &Value<'_>, expected: &str) -> UsersError {
        let found = self.text.get(value.span()).unwrap_or_default();
        let found: String = found.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.wrong(value, &format!("`{key}` is {found}, expected {expected}"))
    }

    /// Names with as many parts as the pattern has.
    fn names(&self, key: &str, value: &Value<'_>, pattern: &str) -> Result<Vec<String>, UsersError> {
        let expected = format!("a list of names, each as \"{pattern}\"");
        let Some(entries) = value.get_ref().as_array() else { return Err(self.expected(key, value, &expected)) };
        let checked = entries.iter().map(|entry| match entry.get_ref().as_str() {
            Some(name) if is_name(name, pattern) => Ok(name.to_owned()),
            _ => Err(self.expected(key, entry, &expected)),
        });
        checked.collect()
    }

    fn row_filter(&self, value: &Value<'_>) -> Result<BTreeMap<String, String>, UsersError> {
        let expected = "a table of conditions by \"schema.table\"";
        let Some(entries) = value.get_ref().as_table() else {
            return Err(self.expected("row_filter", value, expected));
        };
        let checked = entries.iter().map(|(table, condition)| match condition.get_ref().as_str() {
            Some(sql) if is_name(table.get_ref(), "schema.table") && !sql.trim().is_empty() => {
                Ok((table.get_ref().to_string(), sql.to_owned()))
            }
            _ => {
                let key = format!("row_filter.\"{}\"", table.get_ref().escape_debug());
                Err(self.expected(&key, condition, expected))
            }
        });
        checked.collect()
    }

    fn whole<T: TryFrom<u64>>(&self, key: &str, value: &Value<'_>, least: u64) -> Result<T, UsersError> {
        let number = value.get_ref().as_integer().and_then(|n| u64::from_str_radix(n.as_str(), n.radix()).ok());
        number
            .filter(|&number| number >= least)
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| self.expected(key, value, &format!("a whole number, {least} or more")))
    }

    fn share(&self, key: &str, value: &Value<'_>) -> Result<f64, UsersError> {
        let number = match value.get_ref() {
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse::<f64>().ok(),
            _ => None,
        };
        number
            .filter(|&share| share > 0.0 && share <= 1.0)
            .ok_or_else(|| self.expected(key, value, "a number above 0, up to 1"))
    }
}

/// Whether a name has the parts of the pattern. A restriction whose name can never be a
/// table's would restrict nothing, in silence.
fn is_name(name: &str, pattern: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"');
    name.split('.').all(part) && name.split('.').count() == pattern.split('.').count()
}
