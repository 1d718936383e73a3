//! `svy_gini`, `svy_ge`, `svy_atkinson`.

use datafusion_common::Result;

use super::{
    DOMAIN, Estimator, FPC, INEQUALITY, LONELY, Linear, METHOD, PSU, REPLICATES, SEED, SHAPE, STRATUM, Sample, Terms,
    W, Y, design_rule, survey,
};
use crate::aggregate::frame::{Given, Measure, Text, Total, Work, constant, refuse};
use crate::aggregate::inequality::mid_rank;

pub(super) static SVY_GINI: Measure = Measure {
    name: "svy_gini",
    parameters: &[Y, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given| survey(given, Gini)),
    text: Text {
        section: INEQUALITY,
        syntax: "svy_gini(y, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "Gini coefficient of a survey as `gini` gives it. NULL if the mean is zero or negative.",
            design_rule!()
        ),
        example: "> select s['estimate'], s['n'] from (select svy_gini(y, w) as s from (values (1.0, 1.0), (3.0, 2.0)) as t(y, w));\n0.19047619047619047, 2",
    },
};

pub(super) static SVY_GE: Measure = Measure {
    name: "svy_ge",
    parameters: &[
        Y,
        constant("alpha", "Sensitivity, one number for the whole call: 0 is Theil's L, 1 Theil's T."),
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
    work: Work::Rows(|given: &Given| {
        let alpha = given.required("alpha", "expected a finite number", |_| true)?;
        survey(given, Index { function: "svy_ge", power: alpha, atkinson: false })
    }),
    text: Text {
        section: INEQUALITY,
        syntax: "svy_ge(y, alpha, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "Generalised entropy of a survey as `ge` gives it. Values of zero or less are an error where they have no power or \
             logarithm: exclude them with `domain => y > 0`. NULL if the mean is zero or negative.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_ge(y, 2, w) as s from (values (1.0, 1.0), (3.0, 1.0)) as t(y, w));\n0.125",
    },
};

pub(super) static SVY_ATKINSON: Measure = Measure {
    name: "svy_atkinson",
    parameters: &[
        Y,
        constant("epsilon", "Aversion to inequality, one number greater than 0 for the whole call."),
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
    work: Work::Rows(|given: &Given| {
        let epsilon = given.required("epsilon", "expected a number greater than 0", |e| e > 0.0)?;
        survey(given, Index { function: "svy_atkinson", power: 1.0 - epsilon, atkinson: true })
    }),
    text: Text {
        section: INEQUALITY,
        syntax: "svy_atkinson(y, epsilon, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "Atkinson's index of a survey as `atkinson` gives it. Values of zero or less are an error where they have no power or \
             logarithm: exclude them with `domain => y > 0`. NULL if the mean is zero or negative.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_atkinson(y, 1, w) as s from (values (2.0, 1.0), (2.0, 1.0)) as t(y, w));\n0.0",
    },
};

/// The Gini coefficient.
#[derive(Debug)]
pub(super) struct Gini;

impl Estimator for Gini {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let Some(gini) = mid_rank(&sample.values, Some(&sample.weights)) else { return Ok(None) };
        let all = sample.weight;
        let amount = all * sample.mean(|y| y);
        let (mut below, mut held) = (Total::default(), Total::default());
        let mut influence = Vec::with_capacity(sample.values.len());
        let pairs: Vec<(f64, f64)> = sample.pairs().collect();
        for tied in pairs.chunk_by(|a, b| a.0 == b.0) {
            let (mut weight, mut at) = (Total::default(), Total::default());
            for (y, w) in tied {
                weight.add(*w);
                at.add(w * y);
            }
            let (w, amount_at) = (weight.value(), at.value());
            // Shares of people below, and what those above hold, with half of the ties each.
            let rank = (below.value() + w / 2.0) / all;
            let above = amount - held.value() - amount_at / 2.0;
            let y = tied.first().map_or(0.0, |t| t.0);
            let z = (2.0 * y * rank + 2.0 * above / all - (gini + 1.0) * (y + amount / all)) / amount;
            influence.extend(std::iter::repeat_n(z, tied.len()));
            below.merge(weight);
            held.merge(at);
        }
        Ok(Some(Linear { estimate: gini, influence, beyond: None }))
    }

    fn terms(&self, _: &Sample<'_>) -> Result<Option<Terms>> {
        Ok(Some(Terms::Gini))
    }
}

/// Generalised entropy of a power, or Atkinson's index of the same.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) function: &'static str,
    pub(super) power: f64,
    pub(super) atkinson: bool,
}

impl Estimator for Index {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let mean = sample.mean(|y| y);
        let least = sample.values.first().copied().unwrap_or(0.0);
        let p = self.power;
        let logs = p <= 0.0 || (p == 1.0 && !self.atkinson);
        if (logs && least <= 0.0) || (p.fract() != 0.0 && least < 0.0) {
            return refuse(self.function, "y", least, "expected values greater than 0, or `domain => y > 0`");
        }
        if mean.is_nan() || mean <= 0.0 {
            return Ok(None);
        }
        let all = sample.weight;
        // All below is of r = y/mean.
        let of = |f: &dyn Fn(f64) -> f64| sample.mean(|y| f(y / mean));
        let spread = |f: &dyn Fn(f64) -> f64| sample.influence(|y| f(y / mean) / all);
        let linear = |estimate: f64, influence: Vec<f64>| Some(Linear { estimate, influence, beyond: None });
        Ok(if p == 0.0 {
            let log = of(&|r| r.ln());
            if self.atkinson {
                let kept = log.exp();
                linear(1.0 - kept, spread(&|r| kept * ((r - 1.0) - (r.ln() - log))))
            } else {
                linear(-log, spread(&|r| (r - 1.0) - (r.ln() - log)))
            }
        } else if self.atkinson {
            let m = of(&|r| r.powf(p));
            let kept = m.powf(1.0 / p);
            linear(1.0 - kept, spread(&|r| kept * ((r - 1.0) - (r.powf(p) - m) / (p * m))))
        } else if p == 1.0 {
            let t = of(&|r| if r > 0.0 { r * r.ln() } else { 0.0 });
            linear(t, spread(&|r| r * r.ln() - t - (t + 1.0) * (r - 1.0)))
        } else {
            let m = of(&|r| r.powf(p));
            let scale = p * (p - 1.0);
            linear((m - 1.0) / scale, spread(&|r| (r.powf(p) - m - p * m * (r - 1.0)) / scale))
        })
    }
}
