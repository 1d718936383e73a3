//! STUB of the engine facade: a plain DataFusion session behind the contract
//! the command line is written against. To be replaced whole.
#![allow(clippy::disallowed_methods)]

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
pub use datafusion::sql::sqlparser;
use futures::StreamExt;

/// A session.
#[derive(Clone)]
pub struct Session {
    context: SessionContext,
    runtime: &'static tokio::runtime::Runtime,
}

impl Session {
    /// Only in the stub.
    pub fn stub() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let config = SessionConfig::new().with_information_schema(true).with_target_partitions(2);
        Ok(Self { context: SessionContext::new_with_config(config).enable_url_table(), runtime: Box::leak(Box::new(runtime)) })
    }

    /// Plans and starts one statement.
    pub async fn run(&self, sql: &str) -> Result<Answer, Error> {
        let (context, text) = (self.context.clone(), sql.to_owned());
        let (tx, rx) = tokio::sync::mpsc::channel(2);
        let (started_tx, started) = tokio::sync::oneshot::channel();
        let rows = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&rows);
        let task = self.runtime.spawn(async move {
            let started = async {
                let plan = context.state().create_logical_plan(&text).await?;
                let tag = match &plan {
                    LogicalPlan::Ddl(ddl) => Some(ddl.name().to_owned()),
                    LogicalPlan::Statement(statement) => Some(statement.name().to_owned()),
                    _ => None,
                };
                let stream = context.execute_logical_plan(plan).await?.execute_stream().await?;
                Ok::<(Option<String>, SendableRecordBatchStream), DataFusionError>((tag, stream))
            };
            match started.await {
                Ok((tag, mut stream)) => {
                    let _ = started_tx.send(Ok((stream.schema(), tag)));
                    while let Some(batch) = stream.next().await {
                        if let Ok(batch) = &batch {
                            seen.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
                        }
                        if tx.send(batch.map_err(|e| Error::new(&e, &text))).await.is_err() {
                            break;
                        }
                    }
                }
                Err(e) => {
                    let _ = started_tx.send(Err(Error::new(&e, &text)));
                }
            }
        });
        let guard = AbortOnDrop(task.abort_handle());
        let (schema, tag) = started.await.map_err(|_| Error::cancelled())??;
        let kind = tag.map_or(AnswerKind::Rows, AnswerKind::Done);
        Ok(Answer { schema, kind, rx, rows, _guard: guard })
    }

    /// Everything that can be named.
    pub async fn names(&self) -> Result<Arc<Names>, Error> {
        let mut names = Names::default();
        let catalog = self.context.catalog("datafusion");
        for schema in catalog.iter().flat_map(|c| c.schema_names()) {
            names.schemas.push(schema.clone());
            let Some(provider) = catalog.as_ref().and_then(|c| c.schema(&schema)) else { continue };
            for name in provider.table_names() {
                let Ok(Some(table)) = provider.table(&name).await else { continue };
                let columns = table
                    .schema()
                    .fields()
                    .iter()
                    .map(|f| ColumnName {
                        name: f.name().clone(),
                        data_type: f.data_type().to_string(),
                        nullable: f.is_nullable(),
                        unit: f.metadata().get("unit").cloned(),
                        description: f.metadata().get("description").cloned(),
                    })
                    .collect();
                names.tables.push(TableName { schema: schema.clone(), name, kind: "table", description: None, columns });
            }
        }
        let state = self.context.state();
        for (name, f) in state.scalar_functions() {
            let description = f.documentation().map_or_else(String::new, |d| d.description.clone());
            names.functions.push(FunctionName { name: name.clone(), signature: format!("{name}(…)"), description, kind: "scalar" });
        }
        for (name, f) in state.aggregate_functions() {
            let description = f.documentation().map_or_else(String::new, |d| d.description.clone());
            names.functions.push(FunctionName { name: name.clone(), signature: format!("{name}(…)"), description, kind: "aggregate" });
        }
        names.functions.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Arc::new(names))
    }
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A running answer.
pub struct Answer {
    /// Its columns.
    pub schema: SchemaRef,
    /// Rows or a tag.
    pub kind: AnswerKind,
    rx: tokio::sync::mpsc::Receiver<Result<RecordBatch, Error>>,
    rows: Arc<AtomicU64>,
    _guard: AbortOnDrop,
}

/// What a statement gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerKind {
    /// A result set.
    Rows,
    /// A tag.
    Done(String),
}

impl Answer {
    /// The next batch.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, Error>> {
        self.rx.recv().await
    }

    /// All batches.
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>, Error> {
        let mut all = Vec::new();
        while let Some(batch) = self.next().await {
            all.push(batch?);
        }
        Ok(all)
    }

    /// Rows read so far.
    pub fn rows_scanned(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }
}

/// Everything that can be named.
#[derive(Debug, Default, Clone)]
pub struct Names {
    /// Schemas.
    pub schemas: Vec<String>,
    /// Tables and views.
    pub tables: Vec<TableName>,
    /// Functions.
    pub functions: Vec<FunctionName>,
}

/// A table or view.
#[derive(Debug, Clone)]
pub struct TableName {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// `table` or `view`.
    pub kind: &'static str,
    /// What it holds.
    pub description: Option<String>,
    /// Columns.
    pub columns: Vec<ColumnName>,
}

/// A column.
#[derive(Debug, Clone)]
pub struct ColumnName {
    /// Name.
    pub name: String,
    /// SQL type.
    pub data_type: String,
    /// Whether NULL may occur.
    pub nullable: bool,
    /// Unit.
    pub unit: Option<String>,
    /// Meaning.
    pub description: Option<String>,
}

/// A function.
#[derive(Debug, Clone)]
pub struct FunctionName {
    /// Name.
    pub name: String,
    /// Call form.
    pub signature: String,
    /// What it computes.
    pub description: String,
    /// `scalar`, `aggregate`, `window` or `table`.
    pub kind: &'static str,
}

/// Who can mend an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Fix the query.
    User,
    /// Fix the file.
    Data,
    /// A limit.
    Resource,
    /// Our bug.
    Internal,
    /// Stopped by the user.
    Cancelled,
}

/// What went wrong.
#[derive(Debug)]
pub struct Error {
    message: String,
    position: Option<usize>,
    class: Class,
}

impl Error {
    fn new(error: &DataFusionError, sql: &str) -> Self {
        let raw = error.strip_backtrace();
        let message = raw.lines().next().unwrap_or_default().to_owned();
        let message = match message.split_once("No field named ") {
            Some((_, rest)) => {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || "._\"".contains(*c)).collect();
                format!("column `{}` does not exist", name.trim_end_matches('.').replace('"', ""))
            }
            None => message,
        };
        let position = raw.split_once("Line: ").and_then(|(_, rest)| {
            let mut numbers = rest.split(|c: char| !c.is_ascii_digit()).filter(|s| !s.is_empty());
            let line: usize = numbers.next()?.parse().ok()?;
            let column: usize = numbers.next()?.parse().ok()?;
            let start: usize = sql.split_inclusive('\n').take(line - 1).map(str::len).sum();
            let rest = sql.get(start..)?;
            Some(start + rest.char_indices().nth(column - 1).map_or(rest.len(), |(i, _)| i))
        });
        Self { message, position, class: Class::User }
    }

    fn cancelled() -> Self {
        Self { message: "cancelled".into(), position: None, class: Class::Cancelled }
    }

    /// Who can mend it.
    pub fn class(&self) -> Class {
        self.class
    }

    /// Byte offset in the statement.
    pub fn position(&self) -> Option<usize> {
        self.position
    }

    /// What would work.
    pub fn hint(&self) -> Option<&str> {
        None
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
