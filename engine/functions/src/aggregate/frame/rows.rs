//! The rows of one group, as a kernel sees them.

use super::Total;

/// Rows that count: no NULL, no weight of 0, sorted by the first column, then by the
/// next, weights last. There is at least one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    columns: &'a [&'a [f64]],
    weights: Option<&'a [f64]>,
}

impl<'a> Rows<'a> {
    /// Rows of columns of one length.
    pub(crate) fn new(columns: &'a [&'a [f64]], weights: Option<&'a [f64]>) -> Self {
        Self { columns, weights }
    }

    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        self.columns.first().map_or(0, |c| c.len())
    }

    /// A column by its place; empty if there is none.
    pub(crate) fn column(&self, place: usize) -> &'a [f64] {
        self.columns.get(place).copied().unwrap_or_default()
    }

    /// All columns but the weights.
    pub(crate) fn columns(&self) -> &'a [&'a [f64]] {
        self.columns
    }

    /// The first column: values in ascending order.
    pub(crate) fn values(&self) -> &'a [f64] {
        self.column(0)
    }

    /// Weights, if any were given.
    pub(crate) fn weights(&self) -> Option<&'a [f64]> {
        self.weights
    }

    /// The same rows with other weights, of which some may be 0.
    pub(crate) fn reweighted<'b>(&'b self, weights: &'b [f64]) -> Rows<'b> {
        Rows { columns: self.columns, weights: Some(weights) }
    }

    /// The weight of a row; 1 without weights.
    #[inline]
    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |w| w.get(row).copied().unwrap_or(0.0))
    }

    /// Values of the first column with their weights.
    pub(crate) fn weighted(&self) -> impl Iterator<Item = (f64, f64)> + Clone + 'a {
        let rows = *self;
        rows.values().iter().enumerate().map(move |(row, y)| (*y, rows.weight(row)))
    }

    /// A column with the weights.
    pub(crate) fn weighted_column(&self, place: usize) -> impl Iterator<Item = (f64, f64)> + Clone + 'a {
        let rows = *self;
        rows.column(place).iter().enumerate().map(move |(row, y)| (*y, rows.weight(row)))
    }

    /// The sum of weights.
    pub(crate) fn weight_sum(&self) -> f64 {
        match self.weights {
            None => self.len() as f64,
            Some(weights) => super::total(weights.iter().copied()),
        }
    }

    /// The weighted mean of a column, of which the rounding of large sums is no part.
    pub(crate) fn mean(&self, place: usize) -> f64 {
        let weight = self.weight_sum();
        // Around a value of the column the sum is small, however far that is from zero.
        let near = self.column(place).get(self.len() / 2).copied().unwrap_or(0.0);
        let mut off = Total::default();
        self.weighted_column(place).for_each(|(y, w)| off.add(w * (y - near)));
        near + off.value() / weight
    }
}
