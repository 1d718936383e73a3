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

/// The name most like `wanted`, for `did you mean`.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.8;
    let wanted = wanted.to_lowercase();
    names
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// `; did you mean …?`, or what there is.
pub(crate) fn hint<'a>(wanted: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(wanted, names.clone()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => {
            let all: Vec<&str> = names.collect();
            if all.is_empty() { String::new() } else { format!("; there are `{}`", all.join("`, `")) }
        }
    }
}
