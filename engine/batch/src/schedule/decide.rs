//! What is to be done about a job now: of its state and the time alone.

use chrono::{DateTime, TimeDelta, Utc};

use super::job::{Job, Misfire};
use super::ledger::{End, Ending, Kind, State};

/// Left-out times are counted up to this.
const COUNTED: usize = 10_000;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The job is new, or its times are: write that it begins here.
    Begin,
    /// Nothing before this time; for a try that is to come the due time is the second.
    Wait(DateTime<Utc>, DateTime<Utc>),
    /// The calendar has no further time.
    Never,
    /// Leave out the times up to this one, so many of them.
    Skip(DateTime<Utc>, usize),
    /// A try was begun and has no end: whoever began it is gone.
    Interrupted(DateTime<Utc>, u32),
    /// Not tried again, since the next time has come.
    Supersede(DateTime<Utc>, u32),
    /// Begin this try of this due time; so many before it are left out.
    Try(DateTime<Utc>, u32, usize),
}

/// What decisions depend on beside the job.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// What is due by this time is done, however late, at once, and nothing that comes after.
    pub once: Option<DateTime<Utc>>,
    /// Interruptions of one due time after which it is given up: it may be what kills us.
    pub interruptions: u32,
}

/// The newest due time's tries, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Tries.
    pub tries: u32,
    /// Those that failed or took too long.
    pub failures: u32,
    /// Those whose end nobody saw.
    pub interruptions: u32,
}

impl State {
    /// The tries of the newest due time, counted.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally { tries: 0, failures: 0, interruptions: 0 };
        for (_, end) in &self.tries {
            tally.tries += 1;
            match end.as_ref().map(|end| end.ending) {
                Some(Ending::Failed | Ending::TimedOut) => tally.failures += 1,
                // Being asked to stop is no sign of harm.
                Some(Ending::Interrupted) | None => tally.interruptions += 1,
                Some(Ending::Success | Ending::Superseded | Ending::Cancelled) => {}
            }
        }
        tally
    }

    /// Whether a try with this end, the newest, is the last of its due time.
    pub fn is_last(&self, job: &Job, end: &End, rules: Rules) -> bool {
        let tally = self.tally();
        match end.ending {
            Ending::Success | Ending::Superseded => true,
            Ending::Failed | Ending::TimedOut => end.last || tally.failures > job.retries,
            Ending::Cancelled | Ending::Interrupted => end.last || tally.interruptions > rules.interruptions,
        }
    }
}

/// What is to be done about a job at `now`.
pub fn next(job: &Job, state: &State, now: DateTime<Utc>, rules: Rules) -> Next {
    let (Some(decided), Some((entry, end))) = (state.due, state.tries.last()) else { return Next::Begin };
    // The time until which due times are looked at.
    let horizon = rules.once.map_or(now, |begin| begin.min(now));
    let newest = |after| job.cron.newest(after, horizon).filter(|due| start(job, *due, rules) <= now);
    if entry.kind == Kind::Claim {
        let attempt = state.tally().tries;
        let Some(end) = end else { return Next::Interrupted(decided, attempt) };
        if !state.is_last(job, end, rules) {
            return match end.ending {
                Ending::Failed | Ending::TimedOut => {
                    let wait = TimeDelta::from_std(job.wait(state.tally().failures)).unwrap_or(TimeDelta::zero());
                    // A clock that was put back since does not make it longer.
                    let until = (end.at + wait).min(now + wait);
                    if until > now { Next::Wait(until, decided) } else { Next::Try(decided, attempt + 1, 0) }
                }
                _ if job.misfire != Misfire::CatchUp && newest(decided).is_some() => Next::Supersede(decided, attempt),
                _ => Next::Try(decided, attempt + 1, 0),
            };
        }
    }
    if entry.line != line(job) {
        return Next::Begin;
    }
    let Some(following) = job.cron.next(decided) else { return Next::Never };
    let begins = start(job, following, rules);
    if begins > horizon {
        return Next::Wait(begins, following);
    }
    if job.misfire == Misfire::CatchUp {
        return Next::Try(following, 1, 0);
    }
    // The newest one that has passed, unless its own start is yet to come.
    let due = newest(decided).unwrap_or_else(|| previous(job, decided, horizon).unwrap_or(following));
    let missed = job.cron.count(decided, due, COUNTED).saturating_sub(1);
    let late = now.signed_duration_since(start(job, due, rules));
    let grace = TimeDelta::from_std(job.grace).unwrap_or(TimeDelta::MAX);
    match job.misfire {
        Misfire::Skip if late > grace && rules.once.is_none() => Next::Skip(due, missed + 1),
        _ => Next::Try(due, 1, missed),
    }
}

/// The time before the newest one.
fn previous(job: &Job, after: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let newest = job.cron.newest(after, now)?;
    job.cron.newest(after, newest - TimeDelta::seconds(1))
}

fn start(job: &Job, due: DateTime<Utc>, rules: Rules) -> DateTime<Utc> {
    if rules.once.is_some() { due } else { job.start(due) }
}

/// The job's times, as they are kept: where they change, earlier ones mean nothing.
pub fn line(job: &Job) -> String {
    format!("{} {}", job.cron.text(), job.cron.zone())
}
