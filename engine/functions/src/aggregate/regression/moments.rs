//! Count, means, and sums of squares and products around the means of pairs.
//!
//! All is kept relative to the first pair: of values far from zero the differences are
//! exact, where running means of the values themselves would be rounded.

/// The moments of some pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Moments {
    pub(super) n: f64,
    first_y: f64,
    first_x: f64,
    /// Means less the first pair.
    off_y: f64,
    off_x: f64,
    pub(super) syy: f64,
    pub(super) sxx: f64,
    pub(super) sxy: f64,
}

impl Moments {
    /// Names of the numbers in the order of [`Moments::numbers`].
    pub(super) const PARTS: [&'static str; 8] = ["n", "first_y", "first_x", "off_y", "off_x", "syy", "sxx", "sxy"];

    /// The mean of y.
    pub(super) fn mean_y(&self) -> f64 {
        self.first_y + self.off_y
    }

    /// The mean of x.
    pub(super) fn mean_x(&self) -> f64 {
        self.first_x + self.off_x
    }

    /// Adds a pair.
    #[inline]
    pub(super) fn add(&mut self, y: f64, x: f64) {
        if self.n == 0.0 {
            (self.first_y, self.first_x) = (y, x);
        }
        self.n += 1.0;
        let (y, x) = (y - self.first_y, x - self.first_x);
        let (off_y, off_x) = (y - self.off_y, x - self.off_x);
        self.off_y += off_y / self.n;
        self.off_x += off_x / self.n;
        self.syy += off_y * (y - self.off_y);
        self.sxx += off_x * (x - self.off_x);
        self.sxy += off_x * (y - self.off_y);
    }

    /// Takes a pair out that was added.
    pub(super) fn remove(&mut self, y: f64, x: f64) {
        let left = self.n - 1.0;
        if left <= 0.0 {
            *self = Self::default();
            return;
        }
        let (y, x) = (y - self.first_y, x - self.first_x);
        let (off_y, off_x) = (y - self.off_y, x - self.off_x);
        self.off_y -= off_y / left;
        self.off_x -= off_x / left;
        self.syy -= off_y * (y - self.off_y);
        self.sxx -= off_x * (x - self.off_x);
        self.sxy -= off_x * (y - self.off_y);
        self.n = left;
    }

    /// Adds the pairs of others.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.n == 0.0 {
            return;
        }
        if self.n == 0.0 {
            *self = *other;
            return;
        }
        let n = self.n + other.n;
        let off_y = (other.first_y - self.first_y) + (other.off_y - self.off_y);
        let off_x = (other.first_x - self.first_x) + (other.off_x - self.off_x);
        let both = self.n * (other.n / n);
        self.syy += other.syy + off_y * off_y * both;
        self.sxx += other.sxx + off_x * off_x * both;
        self.sxy += other.sxy + off_x * off_y * both;
        self.off_y += off_y * (other.n / n);
        self.off_x += off_x * (other.n / n);
        self.n = n;
    }

    /// The numbers, to be kept elsewhere.
    pub(super) fn numbers(&self) -> [f64; 8] {
        [self.n, self.first_y, self.first_x, self.off_y, self.off_x, self.syy, self.sxx, self.sxy]
    }

    /// The moments of such numbers.
    pub(super) fn of([n, first_y, first_x, off_y, off_x, syy, sxx, sxy]: [f64; 8]) -> Self {
        Self { n, first_y, first_x, off_y, off_x, syy, sxx, sxy }
    }
}

#[cfg(test)]
mod tests {
    use super::Moments;

    fn of(pairs: &[(f64, f64)]) -> Moments {
        let mut moments = Moments::default();
        pairs.iter().for_each(|(y, x)| moments.add(*y, *x));
        moments
    }

    #[test]
    fn any_split_gives_the_same() {
        let pairs: Vec<(f64, f64)> =
            (0..100).map(|i| (1e11 + f64::from(i * 37 % 101), f64::from(i * 53 % 97) - 40.0)).collect();
        let whole = of(&pairs);
        for cut in [0, 1, 50, 99, 100] {
            let (left, right) = pairs.split_at(cut);
            let mut merged = of(left);
            merged.merge(&of(right));
            let sums = |m: &Moments| [m.n, m.mean_y(), m.mean_x(), m.syy, m.sxx, m.sxy];
            for (a, b) in sums(&merged).into_iter().zip(sums(&whole)) {
                assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{cut}: {a} {b}");
            }
        }
        let mut back = whole;
        pairs.iter().skip(3).for_each(|(y, x)| back.remove(*y, *x));
        assert!((back.sxx - of(&pairs[..3]).sxx).abs() < 1e-6);
    }
}
