//! Long strings (`strL`): stored once each after the rows, which refer to them.

use super::cursor::Cursor;
use super::layout::Layout;
use crate::error::Result;

/// Where each long string stands, sorted by its key.
#[derive(Debug, Default)]
pub(super) struct Strls(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    /// Variable and observation that it was first used in.
    key: (u32, u64),
    start: usize,
    len: usize,
    text: bool,
}

impl Strls {
    pub(super) fn read(bytes: &[u8], file: &str, layout: &Layout) -> Result<Self> {
        let mut c = Cursor::new(bytes, file, layout.version);
        c.set_big_endian(layout.big);
        c.seek(layout.strls);
        c.tag("<strls>")?;
        let mut all = Vec::new();
        while c.tag_if("GSO") {
            let variable = c.number(4, "variable of a long string")? as u32;
            let observation = c.number(if layout.version == 117 { 4 } else { 8 }, "observation of a long string")?;
            let kind = c.u8("type of a long string")?;
            let len = c.size(4, "length of a long string")?;
            let start = c.at();
            c.take(len, "a long string")?;
            all.push(Entry { key: (variable, observation), start, len, text: kind == 130 });
        }
        c.tag("</strls>")?;
        all.sort_by_key(|e| e.key);
        Ok(Self(all))
    }

    /// The bytes of a long string, and whether they are text. (0, 0) is the empty one.
    pub(super) fn get<'a>(&self, bytes: &'a [u8], key: (u32, u64)) -> Option<(&'a [u8], bool)> {
        if key == (0, 0) {
            return Some((&[], true));
        }
        let entry = self.0.binary_search_by_key(&key, |e| e.key).ok().and_then(|i| self.0.get(i))?;
        Some((bytes.get(entry.start..entry.start + entry.len)?, entry.text))
    }
}
