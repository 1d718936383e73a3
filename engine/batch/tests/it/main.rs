//! Tests of batch through its public API.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers of tests included"
)]

mod file;
mod history;
mod kills;
mod lineage;
mod metrics;
mod notify;
mod schedule;
mod simulation;
