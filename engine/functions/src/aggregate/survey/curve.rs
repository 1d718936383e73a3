//! `svy_lorenz`, `svy_quantile_share`, `svy_palma`, `svy_s80_s20`, `svy_quantile_share_ratio`,
//! `svy_lower_partial_sum`: points of the Lorenz curve and what is made of them.

use datafusion_common::Result;

use super::quantile::densities;
use super::several::combine;
use super::{
    DOMAIN, Estimator, FPC, INEQUALITY, LONELY, Linear, METHOD, PSU, REPLICATES, SEED, SHAPE, STRATUM, Sample, W, Y,
    design_rule, design_tail, survey,
};
use crate::aggregate::frame::{Given, Kernel, Kind, Measure, Parameter, Text, Work, constant, option};
use crate::aggregate::inequality::{Curve, HIGH, LOW, bounds};

const SHARES: Parameter = option(
    "shares",
    Kind::Choice(&["lorenz", "eurostat"]),
    "'lorenz' (the default) splits who straddles a bound; 'eurostat' sums whole rows above the upper quantile and up to the lower, as laeken and convey do; its error needs the density there, as that of `svy_quantile`.",
);

pub(super) static SVY_LORENZ: Measure = Measure {
    name: "svy_lorenz",
    parameters: &[
        Y,
        constant("p", "Share of the population from 0 to 1, one number for the whole call."),
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
        survey(given, Share { low: 0.0, high: given.required("p", "expected a number from 0 to 1", share)? })
    }),
    text: Text {
        section: INEQUALITY,
        syntax: concat!("svy_lorenz(y, p, ", design_tail!(), ")"),
        description: concat!(
            "A point of the Lorenz curve as `lorenz` gives it, linearised as by Kovačević and Binder (1997). NULL if the total is \
             zero or negative.",
            design_rule!()
        ),
        example: "> select s['estimate'], round(s['se'], 12) from (select svy_lorenz(y, 0.5, w) as s from (values (1.0, 1.0), (2.0, 1.0), (5.0, 2.0)) as t(y, w));\n0.23076923076923078, 0.062341146467",
    },
};

pub(super) static SVY_QUANTILE_SHARE: Measure = Measure {
    name: "svy_quantile_share",
    parameters: &[Y, LOW, HIGH, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| {
        let (low, high) = bounds(given)?;
        survey(given, Share { low, high })
    }),
    text: Text {
        section: INEQUALITY,
        syntax: concat!("svy_quantile_share(y, low, high, ", design_tail!(), ")"),
        description: concat!(
            "Share of the total that the part of the population between two quantiles holds, as `quantile_share` gives it: the \
             difference of two points of the Lorenz curve, with its error. NULL if the total is zero or negative.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_quantile_share(y, 0.5, 1, w) as s from (values (1.0, 1.0), (3.0, 1.0)) as t(y, w));\n0.75",
    },
};

pub(super) static SVY_PALMA: Measure = Measure {
    name: "svy_palma",
    parameters: &[Y, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| survey(given, Ratio { top: 0.9, bottom: 0.4, cut: false })),
    text: Text {
        section: INEQUALITY,
        syntax: concat!("svy_palma(y, ", design_tail!(), ")"),
        description: concat!(
            "Palma ratio of a survey as `palma` gives it. NULL if the poorest hold nothing or less.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_palma(y, 1) as s from (values (1.0), (1.0), (1.0), (1.0), (6.0)) as t(y));\n1.5",
    },
};

pub(super) static SVY_S80_S20: Measure = Measure {
    name: "svy_s80_s20",
    parameters: &[Y, W, STRATUM, PSU, FPC, DOMAIN, SHARES, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| ratio(given, 0.2, 0.8)),
    text: Text {
        section: INEQUALITY,
        syntax: "svy_s80_s20(y, w [, stratum] [, psu] [, fpc] [, domain => condition] [, shares => 'eurostat'] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "Income quintile share ratio of a survey as `s80_s20` gives it, linearised as by Osier (2009). NULL if the poorest \
             hold nothing or less.",
            design_rule!()
        ),
        example: "> select (svy_s80_s20(y, 1))['estimate'], (svy_s80_s20(y, 1, shares => 'eurostat'))['estimate'] from (values (1.0), (1.0), (1.0), (1.0), (6.0)) as t(y);\n6.0, 1.5",
    },
};

pub(super) static SVY_QUANTILE_SHARE_RATIO: Measure = Measure {
    name: "svy_quantile_share_ratio",
    parameters: &[Y, LOW, HIGH, W, STRATUM, PSU, FPC, DOMAIN, SHARES, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| {
        let (low, high) = bounds(given)?;
        ratio(given, low, high)
    }),
    text: Text {
        section: INEQUALITY,
        syntax: "svy_quantile_share_ratio(y, low, high, w [, stratum] [, psu] [, fpc] [, domain => condition] [, shares => 'eurostat'] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "What those above `high` hold over what the poorest `low` hold, as `quantile_share_ratio` gives it. NULL if the \
             poorest hold nothing or less.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_quantile_share_ratio(y, 0.4, 0.8, 1) as s from (values (1.0), (1.0), (1.0), (1.0), (6.0)) as t(y));\n3.0",
    },
};

pub(super) static SVY_LOWER_PARTIAL_SUM: Measure = Measure {
    name: "svy_lower_partial_sum",
    parameters: &[
        Y,
        constant("p", "Share of the population from 0 to 1, one number for the whole call."),
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
        survey(given, Partial(given.required("p", "expected a number from 0 to 1", share)?))
    }),
    text: Text {
        section: INEQUALITY,
        syntax: concat!("svy_lower_partial_sum(y, p, ", design_tail!(), ")"),
        description: concat!(
            "What those up to and with the quantile of p hold together, as `lower_partial_sum` gives it, in the unit of y; its \
             error needs the density there, as that of `svy_quantile`.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_lower_partial_sum(y, 0.5, w) as s from (values (1.0, 2.0), (3.0, 1.0), (9.0, 1.0)) as t(y, w));\n2.0",
    },
};

fn share(p: f64) -> bool {
    (0.0..=1.0).contains(&p)
}

fn ratio(given: &Given, bottom: f64, top: f64) -> Result<Box<dyn Kernel>> {
    let cut = given.choice("shares")? == Some("eurostat");
    survey(given, Ratio { top, bottom, cut })
}

/// A part of the Lorenz curve.
#[derive(Debug)]
struct Share {
    low: f64,
    high: f64,
}

/// What the richest hold over what the poorest hold.
#[derive(Debug)]
struct Ratio {
    top: f64,
    bottom: f64,
    /// Whole rows beyond quantiles, not parts of the Lorenz curve.
    cut: bool,
}

/// What whole rows up to a quantile hold.
#[derive(Debug)]
struct Partial(f64);

impl Estimator for Share {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let columns = sample.columns();
        let curve = Curve::new(&sample.as_rows(&columns));
        if curve.amount() <= 0.0 || curve.amount().is_nan() {
            return Ok(None);
        }
        let (high, low) = (point(sample, &curve, self.high), point(sample, &curve, self.low));
        Ok(Some(combine(high.estimate - low.estimate, &[(1.0, &high), (-1.0, &low)])))
    }
}

/// A point of the Lorenz curve of a positive total.
fn point(sample: &Sample<'_>, curve: &Curve<'_>, p: f64) -> Linear {
    let amount = curve.amount();
    if p <= 0.0 || p >= 1.0 {
        let estimate = if p <= 0.0 { 0.0 } else { 1.0 };
        return Linear { estimate, influence: vec![0.0; sample.values.len()], beyond: None };
    }
    let (held, at) = (curve.held(p) / amount, curve.between(p));
    let below = |y: f64| if y <= at { y - at } else { 0.0 };
    Linear { estimate: held, influence: sample.influence(|y| (below(y) + p * at - held * y) / amount), beyond: None }
}

/// What whole rows up to a quantile hold, which moves with the sample.
fn partial(sample: &Sample<'_>, curve: &Curve<'_>, p: f64) -> Linear {
    let at = curve.quantile(p);
    let (density, amounts) = densities(&sample.values, &sample.weights, at);
    // The mean value near the quantile; all alike have no density.
    let near = if density > 0.0 { amounts / density } else { at };
    let influence = |y: f64| {
        let inside = f64::from(u8::from(y <= at));
        y * inside - near * (inside - p)
    };
    Linear { estimate: curve.up_to(at), influence: sample.influence(influence), beyond: None }
}

impl Estimator for Partial {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let columns = sample.columns();
        let curve = Curve::new(&sample.as_rows(&columns));
        Ok(Some(partial(sample, &curve, self.0)))
    }
}

impl Estimator for Ratio {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let columns = sample.columns();
        let curve = Curve::new(&sample.as_rows(&columns));
        let amount = curve.amount();
        if amount.is_nan() || (!self.cut && amount <= 0.0) {
            return Ok(None);
        }
        let (top, bottom, all) = if self.cut {
            let all = Linear { estimate: amount, influence: sample.influence(|y| y), beyond: None };
            (partial(sample, &curve, self.top), partial(sample, &curve, self.bottom), all)
        } else {
            let all = Linear { estimate: 1.0, influence: vec![0.0; sample.values.len()], beyond: None };
            (point(sample, &curve, self.top), point(sample, &curve, self.bottom), all)
        };
        let held = bottom.estimate;
        if held.is_nan() || held <= 0.0 {
            return Ok(None);
        }
        let ratio = if self.cut {
            (amount - top.estimate) / held
        } else {
            (amount - curve.held(self.top)) / curve.held(self.bottom)
        };
        Ok(Some(combine(ratio, &[(1.0 / held, &all), (-1.0 / held, &top), (-ratio / held, &bottom)])))
    }
}
