//! The lake: publisher files in, versioned Parquet out.

pub mod error;
pub mod lake;
pub mod read;
pub mod tables;

pub use error::{Class, Error, Place, Printable, Result};
pub use lake::{Lake, Manifest};
