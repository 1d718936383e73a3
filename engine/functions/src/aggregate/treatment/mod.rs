//! Effects of a treatment, such as receiving remittances, on those who chose it.

mod balance;
pub(super) mod data;
pub(super) mod effect;
mod logit;
mod matching;
mod outcome;
mod propensity;
mod weighting;

use super::frame::{Kind, Measure, Parameter, flag, number, option};

const SECTION: &str = "Treatment effects";

/// The measures of this family.
pub(super) const ALL: &[&Measure] = &[
    &logit::LOGIT,
    &weighting::IPW_ATT,
    &weighting::IPW_ATE,
    &balance::IPW_BALANCE,
    &matching::PSM_ATT,
    &outcome::REGRESSION_ATT,
];

const Y: Parameter = number("y", "The outcome, such as income per head, or 1 and 0 for poor and not poor.");
const TREATED: Parameter = Parameter {
    name: "treated",
    kind: Kind::Truth,
    optional: false,
    text: "Whether the row is treated, such as a household that receives remittances: yes or no, or 1 and 0.",
};
pub(super) const X: Parameter = Parameter {
    name: "x",
    kind: Kind::Sources,
    optional: false,
    text: "The covariates as a struct, such as `{age: age, urban: urban}`: numbers, or yes and no as 1 and 0. A constant term is added. For what has more than two values, such as a region, give one of yes and no for all but one of them.",
};
pub(super) const W: Parameter = option("w", Kind::Weight, "Sampling weight, 0 or more; 1 if left out.");
pub(super) const STRATUM: Parameter =
    option("stratum", Kind::Key, "Stratum of the sample, an integer or a text; one stratum if left out.");
pub(super) const PSU: Parameter = option(
    "psu",
    Kind::Key,
    "Primary sampling unit within its stratum, an integer or a text; every row is one if left out.",
);
pub(super) const FPC: Parameter = option(
    "fpc",
    Kind::Number,
    "Number of primary sampling units in the stratum's population; without it sampling counts as with replacement.",
);
pub(super) const LONELY: Parameter = option(
    "lonely_psu",
    Kind::Choice(&["error", "adjust", "certainty"]),
    "A stratum of one unit is an error, is centred at the mean of all units ('adjust'), or adds nothing ('certainty').",
);
const TRIM: Parameter = option(
    "trim",
    Kind::Constant,
    "Rows with a propensity below this or above one less this are left out of the means, from 0 to 0.5; 0 if left out. The logit keeps them.",
);
pub(super) const ROBUST: Parameter = flag(
    "robust",
    "Whether errors allow for residuals of any spread, and for the design if one is given, instead of trusting the model.",
);

/// What every measure here does with rows.
macro_rules! rows_rule {
    () => {
        " Rows with a NULL or with weight 0 are left out. Without rows, with none treated, with none untreated or with fewer rows than coefficients the answer is NULL. A covariate that is the same for all or a combination of others is an error that names it, as is one by which treated and untreated rows part without exception; so are NaN, infinite values and negative weights."
    };
}
use rows_rule;
