//! The server as its clients meet it: over sockets of this machine.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers of tests included, and says on stderr what it left out"
)]

mod client;
mod copies;
mod cursors;
mod hostile;
mod limits;
mod logins;
mod parameters;
mod protocol;
mod server;
mod sessions;
mod slt;
mod sqlstates;
mod upstream;
