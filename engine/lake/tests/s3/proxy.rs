//! Between a lake and its server: passes requests on, and does what goes wrong in between.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is answered.
    None,
    /// It is refused and not done.
    Refused,
    /// It is done, and the answer says that it failed.
    FailedAfter,
    /// It is done, and no answer comes.
    Lost,
    /// The answer is cut in the middle of its body.
    Cut,
    /// The answer takes its time.
    Slow,
    /// A list answers as it did before.
    Stale,
}

/// Decides, of a request line and the number of the request.
pub(crate) type Decide = Box<dyn Fn(&str, usize) -> Fault + Send + Sync>;

/// Serves until the process ends.
pub(crate) struct Proxy {
    pub(crate) address: String,
    decide: Arc<Mutex<Decide>>,
    /// How many requests something happened to.
    pub(crate) hit: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) fn new(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap().to_string(),
            decide: Arc::new(Mutex::new(Box::new(|_, _| Fault::None))),
            hit: Arc::default(),
        };
        let (decide, hit, server) = (Arc::clone(&proxy.decide), Arc::clone(&proxy.hit), server.to_owned());
        let (number, lists) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(HashMap::new())));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (decide, hit, server) = (Arc::clone(&decide), Arc::clone(&hit), server.clone());
                let (number, lists) = (Arc::clone(&number), Arc::clone(&lists));
                std::thread::spawn(move || {
                    // A side that leaves ends it.
                    let _ = pass(
                        stream,
                        &server,
                        &|line| {
                            let fault = decide.lock().unwrap()(line, number.fetch_add(1, Ordering::SeqCst));
                            if fault != Fault::None {
                                hit.fetch_add(1, Ordering::SeqCst);
                            }
                            fault
                        },
                        &lists,
                    );
                });
            }
        });
        proxy
    }

    pub(crate) fn decide(&self, decide: impl Fn(&str, usize) -> Fault + Send + Sync + 'static) {
        *self.decide.lock().unwrap() = Box::new(decide);
    }
}

const FAILED: &[u8] = b"HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

fn pass(
    mut client: TcpStream,
    server: &str,
    decide: &dyn Fn(&str) -> Fault,
    lists: &Mutex<HashMap<String, Vec<u8>>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let line = head.lines().next().unwrap_or_default().to_owned();
    let length = head.to_lowercase().lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let fault = decide(&line);
    if fault == Fault::Refused {
        return client.write_all(FAILED);
    }
    let mut to = TcpStream::connect(server)?;
    for header in head.lines().filter(|l| !l.is_empty() && !l.to_lowercase().starts_with("connection:")) {
        write!(to, "{header}\r\n")?;
    }
    to.write_all(b"connection: close\r\n\r\n")?;
    to.write_all(&body)?;
    let mut answer = Vec::new();
    to.read_to_end(&mut answer)?;
    match fault {
        Fault::None | Fault::Refused => {}
        Fault::FailedAfter => return client.write_all(FAILED),
        Fault::Lost => return Ok(()),
        Fault::Cut => {
            let begin = answer.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |at| at + 4);
            answer.truncate(begin + (answer.len() - begin) / 2);
        }
        Fault::Slow => std::thread::sleep(Duration::from_millis(40)),
        Fault::Stale => {
            // The answer before is given once more, and the new one the next time.
            if let Some(before) = lists.lock().unwrap().insert(line.clone(), answer.clone()) {
                answer = before;
            }
        }
    }
    if fault == Fault::None && line.contains("list-type=2") {
        lists.lock().unwrap().insert(line, answer.clone());
    }
    client.write_all(&answer)
}
