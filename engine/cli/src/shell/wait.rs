//! Waiting for the engine, with an eye on Ctrl-C and the clock.

use std::future::Future;
use std::io::Write;
use std::pin::pin;

use arrow::array::RecordBatch;
use envoi::Answer;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

use super::progress::{Progress, TICK};

/// The user pressed Ctrl-C.
#[derive(Debug)]
pub(super) struct Interrupted;

/// One statement's patience. Made anew for each, so that an earlier Ctrl-C
/// does not count.
pub(super) struct Wait {
    pub(super) progress: Progress,
    interrupt: Option<Signal>,
}

impl Wait {
    pub(super) fn start(terminal: bool) -> Self {
        Self { progress: Progress::start(terminal), interrupt: signal(SignalKind::interrupt()).ok() }
    }

    /// Waits for `work`; on Ctrl-C it is dropped, which cancels it.
    pub(super) async fn until<T>(
        &mut self,
        work: impl Future<Output = T>,
        log: &mut dyn Write,
    ) -> Result<T, Interrupted> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                () = interrupted(&mut self.interrupt) => return Err(Interrupted),
                done = timeout(TICK, &mut work) => match done {
                    Ok(done) => return Ok(done),
                    Err(_) => self.progress.tick(0, log),
                },
            }
        }
    }

    /// Waits for the next batch, showing what was read so far.
    pub(super) async fn next(
        &mut self,
        answer: &mut Answer,
        log: &mut dyn Write,
    ) -> Result<Option<Result<RecordBatch, envoi::Error>>, Interrupted> {
        loop {
            tokio::select! {
                biased;
                () = interrupted(&mut self.interrupt) => return Err(Interrupted),
                batch = timeout(TICK, answer.next()) => if let Ok(batch) = batch {
                    return Ok(batch);
                },
            }
            self.progress.tick(answer.rows_scanned(), log);
        }
    }
}

async fn interrupted(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
