//! Writing to a local disk: whole, durable, and never over another writer's file.
//!
//! The store that reads is `object_store`'s; it puts a file into place without
//! flushing it, so that after a power cut a manifest could be there and empty.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// What has been done when, for tests that stop at each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The bytes are in a file of another name.
    Written,
    /// They are on the disk.
    Flushed,
    /// The file has its name.
    Placed,
    /// The name is on the disk.
    Durable,
}

/// Writes a file: bytes to a file beside it, flushed, then put into place, then
/// the folder flushed. A file that is there stays as it is, and `false` is returned.
///
/// Before [`Step::Placed`] an error leaves nothing behind; after it the file is
/// there and whole, though it may not survive a power cut.
pub(super) fn write(path: &Path, bytes: &[u8], step: &mut dyn FnMut(Step) -> io::Result<()>) -> io::Result<bool> {
    let folder = path.parent().unwrap_or(path);
    make_folder(folder)?;
    let (mut file, staged) = stage(path)?;
    let mut placed = || -> io::Result<bool> {
        file.write_all(bytes)?;
        step(Step::Written)?;
        file.sync_all()?;
        step(Step::Flushed)?;
        // A link is refused where there is a file, a rename is not.
        match fs::hard_link(&staged, path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(e),
        }
    };
    let outcome = placed();
    // What cannot be removed here, `gc` takes.
    let _ = fs::remove_file(&staged);
    if outcome? {
        step(Step::Placed)?;
        flush_folder(folder)?;
        step(Step::Durable)?;
        return Ok(true);
    }
    Ok(false)
}

/// A file that takes the place of another when it is whole: until then it has another name beside it.
#[derive(Debug)]
pub struct Replacement {
    file: File,
    staged: PathBuf,
    path: PathBuf,
    placed: bool,
}

impl Replacement {
    /// Begins one, with the folders above it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn of(path: &Path) -> io::Result<Self> {
        make_folder(path.parent().unwrap_or(path))?;
        let (file, staged) = stage(path)?;
        Ok(Self { file, staged, path: path.to_owned(), placed: false })
    }

    /// Flushes it and puts it into place.
    ///
    /// # Errors
    /// Those of the disk; then what was there is there.
    pub fn place(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.staged, &self.path)?;
        self.placed = true;
        flush_folder(self.path.parent().unwrap_or(&self.path))
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.placed {
            // What cannot be removed is a file that nobody reads.
            let _ = fs::remove_file(&self.staged);
        }
    }
}

/// A new file beside `path`, `name#1` or the next number that is free: names that
/// listings of the store leave out and `gc` knows.
fn stage(path: &Path) -> io::Result<(File, PathBuf)> {
    let mut number = 1u64;
    loop {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!("#{number}"));
        let staged = path.with_file_name(name);
        match OpenOptions::new().write(true).create_new(true).open(&staged) {
            Ok(file) => return Ok((file, staged)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(e) => return Err(e),
        }
    }
}

/// Makes the folder and those above it that are not there, durably.
fn make_folder(folder: &Path) -> io::Result<()> {
    let new: Vec<&Path> = folder.ancestors().take_while(|f| !f.exists()).collect();
    fs::create_dir_all(folder)?;
    for made in new {
        made.parent().map_or(Ok(()), flush_folder)?;
    }
    Ok(())
}

/// Folders can be opened, and flushed, on Unix only; elsewhere names are durable by themselves.
fn flush_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .map(|all| all.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }

    #[test]
    fn flushed_before_it_has_its_name() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("manifest/00000001.json");
        let mut steps = Vec::new();
        let mut watch = |step| {
            let there = path.exists();
            steps.push(step);
            assert_eq!(there, matches!(step, Step::Placed | Step::Durable), "{step:?}");
            Ok(())
        };
        assert!(write(&path, b"whole", &mut watch).unwrap());
        assert_eq!(steps, [Step::Written, Step::Flushed, Step::Placed, Step::Durable]);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn a_replacement_is_seen_when_it_is_whole() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("new/f.csv");
        for text in ["one", "two"] {
            let mut file = Replacement::of(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            assert_ne!(fs::read_to_string(&path).unwrap_or_default(), text);
            file.place().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let mut left = Replacement::of(&path).unwrap();
        left.write_all(b"thr").unwrap();
        drop(left);
        assert_eq!(
            (fs::read_to_string(&path).unwrap().as_str(), names(&root.path().join("new"))),
            ("two", vec!["f.csv".to_owned()])
        );
    }

    #[test]
    fn stopped_at_any_step_it_is_whole_or_absent() {
        for stop in [Step::Written, Step::Flushed, Step::Placed, Step::Durable] {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join("a/b/f.parquet");
            let mut full = |step| if step == stop { Err(ErrorKind::StorageFull.into()) } else { Ok(()) };
            assert_eq!(write(&path, b"whole", &mut full).unwrap_err().kind(), ErrorKind::StorageFull);
            let expected: &[&str] = if matches!(stop, Step::Written | Step::Flushed) { &[] } else { &["f.parquet"] };
            assert_eq!(names(path.parent().unwrap()), expected, "{stop:?}");
        }
    }

    #[test]
    fn a_file_that_is_there_stays() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f.json");
        let mut go = |_| Ok(());
        // A killed writer's file does not stand in the way.
        fs::write(root.path().join("f.json#1"), "half").unwrap();
        assert!(write(&path, b"first", &mut go).unwrap());
        assert!(!write(&path, b"second", &mut go).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(root.path()), ["f.json", "f.json#1"]);
    }
}
