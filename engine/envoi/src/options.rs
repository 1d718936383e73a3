//! Settings of one session: `SET envoi.… = …`.

use std::any::Any;

use chrono::NaiveDate;
use datafusion::common::DataFusionError;
use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};

use crate::error::{Error, nearest};

/// What a session sees of the lake.
#[derive(Debug, Clone, Default)]
pub struct EnvoiOptions {
    /// `envoi.as_of`: of each dataset the newest edition not later than this.
    pub as_of: Option<NaiveDate>,
    /// `envoi.lake_version`: this version of the lake instead of the newest.
    pub lake_version: Option<u64>,
}

/// Names as in `SHOW`, which asks for them with the prefix.
const KEYS: [(&str, &str); 2] = [
    ("envoi.as_of", "see the newest editions not later than this date; empty: the newest"),
    ("envoi.lake_version", "read this version of the lake; empty: the newest"),
];

impl EnvoiOptions {
    fn value(&self, key: &str) -> Option<String> {
        match key {
            "envoi.as_of" => self.as_of.map(|d| d.to_string()),
            _ => self.lake_version.map(|v| v.to_string()),
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
            "as_of" => {
                self.as_of =
                    crate::config::date(value).map_err(|why| Error::user(format!("setting `envoi.as_of`: {why}")))?;
            }
            "lake_version" if value.is_empty() => self.lake_version = None,
            "lake_version" => {
                let number = value.parse().map_err(|_| {
                    Error::user(format!("setting `envoi.lake_version` cannot be `{value}`; expected a whole number"))
                })?;
                self.lake_version = Some(number);
            }
            other => {
                let error = Error::user(format!("unknown setting `envoi.{other}`"));
                let near = nearest(other, KEYS.iter().filter_map(|(k, _)| k.strip_prefix("envoi.")));
                return Err(error.with_hint(match near {
                    Some(near) => format!("did you mean `envoi.{near}`?"),
                    None => "there are `envoi.as_of` and `envoi.lake_version`".to_owned(),
                }))?;
            }
        }
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        KEYS.iter()
            .map(|(key, description)| ConfigEntry { key: (*key).to_owned(), value: self.value(key), description })
            .collect()
    }
}
