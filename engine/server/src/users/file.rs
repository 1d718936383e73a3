//! The file on disk: read if it is private, replaced in one step.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::UsersError;

/// A users file as it was read.
pub(super) struct Found {
    pub(super) text: String,
    metadata: fs::Metadata,
}

/// Reads a file that only its owner may read. The mode is looked at on the open file, so that
/// it is the mode of what is read.
pub(super) fn read(path: &Path) -> Result<Found, UsersError> {
    let failed = |source| UsersError::Io { what: "read", path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(UsersError::Missing { path: path.to_owned() });
        }
        opened => opened.map_err(failed)?,
    };
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    check_mode(path, &metadata)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(error.as_bytes().get(..at).unwrap_or_default()).into_owned();
        UsersError::wrong(path, &before, at, "bytes that are not UTF-8")
    })?;
    Ok(Found { text, metadata })
}

/// Keeps other processes that change the file waiting until it is dropped. `None` where the
/// system has no such lock: then the last of two changes at one time wins.
pub(super) fn hold(path: &Path) -> Option<File> {
    let folder = File::open(folder(&target(path))).ok()?;
    folder.lock().ok()?;
    Some(folder)
}

/// Writes the whole file beside the old one and puts it in its place: whoever reads it sees
/// one or the other. It belongs to whom the old one belonged to, who alone may read it.
pub(super) fn write(path: &Path, text: &str, before: Option<&Found>) -> Result<(), UsersError> {
    let target = target(path);
    let failed = |source| UsersError::Io { what: "write", path: target.clone(), source };
    let new = beside(&target).map_err(failed)?;
    let written = fill(&new, text, before)
        .and_then(|()| fs::rename(&new, &target))
        .and_then(|()| File::open(folder(&target)).and_then(|folder| folder.sync_all()).or_else(unless_unix));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written.map_err(failed)
}

/// What a symbolic link points at, so that it is not replaced by a file.
fn target(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn beside(target: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    Ok(folder(target).join(format!(".{name}.{:016x}.new", u64::from_be_bytes(random))))
}

fn fill(new: &Path, text: &str, before: Option<&Found>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(new)?;
    keep_owner(&file, before)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// An operator who is root must not take the file away from the account that serves.
#[cfg(unix)]
fn keep_owner(file: &File, before: Option<&Found>) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    let Some(Found { metadata: old, .. }) = before else { return Ok(()) };
    let new = file.metadata()?;
    if (new.uid(), new.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    fchown(file, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_: &File, before: Option<&Found>) -> io::Result<()> {
    let _ = before.map(|before| &before.metadata);
    Ok(())
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), UsersError> {
    use std::os::unix::fs::PermissionsExt as _;

    match metadata.permissions().mode() & 0o777 {
        mode if mode & 0o077 == 0 => Ok(()),
        mode => Err(UsersError::Open { path: path.to_owned(), mode }),
    }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &fs::Metadata) -> Result<(), UsersError> {
    Ok(())
}

/// Elsewhere a folder cannot be opened to be flushed.
fn unless_unix(error: io::Error) -> io::Result<()> {
    if cfg!(unix) { Err(error) } else { Ok(()) }
}
