//! `svy_hoover`, `svy_kolm`, `svy_s_gini`, `svy_zenga`, `svy_j_divergence`.

use datafusion_common::Result;

use super::several::combine;
use super::{
    DOMAIN, Estimator, FPC, INEQUALITY, LONELY, Linear, METHOD, PSU, REPLICATES, SEED, SHAPE, STRATUM, Sample, W, Y,
    design_rule, design_tail, survey,
};
use crate::aggregate::frame::{Given, Measure, Text, Total, Work, refuse, total};
use crate::aggregate::inequality::{
    CURVE, KOLM_ALPHA, Point, V, kolm_alpha, kolm_logarithm, points, s_gini_parameter, segments, steps,
};
use crate::aggregate::survey::inequality::Index;

pub(super) static SVY_HOOVER: Measure = Measure {
    name: "svy_hoover",
    parameters: &[Y, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given| survey(given, Hoover)),
    text: Text {
        section: INEQUALITY,
        syntax: concat!("svy_hoover(y, ", design_tail!(), ")"),
        description: concat!(
            "Hoover index of a survey as `hoover` gives it. NULL if the mean is zero or negative.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_hoover(y, 1) as s from (values (1.0), (3.0)) as t(y));\n0.25",
    },
};

pub(super) static SVY_KOLM: Measure = Measure {
    name: "svy_kolm",
    parameters: &[Y, KOLM_ALPHA, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| survey(given, Kolm(kolm_alpha(given)?))),
    text: Text {
        section: INEQUALITY,
        syntax: concat!("svy_kolm(y, alpha, ", design_tail!(), ")"),
        description: concat!("Kolm's index of a survey as `kolm` gives it, in the unit of y.", design_rule!()),
        example: "> select s['estimate'] from (select svy_kolm(y, 1, 1) as s from (values (1.0), (3.0)) as t(y));\n0.4337808304830271",
    },
};

pub(super) static SVY_S_GINI: Measure = Measure {
    name: "svy_s_gini",
    parameters: &[Y, V, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| survey(given, SGini(s_gini_parameter(given)?))),
    text: Text {
        section: INEQUALITY,
        syntax: concat!("svy_s_gini(y, v, ", design_tail!(), ")"),
        description: concat!(
            "Extended Gini coefficient of a survey as `s_gini` gives it. NULL if the mean is zero or negative.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_s_gini(y, 3, 1) as s from (values (1.0), (3.0)) as t(y));\n0.375",
    },
};

pub(super) static SVY_ZENGA: Measure = Measure {
    name: "svy_zenga",
    parameters: &[Y, W, STRATUM, PSU, FPC, DOMAIN, CURVE, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| {
        let lines = given.choice("curve")? == Some("lines");
        survey(given, Zenga { lines })
    }),
    text: Text {
        section: INEQUALITY,
        syntax: "svy_zenga(y, w [, stratum] [, psu] [, fpc] [, domain => condition] [, curve => 'lines'] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "Zenga's index of a survey as `zenga` gives it, linearised by its weights, as Barabesi, Diana and Perri (2016) and \
             Langel and Tillé (2012) do. Negative values are an error: exclude them with `domain => y >= 0`. NULL if the mean is \
             zero.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_zenga(y, 1) as s from (values (1.0), (3.0), (4.0)) as t(y));\n0.9761904761904762",
    },
};

pub(super) static SVY_J_DIVERGENCE: Measure = Measure {
    name: "svy_j_divergence",
    parameters: &[Y, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given| survey(given, Divergence)),
    text: Text {
        section: INEQUALITY,
        syntax: concat!("svy_j_divergence(y, ", design_tail!(), ")"),
        description: concat!(
            "J-divergence of a survey as `j_divergence` gives it. Values of zero or less are an error: exclude them with \
             `domain => y > 0`.",
            design_rule!()
        ),
        example: "> select round(s['estimate'], 12) from (select svy_j_divergence(y, 1) as s from (values (1.0), (3.0)) as t(y));\n0.274653072167",
    },
};

#[derive(Debug)]
pub(super) struct Hoover;

#[derive(Debug)]
pub(super) struct Kolm(pub(super) f64);

#[derive(Debug)]
pub(super) struct SGini(pub(super) f64);

#[derive(Debug)]
pub(super) struct Zenga {
    pub(super) lines: bool,
}

#[derive(Debug)]
pub(super) struct Divergence;

impl Estimator for Hoover {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let columns = sample.columns();
        let mean = sample.as_rows(&columns).mean(0);
        if mean.is_nan() || mean <= 0.0 {
            return Ok(None);
        }
        let lacks = |y: f64| (1.0 - y / mean).max(0.0);
        let hoover = sample.mean(lacks);
        let below = sample.mean(|y| f64::from(u8::from(y < mean)));
        let influence = |y: f64| (lacks(y) - hoover + (below - hoover) * (y / mean - 1.0)) / sample.weight;
        Ok(Some(Linear { estimate: hoover, influence: sample.influence(influence), beyond: None }))
    }
}

impl Estimator for Kolm {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let columns = sample.columns();
        let (log, mean) = kolm_logarithm(&sample.as_rows(&columns), self.0);
        if !log.is_finite() {
            return Ok(None);
        }
        // exp(alpha (m - y)) over its mean, whose logarithm is `log`.
        let relative = |y: f64| (self.0 * (mean - y) - log).exp();
        let influence = |y: f64| ((relative(y) - 1.0) / self.0 + (y - mean)) / sample.weight;
        Ok(Some(Linear { estimate: log / self.0, influence: sample.influence(influence), beyond: None }))
    }
}

impl Estimator for SGini {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let columns = sample.columns();
        let rows = sample.as_rows(&columns);
        let (v, mean) = (self.0, rows.mean(0));
        if mean.is_nan() || mean <= 0.0 {
            return Ok(None);
        }
        // In units of the mean: the weighed mean is the least value and the integral of the
        // power of the share above; a row moves that share at every value below its own.
        let (mut lost, mut centre, mut climbed) = (Total::default(), Total::default(), Total::default());
        let mut heights = vec![0.0];
        steps(&rows, |above, gap| {
            let gap = gap / mean;
            lost.add((above - above.powf(v)) * gap);
            centre.add(v * above.powf(v) * gap);
            climbed.add(v * above.powf(v - 1.0) * gap);
            heights.push(climbed.value());
        });
        let (gini, centre) = (lost.value(), centre.value());
        let mut influence = Vec::with_capacity(sample.values.len());
        let tied = sample.values.chunk_by(|a, b| a == b);
        for (tied, height) in tied.zip(&heights) {
            let y = tied.first().copied().unwrap_or(0.0) / mean;
            // The weighed mean over the mean is 1 - G.
            let z = ((1.0 - gini) * (y - 1.0) - (height - centre)) / sample.weight;
            influence.extend(std::iter::repeat_n(z, tied.len()));
        }
        Ok(Some(Linear { estimate: gini, influence, beyond: None }))
    }
}

impl Estimator for Zenga {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        if let Some(least) = sample.values.first().filter(|y| **y < 0.0) {
            return refuse("svy_zenga", "y", least, "expected values of 0 or more, or `domain => y >= 0`");
        }
        if !self.lines {
            return Ok(by_steps(sample));
        }
        let segments = segments(sample.pairs());
        let (Some(last), estimate) = (segments.last(), total(segments.iter().map(|s| s.area()))) else {
            return Ok(None);
        };
        // With L' the change of the curve at p by a row, the index changes by the integral of
        // -(1 - p)/p L'/(1 - L)^2. On a line of slope s and offset a below the row's value r,
        // L' = s p - r L, and r - s more above it, so two integrals of each line suffice: of
        // (1 - p)/p/(1 - L)^2, and of p times that.
        let mut integrals = Vec::with_capacity(segments.len());
        for segment in segments.get(..segments.len() - 1).unwrap_or_default() {
            let (slope, whole) = (segment.slope, 1.0 + segment.offset());
            let (people, held) = segment.logarithms();
            if slope <= 0.0 {
                integrals.push((0.0, 0.0));
                continue;
            }
            let off = slope / whole - 1.0;
            let spread = 1.0 / (1.0 - segment.held.1) - 1.0 / (1.0 - segment.held.0);
            let first = segment.people.0 > 0.0;
            // For the first line, where nobody is below, the first integral is never needed.
            let plain = if first { (people + held) / (whole * whole) + off / slope * spread } else { 0.0 };
            integrals.push((plain, ((slope - whole) * spread + held) / (slope * slope)));
        }
        let constant = total(segments.iter().zip(&integrals).map(|(s, (_, by))| s.slope * by));
        let own = total(segments.iter().zip(&integrals).map(|(s, (plain, by))| s.slope * by - s.offset() * plain));
        // Of lines above a row's own: sums from the end.
        let mut above = vec![(0.0, 0.0); segments.len()];
        let (mut plain, mut by) = (Total::default(), Total::default());
        for (place, (segment, integral)) in segments.iter().zip(&integrals).enumerate().rev() {
            if let Some(slot) = above.get_mut(place) {
                *slot = (plain.value(), by.value());
            }
            plain.add(integral.0);
            by.add(segment.slope * integral.0);
        }
        let top = if segments.len() > 1 { last.logarithms().0 / last.slope } else { 0.0 };
        let mut influence = Vec::with_capacity(sample.values.len());
        let tied = sample.values.chunk_by(|a, b| a == b);
        for ((tied, segment), (plain, by)) in tied.zip(&segments).zip(&above) {
            let r = segment.slope;
            let below = r * plain - by + constant - r * own;
            let z = -(below + (r - 1.0) * top) / sample.weight;
            influence.extend(std::iter::repeat_n(z, tied.len()));
        }
        Ok(Some(Linear { estimate, influence, beyond: None }))
    }
}

/// Zenga's index of one point a row: 1 - sum(w a), a = (1/p - 1)(1/k - 1), p the share of people
/// with the row and k what it and those above hold.
fn by_steps(sample: &Sample<'_>) -> Option<Linear> {
    let points = points(sample.pairs());
    if points.is_empty() {
        return None;
    }
    let estimate = 1.0 - total(points.iter().map(|p| p.weight * p.ratio()));
    let poorer = |p: &Point| p.weight * (1.0 / p.held - 1.0);
    let richer = |p: &Point| p.weight * (1.0 / p.people - 1.0);
    let (all_people, all_held) = (total(points.iter().map(poorer)), total(points.iter().map(|p| richer(p) / p.held)));
    // A row adds to p of itself and those after it, and to k of itself and those before it.
    let mut after = Total::default();
    let mut from: Vec<f64> = points
        .iter()
        .rev()
        .map(|p| {
            after.add(poorer(p) / p.people / p.people);
            after.value()
        })
        .collect();
    from.reverse();
    let mut until = Total::default();
    let influence = points.iter().zip(from).map(|(p, from)| {
        until.add(richer(p) / p.held / p.held);
        -(p.ratio() + all_people + p.value * all_held - from - p.value * until.value()) / sample.weight
    });
    Some(Linear { estimate, influence: influence.collect(), beyond: None })
}

impl Estimator for Divergence {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let index = |power| Index { function: "svy_j_divergence", power, atkinson: false }.linearise(sample);
        let (Some(t), Some(l)) = (index(1.0)?, index(0.0)?) else { return Ok(None) };
        Ok(Some(combine(t.estimate + l.estimate, &[(1.0, &t), (1.0, &l)])))
    }
}
