//! Measures of series and of shares between units.

mod cyclicality;
mod growth;
mod interpolate;
mod shares;
mod volatility;

use super::frame::{Measure, Parameter, Rows, number, refuse};
use datafusion_common::Result;

const SECTION: &str = "Series";

/// The measures of this family.
pub(super) const ALL: &[&Measure] = &[
    &growth::CAGR,
    &growth::GROWTH_LS,
    &cyclicality::CYCLICALITY,
    &volatility::GROWTH_SD,
    &volatility::DETRENDED_SD,
    &interpolate::INTERP_LINEAR,
    &shares::HHI,
    &shares::TOP_SHARE,
    &shares::ROSENBLUTH,
];

const T: Parameter = number("t", "Period as a number: the year, or year * 4 + quarter. One row a period.");

/// Values with their periods, in the order of periods; a period twice is an error.
///
/// Values are the first columns, periods the column `t`.
fn by_period(function: &str, rows: &Rows<'_>, t: usize) -> Result<Vec<(f64, usize)>> {
    let mut periods: Vec<(f64, usize)> = rows.column(t).iter().copied().zip(0..).collect();
    periods.sort_by(|a, b| a.0.total_cmp(&b.0));
    match periods.windows(2).find(|w| matches!(w, [a, b] if a.0 == b.0)) {
        Some([(period, _), _]) => {
            refuse(function, "t", format!("{period} twice"), "expected one row a period; is a `group by` missing?")
        }
        _ => Ok(periods),
    }
}
