//! `wb_sum`: a total that does without few missing values.

use datafusion_common::Result;

use super::{MIN_COVERAGE, SECTION, X, covers, least, world_bank};
use crate::aggregate::frame::{Given, Kind, Measure, Rows, Shape, Sink, Sums, Text, Work, option};

pub(super) static WB_SUM: Measure = Measure {
    name: "wb_sum",
    parameters: &[
        X,
        option(
            "proxy",
            Kind::Weight,
            "What coverage is measured by, such as GDP, 0 or more; without it, by the number of rows. Rows with a NULL or zero proxy are left out.",
        ),
        MIN_COVERAGE,
    ],
    shape: |_| Shape::Number,
    work: Work::Sums(3, |given: &Given| Ok(Box::new(Sum { least: least(given, 2.0 / 3.0)? }))),
    text: Text {
        section: SECTION,
        syntax: "wb_sum(x [, proxy] [, min_coverage => 0.6666667])",
        description: concat!(
            "Sum in the unit of x, nothing imputed; NULL if more than a third is missing, by number or by proxy.",
            world_bank!()
        ),
        example: "> select wb_sum(x), wb_sum(x, gdp) from (values (1.0, 1.0), (2.0, 1.0), (null, 7.0)) as t(x, gdp);\n3.0, NULL",
    },
};

#[derive(Debug)]
struct Sum {
    least: f64,
}

impl Sums for Sum {
    fn terms(&self, rows: &Rows<'_>, terms: &mut [Vec<f64>]) -> Result<()> {
        let [values, known, all] = terms else { return Ok(()) };
        for (x, w) in rows.weighted() {
            values.push(if x.is_nan() { 0.0 } else { x });
            known.push(if x.is_nan() { 0.0 } else { w });
            all.push(w);
        }
        Ok(())
    }

    fn finish(&self, sums: &[f64], sink: &mut Sink) -> Result<()> {
        match sums {
            [value, known, all] if covers(*known, *all, self.least) => sink.number(*value),
            _ => sink.null(),
        }
        Ok(())
    }
}
