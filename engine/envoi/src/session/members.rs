//! `EXISTS` and `IN` with a query where they are values: in a list of columns, an aggregate, a window, a CASE.
//!
//! The engine below plans them in conditions only. Here each becomes a column of what is below: whether there is such
//! a row. `IN` is true, false or, where a NULL keeps it from being known, NULL.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, ExprSchema, JoinType, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Filter, LogicalPlan, LogicalPlanBuilder, Projection, SkipType, Subquery, lit, when,
};
use datafusion::optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion::optimizer::rewrite_set_comparison::RewriteSetComparison;
use datafusion::optimizer::{AnalyzerRule, OptimizerContext, OptimizerRule};

use crate::error::Error;

/// Makes columns of them before the engine's own rules look at the plan.
#[derive(Debug)]
pub(super) struct Memberships;

impl AnalyzerRule for Memberships {
    fn name(&self) -> &'static str {
        "memberships"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(known)?.data)
    }
}

fn known(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let node = match node {
        // In conditions the engine does so by itself.
        LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) if compares(&node)? => {
            let names = NamePreserver::new(&node);
            let names: Vec<_> = node.expressions().iter().map(|expr| names.save(expr)).collect();
            let node = RewriteSetComparison::new().rewrite(node, &OptimizerContext::new())?.data;
            let inputs = node.inputs().into_iter().cloned().collect();
            let named = names.into_iter().zip(node.expressions()).map(|(name, expr)| name.restore(expr)).collect();
            node.with_new_exprs(named, inputs)?
        }
        node => node,
    };
    match node {
        LogicalPlan::Filter(filter) if has(&filter.predicate) => three_valued(filter),
        LogicalPlan::Projection(_) if node.expressions().iter().any(has) => below(node),
        LogicalPlan::Aggregate(_) | LogicalPlan::Window(_)
            if node.expressions().iter().any(|expr| asks(expr) || orders(expr)) =>
        {
            below(node)
        }
        LogicalPlan::Subquery(query) => {
            if !query.outer_ref_columns.is_empty() {
                sound(&query.subquery)?;
            }
            Ok(Transformed::no(LogicalPlan::Subquery(query)))
        }
        node => Ok(Transformed::no(node)),
    }
}

/// The engine below would take rows together that different rows around ask for.
fn sound(query: &LogicalPlan) -> Result<()> {
    query.apply(|step| {
        let what = match step {
            LogicalPlan::Window(_) => "a window function",
            LogicalPlan::Limit(limit) if !matches!(limit.get_skip_type()?, SkipType::Literal(0)) => "OFFSET",
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        // Queries within this one have rows around of their own, which are its.
        if step.exists(|below| Ok(below.contains_outer_reference()))? {
            let refused = format!("{what} in a query that depends on the row around it is not supported");
            return Err(Error::user(refused)
                .with_state("0A000")
                .with_hint("compute it in a query of its own, and join that")
                .into());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// Whether rows are put in an order, or together, by more than columns.
fn orders(expr: &Expr) -> bool {
    expr.exists(|e| Ok(keys(e).into_iter().any(is_computed))).unwrap_or(false)
}

/// What a window or an aggregate orders by.
fn keys(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::WindowFunction(call) => {
            call.params.partition_by.iter().chain(call.params.order_by.iter().map(|by| &by.expr)).collect()
        }
        // With DISTINCT the order is by what is aggregated, which has to be the same.
        Expr::AggregateFunction(call) if !call.params.distinct => {
            call.params.order_by.iter().map(|by| &by.expr).collect()
        }
        _ => Vec::new(),
    }
}

/// What is computed another way in a list of columns than the engine below does in an order.
fn is_computed(key: &Expr) -> bool {
    let computes = |e: &Expr| match e {
        Expr::Cast(_) | Expr::TryCast(_) => true,
        Expr::BinaryExpr(binary) => binary.op.is_numerical_operators(),
        _ => false,
    };
    key.exists(|e| Ok(computes(e))).unwrap_or(false)
}

/// Whether there is `= ANY (query)` or the like.
fn compares(node: &LogicalPlan) -> Result<bool> {
    let is_comparison = |expr: &Expr| expr.exists(|e| Ok(matches!(e, Expr::SetComparison(_))));
    node.expressions().iter().try_fold(false, |found, expr| Ok(found || is_comparison(expr)?))
}

fn has(expr: &Expr) -> bool {
    expr.exists(|e| Ok(is_membership(e))).unwrap_or(false)
}

/// A value that depends on the row around is a column below aggregates and windows, too.
fn asks(expr: &Expr) -> bool {
    expr.exists(|e| Ok(is_membership(e) || is_correlated(e))).unwrap_or(false)
}

fn is_correlated(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarSubquery(query) if !query.outer_ref_columns.is_empty())
}

fn is_membership(expr: &Expr) -> bool {
    matches!(expr, Expr::InSubquery(_) | Expr::Exists(_))
}

/// A condition: what the engine takes for a join of its own stays; within others, it takes NULL for false.
fn three_valued(filter: Filter) -> Result<Transformed<LogicalPlan>> {
    let is_join = |expr: &Expr| match expr {
        Expr::Exists(asked) => !has_one_row(&asked.subquery.subquery),
        Expr::InSubquery(asked) => !asked.negated && !has_one_row(&asked.subquery.subquery) || is_key(asked),
        Expr::Not(inner) => match inner.as_ref() {
            Expr::Exists(asked) => !has_one_row(&asked.subquery.subquery),
            Expr::InSubquery(asked) => asked.negated && !has_one_row(&asked.subquery.subquery) || is_key(asked),
            _ => false,
        },
        _ => false,
    };
    let input = Arc::clone(&filter.input);
    let parts = split_conjunction_owned(filter.predicate.clone())
        .into_iter()
        .map(|part| if is_join(&part) { Ok(Transformed::no(part)) } else { part.transform_up(|e| in_list(e, &input)) });
    let parts = parts.collect::<Result<Vec<_>>>()?;
    if !parts.iter().any(|part| part.transformed) {
        return Ok(Transformed::no(LogicalPlan::Filter(filter)));
    }
    let predicate = conjunction(parts.into_iter().map(|part| part.data)).unwrap_or_else(|| lit(true));
    Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(predicate, input)?)))
}

/// Whether the engine's join for NOT IN knows NULL: one column, and a query that does not depend on the row around.
fn is_key(asked: &InSubquery) -> bool {
    !asked.expr.column_refs().is_empty()
        && asked.subquery.outer_ref_columns.is_empty()
        && !has_one_row(&asked.subquery.subquery)
}

/// Whether a plan is an aggregate of all its rows, which has one row whatever these are.
fn has_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => has_one_row(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => has_one_row(&alias.input),
        LogicalPlan::Sort(sort) => has_one_row(&sort.input),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        _ => false,
    }
}

/// A step whose expressions ask: the answers are columns below it.
fn below(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let names = NamePreserver::new(&node);
    let [input] = node.inputs()[..] else { return Ok(Transformed::no(node)) };
    let values = !matches!(node, LogicalPlan::Projection(_));
    let (plain, mut answers) = (input.clone(), Answers(input.clone()));
    let mut expressions = Vec::new();
    let mut ordered: Vec<(Expr, Expr)> = Vec::new();
    for expr in node.expressions() {
        let name = names.save(&expr);
        let expr = if values { expr.transform_up(|e| by_columns(e, &mut answers, &mut ordered))?.data } else { expr };
        let asked = expr.transform_up(|e| in_list(e, &plain))?.data;
        let answered = asked.transform_up(|e| match e {
            Expr::Exists(asked) => exists(asked, &mut answers),
            e if values && is_correlated(&e) => Ok(Transformed::yes(answers.column(e)?)),
            e => Ok(Transformed::no(e)),
        })?;
        expressions.push(name.restore(answered.data));
    }
    Ok(Transformed::yes(node.with_new_exprs(expressions, vec![answers.0])?))
}

/// A window or an aggregate that orders by columns: what it computes for it is a column below.
fn by_columns(expr: Expr, answers: &mut Answers, ordered: &mut Vec<(Expr, Expr)>) -> Result<Transformed<Expr>> {
    if !keys(&expr).into_iter().any(is_computed) {
        return Ok(Transformed::no(expr));
    }
    let mut column = |key: Expr| -> Result<Expr> {
        if !is_computed(&key) {
            return Ok(key);
        }
        if let Some((_, column)) = ordered.iter().find(|(known, _)| *known == key) {
            return Ok(column.clone());
        }
        let column = answers.column(key.clone())?;
        ordered.push((key, column.clone()));
        Ok(column)
    };
    Ok(Transformed::yes(match expr {
        Expr::WindowFunction(mut call) => {
            for by in &mut call.params.order_by {
                by.expr = column(by.expr.clone())?;
            }
            for key in &mut call.params.partition_by {
                *key = column(key.clone())?;
            }
            Expr::WindowFunction(call)
        }
        Expr::AggregateFunction(mut call) => {
            for by in &mut call.params.order_by {
                by.expr = column(by.expr.clone())?;
            }
            Expr::AggregateFunction(call)
        }
        other => other,
    }))
}

/// `x IN (query)` by what there is in the query: a row that is equal, any row at all, a row that is NULL.
fn in_list(expr: Expr, input: &LogicalPlan) -> Result<Transformed<Expr>> {
    let (value, subquery, negated) = match &expr {
        Expr::InSubquery(InSubquery { expr: value, subquery, negated }) => (value, subquery, negated),
        Expr::Exists(asked) if has_one_row(&asked.subquery.subquery) => {
            return Ok(Transformed::yes(lit(!asked.negated)));
        }
        _ => return Ok(Transformed::no(expr)),
    };
    if has_one_row(&subquery.subquery) && subquery.subquery.schema().fields().len() == 1 {
        let (value, one) = (value.as_ref().clone(), Expr::ScalarSubquery(subquery.clone()));
        return Ok(Transformed::yes(if *negated { value.not_eq(one) } else { value.eq(one) }));
    }
    // What comes from further out cannot be told from what is of here, once it is within the query. The value and the
    // query are asked up to three times: within each other they would grow without end.
    if value.contains_outer()
        || has(value)
        || !is_small(&subquery.subquery)?
        || subquery.subquery.schema().fields().len() != 1
    {
        return Ok(Transformed::no(expr));
    }
    let (relation, field) = subquery.subquery.schema().qualified_field(0);
    let member = Expr::Column(Column::from((relation, field)));
    let of_row = |e: Expr| match e {
        Expr::Column(column) => {
            let field = Arc::clone(input.schema().field_from_column(&column)?);
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
        }
        e => Ok(Transformed::no(e)),
    };
    let outer = value.as_ref().clone().transform_up(of_row)?.data;
    let such = |condition: Option<Expr>| -> Result<Expr> {
        let mut rows = LogicalPlanBuilder::from(Arc::clone(&subquery.subquery));
        if let Some(condition) = condition {
            rows = rows.filter(condition)?;
        }
        let rows = rows.build()?;
        let outer_ref_columns = rows.all_out_ref_exprs();
        let subquery = Subquery { subquery: Arc::new(rows), outer_ref_columns, ..subquery.clone() };
        Ok(Expr::Exists(Exists { subquery, negated: false }))
    };
    let mut known = when(such(Some(outer.eq(member.clone())))?, lit(!negated));
    if value.nullable(input.schema())? {
        known = known.when(value.as_ref().clone().is_null().and(such(None)?), unknown());
    }
    if field.is_nullable() {
        known = known.when(such(Some(member.is_null()))?, unknown());
    }
    Ok(Transformed::yes(known.otherwise(lit(*negated))?))
}

/// Questions within a query that is asked several times: each of them is asked as often.
const MOST: usize = 4;

fn is_small(query: &LogicalPlan) -> Result<bool> {
    let mut asked = 0;
    query.apply_with_subqueries(|step| {
        asked += usize::from(matches!(step, LogicalPlan::Subquery(_)));
        asked += usize::from(matches!(step, LogicalPlan::Join(join) if join.join_type == JoinType::LeftMark));
        Ok(if asked > MOST { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(asked <= MOST)
}

fn unknown() -> Expr {
    lit(ScalarValue::Boolean(None))
}

/// A step and what it was asked, each a column of it that nobody can name.
struct Answers(LogicalPlan);

/// What the names of such columns begin with.
const ANSWER: &str = "__envoi_answer_";

impl Answers {
    fn column(&mut self, answer: Expr) -> Result<Expr> {
        let columns = self.0.schema().columns();
        self.column_of(self.0.clone(), columns, answer)
    }

    /// An answer that a plan has beside the columns.
    fn column_of(&mut self, plan: LogicalPlan, columns: Vec<Column>, answer: Expr) -> Result<Expr> {
        // A step below may have answers too, and hand them on.
        let before = self.0.schema().fields().iter().filter(|field| field.name().starts_with(ANSWER)).count();
        let name = format!("{ANSWER}{before}");
        let columns: Vec<Expr> = columns.into_iter().map(Expr::Column).chain([answer.alias(&name)]).collect();
        // They are of this plan, and looked for nowhere else.
        self.0 = LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?);
        Ok(Expr::Column(Column::new_unqualified(name)))
    }
}

/// Whether there is a row, as a column of the input.
fn exists(asked: Exists, answers: &mut Answers) -> Result<Transformed<Expr>> {
    let is_so = |expr: Expr| if asked.negated { expr.is_not_true() } else { expr.is_true() };
    if asked.subquery.outer_ref_columns.is_empty() {
        // The same for all rows.
        let rows = LogicalPlanBuilder::from(Arc::clone(&asked.subquery.subquery)).limit(0, Some(1))?;
        let counted = rows.aggregate(Vec::<Expr>::new(), vec![count(lit(1_i64)).alias("rows")])?.build()?;
        let subquery = Subquery { subquery: Arc::new(counted), ..asked.subquery.clone() };
        return Ok(Transformed::yes(is_so(Expr::ScalarSubquery(subquery).gt(lit(0_i64)))));
    }
    // A condition is what the engine plans such a question in: its join is taken, and what it asks of the join.
    let question = Expr::Exists(Exists { negated: false, ..asked.clone() }).is_true();
    let condition = Filter::try_new(question, Arc::new(answers.0.clone()))?;
    let rule = DecorrelatePredicateSubquery::new();
    let planned = rule.rewrite(LogicalPlan::Filter(condition), &OptimizerContext::new())?.data;
    let LogicalPlan::Projection(planned) = planned else { return Ok(Transformed::no(Expr::Exists(asked))) };
    let answer = match planned.input.as_ref() {
        LogicalPlan::Filter(filter) if !has(&filter.predicate) => filter,
        _ => return Ok(Transformed::no(Expr::Exists(asked))),
    };
    let columns = answers.0.schema().columns();
    let column = answers.column_of(answer.input.as_ref().clone(), columns, answer.predicate.clone())?;
    Ok(Transformed::yes(is_so(column)))
}
