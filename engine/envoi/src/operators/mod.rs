//! Table functions whose rows are computed: what needs a whole table at once, or many passes over it.
//!
//! ```text
//! rake(survey, weight, margins)
//!   -> LibraryFunctions   arguments in their places, defaults filled in, tables as queries
//!   -> Planner            tables planned, a node of the operator over them
//!   -> ComputedExec       their rows to the operator, its rows out
//! ```
//! What users read of a function is in the TOML of `sql/functions`; one without a
//! query beside it is computed by the operator of its name. The arithmetic is in
//! `envoi-functions` and knows nothing of plans.

mod calibration;
mod call;
mod characteristics;
mod counterfactual;
mod exec;
mod plan;
mod tables;
mod weighting;

use std::fmt::Debug;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

pub(crate) use plan::{Planner, is_computed};

use call::Call;

use crate::error::Result;

/// A table function that is computed.
trait Operator: Debug + Send + Sync {
    /// Name of the function.
    fn name(&self) -> &'static str;

    /// The columns of its rows, by those of its tables.
    ///
    /// # Errors
    /// Arguments that cannot be meant: all that can be known of them before there are rows.
    fn columns(&self, call: &Call, tables: &[SchemaRef]) -> Result<Vec<FieldRef>>;

    /// Its rows. They do not depend on the order in which rows of the tables come.
    fn rows(&self, work: Work) -> BoxFuture<'static, Result<Rows, DataFusionError>>;
}

/// Batches with the columns that were promised.
type Rows = BoxStream<'static, Result<RecordBatch, DataFusionError>>;

/// What an operator works with.
struct Work {
    call: Call,
    /// The rows of the tables in the order of the arguments.
    tables: Vec<SendableRecordBatchStream>,
    schema: SchemaRef,
    /// What is held is taken from here first.
    memory: MemoryReservation,
}

/// All operators.
const ALL: [&dyn Operator; 8] = [
    &calibration::Rake { report: false },
    &calibration::Rake { report: true },
    &calibration::Calibrate { report: false },
    &calibration::Calibrate { report: true },
    &counterfactual::Counterfactual { model: false },
    &counterfactual::Counterfactual { model: true },
    &weighting::Weighting { balance: false },
    &weighting::Weighting { balance: true },
];

/// The operator of a function.
fn operator(name: &str) -> Option<&'static dyn Operator> {
    ALL.into_iter().find(|o| o.name() == name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_function_without_a_query_has_an_operator() {
        let functions = crate::library::functions().unwrap();
        let described: Vec<&str> = functions.iter().filter(|f| f.sql.is_none()).map(|f| f.name.as_str()).collect();
        let mut computed: Vec<&str> = super::ALL.iter().map(|o| o.name()).collect();
        computed.sort_unstable();
        assert_eq!(described, computed);
    }
}
