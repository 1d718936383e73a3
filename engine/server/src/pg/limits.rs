//! Bounds of a server: on unless somebody says otherwise.

use std::time::Duration;

/// What a server allows.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time that are not logged in.
    pub logins: usize,
    /// From the first byte until a client is logged in.
    pub login: Duration,
    /// Young queries that are planned or computed at a time; the others wait. Two for each core.
    pub active: usize,
    /// Queries that may wait.
    pub waiting: usize,
    /// A statement, from its receipt to its last byte; `None` for no limit.
    pub statement: Option<Duration>,
    /// A transaction whose client says nothing.
    pub idle_in_transaction: Duration,
    /// Bytes that a client does not take.
    pub send: Duration,
    /// A message: a statement with its values.
    pub message: usize,
    /// Memory of the process; `None` for no look at it.
    pub memory: Option<MemoryMarks>,
}

/// Bytes of memory of the whole process, beside what the engine's pool counts.
#[derive(Debug, Clone, Copy)]
pub struct MemoryMarks {
    /// Above it no query begins while another runs.
    pub refuse: usize,
    /// Above it the statement that has run longest is ended.
    pub end: usize,
}

impl MemoryMarks {
    /// Marks for an engine whose pool has so many bytes.
    #[must_use]
    pub fn beside(pool: usize) -> Self {
        /// What a server has in memory that does nothing, and what is planned and sent.
        const BESIDE: usize = 256 << 20;
        let refuse = pool.saturating_add(pool / 4).saturating_add(BESIDE);
        Self { refuse, end: refuse.saturating_add(refuse / 100 * 15) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 600,
            logins: 128,
            login: Duration::from_secs(10),
            active: 2 * std::thread::available_parallelism().map_or(2, usize::from),
            waiting: 1_000,
            statement: Some(Duration::from_secs(300)),
            idle_in_transaction: Duration::from_secs(600),
            send: Duration::from_secs(60),
            message: 16 << 20,
            memory: None,
        }
    }
}
