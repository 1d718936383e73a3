//! `income_gap_ratio` and `relative_median_poverty_gap`: how far below the line the poor are.

use datafusion_common::Result;

use super::line::Line;
use super::{BOTTOM, INCLUSIVE, LINE, SECTION, Y, lines_rule};
use crate::aggregate::frame::{Given, Kernel, Measure, Rows, Shape, Sink, Text, Work, total, weight};
use crate::aggregate::inequality::Curve;

pub(super) static INCOME_GAP_RATIO: Measure = Measure {
    name: "income_gap_ratio",
    parameters: &[Y, LINE, weight(), INCLUSIVE, BOTTOM],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| Ok(Box::new(Gap { line: Line::new(given)?, median: false }))),
    text: Text {
        section: SECTION,
        syntax: "income_gap_ratio(y, line [, w] [, inclusive => true] [, bottom_code => 0])",
        description: concat!(
            "Income gap ratio, a fraction: what the poor lack to the line in the mean, as a share of the line; the poverty gap \
             over the headcount ratio (Sen 1976). NULL if nobody is poor.",
            lines_rule!()
        ),
        example: "> select income_gap_ratio(y, 4) from (values (1.0), (3.0), (4.0), (9.0)) as t(y);\n0.5",
    },
};

pub(super) static RELATIVE_MEDIAN_POVERTY_GAP: Measure = Measure {
    name: "relative_median_poverty_gap",
    parameters: &[Y, LINE, weight(), INCLUSIVE, BOTTOM],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| Ok(Box::new(Gap { line: Line::new(given)?, median: true }))),
    text: Text {
        section: SECTION,
        syntax: "relative_median_poverty_gap(y, line [, w] [, inclusive => true] [, bottom_code => 0])",
        description: concat!(
            "Relative median at-risk-of-poverty gap (Eurostat), a fraction: how far the median of the poor is below the line, as \
             a share of the line; of the ratios of values to lines where lines differ. Eurostat's line is \
             `relative(0.6, 'median')`. NULL if nobody is poor.",
            lines_rule!()
        ),
        example: "> select relative_median_poverty_gap(y, 4) from (values (1.0), (2.0), (3.0), (9.0)) as t(y);\n0.5",
    },
};

#[derive(Debug)]
struct Gap {
    line: Line,
    median: bool,
}

impl Kernel for Gap {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let lines = self.line.lines(rows);
        let mut shares = Vec::new();
        for (row, (y, w)) in rows.weighted().enumerate() {
            let (y, z) = (self.line.value(y), lines(row));
            if z <= 0.0 {
                sink.null();
                return Ok(());
            }
            if self.line.poor(y, z) {
                shares.push((y / z, w));
            }
        }
        if shares.is_empty() {
            sink.null();
            return Ok(());
        }
        // Values ascend; as shares of lines that differ they need not.
        shares.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (values, weights): (Vec<f64>, Vec<f64>) = shares.into_iter().unzip();
        let columns = [values.as_slice()];
        let poor = Rows::new(&columns, Some(&weights));
        sink.number(if self.median {
            1.0 - Curve::new(&poor).quantile(0.5)
        } else {
            total(poor.weighted().map(|(x, w)| w * (1.0 - x))) / poor.weight_sum()
        });
        Ok(())
    }
}
