//! The filter of Hodrick and Prescott (1997), solved in time and memory linear in the length.

/// The trend of a series: the solution of (I + lambda D'D) trend = series, D second differences.
pub(crate) fn trend(series: &[f64], lambda: f64) -> Vec<f64> {
    let n = series.len();
    if n < 3 || lambda == 0.0 {
        return series.to_vec();
    }
    // Factors of the band matrix, L with ones on the diagonal and two bands below: L diag(d) L'.
    let (mut d, mut l1, mut l2) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let mut z = vec![0.0; n];
    let at = |v: &[f64], i: usize, back: usize| i.checked_sub(back).and_then(|i| v.get(i)).copied().unwrap_or(0.0);
    for i in 0..n {
        let (diagonal, below, second) = bands(i, n, lambda);
        let (a, b) = (at(&d, i, 1), at(&d, i, 2));
        let (m1, m2) = (at(&l1, i, 1), at(&l2, i, 2));
        let skipped = at(&l2, i, 1);
        let pivot = diagonal - m1 * m1 * a - m2 * m2 * b;
        let value = at(series, i, 0) - m1 * at(&z, i, 1) - m2 * at(&z, i, 2);
        if let (Some(d), Some(z), Some(l1_i), Some(l2_i)) = (d.get_mut(i), z.get_mut(i), l1.get_mut(i), l2.get_mut(i)) {
            *d = pivot;
            *z = value;
            // L(i+1, i) and L(i+2, i).
            *l1_i = (below - skipped * a * m1) / pivot;
            *l2_i = second / pivot;
        }
    }
    let mut out = vec![0.0; n];
    for i in (0..n).rev() {
        let next = |k: usize| out.get(i + k).copied().unwrap_or(0.0);
        let value = at(&z, i, 0) / at(&d, i, 0) - at(&l1, i, 0) * next(1) - at(&l2, i, 0) * next(2);
        if let Some(out) = out.get_mut(i) {
            *out = value;
        }
    }
    out
}

/// Row i of I + lambda D'D: the diagonal and the two entries below it.
fn bands(i: usize, n: usize, lambda: f64) -> (f64, f64, f64) {
    // Second differences start at 0..=n-3; i takes part in those that start at i, i-1 and i-2.
    let starts = |s: Option<usize>| s.is_some_and(|s| s + 3 <= n);
    let one = f64::from(u8::from(starts(Some(i))));
    let two = f64::from(u8::from(starts(i.checked_sub(1))));
    let three = f64::from(u8::from(starts(i.checked_sub(2))));
    (1.0 + lambda * (one + 4.0 * two + three), lambda * (-2.0 * one - 2.0 * two), lambda * one)
}

#[cfg(test)]
mod tests {
    use super::{bands, trend};

    /// The residual of the system at every row.
    fn worst(series: &[f64], lambda: f64) -> f64 {
        let n = series.len();
        let t = trend(series, lambda);
        let entry = |i: usize, j: usize| {
            let (low, high) = (i.min(j), i.max(j));
            let (diagonal, below, second) = bands(low, n, lambda);
            [diagonal, below, second].get(high - low).copied().unwrap_or(0.0)
        };
        let residual = |i: usize| (0..n).map(|j| entry(i, j) * t[j]).sum::<f64>() - series[i];
        (0..n).map(|i| residual(i).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn solves_the_system() {
        for n in [3, 4, 5, 6, 50] {
            let series: Vec<f64> = (0..n).map(|i| f64::from(i * i % 7) + 0.3 * f64::from(i)).collect();
            for lambda in [0.5, 6.25, 1600.0] {
                assert!(worst(&series, lambda) < 1e-9 * (1.0 + lambda), "{n} {lambda}");
            }
        }
    }

    #[test]
    fn a_line_is_its_own_trend() {
        let line: Vec<f64> = (0..40).map(|i| 3.0 + 0.5 * f64::from(i)).collect();
        assert!(trend(&line, 1600.0).iter().zip(&line).all(|(a, b)| (a - b).abs() < 1e-10));
        assert_eq!(trend(&[1.0, 5.0], 100.0), [1.0, 5.0]);
    }
}
