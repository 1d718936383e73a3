//! One holder at a time: a lease of a name, by files that are only ever created.
//!
//! ```text
//! lease/<name>/00000000000000000007.json    who, until when; the highest number is the one in force
//! ```
//!
//! Every change of hands and every renewal is the next number, created only if no file of
//! that number is there: of two that try, one gets it. A holder gives up by its own
//! monotonic time, which no step of a clock moves. Another takes over where the time in the
//! file is over and the file has not been followed by another while it was watched for half
//! a term, in which a holder that lives renews; or where it was watched for a whole term,
//! whatever time the file names: its writer's clock may have been wrong by years.
//!
//! A lease keeps two from beginning the same thing. It cannot stop a holder that was put to
//! sleep and does not know yet: what is done under a lease must be harmless when done twice,
//! or be guarded by its [`fence`](Held::fence).

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Store;
use crate::error::{Error, Printable, Result};

/// Folder of the leases.
const FOLDER: &str = "lease";
/// Numbers that are tried in one call, where others are quicker or the list was stale.
const TRIES: usize = 16;
/// So many old numbers stay, which are a hundred terms: one who listed them then and slept
/// since must still find its next number taken.
const KEPT: u64 = 300;

/// What time it is: on the clock, which may be set, and since some begin, which only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The clock of the wall.
    pub wall: DateTime<Utc>,
    /// Time since a begin that stays the same for the process.
    pub monotonic: Duration,
}

/// What is in a file of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Who holds it, in words for people.
    pub holder: String,
    /// What tells this holder from all others, and this file from all others.
    pub nonce: String,
    /// Number at which the holder took over; it grows with every change of hands.
    pub fence: u64,
    /// When it was written, by the holder's clock.
    pub written_at: DateTime<Utc>,
    /// Until when it is held, by the holder's clock.
    pub expires_at: DateTime<Utc>,
    /// Length of the term in milliseconds.
    pub term_ms: u64,
    /// It was given back.
    #[serde(default)]
    pub released: bool,
}

/// What came of asking for the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It is ours.
    Ours(Held),
    /// Somebody else holds it, or may: ask again later.
    Theirs {
        /// Who, as they call themselves.
        holder: String,
        /// Until when, by their clock.
        until: DateTime<Utc>,
    },
}

/// A lease that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Number at which it was taken over: whoever comes later has a greater one.
    pub fence: u64,
    /// Number of the newest renewal.
    pub number: u64,
    /// Monotonic time at which it ends, unless it is renewed.
    pub until: Duration,
    /// The same by the clock, as others read it.
    pub expires_at: DateTime<Utc>,
}

/// The lease of a name, as one that wants it sees it.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    folder: String,
    holder: String,
    identity: String,
    term: Duration,
    held: Option<Held>,
    /// The newest number of others, and since when it has been the newest.
    watched: Option<(u64, Duration)>,
    puts: u64,
}

impl Lease {
    /// The lease `name` of the lake in `store`, for `holder`, by terms of that length.
    ///
    /// # Errors
    /// A name that cannot be a folder; a term under 100 ms.
    pub fn new(store: Store, name: &str, holder: &str, term: Duration) -> Result<Self> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            let name = Printable(name);
            return Err(Error::Usage(format!("`{name}` cannot name a lease; use a-z, 0-9, `_` and `-`")));
        }
        if term < Duration::from_millis(100) {
            return Err(Error::Usage(format!("a lease of {} ms is too short; use 100 ms or more", term.as_millis())));
        }
        Ok(Self {
            store,
            folder: format!("{FOLDER}/{name}"),
            holder: holder.to_owned(),
            identity: format!("{:016x}", RandomState::new().build_hasher().finish()),
            term,
            held: None,
            watched: None,
            puts: 0,
        })
    }

    /// Length of a term.
    pub fn term(&self) -> Duration {
        self.term
    }

    /// The lease, if it is ours and its time is not over: what is begun now is begun under it.
    pub fn held(&self, monotonic: Duration) -> Option<Held> {
        self.held.filter(|held| monotonic < held.until)
    }

    /// Takes the lease if nobody has it, or who had it is gone.
    ///
    /// # Errors
    /// The store failed; then it is not held.
    pub async fn acquire(&mut self, now: Now) -> Result<Asked> {
        self.held = None;
        let mut newest = self.newest().await?;
        for _ in 0..TRIES {
            let number = match &newest {
                None => 1,
                Some((number, term)) => {
                    if !self.is_over(*number, term, now) {
                        return Ok(Asked::Theirs { holder: term.holder.clone(), until: term.expires_at });
                    }
                    number + 1
                }
            };
            match self.put(number, number, now, false).await? {
                Put::Earlier => newest = self.newest().await?,
                Put::Done => {
                    // One that listed long ago and slept could have created a number that was
                    // in force and removed since: there would be higher ones.
                    match self.newest().await? {
                        Some((highest, term)) if highest > number => newest = Some((highest, term)),
                        _ => {
                            let held = self.until(number, number, now);
                            (self.held, self.watched) = (Some(held), None);
                            // What is left over is removed another time.
                            let _ = self.tidy(number).await;
                            return Ok(Asked::Ours(held));
                        }
                    }
                }
                Put::Theirs(theirs) => newest = Some((number, theirs)),
            }
        }
        let (holder, until) = newest.map_or((String::new(), now.wall), |(_, term)| (term.holder, term.expires_at));
        Ok(Asked::Theirs { holder, until })
    }

    /// Holds the lease for another term; `None` if it is lost.
    ///
    /// # Errors
    /// The store failed; the lease is held until its time is over, and can be renewed until then.
    pub async fn renew(&mut self, now: Now) -> Result<Option<Held>> {
        let Some(held) = self.held(now.monotonic) else {
            self.held = None;
            return Ok(None);
        };
        let mut number = held.number + 1;
        for _ in 0..TRIES {
            match self.put(number, held.fence, now, false).await? {
                Put::Done => {
                    let renewed = self.until(held.fence, number, now);
                    self.held = Some(renewed);
                    // Looking costs a list: now and then is enough.
                    if number.is_multiple_of(32) {
                        let _ = self.tidy(number).await;
                    }
                    return Ok(Some(renewed));
                }
                // It names an end that is earlier than a term from now.
                Put::Earlier => number += 1,
                Put::Theirs(_) => break,
            }
        }
        self.held = None;
        Ok(None)
    }

    /// Gives the lease back, so that nobody has to wait for its end.
    ///
    /// # Errors
    /// The store failed; others wait until the term is over.
    pub async fn release(&mut self, now: Now) -> Result<()> {
        let Some(held) = self.held.take() else { return Ok(()) };
        let mut number = held.number + 1;
        while matches!(self.put(number, held.fence, now, true).await?, Put::Earlier) {
            number += 1;
        }
        Ok(())
    }

    /// Who holds it and until when, without asking for it; `None` if nobody ever did or it was given back.
    ///
    /// # Errors
    /// The store failed.
    pub async fn holder(&self) -> Result<Option<Term>> {
        Ok(self.newest().await?.map(|(_, term)| term).filter(|term| !term.released))
    }

    /// Whether nobody holds the lease any more.
    fn is_over(&mut self, number: u64, term: &Term, now: Now) -> bool {
        // Ours is one whose answer was lost, or that we let go.
        if term.released || self.is_ours(term) {
            return true;
        }
        let since = match self.watched {
            Some((watched, since)) if watched == number => since,
            _ => {
                self.watched = Some((number, now.monotonic));
                now.monotonic
            }
        };
        let watched = now.monotonic.saturating_sub(since);
        let length = Duration::from_millis(term.term_ms);
        let margin = length / 4;
        let late = TimeDelta::from_std(margin).unwrap_or(TimeDelta::zero());
        let expired = term.expires_at.checked_add_signed(late).is_some_and(|end| now.wall > end);
        (expired && watched >= length / 2) || watched >= length + margin
    }

    /// The highest number that is there. A list may be behind what was written last, so the
    /// numbers after it are looked for one by one.
    async fn newest(&self) -> Result<Option<(u64, Term)>> {
        let listed = self.store.list(&self.folder).await?;
        let mut highest = listed.iter().filter_map(|o| o.location.filename().and_then(number_of)).max().unwrap_or(0);
        let mut newest = match highest {
            0 => None,
            number => self.read(number).await?.map(|term| (number, term)),
        };
        while let Some(term) = self.read(highest + 1).await? {
            highest += 1;
            newest = Some((highest, term));
        }
        Ok(newest)
    }

    async fn read(&self, number: u64) -> Result<Option<Term>> {
        let path = self.path(number);
        let Some(bytes) = self.store.get(&path).await? else { return Ok(None) };
        // A damaged file counts as held since we saw it: watching it out is safe.
        let unknown = || Term {
            holder: "unknown".to_owned(),
            nonce: String::new(),
            fence: number,
            written_at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH,
            term_ms: u64::try_from(self.term.as_millis()).unwrap_or(u64::MAX),
            released: false,
        };
        Ok(Some(serde_json::from_slice(&bytes).unwrap_or_else(|_| unknown())))
    }

    /// Creates a number.
    async fn put(&mut self, number: u64, fence: u64, now: Now, released: bool) -> Result<Put> {
        self.puts += 1;
        let ours = Term {
            holder: self.holder.clone(),
            nonce: format!("{}-{}", self.identity, self.puts),
            fence,
            written_at: now.wall,
            expires_at: self.until(fence, number, now).expires_at,
            term_ms: u64::try_from(self.term.as_millis()).unwrap_or(u64::MAX),
            released,
        };
        let text = serde_json::to_vec(&ours).map_err(|e| Error::Internal(e.to_string()))?;
        let put = self.store.put(&self.path(number), Bytes::from(text)).await;
        if matches!(put, Ok(true)) {
            return Ok(Put::Done);
        }
        // A store that failed, or was asked again, after it had written has given it to us.
        match self.read(number).await {
            Ok(Some(found)) if found.nonce == ours.nonce => Ok(Put::Done),
            Ok(Some(found)) if self.is_ours(&found) => Ok(Put::Earlier),
            Ok(Some(found)) => Ok(Put::Theirs(found)),
            Ok(None) => match put {
                Err(e) => Err(e),
                Ok(_) => Err(Error::Lake(format!("`{}` was there and is gone", self.path(number)))),
            },
            Err(e) => Err(put.err().unwrap_or(e)),
        }
    }

    /// A term from now.
    fn until(&self, fence: u64, number: u64, now: Now) -> Held {
        let term = TimeDelta::from_std(self.term).unwrap_or(TimeDelta::MAX);
        let expires_at = now.wall.checked_add_signed(term).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Held { fence, number, until: now.monotonic + self.term, expires_at }
    }

    fn is_ours(&self, term: &Term) -> bool {
        term.nonce.split_once('-').is_some_and(|(identity, _)| identity == self.identity)
    }

    /// Removes numbers that were in force long ago.
    async fn tidy(&self, current: u64) -> Result<()> {
        for object in self.store.list(&self.folder).await? {
            let old = object.location.filename().and_then(number_of).is_some_and(|n| n + KEPT < current);
            if let (true, Some(path)) = (old, self.store.relative(&object.location)) {
                self.store.delete(&path).await?;
            }
        }
        Ok(())
    }

    fn path(&self, number: u64) -> String {
        format!("{}/{number:020}.json", self.folder)
    }
}

/// What came of creating a number.
enum Put {
    /// It is ours.
    Done,
    /// It was ours before: an earlier try wrote it, and its answer was lost.
    Earlier,
    /// Somebody else was quicker.
    Theirs(Term),
}

fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".json")?;
    if digits.len() == 20 { digits.parse().ok() } else { None }
}
