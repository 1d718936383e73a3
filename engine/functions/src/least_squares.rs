//! Ordinary and weighted least squares, row after row, without keeping the rows.
//!
//! Rows are rotated into a triangle (Givens rotations without square roots: Gentleman
//! 1974; Miller 1992, AS 274), which loses no digits to squared condition numbers as
//! normal equations do. With an intercept, columns are taken relative to the first row,
//! so values far from zero lose none either.

use std::fmt;

/// A residual this small beside its column (of norms) says that the column is a combination of others.
const COLLINEAR: f64 = 1e-9;
/// Values that differ by no more than this, relatively, are one.
const SAME: f64 = 1e-14;

/// The name of the constant term.
pub const INTERCEPT: &str = "(intercept)";

/// Sums of the rows so far.
#[derive(Debug, Clone)]
pub struct LeastSquares {
    names: Vec<String>,
    intercept: bool,
    /// The first row, response last, that others are relative to.
    origin: Vec<f64>,
    /// Squared lengths of the triangle's rows.
    lengths: Vec<f64>,
    /// The triangle's rows of unit length, response last; below the diagonal nothing is read.
    triangle: Vec<f64>,
    /// The weighted sum of squared residuals.
    residual: f64,
    weight: f64,
    rows: u64,
    /// The row at work.
    row: Vec<f64>,
}

/// Coefficients and what they come with. All lists have the constant term first, if there is one.
#[derive(Debug, Clone)]
pub struct Fit {
    /// One a term.
    pub coefficients: Vec<f64>,
    /// The inverse of X'WX, symmetric, row after row.
    pub inverse: Vec<f64>,
    /// The standard deviation of residuals, in the unit of the response, with the weights
    /// scaled to 1 in the mean: the root of sum(w e^2)/sum(w) n/(n - k). `None` if n = k.
    pub sigma: Option<f64>,
    /// The share of the response's variance that is explained; `None` if it has none.
    pub r_squared: Option<f64>,
    /// Rows that count.
    pub rows: u64,
    /// Their weights.
    pub weight: f64,
}

/// Why there are no coefficients.
#[derive(Debug, Clone, PartialEq)]
pub enum Unfit {
    /// Fewer rows than terms.
    TooFew {
        /// Rows that count.
        rows: u64,
        /// Coefficients to estimate, the constant term among them.
        terms: usize,
    },
    /// A column that is the same in all rows, beside a constant term, or zero.
    Constant(String),
    /// A column that is a combination of others.
    Collinear(String, Vec<String>),
    /// Squares of the numbers leave the range of doubles.
    Range,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { rows, terms } => write!(f, "there are {rows} rows for {terms} coefficients"),
            Self::Constant(name) => write!(f, "`{name}` is the same in all rows; leave it out"),
            Self::Collinear(name, others) => {
                let others: Vec<String> = others.iter().map(|o| format!("`{o}`")).collect();
                write!(f, "`{name}` is a linear combination of {}; leave one of them out", others.join(", "))
            }
            Self::Range => write!(f, "squares of the numbers leave the range of doubles; divide by a large unit first"),
        }
    }
}

impl LeastSquares {
    /// No rows yet, of columns with names for errors, with a constant term or without.
    pub fn new(names: Vec<String>, intercept: bool) -> Self {
        let terms = names.len() + usize::from(intercept);
        Self {
            intercept,
            origin: Vec::new(),
            lengths: vec![0.0; terms],
            triangle: vec![0.0; terms * (terms + 1)],
            residual: 0.0,
            weight: 0.0,
            rows: 0,
            row: Vec::with_capacity(terms + 1),
            names,
        }
    }

    /// Adds a row: one number a column, the response, and a weight, which does nothing unless above 0.
    pub fn add(&mut self, x: impl IntoIterator<Item = f64>, y: f64, weight: f64) {
        if weight.is_nan() || weight <= 0.0 {
            return;
        }
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        row.extend(self.intercept.then_some(1.0));
        row.extend(x);
        row.resize(self.lengths.len(), 0.0);
        row.push(y);
        if self.intercept {
            if self.origin.is_empty() {
                self.origin = row.clone();
                self.origin.iter_mut().take(1).for_each(|one| *one = 0.0);
            }
            row.iter_mut().zip(&self.origin).for_each(|(x, origin)| *x -= origin);
        }
        self.rows += 1;
        self.weight += weight;
        self.rotate(&mut row, weight);
        self.row = row;
    }

    /// Adds the rows of another of the same columns.
    pub fn merge(&mut self, other: &Self) {
        if self.intercept && self.origin.is_empty() {
            self.origin.clone_from(&other.origin);
        }
        let width = self.lengths.len() + 1;
        for (place, (length, source)) in other.lengths.iter().zip(other.triangle.chunks_exact(width)).enumerate() {
            let mut row = vec![0.0; width];
            row.iter_mut().zip(source).skip(place + 1).for_each(|(to, from)| *to = *from);
            row.iter_mut().skip(place).take(1).for_each(|one| *one = 1.0);
            if self.intercept && place == 0 {
                let moved = other.origin.iter().zip(&self.origin).map(|(other, own)| other - own);
                row.iter_mut().zip(moved).for_each(|(x, moved)| *x += moved);
            }
            if *length > 0.0 {
                self.rotate(&mut row, *length);
            }
        }
        self.residual += other.residual;
        self.weight += other.weight;
        self.rows += other.rows;
    }

    /// Rotates a row into the triangle; what is left of the response is its residual.
    fn rotate(&mut self, row: &mut [f64], weight: f64) {
        let mut weight = weight;
        let width = row.len().max(1);
        let mut rest = row;
        let rows = self.lengths.iter_mut().zip(self.triangle.chunks_exact_mut(width)).enumerate();
        for (place, (length, triangle)) in rows {
            let Some((x, after)) = rest.split_first_mut() else { return };
            let x = *x;
            rest = after;
            if x == 0.0 {
                continue;
            }
            let longer = *length + weight * x * x;
            let (cosine, sine) = (*length / longer, weight * x / longer);
            *length = longer;
            weight *= cosine;
            for (value, own) in rest.iter_mut().zip(triangle.iter_mut().skip(place + 1)) {
                let was = *value;
                *value -= x * *own;
                *own = cosine * *own + sine * was;
            }
            if weight <= 0.0 {
                return;
            }
        }
        if let [residual] = rest {
            self.residual += weight * *residual * *residual;
        }
    }

    /// How many rows were added.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The coefficients.
    pub fn fit(&self) -> Result<Fit, Unfit> {
        let terms = self.lengths.len();
        if self.rows < terms as u64 {
            return Err(Unfit::TooFew { rows: self.rows, terms });
        }
        if !self.residual.is_finite() || self.lengths.iter().chain(&self.triangle).any(|v| !v.is_finite()) {
            return Err(Unfit::Range);
        }
        (0..terms).try_for_each(|term| self.independent(term))?;
        let mut coefficients = vec![0.0; terms];
        self.solve(terms, &mut coefficients);
        let explained: f64 =
            (usize::from(self.intercept)..terms).map(|i| self.length(i) * self.at(i, terms).powi(2)).sum();
        let all = explained + self.residual;
        let mut inverse = self.inverse();
        if self.intercept {
            let columns = self.origin.get(1..terms).unwrap_or_default();
            move_back(columns, &mut coefficients, &mut inverse);
            let far = self.origin.get(terms).copied().unwrap_or(0.0);
            coefficients.iter_mut().take(1).for_each(|constant| *constant += far);
        }
        if coefficients.iter().chain(&inverse).any(|v| !v.is_finite()) {
            return Err(Unfit::Range);
        }
        let (n, k) = (self.rows as f64, terms as f64);
        Ok(Fit {
            coefficients,
            inverse,
            sigma: (n > k).then(|| (self.residual / self.weight * n / (n - k)).sqrt()),
            r_squared: (all > 0.0).then(|| explained / all),
            rows: self.rows,
            weight: self.weight,
        })
    }

    fn length(&self, row: usize) -> f64 {
        self.lengths.get(row).copied().unwrap_or(0.0)
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.triangle.get(row * (self.lengths.len() + 1) + column).copied().unwrap_or(0.0)
    }

    /// Whether a column says something that those before it do not.
    fn independent(&self, term: usize) -> Result<(), Unfit> {
        let first = usize::from(self.intercept);
        let own = self.length(term);
        let name = |term: usize| self.names.get(term.wrapping_sub(first)).cloned().unwrap_or_default();
        if term < first {
            return Ok(());
        }
        let part = |row: usize| self.length(row) * self.at(row, term).powi(2);
        let square = own + (first..term).map(part).sum::<f64>();
        let far = self.origin.get(term).copied().unwrap_or(0.0) * SAME;
        if square <= far * far * self.weight || square == 0.0 {
            return Err(Unfit::Constant(name(term)));
        }
        if own > square * COLLINEAR * COLLINEAR {
            return Ok(());
        }
        // The combination: those that have a part in it worth the name.
        let mut combination = vec![0.0; term];
        self.solve(term, &mut combination);
        let size = |i: usize| self.length(i) + (first..i).map(|r| self.length(r) * self.at(r, i).powi(2)).sum::<f64>();
        let counts = |i: &usize| combination.get(*i).is_some_and(|b| b * b * size(*i) > square * 1e-12);
        Err(Unfit::Collinear(name(term), (first..term).filter(counts).map(name).collect()))
    }

    /// The coefficients of the columns before `column` that come nearest to it.
    fn solve(&self, column: usize, out: &mut [f64]) {
        for row in (0..column).rev() {
            let later: f64 = (row + 1..column).map(|j| self.at(row, j) * out.get(j).copied().unwrap_or(0.0)).sum();
            let value = self.at(row, column) - later;
            out.iter_mut().skip(row).take(1).for_each(|b| *b = value);
        }
    }

    /// (X'WX)^-1 of the columns as they were rotated.
    fn inverse(&self) -> Vec<f64> {
        let terms = self.lengths.len();
        // Columns of the triangle's inverse, by back substitution of the identity.
        let columns: Vec<Vec<f64>> = (0..terms)
            .map(|column| {
                let mut x = vec![0.0; terms];
                for row in (0..=column).rev() {
                    let later: f64 =
                        (row + 1..=column).map(|j| self.at(row, j) * x.get(j).copied().unwrap_or(0.0)).sum();
                    let value = f64::from(u8::from(row == column)) - later;
                    x.iter_mut().skip(row).take(1).for_each(|slot| *slot = value);
                }
                x
            })
            .collect();
        let mut inverse = vec![0.0; terms * terms];
        for (column, length) in columns.iter().zip(&self.lengths) {
            for (line, left) in inverse.chunks_exact_mut(terms.max(1)).zip(column) {
                line.iter_mut().zip(column).for_each(|(slot, right)| *slot += left * right / length);
            }
        }
        inverse
    }
}

/// From columns relative to an origin to columns as they came: the constant term, which
/// is the first, is another combination of the coefficients, and so is its covariance.
pub(crate) fn move_back(origin: &[f64], coefficients: &mut [f64], inverse: &mut [f64]) {
    let terms = coefficients.len();
    let weights: Vec<f64> = std::iter::once(1.0).chain(origin.iter().map(|x| -x)).collect();
    let times = |line: &[f64]| line.iter().zip(&weights).map(|(v, t)| v * t).sum::<f64>();
    let constant = times(coefficients);
    coefficients.iter_mut().take(1).for_each(|c| *c = constant);
    let first: Vec<f64> = inverse.chunks_exact(terms.max(1)).map(times).collect();
    let corner = times(&first);
    for ((place, line), value) in inverse.chunks_exact_mut(terms.max(1)).enumerate().zip(&first) {
        if place == 0 {
            line.copy_from_slice(&first);
        }
        let value = if place == 0 { corner } else { *value };
        line.iter_mut().take(1).for_each(|slot| *slot = value);
    }
}

impl Fit {
    /// The prediction for a row; `x` has one number a column, without the constant.
    pub fn predict(&self, x: impl IntoIterator<Item = f64>) -> f64 {
        match self.coefficients.as_slice() {
            [] => 0.0,
            all => {
                let mut x = x.into_iter().collect::<Vec<_>>();
                if x.len() < all.len() {
                    x.insert(0, 1.0);
                }
                all.iter().zip(x).map(|(b, x)| b * x).sum()
            }
        }
    }

    /// The covariance of the coefficients if residuals are alike and independent; `None` if n = k.
    /// It does not change with the unit of the weights.
    pub fn covariance(&self) -> Option<Vec<f64>> {
        let scale = self.sigma?.powi(2) * self.weight / self.rows as f64;
        Some(self.inverse.iter().map(|v| v * scale).collect())
    }

    /// The classical standard error of a term; `None` if n = k or there is no such term.
    pub fn standard_error(&self, term: usize) -> Option<f64> {
        let place = term * (self.coefficients.len() + 1);
        self.covariance()?.get(place).filter(|_| term < self.coefficients.len()).map(|v| v.max(0.0).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::{LeastSquares, Unfit};

    fn fit(names: &[&str], rows: &[(Vec<f64>, f64, f64)]) -> LeastSquares {
        let mut sums = LeastSquares::new(names.iter().map(|n| (*n).to_owned()).collect(), true);
        rows.iter().for_each(|(x, y, w)| sums.add(x.iter().copied(), *y, *w));
        sums
    }

    /// NIST's Longley data: condition number 5e9, certified to 15 digits.
    const LONGLEY: [[f64; 7]; 16] = [
        [60323.0, 83.0, 234289.0, 2356.0, 1590.0, 107608.0, 1947.0],
        [61122.0, 88.5, 259426.0, 2325.0, 1456.0, 108632.0, 1948.0],
        [60171.0, 88.2, 258054.0, 3682.0, 1616.0, 109773.0, 1949.0],
        [61187.0, 89.5, 284599.0, 3351.0, 1650.0, 110929.0, 1950.0],
        [63221.0, 96.2, 328975.0, 2099.0, 3099.0, 112075.0, 1951.0],
        [63639.0, 98.1, 346999.0, 1932.0, 3594.0, 113270.0, 1952.0],
        [64989.0, 99.0, 365385.0, 1870.0, 3547.0, 115094.0, 1953.0],
        [63761.0, 100.0, 363112.0, 3578.0, 3350.0, 116219.0, 1954.0],
        [66019.0, 101.2, 397469.0, 2904.0, 3048.0, 117388.0, 1955.0],
        [67857.0, 104.6, 419180.0, 2822.0, 2857.0, 118734.0, 1956.0],
        [68169.0, 108.4, 442769.0, 2936.0, 2798.0, 120445.0, 1957.0],
        [66513.0, 110.8, 444546.0, 4681.0, 2637.0, 121950.0, 1958.0],
        [68655.0, 112.6, 482704.0, 3813.0, 2552.0, 123366.0, 1959.0],
        [69564.0, 114.2, 502601.0, 3931.0, 2514.0, 125368.0, 1960.0],
        [69331.0, 115.7, 518173.0, 4806.0, 2572.0, 127852.0, 1961.0],
        [70551.0, 116.9, 554894.0, 4007.0, 2827.0, 130081.0, 1962.0],
    ];

    #[test]
    fn certified_figures() {
        let rows: Vec<_> = LONGLEY.iter().map(|r| (r[1..].to_vec(), r[0], 7.0)).collect();
        let names = ["deflator", "gnp", "unemployed", "armed", "population", "year"];
        let all = fit(&names, &rows);
        let mut halves = fit(&names, &rows[..9]);
        halves.merge(&fit(&names, &rows[9..]));
        let certified = [
            (-3_482_258.634_595_82, 890_420.383_607_373),
            (15.061_872_271_373_3, 84.914_925_774_766_9),
            (-0.358_191_792_925_910E-01, 0.334_910_077_722_432E-01),
            (-2.020_229_803_816_83, 0.488_399_681_651_699),
            (-1.033_226_867_173_59, 0.214_274_163_161_675),
            (-0.511_041_056_535_807E-01, 0.226_073_200_069_370),
            (1_829.151_464_613_55, 455.478_499_142_212),
        ];
        for fit in [all.fit().unwrap(), halves.fit().unwrap()] {
            for (term, (coefficient, error)) in certified.iter().enumerate() {
                assert!((fit.coefficients[term] / coefficient - 1.0).abs() < 1e-9, "{term} {:?}", fit.coefficients);
                assert!((fit.standard_error(term).unwrap() / error - 1.0).abs() < 1e-9, "{term}");
            }
            assert!((fit.sigma.unwrap() / 304.854_073_561_965 - 1.0).abs() < 1e-10);
            assert!((fit.r_squared.unwrap() / 0.995_479_004_577_296 - 1.0).abs() < 1e-12);
            assert!((fit.predict(rows[0].0.iter().copied()) - 60_055.66).abs() < 0.01);
        }
    }

    #[test]
    fn values_far_from_zero_lose_nothing() {
        for far in [0.0, 1e6, 1e9] {
            let row = |i: i32| (vec![far + f64::from(i)], far + 2.0 * f64::from(i) + f64::from(i % 2), 1.0);
            let fit = fit(&["x"], &(0..10).map(row).collect::<Vec<_>>()).fit().unwrap();
            assert!((fit.coefficients[1] - (2.0 + 1.0 / 33.0)).abs() < 1e-12, "{:?}", fit.coefficients);
        }
    }

    #[test]
    fn weights_repeat_rows() {
        let twice: Vec<_> = [1, 1, 2, 3, 3, 3, 7].map(|i| (vec![f64::from(i)], f64::from(i * i), 1.0)).to_vec();
        let weighed: Vec<_> = [(1, 2.0), (2, 1.0), (3, 3.0), (7, 1.0), (9, 0.0)]
            .map(|(i, w)| (vec![f64::from(i)], f64::from(i * i), w))
            .to_vec();
        let (a, b) = (fit(&["x"], &twice).fit().unwrap(), fit(&["x"], &weighed).fit().unwrap());
        for (a, b) in a.coefficients.iter().chain(&a.inverse).zip(b.coefficients.iter().chain(&b.inverse)) {
            assert!((a - b).abs() < 1e-12 * a.abs().max(1.0), "{a} {b}");
        }
        assert_eq!(b.rows, 4);
    }

    #[test]
    fn combinations_are_named() {
        let row = |i: u32| {
            let (a, b, c) = (f64::from(i * 7919 % 101), f64::from(i * 31 % 17) * 0.1, f64::from(i * 13 % 7));
            (vec![a, b, c, a - 3.0 * b + 1e-14, 5.0], a + b, 1.0)
        };
        let rows: Vec<_> = (0..40).map(row).collect();
        let names = ["a", "b", "c", "sum", "five"];
        let wrong = fit(&names, &rows).fit().unwrap_err();
        assert_eq!(wrong, Unfit::Collinear("sum".into(), vec!["a".into(), "b".into()]));
        assert_eq!(wrong.to_string(), "`sum` is a linear combination of `a`, `b`; leave one of them out");
        let rows: Vec<_> = rows.into_iter().map(|(x, y, w)| (vec![x[0], x[4] + 0.1], y, w)).collect();
        assert_eq!(fit(&["a", "five"], &rows).fit().unwrap_err(), Unfit::Constant("five".into()));
        assert_eq!(fit(&["a", "five"], &rows[..2]).fit().unwrap_err(), Unfit::TooFew { rows: 2, terms: 3 });
        assert_eq!(fit(&["a"], &[]).fit().unwrap_err(), Unfit::TooFew { rows: 0, terms: 2 });
        let huge: Vec<_> = (1..9).map(|i| (vec![f64::from(i * i) * 1e200], f64::from(i), 1.0)).collect();
        assert_eq!(fit(&["a"], &huge).fit().unwrap_err(), Unfit::Range);
    }

    #[test]
    fn without_a_constant() {
        let mut sums = LeastSquares::new(vec!["x".to_owned()], false);
        [(1.0, 2.0), (2.0, 3.0)].iter().for_each(|(x, y)| sums.add([*x], *y, 1.0));
        let fit = sums.fit().unwrap();
        assert!((fit.coefficients[0] - 1.6).abs() < 1e-15);
        assert!((fit.predict([2.0]) - 3.2).abs() < 1e-15);
    }
}
