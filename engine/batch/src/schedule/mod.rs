//! Jobs at their times.

mod cron;

pub use cron::CronLine;
