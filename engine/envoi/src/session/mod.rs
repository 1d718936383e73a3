//! Sessions: one per connection or prompt; what is shared is the [`Runtime`](crate::Runtime).

mod answer;
mod arguments;
mod arithmetic;
mod bounded;
mod calls;
mod caps;
mod casts;
mod columns;
mod constants;
pub(crate) mod factory;
mod granted;
mod late;
pub(crate) mod lateral;
mod literals;
mod members;
mod models;
mod moments;
mod multisets;
mod names;
mod operators;
mod pairs;
pub(crate) mod plans;
mod precedence;
mod prepared;
mod ranks;
mod reads;
mod relations;
mod rewrite;
mod row_order;
mod samples;
mod scalars;
mod served;
mod single;
mod sizes;
mod slices;
mod stopping;
mod sums;
mod texts;
mod ties;
mod truths;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::UInt64Type;
use datafusion::catalog::SchemaProvider;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{DmlStatement, LogicalPlan, Statement as PlanStatement, WriteOp};
use datafusion::sql::parser::Statement;
use envoi_lake::Manifest;

pub use answer::{Answer, AnswerKind};
pub use caps::parsable;
pub use factory::{Bounds, SessionFactory};
pub use models::{Draft, Reads, Shape};
pub use names::{ColumnName, FunctionName, Names, TableName};
pub use prepared::Prepared;
pub use reads::{Named, named};
pub use relations::{Callable, Reference, Relation};
pub(crate) use rewrite::{parsed, statement};
pub(crate) use single::several_rows;
pub use slices::{Granularity, Slice, SliceBy};

use plans::{Plans, repeatable};

use crate::catalogue::{LakeView, ModelSchema, SessionSchema};
use crate::error::{Error, Result, nearest};
use crate::privacy::{self, Gate, Notes};
use crate::runtime::Runtime;
use crate::shared;
use crate::surface::Surface;

/// A session: settings, own tables, and a view of the lake. Cheap to clone.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    context: SessionContext,
    runtime: Arc<Runtime>,
    view: Arc<LakeView>,
    own: Arc<SessionSchema>,
    model: Arc<ModelSchema>,
    plans: Plans,
    names: Mutex<Option<(String, Arc<Names>)>>,
    /// Of a role that is not the owner.
    gate: Option<Gate>,
    /// Of a protocol that the session is served by.
    surface: Option<Arc<dyn Surface>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("lake", &self.0.runtime.lake().store().label()).finish_non_exhaustive()
    }
}

impl Session {
    /// Plans one statement and starts it on the query threads.
    ///
    /// The statement sees one lake version from begin to end. Dropping the
    /// answer, or this future, stops the work. Errors carry their place in `sql`.
    pub async fn run(&self, sql: &str) -> Result<Answer> {
        let session = self.clone();
        let text = sql.to_owned();
        self.0.runtime.spawn(async move { session.start(&text).await })?.finish().await?
    }

    async fn start(&self, sql: &str) -> Result<Answer> {
        self.0.view.refresh().await?;
        let state = self.0.context.state();
        let failed = |e: DataFusionError| self.explained(Error::from_datafusion(&e, sql), sql);
        let seen = self.0.view.key();
        let (kept, changes) = self.0.plans.find(sql, &seen);
        if let Some(plan) = kept {
            return self.rows(&state, &plan, sql, None).await;
        }
        let plan = state.statement_to_plan(self.rewritten(&state, sql)?).await.map_err(failed)?;
        let tag = tag(&plan);
        let notes = Notes::default();
        let plan = match &self.0.gate {
            Some(gate) => gate.admit(plan, &notes),
            None => privacy::watched(plan, &notes),
        };
        let plan = plan.map_err(failed)?;
        let repeatable = repeatable(&plan).map_err(failed)?;
        let frame = self.0.context.execute_logical_plan(plan).await.map_err(failed)?;
        if let Some(tag) = tag {
            // Statements that change the session or write work while they are planned or when collected.
            let written = frame.collect().await;
            self.0.plans.clear();
            return Ok(Answer::done(tag.with(&written.map_err(failed)?), notes));
        }
        let (state, plan) = frame.into_parts();
        let keep = repeatable.then_some((seen, changes));
        self.queried(state, plan, sql, notes, keep).await
    }

    /// The statement of a text, in the engine's own words.
    fn rewritten(&self, state: &SessionState, sql: &str) -> Result<Statement> {
        self.with_values(state, sql, &BTreeMap::new())
    }

    /// The same with values for the parameters of functions in FROM, by their numbers.
    fn with_values(&self, state: &SessionState, sql: &str, values: &BTreeMap<usize, ScalarValue>) -> Result<Statement> {
        let mut statement = rewrite::statement_with(state, sql, values)?;
        if let Some(surface) = &self.0.surface {
            surface.rewrite(&mut statement)?;
        }
        Ok(statement)
    }

    /// Optimises the plan of a query and starts it; kept for what the session sees, if that is given.
    async fn queried(
        &self,
        state: SessionState,
        plan: LogicalPlan,
        sql: &str,
        notes: Notes,
        keep: Option<(String, u64)>,
    ) -> Result<Answer> {
        let failed = |e: DataFusionError| self.explained(Error::from_datafusion(&e, sql), sql);
        let microdata = privacy::reads_microdata(&plan).map_err(failed)?;
        if let Some(gate) = &self.0.gate {
            gate.charge(&plan).map_err(failed)?;
        }
        let plan = shared::sealed(plan).map_err(failed)?;
        let plan = Arc::new(state.optimize(&plan).map_err(failed)?);
        constants::check(&plan).map_err(failed)?;
        // What is said of households is said of one run, and counted.
        if microdata {
            return self.rows(&state, &plan, sql, Some(notes)).await;
        }
        if let Some((seen, changes)) = keep {
            self.0.plans.keep(sql, &seen, &plan, changes);
        }
        self.rows(&state, &plan, sql, None).await
    }

    /// Starts an optimised plan; with notes, one over microdata.
    async fn rows(&self, state: &SessionState, plan: &LogicalPlan, sql: &str, notes: Option<Notes>) -> Result<Answer> {
        let failed = |e: DataFusionError| self.explained(Error::from_datafusion(&e, sql), sql);
        let plan = state.query_planner().create_physical_plan(plan, state).await.map_err(failed)?;
        let (plan, waits) = stopping::stoppable(plan).map_err(failed)?;
        let stream = datafusion::physical_plan::execute_stream(Arc::clone(&plan), state.task_ctx()).map_err(failed)?;
        let gate = notes.as_ref().and(self.0.gate.clone());
        Answer::rows(&self.0.runtime, plan, stream, sql.to_owned(), notes.unwrap_or_default(), gate, waits)
    }

    /// Says which table may have been meant where one is not found.
    fn explained(&self, error: Error, sql: &str) -> Error {
        let message = error.to_string();
        let Some(rest) = message.strip_prefix("table '") else { return error };
        let Some(full) = rest.strip_suffix("' not found") else { return error };
        let name = full.rsplit('.').next().unwrap_or(full);
        let name = name.rsplit_once('@').map_or(name, |(table, _)| table);
        let schema = full.rsplit('.').nth(1).filter(|s| *s != crate::catalogue::SESSION_SCHEMA);
        let shown = schema.map_or(name.to_owned(), |s| format!("{s}.{name}"));
        let place = error.position().or_else(|| sql.to_lowercase().find(&name.to_lowercase()));
        let error = Error::user(format!("table `{shown}` does not exist")).with_state("42P01").at(place);
        let marts = crate::library::marts()
            .map(|all| all.iter().map(|m| m.name.as_str()).collect::<Vec<_>>())
            .unwrap_or_default();
        let newest = self.0.view.newest();
        let all = marts
            .into_iter()
            .map(|name| ("mart", name))
            .chain(envoi_lake::tables::TABLES.iter().map(|t| ("lake", t.name)))
            .chain(newest.models.iter().map(|m| ("model", m.name.as_str())));
        let near = nearest(name, all.clone().map(|(_, name)| name));
        match near.and_then(|near| all.into_iter().find(|(_, name)| *name == near)) {
            // The name is right, so it was sought in another schema.
            Some((schema, near)) if near == name => error.with_hint(format!("did you mean `{schema}.{near}`?")),
            Some((_, near)) => error.with_hint(format!("did you mean `{near}`?")),
            None => error.with_hint("`\\dt` or `select * from information_schema.tables` lists the tables"),
        }
    }

    /// Everything that can be named; computed again when the session's tables or its view of the lake changed.
    pub async fn names(&self) -> Result<Arc<Names>> {
        let key = format!("{} {:?}", self.0.view.key(), self.0.own.table_names());
        let kept = |names: &Option<(String, Arc<Names>)>| {
            names.as_ref().filter(|(k, _)| *k == key).map(|(_, n)| Arc::clone(n))
        };
        if let Some(names) = kept(&self.0.names.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(names);
        }
        let session = self.clone();
        let manifest = self.0.view.manifest().await?;
        let work = async move { names::collect(&session.0.context, &manifest).await };
        let names = self.0.runtime.spawn(work)?.finish().await??;
        *self.0.names.lock().unwrap_or_else(PoisonError::into_inner) = Some((key, Arc::clone(&names)));
        Ok(names)
    }

    /// The lake version that statements see now.
    pub async fn manifest(&self) -> Result<Arc<Manifest>> {
        self.0.view.refresh().await?;
        self.0.view.manifest().await
    }

    /// The lake's address, for people.
    pub fn lake_label(&self) -> String {
        self.0.runtime.lake().store().label()
    }
}

/// What a statement without rows is called when it is done.
#[derive(Debug, PartialEq, Eq)]
enum Tag {
    Plain(String),
    /// Rows written follow, as psql shows them: `COPY 12`, `INSERT 0 12`.
    Counted(&'static str),
}

impl Tag {
    fn with(self, written: &[RecordBatch]) -> String {
        match self {
            Self::Plain(tag) => tag,
            Self::Counted(tag) => {
                let counts = written.iter().filter_map(|b| b.columns().first()?.as_primitive_opt::<UInt64Type>());
                let rows: u64 = counts.flat_map(|c| c.values().iter()).sum();
                format!("{tag} {rows}")
            }
        }
    }
}

/// The tag of a statement; `None` for one with rows.
fn tag(plan: &LogicalPlan) -> Option<Tag> {
    match plan {
        LogicalPlan::Ddl(ddl) => Some(Tag::Plain(spaced(ddl.name()))),
        LogicalPlan::Copy(_) => Some(Tag::Counted("COPY")),
        LogicalPlan::Dml(DmlStatement { op: WriteOp::Insert(_), .. }) => Some(Tag::Counted("INSERT 0")),
        LogicalPlan::Statement(PlanStatement::SetVariable(_)) => Some(Tag::Plain("SET".to_owned())),
        LogicalPlan::Statement(PlanStatement::ResetVariable(_)) => Some(Tag::Plain("RESET".to_owned())),
        // Its rows are those of the statement that was prepared.
        LogicalPlan::Statement(PlanStatement::Execute(_)) => None,
        LogicalPlan::Statement(other) => Some(Tag::Plain(spaced(other.name()))),
        _ => None,
    }
}

/// `CreateMemoryTable` as `CREATE TABLE`.
fn spaced(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_uppercase());
    }
    words.replace("MEMORY ", "").replace("CATALOG SCHEMA", "SCHEMA")
}

#[cfg(test)]
impl Session {
    /// Makes a view as if it were a mart of the program.
    pub(crate) async fn mart(&self, name: &str, sql: &str) -> Result<()> {
        let failed = |e: DataFusionError| Error::from_datafusion(&e, sql);
        let plan = self.0.context.state().create_logical_plan(sql).await.map_err(failed)?;
        let plan = match &self.0.gate {
            Some(gate) => gate.mart(plan).map_err(failed)?,
            None => plan,
        };
        let view = Arc::new(datafusion::datasource::ViewTable::new(plan, None));
        self.0.own.register_table(name.to_owned(), view).map_err(failed)?;
        Ok(())
    }
}
