//! Running statements: the engine's, and those that are the connection's own.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion_common::ScalarValue;

use super::command::{Command, Direction, Discard};
use super::connection::Connection;
use super::error::{INVALID_CURSOR_NAME, PgError, Result};
use super::interrupts::Interrupts;
use super::portal::{Portal, State, Statement, columns, formats_of};
use super::rows::{Kept, Rows, texts};
use super::settings::{ENGINE, SETTINGS};
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
                if !declare.hold && !self.transaction.is_open() {
                    return Err(PgError::new("25P01", "DECLARE CURSOR can only be used in transaction blocks"));
                }
                if self.portals.contains_key(&declare.name) {
                    return Err(PgError::new("42P03", format!("cursor \"{}\" already exists", declare.name)));
                }
                let rows = self.engine(statement, values, interrupts).await?;
                let schema = Arc::clone(&rows.schema);
                let state = if declare.scroll {
                    State::Kept(keep(rows, self.kept(), interrupts).await?)
                } else {
                    State::Rows(rows)
                };
                let format = if declare.binary { Format::Binary } else { Format::Text };
                let portal = Portal {
                    statement: Arc::new(Statement {
                        sql: statement.sql.clone(),
                        command: Command::Query,
                        prepared: statement.prepared.clone(),
                        parameters: Vec::new(),
                        columns: Some(schema),
                        answer: None,
                    }),
                    values: Vec::new(),
                    formats: vec![format],
                    state,
                    held: declare.hold,
                    cursor: true,
                };
                self.portals.insert(declare.name.clone(), portal);
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

    /// Bytes that cursors keep now.
    fn kept(&self) -> usize {
        let of = |portal: &Portal| match &portal.state {
            State::Kept(kept) => kept.batch.get_array_memory_size(),
            _ => 0,
        };
        self.portals.values().map(of).sum()
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
    async fn engine(
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
        let answer = interrupts
            .guard(async {
                let _turn = shared.turn().await?;
                let answer = self.session.execute(prepared, values).await;
                answer.map_err(|e| super::sqlstate::of_engine(&e, prepared.sql(), ""))
            })
            .await?;
        Ok(Rows::of(answer, statement.answer.as_ref()))
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

    /// Sends rows of a cursor with what they are called.
    pub(super) async fn fetch(
        &mut self,
        name: &str,
        direction: Direction,
        formats: Option<&[Format]>,
        interrupts: &Interrupts,
    ) -> Result<()> {
        let mut portal = self.portals.remove(name).ok_or_else(|| no_cursor(name))?;
        let done = self.fetched(&mut portal, direction, formats, interrupts).await;
        // Where a stream broke is not known; a cursor that was only asked for what it cannot do stays.
        let broken = matches!((&done, &portal.state), (Err(e), State::Rows(_)) if e.sqlstate != "55000");
        if !broken {
            self.portals.insert(name.to_owned(), portal);
        }
        let rows = done?;
        backend::command_complete(&mut self.out, &format!("FETCH {rows}"));
        Ok(())
    }

    async fn fetched(
        &mut self,
        portal: &mut Portal,
        direction: Direction,
        formats: Option<&[Format]>,
        interrupts: &Interrupts,
    ) -> Result<u64> {
        let formats = match (portal.formats.as_slice(), formats) {
            // The cursor was declared BINARY, or the client asks for what it wants.
            ([Format::Text], Some(asked)) => asked.to_vec(),
            (own, _) => own.to_vec(),
        };
        let Some(schema) = portal.statement.columns.clone() else { return Ok(0) };
        let formats = formats_of(&formats, schema.fields().len());
        self.begun(portal, interrupts).await?;
        match &mut portal.state {
            State::Rows(rows) => {
                let most = forward(direction)?;
                let sent = self.send(rows, &formats, most, interrupts).await?;
                if !sent.suspended {
                    portal.state = State::Done;
                }
                Ok(sent.rows)
            }
            State::Kept(kept) => {
                let places = kept.go(direction);
                let batch = kept.batch.clone();
                let encoder = RowEncoder::new(&schema, &formats, &self.style())?;
                for place in &places {
                    encoder.rows(&batch, *place..*place + 1, &mut self.out)?;
                    interrupts.guard(self.flush_full()).await?;
                }
                Ok(places.len() as u64)
            }
            State::New | State::Done => {
                forward(direction)?;
                Ok(0)
            }
        }
    }

    /// Passes over rows of a cursor.
    async fn skip(&mut self, name: &str, direction: Direction, interrupts: &Interrupts) -> Result<u64> {
        let mut portal = self.portals.remove(name).ok_or_else(|| no_cursor(name))?;
        let passed = self.skipped(&mut portal, direction, interrupts).await;
        self.portals.insert(name.to_owned(), portal);
        passed
    }

    async fn skipped(&mut self, portal: &mut Portal, direction: Direction, interrupts: &Interrupts) -> Result<u64> {
        self.begun(portal, interrupts).await?;
        if let State::Kept(kept) = &mut portal.state {
            return Ok(kept.go(direction).len() as u64);
        }
        let most = forward(direction)?;
        let State::Rows(rows) = &mut portal.state else { return Ok(0) };
        let mut passed = 0;
        while most.is_none_or(|most| passed < most) {
            let room = most.map_or(u64::MAX, |most| most - passed);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let next = interrupts
                .guard(async { rows.next(room).await.map_err(|e| super::sqlstate::of_engine(&e, "", "")) })
                .await?;
            match next {
                Some((_, range)) => passed += range.len() as u64,
                None => break,
            }
        }
        Ok(passed)
    }

    /// Starts the query of a portal that was bound and not executed yet.
    async fn begun(&mut self, portal: &mut Portal, interrupts: &Interrupts) -> Result<()> {
        if matches!(portal.state, State::New) && portal.statement.prepared.is_some() {
            let statement = Arc::clone(&portal.statement);
            let values = std::mem::take(&mut portal.values);
            portal.state = State::Rows(self.engine(&statement, values, interrupts).await?);
        }
        Ok(())
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

    /// The engine's plan as lines.
    async fn explain(
        &mut self,
        sql: &str,
        (analyze, verbose): (bool, bool),
        query: &str,
        begin: usize,
        interrupts: &Interrupts,
    ) -> Result<Rows> {
        self.apply_settings().await?;
        let words = [if analyze { "analyze " } else { "" }, if verbose { "verbose " } else { "" }].concat();
        let asked = format!("explain {words}{query}");
        let lead = asked.len() - query.len();
        let before = sql.get(..begin).unwrap_or_default();
        let shared = Arc::clone(&self.shared);
        let batches = interrupts
            .guard(async {
                let _turn = shared.turn().await?;
                let answer = async { self.session.run(&asked).await?.collect().await }.await;
                answer.map_err(|e| {
                    let moved = e.position().and_then(|at| at.checked_sub(lead));
                    super::sqlstate::of_engine(&e.clone().at(moved), query, before)
                })
            })
            .await?;
        // Whoever plans by costs, another PostgreSQL for one, reads them in the first line.
        let rows = interrupts.guard(async { Ok(self.session.estimate(query).await.ok().flatten()) }).await?;
        let rows = rows.unwrap_or(UNKNOWN).max(1);
        let cost = rows as f64 / 100.0;
        let mut lines = vec![Some(format!("Result  (cost=0.00..{cost:.2} rows={rows} width={WIDTH})"))];
        for batch in &batches {
            let kinds = batch.column_by_name("plan_type").and_then(|c| cast(c, &DataType::Utf8).ok());
            let plans = batch.column_by_name("plan").and_then(|c| cast(c, &DataType::Utf8).ok());
            let (Some(kinds), Some(plans)) = (kinds, plans) else { continue };
            let (kinds, plans) = (kinds.as_string::<i32>(), plans.as_string::<i32>());
            let all = kinds.iter().zip(plans.iter());
            // What runs, unless everything is asked for.
            let physical = all.clone().any(|(kind, _)| kind == Some("physical_plan"));
            for (kind, plan) in all {
                if verbose || analyze || !physical || kind == Some("physical_plan") {
                    lines.extend(plan.unwrap_or_default().lines().map(|l| Some(format!("  {}", without_files(l)))));
                }
            }
            debug_assert_eq!(plans.null_count(), 0);
        }
        Ok(Rows::texts(&["QUERY PLAN"], vec![lines]))
    }

    fn show(&self, name: &str) -> Result<Rows> {
        let value = match name.to_lowercase().strip_prefix(ENGINE) {
            Some(_) => self.session.setting(name).map_err(|e| super::sqlstate::of_engine(&e, "", ""))?,
            None => self.settings().get(name)?,
        };
        Ok(Rows::texts(&[shown(name).as_str()], vec![vec![Some(value)]]))
    }

    fn show_all(&self) -> Rows {
        let settings = self.settings();
        let own = SETTINGS
            .iter()
            .map(|s| (s.name.to_owned(), settings.get(s.name).unwrap_or_default(), s.description.to_owned()));
        let engine = self.session.settings();
        let mut all: Vec<(String, String, String)> = own.chain(engine).collect();
        all.sort_by_key(|(name, ..)| name.to_lowercase());
        let column = |of: fn(&(String, String, String)) -> String| all.iter().map(|row| Some(of(row))).collect();
        Rows::texts(
            &["name", "setting", "description"],
            vec![column(|r| r.0.clone()), column(|r| r.1.clone()), column(|r| r.2.clone())],
        )
    }
}

/// Bytes of rows that the cursors of a connection which go both ways keep.
const KEPT: usize = 256 << 20;

/// Takes all rows in.
async fn keep(mut rows: Rows, before: usize, interrupts: &Interrupts) -> Result<Kept> {
    let (mut batches, mut bytes) = (Vec::new(), before);
    loop {
        let next = interrupts
            .guard(async { rows.next(usize::MAX).await.map_err(|e| super::sqlstate::of_engine(&e, "", "")) })
            .await?;
        let Some((batch, range)) = next else { break };
        bytes += batch.get_array_memory_size();
        if bytes > KEPT {
            let most = KEPT >> 20;
            return Err(PgError::new("53200", format!("the rows of SCROLL cursors take more than {most} MiB"))
                .with_hint("declare it without SCROLL: its rows are then read as they are fetched"));
        }
        batches.push(batch.slice(range.start, range.len()));
    }
    let all = arrow::compute::concat_batches(&rows.schema, &batches);
    Ok(Kept::new(all.map_err(|e| PgError::new(super::error::INTERNAL_ERROR, e.to_string()))?))
}

/// Rows of a plan of which nothing is known, as PostgreSQL has it of a table that was never looked at.
const UNKNOWN: u64 = 1_000;
/// Bytes of a row, as a plan says them.
const WIDTH: u64 = 32;

/// A line of a plan without the names of files, which are the server's own affair.
fn without_files(line: &str) -> String {
    const FILES: &str = "file_groups={";
    let Some(begin) = line.find(FILES).map(|at| at + FILES.len()) else { return line.to_owned() };
    let rest = line.get(begin..).unwrap_or_default();
    let groups = rest.split(':').next().unwrap_or_default();
    let end = rest.find("]]}").map_or(rest.len(), |at| at + 2);
    format!("{}{groups}{}", line.get(..begin).unwrap_or_default(), rest.get(end..).unwrap_or_default())
}

/// A setting as the column of SHOW is called.
fn shown(name: &str) -> String {
    super::settings::known(name).map_or_else(|| name.to_owned(), |s| s.name.to_owned())
}

fn forward(direction: Direction) -> Result<Option<u64>> {
    match direction {
        Direction::Forward(rows) => Ok(Some(rows)),
        Direction::All => Ok(None),
        Direction::Relative(by) if by >= 0 => Ok(Some(by.unsigned_abs())),
        Direction::Backward(_) | Direction::BackwardAll | Direction::Absolute(_) | Direction::Relative(_) => {
            Err(PgError::new("55000", "cursor can only scan forward")
                .with_hint("declare it with SCROLL option to enable backward scan"))
        }
    }
}

fn no_cursor(name: &str) -> PgError {
    PgError::new(INVALID_CURSOR_NAME, format!("cursor \"{name}\" does not exist"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn plans_name_no_files() {
        let line = "DataSourceExec: file_groups={2 groups: [[a/b.parquet], [c.parquet]]}, projection=[x]";
        assert_eq!(super::without_files(line), "DataSourceExec: file_groups={2 groups}, projection=[x]");
        assert_eq!(super::without_files("FilterExec: a"), "FilterExec: a");
    }
}
