//! `concentration`: the concentration coefficient.

use datafusion_common::Result;

use super::{SECTION, rows_rule};
use crate::aggregate::frame::{Kernel, Measure, Rows, Shape, Sink, Text, Work, number, weight};
use crate::aggregate::inequality::Ranks;

pub(super) static CONCENTRATION: Measure = Measure {
    name: "concentration",
    parameters: &[
        number("x", "What is distributed: remittances, a tax, a source of income. Zero where there is none."),
        number("rank_by", "What people are ranked by, for example income before remittances."),
        weight(),
    ],
    shape: |_| Shape::Number,
    work: Work::Rows(|_| Ok(Box::new(Concentration))),
    text: Text {
        section: SECTION,
        syntax: "concentration(x, rank_by [, w])",
        description: concat!(
            "Concentration coefficient, from -1 (all goes to the poorest) over 0 to 1 (all goes to the richest): \
             2 cov(x, F(rank_by))/mean(x) with mid-ranks (Kakwani 1977). `concentration(x, x, w)` is `gini(x, w)`. NULL if the \
             mean of x is zero or negative.",
            rows_rule!()
        ),
        example: "> select concentration(x, y) from (values (2.0, 1.0), (0.0, 5.0), (0.0, 9.0)) as t(x, y);\n-0.6666666666666666",
    },
};

#[derive(Debug)]
struct Concentration;

impl Kernel for Concentration {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        sink.maybe(Ranks::new(rows, 1).concentration(rows, 0));
        Ok(())
    }
}
