//! `lorenz` and `generalised_lorenz`: points of the Lorenz curve.

use datafusion_common::Result;

use super::quantile::{P, shape, shares};
use super::{Curve, SECTION, rows_rule};
use crate::aggregate::frame::{Given, Kernel, Measure, Rows, Sink, Text, Work, number, weight};

pub(super) static LORENZ: Measure = Measure {
    name: "lorenz",
    parameters: &[number("y", "Income, consumption or any amount; integers, decimals and doubles."), P, weight()],
    shape,
    work: Work::Rows(|given: &Given| Ok(Box::new(Lorenz { shares: shares(given)?, general: false }))),
    text: Text {
        section: SECTION,
        syntax: "lorenz(y, p [, w])",
        description: concat!(
            "Lorenz curve (Lorenz 1905), a fraction: the share of the total that the poorest p of the population hold, with \
             straight lines between the points of the data. NULL if the total is zero or negative.",
            rows_rule!()
        ),
        example: "> select lorenz(y, 0.5), lorenz(y, [0.5, 1]) from (values (1.0), (3.0)) as t(y);\n0.25, [0.25, 1.0]",
    },
};

pub(super) static GENERALISED_LORENZ: Measure = Measure {
    name: "generalised_lorenz",
    parameters: &[number("y", "Income, consumption or any amount; integers, decimals and doubles."), P, weight()],
    shape,
    work: Work::Rows(|given: &Given| Ok(Box::new(Lorenz { shares: shares(given)?, general: true }))),
    text: Text {
        section: SECTION,
        syntax: "generalised_lorenz(y, p [, w])",
        description: concat!(
            "Generalised Lorenz curve (Shorrocks 1983), in the unit of y: the Lorenz curve times the mean, that is what the \
             poorest p of the population hold, per head of the whole population.",
            rows_rule!()
        ),
        example: "> select generalised_lorenz(y, [0.5, 1]) from (values (1.0), (3.0)) as t(y);\n[0.5, 2.0]",
    },
};

#[derive(Debug)]
struct Lorenz {
    shares: Vec<f64>,
    general: bool,
}

impl Kernel for Lorenz {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let curve = Curve::new(rows);
        let all = if self.general { curve.weight() } else { curve.amount() };
        if all > 0.0 {
            let points: Vec<Option<f64>> = self.shares.iter().map(|p| Some(curve.held(*p) / all)).collect();
            sink.row(&points);
        } else {
            sink.null();
        }
        Ok(())
    }
}
