//! How much a file may make us hold. Everything is bounded before it is unpacked.

use crate::error::{Error, Place};

/// Bounds on one input file; each is the setting `import.<name of the field>` of the
/// program. A file author is not trusted: sizes that a file
/// declares are checked first, and the bytes that really come out are counted too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file as stored. Default 1 GiB: the largest single publisher
    /// file known to us (a full CRS extract) is below it.
    pub file_bytes: u64,
    /// Bytes that all members of an archive or workbook may unpack to. Default 1 GiB.
    pub unpacked_bytes: u64,
    /// Bytes of what is read row by row and never held whole: a sheet unpacked, a large
    /// SDMX-CSV. Default 16 GiB: the widest publisher's workbook known to us has sheets of
    /// 300 MB, and all of the CRS as CSV has some 10 GB.
    pub streamed_bytes: u64,
    /// Unpacked bytes per stored byte. Default 200: sheets of real workbooks reach
    /// 25 and long runs of equal CSV rows 60, while a bomb made of deflate's longest
    /// matches reaches 400 to 1,032. Applied above [`Limits::RATIO_FLOOR`] only.
    pub ratio: u64,
    /// Members of an archive, files of a folder. Default 10,000.
    pub members: usize,
    /// Rows of a sheet or records of a text file. Default 10 million.
    pub rows: usize,
    /// Cells in one row. Default 20,000: more than the 16,384 a workbook can hold.
    pub columns: usize,
    /// Cells of one sheet or text file, empty ones between filled ones included:
    /// each takes 24 bytes or more, so the default of 40 million is about 1 GiB.
    pub cells: usize,
    /// Bytes of one cell. Default 1 MiB; a workbook cell holds 32,767 characters.
    pub cell_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 1 << 30,
            unpacked_bytes: 1 << 30,
            streamed_bytes: 16 << 30,
            ratio: 200,
            members: 10_000,
            rows: 10_000_000,
            columns: 20_000,
            cells: 40_000_000,
            cell_bytes: 1 << 20,
        }
    }
}

impl Limits {
    /// Unpacked bytes below which the ratio is not looked at: a few kilobytes of
    /// blanks compress better than any honest file and harm nobody.
    pub const RATIO_FLOOR: u64 = 8 << 20;

    /// Refuses a file that is larger than `file_bytes` as stored.
    ///
    /// # Errors
    /// `Error::Limit` naming the size and the limit.
    pub fn check_file(&self, bytes: u64, file: &str) -> Result<(), Error> {
        exceed(bytes, self.file_bytes, "bytes in the file", "file_bytes", || Place::file(file))
    }

    /// Refuses a text to be read from disk that is larger than `streamed_bytes`.
    pub(crate) fn check_streamed(&self, bytes: u64, place: impl Fn() -> Place) -> Result<(), Error> {
        exceed(bytes, self.streamed_bytes, "bytes in the file", "streamed_bytes", place)
    }

    /// Refuses `unpacked` bytes that came, or are declared to come, out of `stored` bytes.
    ///
    /// # Errors
    /// `Error::Limit` naming the size or the ratio.
    pub(crate) fn check_unpacked(&self, unpacked: u64, stored: u64, place: impl Fn() -> Place) -> Result<(), Error> {
        exceed(unpacked, self.unpacked_bytes, "unpacked bytes", "unpacked_bytes", &place)?;
        if unpacked > Self::RATIO_FLOOR && unpacked > stored.saturating_mul(self.ratio) {
            return Err(Error::Limit {
                place: place(),
                what: format!(
                    "{unpacked} unpacked bytes from {stored} stored ones is more than {} to 1; \
                     raise the setting `import.ratio` if the file is to be trusted",
                    self.ratio
                ),
            });
        }
        Ok(())
    }

    /// The same limits for what is read row by row.
    pub(crate) fn streamed(&self) -> Self {
        Self { unpacked_bytes: self.streamed_bytes.max(self.unpacked_bytes), ..self.clone() }
    }

    pub(crate) fn check_rows(&self, rows: usize, place: impl Fn() -> Place) -> Result<(), Error> {
        exceed(rows as u64, self.rows as u64, "rows", "rows", place)
    }

    pub(crate) fn check_columns(&self, columns: usize, place: impl Fn() -> Place) -> Result<(), Error> {
        exceed(columns as u64, self.columns as u64, "cells in a row", "columns", place)
    }

    pub(crate) fn check_cells(&self, cells: usize, place: impl Fn() -> Place) -> Result<(), Error> {
        exceed(cells as u64, self.cells as u64, "cells", "cells", place)
    }

    pub(crate) fn check_cell_bytes(&self, bytes: usize, place: impl Fn() -> Place) -> Result<(), Error> {
        exceed(bytes as u64, self.cell_bytes as u64, "bytes in one cell", "cell_bytes", place)
    }

    pub(crate) fn check_members(&self, members: usize, file: &str) -> Result<(), Error> {
        exceed(members as u64, self.members as u64, "members in the archive", "members", || Place::file(file))
    }

    pub(crate) fn check_files(&self, files: usize, place: impl Fn() -> Place) -> Result<(), Error> {
        exceed(files as u64, self.members as u64, "files in the folder", "members", place)
    }
}

fn exceed(found: u64, limit: u64, what: &str, setting: &str, place: impl Fn() -> Place) -> Result<(), Error> {
    if found <= limit {
        return Ok(());
    }
    Err(Error::Limit {
        place: place(),
        what: format!(
            "{found} {what} are more than {limit}; raise the setting `import.{setting}` if the file is to be trusted"
        ),
    })
}
