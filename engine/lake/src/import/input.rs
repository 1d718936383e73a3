//! The files of one import: collected, unpacked, checksummed, and read on demand.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};

use crate::error::{Error, Place, Result};
use crate::lake::{checksum, checksum_of};
use crate::read::{Grid, Kind, Limits, Row, TextGrid, Workbook, gunzip, kind_of, packed_on, plain, read_csv, unzip};

/// A file to import, and what it is: in memory, unless an importer reads its kind from disk.
#[derive(Debug)]
pub struct Input {
    /// Name for messages and for table `source`; members of an archive as `archive.zip/member`.
    pub name: String,
    /// The bytes; of a file that is read from disk, its beginning.
    pub bytes: Bytes,
    /// Number of bytes of the file.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What the bytes are, by content.
    pub kind: Kind,
    /// When the file was last modified.
    pub modified: Option<NaiveDate>,
    /// Day of the newest member of the archive that the file was in.
    pub packed: Option<NaiveDate>,
    /// Named by the user, not found in a folder or archive: must be understood.
    pub named: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Text(TextGrid),
    Large(Large),
    /// Columns that stay on disk.
    Columns(OnDisk),
    Book(Box<Mutex<Book>>),
    Other,
}

/// A text that stays on disk.
#[derive(Debug)]
struct Large {
    at: OnDisk,
    /// Its first records.
    head: TextGrid,
}

/// A file that is not held, and when it was changed last.
#[derive(Debug)]
struct OnDisk {
    path: PathBuf,
    modified: Option<SystemTime>,
}

/// A text of more bytes is left on disk, if an importer reads its kind from there:
/// as cells it takes about ten times as much.
const HELD: u64 = 16 << 20;

/// Columns of more bytes are left there too: one import can have hundreds of such files.
const COLUMNS_HELD: u64 = 1 << 20;

/// Bytes of the beginning of such a text, to know it by.
const HEAD: usize = 64 << 10;

const CHANGED: &str = "was changed while it was read; import it again when it is whole";

const NO_LINE_END: &str =
    "the last line has no line end, so the file seems cut off; fetch it again, or add a line end if it is whole";

struct Book {
    workbook: Workbook,
    sheets: Vec<String>,
    grids: HashMap<String, Arc<Grid>>,
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book").field("sheets", &self.sheets).finish_non_exhaustive()
    }
}

impl Input {
    fn new(name: String, bytes: Vec<u8>, modified: Option<NaiveDate>, named: bool) -> Self {
        let bytes = Bytes::from(bytes);
        Self {
            sha256: checksum(&bytes),
            size: bytes.len() as u64,
            kind: kind_of(&bytes),
            name,
            bytes,
            modified,
            packed: None,
            named,
            content: Content::Other,
        }
    }

    /// Reads the text, or opens the workbook; other kinds stay bytes.
    fn open(mut self, limits: &Limits) -> Result<Self> {
        self.content = match self.kind {
            Kind::Csv => match read_csv(&self.bytes, &self.name, limits) {
                Ok(text) => Content::Text(text),
                // Prose beside the data is no table, so it need not be a sound one.
                Err(_) if !self.named && !self.says_table() => Content::Other,
                Err(e) => return Err(e),
            },
            Kind::Xlsx | Kind::Xls => {
                let workbook = Workbook::open(self.bytes.clone(), &self.name, limits)?;
                let sheets = workbook.sheets().iter().map(|s| s.name.clone()).collect();
                Content::Book(Box::new(Mutex::new(Book { workbook, sheets, grids: HashMap::new() })))
            }
            _ => Content::Other,
        };
        Ok(self)
    }

    /// True if its name says that it is a table as text, or a workbook.
    pub(super) fn says_table(&self) -> bool {
        let name = self.name.to_lowercase();
        [".csv", ".tsv", ".tab", ".txt", ".xls", ".xlsx"].iter().any(|ending| name.ends_with(ending))
    }

    /// This file as a place for messages.
    pub fn place(&self) -> Place {
        Place::file(&self.name)
    }

    /// The rows of a text file, `None` for another kind.
    pub fn text(&self) -> Option<&Grid> {
        match &self.content {
            Content::Text(text) => Some(&text.grid),
            _ => None,
        }
    }

    /// The first records of a text file, header first, wherever the rest is; `None` for another kind.
    pub fn opening(&self) -> Option<&Grid> {
        match &self.content {
            Content::Large(large) => Some(&large.head.grid),
            _ => self.text(),
        }
    }

    /// The delimiter of a text file, and the text as UTF-8 to be read from its
    /// beginning; `None` for another kind.
    pub fn reader(&self) -> Result<Option<(u8, Box<dyn Read + Send + '_>)>> {
        match &self.content {
            Content::Large(large) => {
                let path = &large.at.path;
                let file = File::open(path).map_err(|source| io(path, source))?;
                Ok(Some((large.head.delimiter, Box::new(file))))
            }
            Content::Text(text) if text.encoding.starts_with("utf-8") && !lone_returns(&self.bytes) => {
                Ok(Some((text.delimiter, Box::new(self.bytes.as_ref()))))
            }
            Content::Text(text) => {
                // Lines are counted by line feeds.
                let plain = plain(&self.bytes).replace("\r\n", "\n").replace('\r', "\n");
                Ok(Some((text.delimiter, Box::new(std::io::Cursor::new(plain)))))
            }
            _ => Ok(None),
        }
    }

    /// All bytes, read anew where they are on disk, and checked there to be those of the checksum.
    pub fn whole_bytes(&self) -> Result<Bytes> {
        let Content::Columns(at) = &self.content else { return Ok(self.bytes.clone()) };
        let bytes = std::fs::read(&at.path).map_err(|source| io(&at.path, source))?;
        if checksum(&bytes) != self.sha256 {
            return Err(Error::data(self.place(), CHANGED));
        }
        Ok(bytes.into())
    }

    /// The last bytes of the file, so many or as many as it has.
    pub fn tail(&self, count: usize) -> Result<Bytes> {
        let Content::Columns(at) = &self.content else {
            return Ok(self.bytes.slice(self.bytes.len().saturating_sub(count)..));
        };
        let mut tail = Vec::with_capacity(count);
        let from = self.size.saturating_sub(count as u64);
        let read = File::open(&at.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(from))?;
            file.take(count as u64).read_to_end(&mut tail)
        });
        read.map_err(|source| io(&at.path, source))?;
        Ok(tail.into())
    }

    /// Refuses a file on disk that is not as it was when its checksum was taken.
    pub fn unchanged(&self) -> Result<()> {
        let (Content::Large(Large { at, .. }) | Content::Columns(at)) = &self.content else { return Ok(()) };
        let now = std::fs::metadata(&at.path).map_err(|source| io(&at.path, source))?;
        if now.len() == self.size && now.modified().ok() == at.modified {
            return Ok(());
        }
        Err(Error::data(self.place(), CHANGED))
    }

    /// The sheets of a workbook, none for another kind.
    pub fn sheets(&self) -> Vec<String> {
        match &self.content {
            Content::Book(book) => book.lock().unwrap_or_else(PoisonError::into_inner).sheets.clone(),
            _ => Vec::new(),
        }
    }

    /// A sheet's rows, read once.
    pub fn sheet(&self, name: &str) -> Result<Arc<Grid>> {
        let Content::Book(book) = &self.content else {
            return Err(Error::data(self.place(), format!("is not a workbook, so it has no sheet `{name}`")));
        };
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(grid) = book.grids.get(name) {
            return Ok(Arc::clone(grid));
        }
        let grid = Arc::new(book.workbook.grid(name)?);
        book.grids.insert(name.to_owned(), Arc::clone(&grid));
        Ok(grid)
    }

    /// The rows of a sheet, one at a time until `each` says false: for sheets that
    /// would not fit into memory as a grid.
    pub fn each_row(&self, name: &str, each: &mut dyn FnMut(&Row) -> Result<bool>) -> Result<()> {
        let Content::Book(book) = &self.content else {
            return Err(Error::data(self.place(), format!("is not a workbook, so it has no sheet `{name}`")));
        };
        book.lock().unwrap_or_else(PoisonError::into_inner).workbook.each_row(name, each)
    }

    /// The first rows of a sheet: enough to recognise it without holding all of it.
    pub fn head(&self, name: &str, rows: usize) -> Result<Grid> {
        let mut grid = Grid { file: self.name.clone(), sheet: Some(name.to_owned()), rows: Vec::new() };
        self.each_row(name, &mut |row| {
            grid.rows.push(row.clone());
            Ok(grid.rows.len() < rows)
        })?;
        Ok(grid)
    }

    /// The date of the edition of a file that states none: `asked`, or the day the file
    /// was last modified, which `notes` says.
    pub(super) fn edition_day(&self, asked: Option<NaiveDate>, notes: &mut Vec<String>) -> Result<NaiveDate> {
        match (asked, self.modified) {
            (Some(day), _) => Ok(day),
            (None, Some(day)) => {
                notes.push(format!(
                    "the file states no edition: vintage {day} is the day it was last modified; --vintage sets another"
                ));
                Ok(day)
            }
            (None, None) => Err(Error::data(self.place(), "states no edition; say its date with --vintage YYYY-MM-DD")),
        }
    }

    /// Refuses a text that may have been cut within its last record: a download that
    /// ends there may have lost digits of a number, and nothing else would show it.
    ///
    /// Whole is a record with a line end; one with a delimiter after its last named
    /// column, as the trailing comma of the World Bank's; one whose last value is a
    /// number or a code in closed quotes; and one whose last value `complete`, given
    /// the column's name, knows to be the beginning of no longer one.
    pub(super) fn whole(&self, header: &Row, complete: impl Fn(&str, &str) -> bool) -> Result<()> {
        let text = match &self.content {
            Content::Text(text) => text,
            Content::Large(large) => return self.ends(&large.at.path),
            _ => return Ok(()),
        };
        let Some(last) = text.grid.rows.last() else { return Ok(()) };
        let end = self.bytes.iter().rev().find(|b| **b != 0).copied();
        if matches!(end, Some(b'\n' | b'\r')) || self.is_whole(header, last, text, end, complete) {
            return Ok(());
        }
        Err(Error::data(self.place().row(last.number), NO_LINE_END))
    }

    /// Refuses a text on disk without a line end at its end.
    fn ends(&self, path: &Path) -> Result<()> {
        let mut last = [0];
        let read = File::open(path).and_then(|mut file| {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)
        });
        read.map_err(|source| io(path, source))?;
        if matches!(last, [b'\n' | b'\r']) { Ok(()) } else { Err(Error::data(self.place(), NO_LINE_END)) }
    }

    fn is_whole(
        &self,
        header: &Row,
        last: &Row,
        text: &TextGrid,
        end: Option<u8>,
        complete: impl Fn(&str, &str) -> bool,
    ) -> bool {
        let named = header.cells.iter().rposition(|c| !c.is_blank()).map_or(0, |i| i + 1);
        // UTF-16 may be cut within a character, so its last byte says nothing; a cut header is none.
        if named == 0 || last.number == header.number || text.encoding.starts_with("utf-16") {
            return false;
        }
        if last.cells.len() != named {
            return last.cells.len() > named;
        }
        let (Some(name), Some(value)) = (header.cells.get(named - 1), last.cells.last()) else { return false };
        let (name, value) = (name.text(), value.text());
        if end == Some(b'"') {
            // In words the quote could be the first of two that stand for one.
            return value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b));
        }
        complete(&name, &value)
    }

    /// The file name without folders or archive.
    pub fn base_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// Reads the files and folders a user named. Archives are unpacked in memory;
/// hidden files are passed over; folders are walked in name order.
/// A large text that `streams` knows by its beginning stays on disk.
pub(super) fn collect(paths: &[PathBuf], limits: &Limits, streams: &dyn Fn(&Grid) -> bool) -> Result<Vec<Input>> {
    let mut files = Vec::new();
    for path in paths {
        let metadata = std::fs::metadata(path).map_err(|source| io(path, source))?;
        if metadata.is_dir() {
            let from = files.len();
            walk(path, &mut files, limits)?;
            for (found, name, _) in files.iter_mut().skip(from) {
                *name = below(path, found);
            }
        } else {
            files.push((path.clone(), base(path), true));
        }
    }
    if files.is_empty() {
        return Err(Error::Usage("there is no file to import in the folders given".to_owned()));
    }
    let mut inputs = Vec::new();
    for (path, name, named) in files {
        match large(&path, &name, named, limits, streams)? {
            Some(input) => inputs.push(input),
            None => read(&path, name, named, limits, &mut inputs)?,
        }
    }
    Ok(inputs)
}

fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io { path: path.display().to_string(), source }
}

fn base(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}

/// The path of a file below the folder the user named: names alone repeat.
fn below(folder: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(folder).unwrap_or(path).iter();
    parts.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn walk(folder: &Path, files: &mut Vec<(PathBuf, String, bool)>, limits: &Limits) -> Result<()> {
    let mut entries = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect::<std::io::Result<Vec<_>>>())
        .map_err(|source| io(folder, source))?;
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if hidden || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            walk(&path, files, limits)?;
        } else {
            let name = base(&path);
            files.push((path, name, false));
        }
        limits.check_files(files.len(), || Place::file(folder.display().to_string()))?;
    }
    Ok(())
}

/// True if a line ends with a carriage return alone, as on old Macs.
fn lone_returns(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|w| matches!(w, [b'\r', next] if *next != b'\n'))
}

/// The file as one that stays on disk, if it is such a one.
fn large(
    path: &Path,
    name: &str,
    named: bool,
    limits: &Limits,
    streams: &dyn Fn(&Grid) -> bool,
) -> Result<Option<Input>> {
    let failed = |source| io(path, source);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if metadata.len() <= COLUMNS_HELD {
        return Ok(None);
    }
    let mut file = File::open(path).map_err(failed)?;
    let mut head = Vec::with_capacity(HEAD);
    (&mut file).take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
    let modified = metadata.modified().ok();
    let day = modified.map(|t| DateTime::<Utc>::from(t).date_naive());
    if kind_of(&head) == Kind::Parquet {
        limits.check_file(metadata.len(), name)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        return Ok(Some(Input {
            sha256: checksum_of(&mut file).map_err(failed)?,
            size: metadata.len(),
            modified: day,
            content: Content::Columns(OnDisk { path: path.to_owned(), modified }),
            ..Input::new(name.to_owned(), head, None, named)
        }));
    }
    if metadata.len() <= HELD {
        return Ok(None);
    }
    // Without its last record, which is not whole.
    head.truncate(head.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1));
    if kind_of(&head) != Kind::Csv {
        return Ok(None);
    }
    let Ok(text) = read_csv(&head, name, limits) else { return Ok(None) };
    if !text.encoding.starts_with("utf-8") || !streams(&text.grid) {
        return Ok(None);
    }
    limits.check_streamed(metadata.len(), || Place::file(name))?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    Ok(Some(Input {
        sha256: checksum_of(&mut file).map_err(failed)?,
        size: metadata.len(),
        modified: day,
        content: Content::Large(Large { at: OnDisk { path: path.to_owned(), modified }, head: text }),
        ..Input::new(name.to_owned(), head, None, named)
    }))
}

fn read(path: &Path, name: String, named: bool, limits: &Limits, inputs: &mut Vec<Input>) -> Result<()> {
    let metadata = std::fs::metadata(path).map_err(|source| io(path, source))?;
    limits.check_file(metadata.len(), &name)?;
    let bytes = std::fs::read(path).map_err(|source| io(path, source))?;
    let modified = metadata.modified().ok().map(|t| DateTime::<Utc>::from(t).date_naive());
    unpack(name, bytes, modified, named, limits, inputs)
}

fn unpack(
    name: String,
    bytes: Vec<u8>,
    modified: Option<NaiveDate>,
    named: bool,
    limits: &Limits,
    inputs: &mut Vec<Input>,
) -> Result<()> {
    match kind_of(&bytes) {
        Kind::Gzip => {
            let inner = gunzip(&bytes, &name, limits)?;
            // One layer only: a file packed twice is nobody's edition.
            inputs.push(Input::new(name, inner, modified, named).open(limits)?);
        }
        Kind::Zip => {
            let packed = packed_on(&bytes);
            for (member, inner) in unzip(&bytes, &name, limits)? {
                // Such as `__MACOSX/._data.csv`.
                if member.starts_with('.') {
                    continue;
                }
                let input = Input { packed, ..Input::new(format!("{name}/{member}"), inner, modified, false) };
                inputs.push(input.open(limits)?);
            }
        }
        _ => inputs.push(Input::new(name, bytes, modified, named).open(limits)?),
    }
    Ok(())
}
