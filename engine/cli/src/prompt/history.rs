//! What was typed, kept across runs.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use reedline::FileBackedHistory;

/// The history in `folder`, of the newest `capacity` statements, readable by its owner only: statements quote the
/// data, and now and then a password of `CREATE EXTERNAL TABLE`.
pub(super) fn open(folder: &Path, capacity: usize) -> io::Result<FileBackedHistory> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let path = folder.join("history");
    drop(OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?);
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    FileBackedHistory::with_file(capacity, path).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reedline::{History, HistoryItem, SearchQuery};

    #[test]
    fn private_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("a").join("state");
        let mut history = open(&state, 10).unwrap();
        history.save(HistoryItem::from_command_line("select 1\n;")).unwrap();
        drop(history);
        let mode = fs::metadata(state.join("history")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = open(&state, 10).unwrap();
        let items = again.search(SearchQuery::everything(reedline::SearchDirection::Forward, None)).unwrap();
        assert_eq!(items[0].command_line, "select 1\n;");
    }
}
