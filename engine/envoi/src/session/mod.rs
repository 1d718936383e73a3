//! Sessions: one per connection or prompt; what is shared is the [`Runtime`](crate::Runtime).

mod answer;
pub(crate) mod factory;
mod names;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::catalog::SchemaProvider;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{LogicalPlan, Statement as PlanStatement};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::VisitMut;
use envoi_lake::Manifest;

pub use answer::{Answer, AnswerKind};
pub use factory::SessionFactory;
pub use names::{ColumnName, FunctionName, Names, TableName};

use crate::catalogue::{LakeView, ReadFunctions, SessionSchema};
use crate::error::{Class, Error, Result, nearest};
use crate::runtime::Runtime;

/// A session: settings, own tables, and a view of the lake. Cheap to clone.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    context: SessionContext,
    runtime: Arc<Runtime>,
    view: Arc<LakeView>,
    own: Arc<SessionSchema>,
    names: Mutex<Option<(String, Arc<Names>)>>,
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
        let statement = self.parse(sql)?;
        let state = self.0.context.state();
        let failed = |e: datafusion::error::DataFusionError| self.explained(Error::from_datafusion(&e, sql), sql);
        let plan = state.statement_to_plan(statement).await.map_err(failed)?;
        let tag = tag(&plan);
        let frame = self.0.context.execute_logical_plan(plan).await.map_err(failed)?;
        if let Some(tag) = tag {
            // Statements that change the session work while they are planned or when collected.
            frame.collect().await.map_err(failed)?;
            return Ok(Answer::done(tag));
        }
        let task = Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await.map_err(failed)?;
        let stream = datafusion::physical_plan::execute_stream(Arc::clone(&plan), task).map_err(failed)?;
        Answer::rows(&self.0.runtime, plan, stream, sql.to_owned())
    }

    fn parse(&self, sql: &str) -> Result<Statement> {
        /// Longer statements plan for minutes or overflow the stack.
        const LONGEST: usize = 1 << 20;
        if sql.len() > LONGEST {
            return Err(Error::new(
                Class::Resource,
                format!("the statement has {} bytes, more than the limit of {LONGEST}", sql.len()),
            ));
        }
        let state = self.0.context.state();
        let dialect = state.config().options().sql_parser.dialect;
        let mut statement = state.sql_to_statement(sql, &dialect).map_err(|e| Error::from_datafusion(&e, sql))?;
        read_functions(&mut statement)?;
        Ok(statement)
    }

    /// Says which table may have been meant where one is not found.
    fn explained(&self, error: Error, sql: &str) -> Error {
        let message = error.to_string();
        let Some(rest) = message.strip_prefix("table '") else { return error };
        let Some(full) = rest.strip_suffix("' not found") else { return error };
        let name = full.rsplit('.').next().unwrap_or(full);
        let schema = full.rsplit('.').nth(1).filter(|s| *s != crate::catalogue::SESSION_SCHEMA);
        let shown = schema.map_or(name.to_owned(), |s| format!("{s}.{name}"));
        let place = error.position().or_else(|| sql.to_lowercase().find(&name.to_lowercase()));
        let error = Error::user(format!("table `{shown}` does not exist")).at(place);
        let marts = crate::library::marts()
            .map(|all| all.iter().map(|m| m.name.as_str()).collect::<Vec<_>>())
            .unwrap_or_default();
        let lake = envoi_lake::tables::TABLES.iter().map(|t| t.name);
        match nearest(name, marts.into_iter().chain(lake)) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
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
        let names = self.0.runtime.spawn(async move { names::collect(&session.0.context).await })?.finish().await??;
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

fn read_functions(statement: &mut Statement) -> Result<()> {
    let flow = match statement {
        Statement::Statement(inner) => inner.visit(&mut ReadFunctions),
        Statement::Explain(explain) => return read_functions(&mut explain.statement),
        Statement::CopyTo(copy) => match &mut copy.source {
            datafusion::sql::parser::CopyToSource::Query(query) => query.visit(&mut ReadFunctions),
            datafusion::sql::parser::CopyToSource::Relation(_) => ControlFlow::Continue(()),
        },
        _ => ControlFlow::Continue(()),
    };
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// What a statement without rows is called when it is done; `None` for one with rows.
fn tag(plan: &LogicalPlan) -> Option<String> {
    match plan {
        LogicalPlan::Ddl(ddl) => Some(spaced(ddl.name())),
        LogicalPlan::Statement(PlanStatement::SetVariable(_)) => Some("SET".to_owned()),
        LogicalPlan::Statement(PlanStatement::ResetVariable(_)) => Some("RESET".to_owned()),
        LogicalPlan::Statement(other) => Some(spaced(other.name())),
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
