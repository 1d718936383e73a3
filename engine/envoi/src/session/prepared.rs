//! Statements with parameters, planned once and run with values.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, IntervalUnit, SchemaRef, TimeUnit};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ParamValues, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, Prepare, Statement as PlanStatement};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;

use super::late::{self, Samples};
use super::plans::repeatable;
use super::rewrite::late_parameters;
use super::{Session, Tag, lateral, tag};
use crate::error::{Error, Result};
use crate::privacy::{self, Notes};
use crate::session::answer::Answer;

/// Parameters that a statement may have.
pub(super) const MOST: usize = 65_535;

/// A statement that was planned, with what its parameters are and what it gives.
#[derive(Debug, Clone)]
pub struct Prepared {
    sql: String,
    /// Type of each parameter, from `$1` on.
    pub parameters: Vec<DataType>,
    /// Columns of the answer; `None` if there are no rows, but something is done.
    pub schema: Option<SchemaRef>,
    pub(super) plan: Arc<LogicalPlan>,
    stage: Stage,
    /// What the session saw when it was planned.
    seen: String,
    notes: Notes,
}

/// How far a plan is.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// It may run; with the count of changes to the session if its optimised form may be kept.
    Admitted(Option<u64>),
    /// It was kept from another run, optimised.
    Optimised,
    /// It is planned again with the values of its late parameters.
    Late,
    /// It is done when it is run by its text.
    Statement,
}

impl Prepared {
    /// The statement's text.
    pub fn sql(&self) -> &str {
        &self.sql
    }
}

impl Session {
    /// Plans a statement with parameters `$1`, `$2`, …
    ///
    /// `types` are those that the caller knows, `None` for what the statement tells; a parameter of which neither
    /// says anything is a text.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn prepare(&self, sql: &str, types: &[Option<DataType>]) -> Result<Prepared> {
        let (session, text, types) = (self.clone(), sql.to_owned(), types.to_vec());
        self.0.runtime.spawn(async move { session.planned(&text, &types).await })?.finish().await?
    }

    /// Runs a prepared statement with a value for each of its parameters.
    ///
    /// # Errors
    /// As [`run`](Self::run); another number of values than of parameters.
    pub async fn execute(&self, prepared: &Prepared, values: Vec<ScalarValue>) -> Result<Answer> {
        if values.len() != prepared.parameters.len() {
            let (got, expected) = (values.len(), prepared.parameters.len());
            return Err(Error::user(format!("got {got} values for {expected} parameters")));
        }
        if matches!(prepared.stage, Stage::Statement) {
            return self.run(prepared.sql()).await;
        }
        let (session, prepared) = (self.clone(), prepared.clone());
        self.0.runtime.spawn(async move { session.executed(prepared, values).await })?.finish().await?
    }

    async fn planned(&self, sql: &str, types: &[Option<DataType>]) -> Result<Prepared> {
        self.0.view.refresh().await?;
        let state = self.0.context.state();
        let seen = self.0.view.key();
        let (kept, changes) = self.0.plans.find(sql, &seen);
        if let Some(plan) = kept {
            let schema = Some(Arc::clone(plan.schema().inner()));
            let (sql, parameters, notes) = (sql.to_owned(), Vec::new(), Notes::default());
            return Ok(Prepared { sql, parameters, schema, plan, stage: Stage::Optimised, seen, notes });
        }
        let failed = |e| self.explained(Error::from_datafusion(&e, sql), sql);
        let (types, probes) = probes(late_parameters(&state, sql)?, types);
        let statement = self.with_values(&state, sql, &probes)?;
        let count = parameters(&statement)?.max(types.len());
        let (plan, parameters) = if count == 0 {
            (state.statement_to_plan(statement).await.map_err(failed)?, Vec::new())
        } else {
            self.typed(&state, statement, sql, &types, count).await?
        };
        // What is computed of a household is looked at as any other column of it.
        let plan = lateral::computed(plan).map_err(failed)?;
        // What a reader may not do is refused before it is bound.
        let notes = Notes::default();
        let plan = self.admitted(plan, &notes).map_err(failed)?;
        let (schema, stage) = match tag(&plan) {
            Some(Tag::Plain(_) | Tag::Counted(_)) => (None, Stage::Statement),
            None if !probes.is_empty() => (Some(Arc::clone(plan.schema().inner())), Stage::Late),
            None => {
                let keep = count == 0 && repeatable(&plan).map_err(failed)?;
                (Some(Arc::clone(plan.schema().inner())), Stage::Admitted(keep.then_some(changes)))
            }
        };
        Ok(Prepared { sql: sql.to_owned(), parameters, schema, plan: Arc::new(plan), stage, seen, notes })
    }

    /// The plan with every parameter's type: as given, else as the statement tells, else text.
    async fn typed(
        &self,
        state: &SessionState,
        statement: Statement,
        sql: &str,
        types: &[Option<DataType>],
        count: usize,
    ) -> Result<(LogicalPlan, Vec<DataType>)> {
        let mut all: Vec<Option<DataType>> = types.to_vec();
        all.resize(count, None);
        if all.iter().any(Option::is_none) {
            // A first plan tells what it can; what is wrong with the statement the second one says.
            if let Ok(plan) = state.statement_to_plan(statement.clone()).await {
                let told = told(&plan);
                for (place, known) in all.iter_mut().enumerate().filter(|(_, t)| t.is_none()) {
                    *known = told.get(place).cloned().flatten();
                }
            }
        }
        let all: Vec<DataType> = all.into_iter().map(|t| t.unwrap_or(DataType::Utf8)).collect();
        let Statement::Statement(inner) = statement else {
            return Err(Error::user("this statement takes no parameters"));
        };
        let data_types = all.iter().map(written).collect::<Result<_>>()?;
        let name = ast::Ident::new("parameters");
        let prepare = ast::Statement::Prepare { name, data_types, statement: inner };
        let failed = |e| self.explained(Error::from_datafusion(&e, sql), sql);
        let plan = state.statement_to_plan(Statement::Statement(Box::new(prepare))).await.map_err(failed)?;
        match plan {
            LogicalPlan::Statement(PlanStatement::Prepare(Prepare { input, .. })) => {
                Ok((Arc::unwrap_or_clone(input), all))
            }
            _ => Err(Error::internal("a prepared statement has no plan")),
        }
    }

    async fn executed(&self, prepared: Prepared, values: Vec<ScalarValue>) -> Result<Answer> {
        let sql = prepared.sql.as_str();
        self.0.view.refresh().await?;
        let failed = |e| self.explained(Error::from_datafusion(&e, sql), sql);
        let state = self.0.context.state();
        if matches!(prepared.stage, Stage::Late) {
            let values = fitting(values, &prepared.parameters).map_err(failed)?;
            return Box::pin(self.executed_late(&prepared, values)).await;
        }
        let prepared = match self.0.view.key() == prepared.seen {
            true => prepared.clone(),
            false => {
                let types: Vec<Option<DataType>> = prepared.parameters.iter().cloned().map(Some).collect();
                self.planned(sql, &types).await?
            }
        };
        let keep = match prepared.stage {
            Stage::Optimised => return self.rows(&state, &prepared.plan, sql, None).await,
            Stage::Admitted(changes) => changes.map(|changes| (prepared.seen.clone(), changes)),
            Stage::Late | Stage::Statement => return Err(Error::internal("a statement has no plan to run")),
        };
        let mut plan = Arc::unwrap_or_clone(prepared.plan);
        if !values.is_empty() {
            let values = fitting(values, &prepared.parameters).map_err(failed)?;
            plan = plan.with_param_values(bound(values)).map_err(failed)?;
        }
        self.queried(state, plan, sql, prepared.notes, keep).await
    }

    /// Plans a statement whose functions in FROM have parameters with their values, and starts it.
    async fn executed_late(&self, prepared: &Prepared, values: Vec<ScalarValue>) -> Result<Answer> {
        let sql = prepared.sql.as_str();
        let failed = |e| self.explained(Error::from_datafusion(&e, sql), sql);
        let state = self.0.context.state();
        let statement = self.with_values(&state, sql, &(1..).zip(values.iter().cloned()).collect())?;
        let types: Vec<Option<DataType>> = prepared.parameters.iter().cloned().map(Some).collect();
        let (plan, _) = self.typed(&state, statement, sql, &types, types.len()).await?;
        let notes = Notes::default();
        let plan = self.admitted(plan, &notes).map_err(failed)?;
        let plan = plan.with_param_values(bound(values)).map_err(failed)?;
        self.queried(state, plan, sql, notes, None).await
    }

    /// The plan, if the role may run it.
    fn admitted(&self, plan: LogicalPlan, notes: &Notes) -> datafusion::common::Result<LogicalPlan> {
        match &self.0.gate {
            Some(gate) => gate.admit(plan, notes),
            None => privacy::watched(plan, notes),
        }
    }
}

/// Types of parameters with those that late ones have by their places, and values to plan with.
fn probes(samples: Samples, types: &[Option<DataType>]) -> (Vec<Option<DataType>>, Samples) {
    let mut types = types.to_vec();
    let of_type = |(number, sample): (usize, ScalarValue)| {
        types.resize(types.len().max(number), None);
        let known = types.get_mut(number - 1)?.get_or_insert_with(|| sample.data_type());
        let fitting = sample.cast_to(known).ok().filter(|s| !s.is_null());
        Some((number, fitting.unwrap_or_else(|| late::sample(known))))
    };
    let probes = samples.into_iter().filter_map(of_type).collect();
    (types, probes)
}

/// Values of the types that their parameters have.
fn fitting(values: Vec<ScalarValue>, types: &[DataType]) -> datafusion::common::Result<Vec<ScalarValue>> {
    let fitting = |(value, data_type): (ScalarValue, &DataType)| {
        // Decimals keep the digits that they came with.
        let fits = value.data_type() == *data_type || (value.data_type().is_decimal() && data_type.is_decimal());
        if fits { Ok(value) } else { value.cast_to(data_type) }
    };
    values.into_iter().zip(types).map(fitting).collect()
}

fn bound(values: Vec<ScalarValue>) -> ParamValues {
    ParamValues::List(values.into_iter().map(Into::into).collect())
}

/// The number of the last parameter of a statement.
fn parameters(statement: &Statement) -> Result<usize> {
    let Statement::Statement(statement) = statement else { return Ok(0) };
    let mut most = 0;
    let flow = ast::visit_expressions(statement.as_ref(), |expr| {
        if let ast::Expr::Value(ast::ValueWithSpan { value: ast::Value::Placeholder(name), .. }) = expr {
            match name.strip_prefix('$').map(str::parse::<usize>) {
                Some(Ok(number)) if (1..=MOST).contains(&number) => most = most.max(number),
                _ => return ControlFlow::Break(name.clone()),
            }
        }
        ControlFlow::Continue(())
    });
    match flow {
        ControlFlow::Continue(()) => Ok(most),
        ControlFlow::Break(name) => Err(Error::user(format!("there is no parameter {name}; the first is $1"))),
    }
}

/// What a plan tells of the types of its parameters.
fn told(plan: &LogicalPlan) -> Vec<Option<DataType>> {
    let mut all = Vec::new();
    let mut tell = |name: &str, data_type: &DataType| {
        let number = name.strip_prefix('$').and_then(|n| n.parse::<usize>().ok()).filter(|n| (1..=MOST).contains(n));
        if let Some(place) = number.map(|n| n - 1)
            && !data_type.is_null()
        {
            if all.len() <= place {
                all.resize(place + 1, None);
            }
            if let Some(slot @ None) = all.get_mut(place) {
                *slot = Some(plain(data_type));
            }
        }
    };
    for (name, field) in plan.get_parameter_fields().unwrap_or_default() {
        if let Some(field) = field {
            tell(&name, field.data_type());
        }
    }
    // What the engine does not infer: lists that something is sought in, casts, arguments.
    let _ = plan.apply_with_subqueries(|node| {
        let mut schema = DFSchema::empty();
        for input in node.inputs() {
            schema.merge(input.schema());
        }
        if let LogicalPlan::TableScan(scan) = node {
            schema.merge(&scan.projected_schema);
        }
        let _ = node.apply_expressions(|expr| {
            expr.apply(|expr| {
                beside(expr, &schema, &mut tell);
                Ok(TreeNodeRecursion::Continue)
            })
        });
        Ok(TreeNodeRecursion::Continue)
    });
    all
}

/// Tells of parameters from what stands beside them.
fn beside(expr: &Expr, schema: &DFSchema, tell: &mut impl FnMut(&str, &DataType)) {
    use datafusion::logical_expr::ExprSchemable;
    match expr {
        Expr::Cast(cast) => {
            if let Expr::Placeholder(p) = cast.expr.as_ref() {
                tell(&p.id, cast.field.data_type());
            }
        }
        Expr::ScalarFunction(call) => {
            let types: Vec<Option<DataType>> = call.args.iter().map(|a| a.get_type(schema).ok()).collect();
            let known = |place: usize| types.get(place).cloned().flatten().filter(|t| !t.is_null());
            for (place, argument) in call.args.iter().enumerate() {
                let Expr::Placeholder(p) = argument else { continue };
                match (call.name(), place) {
                    ("array_has", 0) => {
                        if let Some(element) = known(1) {
                            let field: FieldRef =
                                Arc::new(datafusion::arrow::datatypes::Field::new_list_field(plain(&element), true));
                            tell(&p.id, &DataType::List(field));
                        }
                    }
                    ("arrow_cast", _) => {}
                    // Functions of one kind of argument, such as coalesce, greatest and least.
                    ("coalesce" | "greatest" | "least" | "nullif", _) => {
                        if let Some(other) = (0..call.args.len()).find_map(known) {
                            tell(&p.id, &other);
                        }
                    }
                    // As the function takes them, where it says so.
                    _ => {
                        let examples = call.func.signature().type_signature.get_example_types();
                        let fitting = examples.iter().find(|types| types.len() == call.args.len());
                        if let Some(data_type) = fitting.and_then(|types| types.get(place)) {
                            tell(&p.id, data_type);
                        }
                    }
                }
            }
        }
        _ => {}
    }
}

/// The type as a parameter has it: views and dictionaries are how columns are kept.
fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::Dictionary(_, value) => plain(value),
        DataType::UInt64 | DataType::UInt32 => DataType::Int64,
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Interval(_) | DataType::Duration(_) => DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            let element = plain(field.data_type());
            DataType::List(Arc::new(datafusion::arrow::datatypes::Field::new_list_field(element, true)))
        }
        other => other.clone(),
    }
}

/// The type as SQL writes it.
pub(super) fn written(data_type: &DataType) -> Result<ast::DataType> {
    use ast::{ArrayElemTypeDef, DataType as Sql, ExactNumberInfo, TimezoneInfo};
    Ok(match data_type {
        DataType::Boolean => Sql::Boolean,
        DataType::Int8 => Sql::TinyInt(None),
        DataType::Int16 => Sql::SmallInt(None),
        DataType::Int32 => Sql::Int(None),
        DataType::Int64 => Sql::BigInt(None),
        DataType::UInt8 => Sql::TinyIntUnsigned(None),
        DataType::UInt16 => Sql::SmallIntUnsigned(None),
        DataType::UInt32 => Sql::IntUnsigned(None),
        DataType::UInt64 => Sql::BigIntUnsigned(None),
        DataType::Float16 | DataType::Float32 => Sql::Real,
        DataType::Float64 => Sql::Double(ExactNumberInfo::None),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => Sql::Decimal(ExactNumberInfo::PrecisionAndScale(u64::from(*p), i64::from(*s))),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Sql::Varchar(None),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Sql::Bytea,
        DataType::Date32 | DataType::Date64 => Sql::Date,
        DataType::Time32(_) | DataType::Time64(_) => Sql::Time(None, TimezoneInfo::None),
        DataType::Timestamp(_, None) => Sql::Timestamp(None, TimezoneInfo::None),
        DataType::Timestamp(_, Some(_)) => Sql::Timestamp(None, TimezoneInfo::WithTimeZone),
        DataType::Interval(_) | DataType::Duration(_) => Sql::Interval { fields: None, precision: None },
        DataType::List(f) | DataType::LargeList(f) | DataType::FixedSizeList(f, _) => {
            Sql::Array(ArrayElemTypeDef::SquareBracket(Box::new(written(f.data_type())?), None))
        }
        other => return Err(Error::user(format!("a parameter cannot be of type {other}"))),
    })
}
