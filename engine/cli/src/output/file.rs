//! Files that appear whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Output to a path, written beside it and renamed over it by [`commit`].
/// Dropped without that, it leaves what was there before. Pipes and devices
/// (`/dev/null`, a FIFO) cannot be renamed over and are written directly.
///
/// [`commit`]: OutputFile::commit
pub(crate) struct OutputFile {
    path: PathBuf,
    /// The file beside the target; None when writing directly.
    temporary: Option<PathBuf>,
    file: BufWriter<File>,
}

impl OutputFile {
    /// Opens the output; the target is not touched yet.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        // Renaming would replace a symbolic link itself, so follow it first.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let existing = fs::metadata(&path).ok();
        if existing.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        if existing.as_ref().is_some_and(|meta| !meta.is_file()) {
            let file = OpenOptions::new().write(true).open(&path)?;
            return Ok(Self { path, temporary: None, file: BufWriter::new(file) });
        }
        let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?;
        let temporary = path.with_file_name(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&temporary)?;
        if let Some(existing) = existing {
            fs::set_permissions(&temporary, existing.permissions())?;
        }
        Ok(Self { path, temporary: Some(temporary), file: BufWriter::new(file) })
    }

    /// False for a pipe or device, which nothing can stand beside.
    pub(crate) fn is_file(&self) -> bool {
        self.temporary.is_some()
    }

    /// Where the output stands; what follows can be taken back with [`OutputFile::rewind`].
    pub(crate) fn mark(&mut self) -> io::Result<u64> {
        if self.temporary.is_none() {
            return Ok(0);
        }
        self.file.stream_position()
    }

    /// Forgets what a failed statement wrote since `mark`.
    pub(crate) fn rewind(&mut self, mark: u64) -> io::Result<()> {
        if self.temporary.is_none() {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(mark))?;
        self.file.get_ref().set_len(mark)
    }

    /// Makes the output visible under its name.
    pub(crate) fn commit(mut self) -> io::Result<()> {
        self.file.flush()?;
        let Some(temporary) = &self.temporary else { return Ok(()) };
        self.file.get_ref().sync_all()?;
        fs::rename(temporary, &self.path)?;
        self.temporary = None;
        Ok(())
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Nobody is left to tell, and the target is untouched either way.
            let _ = fs::remove_file(temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        fs::write(&path, "old").unwrap();
        let mut file = OutputFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");

        let mut file = OutputFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        let mark = file.mark().unwrap();
        file.write_all(b" and a failure").unwrap();
        file.rewind(mark).unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(listing(folder.path()), ["x.csv"], "nothing left beside it");
    }

    #[test]
    fn devices_are_written_directly() {
        let mut file = OutputFile::create(Path::new("/dev/null")).unwrap();
        file.write_all(b"x").unwrap();
        file.commit().unwrap();
        assert!(OutputFile::create(&std::env::temp_dir()).is_err());
    }
}
