//! Facts of an `.xls` before calamine reads it: calamine builds a dense table per
//! sheet, and two cells in opposite corners of a sheet would make it 16 million wide.
//!
//! ```text
//! compound file: header, sectors of 512 bytes in chains (FAT), directory of streams
//! stream `Workbook`: records (u16 type, u16 length, bytes); BOUNDSHEET gives each
//! sheet's offset, there BOF ... ROW, cells ... EOF
//! ```

use super::Limits;
use crate::error::{Error, Place, Result};

/// What one sheet's records say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Hidden rows, from 1, ascending.
    pub(super) hidden_rows: Vec<u64>,
}

/// Walks the records of all sheets, in workbook order.
///
/// # Errors
/// `Error::Data` if encrypted or damaged, `Error::Limit` if the sheets would unpack
/// to more cells than allowed, or to far more than are filled.
pub(super) fn check(bytes: &[u8], file: &str, limits: &Limits) -> Result<Vec<Facts>> {
    let broken =
        || Error::data(Place::file(file), "is a damaged or cut .xls: its streams do not hold together; fetch it again");
    let stream = workbook_stream(bytes).ok_or_else(broken)?;
    let mut facts = Vec::new();
    let mut dense_total = 0u64;
    for (kind, data) in Records(&stream) {
        match kind {
            FILEPASS => {
                return Err(Error::data(
                    Place::file(file),
                    "is an encrypted .xls; remove the password and import it again",
                ));
            }
            BOUNDSHEET => {
                let offset = data.get(..4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).ok_or_else(broken)?;
                let sheet = stream.get(offset as usize..).ok_or_else(broken)?;
                let (sheet_facts, dense, filled) = sheet_facts(sheet);
                dense_total = dense_total.saturating_add(dense);
                let place = || Place::file(file);
                limits.check_cells(usize::try_from(dense_total).unwrap_or(usize::MAX), place)?;
                if dense > 1 << 20 && dense > filled.saturating_mul(50) {
                    let what = format!(
                        "a sheet spans {dense} cells but fills {filled}; it is refused as hostile, save it as .xlsx"
                    );
                    return Err(Error::Limit { place: place(), what });
                }
                limits.check_members(facts.len(), file)?;
                facts.push(sheet_facts);
            }
            EOF => break,
            _ => {}
        }
    }
    Ok(facts)
}

const EOF: u16 = 0x000a;
const FILEPASS: u16 = 0x002f;
const BOUNDSHEET: u16 = 0x0085;
const BOF: u16 = 0x0809;
const ROW: u16 = 0x0208;

fn sheet_facts(sheet: &[u8]) -> (Facts, u64, u64) {
    let mut facts = Facts::default();
    let (mut rows, mut columns, mut filled) = ((u16::MAX, 0), (u16::MAX, 0), 0u64);
    let mut depth = 0;
    for (kind, data) in Records(sheet) {
        let short = |i: usize| data.get(i..i + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
        match kind {
            BOF => depth += 1,
            EOF if depth <= 1 => break,
            EOF => depth -= 1,
            // ROW: option bit 5 is "height is zero", which is how a row is hidden.
            ROW => {
                if let (Some(row), Some(options)) = (short(0), short(12))
                    && options & 0x20 != 0
                {
                    facts.hidden_rows.push(u64::from(row) + 1);
                }
            }
            // Number, label, boolean, RK, shared string, formula, rich string; MULRK holds several.
            0x0203 | 0x0204 | 0x0205 | 0x027e | 0x00fd | 0x0006 | 0x00d6 | 0x00bd => {
                let (Some(row), Some(first)) = (short(0), short(2)) else {
                    continue;
                };
                let several = if kind == 0x00bd { (data.len().saturating_sub(6) / 6).max(1) } else { 1 };
                let last = first.saturating_add(u16::try_from(several - 1).unwrap_or(u16::MAX));
                rows = (rows.0.min(row), rows.1.max(row));
                columns = (columns.0.min(first), columns.1.max(last));
                filled += several as u64;
            }
            _ => {}
        }
    }
    facts.hidden_rows.sort_unstable();
    let span = |(low, high): (u16, u16)| {
        if low > high { 0 } else { u64::from(high - low) + 1 }
    };
    (facts, span(rows) * span(columns), filled)
}

struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.0.split_at_checked(4)?;
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let (data, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((u16::from_le_bytes([head[0], head[1]]), data))
    }
}

/// The `Workbook` (or `Book`) stream of a compound file; `None` if any chain is broken.
fn workbook_stream(bytes: &[u8]) -> Option<Vec<u8>> {
    let file = Compound::open(bytes)?;
    let directory = file.chain(file.word(48)?, &file.fat, file.sector, |id| file.sector_at(id))?;
    let entries = || directory.chunks_exact(128);
    let name = |entry: &[u8]| {
        let units = entry[..64].chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).take_while(|&u| u != 0);
        char::decode_utf16(units).map_while(std::result::Result::ok).collect::<String>()
    };
    let is = |entry: &[u8], wanted: &str| name(entry).eq_ignore_ascii_case(wanted);
    let entry = entries().find(|e| is(e, "Workbook")).or_else(|| entries().find(|e| is(e, "Book")))?;
    let at = |entry: &[u8], i: usize| u32::from_le_bytes([entry[i], entry[i + 1], entry[i + 2], entry[i + 3]]);
    let (start, length) = (at(entry, 116), at(entry, 120) as usize);
    let mut stream = if length < 4096 {
        let root = entries().next()?;
        let mini = file.chain(at(root, 116), &file.fat, file.sector, |id| file.sector_at(id))?;
        let fat = words(&file.chain(file.word(60)?, &file.fat, file.sector, |id| file.sector_at(id))?);
        file.chain(start, &fat, 64, |id| mini.get(id as usize * 64..id as usize * 64 + 64))?
    } else {
        file.chain(start, &file.fat, file.sector, |id| file.sector_at(id))?
    };
    stream.truncate(length);
    Some(stream)
}

struct Compound<'a> {
    bytes: &'a [u8],
    sector: usize,
    fat: Vec<u32>,
}

/// Sector numbers from here on are marks: end of chain, free, FAT.
const MARKS: u32 = 0xffff_fffa;

impl<'a> Compound<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let sector = match bytes.get(30)? {
            9 => 512,
            12 => 4096,
            _ => return None,
        };
        let mut file = Self { bytes, sector, fat: Vec::new() };
        let mut ids = words(bytes.get(76..512)?);
        let mut next = file.word(68)?;
        let most = bytes.len() / sector + 1;
        let mut steps = 0;
        while next < MARKS && steps <= most {
            let mut more = words(file.sector_at(next)?);
            next = more.pop()?;
            ids.extend(more);
            steps += 1;
        }
        for id in ids.into_iter().filter(|&id| id < MARKS).take(most) {
            let fat = words(file.sector_at(id)?);
            file.fat.extend(fat);
        }
        Some(file)
    }

    fn word(&self, at: usize) -> Option<u32> {
        words(self.bytes.get(at..at + 4)?).pop()
    }

    /// The last sector of a file may be cut short.
    fn sector_at(&self, id: u32) -> Option<&'a [u8]> {
        let start = (id as usize).checked_add(1)?.checked_mul(self.sector)?;
        self.bytes.get(start..(start + self.sector).min(self.bytes.len())).filter(|s| !s.is_empty())
    }

    /// Follows a chain of `size`-byte sectors; a chain longer than the file is a loop.
    fn chain<'b>(
        &self,
        start: u32,
        fat: &[u32],
        size: usize,
        get: impl Fn(u32) -> Option<&'b [u8]>,
    ) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut id = start;
        while id < MARKS {
            out.extend_from_slice(get(id)?);
            if out.len() > self.bytes.len() + size {
                return None;
            }
            id = *fat.get(id as usize)?;
        }
        Some(out)
    }
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}
