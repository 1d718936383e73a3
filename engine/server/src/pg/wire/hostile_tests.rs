//! What a hostile peer sends, and what must become of it; the same bytes are sent to a running
//! server elsewhere.

use bytes::BytesMut;

use super::frontend::{self, Frontend};
use super::startup::{self, First};
use crate::pg::error::PgError;

const STARTUP: &[u8] = b"\0\0\0&\0\x03\0\0user\0probe\0database\0postgres\0\0";
const LIMIT: usize = 1 << 20;

fn opened(bytes: &[u8]) -> Result<Option<First>, PgError> {
    startup::first(&mut BytesMut::from(bytes))
}

/// All messages in `bytes`, up to a fatal error or missing bytes.
fn said(bytes: &[u8]) -> Vec<Result<Frontend, PgError>> {
    let (mut buf, mut said) = (BytesMut::from(bytes), Vec::new());
    loop {
        match frontend::message(&mut buf, LIMIT) {
            Ok(None) => return said,
            Ok(Some(message)) => said.push(Ok(message)),
            Err(error) => {
                let fatal = error.fatal;
                said.push(Err(error));
                if fatal {
                    return said;
                }
            }
        }
    }
}

/// The error of the first message, and what comes behind it.
fn refused(bytes: &[u8]) -> (PgError, Vec<Result<Frontend, PgError>>) {
    let mut said = said(bytes);
    let first = said.remove(0);
    (first.expect_err("refused"), said)
}

#[test]
fn lengths_of_a_first_packet() {
    for length in [0, 3, 5, 8, -1, i32::MAX, 10_001] {
        let error = opened(&[&length.to_be_bytes()[..], b"\0\x03\0\0"].concat()).unwrap_err();
        assert!(error.fatal && error.sqlstate == "08P01", "{length}: {error:?}");
    }
}

#[test]
fn first_packets() {
    assert_eq!(opened(b"").unwrap(), None);
    for cut in 0..STARTUP.len() {
        assert_eq!(opened(&STARTUP[..cut]).unwrap(), None, "byte by byte");
    }
    let Some(First::Startup(session)) = opened(STARTUP).unwrap() else { panic!() };
    assert_eq!((session.get("user"), session.get("database")), (Some("probe"), Some("postgres")));
    assert_eq!(opened(b"\0\0\0\x0d\0\x03\0\0user\0").unwrap_err().sqlstate, "08P01");
    let two = [b"\0\0\0&\0\x02\0\0", &STARTUP[8..]].concat();
    assert_eq!(opened(&two).unwrap_err().sqlstate, "0A000");
    assert!(matches!(
        opened(b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x01").unwrap(),
        Some(First::Cancel { pid: 1, secret }) if secret[..] == [0, 0, 0, 1]
    ));
    assert!(opened(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap_err().fatal);
}

#[test]
fn encryption_is_asked_for() {
    let ssl = b"\0\0\0\x08\x04\xd2\x16\x2f";
    let mut buf = BytesMut::from(&[&b"\0\0\0\x08\x04\xd2\x16\x30"[..], ssl, ssl, STARTUP].concat()[..]);
    assert_eq!(startup::first(&mut buf).unwrap(), Some(First::Gss));
    assert_eq!(startup::first(&mut buf).unwrap(), Some(First::Ssl));
    assert_eq!(startup::first(&mut buf).unwrap(), Some(First::Ssl));
    assert_eq!(&buf[..], STARTUP, "what is stuffed behind a request is there to be seen");
}

#[test]
fn lengths_of_a_message() {
    for head in [&b"Q\xff\xff\xff\xffx"[..], b"Q\0\0\0\x03x", b"Q\x7f\xff\xff\xffx"] {
        let (error, _) = refused(head);
        assert!(error.fatal && error.sqlstate == "08P01", "{error:?}");
    }
}

#[test]
fn queries() {
    let (error, _) = refused(b"Q\0\0\0\x0cselect 1");
    assert_eq!((error.sqlstate, error.fatal), ("08P01", false));
    let (error, _) = refused(b"Q\0\0\0\x10select '\xff\xfe'\0");
    assert_eq!((error.sqlstate, error.fatal), ("22021", false));
    assert!(said(b"Q\0\0\0\x05\0") == [Ok(Frontend::Query(String::new()))]);
}

#[test]
fn types_with_empty_bodies() {
    let sync = b"S\0\0\0\x04";
    for kind in *b"aegikmoqsuwyAGIKMOUWY0\xff" {
        let (error, behind) = refused(&[&[kind][..], b"\0\0\0\x04", sync].concat());
        assert!(error.fatal && error.sqlstate == "08P01" && behind.is_empty(), "{kind}");
        assert_eq!(error.message, format!("invalid frontend message type {kind}"));
    }
    for kind in *b"CEQ" {
        let (error, behind) = refused(&[&[kind][..], b"\0\0\0\x04", sync].concat());
        assert_eq!((error.sqlstate, error.fatal), ("08P01", false));
        assert!(behind == [Ok(Frontend::Sync)], "the stream stays in step");
    }
    assert!(said(&[&b"c\0\0\0\x04"[..], sync].concat()) == [Ok(Frontend::CopyDone), Ok(Frontend::Sync)]);
    assert!(said(&[sync, &sync[..]].concat()) == [Ok(Frontend::Sync), Ok(Frontend::Sync)]);
}

#[test]
fn extended_queries() {
    let sync = &b"S\0\0\0\x04"[..];
    for wrong in
        [&b"P\0\0\0\x11\0select $1\0\x7f\xff"[..], b"B\0\0\0\x0f\0\0\0\0\0\x01\x7f\xff\xff\xff1", b"D\0\0\0\x07Zx\0"]
    {
        let (error, behind) = refused(&[wrong, sync].concat());
        assert_eq!((error.sqlstate, error.fatal), ("08P01", false));
        assert!(frontend::skips_to_sync(wrong[0]) && behind == [Ok(Frontend::Sync)]);
    }
    let unknown = said(b"B\0\0\0\x10\0nope\0\0\0\0\0\0\0");
    assert!(
        matches!(&unknown[..], [Ok(Frontend::Bind { statement, values, .. })] if statement == "nope" && values.is_empty())
    );
    let binary = said(b"B\0\0\0\x15\0\0\0\x01\0\x01\0\x01\0\0\0\x03abc\0\0");
    assert!(
        matches!(&binary[..], [Ok(Frontend::Bind { formats, values, .. })] if *formats == [1] && values.len() == 1)
    );
    let negative = said(b"E\0\0\0\x09\0\xff\xff\xff\xff");
    assert!(matches!(&negative[..], [Ok(Frontend::Execute { most: -1, .. })]));
}

#[test]
fn pipelines_and_late_passwords() {
    let one = b"P\0\0\0\x10\0select 1\0\0\0";
    let all = [&b"P\0\0\0\x0d\0selec\0\0\0"[..], &one.repeat(50), b"S\0\0\0\x04"].concat();
    let said_all = said(&all);
    assert_eq!(said_all.len(), 52);
    assert!(said_all.iter().all(Result::is_ok));
    let late = said(b"p\0\0\0\x06x\0Q\0\0\0\x0dselect 1\0");
    assert!(matches!(&late[..], [Ok(Frontend::Password(_)), Ok(Frontend::Query(_))]));
}
