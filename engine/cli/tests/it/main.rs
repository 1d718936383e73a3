//! The `envoi` command, run as a user runs it.

// Helpers outside of #[test] functions are not covered by clippy.toml's exemption.
#![allow(clippy::unwrap_used)]

mod brief;
mod check;
mod fetch;
mod generate;
mod models;
mod privacy;
mod readme;
mod reference;
mod run;
mod schedule;
#[path = "../../../lake/tests/it/server.rs"]
#[allow(dead_code, reason = "the tests of the lake use more of it")]
mod server;
mod shell;
mod source;
mod sql;
mod streams;
