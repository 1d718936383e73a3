//! Shared rows in plans.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::catalog::Session;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchemaRef, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::expressions::{Column, cast};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use datafusion::sql::sqlparser::ast::{
    Expr as Ast, FunctionArg, FunctionArgExpr, Ident, ObjectName, Query, TableAlias, TableFactor, TableFunctionArgs,
    Value,
};

use super::exec::SharedExec;
use super::rows::Computation;
use crate::error::Error;

/// What a marked query is called, which no table is.
const MARK: &str = "rows that are shared";

fn is_mark(name: &ObjectName) -> bool {
    matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(|ident| ident.value == MARK))
}

/// A query whose rows are shared by all that read them under this name.
pub(crate) fn marked(name: &str, query: Box<Query>, alias: Option<TableAlias>) -> TableFactor {
    let name = Ast::value(Value::SingleQuotedString(name.to_owned()));
    let arguments = [name, Ast::Subquery(query)].map(|e| FunctionArg::Unnamed(FunctionArgExpr::Expr(e)));
    TableFactor::Table {
        name: ObjectName::from(vec![Ident::with_quote('"', MARK)]),
        alias,
        args: Some(TableFunctionArgs { args: arguments.into(), settings: None }),
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

/// Plans marked queries.
#[derive(Debug)]
pub(crate) struct Planner;

impl RelationPlanner for Planner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let (alias, arguments) = match relation {
            TableFactor::Table { name, args: Some(arguments), alias, .. } if is_mark(&name) => (alias, arguments.args),
            other => return Ok(RelationPlanning::Original(Box::new(other))),
        };
        let mut arguments = arguments.into_iter().map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => Some(argument),
            _ => None,
        });
        let (Some(Some(Ast::Value(name))), Some(Some(Ast::Subquery(subquery)))) = (arguments.next(), arguments.next())
        else {
            return Err(Error::internal(format!("`{MARK}` takes a name and a query")).into());
        };
        let Value::SingleQuotedString(name) = name.value else {
            return Err(Error::internal(format!("`{MARK}` takes a name")).into());
        };
        let input = context.plan(TableFactor::Derived { lateral: false, subquery, alias: None, sample: None })?;
        // What depends on the row of a query around it is not the same wherever it is read.
        if !input.all_out_ref_exprs().is_empty() {
            return Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(input, alias))));
        }
        let node = Arc::new(Shared { name, query: Arc::new(input), sealed: false });
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(LogicalPlan::Extension(Extension { node }), alias))))
    }
}

/// A query whose rows are shared. No condition of a query around it goes below, and all its
/// columns are kept, for others read them too: both is what a node says by default.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
struct Shared {
    name: String,
    /// As it was planned, by which equals are known.
    query: Arc<LogicalPlan>,
    /// Whether rules pass it by, until it is optimised once for all places.
    sealed: bool,
}

impl UserDefinedLogicalNodeCore for Shared {
    fn name(&self) -> &str {
        "Shared"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        if self.sealed { Vec::new() } else { vec![&self.query] }
    }

    fn schema(&self) -> &DFSchemaRef {
        self.query.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared: {}", self.name)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match inputs.into_iter().next() {
            Some(input) => Ok(Self { query: Arc::new(input), ..self.clone() }),
            None => Ok(self.clone()),
        }
    }
}

/// The plan as it is optimised: what is shared is left for later, when it is done once.
pub(crate) fn sealed(plan: LogicalPlan) -> Result<LogicalPlan> {
    let seal = |node: LogicalPlan| match shared(&node) {
        Some(found) if !found.sealed => {
            let node = Arc::new(Shared { sealed: true, ..found.clone() });
            Ok(Transformed::yes(LogicalPlan::Extension(Extension { node })))
        }
        _ => Ok(Transformed::no(node)),
    };
    Ok(plan.transform_down_with_subqueries(seal)?.data)
}

fn shared(node: &LogicalPlan) -> Option<&Shared> {
    let LogicalPlan::Extension(extension) = node else { return None };
    extension.node.as_any().downcast_ref::<Shared>()
}

/// The plan with every query in the places that read it: conditions and rules reach all of it.
pub(crate) fn unshared(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plain = |node: LogicalPlan| match shared(&node) {
        Some(found) => Ok(Transformed::yes(LogicalPlan::clone(&found.query))),
        None => Ok(Transformed::no(node)),
    };
    Ok(plan.transform_down_with_subqueries(plain)?.data)
}

/// The computations of one plan, by name and query.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<HashMap<(String, Arc<LogicalPlan>), Computed>>);

/// A computation with its plan.
#[derive(Debug, Clone)]
struct Computed {
    plan: Arc<dyn ExecutionPlan>,
    computation: Arc<Computation>,
}

impl Registry {
    fn known(&self) -> MutexGuard<'_, HashMap<(String, Arc<LogicalPlan>), Computed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The plan with the types that the query around it was planned with: rules may choose others.
fn as_planned(plan: Arc<dyn ExecutionPlan>, planned: &Schema) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let mut pairs = schema.fields().iter().zip(planned.fields());
    if pairs.all(|(is, should)| is.data_type() == should.data_type()) {
        return Ok(plan);
    }
    let column = |(place, (is, should)): (usize, (&FieldRef, &FieldRef))| {
        let column = Arc::new(Column::new(is.name(), place));
        Ok((cast(column, &schema, should.data_type().clone())?, should.name().clone()))
    };
    let columns = schema.fields().iter().zip(planned.fields()).enumerate().map(column).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(ProjectionExec::try_new(columns, plan)?))
}

#[async_trait]
impl ExtensionPlanner for Registry {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        _: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(found) = node.as_any().downcast_ref::<Shared>() else { return Ok(None) };
        let key = (found.name.clone(), Arc::clone(&found.query));
        let known = self.known().get(&key).cloned();
        if let Some(Computed { plan, computation }) = known {
            return Ok(Some(Arc::new(SharedExec::new(found.name.clone(), plan, computation, false))));
        }
        let Some(state) = session.as_any().downcast_ref::<SessionState>() else {
            return Err(Error::internal("shared rows are planned by a session of another kind").into());
        };
        // What it shares itself is planned first, by this planner too.
        let query = state.optimize(&sealed(LogicalPlan::clone(&found.query))?)?;
        let plan = planner.create_physical_plan(&query, session).await?;
        // No rule sees to it any more that all rows come in one stream.
        let plan: Arc<dyn ExecutionPlan> = match plan.output_partitioning().partition_count() {
            1 => plan,
            _ => Arc::new(CoalescePartitionsExec::new(plan)),
        };
        let plan = as_planned(plan, found.query.schema().as_arrow())?;
        let mut known = self.known();
        let first = !known.contains_key(&key);
        let new = || Computed { plan, computation: Arc::default() };
        let Computed { plan, computation } = known.entry(key).or_insert_with(new).clone();
        Ok(Some(Arc::new(SharedExec::new(found.name.clone(), plan, computation, first))))
    }
}
