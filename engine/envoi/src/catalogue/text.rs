//! Which of two readers a text file needs.
//!
//! The engine's CSV reader streams files of any size, but knows UTF-8 with one
//! delimiter and a header in the first line only. Publishers' files have title
//! lines, semicolons, UTF-16, windows-1252, footnotes or are packed: those are read
//! in memory as the importer reads them, typed and without their notes.

use std::io::Read;
use std::path::Path;

use envoi_lake::read::{Limits, read_csv};

/// True if the engine's reader gives every row of the file: judged by its first 64 KiB.
///
/// Patterns, folders and what is not on this machine are left to the engine's reader,
/// and so is a file that cannot be read: it has the words for it.
pub(super) fn streams(path: &str, delimiter: u8) -> bool {
    const SAMPLE: u64 = 64 << 10;
    if !Path::new(path).is_file() {
        return true;
    }
    let mut head = Vec::new();
    let Ok(file) = std::fs::File::open(path) else { return true };
    if file.take(SAMPLE).read_to_end(&mut head).is_err() {
        return true;
    }
    let whole = (head.len() as u64) < SAMPLE;
    if !whole {
        // The last line may be cut.
        let end = head.iter().rposition(|b| *b == b'\n').map_or(head.len(), |at| at + 1);
        head.truncate(end);
    }
    is_plain(&head, whole, delimiter)
}

fn is_plain(head: &[u8], whole: bool, delimiter: u8) -> bool {
    let Ok(text) = read_csv(head, "", &Limits::default()) else {
        // A quoted cell may go on beyond what was looked at. A whole file that is no
        // text is refused by the importer's reader, which says why.
        return !whole && std::str::from_utf8(head).is_ok();
    };
    let rows = &text.grid.rows;
    let Some(header) = rows.first() else { return false };
    let width = header.cells.len();
    text.encoding == "utf-8"
        && text.odd_lines.is_empty()
        && (width == 1 || text.delimiter == delimiter)
        && header.number == 1
        && header.cells.iter().all(|cell| !cell.is_blank())
        && rows.iter().all(|row| row.cells.len() == width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_streams() {
        let plain = |text: &[u8]| is_plain(text, true, b',');
        assert!(plain(b"iso3,value\nMEX,1.5\n\"a, b\",2\n"));
        assert!(plain(b"value\n1\n2\n"));
        assert!(!plain(b"iso3;value\nMEX;1,5\n"));
        assert!(!plain(b"\xef\xbb\xbfiso3,value\nMEX,1\n"));
        assert!(!plain(b"name,value\nCura\xe7ao,1\n"));
        assert!(!plain(b"A title\n\niso3,value\nMEX,1\n"));
        assert!(!plain(b"iso3,value,\nMEX,1,\n"));
        assert!(!plain(b"iso3,value\nMEX,1\nSource: the bank\n"));
        assert!(!plain(b"\x1f\x8b\x08\x00"));
        assert!(is_plain(b"a,b\n1,\"begins\n", false, b','));
        assert!(is_plain(b"a\tb\n1\t2\n", true, b'\t'));
    }
}
