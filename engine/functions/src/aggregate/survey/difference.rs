//! `svy_fgt_difference`: what a transfer does to poverty, with its error.

use datafusion_common::Result;

use super::{
    DOMAIN, Estimator, FPC, LONELY, Linear, PSU, Parameter, SECTION, SHAPE, STRATUM, Sample, W, design_rule, survey,
};
use crate::aggregate::frame::{Given, Kind, Measure, Text, Work, constant, number, refuse, total};

pub(super) static SVY_FGT_DIFFERENCE: Measure = Measure {
    name: "svy_fgt_difference",
    parameters: &[
        Parameter {
            name: "post",
            kind: Kind::Nullable,
            optional: false,
            text: "Income with the transfer. A row with NULL is outside the domain: it counts for the design alone.",
        },
        number("pre", "Income of the same household without the transfer; a NULL leaves the row out."),
        number("line", "Poverty line in the unit of both: a number or a column."),
        constant("alpha", "0 counts the poor, 1 weighs them by their gap, 2 by its square; any number of 0 or more."),
        W,
        STRATUM,
        PSU,
        FPC,
        DOMAIN,
        LONELY,
    ],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| {
        let alpha = given.required("alpha", "expected a number of 0 or more", |a| a >= 0.0)?;
        survey(given, Difference(alpha))
    }),
    text: Text {
        section: SECTION,
        syntax: "svy_fgt_difference(post, pre, line, alpha, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'])",
        description: concat!(
            "Poverty with a transfer, such as remittances, less poverty without it: the difference of two `fgt` of the same \
             households, negative where the transfer lessens poverty. Both are of one sample, so the error is that of the \
             households' own differences, not of two estimates. A line of zero or less is an error.",
            design_rule!()
        ),
        example: "> select s['estimate'], s['se'] from (select svy_fgt_difference(y + r, y, 4, 0, w) as s from (values (1.0, 5.0, 1.0), (3.0, 0.0, 1.0), (5.0, 2.0, 1.0), (9.0, 0.0, 1.0)) as t(y, r, w));\n-0.25, 0.25",
    },
};

#[derive(Debug)]
struct Difference(f64);

impl Estimator for Difference {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let (pre, lines) = (sample.rows.column(1), sample.rows.column(2));
        let depth = |y: f64, line: f64| match self.0 {
            _ if y >= line => 0.0,
            0.0 => 1.0,
            alpha => ((line - y) / line).powf(alpha),
        };
        let at = |column: &[f64], row: usize| column.get(row).copied().unwrap_or(f64::NAN);
        let mut changes = Vec::with_capacity(sample.places.len());
        for (row, post) in sample.places.iter().zip(&sample.values) {
            let line = at(lines, *row);
            if line <= 0.0 {
                return refuse("svy_fgt_difference", "line", line, "expected a poverty line greater than 0");
            }
            changes.push(depth(*post, line) - depth(at(pre, *row), line));
        }
        let estimate = total(changes.iter().zip(&sample.weights).map(|(d, w)| w * d)) / sample.weight;
        let influence = changes.iter().map(|d| (d - estimate) / sample.weight).collect();
        Ok(Some(Linear { estimate, influence, beyond: None }))
    }
}
