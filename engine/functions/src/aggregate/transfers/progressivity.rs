//! `kakwani`, `reynolds_smolensky`, `reranking`: how a transfer changes a distribution.

use datafusion_common::Result;

use super::{SECTION, rows_rule};
use crate::aggregate::frame::{Kernel, Measure, Parameter, Rows, Shape, Sink, Text, Work, number, weight};
use crate::aggregate::inequality::Ranks;

const PRE: Parameter = number("pre", "Income without the transfer, in the unit of the other argument.");
const POST: Parameter = number("post", "Income with the transfer.");

pub(super) static KAKWANI: Measure = Measure {
    name: "kakwani",
    parameters: &[number("transfer", "The transfer; zero for those who receive none."), PRE, weight()],
    shape: |_| Shape::Number,
    work: Work::Rows(|_| Ok(Box::new(Of(Index::Kakwani)))),
    text: Text {
        section: SECTION,
        syntax: "kakwani(transfer, pre [, w])",
        description: concat!(
            "Kakwani index of a transfer (Kakwani 1977): its concentration coefficient over income without it, less the Gini \
             coefficient of that income. Negative: distributed more equally than income, that is in favour of the poor. NULL \
             if either mean is zero or negative.",
            rows_rule!()
        ),
        example: "> select kakwani(r, y) from (values (2.0, 1.0), (0.0, 5.0), (0.0, 9.0)) as t(r, y);\n-1.0222222222222221",
    },
};

pub(super) static REYNOLDS_SMOLENSKY: Measure = Measure {
    name: "reynolds_smolensky",
    parameters: &[PRE, POST, weight()],
    shape: |_| Shape::Number,
    work: Work::Rows(|_| Ok(Box::new(Of(Index::ReynoldsSmolensky)))),
    text: Text {
        section: SECTION,
        syntax: "reynolds_smolensky(pre, post [, w])",
        description: concat!(
            "Reynolds-Smolensky index (Reynolds and Smolensky 1977): the Gini coefficient without the transfer less the \
             concentration coefficient of income with it, people ranked by income without it. Positive: the transfer equalises. \
             With g the ratio of all transfers to all income without them it is -g/(1+g) times `kakwani`. The change of the Gini \
             coefficient itself is this less `reranking`. NULL if either mean is zero or negative.",
            rows_rule!()
        ),
        example: "> select reynolds_smolensky(y, y + r) from (values (2.0, 1.0), (0.0, 5.0), (0.0, 9.0)) as t(r, y);\n0.12026143790849672",
    },
};

pub(super) static RERANKING: Measure = Measure {
    name: "reranking",
    parameters: &[PRE, POST, weight()],
    shape: |_| Shape::Number,
    work: Work::Rows(|_| Ok(Box::new(Of(Index::Reranking)))),
    text: Text {
        section: SECTION,
        syntax: "reranking(pre, post [, w])",
        description: concat!(
            "Re-ranking by a transfer (Atkinson 1980, Plotnick 1981), 0 or more: the Gini coefficient with the transfer less the \
             concentration coefficient of that income, people ranked by income without it. 0 if nobody overtakes. NULL if the \
             mean is zero or negative.",
            rows_rule!()
        ),
        example: "> select reranking(y, y + r) from (values (6.0, 1.0), (0.0, 5.0), (0.0, 9.0)) as t(r, y);\n0.06349206349206349",
    },
};

#[derive(Debug)]
enum Index {
    Kakwani,
    ReynoldsSmolensky,
    Reranking,
}

#[derive(Debug)]
struct Of(Index);

impl Kernel for Of {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let difference = |a: Option<f64>, b: Option<f64>| Some(a? - b?);
        sink.maybe(match self.0 {
            Index::Kakwani => {
                let before = Ranks::new(rows, 1);
                difference(before.concentration(rows, 0), before.concentration(rows, 1))
            }
            Index::ReynoldsSmolensky => {
                let before = Ranks::new(rows, 0);
                difference(before.concentration(rows, 0), before.concentration(rows, 1))
            }
            Index::Reranking => {
                let after = Ranks::new(rows, 1).concentration(rows, 1);
                difference(after, Ranks::new(rows, 0).concentration(rows, 1))
            }
        });
        Ok(())
    }
}
