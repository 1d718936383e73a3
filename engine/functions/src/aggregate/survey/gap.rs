//! `svy_income_gap_ratio` and `svy_relative_median_poverty_gap`.

use datafusion_common::Result;

use super::poverty::{LINE, Poverty, line_of};
use super::quantile::density;
use super::several::combine;
use super::{
    DOMAIN, Estimator, FPC, LONELY, Linear, METHOD, PSU, REPLICATES, SECTION, SEED, SHAPE, STRATUM, Sample, W, Y,
    design_rule, design_tail, survey,
};
use crate::aggregate::frame::{Given, Measure, Rows, Text, Work};
use crate::aggregate::inequality::Curve;

pub(super) static SVY_INCOME_GAP_RATIO: Measure = Measure {
    name: "svy_income_gap_ratio",
    parameters: &[Y, LINE, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| {
        survey(given, GapRatio { gap: Poverty::new(given, Some(1.0))?, poor: Poverty::new(given, Some(0.0))? })
    }),
    text: Text {
        section: SECTION,
        syntax: concat!("svy_income_gap_ratio(y, line, ", design_tail!(), ")"),
        description: concat!(
            "Income gap ratio as `income_gap_ratio` gives it: the poverty gap over the headcount ratio, linearised as their \
             ratio. NULL if nobody is poor or a line is zero or less.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_income_gap_ratio(y, 4, 1) as s from (values (1.0), (3.0), (4.0), (9.0)) as t(y));\n0.5",
    },
};

pub(super) static SVY_RELATIVE_MEDIAN_POVERTY_GAP: Measure = Measure {
    name: "svy_relative_median_poverty_gap",
    parameters: &[Y, LINE, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| survey(given, MedianGap(Poverty::new(given, Some(0.0))?))),
    text: Text {
        section: SECTION,
        syntax: concat!("svy_relative_median_poverty_gap(y, line, ", design_tail!(), ")"),
        description: concat!(
            "Relative median poverty gap as `relative_median_poverty_gap` gives it, linearised as by Osier (2009): the error of a \
             relative line is part of it, and densities are taken as for `svy_quantile`. NULL if nobody is poor or a line is \
             zero or less.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_relative_median_poverty_gap(y, 4, 1) as s from (values (1.0), (2.0), (3.0), (9.0)) as t(y));\n0.5",
    },
};

/// The poverty gap over the headcount ratio.
#[derive(Debug)]
pub(super) struct GapRatio {
    pub(super) gap: Poverty,
    pub(super) poor: Poverty,
}

impl Estimator for GapRatio {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let (Some(gap), Some(poor)) = (self.gap.linearise(sample)?, self.poor.linearise(sample)?) else {
            return Ok(None);
        };
        Ok(ratio(&gap, &poor))
    }
}

/// The ratio of two estimates; `None` if the second is not positive.
pub(super) fn ratio(above: &Linear, below: &Linear) -> Option<Linear> {
    let ratio = above.estimate / below.estimate;
    let parts = [(1.0 / below.estimate, above), (-ratio / below.estimate, below)];
    (below.estimate > 0.0).then(|| combine(ratio, &parts))
}

/// How far the median of the poor is below the line.
#[derive(Debug)]
struct MedianGap(Poverty);

impl Estimator for MedianGap {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let Some(poor) = self.0.linearise(sample)? else { return Ok(None) };
        let relative = self.0.relative.as_ref().map(|(share, statistic)| line_of(sample, *share, statistic));
        let lines = match (&relative, self.0.line) {
            (Some((line, _)), _) => vec![*line; sample.values.len()],
            (None, Some(column)) => sample.column(column),
            (None, None) => return Ok(None),
        };
        // Values as shares of their lines, in ascending order.
        let mut shares: Vec<(f64, f64)> = sample.pairs().zip(&lines).map(|((y, w), line)| (y / line, w)).collect();
        shares.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (values, weights): (Vec<f64>, Vec<f64>) = shares.into_iter().unzip();
        let below = values.partition_point(|x| *x < 1.0);
        let columns = [values.get(..below).unwrap_or_default()];
        if columns.iter().all(|c| c.is_empty()) {
            return Ok(None);
        }
        let median = Curve::new(&Rows::new(&columns, weights.get(..below))).quantile(0.5);
        let dense = self.density(sample, &relative, &values, &weights, median);
        let all = sample.weight;
        // The median moves with the share of the poor and with the share below itself.
        let below = |share: f64| (f64::from(u8::from(share <= median)) - poor.estimate / 2.0) / all;
        let move_of = |poor: f64, share: f64| if dense > 0.0 { (poor / 2.0 - below(share)) / dense } else { 0.0 };
        let influence = sample.values.iter().zip(&lines).zip(&poor.influence);
        let influence = influence.map(|((y, line), poor)| -move_of(*poor, y / line)).collect();
        let beyond = relative.map(|(line, influence)| {
            // All in shares of the line, so what moves the line moves the share of the median back.
            let moved = poor.beyond.as_deref().unwrap_or_default().iter().copied().chain(std::iter::repeat(0.0));
            let half = |poor: f64| if dense > 0.0 { poor / 2.0 / dense } else { 0.0 };
            influence.iter().zip(moved).map(|(z, poor)| median / line * z - half(poor)).collect()
        });
        Ok(Some(Linear { estimate: 1.0 - median, influence, beyond }))
    }
}

impl MedianGap {
    /// The density of shares at their median among the poor.
    fn density(
        &self,
        sample: &Sample<'_>,
        relative: &Option<(f64, Vec<f64>)>,
        values: &[f64],
        weights: &[f64],
        median: f64,
    ) -> f64 {
        match relative {
            Some((line, _)) => line * density(&sample.values, &sample.weights, median * line),
            None => density(values, weights, median),
        }
    }
}
