//! `coverage`: how much of a group has a value.

use datafusion_common::Result;

use super::{SECTION, X};
use crate::aggregate::frame::{Measure, Rows, Shape, Sink, Sums, Text, Work, weight};

pub(super) static COVERAGE: Measure = Measure {
    name: "coverage",
    parameters: &[X, weight()],
    shape: |_| Shape::Number,
    work: Work::Sums(2, |_| Ok(Box::new(Coverage))),
    text: Text {
        section: SECTION,
        syntax: "coverage(x [, w])",
        description: "Share of weight of the rows where x is not NULL, a fraction from 0 to 1; without weights, of their number. Rows \
                      with a NULL or zero weight are left out; without rows the answer is NULL. NaN, infinite values and negative \
                      weights are errors.",
        example: "> select coverage(x), coverage(x, gdp) from (values (1.0, 9.0), (null, 1.0)) as t(x, gdp);\n0.5, 0.9",
    },
};

#[derive(Debug)]
struct Coverage;

impl Sums for Coverage {
    fn terms(&self, rows: &Rows<'_>, terms: &mut [Vec<f64>]) -> Result<()> {
        let [known, all] = terms else { return Ok(()) };
        for (x, w) in rows.weighted() {
            known.push(if x.is_nan() { 0.0 } else { w });
            all.push(w);
        }
        Ok(())
    }

    fn finish(&self, sums: &[f64], sink: &mut Sink) -> Result<()> {
        match sums {
            [known, all] => sink.number(known / all),
            _ => sink.null(),
        }
        Ok(())
    }
}
