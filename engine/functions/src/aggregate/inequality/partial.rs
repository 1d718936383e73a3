//! `lower_partial_sum`, `quantile_share_ratio`, `j_divergence`.

use datafusion_common::Result;

use super::entropy::{DROP, entropy, first};
use super::shares::{METHOD, Ratio, Y};
use super::{Curve, SECTION, rows_rule};
use crate::aggregate::frame::{
    Given, Kernel, Measure, Parameter, Rows, Shape, Sink, Text, Work, constant, number, refuse, weight,
};

/// Where the poorest end.
pub(in crate::aggregate) const LOW: Parameter = constant("low", "The share of the poorest, from 0 to 1.");
/// Where the richest begin.
pub(in crate::aggregate) const HIGH: Parameter =
    constant("high", "Where the richest begin, from `low` to 1: 0.9 for the richest tenth.");

/// Reads [`LOW`] and [`HIGH`].
pub(in crate::aggregate) fn bounds(given: &Given) -> Result<(f64, f64)> {
    let allowed = "expected a number from 0 to 1";
    let low = given.required("low", allowed, |p| (0.0..=1.0).contains(&p))?;
    let high = given.required("high", allowed, |p| (0.0..=1.0).contains(&p))?;
    if high < low {
        return refuse(given.measure.name, "high", high, &format!("expected a number from `low` = {low} to 1"));
    }
    Ok((low, high))
}

pub(super) static QUANTILE_SHARE_RATIO: Measure = Measure {
    name: "quantile_share_ratio",
    parameters: &[Y, LOW, HIGH, weight(), METHOD],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| {
        let (bottom, top) = bounds(given)?;
        Ok(Box::new(Ratio { top, bottom, cut: given.choice("method")? == Some("eurostat") }))
    }),
    text: Text {
        section: SECTION,
        syntax: "quantile_share_ratio(y, low, high [, w] [, method => 'eurostat'])",
        description: concat!(
            "What those above `high` hold over what the poorest `low` hold: `s80_s20` is that of 0.2 and 0.8, `palma` that of \
             0.4 and 0.9, and 0.1 and 0.9 compare the outer tenths. NULL if the poorest hold nothing or less.",
            rows_rule!()
        ),
        example: "> select quantile_share_ratio(y, 0.4, 0.8) from (values (1.0), (1.0), (1.0), (1.0), (6.0)) as t(y);\n3.0",
    },
};

pub(super) static LOWER_PARTIAL_SUM: Measure = Measure {
    name: "lower_partial_sum",
    parameters: &[Y, constant("p", "Share of the population from 0 to 1, one number for the whole call."), weight()],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| {
        Ok(Box::new(Partial(given.required("p", "expected a number from 0 to 1", |p| (0.0..=1.0).contains(&p))?)))
    }),
    text: Text {
        section: SECTION,
        syntax: "lower_partial_sum(y, p [, w])",
        description: concat!(
            "What those up to and with the quantile `quantile(y, p, w)` hold together, in the unit of y: the weighted sum of \
             values up to it, whole rows, as the quintile share ratio of Eurostat is made of.",
            rows_rule!()
        ),
        example: "> select lower_partial_sum(y, 0.5, w) from (values (1.0, 2.0), (3.0, 1.0), (9.0, 1.0)) as t(y, w);\n2.0",
    },
};

pub(super) static J_DIVERGENCE: Measure = Measure {
    name: "j_divergence",
    parameters: &[number("y", "Income, consumption or any amount, greater than zero."), weight(), DROP],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| Ok(Box::new(Divergence { drop: given.flag("drop_nonpositive") }))),
    text: Text {
        section: SECTION,
        syntax: "j_divergence(y [, w] [, drop_nonpositive => true])",
        description: concat!(
            "J-divergence (Jeffreys 1946; Rohde 2016): mean((y/m - 1) ln(y/m)) with m the mean, which is `theil_t` plus \
             `theil_l`: what both the top and the bottom of the distribution move. 0 if all are equal. Values of zero or less \
             are an error unless dropped.",
            rows_rule!()
        ),
        example: "> select j_divergence(y) from (values (1.0), (3.0)) as t(y);\n0.2746530721670274",
    },
};

#[derive(Debug)]
struct Partial(f64);

impl Kernel for Partial {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let curve = Curve::new(rows);
        sink.number(curve.up_to(curve.quantile(self.0)));
        Ok(())
    }
}

#[derive(Debug)]
struct Divergence {
    drop: bool,
}

impl Kernel for Divergence {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let first = first("j_divergence", rows.values(), 0.0, self.drop)?;
        sink.maybe(entropy(rows, first, 1.0).zip(entropy(rows, first, 0.0)).map(|(t, l)| t + l));
        Ok(())
    }
}
