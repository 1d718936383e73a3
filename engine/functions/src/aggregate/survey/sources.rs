//! `svy_concentration` and `svy_gini_by_source`.

use datafusion_common::Result;

use super::gap::ratio;
use super::parts::part_fields;
use super::several::{Estimators, combine, several};
use super::{
    DOMAIN, Estimator, FPC, INEQUALITY, LONELY, Linear, METHOD, PSU, REPLICATES, SEED, SHAPE, STRATUM, Sample, W, Y,
    design_rule, design_tail, survey,
};
use crate::aggregate::frame::{Field, Given, Kind, Measure, Parameter, Rows, Shape, Text, Work, number};
use crate::aggregate::inequality::Ranks;

const MEASURES: &[&str] = &["s", "g", "r", "share", "elasticity"];
const FIELDS: &[Field] = part_fields![Field::Label("source"), Field::Word("measure", MEASURES)];

pub(super) static SVY_CONCENTRATION: Measure = Measure {
    name: "svy_concentration",
    parameters: &[
        Parameter {
            name: "x",
            kind: Kind::Nullable,
            optional: false,
            text: "What is distributed; zero where there is none. A row with NULL is outside the domain.",
        },
        number(
            "rank_by",
            "What people are ranked by, for example income before remittances; a NULL leaves the row out.",
        ),
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
    work: Work::Rows(|given| survey(given, Concentration)),
    text: Text {
        section: INEQUALITY,
        syntax: concat!("svy_concentration(x, rank_by, ", design_tail!(), ")"),
        description: concat!(
            "Concentration coefficient of a survey as `concentration` gives it; that ranks are estimated is part of the error. \
             NULL if the mean of x is zero or negative.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_concentration(x, y, 1) as s from (values (2.0, 1.0), (0.0, 5.0), (0.0, 9.0)) as t(x, y));\n-0.6666666666666666",
    },
};

pub(super) static SVY_GINI_BY_SOURCE: Measure = Measure {
    name: "svy_gini_by_source",
    parameters: &[
        Parameter {
            name: "total",
            kind: Y.kind,
            optional: false,
            text: "Total income, the sum of its sources. A row with NULL is outside the domain.",
        },
        Parameter {
            name: "sources",
            kind: Kind::Sources,
            optional: false,
            text: "The sources as a struct, as for `gini_by_source`; a NULL among them leaves the row out.",
        },
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
    shape: |_| Shape::Structs(FIELDS),
    work: Work::Rows(|given: &Given| several(given, BySource(given.labels("sources").len()))),
    text: Text {
        section: INEQUALITY,
        syntax: concat!("svy_gini_by_source(total, sources, ", design_tail!(), ")"),
        description: concat!(
            "Decomposition of the Gini coefficient by source with errors: what `gini_by_source` gives, a list with a struct for \
             each source and measure, the name of the source in `source` and 's', 'g', 'r', 'share' or 'elasticity' in \
             `measure`; `unnest` makes rows of it. Measures that are not defined have no estimate. NULL if the mean of total \
             income is zero or negative. Each has the fields of an estimate:",
            design_rule!()
        ),
        example: "> select p['source'], p['measure'], round(p['estimate'], 9) from (select unnest(svy_gini_by_source(a + b, {labour: a, remit: b}, 1)) as p from (values (1.0, 3.0), (4.0, 0.0), (9.0, 1.0)) as t(a, b)) where p['measure'] = 'share';\nlabour, share, 1.083333333\nremit, share, -0.083333333",
    },
};

#[derive(Debug)]
pub(super) struct Concentration;

impl Estimator for Concentration {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let by = sample.column(1);
        let columns = [sample.values.as_slice(), &by];
        let rows = Rows::new(&columns, Some(&sample.weights));
        Ok(ratio(&covariance(&Ranks::new(&rows, 1), &rows, 0), &mean(&rows, 0)))
    }
}

/// Twice the covariance of a column with ranks, linearised.
fn covariance(ranks: &Ranks, rows: &Rows<'_>, column: usize) -> Linear {
    let (estimate, influence) = ranks.linearised(rows, column);
    Linear { estimate, influence, beyond: None }
}

/// The mean of a column, linearised.
fn mean(rows: &Rows<'_>, column: usize) -> Linear {
    let (mean, all) = (rows.mean(column), rows.weight_sum());
    Linear { estimate: mean, influence: rows.column(column).iter().map(|y| (y - mean) / all).collect(), beyond: None }
}

#[derive(Debug)]
pub(super) struct BySource(pub(super) usize);

impl Estimators for BySource {
    fn count(&self) -> usize {
        self.0 * MEASURES.len()
    }

    fn labels(&self, part: usize) -> Vec<Option<f64>> {
        vec![Some((part / MEASURES.len()) as f64), Some((part % MEASURES.len()) as f64)]
    }

    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Vec<Option<Linear>>>> {
        let sources: Vec<Vec<f64>> = (1..=self.0).map(|column| sample.column(column)).collect();
        let columns: Vec<&[f64]> =
            std::iter::once(sample.values.as_slice()).chain(sources.iter().map(Vec::as_slice)).collect();
        let rows = Rows::new(&columns, Some(&sample.weights));
        let income = mean(&rows, 0);
        if income.estimate.is_nan() || income.estimate <= 0.0 {
            return Ok(None);
        }
        let ranks = Ranks::new(&rows, 0);
        let all = covariance(&ranks, &rows, 0);
        let zero = || Linear { estimate: 0.0, influence: vec![0.0; sample.values.len()], beyond: None };
        let mut parts = Vec::with_capacity(self.count());
        for column in 1..=self.0 {
            let own = covariance(&Ranks::new(&rows, column), &rows, column);
            let with_total = covariance(&ranks, &rows, column);
            let part = mean(&rows, column);
            let s = over(&part, &income);
            // A source that is the same for all has no part in the coefficient.
            let share = if own.estimate == 0.0 { zero() } else { over(&with_total, &all) };
            let elasticity = combine(share.estimate - s.estimate, &[(1.0, &share), (-1.0, &s)]);
            let g = (part.estimate != 0.0).then(|| over(&own, &part));
            let r = (own.estimate != 0.0).then(|| over(&with_total, &own));
            parts.extend([Some(s), g, r, Some(share), Some(elasticity)]);
        }
        // All alike in total: shares of nothing.
        let defined = |linear: Linear| Some(linear).filter(|l| l.estimate.is_finite());
        Ok(Some(parts.into_iter().map(|part| part.and_then(defined)).collect()))
    }
}

/// A ratio of any sign.
fn over(above: &Linear, below: &Linear) -> Linear {
    let ratio = above.estimate / below.estimate;
    combine(ratio, &[(1.0 / below.estimate, above), (-ratio / below.estimate, below)])
}
