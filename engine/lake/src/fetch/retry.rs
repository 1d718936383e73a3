//! Patience: what is tried again, how often, and how long is waited in between.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};

/// Why a try did not succeed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// May pass: try again, not before so long where the publisher says so.
    Passing {
        /// What happened.
        what: String,
        /// What the publisher asks for.
        after: Option<Duration>,
        /// Something came all the same, so that the next try goes on from there.
        gained: bool,
    },
    /// Trying again is of no use.
    Lasting(String),
}

impl Trouble {
    /// May pass.
    pub(super) fn passing(what: impl Into<String>) -> Self {
        Self::Passing { what: what.into(), after: None, gained: false }
    }

    /// Will not.
    pub(super) fn lasting(what: impl Into<String>) -> Self {
        Self::Lasting(what.into())
    }
}

/// The time, and waiting; tests have one that does not wait.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
    /// Waits.
    fn sleep(&self, time: Duration);
}

/// The system's.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// How often and how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Tries after the first, one after the other without anything gained.
    pub(super) retries: u32,
    /// Wait before the first of them; it doubles with each.
    pub(super) pause: Duration,
}

impl Patience {
    /// Waits grow no longer than this by themselves.
    const LONGEST: Duration = Duration::from_secs(60);
    /// A publisher that asks for more than this is asked again by the user, not by us.
    const MOST: Duration = Duration::from_secs(300);

    /// How long to wait before retry `number`, from 0; why not, if it is of no use.
    pub(super) fn wait(&self, number: u32, after: Option<Duration>) -> Result<Duration, String> {
        if number >= self.retries {
            return Err(match number {
                0 => String::new(),
                1 => "; tried twice".to_owned(),
                _ => format!("; tried {} times", number + 1),
            });
        }
        if let Some(after) = after {
            if after > Self::MOST {
                return Err(format!("; the publisher asks to come back in {} minutes", after.as_secs().div_ceil(60)));
            }
            return Ok(after);
        }
        let doubled = self.pause.saturating_mul(2u32.saturating_pow(number)).min(Self::LONGEST);
        // Many programs that were refused at the same moment should not come back at the same one.
        let part = RandomState::new().hash_one(number) % 1000;
        Ok(doubled.mul_f64(0.75 + part as f64 / 2000.0))
    }
}

/// A date of HTTP, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let naive = NaiveDateTime::parse_from_str(text.trim(), "%a, %d %b %Y %H:%M:%S GMT").ok()?;
    Some(naive.and_utc())
}

/// `Retry-After`: seconds, or a date.
pub(super) fn retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    Some((http_date(text)? - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_a_bound() {
        let patience = Patience { retries: 12, pause: Duration::from_secs(1) };
        for number in 0..12 {
            let middle = 2f64.powi(number).min(60.0);
            let wait = patience.wait(number as u32, None).unwrap().as_secs_f64();
            assert!((middle * 0.74..=middle * 1.26).contains(&wait), "{number}: {wait}");
        }
        assert_eq!(patience.wait(12, None).unwrap_err(), "; tried 13 times");
        assert_eq!(patience.wait(0, Some(Duration::from_secs(7))), Ok(Duration::from_secs(7)));
        assert!(patience.wait(0, Some(Duration::from_secs(3600))).unwrap_err().contains("in 60 minutes"));
        assert_eq!(Patience { retries: 0, ..patience }.wait(0, None).unwrap_err(), "");
    }

    #[test]
    fn what_publishers_ask_for() {
        let now = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(retry_after(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:07 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }
}
