//! The rows of a domain, and what an estimator makes of them.

use datafusion_common::Result;

use crate::aggregate::frame::{Rows, total};

/// An estimate and the influence of every row of the domain.
pub(super) struct Linear {
    pub(super) estimate: f64,
    pub(super) influence: Vec<f64>,
    /// What all rows add by their place, in the domain or not: those that moved the line.
    pub(super) beyond: Option<Vec<f64>>,
}

/// What makes an estimate of the domain's rows, in ascending order of the variable.
pub(super) trait Estimator: std::fmt::Debug + Send + Sync + 'static {
    /// The estimate; `None` where it is not defined.
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>>;

    /// What replicates need of the rows to make the estimate again; `None` if that takes all of it anew.
    fn terms(&self, _sample: &Sample<'_>) -> Result<Option<Terms>> {
        Ok(None)
    }
}

/// What an estimate is made of, by row and without weights.
pub(super) enum Terms {
    /// A total.
    Total(Vec<f64>),
    /// The total of the first over that of the second; over that of ones without it.
    Ratio(Vec<f64>, Option<Vec<f64>>),
    /// The Gini coefficient of the values.
    Gini,
}

/// The rows of the domain.
pub(super) struct Sample<'a> {
    pub(super) rows: &'a Rows<'a>,
    /// Their places among all rows.
    pub(super) places: Vec<usize>,
    pub(super) values: Vec<f64>,
    pub(super) weights: Vec<f64>,
    pub(super) weight: f64,
}

impl<'a> Sample<'a> {
    /// The rows inside that have a value and a weight.
    pub(super) fn new(rows: &'a Rows<'a>, inside: impl Fn(usize) -> bool) -> Self {
        let values = rows.values();
        let known = |row: &usize| values.get(*row).is_some_and(|y| !y.is_nan()) && inside(*row);
        let places: Vec<usize> = (0..rows.len()).filter(|row| known(row) && rows.weight(*row) > 0.0).collect();
        let weights: Vec<f64> = places.iter().map(|row| rows.weight(*row)).collect();
        let weight = total(weights.iter().copied());
        let values = places.iter().filter_map(|row| values.get(*row).copied()).collect();
        Self { rows, places, values, weights, weight }
    }

    /// The values as a column for [`Sample::as_rows`].
    pub(super) fn columns(&self) -> [&[f64]; 1] {
        [&self.values]
    }

    /// The domain's values and weights as rows.
    pub(super) fn as_rows<'b>(&'b self, columns: &'b [&'b [f64]]) -> Rows<'b> {
        Rows::new(columns, Some(&self.weights))
    }

    /// A column of the rows in the domain.
    pub(super) fn column(&self, place: usize) -> Vec<f64> {
        let column = self.rows.column(place);
        self.places.iter().filter_map(|row| column.get(*row).copied()).collect()
    }

    /// Values with their weights.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + Clone {
        self.values.iter().copied().zip(self.weights.iter().copied())
    }

    /// The weighted mean of something of each value.
    pub(super) fn mean(&self, of: impl Fn(f64) -> f64) -> f64 {
        total(self.pairs().map(|(y, w)| w * of(y))) / self.weight
    }

    /// Influences as a function of the value.
    pub(super) fn influence(&self, of: impl Fn(f64) -> f64) -> Vec<f64> {
        self.values.iter().map(|y| of(*y)).collect()
    }
}
