//! Jobs at their times: `schedule.toml`, and the scheduler that follows it.
//!
//! One scheduler of a lake leads, by a lease; others stand by. Every decision about a due time
//! is a file in the lake that is created once ([`Ledger`]), so that neither a kill nor a
//! second scheduler makes a job run twice for a time, or lose one that is to be caught up.
//! What a job does comes from outside, by [`Work`].

mod clock;
mod cron;
mod decide;
mod error;
mod event;
mod file;
mod job;
mod lane;
mod ledger;
mod scheduler;
mod work;

pub use clock::{Clock, SystemClock};
pub use cron::CronLine;
pub use decide::{Next, Rules, Tally, line, next};
pub use error::{Error, Result};
pub use event::{Event, Events};
pub use file::{Lineage, LineageTarget, Schedule};
pub use job::{Action, Job, Misfire, Target};
pub use ledger::{End, Ending, Entry, Kind, Ledger, State};
pub use scheduler::{Options, Reload, Scheduler, Summary};
pub use work::{Outcome, Work};
