//! Batch: models in dependency order, published whole, run on time.
//!
//! ```text
//! Sources   text of a folder              project/   every problem found before anything runs
//! Project   models, who reads whom        graph select
//! Verdict   what has to be built, why     plan/      from checksums, without planning a query
//! Built     files staged, tests passed    build/ testing/
//! Manifest  one new version of the lake   run/       then exports, and the record of the run
//! ```

mod build;
mod cancel;
mod duration;
pub mod export;
mod graph;
mod hint;
pub mod history;
pub mod lineage;
pub mod metrics;
pub mod notify;
mod plan;
mod process;
pub mod project;
pub mod record;
pub mod run;
pub mod schedule;
mod select;
mod testing;

pub use cancel::{Cancel, Canceller};
pub use export::{Packer, Sink};
pub use project::{Problem, Project, Sources};
pub use run::{Event, Options, Planned, Progress, RunError, plan, run};
pub use select::{State, select};

/// Engine and version, as records say it.
pub const ENGINE: &str = concat!("envoi ", env!("CARGO_PKG_VERSION"));
