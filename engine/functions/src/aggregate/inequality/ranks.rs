//! Covariance with ranks: what concentration coefficients and their kin are made of.

use super::near_one;
use crate::aggregate::frame::{Rows, Total};

/// Whether two values are one but for rounding: a sum of sources, or a division by
/// the size of a household, ends a bit apart from the same amount reached otherwise,
/// and who is ranked first must not hang on that.
pub(in crate::aggregate) fn ties(a: f64, b: f64) -> bool {
    (a - b).abs() <= 2e-15 * a.abs().max(b.abs())
}

/// The rows of a group in the order of a column.
#[derive(Debug)]
pub(in crate::aggregate) struct Ranks {
    order: Vec<usize>,
    /// Twice the share below plus the share at the rank of each row in `order`, less 1.
    ranks: Vec<f64>,
    weight: f64,
}

impl Ranks {
    /// Ranks rows by a column; rows that tie share the middle of their ranks.
    pub(in crate::aggregate) fn new(rows: &Rows<'_>, by: usize) -> Self {
        let keys = rows.column(by);
        let mut order: Vec<usize> = (0..keys.len()).collect();
        let key = |row: &usize| keys.get(*row).copied().unwrap_or(f64::NAN);
        // Stable: rows that tie stay in the order of the sorted group, which is always the same.
        order.sort_by(|a, b| key(a).total_cmp(&key(b)));
        let weight = rows.weight_sum();
        let mut ranks = Vec::with_capacity(order.len());
        let mut below = Total::default();
        for tied in order.chunk_by(|a, b| ties(key(a), key(b))) {
            let mut at = Total::default();
            tied.iter().for_each(|row| at.add(rows.weight(*row)));
            let rank = (2.0 * below.value() - weight + at.value()) / weight;
            ranks.extend(std::iter::repeat_n(rank, tied.len()));
            below.merge(at);
        }
        Self { order, ranks, weight }
    }

    /// Twice the covariance of a column with the ranks.
    pub(in crate::aggregate) fn covariance(&self, rows: &Rows<'_>, column: usize) -> f64 {
        let values = rows.column(column);
        let at = |row: usize| values.get(row).copied().unwrap_or(0.0);
        let scale = near_one(values.iter().fold(0.0, |most: f64, v| most.max(v.abs())));
        // Ranks add up to zero, so any number may be taken off the values.
        let amid = self.order.get(self.order.len() / 2).map_or(0.0, |row| at(*row));
        let mut sum = Total::default();
        for (row, rank) in self.order.iter().zip(&self.ranks) {
            sum.add(rows.weight(*row) * ((at(*row) - amid) * scale) * rank);
        }
        sum.value() / self.weight / scale
    }

    /// Twice the covariance of a column with the ranks, and what each row adds to it, ranks being estimates too.
    pub(in crate::aggregate) fn linearised(&self, rows: &Rows<'_>, column: usize) -> (f64, Vec<f64>) {
        let values = rows.column(column);
        let at = |row: usize| values.get(row).copied().unwrap_or(0.0);
        let (covariance, mean) = (self.covariance(rows, column), rows.mean(column));
        let mut influence = vec![0.0; rows.len()];
        // What those ranked above hold, over the sum of weights, with half of the ties.
        let mut above = mean;
        let mut places = self.order.iter().zip(&self.ranks).peekable();
        while let Some((row, rank)) = places.next() {
            let (mut tied, mut held) = (vec![*row], Total::default());
            while let Some((row, _)) = places.next_if(|(_, next)| *next == rank) {
                tied.push(*row);
            }
            tied.iter().for_each(|row| held.add(rows.weight(*row) / self.weight * at(*row)));
            let half = above - held.value() / 2.0;
            for row in tied {
                if let Some(slot) = influence.get_mut(row) {
                    *slot = (at(row) * rank + 2.0 * half - 2.0 * covariance - mean) / self.weight;
                }
            }
            above -= held.value();
        }
        (covariance, influence)
    }

    /// The concentration coefficient of a column; `None` if its mean is not positive.
    pub(in crate::aggregate) fn concentration(&self, rows: &Rows<'_>, column: usize) -> Option<f64> {
        let mean = rows.mean(column);
        (mean > 0.0).then(|| self.covariance(rows, column) / mean)
    }
}
