//! One POST of JSON: over TLS or to this machine, to nowhere else than it was sent, and
//! without a word about addresses and headers, which may hold secrets.

use std::collections::BTreeMap;
use std::time::Duration;

use ureq::Agent;
use url::{Host, Url};

/// Bytes of all headers of an answer.
const HEADERS: usize = 16 << 10;

/// What is sent where.
pub(crate) struct Post<'a> {
    pub(crate) url: &'a str,
    pub(crate) headers: &'a BTreeMap<String, String>,
    pub(crate) body: &'a str,
    pub(crate) timeout: Duration,
    pub(crate) retries: u32,
    pub(crate) pause: Duration,
}

/// An address for messages: often the path is the secret.
pub(super) fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()),
        Err(_) => "an address from the environment".to_owned(),
    }
}

/// Refuses what cannot be right whatever the environment holds.
pub(super) fn check(url: &str, headers: &BTreeMap<String, String>) -> Result<(), String> {
    for (name, value) in headers {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(plain) || value.chars().any(char::is_control) {
            return Err(format!("`{}` cannot be a header", name.escape_default()));
        }
        variables(value)?;
    }
    if variables(url)?.is_empty() { allowed(url).map(|_| ()) } else { Ok(()) }
}

/// The address and headers with what the environment holds.
pub(super) fn expanded(url: &str, headers: &BTreeMap<String, String>) -> Result<(Url, Vec<(String, String)>), String> {
    let url = allowed(&expand(url)?)?;
    let headers =
        headers.iter().map(|(name, value)| Ok((name.clone(), expand(value)?))).collect::<Result<_, String>>()?;
    Ok((url, headers))
}

fn allowed(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| format!("the address is none: {e}"))?;
    let here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err("the address has no host".to_owned()),
    };
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        _ => return Err(format!("{} is neither https nor of this machine", shown(text))),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{} holds a name or password; send it as a header with ${{NAME}}", shown(text)));
    }
    Ok(url)
}

/// The variables that a text names as `${NAME}`.
fn variables(text: &str) -> Result<Vec<&str>, String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, after) = after.split_once('}').ok_or_else(|| "`${` has no `}`".to_owned())?;
        if name.is_empty() || !name.chars().all(plain) {
            return Err(format!("`${{{}}}` names no environment variable", name.escape_default()));
        }
        names.push(name);
        rest = after;
    }
    Ok(names)
}

fn expand(text: &str) -> Result<String, String> {
    let mut expanded = text.to_owned();
    for name in variables(text)? {
        let value = std::env::var(name).map_err(|_| format!("environment variable `{name}` is not set"))?;
        expanded = expanded.replace(&format!("${{{name}}}"), value.trim());
    }
    Ok(expanded)
}

/// Sends, and tries again what may pass.
pub(crate) fn post(post: &Post<'_>) -> Result<(), String> {
    let (url, headers) = expanded(post.url, post.headers)?;
    let here = url.scheme() == "http";
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(post.timeout))
        .max_response_header_size(HEADERS)
        .user_agent(concat!("envoi/", env!("CARGO_PKG_VERSION")));
    // This machine is reached directly.
    let agent: Agent = if here { config.proxy(None).build().into() } else { config.build().into() };
    let mut pause = post.pause;
    let mut tried = 0;
    loop {
        let (what, passes) = match once(&agent, &url, &headers, post.body) {
            Ok(()) => return Ok(()),
            Err(trouble) => trouble,
        };
        if !passes || tried >= post.retries {
            let tries = if tried == 0 { String::new() } else { format!(", tried {} times", tried + 1) };
            return Err(format!("{}: {what}{tries}", shown(url.as_str())));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_secs(30));
        tried += 1;
    }
}

/// Sends once: what went wrong, and whether it may pass.
fn once(agent: &Agent, url: &Url, headers: &[(String, String)], body: &str) -> Result<(), (String, bool)> {
    let mut request = agent.post(url.as_str()).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    match request.send(body) {
        Ok(answer) => match answer.status().as_u16() {
            200..300 => Ok(()),
            status @ 300..400 => Err((format!("answered {status}: redirects are not followed"), false)),
            status => Err((format!("answered {status}"), status >= 500 || status == 429 || status == 408)),
        },
        Err(e) => Err(trouble(&e)),
    }
}

/// What the client says, without the address or a header, which some of its words repeat.
fn trouble(error: &ureq::Error) -> (String, bool) {
    match error {
        ureq::Error::Timeout(_) => ("no answer in time".to_owned(), true),
        ureq::Error::HostNotFound => ("no such host".to_owned(), true),
        ureq::Error::Io(e) => (e.kind().to_string(), true),
        ureq::Error::ConnectionFailed => ("no connection".to_owned(), true),
        ureq::Error::Tls(what) => (format!("TLS: {what}"), false),
        ureq::Error::Rustls(e) => (format!("TLS: {e}"), false),
        ureq::Error::Protocol(_) => ("no answer that is HTTP".to_owned(), true),
        _ => ("cannot be sent".to_owned(), false),
    }
}
