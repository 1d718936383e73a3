//! Several replicates at once: a row is read once for all, and nothing is sorted again.

use crate::aggregate::frame::Total;

/// How many replicates are made at once.
pub(super) const LANES: usize = 16;

/// A number for each of them.
pub(super) type Lanes = [f64; LANES];

pub(super) const NOTHING: Lanes = [0.0; LANES];

/// An estimate in each of them, where it has one.
pub(super) type Several = [Option<f64>; LANES];

/// Something of several replicates, where it is a number.
pub(super) fn several(of: impl Fn(usize) -> f64) -> Several {
    std::array::from_fn(|lane| Some(of(lane)).filter(|v| v.is_finite()))
}

/// What all units have together in each replicate.
pub(super) fn dot(factors: &[Lanes], units: &[f64]) -> Lanes {
    let mut sums = NOTHING;
    for (factors, value) in factors.iter().zip(units) {
        for (sum, factor) in sums.iter_mut().zip(factors) {
            *sum += factor * value;
        }
    }
    sums
}

/// The factors of a unit.
#[inline]
pub(super) fn factors_of(factors: &[Lanes], unit: u32) -> &Lanes {
    const ONE: Lanes = [1.0; LANES];
    factors.get(unit as usize).unwrap_or(&ONE)
}

/// Rows in ascending order; sums are of values less one amid them, which loses little to rounding.
pub(super) struct Sorted<'a> {
    pub(super) values: &'a [f64],
    pub(super) weights: &'a [f64],
    pub(super) units: &'a [u32],
    pub(super) amid: f64,
}

/// Rows after which running sums begin anew, so that they stay small beside their terms.
const STRETCH: usize = 1024;

/// A walk over sorted rows: Σ over pairs q_i q_j max(y_i, y_j) of those passed, and their weight and amount.
pub(super) struct Walk {
    pairs: [Total; LANES],
    weight: [Total; LANES],
    amount: [Total; LANES],
    /// Weight and amount before the stretch.
    weight_before: Lanes,
    amount_before: Lanes,
    /// Of the stretch.
    pairs_here: Lanes,
    weight_here: Lanes,
    amount_here: Lanes,
}

impl Walk {
    /// Before the first row.
    pub(super) fn new() -> Self {
        let none = [Total::default(); LANES];
        Self {
            pairs: none,
            weight: none,
            amount: none,
            weight_before: NOTHING,
            amount_before: NOTHING,
            pairs_here: NOTHING,
            weight_here: NOTHING,
            amount_here: NOTHING,
        }
    }

    /// From one row to before another.
    pub(super) fn walk(&mut self, rows: &Sorted<'_>, begin: usize, end: usize, factors: &[Lanes]) {
        let mut begin = begin;
        while begin < end {
            // A stretch ends at places that do not hang on where the walk stops.
            let stop = end.min((begin / STRETCH + 1) * STRETCH);
            let values = rows.values.get(begin..stop).unwrap_or_default();
            let weights = rows.weights.get(begin..stop).unwrap_or_default();
            let units = rows.units.get(begin..stop).unwrap_or_default();
            let (mut pairs, mut below, mut amount) = (self.pairs_here, self.weight_here, self.amount_here);
            for ((y, w), unit) in values.iter().zip(weights).zip(units) {
                let off = y - rows.amid;
                let factors = factors_of(factors, *unit);
                for l in 0..LANES {
                    let q = w * factors[l];
                    let part = q * off;
                    pairs[l] += part * (2.0 * below[l] + q);
                    below[l] += q;
                    amount[l] += part;
                }
            }
            (self.pairs_here, self.weight_here, self.amount_here) = (pairs, below, amount);
            begin = stop;
            if begin.is_multiple_of(STRETCH) {
                self.stretch();
            }
        }
    }

    fn stretch(&mut self) {
        for l in 0..LANES {
            self.pairs[l].add(self.pairs_here[l]);
            self.pairs[l].add(2.0 * self.weight_before[l] * self.amount_here[l]);
            self.weight[l].add(self.weight_here[l]);
            self.amount[l].add(self.amount_here[l]);
            self.weight_before[l] = self.weight[l].value();
            self.amount_before[l] = self.amount[l].value();
        }
        (self.pairs_here, self.weight_here, self.amount_here) = (NOTHING, NOTHING, NOTHING);
    }

    /// Weight and amount of the rows passed.
    #[inline]
    pub(super) fn passed(&self) -> (Lanes, Lanes) {
        // A loop, which the compiler does several lanes at once; of `from_fn` it makes calls.
        let (mut weight, mut amount) = (NOTHING, NOTHING);
        for l in 0..LANES {
            weight[l] = self.weight_before[l] + self.weight_here[l];
            amount[l] = self.amount_before[l] + self.amount_here[l];
        }
        (weight, amount)
    }

    /// Σ over pairs, weight and amount of all rows.
    pub(super) fn finish(mut self) -> (Lanes, Lanes, Lanes) {
        self.stretch();
        (self.pairs.map(Total::value), self.weight_before, self.amount_before)
    }
}

/// The Gini coefficient of Σ over pairs, weight and amount, both of values less one amid them; NaN if
/// their mean is not positive.
pub(super) fn gini(pairs: f64, weight: f64, amount: f64, amid: f64) -> f64 {
    let all = amount + amid * weight;
    if all > 0.0 { (pairs - weight * amount) / (weight * all) } else { f64::NAN }
}
