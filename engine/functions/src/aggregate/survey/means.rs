//! `svy_mean`, `svy_total`, `svy_ratio`.

use datafusion_common::Result;

use super::{
    DOMAIN, Estimator, FPC, LONELY, Linear, METHOD, PSU, REPLICATES, SECTION, SEED, SHAPE, STRATUM, Sample, Terms, W,
    Y, design_rule, survey,
};
use crate::aggregate::frame::{Measure, Text, Work, number, total};

pub(super) static SVY_MEAN: Measure = Measure {
    name: "svy_mean",
    parameters: &[Y, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given| survey(given, Moment::Mean)),
    text: Text {
        section: SECTION,
        syntax: "svy_mean(y, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!("Weighted mean of a survey, in the unit of y; of 1 and 0 a share.", design_rule!()),
        example: "> select s['estimate'], s['se'], s['df'] from (select svy_mean(y, w, h) as s from (values (1.0, 1.0, 'a'), (3.0, 1.0, 'a'), (5.0, 2.0, 'b'), (9.0, 2.0, 'b')) as t(y, w, h));\n5.333333333333333, 1.3743685418725535, 2",
    },
};

pub(super) static SVY_TOTAL: Measure = Measure {
    name: "svy_total",
    parameters: &[Y, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given| survey(given, Moment::Total)),
    text: Text {
        section: SECTION,
        syntax: "svy_total(y, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!("Estimated population total, in the unit of y.", design_rule!()),
        example: "> select s['estimate'], s['se'] from (select svy_total(y, w) as s from (values (1.0, 10.0), (3.0, 10.0)) as t(y, w));\n40.0, 20.0",
    },
};

pub(super) static SVY_RATIO: Measure = Measure {
    name: "svy_ratio",
    parameters: &[
        Y,
        number("x", "The denominator; a NULL leaves the row out."),
        W,
        STRATUM,
        PSU,
        FPC,
        DOMAIN,
        LONELY,
        METHOD,
        REPLICATES,
        SEED,
    ],
    shape: SHAPE,
    work: Work::Rows(|given| survey(given, Moment::Ratio)),
    text: Text {
        section: SECTION,
        syntax: "svy_ratio(y, x, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "Ratio of two estimated totals, such as remittances over income. NULL if the denominator is zero.",
            design_rule!()
        ),
        example: "> select s['estimate'], s['se'] from (select svy_ratio(y, x, w) as s from (values (1.0, 2.0, 1.0), (3.0, 4.0, 1.0)) as t(y, x, w));\n0.6666666666666666, 0.11111111111111113",
    },
};

/// A mean, a total, a ratio.
#[derive(Debug)]
pub(super) enum Moment {
    Mean,
    Total,
    Ratio,
}

impl Estimator for Moment {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let all = sample.weight;
        Ok(match self {
            Self::Mean => {
                let mean = sample.mean(|y| y);
                Some(Linear { estimate: mean, influence: sample.influence(|y| (y - mean) / all), beyond: None })
            }
            Self::Total => {
                let estimate = total(sample.pairs().map(|(y, w)| w * y));
                Some(Linear { estimate, influence: sample.influence(|y| y), beyond: None })
            }
            Self::Ratio => {
                let x = sample.column(1);
                let below = total(x.iter().zip(&sample.weights).map(|(x, w)| w * x));
                let ratio = total(sample.pairs().map(|(y, w)| w * y)) / below;
                let influence = sample.values.iter().zip(&x).map(|(y, x)| (y - ratio * x) / below).collect();
                (below != 0.0).then_some(Linear { estimate: ratio, influence, beyond: None })
            }
        })
    }
    fn terms(&self, sample: &Sample<'_>) -> Result<Option<Terms>> {
        let values = sample.values.clone();
        Ok(Some(match self {
            Self::Mean => Terms::Ratio(values, None),
            Self::Total => Terms::Total(values),
            Self::Ratio => Terms::Ratio(values, Some(sample.column(1))),
        }))
    }
}
