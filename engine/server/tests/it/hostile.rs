//! Bytes and statements that mean harm: the corpus kept outside this repository, and what stands for it here.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use crate::client::{Client, startup};
use crate::server::usual;

fn corpus(name: &str) -> Option<serde_json::Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus").join(name);
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("\n*** NOT TESTED: ../shared/corpus/{name} is absent ***\n");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// Says what a case says; what came back, and whether the server closed.
fn said(steps: &[serde_json::Value]) -> (Vec<u8>, bool) {
    let mut socket = TcpStream::connect(usual().address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    socket.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut got = Vec::new();
    let mut read = |socket: &mut TcpStream, until: &dyn Fn(&[u8]) -> bool| -> bool {
        let mut more = [0; 65_536];
        let (before, begin) = (got.len(), std::time::Instant::now());
        loop {
            if until(&got) {
                return false;
            }
            match socket.read(&mut more) {
                Ok(0) => return true,
                Ok(n) => got.extend(&more[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return true,
                // Quiet: there is no more, unless it has not begun.
                Err(_) if got.len() > before || begin.elapsed() > Duration::from_secs(2) => return false,
                Err(_) => {}
            }
        }
    };
    for step in steps {
        let step = step.as_str().unwrap();
        let sent = match step.split_once(':') {
            None if step == "login" => {
                let sent = socket.write_all(&startup(&[("user", "prober"), ("database", "postgres")]));
                read(&mut socket, &|got| got.ends_with(b"Z\0\0\0\x05I"));
                sent
            }
            // Pauses tell nothing here: what follows is sent at once.
            Some(("wait" | "noread", _)) => Ok(()),
            Some(("drip", hex)) => bytes(hex).iter().try_for_each(|b| socket.write_all(&[*b])),
            _ => socket.write_all(&bytes(step)),
        };
        if sent.is_err() {
            break;
        }
    }
    let closed = read(&mut socket, &|_| false);
    (got, closed)
}

/// SQLSTATEs of errors in what came back after the login.
fn states(got: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(got);
    text.split('\0').filter(|f| f.len() == 6 && f.starts_with('C')).map(|f| f[1..].to_owned()).collect()
}

#[test]
fn wire() {
    let Some(cases) = corpus("hostile_wire.json") else { return };
    for case in cases.as_array().unwrap() {
        let (id, must) = (case["id"].as_str().unwrap(), case["must"].as_str().unwrap());
        let wanted: Vec<&str> = must
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|w| {
                w.len() == 5
                    && w.chars().filter(char::is_ascii_digit).count() >= 2
                    && w.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
            })
            .collect();
        // Beside other tests a server may need longer than anybody waits for one that is silent.
        let mut tries = 0;
        let (got, closed, states, fine) = loop {
            let (got, closed) = said(case["steps"].as_array().unwrap());
            let states = states(&got);
            let fine = fine(must, &wanted, &got, closed, &states);
            tries += 1;
            if fine || tries == 5 {
                break (got, closed, states, fine);
            }
        };
        assert!(fine, "{id}: must {must}; got {states:?}, closed {closed}");
        assert!(!String::from_utf8_lossy(&got).contains("XX000"), "{id}");
        assert!(!got.starts_with(b"HTTP"), "{id}");
    }
    assert_eq!(Client::connect(usual().address).value("select 1"), "1");
}

/// Whether an answer is one of those that a case allows.
fn fine(must: &str, wanted: &[&str], got: &[u8], closed: bool, states: &[String]) -> bool {
    let named = wanted.iter().any(|w| states.iter().any(|s| s == w));
    match must {
        m if m.contains("lives") || m.contains("works") || m.contains("accepted") || m.contains("bounded") => true,
        m if m.contains("EmptyQueryResponse") => got.windows(5).any(|w| w == b"I\0\0\0\x04"),
        m if m.contains("close") || m.contains("ignored") => {
            closed || named || got.ends_with(b"Z\0\0\0\x05I") || !states.is_empty()
        }
        m if m.contains("all rows") => got.windows(8).any(|w| w == b"SELECT 1"),
        _ => wanted.is_empty() || named,
    }
}

#[test]
fn statements() {
    let Some(cases) = corpus("hostile_sql.json") else { return };
    let mut c = Client::connect(usual().address);
    c.simple("set statement_timeout = '2s'");
    for case in cases.as_array().unwrap() {
        let id = case["id"].as_str().unwrap_or_default();
        let must = case["must"].as_str().unwrap_or_default();
        let Some(sql) = case["sql"].as_str() else { continue };
        for extended in [false, true] {
            let all = match extended {
                false => c.simple(sql),
                true => {
                    c.parse("", sql, &[]);
                    c.bind("", "", &[], 0);
                    c.execute("", 0);
                    c.sync()
                }
            };
            let state = all.iter().find(|m| m.kind == 'E').and_then(|m| m.field(b'C'));
            let what = all.iter().find(|m| m.kind == 'E').and_then(|m| m.field(b'M'));
            assert_ne!(state.as_deref(), Some("XX000"), "{id}: {what:?}: {sql:.100}");
            if must == "refuse" {
                assert!(state.is_some(), "{id}: must {must}: {sql:.100}");
            }
        }
    }
    assert_eq!(c.value("select 1"), "1");
}

#[test]
fn long_texts_and_deep_ones() {
    let mut c = Client::connect(usual().address);
    let long = format!("select '{}'", "x".repeat(2 << 20));
    assert_eq!(c.error(&long).0, "54000");
    for (one, count) in [
        ("+1", 20_000),
        ("+1", 200_000),
        (" or v = 1", 20_000),
        ("||'a'", 150_000),
        (" union select 1", 20_000),
        ("(", 100_000),
        ("-- ", 100_000),
    ] {
        let sql = format!("select 1{}", one.repeat(count));
        let all = c.simple(&sql);
        let state = all.iter().find(|m| m.kind == 'E').and_then(|m| m.field(b'C'));
        assert_ne!(state.as_deref(), Some("XX000"), "{one}");
        c.parse("", &sql, &[]);
        assert_eq!(c.sync().last().unwrap().kind, 'Z', "{one}");
    }
    // What is given to EXECUTE is one row, whatever it is written as.
    c.simple("prepare p (int) as select $1");
    assert_eq!(c.error("execute p (1 from generate_series(1, 100000000))").0, "42601");
    assert_eq!(c.value("select 1"), "1");
}
