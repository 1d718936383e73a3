//! `wb_wavg`: a weighted mean that does without few missing values.

use datafusion_common::Result;

use super::{MIN_COVERAGE, SECTION, X, covers, least, world_bank};
use crate::aggregate::frame::{Given, Kind, Measure, Parameter, Rows, Shape, Sink, Sums, Text, Work};

pub(super) static WB_WAVG: Measure = Measure {
    name: "wb_wavg",
    parameters: &[
        X,
        Parameter {
            name: "w",
            kind: Kind::Weight,
            optional: false,
            text: "The denominator of the ratio x, such as GDP, 0 or more. Rows with a NULL or zero weight are left out.",
        },
        MIN_COVERAGE,
    ],
    shape: |_| Shape::Number,
    work: Work::Sums(3, |given: &Given| Ok(Box::new(Mean { least: least(given, 2.0 / 3.0)? }))),
    text: Text {
        section: SECTION,
        syntax: "wb_wavg(x, w [, min_coverage => 0.6666667])",
        description: concat!(
            "Weighted mean of a ratio over the rows that have it, in the unit of x; NULL if more than a third of the weight is \
             missing.",
            world_bank!()
        ),
        example: "> select wb_wavg(x, gdp) from (values (1.0, 1.0), (2.0, 3.0), (null, 2.0)) as t(x, gdp);\n1.75",
    },
};

#[derive(Debug)]
struct Mean {
    least: f64,
}

impl Sums for Mean {
    fn terms(&self, rows: &Rows<'_>, terms: &mut [Vec<f64>]) -> Result<()> {
        let [values, known, all] = terms else { return Ok(()) };
        for (x, w) in rows.weighted() {
            values.push(if x.is_nan() { 0.0 } else { w * x });
            known.push(if x.is_nan() { 0.0 } else { w });
            all.push(w);
        }
        Ok(())
    }

    fn finish(&self, sums: &[f64], sink: &mut Sink) -> Result<()> {
        match sums {
            [value, known, all] if *known > 0.0 && covers(*known, *all, self.least) => sink.number(value / known),
            _ => sink.null(),
        }
        Ok(())
    }
}
