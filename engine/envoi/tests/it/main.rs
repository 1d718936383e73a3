//! Tests of the engine through its public API.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers of tests included, and says on stderr what it left out"
)]

mod checks;
mod damaged;
mod dwellings;
mod effect;
mod engine;
mod examples;
mod grants;
mod lakes;
mod limits;
mod marts;
mod operators;
mod privacy;
mod published;
mod reference;
mod slt;
mod splits;
mod tidy;
