//! Passwords that were not right: each makes the next answer slower, by address and by user, and an
//! address with many of them is not listened to for a while.
//!
//! A user is never shut out by what others guess, only kept waiting.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures of an address after which it is not listened to.
const MOST: u32 = 20;
/// How long failures are remembered after the last one.
const REMEMBERED: Duration = Duration::from_secs(60);
/// What the first failure costs; each doubles it.
const FIRST: Duration = Duration::from_millis(500);
/// What a failure costs at most: clients have ten seconds to log in.
const LONGEST: Duration = Duration::from_secs(5);
/// Addresses and users that are remembered at a time: somebody with many of them fills no memory.
const KEPT: usize = 10_000;

/// Failures so far.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    addresses: Mutex<HashMap<IpAddr, Failures>>,
    users: Mutex<HashMap<String, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Guesses {
    /// Whether an address is listened to.
    pub(super) fn listens(&self, address: IpAddr, now: Instant) -> bool {
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.get(&address).is_none_or(|f| f.count < MOST || now.duration_since(f.last) >= REMEMBERED)
    }

    /// Takes note of a failure; how long its answer is to wait.
    pub(super) fn failed(&self, address: IpAddr, user: &str, now: Instant) -> Duration {
        let of_address = count(&self.addresses, address, now);
        let of_user = count(&self.users, user.to_owned(), now);
        let doublings = of_address.max(of_user).saturating_sub(1).min(8);
        (FIRST * 2_u32.pow(doublings)).min(LONGEST)
    }

    /// Somebody proved who they are.
    pub(super) fn succeeded(&self, address: IpAddr, user: &str) {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).remove(&address);
        self.users.lock().unwrap_or_else(PoisonError::into_inner).remove(user);
    }
}

fn count<K: std::hash::Hash + Eq>(of: &Mutex<HashMap<K, Failures>>, key: K, now: Instant) -> u32 {
    let mut all = of.lock().unwrap_or_else(PoisonError::into_inner);
    let old = |f: &Failures| now.duration_since(f.last) >= REMEMBERED;
    if all.len() >= KEPT && !all.contains_key(&key) {
        all.retain(|_, f| !old(f));
        if all.len() >= KEPT {
            return MOST;
        }
    }
    let failures = all.entry(key).or_insert(Failures { count: 0, last: now });
    if old(failures) {
        failures.count = 0;
    }
    *failures = Failures { count: failures.count.saturating_add(1), last: now };
    failures.count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_cost_more_and_more() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let address = IpAddr::from([192, 0, 2, 1]);
        let waits: Vec<u128> = (0..6).map(|_| guesses.failed(address, "anna", now).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
        // Of another address it is the user's failures that count.
        let other = IpAddr::from([192, 0, 2, 2]);
        assert_eq!(guesses.failed(other, "anna", now), LONGEST);
        assert_eq!(guesses.failed(IpAddr::from([192, 0, 2, 3]), "berta", now), FIRST);
        guesses.succeeded(other, "anna");
        assert_eq!(guesses.failed(other, "anna", now), FIRST);
    }

    #[test]
    fn an_address_with_many_is_not_listened_to_for_a_while() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let address = IpAddr::from([192, 0, 2, 1]);
        for user in 0..MOST {
            assert!(guesses.listens(address, now));
            guesses.failed(address, &user.to_string(), now);
        }
        assert!(!guesses.listens(address, now));
        assert!(guesses.listens(IpAddr::from([192, 0, 2, 2]), now));
        assert!(guesses.listens(address, now + REMEMBERED));
        assert_eq!(guesses.failed(address, "new", now + REMEMBERED), FIRST);
    }

    #[test]
    fn memory_is_bounded() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let address = IpAddr::from([192, 0, 2, 1]);
        for user in 0..KEPT + 10 {
            guesses.failed(address, &user.to_string(), now);
        }
        assert_eq!(guesses.users.lock().unwrap().len(), KEPT);
        guesses.failed(address, "later", now + REMEMBERED);
        assert_eq!(guesses.users.lock().unwrap().len(), 1);
    }
}
