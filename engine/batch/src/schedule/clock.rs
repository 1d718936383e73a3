//! Time, which tests replace, and being asked to stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use envoi::lake::lake::Now;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;

/// The time, and waiting.
pub trait Clock: Send + Sync {
    /// What time it is: by the clock of the wall, and since a begin.
    fn now(&self) -> Now;
    /// Waits so long, by the time that only grows.
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()>;
}

/// The system's clock; needs tokio's timers.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    begin: Instant,
}

impl SystemClock {
    /// Begins now.
    pub fn new() -> Self {
        Self { begin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        Now { wall: Utc::now(), monotonic: self.begin.elapsed() }
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        tokio::time::sleep(time).boxed()
    }
}

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
