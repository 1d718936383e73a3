//! The state of the session that the catalogue belongs to, once it exists.

use std::sync::{OnceLock, Weak};

use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;
use parking_lot::RwLock;

use crate::error::Error;
use crate::options::EnvoiOptions;

/// A weak handle: the state owns the catalogue, so the catalogue may not own the state.
#[derive(Debug, Default)]
pub(crate) struct StateHandle(OnceLock<Weak<RwLock<SessionState>>>);

impl StateHandle {
    /// Ties the handle to its session; done once, when the session is built.
    pub(crate) fn tie(&self, state: Weak<RwLock<SessionState>>) {
        // A second call would be a second session on one catalogue, which the factory cannot make.
        let _ = self.0.set(state);
    }

    /// A copy of the state.
    pub(crate) fn state(&self) -> Result<SessionState, DataFusionError> {
        let state = self.0.get().and_then(Weak::upgrade);
        state.map(|s| s.read().clone()).ok_or_else(|| Error::internal("the session is gone").into())
    }

    /// The session's settings.
    pub(crate) fn options(&self) -> EnvoiOptions {
        let state = self.0.get().and_then(Weak::upgrade);
        state.and_then(|s| s.read().config_options().extensions.get::<EnvoiOptions>().cloned()).unwrap_or_default()
    }
}
