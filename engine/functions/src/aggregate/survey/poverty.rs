//! `svy_fgt` and `svy_watts`.

use datafusion_common::Result;

use super::quantile::{density, linear};
use super::{
    DOMAIN, Estimator, FPC, LONELY, Linear, METHOD, PSU, REPLICATES, SECTION, SEED, SHAPE, STRATUM, Sample, Terms, W,
    Y, design_rule, survey,
};
use crate::aggregate::frame::{Given, Kind, Measure, Parameter, Text, Work, constant, refuse, total};

pub(super) const LINE: Parameter = Parameter {
    name: "line",
    kind: Kind::Line,
    optional: false,
    text: "Poverty line in the unit of y: a number, a column, or `relative(0.6, 'median')` of all rows, in the domain or not.",
};

pub(super) const ALPHA: Parameter =
    constant("alpha", "0 counts the poor, 1 weighs them by their gap, 2 by its square; any number of 0 or more.");

pub(super) static SVY_FGT: Measure = Measure {
    name: "svy_fgt",
    parameters: &[Y, LINE, ALPHA, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| {
        let alpha = given.required("alpha", "expected a number of 0 or more", |a| a >= 0.0)?;
        survey(given, Poverty::new(given, Some(alpha))?)
    }),
    text: Text {
        section: SECTION,
        syntax: "svy_fgt(y, line, alpha, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "Poverty measure of Foster, Greer and Thorbecke as `fgt` gives it. The error of a relative line is part of the error: \
             with the density of values there, as for `svy_quantile` (Osier 2009). NULL if a line is zero or less.",
            design_rule!()
        ),
        example: "> select s['estimate'], s['se'] from (select svy_fgt(y, 4, 0, w) as s from (values (1.0, 1.0), (3.0, 1.0), (5.0, 1.0), (9.0, 1.0)) as t(y, w));\n0.5, 0.28867513459481287",
    },
};

pub(super) static SVY_WATTS: Measure = Measure {
    name: "svy_watts",
    parameters: &[Y, LINE, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| survey(given, Poverty::new(given, None)?)),
    text: Text {
        section: SECTION,
        syntax: "svy_watts(y, line, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "Watts index as `watts` gives it; values of zero or less among the poor are an error. NULL if a line is zero or less.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_watts(y, 4, w) as s from (values (1.0, 1.0), (2.0, 1.0), (4.0, 1.0), (9.0, 1.0)) as t(y, w));\n0.5198603854199589",
    },
};

#[derive(Debug)]
pub(super) struct Poverty {
    function: &'static str,
    /// None for the Watts index.
    alpha: Option<f64>,
    pub(super) line: Option<usize>,
    pub(super) relative: Option<(f64, String)>,
}

impl Poverty {
    pub(super) fn new(given: &Given, alpha: Option<f64>) -> Result<Self> {
        Self::of(given, "line", alpha)
    }

    /// With the line in the argument of that name.
    pub(super) fn of(given: &Given, name: &str, alpha: Option<f64>) -> Result<Self> {
        let (function, relative) = (given.measure.name, given.relative(name));
        if relative.is_none()
            && let Some(line) = given.number(name)?
            && line <= 0.0
        {
            return refuse(function, name, line, "expected a poverty line greater than 0");
        }
        Ok(Self { function, alpha, line: given.column(name), relative })
    }

    /// What a poor person counts.
    fn depth(&self, y: f64, line: f64) -> Result<f64> {
        let gap = (line - y) / line;
        match self.alpha {
            _ if y >= line => Ok(0.0),
            Some(0.0) => Ok(1.0),
            Some(alpha) => Ok(gap.powf(alpha)),
            None if y <= 0.0 => refuse(self.function, "y", y, "expected values greater than 0 among the poor"),
            None => Ok((line / y).ln()),
        }
    }

    /// By how much the measure changes with the line.
    fn slope(&self, sample: &Sample<'_>, line: f64) -> f64 {
        let of = |f: &dyn Fn(f64) -> f64| sample.mean(|y| if y < line { f(y) } else { 0.0 });
        match self.alpha {
            Some(0.0) => density(&sample.values, &sample.weights, line),
            Some(alpha) => of(&|y| alpha * ((line - y) / line).powf(alpha - 1.0) * y / (line * line)),
            None => of(&|_| 1.0 / line),
        }
    }
}

/// A line relative to all rows, and the influence of each of them.
pub(super) fn line_of(sample: &Sample<'_>, share: f64, statistic: &str) -> (f64, Vec<f64>) {
    // Values that are NULL come last.
    let values = sample.rows.values();
    let values = values.get(..values.partition_point(|y| !y.is_nan())).unwrap_or_default();
    let weights: Vec<f64> = (0..values.len()).map(|row| sample.rows.weight(row)).collect();
    let (at, influence) = if statistic == "mean" {
        let all = total(weights.iter().copied());
        let mean = total(values.iter().zip(&weights).map(|(y, w)| w * y)) / all;
        (mean, values.iter().map(|y| (y - mean) / all).collect())
    } else {
        linear(values, &weights, 0.5)
    };
    (share * at, influence.into_iter().map(|z: f64| share * z).collect())
}

impl Poverty {
    /// How poor each row is by its line; `None` with a line of zero or less.
    fn depths(&self, sample: &Sample<'_>, lines: &[f64]) -> Result<Option<Vec<f64>>> {
        if lines.iter().any(|line| *line <= 0.0) {
            return Ok(None);
        }
        sample.values.iter().zip(lines).map(|(y, z)| self.depth(*y, *z)).collect::<Result<_>>().map(Some)
    }
}

impl Estimator for Poverty {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let relative = self.relative.as_ref().map(|(share, statistic)| line_of(sample, *share, statistic));
        let lines = match (&relative, self.line) {
            (Some((line, _)), _) => vec![*line; sample.places.len()],
            (None, Some(column)) => sample.column(column),
            (None, None) => return Ok(None),
        };
        let Some(depths) = self.depths(sample, &lines)? else { return Ok(None) };
        let estimate = total(depths.iter().zip(&sample.weights).map(|(d, w)| w * d)) / sample.weight;
        let influence = depths.iter().map(|d| (d - estimate) / sample.weight).collect();
        let beyond = relative.map(|(line, influence)| {
            let slope = self.slope(sample, line);
            influence.into_iter().map(|z| slope * z).collect()
        });
        Ok(Some(Linear { estimate, influence, beyond }))
    }

    fn terms(&self, sample: &Sample<'_>) -> Result<Option<Terms>> {
        // A relative line moves from one replicate to the next.
        let Some(column) = self.line.filter(|_| self.relative.is_none()) else { return Ok(None) };
        Ok(self.depths(sample, &sample.column(column))?.map(|depths| Terms::Ratio(depths, None)))
    }
}
