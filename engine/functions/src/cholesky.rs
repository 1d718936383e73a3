//! The factor L of a symmetric positive matrix, L L', row by row.

/// A factor that grows by a row for every variable that does not follow from those before it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cholesky {
    /// Row i has i + 1 entries.
    rows: Vec<Vec<f64>>,
}

impl Cholesky {
    /// Adds a variable: `cross` are its products with those that were added, `own` is that with itself.
    ///
    /// # Errors
    /// If no more than the share `least` of `own` is left when those before are taken
    /// out: then the coefficients by which it follows from them, and nothing is added.
    pub(crate) fn add(&mut self, cross: &[f64], own: f64, least: f64) -> Result<(), Vec<f64>> {
        let mut row = self.forward(cross);
        let left = own - dot(&row, &row);
        // Not `left <= …`: also a product that is NaN is refused.
        if !(left > least * own && left.is_finite()) {
            return Err(self.back(row));
        }
        row.push(left.sqrt());
        self.rows.push(row);
        Ok(())
    }

    /// The solution x of L L' x = `right`.
    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        self.back(self.forward(right))
    }

    /// The solution y of L y = `right`.
    fn forward(&self, right: &[f64]) -> Vec<f64> {
        let mut y = Vec::with_capacity(self.rows.len() + 1);
        for (row, right) in self.rows.iter().zip(right) {
            let pivot = row.last().copied().unwrap_or(1.0);
            y.push((right - dot(row, &y)) / pivot);
        }
        y
    }

    /// The solution x of L' x = y.
    fn back(&self, mut y: Vec<f64>) -> Vec<f64> {
        for (i, row) in self.rows.iter().enumerate().rev() {
            let (Some((pivot, row)), Some((x, before))) =
                (row.split_last(), y.get_mut(..=i).and_then(<[f64]>::split_last_mut))
            else {
                continue;
            };
            *x /= pivot;
            for (y, l) in before.iter_mut().zip(row) {
                *y -= l * *x;
            }
        }
        y
    }
}

/// The sum of products, over the length of the shorter.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::Cholesky;

    #[test]
    fn solves_and_names_what_follows() {
        // x, y, 2x - y, over rows (1, 0), (0, 1), (1, 1).
        let mut factor = Cholesky::default();
        factor.add(&[], 2.0, 1e-11).unwrap();
        factor.add(&[1.0], 2.0, 1e-11).unwrap();
        let follows = factor.add(&[3.0, 0.0], 6.0, 1e-11).unwrap_err();
        assert!((follows[0] - 2.0).abs() < 1e-12 && (follows[1] + 1.0).abs() < 1e-12, "{follows:?}");
        let x = factor.solve(&[4.0, 5.0]);
        assert!((x[0] - 1.0).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12, "{x:?}");
        assert!(factor.add(&[f64::NAN, 0.0], 1.0, 1e-11).is_err());
    }
}
