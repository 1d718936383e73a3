//! Puts a page in its place whole or not at all.

use super::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `text` to `path` through a file beside it and a rename, so that a
/// reader sees the old page or the new one.
pub(crate) fn page(path: &Path, text: &str) -> Result<(), Error> {
    write(path, text).map_err(|source| Error::Write { path: path.display().to_string(), source })
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path does not end in a file name"))?;
    if path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "the path is a folder"));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.part", std::process::id()));
    let part = folder.join(hidden);
    let done = fill(&part, text).and_then(|()| std::fs::rename(&part, path));
    if done.is_err() {
        remove(part);
    }
    done
}

fn fill(part: &PathBuf, text: &str) -> io::Result<()> {
    let mut file = File::create_new(part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The error that led here is the one to report; a file that was never made
/// cannot be removed either.
fn remove(part: PathBuf) {
    let _ignored = std::fs::remove_file(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_the_old_page_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("brief.html");
        page(&path, "old").unwrap();
        page(&path, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn errors_name_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/brief.html");
        let error = page(&path, "x").unwrap_err().to_string();
        assert!(error.contains("none/brief.html") && error.contains("nothing was changed"), "{error}");
        let error = page(folder.path(), "x").unwrap_err().to_string();
        assert!(error.contains("is a folder"), "{error}");
    }
}
