//! The probability of being treated, by a logit.

use datafusion_common::{Result, exec_err};

use super::data::{Columns, Data, product};
use crate::aggregate::frame::Rows;
use crate::least_squares::LeastSquares;

/// Rounds that a maximum is given to come near before it is asked whether there is one.
const PATIENCE: usize = 25;
const MOST: usize = 100;

/// A fitted logit. Covariates are around their means.
pub(super) struct Propensity {
    /// The constant first.
    pub(super) coefficients: Vec<f64>,
    /// The inverse of the information with the weights as they are: of sum(w p (1 - p) x x').
    pub(super) inverse: Vec<f64>,
    /// The probability of each row.
    pub(super) p: Vec<f64>,
}

/// Fits by Newton's method to the last digit. `None` with fewer rows than coefficients.
pub(super) fn fit(columns: &Columns, rows: &Rows<'_>, data: &Data) -> Result<Option<Propensity>> {
    let weights: Vec<f64> = (0..rows.len()).map(|row| rows.weight(row)).collect();
    let treated: f64 = weights.iter().zip(&data.treated).filter(|(_, t)| **t).map(|(w, _)| w).sum();
    let all: f64 = weights.iter().sum();
    let mut coefficients = vec![0.0; data.width() + 1];
    coefficients.iter_mut().take(1).for_each(|c| *c = (treated / (all - treated)).ln());
    let mut lines: Vec<f64> = (0..rows.len()).map(|row| product(&coefficients, data.row(row))).collect();
    let mut unlikely = unlikelihood(&lines, &weights, &data.treated);
    let mut near = false;
    for round in 0..MOST {
        let mut squares = LeastSquares::new(columns.names(), true);
        for (row, ((line, w), t)) in lines.iter().zip(&weights).zip(&data.treated).enumerate() {
            let (p, spread) = probability(*line);
            // (t - p)/(p(1 - p)), of which no difference of like numbers is taken.
            let off = if *t { 1.0 / p } else { -1.0 / probability(-line).0 };
            if off.is_finite() {
                squares.add(data.row(row).iter().copied(), off, w * spread);
            }
        }
        let fit = match squares.fit() {
            Ok(fit) => fit,
            Err(unfit) if round == 0 => return columns.unfit(unfit),
            // Weights that vanish leave too little: probabilities of 0 and 1.
            Err(_) => return separated(columns, &coefficients, data),
        };
        let mut step = fit.coefficients;
        let (next, moved, likely) = loop {
            let next: Vec<f64> =
                lines.iter().enumerate().map(|(row, line)| line + product(&step, data.row(row))).collect();
            let moved = lines.iter().zip(&next).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
            let likely = unlikelihood(&next, &weights, &data.treated);
            if likely <= unlikely * (1.0 + 1e-12) || moved < 1e-9 {
                break (next, moved, likely);
            }
            step.iter_mut().for_each(|s| *s /= 2.0);
        };
        coefficients.iter_mut().zip(&step).for_each(|(c, s)| *c += s);
        if near || moved < 1e-13 {
            // Lines anew from the coefficients: the same covariates give the same bits.
            let p = (0..rows.len()).map(|row| probability(product(&coefficients, data.row(row))).0).collect();
            return Ok(Some(Propensity { coefficients, inverse: fit.inverse, p }));
        }
        (lines, unlikely) = (next, likely);
        near = moved < 1e-6;
        if round >= PATIENCE && moved > 1e-2 {
            return separated(columns, &coefficients, data);
        }
    }
    exec_err!("`{}` came to no maximum of the likelihood in {MOST} rounds; leave covariates out", columns.function)
}

fn separated<T>(columns: &Columns, coefficients: &[f64], data: &Data) -> Result<Option<T>> {
    // The covariate whose product moves most over the rows.
    let size = |(place, b): (usize, &f64)| {
        let width = data.width().max(1);
        let (low, high) = (0..data.treated.len())
            .filter_map(|row| data.row(row).get(place).copied())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        (place.min(width), (b * (high - low)).abs())
    };
    let sizes = coefficients.iter().skip(1).enumerate().map(size);
    let largest = sizes.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(place, _)| place);
    let name = columns.names().into_iter().nth(largest).unwrap_or_default();
    exec_err!(
        "`{}` found no maximum of the likelihood: covariates, `{name}` foremost, tell some treated from untreated rows \
         without exception (separation); leave it out, or rows where treatment is certain",
        columns.function
    )
}

/// The probability at a value of the linear predictor, and its derivative p(1 - p).
fn probability(line: f64) -> (f64, f64) {
    let small = (-line.abs()).exp();
    let p = if line >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
    (p, small / ((1.0 + small) * (1.0 + small)))
}

/// Minus the logarithm of the likelihood.
fn unlikelihood(lines: &[f64], weights: &[f64], treated: &[bool]) -> f64 {
    let term = |((line, w), t): ((&f64, &f64), &bool)| {
        let against = if *t { -line } else { *line };
        w * (against.max(0.0) + (-against.abs()).exp().ln_1p())
    };
    crate::aggregate::frame::total(lines.iter().zip(weights).zip(treated).map(term))
}
