//! `wb_median`: a median that does without few missing values.

use datafusion_common::Result;

use super::{MIN_COVERAGE, SECTION, X, covers, least, world_bank};
use crate::aggregate::frame::{Given, Kernel, Measure, Rows, Shape, Sink, Text, Work};

pub(super) static WB_MEDIAN: Measure = Measure {
    name: "wb_median",
    parameters: &[X, MIN_COVERAGE],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| Ok(Box::new(Median { least: least(given, 0.5)? }))),
    text: Text {
        section: SECTION,
        syntax: "wb_median(x [, min_coverage => 0.5])",
        description: concat!(
            "Median of the rows that have a value, in the unit of x: the middle one, or the mean of the two in the middle. NULL if \
             more than half of the values are missing.",
            world_bank!()
        ),
        example: "> select wb_median(x) from (values (1.0), (2.0), (9.0), (null)) as t(x);\n2.0",
    },
};

#[derive(Debug)]
struct Median {
    least: f64,
}

impl Kernel for Median {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        // NaN, which stands for NULL, sorts last.
        let values = rows.values();
        let known = values.partition_point(|v| !v.is_nan());
        let value = |row: usize| values.get(row).copied();
        if known == 0 || !covers(known as f64, values.len() as f64, self.least) {
            sink.null();
        } else if known % 2 == 1 {
            sink.maybe(value(known / 2));
        } else {
            sink.maybe(value(known / 2 - 1).zip(value(known / 2)).map(|(a, b)| f64::midpoint(a, b)));
        }
        Ok(())
    }
}
