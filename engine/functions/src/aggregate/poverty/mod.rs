//! Measures of poverty.

mod fgt;
mod line;
mod median_gap;
mod sen;
mod watts;

use super::frame::{Kind, Measure, Parameter, flag, number};

const SECTION: &str = "Poverty";

/// The measures of this family.
pub(super) const ALL: &[&Measure] = &[
    &fgt::FGT,
    &fgt::HEADCOUNT,
    &fgt::GAP,
    &fgt::SEVERITY,
    &watts::WATTS,
    &sen::SEN,
    &sen::SST,
    &median_gap::INCOME_GAP_RATIO,
    &median_gap::RELATIVE_MEDIAN_POVERTY_GAP,
];

const Y: Parameter =
    number("y", "Income or consumption per person or per equivalent adult; integers, decimals and doubles.");

const LINE: Parameter = Parameter {
    name: "line",
    kind: Kind::Line,
    optional: false,
    text: "Poverty line in the unit of y: a number, a column (a line per region or year), or `relative(0.6, 'median')`.",
};

const INCLUSIVE: Parameter =
    flag("inclusive", "Whether those exactly on the line are poor too, as convey counts them.");

const BOTTOM: Parameter =
    super::frame::option("bottom_code", Kind::Constant, "Values below this number are taken as this number.");

/// What every measure here does with rows and lines.
macro_rules! lines_rule {
    () => {
        " Poor means y < line, strictly. For shares of persons the weight is household weight times household size. Rows with a NULL or with weight 0 are left out; without rows the answer is NULL, and so it is where a column or a relative line gives a line of zero or less; such a number for the whole call is an error, as are NaN, infinite values and negative weights."
    };
}
use lines_rule;
