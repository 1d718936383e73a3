//! Turns: who plans and computes, and who waits for it.
//!
//! Queries that are young go one after the other, a few at a time in the order they came: so many clients at once
//! wait about as long as each other, where all at once would leave some far behind. A query that is no longer young
//! gives its turn on and computes beside: it keeps nobody waiting. So does one whose rows wait for their client.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

/// So long a query is young.
const YOUNG: Duration = Duration::from_millis(100);

/// A turn, until it is dropped or given on.
#[derive(Debug)]
pub(crate) struct Turn {
    permit: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
    given_on: JoinHandle<()>,
}

impl Turn {
    /// Takes a place among the young.
    pub(super) fn new(permit: OwnedSemaphorePermit) -> Self {
        let permit = Arc::new(Mutex::new(Some(permit)));
        let held = Arc::clone(&permit);
        let given_on = tokio::spawn(async move {
            tokio::time::sleep(YOUNG).await;
            drop(held.lock().unwrap_or_else(PoisonError::into_inner).take());
        });
        Self { permit, given_on }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.given_on.abort();
        drop(self.permit.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
