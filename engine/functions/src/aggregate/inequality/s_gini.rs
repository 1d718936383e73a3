//! `s_gini`: the extended Gini coefficient.

use datafusion_common::Result;

use super::{SECTION, rows_rule};
use crate::aggregate::frame::{
    Given, Kernel, Measure, Parameter, Rows, Shape, Sink, Text, Total, Work, constant, number, weight,
};

/// The parameter of extended Gini coefficients.
pub(in crate::aggregate) const V: Parameter = constant(
    "v",
    "Aversion to inequality, one number of 1 or more for the whole call: 2 gives `gini`, more looks more at the poorest, 1 sees no inequality.",
);

/// Reads [`V`].
pub(in crate::aggregate) fn parameter(given: &Given) -> Result<f64> {
    given.required("v", "expected a number of 1 or more", |v| v >= 1.0)
}

pub(super) static S_GINI: Measure = Measure {
    name: "s_gini",
    parameters: &[number("y", "Income, consumption or any amount; integers, decimals and doubles."), V, weight()],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| Ok(Box::new(SGini(parameter(given)?)))),
    text: Text {
        section: SECTION,
        syntax: "s_gini(y, v [, w])",
        description: concat!(
            "Extended Gini coefficient or S-Gini (Donaldson and Weymark 1980; Yitzhaki 1983), a fraction: one minus the mean of \
             values weighed by v(1 - p)^(v-1), p the rank from 0 to 1, over the mean; that is 1 - v(v - 1) times the integral of \
             (1 - p)^(v-2) L(p) under the Lorenz curve, each row with the interval of its weight, as IC2 does. Rows that tie \
             may come in any order. With negative values it can exceed 1; if the mean is zero or negative it is NULL.",
            rows_rule!()
        ),
        example: "> select s_gini(y, 2), s_gini(y, 3) from (values (1.0), (3.0)) as t(y);\n0.25, 0.375",
    },
};

#[derive(Debug)]
struct SGini(f64);

impl Kernel for SGini {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let mean = rows.mean(0);
        if mean.is_nan() || mean <= 0.0 {
            sink.null();
            return Ok(());
        }
        let mut lost = Total::default();
        // The mean is the integral of the share above; the weighed mean that of its power.
        steps(rows, |above, gap| lost.add((above - above.powf(self.0)) * (gap / mean)));
        sink.number(lost.value());
        Ok(())
    }
}

/// For each value but the last: the share of weight above it, and the way to the next value.
pub(in crate::aggregate) fn steps(rows: &Rows<'_>, mut step: impl FnMut(f64, f64)) {
    let all = rows.weight_sum();
    let mut below = Total::default();
    let mut rows = rows.weighted().peekable();
    while let Some((y, w)) = rows.next() {
        below.add(w);
        match rows.peek() {
            Some((next, _)) if *next > y => step(((all - below.value()) / all).max(0.0), next - y),
            _ => {}
        }
    }
}
