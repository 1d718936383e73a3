//! Poverty of a distribution by a line: count, gap and severity.

use super::call::{Call, Estimated};
use super::group::{Households, Line};
use super::side::Ordered;
use super::sums::Sums;
use super::weights::{Weights, poverty};
use crate::aggregate::frame::{Rows, total};
use crate::aggregate::inequality::Curve;
use crate::aggregate::survey::quantile::{densities_of, density, linear};

/// Headcount, gap and severity of all, and what units have of each.
#[derive(Debug)]
pub(super) struct Poverty {
    pub(super) measures: [f64; 3],
    /// Weighted depths of poverty by unit.
    pub(super) depths: [Vec<f64>; 3],
    /// What the line's own error adds to the influence of units; empty if the line has none.
    beyond: [Vec<f64>; 3],
}

impl Poverty {
    /// By a line that has no error.
    pub(super) fn fixed(depths: [Vec<f64>; 3], persons: f64) -> Self {
        let measures = depths.each_ref().map(|d| total(d.iter().copied()) / persons);
        Self { measures, depths, beyond: Default::default() }
    }

    /// By a line that units move by as much, where the density is `density`.
    pub(super) fn with_line(mut self, line: f64, density: f64, moves: &[f64]) -> Self {
        let [count, gap, severity] = self.measures;
        // Of persons with a gap of g the income over the line is 1 - g.
        let slopes = [density, (count - gap) / line, 2.0 * (gap - severity) / line];
        self.beyond = slopes.map(|slope| moves.iter().map(|m| slope * m).collect());
        self
    }

    /// Influences on a measure by unit.
    pub(super) fn influence(&self, measure: usize, weights: &Weights) -> Vec<f64> {
        let estimate = self.measures.get(measure).copied().unwrap_or(f64::NAN);
        let depths = self.depths.get(measure).map(Vec::as_slice).unwrap_or_default();
        let beyond = self.beyond.get(measure).map(Vec::as_slice).unwrap_or_default();
        let beyond = beyond.iter().copied().chain(std::iter::repeat(0.0));
        let of = |((depth, persons), beyond): ((&f64, &f64), f64)| (depth - estimate * persons) / weights.all + beyond;
        depths.iter().zip(&weights.persons).zip(beyond).map(of).collect()
    }
}

/// All households in the order of an income.
struct Merged {
    values: Vec<f64>,
    weights: Vec<f64>,
    units: Vec<u32>,
}

impl Merged {
    /// With the factors of a replicate, if there are some.
    fn new(h: &Households, weights: &Weights, ordered: &Ordered, factors: Option<&[f64]>) -> Self {
        let factor = |unit: u32| factors.map_or(1.0, |f| f.get(unit as usize).copied().unwrap_or(1.0));
        let mut merged = Self { values: Vec::new(), weights: Vec::new(), units: Vec::new() };
        let mut push = |y: f64, p: f64, unit: u32| {
            let weight = p * factor(unit);
            if weight != 0.0 {
                merged.values.push(y);
                merged.weights.push(weight);
                merged.units.push(unit);
            }
        };
        let mut same = h.same.without.iter().zip(&weights.same).zip(&h.same.unit);
        let mut done = 0;
        let changed = ordered.income.iter().zip(&ordered.persons).zip(&ordered.unit).zip(&ordered.before);
        for (((y, p), unit), before) in changed {
            let before = *before as usize;
            same.by_ref().take(before - done).for_each(|((y, p), unit)| push(*y, *p, *unit));
            done = before;
            push(*y, *p, *unit);
        }
        same.for_each(|((y, p), unit)| push(*y, *p, *unit));
        merged
    }
}

/// Poverty by a line relative to the incomes of this distribution; with factors of a replicate without
/// the error of the line. None if the line is zero or less, or a weight below zero.
pub(super) fn relative(
    call: &Call,
    h: &Households,
    weights: &Weights,
    ordered: &Ordered,
    factors: Option<&[f64]>,
) -> Option<Poverty> {
    let (share, statistic) = call.relative.as_ref().filter(|_| weights.least >= 0.0)?;
    let merged = Merged::new(h, weights, ordered, factors);
    let (values, persons) = (&merged.values, &merged.weights);
    let weighted = || values.iter().zip(persons);
    let all = total(persons.iter().copied());
    let mean = statistic == "mean";
    let (at, influence) = match (mean, factors) {
        (true, _) => {
            let mean = total(weighted().map(|(y, w)| w * y)) / all;
            (mean, values.iter().map(|y| (y - mean) / all).collect())
        }
        (false, None) => linear(values, persons, 0.5),
        (false, Some(_)) => (Curve::new(&Rows::new(&[values], Some(persons))).quantile(0.5), Vec::new()),
    };
    let line = share * at;
    if line.is_nan() || line <= 0.0 {
        return None;
    }
    let mut depths = [Sums::new(h), Sums::new(h), Sums::new(h)];
    for ((y, w), unit) in weighted().zip(&merged.units) {
        poverty(&mut depths, *unit, *w, *y, line);
    }
    let mut result = Poverty::fixed(depths.map(Sums::values), all);
    if factors.is_none() {
        let mut moves = Sums::new(h);
        for ((w, z), unit) in persons.iter().zip(&influence).zip(&merged.units) {
            moves.add(*unit, w * z * share);
        }
        result = result.with_line(line, density(values, persons, line), &moves.values());
    }
    Some(result)
}

/// What each unit moves the line of a group by, if that is estimated from income with remittances.
pub(super) fn moves(estimated: Estimated, h: &Households, weights: &Weights) -> Option<Vec<f64>> {
    let Line::One(line) = h.line else { return None };
    let at = line / estimated.share;
    let parts = [
        (h.same.without.as_slice(), weights.same.as_slice(), &h.same.unit),
        (h.changed.with.as_slice(), weights.changed.as_slice(), &h.changed.unit),
    ];
    let density = match estimated.of_mean {
        true => 1.0,
        false => densities_of(&parts.map(|(values, weights, _)| (values, weights)), at).0,
    };
    let of = |y: f64| match estimated.of_mean {
        true => y - at,
        // All alike: a median that no sample moves.
        false if density <= 0.0 => 0.0,
        false => (0.5 - f64::from(u8::from(y <= at))) / density,
    };
    let mut moves = Sums::new(h);
    for (values, weights_of, units) in parts {
        for ((y, w), unit) in values.iter().zip(weights_of).zip(units) {
            moves.add(*unit, w * of(*y) / weights.all * estimated.share);
        }
    }
    Some(moves.values())
}
