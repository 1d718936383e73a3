//! Cursors: DECLARE, FETCH, MOVE, and what they keep.

use std::sync::Arc;

use datafusion_common::ScalarValue;

use super::command::{Command, Declare, Direction};
use super::connection::Connection;
use super::error::{INVALID_CURSOR_NAME, PgError, Result};
use super::interrupts::Interrupts;
use super::portal::{Portal, State, Statement, formats_of};
use super::rows::{Kept, Rows};
use super::value::{Format, RowEncoder};
use super::wire::backend;

impl Connection {
    /// Starts the query of a cursor.
    pub(super) async fn declare(
        &mut self,
        declare: &Declare,
        statement: &Statement,
        values: Vec<ScalarValue>,
        interrupts: &Interrupts,
    ) -> Result<()> {
        if !declare.hold && !self.transaction.is_open() {
            return Err(PgError::new("25P01", "DECLARE CURSOR can only be used in transaction blocks"));
        }
        if self.portals.contains_key(&declare.name) {
            return Err(PgError::new("42P03", format!("cursor \"{}\" already exists", declare.name)));
        }
        let mut rows = self.engine(statement, values, interrupts).await?;
        rows.pause();
        let schema = Arc::clone(&rows.schema);
        let state =
            if declare.scroll { State::Kept(keep(rows, self.kept(), interrupts).await?) } else { State::Rows(rows) };
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
        Ok(())
    }

    /// Bytes that cursors keep now.
    fn kept(&self) -> usize {
        let of = |portal: &Portal| match &portal.state {
            State::Kept(kept) => kept.batch.get_array_memory_size(),
            _ => 0,
        };
        self.portals.values().map(of).sum()
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
    pub(super) async fn skip(&mut self, name: &str, direction: Direction, interrupts: &Interrupts) -> Result<u64> {
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

pub(super) fn no_cursor(name: &str) -> PgError {
    PgError::new(INVALID_CURSOR_NAME, format!("cursor \"{name}\" does not exist"))
}
