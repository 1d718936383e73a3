//! What reads shared rows.

use std::fmt;
use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties, ReplaceChildrenOptions,
};

use super::rows::Computation;

/// Rows that are few, and the bytes of one.
const FEW: usize = 100;
const WIDE: usize = 256;

/// One of the places that read a computation. All have its plan, and whoever is asked first runs
/// it for all. Rules do not look into it, for it is optimised already, and some cannot be
/// applied twice; the rows it reads are counted in one of the places.
#[derive(Debug)]
pub(super) struct SharedExec {
    name: String,
    input: Arc<dyn ExecutionPlan>,
    computation: Arc<Computation>,
    shows: bool,
    properties: Arc<PlanProperties>,
}

impl SharedExec {
    pub(super) fn new(name: String, input: Arc<dyn ExecutionPlan>, computation: Arc<Computation>, shows: bool) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { name, input, computation, shows, properties: Arc::new(properties) }
    }
}

/// The plan of shared rows, in the one place that shows it.
pub(crate) fn shown(plan: &dyn ExecutionPlan) -> Option<&Arc<dyn ExecutionPlan>> {
    let shared = plan.downcast_ref::<SharedExec>()?;
    shared.shows.then_some(&shared.input)
}

impl DisplayAs for SharedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedExec: {}", self.name)
    }
}

impl ExecutionPlan for SharedExec {
    fn name(&self) -> &'static str {
        "SharedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(Vec::new())
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    /// What joins go by: they keep the smaller side. An aggregate that knows nothing better says it
    /// has as many rows as come in; of what is shared there are few.
    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        statistics.num_rows = Precision::Inexact(FEW);
        statistics.total_byte_size = Precision::Inexact(FEW * WIDE);
        Ok(Arc::new(statistics))
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = Arc::clone(&self.computation).rows(&self.name, &self.input, context)?;
        // Rows that are all there already would keep the thread, and a cancelled query would go on.
        Ok(Box::pin(cooperative(RecordBatchStreamAdapter::new(self.schema(), rows))))
    }
}
