//! What can be wrong with a users file.

use std::path::{Path, PathBuf};

/// What can be wrong with a users file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsersError {
    /// There is no such file.
    #[error("no users file at `{}`; `envoi user add NAME` makes one", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Others than its owner may read or write the file.
    #[error(
        "users file `{}` has mode {mode:03o}, so others can read or write it; run `chmod 600 {}`",
        path.display(), path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The operating system refused something.
    #[error("cannot {what} `{}`: {source}", path.display())]
    Io {
        /// What was done: `read`, `write`.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Something in the file is not as it must be.
    #[error("users file `{}`, line {line}: {what}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The user, the key, and what would work.
        what: String,
    },
    /// A name that no user can have.
    #[error(
        "`{}` cannot be a user's name; expected a letter or `_`, then up to 62 letters, digits, `_`, `.` or `-`",
        name.escape_debug()
    )]
    Name {
        /// The name.
        name: String,
    },
    /// No such user in the file.
    #[error("no user `{}` in `{}`", name.escape_debug(), path.display())]
    Unknown {
        /// The name.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// A user who is in the file in a way that is not changed by machine.
    #[error("user `{name}` is not written as a section `[user.{name}]` in `{}`; {what} by hand", path.display())]
    ByHand {
        /// The user.
        name: String,
        /// The file.
        path: PathBuf,
        /// What to do.
        what: &'static str,
    },
}

impl UsersError {
    pub(super) fn by_hand(path: &Path, name: &str, what: &'static str) -> Self {
        Self::ByHand { name: name.to_owned(), path: path.to_owned(), what }
    }

    /// Something at a byte of the text.
    pub(super) fn wrong(path: &Path, text: &str, at: usize, what: impl Into<String>) -> Self {
        let line = 1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count();
        Self::Wrong { path: path.to_owned(), line, what: what.into() }
    }
}
