//! `fgt` and its three usual members: headcount, gap, severity.

use datafusion_common::Result;

use super::line::Line;
use super::{BOTTOM, INCLUSIVE, LINE, SECTION, Y, lines_rule};
use crate::aggregate::frame::{Given, Kernel, Measure, Rows, Shape, Sink, Sums, Text, Work, constant, total, weight};

pub(super) static FGT: Measure = Measure {
    name: "fgt",
    parameters: &[
        Y,
        LINE,
        constant("alpha", "0 counts the poor, 1 weighs them by their gap, 2 by its square; any number of 0 or more."),
        weight(),
        INCLUSIVE,
        BOTTOM,
    ],
    shape: |_| Shape::Number,
    work: Work::Line(WIDTH, |given| Ok(Box::new(Fgt::general(given)?)), |given| Ok(Box::new(Fgt::general(given)?))),
    text: Text {
        section: SECTION,
        syntax: "fgt(y, line, alpha [, w] [, inclusive => true] [, bottom_code => 0])",
        description: concat!(
            "Poverty measure of Foster, Greer and Thorbecke (1984), a fraction: the mean of ((line - y)/line)^alpha over all, \
             zero for those who are not poor. 0 is the headcount ratio, 1 the poverty gap, 2 severity. A value below zero has \
             a gap above 1 unless bottom-coded.",
            lines_rule!()
        ),
        example: "> select fgt(y, 4, 0), fgt(y, 4, 1), fgt(y, 4, 2) from (values (1.0), (3.0), (4.0), (9.0)) as t(y);\n0.5, 0.25, 0.15625",
    },
};

pub(super) static HEADCOUNT: Measure = Measure {
    name: "poverty_headcount",
    parameters: &[Y, LINE, weight(), INCLUSIVE],
    shape: |_| Shape::Number,
    work: Work::Line(WIDTH, |given| Ok(Box::new(Fgt::of(given, 0.0)?)), |given| Ok(Box::new(Fgt::of(given, 0.0)?))),
    text: Text {
        section: SECTION,
        syntax: "poverty_headcount(y, line [, w] [, inclusive => true])",
        description: concat!("Share of the population that is poor, a fraction: `fgt(y, line, 0, w)`.", lines_rule!()),
        example: "> select poverty_headcount(y, 4) from (values (1.0), (3.0), (4.0), (9.0)) as t(y);\n0.5",
    },
};

pub(super) static GAP: Measure = Measure {
    name: "poverty_gap",
    parameters: &[Y, LINE, weight(), INCLUSIVE, BOTTOM],
    shape: |_| Shape::Number,
    work: Work::Line(WIDTH, |given| Ok(Box::new(Fgt::of(given, 1.0)?)), |given| Ok(Box::new(Fgt::of(given, 1.0)?))),
    text: Text {
        section: SECTION,
        syntax: "poverty_gap(y, line [, w] [, inclusive => true] [, bottom_code => 0])",
        description: concat!(
            "Poverty gap index, a fraction: what the poor lack to the line, as a share of the line, in the mean over all; \
             `fgt(y, line, 1, w)`.",
            lines_rule!()
        ),
        example: "> select poverty_gap(y, 4) from (values (1.0), (3.0), (4.0), (9.0)) as t(y);\n0.25",
    },
};

pub(super) static SEVERITY: Measure = Measure {
    name: "poverty_severity",
    parameters: &[Y, LINE, weight(), INCLUSIVE, BOTTOM],
    shape: |_| Shape::Number,
    work: Work::Line(WIDTH, |given| Ok(Box::new(Fgt::of(given, 2.0)?)), |given| Ok(Box::new(Fgt::of(given, 2.0)?))),
    text: Text {
        section: SECTION,
        syntax: "poverty_severity(y, line [, w] [, inclusive => true] [, bottom_code => 0])",
        description: concat!(
            "Squared poverty gap index, a fraction: the mean over all of the squared gap, which counts the poorest most; \
             `fgt(y, line, 2, w)`.",
            lines_rule!()
        ),
        example: "> select poverty_severity(y, 4) from (values (1.0), (3.0), (4.0), (9.0)) as t(y);\n0.15625",
    },
};

/// Sums of weights, of weighted gaps, and the number of lines of zero or less.
pub(super) const WIDTH: usize = 3;

#[derive(Debug)]
struct Fgt {
    line: Line,
    alpha: f64,
}

impl Fgt {
    fn general(given: &Given) -> Result<Self> {
        let alpha = given.required("alpha", "expected a number of 0 or more", |a| a >= 0.0)?;
        Self::of(given, alpha)
    }

    fn of(given: &Given, alpha: f64) -> Result<Self> {
        Ok(Self { line: Line::new(given)?, alpha })
    }
}

impl Sums for Fgt {
    fn terms(&self, rows: &Rows<'_>, terms: &mut [Vec<f64>]) -> Result<()> {
        mean_of(&self.line, rows, terms, |y, line| {
            let gap = (line - y) / line;
            Ok(match self.alpha {
                // On the line the gap is 0, and a poor person counts for 1 all the same.
                0.0 => 1.0,
                1.0 => gap,
                2.0 => gap * gap,
                alpha => gap.powf(alpha),
            })
        })
    }

    fn finish(&self, sums: &[f64], sink: &mut Sink) -> Result<()> {
        mean(sums, sink);
        Ok(())
    }
}

impl Kernel for Fgt {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        from_rows(self, rows, sink)
    }
}

/// Terms of the mean over all of what the poor have.
pub(super) fn mean_of(
    line: &Line,
    rows: &Rows<'_>,
    terms: &mut [Vec<f64>],
    depth: impl Fn(f64, f64) -> Result<f64>,
) -> Result<()> {
    let [weights, depths, wrong] = terms else { return Ok(()) };
    let lines = line.lines(rows);
    for (row, (y, w)) in rows.weighted().enumerate() {
        let (y, z) = (line.value(y), lines(row));
        weights.push(w);
        wrong.push(f64::from(u8::from(z <= 0.0)));
        depths.push(if z > 0.0 && line.poor(y, z) { w * depth(y, z)? } else { 0.0 });
    }
    Ok(())
}

/// The mean of [`mean_of`]'s sums.
pub(super) fn mean(sums: &[f64], sink: &mut Sink) {
    match sums {
        [weight, depth, wrong] if *wrong == 0.0 => sink.number(depth / weight),
        _ => sink.null(),
    }
}

/// Computes from rows what is a mean of sums: with a relative line, which needs all rows first.
pub(super) fn from_rows(sums: &dyn Sums, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
    let mut terms = vec![Vec::new(); WIDTH];
    sums.terms(rows, &mut terms)?;
    let totals: Vec<f64> = terms.into_iter().map(|t| total(t.into_iter())).collect();
    sums.finish(&totals, sink)
}
