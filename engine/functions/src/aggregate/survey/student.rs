//! Quantiles of Student's t distribution.

/// The quantile at `p` above one half with `df` degrees of freedom; NaN without any.
pub(super) fn quantile(p: f64, df: usize) -> f64 {
    if df == 0 {
        return f64::NAN;
    }
    let (mut low, mut high) = (0.0, 2.0);
    while below(high, df) < p && high < 1e12 {
        high *= 2.0;
    }
    // The interval halves each time; doubles have no more digits than this.
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if below(middle, df) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The share below `t`, which is 0 or more.
fn below(t: f64, df: usize) -> f64 {
    let df = df as f64;
    1.0 - 0.5 * beta(df / (df + t * t), df / 2.0, 0.5)
}

/// The regularised incomplete beta function, by its continued fraction (Lentz).
fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        h *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}

/// The logarithm of the gamma function for numbers above zero: Stirling's series,
/// shifted to where eight terms suffice.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 16.0 {
        shift += x.ln();
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = r * (1.0 / 1680.0 - r * (1.0 / 1188.0 - r * (691.0 / 360_360.0 - r / 156.0)));
    let series = 1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - series));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series / x - shift
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn tables_of_students_t() {
        let table = [
            (1, 12.706_204_736_432_095),
            (2, 4.302_652_729_911_275),
            (5, 2.570_581_835_636_314),
            (30, 2.042_272_456_301_237),
        ];
        for (df, t) in table {
            let is = quantile(0.975, df);
            assert!((is / t - 1.0).abs() < 1e-10, "{df}: {is}");
        }
        assert!((quantile(0.975, 10_000_000) - 1.959_964).abs() < 1e-5);
        assert!(quantile(0.975, 0).is_nan());
    }
}
