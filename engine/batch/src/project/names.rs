//! What a name in a query means.

use std::collections::{BTreeMap, BTreeSet};

use envoi::Named;
use envoi::lake::{Manifest, tables};
use envoi::library;

use crate::hint::hint;

/// Everything that a query may name beside the models of its project.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    marts: BTreeSet<String>,
    lake: BTreeSet<String>,
    staging: BTreeSet<String>,
    published: BTreeSet<String>,
}

/// What a name means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A model, of the project or published.
    Model(String),
    /// Another table.
    Table(String),
    /// A file, a function, or what the planner has to find out.
    Other,
    /// Nothing; what would work.
    Nothing(String),
}

impl Names {
    pub(crate) fn of(manifest: &Manifest) -> envoi::Result<Self> {
        Ok(Self {
            marts: library::marts()?.iter().map(|m| m.name.clone()).collect(),
            lake: tables::TABLES.iter().map(|t| t.name.to_owned()).collect(),
            staging: manifest.files.iter().filter(|f| f.schema == "staging").map(|f| f.table.clone()).collect(),
            published: manifest.models.iter().map(|m| m.name.clone()).collect(),
        })
    }

    /// The schema of a table that is not a model.
    pub(crate) fn schema(&self, name: &str) -> Option<&'static str> {
        match () {
            () if self.marts.contains(name) => Some("mart"),
            () if self.lake.contains(name) => Some("lake"),
            () => None,
        }
    }

    /// Schemas by table, for templates.
    pub(crate) fn schemas(&self) -> BTreeMap<String, &'static str> {
        let lake = self.lake.iter().map(|n| (n.clone(), "lake"));
        lake.chain(self.marts.iter().map(|n| (n.clone(), "mart"))).collect()
    }

    pub(crate) fn meaning(&self, named: &Named, models: &BTreeSet<String>) -> Meaning {
        let parts: Vec<&str> = named.parts.iter().map(String::as_str).collect();
        let parts = parts.strip_prefix(&["envoi"]).unwrap_or(&parts);
        let is_model = |name: &str| models.contains(name) || self.published.contains(name);
        match parts {
            [name] if named.call => match self.schema(name) {
                _ if models.contains(*name) => Meaning::Model((*name).to_owned()),
                _ => Meaning::Other,
            },
            [name] => match self.schema(name) {
                Some(schema) => Meaning::Table(format!("{schema}.{name}")),
                None if is_model(name) => Meaning::Model((*name).to_owned()),
                None if name.contains(['.', '/', '*', '(', '\\']) => Meaning::Other,
                None => Meaning::Nothing(format!(
                    "there is no model or table `{name}`{}",
                    hint(name, self.all(models), "`envoi lake tables` and the files of the project are what there is")
                )),
            },
            ["model", name] if is_model(name) => Meaning::Model((*name).to_owned()),
            ["model", name] => {
                let known = models.iter().chain(&self.published).map(String::as_str);
                Meaning::Nothing(format!("there is no model `{name}`{}", hint(name, known, "")))
            }
            [schema @ ("mart" | "lake" | "staging"), name] => {
                let known = match *schema {
                    "mart" => &self.marts,
                    "lake" => &self.lake,
                    _ => &self.staging,
                };
                if known.contains(*name) {
                    return Meaning::Table(format!("{schema}.{name}"));
                }
                let near = hint(name, known.iter().map(String::as_str), "");
                Meaning::Nothing(format!("there is no table `{schema}.{name}`{near}"))
            }
            _ => Meaning::Other,
        }
    }

    fn all<'a>(&'a self, models: &'a BTreeSet<String>) -> impl Iterator<Item = &'a str> {
        let all = models.iter().chain(&self.marts).chain(&self.lake).chain(&self.published);
        all.map(String::as_str)
    }
}
