//! Measures of inequality of one distribution.

mod atkinson;
mod curve;
mod decomposition;
mod entropy;
mod gini;
mod hoover;
mod kolm;
mod lorenz;
mod partial;
mod quantile;
mod ranks;
mod s_gini;
mod shares;
mod zenga;

use super::frame::Measure;
pub(super) use curve::Curve;
pub(super) use gini::mid_rank;
pub(super) use kolm::{ALPHA as KOLM_ALPHA, alpha as kolm_alpha, logarithm as kolm_logarithm};
pub(super) use partial::{HIGH, LOW, bounds};
pub(super) use ranks::{Ranks, ties};
pub(super) use s_gini::{V, parameter as s_gini_parameter, steps};
pub(super) use zenga::{CURVE, Point, points, segments};

pub(super) const SECTION: &str = "Inequality";

/// The measures of this family.
pub(super) const ALL: &[&Measure] = &[
    &gini::GINI,
    &s_gini::S_GINI,
    &kolm::KOLM,
    &zenga::ZENGA,
    &entropy::GE,
    &entropy::THEIL_T,
    &entropy::THEIL_L,
    &partial::J_DIVERGENCE,
    &decomposition::GE_DECOMPOSITION,
    &atkinson::ATKINSON,
    &hoover::HOOVER,
    &quantile::QUANTILE,
    &lorenz::LORENZ,
    &lorenz::GENERALISED_LORENZ,
    &shares::QUANTILE_SHARE,
    &shares::PALMA,
    &shares::S80_S20,
    &partial::QUANTILE_SHARE_RATIO,
    &partial::LOWER_PARTIAL_SUM,
];

/// What every measure here does with rows.
macro_rules! rows_rule {
    () => {
        " Rows with a NULL or with weight 0 are left out; without rows the answer is NULL. NaN, infinite values and negative weights are errors."
    };
}
use rows_rule;

/// A power of two that brings numbers as large as `largest` near 1, so that
/// products of huge or tiny numbers stay in the range of doubles. Exact.
pub(super) fn near_one(largest: f64) -> f64 {
    let exponent = ((largest.to_bits() >> 52) & 0x7ff) as i64 - 1023;
    let power = (-exponent).clamp(-1000, 1000);
    f64::from_bits(((power + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::near_one;

    #[test]
    fn scaling_is_by_powers_of_two() {
        assert_eq!(near_one(1.0), 1.0);
        assert_eq!(near_one(12.0), 0.125);
        assert!((near_one(1e300) * 1e300).log2().abs() <= 1.0);
        assert!((near_one(1e-300) * 1e-300).log2().abs() <= 1.0);
        assert!(near_one(0.0).is_finite());
    }
}
