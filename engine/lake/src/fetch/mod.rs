//! Fetching a dataset from its publisher: find the newest edition, download, check, keep.
//!
//! ```text
//! descriptor [fetch] + what the user wants -> addresses -> newest edition -> downloads
//!     -> <folder>/<dataset>/<file>, whole and checked -> `import::import`
//! ```
//! Endpoints are in the descriptors. Only hosts that the descriptor names are ever asked,
//! over TLS, at addresses of the public internet; every hop of a redirect is held to that.
//! Nothing is sent but GET, the user agent and conditions on what is here already.
//!
//! All of this blocks; it is called from a thread that may.

mod address;
mod cache;
mod client;
mod content;
mod discover;
mod download;
mod endpoint;
mod pages;
mod retry;

use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::error::{Error, Result};
use crate::import::Descriptor;

pub use address::base;
pub use client::{Client, Manners};
pub use content::Holds;
pub use endpoint::{Endpoint, FilePattern, Newest, Pages, Parameter, Planned, Wanted, endpoint};
pub use retry::{Clock, SystemClock};

use cache::{Cache, Note};
use client::Site;
use download::{Download, Target};

/// What the user asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Form and parameters.
    pub wanted: Wanted,
    /// SHA-256, in hexadecimal, that the one file must have.
    pub sha256: Option<String>,
    /// Download it even if it is here and did not change.
    pub again: bool,
    /// Ask no publisher: take what is here.
    pub offline: bool,
    /// Most bytes of a file.
    pub most_bytes: u64,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            wanted: Wanted::default(),
            sha256: None,
            again: false,
            offline: false,
            most_bytes: crate::read::Limits::default().file_bytes,
        }
    }
}

/// What a fetch is doing, for a progress bar.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Another process downloads this dataset; it is waited for.
    Waiting,
    /// A publisher is asked which edition is the newest.
    Ask(&'a str),
    /// This edition is.
    Newest(&'a str),
    /// A file is begun.
    Begin(&'a str),
    /// The download goes on from a byte.
    Resume {
        /// Bytes that are here.
        at: u64,
        /// Bytes of the whole, where known.
        total: Option<u64>,
    },
    /// So many bytes are here.
    Bytes {
        /// Bytes that are here.
        done: u64,
        /// Bytes of the whole, where known.
        total: Option<u64>,
    },
    /// Something failed that may pass; it is tried again after a while.
    Pause {
        /// What failed.
        why: &'a str,
        /// How long.
        wait: Duration,
    },
    /// A file is here.
    Done(&'a Fetched),
}

/// Who is told of events.
pub type Events<'a> = dyn Fn(Event<'_>) + 'a;

/// Whether a file is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was downloaded.
    New,
    /// It was downloaded, and is what was here already.
    Same,
    /// The publisher says that it did not change since it was downloaded.
    Unchanged,
    /// It was here; nobody was asked.
    Kept,
}

/// A file that is here, whole.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Where it is.
    pub path: PathBuf,
    /// Where it is from.
    pub url: String,
    /// Its bytes.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: String,
    /// Whether it is new.
    pub state: State,
    /// When the publisher last changed it, as the publisher writes it.
    pub last_modified: Option<String>,
}

/// Fetches a dataset into `<folder>/<id>`; the files are whole and what they should be.
///
/// # Errors
/// A usage error for what there is not, and [`Error::Fetch`] with the address, what happened,
/// and what would work. Files that were fetched before the failing one stay for the next time.
pub fn fetch(
    descriptor: &Descriptor,
    request: &Request,
    client: &Client,
    folder: &Path,
    events: &Events<'_>,
) -> Result<Vec<Fetched>> {
    let endpoint = endpoint(descriptor)?;
    let planned = endpoint.plan(&request.wanted)?;
    let sha256 = request.sha256.as_deref().map(str::to_ascii_lowercase);
    if let Some(wanted) = &sha256 {
        if wanted.len() != 64 || !wanted.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(Error::Usage(format!("`{wanted}` is no SHA-256: 64 digits of hexadecimal")));
        }
        if planned.len() != 1 || planned.iter().any(|p| p.pages.is_some()) {
            return Err(Error::Usage(
                "a checksum is of one file; name the form and the values that give one".to_owned(),
            ));
        }
    }
    let agent = endpoint.agent();
    let job = Job {
        endpoint,
        client,
        site: Site { hosts: &endpoint.hosts, agent: &agent },
        cache: Cache::open(folder, &descriptor.id, events)?,
        sha256,
        again: request.again,
        offline: request.offline,
        most: request.most_bytes,
        by_hand: endpoint.page.as_deref().or(descriptor.url.as_deref()).unwrap_or_default(),
        events,
    };
    let mut fetched = Vec::new();
    for one in &planned {
        fetched.extend(job.planned(one)?);
    }
    Ok(fetched)
}

/// One dataset being fetched.
struct Job<'a> {
    endpoint: &'a Endpoint,
    client: &'a Client,
    site: Site<'a>,
    cache: Cache,
    sha256: Option<String>,
    again: bool,
    offline: bool,
    most: u64,
    by_hand: &'a str,
    events: &'a Events<'a>,
}

impl Job<'_> {
    fn planned(&self, planned: &Planned) -> Result<Vec<Fetched>> {
        let (url, newest) = match &planned.newest {
            None => (planned.url.clone(), String::new()),
            Some(newest) if self.offline => return self.newest_kept(planned, newest),
            Some(newest) => {
                let found = self.discover(newest)?;
                (planned.url.replace("{newest}", &found), found)
            }
        };
        let url = self.address(&url)?;
        let file = planned.file.replace("{newest}", &newest).replace("{base}", last_part(&url));
        match &planned.pages {
            Some(pages) => self.pages(planned, pages, &url, &file),
            None => Ok(vec![self.one(planned, &url, &file)?]),
        }
    }

    fn discover(&self, newest: &Newest) -> Result<String> {
        let url = self.address(&newest.ask)?;
        (self.events)(Event::Ask(&newest.ask));
        let list = self.client.document(self.site, &url, newest.accept.as_deref(), discover::MOST, self.events);
        let found = list.and_then(|list| discover::newest(&list, newest)).map_err(|what| self.failed(&url, &what))?;
        (self.events)(Event::Newest(&found));
        Ok(found)
    }

    /// One file.
    fn one(&self, planned: &Planned, url: &Url, file: &str) -> Result<Fetched> {
        let slot = self.cache.slot(file)?;
        (self.events)(Event::Begin(file));
        let (path, name) = (slot.path().to_owned(), slot.name());
        let (note, state) = if self.offline {
            let kept = slot.kept(url.as_str());
            let fits = |note: &Note| self.sha256.is_none() || note.sha256 == self.sha256;
            (kept.filter(fits).ok_or_else(|| self.not_here(&name))?, State::Kept)
        } else {
            let page = planned.pages.as_ref().map(|_| pages::MOST_BYTES);
            let bound = self.endpoint.most_bytes.into_iter().chain(page).min().filter(|most| *most < self.most);
            let target = Target {
                url,
                holds: planned.holds,
                accept: planned.accept.as_deref(),
                most: bound.unwrap_or(self.most),
                adjustable: bound.is_none(),
                sha256: self.sha256.as_deref(),
                again: self.again,
            };
            let download = Download { client: self.client, site: self.site, target, slot, events: self.events };
            download.run().map_err(|what| self.failed(url, &what))?
        };
        Ok(self.done(path, note, state))
    }

    fn done(&self, path: PathBuf, note: Note, state: State) -> Fetched {
        let Note { url, bytes, sha256, last_modified, .. } = note;
        let (bytes, sha256) = (bytes.unwrap_or_default(), sha256.unwrap_or_default());
        let fetched = Fetched { path, url, bytes, sha256, state, last_modified };
        (self.events)(Event::Done(&fetched));
        fetched
    }

    /// Without asking: the newest of what is here.
    fn newest_kept(&self, planned: &Planned, newest: &Newest) -> Result<Vec<Fetched>> {
        // Of an address that was discovered whole the pattern knows no query.
        let (pattern, whole) = match (&newest.pattern, planned.url.as_str()) {
            (Some(pattern), "{newest}") => (pattern.clone(), false),
            (_, url) => (url.replace("{newest}", "*"), true),
        };
        let of = |note: &Note| match whole {
            true => discover::fits(&pattern, &note.url),
            false => discover::fits(&pattern, discover::before_query(&note.url)),
        };
        let mut kept: Vec<(String, Note)> = self.cache.notes()?.into_iter().filter(|(_, note)| of(note)).collect();
        kept.sort_by(|(_, a), (_, b)| discover::order(&a.url, &b.url));
        let (file, note) = kept.pop().ok_or_else(|| self.not_here(&planned.file))?;
        Ok(vec![self.one(planned, &self.address(&note.url)?, &file)?])
    }

    fn address(&self, text: &str) -> Result<Url> {
        Url::parse(text).map_err(|e| Error::Fetch(format!("`{}` is no address: {e}", crate::error::Printable(text))))
    }

    /// What failed, where, and what would work.
    fn failed(&self, url: &Url, what: &str) -> Error {
        // Addresses of descriptors hold no secrets, and their parameters say what was asked for.
        let known = self.endpoint.hosts.iter().any(|h| Some(h.as_str()) == url.host_str());
        let url = if known { url.as_str().to_owned() } else { address::shown(url) };
        Error::Fetch(format!("cannot fetch {url}: {what}; {}", self.hand()))
    }

    fn not_here(&self, file: &str) -> Error {
        Error::Fetch(format!("`{file}` was not fetched before; run it without --offline, or {}", self.hand()))
    }

    fn hand(&self) -> String {
        format!("download it by hand from {} and run `envoi source import FILE`", self.by_hand)
    }
}

/// The last part of an address's path.
fn last_part(url: &Url) -> &str {
    url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default()
}
