//! `kolm`: Kolm's index, which looks at differences and not at ratios.

use datafusion_common::Result;

use super::{SECTION, rows_rule};
use crate::aggregate::frame::{
    Given, Kernel, Measure, Parameter, Rows, Shape, Sink, Text, Work, constant, number, total, weight,
};

/// Kolm's parameter.
pub(in crate::aggregate) const ALPHA: Parameter = constant(
    "alpha",
    "Aversion to inequality, one number greater than 0 for the whole call, in 1 over the unit of y: 1e-5 with incomes of some 100,000.",
);

/// Reads [`ALPHA`].
pub(in crate::aggregate) fn alpha(given: &Given) -> Result<f64> {
    given.required("alpha", "expected a number greater than 0", |a| a > 0.0)
}

pub(super) static KOLM: Measure = Measure {
    name: "kolm",
    parameters: &[number("y", "Income, consumption or any amount; integers, decimals and doubles."), ALPHA, weight()],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| Ok(Box::new(Kolm(alpha(given)?)))),
    text: Text {
        section: SECTION,
        syntax: "kolm(y, alpha [, w])",
        description: concat!(
            "Kolm's index (Kolm 1976), in the unit of y: 0 if all are equal, otherwise what everybody would give up for \
             equality, ln(mean(exp(alpha (m - y))))/alpha with m the mean. The same amount added to all changes nothing, where \
             relative indices change; in another unit alpha has to be one over that unit. Values of any sign are taken.",
            rows_rule!()
        ),
        example: "> select kolm(y, 1), kolm(y + 100, 1) from (values (1.0), (3.0)) as t(y);\n0.4337808304830271, 0.4337808304830271",
    },
};

#[derive(Debug)]
struct Kolm(f64);

impl Kernel for Kolm {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let (mean, _) = logarithm(rows, self.0);
        sink.number(mean / self.0);
        Ok(())
    }
}

/// The logarithm of the mean of exp(alpha (m - y)), and m.
pub(in crate::aggregate) fn logarithm(rows: &Rows<'_>, alpha: f64) -> (f64, f64) {
    let (mean, all) = (rows.mean(0), rows.weight_sum());
    let least = rows.values().first().copied().unwrap_or(0.0);
    // Exponents are greatest at the least value.
    let most = alpha * (mean - least);
    if most > 1.0 {
        let sum = total(rows.weighted().map(|(y, w)| w * (alpha * (least - y)).exp()));
        return (most + (sum / all).ln(), mean);
    }
    // Near equality: exp(u) - 1 - u, as the mean of u is zero, keeps the digits.
    let over = |u: f64| {
        if u.abs() < 1e-3 { u * u / 2.0 * (1.0 + u / 3.0 * (1.0 + u / 4.0 * (1.0 + u / 5.0))) } else { u.exp_m1() - u }
    };
    let sum = total(rows.weighted().map(|(y, w)| w * over(alpha * (mean - y))));
    ((sum / all).ln_1p(), mean)
}
