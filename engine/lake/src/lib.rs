//! The lake: publisher files in, versioned Parquet out.

pub mod error;
pub mod read;
pub mod table;

pub use error::{Class, Error, Place, Printable, Result};
