//! Transactions as a server that is read means them: one version of the lake, settings that can be taken back.

use super::error::{PgError, Result};
use super::settings::Settings;

/// Whether a transaction is open, and what its end brings back.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    failed: bool,
    /// Settings as they were when it began.
    before: Settings,
    /// Settings that hold until its end, as they were before.
    local: Option<Settings>,
    savepoints: Vec<(String, Settings)>,
}

impl Transaction {
    /// Whether BEGIN was said, and no end.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether it failed, and waits for its end.
    pub(crate) fn is_failed(&self) -> bool {
        self.open.as_ref().is_some_and(|o| o.failed)
    }

    /// As ReadyForQuery says it.
    pub(crate) fn status(&self) -> u8 {
        match &self.open {
            None => b'I',
            Some(open) if open.failed => b'E',
            Some(_) => b'T',
        }
    }

    /// As `pg_stat_activity` says it.
    pub(crate) fn state(&self) -> &'static str {
        match &self.open {
            None => "idle",
            Some(open) if open.failed => "idle in transaction (aborted)",
            Some(_) => "idle in transaction",
        }
    }

    /// Begins; whether one was open already.
    pub(crate) fn begin(&mut self, settings: &Settings) -> bool {
        let already = self.open.is_some();
        if !already {
            self.open = Some(Open { failed: false, before: settings.clone(), local: None, savepoints: Vec::new() });
        }
        already
    }

    /// A statement in it failed.
    pub(crate) fn failed(&mut self) {
        if let Some(open) = &mut self.open {
            open.failed = true;
        }
    }

    /// Ends it; settings as they are from then on, and whether it was kept. `None` if none was open.
    pub(crate) fn end(&mut self, keep: bool, now: &Settings) -> Option<(Settings, bool)> {
        let open = self.open.take()?;
        match keep && !open.failed {
            true => Some((open.local.unwrap_or_else(|| now.clone()), true)),
            false => Some((open.before, false)),
        }
    }

    /// A setting is about to change until the end only.
    pub(crate) fn local(&mut self, before: &Settings) {
        if let Some(open) = &mut self.open {
            open.local.get_or_insert_with(|| before.clone());
        }
    }

    /// A setting was changed for longer than the transaction.
    pub(crate) fn lasting(&mut self, name: &str, value: Option<&str>) {
        if let Some(local) = self.open.as_mut().and_then(|o| o.local.as_mut()) {
            // It was taken once, so it is taken again.
            let _ = local.set(name, value);
        }
    }

    fn opened(&mut self, what: &str) -> Result<&mut Open> {
        self.open
            .as_mut()
            .ok_or_else(|| PgError::new("25P01", format!("{what} can only be used in transaction blocks")))
    }

    /// Remembers where it is.
    pub(crate) fn savepoint(&mut self, name: String, now: &Settings) -> Result<()> {
        let now = now.clone();
        self.opened("SAVEPOINT")?.savepoints.push((name, now));
        Ok(())
    }

    /// Forgets a savepoint, and those after it.
    pub(crate) fn release(&mut self, name: &str) -> Result<()> {
        let open = self.opened("RELEASE SAVEPOINT")?;
        let place = open.savepoints.iter().rposition(|(n, _)| n == name).ok_or_else(|| missing(name))?;
        open.savepoints.truncate(place);
        Ok(())
    }

    /// Goes back to a savepoint, which stays; settings as they were then.
    pub(crate) fn rollback_to(&mut self, name: &str) -> Result<Settings> {
        let open = self.opened("ROLLBACK TO SAVEPOINT")?;
        let place = open.savepoints.iter().rposition(|(n, _)| n == name).ok_or_else(|| missing(name))?;
        open.savepoints.truncate(place + 1);
        open.failed = false;
        open.savepoints.last().map(|(_, settings)| settings.clone()).ok_or_else(|| missing(name))
    }
}

fn missing(name: &str) -> PgError {
    PgError::new("3B001", format!("savepoint \"{name}\" does not exist"))
}
