//! From the first byte to a client that is logged in.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::error::{PROTOCOL_VIOLATION, PgError, Result};
use super::listen::{Shared, Stream};
use super::scram::{Exchange, Verifier};
use super::settings::Settings;
use super::wire::backend;
use super::wire::frontend::{self, Frontend};
use super::wire::startup::{First, Startup, first};

/// Bytes of a message before a client is logged in.
const SMALL: usize = 10_000;
/// The newest minor version of protocol 3.
const MINOR: u16 = 2;
/// Times that encryption is asked for before a start: by SSL, by GSS.
const ASKED: usize = 4;

/// A client that is logged in.
pub(super) struct Login {
    pub(super) stream: Box<dyn Stream>,
    pub(super) user: String,
    pub(super) startup: Startup,
    /// Bytes that came already.
    pub(super) ahead: BytesMut,
}

/// Logs a client in; `None` if it is not to be, with nothing left to say.
pub(super) async fn login(shared: &Shared, socket: TcpStream, client: SocketAddr) -> Option<Login> {
    let mut stream: Box<dyn Stream> = Box::new(socket);
    let mut buffer = BytesMut::new();
    let mut certificate = None;
    for _ in 0..ASKED {
        let what = match read_first(&mut stream, &mut buffer).await {
            Ok(what) => what?,
            Err(error) => return end(stream, error).await,
        };
        match what {
            First::Ssl => {
                // What came behind the request was not encrypted, and must not be taken for it.
                if !buffer.is_empty() {
                    return None;
                }
                match (&shared.options.tls, certificate.is_some()) {
                    (Some(tls), false) => {
                        stream.write_all(b"S").await.ok()?;
                        if let Some(trouble) = tls.refresh() {
                            shared.log(&format!("certificate not taken: {trouble}"), "", client);
                        }
                        let accepted = tls.accept(stream).await.ok()?;
                        (stream, certificate) = (accepted.stream, Some(accepted.certificate_hash));
                    }
                    _ => stream.write_all(b"N").await.ok()?,
                }
            }
            First::Gss => {
                if !buffer.is_empty() {
                    return None;
                }
                stream.write_all(b"N").await.ok()?;
            }
            First::Cancel { pid, secret } => {
                shared.registry.cancel(pid, &secret);
                return None;
            }
            First::Startup(startup) => {
                let begun = authenticate(shared, &mut stream, &mut buffer, &startup, client, certificate).await;
                return match begun {
                    Ok(user) => Some(Login { stream, user, startup, ahead: buffer }),
                    Err(error) => end(stream, error).await,
                };
            }
        }
    }
    None
}

async fn end(mut stream: Box<dyn Stream>, error: PgError) -> Option<Login> {
    let mut out = BytesMut::new();
    backend::error(&mut out, &PgError { fatal: true, ..error });
    let _ = stream.write_all(&out).await;
    let _ = stream.shutdown().await;
    None
}

/// The first packet; `None` if the client goes before it is whole.
async fn read_first(stream: &mut Box<dyn Stream>, buffer: &mut BytesMut) -> Result<Option<First>> {
    loop {
        if let Some(what) = first(buffer)? {
            return Ok(Some(what));
        }
        if !more(stream, buffer).await {
            return Ok(None);
        }
    }
}

async fn more(stream: &mut Box<dyn Stream>, buffer: &mut BytesMut) -> bool {
    buffer.reserve(1024);
    matches!(stream.read_buf(buffer).await, Ok(read) if read > 0)
}

/// Proves who the client is.
async fn authenticate(
    shared: &Shared,
    stream: &mut Box<dyn Stream>,
    buffer: &mut BytesMut,
    startup: &Startup,
    client: SocketAddr,
    certificate: Option<Vec<u8>>,
) -> Result<String> {
    let mut out = BytesMut::new();
    let user = startup
        .get("user")
        .filter(|u| !u.is_empty())
        .ok_or_else(|| PgError::fatal("28000", "no PostgreSQL user name specified in startup packet"))?;
    // What clients name when their users name none is taken for the one there is.
    let database = startup.get("database").filter(|d| !d.is_empty()).unwrap_or(user);
    if ![shared.options.database.as_str(), "postgres", user].contains(&database) {
        return Err(PgError::fatal("3D000", format!("database \"{database}\" does not exist"))
            .with_hint(format!("there is \"{}\"", shared.options.database)));
    }
    let replication = startup.get("replication").is_some_and(|r| !["false", "off", "no", "0"].contains(&r));
    if replication {
        return Err(PgError::fatal(super::error::FEATURE_NOT_SUPPORTED, "replication is not supported"));
    }
    let unknown = startup.unknown_options();
    if startup.minor > MINOR || !unknown.is_empty() {
        backend::negotiate_version(&mut out, startup.minor.min(MINOR), &unknown);
    }
    if let Some(users) = &shared.options.users {
        if shared.options.tls.is_some() && certificate.is_none() && !client.ip().is_loopback() {
            return Err(PgError::fatal("28000", "this server takes encrypted connections only")
                .with_hint("connect with sslmode=require"));
        }
        if !shared.guesses.listens(client.ip(), Instant::now()) {
            shared.log("login refused", user, client);
            return Err(PgError::fatal("53300", "too many failed logins from this address").with_hint("wait a minute"));
        }
        let known = users.find(user);
        let verifier = known.map_or_else(|| Verifier::made_up(user, &shared.secret), |u| u.verifier.clone());
        let mut mechanisms = vec!["SCRAM-SHA-256"];
        if certificate.is_some() {
            mechanisms.insert(0, "SCRAM-SHA-256-PLUS");
        }
        backend::authentication_sasl(&mut out, &mechanisms);
        send(stream, &mut out).await?;
        let mut exchange = Exchange::new(user, verifier, known.is_some(), certificate);
        let message = password(stream, buffer).await?;
        let (mechanism, response) = initial(&message)?;
        let answer = exchange.first(mechanism, response)?;
        backend::authentication_sasl_continue(&mut out, &answer);
        send(stream, &mut out).await?;
        let message = password(stream, buffer).await?;
        let answer = match exchange.last(&message) {
            Ok(answer) => answer,
            Err(error) => {
                shared.log("login failed", user, client);
                tokio::time::sleep(shared.guesses.failed(client.ip(), user, Instant::now())).await;
                return Err(error);
            }
        };
        shared.guesses.succeeded(client.ip(), user);
        backend::authentication_sasl_final(&mut out, &answer);
    }
    backend::authentication_ok(&mut out);
    send(stream, &mut out).await?;
    Ok(user.to_owned())
}

async fn send(stream: &mut Box<dyn Stream>, out: &mut BytesMut) -> Result<()> {
    let gone = |_| PgError::fatal("08006", "the client is gone");
    stream.write_all(out).await.map_err(gone)?;
    stream.flush().await.map_err(gone)?;
    out.clear();
    Ok(())
}

/// The next message, which must be one of a password.
async fn password(stream: &mut Box<dyn Stream>, buffer: &mut BytesMut) -> Result<Bytes> {
    loop {
        match frontend::message(buffer, SMALL)? {
            Some(Frontend::Password(body)) => return Ok(body),
            Some(_) => return Err(PgError::fatal(PROTOCOL_VIOLATION, "expected a SASL response")),
            None if more(stream, buffer).await => {}
            None => return Err(PgError::fatal("08006", "the client is gone")),
        }
    }
}

/// Mechanism and response of the first SASL message.
fn initial(body: &[u8]) -> Result<(&str, &[u8])> {
    let wrong = || PgError::fatal(PROTOCOL_VIOLATION, "malformed SASL response");
    let nul = body.iter().position(|b| *b == 0).ok_or_else(wrong)?;
    let mechanism = body.get(..nul).and_then(|b| std::str::from_utf8(b).ok()).ok_or_else(wrong)?;
    let rest = body.get(nul + 1..).ok_or_else(wrong)?;
    let (length, response) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
    let length = i32::from_be_bytes(*length);
    if usize::try_from(length).ok() != Some(response.len()) {
        return Err(wrong());
    }
    Ok((mechanism, response))
}

/// Settings that the client asked for when it began: they are its defaults.
pub(super) fn first_settings(startup: &Startup, settings: &mut Settings) -> Result<()> {
    for (name, value) in &startup.parameters {
        match name.as_str() {
            "user" | "database" | "replication" => {}
            "options" => {
                for (name, value) in options(value)? {
                    first_setting(settings, &name, &value)?;
                }
            }
            name if name.starts_with("_pq_.") => {}
            name => first_setting(settings, name, value)?,
        }
    }
    Ok(())
}

fn first_setting(settings: &mut Settings, name: &str, value: &str) -> Result<()> {
    let mut one = Settings::default();
    let value = one.set(name, Some(value))?;
    settings.begin_with(name, value);
    Ok(())
}

/// `-c name=value` and `--name=value`, with blanks escaped by backslashes.
fn options(text: &str) -> Result<Vec<(String, String)>> {
    let mut words = vec![String::new()];
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                if let (Some(word), Some(next)) = (words.last_mut(), characters.next()) {
                    word.push(next);
                }
            }
            c if c.is_whitespace() => words.push(String::new()),
            c => {
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    let mut words = words.into_iter().filter(|w| !w.is_empty());
    let mut all = Vec::new();
    while let Some(word) = words.next() {
        let pair = match (word.strip_prefix("--"), word.strip_prefix("-c")) {
            (Some(pair), _) => Some(pair.replacen('-', "_", 0)),
            (None, Some("")) => words.next(),
            (None, Some(pair)) => Some(pair.to_owned()),
            (None, None) => None,
        };
        let Some((name, value)) = pair.as_deref().and_then(|p| p.split_once('=')) else {
            return Err(PgError::fatal("42601", format!("invalid command-line argument for server process: {word}")));
        };
        all.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_startup_packet() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let all = options("-c statement_timeout=5s --search-path=mart -cgeqo=off -c application_name=a\\ b").unwrap();
        assert_eq!(
            all,
            [
                pair("statement_timeout", "5s"),
                pair("search_path", "mart"),
                pair("geqo", "off"),
                pair("application_name", "a b")
            ]
        );
        assert!(options("nonsense").is_err());
    }
}
