//! What PostgreSQL adds to a session: its catalogue, its functions, its dialect.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion_expr::ScalarUDF;
use envoi::{Class, DisclosureRules, Error, Grants, Role, SessionFactory, Statement, Surface};

use super::listen::PgOptions;
use super::registry::{Backend, Registry};
use super::session_functions::session_functions;
use super::settings::{SETTINGS, Settings, VERSION};
use crate::catalogue::{self, Activity, Function, Reference, Relation, Server, Snapshot};
use crate::{functions, rewrite};

/// What the catalogues of all connections are made of.
#[derive(Debug)]
pub(crate) struct Pages {
    factory: SessionFactory,
    database: String,
    users: Vec<String>,
    /// What there is for users that there is not everything for.
    grants: HashMap<String, Grants>,
    registry: Arc<Registry>,
    started: DateTime<Utc>,
    /// Relations of a version of the lake.
    kept: tokio::sync::Mutex<Option<(u64, Arc<Vec<Relation>>)>>,
    /// Functions of the engine.
    functions: std::sync::OnceLock<Arc<Vec<Function>>>,
}

impl Pages {
    pub(super) fn new(factory: SessionFactory, options: &PgOptions, registry: Arc<Registry>) -> Self {
        // The first role owns everything and may not log in.
        let users = options.users.iter().flat_map(|users| users.iter().map(|u| u.name.clone()));
        let users = std::iter::once("envoi".to_owned()).chain(users.filter(|u| u != "envoi")).collect();
        let kept = tokio::sync::Mutex::new(None);
        let all = options.users.iter().flat_map(|users| users.iter());
        let grants = all.map(|u| (u.name.clone(), u.grants())).filter(|(_, g)| !g.is_everything()).collect();
        Self {
            factory,
            database: options.database.clone(),
            users,
            grants,
            registry,
            started: Utc::now(),
            kept,
            functions: std::sync::OnceLock::new(),
        }
    }

    /// The relations of the newest version of the lake.
    pub(super) async fn relations(&self) -> envoi::Result<Arc<Vec<Relation>>> {
        let mut kept = self.kept.lock().await;
        let version = self.factory.runtime().manifest(None).await?.version;
        if let Some((of, relations)) = kept.as_ref()
            && *of == version
        {
            return Ok(Arc::clone(relations));
        }
        let role = Role::new("catalogue", DisclosureRules::default())?;
        let session = self.factory.reader(&role).await?;
        self.functions.get_or_init(|| Arc::new(session.functions().into_iter().map(function).collect()));
        let relations = session.relations().await?;
        let relations = Arc::new(relations.into_iter().map(relation).collect());
        *kept = Some((version, Arc::clone(&relations)));
        Ok(relations)
    }

    async fn snapshot(&self, backend: &Backend, settings: &Settings) -> envoi::Result<Snapshot> {
        let relations = self.relations().await?;
        let mut relations: Vec<Relation> = match self.grants.get(&backend.user) {
            Some(grants) => relations.iter().filter_map(|relation| granted(relation, grants)).collect(),
            None => relations.as_ref().clone(),
        };
        // It seeks the foreign keys of all relations among tables, and completes nothing if one is of a view.
        if settings.get("application_name").is_ok_and(|name| name == "pgcli") {
            relations.iter_mut().filter(|r| r.view).for_each(|r| r.references.clear());
        }
        Ok(Snapshot::new(relations, self.server(backend, settings)))
    }

    fn server(&self, backend: &Backend, settings: &Settings) -> Server {
        let micros = |at: DateTime<Utc>| at.timestamp_micros();
        let activity = self.registry.all().into_iter().map(|other| {
            let doing = other.doing();
            Activity {
                pid: other.pid,
                user: other.user.clone(),
                application: doing.application,
                address: Some(other.client.ip().to_string()),
                backend_start: micros(other.started),
                xact_start: doing.transaction_start.map(micros),
                query_start: doing.query_start.map(micros),
                state_change: Some(micros(doing.since)),
                state: doing.state.to_owned(),
                // Statements of others tell of what they look for.
                query: if other.user == backend.user { doing.query } else { "<insufficient privilege>".to_owned() },
            }
        });
        let mut users = self.users.clone();
        if !users.contains(&backend.user) {
            users.push(backend.user.clone());
        }
        Server {
            database: self.database.clone(),
            users,
            current_user: backend.user.clone(),
            version: format!("{VERSION} (envoi {})", env!("CARGO_PKG_VERSION")),
            pid: backend.pid,
            started: micros(self.started),
            activity: activity.collect(),
            functions: self.functions.get().cloned().unwrap_or_default(),
            settings: SETTINGS
                .iter()
                .filter_map(|s| settings.get(s.name).ok().map(|value| (s.name.to_owned(), value)))
                .collect(),
        }
    }
}

/// The relation as it is for a role; `None` where it is not there.
fn granted(relation: &Relation, grants: &Grants) -> Option<Relation> {
    let (schema, name) = (&relation.schema, &relation.name);
    if !grants.allows(schema, name) {
        return None;
    }
    let has = |schema: &str, name: &str, column: &str| grants.has_column(schema, name, column);
    let mut relation = relation.clone();
    let (schema, name) = (relation.schema.clone(), relation.name.clone());
    let columns = relation.columns.fields().iter().filter(|f| has(&schema, &name, f.name())).cloned();
    relation.columns = Arc::new(Schema::new(columns.collect::<Vec<_>>()));
    if !relation.key.iter().all(|column| has(&schema, &name, column)) {
        relation.key.clear();
    }
    relation.references.retain(|r| {
        grants.allows(&r.schema, &r.table)
            && r.columns.iter().all(|column| has(&schema, &name, column))
            && r.to.iter().all(|column| has(&r.schema, &r.table, column))
    });
    // How many there are would tell how many are kept back.
    if grants.condition(&schema, &name).is_some() {
        relation.rows = None;
    }
    Some(relation)
}

fn function(of: envoi::Callable) -> Function {
    let field = |data_type: &DataType| Field::new("", data_type.clone(), true);
    Function {
        kind: if of.kind == "aggregate" { 'a' } else { 'f' },
        arguments: of.arguments.iter().map(field).collect(),
        result: field(&of.result),
        name: of.name,
        description: of.description,
    }
}

fn relation(of: envoi::Relation) -> Relation {
    let references = of.references.into_iter();
    Relation {
        schema: of.schema,
        name: of.name,
        view: of.view,
        description: of.description,
        columns: of.columns,
        key: of.key,
        references: references
            .map(|r| Reference { columns: r.columns, schema: r.schema, table: r.table, to: r.to })
            .collect(),
        rows: of.rows,
        definition: of.definition,
    }
}

/// PostgreSQL in one session.
#[derive(Debug)]
pub(crate) struct PgSurface {
    pages: Arc<Pages>,
    backend: Arc<Backend>,
    settings: Arc<Mutex<Settings>>,
    /// As the connection began; functions look names and oids up in it.
    first: Arc<Snapshot>,
    operator: bool,
    /// The last one that was read, with what it was made of.
    last: tokio::sync::Mutex<Option<(std::time::Instant, Arc<Snapshot>)>>,
}

impl PgSurface {
    /// Of a connection; reads the relations if nobody has yet.
    pub(super) async fn new(
        pages: Arc<Pages>,
        backend: Arc<Backend>,
        settings: Arc<Mutex<Settings>>,
        operator: bool,
    ) -> envoi::Result<Self> {
        let now = settings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let first = Arc::new(pages.snapshot(&backend, &now).await?);
        Ok(Self { pages, backend, settings, first, operator, last: tokio::sync::Mutex::new(None) })
    }

    /// What there was when the connection began.
    pub(super) fn first(&self) -> Arc<Snapshot> {
        Arc::clone(&self.first)
    }

    /// What the catalogue is made of now; one statement reads many of its tables at once.
    async fn snapshot(&self) -> envoi::Result<Arc<Snapshot>> {
        const FRESH: std::time::Duration = std::time::Duration::from_millis(100);
        let mut last = self.last.lock().await;
        if let Some((made, snapshot)) = last.as_ref()
            && made.elapsed() < FRESH
        {
            return Ok(Arc::clone(snapshot));
        }
        let now = self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let snapshot = Arc::new(self.pages.snapshot(&self.backend, &now).await?);
        *last = Some((std::time::Instant::now(), Arc::clone(&snapshot)));
        Ok(snapshot)
    }
}

#[async_trait]
impl Surface for PgSurface {
    fn schemas(&self) -> Vec<&'static str> {
        vec!["pg_catalog", "information_schema"]
    }

    fn tables(&self, schema: &str) -> Vec<&'static str> {
        catalogue::tables(schema)
    }

    fn columns(&self, schema: &str, table: &str) -> Option<SchemaRef> {
        catalogue::columns(schema, table)
    }

    async fn rows(&self, schema: &str, table: &str) -> envoi::Result<RecordBatch> {
        let snapshot = self.snapshot().await?;
        catalogue::rows(schema, table, &snapshot).map_err(|e| Error::new(Class::Internal, e.to_string()))
    }

    fn functions(&self) -> Vec<Arc<ScalarUDF>> {
        let mut all = functions::functions(&self.first);
        all.extend(session_functions(&self.settings, &self.pages.registry, &self.backend, self.operator));
        all
    }

    fn rewrite(&self, statement: &mut Statement) -> envoi::Result<()> {
        match statement {
            Statement::Statement(inner) => rewrite::rewrite(inner).map_err(Error::user),
            Statement::Explain(explain) => self.rewrite(&mut explain.statement),
            _ => Ok(()),
        }
    }
}
