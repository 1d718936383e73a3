//! Totals and means of groups of economies by the World Bank's rules: missing values are counted.

mod coverage;
mod mean;
mod median;
mod sum;

use super::frame::{Given, Kind, Measure, Parameter, option, refuse};
use datafusion_common::Result;

const SECTION: &str = "Groups of economies";

/// The measures of this family.
pub(super) const ALL: &[&Measure] = &[&sum::WB_SUM, &mean::WB_WAVG, &median::WB_MEDIAN, &coverage::COVERAGE];

const X: Parameter = Parameter {
    name: "x",
    kind: Kind::Nullable,
    optional: false,
    text: "The value, NULL where it is missing: one row an economy.",
};

const MIN_COVERAGE: Parameter = option("min_coverage", Kind::Constant, "Least coverage for an answer, from 0 to 1.");

/// Coverages that differ by less are one: 2/3 is often written 0.6666667.
const SLACK: f64 = 1e-7;

/// Reads [`MIN_COVERAGE`].
fn least(given: &Given, default: f64) -> Result<f64> {
    match given.number("min_coverage")? {
        None => Ok(default),
        Some(least) if (0.0..=1.0).contains(&least) => Ok(least),
        Some(least) => refuse(given.measure.name, "min_coverage", least, "expected a number from 0 to 1"),
    }
}

/// Whether what is known suffices.
fn covers(known: f64, all: f64, least: f64) -> bool {
    all > 0.0 && known / all >= least - SLACK
}

/// The source that every measure here follows.
macro_rules! world_bank {
    () => {
        " World Bank, Data Compilation Methodology (help desk article 198549). NaN and infinite values are errors; NULLs are counted as missing, so rows without a value have to reach the function."
    };
}
use world_bank;
