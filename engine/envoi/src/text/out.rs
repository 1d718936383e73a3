//! The buffer that values are written to.

use bytes::BytesMut;

/// The end of a buffer, kept ahead of what is written so that a write is a copy.
///
/// Dropped without [`Out::finish`] it leaves the buffer as it was found: no half messages.
pub struct Out<'a> {
    buffer: &'a mut BytesMut,
    start: usize,
    at: usize,
}

impl<'a> Out<'a> {
    /// Writes behind what `buffer` holds; `expected` bytes are made ready.
    pub fn new(buffer: &'a mut BytesMut, expected: usize) -> Self {
        let start = buffer.len();
        buffer.resize(start + expected, 0);
        Self { buffer, start, at: start }
    }

    /// Keeps what was written.
    pub fn finish(mut self) {
        self.start = self.at;
    }

    /// Where the next byte goes.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next `len` bytes, to be filled by the caller.
    #[inline]
    pub fn space(&mut self, len: usize) -> &mut [u8] {
        let from = self.at;
        self.at += len;
        if self.at > self.buffer.len() {
            self.grow();
        }
        &mut self.buffer[from..self.at]
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let ahead = (self.at - self.start).clamp(1024, 1 << 20);
        self.buffer.resize(self.at + ahead, 0);
    }

    /// Writes bytes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.space(bytes.len()).copy_from_slice(bytes);
    }

    /// Writes bytes whose number is known.
    #[inline]
    pub fn put_array<const N: usize>(&mut self, bytes: [u8; N]) {
        self.space(N).copy_from_slice(&bytes);
    }

    /// Writes one byte.
    #[inline]
    pub fn byte(&mut self, byte: u8) {
        self.space(1)[0] = byte;
    }

    /// What was written since `start`.
    #[inline]
    pub fn since(&self, start: usize) -> &[u8] {
        &self.buffer[start..self.at]
    }

    /// Forgets what was written since `start`.
    pub fn rewind(&mut self, start: usize) {
        self.at = start;
    }

    /// Writes four bytes over those at `position`.
    #[inline]
    pub fn patch(&mut self, position: usize, bytes: [u8; 4]) {
        self.buffer[position..position + 4].copy_from_slice(&bytes);
    }

    /// Replaces each byte since `start` that `pair` names by two, and puts `wrap` around the whole.
    pub fn rewrite(&mut self, start: usize, wrap: Option<u8>, pair: impl Fn(u8) -> Option<[u8; 2]>) {
        let len = self.at - start;
        let doubled = self.since(start).iter().filter(|byte| pair(**byte).is_some()).count();
        let around = usize::from(wrap.is_some());
        self.space(doubled + 2 * around);
        let written = &mut self.buffer[start..self.at];
        let mut to = written.len() - around;
        // Backwards, so that what is moved is not yet written over.
        for from in (0..len).rev() {
            if to == from + 1 {
                break;
            }
            let byte = written[from];
            match pair(byte) {
                Some(two) => {
                    to -= 2;
                    written[to..to + 2].copy_from_slice(&two);
                }
                None => {
                    to -= 1;
                    written[to] = byte;
                }
            }
        }
        if let (Some(wrap), [first, .., last]) = (wrap, written) {
            *first = wrap;
            *last = wrap;
        }
    }
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        self.buffer.truncate(self.start);
    }
}
