//! Estimates from complex surveys with design-based errors.
//!
//! An estimate is linearised: each row has an influence, and the variance of the
//! estimate is that of the influences' weighted total (Deville 1999; Osier 2009).

mod curve;
#[cfg(test)]
mod derivatives;
mod design;
mod difference;
mod effect;
mod estimate;
mod gap;
mod inequality;
mod lanes;
mod means;
mod parts;
mod poverty;
mod quantile;
mod repeated;
mod replicates;
mod sample;
mod several;
mod sources;
mod spread;
mod student;
mod with_without;

use super::frame::{Field, Kind, Measure, Parameter, Shape, option};
pub(in crate::aggregate) use design::{Design, Drawn};
use estimate::{difference, survey};
pub(crate) use replicates::spread;
use sample::{Estimator, Linear, Sample, Terms};

const SECTION: &str = "Surveys";
/// Of inequality, which fills a page of its own.
const INEQUALITY: &str = "Inequality in surveys";

/// The measures of this family.
pub(super) const ALL: &[&Measure] = &[
    &means::SVY_MEAN,
    &means::SVY_TOTAL,
    &means::SVY_RATIO,
    &quantile::SVY_QUANTILE,
    &poverty::SVY_FGT,
    &poverty::SVY_WATTS,
    &gap::SVY_INCOME_GAP_RATIO,
    &gap::SVY_RELATIVE_MEDIAN_POVERTY_GAP,
    &parts::SVY_FGT_DECOMPOSITION,
    &inequality::SVY_GINI,
    &inequality::SVY_GE,
    &inequality::SVY_ATKINSON,
    &parts::SVY_GE_DECOMPOSITION,
    &spread::SVY_HOOVER,
    &spread::SVY_KOLM,
    &spread::SVY_S_GINI,
    &spread::SVY_ZENGA,
    &spread::SVY_J_DIVERGENCE,
    &curve::SVY_LORENZ,
    &curve::SVY_QUANTILE_SHARE,
    &curve::SVY_PALMA,
    &curve::SVY_S80_S20,
    &curve::SVY_QUANTILE_SHARE_RATIO,
    &curve::SVY_LOWER_PARTIAL_SUM,
    &sources::SVY_CONCENTRATION,
    &sources::SVY_GINI_BY_SOURCE,
    &difference::SVY_MEAN_DIFFERENCE,
    &difference::SVY_FGT_DIFFERENCE,
    &difference::SVY_GINI_DIFFERENCE,
    &with_without::POVERTY_WITH_WITHOUT,
    &effect::TRANSFER_EFFECT,
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

/// What estimates give.
pub(crate) fn estimates() -> Shape {
    Shape::Struct(FIELDS)
}

/// Half of the 95 % interval of an estimate.
pub(crate) fn half_interval(se: f64, df: usize) -> f64 {
    student::quantile(0.975, df) * se
}

const SHAPE: fn(&[arrow::datatypes::DataType]) -> Shape = |_| estimates();

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

const METHOD: Parameter = option(
    "method",
    Kind::Choice(&["linearisation", "jackknife", "bootstrap"]),
    "How the error is found: 'linearisation', the default; 'jackknife' leaves out one unit after another; 'bootstrap' draws units anew.",
);
const REPLICATES: Parameter =
    option("replicates", Kind::Constant, "Number of draws of the bootstrap, from 2 to 100000; 1000 if left out.");
const SEED: Parameter = option(
    "seed",
    Kind::Constant,
    "Seed of the bootstrap, an integer of 0 or more; 0 if left out. The same seed gives the same draws.",
);

/// What all estimates here give.
macro_rules! design_rule {
    () => {
        " A struct: estimate; se, its standard error, units with replacement within strata, by linearisation unless `method` says otherwise; ci_low and ci_high, the 95 % interval by Student's t; df, units less strata; n, rows of the domain; deff, the variance over that of a simple random sample of as many rows. Rows with a NULL in the design or weight 0 are left out; without rows in the domain the answer is NULL. NaN, infinite values and negative weights are errors."
    };
}
use design_rule;

/// The arguments that all estimates here end with.
macro_rules! design_tail {
    () => {
        "w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0]"
    };
}
use design_tail;
