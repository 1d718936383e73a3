//! A call of an aggregate function over households: whether it may be, what each household
//! contributes to it, and what is demanded of its cells.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::functions::core::expr_fn::{coalesce, get_field};
use datafusion::functions::math::expr_fn::sqrt;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit, when};

use super::DisclosureRules;
use super::class::{Class, Classes, shown};
use super::measures::{self, Argument, Kind};
use super::suppress::ColumnRule;
use super::terms::Terms;
use crate::error::Error;

type Result<T> = std::result::Result<T, DataFusionError>;

fn refuse<T>(what: impl std::fmt::Display, hint: &str) -> Result<T> {
    Err(Error::user(format!("households are not shown one by one: {what}")).with_hint(hint).into())
}

/// The rule for a call; what it takes of a household is added to `contributions`.
///
/// # Errors
/// For `strict` plans, those of readers: a function or an argument that may show one household.
pub(super) fn rule<'a>(
    call: &'a Expr,
    classes: &'a Classes<'a>,
    terms: &'a Terms,
    strict: bool,
    rules: &'a DisclosureRules,
    contributions: &mut Vec<Expr>,
) -> Result<ColumnRule> {
    let inner = match call {
        Expr::Alias(alias) => alias.expr.as_ref(),
        other => other,
    };
    let Expr::AggregateFunction(function) = inner else {
        return refuse(format_args!("`{}` is no aggregate that is known", shown(call)), FUNCTIONS);
    };
    let name = function.func.name();
    let Some(kind) = measures::kind(name).or((!strict && !collects(name)).then_some(Kind::Sums)) else {
        return refuse(format_args!("function `{name}` may show one of them"), FUNCTIONS);
    };
    let mut taken =
        Taken { call, name, kind, function, classes, terms, strict, rules, rule: ColumnRule::default(), contributions };
    taken.rule.least = rules.min_households;
    if strict {
        taken.check()?;
    }
    taken.contributions()?;
    Ok(taken.rule)
}

const FUNCTIONS: &str = "there are count, sum, avg, the variances, covariances and regressions, the measures of inequality, poverty and \
     surveys; and, of many households, min, max, median and quantiles";

/// Functions whose result holds values of single rows.
fn collects(name: &str) -> bool {
    ["array_agg", "string_agg", "first_value", "last_value", "nth_value", "any_value", "listagg"].contains(&name)
}

struct Taken<'a, 'c> {
    call: &'a Expr,
    name: &'a str,
    kind: Kind,
    function: &'a AggregateFunction,
    classes: &'a Classes<'a>,
    terms: &'a Terms,
    strict: bool,
    rules: &'a DisclosureRules,
    rule: ColumnRule,
    contributions: &'c mut Vec<Expr>,
}

impl<'a> Taken<'a, '_> {
    fn args(&self) -> impl Iterator<Item = (usize, &'a Expr, Argument)> + use<'a> {
        let name = self.name;
        self.function
            .params
            .args
            .iter()
            .enumerate()
            .map(move |(place, arg)| (place, arg, measures::argument(name, place)))
    }

    /// Refuses what readers may not ask.
    fn check(&mut self) -> Result<()> {
        let function = self.function;
        let params = &function.params;
        let class = |e: &Expr| self.classes.class(e).map_err(DataFusionError::from);
        if let Some(filter) = &params.filter
            && !class(filter)?.is_key()
        {
            return refuse(format_args!("`{}` is a condition that few may meet", shown(filter)), FUNCTIONS);
        }
        if self.kind == Kind::Grouping {
            return Ok(());
        }
        if params.distinct {
            let named = |e: &Expr| matches!(e, Expr::Column(c) if c.name() == "household_id");
            let counted = match params.args.as_slice() {
                [one] => named(one) || class(one)?.is_key(),
                _ => false,
            };
            if self.kind != Kind::Count || !counted {
                let what = format!("`{}` leaves out what several of them have", shown(self.call));
                return refuse(what, "of DISTINCT there is `count(distinct household_id)`");
            }
            return Ok(());
        }
        let within = params.order_by.iter().map(|o| class(&o.expr)).collect::<Result<Vec<_>>>()?;
        if !within.is_empty() && self.kind != Kind::Order {
            return refuse(format_args!("`{}` depends on their order", shown(self.call)), FUNCTIONS);
        }
        let mut one_survey = false;
        for (place, arg, is) in self.args() {
            let class = class(arg)?;
            let fits = match is {
                Argument::Design => class == Class::Identity || class.is_key(),
                Argument::Constant => class == Class::Fixed && self.constant(place, arg)?,
                Argument::Line => matches!(class, Class::Fixed | Class::Survey),
                Argument::Domain => class.is_key(),
                Argument::Weight | Argument::Value if self.kind == Kind::Count => {
                    class.is_key() || class.number().is_some() || class == Class::Identity
                }
                Argument::Weight | Argument::Factor | Argument::Value => match class.number() {
                    // An extreme of a product has all factors of one household.
                    Some(number) if ["min", "max"].contains(&self.name) => number.is_own() && number.degree <= 1,
                    Some(number) if self.kind == Kind::Order => number.is_own(),
                    Some(number) if self.kind == Kind::Line => !number.conditional,
                    Some(_) => true,
                    None => false,
                },
            };
            if params.filter.as_ref().is_some_and(|filter| self.classes.narrows(filter))
                && class.number().is_some_and(|n| n.sized && self.kind != Kind::Count)
            {
                let what = format!("`{}` adds up sizes of some sizes", shown(self.call));
                return refuse(what, "count them, or add up what no size went into");
            }
            one_survey |= class.number().is_some_and(|n| n.per_survey && self.kind != Kind::Count);
            if !fits {
                let what = format!("`{}` as an argument of `{}`", shown(arg), self.name);
                return refuse(what, "arguments are amounts, weights and sizes, not scaled by numbers for ranks");
            }
        }
        let ranked = |c: &Class| c.number().is_some_and(super::class::Number::is_own);
        if !within.iter().all(ranked) {
            return refuse(format_args!("`{}` ranks them by what is not an amount", shown(self.call)), FUNCTIONS);
        }
        self.rule.one_survey = one_survey;
        Ok(())
    }

    /// Whether a constant leaves enough of them: a far quantile or a high power is one household's.
    fn constant(&self, place: usize, arg: &Expr) -> Result<bool> {
        let Some((least, most)) = measures::bounds(self.name, place) else { return Ok(true) };
        match numbers(arg) {
            Some(all) => Ok(all.iter().all(|n| (least..=most).contains(n))),
            None => refuse(
                format_args!("`{}` of `{}` is not known before it runs", shown(arg), self.name),
                "write it as a number, or a list of numbers",
            ),
        }
    }

    fn contributions(&mut self) -> Result<()> {
        let function = self.function;
        let params = &function.params;
        let schema = self.classes.schema;
        let filter = params.filter.as_deref().cloned();
        let conditional = filter.is_some();
        let mut found: Vec<(Expr, bool)> = Vec::new();
        if let Some(filter) = &filter {
            found.push((when(filter.clone(), lit(1.0)).end()?, true));
        }
        let number = |e: &Expr| -> Result<Option<Expr>> {
            let data_type = e.get_type(schema)?;
            Ok(match data_type {
                t if t.is_numeric() => Some(cast(e.clone(), DataType::Float64)),
                DataType::Boolean => Some(when(e.clone(), lit(1.0)).otherwise(lit(0.0))?),
                _ => None,
            })
        };
        let mut weight: Option<Expr> = None;
        for (_, arg, is) in self.args() {
            if is == Argument::Weight
                && let Some(number) = number(arg)?
            {
                weight = Some(weight.into_iter().fold(number, |all, w| all * w));
            }
        }
        let weighted = |of: Expr| weight.iter().fold(of, |of, w| of * w.clone());
        if let Some(weight) = &weight {
            found.extend(self.told(weight)?.into_iter().map(|term| (term, false)));
        }
        let is_condition = |e: &Expr| match self.classes.class(e) {
            Ok(class) => class.number().is_none_or(|n| n.conditional),
            Err(_) => false,
        };
        let weighted_by_condition =
            self.args().any(|(_, e, is)| is == Argument::Weight && !matches!(e, Expr::Literal(..)) && is_condition(e));
        let ranked: Vec<&Expr> = params.order_by.iter().map(|o| &o.expr).collect();
        let values =
            self.args().filter(|(_, _, is)| matches!(is, Argument::Value | Argument::Domain)).map(|(_, e, _)| e);
        let values: Vec<&Expr> = values.chain(ranked).collect();
        for value in &values {
            let constant = matches!(value, Expr::Literal(..));
            match self.kind {
                Kind::Grouping => {}
                // Of `count(x)` the NULLs are a cell of their own; of `count(*)` there are none.
                Kind::Count if constant || params.distinct => {}
                Kind::Count => found.push((when(Expr::IsNotNull(Box::new((*value).clone())), lit(1.0)).end()?, true)),
                // An extreme is of one household: what it is of the sum does not matter, how many have any does.
                Kind::Order => {
                    let terms = self.told(value)?;
                    for part in terms.iter().chain([*value]) {
                        if let Some(number) = number(part)? {
                            found.push((when(number.not_eq(lit(0.0)), lit(1.0)).end()?, false));
                        }
                    }
                }
                // Shares of households; and where all are below the line, sums of what they have.
                Kind::Line => {
                    let counted = weight.clone().unwrap_or_else(|| lit(1.0));
                    found.push((when(Expr::IsNotNull(Box::new((*value).clone())), counted).end()?, false));
                    if let Some(number) = number(value)?.filter(|_| !constant) {
                        let product = weighted(number);
                        found.extend(self.told(&product)?.into_iter().map(|term| (term, false)));
                        found.push((product, false));
                    }
                }
                Kind::Sums => {
                    let mut parts = Vec::new();
                    match value.get_type(schema)? {
                        DataType::Struct(fields) => {
                            for field in &fields {
                                let field = get_field((*value).clone(), field.name().as_str());
                                parts.extend(number(&field)?.map(|n| (n, false)));
                            }
                        }
                        _ => parts.extend(number(value)?.map(|n| (n, is_condition(value) && !constant))),
                    }
                    // Of a structure the terms are those of its fields.
                    if value.get_type(schema)?.is_nested() {
                        for term in self.told(value)? {
                            parts.extend(number(&term)?.map(|n| (n, false)));
                        }
                    }
                    for (part, is_condition) in parts {
                        let product = weighted(part);
                        found.extend(self.told(&product)?.into_iter().map(|term| (term, false)));
                        found.push((product, is_condition || weighted_by_condition));
                    }
                }
            }
        }
        if self.kind == Kind::Sums {
            found.extend(self.complete(&values)?.map(|complete| (complete, true)));
        }
        let poor = if self.kind == Kind::Line { self.poor(&values)? } else { Vec::new() };
        if let Some(difference) = self.difference(&values) {
            // Two measures of the same poor differ by what these alone receive.
            found.extend(poor.first().map(|poor| (weighted(difference.clone() * poor.clone()), false)));
            found.push((weighted(difference), false));
        }
        found.extend(poor.into_iter().map(|poor| (weighted(poor), true)));
        let of_survey = |e: &&Expr| matches!(self.classes.class(e), Ok(Class::Fixed | Class::Survey | Class::Joined));
        if self.kind == Kind::Grouping {
            self.rule.open = true;
        } else if self.kind == Kind::Order && values.iter().all(of_survey) {
            // The least currency of a survey is its currency.
            found.retain(|(_, is_condition)| *is_condition);
            self.rule.open = found.is_empty();
        } else if self.kind == Kind::Order {
            self.rule.least = self.least();
        }
        for (contribution, is_condition) in found {
            let contribution = match &filter {
                Some(filter) => when(filter.clone(), contribution).end()?,
                None => contribution,
            };
            let place = self.contributions.iter().position(|c| *c == contribution).unwrap_or_else(|| {
                self.contributions.push(contribution);
                self.contributions.len() - 1
            });
            self.rule.parts.push(place);
            if is_condition || conditional {
                self.rule.conditional.push(place);
            }
        }
        Ok(())
    }

    /// The terms of a sum; of what the program wrote, as far as they are known.
    fn told(&self, expr: &Expr) -> Result<Vec<Expr>> {
        match self.terms.told(expr) {
            Ok(terms) => Ok(terms),
            Err(error) if self.strict => Err(error.into()),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// An indicator of those who have every value, where NULL works as a condition: `sum(a + b) - sum(b)`
    /// is of those with a `b`, and `sum(a)` of all. Of products there is no sum to subtract from.
    fn complete(&self, values: &[&Expr]) -> Result<Option<Expr>> {
        let mixes = |e: &&Expr| match self.classes.class(e) {
            Ok(class) => class.number().is_some_and(|n| n.summed || n.degree > 2),
            Err(_) => true,
        };
        let numbers = values.iter().filter(|e| !matches!(e, Expr::Literal(..)));
        if values.len() < 2 && !numbers.clone().any(mixes) {
            return Ok(None);
        }
        let known = numbers.map(|e| Expr::IsNotNull(Box::new((*e).clone())));
        known.reduce(Expr::and).map(|known| when(known, lit(1.0)).end()).transpose()
    }

    /// Indicators of the poor, by each income that is compared with the line.
    fn poor(&mut self, values: &[&Expr]) -> Result<Vec<Expr>> {
        let schema = self.classes.schema;
        let line = self.args().find(|(_, _, is)| *is == Argument::Line).map(|(_, e, _)| e.clone());
        let Some(line) = line else { return Ok(Vec::new()) };
        let data_type = line.get_type(schema)?;
        if !data_type.is_numeric() && !matches!(data_type, DataType::Struct(_)) {
            return refuse(
                format_args!("the line `{}` of `{}` is not known before it runs", shown(&line), self.name),
                FUNCTIONS,
            );
        }
        if !data_type.is_numeric() {
            // A line that depends on them: how many are below it is known from the result alone.
            self.rule.headcount = true;
            self.rule.least = self.rule.least.max(self.least());
            return Ok(Vec::new());
        }
        let line = number(&line);
        let poor =
            |y: &Expr| when(y.clone().lt(line.clone()), lit(1.0)).when(y.clone().gt_eq(line.clone()), lit(0.0)).end();
        self.compared(values)
            .iter()
            .map(|(y, weight)| Ok(weight.iter().fold(poor(y)?, |poor, w| poor * w.clone())))
            .collect()
    }

    /// What two distributions that a function compares differ by.
    fn difference(&self, values: &[&Expr]) -> Option<Expr> {
        match (self.name, values) {
            ("transfer_effect" | "poverty_with_without", [_, r, s, ..]) => Some(number(r) / number(s)),
            (
                "svy_fgt_difference"
                | "svy_mean_difference"
                | "svy_gini_difference"
                | "kakwani"
                | "reynolds_smolensky"
                | "reranking",
                [one, other, ..],
            ) => Some(number(one) - number(other)),
            _ => None,
        }
    }

    /// Incomes that are compared with the line, each with what its weight is multiplied by.
    fn compared(&self, values: &[&Expr]) -> Vec<(Expr, Option<Expr>)> {
        let left_out = |e: &&Expr| matches!(e, Expr::Literal(value, _) if value.data_type().is_null());
        let given = |name: &str| {
            let place = measures::place(self.name, name)?;
            self.function.params.args.get(place).filter(|e| !left_out(e)).map(number)
        };
        match (self.name, values) {
            ("transfer_effect", [x, r, s, ..]) => {
                let (x, r, s) = (number(x), number(r), number(s));
                let without = [given("counterfactual"), Some(x.clone() - r.clone())].into_iter().flatten().collect();
                let without = coalesce(without) / s.clone();
                let mut all = vec![(x / s.clone(), None)];
                // Remittances are scaled whole, or by the root beside the weights.
                if let Some(captured) = given("captured") {
                    let received = r / s;
                    all.push((without.clone() + received.clone() / captured.clone(), None));
                    all.push((without.clone() + received / sqrt(captured), None));
                }
                // A factor that is NULL is 1.
                all.push((without, given("without_factor").map(|factor| coalesce(vec![factor, lit(1.0)]))));
                all
            }
            ("poverty_with_without", [x, r, s, ..]) => {
                let (x, r, s) = (number(x), number(r), number(s));
                vec![(x.clone() / s.clone(), None), ((x - r) / s, None)]
            }
            ("svy_fgt_difference", [with, without, ..]) => vec![(number(with), None), (number(without), None)],
            (_, [y, ..]) => vec![(number(y), None)],
            _ => Vec::new(),
        }
    }

    /// Households needed for what is ranked: the smaller of the tails that are looked at must hold k.
    fn least(&self) -> u64 {
        let k = self.rules.min_households;
        let constants = self.args().filter(|(_, _, is)| *is == Argument::Constant);
        let shares = constants.filter(|(place, ..)| measures::bounds(self.name, *place).is_some());
        let shares = shares.flat_map(|(_, e, _)| numbers(e).unwrap_or_default());
        let tail = shares.map(|p| p.min(1.0 - p)).filter(|p| *p > 0.0).fold(measures::tail(self.name), f64::min);
        let of_tail = (k as f64 / tail).ceil().min(1e15) as u64;
        of_tail.max(k.saturating_mul(self.rules.order_factor))
    }
}

fn number(expr: &Expr) -> Expr {
    cast(expr.clone(), DataType::Float64)
}

/// The numbers of a literal, or of a list of literals.
fn numbers(expr: &Expr) -> Option<Vec<f64>> {
    let number = |value: &ScalarValue| match value.cast_to(&DataType::Float64) {
        Ok(ScalarValue::Float64(Some(number))) if number.is_finite() => Some(number),
        _ => None,
    };
    match expr {
        Expr::Literal(value, _) if value.is_null() => Some(Vec::new()),
        Expr::Literal(value, _) => number(value).map(|n| vec![n]),
        Expr::Negative(inner) => Some(numbers(inner)?.into_iter().map(|n| -n).collect()),
        Expr::ScalarFunction(call) if call.func.name() == "make_array" => {
            call.args.iter().map(numbers).collect::<Option<Vec<_>>>().map(|all| all.concat())
        }
        _ => None,
    }
}
