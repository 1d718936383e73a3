//! Schedulers in simulated time: nothing sleeps, every store call takes its time, and any
//! scheduler can be killed between two of them.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use envoi::lake::Lake;
use envoi::lake::lake::{Now, Store};
use envoi_batch::history::{Filter, History, run_id};
use envoi_batch::record::{RunRecord, RunStatus, Trigger};
use envoi_batch::schedule::{Clock, Event, Job, Options, Outcome, Reload, Schedule, Scheduler, Summary, Work};
use envoi_batch::{Cancel, Canceller};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::*;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

/// Runs what needs no time.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    for _ in 0..100_000 {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
    panic!("it waits for something");
}

/// Time that passes only when nothing else is to be done.
#[derive(Default)]
pub(crate) struct World {
    monotonic: Mutex<Duration>,
    waiters: Mutex<BTreeMap<(Duration, u64), Waker>>,
    next: AtomicU64,
    random: AtomicU64,
}

impl World {
    fn monotonic(&self) -> Duration {
        *self.monotonic.lock().unwrap()
    }

    /// A number below `most`, always the same ones.
    pub(crate) fn random(&self, most: u64) -> u64 {
        let x = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % most.max(1)
    }

    fn sleep(self: &Arc<Self>, time: Duration) -> BoxFuture<'static, ()> {
        let until = self.monotonic() + time.max(Duration::from_millis(1));
        Sleep { world: Arc::clone(self), until, key: None }.boxed()
    }
}

struct Sleep {
    world: Arc<World>,
    until: Duration,
    key: Option<(Duration, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.world.monotonic() >= self.until {
            return Poll::Ready(());
        }
        let key = match self.key {
            Some(key) => key,
            None => (self.until, self.world.next.fetch_add(1, Ordering::SeqCst)),
        };
        self.key = Some(key);
        self.world.waiters.lock().unwrap().insert(key, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.world.waiters.lock().unwrap().remove(&key);
        }
    }
}

/// A machine's clock in that world.
pub(crate) struct SimClock {
    world: Arc<World>,
    begin: DateTime<Utc>,
    wrong: Mutex<TimeDelta>,
}

impl Clock for SimClock {
    fn now(&self) -> Now {
        let monotonic = self.world.monotonic();
        let wall = self.begin + TimeDelta::from_std(monotonic).unwrap() + *self.wrong.lock().unwrap();
        Now { wall, monotonic }
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.world.sleep(time)
    }
}

/// A store in memory whose calls take time, before and after they are done, and may fail.
pub(crate) struct Slow {
    inner: Arc<InMemory>,
    world: Arc<World>,
    latency: u64,
    /// Of a thousand calls so many fail, half of them after they were done.
    failing: Arc<AtomicU64>,
}

impl std::fmt::Debug for Slow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("slow")
    }
}

impl std::fmt::Display for Slow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("slow")
    }
}

impl Slow {
    async fn pass(&self) -> Result<()> {
        if self.latency > 0 {
            self.world.sleep(Duration::from_millis(self.world.random(self.latency))).await;
        }
        if self.world.random(1000) < self.failing.load(Ordering::SeqCst) {
            let source = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            return Err(Error::Generic { store: "slow", source: Box::new(source) });
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl ObjectStore for Slow {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.pass().await?;
        let put = self.inner.put_opts(location, payload, opts).await;
        self.pass().await?;
        put
    }
    async fn put_multipart_opts(&self, at: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, opts).await
    }
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.pass().await?;
        self.inner.get_opts(location, options).await
    }
    fn delete_stream(&self, all: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(all)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let listed = self.inner.list(prefix);
        let slow = Self {
            inner: Arc::clone(&self.inner),
            world: Arc::clone(&self.world),
            latency: self.latency,
            failing: Arc::clone(&self.failing),
        };
        let first = async move {
            match slow.pass().await {
                Ok(()) => listed,
                Err(e) => futures::stream::iter([Err(e)]).boxed(),
            }
        };
        futures::stream::once(first).flatten().boxed()
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// What a job does: takes its time, and then, at once, has its record in the history.
type Does = Arc<dyn Fn(&Job, DateTime<Utc>, u32) -> (Duration, Outcome) + Send + Sync>;

struct SimWork {
    world: Arc<World>,
    clock: Arc<SimClock>,
    history: History,
    does: Does,
    running: Arc<Mutex<BTreeMap<String, usize>>>,
}

struct Running {
    all: Arc<Mutex<BTreeMap<String, usize>>>,
    job: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        *self.all.lock().unwrap().get_mut(&self.job).unwrap() -= 1;
    }
}

impl Work for SimWork {
    fn run<'a>(&'a self, job: &'a Job, due: DateTime<Utc>, attempt: u32, cancel: Cancel) -> BoxFuture<'a, Outcome> {
        async move {
            let running = Running { all: Arc::clone(&self.running), job: job.name.clone() };
            {
                let mut all = self.running.lock().unwrap();
                let count = all.entry(job.name.clone()).or_default();
                *count += 1;
                assert_eq!(*count, 1, "{} overlaps with itself", job.name);
            }
            let (time, outcome) = (self.does)(job, due, attempt);
            let started_at = self.clock.now().wall;
            tokio::select! {
                () = self.world.sleep(time) => {}
                () = cancel.cancelled() => return Outcome::cancelled("stopped"),
            }
            if outcome.status != RunStatus::Success {
                return outcome;
            }
            let record = RunRecord {
                run_id: run_id(started_at),
                trigger: Trigger::Schedule { job: job.name.clone(), due, attempt },
                selectors: Vec::new(),
                from: None,
                to: None,
                full_refresh: false,
                started_at,
                finished_at: self.clock.now().wall,
                status: RunStatus::Success,
                lake_version: 1,
                published_version: None,
                models: Vec::new(),
                pruned: Vec::new(),
                failure: None,
                engine: "envoi".to_owned(),
            };
            // As a publication: it is done or not.
            for _ in 0..20 {
                if self.history.write(&record).await.is_ok() {
                    drop(running);
                    return outcome.with(record);
                }
            }
            Outcome::failed("the store failed")
        }
        .boxed()
    }
}

/// A file of jobs that tests write anew.
struct SimFile {
    file: Arc<Mutex<String>>,
    seen: Mutex<String>,
}

impl Reload for SimFile {
    fn changed(&self) -> BoxFuture<'_, Option<std::result::Result<Schedule, String>>> {
        async {
            let text = self.file.lock().unwrap().clone();
            let before = std::mem::replace(&mut *self.seen.lock().unwrap(), text.clone());
            (before != text).then(|| Schedule::parse(&text, "schedule.toml").map_err(|e| e.to_string()))
        }
        .boxed()
    }
}

/// A scheduler that runs, on a machine of its own.
struct Process {
    future: BoxFuture<'static, std::result::Result<Summary, String>>,
    clock: Arc<SimClock>,
    stop: Canceller,
}

/// Who said what when.
pub(crate) type Said = Arc<Mutex<Vec<(DateTime<Utc>, &'static str, Event)>>>;

/// Schedulers on one lake.
pub(crate) struct Simulation {
    pub(crate) world: Arc<World>,
    inner: Arc<InMemory>,
    begin: DateTime<Utc>,
    latency: u64,
    pub(crate) failing: Arc<AtomicU64>,
    does: Does,
    processes: BTreeMap<&'static str, Process>,
    pub(crate) said: Said,
    pub(crate) ended: BTreeMap<&'static str, std::result::Result<Summary, String>>,
    running: Arc<Mutex<BTreeMap<String, usize>>>,
    /// The file of those that look at theirs.
    pub(crate) file: Arc<Mutex<String>>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Simulation {
    pub(crate) fn new(begin: &str, latency: u64, seed: u64, does: Does) -> Self {
        let world = World { random: AtomicU64::new(seed), ..World::default() };
        Self {
            world: Arc::new(world),
            inner: Arc::new(InMemory::new()),
            begin: at(begin),
            latency,
            failing: Arc::new(AtomicU64::new(0)),
            does,
            processes: BTreeMap::new(),
            said: Arc::default(),
            ended: BTreeMap::new(),
            running: Arc::default(),
            file: Arc::default(),
        }
    }

    /// Jobs that take so long and succeed.
    pub(crate) fn plain(begin: &str, seconds: u64) -> Self {
        Self::new(begin, 0, 1, Arc::new(move |_, _, _| (Duration::from_secs(seconds), Outcome::success("done"))))
    }

    fn lake(&self, latency: u64, failing: Arc<AtomicU64>) -> Lake {
        let slow = Slow { inner: Arc::clone(&self.inner), world: Arc::clone(&self.world), latency, failing };
        Lake::with_store(Store::with(Arc::new(slow), "memory:///lake/".parse().unwrap(), Path::from("lake")))
    }

    /// Starts a scheduler of these jobs.
    pub(crate) fn start(&mut self, name: &'static str, toml: &str, once: bool) {
        self.begin(name, toml, once, false);
    }

    /// Starts a scheduler of the jobs that stand in the file, and will.
    pub(crate) fn start_of_file(&mut self, name: &'static str) {
        let text = self.file.lock().unwrap().clone();
        self.begin(name, &text, false, true);
    }

    pub(crate) fn write(&self, text: &str) {
        text.clone_into(&mut self.file.lock().unwrap());
    }

    fn begin(&mut self, name: &'static str, toml: &str, once: bool, reloading: bool) {
        let clock = Arc::new(SimClock { world: Arc::clone(&self.world), begin: self.begin, wrong: Mutex::default() });
        let lake = self.lake(self.latency, Arc::clone(&self.failing));
        let work = SimWork {
            world: Arc::clone(&self.world),
            clock: Arc::clone(&clock),
            history: History::new(lake.clone()),
            does: Arc::clone(&self.does),
            running: Arc::clone(&self.running),
        };
        let (said, told) = (Arc::clone(&self.said), Arc::clone(&clock));
        let events = Arc::new(move |event: &Event| said.lock().unwrap().push((told.now().wall, name, event.clone())));
        let options =
            Options { holder: name.to_owned(), once, interruptions: 10_000, patience: Duration::from_secs(5) };
        let schedule = Schedule::parse(toml, "schedule.toml").unwrap();
        let clock_of = Arc::clone(&clock);
        let mut scheduler = Scheduler::new(schedule, lake, Arc::new(work), clock_of, events, options);
        if reloading {
            let file = SimFile { file: Arc::clone(&self.file), seen: Mutex::new(toml.to_owned()) };
            scheduler = scheduler.reloading(Arc::new(file));
        }
        let stop = Canceller::new();
        let token = stop.token();
        let future = async move { scheduler.run(token).await.map_err(|e| e.to_string()) }.boxed();
        assert!(self.processes.insert(name, Process { future, clock, stop }).is_none(), "{name} runs already");
    }

    /// As kill -9.
    pub(crate) fn kill(&mut self, name: &str) {
        self.processes.remove(name);
    }

    /// As SIGTERM.
    pub(crate) fn stop(&self, name: &str) {
        self.processes.get(name).unwrap().stop.cancel();
    }

    pub(crate) fn runs(&self, name: &str) -> bool {
        self.processes.contains_key(name)
    }

    /// Sets the clock of a machine so many seconds wrong.
    pub(crate) fn set_clock(&self, name: &str, wrong: i64) {
        if let Some(process) = self.processes.get(name) {
            *process.clock.wrong.lock().unwrap() = TimeDelta::seconds(wrong);
        }
    }

    /// Lets so much time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.world.monotonic() + time;
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        loop {
            while flag.0.swap(false, Ordering::SeqCst) {
                let names: Vec<&'static str> = self.processes.keys().copied().collect();
                for name in names {
                    let process = self.processes.get_mut(name).unwrap();
                    if let Poll::Ready(ended) = process.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                        self.processes.remove(name);
                        self.ended.insert(name, ended);
                    }
                }
            }
            let first = self.world.waiters.lock().unwrap().first_key_value().map(|(key, _)| key.0);
            let to = first.filter(|at| *at <= until).unwrap_or(until);
            *self.world.monotonic.lock().unwrap() = to;
            if first.is_none_or(|at| at > until) {
                // Whoever is polled next sees the new time.
                return;
            }
            let due: Vec<Waker> = {
                let waiters = self.world.waiters.lock().unwrap();
                waiters.iter().take_while(|(key, _)| key.0 <= to).map(|(_, waker)| waker.clone()).collect()
            };
            flag.0.store(true, Ordering::SeqCst);
            due.into_iter().for_each(Waker::wake);
        }
    }

    pub(crate) fn minutes(&mut self, minutes: u64) {
        self.pass(Duration::from_secs(minutes * 60));
    }

    /// Successful runs of a job by due time, with how many there were.
    pub(crate) fn done(&self, job: &str) -> BTreeMap<DateTime<Utc>, usize> {
        let history = History::new(self.lake(0, Arc::default()));
        let filter = Filter { job: Some(job.to_owned()), status: Some(RunStatus::Success), ..Filter::default() };
        let mut done = BTreeMap::new();
        for run in now(history.list(&filter)).unwrap().runs {
            let Trigger::Schedule { due, .. } = run.trigger else { panic!("{run:?}") };
            *done.entry(due).or_default() += 1;
        }
        done
    }

    /// Due times of successful runs, `HH:MM`, each of which ran once.
    pub(crate) fn times(&self, job: &str) -> Vec<String> {
        let done = self.done(job);
        assert!(done.values().all(|count| *count == 1), "{done:?}");
        done.keys().map(|due| due.format("%H:%M").to_string()).collect()
    }

    /// What was said, in words.
    pub(crate) fn words(&self) -> Vec<String> {
        let said = self.said.lock().unwrap();
        said.iter().map(|(at, who, event)| format!("{} {who} {event}", at.format("%H:%M:%S"))).collect()
    }

    pub(crate) fn files(&self, folder: &str) -> usize {
        now(self.lake(0, Arc::default()).store().list(folder)).unwrap().len()
    }
}
