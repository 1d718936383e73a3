//! A shared step in plans.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchemaRef, Result};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
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
            TableFactor::Table { name, args: Some(arguments), alias, .. } if matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(|i| i.value == MARK)) => {
                (alias, arguments.args)
            }
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
        let node = Arc::new(Shared { name, planned: Arc::new(input.clone()), input });
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(LogicalPlan::Extension(Extension { node }), alias))))
    }
}

/// A query whose rows are shared. No condition of a query around it goes below, and all its
/// columns are kept, for others read them too: both is what a node says by default.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
struct Shared {
    name: String,
    /// The query before it was optimised, by which equals are known: names that the optimizer
    /// invents differ from place to place.
    planned: Arc<LogicalPlan>,
    input: LogicalPlan,
}

impl UserDefinedLogicalNodeCore for Shared {
    fn name(&self) -> &str {
        "Shared"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared: {}", self.name)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match <[LogicalPlan; 1]>::try_from(inputs) {
            Ok([input]) => Ok(Self { input, ..self.clone() }),
            Err(_) => Err(Error::internal("shared rows have one input").into()),
        }
    }
}

/// The plan with every query in the places that read it: conditions and rules reach all of it.
pub(crate) fn unshared(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plain = |node: LogicalPlan| match &node {
        LogicalPlan::Extension(extension) => match extension.node.as_any().downcast_ref::<Shared>() {
            Some(shared) => Ok(Transformed::yes(shared.input.clone())),
            None => Ok(Transformed::no(node)),
        },
        _ => Ok(Transformed::no(node)),
    };
    Ok(plan.transform_up_with_subqueries(plain)?.data)
}

/// The computations of one plan.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<HashMap<(String, Arc<LogicalPlan>), Arc<Computation>>>);

#[async_trait]
impl ExtensionPlanner for Registry {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(shared) = node.as_any().downcast_ref::<Shared>() else { return Ok(None) };
        let Some(input) = inputs.first() else { return Err(Error::internal("shared rows have no plan").into()) };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (shared.name.clone(), Arc::clone(&shared.planned));
        let computation = Arc::clone(known.entry(key).or_default());
        Ok(Some(Arc::new(SharedExec::new(shared.name.clone(), Arc::clone(input), computation))))
    }
}
