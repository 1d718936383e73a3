//! Whether a query of a table is, slice for slice, a query of the slices of one table below it;
//! and the query of some of them.
//!
//! A slice is a span of time, or the rows of a key. The rows of `select date_trunc('month', t), sum(x)
//! from transfer group by 1` for May rest on the transfers of May alone, and that can be told from the
//! plan: every node that puts rows together keeps those of different slices apart. So building anew
//! the slices in which the input changed gives the table that building it whole would.
//! Where it cannot be told, the answer is why not.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType, NullEquality, Result, ScalarValue};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::utils::{conjunction, disjunction, split_conjunction};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Distinct, Expr, Filter, Join, LogicalPlan, LogicalPlanBuilder, Operator, TableScan, Window,
    WindowFunctionDefinition, lit,
};

use crate::catalogue::LakeTable;

/// How long a span of time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// One day.
    Day,
    /// From Monday.
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months.
    Quarter,
    /// A calendar year.
    Year,
}

impl Granularity {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// As `date_trunc` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// That of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.name() == name)
    }

    /// Whether a span of this length lies within one of the other.
    fn within(self, other: Self) -> bool {
        match (self, other) {
            (Self::Day, _) => true,
            (Self::Week, other) => other == Self::Week,
            (_, Self::Day | Self::Week) => false,
            (a, b) => a as u8 <= b as u8,
        }
    }
}

/// What slices a table is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SliceBy {
    /// Spans of time.
    Time {
        /// Column of the input.
        input: String,
        /// Column of the result that says which span a row is in.
        output: String,
        /// How long they are.
        every: Granularity,
    },
    /// Values of columns, which have the same name in the input and in the result.
    Keys(Vec<String>),
}

/// Some slices of an input.
#[derive(Debug, Clone)]
pub enum Slice {
    /// Days since 1970, first and the one after the last; `i64::MIN` and `i64::MAX` for no bound.
    Time {
        /// Column of the input.
        column: String,
        /// The spans.
        days: Vec<(i64, i64)>,
        /// And rows without a time.
        nulls: bool,
    },
    /// The rows whose keys a table of the session has.
    Keys {
        /// The columns.
        columns: Vec<String>,
        /// The table.
        table: String,
    },
}

/// What a column tells of the slice that its row is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tells {
    /// The time itself.
    Time,
    /// The span of that length.
    Span(Granularity),
    /// The value of the key of that number.
    Key(usize),
}

/// For each column what it tells.
type Carried = Vec<Option<Tells>>;

/// Why a query is not one of slices.
type Whole = String;

/// Checks that every row of the query rests on one slice of the input, the one that its own columns name.
pub(super) fn check(plan: &LogicalPlan, input: &str, by: &SliceBy) -> Result<std::result::Result<(), Whole>> {
    let walk = Walk { input, by };
    let carried = match walk.carried(plan)? {
        Err(why) => return Ok(Err(why)),
        Ok(None) => return Ok(Err(format!("it does not read `{input}`"))),
        Ok(Some(carried)) => carried,
    };
    let tells = |name: &str| {
        let at = plan.schema().fields().iter().position(|f| f.name() == name);
        at.and_then(|at| carried.get(at).copied().flatten())
    };
    Ok(match by {
        SliceBy::Time { output, every, .. } => match tells(output) {
            Some(Tells::Time) => Ok(()),
            Some(Tells::Span(span)) if span.within(*every) => Ok(()),
            _ => Err(format!("column `{output}` does not say in which {} a row of `{input}` was", every.name())),
        },
        SliceBy::Keys(keys) => match keys.iter().enumerate().find(|(i, k)| tells(k) != Some(Tells::Key(*i))) {
            Some((_, key)) => Err(format!("column `{key}` is not the one of `{input}`")),
            None => Ok(()),
        },
    })
}

struct Walk<'a> {
    input: &'a str,
    by: &'a SliceBy,
}

impl Walk<'_> {
    fn is_input(&self, scan: &TableScan) -> bool {
        is_table(scan, self.input)
    }

    fn reads(&self, plan: &LogicalPlan) -> Result<bool> {
        let mut found = false;
        plan.apply_with_subqueries(|node| {
            found |= matches!(node, LogicalPlan::TableScan(scan) if self.is_input(scan));
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        Ok(found)
    }

    /// `None` where the input is not below.
    fn carried(&self, plan: &LogicalPlan) -> Result<std::result::Result<Option<Carried>, Whole>> {
        if !self.reads(plan)? {
            return Ok(Ok(None));
        }
        if let Some(why) = self.in_expressions(plan)? {
            return Ok(Err(why));
        }
        let below = |input: &LogicalPlan| self.carried(input);
        Ok(match plan {
            LogicalPlan::TableScan(scan) => self.scanned(scan),
            LogicalPlan::Filter(f) => return below(&f.input),
            LogicalPlan::Repartition(r) => return below(&r.input),
            LogicalPlan::SubqueryAlias(a) => return below(&a.input),
            LogicalPlan::Sort(s) if s.fetch.is_none() => return below(&s.input),
            LogicalPlan::Projection(p) => below(&p.input)?.map(|found| {
                found.map(|carried| p.expr.iter().map(|e| tells(e, p.input.schema(), &carried)).collect())
            }),
            LogicalPlan::Aggregate(a) => match below(&a.input)? {
                Ok(Some(carried)) => self.grouped(a, &carried),
                other => other,
            },
            LogicalPlan::Window(w) => match below(&w.input)? {
                Ok(Some(carried)) => self.windowed(w, carried),
                other => other,
            },
            LogicalPlan::Distinct(Distinct::All(input)) => match below(input)? {
                Ok(Some(carried)) if self.apart(&carried) => Ok(Some(carried)),
                Ok(Some(_)) => Err(self.mixed("distinct")),
                other => other,
            },
            LogicalPlan::Join(j) => return self.joined(j),
            LogicalPlan::Union(u) => {
                let mut all: Option<Carried> = None;
                for input in &u.inputs {
                    let Some(found) = (match below(input)? {
                        Ok(found) => found,
                        Err(why) => return Ok(Err(why)),
                    }) else {
                        return Ok(Err(format!("a branch of its union does not read `{}`", self.input)));
                    };
                    all = Some(match all {
                        None => found,
                        Some(all) => all.into_iter().zip(found).map(|(a, b)| a.filter(|_| a == b)).collect(),
                    });
                }
                Ok(all)
            }
            LogicalPlan::Limit(_) | LogicalPlan::Sort(_) => {
                Err("it has a limit, which counts over all rows".to_owned())
            }
            other => Err(format!("it has a step, `{}`, of which that is not known", other.display())),
        })
    }

    /// Why not, where a query within an expression of the node reads the input.
    fn in_expressions(&self, plan: &LogicalPlan) -> Result<Option<Whole>> {
        let mut found = false;
        plan.apply_subqueries(|sub| {
            found |= self.reads(sub)?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(found.then(|| format!("a query within an expression reads `{}`", self.input)))
    }

    fn scanned(&self, scan: &TableScan) -> std::result::Result<Option<Carried>, Whole> {
        let fields = scan.projected_schema.fields();
        let wanted = |name: &str| fields.iter().position(|f| f.name() == name);
        let mut carried = vec![None; fields.len()];
        match self.by {
            SliceBy::Time { input, .. } => {
                let at = wanted(input).ok_or_else(|| format!("`{}` has no column `{input}`", self.input))?;
                let sliced = match fields.get(at).map(|f| f.data_type()) {
                    Some(DataType::Date32) => true,
                    Some(DataType::Timestamp(_, zone)) => zone.as_deref().is_none_or(|z| z == "UTC" || z == "+00:00"),
                    _ => false,
                };
                if !sliced {
                    return Err(format!("column `{input}` of `{}` is not a date or a time in UTC", self.input));
                }
                if let Some(cell) = carried.get_mut(at) {
                    *cell = Some(Tells::Time);
                }
            }
            SliceBy::Keys(keys) => {
                for (number, key) in keys.iter().enumerate() {
                    let at = wanted(key).ok_or_else(|| format!("`{}` has no column `{key}`", self.input))?;
                    if let Some(cell) = carried.get_mut(at) {
                        *cell = Some(Tells::Key(number));
                    }
                }
            }
        }
        Ok(Some(carried))
    }

    /// Whether rows that are equal in these columns are of one slice.
    fn apart(&self, carried: &[Option<Tells>]) -> bool {
        match self.by {
            SliceBy::Time { every, .. } => carried.iter().flatten().any(|t| match t {
                Tells::Time => true,
                Tells::Span(span) => span.within(*every),
                Tells::Key(_) => false,
            }),
            SliceBy::Keys(keys) => (0..keys.len()).all(|i| carried.contains(&Some(Tells::Key(i)))),
        }
    }

    fn mixed(&self, step: &str) -> Whole {
        let what = match self.by {
            SliceBy::Time { every, .. } => format!("{}s", every.name()),
            SliceBy::Keys(_) => "keys".to_owned(),
        };
        format!("its `{step}` puts rows of different {what} of `{}` together", self.input)
    }

    fn grouped(&self, a: &Aggregate, carried: &[Option<Tells>]) -> std::result::Result<Option<Carried>, Whole> {
        if a.group_expr.iter().any(|e| matches!(e, Expr::GroupingSet(_))) {
            return Err("it has grouping sets".to_owned());
        }
        let mut found: Carried = a.group_expr.iter().map(|e| tells(e, a.input.schema(), carried)).collect();
        if !self.apart(&found) {
            return Err(self.mixed("group by"));
        }
        found.resize(a.schema.fields().len(), None);
        Ok(Some(found))
    }

    fn windowed(&self, w: &Window, mut carried: Carried) -> std::result::Result<Option<Carried>, Whole> {
        for e in &w.window_expr {
            let mut inner = e;
            while let Expr::Alias(alias) = inner {
                inner = &alias.expr;
            }
            let Expr::WindowFunction(call) = inner else { return Err(self.mixed("over")) };
            let by: Carried = call.params.partition_by.iter().map(|e| tells(e, w.input.schema(), &carried)).collect();
            if !self.apart(&by) {
                return Err(self.mixed("over"));
            }
        }
        carried.resize(w.schema.fields().len(), None);
        Ok(Some(carried))
    }

    fn joined(&self, j: &Join) -> Result<std::result::Result<Option<Carried>, Whole>> {
        let (left, right) = match (self.carried(&j.left)?, self.carried(&j.right)?) {
            (Err(why), _) | (_, Err(why)) => return Ok(Err(why)),
            (Ok(left), Ok(right)) => (left, right),
        };
        let (wide, tall) = (j.left.schema().fields().len(), j.right.schema().fields().len());
        let many = |side: &str| Err(format!("its join keeps rows of the other side that `{side}` has nothing for"));
        let padded = |mut carried: Carried, before: usize, after: usize| {
            carried.splice(0..0, vec![None; before]);
            carried.extend(vec![None; after]);
            Ok(Some(carried))
        };
        Ok(match (left, right, j.join_type) {
            (Some(l), None, JoinType::Inner | JoinType::Left) => padded(l, 0, tall),
            (Some(l), None, JoinType::LeftSemi | JoinType::LeftAnti) => Ok(Some(l)),
            (Some(l), None, JoinType::LeftMark) => padded(l, 0, 1),
            (None, Some(r), JoinType::Inner | JoinType::Right) => padded(r, wide, 0),
            (None, Some(r), JoinType::RightSemi | JoinType::RightAnti) => Ok(Some(r)),
            (Some(l), Some(r), kind) => {
                let equal = self.equal(j, &l, &r);
                if !self.apart(&equal) {
                    return Ok(Err(self.mixed("join")));
                }
                match kind {
                    JoinType::Inner => {
                        let mut both = l;
                        both.extend(r);
                        Ok(Some(both))
                    }
                    JoinType::Left => padded(l, 0, tall),
                    JoinType::Right => padded(r, wide, 0),
                    JoinType::LeftSemi | JoinType::LeftAnti => Ok(Some(l)),
                    JoinType::RightSemi | JoinType::RightAnti => Ok(Some(r)),
                    _ => many(self.input),
                }
            }
            _ => many(self.input),
        })
    }

    /// What the columns tell that are equal on both sides.
    fn equal(&self, j: &Join, left: &[Option<Tells>], right: &[Option<Tells>]) -> Carried {
        let of = |a: &Expr, b: &Expr| {
            let one = tells(a, j.left.schema(), left)?;
            (Some(one) == tells(b, j.right.schema(), right)).then_some(one)
        };
        let filters = j.filter.iter().flat_map(split_conjunction).filter_map(|e| match e {
            Expr::BinaryExpr(BinaryExpr { left: a, op: Operator::Eq, right: b }) => Some((a.as_ref(), b.as_ref())),
            _ => None,
        });
        let pairs = j.on.iter().map(|(a, b)| (a, b)).chain(filters);
        pairs.map(|(a, b)| of(a, b).or_else(|| of(b, a))).collect()
    }
}

fn is_table(scan: &TableScan, name: &str) -> bool {
    source_as_provider(&scan.source)
        .is_ok_and(|p| p.downcast_ref::<LakeTable>().is_some_and(|table| table.name() == name))
}

/// What an expression over such columns tells.
fn tells(e: &Expr, schema: &DFSchema, carried: &[Option<Tells>]) -> Option<Tells> {
    let inner = |e: &Expr| tells(e, schema, carried);
    match e {
        Expr::Alias(alias) => inner(&alias.expr),
        Expr::Column(column) => carried.get(schema.maybe_index_of_column(column)?).copied().flatten(),
        Expr::Cast(cast) => match (inner(&cast.expr)?, cast.field.data_type()) {
            // The hour of a time is lost.
            (Tells::Time, DataType::Date32 | DataType::Date64) => Some(Tells::Span(Granularity::Day)),
            (Tells::Time, DataType::Timestamp(_, None)) => Some(Tells::Time),
            (Tells::Span(span), t) if t.is_numeric() || t.is_temporal() || t.is_string() => Some(Tells::Span(span)),
            _ => None,
        },
        Expr::ScalarFunction(call) => match (call.name(), call.args.as_slice()) {
            ("date_trunc", [Expr::Literal(name, _), of]) => {
                let every = Granularity::of(name.try_as_str()??.to_lowercase().as_str())?;
                truncated(inner(of)?, every)
            }
            ("date_part", [Expr::Literal(name, _), of]) if name.try_as_str()??.eq_ignore_ascii_case("year") => {
                truncated(inner(of)?, Granularity::Year)
            }
            _ => None,
        },
        _ => None,
    }
}

fn truncated(tells: Tells, every: Granularity) -> Option<Tells> {
    match tells {
        Tells::Time => Some(Tells::Span(every)),
        Tells::Span(span) if span.within(every) => Some(Tells::Span(every)),
        _ => None,
    }
}

/// The same query over some slices of the input; `keys` is the plan of the keys' table.
pub(super) fn of(plan: LogicalPlan, input: &str, slice: &Slice, keys: Option<&LogicalPlan>) -> Result<LogicalPlan> {
    let sliced = plan.transform_up(|node| {
        let LogicalPlan::TableScan(scan) = &node else { return Ok(Transformed::no(node)) };
        if !is_table(scan, input) {
            return Ok(Transformed::no(node));
        }
        let column = |name: &str| Column::new(Some(scan.table_name.clone()), name);
        match (slice, keys) {
            (Slice::Time { column: name, days, nulls }, _) => {
                let data_type = scan.projected_schema.field_with_unqualified_name(name)?.data_type().clone();
                let within = within(&Expr::Column(column(name)), &data_type, days, *nulls)?;
                Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(within, Arc::new(node))?)))
            }
            (Slice::Keys { columns, .. }, Some(keys)) => {
                let ours: Vec<Column> = columns.iter().map(|c| column(c)).collect();
                let theirs: Vec<Column> = keys.schema().columns();
                let both = (ours, theirs);
                let kind = (JoinType::LeftSemi, NullEquality::NullEqualsNull);
                let joined =
                    LogicalPlanBuilder::from(node).join_detailed(keys.clone(), kind.0, both, None, kind.1)?.build()?;
                Ok(Transformed::yes(joined))
            }
            (Slice::Keys { .. }, None) => Ok(Transformed::no(node)),
        }
    })?;
    Ok(sliced.data)
}

/// The condition that a date or time lies in one of the spans.
fn within(column: &Expr, data_type: &DataType, days: &[(i64, i64)], nulls: bool) -> Result<Expr> {
    let mut any = Vec::new();
    for (first, after) in days {
        let mut both = Vec::new();
        if *first != i64::MIN {
            both.push(column.clone().gt_eq(midnight(*first, data_type)));
        }
        if *after != i64::MAX {
            both.push(column.clone().lt(midnight(*after, data_type)));
        }
        any.push(conjunction(both).unwrap_or_else(|| column.clone().is_not_null()));
    }
    if nulls {
        any.push(column.clone().is_null());
    }
    Ok(disjunction(any).unwrap_or_else(|| lit(false)))
}

fn midnight(day: i64, data_type: &DataType) -> Expr {
    let scaled = |per_second: i64| day.checked_mul(86_400).and_then(|s| s.checked_mul(per_second));
    let value = match data_type {
        DataType::Timestamp(unit, zone) => match unit {
            TimeUnit::Second => ScalarValue::TimestampSecond(scaled(1), zone.clone()),
            TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(scaled(1_000), zone.clone()),
            TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(scaled(1_000_000), zone.clone()),
            TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(scaled(1_000_000_000), zone.clone()),
        },
        _ => ScalarValue::Date32(i32::try_from(day).ok()),
    };
    lit(value)
}

/// Whether rows could come in another order, and sums in other last digits, with other partitions.
pub(super) fn depends_on_order(plan: &LogicalPlan) -> Result<bool> {
    let own: Vec<String> = envoi_functions::all_aggregates().iter().map(|f| f.name().to_owned()).collect();
    let steady = |name: &str| {
        ["count", "min", "max", "bool_and", "bool_or", "bit_and", "bit_or", "bit_xor"].contains(&name)
            || own.iter().any(|o| o == name)
    };
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= match node {
            LogicalPlan::Limit(_) | LogicalPlan::Distinct(Distinct::On(_)) | LogicalPlan::Window(_) => true,
            LogicalPlan::Sort(sort) => sort.fetch.is_some(),
            LogicalPlan::Aggregate(a) => {
                let mut any = false;
                for e in &a.aggr_expr {
                    e.apply(|e| {
                        any |= match e {
                            Expr::AggregateFunction(call) if call.func.name() == "sum" => {
                                let schema = a.input.schema();
                                use datafusion::logical_expr::ExprSchemable;
                                !call.params.args.iter().all(|e| {
                                    e.get_type(schema.as_ref()).is_ok_and(|t| t.is_integer() || t.is_decimal())
                                })
                            }
                            Expr::AggregateFunction(call) => !steady(call.func.name()),
                            Expr::WindowFunction(call) => {
                                !matches!(&call.fun, WindowFunctionDefinition::AggregateUDF(f) if steady(f.name()))
                            }
                            _ => false,
                        };
                        Ok(TreeNodeRecursion::Continue)
                    })?;
                }
                any
            }
            _ => false,
        };
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}
