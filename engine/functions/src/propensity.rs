//! The probability of being treated, by a logit: for `logit` and the measures that weigh by
//! it, and for the table functions that give every household its weight.

use std::collections::BTreeMap;

use crate::aggregate::Total;
use crate::least_squares::{LeastSquares, Unfit};

/// Rounds that a maximum is given to come near before it is asked whether there is one.
const PATIENCE: usize = 25;
const MOST: usize = 100;

/// Rows to fit to: covariates row after row, best around their means.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Names of the covariates.
    pub names: &'a [String],
    /// As many numbers for each row as there are names.
    pub covariates: &'a [f64],
    /// Weights above 0.
    pub weights: &'a [f64],
    /// Who is treated.
    pub treated: &'a [bool],
}

/// A fitted logit.
#[derive(Debug)]
pub struct Logit {
    /// The constant first.
    pub coefficients: Vec<f64>,
    /// The inverse of the information with the weights as they are: of sum(w p (1 - p) x x').
    pub inverse: Vec<f64>,
    /// The probability of each row.
    pub p: Vec<f64>,
}

/// Why there is no fit.
#[derive(Debug, PartialEq)]
pub enum Unlikely {
    /// The covariates cannot be told apart, or rows are too few.
    Unfit(Unfit),
    /// The likelihood has no maximum: covariates, this one foremost, tell some treated from
    /// untreated rows without exception.
    Separated(String),
    /// No maximum was found in so many rounds.
    Rounds(usize),
}

impl std::fmt::Display for Unlikely {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unfit(unfit) => write!(f, "found no coefficients: {unfit}"),
            Self::Separated(name) => write!(
                f,
                "found no maximum of the likelihood: covariates, `{name}` foremost, tell some treated from untreated rows \
                 without exception (separation); leave it out, or rows where treatment is certain"
            ),
            Self::Rounds(most) => {
                write!(f, "came to no maximum of the likelihood in {most} rounds; leave covariates out")
            }
        }
    }
}

impl<'a> Sample<'a> {
    fn len(&self) -> usize {
        self.treated.len()
    }

    fn row(&self, row: usize) -> &'a [f64] {
        let width = self.names.len();
        self.covariates.get(row * width..(row + 1) * width).unwrap_or_default()
    }

    /// Fits by Newton's method to the last digit.
    ///
    /// # Errors
    /// See [`Unlikely`].
    pub fn fit(&self) -> Result<Logit, Unlikely> {
        let treated: f64 = self.weights.iter().zip(self.treated).filter(|(_, t)| **t).map(|(w, _)| w).sum();
        let all: f64 = self.weights.iter().sum();
        let mut coefficients = vec![0.0; self.names.len() + 1];
        coefficients.iter_mut().take(1).for_each(|c| *c = (treated / (all - treated)).ln());
        let mut lines: Vec<f64> = (0..self.len()).map(|row| product(&coefficients, self.row(row))).collect();
        let mut unlikely = unlikelihood(&lines, self.weights, self.treated);
        let mut near = false;
        for round in 0..MOST {
            let mut squares = LeastSquares::new(self.names.to_vec(), true);
            for (row, ((line, w), t)) in lines.iter().zip(self.weights).zip(self.treated).enumerate() {
                let (p, spread) = probability(*line);
                // (t - p)/(p(1 - p)), of which no difference of like numbers is taken.
                let off = if *t { 1.0 / p } else { -1.0 / probability(-line).0 };
                if off.is_finite() {
                    squares.add(self.row(row).iter().copied(), off, w * spread);
                }
            }
            let fit = match squares.fit() {
                Ok(fit) => fit,
                Err(unfit) if round == 0 => return Err(Unlikely::Unfit(unfit)),
                // Weights that vanish leave too little: probabilities of 0 and 1.
                Err(_) => return Err(self.separated(&coefficients)),
            };
            let mut step = fit.coefficients;
            let (next, moved, likely) = loop {
                let next: Vec<f64> =
                    lines.iter().enumerate().map(|(row, line)| line + product(&step, self.row(row))).collect();
                let moved = lines.iter().zip(&next).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
                let likely = unlikelihood(&next, self.weights, self.treated);
                if likely <= unlikely * (1.0 + 1e-12) || moved < 1e-9 {
                    break (next, moved, likely);
                }
                step.iter_mut().for_each(|s| *s /= 2.0);
            };
            coefficients.iter_mut().zip(&step).for_each(|(c, s)| *c += s);
            if near || moved < 1e-13 {
                // Lines anew from the coefficients: the same covariates give the same bits.
                let p = (0..self.len()).map(|row| probability(product(&coefficients, self.row(row))).0).collect();
                return Ok(Logit { coefficients, inverse: fit.inverse, p });
            }
            (lines, unlikely) = (next, likely);
            near = moved < 1e-6;
            if round >= PATIENCE && moved > 1e-2 {
                return Err(self.separated(&coefficients));
            }
        }
        Err(Unlikely::Rounds(MOST))
    }

    /// The covariate whose product moves most over the rows.
    fn separated(&self, coefficients: &[f64]) -> Unlikely {
        let size = |(place, b): (usize, &f64)| {
            let (low, high) = (0..self.len())
                .filter_map(|row| self.row(row).get(place).copied())
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
            (place, (b * (high - low)).abs())
        };
        let sizes = coefficients.iter().skip(1).enumerate().map(size);
        let largest = sizes.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(place, _)| place);
        Unlikely::Separated(self.names.get(largest).cloned().unwrap_or_default())
    }
}

/// The sum of products of coefficients, the constant first, with a row.
pub(crate) fn product(coefficients: &[f64], row: &[f64]) -> f64 {
    let constant = coefficients.first().copied().unwrap_or(0.0);
    constant + coefficients.iter().skip(1).zip(row).map(|(b, x)| b * x).sum::<f64>()
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
    crate::aggregate::total(lines.iter().zip(weights).zip(treated).map(term))
}

/// Households that are alike in their covariates count as one: there are few kinds of them.
#[derive(Debug, Default)]
pub struct Patterns {
    /// By the bits of the covariates, so that the order in which rows come does not show.
    kinds: BTreeMap<Vec<u64>, usize>,
    /// By kind: weight of the untreated and of the treated, and how many there are.
    weights: Vec<[(Total, u64); 2]>,
}

/// What weighting makes of one covariate.
#[derive(Debug)]
pub struct Balance {
    /// Weighted means of the treated, of the untreated, and of the untreated by their new weights.
    pub means: [f64; 3],
    /// Standardised differences before and after; none where the covariate varies in neither arm.
    pub differences: Option<[f64; 2]>,
}

/// The kinds of households after the fit.
#[derive(Debug)]
pub struct Propensities {
    /// The fit; covariates are around their means.
    pub logit: Logit,
    /// Probability of each kind.
    pub p: Vec<f64>,
    /// What the weight of an untreated household of each kind is multiplied by to stand for the
    /// treated: odds, scaled so that the untreated weigh as much as the treated.
    pub factors: Vec<f64>,
    /// By covariate.
    pub balance: Vec<Balance>,
    /// Untreated and treated rows.
    pub rows: [u64; 2],
}

impl Patterns {
    /// The number of a row's kind. A weight of 0 or less adds nothing.
    pub fn add(&mut self, covariates: &[f64], treated: bool, weight: f64) -> usize {
        // -0 and 0 are one number.
        let bits: Vec<u64> = covariates.iter().map(|x| (x + 0.0).to_bits()).collect();
        let next = self.weights.len();
        let kind = *self.kinds.entry(bits).or_insert(next);
        if kind == next {
            self.weights.push(Default::default());
        }
        if weight > 0.0
            && let Some((sum, rows)) = self.weights.get_mut(kind).and_then(|w| w.get_mut(usize::from(treated)))
        {
            sum.add(weight);
            *rows += 1;
        }
        kind
    }

    /// Bytes held, for so many covariates.
    pub fn size(&self, covariates: usize) -> usize {
        self.weights.len() * (size_of::<[(Total, u64); 2]>() + 2 * (covariates + 4) * size_of::<u64>())
    }

    /// Fits the logit and weighs the untreated by their odds (Hájek).
    ///
    /// # Errors
    /// See [`Unlikely`]; `None` without treated or without untreated rows.
    pub fn fit(&self, names: &[String]) -> Result<Option<Propensities>, Unlikely> {
        let width = names.len();
        let of_arm = |arm: usize| {
            let sums = self.weights.iter().filter_map(|w| w.get(arm));
            sums.fold((Total::default(), 0), |(mut all, n), (sum, rows)| {
                all.add(sum.value());
                (all, n + rows)
            })
        };
        let ((untreated, untreated_rows), (treated, treated_rows)) = (of_arm(0), of_arm(1));
        let (untreated, treated) = (untreated.value(), treated.value());
        if untreated <= 0.0 || treated <= 0.0 {
            return Ok(None);
        }
        let kinds: Vec<(Vec<f64>, usize)> =
            self.kinds.iter().map(|(bits, kind)| (bits.iter().map(|b| f64::from_bits(*b)).collect(), *kind)).collect();
        let weight = |kind: usize, arm: usize| {
            self.weights.get(kind).and_then(|w| w.get(arm)).map_or(0.0, |(sum, _)| sum.value())
        };
        let mean = |covariate: usize| {
            let near = kinds.get(kinds.len() / 2).and_then(|(x, _)| x.get(covariate)).copied().unwrap_or(0.0);
            let off = |(x, kind): &(Vec<f64>, usize)| {
                (weight(*kind, 0) + weight(*kind, 1)) * (x.get(covariate).copied().unwrap_or(0.0) - near)
            };
            near + crate::aggregate::total(kinds.iter().map(off)) / (untreated + treated)
        };
        let means: Vec<f64> = (0..width).map(mean).collect();
        let (mut covariates, mut weights, mut arms, mut rows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (x, kind) in &kinds {
            for arm in [0, 1] {
                let w = weight(*kind, arm);
                if w > 0.0 {
                    covariates.extend(x.iter().zip(&means).map(|(x, mean)| x - mean));
                    weights.push(w);
                    arms.push(arm == 1);
                    rows.push(*kind);
                }
            }
        }
        let few = (untreated_rows + treated_rows) as usize;
        if few <= width {
            return Err(Unlikely::Unfit(Unfit::TooFew { rows: untreated_rows + treated_rows, terms: width + 1 }));
        }
        let logit = Sample { names, covariates: &covariates, weights: &weights, treated: &arms }.fit()?;
        let line = |x: &[f64]| {
            let constant = logit.coefficients.first().copied().unwrap_or(0.0);
            let slopes = logit.coefficients.iter().skip(1).zip(x).zip(&means);
            constant + slopes.map(|((b, x), mean)| b * (x - mean)).sum::<f64>()
        };
        let mut p = vec![0.0; self.weights.len()];
        let mut odds = p.clone();
        let mut stand = Total::default();
        for (x, kind) in &kinds {
            let line = line(x);
            if let (Some(p), Some(odds)) = (p.get_mut(*kind), odds.get_mut(*kind)) {
                (*p, *odds) = (probability(line).0, line.exp());
                stand.add(weight(*kind, 0) * *odds);
            }
        }
        let factors: Vec<f64> = odds.iter().map(|odds| odds * treated / stand.value()).collect();
        let balance = (0..width).map(|covariate| self.balance(covariate, &kinds, &factors)).collect();
        Ok(Some(Propensities { logit, p, factors, balance, rows: [untreated_rows, treated_rows] }))
    }

    /// Standardised differences as `ipw_balance` has them (Rosenbaum and Rubin 1985; Austin 2011).
    fn balance(&self, covariate: usize, kinds: &[(Vec<f64>, usize)], factors: &[f64]) -> Balance {
        let moments = |arm: usize, weighted: bool| {
            let values = || {
                kinds.iter().filter_map(|(x, kind)| {
                    let (sum, rows) = self.weights.get(*kind)?.get(arm)?;
                    let factor = if weighted { factors.get(*kind).copied()? } else { 1.0 };
                    Some((*x.get(covariate)?, sum.value() * factor, *rows))
                })
            };
            let weight = crate::aggregate::total(values().map(|(_, w, _)| w));
            let mean = crate::aggregate::total(values().map(|(x, w, _)| w * x)) / weight;
            let square = crate::aggregate::total(values().map(|(x, w, _)| w * (x - mean) * (x - mean)));
            let n = values().map(|(_, _, n)| n).sum::<u64>() as f64;
            (mean, if n > 1.0 { square / weight * n / (n - 1.0) } else { 0.0 })
        };
        let ((treated, s1), (untreated, s0), (after, _)) = (moments(1, false), moments(0, false), moments(0, true));
        let scale = f64::midpoint(s1, s0).sqrt();
        let differences = (scale > 0.0).then(|| [treated - untreated, treated - after].map(|off| off / scale));
        Balance { means: [treated, untreated, after], differences }
    }
}

#[cfg(test)]
mod tests {
    use super::{Patterns, Unlikely};

    #[test]
    fn rows_that_are_alike_are_one_kind() {
        let names = ["size".to_owned(), "urban".to_owned()];
        let rows = [
            ([2.0, 1.0], true, 1.0),
            ([3.0, 0.0], false, 2.0),
            ([2.0, 1.0], false, 3.0),
            ([5.0, 1.0], true, 1.5),
            ([3.0, 0.0], true, 1.0),
            ([5.0, 1.0], false, 1.0),
            ([4.0, 0.0], false, 2.5),
            ([4.0, 0.0], true, 0.5),
        ];
        let of = |order: &[usize]| {
            let mut patterns = Patterns::default();
            let kinds: Vec<usize> = order.iter().map(|r| patterns.add(&rows[*r].0, rows[*r].1, rows[*r].2)).collect();
            (kinds, patterns.fit(&names).unwrap().unwrap())
        };
        let (kinds, fitted) = of(&[0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(kinds, [0, 1, 0, 2, 1, 2, 3, 3]);
        assert_eq!(fitted.rows, [4, 4]);
        // The score is zero: as many are expected to be treated as are, by each covariate.
        for place in 0..3 {
            let x = |row: usize| if place == 2 { 1.0 } else { rows[row].0[place] };
            let score: f64 =
                (0..8).map(|r| rows[r].2 * x(r) * (f64::from(u8::from(rows[r].1)) - fitted.p[kinds[r]])).sum();
            assert!(score.abs() < 1e-12, "{place}: {score}");
        }
        // The untreated weigh as much as the treated.
        let sum = |arm: bool, factor: bool| -> f64 {
            let of_arm = (0..8).filter(|r| rows[*r].1 == arm);
            of_arm.map(|r| rows[r].2 * if factor { fitted.factors[kinds[r]] } else { 1.0 }).sum()
        };
        assert!((sum(false, true) - sum(true, false)).abs() < 1e-12);
        let (_, other) = of(&[7, 3, 5, 1, 0, 2, 6, 4]);
        assert_eq!(fitted.logit.coefficients, other.logit.coefficients);
    }

    #[test]
    fn what_cannot_be_fitted() {
        let names = ["x".to_owned()];
        let mut none = Patterns::default();
        none.add(&[1.0], false, 1.0);
        assert!(none.fit(&names).unwrap().is_none());
        let mut apart = Patterns::default();
        for (x, treated) in [(1.0, false), (2.0, false), (3.0, true), (4.0, true)] {
            apart.add(&[x], treated, 1.0);
        }
        assert_eq!(apart.fit(&names).unwrap_err(), Unlikely::Separated("x".to_owned()));
    }
}
