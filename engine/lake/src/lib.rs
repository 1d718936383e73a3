//! The lake: publisher files in, versioned Parquet out.

pub mod country;
pub mod error;
pub mod read;

pub use error::{Class, Error, Place, Printable, Result};
