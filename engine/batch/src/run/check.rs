//! Before anything runs: what has to be built, and whether its queries can be planned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit, Schema, SchemaRef};
use envoi::lake::Manifest;
use envoi::library::quoted;
use envoi::{Bounds, Draft, Session, SessionFactory};

use crate::build::{followed, plain};
use crate::hint::hint;
use crate::plan::{Asked, Prints, Verdict, judge};
use crate::project::{Materialisation, Model, Problem, Project, SchemaChange};
use crate::run::RunError;
use crate::testing;

/// What a run would do with a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// `view`, `table`, `incremental`, `snapshot`.
    pub materialisation: String,
    /// The project no longer has it.
    pub gone: bool,
    /// Whether it is built; if only what it reads is, that is found out then.
    pub built: bool,
    /// Why, or why not.
    pub reason: String,
    /// Models of the project that it reads.
    pub reads: Vec<String>,
    /// The query.
    pub sql: String,
    /// Rows that the query is thought to give.
    pub rows: Option<u64>,
}

pub(super) async fn check(
    factory: &SessionFactory,
    project: &Project,
    order: &[String],
    manifest: &Arc<Manifest>,
    prints: &Prints,
    asked: Asked,
    estimates: bool,
) -> Result<Vec<Planned>, RunError> {
    let mut checker = Checker {
        factory,
        manifest,
        session: None,
        problems: Vec::new(),
        broken: BTreeSet::new(),
        building: BTreeSet::new(),
    };
    let mut building: BTreeMap<&str, String> = BTreeMap::new();
    let mut planned = Vec::with_capacity(order.len());
    for name in order {
        let Some(model) = project.models.get(name) else { continue };
        let verdict = judge(model, manifest, prints, asked);
        let above = model.reads.iter().find(|r| building.contains_key(r.as_str()));
        let (built, reason) = match (&verdict, above) {
            (Verdict::Build(why), _) => (true, why.to_string()),
            (_, Some(above)) => (true, format!("if {above} changes")),
            (Verdict::Said, None) => (true, "what is said of it changed".to_owned()),
            (Verdict::Unchanged, None) => (false, "unchanged".to_owned()),
        };
        let mut rows = None;
        for read in &model.reads {
            if !order.contains(read) && manifest.model(read).is_none() {
                let what = format!(
                    "it reads model `{read}`, which is neither published nor asked for; `+{name}` asks for it too"
                );
                checker.problems.push(Problem::new(model.file.as_str(), what));
                checker.broken.insert(read.clone());
            }
        }
        if built {
            building.insert(name, reason.clone());
            rows = checker.plan(model, estimates).await?;
            checker.building.insert(name.clone());
        }
        planned.push(Planned {
            name: name.clone(),
            materialisation: model.config.materialisation.name().to_owned(),
            gone: false,
            built,
            reason,
            reads: model.reads.iter().cloned().collect(),
            sql: model.compiled.clone(),
            rows,
        });
    }
    if checker.problems.is_empty() { Ok(planned) } else { Err(RunError::Problems(checker.problems)) }
}

struct Checker<'a> {
    factory: &'a SessionFactory,
    manifest: &'a Arc<Manifest>,
    session: Option<Session>,
    problems: Vec<Problem>,
    /// Models of which no columns are known, for a problem that is said already.
    broken: BTreeSet<String>,
    /// Models that are built too: how many rows they will have is not known.
    building: BTreeSet<String>,
}

impl Checker<'_> {
    /// Plans a model's query over what the models that it reads will be.
    async fn plan(&mut self, model: &Model, estimates: bool) -> Result<Option<u64>, RunError> {
        if model.reads.iter().any(|r| self.broken.contains(r)) {
            self.broken.insert(model.name.clone());
            return Ok(None);
        }
        let session = match &self.session {
            Some(session) => session.clone(),
            None => {
                let session = self.factory.over(Arc::clone(self.manifest), Bounds::default()).await?;
                self.session.insert(session).clone()
            }
        };
        let draft = match session.draft(&model.compiled).await {
            Ok(draft) => draft,
            Err(e) => {
                self.problems.push(model.problem(&e));
                self.broken.insert(model.name.clone());
                return Ok(None);
            }
        };
        let before = self.problems.len();
        self.columns(model, &draft);
        self.stored(model, &draft);
        for test in &model.config.unit_test {
            if let Err(e) = testing::check_unit_test(&session, model, &draft, test).await {
                self.problems.push(Problem::new(model.file.as_str(), format!("unit test `{}`: {e}", test.name)));
            }
        }
        self.follows(&session, model, &draft).await;
        let known = estimates && !model.reads.iter().any(|r| self.building.contains(r));
        let rows = if known { session.estimate(&model.compiled).await.unwrap_or_default() } else { None };
        let mut columns = plain(&draft.schema);
        if model.config.materialisation == Materialisation::Snapshot {
            let time = model.config.snapshot.as_ref().and_then(|s| s.updated_at.as_deref());
            columns = with_validity(&columns, time);
        }
        session.expect_model(&model.name, columns);
        // Columns that there are not are said already.
        let tests = if self.problems.len() == before { model.config.test.as_slice() } else { &[] };
        for test in tests {
            if let Err(e) = testing::check(&session, model, test).await {
                self.problems.push(Problem::new(model.file.as_str(), format!("[[test]]: {e}")));
            }
        }
        Ok(rows)
    }

    /// Whether an incremental model reads what it follows, and that has the column of time.
    async fn follows(&mut self, session: &Session, model: &Model, draft: &Draft) {
        let (Some(config), Some(input)) = (&model.config.incremental, followed(model)) else { return };
        let own = input.strip_prefix("model.").is_some_and(|name| model.reads.contains(name));
        if !own && !draft.reads.tables.contains(&input) && !model.tables.contains(&input) {
            let read = draft.reads.tables.iter().map(String::as_str);
            let near = hint(&input, read.clone(), &format!("it reads {}", read.collect::<Vec<_>>().join(", ")));
            let what = format!("[incremental] follows `{}`, which the query does not read{near}", config.input);
            return self.problems.push(Problem::new(model.file.as_str(), what));
        }
        let columns: Vec<String> = config.time.iter().chain(&config.key).map(|c| quoted(c)).collect();
        if let Err(e) = session.draft(&format!("select {} from {input}", columns.join(", "))).await {
            self.problems.push(Problem::new(model.file.as_str(), format!("[incremental] follows `{input}`: {e}")));
        }
    }

    /// Columns of types that no file can hold; a view has no file.
    fn stored(&mut self, model: &Model, draft: &Draft) {
        if model.config.materialisation == Materialisation::View {
            return;
        }
        for field in draft.schema.fields() {
            let Some((what, cast)) = unstorable(field.data_type(), &quoted(field.name())) else { continue };
            let what = format!("column `{}` has {what}, which no Parquet file can hold; write {cast}", field.name());
            self.problems.push(Problem::new(model.file.as_str(), what));
        }
    }

    /// Columns that the TOML names, and those that the table has.
    fn columns(&mut self, model: &Model, draft: &Draft) {
        let names: Vec<&str> = draft.schema.fields().iter().map(|f| f.name().as_str()).collect();
        let config = &model.config;
        let mut twice = BTreeSet::new();
        if let Some(name) = names.iter().find(|n| !twice.insert(**n)) {
            self.problems.push(Problem::new(model.file.as_str(), format!("the query gives column `{name}` twice")));
        }
        let incremental =
            config.incremental.iter().flat_map(|i| i.output().into_iter().chain(i.key.iter().map(String::as_str)));
        let snapshot = config.snapshot.iter().flat_map(|s| s.key.iter().chain(&s.check).chain(&s.updated_at));
        let tests = config.test.iter().flat_map(|t| t.not_null.iter().chain(&t.unique).chain(&t.column));
        let named = (config.sort.iter().map(|c| ("sort", c.as_str())))
            .chain(config.partition_by.iter().map(|c| ("partition_by", c.as_str())))
            .chain(incremental.map(|c| ("[incremental]", c)))
            .chain(snapshot.map(|c| ("[snapshot]", c.as_str())))
            .chain(tests.map(|c| ("[[test]]", c.as_str())))
            .chain(config.column.iter().map(|c| ("[[column]]", c.name.as_str())));
        for (place, column) in named {
            let own = config.snapshot.is_some() && ["valid_from", "valid_to"].contains(&column);
            if !own && !names.contains(&column) {
                let near = hint(column, names.iter().copied(), &format!("there are `{}`", names.join("`, `")));
                let what = format!("{place} names column `{column}`, which the query does not give{near}");
                self.problems.push(Problem::new(model.file.as_str(), what));
            }
        }
        let Some(incremental) = &config.incremental else { return };
        let Some(before) = self.manifest.model(&model.name).filter(|m| m.materialisation == "incremental") else {
            return;
        };
        let found: Vec<(String, String)> =
            draft.schema.fields().iter().map(|f| (f.name().clone(), stored_name(f.data_type()))).collect();
        let held: Vec<(String, String)> =
            before.columns.iter().map(|c| (c.name.clone(), c.data_type.clone())).collect();
        let show = |c: &[&(String, String)]| c.iter().map(|(n, t)| format!("`{n}` {t}")).collect::<Vec<_>>().join(", ");
        let gone: Vec<_> = held.iter().filter(|c| !found.contains(c)).collect();
        let came: Vec<_> = found.iter().filter(|c| !held.contains(c)).collect();
        let wrong = match incremental.on_schema_change {
            SchemaChange::Rebuild => false,
            SchemaChange::Append => !gone.is_empty(),
            SchemaChange::Fail => !gone.is_empty() || !came.is_empty(),
        };
        if wrong {
            let mut what = "the query has other columns than the table:".to_owned();
            if !came.is_empty() {
                what += &format!(" new {}", show(&came));
            }
            if !gone.is_empty() {
                what += &format!(" gone {}", show(&gone));
            }
            what += "; `on_schema_change = \"append\"` or `\"rebuild\"` in [incremental] allows it";
            self.problems.push(Problem::new(model.file.as_str(), what));
        }
    }
}

/// What a type is, if the writer of files does not know it, and what to write instead.
fn unstorable(data_type: &DataType, column: &str) -> Option<(String, String)> {
    let text = || format!("`cast({column} as text)`");
    match data_type {
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let seconds = format!("`extract(epoch from {column})`, its seconds, or {}", text());
            Some(("an interval".to_owned(), seconds))
        }
        DataType::Union(..) => Some(("a union of types".to_owned(), "its fields as columns of their own".to_owned())),
        DataType::RunEndEncoded(..) => Some((format!("type {data_type}"), text())),
        DataType::Struct(fields) if fields.is_empty() => {
            Some(("a structure without fields".to_owned(), "NULL".to_owned()))
        }
        DataType::Struct(fields) => fields.iter().find_map(|f| within(f)),
        DataType::List(f)
        | DataType::LargeList(f)
        | DataType::FixedSizeList(f, _)
        | DataType::ListView(f)
        | DataType::LargeListView(f)
        | DataType::Map(f, _) => within(f),
        _ => None,
    }
}

/// The same of a type inside another, which is cast as a whole no more.
fn within(field: &Field) -> Option<(String, String)> {
    let (what, _) = unstorable(field.data_type(), field.name())?;
    Some((format!("{what} in it"), "its parts as columns of other types".to_owned()))
}

/// The name of a type as files have it.
fn stored_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => DataType::Utf8.to_string(),
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary.to_string(),
        other => other.to_string(),
    }
}

/// The columns of a snapshot's table.
fn with_validity(columns: &Schema, time: Option<&str>) -> SchemaRef {
    let mut fields: Vec<Field> = columns.fields().iter().map(|f| f.as_ref().clone()).collect();
    let known = time.and_then(|t| columns.field_with_name(t).ok());
    let data_type = known.map_or(DataType::Date32, |f| f.data_type().clone());
    fields.push(Field::new("valid_from", data_type.clone(), true));
    fields.push(Field::new("valid_to", data_type, true));
    Arc::new(Schema::new(fields))
}
