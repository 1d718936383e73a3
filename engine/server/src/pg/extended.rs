//! The extended protocol: Parse, Bind, Describe, Execute, Close.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use datafusion_common::ScalarValue;
use envoi::sqlparser::dialect::PostgreSqlDialect;
use envoi::sqlparser::parser::Parser;

use super::command::{Command, command};
use super::connection::Connection;
use super::error::{INVALID_CURSOR_NAME, INVALID_STATEMENT_NAME, PROTOCOL_VIOLATION, PgError, Result, SYNTAX_ERROR};
use super::portal::{ORIGIN, Portal, State, Statement, columns, formats_of};
use super::run::{Outcome, Sent};
use super::value::{Format, arrow_type, decode, oid_of};
use super::wire::backend;
use super::wire::frontend::Target;
use super::words::{statements, words};
use crate::catalogue::{PG_TYPE, columns_of_shape};
use crate::rewrite::origins::{Known, Origin, origins};
use crate::rewrite::output::{Names, output_names, output_types};
use crate::rewrite::parameters::parameter_types;

/// Statements and portals that a connection may keep.
const MOST: usize = 4_096;

impl Connection {
    /// Parses a statement and keeps it under its name.
    pub(super) async fn parse(&mut self, name: String, sql: String, types: &[u32]) -> Result<()> {
        if !name.is_empty() && self.statements.contains_key(&name) {
            return Err(PgError::new("42P05", format!("prepared statement \"{name}\" already exists")));
        }
        let statement = self.statement(&sql, types).await?;
        self.keep(name, statement)?;
        backend::parse_complete(&mut self.out);
        Ok(())
    }

    /// Keeps a statement under its name.
    pub(super) fn keep(&mut self, name: String, statement: Statement) -> Result<()> {
        if self.statements.len() >= MOST && !self.statements.contains_key(&name) {
            return Err(PgError::new("53400", format!("a connection keeps at most {MOST} prepared statements"))
                .with_hint("DEALLOCATE those that are not used"));
        }
        self.statements.insert(name, Arc::new(statement));
        Ok(())
    }

    /// The statement of a text that has one, or none.
    pub(super) async fn statement(&mut self, sql: &str, types: &[u32]) -> Result<Statement> {
        let mut all = statements(sql)?;
        let Some((begin, text, words)) = all.pop() else {
            let command = Command::Query;
            return Ok(Statement {
                sql: String::new(),
                command,
                prepared: None,
                parameters: Vec::new(),
                columns: None,
                answer: None,
            });
        };
        if !all.is_empty() {
            return Err(PgError::new(SYNTAX_ERROR, "cannot insert multiple commands into a prepared statement"));
        }
        let command = command(&text, &words)?;
        self.allowed(&command)?;
        let before = sql.get(..begin).unwrap_or_default();
        self.planned(command, text, types, before).await
    }

    pub(super) async fn planned(
        &mut self,
        command: Command,
        sql: String,
        types: &[u32],
        before: &str,
    ) -> Result<Statement> {
        // The connection's own statements have no parameters, and their columns are known.
        let engine = match &command {
            Command::Query => Some((sql.as_str(), 0)),
            Command::Declare(d) => Some((d.query.as_str(), d.begin)),
            Command::CopyOut(copy) => Some((copy.query.as_str(), copy.begin)),
            _ => None,
        };
        let Some((query, begin)) = engine else {
            let columns = self.columns_of(&command)?;
            return Ok(Statement { sql, command, prepared: None, parameters: Vec::new(), columns, answer: None });
        };
        let told = self.told(query);
        let types = told.parameters(types);
        let known: Vec<_> = types.iter().map(|oid| arrow_type(*oid)).collect();
        self.apply_settings().await?;
        let interrupts = self.interrupts.until(self.until());
        let place = format!("{before}{}", sql.get(..begin).unwrap_or_default());
        let shared = Arc::clone(&self.shared);
        let prepared = interrupts
            .guard(async {
                let _turn = shared.turn().await?;
                self.session.prepare(query, &known).await.map_err(|e| super::sqlstate::of_engine(&e, query, &place))
            })
            .await?;
        let parameters = prepared.parameters.iter().enumerate();
        let parameters = parameters
            .map(|(place, data_type)| match types.get(place) {
                // As the client named it: a text may be a name, a varchar, json.
                Some(oid) if *oid != 0 && arrow_type(*oid).is_some() => *oid,
                _ => oid_of(data_type),
            })
            .collect();
        let answer = prepared.schema.as_ref().map(|schema| told.columns(schema));
        let columns = answer.clone().filter(|_| command == Command::Query);
        Ok(Statement { sql, command, prepared: Some(prepared), parameters, columns, answer })
    }

    /// Gives a statement its values.
    pub(super) fn bind(
        &mut self,
        portal: String,
        statement: &str,
        formats: &[i16],
        values: &[Option<Bytes>],
        results: &[i16],
    ) -> Result<()> {
        let statement = self.prepared(statement)?;
        self.allowed(&statement.command)?;
        let (got, expected) = (values.len(), statement.parameters.len());
        if got != expected {
            return Err(PgError::new(
                PROTOCOL_VIOLATION,
                format!("bind message supplies {got} parameters, but prepared statement requires {expected}"),
            ));
        }
        if formats.len() > 1 && formats.len() != got {
            let formats = formats.len();
            return Err(PgError::new(
                PROTOCOL_VIOLATION,
                format!("bind message has {formats} parameter formats but {got} parameters"),
            ));
        }
        let many = statement.columns.as_ref().map_or(0, |c| c.fields().len());
        if results.len() > 1 && results.len() != many {
            let results = results.len();
            return Err(PgError::new(
                PROTOCOL_VIOLATION,
                format!("bind message has {results} result formats but query has {many} columns"),
            ));
        }
        if !portal.is_empty() && self.portals.contains_key(&portal) {
            return Err(PgError::new("42P03", format!("cursor \"{portal}\" already exists")));
        }
        if self.portals.len() >= MOST {
            return Err(PgError::new("53400", format!("a connection keeps at most {MOST} portals")));
        }
        let format = |codes: &[i16], place: usize| match codes {
            [] => Format::Text,
            [one] => format_of(*one),
            each => each.get(place).map_or(Format::Text, |code| format_of(*code)),
        };
        let style = self.style();
        let values = values.iter().zip(&statement.parameters).enumerate();
        let values: Vec<ScalarValue> = values
            .map(|(place, (value, oid))| decode(*oid, format(formats, place), value.as_deref(), &style))
            .collect::<Result<_>>()?;
        let formats = results.iter().map(|code| format_of(*code)).collect();
        let made = Portal { statement, values, formats, state: State::New, held: false, cursor: false };
        self.portals.insert(portal, made);
        backend::bind_complete(&mut self.out);
        Ok(())
    }

    /// The statement of a name.
    pub(super) fn prepared(&self, name: &str) -> Result<Arc<Statement>> {
        self.statements.get(name).cloned().ok_or_else(|| {
            let what = if name.is_empty() {
                "unnamed prepared statement does not exist".to_owned()
            } else {
                format!("prepared statement \"{name}\" does not exist")
            };
            PgError::new(INVALID_STATEMENT_NAME, what)
        })
    }

    /// Tells what a statement or portal takes and gives.
    pub(super) fn describe(&mut self, kind: Target, name: &str) -> Result<()> {
        match kind {
            Target::Statement => {
                let statement = self.prepared(name)?;
                self.allowed(&statement.command)?;
                backend::parameter_description(&mut self.out, &statement.parameters)?;
                match &statement.columns {
                    Some(schema) => backend::row_description(&mut self.out, &columns(schema, &[]))?,
                    None => backend::no_data(&mut self.out),
                }
            }
            Target::Portal => {
                let portal = self.portals.get(name).ok_or_else(|| no_portal(name))?;
                match &portal.statement.columns {
                    Some(schema) => backend::row_description(&mut self.out, &columns(schema, &portal.formats))?,
                    None => backend::no_data(&mut self.out),
                }
            }
        }
        Ok(())
    }

    /// Runs a portal, or takes more of its rows.
    pub(super) async fn execute(&mut self, name: &str, most: i32) -> Result<()> {
        let mut portal = self.portals.remove(name).ok_or_else(|| no_portal(name))?;
        let interrupts = self.interrupts.until(self.until());
        self.backend.begins(&portal.statement.sql);
        let done = self.executed(&mut portal, most, &interrupts).await;
        // An error ends a portal, and so does the transaction that it belonged to.
        if done.is_ok() {
            self.portals.insert(name.to_owned(), portal);
        }
        done
    }

    async fn executed(
        &mut self,
        portal: &mut Portal,
        most: i32,
        interrupts: &super::interrupts::Interrupts,
    ) -> Result<()> {
        let statement = Arc::clone(&portal.statement);
        if statement.sql.is_empty() {
            backend::empty_query(&mut self.out);
            return Ok(());
        }
        self.allowed(&statement.command)?;
        if matches!(portal.state, State::New) {
            portal.state = match self.start(&statement, std::mem::take(&mut portal.values), interrupts).await? {
                Outcome::Rows(rows) => State::Rows(rows),
                Outcome::Done(tag) => {
                    backend::command_complete(&mut self.out, &tag);
                    State::Done
                }
                Outcome::Fetched { cursor, direction } => {
                    let formats = portal.formats.clone();
                    self.fetch(&cursor, direction, Some(&formats), interrupts).await?;
                    State::Done
                }
                Outcome::Copied => State::Done,
            };
            if matches!(portal.state, State::Done) {
                return Ok(());
            }
        }
        let State::Rows(rows) = &mut portal.state else {
            backend::command_complete(&mut self.out, "SELECT 0");
            return Ok(());
        };
        let formats = formats_of(&portal.formats, rows.schema.fields().len());
        let most = u64::try_from(most).ok().filter(|m| *m > 0);
        match self.send(rows, &formats, most, interrupts).await? {
            Sent { suspended: true, .. } => backend::portal_suspended(&mut self.out),
            Sent { rows, .. } => {
                portal.state = State::Done;
                let tag = tag_of(&statement.command, rows);
                backend::command_complete(&mut self.out, &tag);
            }
        }
        Ok(())
    }

    /// Forgets a statement or portal; one that is not there is none.
    pub(super) fn close(&mut self, kind: Target, name: &str) {
        match kind {
            Target::Statement => {
                self.statements.remove(name);
            }
            Target::Portal => {
                self.portals.remove(name);
            }
        }
        backend::close_complete(&mut self.out);
    }
}

/// Operators of a text that is parsed here.
const DEEPEST: usize = 250;

/// What a text tells of a query: types that it gives its parameters; names, types and origins of its columns.
#[derive(Default)]
struct Told {
    parameters: BTreeMap<usize, u32>,
    names: Names,
    types: Vec<Option<u32>>,
    origins: Vec<Option<Origin>>,
}

impl Connection {
    fn told(&self, query: &str) -> Told {
        // A chain of operators is a tree as deep as it is long, and this thread's stack is small; longer ones the
        // engine refuses or names by itself.
        let deep = words(query).map_or(usize::MAX, |words| words.iter().filter(|w| w.joins()).count()) > DEEPEST;
        // What does not parse the engine says.
        let parsed = if deep || envoi::parsable(query).is_err() {
            None
        } else {
            Parser::parse_sql(&PostgreSqlDialect {}, query).ok()
        };
        let statement = parsed.and_then(|mut all| all.pop());
        match statement {
            Some(statement) => Told {
                parameters: parameter_types(&statement),
                names: output_names(&statement),
                types: output_types(&statement),
                origins: origins(&statement, |schema, table| self.known(schema, table)),
            },
            None => Told::default(),
        }
    }

    /// A relation as the connection found it when it began; without a schema, the first one that the search finds.
    fn known(&self, schema: Option<&str>, table: &str) -> Option<Known> {
        let oid = match schema {
            Some(schema) => self.relations.oid_of(Some(schema), table)?,
            None => {
                let path = self.settings().get("search_path").ok()?;
                let path = path.split(',').map(|s| s.trim().trim_matches('"'));
                std::iter::once("pg_catalog").chain(path).find_map(|s| self.relations.oid_of(Some(s), table))?
            }
        };
        let columns = match self.relations.table(oid) {
            Some(found) => Arc::clone(&found.relation.columns),
            None => columns_of_shape(oid)?,
        };
        Some(Known { oid, columns: columns.fields().iter().map(|f| f.name().clone()).collect() })
    }
}

impl Told {
    /// Types of parameters: as the client says, else as the statement casts them.
    fn parameters(&self, types: &[u32]) -> Vec<u32> {
        let mut types = types.to_vec();
        for (number, oid) in
            self.parameters.iter().filter(|(n, oid)| **n >= 1 && **n <= MOST && arrow_type(**oid).is_some())
        {
            if types.len() < *number {
                types.resize(*number, 0);
            }
            if let Some(slot @ 0) = types.get_mut(number - 1) {
                *slot = *oid;
            }
        }
        types
    }

    /// Columns as PostgreSQL calls them, with the types they were cast to.
    fn columns(&self, schema: &SchemaRef) -> SchemaRef {
        let origins = Some(&self.origins).filter(|all| all.len() == schema.fields().len());
        let fields = schema.fields().iter().enumerate().map(|(place, field)| {
            let mut field = field.as_ref().clone();
            if let Some(name) = self.names.at(place, schema.fields().len()) {
                field = field.with_name(name);
            }
            if let Some(oid) = self.types.get(place).copied().flatten()
                && let Some(name) = text_type(oid).filter(|_| field.data_type().is_string())
            {
                let mut metadata = field.metadata().clone();
                metadata.insert(PG_TYPE.to_owned(), name.to_owned());
                field = field.with_metadata(metadata);
            }
            if let Some((oid, number)) = origins.and_then(|all| all.get(place).copied().flatten()) {
                let mut metadata = field.metadata().clone();
                metadata.insert(ORIGIN.to_owned(), format!("{oid} {number}"));
                field = field.with_metadata(metadata);
            }
            field
        });
        Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
    }
}

/// Types that are texts to the engine.
fn text_type(oid: u32) -> Option<&'static str> {
    Some(match oid {
        18 => "\"char\"",
        19 => "name",
        114 => "json",
        1042 => "bpchar",
        1043 => "varchar",
        2950 => "uuid",
        3802 => "jsonb",
        869 => "inet",
        _ => return None,
    })
}

fn format_of(code: i16) -> Format {
    if code == 1 { Format::Binary } else { Format::Text }
}

fn no_portal(name: &str) -> PgError {
    PgError::new(INVALID_CURSOR_NAME, format!("portal \"{name}\" does not exist"))
}

/// The tag of a statement that gave so many rows.
pub(super) fn tag_of(command: &Command, rows: u64) -> String {
    match command {
        Command::Show(_) | Command::ShowAll => "SHOW".to_owned(),
        Command::Explain { .. } => "EXPLAIN".to_owned(),
        _ => format!("SELECT {rows}"),
    }
}
