//! The loop: one keeps the lease, and each job has a lane of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use envoi::lake::Lake;
use envoi::lake::lake::{Asked, Held, Lease, Now};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{Semaphore, watch};

use super::clock::Clock;
use super::decide::Rules;
use super::error::Result;
use super::event::{Event, Events};
use super::file::Schedule;
use super::job::Job;
use super::lane::Lane;
use super::ledger::Ledger;
use super::work::Work;
use crate::cancel::{Cancel, Canceller};
use crate::history::History;
use crate::lineage::Recorder;
use crate::notify::Notifier;

/// Name of the lease.
const LEASE: &str = "schedule";
/// A sleep is no longer, so that a clock that was set is seen.
pub(super) const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// The file of jobs is looked at so often.
const LOOK: Duration = Duration::from_secs(5);

/// Where the jobs come from while they run.
pub trait Reload: Send + Sync {
    /// The jobs, if they are others than when it was asked last, or why they cannot be read.
    fn changed(&self) -> BoxFuture<'_, Option<Result<Schedule, String>>>;
}

/// How a scheduler behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who it is, for people: machine and process.
    pub holder: String,
    /// Does what is due now, and ends.
    pub once: bool,
    /// Interruptions of one due time after which it is given up.
    pub interruptions: u32,
    /// How long a job that was asked to stop is waited for at the end.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { holder: "envoi".to_owned(), once: false, interruptions: 10, patience: Duration::from_secs(10) }
    }
}

/// What came of it all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Tries that were begun.
    pub begun: usize,
    /// Due times that ended without success and are not tried again.
    pub failed: usize,
    /// It led at some time.
    pub led: bool,
    /// It did not lead at the end: who does.
    pub stood_by: Option<String>,
}

/// Follows a schedule on a lake.
pub struct Scheduler {
    pub(super) schedule: Schedule,
    pub(super) lake: Lake,
    pub(super) work: Arc<dyn Work>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) events: Events,
    pub(super) options: Options,
    pub(super) notifier: Notifier,
    pub(super) recorder: Recorder,
    reload: Option<Arc<dyn Reload>>,
}

/// What lanes share.
pub(super) struct Shared<'a> {
    pub(super) scheduler: &'a Scheduler,
    pub(super) ledger: Ledger,
    pub(super) history: History,
    /// Since when we lead.
    led: OnceLock<DateTime<Utc>>,
    /// Jobs that may run at a time.
    pub(super) slots: Semaphore,
    pub(super) begun: AtomicUsize,
    pub(super) failed: AtomicUsize,
}

impl Shared<'_> {
    /// What decisions depend on; asked for by those who lead.
    pub(super) fn rules(&self) -> Rules {
        let Options { once, interruptions, .. } = self.scheduler.options;
        // Times that came while it waited for the lease are due too.
        let led = || *self.led.get_or_init(|| self.scheduler.clock.now().wall);
        Rules { once: once.then(led), interruptions }
    }
}

/// Jobs that have lanes, as the lanes see them.
type Jobs = BTreeMap<String, watch::Sender<Option<Arc<Job>>>>;

/// Whether we lead: `None` if not.
pub(super) type Leader = watch::Receiver<Option<Held>>;

impl Scheduler {
    /// A scheduler of these jobs, whose state is in the lake.
    pub fn new(
        schedule: Schedule,
        lake: Lake,
        work: Arc<dyn Work>,
        clock: Arc<dyn Clock>,
        events: Events,
        options: Options,
    ) -> Self {
        let recorder = Recorder::new(schedule.lineage.clone(), lake.store().label());
        let notifier = Notifier::default();
        Self { schedule, lake, work, clock, events, options, notifier, recorder, reload: None }
    }

    /// With jobs that may become others while it runs.
    #[must_use]
    pub fn reloading(self, reload: Arc<dyn Reload>) -> Self {
        Self { reload: Some(reload), ..self }
    }

    /// Runs jobs at their times until it is asked to stop, or, once, until what is due is done.
    ///
    /// # Errors
    /// The lake cannot hold a lease at all. Trouble that may pass is said and waited out.
    pub async fn run(&self, stop: Cancel) -> Result<Summary> {
        let lease = Lease::new(self.lake.store().clone(), LEASE, &self.options.holder, self.schedule.lease)?;
        let shared = Shared {
            scheduler: self,
            ledger: Ledger::new(self.lake.store().clone()),
            history: History::new(self.lake.clone()),
            led: OnceLock::new(),
            slots: Semaphore::new(self.schedule.parallel),
            begun: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
        };
        let (lead, leader) = watch::channel(None);
        let (finished, abandoned) = (Canceller::new(), Canceller::new());
        let token = abandoned.token();
        let lanes = async {
            let ended = self.follow(&shared, &leader, &stop, &token).await;
            finished.cancel();
            ended
        };
        let keeper = self.keep(lease, lead, finished.token(), abandoned, stop.clone());
        let (ended, (led, stood_by)) = futures::join!(lanes, keeper);
        ended?;
        let count = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        Ok(Summary { begun: count(&shared.begun), failed: count(&shared.failed), led, stood_by })
    }

    /// Lets each job have its lane, until all have ended and no others can come.
    async fn follow(&self, shared: &Shared<'_>, leader: &Leader, stop: &Cancel, abandoned: &Cancel) -> Result<()> {
        let mut lanes = FuturesUnordered::new();
        let begin = |job: &Arc<Job>| {
            let (sender, jobs) = watch::channel(Some(Arc::clone(job)));
            let (name, job) = (job.name.clone(), Arc::clone(job));
            let lane = Lane::new(shared, job, jobs, leader.clone(), stop.clone(), abandoned.clone());
            (sender, async move { (name, lane.follow().await) })
        };
        let mut jobs = Jobs::new();
        for job in self.schedule.jobs.iter().filter(|job| job.enabled) {
            let (sender, lane) = begin(job);
            jobs.insert(job.name.clone(), sender);
            lanes.push(lane);
        }
        let mut first = Ok(());
        loop {
            let (idle, reloads) = (lanes.is_empty(), self.reload.is_some() && !stop.is_cancelled());
            if idle && !reloads {
                return first;
            }
            let mut new = Vec::new();
            tokio::select! {
                Some((name, ended)) = lanes.next(), if !idle => {
                    first = first.and(ended);
                    let again = jobs.remove(&name).and_then(|job| job.borrow().clone());
                    // It was there again before its lane had ended.
                    new.extend(again.filter(|_| reloads));
                }
                found = self.reloaded(), if reloads => match found {
                    Ok(schedule) => new = self.apply(&schedule, &jobs),
                    Err(what) => self.say(format!("{what}; the jobs stay as they were")),
                },
                () = stop.cancelled(), if idle => {}
            }
            for job in new {
                let (sender, lane) = begin(&job);
                jobs.insert(job.name.clone(), sender);
                lanes.push(lane);
            }
        }
    }

    /// Waits until the jobs are others.
    async fn reloaded(&self) -> Result<Schedule, String> {
        let Some(reload) = &self.reload else { return std::future::pending().await };
        loop {
            self.clock.sleep(LOOK).await;
            if let Some(found) = reload.changed().await {
                return found;
            }
        }
    }

    /// Tells the lanes what their jobs are now; gives those that have none yet.
    fn apply(&self, schedule: &Schedule, jobs: &Jobs) -> Vec<Arc<Job>> {
        let wanted: BTreeMap<&str, &Arc<Job>> =
            schedule.jobs.iter().filter(|job| job.enabled).map(|job| (job.name.as_str(), job)).collect();
        let (mut added, mut changed, mut removed, mut new) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (name, sender) in jobs {
            let after = wanted.get(name.as_str()).copied();
            let list = match (sender.borrow().as_ref(), after) {
                (Some(before), Some(after)) if before != after => &mut changed,
                (Some(_), None) => &mut removed,
                (None, Some(_)) => &mut added,
                _ => continue,
            };
            list.push(name.clone());
            sender.send_replace(after.cloned());
        }
        for (name, job) in wanted.into_iter().filter(|(name, _)| !jobs.contains_key(*name)) {
            added.push(name.to_owned());
            new.push(Arc::clone(job));
        }
        let (ours, theirs) = (&self.schedule, schedule);
        let fixed = [
            ("lease", ours.lease != theirs.lease),
            ("shutdown", ours.shutdown != theirs.shutdown),
            ("parallel", ours.parallel != theirs.parallel),
            ("[lineage]", ours.lineage != theirs.lineage),
            ("[metrics]", ours.metrics_file != theirs.metrics_file),
        ];
        for (key, _) in fixed.iter().filter(|(_, differs)| *differs) {
            self.say(format!("`{key}` is taken when the scheduler starts next; the jobs are taken now"));
        }
        if !(added.is_empty() && changed.is_empty() && removed.is_empty()) {
            (self.events)(&Event::Reloaded { added, changed, removed });
        }
        new
    }

    /// Takes the lease, renews it, and gives it back when all lanes have ended. Gives whether
    /// we ever led, and who leads if it is not us.
    async fn keep(
        &self,
        mut lease: Lease,
        lead: watch::Sender<Option<Held>>,
        finished: Cancel,
        abandoned: Canceller,
        stop: Cancel,
    ) -> (bool, Option<String>) {
        let begin = self.clock.now().monotonic;
        let (mut troubled, mut stood_by, mut last_said) = (false, None, None);
        let (mut led, mut seen) = (false, None);
        while !finished.is_cancelled() {
            let now = self.clock.now();
            if lease.held(now.monotonic).is_some() {
                match lease.renew(now).await {
                    Ok(Some(held)) => {
                        troubled = false;
                        lead.send_replace(Some(held));
                    }
                    Ok(None) => self.lost(&lead),
                    Err(e) => self.trouble(&mut troubled, &format!("cannot renew the lease: {e}")),
                }
            } else {
                if lead.borrow().is_some() {
                    self.lost(&lead);
                }
                match lease.acquire(now).await {
                    Ok(Asked::Ours(held)) => {
                        (troubled, stood_by, led) = (false, None, true);
                        (self.events)(&Event::Leads { fence: held.fence });
                        lead.send_replace(Some(held));
                    }
                    Ok(Asked::Theirs { holder, until }) => {
                        troubled = false;
                        // One that renews lives: what is due is its affair.
                        let lives = seen
                            .replace((holder.clone(), until))
                            .is_some_and(|before| before != (holder.clone(), until));
                        if self.options.once && !led && lives {
                            abandoned.cancel();
                        }
                        if last_said.as_ref() != Some(&holder) {
                            (self.events)(&Event::StandsBy { holder: holder.clone(), until });
                            last_said = Some(holder.clone());
                        }
                        stood_by = Some(holder);
                    }
                    Err(e) => self.trouble(&mut troubled, &format!("cannot take the lease: {e}")),
                }
                let waited = self.clock.now().monotonic.saturating_sub(begin);
                if self.options.once && !led && waited > lease.term() * 3 / 2 {
                    abandoned.cancel();
                }
            }
            let pause = pause(&lease, self.clock.now(), stood_by.is_some() && !stop.is_cancelled());
            tokio::select! {
                () = self.clock.sleep(pause) => {}
                () = finished.cancelled() => {}
            }
        }
        lead.send_replace(None);
        if let Err(e) = lease.release(self.clock.now()).await {
            self.trouble(&mut false, &format!("cannot give the lease back: {e}"));
        }
        (led, stood_by)
    }

    fn lost(&self, lead: &watch::Sender<Option<Held>>) {
        lead.send_replace(None);
        (self.events)(&Event::Lost);
    }

    /// Says it the first time.
    fn trouble(&self, troubled: &mut bool, what: &str) {
        if !std::mem::replace(troubled, true) {
            self.say(what);
        }
    }

    pub(super) fn say(&self, what: impl Into<String>) {
        (self.events)(&Event::Trouble { what: what.into() });
    }
}

/// Until the lease is looked at again: a third of a term, less where it is about to end.
fn pause(lease: &Lease, now: Now, waiting: bool) -> Duration {
    let third = lease.term() / 3;
    let pause = match lease.held(now.monotonic) {
        // The store failed at the last renewal, perhaps.
        Some(held) => third.min(held.until.saturating_sub(now.monotonic) / 2),
        None if waiting => lease.term() / 6,
        None => third,
    };
    pause.max(Duration::from_millis(20)).min(LONGEST_SLEEP)
}

/// Whether a lease still holds, by both clocks: one that slept without its monotonic time
/// going on is seen by the other.
pub(super) fn leads(leader: &Leader, now: Now) -> Option<u64> {
    let held = *leader.borrow();
    held.filter(|held| now.monotonic < held.until && now.wall < held.expires_at).map(|held| held.fence)
}

/// The earlier of two waits, in the time that only grows, for a time on the wall.
pub(super) fn until(wall: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    wall.signed_duration_since(now).to_std().unwrap_or(Duration::ZERO).min(LONGEST_SLEEP)
}
