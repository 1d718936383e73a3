//! Tests of batch through its public API.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers of tests included"
)]

mod bad_input;
mod beforehand;
mod careful;
mod equal;
mod faults;
mod file;
mod history;
mod kills;
mod kinds;
mod lineage;
mod metrics;
mod notify;
mod places;
mod pruned;
mod reload;
mod runs;
mod schedule;
mod selectors;
mod simulation;
mod slices;
mod support;
