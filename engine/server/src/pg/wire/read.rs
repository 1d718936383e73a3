//! A checked cursor over the body of a message.

use std::fmt::Write as _;

use bytes::{Buf, Bytes};

use crate::pg::error::{CHARACTER_NOT_IN_REPERTOIRE, PROTOCOL_VIOLATION, PgError, Result};

/// What is left of a body. A read that the bytes do not bear out is an error (08P01, not
/// fatal), never a panic; what is taken out shares the body's memory.
#[derive(Debug)]
pub(super) struct Body {
    message: &'static str,
    rest: Bytes,
}

impl Body {
    /// A body, and the name of its message for the errors.
    pub(super) fn new(message: &'static str, rest: Bytes) -> Self {
        Self { message, rest }
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn i16(&mut self) -> Result<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A length and as many bytes; a length of -1 is `None`.
    pub(super) fn value(&mut self) -> Result<Option<Bytes>> {
        match self.i32()? {
            -1 => Ok(None),
            length => match usize::try_from(length) {
                Ok(wanted) => self.bytes(wanted).map(Some),
                Err(_) => Err(self.wrong(format_args!("a value has the length {length}, expected 0 or more, or -1"))),
            },
        }
    }

    /// The bytes before the next NUL, as text; the NUL is passed.
    ///
    /// # Errors
    /// 08P01 without a NUL, 22021 for bytes that are not UTF-8.
    pub(super) fn text(&mut self) -> Result<String> {
        let Some(length) = self.rest.iter().position(|&byte| byte == 0) else {
            return Err(self.wrong(format_args!("a string of {} bytes does not end in a NUL", self.rest.len())));
        };
        let text = self.bytes(length)?;
        self.rest.advance(1);
        utf8(&text)
    }

    /// A count of two bytes and as many entries, each of at least `least` bytes.
    pub(super) fn list<T>(&mut self, least: usize, mut entry: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = usize::from(self.u16()?);
        if count.saturating_mul(least) > self.rest.len() {
            return Err(self.wrong(format_args!("{count} entries named, {} bytes left for them", self.rest.len())));
        }
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push(entry(self)?);
        }
        Ok(entries)
    }

    /// All that is left; may be empty.
    pub(super) fn rest(self) -> Bytes {
        self.rest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(self.wrong(format_args!("{left} bytes too many"))),
        }
    }

    /// The error for a body that is not what its type says.
    pub(super) fn wrong(&self, what: std::fmt::Arguments<'_>) -> PgError {
        PgError::new(PROTOCOL_VIOLATION, format!("invalid {}: {what}", self.message))
    }

    fn bytes(&mut self, wanted: usize) -> Result<Bytes> {
        if wanted > self.rest.len() {
            return Err(self.wrong(format_args!("{wanted} bytes named, {} left", self.rest.len())));
        }
        Ok(self.rest.split_to(wanted))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some(&found) = self.rest.first_chunk() else {
            return Err(self.wrong(format_args!("{N} bytes expected, {} left", self.rest.len())));
        };
        self.rest.advance(N);
        Ok(found)
    }
}

/// Bytes as text, or PostgreSQL's error 22021 with the bytes of the first character that is none.
pub(super) fn utf8(bytes: &[u8]) -> Result<String> {
    let wrong = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(text.to_owned()),
        Err(error) => bytes.get(error.valid_up_to()..).unwrap_or_default(),
    };
    let length = match wrong.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    };
    let mut message = r#"invalid byte sequence for encoding "UTF8":"#.to_owned();
    for byte in wrong.iter().take(length) {
        let _ = write!(message, " 0x{byte:02x}");
    }
    Err(PgError::new(CHARACTER_NOT_IN_REPERTOIRE, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_named_as_postgresql_does() {
        for (bytes, named) in [
            (&b"'\xff\xfe'"[..], "0xff"),
            (b"\xc3(", "0xc3 0x28"),
            (b"ab\xe2\x82", "0xe2 0x82"),
            (b"\xf0\x9f\x98", "0xf0 0x9f 0x98"),
            (b"\x80", "0x80"),
            (b"\xed\xa0\x80", "0xed 0xa0 0x80"),
        ] {
            let error = utf8(bytes).unwrap_err();
            assert_eq!(error.message, format!(r#"invalid byte sequence for encoding "UTF8": {named}"#));
            assert_eq!((error.sqlstate, error.fatal), ("22021", false));
        }
        assert_eq!(utf8("añb".as_bytes()).unwrap(), "añb");
    }

    #[test]
    fn nothing_is_set_aside_for_a_count_that_lies() {
        let mut body = Body::new("test", Bytes::from_static(b"\xff\xff1234"));
        assert!(body.list(4, |_| -> Result<()> { panic!("asked for an entry that is not there") }).is_err());
        let mut body = Body::new("test", Bytes::from_static(b"\0\x01\0\0\0\x07"));
        assert_eq!(body.list(4, Body::u32).unwrap(), [7]);
        assert!(body.is_empty() && body.u8().is_err());
    }
}
