//! Reading a data set from front to back, never beyond its end.

use encoding_rs::WINDOWS_1252;

use crate::error::{Error, Place, Result};

/// A place in the bytes of a file.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    big: bool,
    utf8: bool,
    file: &'a str,
    version: u16,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], file: &'a str, version: u16) -> Self {
        Self { bytes, at: 0, big: false, utf8: version >= 118, file, version }
    }

    pub(super) fn set_big_endian(&mut self, big: bool) {
        self.big = big;
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// An error at this byte.
    pub(super) fn wrong(&self, what: impl std::fmt::Display) -> Error {
        let what =
            format!("{what} at byte {} (Stata version {}); the file is damaged or cut off", self.at, self.version);
        Error::data(Place::file(self.file), what)
    }

    /// The next `n` bytes, which hold `what`.
    pub(super) fn take(&mut self, n: usize, what: &str) -> Result<&'a [u8]> {
        let end = self.at.checked_add(n);
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(bytes) => {
                self.at += n;
                Ok(bytes)
            }
            None => Err(self.wrong(format_args!("{what} should be {n} bytes, there are {},", self.left()))),
        }
    }

    /// A cursor over the next `n` bytes, which hold `what`.
    pub(super) fn within(&mut self, n: usize, what: &str) -> Result<Cursor<'a>> {
        let start = self.at;
        self.take(n, what)?;
        let bytes = self.bytes.get(..start + n).unwrap_or_default();
        Ok(Cursor { bytes, at: start, ..*self })
    }

    pub(super) fn file(&self) -> &'a str {
        self.file
    }

    /// As many items of `size` bytes.
    pub(super) fn items(&mut self, count: usize, size: usize, what: &str) -> Result<std::slice::ChunksExact<'a, u8>> {
        let bytes = count.checked_mul(size).ok_or_else(|| self.wrong(format_args!("{count} {what} are too many")))?;
        Ok(self.take(bytes, what)?.chunks_exact(size.max(1)))
    }

    /// Passes over as many.
    pub(super) fn skip(&mut self, count: usize, size: usize, what: &str) -> Result<()> {
        self.items(count, size, what).map(|_| ())
    }

    pub(super) fn u8(&mut self, what: &str) -> Result<u8> {
        Ok(self.take(1, what)?.first().copied().unwrap_or_default())
    }

    /// An unsigned number of 1 to 8 bytes.
    pub(super) fn number(&mut self, size: usize, what: &str) -> Result<u64> {
        Ok(number(self.take(size, what)?, self.big))
    }

    /// The same, as a size or a place in memory.
    pub(super) fn size(&mut self, size: usize, what: &str) -> Result<usize> {
        let number = self.number(size, what)?;
        usize::try_from(number).map_err(|_| self.wrong(format_args!("{what} {number} is too large")))
    }

    /// Passes over a tag such as `<header>`, which must be there.
    pub(super) fn tag(&mut self, tag: &str) -> Result<()> {
        if self.rest().starts_with(tag.as_bytes()) {
            self.at += tag.len();
            return Ok(());
        }
        Err(self.wrong(format_args!("`{tag}` is missing")))
    }

    /// True, and passes over it, if the tag is next.
    pub(super) fn tag_if(&mut self, tag: &str) -> bool {
        let next = self.rest().starts_with(tag.as_bytes());
        self.at += if next { tag.len() } else { 0 };
        next
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Text up to the first NUL.
    pub(super) fn text(&self, bytes: &[u8]) -> String {
        text(bytes, self.utf8).into_owned()
    }

    pub(super) fn big_endian(&self) -> bool {
        self.big
    }
}

/// An unsigned number of 1 to 8 bytes.
pub(super) fn number(bytes: &[u8], big: bool) -> u64 {
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    if big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
}

/// Text up to the first NUL. Since version 118 it is UTF-8, and bytes that are not are marked
/// U+FFFD. Before, it is Windows-1252; other programs wrote UTF-8 all the same, and what is
/// valid as that was hardly meant otherwise.
pub(super) fn text(bytes: &[u8], utf8: bool) -> std::borrow::Cow<'_, str> {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let bytes = bytes.get(..end).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) if utf8 => String::from_utf8_lossy(bytes),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}
