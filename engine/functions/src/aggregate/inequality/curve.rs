//! Cumulative weights and amounts of sorted rows: quantiles and the Lorenz curve.

use crate::aggregate::frame::{Rows, Total};

/// Shares of weight that differ by less are one: sums of weights such as 0.1 are not exact.
const SLACK: f64 = 1e-14;

/// The rows of a group with their running sums.
#[derive(Debug)]
pub(in crate::aggregate) struct Curve<'a> {
    values: &'a [f64],
    /// Running sum of weights, up to and with the row.
    weights: Vec<f64>,
    /// Running sum of weighted values.
    amounts: Vec<f64>,
}

impl<'a> Curve<'a> {
    /// Sums up the rows.
    pub(in crate::aggregate) fn new(rows: &Rows<'a>) -> Self {
        let (mut weight, mut amount) = (Total::default(), Total::default());
        let mut weights = Vec::with_capacity(rows.len());
        let mut amounts = Vec::with_capacity(rows.len());
        for (y, w) in rows.weighted() {
            weight.add(w);
            amount.add(w * y);
            weights.push(weight.value());
            amounts.push(amount.value());
        }
        Self { values: rows.values(), weights, amounts }
    }

    /// The sum of weights.
    pub(in crate::aggregate) fn weight(&self) -> f64 {
        self.weights.last().copied().unwrap_or(0.0)
    }

    /// The weighted sum of values.
    pub(in crate::aggregate) fn amount(&self) -> f64 {
        self.amounts.last().copied().unwrap_or(0.0)
    }

    /// The first row with which the share of weight reaches `p`.
    fn row(&self, p: f64) -> usize {
        let all = self.weight();
        let row = self.weights.partition_point(|w| *w < (p - SLACK) * all);
        row.min(self.values.len().saturating_sub(1))
    }

    /// The smallest value at which the share of weight reaches `p`.
    pub(in crate::aggregate) fn quantile(&self, p: f64) -> f64 {
        self.values.get(self.row(p)).copied().unwrap_or(f64::NAN)
    }

    /// The quantile on a straight line from the row before to the row that straddles `p`.
    pub(in crate::aggregate) fn between(&self, p: f64) -> f64 {
        let row = self.row(p);
        let at = |values: &[f64]| values.get(row).copied().unwrap_or(f64::NAN);
        let Some(before) = row.checked_sub(1) else { return at(self.values) };
        let last = |values: &[f64]| values.get(before).copied().unwrap_or(f64::NAN);
        let share = (p * self.weight() - last(&self.weights)) / (at(&self.weights) - last(&self.weights));
        last(self.values) + (at(self.values) - last(self.values)) * share.clamp(0.0, 1.0)
    }

    /// The amount held by the poorest `p`, with the row that straddles it split.
    pub(in crate::aggregate) fn held(&self, p: f64) -> f64 {
        if p >= 1.0 {
            return self.amount();
        }
        let row = self.row(p);
        let before = |sums: &[f64]| row.checked_sub(1).and_then(|r| sums.get(r)).copied().unwrap_or(0.0);
        let part = (p * self.weight() - before(&self.weights)).max(0.0);
        before(&self.amounts) + part * self.values.get(row).copied().unwrap_or(0.0)
    }

    /// The Lorenz curve at `p`; `None` if the total is not positive.
    pub(in crate::aggregate) fn lorenz(&self, p: f64) -> Option<f64> {
        let all = self.amount();
        (all > 0.0).then(|| self.held(p) / all)
    }

    /// The amount of rows with values up to `value`.
    pub(in crate::aggregate) fn up_to(&self, value: f64) -> f64 {
        let rows = self.values.partition_point(|y| *y <= value);
        rows.checked_sub(1).and_then(|r| self.amounts.get(r)).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Curve;
    use crate::aggregate::frame::Rows;

    #[test]
    fn ten_equal_weights() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        for weight in [1.0, 0.1, 1e-3, 7.0] {
            let weights = [weight; 10];
            let columns = [values.as_slice()];
            let curve = Curve::new(&Rows::new(&columns, Some(&weights)));
            for decile in 1..=10 {
                let p = f64::from(decile) / 10.0;
                assert_eq!(curve.quantile(p), f64::from(decile), "{weight} {p}");
            }
            assert_eq!(curve.quantile(0.0), 1.0);
            assert!((curve.lorenz(0.5).unwrap() - 15.0 / 55.0).abs() < 1e-15);
            assert!((curve.lorenz(0.25).unwrap() - 4.5 / 55.0).abs() < 1e-15);
            assert_eq!((curve.lorenz(0.0), curve.lorenz(1.0)), (Some(0.0), Some(1.0)));
        }
    }
}
