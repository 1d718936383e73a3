//! One job: what was decided of it, what is next, and the run itself. A lane does one thing
//! after the other, so no job overlaps with itself.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use futures::FutureExt;
use tokio::sync::watch;

use super::decide::{Next, line, next};
use super::error::Result;
use super::event::Event;
use super::job::{Action, Job};
use super::ledger::{End, Ending, Entry, Kind, State};
use super::scheduler::{LONGEST_SLEEP, Leader, Shared, leads, until};
use super::work::Outcome;
use crate::cancel::{Cancel, Canceller};
use crate::history::nonce;
use crate::notify::Report;
use crate::record::{RunRecord, RunStatus, Trigger};

/// Waits between tries to reach a store grow up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A clock that is so far behind is said to be.
const BEHIND: TimeDelta = TimeDelta::hours(2);

pub(super) struct Lane<'a> {
    shared: &'a Shared<'a>,
    job: Arc<Job>,
    /// The job as the file has it now; `None` if it has it no longer.
    jobs: watch::Receiver<Option<Arc<Job>>>,
    leader: Leader,
    stop: Cancel,
    /// Nobody waits for the lease any more.
    abandoned: Cancel,
}

/// Why a run was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Timeout,
    Stop,
    Lost,
}

/// A run that ended, or was left.
struct Ran {
    outcome: Option<Outcome>,
    asked: Option<Asked>,
    started_at: DateTime<Utc>,
    took: Duration,
}

impl<'a> Lane<'a> {
    pub(super) fn new(
        shared: &'a Shared<'a>,
        job: Arc<Job>,
        jobs: watch::Receiver<Option<Arc<Job>>>,
        leader: Leader,
        stop: Cancel,
        abandoned: Cancel,
    ) -> Self {
        Self { shared, job, jobs, leader, stop, abandoned }
    }

    /// Until it is asked to stop, the job is gone, or what is due is done.
    pub(super) async fn follow(mut self) -> Result<()> {
        loop {
            let Some(fence) = self.lead().await else { return Ok(()) };
            let loaded = self
                .persist("read the state", |lane| async move { lane.shared.ledger.load(&lane.job.name).await }.boxed());
            let Some(mut state) = loaded.await? else { continue };
            self.look_at_clock(&state);
            let mut said = None;
            while self.leads() == Some(fence) && !self.stop.is_cancelled() {
                match self.jobs.borrow_and_update().clone() {
                    Some(job) => self.job = job,
                    None => return Ok(()),
                }
                if !self.step(&mut state, fence, &mut said).await? {
                    return Ok(());
                }
            }
            if self.stop.is_cancelled() {
                return Ok(());
            }
        }
    }

    /// Waits until we lead; `None` if there is nothing more to do.
    async fn lead(&mut self) -> Option<u64> {
        loop {
            if self.stop.is_cancelled() || self.abandoned.is_cancelled() {
                return None;
            }
            if let Some(fence) = self.leads() {
                return Some(fence);
            }
            let (stop, abandoned, mut leader) = (self.stop.clone(), self.abandoned.clone(), self.leader.clone());
            leader.mark_unchanged();
            tokio::select! {
                changed = leader.changed() => changed.ok()?,
                () = stop.cancelled() => {}
                () = abandoned.cancelled() => {}
                () = self.shared.scheduler.clock.sleep(LONGEST_SLEEP) => {}
            }
        }
    }

    fn leads(&self) -> Option<u64> {
        leads(&self.leader, self.shared.scheduler.clock.now())
    }

    fn say(&self, event: &Event) {
        (self.shared.scheduler.events)(event);
    }

    fn now(&self) -> DateTime<Utc> {
        self.shared.scheduler.clock.now().wall
    }

    fn look_at_clock(&self, state: &State) {
        if let Some(decided) = state.due.filter(|due| *due - self.now() > BEHIND) {
            self.say(&Event::Behind { job: self.job.name.clone(), decided });
        }
    }

    /// One decision, and what follows; `false` if there is nothing more to do.
    async fn step(&mut self, state: &mut State, fence: u64, said: &mut Option<DateTime<Utc>>) -> Result<bool> {
        let job = Arc::clone(&self.job);
        let now = self.now();
        match next(&job, state, now, self.shared.rules()) {
            Next::Never => {
                // Until the file has another line.
                if self.shared.scheduler.options.once {
                    return Ok(false);
                }
                self.pause(LONGEST_SLEEP).await;
            }
            Next::Wait(at, due) => {
                let again = state.due == Some(due);
                if self.shared.scheduler.options.once && !again {
                    return Ok(false);
                }
                if said.replace(at) != Some(at) && !again {
                    self.say(&Event::Next { job: job.name.clone(), due, start: at });
                }
                self.pause(until(at, now)).await;
            }
            Next::Begin => {
                let after = state.due.map_or(now, |due| now.max(due + TimeDelta::seconds(1)));
                self.decide(state, after.trunc_subsecs(0), 1, Kind::First, fence).await?;
            }
            Next::Skip(due, count) => {
                if self.decide(state, due, 1, Kind::Skip, fence).await? {
                    self.say(&Event::Skipped { job: job.name.clone(), due, count });
                }
            }
            Next::Interrupted(due, attempt) => self.adopt(state, due, attempt).await?,
            Next::Supersede(due, attempt) => {
                self.supersede(state, due, attempt).await?;
            }
            Next::Try(due, attempt, missed) => {
                let Some(_slot) = self.slot().await else { return Ok(true) };
                // Waiting for a place takes time.
                if next(&job, state, self.now(), self.shared.rules()) != Next::Try(due, attempt, missed) {
                    return Ok(true);
                }
                if self.decide(state, due, attempt, Kind::Claim, fence).await? {
                    if missed > 0 {
                        let due = due - TimeDelta::seconds(1);
                        let newest = job.cron.newest(due - TimeDelta::days(366), due).unwrap_or(due);
                        self.say(&Event::Skipped { job: job.name.clone(), due: newest, count: missed });
                    }
                    self.attempt(state, due, attempt).await?;
                }
            }
        }
        Ok(true)
    }

    /// A place to run in, unless it is time to stop, the lease is lost or the job is another.
    async fn slot(&mut self) -> Option<tokio::sync::SemaphorePermit<'a>> {
        let (stop, mut leader, mut jobs) = (self.stop.clone(), self.leader.clone(), self.jobs.clone());
        tokio::select! {
            slot = self.shared.slots.acquire() => slot.ok(),
            () = stop.cancelled() => None,
            Ok(()) = jobs.changed() => None,
            _ = leader.wait_for(Option::is_none) => None,
        }
    }

    /// Waits, unless it is time to stop, the lease is lost or the job is another.
    async fn pause(&mut self, time: Duration) {
        let (stop, mut leader, mut jobs) = (self.stop.clone(), self.leader.clone(), self.jobs.clone());
        tokio::select! {
            () = self.shared.scheduler.clock.sleep(time) => {}
            () = stop.cancelled() => {}
            Ok(()) = jobs.changed() => {}
            _ = leader.wait_for(Option::is_none) => {}
        }
    }

    /// Does what needs the store until it succeeds; `None` if it is of no use any more.
    async fn persist<T>(
        &self,
        what: &str,
        work: impl for<'l> Fn(&'l Self) -> futures::future::BoxFuture<'l, Result<T>>,
    ) -> Result<Option<T>> {
        let (mut pause, mut tries) = (Duration::from_millis(500), 0);
        loop {
            match work(self).await {
                Ok(done) => return Ok(Some(done)),
                Err(e) if self.shared.scheduler.options.once && tries >= 4 => return Err(e),
                Err(e) if tries == 0 => {
                    self.shared.scheduler.say(format!("{}: cannot {what}: {e}", self.job.name));
                }
                Err(_) => {}
            }
            tries += 1;
            if self.leads().is_none() || self.stop.is_cancelled() && tries > 4 {
                return Ok(None);
            }
            self.shared.scheduler.clock.sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Decides about a due time; `false` if somebody else had, which is then what is known.
    async fn decide(
        &self,
        state: &mut State,
        due: DateTime<Utc>,
        attempt: u32,
        kind: Kind,
        fence: u64,
    ) -> Result<bool> {
        let holder = self.shared.scheduler.options.holder.clone();
        let entry = Entry { kind, holder, fence, at: self.now(), line: line(&self.job), nonce: nonce() };
        let decided = self.persist("write the state", |lane| {
            let entry = entry.clone();
            async move {
                let ours = lane.shared.ledger.decide(&lane.job, due, attempt, &entry).await?;
                let tries = match ours && attempt == 1 {
                    true => vec![(entry, None)],
                    false => lane.shared.ledger.tries(&lane.job.name, due).await?,
                };
                Ok((ours, tries))
            }
            .boxed()
        });
        // What was decided while the lease ran out is begun by nobody: the next leader finds it interrupted.
        let Some((ours, tries)) = decided.await? else { return Ok(false) };
        if state.due != Some(due) {
            state.before = state.tries.last().and_then(|(_, end)| end.as_ref()).map(|e| e.ending).or(state.before);
        }
        (state.due, state.tries) = (Some(due), tries);
        Ok(ours && self.leads() == Some(fence))
    }

    /// A try was begun by one who is gone. If its run is in the history it was done.
    async fn adopt(&self, state: &mut State, due: DateTime<Utc>, attempt: u32) -> Result<()> {
        let found = self.persist("read the history", |lane| {
            async move { Ok(lane.shared.history.of_due(&lane.job.name, due).await?) }.boxed()
        });
        let Some(found) = found.await? else { return Ok(()) };
        const MESSAGE: &str = "the scheduler was interrupted";
        let (run_id, record) = match (&found, self.job.action) {
            (Some(run), _) => (Some(run.run_id.clone()), None),
            // A run of models has a record since it began.
            (None, Action::Run) => (None, None),
            (None, _) => {
                let trigger = Trigger::Schedule { job: self.job.name.clone(), due, attempt };
                let begun = state.tries.last().map_or(due, |(entry, _)| entry.at);
                let times = (begun, begun.max(self.now()));
                let record = crate::history::plain(&self.job, trigger, times, RunStatus::Interrupted, MESSAGE);
                (Some(record.run_id.clone()), Some(record))
            }
        };
        if let Some(record) = &record {
            let written = self.persist("write the record of the run", |lane| {
                async move { Ok(lane.shared.history.write(record).await?) }.boxed()
            });
            written.await?;
        }
        let end = match found {
            Some(_) => self.ending(Ending::Success, "done before the scheduler was interrupted", run_id),
            None => self.ending(Ending::Interrupted, MESSAGE, run_id),
        };
        self.close(state, due, attempt, end, (None, Duration::ZERO)).await
    }

    async fn supersede(&self, state: &mut State, due: DateTime<Utc>, attempt: u32) -> Result<()> {
        // The try has an end already: the next one is begun and ended at once, so that the due time is closed.
        let fence = self.leads().unwrap_or_default();
        if self.decide(state, due, attempt + 1, Kind::Claim, fence).await? {
            let end = self.ending(Ending::Superseded, "the next time has come", None);
            self.close(state, due, attempt + 1, end, (None, Duration::ZERO)).await?;
        }
        Ok(())
    }

    fn ending(&self, ending: Ending, message: &str, run_id: Option<String>) -> End {
        let holder = self.shared.scheduler.options.holder.clone();
        let message = message.to_owned();
        End { ending, message, run_id, at: self.now(), holder, last: false, nonce: nonce() }
    }

    /// One try, from begin to end.
    async fn attempt(&mut self, state: &mut State, due: DateTime<Utc>, attempt: u32) -> Result<()> {
        self.shared.begun.fetch_add(1, Ordering::Relaxed);
        let late = self.now().signed_duration_since(self.job.start(due)).to_std().unwrap_or(Duration::ZERO);
        self.say(&Event::Started { job: self.job.name.clone(), due, attempt, late });
        self.lineage(|recorder| recorder.start(&self.job, due, attempt, self.now())).await;
        let ran = self.run(due, attempt).await;
        let (mut record, end) = self.ended(&ran, due, attempt);
        let written = self.persist("write the record of the run", |lane| {
            let record = record.clone();
            async move {
                let mut record = record;
                lane.shared.history.complete(&mut record).await;
                lane.shared.history.write(&record).await?;
                Ok(record)
            }
            .boxed()
        });
        if let Some(written) = written.await? {
            record = written;
        }
        self.close(state, due, attempt, end, (Some(record), ran.took)).await
    }

    /// Lets the work run, and asks it to stop when its time is over, ours is, or we do not lead any more.
    async fn run(&mut self, due: DateTime<Utc>, attempt: u32) -> Ran {
        let clock = &self.shared.scheduler.clock;
        let (begin, started_at) = (clock.now().monotonic, self.now());
        let cancel = Canceller::new();
        let work = self.shared.scheduler.work.run(&self.job, due, attempt, cancel.token());
        let mut work = std::pin::pin!(AssertUnwindSafe(work).catch_unwind());
        let options = &self.shared.scheduler.options;
        let mut asked = None;
        let mut timeout = self.job.timeout.map(|t| begin + t);
        let (mut grace, mut left) = (None, None);
        let (mut leader, stop) = (self.leader.clone(), self.stop.clone());
        let mut led = true;
        let outcome = loop {
            let now = clock.now().monotonic;
            let over = |at: &Option<Duration>| at.is_some_and(|at| at <= now);
            if over(&left) {
                self.say(&Event::Stuck { job: self.job.name.clone() });
                break None;
            }
            let why = match (over(&grace), over(&timeout)) {
                (true, _) => Some(Asked::Stop),
                (_, true) => Some(Asked::Timeout),
                _ if !led && asked.is_none() => Some(Asked::Lost),
                _ => None,
            };
            if let Some(why) = why {
                asked = asked.or(Some(why));
                cancel.cancel();
                timeout = None;
                if why == Asked::Stop {
                    (grace, left) = (Some(Duration::MAX), Some(now + options.patience));
                }
            }
            let wake = [timeout, grace, left].into_iter().flatten().min();
            let sleep = wake.map_or(LONGEST_SLEEP, |at| at.saturating_sub(now).min(LONGEST_SLEEP));
            tokio::select! {
                biased;
                ended = &mut work => break Some(ended.unwrap_or_else(|panic| Outcome::failed(panicked(&*panic)))),
                () = stop.cancelled(), if grace.is_none() => grace = Some(now + self.shared.scheduler.schedule.shutdown),
                _ = leader.wait_for(Option::is_none), if led => led = false,
                () = clock.sleep(sleep) => {}
            }
        };
        Ran { outcome, asked, started_at, took: clock.now().monotonic.saturating_sub(begin) }
    }

    /// The record of a run, and the end of its try.
    fn ended(&self, ran: &Ran, due: DateTime<Utc>, attempt: u32) -> (RunRecord, End) {
        let silent = Outcome::cancelled("it did not stop when it was asked to");
        let outcome = ran.outcome.as_ref().unwrap_or(&silent);
        let (ending, message) = match (outcome.status, ran.asked) {
            (RunStatus::Success, _) => (Ending::Success, outcome.message.clone()),
            (_, Some(Asked::Timeout)) => {
                let limit = self.job.timeout.unwrap_or_default().as_secs_f64();
                (Ending::TimedOut, format!("took longer than {limit} s; `timeout` of the job is the limit"))
            }
            (_, Some(Asked::Stop)) => (Ending::Cancelled, "the scheduler was asked to stop".to_owned()),
            (_, Some(Asked::Lost)) => (Ending::Interrupted, "the scheduler lost its lease".to_owned()),
            (RunStatus::Cancelled, None) => (Ending::Failed, outcome.message.clone()),
            (RunStatus::Failed | RunStatus::Running | RunStatus::Interrupted, None) => {
                (Ending::Failed, outcome.message.clone())
            }
        };
        let trigger = Trigger::Schedule { job: self.job.name.clone(), due, attempt };
        let record = outcome.record.clone().unwrap_or_else(|| {
            let status = match ending {
                Ending::Success => RunStatus::Success,
                Ending::Cancelled | Ending::Interrupted => RunStatus::Cancelled,
                _ => RunStatus::Failed,
            };
            crate::history::plain(&self.job, trigger, (ran.started_at, self.now()), status, &message)
        });
        let last = ending == Ending::Failed && !outcome.retry;
        let end = End { last, ..self.ending(ending, &message, Some(record.run_id.clone())) };
        (record, end)
    }

    /// Writes the end of a try, and tells who is to be told.
    async fn close(
        &self,
        state: &mut State,
        due: DateTime<Utc>,
        attempt: u32,
        end: End,
        (record, took): (Option<RunRecord>, Duration),
    ) -> Result<()> {
        let written = self.persist("write the state", |lane| {
            let end = end.clone();
            async move { lane.shared.ledger.end(&lane.job, due, attempt, &end).await }.boxed()
        });
        // Who leads next finds the try interrupted, or its run in the history.
        let Some(ours) = written.await? else { return Ok(()) };
        if !ours {
            self.say(&Event::Disowned { job: self.job.name.clone(), due, attempt });
            let tries = self.persist("read the state", |lane| {
                async move { lane.shared.ledger.tries(&lane.job.name, due).await }.boxed()
            });
            if let Some(tries) = tries.await? {
                state.tries = tries;
            }
            return Ok(());
        }
        if let Some(last) = state.tries.last_mut() {
            last.1 = Some(end.clone());
        }
        let last = state.is_last(&self.job, &end, self.shared.rules());
        let failed = !matches!(end.ending, Ending::Success | Ending::Superseded);
        if last && failed {
            self.shared.failed.fetch_add(1, Ordering::Relaxed);
        }
        let wait = TimeDelta::from_std(self.job.wait(state.tally().failures)).unwrap_or(TimeDelta::zero());
        let again = (!last && matches!(end.ending, Ending::Failed | Ending::TimedOut)).then(|| end.at + wait);
        self.say(&Event::Ended {
            job: self.job.name.clone(),
            due,
            attempt,
            ending: end.ending,
            message: end.message.clone(),
            run_id: end.run_id.clone(),
            took,
            at: end.at,
            again,
        });
        self.lineage(|recorder| recorder.end(&self.job, (due, attempt), &end, record.as_ref())).await;
        if last && end.ending != Ending::Superseded {
            let report = Report::new(&self.job, due, attempt, &end, state.before, record.as_ref());
            for what in self.shared.scheduler.notifier.tell(&self.job.notify, &report).await {
                self.shared.scheduler.say(format!("{}: {what}", self.job.name));
            }
        }
        Ok(())
    }

    async fn lineage(&self, event: impl FnOnce(&crate::lineage::Recorder) -> crate::lineage::Sent) {
        if let Err(what) = event(&self.shared.scheduler.recorder).await {
            self.shared.scheduler.say(format!("{}: {what}", self.job.name));
        }
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().map(|t| (*t).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    format!("internal error, please report: {}", text.unwrap_or_default())
}
