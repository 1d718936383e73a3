//! The owner is warned, not stopped: rows and small cells of households that a statement
//! shows or writes may not be passed on.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Int64Type, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, DFSchemaRef, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::ChildrenPropertiesMode;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::StreamExt;

use super::rule::{Author, Rule, microdata, without_grouping};
use super::{DisclosureRules, Notes, Role, reads_microdata};
use crate::catalogue::Microdata;
use crate::error::Error;
use crate::shared::unshared;

/// A statement of the owner, which says of itself what of households it shows.
pub(crate) fn watched(plan: LogicalPlan, notes: &Notes) -> Result<LogicalPlan> {
    let shows = !matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_));
    if !shows || !reads_microdata(&plan)? {
        return Ok(plan);
    }
    if rows(&plan) {
        notes.add("the result has rows of single households; they are microdata, not to be passed on".to_owned());
        return Ok(plan);
    }
    let writes =
        matches!(plan, LogicalPlan::Ddl(_) | LogicalPlan::Copy(_) | LogicalPlan::Dml(_) | LogicalPlan::Statement(_));
    // Counting behind several scans, as household marts have them, would cost the owner more than
    // the answer itself.
    if writes || scans(&plan) > 1 {
        return Ok(plan);
    }
    let owner = Role::new("owner", DisclosureRules::default()).map_err(datafusion::common::DataFusionError::from)?;
    // What the rule does not know is for readers refused; the owner goes without the warning.
    let watched =
        without_grouping(unshared(plan.clone())?).and_then(|p| Rule::new(&owner.0, notes, Author::Owner).released(p));
    Ok(watched.unwrap_or(plan))
}

/// How often tables of households are read.
fn scans(plan: &LogicalPlan) -> usize {
    match plan {
        LogicalPlan::TableScan(scan) => {
            usize::from(matches!(microdata(scan), Some(Microdata::Lake { .. } | Microdata::Staged)))
        }
        other => other.inputs().into_iter().map(scans).sum(),
    }
}

/// Whether rows of households reach the top without an aggregate in between.
fn rows(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => matches!(microdata(scan), Some(Microdata::Lake { .. } | Microdata::Staged)),
        LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_) => false,
        other => other.inputs().into_iter().any(rows),
    }
}

/// An aggregate over households with a count of rows behind its columns, which it takes off.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    input: LogicalPlan,
    notes: Notes,
    pub(super) schema: DFSchemaRef,
}

impl Watched {
    pub(super) fn new(input: LogicalPlan, notes: Notes) -> Result<Self> {
        let fields: Vec<_> = input.schema().iter().map(|(q, f)| (q.cloned(), Arc::clone(f))).collect();
        let shown = fields.len().saturating_sub(1);
        let fields = fields.into_iter().take(shown).collect();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?);
        Ok(Self { input, notes, schema })
    }

    pub(super) fn planned(&self, input: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        let schema = Arc::new(self.schema.as_arrow().clone());
        Arc::new(WatchedExec::new(Arc::clone(input), self.notes.clone(), schema))
    }
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        self.input == other.input
    }
}

impl Eq for Watched {}

impl PartialOrd for Watched {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl Hash for Watched {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for Watched {
    fn name(&self) -> &str {
        "Watched"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched: groups of few households")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.into_iter().next().ok_or_else(|| Error::internal("a watched aggregate has one input"))?;
        Self::new(input, self.notes.clone())
    }
}

#[derive(Debug)]
struct WatchedExec {
    input: Arc<dyn ExecutionPlan>,
    notes: Notes,
    properties: Arc<PlanProperties>,
}

impl WatchedExec {
    fn new(input: Arc<dyn ExecutionPlan>, notes: Notes, schema: SchemaRef) -> Self {
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { input, notes, properties: Arc::new(properties) }
    }
}

impl DisplayAs for WatchedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WatchedExec")
    }
}

impl ExecutionPlan for WatchedExec {
    fn name(&self) -> &'static str {
        "WatchedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next().ok_or_else(|| Error::internal("a watched aggregate has one input"))?;
        Ok(Arc::new(Self::new(input, self.notes.clone(), self.schema())))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let k = DisclosureRules::default().min_households;
        let (schema, notes) = (self.schema(), self.notes.clone());
        let input = self.input.execute(partition, context)?;
        let shown = input.map(move |batch| {
            let batch: RecordBatch = batch?;
            let counts = batch.columns().last().and_then(|c| c.as_primitive_opt::<Int64Type>());
            let few = |n: &i64| *n > 0 && n.unsigned_abs() < k;
            if counts.is_some_and(|c| c.values().iter().any(few)) {
                notes.add(format!("cells of fewer than {k} households are shown; they are not to be passed on"));
            }
            let columns: Vec<usize> = (0..schema.fields().len()).collect();
            Ok(batch.project(&columns)?.with_schema(Arc::clone(&schema))?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), shown)))
    }
}
