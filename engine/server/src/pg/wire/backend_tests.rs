//! What the server says, to the byte.

use bytes::{BufMut, BytesMut};

use super::backend::*;
use crate::pg::error::PgError;

fn sent(send: impl FnOnce(&mut BytesMut)) -> Vec<u8> {
    let mut to = BytesMut::from(&b"before"[..]);
    send(&mut to);
    to.strip_prefix(b"before").unwrap().to_vec()
}

#[test]
fn messages_to_the_byte() {
    let column = Column { name: "n".into(), table: 1, column: 2, oid: 23, size: 4, modifier: -1, format: 1 };
    for (found, expected) in [
        (sent(authentication_ok), &b"R\0\0\0\x08\0\0\0\0"[..]),
        (sent(|to| authentication_sasl(to, &["A", "B"])), b"R\0\0\0\x0d\0\0\0\x0aA\0B\0\0"),
        (sent(|to| authentication_sasl_continue(to, b"hi")), b"R\0\0\0\x0a\0\0\0\x0bhi"),
        (sent(|to| authentication_sasl_final(to, b"hi")), b"R\0\0\0\x0a\0\0\0\x0chi"),
        (sent(|to| parameter_status(to, "a", "b")), b"S\0\0\0\x08a\0b\0"),
        (sent(|to| backend_key(to, 1, &[9; 4])), b"K\0\0\0\x0c\0\0\0\x01\t\t\t\t"),
        (sent(|to| ready(to, b'I')), b"Z\0\0\0\x05I"),
        (
            sent(|to| row_description(to, &[column]).unwrap()),
            b"T\0\0\0\x1a\0\x01n\0\0\0\0\x01\0\x02\0\0\0\x17\0\x04\xff\xff\xff\xff\0\x01",
        ),
        (sent(|to| row_description(to, &[]).unwrap()), b"T\0\0\0\x06\0\0"),
        (sent(|to| parameter_description(to, &[20, 25]).unwrap()), b"t\0\0\0\x0e\0\x02\0\0\0\x14\0\0\0\x19"),
        (sent(no_data), b"n\0\0\0\x04"),
        (sent(parse_complete), b"1\0\0\0\x04"),
        (sent(bind_complete), b"2\0\0\0\x04"),
        (sent(close_complete), b"3\0\0\0\x04"),
        (sent(portal_suspended), b"s\0\0\0\x04"),
        (sent(empty_query), b"I\0\0\0\x04"),
        (sent(|to| command_complete(to, "SELECT 3")), b"C\0\0\0\x0dSELECT 3\0"),
        (sent(|to| copy_out(to, 0, &[0, 1]).unwrap()), b"H\0\0\0\x0b\0\0\x02\0\0\0\x01"),
        (sent(copy_done), b"c\0\0\0\x04"),
        (sent(|to| negotiate_version(to, 9, &["_pq_.x"])), b"v\0\0\0\x13\0\x03\0\x02\0\0\0\x01_pq_.x\0"),
    ] {
        assert_eq!(found.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }
}

#[test]
fn errors_and_notices_with_their_fields() {
    let found = PgError { detail: Some("d".into()), position: Some(8), ..PgError::new("42601", "no\0 way") };
    let bytes = sent(|to| error(to, &found.with_hint("h")));
    assert_eq!(&bytes[5..], b"SERROR\0VERROR\0C42601\0Mno way\0Dd\0Hh\0P8\0\0");
    let bytes = sent(|to| error(to, &PgError::fatal("08P01", "x")));
    assert_eq!(&bytes[5..], b"SFATAL\0VFATAL\0C08P01\0Mx\0\0");
    let bytes = sent(|to| notice(to, "WARNING", "01000", "w", Some("h")));
    assert_eq!(&bytes[..], &[b"N\0\0\0\x24", &b"SWARNING\0VWARNING\0C01000\0Mw\0Hh\0\0"[..]].concat());
    let bytes = sent(|to| notice(to, "NOTICE", "00000", "n", None));
    assert_eq!(&bytes[5..], b"SNOTICE\0VNOTICE\0C00000\0Mn\0\0");
}

#[test]
fn what_cannot_be_said_leaves_nothing_behind() {
    let column = Column { name: String::new(), table: 0, column: 0, oid: 25, size: -1, modifier: -1, format: 0 };
    let mut to = BytesMut::from(&b"before"[..]);
    assert_eq!(row_description(&mut to, &vec![column; 32_768]).unwrap_err().sqlstate, "54000");
    assert!(parameter_description(&mut to, &[0; 65_536]).is_err() && copy_out(&mut to, 0, &[0; 32_768]).is_err());
    assert!(
        message(&mut to, b'D', |to| {
            to.put_u8(1);
            Err(PgError::new("XX000", "no"))
        })
        .is_err()
    );
    assert_eq!(&to[..], b"before");
}

#[test]
fn long_texts_are_cut_between_characters() {
    let long = format!("a{}", "é".repeat(1 << 20));
    let bytes = sent(|to| command_complete(to, &long));
    assert_eq!(bytes.len(), 5 + (1 << 20));
    assert!(std::str::from_utf8(&bytes[5..]).is_ok());
}
