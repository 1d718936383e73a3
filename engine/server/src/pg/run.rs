//! Running statements: the engine's, and those that are the connection's own.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_common::ScalarValue;

use super::command::{Command, Direction, Discard};
use super::connection::Connection;
use super::cursor::no_cursor;
use super::error::{PgError, Result};
use super::interrupts::Interrupts;
use super::portal::{Statement, columns, formats_of};
use super::rows::{Rows, texts};
use super::show::shown;
use super::value::{Format, RowEncoder};
use super::wire::backend;

/// Rows that are encoded before it is looked whether to send.
const CHUNK: usize = 1024;

/// What a statement came to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Rows, of which none is sent yet.
    Rows(Rows),
    /// It is done, and is called so.
    Done(String),
    /// Rows of a cursor are to be sent.
    Fetched { cursor: String, direction: Direction },
    /// Rows were copied out, and the tag sent.
    Copied,
}

/// How many rows were sent, and whether the portal may have more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) rows: u64,
    pub(super) suspended: bool,
}

impl Connection {
    /// In a transaction that failed only its end may be said.
    pub(super) fn allowed(&self, command: &Command) -> Result<()> {
        let ends = matches!(command, Command::Commit { .. } | Command::Rollback { .. } | Command::RollbackTo(_));
        if self.transaction.is_failed() && !ends {
            return Err(PgError::new(
                "25P02",
                "current transaction is aborted, commands ignored until end of transaction block",
            ));
        }
        Ok(())
    }

    /// Columns that a statement of the connection gives, if it gives rows.
    pub(super) fn columns_of(&self, command: &Command) -> Result<Option<SchemaRef>> {
        Ok(match command {
            Command::Show(name) => Some(Arc::new(texts(&[shown(name).as_str()]))),
            Command::ShowAll => Some(Arc::new(texts(&["name", "setting", "description"]))),
            Command::Explain { .. } => Some(Arc::new(texts(&["QUERY PLAN"]))),
            Command::Fetch { cursor, shown: true, .. } => {
                let portal = self.portals.get(cursor).ok_or_else(|| no_cursor(cursor))?;
                portal.statement.columns.clone()
            }
            Command::Execute { name, .. } => self.prepared(name)?.columns.clone(),
            _ => None,
        })
    }

    /// Starts a statement.
    pub(super) async fn start(
        &mut self,
        statement: &Statement,
        values: Vec<ScalarValue>,
        interrupts: &Interrupts,
    ) -> Result<Outcome> {
        match &statement.command {
            Command::Query => self.query(statement, values, interrupts).await,
            Command::Declare(declare) => {
                self.declare(declare, statement, values, interrupts).await?;
                Ok(Outcome::Done("DECLARE CURSOR".to_owned()))
            }
            Command::Fetch { cursor, direction, shown: true } => {
                Ok(Outcome::Fetched { cursor: cursor.clone(), direction: *direction })
            }
            Command::Fetch { cursor, direction, shown: false } => {
                let moved = self.skip(cursor, *direction, interrupts).await?;
                Ok(Outcome::Done(format!("MOVE {moved}")))
            }
            Command::CopyOut(copy) => {
                let rows = self.engine(statement, values, interrupts).await?;
                self.copy_out(rows, &copy.options, interrupts).await?;
                Ok(Outcome::Copied)
            }
            Command::Explain { analyze, verbose, query, begin } => {
                self.explain(&statement.sql, (*analyze, *verbose), query, *begin, interrupts).await.map(Outcome::Rows)
            }
            Command::Show(name) => Ok(Outcome::Rows(self.show(name)?)),
            Command::ShowAll => Ok(Outcome::Rows(self.show_all())),
            Command::Execute { name, arguments } => {
                let inner = self.prepared(name)?;
                let values = self.arguments(&inner, arguments.as_deref(), interrupts).await?;
                Box::pin(self.start(&inner, values, interrupts)).await
            }
            command => self.own(command.clone()).await.map(Outcome::Done),
        }
    }

    /// Statements that change the connection.
    async fn own(&mut self, command: Command) -> Result<String> {
        let settings = self.settings();
        Ok(match command {
            Command::Begin(begin) => {
                if begin.write {
                    self.reads_only();
                }
                if self.transaction.begin(&settings) {
                    let message = "there is already a transaction in progress";
                    backend::notice(&mut self.out, "WARNING", "25001", message, None);
                } else {
                    // From here on it sees one version of the lake.
                    self.session.pin().await.map_err(|e| super::sqlstate::of_engine(&e, "", ""))?;
                    let usual = settings.get("default_transaction_isolation")?;
                    self.set("transaction_isolation", Some(begin.isolation.unwrap_or(&usual)), true).await?;
                }
                "BEGIN".to_owned()
            }
            Command::SetTransaction { begin, session } => {
                if begin.write {
                    self.reads_only();
                }
                if let Some(level) = begin.isolation {
                    let name = if session { "default_transaction_isolation" } else { "transaction_isolation" };
                    self.set(name, Some(level), !session).await?;
                }
                "SET".to_owned()
            }
            Command::Commit { chain } => self.end(true, chain).await?,
            Command::Rollback { chain } => self.end(false, chain).await?,
            Command::Savepoint(name) => {
                self.transaction.savepoint(name, &settings)?;
                "SAVEPOINT".to_owned()
            }
            Command::Release(name) => {
                self.transaction.release(&name)?;
                "RELEASE".to_owned()
            }
            Command::RollbackTo(name) => {
                let settings = self.transaction.rollback_to(&name)?;
                self.restore(settings);
                "ROLLBACK".to_owned()
            }
            Command::Set { name, value, local } => {
                self.set(&name, value.as_deref(), local).await?;
                if value.is_none() && !local { "RESET".to_owned() } else { "SET".to_owned() }
            }
            Command::ResetAll => {
                let mut settings = settings;
                settings.reset_all();
                self.restore(settings);
                self.apply_settings().await?;
                "RESET".to_owned()
            }
            Command::Close(Some(name)) => {
                let cursor = self.portals.get(&name).is_some_and(|p| p.cursor);
                if !cursor {
                    return Err(no_cursor(&name));
                }
                self.portals.remove(&name);
                "CLOSE CURSOR".to_owned()
            }
            Command::Close(None) => {
                self.portals.retain(|_, p| !p.cursor);
                "CLOSE CURSOR ALL".to_owned()
            }
            Command::Prepare { name, types, query, begin } => self.prepare(name, &types, &query, begin).await?,
            Command::Deallocate(Some(name)) => {
                self.prepared(&name)?;
                self.statements.remove(&name);
                "DEALLOCATE".to_owned()
            }
            Command::Deallocate(None) => {
                self.statements.clear();
                "DEALLOCATE ALL".to_owned()
            }
            Command::Discard(what) => self.discard(what).await?,
            Command::Unlisten => "UNLISTEN".to_owned(),
            _ => return Err(PgError::new("XX000", "a statement has no way to run")),
        })
    }

    /// Pools ask for READ WRITE when they take a connection back; what writes is refused when it comes.
    fn reads_only(&mut self) {
        let message = "this server is read-only, and so is the transaction";
        backend::notice(&mut self.out, "WARNING", "25006", message, None);
    }

    async fn end(&mut self, keep: bool, chain: bool) -> Result<String> {
        let settings = self.settings();
        let tag = match self.transaction.end(keep, &settings) {
            Some((settings, kept)) => {
                self.restore(settings);
                self.portals.retain(|_, p| p.held && kept);
                if kept { "COMMIT" } else { "ROLLBACK" }
            }
            None => {
                backend::notice(&mut self.out, "WARNING", "25P01", "there is no transaction in progress", None);
                if keep { "COMMIT" } else { "ROLLBACK" }
            }
        };
        self.session.unpin();
        self.apply_settings().await?;
        if chain {
            let settings = self.settings();
            self.transaction.begin(&settings);
            self.session.pin().await.map_err(|e| super::sqlstate::of_engine(&e, "", ""))?;
        }
        Ok(tag.to_owned())
    }

    async fn discard(&mut self, what: Discard) -> Result<String> {
        let tag = match what {
            Discard::Plans => "DISCARD PLANS",
            Discard::Sequences => "DISCARD SEQUENCES",
            Discard::Temp => "DISCARD TEMP",
            Discard::All => {
                if self.transaction.is_open() {
                    return Err(PgError::new("25001", "DISCARD ALL cannot run inside a transaction block"));
                }
                self.statements.clear();
                self.portals.clear();
                let mut settings = self.settings();
                settings.reset_all();
                self.restore(settings);
                self.apply_settings().await?;
                "DISCARD ALL"
            }
        };
        Ok(tag.to_owned())
    }

    /// A query of the engine; what the engine does without rows is refused to readers before.
    async fn query(
        &mut self,
        statement: &Statement,
        values: Vec<ScalarValue>,
        interrupts: &Interrupts,
    ) -> Result<Outcome> {
        let rows = self.engine(statement, values, interrupts).await?;
        if statement.columns.is_none() {
            return Ok(Outcome::Done("SELECT 0".to_owned()));
        }
        Ok(Outcome::Rows(rows))
    }

    /// Starts the engine's part of a statement.
    pub(super) async fn engine(
        &mut self,
        statement: &Statement,
        values: Vec<ScalarValue>,
        interrupts: &Interrupts,
    ) -> Result<Rows> {
        let Some(prepared) = &statement.prepared else {
            return Err(PgError::new("XX000", "a query was not planned"));
        };
        let values = match values.len() == prepared.parameters.len() {
            true => values,
            false => return Err(PgError::new("42P02", "there is no value for parameter $1")),
        };
        self.apply_settings().await?;
        let shared = Arc::clone(&self.shared);
        let (answer, turn) = interrupts
            .guard(async {
                let turn = shared.begin().await?;
                let answer = self.session.execute(prepared, values).await;
                Ok((answer.map_err(|e| super::sqlstate::of_engine(&e, prepared.sql(), ""))?, turn))
            })
            .await?;
        Ok(Rows::of(answer, statement.answer.as_ref(), turn))
    }

    /// Sends rows, at most so many.
    pub(super) async fn send(
        &mut self,
        rows: &mut Rows,
        formats: &[Format],
        most: Option<u64>,
        interrupts: &Interrupts,
    ) -> Result<Sent> {
        let encoder = RowEncoder::new(&rows.schema, formats, &self.style())?;
        let mut sent = 0_u64;
        loop {
            let room = most.map_or(CHUNK as u64, |most| (most - sent).min(CHUNK as u64));
            if room == 0 {
                return Ok(Sent { rows: sent, suspended: true });
            }
            let next = interrupts
                .guard(async { rows.next(room as usize).await.map_err(|e| super::sqlstate::of_engine(&e, "", "")) })
                .await?;
            let Some((batch, range)) = next else {
                // Such as cells of households that are not shown.
                for note in std::mem::take(&mut rows.notes) {
                    backend::notice(&mut self.out, "NOTICE", "00000", &note, None);
                }
                return Ok(Sent { rows: sent, suspended: false });
            };
            let first = sent == 0;
            sent += range.len() as u64;
            encoder.rows(&batch, range, &mut self.out)?;
            // The first rows are not kept back, and a client that is slow holds no more than this.
            if first { interrupts.guard(self.flush()).await? } else { interrupts.guard(self.flush_full()).await? }
        }
    }

    /// Tells the columns of rows and sends them all; of the simple protocol.
    pub(super) async fn send_all(
        &mut self,
        mut rows: Rows,
        tag: impl Fn(u64) -> String,
        interrupts: &Interrupts,
    ) -> Result<()> {
        let formats = formats_of(&[], rows.schema.fields().len());
        backend::row_description(&mut self.out, &columns(&rows.schema, &[]))?;
        let sent = self.send(&mut rows, &formats, None, interrupts).await?;
        backend::command_complete(&mut self.out, &tag(sent.rows));
        Ok(())
    }
}
