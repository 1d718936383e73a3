//! The node above an aggregate over households: it sees the whole answer before anybody does.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, PoisonError};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, nullif};
use datafusion::arrow::datatypes::{DataType, Float64Type, SchemaRef};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, DFSchemaRef, DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::ChildrenPropertiesMode;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements, Partitioning,
    PlanProperties, ReplaceChildrenOptions,
};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use futures::TryStreamExt;

use super::cell::Cell;
use super::class::Class;
use super::owner::Watched;
use super::suppress::{ColumnRule, Row, decide};
use super::terms::Terms;
use super::{Notes, RoleState};
use crate::error::{Class as ErrorClass, Error};

/// What the node knows of the aggregate below it.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) role: Arc<RoleState>,
    /// The aggregate without its literals, for the audit log.
    pub(super) shape: String,
    /// Of each key whether it varies within a survey.
    pub(super) keys: Vec<bool>,
    /// A column after the keys says which of them are grouped by.
    pub(super) grouping_sets: bool,
    /// The columns after that. The hidden column is the last.
    pub(super) columns: Vec<ColumnRule>,
    /// All columns of the aggregate in their order.
    pub(super) names: Vec<String>,
}

/// An aggregate over households of which only what may be shown comes out.
#[derive(Debug, Clone)]
pub(super) struct Disclosed {
    input: LogicalPlan,
    spec: Arc<Spec>,
    notes: Notes,
    schema: DFSchemaRef,
}

impl Disclosed {
    /// The same, of another statement: marts are planned once.
    pub(super) fn noting(&self, notes: &Notes) -> Self {
        Self { notes: notes.clone(), ..self.clone() }
    }

    pub(super) fn new(input: LogicalPlan, spec: Arc<Spec>, notes: Notes) -> Result<Self> {
        let fields: Vec<_> = input.schema().iter().map(|(q, f)| (q.cloned(), Arc::clone(f))).collect();
        // Columns are known by their places: whatever moved them would show what is hidden.
        if !fields.iter().map(|(_, f)| f.name()).eq(&spec.names) {
            return Err(Error::internal("an aggregate over households lost its shape").into());
        }
        let first = spec.keys.len() + usize::from(spec.grouping_sets);
        let shown = fields.len().saturating_sub(1);
        let nullable = |(at, (q, f)): (usize, (_, Arc<datafusion::arrow::datatypes::Field>))| {
            (q, if at < first { f } else { Arc::new(f.as_ref().clone().with_nullable(true)) })
        };
        let fields = fields.into_iter().enumerate().take(shown).map(nullable).collect();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?);
        Ok(Self { input, spec, notes, schema })
    }
}

impl PartialEq for Disclosed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.spec, &other.spec) && self.input == other.input
    }
}

impl Eq for Disclosed {}

impl PartialOrd for Disclosed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl Hash for Disclosed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for Disclosed {
    fn name(&self) -> &str {
        "Disclosed"
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
        f.write_str("Disclosed")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut inputs = inputs.into_iter();
        match (inputs.next(), inputs.next()) {
            (Some(input), None) => Self::new(input, Arc::clone(&self.spec), self.notes.clone()),
            _ => Err(Error::internal("a disclosed aggregate has one input").into()),
        }
    }
}

/// A mart with one row a household. It is taken off again where it is aggregated, and runs nowhere.
#[derive(Debug, Clone)]
pub(super) struct HouseholdRows {
    /// With the engine's own columns at its end: survey, household, and terms.
    pub(super) input: LogicalPlan,
    pub(super) classes: Vec<Class>,
    pub(super) terms: Terms,
    /// Without them.
    schema: DFSchemaRef,
}

impl HouseholdRows {
    pub(super) fn new(input: LogicalPlan, classes: Vec<Class>, terms: Terms) -> Result<Self> {
        let shown = classes.iter().zip(input.schema().iter()).filter(|(class, _)| **class != Class::Hidden);
        let fields = shown.map(|(_, (q, f))| (q.cloned(), Arc::clone(f))).collect();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?);
        Ok(Self { input, classes, terms, schema })
    }
}

impl PartialEq for HouseholdRows {
    fn eq(&self, other: &Self) -> bool {
        self.input == other.input
    }
}

impl Eq for HouseholdRows {}

impl PartialOrd for HouseholdRows {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl Hash for HouseholdRows {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for HouseholdRows {
    fn name(&self) -> &str {
        "HouseholdRows"
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
        f.write_str("HouseholdRows")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.into_iter().next().ok_or_else(|| Error::internal("rows of households have one input"))?;
        Self::new(input, self.classes.clone(), self.terms.clone())
    }
}

/// Plans the nodes of this module.
#[derive(Debug)]
pub(crate) struct Nodes;

#[async_trait::async_trait]
impl ExtensionPlanner for Nodes {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let any: &dyn Any = node.as_any();
        if any.is::<HouseholdRows>() {
            return Err(Error::internal("rows of households were not aggregated").into());
        }
        Ok(match (any.downcast_ref::<Disclosed>(), inputs) {
            (Some(node), [input]) => {
                let schema = Arc::new(node.schema.as_arrow().clone());
                let (spec, notes) = (Arc::clone(&node.spec), node.notes.clone());
                Some(Arc::new(DisclosedExec::new(Arc::clone(input), spec, notes, schema)))
            }
            (None, [input]) => any.downcast_ref::<Watched>().map(|node| node.planned(input)),
            _ => None,
        })
    }
}

/// Collects the answer, and gives out what may be shown.
#[derive(Debug)]
struct DisclosedExec {
    input: Arc<dyn ExecutionPlan>,
    spec: Arc<Spec>,
    notes: Notes,
    properties: Arc<PlanProperties>,
}

impl DisclosedExec {
    fn new(input: Arc<dyn ExecutionPlan>, spec: Arc<Spec>, notes: Notes, schema: SchemaRef) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { input, spec, notes, properties: Arc::new(properties) }
    }
}

impl DisplayAs for DisclosedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DisclosedExec")
    }
}

impl ExecutionPlan for DisclosedExec {
    fn name(&self) -> &'static str {
        "DisclosedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
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
        let input =
            children.into_iter().next().ok_or_else(|| Error::internal("a disclosed aggregate has one input"))?;
        Ok(Arc::new(Self::new(input, Arc::clone(&self.spec), self.notes.clone(), self.schema())))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let (spec, notes, schema) = (Arc::clone(&self.spec), self.notes.clone(), self.schema());
        let work = async move {
            let from = input.schema();
            let batches: Vec<RecordBatch> = input.try_collect().await?;
            let answer = concat_batches(&from, &batches)?;
            // Comparing many cells with all that was seen takes its time, which others need not wait for.
            let judged = tokio::task::spawn_blocking(move || disclose(&answer, &spec, &notes, &schema)).await;
            judged.map_err(|e| DataFusionError::from(Error::internal(e)))?
        };
        let stream = futures::stream::once(work);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream)))
    }
}

/// Answers with more groups are no statistics.
const GROUPS: usize = 20_000;

fn disclose(batch: &RecordBatch, spec: &Spec, notes: &Notes, schema: &SchemaRef) -> Result<RecordBatch> {
    if batch.num_rows() > GROUPS {
        return Err(Error::new(
            ErrorClass::Resource,
            format!("{} groups of households, more than the limit of {GROUPS}", batch.num_rows()),
        )
        .with_hint("group by fewer keys")
        .into());
    }
    let rows = rows(batch, spec)?;
    let role = &spec.role;
    let verdict = {
        let mut memory = role.memory.lock().unwrap_or_else(PoisonError::into_inner);
        decide(&rows, &spec.columns, &spec.keys, &role.rules, &mut memory)
    };
    let Some(verdict) = verdict else {
        role.record("outcome=refused reason=budget", &spec.shape);
        return Err(Error::new(
            ErrorClass::Resource,
            format!(
                "role `{}` has seen cells of as many different sets of households as it may, {}",
                role.name, role.rules.cells
            ),
        )
        .with_hint("ask what was asked before, or ask the owner for the table you need")
        .into());
    };
    let shown = |row: &usize| !verdict.dropped.contains(row);
    let hidden = verdict.hidden.iter().filter(|(row, _)| shown(row)).count();
    let (cells, dropped) = (rows.len() * spec.columns.len(), verdict.dropped.len());
    role.record(&format!("outcome=answered cells={cells} suppressed={hidden} dropped_rows={dropped}"), &spec.shape);
    let k = role.rules.min_households;
    if dropped > 0 {
        notes.add(format!("groups of fewer than {k} households are left out: {dropped}"));
    }
    if hidden > 0 {
        notes.add(format!("cells that could tell of fewer than {k} households, or of one, are NULL: {hidden}"));
    }
    let first = spec.keys.len() + usize::from(spec.grouping_sets);
    // Without a column, as of DISTINCT, a hidden row is left out.
    let keep: BooleanArray = (0..rows.len())
        .map(|r| Some(shown(&r) && (!spec.columns.is_empty() || !verdict.hidden.contains(&(r, 0)))))
        .collect();
    let columns: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .enumerate()
        .take(schema.fields().len())
        .map(|(at, values)| match at.checked_sub(first) {
            None => Ok(Arc::clone(values)),
            Some(column) => {
                let mask: BooleanArray = (0..rows.len()).map(|r| Some(verdict.hidden.contains(&(r, column)))).collect();
                nullif(values, &mask)
            }
        })
        .collect::<std::result::Result<_, _>>()?;
    let options = datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let all = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?;
    Ok(filter_record_batch(&all, &keep)?)
}

fn rows(batch: &RecordBatch, spec: &Spec) -> Result<Vec<Row>> {
    let broken = || DataFusionError::from(Error::internal("the hidden column of households is missing"));
    let hidden = batch.columns().last().and_then(|c| c.as_binary_opt::<i32>()).ok_or_else(broken)?;
    let first = spec.keys.len() + usize::from(spec.grouping_sets);
    let text = |column: usize, row: usize| -> Result<String> {
        let values = batch.columns().get(column).ok_or_else(broken)?;
        // A NULL is no empty text.
        Ok(if values.is_null(row) { String::new() } else { format!("={}", array_value_to_string(values, row)?) })
    };
    (0..batch.num_rows())
        .map(|row| {
            let keys = (0..spec.keys.len()).map(|column| text(column, row)).collect::<Result<_>>()?;
            let set = if spec.grouping_sets { text(spec.keys.len(), row)? } else { String::new() };
            let wanted = |(at, rule): (usize, &ColumnRule)| {
                let values = rule.headcount.then(|| batch.columns().get(first + at)).flatten()?;
                number(values, row)
            };
            let values = spec.columns.iter().enumerate().map(wanted).collect();
            let cell = if hidden.is_valid(row) { Cell::parse(hidden.value(row))? } else { Cell::default() };
            Ok(Row { set, keys, cell, values })
        })
        .collect()
}

/// A number, or the first number of a struct, which is the estimate.
fn number(values: &ArrayRef, row: usize) -> Option<f64> {
    match values.data_type() {
        DataType::Struct(_) => number(values.as_struct().columns().first()?, row),
        _ => {
            let numbers = values.as_primitive_opt::<Float64Type>()?;
            (row < numbers.len() && numbers.is_valid(row)).then(|| numbers.value(row))
        }
    }
}
