//! The first packets of a connection, which have no type byte.

use bytes::{Bytes, BytesMut};

use super::read::Body;
use crate::pg::error::{FEATURE_NOT_SUPPORTED, PROTOCOL_VIOLATION, PgError, Result};

/// The newest minor version of protocol 3 that is spoken.
pub(super) const NEWEST_MINOR: u16 = 2;

/// Bytes of a first packet, its length included: a length and a code, as PostgreSQL bounds them.
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=10_000;
/// Bytes of the secret of a CancelRequest: 4 in protocol 3.0, up to 256 in 3.2.
const SECRETS: std::ops::RangeInclusive<usize> = 4..=256;

const CANCEL: u32 = 80_877_102;
const SSL: u32 = 80_877_103;
const GSS: u32 = 80_877_104;

/// A first packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum First {
    /// Asks for TLS. Bytes behind it came in plain text: close if the buffer is not empty
    /// (CVE-2021-23214).
    Ssl,
    /// Asks for GSSAPI encryption; the same holds for bytes behind it.
    Gss,
    /// Asks to cancel what another connection does.
    Cancel { pid: i32, secret: Bytes },
    /// Opens a session.
    Startup(Startup),
}

/// What a client says of the session it wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Startup {
    /// Minor version of protocol 3 that was asked for; may be newer than [`NEWEST_MINOR`].
    pub(crate) minor: u16,
    /// Names and values in the order they came; names are not empty, values may be.
    pub(crate) parameters: Vec<(String, String)>,
}

impl Startup {
    /// A parameter; the last one, where a client names it twice.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The options of the protocol (`_pq_.`) that were asked for: none is known to this server.
    pub(crate) fn unknown_options(&self) -> Vec<&str> {
        self.parameters.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with("_pq_.")).collect()
    }
}

/// Takes a first packet off the front of `buf`; `None` while bytes of it are missing.
///
/// # Errors
/// All are fatal: 08P01 for what is no such packet, 0A000 for another protocol, 22021 for
/// text that is not UTF-8.
pub(crate) fn first(buf: &mut BytesMut) -> Result<Option<First>> {
    let Some(&length) = buf.first_chunk() else { return Ok(None) };
    let length = i32::from_be_bytes(length);
    let Some(whole) = usize::try_from(length).ok().filter(|length| LENGTHS.contains(length)) else {
        return Err(PgError::fatal(PROTOCOL_VIOLATION, format!("invalid length of startup packet: {length}")));
    };
    if buf.len() < whole {
        return Ok(None);
    }
    packet(buf.split_to(whole).freeze()).map(Some).map_err(|error| PgError { fatal: true, ..error })
}

fn packet(packet: Bytes) -> Result<First> {
    let mut body = Body::new("startup packet", packet);
    body.i32()?;
    match body.u32()? {
        SSL => body.end().map(|()| First::Ssl),
        GSS => body.end().map(|()| First::Gss),
        CANCEL => {
            let pid = body.i32()?;
            let secret = body.rest();
            if !SECRETS.contains(&secret.len()) {
                let message = format!("invalid cancel request: a secret of {} bytes, expected 4 to 256", secret.len());
                return Err(PgError::new(PROTOCOL_VIOLATION, message));
            }
            Ok(First::Cancel { pid, secret })
        }
        version if version >> 16 == 3 => {
            let [_, _, high, low] = version.to_be_bytes();
            parameters(body)
                .map(|parameters| First::Startup(Startup { minor: u16::from_be_bytes([high, low]), parameters }))
        }
        version => Err(PgError::new(
            FEATURE_NOT_SUPPORTED,
            format!(
                "unsupported frontend protocol {}.{}: server supports 3.0 to 3.{NEWEST_MINOR}",
                version >> 16,
                version & 0xffff
            ),
        )),
    }
}

/// Names and values up to an empty name, which must be the end.
fn parameters(mut body: Body) -> Result<Vec<(String, String)>> {
    let mut parameters = Vec::new();
    loop {
        if body.is_empty() {
            return Err(body.wrong(format_args!("its parameters do not end in a NUL")));
        }
        let name = body.text()?;
        if name.is_empty() {
            return body.end().map(|()| parameters);
        }
        if body.is_empty() {
            return Err(body.wrong(format_args!("a parameter has no value")));
        }
        parameters.push((name, body.text()?));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(code: u32, body: &[u8]) -> BytesMut {
        let mut bytes = BytesMut::new();
        bytes.extend_from_slice(&u32::try_from(body.len() + 8).unwrap().to_be_bytes());
        bytes.extend_from_slice(&code.to_be_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn a_session_with_its_parameters() {
        let mut buf = packet(0x0003_0002, b"user\0anna\0database\0lake\0options\0\0user\0bob\0\0");
        buf.extend_from_slice(b"more");
        let Some(First::Startup(startup)) = first(&mut buf).unwrap() else { panic!() };
        assert_eq!(&buf[..], b"more");
        assert!(startup.minor == 2 && startup.unknown_options().is_empty());
        assert_eq!(startup.parameters.len(), 4);
        assert_eq!(startup.get("user"), Some("bob"));
        assert_eq!((startup.get("options"), startup.get("role")), (Some(""), None));
    }

    #[test]
    fn a_newer_client_is_not_refused() {
        let Some(First::Startup(startup)) = first(&mut packet(0x0003_270f, b"user\0a\0\0")).unwrap() else { panic!() };
        assert_eq!(startup.minor, 9999);
        let Some(First::Startup(startup)) = first(&mut packet(0x0003_0000, b"_pq_.x\0on\0user\0a\0\0")).unwrap() else {
            panic!()
        };
        assert_eq!(startup.unknown_options(), ["_pq_.x"]);
    }

    #[test]
    fn requests_without_a_session() {
        assert_eq!(first(&mut packet(SSL, b"")).unwrap(), Some(First::Ssl));
        assert_eq!(first(&mut packet(GSS, b"")).unwrap(), Some(First::Gss));
        for (secret, whole) in [(&[7; 4][..], true), (&[7; 256], true), (&[7; 3], false), (&[7; 257], false)] {
            let body = [&(-2i32).to_be_bytes(), secret].concat();
            let found = first(&mut packet(CANCEL, &body));
            let cancel = First::Cancel { pid: -2, secret: Bytes::copy_from_slice(secret) };
            if whole { assert_eq!(found.unwrap(), Some(cancel)) } else { assert!(found.unwrap_err().fatal) }
        }
        assert!(first(&mut packet(CANCEL, b"123")).is_err() && first(&mut packet(SSL, b"x")).is_err());
    }

    #[test]
    fn what_is_no_startup_packet() {
        for (code, body, sqlstate, part) in [
            (0x0003_0000, &b""[..], "08P01", "do not end in a NUL"),
            (0x0003_0000, b"user\0", "08P01", "a parameter has no value"),
            (0x0003_0000, b"user\0anna\0", "08P01", "do not end in a NUL"),
            (0x0003_0000, b"user\0anna", "08P01", "does not end in a NUL"),
            (0x0003_0000, b"user\0anna\0\0\0", "08P01", "1 bytes too many"),
            (0x0003_0000, b"user\0\xff\0\0", "22021", "0xff"),
            (0x0002_0000, b"user\0anna\0\0", "0A000", "unsupported frontend protocol 2.0: server supports 3.0 to 3.2"),
            (0x0004_0000, b"", "0A000", "protocol 4.0"),
            (80_877_105, b"", "0A000", "protocol 1234.5681"),
        ] {
            let error = first(&mut packet(code, body)).unwrap_err();
            assert!(error.message.contains(part), "{error:?}");
            assert_eq!((error.sqlstate, error.fatal), (sqlstate, true));
        }
    }
}
