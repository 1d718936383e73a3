//! What a client says, right and wrong, to the byte.

use bytes::{Bytes, BytesMut};

use super::frontend::*;
use crate::pg::error::Result;

fn typed(kind: u8, body: &[u8]) -> BytesMut {
    let length = u32::try_from(body.len() + 4).unwrap();
    BytesMut::from(&[&[kind], &length.to_be_bytes()[..], body].concat()[..])
}

fn one(kind: u8, body: &[u8]) -> Result<Frontend> {
    let mut buf = typed(kind, body);
    let found = message(&mut buf, 1 << 20).map(Option::unwrap);
    assert!(buf.is_empty(), "the message is taken, right or wrong");
    found
}

#[test]
fn every_message() {
    let bind = b"p\0s\0\0\x02\0\0\0\x01\0\x02\0\0\0\x02hi\xff\xff\xff\xff\0\x01\0\x01";
    for (kind, body, expected) in [
        (b'Q', &b"select 1\0"[..], Frontend::Query("select 1".into())),
        (b'Q', b"\0", Frontend::Query(String::new())),
        (
            b'P',
            b"s\0select $1\0\0\x01\0\0\0\x17",
            Frontend::Parse { statement: "s".into(), query: "select $1".into(), types: vec![23] },
        ),
        (
            b'B',
            bind,
            Frontend::Bind {
                portal: "p".into(),
                statement: "s".into(),
                formats: vec![0, 1],
                values: vec![Some(Bytes::from_static(b"hi")), None],
                results: vec![1],
            },
        ),
        (b'D', b"Ss\0", Frontend::Describe { kind: Target::Statement, name: "s".into() }),
        (b'C', b"P\0", Frontend::Close { kind: Target::Portal, name: String::new() }),
        (b'E', b"\0\xff\xff\xff\xff", Frontend::Execute { portal: String::new(), most: -1 }),
        (b'S', b"", Frontend::Sync),
        (b'H', b"", Frontend::Flush),
        (b'X', b"", Frontend::Terminate),
        (b'X', b"bye", Frontend::Terminate),
        (b'p', b"\xff\0", Frontend::Password(Bytes::from_static(b"\xff\0"))),
        (b'd', b"1\t2\n", Frontend::CopyData(Bytes::from_static(b"1\t2\n"))),
        (b'c', b"", Frontend::CopyDone),
        (b'f', b"no\0", Frontend::CopyFail("no".into())),
        (b'F', b"anything", Frontend::FunctionCall),
    ] {
        assert!(one(kind, body).unwrap() == expected, "{expected:?}");
    }
}

#[test]
fn bodies_that_are_not_what_their_type_says() {
    for (kind, body, sqlstate, part) in [
        (b'Q', &b"select 1"[..], "08P01", "does not end in a NUL"),
        (b'Q', b"", "08P01", "does not end in a NUL"),
        (b'Q', b"a\0b\0", "08P01", "2 bytes too many"),
        (b'Q', b"'\xff\xfe'\0", "22021", r#"invalid byte sequence for encoding "UTF8": 0xff"#),
        (b'P', b"\0\xc3(\0\0\0", "22021", "0xc3 0x28"),
        (b'P', b"\0x\0\x7f\xff", "08P01", "32767 entries named, 0 bytes left"),
        (b'P', b"\0x\0\0", "08P01", "2 bytes expected, 1 left"),
        (b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff1", "08P01", "2147483647 bytes named, 1 left"),
        (b'B', b"\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0", "08P01", "the length -2"),
        (b'B', b"\0\0\0\0\xff\xff", "08P01", "65535 entries named"),
        (b'B', b"\0\0\0\x01\0\x02\0\0\0\0", "08P01", "format code 2"),
        (b'B', b"\0\0\0\0\0\0\0\x01\xff\xff", "08P01", "format code -1"),
        (b'B', b"\0\0\0\x02\0\0\0\0\0\0\0\0", "08P01", "2 parameter formats but 0 parameters"),
        (b'D', b"Zx\0", "08P01", "subtype 90"),
        (b'C', b"", "08P01", "1 bytes expected"),
        (b'E', b"\0\0\0\0", "08P01", "4 bytes expected, 3 left"),
        (b'S', b"\0", "08P01", "1 bytes too many"),
    ] {
        let error = one(kind, body).unwrap_err();
        assert!(error.message.contains(part), "{error:?}");
        assert_eq!((error.sqlstate, error.fatal), (sqlstate, false));
    }
}

#[test]
fn a_message_is_taken_when_it_is_whole() {
    let whole = [typed(b'Q', b"select 1\0"), typed(b'S', b"")].concat();
    for cut in 0..whole.len() {
        let mut buf = BytesMut::from(&whole[..cut]);
        assert_eq!(message(&mut buf, 100).unwrap().is_some(), cut >= 14, "{cut}");
    }
    let mut buf = BytesMut::from(&whole[..]);
    assert!(message(&mut buf, 100).unwrap() == Some(Frontend::Query("select 1".into())));
    assert!(message(&mut buf, 100).unwrap() == Some(Frontend::Sync) && buf.is_empty());
}

#[test]
fn lengths_are_bounded_before_their_bytes_come() {
    for (head, fatal) in [
        (&b"Q\0\0\0\x03"[..], true),
        (b"Q\xff\xff\xff\xff", true),
        (b"Q\x7f\xff\xff\xff", true),
        (b"Q\0\x01\0\x01", true),
        (b"Q\0\x01\0\0", false),
        (b"D\0\0\x27\x11", true),
        (b"D\0\0\x27\x10", false),
        (b"a", true),
    ] {
        let found = message(&mut BytesMut::from(head), 1 << 16);
        assert_eq!(found.as_ref().is_err_and(|error| error.fatal && error.sqlstate == "08P01"), fatal, "{head:?}");
        assert!(fatal || found.unwrap().is_none());
    }
    let error = message(&mut BytesMut::from(&b"a"[..]), 100).unwrap_err();
    assert_eq!(error.message, "invalid frontend message type 97");
}
