//! What is made of the moments.

use arrow::array::{ArrayRef, Float64Array, UInt64Array};
use datafusion_common::{Result, ScalarValue};
use std::sync::Arc;

use super::Moments;

/// A statistic of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Statistic {
    Corr,
    CovarSamp,
    CovarPop,
    Slope,
    Intercept,
    Count,
    R2,
    AvgX,
    AvgY,
    Sxx,
    Syy,
    Sxy,
}

impl Statistic {
    pub(super) const ALL: [Self; 12] = [
        Self::Corr,
        Self::CovarSamp,
        Self::CovarPop,
        Self::Slope,
        Self::Intercept,
        Self::Count,
        Self::R2,
        Self::AvgX,
        Self::AvgY,
        Self::Sxx,
        Self::Syy,
        Self::Sxy,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Corr => "corr",
            Self::CovarSamp => "covar_samp",
            Self::CovarPop => "covar_pop",
            Self::Slope => "regr_slope",
            Self::Intercept => "regr_intercept",
            Self::Count => "regr_count",
            Self::R2 => "regr_r2",
            Self::AvgX => "regr_avgx",
            Self::AvgY => "regr_avgy",
            Self::Sxx => "regr_sxx",
            Self::Syy => "regr_syy",
            Self::Sxy => "regr_sxy",
        }
    }

    /// What users read, and the result of the example.
    pub(super) fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Corr => (
                "Pearson's correlation, from -1 to 1; NULL with less than two pairs or if either does not vary.",
                "0.944911182523068",
            ),
            Self::CovarSamp => (
                "Sample covariance, divided by n - 1, in the unit of y times that of x; NULL with less than two pairs.",
                "2.5",
            ),
            Self::CovarPop => {
                ("Population covariance, divided by n, in the unit of y times that of x.", "1.6666666666666667")
            }
            Self::Slope => (
                "Slope of the least-squares line of y on x; NULL with less than two pairs or if x does not vary.",
                "2.5",
            ),
            Self::Intercept => (
                "Value at x = 0 of the least-squares line of y on x; NULL with less than two pairs or if x does not vary.",
                "-2.0",
            ),
            Self::Count => ("Number of pairs.", "3"),
            Self::R2 => (
                "Share of the variance of y that the line explains, the squared correlation; NULL as for `corr`.",
                "0.8928571428571429",
            ),
            Self::AvgX => ("Mean of x over the pairs, in its unit.", "2.0"),
            Self::AvgY => ("Mean of y over the pairs, in its unit.", "3.0"),
            Self::Sxx => ("Sum of squared deviations of x from its mean.", "2.0"),
            Self::Syy => ("Sum of squared deviations of y from its mean.", "14.0"),
            Self::Sxy => ("Sum of products of the deviations of x and y from their means.", "5.0"),
        }
    }

    fn value(self, m: &Moments) -> Option<f64> {
        let two = m.n >= 2.0;
        match self {
            Self::Corr if m.mean_x().is_nan() && m.mean_y().is_nan() => Some(f64::NAN),
            Self::Corr if !two || m.mean_x().is_nan() || m.mean_y().is_nan() => None,
            Self::Corr => (m.sxx != 0.0 && m.syy != 0.0).then(|| m.sxy / m.sxx.sqrt() / m.syy.sqrt()),
            Self::CovarSamp => two.then(|| m.sxy / (m.n - 1.0)),
            Self::CovarPop => (m.n > 0.0).then(|| m.sxy / m.n),
            Self::Slope => (two && m.sxx != 0.0).then(|| m.sxy / m.sxx),
            Self::Intercept => (two && m.sxx != 0.0).then(|| m.mean_y() - m.sxy / m.sxx * m.mean_x()),
            Self::Count => Some(m.n),
            Self::R2 => (two && m.sxx != 0.0 && m.syy != 0.0).then(|| m.sxy / m.sxx * (m.sxy / m.syy)),
            Self::AvgX => (m.n > 0.0).then(|| m.mean_x()),
            Self::AvgY => (m.n > 0.0).then(|| m.mean_y()),
            Self::Sxx => (m.n > 0.0).then_some(m.sxx),
            Self::Syy => (m.n > 0.0).then_some(m.syy),
            Self::Sxy => (m.n > 0.0).then_some(m.sxy),
        }
    }

    /// The statistic of one group.
    pub(super) fn scalar(self, moments: &Moments) -> Result<ScalarValue> {
        let value = self.value(moments);
        Ok(match self {
            Self::Count => ScalarValue::UInt64(value.map(|v| v as u64)),
            _ => ScalarValue::Float64(value),
        })
    }

    /// The statistic of many groups.
    pub(super) fn array(self, groups: &[Moments]) -> ArrayRef {
        let values = groups.iter().map(|m| self.value(m));
        match self {
            Self::Count => Arc::new(values.map(|v| v.map(|v| v as u64)).collect::<UInt64Array>()),
            _ => Arc::new(values.collect::<Float64Array>()),
        }
    }
}
