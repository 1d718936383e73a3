//! The loop: one keeps the lease, and each job has a lane of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use envoi::lake::Lake;
use envoi::lake::lake::{Asked, Held, Lease, Now};
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
}

/// What lanes share.
pub(super) struct Shared<'a> {
    pub(super) scheduler: &'a Scheduler,
    pub(super) ledger: Ledger,
    pub(super) history: History,
    pub(super) rules: Rules,
    /// Jobs that may run at a time.
    pub(super) slots: Semaphore,
    pub(super) begun: AtomicUsize,
    pub(super) failed: AtomicUsize,
}

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
        Self { schedule, lake, work, clock, events, options, notifier: Notifier::default(), recorder }
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
            rules: Rules {
                once: self.options.once.then(|| self.clock.now().wall),
                interruptions: self.options.interruptions,
            },
            slots: Semaphore::new(self.schedule.parallel),
            begun: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
        };
        let (lead, leader) = watch::channel(None);
        let (finished, abandoned) = (Canceller::new(), Canceller::new());
        let jobs: Vec<Arc<Job>> = self.schedule.jobs.iter().filter(|job| job.enabled).cloned().collect();
        let token = abandoned.token();
        let lanes = async {
            let lanes = jobs
                .iter()
                .map(|job| Lane::new(&shared, Arc::clone(job), leader.clone(), stop.clone(), token.clone()).follow());
            let ended = futures::future::join_all(lanes).await;
            finished.cancel();
            ended.into_iter().collect::<Result<Vec<()>>>()
        };
        let keeper = self.keep(lease, lead, finished.token(), abandoned, stop.clone());
        let (ended, (led, stood_by)) = futures::join!(lanes, keeper);
        ended?;
        let count = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        Ok(Summary { begun: count(&shared.begun), failed: count(&shared.failed), led, stood_by })
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
