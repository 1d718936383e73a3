//! `svy_fgt_decomposition` and `svy_ge_decomposition`.

use std::collections::BTreeMap;

use datafusion_common::Result;

use super::gap::ratio;
use super::inequality::Index;
use super::poverty::{LINE, Poverty};
use super::several::{Estimators, combine, several};
use super::{
    DOMAIN, Estimator, FPC, INEQUALITY, LONELY, Linear, METHOD, PSU, REPLICATES, SECTION, SEED, STRATUM, Sample, W, Y,
    design_rule, design_tail,
};
use crate::aggregate::frame::{Field, Given, Kind, Measure, Parameter, Shape, Text, Total, Work, constant};

/// An estimate's fields after a word that says which part it is.
macro_rules! part_fields {
    ($($label:expr),+) => {
        &[
            $($label,)+
            Field::Number("estimate"),
            Field::Number("se"),
            Field::Number("ci_low"),
            Field::Number("ci_high"),
            Field::Count("df"),
            Field::Count("n"),
            Field::Number("deff"),
        ]
    };
}
pub(super) use part_fields;

const POVERTY: &[Field] =
    part_fields![Field::Word("part", &["fgt", "headcount", "gap", "income_gap_ratio", "ge_of_gaps"])];
const ENTROPY: &[Field] = part_fields![Field::Word("part", &["total", "within", "between"])];

pub(super) static SVY_FGT_DECOMPOSITION: Measure = Measure {
    name: "svy_fgt_decomposition",
    parameters: &[
        Y,
        LINE,
        constant("alpha", "The measure that is taken apart, a number of 2 or more: 2 for severity."),
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
    shape: |_| Shape::Structs(POVERTY),
    work: Work::Rows(|given: &Given| {
        let alpha = given.required("alpha", "expected a number of 2 or more", |a| a >= 2.0)?;
        let measure = |alpha| Poverty::new(given, Some(alpha));
        several(given, Gaps { alpha, whole: measure(alpha)?, headcount: measure(0.0)?, gap: measure(1.0)? })
    }),
    text: Text {
        section: SECTION,
        syntax: concat!("svy_fgt_decomposition(y, line, alpha, ", design_tail!(), ")"),
        description: concat!(
            "What a poverty measure of Foster, Greer and Thorbecke is made of (Aristondo, Lasso de la Vega and Urrutia 2010): how \
             many are poor, how poor, and how unequally so. A list with a struct for each part, the word in `part`; `unnest` \
             makes rows of it. 'fgt' is `fgt` of alpha, 'headcount' and 'gap' those of 0 and 1, 'income_gap_ratio' gap over \
             headcount, 'ge_of_gaps' the generalised entropy of alpha of the gaps among the poor, so that fgt = headcount \
             income_gap_ratio^alpha (1 + (alpha^2 - alpha) ge_of_gaps). The last two are NULL if nobody is poor. Each part has \
             the fields of an estimate:",
            design_rule!()
        ),
        example: "> select p['part'], round(p['estimate'], 12) from (select unnest(svy_fgt_decomposition(y, 4, 2, 1)) as p from (values (1.0), (3.0), (4.0), (9.0)) as t(y));\nfgt, 0.15625\nheadcount, 0.5\ngap, 0.25\nincome_gap_ratio, 0.5\nge_of_gaps, 0.125",
    },
};

pub(super) static SVY_GE_DECOMPOSITION: Measure = Measure {
    name: "svy_ge_decomposition",
    parameters: &[
        Y,
        Parameter {
            name: "subgroup",
            kind: Kind::Key,
            optional: false,
            text: "What the row's group is called, such as a region; an integer or a text. A NULL leaves the row out.",
        },
        constant("alpha", "Sensitivity, one number for the whole call, as for `ge`."),
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
    shape: |_| Shape::Structs(ENTROPY),
    work: Work::Rows(|given: &Given| {
        let alpha = given.required("alpha", "expected a finite number", |_| true)?;
        several(given, Groups { alpha, subgroup: given.column("subgroup").unwrap_or(1) })
    }),
    text: Text {
        section: INEQUALITY,
        syntax: concat!("svy_ge_decomposition(y, subgroup, alpha, ", design_tail!(), ")"),
        description: concat!(
            "Generalised entropy of all, within and between subgroups, as `ge_decomposition` gives it: a list of three structs, \
             with 'total', 'within', 'between' in `part`; `unnest` makes rows of it. Values of zero or less are treated as by \
             `svy_ge`; NULL if the mean of all or of a subgroup is zero or negative. Each part has the fields of an estimate:",
            design_rule!()
        ),
        example: "> select p['part'], round(p['estimate'], 12) from (select unnest(svy_ge_decomposition(y, region, 0, 1)) as p from (values (1.0, 'a'), (3.0, 'a'), (4.0, 'b')) as t(y, region));\ntotal, 0.152527036416\nwithin, 0.095894024151\nbetween, 0.056633012265",
    },
};

#[derive(Debug)]
struct Gaps {
    alpha: f64,
    whole: Poverty,
    headcount: Poverty,
    gap: Poverty,
}

impl Estimators for Gaps {
    fn count(&self) -> usize {
        5
    }

    fn labels(&self, part: usize) -> Vec<Option<f64>> {
        vec![Some(part as f64)]
    }

    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Vec<Option<Linear>>>> {
        let of = |measure: &Poverty| measure.linearise(sample);
        let (Some(whole), Some(headcount), Some(gap)) = (of(&self.whole)?, of(&self.headcount)?, of(&self.gap)?) else {
            return Ok(None);
        };
        let depth = ratio(&gap, &headcount);
        let (alpha, scale) = (self.alpha, self.alpha * (self.alpha - 1.0));
        // FGT_a FGT_0^(a - 1) / FGT_1^a, by its logarithm.
        let unequal = depth.as_ref().filter(|depth| depth.estimate > 0.0).map(|depth| {
            let times = whole.estimate / (headcount.estimate * depth.estimate.powf(alpha));
            let parts = [
                (times / whole.estimate / scale, &whole),
                ((alpha - 1.0) * times / headcount.estimate / scale, &headcount),
                (-alpha * times / gap.estimate / scale, &gap),
            ];
            combine((times - 1.0) / scale, &parts)
        });
        Ok(Some(vec![Some(whole), Some(headcount), Some(gap), depth, unequal]))
    }
}

#[derive(Debug)]
pub(super) struct Groups {
    pub(super) alpha: f64,
    pub(super) subgroup: usize,
}

impl Estimators for Groups {
    fn count(&self) -> usize {
        3
    }

    fn labels(&self, part: usize) -> Vec<Option<f64>> {
        vec![Some(part as f64)]
    }

    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Vec<Option<Linear>>>> {
        let index = Index { function: "svy_ge_decomposition", power: self.alpha, atkinson: false };
        let Some(whole) = index.linearise(sample)? else { return Ok(None) };
        let Some(between) = self.between(sample) else { return Ok(None) };
        let within = combine(whole.estimate - between.estimate, &[(1.0, &whole), (-1.0, &between)]);
        Ok(Some(vec![Some(whole), Some(within), Some(between)]))
    }
}

impl Groups {
    /// The index if everybody had the mean of their group, a function of the groups' shares and means.
    fn between(&self, sample: &Sample<'_>) -> Option<Linear> {
        let names: Vec<(u64, u64)> = sample
            .column(self.subgroup)
            .into_iter()
            .zip(sample.column(self.subgroup + 1))
            .map(|(high, low)| (high.to_bits(), low.to_bits()))
            .collect();
        let mut groups: BTreeMap<(u64, u64), (Total, Total)> = BTreeMap::new();
        let (mean, all) = (sample.mean(|y| y), sample.weight);
        for ((y, w), name) in sample.pairs().zip(&names) {
            let (weight, amount) = groups.entry(*name).or_default();
            weight.add(w);
            amount.add(w * (y / mean));
        }
        let groups: BTreeMap<(u64, u64), (f64, f64)> = groups
            .into_iter()
            .map(|(name, (weight, amount))| (name, (weight.value() / all, amount.value() / weight.value())))
            .collect();
        if groups.values().any(|(_, r)| r.is_nan() || *r <= 0.0) {
            return None;
        }
        let alpha = self.alpha;
        // The index is the mean of f over people, of their group's mean over that of all.
        let f = |r: f64| match alpha {
            0.0 => -r.ln(),
            1.0 => r * r.ln(),
            alpha => (r.powf(alpha) - 1.0) / (alpha * (alpha - 1.0)),
        };
        let slope = |r: f64| match alpha {
            0.0 => -1.0 / r,
            1.0 => r.ln() + 1.0,
            alpha => r.powf(alpha - 1.0) / (alpha - 1.0),
        };
        let sum = |of: &dyn Fn(f64) -> f64| {
            let mut sum = Total::default();
            groups.values().for_each(|(share, r)| sum.add(share * of(*r)));
            sum.value()
        };
        let (estimate, back) = (sum(&f), sum(&|r| slope(r) * r));
        let influence = sample.values.iter().zip(&names).map(|(y, name)| {
            let r = groups.get(name).map_or(1.0, |(_, r)| *r);
            (f(r) - estimate + slope(r) * (y / mean - r) - back * (y / mean - 1.0)) / all
        });
        Some(Linear { estimate, influence: influence.collect(), beyond: None })
    }
}
