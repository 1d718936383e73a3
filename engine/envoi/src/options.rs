//! Settings of one session: `SET envoi.… = …`.

use std::any::Any;

use chrono::NaiveDate;
use datafusion::common::DataFusionError;
use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};

use crate::conventions::{CONVENTIONS, Conventions, convention};
use crate::error::{Error, nearest};

/// What a session sees of the lake, and how it measures families.
#[derive(Debug, Clone, Default)]
pub struct EnvoiOptions {
    /// `envoi.as_of`: of each dataset the newest edition not later than this.
    pub as_of: Option<NaiveDate>,
    /// `envoi.lake_version`: this version of the lake instead of the newest.
    pub lake_version: Option<u64>,
    /// `envoi.poverty_line` and its kin.
    pub conventions: Conventions,
}

const AS_OF: &str = "as_of";
const LAKE_VERSION: &str = "lake_version";

/// Names with what they mean.
fn keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        (AS_OF, "see the newest editions not later than this date; empty: the newest"),
        (LAKE_VERSION, "read this version of the lake; empty: the newest"),
    ]
    .into_iter()
    .chain(CONVENTIONS.iter().map(|c| (c.name, c.description)))
}

impl EnvoiOptions {
    fn value(&self, key: &str) -> Option<String> {
        match key {
            AS_OF => self.as_of.map(|d| d.to_string()),
            LAKE_VERSION => self.lake_version.map(|v| v.to_string()),
            key => convention(key).map(|c| self.conventions.get(c).to_owned()),
        }
    }
}

impl ConfigExtension for EnvoiOptions {
    const PREFIX: &'static str = "envoi";
}

impl ExtensionOptions for EnvoiOptions {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), DataFusionError> {
        let value = value.trim();
        match key {
            AS_OF => {
                self.as_of =
                    crate::config::date(value).map_err(|why| Error::user(format!("setting `envoi.as_of`: {why}")))?;
            }
            LAKE_VERSION if value.is_empty() => self.lake_version = None,
            LAKE_VERSION => {
                let number = value.parse().map_err(|_| {
                    Error::user(format!("setting `envoi.lake_version` cannot be `{value}`; expected a whole number"))
                })?;
                self.lake_version = Some(number);
            }
            other => match convention(other) {
                Some(convention) => self
                    .conventions
                    .set(convention, value)
                    .map_err(|why| Error::user(format!("setting {}", why.replacen('`', "`envoi.", 1))))?,
                None => {
                    let error = Error::user(format!("unknown setting `envoi.{other}`"));
                    return Err(error.with_hint(match nearest(other, keys().map(|(k, _)| k)) {
                        Some(near) => format!("did you mean `envoi.{near}`?"),
                        None => {
                            let known: Vec<String> = keys().map(|(k, _)| format!("`envoi.{k}`")).collect();
                            format!("there are {}", known.join(", "))
                        }
                    }))?;
                }
            },
        }
        Ok(())
    }

    /// Names as in `SHOW`, which asks for them with the prefix.
    fn entries(&self) -> Vec<ConfigEntry> {
        keys()
            .map(|(key, description)| ConfigEntry { key: format!("envoi.{key}"), value: self.value(key), description })
            .collect()
    }
}
