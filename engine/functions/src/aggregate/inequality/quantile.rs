//! `quantile`: weighted quantiles.

use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::{Curve, SECTION, rows_rule};
use crate::aggregate::frame::{Given, Kernel, Kind, Measure, Parameter, Rows, Shape, Sink, Text, Work, number, weight};

/// A list where a list was given.
pub(super) fn shape(types: &[DataType]) -> Shape {
    let list = types.iter().skip(1).take(1).any(DataType::is_list);
    if list { Shape::Numbers } else { Shape::Number }
}

/// The shares of the population asked for.
pub(super) const P: Parameter = Parameter {
    name: "p",
    kind: Kind::Constants,
    optional: false,
    text: "Share of the population from 0 to 1, or a list of them, which gives a list in one pass.",
};

/// Reads [`P`].
pub(super) fn shares(given: &Given) -> Result<Vec<f64>> {
    given.numbers("p", "expected numbers from 0 to 1", |p| (0.0..=1.0).contains(&p))
}

pub(super) static QUANTILE: Measure = Measure {
    name: "quantile",
    parameters: &[number("y", "Income, consumption or any amount; integers, decimals and doubles."), P, weight()],
    shape,
    work: Work::Rows(|given: &Given| Ok(Box::new(Quantile(shares(given)?)))),
    text: Text {
        section: SECTION,
        syntax: "quantile(y, p [, w])",
        description: concat!(
            "Weighted quantile, in the unit of y: the smallest value at which the share of weight reaches p; 0.5 is the \
             weighted median. No value is interpolated: `percentile_cont` and `median` do that, without weights.",
            rows_rule!()
        ),
        example: "> select quantile(y, 0.5, w), quantile(y, [0.25, 0.5]) from (values (1, 3.0), (2, 1.0), (9, 1.0)) as t(y, w);\n\
                  1.0, [1.0, 2.0]",
    },
};

#[derive(Debug)]
struct Quantile(Vec<f64>);

impl Kernel for Quantile {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let curve = Curve::new(rows);
        let quantiles: Vec<Option<f64>> = self.0.iter().map(|p| Some(curve.quantile(*p))).collect();
        sink.row(&quantiles);
        Ok(())
    }
}
