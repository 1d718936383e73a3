//! What `envoi run` needs of a session: what a query reads, whether it can be built in slices, and
//! its rows in an order that depends on nothing but them.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::{MemTable, SchemaProvider};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::execution::SessionState;
use datafusion::functions::expr_fn::date_trunc;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection, Sort, Volatility, cast, lit};
use datafusion::physical_plan::ExecutionPlan;

use super::row_order::row_order;
use super::slices::{self, Slice, SliceBy};
use super::{Session, stopping, tag, ties};
use crate::catalogue::{LakeTable, meant_path};
use crate::error::{Error, Result};
use crate::privacy::{self, Notes};
use crate::session::answer::Answer;
use crate::shared;

/// What a query reads, all the way down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Tables: `lake.transfer`, `staging.x`, `model.y`; of another edition, `lake.transfer@2024-01-01` or `…@v3`.
    pub tables: BTreeSet<String>,
    /// Local files and patterns of files.
    pub files: BTreeSet<String>,
    /// Functions that give other values at other times, and tables that nothing is known of.
    pub volatile: BTreeSet<String>,
    /// Households or people are below.
    pub microdata: bool,
}

/// A query that was planned, not optimised.
#[derive(Debug, Clone)]
pub struct Draft {
    sql: String,
    plan: LogicalPlan,
    /// What it reads.
    pub reads: Reads,
    /// Its columns, with units where they are known.
    pub schema: SchemaRef,
    /// Sums of fractions and the like, whose last digits are those of the order they are added in: it runs in one
    /// partition, so that the same rows give the same bits.
    pub ordered: bool,
}

/// The rows that are wanted of a query, and their order.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// Columns to sort by first.
    pub sort: Vec<String>,
    /// Columns that come before those: of one partition after the other. With `every`, the one is a time.
    pub parts: Vec<String>,
    /// Length of the spans that the partition column is cut in.
    pub every: Option<slices::Granularity>,
    /// Only these slices of an input.
    pub slice: Option<(String, Slice)>,
    /// A query whose rows, of the same columns, are there too.
    pub beside: Option<String>,
}

impl Session {
    /// Plans a query without running it.
    ///
    /// # Errors
    /// As [`run`](Self::run); a statement that is not a query.
    pub async fn draft(&self, sql: &str) -> Result<Draft> {
        let (session, sql) = (self.clone(), sql.to_owned());
        self.0.runtime.spawn(async move { session.drafted(sql).await })?.finish().await?
    }

    async fn drafted(&self, sql: String) -> Result<Draft> {
        let state = self.0.context.state();
        let failed = |e: DataFusionError| self.explained(Error::from_datafusion(&e, &sql), &sql);
        let plan = state.statement_to_plan(self.rewritten(&state, &sql)?).await.map_err(failed)?;
        if tag(&plan).is_some() || matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_)) {
            return Err(Error::user("this is not a query").with_hint("write one `select`"));
        }
        let reads = reads(&plan).map_err(failed)?;
        let ordered = slices::depends_on_order(&plan).map_err(failed)?;
        // Types are settled by the analysis, which the plan itself goes without: its steps are to be recognised.
        let options = state.config_options();
        let settled = state.analyzer().execute_and_check(plan.clone(), options, |_, _| {}).map_err(failed)?;
        let schema = Arc::clone(settled.schema().inner());
        Ok(Draft { reads, ordered, schema, plan, sql })
    }

    /// Whether a query gives for some slices of an input exactly its rows of these slices; why not, if not.
    ///
    /// # Errors
    /// Bugs.
    pub fn sliced(&self, draft: &Draft, input: &str, by: &SliceBy) -> Result<std::result::Result<(), String>> {
        slices::check(&draft.plan, input, by).map_err(|e| Error::from_datafusion(&e, &draft.sql))
    }

    /// The rows of a query, sorted by what is asked for and then by every other column.
    ///
    /// # Errors
    /// As [`run`](Self::run); a column to sort by that there is not.
    pub async fn shaped(&self, draft: &Draft, shape: Shape) -> Result<Answer> {
        let (session, draft) = (self.clone(), draft.clone());
        self.0.runtime.spawn(async move { session.sorted(&draft, &shape).await })?.finish().await?
    }

    async fn sorted(&self, draft: &Draft, shape: &Shape) -> Result<Answer> {
        let mut state = self.0.context.state();
        if draft.ordered {
            state.config_mut().options_mut().execution.target_partitions = 1;
        }
        let failed = |e: DataFusionError| self.explained(Error::from_datafusion(&e, &draft.sql), &draft.sql);
        let mut plan = draft.plan.clone();
        if let Some((input, slice)) = &shape.slice {
            let keys = match slice {
                Slice::Keys { columns, table } => Some(self.keys(columns, table).await.map_err(failed)?),
                Slice::Time { .. } => None,
            };
            plan = slices::of(plan, input, slice, keys.as_ref()).map_err(failed)?;
        }
        let mut plan = stored(plan).map_err(failed)?;
        if let Some(beside) = &shape.beside {
            let other = state.statement_to_plan(self.rewritten(&state, beside)?).await.map_err(failed)?;
            let other = stored(other).map_err(failed)?;
            plan = LogicalPlanBuilder::from(plan).union(other).and_then(LogicalPlanBuilder::build).map_err(failed)?;
            plan = stored(plan).map_err(failed)?;
        }
        let (mut keys, rest) = order(&plan, shape)?;
        let ties = match shape.sort.is_empty() || rest.is_empty() {
            // Columns that were asked for tell most rows apart.
            false => Some(ties(&state, &plan, &keys, &rest).map_err(failed)?),
            true => {
                keys.extend(if rest.len() > KEYS { vec![row_order(rest)] } else { rest });
                None
            }
        };
        if !keys.is_empty() {
            let expr = keys.into_iter().map(|key| key.sort(true, true)).collect();
            // The keys are columns of the plan as it stands: there is nothing to be looked for.
            plan = LogicalPlan::Sort(Sort { expr, input: Arc::new(plan), fetch: None });
        }
        let plan = self.physical(&state, plan).await.map_err(failed)?;
        let (plan, waits) = stopping::stoppable(plan).map_err(failed)?;
        let mut stream =
            datafusion::physical_plan::execute_stream(Arc::clone(&plan), state.task_ctx()).map_err(failed)?;
        if let Some(ties) = ties {
            stream = ties::settled(stream, ties, state.task_ctx());
        }
        Answer::rows(&self.0.runtime, plan, stream, draft.sql.clone(), Notes::default(), None, waits)
    }

    async fn physical(
        &self,
        state: &SessionState,
        plan: LogicalPlan,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let plan = state.optimize(&shared::sealed(plan)?)?;
        state.query_planner().create_physical_plan(&plan, state).await
    }

    async fn keys(&self, columns: &[String], table: &str) -> Result<LogicalPlan, DataFusionError> {
        let found = self.0.own.own.table(table).await?;
        let provider = found.ok_or_else(|| Error::internal(format!("the keys `{table}` are gone")))?;
        let columns = columns.iter().map(|c| Expr::Column(Column::new(Some(table), c)));
        LogicalPlanBuilder::scan(table, provider_as_source(provider), None)?.project(columns)?.build()
    }

    /// Makes a table of the session from rows; it goes before those of the same name.
    ///
    /// # Errors
    /// Batches that are not of the schema.
    pub fn put_rows(&self, name: &str, schema: SchemaRef, rows: Vec<RecordBatch>) -> Result<()> {
        let failed = |e: DataFusionError| Error::from_datafusion(&e, "");
        let table = MemTable::try_new(schema, vec![rows]).map_err(failed)?;
        self.0.own.deregister_table(name).map_err(failed)?;
        self.0.own.register_table(name.to_owned(), Arc::new(table)).map_err(failed)?;
        self.0.plans.clear();
        Ok(())
    }

    /// Says which columns a model will have that is not built yet, so that what reads it can be planned.
    pub fn expect_model(&self, name: &str, columns: SchemaRef) {
        self.0.model.expected.write().insert(name.to_owned(), columns);
    }
}

/// Columns that are sort keys of their own; more of them are one.
const KEYS: usize = 32;

/// Sort keys: partitions and what is asked for; then, apart, everything else, so that there is but one order.
fn order(plan: &LogicalPlan, shape: &Shape) -> Result<(Vec<Expr>, Vec<Expr>)> {
    let names: Vec<&str> = plan.schema().fields().iter().map(|f| f.name().as_str()).collect();
    let mut keys: Vec<&str> = Vec::new();
    for name in shape.parts.iter().chain(&shape.sort) {
        if !names.contains(&name.as_str()) {
            return Err(Error::user(format!("there is no column `{name}` to sort by"))
                .with_hint(format!("there are `{}`", names.join("`, `"))));
        }
        keys.push(name);
    }
    let sortable = |data_type: &DataType| !matches!(data_type, DataType::Map(..) | DataType::Union(..));
    let fields = plan.schema().fields().iter().filter(|f| sortable(f.data_type()));
    let rest: Vec<&str> = fields.map(|f| f.name().as_str()).filter(|n| !keys.contains(n)).collect();
    let column = |name: &str| Expr::Column(Column::from_name(name));
    let parts = shape.parts.iter().map(|name| match shape.every {
        Some(every) if is_time(plan, name) => date_trunc(lit(every.name()), column(name)),
        _ => column(name),
    });
    let asked = keys.iter().skip(shape.parts.len()).map(|name| column(name));
    let inner = shape.parts.iter().filter(|_| shape.every.is_some()).map(|name| column(name));
    Ok((parts.chain(asked).collect(), rest.into_iter().map(column).chain(inner).collect()))
}

/// How rows that are sorted by `leading` are sorted by `rest` too.
fn ties(
    state: &SessionState,
    plan: &LogicalPlan,
    leading: &[Expr],
    rest: &[Expr],
) -> Result<ties::Order, DataFusionError> {
    let leading = leading.iter().map(|key| state.create_physical_expr(key.clone(), plan.schema()));
    let place = |key: &Expr| match key {
        Expr::Column(column) => plan.schema().index_of_column(column),
        other => Err(Error::internal(format!("`{other}` is no column to settle ties by")).into()),
    };
    Ok(ties::Order {
        leading: leading.collect::<Result<_, _>>()?,
        rest: rest.iter().map(place).collect::<Result<_, _>>()?,
        few: ties::FEW,
    })
}

fn is_time(plan: &LogicalPlan, name: &str) -> bool {
    plan.schema().field_with_unqualified_name(name).is_ok_and(|f| f.data_type().is_temporal())
}

/// Columns by plain names, texts as every reader of Parquet knows them.
fn stored(plan: LogicalPlan) -> Result<LogicalPlan, DataFusionError> {
    let columns: Vec<Expr> = plan
        .schema()
        .iter()
        .map(|(qualifier, field)| {
            let column = Expr::from((qualifier, field));
            match field.data_type() {
                DataType::Utf8View | DataType::LargeUtf8 => cast(column, DataType::Utf8),
                DataType::BinaryView | DataType::LargeBinary => cast(column, DataType::Binary),
                DataType::Null => cast(column, DataType::Utf8),
                _ => column,
            }
            .alias(field.name())
        })
        .collect();
    // Every column is named as it stands; a builder would look for each among all.
    Projection::try_new(columns, Arc::new(plan)).map(LogicalPlan::Projection)
}

/// What a plan, not yet optimised, reads.
fn reads(plan: &LogicalPlan) -> Result<Reads, DataFusionError> {
    let mut all = Reads { microdata: privacy::reads_microdata(plan)?, ..Reads::default() };
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let name = scan.table_name.table();
            let provider = source_as_provider(&scan.source)?;
            match provider.downcast_ref::<LakeTable>() {
                Some(table) => drop(all.tables.insert(table.name().to_owned())),
                None if name.split('@').next() == Some("source") => drop(all.tables.insert("lake.source".to_owned())),
                None => match meant_path(name) {
                    Some(path) => drop(all.files.insert(path.to_owned())),
                    None if ["generate_series", "range"].contains(&name.trim_end_matches("()")) => {}
                    None => drop(all.volatile.insert(format!("table `{}`", scan.table_name))),
                },
            }
        }
        node.apply_expressions(|e| {
            e.apply(|e| {
                if let Expr::ScalarFunction(call) = e
                    && call.func.signature().volatility != Volatility::Immutable
                {
                    all.volatile.insert(format!("`{}()`", call.name()));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(all)
}
