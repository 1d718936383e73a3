//! `quantile_share`, `palma`, `s80_s20`: who holds how much.

use datafusion_common::Result;

use super::{Curve, SECTION, bounds, rows_rule};
use crate::aggregate::frame::{
    Given, Kernel, Kind, Measure, Parameter, Rows, Shape, Sink, Text, Work, constant, number, option, weight,
};

pub(super) const Y: Parameter = number("y", "Income, consumption or any amount; integers, decimals and doubles.");

pub(super) const METHOD: Parameter = option(
    "method",
    Kind::Choice(&["lorenz", "eurostat"]),
    "'lorenz' (the default) splits who straddles a bound; 'eurostat' sums whole rows above the upper quantile and up to the lower, as laeken and convey do.",
);

pub(super) static QUANTILE_SHARE: Measure = Measure {
    name: "quantile_share",
    parameters: &[
        Y,
        constant("low", "Where the part of the population begins, from 0 to 1."),
        constant("high", "Where it ends, from `low` to 1."),
        weight(),
    ],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| {
        let (low, high) = bounds(given)?;
        Ok(Box::new(Share { low, high }))
    }),
    text: Text {
        section: SECTION,
        syntax: "quantile_share(y, low, high [, w])",
        description: concat!(
            "Share of the total, a fraction, that the part of the population between two quantiles holds: L(high) - L(low) on \
             the Lorenz curve, a person who straddles a bound being split. The second decile is `quantile_share(y, 0.1, 0.2)`. \
             NULL if the total is zero or negative.",
            rows_rule!()
        ),
        example: "> select quantile_share(y, 0.5, 1) from (values (1.0), (3.0)) as t(y);\n0.75",
    },
};

pub(super) static PALMA: Measure = Measure {
    name: "palma",
    parameters: &[Y, weight()],
    shape: |_| Shape::Number,
    work: Work::Rows(|_| Ok(Box::new(Ratio { top: 0.9, bottom: 0.4, cut: false }))),
    text: Text {
        section: SECTION,
        syntax: "palma(y [, w])",
        description: concat!(
            "Palma ratio: what the richest tenth holds over what the poorest four tenths hold, (1 - L(0.9))/L(0.4) on the \
             Lorenz curve (Palma 2011). NULL if the poorest hold nothing or less.",
            rows_rule!()
        ),
        example: "> select palma(y) from (values (1.0), (1.0), (1.0), (1.0), (6.0)) as t(y);\n1.5",
    },
};

pub(super) static S80_S20: Measure = Measure {
    name: "s80_s20",
    parameters: &[Y, weight(), METHOD],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| {
        let cut = given.choice("method")? == Some("eurostat");
        Ok(Box::new(Ratio { top: 0.8, bottom: 0.2, cut }))
    }),
    text: Text {
        section: SECTION,
        syntax: "s80_s20(y [, w] [, method => 'eurostat'])",
        description: concat!(
            "Income quintile share ratio: what the richest fifth holds over what the poorest fifth holds. NULL if the poorest \
             hold nothing or less.",
            rows_rule!()
        ),
        example: "> select s80_s20(y), s80_s20(y, 1, 'eurostat') from (values (1.0), (1.0), (1.0), (1.0), (6.0)) as t(y);\n6.0, 1.5",
    },
};

#[derive(Debug)]
struct Share {
    low: f64,
    high: f64,
}

impl Kernel for Share {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let curve = Curve::new(rows);
        let share = |p| curve.lorenz(p);
        sink.maybe(share(self.high).zip(share(self.low)).map(|(high, low)| high - low));
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Ratio {
    pub(super) top: f64,
    pub(super) bottom: f64,
    /// Whole rows beyond quantiles, not parts of the Lorenz curve.
    pub(super) cut: bool,
}

impl Kernel for Ratio {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let curve = Curve::new(rows);
        let held = |p: f64| if self.cut { curve.up_to(curve.quantile(p)) } else { curve.held(p) };
        let bottom = held(self.bottom);
        if bottom > 0.0 {
            sink.number((curve.amount() - held(self.top)) / bottom);
        } else {
            sink.null();
        }
        Ok(())
    }
}
