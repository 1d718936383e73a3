//! `sen` and `sst`: poverty measures that look at inequality among the poor.

use datafusion_common::Result;

use super::line::Line;
use super::{BOTTOM, INCLUSIVE, LINE, SECTION, Y, lines_rule};
use crate::aggregate::frame::{Given, Kernel, Measure, Rows, Shape, Sink, Text, Total, Work, total, weight};
use crate::aggregate::inequality::mid_rank;

pub(super) static SEN: Measure = Measure {
    name: "sen",
    parameters: &[Y, LINE, weight(), INCLUSIVE, BOTTOM],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| Ok(Box::new(Sen { line: Line::new(given)?, thon: false }))),
    text: Text {
        section: SECTION,
        syntax: "sen(y, line [, w] [, inclusive => true] [, bottom_code => 0])",
        description: concat!(
            "Sen's poverty index (Sen 1976), a fraction: H(I + (1 - I)G) with H the headcount ratio, I the mean gap of the \
             poor as a share of the line and G the Gini coefficient (`gini`) among the poor. 0 if nobody is poor. With lines \
             that differ, values count as shares of their line. NULL if the poor have zero or less in the mean.",
            lines_rule!()
        ),
        example: "> select sen(y, 4) from (values (1.0), (3.0), (4.0), (9.0)) as t(y);\n0.3125",
    },
};

pub(super) static SST: Measure = Measure {
    name: "sst",
    parameters: &[Y, LINE, weight(), INCLUSIVE, BOTTOM],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| Ok(Box::new(Sen { line: Line::new(given)?, thon: true }))),
    text: Text {
        section: SECTION,
        syntax: "sst(y, line [, w] [, inclusive => true] [, bottom_code => 0])",
        description: concat!(
            "Poverty index of Sen, Shorrocks and Thon (Shorrocks 1995), a fraction: the mean gap, each person counted by the \
             share of the population that is better off, twice. It is the poverty gap times one plus the Gini coefficient of \
             the gaps of all. 0 if nobody is poor.",
            lines_rule!()
        ),
        example: "> select sst(y, 4) from (values (1.0), (3.0), (4.0), (9.0)) as t(y);\n0.40625",
    },
};

#[derive(Debug)]
struct Sen {
    line: Line,
    thon: bool,
}

impl Kernel for Sen {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let lines = self.line.lines(rows);
        let mut shares = Vec::with_capacity(rows.len());
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
        // Values ascend; as shares of lines that differ they need not.
        shares.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let all = rows.weight_sum();
        if shares.is_empty() {
            sink.number(0.0);
        } else if self.thon {
            sink.number(sst(&shares, all));
        } else {
            sink.maybe(sen(&shares, all));
        }
        Ok(())
    }
}

fn sen(shares: &[(f64, f64)], all: f64) -> Option<f64> {
    let (values, weights): (Vec<f64>, Vec<f64>) = shares.iter().copied().unzip();
    let poor = total(weights.iter().copied());
    let gap = total(shares.iter().map(|(x, w)| w * (1.0 - x))) / poor;
    // One poor person, or poor of no income at all: nothing is unequal among them.
    let equal = values.first() == values.last();
    let gini = if equal { 0.0 } else { mid_rank(&values, Some(&weights))? };
    Some(poor / all * (gap + (1.0 - gap) * gini))
}

fn sst(shares: &[(f64, f64)], all: f64) -> f64 {
    let (mut below, mut sum) = (Total::default(), Total::default());
    let mut rows = shares.iter().peekable();
    while let Some((x, w)) = rows.next() {
        let mut tied = *w;
        while let Some((_, w)) = rows.next_if(|(next, _)| next == x) {
            tied += w;
        }
        sum.add(tied * (1.0 - x) * (all - below.value() - tied / 2.0));
        below.add(tied);
    }
    2.0 * sum.value() / all / all
}
