//! Numbers, moments and intervals as PostgreSQL writes them.
//!
//! One way for all: what a server sends, and what `::text` and `||` make of a value.

mod cast;
pub mod float;
pub mod interval;
mod length;
pub mod number;
pub mod out;
pub mod style;
pub mod time;

pub(crate) use cast::{is_written, written};
pub(crate) use length::length;
