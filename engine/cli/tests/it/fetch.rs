//! `envoi source fetch`, against a server on this machine that stands for the publishers.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::run::command;
use crate::server::{Reply, Server};

const CSV: &str = "API_BX.TRF.PWKR.CD.DT_DS2_en_csv_v2_101.csv";

/// The publisher's file of remittances, as small as it gets.
fn indicator() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/fixtures/worldbank").join(CSV)).unwrap()
}

/// A zip archive of one stored file.
fn zipped(name: &str, bytes: &[u8]) -> Vec<u8> {
    let crc = !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
    });
    let length = bytes.len() as u32;
    // Version, flags, method, time, the first of January 2026, checksum, lengths.
    let mut common = [20u16, 0, 0, 0, (46 << 9) | (1 << 5) | 1].map(u16::to_le_bytes).concat();
    common.extend([crc, length, length].map(u32::to_le_bytes).concat());
    common.extend([name.len() as u16, 0].map(u16::to_le_bytes).concat());
    let mut zip = [b"PK\x03\x04", &common[..], name.as_bytes(), bytes].concat();
    let directory = zip.len() as u32;
    zip.extend([b"PK\x01\x02", &20u16.to_le_bytes()[..], &common, &[0; 14], name.as_bytes()].concat());
    let size = zip.len() as u32 - directory;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend([size, directory].map(u32::to_le_bytes).concat());
    zip.extend([0, 0]);
    zip
}

fn publisher() -> Server {
    let body = zipped(CSV, &indicator());
    Server::new(move |asked, _| match asked.at.as_str() {
        "api.worldbank.org/v2/en/indicator/BX.TRF.PWKR.CD.DT?downloadformat=csv" => {
            Reply::file(asked, "\"1\"", &body).with("last-modified", "Tue, 01 Jul 2025 10:00:00 GMT")
        }
        _ => Reply::status(403),
    })
}

fn source(folder: &Path, server: &Server, arguments: &[&str]) -> Command {
    let mut command = command(folder, &[&["source"], arguments].concat());
    command.env("ENVOI__FETCH__BASE", &server.base).env("ENVOI__FETCH__PAUSE", "0").stdin(Stdio::null());
    command
}

/// Exit code, stdout and stderr.
fn run(folder: &Path, server: &Server, arguments: &[&str]) -> (i32, String, String) {
    let output = source(folder, server, arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const REMITTANCES: &[&str] = &["fetch", "worldbank.wdi", "--indicator", "BX.TRF.PWKR.CD.DT"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    [REMITTANCES, more].concat()
}

#[test]
fn from_the_publisher_into_the_lake() {
    let (folder, server) = (tempfile::tempdir().unwrap(), publisher());
    let (code, out, err) = run(folder.path(), &server, REMITTANCES);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(
        out.contains("BX.TRF.PWKR.CD.DT.csv.zip: ") && out.contains("downloaded from https://api.worldbank.org/"),
        "{out}"
    );
    assert!(out.contains(&format!("BX.TRF.PWKR.CD.DT.csv.zip/{CSV}: worldbank.wdi, ")), "{out}");
    assert!(out.ends_with("is at version 1\n"), "{out}");
    let (_, out, _) = run(folder.path(), &server, &["status"]);
    assert!(out.contains("worldbank.wdi") && out.contains(" current "), "{out}");
    // Nothing changed, so nothing comes.
    let (code, out, err) = run(folder.path(), &server, REMITTANCES);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("current: unchanged at the publisher since Tue, 01 Jul 2025 10:00:00 GMT"), "{out}");
    assert!(out.contains("nothing new: lake ") && out.ends_with("stays at version 1\n"), "{out}");
    assert_eq!(server.asked().len(), 2);
    // Another lake takes it from the folder.
    let (code, out, _) = run(folder.path(), &server, &with(&["--offline", "--lake", "other"]));
    assert!(code == 0 && out.contains("the publisher was not asked") && out.ends_with("is at version 1\n"), "{out}");
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn downloads_without_an_import() {
    let (folder, server) = (tempfile::tempdir().unwrap(), publisher());
    let (code, out, _) = run(folder.path(), &server, &with(&["--dry-run"]));
    let address = "https://api.worldbank.org/v2/en/indicator/BX.TRF.PWKR.CD.DT?downloadformat=csv\n";
    assert_eq!((code, out.as_str(), server.asked().len()), (0, address, 0));
    let (code, out, err) = run(folder.path(), &server, &with(&["--no-import"]));
    let path = folder.path().join("home/data/envoi/downloads/worldbank.wdi/BX.TRF.PWKR.CD.DT.csv.zip");
    assert!(code == 0 && out.starts_with(&format!("{}: ", path.display())) && path.is_file(), "{out}{err}");
    assert!(!folder.path().join("home/data/envoi/lake").exists());
    let mut elsewhere = source(folder.path(), &server, &with(&["--no-import"]));
    assert!(elsewhere.env("ENVOI__FETCH__FOLDER", folder.path().join("x")).output().unwrap().status.success());
    assert!(folder.path().join("x/worldbank.wdi/BX.TRF.PWKR.CD.DT.csv.zip").is_file());
}

#[test]
fn what_cannot_be_asked_for() {
    let (folder, server) = (tempfile::tempdir().unwrap(), publisher());
    for (arguments, words) in [
        (&["fetch"][..], "required"),
        (&["fetch", "worldbank.wdy"], "unknown source `worldbank.wdy`; known are `worldbank.wdi`"),
        (
            &["fetch", "sbp.remittances"],
            "has no public address that this program knows; download it by hand from https://",
        ),
        (&["fetch", "sbp.remittances"], "`source fetch` knows `ecb.fx`"),
        (&["fetch", "worldbank.wdi", "--form", "pdf"], "there are `csv`, `excel`, `json`, `bulk`, `bulk_dated`"),
        (&["fetch", "worldbank.wdi", "--set", "indicator"], "write --set NAME=VALUE"),
        (&["fetch", "worldbank.wdi", "--indicator", "../x"], "cannot be `../x`"),
        (&["fetch", "worldbank.wdi", "ecb.fx", "--form", "csv"], "--form is of one dataset"),
        (&["fetch", "ecb.fx", "--offline", "--again"], "cannot be used with"),
    ] {
        let (code, out, err) = run(folder.path(), &server, arguments);
        assert!(code == 2 && out.is_empty() && err.contains(words), "{arguments:?}: {code}: {out}{err}");
    }
    assert!(server.asked().is_empty());
    for base in ["http://example.org", "https://127.0.0.1:1", "http://10.0.0.1:80", "http://localhost:1"] {
        let mut command = source(folder.path(), &server, REMITTANCES);
        let output = command.env("ENVOI__FETCH__BASE", base).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(2) && err.contains("expected an address of this machine"),
            "{base}: {err}"
        );
    }
}

#[test]
fn one_publisher_that_refuses_does_not_keep_the_others_out() {
    let (folder, server) = (tempfile::tempdir().unwrap(), publisher());
    let (code, out, err) = run(folder.path(), &server, &["fetch", "ecb.fx", "worldbank.wdi", "--no-import"]);
    assert!(code == 1 && out.is_empty(), "{out}");
    let refused: Vec<&str> = err.lines().filter(|l| l.starts_with("error: cannot fetch https://")).collect();
    assert_eq!(refused.len(), 2, "{err}");
    assert!(refused[0].contains("answered 403 Forbidden") && refused[0].contains("envoi source import FILE"), "{err}");
    // Of the indicators one came, and is not fetched again.
    assert!(
        server.addresses()[1].contains("BX.TRF.PWKR.CD.DT") && server.asked().len() == 3,
        "{:?}",
        server.addresses()
    );
    let (code, out, _) = run(folder.path(), &server, REMITTANCES);
    assert!(code == 0 && out.contains("current: unchanged"), "{out}");
}

#[test]
fn failures_that_pass_are_told_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let body = zipped(CSV, &indicator());
    let server = Server::new(move |_, number| if number == 0 { Reply::status(503) } else { Reply::ok(&body) });
    let (code, _, err) = run(folder.path(), &server, REMITTANCES);
    assert_eq!((code, err.as_str()), (0, "the publisher answered 503 Service Unavailable; trying again in 0 s\n"));
    let server = Server::new(|_, _| Reply::status(503));
    let mut command = source(folder.path(), &server, &with(&["--again", "-q"]));
    let output = command.env("ENVOI__FETCH__RETRIES", "1").output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && err.contains("503 Service Unavailable; tried twice; download"), "{err}");
    assert_eq!((server.asked().len(), err.lines().count()), (2, 1), "{err}");
}

#[test]
fn what_is_not_what_was_expected_stays_out_of_the_lake() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(|_, _| Reply::ok(zipped("t.csv", b"country,v\nKenya,1\n")));
    let (code, _, err) = run(folder.path(), &server, REMITTANCES);
    assert!(code == 1 && err.contains("of no known publisher are `BX.TRF.PWKR.CD.DT.csv.zip/t.csv`"), "{err}");
    let server = Server::new(|_, _| Reply::ok("<html><title>Sorry</title></html>"));
    let (code, _, err) = run(folder.path(), &server, &with(&["--again"]));
    assert!(code == 1 && err.contains("answered with an HTML page (`Sorry`)"), "{err}");
    let (code, out, _) = run(folder.path(), &server, &["status"]);
    assert!(code == 0 && !out.contains("Kenya") && !out.contains("local.table"), "{out}");
}

#[cfg(unix)]
#[test]
fn ended_by_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let body = zipped(CSV, &indicator());
    let server = Server::new(move |asked, number| {
        let reply = Reply::file(asked, "\"1\"", &body);
        if number == 0 { reply.stall(1500) } else { reply }
    });
    let mut child =
        source(folder.path(), &server, REMITTANCES).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let downloads = folder.path().join("home/data/envoi/downloads/worldbank.wdi");
    let part = downloads.join("BX.TRF.PWKR.CD.DT.csv.zip.part");
    let begin = Instant::now();
    while std::fs::metadata(&part).map_or(0, |m| m.len()) < 1500 {
        assert!(
            begin.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none(),
            "it never came so far"
        );
        std::thread::yield_now();
    }
    // As Ctrl-C, which a shell's background jobs ignore, these tests perhaps among them.
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert!(!child.wait().unwrap().success());
    let mut names: Vec<_> =
        std::fs::read_dir(&downloads).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["BX.TRF.PWKR.CD.DT.csv.zip.part", "BX.TRF.PWKR.CD.DT.csv.zip.part.fetch", "lock"]);
    let (code, out, err) = run(folder.path(), &server, REMITTANCES);
    assert_eq!((code, err.as_str()), (0, "going on from byte 1500\n"), "{out}");
    assert_eq!(server.asked()[1].header("range"), Some("bytes=1500-"));
    assert!(out.ends_with("is at version 1\n"), "{out}");
}

#[test]
fn the_proxy_of_the_user_is_asked_and_its_password_kept() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://me:geheim@{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines: Vec<String> =
            BufReader::new(&stream).lines().map_while(Result::ok).take_while(|l| !l.is_empty()).collect();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
        lines
    });
    let mut command = command(folder.path(), &["source", "fetch", "ecb.fx"]);
    for name in ["ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
        command.env_remove(name);
    }
    let output = command.env("HTTPS_PROXY", proxy).stdin(Stdio::null()).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && err.contains("the proxy refused: "), "{err}");
    assert!(!err.contains("geheim"), "{err}");
    let asked = asked.join().unwrap();
    assert_eq!(asked[0], "CONNECT www.ecb.europa.eu:443 HTTP/1.1");
    assert!(asked.iter().any(|l| l.to_lowercase().starts_with("user-agent: envoi/")), "{asked:?}");
}

#[test]
fn what_can_be_fetched_is_shown() {
    let (folder, server) = (tempfile::tempdir().unwrap(), publisher());
    let (code, out, _) = run(folder.path(), &server, &["list"]);
    let fetch = |id: &str| out.lines().any(|l| l.starts_with(id) && l.contains(" yes "));
    assert!(code == 0 && fetch("worldbank.wdi ") && !fetch("sbp.remittances "), "{out}");
    let (code, out, _) = run(folder.path(), &server, &["show", "worldbank.wdi"]);
    for words in [
        "fetch     envoi source fetch worldbank.wdi, from api.worldbank.org, ",
        "form      csv (usual): https://api.worldbank.org/",
        "set       indicator: codes of indicators",
    ] {
        assert!(code == 0 && out.contains(words), "`{words}` is not in: {out}");
    }
}
