//! One distribution of income, with or without remittances, under the weights of a scale.
//!
//! The Gini coefficient comes from M(y) = Σ p max(y, y_j), for which rows that tie need no
//! care: with P persons and income Y it is Σ p M / (P Y) - 1, and its influence at y is
//! (2 M(y)/P - (G + 1)(y + Y/P))/Y. All of it is of incomes less one amid them.

use super::call::Call;
use super::group::{Households, Line};
use super::poverty::{Poverty, relative};
use super::sums::Sums;
use super::weights::{Weights, poverty};
use crate::aggregate::frame::{Total, key, total};
use crate::aggregate::survey::lanes::gini;
use crate::aggregate::survey::quantile::densities_of;

/// Households whose income changes, in the order of this income.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    pub(super) income: Vec<f64>,
    pub(super) persons: Vec<f64>,
    pub(super) unit: Vec<u32>,
    /// How many of the other households come before.
    pub(super) before: Vec<u32>,
    /// Its number among the households whose income changes.
    pub(super) row: Vec<u32>,
}

/// A distribution: its measures, and what units have of each.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) ordered: Ordered,
    /// Income of units, less the one amid all for every person; and of all units.
    pub(super) incomes: Vec<f64>,
    pub(super) income: f64,
    /// Poverty by count, gap and severity; none without a line.
    pub(super) poverty: Option<Poverty>,
    /// The Gini coefficient; none if the mean is not positive.
    pub(super) gini: Option<f64>,
    /// Σ p M of units, with incomes less the one amid all.
    pub(super) kernel: Vec<f64>,
}

impl Side {
    /// The distribution of the given incomes of households that change; `moves` is what units move the line by.
    pub(super) fn new(call: &Call, h: &Households, weights: &Weights, incomes: &[f64], moves: Option<&[f64]>) -> Self {
        let mut offs = Sums::new(h);
        let mut depths = [offs.clone(), offs.clone(), offs.clone()];
        for (row, ((y, p), unit)) in incomes.iter().zip(&weights.changed).zip(&h.changed.unit).enumerate() {
            offs.add(*unit, p * (y - h.amid));
            match h.line {
                Line::One(line) => poverty(&mut depths, *unit, *p, *y, line),
                Line::Each => {
                    let line = h.changed.line.get(row).copied().unwrap_or(f64::NAN);
                    poverty(&mut depths, *unit, *p, *y, line);
                }
                Line::Relative | Line::Missing | Line::Nothing => {}
            }
        }
        let [shared_incomes, shared_depths @ ..] = &weights.shared;
        let and = |sums: Sums, shared: &[f64]| -> Vec<f64> {
            sums.values().into_iter().zip(shared).map(|(a, b)| a + b).collect()
        };
        let offs = and(offs, shared_incomes);
        let income = total(offs.iter().copied());
        let ordered = Ordered::new(h, weights, incomes);
        let poverty = match h.line {
            Line::Relative => relative(call, h, weights, &ordered, None),
            Line::One(_) | Line::Each => {
                let [a, b, c] = shared_depths;
                let [count, gap, severity] = depths;
                let fixed = Poverty::fixed([and(count, a), and(gap, b), and(severity, c)], weights.all);
                Some(match (h.line, moves) {
                    (Line::One(line), Some(moves)) => {
                        let parts = [(h.same.without.as_slice(), weights.same.as_slice()), (incomes, &weights.changed)];
                        fixed.with_line(line, densities_of(&parts, line).0, moves)
                    }
                    _ => fixed,
                })
            }
            Line::Missing | Line::Nothing => None,
        };
        let kernel = kernel(h, weights, &ordered, income);
        let gini = gini(total(kernel.iter().copied()), weights.all, income, h.amid);
        let gini = Some(gini).filter(|g| g.is_finite() && weights.least >= 0.0);
        Self { ordered, incomes: offs, income, poverty, gini, kernel }
    }

    /// Mean income.
    pub(super) fn mean(&self, h: &Households, weights: &Weights) -> f64 {
        (h.amid + self.income / weights.all) / h.scale
    }

    /// Influences on the mean by unit.
    pub(super) fn mean_influence(&self, h: &Households, weights: &Weights) -> Vec<f64> {
        let off = self.income / weights.all;
        let of = |(income, persons): (&f64, &f64)| (income - off * persons) / weights.all / h.scale;
        self.incomes.iter().zip(&weights.persons).map(of).collect()
    }

    /// Influences on the Gini coefficient by unit.
    pub(super) fn gini_influence(&self, h: &Households, weights: &Weights) -> Vec<f64> {
        let gini = self.gini.unwrap_or(f64::NAN);
        let (all, off) = (weights.all, self.income / weights.all);
        let amount = self.income + h.amid * all;
        let of = |((kernel, income), persons): ((&f64, &f64), &f64)| {
            (2.0 * kernel / all - (gini + 1.0) * (income + off * persons) - 2.0 * h.amid * gini * persons) / amount
        };
        self.kernel.iter().zip(&self.incomes).zip(&weights.persons).map(of).collect()
    }
}

impl Ordered {
    fn new(h: &Households, weights: &Weights, incomes: &[f64]) -> Self {
        let mut keys: Vec<(u64, u32)> = incomes.iter().map(|y| key(*y)).zip(0..).collect();
        keys.sort_unstable();
        let mut ordered = Self::default();
        let mut before = 0usize;
        for (_, row) in keys {
            let at = row as usize;
            let of = |column: &[f64]| column.get(at).copied().unwrap_or(f64::NAN);
            let y = of(incomes);
            while h.same.without.get(before).is_some_and(|other| *other <= y) {
                before += 1;
            }
            ordered.income.push(y);
            ordered.persons.push(of(&weights.changed));
            ordered.unit.push(h.changed.unit.get(at).copied().unwrap_or(0));
            ordered.before.push(before as u32);
            ordered.row.push(row);
        }
        ordered
    }
}

/// Rows after which running sums are made anew, so that they stay small beside their terms.
const STRETCH: u32 = 1024;

/// Running sums of persons and income.
struct Running {
    persons: Total,
    income: Total,
    /// Both as they were when the stretch began; of income what is left of all.
    persons_before: f64,
    income_left: f64,
    /// Of the stretch.
    persons_here: f64,
    income_here: f64,
    rows: u32,
    all: f64,
}

impl Running {
    fn new(all: f64) -> Self {
        Self {
            persons: Total::default(),
            income: Total::default(),
            persons_before: 0.0,
            income_left: all,
            persons_here: 0.0,
            income_here: 0.0,
            rows: 0,
            all,
        }
    }

    /// p M of the next row.
    #[inline]
    fn next(&mut self, off: f64, persons: f64) -> f64 {
        let below = self.persons_before + self.persons_here;
        let kernel = off * below + (self.income_left - self.income_here);
        self.persons_here += persons;
        self.income_here += persons * off;
        self.rows += 1;
        if self.rows == STRETCH {
            self.stretch();
        }
        persons * kernel
    }

    fn stretch(&mut self) {
        self.persons.add(self.persons_here);
        self.income.add(self.income_here);
        self.persons_before = self.persons.value();
        self.income_left = self.all - self.income.value();
        (self.persons_here, self.income_here, self.rows) = (0.0, 0.0, 0);
    }
}

/// Σ p M by unit, in one walk over all households by income.
fn kernel(h: &Households, weights: &Weights, ordered: &Ordered, income: f64) -> Vec<f64> {
    let mut running = Running::new(income);
    let mut sums = Sums::new(h);
    let mut done = 0;
    let mut walk_to = |end: usize, running: &mut Running, sums: &mut Sums| {
        let rows = h.same.without.get(done..end).unwrap_or_default().iter();
        let persons = weights.same.get(done..end).unwrap_or_default();
        let units = h.same.unit.get(done..end).unwrap_or_default();
        for ((y, p), unit) in rows.zip(persons).zip(units) {
            sums.add(*unit, running.next(y - h.amid, *p));
        }
        done = end;
    };
    let changed = ordered.income.iter().zip(&ordered.persons).zip(&ordered.unit).zip(&ordered.before);
    for (((y, persons), unit), before) in changed {
        walk_to(*before as usize, &mut running, &mut sums);
        sums.add(*unit, running.next(y - h.amid, *persons));
    }
    walk_to(h.same.len(), &mut running, &mut sums);
    sums.values()
}
