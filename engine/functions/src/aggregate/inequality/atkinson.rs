//! `atkinson`: Atkinson's index.

use datafusion_common::Result;

use super::entropy::{entropy, first};
use super::{SECTION, rows_rule};
use crate::aggregate::frame::{
    Given, Kernel, Measure, Rows, Shape, Sink, Text, Work, constant, flag, number, total, weight,
};

pub(super) static ATKINSON: Measure = Measure {
    name: "atkinson",
    parameters: &[
        number("y", "Income, consumption or any amount; integers, decimals and doubles."),
        constant("epsilon", "Aversion to inequality, one number of 0 or more for the whole call."),
        weight(),
        flag("drop_nonpositive", "Whether to leave out values of zero or less instead of failing on them."),
    ],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| {
        let epsilon = given.required("epsilon", "expected a number of 0 or more", |e| e >= 0.0)?;
        Ok(Box::new(Atkinson { epsilon, drop: given.flag("drop_nonpositive") }))
    }),
    text: Text {
        section: SECTION,
        syntax: "atkinson(y, epsilon [, w] [, drop_nonpositive => true])",
        description: concat!(
            "Atkinson's index (Atkinson 1970), a fraction: the share of the total that could be given up if the rest were \
             spread equally, welfare unchanged. 1 - mean((y/m)^(1-e))^(1/(1-e)), for e = 1 one minus the geometric over the \
             arithmetic mean. Values of zero or less are an error for epsilon >= 1, negative ones for any. NULL if the mean \
             is zero or negative.",
            rows_rule!()
        ),
        example: "> select atkinson(y, 0.5), atkinson(y, 1) from (values (1.0), (3.0)) as t(y);\n\
                  0.06698729810778073, 0.13397459621556135",
    },
};

#[derive(Debug)]
struct Atkinson {
    epsilon: f64,
    drop: bool,
}

impl Kernel for Atkinson {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let power = 1.0 - self.epsilon;
        // With e = 0 all are taken as they are, and nothing is unequal.
        let checked = if power == 1.0 { 2.0 } else { power };
        let first = first("atkinson", rows.values(), checked, self.drop)?;
        sink.maybe(index(rows, first, power));
        Ok(())
    }
}

fn index(rows: &Rows<'_>, first: usize, power: f64) -> Option<f64> {
    let entropy = entropy(rows, first, power)?;
    if power == 0.0 {
        return Some(-(-entropy).exp_m1());
    }
    if power == 1.0 {
        return Some(0.0);
    }
    // The mean of powers is 1 + p(p-1) GE(p), without the loss of digits near equality.
    let index = -((power * (power - 1.0) * entropy).ln_1p() / power).exp_m1();
    if entropy.is_finite() { Some(index) } else { extreme(rows, first, power) }
}

/// The index where powers leave the range of doubles: relative to the least value.
fn extreme(rows: &Rows<'_>, first: usize, power: f64) -> Option<f64> {
    let least = rows.values().get(first).copied()?;
    let counted = || rows.weighted().skip(first);
    let weight = total(counted().map(|(_, w)| w));
    let mean = total(counted().map(|(y, w)| w / weight * y));
    let powers = total(counted().map(|(y, w)| w / weight * (y / least).powf(power)));
    Some(1.0 - least / mean * powers.powf(1.0 / power))
}
