//! Leases: one holder at a time, whatever clocks and stores do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use envoi_lake::lake::{Asked, Held, Lease, Now, Store};
use futures::stream::{BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::*;

use crate::support::run;

const TERM: Duration = Duration::from_secs(30);

/// What goes wrong with a store, decided by the number of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// The write fails and is not done.
    Before,
    /// The write fails and is done.
    After,
    /// The write is done, and nothing can be read afterwards for a while.
    AfterAndBlind,
}

/// A store in memory with a fault at one write, and lists that leave out the newest files.
#[derive(Debug)]
struct Flaky {
    inner: Arc<InMemory>,
    writes: AtomicUsize,
    nth: usize,
    fault: Fault,
    blind: AtomicUsize,
    stale: usize,
}

impl std::fmt::Display for Flaky {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("flaky")
    }
}

fn lost() -> Error {
    Error::Generic { store: "flaky", source: Box::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset)) }
}

#[async_trait::async_trait]
impl ObjectStore for Flaky {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let hit = self.writes.fetch_add(1, Ordering::SeqCst) == self.nth;
        if hit && self.fault == Fault::Before {
            return Err(lost());
        }
        let put = self.inner.put_opts(location, payload, opts).await;
        match (hit, self.fault) {
            (true, Fault::After) => Err(lost()),
            (true, Fault::AfterAndBlind) => {
                self.blind.store(1, Ordering::SeqCst);
                Err(lost())
            }
            _ => put,
        }
    }
    async fn put_multipart_opts(&self, at: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, opts).await
    }
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if self.blind.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            return Err(lost());
        }
        self.inner.get_opts(location, options).await
    }
    fn delete_stream(&self, all: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(all)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (stale, listed) = (self.stale, self.inner.list(prefix));
        let cut = async move {
            let mut all: Vec<_> = listed.collect().await;
            all.sort_by_key(|o| o.as_ref().map(|o| o.location.to_string()).unwrap_or_default());
            all.truncate(all.len().saturating_sub(stale));
            futures::stream::iter(all)
        };
        futures::stream::once(cut).flatten().boxed()
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

fn store(inner: &Arc<InMemory>, nth: usize, fault: Fault, stale: usize) -> Store {
    let inner = Arc::clone(inner);
    let flaky = Flaky { inner, writes: AtomicUsize::new(0), nth, fault, blind: AtomicUsize::new(0), stale };
    Store::with(Arc::new(flaky), "memory:///lake/".parse().unwrap(), Path::from("lake"))
}

fn plain(inner: &Arc<InMemory>, holder: &str) -> Lease {
    Lease::new(store(inner, usize::MAX, Fault::None, 0), "schedule", holder, TERM).unwrap()
}

/// So many seconds after the begin, on a clock that is right.
fn at(seconds: i64) -> Now {
    skewed(seconds, 0)
}

/// The same on a clock that is wrong.
fn skewed(seconds: i64, wrong: i64) -> Now {
    let begin: DateTime<Utc> = "2026-03-01T00:00:00Z".parse().unwrap();
    Now {
        wall: begin + TimeDelta::seconds(seconds + wrong),
        monotonic: Duration::from_secs(1000 + u64::try_from(seconds).unwrap()),
    }
}

fn ours(asked: Asked) -> Held {
    match asked {
        Asked::Ours(held) => held,
        Asked::Theirs { holder, until } => panic!("held by {holder} until {until}"),
    }
}

fn is_theirs(asked: &Asked, by: &str) -> bool {
    matches!(asked, Asked::Theirs { holder, .. } if holder == by)
}

#[test]
fn one_holder_and_the_next() {
    let inner = Arc::new(InMemory::new());
    let (mut one, mut other) = (plain(&inner, "one"), plain(&inner, "other"));
    assert_eq!(run(one.holder()).unwrap(), None);
    let first = ours(run(one.acquire(at(0))).unwrap());
    assert_eq!((first.fence, first.number), (1, 1));
    assert!(is_theirs(&run(other.acquire(at(1))).unwrap(), "one"));
    assert_eq!(run(other.holder()).unwrap().unwrap().holder, "one");
    // Renewed, it is held for longer.
    let renewed = run(one.renew(at(10))).unwrap().unwrap();
    assert_eq!((renewed.fence, renewed.number), (1, 2));
    assert!(is_theirs(&run(other.acquire(at(35))).unwrap(), "one"));
    assert!(one.held(at(39).monotonic).is_some() && one.held(at(40).monotonic).is_none());
    // Its time is over, but whether the holder lives has not been watched for long enough.
    assert!(is_theirs(&run(other.acquire(at(47))).unwrap(), "one"));
    let second = ours(run(other.acquire(at(51))).unwrap());
    assert_eq!(second.fence, 3);
    // Who comes late is told, and does not get it back by renewing.
    assert_eq!(run(one.renew(at(52))).unwrap(), None);
    assert!(is_theirs(&run(one.acquire(at(52))).unwrap(), "other"));
    // Given back, nobody waits.
    run(other.release(at(53))).unwrap();
    assert_eq!((other.held(at(53).monotonic), run(one.holder()).unwrap()), (None, None));
    assert_eq!(ours(run(one.acquire(at(53))).unwrap()).fence, 5);
}

#[test]
fn one_that_begins_after_a_crash_waits_for_a_sign_of_life_only() {
    let inner = Arc::new(InMemory::new());
    ours(run(plain(&inner, "killed").acquire(at(0))).unwrap());
    let mut next = plain(&inner, "next");
    assert!(is_theirs(&run(next.acquire(at(3600))).unwrap(), "killed"));
    assert!(is_theirs(&run(next.acquire(at(3614))).unwrap(), "killed"));
    assert_eq!(ours(run(next.acquire(at(3615))).unwrap()).fence, 2);
}

#[test]
fn clocks_that_are_wrong() {
    let inner = Arc::new(InMemory::new());
    let (mut one, mut other) = (plain(&inner, "one"), plain(&inner, "other"));
    // The holder's clock is years ahead: it is over all the same when it dies.
    ours(run(one.acquire(skewed(0, 1_000_000_000))).unwrap());
    assert!(is_theirs(&run(other.acquire(at(1))).unwrap(), "one"));
    assert!(is_theirs(&run(other.acquire(at(38))).unwrap(), "one"));
    assert_eq!(ours(run(other.acquire(at(39))).unwrap()).fence, 2);
    // The clock of one that waits leaps ahead: a holder that renews keeps it.
    for second in (40..400).step_by(10) {
        assert!(run(other.renew(skewed(second, -5000))).unwrap().is_some(), "{second}");
        for wrong in [0, 1_000_000, -1_000_000] {
            assert!(is_theirs(&run(one.acquire(skewed(second + 9, wrong))).unwrap(), "other"), "{second} {wrong}");
        }
    }
    // The holder gives up by its own time, whatever its clock says.
    assert!(other.held(skewed(419, 1_000_000).monotonic).is_some());
    assert_eq!(run(other.renew(skewed(430, -1_000_000))).unwrap(), None);
}

#[test]
fn an_answer_that_was_lost() {
    // Writes: taken, renewed, renewed, given back.
    for nth in 0..4 {
        for fault in [Fault::Before, Fault::After, Fault::AfterAndBlind] {
            let inner = Arc::new(InMemory::new());
            let mut one = Lease::new(store(&inner, nth, fault, 0), "schedule", "one", TERM).unwrap();
            let mut other = plain(&inner, "other");
            let said = format!("{fault:?} at {nth}");
            // What fails is asked for once more, as a scheduler does.
            let first = run(one.acquire(at(0))).or_else(|_| run(one.acquire(at(1)))).unwrap();
            let fence = ours(first).fence;
            for second in [10, 20] {
                let held = run(one.renew(at(second))).or_else(|_| run(one.renew(at(second + 1)))).unwrap();
                assert_eq!(held.map(|h| h.fence), Some(fence), "{said}");
                // Others see a time that ends no earlier than the holder's own.
                let until = run(other.holder()).unwrap().unwrap().expires_at;
                let end = at(0).wall + TimeDelta::from_std(held.unwrap().until - at(0).monotonic).unwrap();
                assert!(until >= end, "{said}: {until} {end}");
                assert!(is_theirs(&run(other.acquire(at(second + 2))).unwrap(), "one"), "{said}");
            }
            let _ = run(one.release(at(25)));
            let next = ours(run(other.acquire(at(26))).and_then(|_| run(other.acquire(at(70)))).unwrap());
            assert!(next.fence > fence, "{said}");
        }
    }
}

#[test]
fn lists_that_are_behind() {
    let inner = Arc::new(InMemory::new());
    let mut one = plain(&inner, "one");
    let mut other = Lease::new(store(&inner, usize::MAX, Fault::None, 3), "schedule", "other", TERM).unwrap();
    ours(run(one.acquire(at(0))).unwrap());
    for second in (10..200).step_by(10) {
        run(one.renew(at(second))).unwrap().unwrap();
        assert!(is_theirs(&run(other.acquire(at(second + 9))).unwrap(), "one"), "{second}");
    }
    assert!(ours(run(other.acquire(at(240))).unwrap()).fence > 19);
    assert_eq!(run(one.renew(at(241))).unwrap(), None);
}

#[test]
fn of_many_at_once_one_gets_it() {
    for begin in [0, 3600] {
        let inner = Arc::new(InMemory::new());
        let mut all: Vec<Lease> = (0..8).map(|n| plain(&inner, &format!("holder {n}"))).collect();
        if begin > 0 {
            ours(run(plain(&inner, "killed").acquire(at(0))).unwrap());
            for lease in &mut all {
                assert!(is_theirs(&run(lease.acquire(at(begin - 20))).unwrap(), "killed"));
            }
        }
        let held: BTreeSet<u64> = std::thread::scope(|scope| {
            let threads: Vec<_> = all.iter_mut().map(|lease| scope.spawn(|| run(lease.acquire(at(begin))))).collect();
            let asked = threads.into_iter().map(|t| t.join().unwrap().unwrap());
            asked.filter_map(|a| if let Asked::Ours(held) = a { Some(held.fence) } else { None }).collect()
        });
        assert_eq!(held.len(), 1, "{held:?}");
    }
}

#[test]
fn on_a_disk_and_with_damage() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path().to_str().unwrap()).unwrap();
    let lease = |name: &str| Lease::new(open(), "schedule", name, TERM).unwrap();
    let mut one = lease("one");
    ours(run(one.acquire(at(0))).unwrap());
    // Somebody else's file of the next number, damaged: whoever wrote it took over.
    std::fs::write(folder.path().join(format!("lease/schedule/{:020}.json", 2)), "{").unwrap();
    std::fs::write(folder.path().join("lease/schedule/notes.txt"), "x").unwrap();
    assert_eq!(run(one.renew(at(10))).unwrap(), None);
    let mut other = lease("other");
    assert!(is_theirs(&run(other.acquire(at(11))).unwrap(), "unknown"));
    assert_eq!(ours(run(other.acquire(at(60))).unwrap()).fence, 3);
    for (name, term) in [("", TERM), ("../x", TERM), ("a b", TERM), ("x", Duration::from_millis(1))] {
        assert!(Lease::new(open(), name, "one", term).is_err(), "{name}");
    }
}

#[test]
fn files_do_not_pile_up() {
    let inner = Arc::new(InMemory::new());
    let mut one = plain(&inner, "one");
    ours(run(one.acquire(at(0))).unwrap());
    for second in (10..10_000).step_by(10) {
        assert!(run(one.renew(at(second))).unwrap().is_some());
    }
    let left = run(store(&inner, usize::MAX, Fault::None, 0).list("lease")).unwrap().len();
    assert!(left < 340, "{left} files");
}
