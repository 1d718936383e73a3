//! Bytes of a file to be published: in memory, or on disk where those of one import do not fit into it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;

use crate::error::{Error, Result};

/// The bytes of a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// In memory.
    Memory(Bytes),
    /// In a temporary file.
    Spooled(Span),
}

impl Content {
    /// Number of bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Spooled(span) => span.len,
        }
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, read from disk where they are there.
    ///
    /// # Errors
    /// `Error::Spool` if the temporary file cannot be read.
    pub fn read(&self) -> Result<Bytes> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            Self::Spooled(span) => span.read(),
        }
    }

    /// True if both are the same bytes.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn same(&self, other: &Self) -> Result<bool> {
        Ok(self.len() == other.len() && self.read()? == other.read()?)
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Memory(bytes)
    }
}

/// A temporary file that only grows. It has no name, so it is gone with the
/// process however that ends.
#[derive(Debug)]
pub struct Spool {
    file: Mutex<(File, u64)>,
}

/// A part of a [`Spool`].
#[derive(Debug, Clone)]
pub struct Span {
    spool: Arc<Spool>,
    at: u64,
    len: u64,
}

impl Spool {
    /// An empty one, in the folder for temporary files.
    ///
    /// # Errors
    /// `Error::Spool` if none can be made there.
    pub fn new() -> Result<Arc<Self>> {
        Ok(Arc::new(Self { file: Mutex::new((tempfile::tempfile().map_err(failed)?, 0)) }))
    }

    /// One for all who need one at a time: gone with the last part of it.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn shared() -> Result<Arc<Self>> {
        static SHARED: Mutex<Weak<Spool>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spool) = shared.upgrade() {
            return Ok(spool);
        }
        let spool = Self::new()?;
        *shared = Arc::downgrade(&spool);
        Ok(spool)
    }

    /// Adds bytes at the end.
    ///
    /// # Errors
    /// `Error::Spool`, such as for a full disk.
    pub fn append(self: &Arc<Self>, bytes: &[u8]) -> Result<Span> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let at = file.1;
        file.0.seek(SeekFrom::Start(at)).and_then(|_| file.0.write_all(bytes)).map_err(failed)?;
        file.1 = at + bytes.len() as u64;
        Ok(Span { spool: Arc::clone(self), at, len: bytes.len() as u64 })
    }
}

impl Span {
    /// The bytes.
    ///
    /// # Errors
    /// `Error::Spool` if they cannot be read.
    pub fn read(&self) -> Result<Bytes> {
        let mut bytes = vec![0; usize::try_from(self.len).map_err(|e| Error::Internal(e.to_string()))?];
        let mut file = self.spool.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.0.seek(SeekFrom::Start(self.at)).and_then(|_| file.0.read_exact(&mut bytes)).map_err(failed)?;
        Ok(bytes.into())
    }
}

fn failed(source: std::io::Error) -> Error {
    Error::Spool { folder: std::env::temp_dir().display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_spool_are_what_was_put_there() {
        let spool = Spool::new().unwrap();
        let spans: Vec<Span> = (0..50u8).map(|i| spool.append(&vec![i; usize::from(i) * 100]).unwrap()).collect();
        for (i, span) in spans.iter().enumerate().rev() {
            assert_eq!(span.read().unwrap(), vec![i as u8; i * 100]);
        }
        let memory = Content::from(Bytes::from(vec![7u8; 700]));
        let spooled = Content::Spooled(spans[7].clone());
        assert!(memory.same(&spooled).unwrap() && !memory.same(&Content::Spooled(spans[8].clone())).unwrap());
        assert!(Content::Spooled(spans[0].clone()).is_empty());
    }
}
