//! `GET /metrics` and `GET /health` over HTTP/1.1, and nothing else: bounded in size, time and number.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::Metrics;

/// Bytes of a request.
const REQUEST: usize = 8 << 10;
/// From accepting a connection to closing it.
const TIME: Duration = Duration::from_secs(5);
/// Connections at a time; others wait in the system's queue.
const CONNECTIONS: usize = 16;

/// Answers with the metrics.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
}

impl Server {
    /// Listens at an address of this machine.
    ///
    /// # Errors
    /// Another address; one that is taken.
    pub async fn bind(at: SocketAddr) -> Result<Self, String> {
        if !at.ip().is_loopback() {
            return Err(format!(
                "metrics are for this machine: {at} is not on loopback; use 127.0.0.1, and a proxy for others"
            ));
        }
        let listener = TcpListener::bind(at).await.map_err(|e| format!("cannot listen at {at}: {e}"))?;
        Ok(Self { listener })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's own words.
    pub fn address(&self) -> Result<SocketAddr, String> {
        self.listener.local_addr().map_err(|e| e.to_string())
    }

    /// Answers until it is dropped.
    pub async fn run(self, metrics: Arc<Metrics>) {
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let metrics = Arc::clone(&metrics);
                    tokio::spawn(async move {
                        // One that is slow or leaves has what it wanted.
                        let _ = tokio::time::timeout(TIME, answer(stream, &metrics)).await;
                        drop(slot);
                    });
                }
                // Out of file handles, perhaps: others close theirs.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

async fn answer(mut stream: TcpStream, metrics: &Metrics) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut part = [0; 1024];
    let whole = loop {
        let read = stream.read(&mut part).await?;
        request.extend_from_slice(part.get(..read).unwrap_or_default());
        if request.windows(4).any(|w| w == b"\r\n\r\n") {
            break true;
        }
        if read == 0 || request.len() > REQUEST {
            break false;
        }
    };
    let (status, body) =
        if whole { respond(&String::from_utf8_lossy(&request), metrics) } else { ("400 Bad Request", String::new()) };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\ncontent-length: {}\r\n\
         x-content-type-options: nosniff\r\ncache-control: no-store\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

fn respond(request: &str, metrics: &Metrics) -> (&'static str, String) {
    let mut lines = request.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    // A page in the user's browser may name us by any name that leads here.
    let host = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim())
    });
    let name = host.map(|host| {
        host.rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
            .map_or(host, |(name, _)| name)
    });
    if !matches!(name, None | Some("localhost" | "127.0.0.1" | "[::1]")) {
        return ("403 Forbidden", "this answers to localhost and 127.0.0.1\n".to_owned());
    }
    match (method, path) {
        ("GET", "/metrics") => ("200 OK", metrics.text()),
        ("GET", "/health") => ("200 OK", "ok\n".to_owned()),
        ("GET", _) => ("404 Not Found", "there are /metrics and /health\n".to_owned()),
        _ => ("405 Method Not Allowed", String::new()),
    }
}
