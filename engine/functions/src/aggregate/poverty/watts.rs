//! `watts`: the poverty measure of Watts.

use datafusion_common::Result;

use super::fgt::{WIDTH, from_rows, mean, mean_of};
use super::line::Line;
use super::{BOTTOM, INCLUSIVE, LINE, SECTION, Y, lines_rule};
use crate::aggregate::frame::{Given, Kernel, Measure, Rows, Shape, Sink, Sums, Text, Work, refuse, weight};

pub(super) static WATTS: Measure = Measure {
    name: "watts",
    parameters: &[Y, LINE, weight(), INCLUSIVE, BOTTOM],
    shape: |_| Shape::Number,
    work: Work::Line(WIDTH, |given| Ok(Box::new(Watts::new(given)?)), |given| Ok(Box::new(Watts::new(given)?))),
    text: Text {
        section: SECTION,
        syntax: "watts(y, line [, w] [, inclusive => true] [, bottom_code => 1])",
        description: concat!(
            "Watts index (Watts 1968), 0 or more: the mean over all of ln(line/y), zero for those who are not poor. A poor \
             person with a value of zero or less has no logarithm: an error unless bottom-coded to a number greater than 0.",
            lines_rule!()
        ),
        example: "> select watts(y, 4) from (values (1.0), (2.0), (4.0), (9.0)) as t(y);\n0.5198603854199589",
    },
};

#[derive(Debug)]
struct Watts(Line);

impl Watts {
    fn new(given: &Given) -> Result<Self> {
        let line = Line::new(given)?;
        match line.bottom {
            Some(bottom) if bottom <= 0.0 => {
                refuse("watts", "bottom_code", bottom, "expected a number greater than 0, which has a logarithm")
            }
            _ => Ok(Self(line)),
        }
    }
}

impl Sums for Watts {
    fn terms(&self, rows: &Rows<'_>, terms: &mut [Vec<f64>]) -> Result<()> {
        mean_of(&self.0, rows, terms, |y, line| {
            if y <= 0.0 {
                return refuse("watts", "y", y, "expected values greater than 0 among the poor, or a `bottom_code`");
            }
            Ok((line / y).ln())
        })
    }

    fn finish(&self, sums: &[f64], sink: &mut Sink) -> Result<()> {
        mean(sums, sink);
        Ok(())
    }
}

impl Kernel for Watts {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        from_rows(self, rows, sink)
    }
}
