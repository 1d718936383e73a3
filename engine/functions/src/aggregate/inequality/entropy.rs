//! `ge`, `theil_t`, `theil_l`: generalised entropy.

use datafusion_common::Result;

use super::{SECTION, rows_rule};
use crate::aggregate::frame::{
    Given, Kernel, Measure, Parameter, Rows, Shape, Sink, Text, Total, Work, constant, flag, number, refuse, weight,
};

pub(super) const DROP: Parameter = flag(
    "drop_nonpositive",
    "Whether to leave out values of zero or less (Stata's and convey's practice) instead of failing on them. `count(*) filter (where y <= 0)` says how many.",
);

pub(super) static GE: Measure = Measure {
    name: "ge",
    parameters: &[
        number("y", "Income, consumption or any amount; integers, decimals and doubles."),
        constant("alpha", "Sensitivity, one number for the whole call: the larger, the more the top counts."),
        weight(),
        DROP,
    ],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| {
        let alpha = given.required("alpha", "expected a finite number", |_| true)?;
        Ok(Box::new(Entropy::new(given, alpha)))
    }),
    text: Text {
        section: SECTION,
        syntax: "ge(y, alpha [, w] [, drop_nonpositive => true])",
        description: concat!(
            "Generalised entropy index (Shorrocks 1980): 0 if all are equal. GE(0) is the mean log deviation, GE(1) Theil's T, \
             GE(2) half of the squared coefficient of variation; otherwise mean((y/m)^alpha - 1)/(alpha(alpha - 1)) with m the \
             mean. It is the sum of within-group and between-group inequality. Values of zero or less have no logarithm: an \
             error for alpha <= 0 and alpha = 1, as are negative ones for an alpha that is no whole number. NULL if the mean is \
             zero or negative.",
            rows_rule!()
        ),
        example: "> select ge(y, 2), ge(y, 0) from (values (1.0), (3.0)) as t(y);\n0.125, 0.14384103622589045",
    },
};

pub(super) static THEIL_T: Measure = Measure {
    name: "theil_t",
    parameters: &[number("y", "Income, consumption or any amount, greater than zero."), weight(), DROP],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| Ok(Box::new(Entropy::new(given, 1.0)))),
    text: Text {
        section: SECTION,
        syntax: "theil_t(y [, w] [, drop_nonpositive => true])",
        description: concat!(
            "Theil's T, mean((y/m) ln(y/m)) with m the mean: `ge(y, 1)` (Theil 1967). 0 if all are equal, ln n at most. Values \
             of zero or less are an error unless dropped.",
            rows_rule!()
        ),
        example: "> select theil_t(y) from (values (1.0), (3.0)) as t(y);\n0.13081203594113697",
    },
};

pub(super) static THEIL_L: Measure = Measure {
    name: "theil_l",
    parameters: &[number("y", "Income, consumption or any amount, greater than zero."), weight(), DROP],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| Ok(Box::new(Entropy::new(given, 0.0)))),
    text: Text {
        section: SECTION,
        syntax: "theil_l(y [, w] [, drop_nonpositive => true])",
        description: concat!(
            "Theil's L or mean log deviation, mean(ln(m/y)) with m the mean: `ge(y, 0)` (Theil 1967). 0 if all are equal. Values \
             of zero or less are an error unless dropped.",
            rows_rule!()
        ),
        example: "> select theil_l(y) from (values (1.0), (3.0)) as t(y);\n0.14384103622589045",
    },
};

#[derive(Debug)]
struct Entropy {
    function: &'static str,
    alpha: f64,
    drop: bool,
}

impl Entropy {
    fn new(given: &Given, alpha: f64) -> Self {
        Self { function: given.measure.name, alpha, drop: given.flag("drop_nonpositive") }
    }
}

impl Kernel for Entropy {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let first = first(self.function, rows.values(), self.alpha, self.drop)?;
        sink.maybe(entropy(rows, first, self.alpha));
        Ok(())
    }
}

/// The first row that counts: values ascend, and some have no power or logarithm.
pub(super) fn first(function: &str, values: &[f64], alpha: f64, drop: bool) -> Result<usize> {
    let whole = alpha.fract() == 0.0;
    let Some(least) = values.first().copied() else { return Ok(0) };
    if drop {
        return Ok(values.partition_point(|y| *y <= 0.0));
    }
    if (alpha <= 0.0 || alpha == 1.0) && least <= 0.0 {
        return refuse(function, "y", least, "expected values greater than 0, or `drop_nonpositive => true`");
    }
    if !whole && least < 0.0 {
        return refuse(function, "y", least, "expected values of 0 or more, or `drop_nonpositive => true`");
    }
    Ok(0)
}

/// Generalised entropy of the rows from `first` on; `None` without rows or with a mean of zero or less.
pub(super) fn entropy(rows: &Rows<'_>, first: usize, alpha: f64) -> Option<f64> {
    let near = rows.values().get(first + (rows.len() - first) / 2).copied()?;
    entropy_of(rows.weighted().skip(first), near, alpha).map(|part| part.entropy)
}

/// A distribution as its entropy sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) weight: f64,
    pub(super) mean: f64,
    pub(super) entropy: f64,
}

/// Generalised entropy of values with weights, of which `near` is one in the middle;
/// `None` for a mean of zero or less.
pub(super) fn entropy_of(counted: impl Iterator<Item = (f64, f64)> + Clone, near: f64, alpha: f64) -> Option<Part> {
    let (mut weight, mut off) = (Total::default(), Total::default());
    counted.clone().for_each(|(y, w)| {
        weight.add(w);
        off.add(w * (y - near));
    });
    let weight = weight.value();
    let mean = near + off.value() / weight;
    if mean.is_nan() || mean <= 0.0 {
        return None;
    }
    let mut sum = Total::default();
    counted.for_each(|(y, w)| sum.add(w * divergence(y / mean, alpha)));
    Some(Part { weight, mean, entropy: sum.value() / weight })
}

/// (r^a - 1 - a(r - 1)) / (a(a - 1)), with its limits at 0 and 1.
///
/// The part with r - 1 is zero in the mean; with it no term is negative, so near
/// equality nothing cancels.
fn divergence(ratio: f64, alpha: f64) -> f64 {
    let off = ratio - 1.0;
    if off.abs() * (alpha.abs() + 3.0) < 1e-2 {
        // The series, where the closed form would be a difference of like numbers.
        let mut term = off * off / 2.0;
        let mut sum = term;
        for k in 2..9 {
            let k = f64::from(k);
            term *= off * (alpha - k) / (k + 1.0);
            sum += term;
        }
        return sum;
    }
    if alpha == 0.0 {
        off - ratio.ln()
    } else if alpha == 1.0 {
        ratio * ratio.ln() - off
    } else {
        (ratio.powf(alpha) - 1.0 - alpha * off) / (alpha * (alpha - 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::divergence;

    #[test]
    fn the_series_meets_the_closed_form() {
        for alpha in [-2.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.5] {
            let edge = 1e-2 / (f64::abs(alpha) + 3.0);
            for sign in [-1.0, 1.0] {
                let inside = divergence(1.0 + sign * edge * 0.999_999, alpha);
                let outside = divergence(1.0 + sign * edge * 1.000_001, alpha);
                assert!((inside / outside - 1.0).abs() < 1e-5, "{alpha}: {inside} {outside}");
            }
        }
        assert!((divergence(3.0, 2.0) - 2.0).abs() < 1e-15);
        assert!((divergence(1.0 + 1e-9, 0.0) / 5e-19 - 1.0).abs() < 1e-6);
    }
}
