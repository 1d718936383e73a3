//! Sums by sampling unit.

use super::group::Households;
use crate::aggregate::frame::Total;

/// A sum for each unit, with what its additions lose to rounding kept aside.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    sum: Vec<f64>,
    /// Left out where every household is a unit: nothing is added up.
    lost: Vec<f64>,
}

impl Sums {
    /// Zero for every unit of a group.
    pub(super) fn new(h: &Households) -> Self {
        Self { sum: vec![0.0; h.units], lost: vec![0.0; if h.alone { 0 } else { h.units }] }
    }

    /// Adds to the sum of a unit.
    #[inline]
    pub(super) fn add(&mut self, unit: u32, term: f64) {
        let unit = unit as usize;
        if let Some(sum) = self.sum.get_mut(unit) {
            if let Some(lost) = self.lost.get_mut(unit) {
                let mut total = Total { sum: *sum, lost: *lost };
                total.add(term);
                (*sum, *lost) = (total.sum, total.lost);
            } else {
                *sum += term;
            }
        }
    }

    /// The sums.
    pub(super) fn values(self) -> Vec<f64> {
        let mut sums = self.sum;
        for (sum, lost) in sums.iter_mut().zip(self.lost) {
            *sum = Total { sum: *sum, lost }.value();
        }
        sums
    }
}
