//! Estimates from complex surveys with design-based errors.
//!
//! An estimate is linearised: each row has an influence, and the variance of the
//! estimate is that of the influences' weighted total (Deville 1999; Osier 2009).

mod design;
mod difference;
mod inequality;
mod means;
mod poverty;
mod quantile;
mod student;

use datafusion_common::Result;

use super::frame::{Field, Given, Kernel, Kind, Measure, Parameter, Rows, Shape, Sink, option};
use design::Design;

const SECTION: &str = "Surveys";

/// The measures of this family.
pub(super) const ALL: &[&Measure] = &[
    &means::SVY_MEAN,
    &means::SVY_TOTAL,
    &means::SVY_RATIO,
    &quantile::SVY_QUANTILE,
    &poverty::SVY_FGT,
    &poverty::SVY_WATTS,
    &difference::SVY_FGT_DIFFERENCE,
    &inequality::SVY_GINI,
    &inequality::SVY_GE,
    &inequality::SVY_ATKINSON,
];

const FIELDS: &[Field] = &[
    Field::Number("estimate"),
    Field::Number("se"),
    Field::Number("ci_low"),
    Field::Number("ci_high"),
    Field::Count("df"),
    Field::Count("n"),
    Field::Number("deff"),
];

const SHAPE: fn(&[arrow::datatypes::DataType]) -> Shape = |_| Shape::Struct(FIELDS);

const Y: Parameter = Parameter {
    name: "y",
    kind: Kind::Nullable,
    optional: false,
    text: "The variable. A row with NULL is outside the domain: it counts for the design alone.",
};
const W: Parameter = Parameter {
    name: "w",
    kind: Kind::Weight,
    optional: false,
    text: "Sampling weight, 0 or more; for persons times household size.",
};
const STRATUM: Parameter = option("stratum", Kind::Key, "Stratum, an integer or a text; one stratum if left out.");
const PSU: Parameter = option(
    "psu",
    Kind::Key,
    "Primary sampling unit within its stratum, an integer or a text; every row is one if left out.",
);
const FPC: Parameter = option(
    "fpc",
    Kind::Number,
    "Number of primary sampling units in the stratum's population; without it sampling counts as with replacement.",
);
const DOMAIN: Parameter = option(
    "domain",
    Kind::Truth,
    "Which rows the estimate is of. Unlike `filter` or `where` it keeps the design whole: sampling units outside count as zeros.",
);
const LONELY: Parameter = option(
    "lonely_psu",
    Kind::Choice(&["error", "adjust", "certainty"]),
    "A stratum of one unit is an error, is centred at the mean of all units ('adjust'), or adds nothing ('certainty').",
);

/// What all estimates here give.
macro_rules! design_rule {
    () => {
        " A struct: estimate; se, its standard error by linearisation, units with replacement within strata; ci_low and ci_high, the 95 % interval by Student's t; df, units less strata; n, rows of the domain; deff, the variance over that of a simple random sample of as many rows. Rows with a NULL in the design or weight 0 are left out; without rows in the domain the answer is NULL. NaN, infinite values and negative weights are errors."
    };
}
use design_rule;

/// An estimate and the influence of every row of the domain.
struct Linear {
    estimate: f64,
    influence: Vec<f64>,
    /// What all rows add by their place, in the domain or not: those that moved the line.
    beyond: Option<Vec<f64>>,
}

/// What makes an estimate of the domain's rows, in ascending order of the variable.
trait Estimator: std::fmt::Debug + Send + Sync + 'static {
    /// The estimate; `None` where it is not defined.
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>>;
}

/// The rows of the domain.
struct Sample<'a> {
    rows: &'a Rows<'a>,
    /// Their places among all rows.
    places: Vec<usize>,
    values: Vec<f64>,
    weights: Vec<f64>,
    weight: f64,
}

impl<'a> Sample<'a> {
    fn new(rows: &'a Rows<'a>, inside: impl Fn(usize) -> bool) -> Self {
        let values = rows.values();
        let known = |row: &usize| values.get(*row).is_some_and(|y| !y.is_nan()) && inside(*row);
        let places: Vec<usize> = (0..rows.len()).filter(known).collect();
        let weights: Vec<f64> = places.iter().map(|row| rows.weight(*row)).collect();
        let weight = super::frame::total(weights.iter().copied());
        let values = places.iter().filter_map(|row| values.get(*row).copied()).collect();
        Self { rows, places, values, weights, weight }
    }

    /// Values with their weights.
    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + Clone {
        self.values.iter().copied().zip(self.weights.iter().copied())
    }

    /// The weighted mean of something of each value.
    fn mean(&self, of: impl Fn(f64) -> f64) -> f64 {
        super::frame::total(self.pairs().map(|(y, w)| w * of(y))) / self.weight
    }

    /// Influences as a function of the value.
    fn influence(&self, of: impl Fn(f64) -> f64) -> Vec<f64> {
        self.values.iter().map(|y| of(*y)).collect()
    }
}

/// An estimate from a design.
#[derive(Debug)]
struct Survey<E> {
    design: Design,
    estimator: E,
}

fn survey<E: Estimator>(given: &Given, estimator: E) -> Result<Box<dyn Kernel>> {
    Ok(Box::new(Survey { design: Design::new(given)?, estimator }))
}

impl<E: Estimator> Kernel for Survey<E> {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let sample = Sample::new(rows, |row| self.design.inside(rows, row));
        let linear = match sample.places.is_empty() {
            true => None,
            false => self.estimator.linearise(&sample)?,
        };
        let Some(Linear { estimate, influence, beyond }) = linear else {
            sink.null();
            return Ok(());
        };
        let mut totals = vec![0.0; rows.len()];
        for ((place, z), w) in sample.places.iter().zip(&influence).zip(&sample.weights) {
            if let Some(slot) = totals.get_mut(*place) {
                *slot = w * z;
            }
        }
        for (row, (slot, z)) in totals.iter_mut().zip(beyond.into_iter().flatten()).enumerate() {
            *slot += rows.weight(row) * z;
        }
        let (variance, df) = self.design.variance(rows, &totals)?;
        let n = sample.places.len();
        let se = variance.sqrt();
        let half = student::quantile(0.975, df) * se;
        let interval = (df > 0).then_some(half);
        sink.row(&[
            Some(estimate),
            Some(se),
            interval.map(|half| estimate - half),
            interval.map(|half| estimate + half),
            Some(df as f64),
            Some(n as f64),
            simple(&sample, &influence).filter(|v| *v > 0.0).map(|simple| variance / simple),
        ]);
        Ok(())
    }
}

/// The variance under simple random sampling without replacement of as many rows.
fn simple(sample: &Sample<'_>, influence: &[f64]) -> Option<f64> {
    let n = sample.places.len() as f64;
    let weighted = || influence.iter().zip(&sample.weights);
    let mean = super::frame::total(weighted().map(|(z, w)| w * z)) / sample.weight;
    let spread = super::frame::total(weighted().map(|(z, w)| w * (z - mean) * (z - mean))) / sample.weight;
    let scale = sample.weight * sample.weight * spread * n / (n - 1.0) / n;
    let drawn = (sample.weight - n) / sample.weight;
    (n > 1.0).then_some(scale * if drawn > 0.0 { drawn } else { 1.0 })
}
