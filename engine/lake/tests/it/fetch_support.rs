//! A user who fetches: a folder for downloads, and a clock that does not wait.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use envoi_lake::Result;
use envoi_lake::fetch::{Client, Clock, Event, Fetched, Manners, Request, State, Wanted, base, fetch};
use envoi_lake::import::descriptor;

use crate::server::Server;

/// A clock that stands still and writes down how long it should have waited.
#[derive(Default)]
pub(crate) struct Still(pub(crate) Mutex<Vec<Duration>>);

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn sleep(&self, time: Duration) {
        self.0.lock().unwrap().push(time);
    }
}

/// A user at a machine on which a server stands for all publishers.
pub(crate) struct Desk {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<Still>,
    pub(crate) manners: Manners,
    /// What was told, a word or two each.
    pub(crate) told: RefCell<Vec<String>>,
}

impl Desk {
    pub(crate) fn new(server: &Server) -> Self {
        let clock = Arc::new(Still::default());
        let manners = Manners {
            base: Some(base(&server.base).unwrap()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..Manners::default()
        };
        Self { folder: tempfile::tempdir().unwrap(), clock, manners, told: RefCell::default() }
    }

    pub(crate) fn downloads(&self) -> PathBuf {
        self.folder.path().join("downloads")
    }

    pub(crate) fn fetch_with(&self, id: &str, request: &Request) -> Result<Vec<Fetched>> {
        let tell = |event: Event<'_>| {
            let text = match event {
                Event::Waiting => "waiting".to_owned(),
                Event::Ask(url) => format!("ask {url}"),
                Event::Newest(what) => format!("newest {what}"),
                Event::Begin(name) => format!("begin {name}"),
                Event::Resume { at, total } => format!("resume {at} of {total:?}"),
                Event::Bytes { .. } => return,
                Event::Pause { why, .. } => format!("pause {why}"),
                Event::Done(one) => format!("done {:?}", one.state),
            };
            self.told.borrow_mut().push(text);
        };
        fetch(descriptor(id)?, request, &Client::new(self.manners.clone()), &self.downloads(), &tell)
    }

    /// Form and parameters as `name=value`.
    pub(crate) fn fetch(&self, id: &str, form: Option<&str>, values: &[&str]) -> Result<Vec<Fetched>> {
        self.fetch_with(id, &request(form, values))
    }

    /// The rates of the ECB: one file at one address.
    pub(crate) fn rates(&self) -> Result<Vec<Fetched>> {
        self.fetch("ecb.fx", None, &[])
    }

    /// Fetching the rates must fail with all of `words`, and leave nothing that looks whole.
    pub(crate) fn refuses(&self, words: &[&str]) -> String {
        let message = self.rates().unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "`{word}` is not in: {message}");
        }
        assert!(!message.ends_with('.'), "a message of another style: {message}");
        assert_eq!(self.whole(), Vec::<String>::new(), "{message}");
        message
    }

    /// Names of files of the downloads that are not notes, parts or locks.
    pub(crate) fn whole(&self) -> Vec<String> {
        let mut all = self.names();
        all.retain(|n| !n.ends_with(".part") && !n.ends_with(".fetch") && n != "lock");
        all
    }

    /// Names of all files of the downloads.
    pub(crate) fn names(&self) -> Vec<String> {
        if !self.downloads().exists() {
            return Vec::new();
        }
        let name = |p: &PathBuf| p.file_name().unwrap().to_string_lossy().into_owned();
        crate::files_below(&self.downloads()).iter().map(name).collect()
    }

    pub(crate) fn waits(&self) -> Vec<u64> {
        self.clock.0.lock().unwrap().iter().map(Duration::as_secs).collect()
    }
}

pub(crate) fn request(form: Option<&str>, values: &[&str]) -> Request {
    let mut wanted = Wanted { form: form.map(str::to_owned), ..Wanted::default() };
    for value in values {
        let (name, value) = value.split_once('=').unwrap();
        wanted.values.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    Request { wanted, ..Request::default() }
}

pub(crate) fn states(fetched: &[Fetched]) -> Vec<State> {
    fetched.iter().map(|f| f.state).collect()
}

pub(crate) fn bytes_of(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// The ECB's zip, with so many days of invented rates.
pub(crate) fn rates(days: u32) -> Vec<u8> {
    use std::fmt::Write;
    let currencies = ["USD", "JPY", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "MXN", "PHP"];
    let mut text = format!("Date,{},\n", currencies.join(","));
    for day in (0..days).rev() {
        let date = crate::support::day("2024-01-01") + chrono::Days::new(day.into());
        write!(text, "{date},").unwrap();
        for (at, _) in currencies.iter().enumerate() {
            write!(text, "{}.{:04},", at + 1, (day * 7919 + at as u32 * 613) % 10_000).unwrap();
        }
        text.push('\n');
    }
    crate::support::zipped(&[("eurofxref-hist.csv", text.as_bytes())])
}
