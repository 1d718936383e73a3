//! Serving a lake: the PostgreSQL wire protocol.
//!
//! Protocol only. Sessions come from [`envoi::SessionFactory`], one per connection; what a
//! statement means, may and costs is decided there.

mod catalogue;
mod error;
mod functions;
mod pg;
mod rewrite;
mod tls;
mod users;

pub use error::ServeError;
pub use pg::{Limits, MemoryMarks, PgOptions, PgServer, VerifierError};
pub use tls::Tls;
pub use users::{User, Users, UsersError, Verifier};
