//! `gini_by_source`: the Gini coefficient by source of income.

use datafusion_common::Result;

use super::{SECTION, rows_rule};
use crate::aggregate::frame::{
    Field, Given, Kernel, Kind, Measure, Parameter, Rows, Shape, Sink, Text, Work, number, weight,
};
use crate::aggregate::inequality::Ranks;

const FIELDS: &[Field] = &[
    Field::Label("source"),
    Field::Number("s"),
    Field::Number("g"),
    Field::Number("r"),
    Field::Number("share"),
    Field::Number("elasticity"),
];

pub(super) static GINI_BY_SOURCE: Measure = Measure {
    name: "gini_by_source",
    parameters: &[
        number("total", "Total income, the sum of its sources."),
        Parameter {
            name: "sources",
            kind: Kind::Sources,
            optional: false,
            text: "The sources as a struct: `{labour: labour, remittances: remit}` or `named_struct('labour', labour, …)`. Zero where there is none.",
        },
        weight(),
    ],
    shape: |_| Shape::Structs(FIELDS),
    work: Work::Rows(|given: &Given| Ok(Box::new(BySource(given.labels("sources").len())))),
    text: Text {
        section: SECTION,
        syntax: "gini_by_source(total, sources [, w])",
        description: concat!(
            "Decomposition of the Gini coefficient G of total income by source (Lerman and Yitzhaki 1985; Stark, Taylor and \
             Yitzhaki 1986), a list with a struct for each source; `unnest` makes rows of it. `s` is the source's share of total \
             income, `g` its own Gini coefficient, `r` its Gini correlation with the ranks of total income, so that G is the sum \
             of s·g·r; g·r is its concentration coefficient. `share` is its part of G, s·g·r/G; `elasticity` the relative change \
             of G when the source grows by one percent, share - s. Shares of G add up to 1 and elasticities to 0 if the sources \
             add up to the total. With negative values g may exceed 1. A source that is the same for all has no r and a share of \
             0; one with a mean of zero has no g. NULL if the mean of total income is zero or negative.",
            rows_rule!()
        ),
        example: "> select unnest(gini_by_source(a + b, {labour: a, remit: b})) from (values (1.0, 3.0), (4.0, 0.0), (9.0, 1.0)) as t(a, b);\n\
                  {source: labour, s: 0.7777777777777778, g: 0.38095238095238093, r: 0.8125, share: 1.0833333333333335, elasticity: 0.3055555555555557}\n\
                  {source: remit, s: 0.2222222222222222, g: 0.5, r: -0.16666666666666669, share: -0.08333333333333334, elasticity: -0.3055555555555556}",
    },
};

#[derive(Debug)]
struct BySource(usize);

impl Kernel for BySource {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let mean = rows.mean(0);
        if mean.is_nan() || mean <= 0.0 {
            sink.null();
            return Ok(());
        }
        let totals = Ranks::new(rows, 0);
        let all = totals.covariance(rows, 0);
        let mut cells = Vec::with_capacity(self.0 * FIELDS.len());
        for source in 0..self.0 {
            let column = source + 1;
            let own = Ranks::new(rows, column).covariance(rows, column);
            let with_total = totals.covariance(rows, column);
            let part = rows.mean(column);
            let s = part / mean;
            let share = if own == 0.0 { 0.0 } else { with_total / all };
            cells.extend([
                Some(source as f64),
                Some(s),
                (part != 0.0).then(|| own / part),
                (own != 0.0).then(|| with_total / own),
                Some(share),
                Some(share - s),
            ]);
        }
        sink.row(&cells);
        Ok(())
    }
}
