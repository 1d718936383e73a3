//! How a weight follows from the multipliers.

/// The distance between old and new weights, as the g that it leads to (Deville and Särndal 1992).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distance {
    /// g = 1 + u: the generalised regression estimator. g may be below zero.
    Linear,
    /// g = exp(u): above zero.
    Raking,
    /// g between two bounds, the lower below 1 and the upper above it.
    Logit {
        /// Below every g; from 0 to 1.
        lower: f64,
        /// Above every g; more than 1.
        upper: f64,
    },
}

/// F, its derivative and its integral at a point.
pub(super) struct At {
    pub(super) g: f64,
    pub(super) slope: f64,
    pub(super) integral: f64,
}

impl Distance {
    pub(super) fn at(self, u: f64) -> At {
        match self {
            Self::Linear => At { g: 1.0 + u, slope: 1.0, integral: u + u * u / 2.0 },
            Self::Raking => {
                let g = u.exp();
                At { g, slope: g, integral: g }
            }
            Self::Logit { lower, upper } => {
                let (below, above, width) = (1.0 - lower, upper - 1.0, upper - lower);
                let steep = width / (below * above);
                // The share of the way from `lower` to `upper`: a logistic curve that is 1 - lower of it at u = 0.
                let odds = below.ln() - above.ln() + steep * u;
                let share = if odds > 0.0 { 1.0 / (1.0 + (-odds).exp()) } else { odds.exp() / (1.0 + odds.exp()) };
                let rest = if odds > 0.0 { (-odds).exp() / (1.0 + (-odds).exp()) } else { 1.0 / (1.0 + odds.exp()) };
                let log = odds.max(0.0) + (-odds.abs()).exp().ln_1p();
                At {
                    g: lower + width * share,
                    slope: width * steep * share * rest,
                    integral: lower * u + width / steep * log,
                }
            }
        }
    }

    /// The bounds of g that it comes near and does not reach.
    pub(super) fn bounds(self) -> (f64, f64) {
        match self {
            Self::Linear => (f64::NEG_INFINITY, f64::INFINITY),
            Self::Raking => (0.0, f64::INFINITY),
            Self::Logit { lower, upper } => (lower, upper),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Distance;

    #[test]
    fn slopes_are_those_of_g_and_of_the_integral() {
        let all = [Distance::Linear, Distance::Raking, Distance::Logit { lower: 0.3, upper: 3.0 }];
        for distance in all {
            assert!((distance.at(0.0).g - 1.0).abs() < 1e-15, "{distance:?}");
            assert!((distance.at(0.0).slope - 1.0).abs() < 1e-14, "{distance:?}");
            for u in [-3.0, -0.2, 0.0, 0.7, 2.5] {
                let (before, after) = (distance.at(u - 1e-5), distance.at(u + 1e-5));
                let at = distance.at(u);
                assert!(((after.g - before.g) / 2e-5 - at.slope).abs() < 1e-7, "{distance:?} {u}");
                assert!(((after.integral - before.integral) / 2e-5 - at.g).abs() < 1e-7, "{distance:?} {u}");
            }
        }
        let far = Distance::Logit { lower: 0.3, upper: 3.0 };
        assert_eq!((far.at(-1e6).g, far.at(1e6).g), (0.3, 3.0));
    }
}
