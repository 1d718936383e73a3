//! Memory of the whole process: the engine's pool does not count plans, values that functions make, rows that wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::{OUT_OF_MEMORY, PgError, Result};
use super::limits::MemoryMarks;
use super::registry::Registry;

/// How often it is looked.
pub(super) const EVERY: Duration = Duration::from_millis(100);
/// What a statement that is ended has to give its memory back.
const GRACE: Duration = Duration::from_secs(1);

/// Looks at the memory of the process, where the system tells of it.
#[derive(Debug)]
pub(super) struct MemoryGuard {
    marks: Option<MemoryMarks>,
    used: AtomicUsize,
    /// When a statement was ended.
    last: Mutex<Option<Instant>>,
}

impl MemoryGuard {
    pub(super) fn new(marks: Option<MemoryMarks>) -> Self {
        Self { marks, used: AtomicUsize::new(0), last: Mutex::new(None) }
    }

    pub(super) fn is_on(&self) -> bool {
        self.marks.is_some()
    }

    /// Takes the memory there is now, and above the upper mark ends the statement that has run longest.
    pub(super) fn look(&self, registry: &Registry) {
        let (Some(marks), Some(used)) = (&self.marks, used()) else { return };
        self.used.store(used, Ordering::Relaxed);
        if used <= marks.end {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < GRACE) {
            return;
        }
        let running = registry.all().into_iter().filter(|b| b.doing().state == "active");
        if let Some(longest) = running.min_by_key(|b| b.doing().query_start) {
            longest.overdraws();
            *last = Some(Instant::now());
        }
    }

    /// Whether another query may begin: above the lower mark only one that is alone. So what the allocator keeps for
    /// later shuts nobody out.
    pub(super) fn admit(&self, registry: &Registry) -> Result<()> {
        let Some(marks) = &self.marks else { return Ok(()) };
        let used = self.used.load(Ordering::Relaxed);
        if used <= marks.refuse || registry.all().iter().filter(|b| b.doing().state == "active").count() <= 1 {
            return Ok(());
        }
        let (used, mark) = (used >> 20, marks.refuse >> 20);
        let message = format!("the server uses {used} MiB of memory; above {mark} MiB no query begins beside others");
        Err(PgError::new(OUT_OF_MEMORY, message).with_hint("try again later"))
    }
}

/// Bytes that the process has in memory, without its files.
fn used() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_process_uses_memory() {
        // Where the system does not tell, nothing is guarded.
        assert!(super::used().is_none_or(|bytes| bytes > 100_000 && bytes < 1 << 40));
    }
}
