//! The one error type of the lake, and the place in a file that it points at.

use std::fmt;

/// Result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where in the input something is wrong. Rows and lines count from 1, as an
/// editor or a spreadsheet shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// File name as the user gave it; members of an archive as `archive.zip/member`.
    pub file: String,
    /// Sheet of a workbook.
    pub sheet: Option<String>,
    /// Row of the sheet or line of the text file.
    pub row: Option<u64>,
    /// Column name from the header, or its letter where there is no header.
    pub column: Option<String>,
}

impl Place {
    /// A place that is a whole file.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }

    /// The same place, in a sheet.
    #[must_use]
    pub fn sheet(mut self, sheet: impl Into<String>) -> Self {
        self.sheet = Some(sheet.into());
        self
    }

    /// The same place, at a row.
    #[must_use]
    pub fn row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    /// The same place, at a column.
    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Printable(&self.file))?;
        if let Some(sheet) = &self.sheet {
            write!(f, ", sheet `{}`", Printable(sheet))?;
        }
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column `{}`", Printable(column))?;
        }
        Ok(())
    }
}

/// Text from a file, made safe for a terminal or a page: control and
/// bidirectional-override characters are shown as escapes, and long text is cut.
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 120;
        for (i, c) in self.0.chars().enumerate() {
            if i == LONGEST {
                return f.write_str("…");
            }
            let hostile = c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
            if hostile {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

/// Who can mend it; maps to exit codes here and to SQLSTATEs at the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Fix the request.
    User,
    /// Fix the file.
    Data,
    /// A limit, a full disk, a store that does not answer.
    Resource,
    /// Our bug.
    Internal,
}

/// What can go wrong between a publisher's file and a published lake version.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input is not what it should be.
    #[error("{place}: {what}")]
    Data {
        /// Where.
        place: Place,
        /// What is wrong, with the value, and what would work.
        what: String,
    },
    /// The request cannot be met as put.
    #[error("{0}")]
    Usage(String),
    /// A bound was reached.
    #[error("{place}: {what}")]
    Limit {
        /// Where.
        place: Place,
        /// Which limit, its value, and the setting that raises it.
        what: String,
    },
    /// Someone else published first.
    #[error("another import published lake version {0} meanwhile; nothing was changed, run the import again")]
    Conflict(u64),
    /// A model that a run replaces or read was published by another run meanwhile.
    #[error(
        "another run published model `{model}` meanwhile, in lake version {version}; nothing was changed, run again"
    )]
    Overtaken {
        /// The model.
        model: String,
        /// The version that has it.
        version: u64,
    },
    /// The lake itself is damaged or of another kind.
    #[error("{0}")]
    Lake(String),
    /// The object store failed.
    #[error("{what}: {source}")]
    Store {
        /// What was being done, with the path.
        what: String,
        /// The store's own words.
        #[source]
        source: object_store::Error,
    },
    /// A local file could not be read.
    #[error("cannot read `{path}`: {source}")]
    Io {
        /// The path.
        path: String,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// A local file could not be written.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// The path.
        path: String,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// A publisher could not be asked, or gave what it should not: address, what happened, what would work.
    #[error("{0}")]
    Fetch(String),
    /// What does not fit into memory could not be put on disk meanwhile.
    #[error("cannot keep a temporary file in `{folder}`: {source}; TMPDIR names another folder")]
    Spool {
        /// The folder for temporary files.
        folder: String,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// Arrow or Parquet refused what we built: a bug of ours.
    #[error("internal error, please report: {0}")]
    Internal(String),
}

impl Error {
    /// The input at `place` is wrong: `what`.
    pub fn data(place: Place, what: impl Into<String>) -> Self {
        Self::Data { place, what: what.into() }
    }

    /// Who can mend it.
    pub fn class(&self) -> Class {
        match self {
            Self::Usage(_) => Class::User,
            Self::Data { .. } | Self::Lake(_) | Self::Io { .. } => Class::Data,
            Self::Limit { .. }
            | Self::Conflict(_)
            | Self::Overtaken { .. }
            | Self::Store { .. }
            | Self::Write { .. }
            | Self::Spool { .. }
            | Self::Fetch(_) => Class::Resource,
            Self::Internal(_) => Class::Internal,
        }
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(e: arrow::error::ArrowError) -> Self {
        Self::Internal(e.to_string())
    }
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(e: parquet::errors::ParquetError) -> Self {
        Self::Internal(e.to_string())
    }
}
