//! Asking work to stop.

use std::sync::Arc;

use tokio::sync::watch;

/// Whether something is to stop, as those see it who are to.
#[derive(Debug, Clone)]
pub struct Cancel {
    asked: watch::Receiver<bool>,
}

/// Asks for it.
#[derive(Debug, Clone)]
pub struct Canceller {
    ask: Arc<watch::Sender<bool>>,
}

impl Canceller {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self { ask: Arc::new(watch::Sender::new(false)) }
    }

    /// Asks to stop; once is enough.
    pub fn cancel(&self) {
        self.ask.send_replace(true);
    }

    /// What is given to those who are to stop.
    pub fn token(&self) -> Cancel {
        Cancel { asked: self.ask.subscribe() }
    }
}

impl Default for Canceller {
    fn default() -> Self {
        Self::new()
    }
}

impl Cancel {
    /// Whether to stop: for those who look now and then.
    pub fn is_cancelled(&self) -> bool {
        *self.asked.borrow()
    }

    /// Waits until it is asked for; for ever if nobody can ask any more.
    pub async fn cancelled(&self) {
        let mut asked = self.asked.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
