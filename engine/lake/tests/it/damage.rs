//! Files damaged by chance, the same in every run of the same number.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// Numbers that look random.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Below `n`, which is above 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// What stands in cells where nobody expects it.
const CELLS: [&str; 24] = [
    "",
    " ",
    "-",
    "..",
    "NaN",
    "inf",
    "1e999",
    "-1e308",
    "9223372036854775808",
    "-9223372036854775809",
    "0x10",
    "1,5",
    "\"",
    "\"\"",
    "'",
    "=1+1",
    "2021-13-45",
    "٣",
    "é\u{301}",
    "\u{0}",
    "\u{202e}",
    "100000000",
    "<t>",
    "]]>",
];

/// Values that sizes and counts of binary files break at.
const EDGES: [u64; 8] = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, u64::MAX];

/// One to four kinds of damage. Members of an archive or workbook are damaged
/// within it, for a damaged archive is refused before anybody reads a member.
pub(crate) fn damage(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    if bytes.starts_with(b"PK")
        && dice.below(4) > 0
        && let Some(again) = within(bytes, dice)
    {
        return again;
    }
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(4) {
        once(&mut bytes, dice);
    }
    bytes
}

fn within(bytes: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let wrong = dice.below(archive.len().max(1));
    let mut again = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).ok()?;
        let mut content = Vec::new();
        member.read_to_end(&mut content).ok()?;
        if index == wrong {
            (0..=dice.below(4)).for_each(|_| once(&mut content, dice));
        }
        let name = member.name().ok()?.into_owned();
        again.start_file(name, SimpleFileOptions::default()).ok()?;
        again.write_all(&content).ok()?;
    }
    Some(again.finish().ok()?.into_inner())
}

fn once(bytes: &mut Vec<u8>, dice: &mut Dice) {
    if bytes.is_empty() {
        return;
    }
    let at = dice.below(bytes.len());
    match dice.below(6) {
        0 => bytes[at] = dice.below(256) as u8,
        1 => bytes.truncate(at),
        2 => {
            let end = (at + 1 + dice.below(200)).min(bytes.len());
            let part = bytes[at..end].to_vec();
            let to = dice.below(bytes.len());
            bytes.splice(to..to, part);
        }
        3 => {
            let end = (at + 1 + dice.below(60)).min(bytes.len());
            bytes.drain(at..end);
        }
        4 => {
            let edge = EDGES[dice.below(EDGES.len())].to_le_bytes();
            let width = [1, 2, 4, 8][dice.below(4)];
            for (byte, new) in bytes.iter_mut().skip(at).zip(&edge[..width]) {
                *byte = *new;
            }
        }
        _ => {
            let ends = |b: &u8| matches!(b, b',' | b'\n' | b'"' | b'<' | b'>' | b';');
            let from = bytes[..at].iter().rposition(ends).map_or(0, |i| i + 1);
            let to = bytes[at..].iter().position(ends).map_or(bytes.len(), |i| at + i);
            bytes.splice(from..to.max(from), CELLS[dice.below(CELLS.len())].bytes());
        }
    }
}
