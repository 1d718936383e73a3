//! The lake: publisher files in, versioned Parquet out.
//!
//! Needs no query engine, and any engine can read what it writes.
//!
//! ```no_run
//! # async fn example() -> envoi_lake::Result<()> {
//! use envoi_lake::{Lake, import};
//!
//! let lake = Lake::open("my-lake")?;
//! let report = import::import(&lake, &["API_BX.TRF.PWKR.CD.DT.zip".into()], &import::Options::default(), &|_| {}).await?;
//! assert!(report.changed);
//! # Ok(())
//! # }
//! ```

pub mod country;
pub mod error;
pub mod fetch;
pub mod import;
pub mod lake;
pub mod read;
pub mod sample;
pub mod synthetic;
pub mod table;
pub mod tables;

pub use error::{Class, Error, Place, Printable, Result};
pub use lake::{Lake, Manifest};
