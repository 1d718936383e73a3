//! What calamine does not tell about an `.xlsx`: whether its parts are safe to
//! unpack, which part holds which sheet, which rows are hidden, what is merged.

use std::io::{Cursor, Read, Seek};

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::Limits;
use super::archive::{damaged, read_bounded};
use super::workbook::Merge;
use crate::error::{Error, Place, Printable, Result};

/// Facts about one sheet that stand outside its cells.
#[derive(Default)]
pub(super) struct SheetFacts {
    /// Hidden rows, from 1, ascending.
    pub(super) hidden_rows: Vec<u64>,
    pub(super) merges: Vec<Merge>,
}

/// Unpacks, counted, every part that calamine reads while opening, refuses document
/// types in them, and returns the part of each sheet in workbook order.
pub(super) fn check_parts(
    archive: &mut ZipArchive<Cursor<Bytes>>,
    file: &str,
    limits: &Limits,
    unpacked: &mut u64,
) -> Result<Vec<String>> {
    let mut part = |name: &str| -> Result<Option<Vec<u8>>> {
        let Some(index) = find(archive, name) else {
            return Ok(None);
        };
        unpack(archive, index, limits, unpacked, &|| Place::file(format!("{file}/{name}"))).map(Some)
    };
    let missing = |name: &str| {
        Error::data(Place::file(file), format!("is no whole Excel workbook: its part `{}` is missing", Printable(name)))
    };
    let package = part("_rels/.rels")?.ok_or_else(|| missing("_rels/.rels"))?;
    let main = relationships(&package)
        .into_iter()
        .find(|r| r.kind.ends_with("/officeDocument"))
        .map_or_else(|| "xl/workbook.xml".to_owned(), |r| r.target.trim_start_matches('/').to_owned());
    let (folder, name) = main.rsplit_once('/').map_or(("", main.as_str()), |(f, n)| (f, n));
    let inside = |path: &str| {
        if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
    };
    let workbook = part(&main)?.ok_or_else(|| missing(&main))?;
    let rels = inside(&format!("_rels/{name}.rels"));
    let rels = part(&rels)?.ok_or_else(|| missing(&rels))?;
    part(&inside("sharedStrings.xml"))?;
    part(&inside("styles.xml"))?;

    let relationships = relationships(&rels);
    let mut paths = Vec::new();
    elements(&workbook, |element| {
        if element.local_name().as_ref() == "sheet" {
            let id = attribute(element, "id").unwrap_or_default();
            let target = relationships.iter().find(|r| r.id == id).map(|r| r.target.as_str()).unwrap_or_default();
            paths.push(target.strip_prefix('/').map_or_else(|| inside(target), str::to_owned));
        }
    });
    Ok(paths)
}

/// Reads one sheet through, counted and never held whole, refuses a document type
/// in it, and gives its facts and the bytes it unpacks to.
pub(super) fn check_sheet(
    archive: &mut ZipArchive<Cursor<Bytes>>,
    path: &str,
    place: &Place,
    limits: &Limits,
    unpacked: u64,
) -> Result<(SheetFacts, u64)> {
    let index = find(archive, path).ok_or_else(|| {
        Error::data(place.clone(), format!("its part `{}` is missing from the workbook", Printable(path)))
    })?;
    let stored = archive.central_directory_start().max(1);
    let mut member = archive.by_index(index).map_err(|e| damaged(&e, &place.file))?;
    let mut scan = Scan::default();
    let mut chunk = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let count = member.read(&mut chunk).map_err(|e| {
            let what = format!("is damaged or cut short: {}; fetch it again", Printable(&e.to_string()));
            Error::data(place.clone(), what)
        })?;
        bytes += count as u64;
        limits.check_unpacked(unpacked + bytes, stored, || place.clone())?;
        if count == 0 {
            scan.end(place)?;
            return Ok((scan.facts, bytes));
        }
        scan.feed(chunk.get(..count).unwrap_or_default(), limits, place)?;
    }
}

fn find<R: Read + Seek>(archive: &ZipArchive<R>, name: &str) -> Option<usize> {
    // Calamine finds parts whatever their case and slashes, so the check must too.
    archive.index_for_name(name).or_else(|| {
        let same = |n: &[u8]| String::from_utf8_lossy(n).replace('\\', "/").eq_ignore_ascii_case(name);
        archive.file_names_raw().position(same)
    })
}

fn unpack(
    archive: &mut ZipArchive<Cursor<Bytes>>,
    index: usize,
    limits: &Limits,
    unpacked: &mut u64,
    place: &impl Fn() -> Place,
) -> Result<Vec<u8>> {
    // Bytes before the directory: what all members together take at most.
    let stored = archive.central_directory_start().max(1);
    let member = archive.by_index(index).map_err(|e| damaged(&e, &place().file))?;
    let xml = read_bounded(member, unpacked, stored, limits, place)?;
    refuse_utf16(&xml, place)?;
    tags(&xml).try_for_each(|tag| refuse_document_type(tag, place))?;
    Ok(xml)
}

fn refuse_utf16(xml: &[u8], place: &impl Fn() -> Place) -> Result<()> {
    if xml.starts_with(b"\xff\xfe") || xml.starts_with(b"\xfe\xff") || xml.iter().take(4).any(|&b| b == 0) {
        let what = "is XML in UTF-16, which no spreadsheet program writes; save the workbook anew";
        return Err(Error::data(place(), what));
    }
    Ok(())
}

fn refuse_document_type(tag: &[u8], place: &impl Fn() -> Place) -> Result<()> {
    if tag.starts_with(b"!DOCTYPE") || tag.starts_with(b"!ENTITY") {
        let what = "defines a document type or entities, which no workbook needs; it is refused as hostile";
        return Err(Error::data(place(), what));
    }
    Ok(())
}

struct Relationship {
    id: String,
    kind: String,
    target: String,
}

fn relationships(xml: &[u8]) -> Vec<Relationship> {
    let mut all = Vec::new();
    elements(xml, |element| {
        if element.local_name().as_ref() == "Relationship" {
            let get = |name| attribute(element, name).unwrap_or_default();
            all.push(Relationship { id: get("Id"), kind: get("Type"), target: get("Target") });
        }
    });
    all
}

/// Calls `each` for every start tag; stops at the first thing that is not XML, which
/// calamine will report.
fn elements(xml: &[u8], mut each: impl FnMut(&BytesStart<'_>)) {
    let Ok(text) = std::str::from_utf8(xml) else {
        return;
    };
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(e) | Event::Empty(e)) => each(&e),
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.attributes().flatten().find(|a| a.key.local_name().as_ref() == name)?;
    found.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(|v| v.into_owned())
}

/// The inside of each tag, without a parser: facts are read from megabytes of rows
/// of which only the tags `row` and `mergeCell` matter.
fn tags(xml: &[u8]) -> impl Iterator<Item = &[u8]> {
    xml.split(|&b| b == b'<').skip(1)
}

/// Facts gathered tag by tag as a sheet goes by.
#[derive(Default)]
struct Scan {
    facts: SheetFacts,
    row: u64,
    /// What stands after the last `<` seen, which may go on in the next bytes.
    rest: Vec<u8>,
    begun: bool,
    /// Bytes of the cell that is open.
    cell: Option<u64>,
}

impl Scan {
    /// Takes the next bytes. A cell that no limit would let through is refused here,
    /// before the reader of cells makes one text of it.
    fn feed(&mut self, bytes: &[u8], limits: &Limits, place: &Place) -> Result<()> {
        // Escapes take up to ten bytes a character, tags of rich text more.
        const MARKUP: u64 = 16;
        let longest = (limits.cell_bytes as u64).saturating_mul(MARKUP);
        self.rest.extend_from_slice(bytes);
        let buffer = std::mem::take(&mut self.rest);
        if !self.begun {
            refuse_utf16(&buffer, &|| place.clone())?;
            self.begun = buffer.len() >= 4;
        }
        let last = buffer.iter().rposition(|&b| b == b'<').unwrap_or(0);
        let (whole, rest) = buffer.split_at(last);
        for tag in tags(whole) {
            self.tag(tag, place)?;
            let too_long = self.cell.is_some_and(|bytes| bytes > longest);
            if too_long {
                let bytes = usize::try_from(longest).unwrap_or(usize::MAX);
                limits.check_cell_bytes(bytes, || place.clone().row(self.row))?;
            }
        }
        if rest.len() as u64 > longest {
            limits.check_cell_bytes(rest.len(), || place.clone().row(self.row))?;
        }
        self.rest = rest.to_vec();
        Ok(())
    }

    /// No more bytes come.
    fn end(&mut self, place: &Place) -> Result<()> {
        let rest = std::mem::take(&mut self.rest);
        tags(&rest).try_for_each(|tag| self.tag(tag, place))?;
        self.facts.hidden_rows.sort_unstable();
        Ok(())
    }

    fn tag(&mut self, tag: &[u8], place: &Place) -> Result<()> {
        if let Some(bytes) = &mut self.cell {
            *bytes += tag.len() as u64;
        }
        match tag.first() {
            // Most tags of a sheet are these, and none is a row or a merged area.
            Some(b'v') => return Ok(()),
            Some(b'/') => {
                let name = tag.split(|b| matches!(b, b'>' | b' ')).next().unwrap_or_default();
                if name == b"/c" || name.ends_with(b":c") {
                    self.cell = None;
                }
                return Ok(());
            }
            _ => {}
        }
        refuse_document_type(tag, &|| place.clone())?;
        // Prefixes are allowed: `x:row`.
        let name_end = tag.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b':')).unwrap_or(tag.len());
        let (name, rest) = tag.split_at(name_end);
        let name = name.rsplit(|&b| b == b':').next().unwrap_or_default();
        if name == b"c" {
            self.cell = (!tag.trim_ascii_end().ends_with(b"/>")).then_some(tag.len() as u64);
            return Ok(());
        }
        if name != b"row" && name != b"mergeCell" {
            return Ok(());
        }
        self.cell = None;
        let end = rest.iter().position(|&b| b == b'>').unwrap_or(rest.len());
        let Ok(attributes) = std::str::from_utf8(rest.get(..end).unwrap_or_default()) else {
            return Ok(());
        };
        if name == b"row" {
            self.row = raw_attribute(attributes, "r").and_then(|r| r.parse().ok()).unwrap_or(self.row + 1);
            if matches!(raw_attribute(attributes, "hidden"), Some("1" | "true")) {
                self.facts.hidden_rows.push(self.row);
            }
        } else if let Some(merge) = raw_attribute(attributes, "ref").and_then(area) {
            self.facts.merges.push(merge);
        }
        Ok(())
    }
}

fn raw_attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    attributes.match_indices(name).find_map(|(at, _)| {
        let before = attributes[..at].chars().next_back()?;
        let rest = attributes[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        before.is_whitespace().then_some(())?;
        rest[1..].split(quote).next()
    })
}

/// `B2:C3`; columns from 0, rows from 1.
fn area(text: &str) -> Option<Merge> {
    let (from, to) = text.split_once(':')?;
    let ((c0, r0), (c1, r1)) = (cell(from)?, cell(to)?);
    (r0 <= r1 && c0 <= c1).then_some(Merge { rows: (r0, r1), columns: (c0, c1) })
}

fn cell(text: &str) -> Option<(usize, u64)> {
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = text.split_at(digits);
    let column = letters.bytes().try_fold(0usize, |n, b| {
        b.is_ascii_alphabetic()
            .then(|| n.checked_mul(26)?.checked_add(usize::from(b.to_ascii_uppercase() - b'A') + 1))
            .flatten()
    })?;
    Some((column.checked_sub(1)?, row.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_a_sheet() {
        let xml = br#"<sheetData><row r="2" spans="1:2" hidden="1"><c r="A2"/></row><x:row hidden = 'true'/><row/></sheetData>
            <mergeCells count="1"><mergeCell ref="B1:AA2"/><mergeCell ref="junk"/></mergeCells>"#;
        // The same whatever bytes come together.
        for size in [1, 2, 3, 7, 64, xml.len()] {
            let mut scan = Scan::default();
            let place = Place::file("a.xlsx");
            xml.chunks(size).try_for_each(|chunk| scan.feed(chunk, &Limits::default(), &place)).unwrap();
            scan.end(&place).unwrap();
            assert_eq!(scan.facts.hidden_rows, [2, 3]);
            assert_eq!(scan.facts.merges, [Merge { rows: (1, 2), columns: (1, 26) }]);
        }
    }

    #[test]
    fn a_cell_without_end_is_refused_as_it_comes() {
        let limits = Limits { cell_bytes: 10, ..Limits::default() };
        let place = Place::file("a.xlsx");
        let mut scan = Scan::default();
        scan.feed(b"<row r=\"7\"><c><is>", &limits, &place).unwrap();
        let runs = b"<r><t>more text</t></r>";
        let refused = (0..50).find_map(|_| scan.feed(runs, &limits, &place).err()).unwrap();
        assert!(refused.to_string().contains("row 7") && refused.to_string().contains("cell_bytes"), "{refused}");
        let mut scan = Scan::default();
        let refused = (0..50).find_map(|_| scan.feed(b"endless ", &limits, &place).err()).unwrap();
        assert!(refused.to_string().contains("cell_bytes"), "{refused}");
        let doctype = Scan::default().feed(b"<!DOCTYPE a><b/>", &limits, &place);
        assert!(doctype.unwrap_err().to_string().contains("document type"));
    }
}
