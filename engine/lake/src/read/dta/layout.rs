//! What a data set says of itself before its rows.

use std::collections::HashMap;

use super::cursor::Cursor;
use crate::error::{Error, Place, Result};
use crate::read::Limits;

/// Value labels of one name: value and text.
pub(super) type Labels = Vec<(i32, String)>;

#[derive(Debug)]
pub(super) struct Layout {
    pub(super) version: u16,
    pub(super) big: bool,
    pub(super) utf8: bool,
    pub(super) rows: usize,
    /// Bytes of a row.
    pub(super) width: usize,
    /// Where the first row begins.
    pub(super) data: usize,
    /// Where the long strings are; 0 before version 117.
    pub(super) strls: usize,
    pub(super) label: Option<String>,
    pub(super) variables: Vec<Variable>,
}

/// How a variable is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    Byte,
    Int,
    Long,
    Float,
    Double,
    /// So many bytes of text.
    Str(usize),
    /// A reference to a long string.
    StrL,
}

#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) storage: Storage,
    /// Where in the row.
    pub(super) offset: usize,
    pub(super) format: String,
    pub(super) label: String,
    pub(super) labels_name: String,
    pub(super) labels: Labels,
}

impl Storage {
    pub(super) fn width(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Int => 2,
            Self::Long | Self::Float => 4,
            Self::Double | Self::StrL => 8,
            Self::Str(bytes) => bytes,
        }
    }
}

impl Variable {
    pub(super) fn is_long(&self) -> bool {
        self.storage == Storage::StrL
    }
}

/// The version of the format, of those that are read.
pub(super) fn version(bytes: &[u8], file: &str) -> Result<u16> {
    const OPENS: &[u8] = b"<stata_dta><header><release>";
    let wrong = |what: String| Error::data(Place::file(file), what);
    let version = match bytes.strip_prefix(OPENS) {
        Some(rest) => std::str::from_utf8(rest.get(..3).unwrap_or_default()).ok().and_then(|v| v.parse().ok()),
        // Version, byte order, file type: text may begin with the first of them.
        None => match bytes {
            [version @ 102..=116, 1 | 2, 1, ..] => Some(u16::from(*version)),
            _ => None,
        },
    };
    match version {
        Some(version @ (113..=115 | 117..=119)) => Ok(version),
        Some(version) => Err(wrong(format!(
            "is a Stata data set of version {version}; 113 to 115 and 117 to 119 are read: save it anew with `save` or `saveold` of Stata"
        ))),
        None => Err(wrong("is not a Stata data set, or is cut off within its first bytes".to_owned())),
    }
}

impl Layout {
    /// Checks the sizes and gives each variable its place in the row and its labels.
    pub(super) fn finish(
        mut self,
        cursor: &Cursor<'_>,
        mut labels: HashMap<String, Labels>,
        limits: &Limits,
    ) -> Result<Self> {
        limits.check_columns(self.variables.len(), || Place::file(cursor.file()))?;
        let mut offset = 0;
        for variable in &mut self.variables {
            variable.offset = offset;
            offset += variable.storage.width();
        }
        self.width = offset;
        if self.variables.is_empty() {
            // Rows of nothing cost nothing in the file, and may be any number.
            self.rows = 0;
        }
        limits.check_rows(self.rows, || Place::file(cursor.file()))?;
        let shared: HashMap<String, usize> = self.variables.iter().fold(HashMap::new(), |mut all, v| {
            *all.entry(v.labels_name.clone()).or_default() += 1;
            all
        });
        for variable in &mut self.variables {
            // The last of those that share a set takes it; the others copy.
            let found = match shared.get(&variable.labels_name) {
                Some(1) => labels.remove(&variable.labels_name),
                _ => labels.get(&variable.labels_name).cloned(),
            };
            variable.labels = found.unwrap_or_default();
        }
        Ok(self)
    }
}

/// The name that a variable must have.
pub(super) fn named(cursor: &Cursor<'_>, name: String, index: usize) -> Result<String> {
    if name.is_empty() { Err(cursor.wrong(format_args!("variable {} has no name", index + 1))) } else { Ok(name) }
}

/// A set of value labels: `n`, bytes of text, where each text begins, values, texts.
pub(super) fn labels(table: &mut Cursor<'_>) -> Result<Labels> {
    let count = table.size(4, "number of value labels")?;
    let text = table.size(4, "length of value labels")?;
    let big = table.big_endian();
    let offsets = table.items(count, 4, "offsets of value labels")?;
    let values = table.items(count, 4, "values of value labels")?;
    let texts = table.take(text, "texts of value labels")?;
    let one = |(offset, value): (&[u8], &[u8])| {
        let offset = super::cursor::number(offset, big) as usize;
        let value = super::cursor::number(value, big) as u32 as i32;
        (value, table.text(texts.get(offset..).unwrap_or_default()))
    };
    Ok(offsets.zip(values).map(one).collect())
}
