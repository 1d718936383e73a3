//! What stops a statement: a request, its time, a client that is gone, an operator.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::error::{ADMIN_SHUTDOWN, OUT_OF_MEMORY, PgError, QUERY_CANCELED, Result};
use super::registry::Backend;

/// Stands beside all that a statement waits for.
#[derive(Debug, Clone)]
pub(crate) struct Interrupts {
    backend: Arc<Backend>,
    gone: watch::Receiver<bool>,
    until: Option<Instant>,
}

impl Interrupts {
    /// Nothing stops it by time.
    pub(crate) fn new(backend: Arc<Backend>, gone: watch::Receiver<bool>) -> Self {
        Self { backend, gone, until: None }
    }

    /// The same with an end.
    pub(crate) fn until(&self, until: Option<Instant>) -> Self {
        Self { until, ..self.clone() }
    }

    /// Waits for the work, or stops it: what is dropped unfinished is undone by its own means.
    ///
    /// # Errors
    /// 57014 for a request or the time, 53200 where memory is short, fatal 57P01 for an operator, fatal 08006 for a client that is gone.
    pub(crate) async fn guard<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut gone = self.gone.clone();
        let late = async {
            match self.until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // A request that came while the work was done all the same is too late.
            biased;
            done = work => done,
            () = self.backend.cancelled() => Err(PgError::new(QUERY_CANCELED, "canceling statement due to user request")),
            () = self.backend.overdrawn() => Err(PgError::new(OUT_OF_MEMORY, "the server is short of memory; the statement that had run longest was ended")
                .with_hint("lower what is sorted, grouped or joined at once, or try again later")),
            () = self.backend.terminated() => Err(PgError::fatal(ADMIN_SHUTDOWN, "terminating connection due to administrator command")),
            _ = gone.wait_for(|gone| *gone) => Err(PgError::fatal("08006", "the client is gone")),
            () = late => Err(PgError::new(QUERY_CANCELED, "canceling statement due to statement timeout")),
        }
    }
}
