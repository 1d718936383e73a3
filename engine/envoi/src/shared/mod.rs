//! Rows that are computed once for all places of a statement that read them: calls of the table
//! functions that the library marks as shared, with the same arguments.
//!
//! A call is replaced by the query behind it, in every place, and what runs is as many scans
//! of a survey. The query of a shared function is a node of its own, over which no condition
//! moves. Equal nodes of a plan are optimised once and become one computation.
//!
//! ```text
//! survey_summary()                     LibraryFunctions   its query, marked
//!   -> Shared                          Planner            a node over its plan
//!   -> SharedExec, SharedExec, …       Registry           that read one Computation
//! ```

mod exec;
mod plan;
mod rows;

pub(crate) use exec::shown;
pub(crate) use plan::{Planner, Registry, marked, sealed, unshared};
