//! PostgreSQL: the wire protocol, version 3.
//!
//! ```text
//! listen -> startup (TLS, SCRAM) -> read: frames in a task of their own, which sees the client go
//!                                -> connection: simple | extended -> run -> rows -> value -> out
//! ```
//! All of it lives on the runtime of the caller, with the sockets; queries have the engine's
//! threads, and their rows cross a bounded channel. `interrupts` stands beside whatever a
//! statement waits for: cancel, time, a client that is gone.

mod command;
mod connection;
mod copy;
mod cursor;
mod error;
mod extended;
mod guesses;
mod interrupts;
mod limits;
mod listen;
mod memory;
mod portal;
mod registry;
mod rows;
mod run;
mod scram;
mod session_functions;
mod session_settings;
mod settings;
mod show;
mod simple;
mod sqlstate;
mod startup;
mod styles;
mod surface;
mod transaction;
mod turn;
mod value;
mod wire;
mod words;

pub use limits::{Limits, MemoryMarks};
pub(crate) use listen::Stream;
pub use listen::{PgOptions, PgServer};
pub use scram::{Verifier, VerifierError};
pub(crate) use value::type_of;
