//! Tests of `envoi run` below its command.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bad_input;
mod equal;
mod faults;
mod kinds;
mod runs;
mod selectors;
mod slices;
mod support;
