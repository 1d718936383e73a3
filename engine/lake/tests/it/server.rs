//! A publisher of our own: a server on loopback that answers as it is told and keeps what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `host/path?query`, the host being the publisher's.
    pub(crate) at: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    /// A header, its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Bytes of the body after which the connection is closed.
    cut: Option<usize>,
    /// After these bytes nothing comes any more, until the other side leaves.
    stall: Option<usize>,
    /// No `Content-Length`: the end of the connection is the end of the body.
    unmeasured: bool,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(crate) fn ok(body: impl AsRef<[u8]>) -> Self {
        Self { status: 200, body: body.as_ref().to_owned(), ..Self::default() }
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::status(302).with("location", to)
    }

    /// The same with another status.
    pub(crate) fn but(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn cut(self, at: usize) -> Self {
        Self { cut: Some(at), ..self }
    }

    pub(crate) fn stall(self, at: usize) -> Self {
        Self { stall: Some(at), ..self }
    }

    pub(crate) fn unmeasured(self) -> Self {
        Self { unmeasured: true, ..self }
    }

    /// The answer for a file that can be asked for in parts and under conditions.
    pub(crate) fn file(asked: &Asked, etag: &str, body: &[u8]) -> Self {
        if asked.header("if-none-match") == Some(etag) {
            return Self::status(304).with("etag", etag);
        }
        let from =
            asked.header("range").and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        let same = asked.header("if-range").is_none_or(|mark| mark == etag);
        match from.filter(|_| same) {
            Some(from) if from >= body.len() => {
                Self::status(416).with("content-range", &format!("bytes */{}", body.len()))
            }
            Some(from) => Self::ok(&body[from..])
                .but(206)
                .with("etag", etag)
                .with("content-range", &format!("bytes {from}-{}/{}", body.len() - 1, body.len())),
            None => Self::ok(body).with("etag", etag),
        }
    }

    fn write(&self, to: &mut TcpStream) -> std::io::Result<()> {
        write!(to, "HTTP/1.1 {} X\r\nconnection: close\r\n", self.status)?;
        let said = self.headers.iter().any(|(name, _)| name == "content-length");
        if !self.unmeasured && !said {
            write!(to, "content-length: {}\r\n", self.body.len())?;
        }
        for (name, value) in &self.headers {
            write!(to, "{name}: {value}\r\n")?;
        }
        to.write_all(b"\r\n")?;
        if self.status == 304 {
            return Ok(());
        }
        let end = self.stall.or(self.cut).unwrap_or(self.body.len());
        to.write_all(&self.body[..end])?;
        to.flush()?;
        if self.stall.is_some() {
            // Nothing comes, and nothing is waited for but the other's leaving.
            let _ = std::io::Read::read(to, &mut [0; 1]);
        }
        Ok(())
    }
}

type Answers = dyn Fn(&Asked, usize) -> Reply + Send + Sync;

/// Serves until it is dropped.
pub(crate) struct Server {
    pub(crate) base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers by what was asked, and by how many times something was asked before.
    pub(crate) fn new(answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        let answer: Arc<Answers> = Arc::new(answer);
        let thread = std::thread::spawn(move || {
            let mut serving = Vec::new();
            for stream in listener.incoming() {
                let Some(one) = read(&stream.unwrap()) else { break };
                let (one, stream) = one;
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                serving.push(std::thread::spawn(move || {
                    let number = {
                        let mut kept = kept.lock().unwrap();
                        kept.push(one.clone());
                        kept.len() - 1
                    };
                    let mut stream = stream;
                    // The other side may have left.
                    let _ = answer(&one, number).write(&mut stream);
                    let _ = stream.shutdown(Shutdown::Both);
                }));
            }
            for one in serving {
                one.join().unwrap();
            }
        });
        Self { base, asked, thread: Some(thread) }
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Where, without the rest.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.asked().into_iter().map(|a| a.at).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A connection that says nothing is the word to stop.
        let address = self.base.strip_prefix("http://").unwrap();
        drop(TcpStream::connect(address));
        let failed = self.thread.take().unwrap().join().is_err();
        assert!(!failed || std::thread::panicking(), "the server failed");
    }
}

/// The request; `None` for a connection that says nothing.
fn read(stream: &TcpStream) -> Option<(Asked, TcpStream)> {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    assert_eq!(words.next(), Some("GET"), "only GET is ever sent");
    let at = words.next().unwrap().trim_start_matches('/').to_owned();
    let mut headers = Vec::new();
    for line in lines.map_while(Result::ok).take_while(|l| !l.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    Some((Asked { at, headers }, stream.try_clone().unwrap()))
}
