//! One request at a time: allowed hosts only, redirects followed by hand, nothing but GET.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{HeaderMap, Uri};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, Proxy};
use url::Url;

use super::address::{NotPublic, PublicOnly, gate, routed, shown};
use super::retry::{Clock, Patience, SystemClock, Trouble, retry_after};
use super::{Event, Events};
use crate::error::Printable;

/// Hops of a redirect.
const HOPS: usize = 10;
/// Bytes of all headers of an answer.
const HEADERS: usize = 64 << 10;
/// To find a host, and to connect to it.
const CONNECT: Duration = Duration::from_secs(30);

/// How publishers are asked.
#[derive(Clone)]
pub struct Manners {
    /// Longest silence of a publisher.
    pub timeout: Duration,
    /// Tries after the first, one after the other without anything gained.
    pub retries: u32,
    /// Wait before the first of them; it doubles with each.
    pub pause: Duration,
    /// A server of this machine that stands for all publishers ([`super::base`]).
    pub base: Option<Url>,
    /// The time, and waiting.
    pub clock: Arc<dyn Clock>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            retries: 5,
            pause: Duration::from_secs(1),
            base: None,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Asks publishers.
pub struct Client {
    agent: Agent,
    manners: Manners,
}

/// Whom a request goes to: what they may be, and who we are to them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    /// Hosts that may be asked.
    pub(super) hosts: &'a [String],
    /// What we call ourselves.
    pub(super) agent: &'a str,
}

/// An answer with a status that is no redirect; its body is yet to be read.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    /// Where a redirect led to in the end, for messages.
    redirected: Option<String>,
}

impl Client {
    /// A client of those manners.
    pub fn new(manners: Manners) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Every hop is looked at first.
            .max_redirects(0)
            .https_only(manners.base.is_none())
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(manners.timeout.saturating_mul(2)))
            .timeout_per_read(Some(manners.timeout))
            .timeout_per_write(Some(manners.timeout))
            .max_response_header_size(HEADERS)
            // What a proxy sees; publishers are told the descriptor's.
            .user_agent(concat!("envoi/", env!("CARGO_PKG_VERSION")))
            // A page packed for the way would have another length and checksum than the file.
            .accept_encoding("identity");
        let connector = DefaultConnector::default();
        let agent = match &manners.base {
            // This machine is reached directly, and by an address that needs no resolving.
            Some(_) => Agent::with_parts(config.proxy(None).build(), connector, DefaultResolver::default()),
            None => {
                let proxy = Proxy::try_from_env();
                let resolver = PublicOnly::new(proxy.as_ref().map(|p| p.host().to_owned()));
                Agent::with_parts(config.proxy(proxy).build(), connector, resolver)
            }
        };
        Self { agent, manners }
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.manners.clock.as_ref()
    }

    /// Asks once. What is no success is trouble, but for the statuses in `also`.
    pub(super) fn ask(
        &self,
        site: Site<'_>,
        url: &Url,
        headers: &[(&str, String)],
        also: &[u16],
    ) -> Result<Answer, Trouble> {
        let mut at = url.clone();
        for _ in 0..=HOPS {
            gate(&at, site.hosts).map_err(Trouble::Lasting)?;
            let to = routed(&at, self.manners.base.as_ref());
            let uri: Uri = to.as_str().parse().map_err(|e| Trouble::lasting(format!("`{}`: {e}", shown(&at))))?;
            let mut request = self.agent.get(uri).header("user-agent", site.agent);
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            let response = request.call().map_err(|e| self.trouble(e))?;
            let (parts, body) = response.into_parts();
            let status = parts.status.as_u16();
            if matches!(status, 301 | 302 | 303 | 307 | 308) {
                let location = parts.headers.get("location").and_then(|l| l.to_str().ok());
                let next = location.and_then(|l| at.join(l).ok());
                at = next.ok_or_else(|| Trouble::lasting(format!("answered {status} without saying where it went")))?;
                at.set_fragment(None);
                continue;
            }
            let redirected = (at != *url).then(|| shown(&at));
            let answer = Answer { status, headers: parts.headers, body, redirected };
            return if matches!(status, 200) || also.contains(&status) {
                Ok(answer)
            } else {
                Err(self.refused(answer))
            };
        }
        Err(Trouble::lasting(format!("redirected more than {HOPS} times, last to {}", shown(&at))))
    }

    /// The whole of a short document.
    pub(super) fn document(
        &self,
        site: Site<'_>,
        url: &Url,
        accept: Option<&str>,
        most: u64,
        events: &Events<'_>,
    ) -> Result<Vec<u8>, String> {
        let headers: Vec<(&str, String)> = accept.map(|a| ("accept", a.to_owned())).into_iter().collect();
        self.persist(events, || {
            let mut answer = self.ask(site, url, &headers, &[])?;
            plain(&answer.headers)?;
            let said = length(&answer.headers);
            let mut bytes = Vec::new();
            answer.body.as_reader().take(most + 1).read_to_end(&mut bytes).map_err(interrupted)?;
            if bytes.len() as u64 > most {
                return Err(Trouble::lasting(format!("the answer is longer than {most} bytes")));
            }
            match said {
                Some(said) if said != bytes.len() as u64 => {
                    Err(Trouble::passing(format!("the answer broke off at {} of {said} bytes", bytes.len())))
                }
                _ => Ok(bytes),
            }
        })
    }

    /// Tries until it succeeds, trouble lasts, or patience ends.
    pub(super) fn persist<T>(
        &self,
        events: &Events<'_>,
        mut once: impl FnMut() -> Result<T, Trouble>,
    ) -> Result<T, String> {
        let patience = Patience { retries: self.manners.retries, pause: self.manners.pause };
        let mut number = 0;
        loop {
            match once() {
                Ok(done) => return Ok(done),
                Err(Trouble::Lasting(what)) => return Err(what),
                Err(Trouble::Passing { what, after, gained }) => {
                    if gained {
                        number = 0;
                    }
                    let wait = patience.wait(number, after).map_err(|why| format!("{what}{why}"))?;
                    events(Event::Pause { why: &what, wait });
                    self.clock().sleep(wait);
                    number += 1;
                }
            }
        }
    }

    /// A status that is no success.
    fn refused(&self, mut answer: Answer) -> Trouble {
        let status = answer.status;
        let words = ureq::http::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("");
        let what = format!("the publisher answered {status} {words}").trim_end().to_owned();
        if matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504) {
            let asked = answer.headers.get("retry-after").and_then(|v| v.to_str().ok());
            let after = asked.and_then(|text| retry_after(text, self.clock().now()));
            return Trouble::Passing { what, after, gained: false };
        }
        let why = match status {
            401 | 403 => " (it refuses this program, or this network)".to_owned(),
            404 | 410 => match &answer.redirected {
                Some(at) => format!(" (it redirects to {at}, where nothing is any more)"),
                None => " (nothing is there any more)".to_owned(),
            },
            _ => excerpt(&mut answer.body),
        };
        Trouble::Lasting(what + &why)
    }

    fn trouble(&self, error: ureq::Error) -> Trouble {
        match error {
            ureq::Error::HostNotFound => {
                Trouble::lasting("the host's name is not known here (is this machine offline?)")
            }
            ureq::Error::Other(e) if e.is::<NotPublic>() => Trouble::lasting(e.to_string()),
            ureq::Error::Rustls(e) => Trouble::lasting(format!("no secure connection: {e}")),
            ureq::Error::Tls(e) => Trouble::lasting(format!("no secure connection: {e}")),
            ureq::Error::ConnectProxyFailed(e) => Trouble::lasting(format!("the proxy refused: {}", Printable(&e))),
            ureq::Error::LargeResponseHeader(..) => {
                Trouble::lasting(format!("the publisher's headers are longer than {HEADERS} bytes"))
            }
            ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
                Trouble::passing(format!("no connection within {} seconds", CONNECT.as_secs()))
            }
            ureq::Error::Timeout(_) => Trouble::passing(self.silent()),
            ureq::Error::Io(e) if tls(&e) => Trouble::lasting(format!("no secure connection: {e}")),
            ureq::Error::Io(e) => Trouble::passing(format!("the connection failed: {e}")),
            other => Trouble::passing(format!("the connection failed: {}", Printable(&other.to_string()))),
        }
    }

    fn silent(&self) -> String {
        format!("the publisher was silent for {} seconds (setting `fetch.timeout`)", self.manners.timeout.as_secs())
    }
}

/// TLS says what it does not trust as an error of reading or writing.
fn tls(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::InvalidData
}

/// A body that ended before it should.
pub(super) fn interrupted(error: std::io::Error) -> Trouble {
    let silent = error.get_ref().and_then(|e| e.downcast_ref::<ureq::Error>());
    match silent {
        Some(ureq::Error::Timeout(_)) => Trouble::passing("the publisher fell silent (setting `fetch.timeout`)"),
        _ => Trouble::passing(format!("the connection broke: {}", Printable(&error.to_string()))),
    }
}

/// `Content-Length`.
pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get("content-length")?.to_str().ok()?.trim().parse().ok()
}

/// Refuses a body packed for the way, which we did not ask for.
pub(super) fn plain(headers: &HeaderMap) -> Result<(), Trouble> {
    let packed = headers.get("content-encoding").map(|v| v.to_str().unwrap_or("unknown").trim().to_lowercase());
    match packed.filter(|p| !p.is_empty() && p != "identity") {
        Some(packed) => {
            Err(Trouble::lasting(format!("the publisher packed its answer (`{}`) unasked", Printable(&packed))))
        }
        None => Ok(()),
    }
}

/// The first words of an answer that says what is wrong, if it is no page.
fn excerpt(body: &mut Body) -> String {
    let mut head = Vec::new();
    // What cannot be read is not said.
    let _ = body.as_reader().take(400).read_to_end(&mut head);
    let text = String::from_utf8_lossy(&head);
    let text = text.trim();
    match text.is_empty() || text.starts_with('<') {
        true => String::new(),
        false => format!(" (`{}`)", Printable(text)),
    }
}
