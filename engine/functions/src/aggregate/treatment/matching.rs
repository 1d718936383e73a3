//! `psm_att`: the effect on the treated by matching on propensity.

use datafusion_common::Result;

use super::data::Columns;
use super::effect::{Effect, FIELDS};
use super::propensity::fit;
use super::{SECTION, TREATED, W, X, Y, rows_rule};
use crate::aggregate::frame::{Given, Kernel, Measure, Rows, Shape, Sink, Text, Total, Work, total};

pub(super) static PSM_ATT: Measure = Measure {
    name: "psm_att",
    parameters: &[Y, TREATED, X, W],
    shape: |_| Shape::Struct(FIELDS),
    work: Work::Rows(|given: &Given| Ok(Box::new(Matching(Columns::new(given))))),
    text: Text {
        section: SECTION,
        syntax: "psm_att(y, treated, x [, w])",
        description: concat!(
            "Effect of a treatment on the treated by matching: the mean over the treated of y less that of the untreated row \
             nearest in propensity, from `logit(treated, x, w)`, with replacement and at any distance; of rows equally near the \
             mean, so that their order does not matter. A struct: estimate, in the unit of y; se, that of Abadie and Imbens \
             (2006) with the propensity taken as known, which Abadie and Imbens (2016) show to be too large or too small by \
             what its estimation adds or takes away; ci_low and ci_high, the 95 % interval by Student's t with rows less two; \
             n_treated, and n_control, the untreated rows that were matched.",
            rows_rule!()
        ),
        example: "> select e['estimate'], e['n_control'] from (select psm_att(y, t, {x: x}) as e from (values (5.0, 0, 1.0), (9.0, 1, 2.0), (6.0, 0, 3.0), (8.0, 1, 4.0), (4.0, 0, 2.0), (9.0, 1, 3.0)) as t(y, t, x));\n3.3333333333333335, 2",
    },
};

#[derive(Debug)]
struct Matching(Columns);

/// Rows of one arm and one propensity.
struct Alike {
    p: f64,
    rows: Vec<usize>,
    weight: f64,
    /// Their mean outcome.
    mean: f64,
}

impl Kernel for Matching {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let data = self.0.read(rows, &[])?;
        let fitted = match data.arms() {
            Some(_) => fit(&self.0, rows, &data)?,
            None => None,
        };
        let Some(fitted) = fitted else {
            sink.null();
            return Ok(());
        };
        let arm = |arm: bool| {
            let places = (0..rows.len()).filter(|row| data.treated.get(*row) == Some(&arm));
            alike(rows, places.filter_map(|row| Some((*fitted.p.get(row)?, row))).collect())
        };
        let (treated, others) = (arm(true), arm(false));
        let weight = total(treated.iter().map(|t| t.weight));
        let y = |row: usize| rows.values().get(row).copied().unwrap_or(0.0);
        // How often each set of untreated rows stands for treated ones: sums of weights and of
        // their squares, each over the weight of all that stand for the same row.
        let mut used = vec![(Total::default(), Total::default()); others.len()];
        let mut gains: Vec<(f64, f64)> = Vec::new();
        for set in &treated {
            let near = nearest(&others, set.p, None);
            let near = others.get(near.clone()).unwrap_or_default().iter().zip(used.get_mut(near).unwrap_or_default());
            let (mut mass, mut sum) = (Total::default(), Total::default());
            let mut matched = Vec::new();
            for (other, used) in near {
                mass.add(other.weight);
                sum.add(other.weight * other.mean);
                matched.push(used);
            }
            let (mass, mean) = (mass.value(), sum.value() / mass.value());
            for used in matched {
                for row in &set.rows {
                    let share = rows.weight(*row) / mass;
                    used.0.add(share);
                    used.1.add(share * share);
                }
            }
            gains.extend(set.rows.iter().map(|row| (y(*row) - mean, rows.weight(*row))));
        }
        let estimate = total(gains.iter().map(|(gain, w)| w * gain)) / weight;
        let mut variance = Total::default();
        gains.iter().for_each(|(gain, w)| variance.add((w / weight * (gain - estimate)).powi(2)));
        let mut matched = 0;
        for (place, (set, (sum, squares))) in others.iter().zip(&used).enumerate() {
            if sum.value() <= 0.0 {
                continue;
            }
            matched += set.rows.len();
            for row in &set.rows {
                let w = rows.weight(*row) / weight;
                let times = w * w * (sum.value().powi(2) - squares.value());
                variance.add(times * spread(rows, &others, place, *row));
            }
        }
        // Squares that leave the range of doubles leave no error, and not one of 0.
        let variance = variance.value();
        let se = if variance.is_nan() { f64::NAN } else { variance.max(0.0).sqrt() };
        let n = treated.iter().map(|t| t.rows.len()).sum();
        Effect { estimate, se, df: rows.len().saturating_sub(2), treated: n, others: matched }.put(sink, &[]);
        Ok(())
    }
}

/// Rows by propensity, in ascending order.
fn alike(rows: &Rows<'_>, mut places: Vec<(f64, usize)>) -> Vec<Alike> {
    places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let sets = places.chunk_by(|a, b| a.0 == b.0);
    let y = |row: usize| rows.values().get(row).copied().unwrap_or(0.0);
    sets.map(|set| {
        let weight = total(set.iter().map(|(_, row)| rows.weight(*row)));
        let mean = total(set.iter().map(|(_, row)| rows.weight(*row) * y(*row))) / weight;
        let p = set.first().map_or(0.0, |(p, _)| *p);
        Alike { p, rows: set.iter().map(|(_, row)| *row).collect(), weight, mean }
    })
    .collect()
}

/// The sets nearest to a propensity, but for one: one, or two that are as far.
fn nearest(sets: &[Alike], p: f64, but: Option<usize>) -> std::ops::Range<usize> {
    let split = but.unwrap_or_else(|| sets.partition_point(|set| set.p < p));
    let above = if but.is_some() { split + 1 } else { split };
    let far = |place: Option<usize>| place.and_then(|at| sets.get(at)).map_or(f64::INFINITY, |set| (set.p - p).abs());
    let (left, right) = (far(split.checked_sub(1)), far(Some(above)));
    match left.total_cmp(&right) {
        std::cmp::Ordering::Less => split - 1..split,
        std::cmp::Ordering::Greater => above..above + 1,
        // As far to both sides; the set between them, if any, is the row's own.
        std::cmp::Ordering::Equal => split.saturating_sub(1)..(above + 1).min(sets.len()),
    }
}

/// The variance of the outcome at a row's propensity, from the rows of its arm nearest to it.
fn spread(rows: &Rows<'_>, sets: &[Alike], place: usize, row: usize) -> f64 {
    let y = |row: usize| rows.values().get(row).copied().unwrap_or(0.0);
    let Some(own) = sets.get(place) else { return 0.0 };
    let near = if own.rows.len() > 1 { place..place + 1 } else { nearest(sets, own.p, Some(place)) };
    let (mut sum, mut n) = (Total::default(), 0u32);
    for other in sets.get(near).unwrap_or_default().iter().flat_map(|set| &set.rows).filter(|other| **other != row) {
        sum.add(y(*other));
        n += 1;
    }
    let n = f64::from(n);
    if n == 0.0 { 0.0 } else { n / (n + 1.0) * (y(row) - sum.value() / n).powi(2) }
}
