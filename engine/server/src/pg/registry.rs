//! Who is connected, what they do, and how others stop it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq;
use tokio::sync::{Notify, watch};

/// Bytes of a secret for protocol 3.0, which knows no other length.
const SHORT: usize = 4;
/// Bytes of a secret for later protocols.
const LONG: usize = 32;

/// The number before the first one.
const FIRST: i32 = 1 << 22;

/// All connections that are logged in.
#[derive(Debug)]
pub(crate) struct Registry {
    last: AtomicI32,
    all: Mutex<HashMap<i32, Arc<Backend>>>,
}

/// A connection, as others see it.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) pid: i32,
    pub(crate) secret: Vec<u8>,
    pub(crate) user: String,
    pub(crate) client: SocketAddr,
    pub(crate) started: DateTime<Utc>,
    activity: Mutex<Doing>,
    /// Wakes whoever waits for the statement that runs; none runs, nobody is woken.
    cancel: Notify,
    /// The same where the memory of the server is short.
    overdraws: Notify,
    /// Whether the connection is to end.
    terminate: watch::Sender<bool>,
}

/// What a connection does.
#[derive(Debug, Clone)]
pub(crate) struct Doing {
    pub(crate) application: String,
    pub(crate) state: &'static str,
    pub(crate) query: String,
    pub(crate) since: DateTime<Utc>,
    pub(crate) query_start: Option<DateTime<Utc>>,
    pub(crate) transaction_start: Option<DateTime<Utc>>,
}

/// Characters of a statement that others see.
const SHOWN: usize = 1024;

impl Default for Registry {
    /// Nobody is connected. Numbers begin where those of processes end, so that none is taken for another's.
    fn default() -> Self {
        Self { last: AtomicI32::new(FIRST), all: Mutex::default() }
    }
}

impl Registry {
    /// Takes a connection in; the secret is random.
    ///
    /// # Errors
    /// The system's random numbers, if there are none.
    pub(crate) fn enter(&self, user: &str, client: SocketAddr, minor: u16) -> Result<Arc<Backend>, getrandom::Error> {
        let mut secret = vec![0; if minor >= 2 { LONG } else { SHORT }];
        getrandom::fill(&mut secret)?;
        let now = Utc::now();
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        // Numbers begin anew after the last one; those in use are passed over.
        let pid = loop {
            let next = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            if next <= 0 {
                self.last.store(FIRST, Ordering::Relaxed);
            } else if !all.contains_key(&next) {
                break next;
            }
        };
        let backend = Arc::new(Backend {
            pid,
            secret,
            user: user.to_owned(),
            client,
            started: now,
            activity: Mutex::new(Doing {
                application: String::new(),
                state: "idle",
                query: String::new(),
                since: now,
                query_start: None,
                transaction_start: None,
            }),
            cancel: Notify::new(),
            overdraws: Notify::new(),
            terminate: watch::channel(false).0,
        });
        all.insert(pid, Arc::clone(&backend));
        Ok(backend)
    }

    /// Lets a connection go.
    pub(crate) fn leave(&self, pid: i32) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&pid);
    }

    /// The connection of that number.
    pub(crate) fn find(&self, pid: i32) -> Option<Arc<Backend>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).get(&pid).cloned()
    }

    /// All of them, by number.
    pub(crate) fn all(&self) -> Vec<Arc<Backend>> {
        let mut all: Vec<_> = self.all.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        all.sort_by_key(|b| b.pid);
        all
    }

    /// Stops the statement of a connection, if the secret is its own.
    pub(crate) fn cancel(&self, pid: i32, secret: &[u8]) {
        if let Some(backend) = self.find(pid)
            && bool::from(backend.secret.ct_eq(secret))
        {
            backend.cancel();
        }
    }
}

impl Backend {
    /// Stops the statement that runs now.
    pub(crate) fn cancel(&self) {
        self.cancel.notify_waiters();
    }

    /// Stops the statement that runs now, for its memory.
    pub(crate) fn overdraws(&self) {
        self.overdraws.notify_waiters();
    }

    /// Waits for that; it counts from the first poll on.
    pub(crate) async fn overdrawn(&self) {
        self.overdraws.notified().await;
    }

    /// Ends the connection.
    pub(crate) fn terminate(&self) {
        self.terminate.send_replace(true);
    }

    /// Waits for a request to stop; it counts from the first poll on.
    pub(crate) async fn cancelled(&self) {
        self.cancel.notified().await;
    }

    /// Waits for a request to end the connection.
    pub(crate) async fn terminated(&self) {
        let mut terminate = self.terminate.subscribe();
        // The sender lives as long as this backend.
        let _ = terminate.wait_for(|end| *end).await;
    }

    /// What the connection does now.
    pub(crate) fn doing(&self) -> Doing {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says what the connection is called.
    pub(crate) fn named(&self, application: &str) {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner).application = application.to_owned();
    }

    /// Says that a statement begins.
    pub(crate) fn begins(&self, sql: &str) {
        let mut doing = self.activity.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Utc::now();
        (doing.state, doing.since, doing.query_start) = ("active", now, Some(now));
        doing.query = sql.chars().take(SHOWN).collect();
    }

    /// Says what the connection waits in.
    pub(crate) fn waits(&self, state: &'static str) {
        let mut doing = self.activity.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Utc::now();
        if doing.state != state {
            (doing.state, doing.since) = (state, now);
        }
        doing.transaction_start = match state {
            "idle" => None,
            _ => doing.transaction_start.or(Some(now)),
        };
    }
}
