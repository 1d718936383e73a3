//! What can go wrong before and beside the jobs.

use envoi::lake;

/// Result of the fallible calls of scheduling.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a schedule cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file of jobs is wrong: found before anything runs.
    #[error("{file}:{line}:{column}: {what}")]
    File {
        /// Its name, as the user gave it.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong, with the value, and what would work.
        what: String,
    },
    /// What was asked for cannot be.
    #[error("{0}")]
    Usage(String),
    /// The lake, where the state is kept, failed.
    #[error(transparent)]
    Lake(#[from] lake::Error),
    /// Something else failed: what, which, and what would work.
    #[error("{0}")]
    Failed(String),
}
