//! The rows of a call: who is treated, and covariates around their means.

use datafusion_common::{Result, exec_err};

use crate::aggregate::frame::{Given, Rows, refuse};
use crate::least_squares::Unfit;
pub(in crate::aggregate) use crate::propensity::product;

/// Which columns of the rows are what.
#[derive(Debug)]
pub(in crate::aggregate) struct Columns {
    pub(in crate::aggregate) function: &'static str,
    treated: Option<usize>,
    covariates: std::ops::Range<usize>,
    names: Vec<String>,
}

/// Rows and covariates.
pub(in crate::aggregate) struct Data {
    /// Whether each row is treated; empty where nobody asks.
    pub(super) treated: Vec<bool>,
    pub(in crate::aggregate) means: Vec<f64>,
    /// Row after row, each covariate less its mean.
    centred: Vec<f64>,
    width: usize,
}

impl Columns {
    /// Reads the call: covariates are the struct `x`.
    pub(in crate::aggregate) fn new(given: &Given) -> Self {
        let names = given.labels("x");
        let first = given.column("x").unwrap_or(0);
        let covariates = first..first + names.len();
        let names = names.into_iter().map(|name| format!("x.{name}")).collect();
        Self { function: given.measure.name, treated: given.column("treated"), covariates, names }
    }

    /// The names of covariates as errors have them.
    pub(in crate::aggregate) fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    /// The rows, with these columns before the covariates; a treatment that is neither 0 nor 1 is an error.
    pub(in crate::aggregate) fn read(&self, rows: &Rows<'_>, before: &[&[f64]]) -> Result<Data> {
        let mut treated = Vec::new();
        if let Some(column) = self.treated {
            for t in rows.column(column) {
                if *t != 0.0 && *t != 1.0 {
                    return refuse(self.function, "treated", t, "expected yes or no, or 1 and 0");
                }
                treated.push(*t != 0.0);
            }
        }
        let columns: Vec<&[f64]> =
            before.iter().copied().chain(self.covariates.clone().map(|place| rows.column(place))).collect();
        let weight = rows.weight_sum();
        let mean = |column: &&[f64]| {
            // Around a value of the column the sum is small, however far that is from zero.
            let near = column.get(rows.len() / 2).copied().unwrap_or(0.0);
            let off = column.iter().enumerate().map(|(row, x)| rows.weight(row) * (x - near));
            near + crate::aggregate::frame::total(off) / weight
        };
        let means: Vec<f64> = columns.iter().map(mean).collect();
        let width = columns.len();
        let mut centred = Vec::with_capacity(width * rows.len());
        for row in 0..rows.len() {
            let covariate = |(column, mean): (&&[f64], &f64)| column.get(row).copied().unwrap_or(0.0) - mean;
            centred.extend(columns.iter().zip(&means).map(covariate));
        }
        Ok(Data { treated, means, centred, width })
    }

    /// The error for covariates that give no coefficients; few rows give `None`.
    pub(in crate::aggregate) fn unfit<T>(&self, unfit: Unfit) -> Result<Option<T>> {
        match unfit {
            Unfit::TooFew { .. } => Ok(None),
            unfit => exec_err!("`{}` found no coefficients: {unfit}", self.function),
        }
    }
}

impl Data {
    /// The covariates of a row.
    pub(in crate::aggregate) fn row(&self, row: usize) -> &[f64] {
        self.centred.get(row * self.width..(row + 1) * self.width).unwrap_or_default()
    }

    /// The covariates of all rows.
    pub(super) fn all(&self) -> &[f64] {
        &self.centred
    }

    /// How many covariates there are.
    pub(in crate::aggregate) fn width(&self) -> usize {
        self.width
    }

    /// What each row adds to a coefficient of covariates as they came, by its residual and the inverse of X'WX.
    pub(in crate::aggregate) fn influence(&self, inverse: &[f64], residuals: &[f64], term: usize) -> Vec<f64> {
        let line = |term: usize| inverse.chunks_exact(self.width + 1).nth(term).unwrap_or_default();
        let mut own = line(term).to_vec();
        if term == 0 {
            // The constant is that around the means, less the means times the other coefficients.
            for (place, mean) in self.means.iter().enumerate() {
                own.iter_mut().zip(line(place + 1)).for_each(|(own, other)| *own -= mean * other);
            }
        }
        residuals.iter().enumerate().map(|(row, off)| off * product(&own, self.row(row))).collect()
    }

    /// How many rows are treated, and how many are not; `None` without either.
    pub(super) fn arms(&self) -> Option<(usize, usize)> {
        let treated = self.treated.iter().filter(|t| **t).count();
        let others = self.treated.len() - treated;
        (treated > 0 && others > 0).then_some((treated, others))
    }
}

/// A symmetric matrix, row after row, times a vector.
pub(in crate::aggregate) fn times(matrix: &[f64], vector: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(vector.len().max(1)).map(|line| line.iter().zip(vector).map(|(m, v)| m * v).sum()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::Columns;
    use crate::aggregate::frame::Rows;

    /// An outcome, a treatment and two covariates, with weights.
    pub(in crate::aggregate::treatment) const ROWS: [[f64; 5]; 10] = [
        [1.0, 0.0, 3.0, 0.0, 1.0],
        [2.0, 1.0, 1.0, 1.0, 2.0],
        [3.0, 0.0, 4.0, 1.0, 1.5],
        [3.5, 0.0, 1.0, 0.0, 1.0],
        [4.0, 1.0, 5.0, 0.0, 0.5],
        [5.0, 1.0, 9.0, 1.0, 1.0],
        [6.5, 0.0, 2.0, 1.0, 3.0],
        [7.0, 0.0, 6.0, 1.0, 1.0],
        [9.0, 1.0, 5.0, 0.0, 2.0],
        [9.5, 0.0, 3.0, 0.0, 1.0],
    ];

    /// Columns as a call with the treatment at a place and the covariates after it has them.
    pub(in crate::aggregate::treatment) fn columns(function: &'static str, treated: usize) -> Columns {
        let names = vec!["x.a".to_owned(), "x.b".to_owned()];
        Columns { function, treated: Some(treated), covariates: treated + 1..treated + 3, names }
    }

    /// Each influence is the change of the estimate with the row's weight.
    pub(in crate::aggregate::treatment) fn derivatives(
        rows: &[[f64; 5]],
        estimate: impl Fn(&Rows<'_>) -> (f64, Vec<f64>),
    ) {
        let column = |place: usize| rows.iter().map(|row| row[place]).collect::<Vec<f64>>();
        let columns = [column(0), column(1), column(2), column(3)];
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let weights = column(4);
        let at = |weights: &[f64]| estimate(&Rows::new(&slices, Some(weights)));
        let (_, influence) = at(&weights);
        for (row, z) in influence.iter().enumerate() {
            let moved = |by: f64| {
                let mut weights = weights.clone();
                weights[row] += by;
                at(&weights).0
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((slope - z).abs() < 1e-6 * (1.0 + z.abs()), "row {row}: {slope} {z}");
        }
    }
}
