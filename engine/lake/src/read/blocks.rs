//! A text too large to hold, cut between records into blocks that threads can read at once.

use std::io::Read;

use crate::error::{Error, Place, Result};

/// Whole records of a delimited text.
#[derive(Debug)]
pub struct Block {
    /// Line of the text that the block begins with, from 1.
    pub first_line: u64,
    /// The records, the last with its line end unless the text has none there.
    pub bytes: Vec<u8>,
}

/// Bytes of a block: some ten thousand records, few enough to hold several at once.
const SIZE: usize = 4 << 20;

/// No record is longer: a quote that is never closed would swallow the rest of the text.
const LONGEST_RECORD: usize = 8 << 20;

/// Cuts `text` into blocks and gives them to `each` in order, until it says `false`.
///
/// A line end within quotes is no end of a record. Quotes are counted, so a
/// record of RFC 4180 is never cut; the byte-order mark is taken off.
///
/// # Errors
/// `Error::Io` if `text` cannot be read, `Error::Data` for a record without end,
/// and what `each` returns.
pub fn each_block(text: &mut dyn Read, file: &str, each: &mut dyn FnMut(Block) -> Result<bool>) -> Result<()> {
    let failed = |source| Error::Io { path: file.to_owned(), source };
    let mut rest: Vec<u8> = Vec::new();
    let mut line = 1;
    let mut begun = false;
    loop {
        let mut bytes = Vec::with_capacity(SIZE + rest.len());
        bytes.append(&mut rest);
        let got = (&mut *text).take(SIZE as u64).read_to_end(&mut bytes).map_err(failed)?;
        if !begun {
            begun = true;
            if bytes.starts_with(b"\xef\xbb\xbf") {
                bytes.drain(..3);
            }
        }
        if got == 0 {
            if !bytes.is_empty() {
                each(Block { first_line: line, bytes })?;
            }
            return Ok(());
        }
        let Some(end) = last_record_end(&bytes) else {
            if bytes.len() > LONGEST_RECORD {
                let what = "the record that begins here has no end within 8 MiB; a quote in it is never closed";
                return Err(Error::data(Place::file(file).row(line), what));
            }
            rest = bytes;
            continue;
        };
        rest = bytes.split_off(end);
        let lines = bytes.iter().filter(|b| **b == b'\n').count() as u64;
        if !each(Block { first_line: line, bytes })? {
            return Ok(());
        }
        line += lines;
    }
}

/// Where the last record ends that ends within `bytes`: behind a line feed before
/// which stands an even number of quotes.
fn last_record_end(bytes: &[u8]) -> Option<usize> {
    let quotes = |part: &[u8]| part.iter().filter(|b| **b == b'"').count();
    let mut open = quotes(bytes) % 2 == 1;
    let mut end = bytes.len();
    loop {
        let line_end = bytes.get(..end)?.iter().rposition(|b| *b == b'\n')?;
        let behind = bytes.get(line_end..end).map_or(0, quotes);
        open ^= behind % 2 == 1;
        if !open {
            return Some(line_end + 1);
        }
        end = line_end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &[u8]) -> Vec<(u64, String)> {
        let mut all = Vec::new();
        let mut each = |b: Block| {
            all.push((b.first_line, String::from_utf8(b.bytes).unwrap()));
            Ok(true)
        };
        each_block(&mut &text[..], "f.csv", &mut each).unwrap();
        all
    }

    #[test]
    fn cut_between_records_whatever_they_quote() {
        let record = "a,\"two\nlines, \"\"quoted\"\"\",1\n";
        let text = format!("\u{feff}x,y,z\n{}tail,without,end", record.repeat(400_000));
        let all = blocks(text.as_bytes());
        assert!(all.len() > 2, "{} blocks", all.len());
        assert_eq!(all.iter().map(|(_, t)| t.as_str()).collect::<String>(), text[3..]);
        for (line, block) in &all[1..] {
            assert!(block.starts_with("a,\"two") || block.starts_with("tail"), "{line}: {}", &block[..20]);
        }
        let mut line = 1;
        for (first, block) in &all {
            assert_eq!(*first, line);
            line += block.matches('\n').count() as u64;
        }
        assert!(blocks(b"").is_empty());
        assert_eq!(blocks(b"one"), [(1, "one".to_owned())]);
    }

    #[test]
    fn a_quote_never_closed_is_named_by_its_line() {
        let mut text = b"h\n".to_vec();
        text.extend(b"\"open\n".iter().chain(b"line\n".repeat(3 << 20).iter()));
        let error = each_block(&mut &text[..], "f.csv", &mut |_| Ok(true)).unwrap_err().to_string();
        assert!(error.contains("f.csv, row 2") && error.contains("never closed"), "{error}");
    }
}
