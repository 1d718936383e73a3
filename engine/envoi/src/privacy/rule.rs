//! From a plan to one that shows no household: tables of microdata are found wherever they
//! stand, and what is above them must aggregate them before it does anything else.
//!
//! ```text
//! Aggregate                          Disclosed            NULL where a cell may not be shown
//!   Projection            ->           Aggregate          + a hidden column
//!     TableScan: household               Projection       + survey and household
//!                                          TableScan
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, DataFusionError, ExprSchema, JoinType};
use datafusion::config::ConfigOptions;
use datafusion::datasource::source_as_provider;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::utils::{grouping_set_to_exprlist, split_conjunction};
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, Extension, Filter, Join, LogicalPlan, Projection, SubqueryAlias, TableScan, Union,
    Window, lit,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::analyzer::resolve_grouping_function::ResolveGroupingFunction;

use super::class::{self, Class, Classes, shown};
use super::node::{Disclosed, HouseholdRows, Spec};
use super::owner::Watched;
use super::terms::{self, Terms};
use super::{Notes, RoleState};
use crate::catalogue::{LakeTable, Microdata};
use crate::error::Error;
use crate::session::lateral::asks;

/// Who wrote the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    /// Anybody: an expression over households must be known to be harmless.
    Reader,
    /// This program: a mart computes what it likes of a household, and is aggregated all the same.
    Program,
    /// Who may see all: groups are counted, and nothing is kept back.
    Owner,
}

/// Makes plans safe for a role.
pub(super) struct Rule {
    role: Arc<RoleState>,
    notes: Notes,
    author: Author,
    scans: usize,
    terms: usize,
}

/// What the rows of a plan are.
enum Rows {
    /// Nothing of a household, or what was released.
    Clean,
    /// Households.
    Households(Box<Households>),
}

impl Rows {
    fn of(households: Households) -> Self {
        Self::Households(Box::new(households))
    }
}

/// Rows that are households.
struct Households {
    /// Of each column of the plan.
    classes: Vec<Class>,
    survey: Column,
    household: Column,
    terms: Terms,
}

impl Households {
    /// The columns that the engine added: survey, household, and terms.
    fn hidden(&self) -> impl Iterator<Item = &Column> {
        [&self.survey, &self.household].into_iter().chain(self.terms.iter().flat_map(|(_, terms)| terms))
    }
}

/// The hidden column's name.
const HIDDEN: &str = "__envoi_cell";

type Result<T> = std::result::Result<T, DataFusionError>;

const AGGREGATE_FIRST: &str =
    "aggregate them: `select survey_id, region, sum(weight) from household group by survey_id, region`";

fn refuse<T>(what: impl std::fmt::Display) -> Result<T> {
    Err(Error::user(format!("households are not shown one by one: {what}")).with_hint(AGGREGATE_FIRST).into())
}

impl Rule {
    pub(super) fn new(role: &Arc<RoleState>, notes: &Notes, author: Author) -> Self {
        Self { role: Arc::clone(role), notes: notes.clone(), author, scans: 0, terms: 0 }
    }

    /// The plan, every aggregate over households in it made safe.
    ///
    /// # Errors
    /// Rows of households reach the result, or are used in a way that could tell of one.
    pub(super) fn released(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        match self.relation(plan)? {
            (plan, Rows::Clean) => Ok(plan),
            (_, Rows::Households(_)) => refuse("the result has a row for each"),
        }
    }

    /// As [`Rule::released`], for a mart, the rows of which may be households: whoever asks it aggregates them.
    pub(super) fn mart(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        match self.relation(plan)? {
            (plan, Rows::Clean) => Ok(plan),
            (plan, Rows::Households(of)) => {
                let hidden = of.hidden().map(|c| plan.schema().maybe_index_of_column(c)).collect::<Vec<_>>();
                let class = |(at, field): (usize, &Arc<datafusion::arrow::datatypes::Field>)| {
                    if hidden.contains(&Some(at)) {
                        Class::Hidden
                    } else {
                        class::mart_column(field.name(), field.data_type())
                    }
                };
                let classes = plan.schema().fields().iter().enumerate().map(class).collect();
                Ok(extension(HouseholdRows::new(plan, classes, of.terms)?))
            }
        }
    }

    fn relation(&mut self, plan: LogicalPlan) -> Result<(LogicalPlan, Rows)> {
        match &plan {
            LogicalPlan::TableScan(scan) => return self.scan(scan, &plan),
            LogicalPlan::Extension(node) => {
                let any = node.node.as_any();
                // A mart of released cells is whole.
                if let Some(disclosed) = any.downcast_ref::<Disclosed>() {
                    return Ok((extension(disclosed.noting(&self.notes)), Rows::Clean));
                }
                if let Some(rows) = any.downcast_ref::<HouseholdRows>() {
                    return self.mart_rows(rows);
                }
            }
            _ => {}
        }
        let plan = self.subqueries(plan)?;
        let mut inputs = Vec::new();
        let mut households = Vec::new();
        for input in plan.inputs() {
            let (input, rows) = self.relation(input.clone())?;
            inputs.push(input);
            households.push(match rows {
                Rows::Clean => None,
                Rows::Households(of) => Some(*of),
            });
        }
        if households.iter().all(Option::is_none) {
            let plan = if inputs.is_empty() { plan } else { plan.with_new_exprs(plan.expressions(), inputs)? };
            return Ok((plan, Rows::Clean));
        }
        if matches!(plan, LogicalPlan::Extension(_)) {
            return self.computed(&plan, inputs, households);
        }
        if matches!(plan, LogicalPlan::Union(_)) {
            return self.union(inputs, households);
        }
        let mut inputs = inputs.into_iter().zip(households);
        match (plan, inputs.next(), inputs.next(), inputs.next()) {
            (plan, Some((input, Some(of))), None, None) => self.over(plan, input, of),
            (LogicalPlan::Join(join), Some(left), Some(right), None) => self.join(join, left, right),
            (plan, ..) => refuse(format_args!("they are used in `{}`", name(&plan))),
        }
    }

    /// Queries within expressions are made safe for themselves.
    fn subqueries(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let done = plan.map_subqueries(|subquery| match subquery {
            LogicalPlan::Subquery(mut subquery) => {
                subquery.subquery = Arc::new(self.released(Arc::unwrap_or_clone(subquery.subquery))?);
                Ok(Transformed::yes(LogicalPlan::Subquery(subquery)))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(done.data)
    }

    /// A table. Survey and household go along as two more columns, under names that nobody can write.
    fn scan(&mut self, scan: &TableScan, plan: &LogicalPlan) -> Result<(LogicalPlan, Rows)> {
        let Some(held) = microdata(scan) else { return Ok((plan.clone(), Rows::Clean)) };
        let name = &scan.table_name;
        match held {
            Microdata::Lake { newest: true } => {}
            // Two editions that differ in one household are two queries that do.
            Microdata::Lake { newest: false } if self.author != Author::Owner => {
                return refuse(format_args!("`{name}` is read at an older edition; readers see the newest"));
            }
            Microdata::Lake { .. } => {}
            _ => {
                return refuse(format_args!(
                    "`{name}` has them, or may have them, as its publisher does; ask `household`"
                ));
            }
        }
        if scan.fetch.is_some() || !scan.filters.is_empty() || scan.projection.is_some() {
            return refuse(format_args!("`{name}` is read in a way that is not known"));
        }
        self.scans += 1;
        let hidden = |column: &str, what: &str, scans: usize| {
            Expr::Column(Column::new(Some(name.clone()), column)).alias(format!("__envoi_{what}_{scans}"))
        };
        let mut columns: Vec<Expr> = plan.schema().iter().map(Expr::from).collect();
        let mut classes: Vec<Class> = plan.schema().fields().iter().map(|f| class::column(f.name())).collect();
        columns.push(hidden("survey_id", "survey", self.scans));
        columns.push(hidden("household_id", "household", self.scans));
        classes.extend([Class::Hidden, Class::Hidden]);
        let plan = LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan.clone()))?);
        let column = |what: &str| Column::new_unqualified(format!("__envoi_{what}_{}", self.scans));
        let of =
            Households { classes, survey: column("survey"), household: column("household"), terms: Terms::default() };
        Ok((plan, Rows::of(of)))
    }

    /// A mart of households. Its hidden columns are named anew, so that it can be used twice.
    fn mart_rows(&mut self, rows: &HouseholdRows) -> Result<(LogicalPlan, Rows)> {
        let mut named = BTreeMap::new();
        let (mut columns, mut hidden) = (Vec::new(), Vec::new());
        self.scans += 1;
        for ((qualifier, field), class) in rows.input.schema().iter().zip(&rows.classes) {
            let column = Expr::from((qualifier, field));
            if *class != Class::Hidden {
                columns.push(column);
                continue;
            }
            let name = match hidden.len() {
                0 => format!("__envoi_survey_{}", self.scans),
                1 => format!("__envoi_household_{}", self.scans),
                _ => self.term(),
            };
            named.insert(Column::from((qualifier, field)), Column::new_unqualified(&name));
            hidden.push(Column::new_unqualified(&name));
            columns.push(column.alias(name));
        }
        let mut hidden = hidden.into_iter();
        let (Some(survey), Some(household)) = (hidden.next(), hidden.next()) else {
            return Err(Error::internal("a mart of households has lost them").into());
        };
        let mut terms = Terms::default();
        for (column, of) in rows.terms.iter() {
            terms.add(column.clone(), of.iter().filter_map(|term| named.get(term).cloned()).collect());
        }
        let plan = LogicalPlan::Projection(Projection::try_new(columns, Arc::new(rows.input.clone()))?);
        Ok((plan, Rows::of(Households { classes: rows.classes.clone(), survey, household, terms })))
    }

    /// A name for the column of a term.
    fn term(&mut self) -> String {
        self.terms += 1;
        format!("__envoi_term_{}", self.terms)
    }

    /// A node over households.
    fn over(&mut self, plan: LogicalPlan, input: LogicalPlan, of: Households) -> Result<(LogicalPlan, Rows)> {
        let households = |plan, classes, of: Households| Ok((plan, Rows::of(Households { classes, ..of })));
        match plan {
            LogicalPlan::SubqueryAlias(alias) => {
                let requalified = |column: &Column| Column::new(Some(alias.alias.clone()), column.name.clone());
                let of = Households {
                    survey: requalified(&of.survey),
                    household: requalified(&of.household),
                    terms: of.terms.requalified(&alias.alias),
                    ..of
                };
                let plan = LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(input), alias.alias)?);
                Ok((plan, Rows::of(of)))
            }
            LogicalPlan::Filter(filter) => {
                for part in split_conjunction(&filter.predicate) {
                    let class = self.class(part, input.schema(), &of.classes)?;
                    if self.author == Author::Reader && !class.is_key() {
                        return refuse(format_args!("`{}` is a condition that few may meet", shown(part)));
                    }
                }
                let mut classes = of.classes.clone();
                if self.narrows(split_conjunction(&filter.predicate), input.schema(), &of.classes) {
                    class::narrowed(&mut classes);
                }
                households(LogicalPlan::Filter(Filter::try_new(filter.predicate, Arc::new(input))?), classes, of)
            }
            LogicalPlan::Projection(projection) => {
                let mut classes = Vec::new();
                let mut hidden = [&of.survey, &of.household].map(|c| Expr::Column(c.clone())).to_vec();
                let mut terms = Terms::default();
                for expr in &projection.expr {
                    classes.push(self.class(expr, input.schema(), &of.classes)?);
                    let parts = match of.terms.told(expr) {
                        Ok(parts) => parts,
                        Err(error) if self.author == Author::Reader => return Err(error.into()),
                        Err(_) => Vec::new(),
                    };
                    if !parts.is_empty() {
                        let names: Vec<String> = parts.iter().map(|_| self.term()).collect();
                        let (table, name) = expr.qualified_name();
                        terms.add(Column::new(table, name), names.iter().map(Column::new_unqualified).collect());
                        hidden.extend(parts.into_iter().zip(names).map(|(part, name)| part.alias(name)));
                    }
                }
                // A key that takes sizes together may be a condition above.
                let keys =
                    projection.expr.iter().zip(&classes).filter(|(_, class)| class.is_key()).map(|(expr, _)| expr);
                if self.narrows(keys, input.schema(), &of.classes) {
                    class::narrowed(&mut classes);
                }
                classes.resize(classes.len() + hidden.len(), Class::Hidden);
                let columns: Vec<Expr> = projection.expr.into_iter().chain(hidden).collect();
                let plan = LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?);
                households(plan, classes, Households { terms, ..of })
            }
            LogicalPlan::Window(window) => {
                let mut classes = of.classes.clone();
                for expr in &window.window_expr {
                    classes.push(self.class(expr, input.schema(), &of.classes)?);
                }
                households(LogicalPlan::Window(Window::try_new(window.window_expr, Arc::new(input))?), classes, of)
            }
            // The order of rows is not the order of an aggregate's.
            LogicalPlan::Sort(sort) if sort.fetch.is_none() => Ok((input, Rows::of(of))),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(&aggregate, input, &of),
            LogicalPlan::Distinct(Distinct::All(_)) => {
                let columns = input.schema().columns().into_iter().filter(|c| of.hidden().all(|hidden| hidden != c));
                let keys: Vec<Expr> = columns.map(Expr::Column).collect();
                let aggregate = Aggregate::try_new(Arc::new(input.clone()), keys, Vec::new())?;
                self.aggregate(&aggregate, input, &of)
            }
            other => refuse(format_args!("they are used in `{}`", name(&other))),
        }
    }

    /// Whether one of a reader's conditions or keys leaves some of the sizes.
    fn narrows<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>, schema: &DFSchema, of: &[Class]) -> bool {
        let classes = Classes { schema, of };
        self.author == Author::Reader && exprs.into_iter().any(|expr| classes.narrows(expr))
    }

    fn class(&self, expr: &Expr, schema: &DFSchema, of: &[Class]) -> Result<Class> {
        match (Classes { schema, of }.class(expr), self.author) {
            (Ok(class), _) => Ok(class),
            (Err(error), Author::Reader) => Err(error.into()),
            (Err(_), _) => Ok(Class::Key),
        }
    }

    /// A join: readers join what is the same for all households of a survey.
    fn join(
        &mut self,
        join: Join,
        left: (LogicalPlan, Option<Households>),
        right: (LogicalPlan, Option<Households>),
    ) -> Result<(LogicalPlan, Rows)> {
        let (left, right, other_is_right, of) = match (left, right) {
            ((left, Some(of)), (right, None)) => (left, right, true, of),
            ((left, None), (right, Some(of))) => (left, right, false, of),
            ((left, Some(of)), (right, Some(_))) if self.author != Author::Reader => (left, right, true, of),
            _ => return refuse("they are joined with households"),
        };
        if asks(&left)? || asks(&right)? {
            return refuse("LATERAL looks at each of them");
        }
        let kept = if other_is_right { JoinType::Left } else { JoinType::Right };
        if join.join_type != JoinType::Inner && join.join_type != kept {
            return refuse(format_args!("a {} JOIN tells which of them have a partner", join.join_type));
        }
        let other = if other_is_right { &right } else { &left };
        let others = vec![Class::Joined; other.schema().fields().len()];
        let classes = if other_is_right { [of.classes, others].concat() } else { [others, of.classes].concat() };
        if self.author == Author::Reader {
            let schema = left.schema().join(right.schema())?;
            let classes = Classes { schema: &schema, of: &classes };
            let pairs = join.on.iter().flat_map(|(l, r)| [l, r]);
            for condition in pairs.chain(join.filter.iter().flat_map(split_conjunction)) {
                if !matches!(classes.class(condition)?, Class::Fixed | Class::Survey | Class::Joined) {
                    return refuse(format_args!(
                        "they are joined by `{}`, which differs within a survey",
                        shown(condition)
                    ));
                }
            }
        }
        let plan = Join::try_new(
            Arc::new(left),
            Arc::new(right),
            join.on,
            join.filter,
            join.join_type,
            join.join_constraint,
            join.null_equality,
            join.null_aware,
        )?;
        let of = Households { classes, ..of };
        Ok((LogicalPlan::Join(plan), Rows::of(of)))
    }

    /// A computed table function of a mart over households: its rows are households, if they say which.
    fn computed(
        &mut self,
        plan: &LogicalPlan,
        inputs: Vec<LogicalPlan>,
        households: Vec<Option<Households>>,
    ) -> Result<(LogicalPlan, Rows)> {
        if self.author == Author::Reader {
            return refuse(format_args!("they are used in `{}`", name(plan)));
        }
        // Such functions take every column for a characteristic of the rows.
        let without = |(input, of): (LogicalPlan, Option<Households>)| -> Result<LogicalPlan> {
            let Some(of) = of else { return Ok(input) };
            let shown =
                input.schema().columns().into_iter().zip(of.classes).filter(|(_, class)| *class != Class::Hidden);
            let columns: Vec<Expr> = shown.map(|(column, _)| Expr::Column(column)).collect();
            Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?))
        };
        let inputs = inputs.into_iter().zip(households).map(without).collect::<Result<Vec<_>>>()?;
        let plan = plan.with_new_exprs(plan.expressions(), inputs)?;
        let own = |wanted: &str| plan.schema().columns().into_iter().find(|c| c.name() == wanted);
        let (Some(survey), Some(household)) = (own("survey_id"), own("household_id")) else {
            return refuse(format_args!("`{}` does not say which they are", name(&plan)));
        };
        self.scans += 1;
        let names = ["survey", "household"].map(|what| format!("__envoi_{what}_{}", self.scans));
        let mut classes: Vec<Class> =
            plan.schema().fields().iter().map(|f| class::mart_column(f.name(), f.data_type())).collect();
        classes.extend([Class::Hidden, Class::Hidden]);
        let hidden = [survey, household].into_iter().zip(&names).map(|(c, name)| Expr::Column(c).alias(name));
        let columns: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).chain(hidden).collect();
        let plan = LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?);
        let [survey, household] = names.map(Column::new_unqualified);
        Ok((plan, Rows::of(Households { classes, survey, household, terms: Terms::default() })))
    }

    /// Households again and again, as a mart that groups them in several ways has them.
    fn union(&mut self, inputs: Vec<LogicalPlan>, households: Vec<Option<Households>>) -> Result<(LogicalPlan, Rows)> {
        if self.author == Author::Reader {
            return refuse("a UNION counts some of them twice");
        }
        self.scans += 1;
        let names = ["survey", "household"].map(|what| format!("__envoi_{what}_{}", self.scans));
        let mut classes: Option<Vec<Class>> = None;
        let mut shown = Vec::new();
        for (input, of) in inputs.into_iter().zip(households) {
            let Some(of) = of else { return refuse("a UNION puts them beside others") };
            let columns = input.schema().columns().into_iter().zip(&of.classes);
            let (columns, own): (Vec<Column>, Vec<Class>) =
                columns.filter(|(_, class)| **class != Class::Hidden).map(|(column, class)| (column, *class)).unzip();
            classes = Some(match classes {
                None => own,
                Some(all) => all.into_iter().zip(own).map(|(a, b)| if a == b { a } else { Class::Key }).collect(),
            });
            shown.push((input, of, columns));
        }
        let mut classes = classes.unwrap_or_default();
        // A column has as many terms as it has in any branch.
        let count = |(_, of, columns): &(_, Households, Vec<Column>), at: usize| {
            columns.get(at).and_then(|c| of.terms.get(c)).map_or(0, <[Column]>::len)
        };
        let most = |at: usize| shown.iter().map(|branch| count(branch, at)).max().unwrap_or(0);
        let wanted: Vec<Vec<String>> =
            (0..classes.len()).map(|at| (0..most(at)).map(|_| self.term()).collect()).collect();
        let (mut branches, mut terms) = (Vec::new(), Terms::default());
        for (input, of, columns) in shown {
            let mut hidden =
                vec![Expr::Column(of.survey).alias(&names[0]), Expr::Column(of.household).alias(&names[1])];
            for (column, wanted) in columns.iter().zip(&wanted) {
                let own = of.terms.get(column).unwrap_or(std::slice::from_ref(column));
                let data_type = input.schema().data_type(column)?;
                let own =
                    own.iter().map(|term| Expr::Column(term.clone())).chain(std::iter::repeat(terms::none(data_type)));
                hidden.extend(own.zip(wanted).map(|(term, name)| term.alias(name)));
            }
            if branches.is_empty() {
                // Columns of a union are those of its first branch, without the table's name.
                for (column, wanted) in columns.iter().zip(&wanted).filter(|(_, wanted)| !wanted.is_empty()) {
                    let column = Column::new_unqualified(&column.name);
                    terms.add(column, wanted.iter().map(Column::new_unqualified).collect());
                }
            }
            let columns = columns.into_iter().map(Expr::Column).chain(hidden).collect();
            branches.push(Arc::new(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?)));
        }
        classes.resize(classes.len() + 2 + wanted.iter().map(Vec::len).sum::<usize>(), Class::Hidden);
        let plan = LogicalPlan::Union(Union::try_new_with_loose_types(branches)?);
        let [survey, household] = names.map(Column::new_unqualified);
        Ok((plan, Rows::of(Households { classes, survey, household, terms })))
    }

    /// The aggregate with a hidden column, and the node that judges it.
    fn aggregate(&mut self, aggregate: &Aggregate, input: LogicalPlan, of: &Households) -> Result<(LogicalPlan, Rows)> {
        let schema = Arc::clone(input.schema());
        let keys = grouping_set_to_exprlist(&aggregate.group_expr)?;
        let mut varies = Vec::new();
        for key in &keys {
            let class = self.class(key, &schema, &of.classes)?;
            if self.author == Author::Reader && !class.is_key() {
                return refuse(format_args!("`{}` is a group of its own for each", shown(key)));
            }
            varies.push(!matches!(class, Class::Fixed | Class::Survey | Class::Joined));
        }
        let grouping_sets = matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(_)]);
        let mut calls = aggregate.aggr_expr.clone();
        if self.author == Author::Owner {
            calls.push(count(lit(1)).alias(HIDDEN));
            let below = Aggregate::try_new(Arc::new(input), aggregate.group_expr.clone(), calls)?;
            let node = Watched::new(LogicalPlan::Aggregate(below), self.notes.clone())?;
            return Ok((extension(node), Rows::Clean));
        }
        let mut classes = of.classes.clone();
        if self.narrows(keys.iter().copied(), &schema, &of.classes) {
            class::narrowed(&mut classes);
        }
        let mut contributions = Vec::new();
        let mut columns = Vec::new();
        for call in &aggregate.aggr_expr {
            columns.push(self.column(call, &Classes { schema: &schema, of: &classes }, of, &mut contributions)?);
        }
        let mut args = vec![Expr::Column(of.survey.clone()), Expr::Column(of.household.clone())];
        let cell = Arc::new(super::cell::function(contributions.len()));
        args.extend(contributions);
        calls.push(cell.call(args).alias(HIDDEN));
        let spec = Spec {
            role: Arc::clone(&self.role),
            shape: super::gate::shape(aggregate),
            keys: varies,
            grouping_sets,
            columns,
            names: Vec::new(),
        };
        let below = Aggregate::try_new(Arc::new(input), aggregate.group_expr.clone(), calls)?;
        let names = below.schema.fields().iter().map(|f| f.name().clone()).collect();
        let spec = Spec { names, ..spec };
        let node = Disclosed::new(LogicalPlan::Aggregate(below), Arc::new(spec), self.notes.clone())?;
        Ok((extension(node), Rows::Clean))
    }

    fn column(
        &self,
        call: &Expr,
        classes: &Classes<'_>,
        of: &Households,
        contributions: &mut Vec<Expr>,
    ) -> Result<super::suppress::ColumnRule> {
        let strict = self.author == Author::Reader;
        super::calls::rule(call, classes, &of.terms, strict, &self.role.rules, contributions)
    }
}

fn extension<N: datafusion::logical_expr::UserDefinedLogicalNode + 'static>(node: N) -> LogicalPlan {
    LogicalPlan::Extension(Extension { node: Arc::new(node) })
}

/// `grouping()` is written out before anything else: what does that later takes an aggregate's columns apart.
pub(super) fn without_grouping(plan: LogicalPlan) -> Result<LogicalPlan> {
    ResolveGroupingFunction::new().analyze(plan, &ConfigOptions::default())
}

/// What a scan's table holds of households, if it may hold any.
pub(super) fn microdata(scan: &TableScan) -> Option<Microdata> {
    let provider = source_as_provider(&scan.source).ok()?;
    let held = provider.downcast_ref::<LakeTable>()?.microdata();
    (held != Microdata::No).then_some(held)
}

/// The kind of a node, for people.
fn name(plan: &LogicalPlan) -> String {
    let text = plan.display().to_string();
    text.split([':', ' ']).next().unwrap_or_default().to_uppercase()
}
