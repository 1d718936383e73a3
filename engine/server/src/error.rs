//! Why a server does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// What keeps a server from starting: what is off is off at the start, not with a warning.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Others would reach it.
    #[error(
        "{0} is reached from other machines; serving there needs users (`envoi user add NAME`) and encryption (`--tls-cert`, `--tls-key`)"
    )]
    Open(SocketAddr),
    /// What a user may see is said in a way that cannot be kept.
    #[error("user `{user}`: {why}")]
    Grants {
        /// The user.
        user: String,
        /// What is wrong with it.
        why: envoi::Error,
    },
    /// The address cannot be had.
    #[error("cannot listen at {address}: {source}")]
    Bind {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// No certificate, no key, or not of one another.
    #[error("cannot encrypt by `{}`: {what}", file.display())]
    Tls {
        /// The certificate or its key.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The lake's tables and marts cannot be read.
    #[error("cannot serve the lake: {0}")]
    Lake(String),
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}
