//! The key of every fact: a three-letter economy code.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Printable};

/// ISO 3166-1 alpha-3, with the codes the World Bank adds (`XKX`, `CHI`) and those of
/// economies that have ended (`YUG`). Holding one says that the shape is right; whether an
/// economy has the code is what [`Concordance`](super::Concordance) knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iso3([u8; 3]);

impl Iso3 {
    /// Three capital letters, or `None`.
    pub fn new(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        // Three ASCII letters by construction, so the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl AsRef<str> for Iso3 {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Iso3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Iso3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Iso3 {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self, Error> {
        Self::new(code).ok_or_else(|| {
            Error::Usage(format!("`{}` is not a three-letter country code in capitals, such as `PHL`", Printable(code)))
        })
    }
}
