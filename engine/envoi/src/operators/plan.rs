//! How a call is planned: to a node over its tables, and the node to what runs it.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, DFSchemaRef, DataFusionError, Result};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};
use datafusion::sql::sqlparser::ast::{
    Expr as Ast, FunctionArg, FunctionArgExpr, Ident, TableAlias, TableFactor, Value,
};

use super::call::Call;
use super::exec::ComputedExec;
use super::operator;
use crate::error::Error;

/// Plans computed table functions, in all steps.
#[derive(Debug)]
pub(crate) struct Planner;

impl RelationPlanner for Planner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let called = match &relation {
            TableFactor::Table { name, args: Some(_), .. } => name.to_string().to_lowercase(),
            _ => String::new(),
        };
        match (operator(&called), relation) {
            (Some(operator), TableFactor::Table { alias, args: Some(arguments), .. }) => {
                let mut tables = Vec::new();
                let mut values = Vec::new();
                for argument in arguments.args {
                    values.push(taken(&called, argument, &mut tables, context)?);
                }
                let call = Call::new(&called, values);
                let inputs: Vec<SchemaRef> = tables.iter().map(|t| Arc::clone(t.schema().inner())).collect();
                let columns = operator.columns(&call, &inputs)?;
                let schema = Schema::new(columns);
                let schema = Arc::new(DFSchema::from_unqualified_fields(schema.fields, HashMap::new())?);
                let node = Arc::new(Computed { call, inputs: tables, schema });
                let own = TableAlias { explicit: false, name: Ident::new(called), columns: Vec::new(), at: None };
                let planned =
                    PlannedRelation::new(LogicalPlan::Extension(Extension { node }), Some(alias.unwrap_or(own)));
                Ok(RelationPlanning::Planned(Box::new(planned)))
            }
            (_, relation) => Ok(RelationPlanning::Original(Box::new(relation))),
        }
    }
}

/// The value of an argument; a table is planned and put to the others.
fn taken(
    called: &str,
    argument: FunctionArg,
    tables: &mut Vec<LogicalPlan>,
    context: &mut dyn RelationPlannerContext,
) -> Result<String> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Ast::Subquery(subquery))) => {
            let derived = TableFactor::Derived { lateral: false, subquery, alias: None, sample: None };
            let table = context.plan(derived)?;
            if let Some(outer) = table.all_out_ref_exprs().first() {
                let what = format!("`{called}` takes tables that stand alone: `{outer}` is of the query around it");
                return Err(Error::user(what).into());
            }
            tables.push(table);
            Ok(String::new())
        }
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Ast::Value(value))) => match value.value {
            Value::SingleQuotedString(text) => Ok(text),
            other => Err(Error::internal(format!("argument `{other}` was not read")).into()),
        },
        other => Err(Error::internal(format!("argument `{other}` was not read")).into()),
    }
}

/// A call over its planned tables.
///
/// All columns of the tables are needed, whatever is asked of the rows: which of them
/// are margins is written in another table. No condition on the rows goes below, for
/// it would change what they are computed from. Both is what a node says by default.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Computed {
    call: Call,
    inputs: Vec<LogicalPlan>,
    schema: DFSchemaRef,
}

/// Whether a node is a call of a computed table function.
pub(crate) fn is_computed(node: &dyn UserDefinedLogicalNode) -> bool {
    node.as_any().is::<Computed>()
}

impl PartialOrd for Computed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        // The columns follow from the rest.
        (&self.call, &self.inputs).partial_cmp(&(&other.call, &other.inputs))
    }
}

impl UserDefinedLogicalNodeCore for Computed {
    fn name(&self) -> &str {
        self.call.name()
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.inputs.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Computed: {}", self.call)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Self { call: self.call.clone(), inputs, schema: Arc::clone(&self.schema) })
    }
}

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![
            Arc::new(Self),
            Arc::new(crate::privacy::Nodes),
            Arc::new(crate::privacy::Barriers),
            // Of one plan: the next time its rows are others.
            Arc::new(crate::shared::Registry::default()),
        ]);
        planner.create_physical_plan(plan, session).await
    }
}

#[async_trait]
impl ExtensionPlanner for Planner {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>, DataFusionError> {
        let Some(node) = node.as_any().downcast_ref::<Computed>() else { return Ok(None) };
        let schema = Arc::clone(node.schema.inner());
        Ok(Some(Arc::new(ComputedExec::new(node.call.clone(), inputs.to_vec(), schema))))
    }
}
