//! The `envoi` command, run as a user runs it.

// Helpers outside of #[test] functions are not covered by clippy.toml's exemption.
#![allow(clippy::unwrap_used)]

mod brief;
mod check;
mod readme;
mod reference;
mod run;
mod shell;
mod source;
mod sql;
mod streams;
