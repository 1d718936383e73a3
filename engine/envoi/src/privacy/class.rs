//! What an expression over the rows of households can tell, and so where it may stand.
//!
//! Steps are what must not be had: who can ask for the number of households with an income
//! up to 5000 and up to 5001 has the household between. So numbers of households may be
//! added up, scaled and divided, but compared with nothing but zero; conditions and group
//! keys are of columns that identify nobody.

use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{InList, WindowFunction};
use datafusion::logical_expr::{Between, Case, Expr, Operator, Volatility};

use crate::error::Error;

/// What a value of a row can tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Class {
    /// The same whatever the row: of the statement, not of a household.
    Fixed,
    /// The same for every household of a survey: its year, its currency.
    Survey,
    /// Of a table joined by what is the same for a survey, such as an exchange rate. Never
    /// compared with what differs between households: that would give each a factor of its own.
    Joined,
    /// Differs between households and identifies nobody: region, urban, a condition of those.
    Key,
    /// A small whole number, such as the members of a household: a key, and a number too.
    Size,
    /// A condition of keys as a number: one value for those who meet it, 0 or NULL for others.
    Indicator,
    /// A number of the household.
    Number(Number),
    /// Names a household or a part of the sample.
    Identity,
    /// The household's number that the engine added.
    Hidden,
}

/// A number of a household.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    /// How many such numbers are multiplied: enough factors make a step of any curve.
    pub(super) degree: u8,
    /// Zero or NULL but for those who meet a condition.
    pub(super) conditional: bool,
    /// A constant was added: not to be divided by, which would single out those near it.
    pub(super) shifted: bool,
    /// Multiplied by what differs between surveys.
    pub(super) per_survey: bool,
    /// A sum or difference: with factors of the asker's choice its sign is a step.
    pub(super) summed: bool,
    /// Multiplied by a number of the statement.
    pub(super) scaled: bool,
    /// Made of a size. Of the few sizes that a condition leaves, sums tell how many households have each.
    pub(super) sized: bool,
}

const PLAIN: Number = Number {
    degree: 1,
    conditional: false,
    shifted: false,
    per_survey: false,
    summed: false,
    scaled: false,
    sized: false,
};

const SIZED: Number = Number { sized: true, ..PLAIN };

/// What columns are worth once a condition, or a group, has left some of the sizes: a size is a key and no number, and
/// numbers made of one are not for sums.
pub(super) fn narrowed(classes: &mut [Class]) {
    for class in classes {
        match class {
            Class::Size => *class = Class::Key,
            Class::Number(number) if number.sized => *class = Class::Identity,
            _ => {}
        }
    }
}

impl Number {
    /// A column, or a product of columns.
    fn is_pure(self) -> bool {
        !self.shifted && !self.conditional && !self.summed
    }

    /// What may be ranked: no number of the statement went into it.
    pub(super) fn is_own(self) -> bool {
        !self.shifted && !self.conditional && !self.scaled
    }
}
/// Factors of one number: weight, size, an amount, and a scale to divide by.
const DEGREE: u8 = 4;
/// Values of a CASE that makes keys.
const CLASSES: usize = 24;

/// Columns of table `household` that are the same for a whole survey.
const OF_SURVEY: [&str; 7] = ["survey_id", "iso3", "survey_year", "currency", "months", "source_id", "vintage"];
/// Those that identify nobody.
const KEYS: [&str; 2] = ["urban", "region"];
/// Small whole numbers.
const SIZES: [&str; 3] = ["size_persons", "adults", "children"];
/// Numbers that may be added up. A column that is in no list is refused.
const NUMBERS: [&str; 9] = [
    "weight",
    "income_total",
    "income_labour",
    "income_farm",
    "income_transfer",
    "remittance",
    "remittance_domestic",
    "consumption",
    "expenditure",
];

/// The class of a column of a table of microdata. What is not known may identify somebody.
pub(super) fn column(name: &str) -> Class {
    match name {
        n if OF_SURVEY.contains(&n) => Class::Survey,
        n if KEYS.contains(&n) => Class::Key,
        n if SIZES.contains(&n) => Class::Size,
        n if NUMBERS.contains(&n) => Class::Number(PLAIN),
        _ => Class::Identity,
    }
}

/// The class of a column of a mart with one row a household: by its name, and what it holds.
pub(super) fn mart_column(name: &str, data_type: &datafusion::arrow::datatypes::DataType) -> Class {
    match column(name) {
        Class::Identity if data_type.is_floating() => Class::Number(Number { per_survey: true, ..PLAIN }),
        // What was in force is of the call.
        Class::Identity if ["line_lcu", "poverty_line", "equivalence_scale", "counterfactual"].contains(&name) => {
            Class::Survey
        }
        Class::Identity if ["quintile", "decile", "size_class"].contains(&name) => Class::Key,
        Class::Identity if name == "receives" => Class::Key,
        known => known,
    }
}

impl Class {
    /// May be a group key, or be compared with others that may.
    pub(super) fn is_key(self) -> bool {
        matches!(self, Self::Fixed | Self::Survey | Self::Joined | Self::Key | Self::Size | Self::Indicator)
    }

    pub(super) fn number(self) -> Option<Number> {
        match self {
            Self::Fixed => Some(Number { degree: 0, ..PLAIN }),
            Self::Survey | Self::Joined => Some(Number { degree: 0, per_survey: true, ..PLAIN }),
            Self::Size => Some(SIZED),
            Self::Number(number) => Some(number),
            Self::Indicator => Some(Number { degree: 0, conditional: true, ..PLAIN }),
            Self::Key | Self::Identity | Self::Hidden => None,
        }
    }
}

type Result<T> = std::result::Result<T, Error>;

fn refused(what: &str, why: &str) -> Error {
    Error::user(format!("households are not shown one by one: {what}")).with_hint(why.to_owned())
}

const KEY_HINT: &str = "conditions and groups are of `survey_id`, `iso3`, `survey_year`, `currency`, `months`, `region`, `urban`, \
     `size_persons`, or whether an amount is zero or NULL";

/// Tells the classes of expressions over rows with columns of known classes.
pub(super) struct Classes<'a> {
    pub(super) schema: &'a DFSchema,
    pub(super) of: &'a [Class],
}

impl Classes<'_> {
    /// The class of an expression.
    ///
    /// # Errors
    /// What it could tell of a household, and what would work.
    pub(super) fn class(&self, expr: &Expr) -> Result<Class> {
        match expr {
            Expr::Alias(alias) => self.class(&alias.expr),
            Expr::Column(column) => {
                let place = self.schema.maybe_index_of_column(column);
                place.and_then(|p| self.of.get(p)).copied().ok_or_else(|| self.unknown(expr))
            }
            Expr::Literal(..) | Expr::Placeholder(_) | Expr::ScalarVariable(..) => Ok(Class::Fixed),
            // What is released of households, or not of them: one value for all rows, if it does not look at a row.
            Expr::ScalarSubquery(q) if q.outer_ref_columns.is_empty() => Ok(Class::Fixed),
            Expr::Exists(e) if e.subquery.outer_ref_columns.is_empty() => Ok(Class::Fixed),
            Expr::InSubquery(q) if q.subquery.outer_ref_columns.is_empty() => self.condition(expr, &[&q.expr]),
            Expr::Not(e)
            | Expr::IsTrue(e)
            | Expr::IsFalse(e)
            | Expr::IsUnknown(e)
            | Expr::IsNotTrue(e)
            | Expr::IsNotFalse(e)
            | Expr::IsNotUnknown(e) => self.condition(expr, &[e]),
            Expr::IsNull(e) | Expr::IsNotNull(e) => match self.class(e)? {
                Class::Number(number) if number.is_pure() => Ok(Class::Key),
                _ => self.condition(expr, &[e]),
            },
            Expr::Between(Between { expr: e, low, high, .. }) => self.condition(expr, &[e, low, high]),
            Expr::InList(InList { expr: e, list, .. }) => {
                let all: Vec<&Expr> = std::iter::once(e.as_ref()).chain(list).collect();
                self.condition(expr, &all)
            }
            Expr::Like(like) | Expr::SimilarTo(like) => self.condition(expr, &[&like.expr, &like.pattern]),
            Expr::BinaryExpr(binary) => self.binary(expr, &binary.left, binary.op, &binary.right),
            Expr::Negative(e) => self.class(e),
            Expr::Cast(cast) => self.cast(expr, &cast.expr, cast.field.data_type()),
            Expr::TryCast(cast) => self.cast(expr, &cast.expr, cast.field.data_type()),
            Expr::Case(case) => self.case(expr, case),
            // What differs from row to row without looking at it draws a sample.
            Expr::ScalarFunction(call) if call.func.signature().volatility == Volatility::Volatile => {
                Err(refused(&format!("`{}` draws some of them", shown(expr)), KEY_HINT))
            }
            Expr::ScalarFunction(call) => self.call(expr, call.func.name(), &call.args),
            Expr::WindowFunction(window) => self.window(expr, window),
            _ => Err(self.unknown(expr)),
        }
    }

    /// Whether a condition or key takes some of the sizes together and leaves others out. One size by itself is the same
    /// for all that are left.
    pub(super) fn narrows(&self, expr: &Expr) -> bool {
        let size = |e: &Expr| matches!(e, Expr::Column(_)) && self.class(e).is_ok_and(|c| c == Class::Size);
        match expr {
            Expr::Column(_) => false,
            Expr::Alias(alias) => self.narrows(&alias.expr),
            // Those of size zero add nothing.
            Expr::IsNull(one) | Expr::IsNotNull(one) if matches!(one.as_ref(), Expr::Column(_)) => false,
            Expr::BinaryExpr(binary)
                if is_comparison(binary.op)
                    && matches!((binary.left.as_ref(), binary.right.as_ref()), (Expr::Column(_), zero) | (zero, Expr::Column(_)) if is_zero(zero)) =>
            {
                false
            }
            Expr::BinaryExpr(binary) if binary.op == Operator::And => {
                self.narrows(&binary.left) || self.narrows(&binary.right)
            }
            Expr::BinaryExpr(binary) if binary.op == Operator::Eq => {
                let fixed = |e: &Expr| self.class(e).is_ok_and(|c| c == Class::Fixed);
                let one = |a: &Expr, b: &Expr| size(a) && fixed(b);
                !(one(&binary.left, &binary.right) || one(&binary.right, &binary.left))
                    && expr.exists(|e| Ok(size(e))).unwrap_or(true)
            }
            expr => expr.exists(|e| Ok(size(e))).unwrap_or(true),
        }
    }

    fn unknown(&self, expr: &Expr) -> Error {
        refused(&format!("`{}` is nothing that readers may use on them", shown(expr)), KEY_HINT)
    }

    /// A condition of keys is a key.
    fn condition(&self, whole: &Expr, parts: &[&Expr]) -> Result<Class> {
        let mut all = Class::Fixed;
        for part in parts {
            let class = self.class(part)?;
            if !class.is_key() {
                let what = format!("`{}` is a condition that few may meet", shown(whole));
                return Err(refused(&what, KEY_HINT));
            }
            all = self.together(whole, all, class)?;
        }
        Ok(all)
    }

    /// The class of what is made of two keys.
    fn together(&self, whole: &Expr, a: Class, b: Class) -> Result<Class> {
        use Class::{Fixed, Joined, Key, Survey};
        match (a, b) {
            (Fixed, Fixed) => Ok(Fixed),
            (Fixed | Survey, Fixed | Survey) => Ok(Survey),
            (Fixed | Survey | Joined, Fixed | Survey | Joined) => Ok(Joined),
            (Joined, _) | (_, Joined) => {
                let what = format!("`{}` joins a table to some of them", shown(whole));
                Err(refused(
                    &what,
                    "join by `survey_id`, `iso3`, `survey_year` or `currency`; or aggregate first, and join then",
                ))
            }
            _ => Ok(Key),
        }
    }

    fn binary(&self, whole: &Expr, left: &Expr, op: Operator, right: &Expr) -> Result<Class> {
        let (l, r) = (self.class(left)?, self.class(right)?);
        if is_comparison(op) || matches!(op, Operator::And | Operator::Or) {
            let zero = |class: Class, other: &Expr| matches!(class, Class::Number(n) if n.is_pure()) && is_zero(other);
            if is_comparison(op) && (zero(l, right) || zero(r, left)) {
                return Ok(Class::Key);
            }
            return self.condition(whole, &[left, right]);
        }
        let is_plain_key = |c: Class| matches!(c, Class::Fixed | Class::Survey | Class::Joined | Class::Key);
        if is_plain_key(l) && is_plain_key(r) {
            // Of the statement or the survey alone: it fails for all households or for none.
            return match self.together(whole, l, r)? {
                Class::Key if op != Operator::StringConcat => Err(self.unknown(whole)),
                class => Ok(class),
            };
        }
        let (Some(a), Some(b)) = (l.number(), r.number()) else { return Err(self.unknown(whole)) };
        let per_survey = a.per_survey || b.per_survey;
        match op {
            Operator::Plus | Operator::Minus => {
                if (a.conditional && !is_zero(right)) || (b.conditional && !is_zero(left)) {
                    return Err(refused(
                        &format!("`{}` adds to what only some households have", shown(whole)),
                        "add up the parts apart, or use `filter (where …)`",
                    ));
                }
                let constant = (a.degree == 0 && !is_zero(left)) || (b.degree == 0 && !is_zero(right));
                Ok(Class::Number(Number {
                    degree: a.degree.max(b.degree),
                    conditional: a.conditional || b.conditional,
                    shifted: a.shifted || b.shifted || constant,
                    per_survey,
                    summed: true,
                    scaled: a.scaled || b.scaled,
                    sized: a.sized || b.sized,
                }))
            }
            Operator::Multiply => self.product(whole, a, b, l == Class::Fixed || r == Class::Fixed),
            Operator::Divide if b.shifted || b.conditional => Err(refused(
                &format!("`{}` divides by what may be next to zero for one household", shown(whole)),
                "divide by a column, or by a constant",
            )),
            Operator::Divide => self.product(whole, a, b, l == Class::Fixed || r == Class::Fixed),
            _ => Err(self.unknown(whole)),
        }
    }

    fn product(&self, whole: &Expr, a: Number, b: Number, scaled: bool) -> Result<Class> {
        let degree = a.degree.saturating_add(b.degree);
        // Products of shifted factors are polynomials, whose peaks single households out; powers of sizes tell how many
        // households have each.
        if degree > DEGREE || (a.shifted && b.shifted) || (a.sized && b.sized) {
            let what = format!("`{}` multiplies so many numbers that the result may be that of one", shown(whole));
            return Err(refused(&what, "multiply an amount by a weight and a size, or divide it by a scale"));
        }
        Ok(Class::Number(Number {
            degree,
            conditional: a.conditional || b.conditional,
            shifted: a.shifted || b.shifted,
            per_survey: a.per_survey || b.per_survey,
            summed: a.summed || b.summed,
            scaled: a.scaled || b.scaled || scaled,
            sized: a.sized || b.sized,
        }))
    }

    fn cast(&self, whole: &Expr, inner: &Expr, to: &datafusion::arrow::datatypes::DataType) -> Result<Class> {
        let class = self.class(inner)?;
        let text = to.is_string();
        match class {
            // Fails for all households or for none.
            Class::Fixed | Class::Survey | Class::Joined => Ok(class),
            Class::Key if text || *to == datafusion::arrow::datatypes::DataType::Boolean => Ok(class),
            Class::Key if to.is_numeric() && is_truth(inner, self.schema) => Ok(Class::Indicator),
            Class::Size if to.is_numeric() || text => Ok(class),
            Class::Number(_) if *to == datafusion::arrow::datatypes::DataType::Float64 => Ok(class),
            _ => Err(refused(
                &format!("`{}` may fail, or round, for one household and not for others", shown(whole)),
                "leave the column as it is; round what is released, after the aggregation",
            )),
        }
    }

    fn case(&self, whole: &Expr, case: &Case) -> Result<Class> {
        let conditions = case.when_then_expr.iter().map(|(when, _)| when.as_ref());
        let conditions: Vec<&Expr> = case.expr.as_deref().into_iter().chain(conditions).collect();
        let of = self.condition(whole, &conditions)?;
        let otherwise = case.else_expr.as_deref();
        let results: Vec<&Expr> = case.when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(otherwise).collect();
        let telling: Vec<&Expr> = results.iter().copied().filter(|r| !is_nothing(r)).collect();
        let numbers = telling.iter().map(|r| self.class(r)).collect::<Result<Vec<Class>>>()?;
        match numbers.as_slice() {
            [Class::Number(number)] if number.sized && conditions.iter().any(|c| self.narrows(c)) => Err(refused(
                &format!("`{}` adds up sizes of some sizes", shown(whole)),
                "count them, or add up what no size went into",
            )),
            // One branch of numbers, all others nothing: a condition, as FILTER is.
            [Class::Number(number)] => Ok(Class::Number(Number { conditional: true, ..*number })),
            [Class::Fixed | Class::Indicator] if of == Class::Key => Ok(Class::Indicator),
            all if all.iter().all(|c| c.is_key()) && results.len() <= CLASSES => {
                all.iter().try_fold(of, |of, class| self.together(whole, of, *class))
            }
            _ => Err(refused(
                &format!("`{}` counts some households more than others", shown(whole)),
                "a CASE over amounts has one of them in one branch, and 0 or NULL in all others",
            )),
        }
    }

    fn call(&self, whole: &Expr, name: &str, args: &[Expr]) -> Result<Class> {
        let classes = args.iter().map(|a| self.class(a)).collect::<Result<Vec<Class>>>()?;
        let plain = |c: &Class| matches!(c.number(), Some(n) if !n.conditional && !n.shifted);
        if classes.iter().all(|c| *c == Class::Fixed) {
            return Ok(Class::Fixed);
        }
        match (name, classes.as_slice()) {
            ("coalesce", [first, _]) if first.number().is_some() && args.get(1).is_some_and(is_zero) => Ok(*first),
            ("coalesce", all) if all.iter().all(|c| c.is_key()) => {
                all.iter().try_fold(Class::Fixed, |of, class| self.together(whole, of, *class))
            }
            // `region = any(array['A', 'B'])`
            ("array_has", [Class::Fixed, key]) if key.is_key() => {
                self.condition(whole, &args.iter().collect::<Vec<_>>())
            }
            ("nullif", [first, _]) if args.get(1).is_some_and(is_zero) => Ok(*first),
            ("sqrt" | "ln" | "log10", [one]) if plain(one) => {
                let number = one.number().unwrap_or(PLAIN);
                Ok(Class::Number(Number { shifted: true, ..number }))
            }
            ("power" | "pow", [Class::Size, Class::Fixed]) => Ok(Class::Number(SIZED)),
            ("adult_equiv", all) if all.iter().all(|c| matches!(c, Class::Size | Class::Fixed)) => {
                Ok(Class::Number(SIZED))
            }
            ("struct" | "named_struct", all) if all.iter().all(|c| plain(c) || *c == Class::Fixed) => {
                let numbers = all.iter().filter_map(|c| c.number());
                let per_survey = numbers.clone().any(|n| n.per_survey);
                let sized = numbers.clone().any(|n| n.sized);
                let degree = numbers.map(|n| n.degree).max().unwrap_or(0);
                Ok(Class::Number(Number { degree, per_survey, sized, ..PLAIN }))
            }
            ("lower" | "upper" | "concat" | "substr" | "trim" | "btrim" | "left" | "right", all)
                if all.iter().all(|c| matches!(c, Class::Fixed | Class::Survey | Class::Joined | Class::Key)) =>
            {
                all.iter().try_fold(Class::Fixed, |of, class| self.together(whole, of, *class))
            }
            _ => {
                let what = format!("`{}`: function `{name}` may fail, or make a step, for one of them", shown(whole));
                Err(refused(&what, "call it on what is released, after the aggregation"))
            }
        }
    }

    /// `ntile(5) over (partition by survey_id order by income_total)`: classes of equal size.
    fn window(&self, whole: &Expr, window: &WindowFunction) -> Result<Class> {
        let tiles = |args: &[Expr]| match args {
            [Expr::Literal(value, _)] => value.cast_to(&datafusion::arrow::datatypes::DataType::Int64).ok(),
            _ => None,
        };
        let tiles = match tiles(&window.params.args) {
            Some(ScalarValue::Int64(Some(n))) if window.fun.name() == "ntile" => n,
            _ => 0,
        };
        let keys = window.params.partition_by.iter().map(|k| self.class(k)).collect::<Result<Vec<_>>>()?;
        let orders = window.params.order_by.iter().map(|o| self.class(&o.expr)).collect::<Result<Vec<_>>>()?;
        let order = |c: &Class| matches!(c.number(), Some(n) if n.is_pure() && n.degree <= 2);
        if (2..=10).contains(&tiles) && keys.iter().all(|c| *c == Class::Survey) && orders.iter().all(order) {
            return Ok(Class::Key);
        }
        Err(refused(
            &format!("`{}` is a window over households", shown(whole)),
            "of windows there is `ntile(2 to 10) over (partition by survey_id order by an amount)`; aggregate first, then use any",
        ))
    }
}

fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// A literal zero.
fn is_zero(expr: &Expr) -> bool {
    let Expr::Literal(value, _) = expr else { return false };
    match value.cast_to(&datafusion::arrow::datatypes::DataType::Float64) {
        Ok(ScalarValue::Float64(Some(number))) => number == 0.0,
        _ => false,
    }
}

/// A literal zero or NULL.
fn is_nothing(expr: &Expr) -> bool {
    is_zero(expr) || matches!(expr, Expr::Literal(value, _) if value.is_null())
}

fn is_truth(expr: &Expr, schema: &DFSchema) -> bool {
    use datafusion::logical_expr::ExprSchemable;
    expr.get_type(schema).is_ok_and(|t| t == datafusion::arrow::datatypes::DataType::Boolean)
}

/// An expression for an error, short.
pub(super) fn shown(expr: &Expr) -> String {
    let text = expr.human_display().to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
