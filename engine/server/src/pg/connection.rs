//! A connection that is logged in: its state, and the loop that answers it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use envoi::Session;
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::error::{PgError, Result};
use super::interrupts::Interrupts;
use super::listen::{Shared, Writing};
use super::portal::{Portal, Statement};
use super::registry::Backend;
use super::settings::Settings;
use super::styles::style;
use super::transaction::Transaction;
use super::value::Style;
use super::wire::backend;
use super::wire::frontend::Frontend;
use crate::catalogue::Snapshot;

/// Bytes that are collected before they are sent.
const FULL: usize = 64 << 10;

/// What the reading half hands over.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) message: Result<Frontend>,
    /// After an error in it all is passed over until Sync.
    pub(crate) skips: bool,
}

/// A connection.
pub(crate) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) backend: Arc<Backend>,
    pub(super) session: Session,
    /// Functions of SQL see and change them too.
    pub(super) settings: Arc<Mutex<Settings>>,
    pub(super) transaction: Transaction,
    pub(super) statements: HashMap<String, Arc<Statement>>,
    pub(super) portals: HashMap<String, Portal>,
    pub(super) interrupts: Interrupts,
    /// What relations there were when it began.
    pub(super) relations: Arc<Snapshot>,
    incoming: mpsc::Receiver<Incoming>,
    pub(super) out: BytesMut,
    writing: Writing,
    /// After an error in extended messages all is passed over until Sync.
    skipping: bool,
    /// Settings as the engine's session has them.
    pub(super) applied: Settings,
}

impl Connection {
    #[expect(clippy::too_many_arguments, reason = "the parts of a connection, put together once")]
    pub(super) fn new(
        shared: Arc<Shared>,
        backend: Arc<Backend>,
        (session, relations): (Session, Arc<Snapshot>),
        settings: Arc<Mutex<Settings>>,
        incoming: mpsc::Receiver<Incoming>,
        gone: watch::Receiver<bool>,
        writing: Writing,
        out: BytesMut,
    ) -> Self {
        let interrupts = Interrupts::new(Arc::clone(&backend), gone);
        Self {
            shared,
            backend,
            session,
            settings,
            transaction: Transaction::default(),
            statements: HashMap::new(),
            portals: HashMap::new(),
            interrupts,
            relations,
            incoming,
            out,
            writing,
            skipping: false,
            applied: Settings::default(),
        }
    }

    /// Answers until the client goes, or has to.
    pub(super) async fn serve(mut self) {
        let end = match self.apply_settings().await {
            Ok(()) => self.answer_all().await,
            Err(error) => Err(error),
        };
        if let Err(error) = end {
            backend::error(&mut self.out, &error);
            // Whoever does not read does not learn why.
            let _ = self.flush().await;
        }
        let _ = self.writing.shutdown().await;
    }

    async fn answer_all(&mut self) -> Result<()> {
        self.ready().await?;
        loop {
            let Some(Incoming { message, skips }) = self.next().await? else { return Ok(()) };
            if self.skipping && !matches!(message, Ok(Frontend::Sync | Frontend::Terminate)) {
                if let Err(error) = message
                    && error.fatal
                {
                    return Err(error);
                }
                continue;
            }
            let done = match message {
                Ok(Frontend::Terminate) => return Ok(()),
                Ok(Frontend::Sync) => {
                    self.skipping = false;
                    self.synced().await
                }
                Ok(message) => self.answer(message).await,
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                if error.fatal {
                    return Err(error);
                }
                backend::error(&mut self.out, &error);
                self.transaction.failed();
                match skips {
                    true => {
                        self.skipping = true;
                        self.flush().await?;
                    }
                    false => {
                        self.skipping = false;
                        self.end_implicit();
                        self.ready().await?;
                    }
                }
            }
            self.backend.waits(self.transaction.state());
        }
    }

    async fn answer(&mut self, message: Frontend) -> Result<()> {
        match message {
            Frontend::Query(sql) => {
                self.backend.begins(&sql);
                self.simple(&sql).await?;
                self.end_implicit();
                self.ready().await
            }
            Frontend::Parse { statement, query, types } => {
                self.backend.begins(&query);
                self.parse(statement, query, &types).await
            }
            Frontend::Bind { portal, statement, formats, values, results } => {
                self.bind(portal, &statement, &formats, &values, &results)
            }
            Frontend::Describe { kind, name } => self.describe(kind, &name),
            Frontend::Execute { portal, most } => self.execute(&portal, most).await,
            Frontend::Close { kind, name } => {
                self.close(kind, &name);
                Ok(())
            }
            Frontend::Flush => self.flush().await,
            Frontend::FunctionCall => {
                Err(PgError::new(super::error::FEATURE_NOT_SUPPORTED, "function calls by number are not supported"))
            }
            // What is left of a COPY that failed.
            Frontend::CopyData(_) | Frontend::CopyDone | Frontend::CopyFail(_) => Ok(()),
            Frontend::Password(_) => {
                Err(PgError::fatal(super::error::PROTOCOL_VIOLATION, "a password was sent though none was asked for"))
            }
            Frontend::Sync | Frontend::Terminate => Ok(()),
        }
    }

    async fn synced(&mut self) -> Result<()> {
        self.end_implicit();
        self.ready().await
    }

    /// The next message; `None` when the client is gone.
    async fn next(&mut self) -> Result<Option<Incoming>> {
        if let Ok(message) = self.incoming.try_recv() {
            return Ok(Some(message));
        }
        // Nothing may wait here while the client waits for it.
        let idle = self.idle_limit();
        let interrupts = self.interrupts.clone();
        let late = async {
            match idle {
                Some((limit, ..)) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = self.incoming.recv() => Ok(message),
            () = self.backend.terminated() => {
                drop(interrupts);
                Err(PgError::fatal(super::error::ADMIN_SHUTDOWN, "terminating connection due to administrator command"))
            }
            () = late => {
                let (_, sqlstate, message) = idle.unwrap_or((Duration::ZERO, "57P05", "terminating connection due to idle-session timeout"));
                Err(PgError::fatal(sqlstate, message))
            }
        }
    }

    /// How long the client may say nothing, and what it is told then.
    fn idle_limit(&self) -> Option<(Duration, &'static str, &'static str)> {
        let settings = self.settings();
        if self.transaction.is_open() {
            let own = settings.time("idle_in_transaction_session_timeout");
            let limit = own.into_iter().chain([self.shared.limits.idle_in_transaction]).min()?;
            return Some((limit, "25P03", "terminating connection due to idle-in-transaction timeout"));
        }
        let limit = settings.time("idle_session_timeout")?;
        Some((limit, "57P05", "terminating connection due to idle-session timeout"))
    }

    /// A copy of the settings as they are.
    pub(super) fn settings(&self) -> Settings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How values are written as text.
    pub(super) fn style(&self) -> Style {
        style(&self.settings())
    }

    /// When a statement that begins now has to be done.
    pub(super) fn until(&self) -> Option<Instant> {
        let own = self.settings().time("statement_timeout");
        own.into_iter().chain(self.shared.limits.statement).min().map(|limit| Instant::now() + limit)
    }

    /// Says that the next statement may come.
    pub(super) async fn ready(&mut self) -> Result<()> {
        backend::ready(&mut self.out, self.transaction.status());
        self.flush().await
    }

    /// Sends what was collected, if that is much.
    pub(super) async fn flush_full(&mut self) -> Result<()> {
        if self.out.len() < FULL { Ok(()) } else { self.flush().await }
    }

    /// Sends what was collected. If it is dropped before it is through, the next call sends the rest.
    ///
    /// # Errors
    /// Fatal 08006, for a client that is gone or does not read.
    pub(super) async fn flush(&mut self) -> Result<()> {
        let (limit, room) = (self.shared.limits.send, self.out.capacity());
        let sent = tokio::time::timeout(limit, async {
            // What was written is no longer in `out`: whoever interrupts this goes on behind it, inside a message or not.
            while !self.out.is_empty() {
                if self.writing.write_buf(&mut self.out).await? == 0 {
                    return Err(std::io::ErrorKind::WriteZero.into());
                }
            }
            self.writing.flush().await
        });
        match sent.await {
            Ok(Ok(())) => {
                // A row of many megabytes does not keep its room.
                if room > 8 * FULL {
                    self.out = BytesMut::with_capacity(FULL);
                }
                Ok(())
            }
            Ok(Err(_)) => {
                self.out.clear();
                Err(PgError::fatal("08006", "the client is gone"))
            }
            Err(_) => {
                self.out.clear();
                Err(PgError::fatal("08006", "the client does not read"))
            }
        }
    }

    /// Ends the transaction of a single message, with what lives no longer than it.
    fn end_implicit(&mut self) {
        if !self.transaction.is_open() {
            self.session.unpin();
            self.portals.retain(|_, portal| portal.held);
        }
    }
}
