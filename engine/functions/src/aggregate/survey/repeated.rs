//! An estimate again in several replicates at once, from what it is made of.

use datafusion_common::Result;

use super::lanes::{Lanes, Several, Sorted, Walk, dot, gini, several};
use super::sample::{Estimator, Sample, Terms};
use crate::aggregate::frame::Total;

/// What replicates of an estimate need, by unit or row.
pub(super) enum Repeated {
    /// A total over another; or the first alone, where the second says if there are rows.
    Ratio { above: Vec<f64>, below: Vec<f64>, total: bool },
    /// The Gini coefficient, of rows in ascending order.
    Gini { values: Vec<f64>, weights: Vec<f64>, units: Vec<u32> },
}

impl Repeated {
    /// Of the rows of a sample, of which `unit_of` says the unit by their place; `None` if the estimate has to
    /// be made anew.
    pub(super) fn new(
        estimator: &impl Estimator,
        sample: &Sample<'_>,
        units: usize,
        unit_of: impl Fn(usize) -> u32,
    ) -> Result<Option<Self>> {
        let usual = |column: &[f64]| {
            let largest = column.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
            largest == 0.0 || (1e-100..1e100).contains(&largest)
        };
        let terms = match estimator.terms(sample)? {
            // Products of huge or tiny numbers leave the range of doubles; the estimate made anew minds that.
            Some(Terms::Gini) if !usual(&sample.values) || !usual(&sample.weights) => return Ok(None),
            Some(terms) => terms,
            None => return Ok(None),
        };
        let unit_of_rows: Vec<u32> = sample.places.iter().map(|place| unit_of(*place)).collect();
        let by_unit = |terms: &[f64]| {
            let mut sums = vec![Total::default(); units];
            for ((term, weight), unit) in terms.iter().zip(&sample.weights).zip(&unit_of_rows) {
                if let Some(sum) = sums.get_mut(*unit as usize) {
                    sum.add(weight * term);
                }
            }
            sums.into_iter().map(Total::value).collect()
        };
        let ones = || by_unit(&vec![1.0; sample.places.len()]);
        Ok(Some(match terms {
            Terms::Total(values) => Self::Ratio { above: by_unit(&values), below: ones(), total: true },
            Terms::Ratio(above, below) => Self::Ratio {
                above: by_unit(&above),
                below: below.map_or_else(ones, |below| by_unit(&below)),
                total: false,
            },
            Terms::Gini => {
                Self::Gini { values: sample.values.clone(), weights: sample.weights.clone(), units: unit_of_rows }
            }
        }))
    }

    /// The estimate in several replicates.
    pub(super) fn several(&self, factors: &[Lanes]) -> Several {
        match self {
            Self::Ratio { above, below, total } => {
                let (above, below) = (dot(factors, above), dot(factors, below));
                several(|l| match (total, below[l] != 0.0) {
                    (_, false) => f64::NAN,
                    (true, true) => above[l],
                    (false, true) => above[l] / below[l],
                })
            }
            Self::Gini { values, weights, units } => {
                let amid = values.get(values.len() / 2).copied().unwrap_or(0.0);
                let rows = Sorted { values, weights, units, amid };
                let mut walk = Walk::new();
                walk.walk(&rows, 0, values.len(), factors);
                let (pairs, weight, amount) = walk.finish();
                several(|l| gini(pairs[l], weight[l], amount[l], amid))
            }
        }
    }
}
