//! The weights of a scale: as the survey has them, or calibrated to a total of remittances.

use std::borrow::Cow;

use super::group::{Households, Line};
use super::sums::Sums;
use crate::aggregate::frame::{Total, total};

/// Weights of all households, and what their units have by them.
#[derive(Debug)]
pub(super) struct Weights {
    /// Weights of persons, in the order of the households.
    pub(super) same: Vec<f64>,
    pub(super) changed: Vec<f64>,
    /// Least and largest factor of calibration.
    pub(super) least: f64,
    pub(super) most: f64,
    /// Kish's effect of unequal weights, over that of the survey's own.
    pub(super) effect: f64,
    /// Households, and those of them that receive, by unit.
    pub(super) households: Vec<f64>,
    pub(super) receiving: Vec<f64>,
    /// Persons, and those of them in households that receive.
    pub(super) persons: Vec<f64>,
    pub(super) persons_receiving: Vec<f64>,
    /// Persons of all units.
    pub(super) all: f64,
    /// Of households that do not change, by unit: income less the income amid all, and poverty
    /// with a line that is not relative (count, gap, severity).
    pub(super) shared: [Vec<f64>; 4],
}

/// Squares of which this share is left have cancelled out.
const ROUNDING: f64 = 1e-24;

/// Why weights cannot be calibrated.
pub(super) const OUT_OF_REACH: &str = "total out of reach";

/// A factor for each household.
struct Factors<'a> {
    same: Same<'a>,
    changed: Cow<'a, [f64]>,
}

/// Factors of households without remittances.
enum Same<'a> {
    /// One a cell.
    Cells(Vec<f64>),
    /// One each.
    Rows(&'a [f64]),
}

impl Weights {
    /// The survey's own.
    pub(super) fn own(h: &Households) -> Self {
        Self::of(h, None)
    }

    /// Those of the distribution without remittances, if it has some of its own.
    pub(super) fn without(h: &Households) -> Option<Self> {
        let (same, changed) = (&h.same.factor, &h.changed.factor);
        // Other groups may have factors.
        let given = same.iter().chain(changed).any(|f| *f != 1.0);
        given.then(|| Self::of(h, Some(Factors { same: Same::Rows(same), changed: Cow::Borrowed(changed) })))
    }

    /// Calibrated so that weighted remittances are `ratio` times what the survey has, and the households
    /// of each cell as many as they were; `Err` says why that cannot be.
    ///
    /// Linear calibration (Deville and Särndal 1992) by cells and remittances: households and remittances
    /// of a cell are apart from one another once the cell's mean is taken off, so the factor of a household
    /// is 1 + λ(r - mean of r in its cell), with one λ.
    pub(super) fn calibrated(h: &Households, ratio: f64) -> Result<Self, &'static str> {
        let mut weight = vec![Total::default(); h.cells];
        let mut amount = weight.clone();
        let cell_of = |cells: &[u32], row: usize| cells.get(row).map_or(0, |c| *c as usize);
        for (row, w) in h.same.weight.iter().enumerate() {
            if let Some(weight) = weight.get_mut(cell_of(&h.same.cell, row)) {
                weight.add(*w);
            }
        }
        let same: Vec<f64> = weight.iter().map(|w| w.value()).collect();
        for (row, (w, r)) in h.changed.weight.iter().zip(&h.changed.received).enumerate() {
            let cell = cell_of(&h.changed.cell, row);
            if let (Some(weight), Some(amount)) = (weight.get_mut(cell), amount.get_mut(cell)) {
                weight.add(*w);
                amount.add(w * r);
            }
        }
        let means: Vec<f64> = amount.iter().zip(&weight).map(|(a, w)| a.value() / w.value()).collect();
        let mean = |row: usize| means.get(cell_of(&h.changed.cell, row)).copied().unwrap_or(0.0);
        let changed = || h.changed.weight.iter().zip(&h.changed.received).enumerate();
        let received = total(changed().map(|(_, (w, r))| w * r));
        let squares = total(changed().map(|(_, (w, r))| w * r * r));
        let mut spread = Total::default();
        changed().for_each(|(row, (w, r))| spread.add(w * (r - mean(row)) * (r - mean(row))));
        // Cells without households have no mean.
        same.iter().zip(&means).filter(|(w, _)| **w > 0.0).for_each(|(w, m)| spread.add(w * m * m));
        let (spread, missing) = (spread.value(), received * (ratio - 1.0));
        // Of remittances that are the same throughout each cell only rounding is left.
        let alike = spread.is_nan() || spread <= ROUNDING * squares;
        let lambda = if missing == 0.0 { 0.0 } else { missing / spread };
        if !lambda.is_finite() || (alike && missing != 0.0) {
            return Err(OUT_OF_REACH);
        }
        let cells = means.iter().map(|m| if m.is_nan() { 1.0 } else { 1.0 - lambda * m }).collect();
        let changed = changed().map(|(row, (_, r))| 1.0 + lambda * (r - mean(row))).collect::<Vec<_>>();
        Ok(Self::of(h, Some(Factors { same: Same::Cells(cells), changed: Cow::Owned(changed) })))
    }

    fn of(h: &Households, factors: Option<Factors<'_>>) -> Self {
        let factor_of_same = |row: usize| match factors.as_ref().map(|f| &f.same) {
            Some(Same::Cells(cells)) => {
                cells.get(h.same.cell.get(row).map_or(0, |c| *c as usize)).copied().unwrap_or(1.0)
            }
            Some(Same::Rows(rows)) => rows.get(row).copied().unwrap_or(1.0),
            None => 1.0,
        };
        let factor_of_changed =
            |row: usize| factors.as_ref().map_or(1.0, |f| f.changed.get(row).copied().unwrap_or(1.0));
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut squares, mut squares_before) = (Total::default(), Total::default());
        let (mut sum, mut sum_before) = (Total::default(), Total::default());
        let mut households = Sums::new(h);
        let (mut persons, mut receiving, mut persons_receiving) =
            (households.clone(), households.clone(), households.clone());
        let mut see = |g: f64, w: f64| {
            (least, most) = (least.min(g), most.max(g));
            if factors.is_some() {
                squares.add(w * g * w * g);
                squares_before.add(w * w);
                sum.add(w * g);
                sum_before.add(w);
            }
        };
        let mut same = Vec::with_capacity(h.same.len());
        for (row, ((w, p), unit)) in h.same.weight.iter().zip(&h.same.persons).zip(&h.same.unit).enumerate() {
            let g = factor_of_same(row);
            see(g, *w);
            households.add(*unit, w * g);
            persons.add(*unit, p * g);
            same.push(p * g);
        }
        let mut changed = Vec::with_capacity(h.changed.len());
        for (row, ((w, p), unit)) in h.changed.weight.iter().zip(&h.changed.persons).zip(&h.changed.unit).enumerate() {
            let g = factor_of_changed(row);
            see(g, *w);
            households.add(*unit, w * g);
            persons.add(*unit, p * g);
            if h.changed.received.get(row).is_some_and(|r| *r > 0.0) {
                receiving.add(*unit, w * g);
                persons_receiving.add(*unit, p * g);
            }
            changed.push(p * g);
        }
        let effect = match &factors {
            Some(_) => squares.value() / squares_before.value() * (sum_before.value() / sum.value()).powi(2),
            None => 1.0,
        };
        let persons = persons.values();
        Self {
            shared: shared(h, &same),
            same,
            changed,
            least,
            most,
            effect,
            households: households.values(),
            receiving: receiving.values(),
            all: total(persons.iter().copied()),
            persons,
            persons_receiving: persons_receiving.values(),
        }
    }
}

/// Sums by unit over the households that do not change.
fn shared(h: &Households, weights: &[f64]) -> [Vec<f64>; 4] {
    let mut incomes = Sums::new(h);
    for ((y, p), unit) in h.same.without.iter().zip(weights).zip(&h.same.unit) {
        incomes.add(*unit, p * (y - h.amid));
    }
    let mut depths = [Sums::new(h), Sums::new(h), Sums::new(h)];
    let poor = match h.line {
        Line::One(line) => h.same.without.partition_point(|y| *y < line),
        Line::Each => h.same.len(),
        _ => 0,
    };
    for (row, ((y, p), unit)) in h.same.without.iter().zip(weights).zip(&h.same.unit).take(poor).enumerate() {
        let line = match h.line {
            Line::One(line) => line,
            _ => h.same.line.get(row).copied().unwrap_or(f64::NAN),
        };
        poverty(&mut depths, *unit, *p, *y, line);
    }
    let [count, gap, severity] = depths;
    [incomes.values(), count.values(), gap.values(), severity.values()]
}

/// Adds a household to the sums of poverty.
#[inline]
pub(super) fn poverty(depths: &mut [Sums; 3], unit: u32, persons: f64, y: f64, line: f64) {
    if y < line {
        let gap = (line - y) / line;
        let [count, gaps, severity] = depths;
        count.add(unit, persons);
        gaps.add(unit, persons * gap);
        severity.add(unit, persons * gap * gap);
    }
}
