//! Sums that lose nothing to the order of their terms.

/// A sum with the rounding errors of its additions kept aside (Neumaier 1974).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Total {
    /// The sum as a double has it.
    pub(crate) sum: f64,
    /// What the additions lost.
    pub(crate) lost: f64,
}

impl Total {
    /// Adds a term; the six operations have no branch, so that they can be interleaved.
    #[inline]
    pub(crate) fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        let part = sum - self.sum;
        self.lost += (self.sum - (sum - part)) + (term - part);
        self.sum = sum;
    }

    /// Adds another total.
    pub(crate) fn merge(&mut self, other: Self) {
        self.add(other.sum);
        self.lost += other.lost;
    }

    /// The sum; infinite if it left the range of doubles.
    #[inline]
    pub(crate) fn value(self) -> f64 {
        // Of an infinite sum the errors are NaN.
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

/// The sum of the terms.
pub(crate) fn total(terms: impl Iterator<Item = f64>) -> f64 {
    let mut total = Total::default();
    terms.for_each(|term| total.add(term));
    total.value()
}

#[cfg(test)]
mod tests {
    use super::{Total, total};

    #[test]
    fn small_terms_survive_large_ones() {
        assert_eq!(total([1.0, 1e100, 1.0, -1e100].into_iter()), 2.0);
        assert_eq!(total(std::iter::repeat_n(0.1, 10)), 1.0);
        assert_eq!(total([1e308, 1e308].into_iter()), f64::INFINITY);
    }

    #[test]
    fn totals_of_parts_add_up() {
        let (mut left, mut right) = (Total::default(), Total::default());
        [1.0, 1e100].into_iter().for_each(|t| left.add(t));
        [1.0, -1e100].into_iter().for_each(|t| right.add(t));
        left.merge(right);
        assert_eq!(left.value(), 2.0);
    }
}
