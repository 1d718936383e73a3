//! Downloads on disk: `<folder>/<dataset>/<file>`, whole or not there.
//!
//! ```text
//! file          whole, checked, and dated as the publisher dates it
//! file.fetch    where it is from, its validators and its checksum
//! file.part     what came so far, and file.part.fetch, what is needed to go on
//! lock          held by the process that downloads
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use chrono::Datelike;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Event, Events};
use crate::error::{Error, Printable, Result};

/// What is known of a file, or of the part of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// Where it is from.
    pub(super) url: String,
    /// The publisher's mark of this content.
    pub(super) etag: Option<String>,
    /// The publisher's date of it, as it was written.
    pub(super) last_modified: Option<String>,
    /// When the answer was made, as it was written.
    pub(super) date: Option<String>,
    /// Bytes of the whole, where the publisher said.
    pub(super) bytes: Option<u64>,
    /// SHA-256 of the whole; of a part, what the publisher said it will be, in base 64.
    pub(super) sha256: Option<String>,
}

impl Note {
    /// What proves that content is byte for byte the same.
    pub(super) fn strong(&self) -> Option<&str> {
        if let Some(etag) = self.etag.as_deref() {
            return Some(etag).filter(|e| e.starts_with('"'));
        }
        // A date says nothing of a second change within its second, unless it was long past.
        let at = |text: &Option<String>| super::retry::http_date(text.as_deref()?);
        let (modified, answered) = (at(&self.last_modified)?, at(&self.date)?);
        (answered - modified >= chrono::TimeDelta::seconds(60)).then_some(self.last_modified.as_deref()).flatten()
    }
}

/// The folder of a dataset, held by this process until it is dropped.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    _lock: File,
}

impl Cache {
    /// Opens the folder and waits for another process that downloads into it.
    pub(super) fn open(folder: &Path, dataset: &str, events: &Events<'_>) -> Result<Self> {
        let folder = folder.join(dataset);
        fs::create_dir_all(&folder).map_err(|e| cannot("make", &folder, e))?;
        let path = folder.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|e| cannot("write", &path, e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                events(Event::Waiting);
                lock.lock().map_err(|e| cannot("lock", &path, e))?;
            }
            Err(TryLockError::Error(e)) => return Err(cannot("lock", &path, e)),
        }
        Ok(Self { folder, _lock: lock })
    }

    /// What is here, by name; files that were changed are found out when they are used.
    pub(super) fn notes(&self) -> Result<Vec<(String, Note)>> {
        let entries = fs::read_dir(&self.folder).map_err(|e| cannot("read", &self.folder, e))?;
        let paths = entries.flatten().map(|e| e.path());
        let of = |path: PathBuf| {
            let name = path.file_name()?.to_str()?.strip_suffix(".fetch")?.to_owned();
            (!name.ends_with(".part")).then_some(())?;
            Some((name, read_note(&path)?))
        };
        Ok(paths.filter_map(of).collect())
    }

    /// The places of a file.
    pub(super) fn slot(&self, name: &str) -> Result<Slot> {
        Ok(Slot { path: self.folder.join(sound(name)?) })
    }
}

/// A name for a file, of a descriptor or of the last part of an address.
fn sound(name: &str) -> Result<&str> {
    const LONGEST: usize = 200;
    let few = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c));
    let ours = [".part", ".fetch"].iter().any(|ending| name.ends_with(ending)) || name == "lock";
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let device = ["con", "prn", "aux", "nul"].contains(&stem.as_str());
    if few
        && !ours
        && !device
        && !name.is_empty()
        && !name.starts_with('.')
        && !name.ends_with('.')
        && name.len() <= LONGEST
    {
        return Ok(name);
    }
    Err(Error::Fetch(format!("the publisher's file name `{}` is none that this program writes", Printable(name))))
}

/// One file.
#[derive(Debug)]
pub(super) struct Slot {
    path: PathBuf,
}

impl Slot {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(ending);
        self.path.with_file_name(name)
    }

    fn part(&self) -> PathBuf {
        self.beside(".part")
    }

    /// What is known of the whole file of that address, if it is there and as it was written.
    pub(super) fn kept(&self, url: &str) -> Option<Note> {
        let note = read_note(&self.beside(".fetch")).filter(|n| n.url == url)?;
        let found = sha256(&self.path).ok()?;
        (note.sha256.as_deref() == Some(&found)).then_some(note)
    }

    /// What is known of the part of that address, and its bytes, if it can be gone on with.
    pub(super) fn begun(&self, url: &str) -> Option<(Note, u64)> {
        let note = read_note(&self.beside(".part.fetch")).filter(|n| n.url == url && n.strong().is_some())?;
        let bytes = fs::metadata(self.part()).ok()?.len();
        let fits = note.bytes.is_none_or(|whole| bytes <= whole);
        (bytes > 0 && fits).then_some((note, bytes))
    }

    /// Begins a part anew: what is needed to go on is on disk before the first byte is.
    pub(super) fn begin(&self, note: &Note) -> Result<File> {
        self.forget_part()?;
        write_note(&self.beside(".part.fetch"), note)?;
        let path = self.part();
        File::create(&path).map_err(|e| cannot("write", &path, e))
    }

    /// Goes on with a part.
    pub(super) fn go_on(&self) -> Result<File> {
        let path = self.part();
        OpenOptions::new().append(true).open(&path).map_err(|e| cannot("write", &path, e))
    }

    /// Removes the part.
    pub(super) fn forget_part(&self) -> Result<()> {
        for path in [self.part(), self.beside(".part.fetch")] {
            match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(cannot("remove", &path, e)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the file, so that it is not taken for one that may be used.
    pub(super) fn forget(&self) -> Result<()> {
        match fs::remove_file(self.beside(".fetch")).and_then(|()| fs::remove_file(&self.path)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(cannot("remove", &self.path, e)),
            _ => Ok(()),
        }
    }

    /// Path of the part, its bytes and their checksum.
    pub(super) fn finished(&self) -> Result<(PathBuf, u64, String)> {
        let path = self.part();
        let hashed = sha256(&path).and_then(|sha256| Ok((fs::metadata(&path)?.len(), sha256)));
        let (bytes, sha256) = hashed.map_err(|e| cannot("read", &path, e))?;
        Ok((path, bytes, sha256))
    }

    /// Gives a part that is whole its name. A process that is killed in between leaves a file
    /// without its note, which is not used.
    pub(super) fn place(&self, note: &Note) -> Result<()> {
        let part = self.part();
        let placed = || -> io::Result<()> {
            let file = OpenOptions::new().write(true).open(&part)?;
            // Sources that state no edition take the date of the file for it.
            let modified = note.last_modified.as_deref().and_then(super::retry::http_date);
            // Servers that do not know it say the year 1 or 1970.
            if let Some(modified) = modified.filter(|day| (1990..2200).contains(&day.year())) {
                file.set_modified(modified.into())?;
            }
            file.sync_all()?;
            match fs::remove_file(self.beside(".fetch")) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            fs::rename(&part, &self.path)
        };
        placed().map_err(|e| cannot("write", &self.path, e))?;
        write_note(&self.beside(".fetch"), note)?;
        self.forget_part()
    }
}

/// A failure of the disk, of which the user knows what to do.
pub(super) fn cannot(what: &str, path: &Path, error: io::Error) -> Error {
    Error::Fetch(format!("cannot {what} `{}`: {error}; setting `fetch.folder` names another folder", path.display()))
}

fn read_note(path: &Path) -> Option<Note> {
    const MOST: u64 = 64 << 10;
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn write_note(path: &Path, note: &Note) -> Result<()> {
    let write = || -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(note)?;
        text.push(b'\n');
        let mut beside = path.as_os_str().to_owned();
        beside.push("#");
        let beside = PathBuf::from(beside);
        let mut file = File::create(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|e| cannot("write", path, e))
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => digest.update(buffer.get(..n).unwrap_or_default()),
        }
    }
    Ok(digest.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_only_names() {
        for good in ["WDI_CSV_2026_01_29.zip", "a.json", "x-1+2.csv"] {
            assert!(sound(good).is_ok(), "{good}");
        }
        for bad in [
            "", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a.part", "a.fetch", "lock", "NUL.zip", "a b", "a:", "é",
            "x.",
        ] {
            assert!(sound(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_proves_that_nothing_changed() {
        let note = |etag: Option<&str>, modified: Option<&str>, date: Option<&str>| {
            let text = |t: Option<&str>| t.map(str::to_owned);
            Note { etag: text(etag), last_modified: text(modified), date: text(date), ..Note::default() }
        };
        let (early, late) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:51:00 GMT");
        assert_eq!(note(Some("\"a\""), None, None).strong(), Some("\"a\""));
        assert_eq!(note(Some("W/\"a\""), Some(early), Some(late)).strong(), None);
        assert_eq!(note(None, Some(early), Some(late)).strong(), Some(early));
        assert_eq!(note(None, Some(early), Some(early)).strong(), None);
        assert_eq!(note(None, Some(early), None).strong(), None);
        assert_eq!(note(None, None, None).strong(), None);
    }
}
