//! Measures of a transfer, such as remittances, in a distribution.

mod concentration;
mod progressivity;
mod sources;

use super::frame::Measure;

const SECTION: &str = "Remittances in the distribution";

/// The measures of this family.
pub(super) const ALL: &[&Measure] = &[
    &concentration::CONCENTRATION,
    &progressivity::KAKWANI,
    &progressivity::REYNOLDS_SMOLENSKY,
    &progressivity::RERANKING,
    &sources::GINI_BY_SOURCE,
];

/// What every measure here does with rows.
macro_rules! rows_rule {
    () => {
        " Rows that tie share the middle of their ranks. Rows with a NULL or with weight 0 are left out; without rows the answer is NULL. NaN, infinite values and negative weights are errors."
    };
}
use rows_rule;
