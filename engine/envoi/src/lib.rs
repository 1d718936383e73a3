//! The engine facade: config, runtime, session, catalogue.
//!
//! ```no_run
//! # async fn example() -> Result<(), envoi::Error> {
//! let config = envoi::Config::load(None, envoi::config::environment(), Vec::new())?;
//! let session = envoi::open(&config).await?.owner().await?;
//! let rows = session.run("select iso3, remit_oda_ratio from remittance_vs_oda where year = 2023").await?.collect().await?;
//! # Ok(())
//! # }
//! ```

mod catalogue;
pub mod config;
pub mod conventions;
mod economies;
mod error;
pub mod library;
mod operators;
mod options;
mod privacy;
mod runtime;
mod sample;
mod session;
mod shared;
mod surface;
pub mod text;

pub use config::Config;
pub use datafusion::sql::parser::Statement;
pub use datafusion::sql::sqlparser;
pub use economies::economies;
pub use envoi_lake as lake;
pub use error::{Class, Error, Result, nearest};
pub use options::EnvoiOptions;
pub use privacy::{Audit, DisclosureRules, Grants, Role};
pub use runtime::Runtime;
pub use sample::default_lake;
pub use session::factory::open;
pub use session::{
    Answer, AnswerKind, Bounds, Callable, ColumnName, Draft, FunctionName, Granularity, Named, Names, Prepared, Reads,
    Reference, Relation, Session, SessionFactory, Shape, Slice, SliceBy, TableName, named, parsable,
};
pub use surface::Surface;
