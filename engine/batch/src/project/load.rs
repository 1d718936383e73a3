//! From files to models: every problem of a project is found here, or when its queries are planned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use envoi::lake::Manifest;
use envoi::lake::lake::checksum;
use minijinja::value::Value;
use serde::de::DeserializeOwned;

use super::lines::located;
use super::names::Meaning;
use super::problem::Problem;
use super::template::{self, Scope};
use super::{Materialisation, Model, ModelConfig, Names, Project, ProjectConfig, Sources, TestFile};
use crate::graph;
use crate::hint::hint;

/// Beginning of a TOML that stands in the query's file.
const HEADER: &str = "/* toml";

/// What can be made of the files, and what is wrong with the rest.
pub(super) fn read(
    sources: &Sources,
    vars: &BTreeMap<String, String>,
    settings: &str,
    manifest: &Manifest,
) -> (Project, Vec<Problem>) {
    let mut broken = Vec::new();
    let names = Names::of(manifest).unwrap_or_else(|e| {
        broken.push(Problem::new(sources.label.clone(), e.to_string()));
        Names::default()
    });
    let mut reader = Reader { sources, problems: broken, names, settings, project: None };
    let config: ProjectConfig = match sources.files.get("project.toml") {
        Some(text) => reader.toml("project.toml", text, 0).unwrap_or_default(),
        None => ProjectConfig::default(),
    };
    reader.project.clone_from(&config.name);
    // Defaults are checked once, where they stand.
    if let Some(text) = sources.files.get("project.toml")
        && let Err(e) = ModelConfig::deserialize_table(&config.defaults)
    {
        let what = format!("in [defaults]: {}", said(&e));
        reader.problems.push(Problem::at("project.toml", text, text.find("[defaults]"), what));
    }
    let mut values: BTreeMap<String, Value> = config.vars.iter().map(|(k, v)| (k.clone(), super::value(v))).collect();
    values.extend(vars.iter().map(|(k, v)| (k.clone(), typed(v))));
    let mut models = reader.models(&config, &Arc::new(values));
    reader.unit_tests(&mut models);
    reader.orphans(&models);
    for path in graph::cycles(&models) {
        let file = path.first().and_then(|n| models.get(n)).map_or_else(String::new, |m| m.file.clone());
        let what = format!("these models read one another in a circle: {}", path.join(" -> "));
        reader.problems.push(Problem::new(file, what));
    }
    let models = models.into_iter().map(|(name, model)| (name, Arc::new(model))).collect();
    let folder = if sources.home.is_empty() { &sources.label } else { &sources.home };
    let identity = config.name.as_ref().unwrap_or(folder).clone();
    reader.problems.sort_by(|a, b| (&a.file, a.place).cmp(&(&b.file, b.place)));
    reader.problems.dedup();
    (Project { label: sources.label.clone(), identity, config, models }, reader.problems)
}

/// `--var year=2020` is a number, as in TOML.
fn typed(text: &str) -> Value {
    // A number that would be written otherwise is a code: `00012`, `1e5`.
    match text.parse::<i64>() {
        Ok(n) if n.to_string() == text => Value::from(n),
        _ => Value::from(text),
    }
}

impl ModelConfig {
    fn deserialize_table(table: &toml::Table) -> Result<Self, toml::de::Error> {
        table.clone().try_into()
    }
}

struct Reader<'a> {
    sources: &'a Sources,
    problems: Vec<Problem>,
    names: Names,
    settings: &'a str,
    /// The name that the project gives itself.
    project: Option<String>,
}

impl Reader<'_> {
    /// Reads a TOML; `skip` lines stand before it in its file.
    fn toml<T: DeserializeOwned>(&mut self, file: &str, text: &str, skip: usize) -> Option<T> {
        match toml::from_str(text) {
            Ok(found) => Some(found),
            Err(e) => {
                let mut problem = Problem::at(file, text, e.span().map(|s| s.start), said(&e));
                problem.place = problem.place.map(|(line, column)| (line + skip, column));
                self.problems.push(problem);
                None
            }
        }
    }

    fn models(&mut self, config: &ProjectConfig, vars: &Arc<BTreeMap<String, Value>>) -> BTreeMap<String, Model> {
        let files: Vec<(&String, &String)> = self.sources.files.iter().filter(|(f, _)| f.ends_with(".sql")).collect();
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for (file, _) in &files {
            let name = stem(file);
            if let Some(other) = known.insert(name.to_owned(), (*file).clone()) {
                let what = format!("model `{name}` is in `{other}` too; a name is one model's");
                self.problems.push(Problem::new(file.as_str(), what));
            }
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
                let what = format!("`{name}` is no name of a table; expected small letters, digits and `_`");
                self.problems.push(Problem::new(file.as_str(), what));
            }
            if let Some(schema) = self.names.schema(name) {
                let what = format!("`{name}` is a table of schema `{schema}`; a model needs a name of its own");
                self.problems.push(Problem::new(file.as_str(), what));
            }
        }
        let names: BTreeSet<String> = known.keys().cloned().collect();
        let schemas = Arc::new(self.names.schemas());
        let mut models = BTreeMap::new();
        for (file, text) in files {
            let scope = Scope { name: stem(file).to_owned(), vars: Arc::clone(vars), schemas: Arc::clone(&schemas) };
            let own = self.config(file, text, &config.defaults);
            let Some(model) = self.model(file, text, own, scope, &names) else { continue };
            models.insert(model.name.clone(), model);
        }
        models
    }

    /// What the TOML beside a query, or at its head, says, over the project's defaults.
    fn config(&mut self, file: &str, text: &str, defaults: &toml::Table) -> Option<ModelConfig> {
        let beside = format!("{}.toml", file.strip_suffix(".sql").unwrap_or(file));
        let head = header(text);
        let (file, toml, skip) = match (self.sources.files.get(&beside), head) {
            (Some(_), Some(_)) => {
                self.problems.push(Problem::new(file, format!("has a TOML at its head and one beside it, `{beside}`")));
                return None;
            }
            (Some(toml), None) => (beside.as_str(), toml.as_str(), 0),
            (None, Some(toml)) => (file, toml, 1),
            (None, None) => (file, "", 0),
        };
        // Read alone first, so that an error has its place.
        self.toml::<ModelConfig>(file, toml, skip)?;
        let own: toml::Table = self.toml(file, toml, skip)?;
        let mut all = defaults.clone();
        let tags = |table: &toml::Table| table.get("tags").and_then(|t| t.as_array()).cloned().unwrap_or_default();
        let mut both = tags(defaults);
        both.extend(tags(&own));
        all.extend(own);
        all.insert("tags".to_owned(), toml::Value::Array(both));
        // An error of the defaults is said already.
        ModelConfig::deserialize_table(&all).ok()
    }

    fn model(
        &mut self,
        file: &str,
        text: &str,
        config: Option<ModelConfig>,
        scope: Scope,
        names: &BTreeSet<String>,
    ) -> Option<Model> {
        let (compiled, lines) = match template::compiled(text, &scope) {
            Ok(compiled) => compiled,
            Err(wrong) => {
                let problem = Problem::new(file, wrong.what);
                let problem = wrong.line.map_or(problem.clone(), |line| problem.on(text, line, Some(1)));
                self.problems.push(problem);
                return None;
            }
        };
        let named = match envoi::named(&compiled) {
            Ok(named) => named,
            Err(e) => {
                self.problems.push(located(file, text, &compiled, lines.as_ref(), e.position(), e.to_string()));
                return None;
            }
        };
        let (mut reads, mut tables) = (BTreeSet::new(), BTreeSet::new());
        for name in &named {
            match self.names.meaning(name, names) {
                Meaning::Model(model) if names.contains(&model) => drop(reads.insert(model)),
                Meaning::Model(model) => drop(tables.insert(format!("model.{model}"))),
                Meaning::Table(table) => drop(tables.insert(table)),
                Meaning::Other => {}
                Meaning::Nothing(what) => {
                    self.problems.push(located(file, text, &compiled, lines.as_ref(), name.position, what));
                }
            }
        }
        let mut config = config?;
        let tested = self.tested(file, &scope.name, &config, names);
        let tested: BTreeSet<String> = tested
            .into_iter()
            .filter(|table| match table.strip_prefix("model.") {
                Some(model) => !reads.contains(model) && !tables.contains(table),
                None => !tables.contains(table),
            })
            .collect();
        let models = tested.iter().filter_map(|table| table.strip_prefix("model."));
        reads.extend(models.filter(|model| names.contains(*model)).map(str::to_owned));
        if let Some(target) = config.target.take() {
            let format = config.format.take().unwrap_or_else(|| "parquet".to_owned());
            let partitioned = !config.partition_by.is_empty();
            if target != "lake" {
                config.export.insert(0, super::Export { target, format, partitioned });
            }
        }
        for what in sensible(&config) {
            self.problems.push(Problem::new(file, what));
        }
        reads.extend(self.freshness(file, &mut config, names));
        let (query_hash, config_hash) = hashes(&compiled, &config, self.settings, self.project.as_deref());
        Some(Model {
            name: scope.name.clone(),
            file: file.to_owned(),
            text: text.to_owned(),
            compiled,
            lines,
            config,
            reads,
            tables,
            tested,
            query_hash,
            config_hash,
        })
    }

    /// Tables that tests read, beside the model itself.
    fn tested(&mut self, file: &str, model: &str, config: &ModelConfig, names: &BTreeSet<String>) -> BTreeSet<String> {
        let mut queries = Vec::new();
        for test in &config.test {
            if let Some(table) = test.row_count.as_ref().and_then(|c| c.same_as.as_ref()) {
                queries.push(format!("select * from {table}"));
            }
            if let Some((table, _)) = test.relationships.as_ref().and_then(|to| to.rsplit_once('.')) {
                queries.push(format!("select * from {table}"));
            }
            queries.extend(test.expression.as_ref().map(|e| format!("select 1 from model.{model} where ({e})")));
            if let Some(reconcile) = &test.reconcile {
                queries.push(reconcile.against.clone());
                queries.push(format!("select {} from model.{model}", reconcile.total));
            }
        }
        let mut found = BTreeSet::new();
        for sql in queries {
            let named = match envoi::named(&sql) {
                Ok(named) => named,
                Err(e) => {
                    self.problems.push(Problem::new(file, format!("[[test]] asks `{}`: {e}", sql.trim())));
                    continue;
                }
            };
            for name in &named {
                match self.names.meaning(name, names) {
                    Meaning::Model(other) if other == model => {}
                    Meaning::Model(other) => drop(found.insert(format!("model.{other}"))),
                    Meaning::Table(table) => drop(found.insert(table)),
                    Meaning::Other => {}
                    Meaning::Nothing(what) => self.problems.push(Problem::new(file, format!("[[test]]: {what}"))),
                }
            }
        }
        found
    }

    /// Puts the whole names of tables into what is said of their age; gives the models among them.
    fn freshness(&mut self, file: &str, config: &mut ModelConfig, names: &BTreeSet<String>) -> Vec<String> {
        let mut models = Vec::new();
        for fresh in &mut config.freshness {
            let mut wrong = |what: String| self.problems.push(Problem::new(file, format!("[[freshness]]: {what}")));
            let named = match envoi::named(&format!("select * from {}", fresh.table)) {
                Ok(named) => named,
                Err(_) => {
                    wrong(format!("`{}` is no name of a table", fresh.table));
                    continue;
                }
            };
            for name in &named {
                match self.names.meaning(name, names) {
                    Meaning::Table(table) if table.starts_with("mart.") => wrong(format!(
                        "`{table}` has no editions of its own; name the tables that it reads, such as `lake.observation`"
                    )),
                    Meaning::Table(table) => fresh.table = table,
                    Meaning::Model(model) => {
                        fresh.table = format!("model.{model}");
                        models.extend(names.contains(&model).then_some(model));
                    }
                    Meaning::Other => wrong(format!("`{}` is no table of the lake", fresh.table)),
                    Meaning::Nothing(what) => wrong(what),
                }
            }
        }
        models
    }

    /// Unit tests in `tests/`, which name their model.
    fn unit_tests(&mut self, models: &mut BTreeMap<String, Model>) {
        for (file, text) in &self.sources.files {
            if !file.starts_with("tests/") || !file.ends_with(".toml") {
                continue;
            }
            let Some(found) = self.toml::<TestFile>(file, text, 0) else { continue };
            for test in found.unit_test {
                let name = test.model.clone().unwrap_or_default();
                if let Some(model) = models.get_mut(&name) {
                    model.config.unit_test.push(test);
                    continue;
                }
                let near = hint(&name, models.keys().map(String::as_str), "");
                let what = format!("unit test `{}` is of model `{name}`, which there is not{near}", test.name);
                self.problems.push(Problem::new(file.as_str(), what));
            }
        }
    }

    /// A TOML without a query is a mistake in its name.
    fn orphans(&mut self, models: &BTreeMap<String, Model>) {
        const OTHERS: [&str; 2] = ["project.toml", "schedule.toml"];
        for file in self.sources.files.keys().filter(|f| f.ends_with(".toml")) {
            let sql = format!("{}.sql", file.strip_suffix(".toml").unwrap_or(file));
            if OTHERS.contains(&file.as_str()) || file.starts_with("tests/") || self.sources.files.contains_key(&sql) {
                continue;
            }
            let near = hint(stem(&sql), models.keys().map(String::as_str), "");
            self.problems.push(Problem::new(file.as_str(), format!("there is no `{sql}` beside it{near}")));
        }
    }
}

fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".sql").unwrap_or(name)
}

/// The TOML at the head of a query.
fn header(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(HEADER)?.split_once('\n')?.1;
    Some(rest.split_once("*/")?.0)
}

/// An error of TOML in our words: an unknown key with the one that was meant.
fn said(e: &toml::de::Error) -> String {
    let message = e.message().trim();
    let Some(rest) = message.strip_prefix("unknown field `") else { return message.replace('\n', " ") };
    let (key, rest) = rest.split_once('`').unwrap_or((rest, ""));
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let otherwise = format!("there are `{}`", known.join("`, `"));
    format!("unknown key `{key}`{}", hint(key, known.into_iter(), &otherwise))
}

/// What does not go together in a TOML.
fn sensible(config: &ModelConfig) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut need = |is: bool, what: &str| {
        if !is {
            wrong.push(what.to_owned());
        }
    };
    let kind = config.materialisation;
    match (kind, &config.incremental) {
        (Materialisation::Incremental, None) => {
            need(false, "an incremental model needs [incremental] with `input`, and `time` or `key`");
        }
        (Materialisation::Incremental, Some(i)) => {
            need(i.time.is_some() == i.key.is_empty(), "[incremental] needs one of `time` and `key`");
            need(i.granularity().is_some(), "`every` is one of `day`, `week`, `month`, `quarter`, `year`");
            need(
                config.partition_by.is_empty(),
                "an incremental model is partitioned by its time, not by `partition_by`",
            );
        }
        (_, Some(_)) => need(false, "[incremental] needs `materialisation = \"incremental\"`"),
        _ => {}
    }
    match (kind, &config.snapshot) {
        (Materialisation::Snapshot, None) => need(false, "a snapshot needs [snapshot] with `key`"),
        (Materialisation::Snapshot, Some(s)) => {
            need(!s.key.is_empty(), "[snapshot] needs `key`, the columns that identify a row");
            need(s.check.is_empty() || s.updated_at.is_none(), "[snapshot] needs one of `check` and `updated_at`");
            need(config.partition_by.is_empty(), "a snapshot is not partitioned");
        }
        (_, Some(_)) => need(false, "[snapshot] needs `materialisation = \"snapshot\"`"),
        _ => {}
    }
    if kind == Materialisation::View {
        need(config.sort.is_empty() && config.partition_by.is_empty(), "a view has no rows to sort or partition");
    }
    if let Some(Err(why)) = config.memory.as_deref().map(super::bytes) {
        wrong.push(format!("`memory`: {why}"));
    }
    const FORMATS: [&str; 6] = ["parquet", "csv", "tsv", "json", "ndjson", "xlsx"];
    for export in &config.export {
        if !FORMATS.contains(&export.format.as_str()) {
            let near = hint(&export.format, FORMATS.into_iter(), "there are parquet, csv, tsv, json, ndjson, xlsx");
            wrong.push(format!("unknown format `{}`{near}", export.format));
        }
    }
    let mut places = BTreeSet::new();
    for export in config.export.iter().filter(|e| !places.insert((&e.target, &e.format))) {
        wrong.push(format!("two exports go to `{}` as {}", export.target, export.format));
    }
    for test in &config.test {
        let kinds = [
            !test.not_null.is_empty(),
            !test.unique.is_empty(),
            !test.accepted_values.is_empty(),
            test.expression.is_some(),
            test.relationships.is_some(),
            test.row_count.is_some(),
            test.reconcile.is_some(),
        ];
        if kinds.iter().filter(|k| **k).count() != 1 {
            wrong.push("a [[test]] has one of `not_null`, `unique`, `accepted_values`, `expression`, `relationships`, `row_count`, `reconcile`".to_owned());
        }
        if (test.relationships.is_some() || !test.accepted_values.is_empty()) && test.column.is_none() {
            wrong.push("a [[test]] of `accepted_values` or `relationships` needs `column`".to_owned());
        }
    }
    wrong
}

/// Hashes of what the rows depend on, and of the rest.
fn hashes(compiled: &str, config: &ModelConfig, settings: &str, project: Option<&str>) -> (String, String) {
    let rows = serde_json::json!({
        "query": compiled,
        "materialisation": config.materialisation,
        "sort": config.sort,
        "partition_by": config.partition_by,
        "incremental": config.incremental,
        "snapshot": config.snapshot,
        "settings": settings,
    });
    let rest = serde_json::json!({
        "project": project, "description": config.description, "owner": config.owner, "tags": config.tags,
        "release": config.release, "export": config.export, "column": config.column,
        "freshness": config.freshness, "test": config.test, "unit_test": config.unit_test,
    });
    (checksum(rows.to_string().as_bytes()), checksum(rest.to_string().as_bytes()))
}
