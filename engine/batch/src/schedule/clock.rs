//! Time, which tests replace.

use std::time::{Duration, Instant};

use chrono::Utc;
use envoi::lake::lake::Now;
use futures::FutureExt;
use futures::future::BoxFuture;

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
