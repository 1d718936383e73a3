//! The elasticity of the Gini coefficient with respect to remittances.
//!
//! With mid-ranks F of income and N(v) = Σ p v (2F - 1) it is N(t)/N(y) - T/Y, t the remittances by
//! the equivalence scale and T their sum (Lerman and Yitzhaki 1985). The influence of a household on
//! N(t) is t(2F - 1) + (2/P)(what those above it receive, and half of the ties) - (N(t) + T)/P.

use super::group::Households;
use super::side::{Ordered, Side};
use super::sums::Sums;
use super::weights::Weights;
use crate::aggregate::frame::{Total, total};
use crate::aggregate::inequality::ties;

/// Households that tie, of which some receive: who ranks first must not hang on rounding.
#[derive(Debug)]
pub(super) struct Tie {
    /// Of households that do not change those from `open` to before `close`.
    pub(super) open: usize,
    pub(super) close: usize,
    /// Of the others those from `first` to before `last`, in the order of income.
    pub(super) first: usize,
    pub(super) last: usize,
}

/// The elasticity, and what replicates need to find it again.
#[derive(Debug)]
pub(super) struct Elasticity {
    pub(super) estimate: f64,
    /// Influences by unit.
    pub(super) influence: Vec<f64>,
    pub(super) ties: Vec<Tie>,
    /// Remittances by the scale of each household whose income changes, in the order of income with them.
    pub(super) share: Vec<f64>,
    /// The same, weighted, by unit.
    pub(super) shares: Vec<f64>,
}

impl Elasticity {
    /// Of income with remittances; none without a Gini coefficient.
    pub(super) fn new(h: &Households, weights: &Weights, with: &Side) -> Option<Self> {
        let gini = with.gini?;
        let ordered = &with.ordered;
        let of = |row: &u32| h.changed.share.get(*row as usize).copied().unwrap_or(0.0);
        let share: Vec<f64> = ordered.row.iter().map(of).collect();
        let mut sums = Sums::new(h);
        for ((t, p), unit) in share.iter().zip(&ordered.persons).zip(&ordered.unit) {
            sums.add(*unit, t * p);
        }
        let shares = sums.values();
        let (persons, amount) = (weights.all, with.income + h.amid * weights.all);
        let received = total(shares.iter().copied());
        let found = tied(h, ordered);
        let (ranked, raw) = ranked(h, weights, ordered, &share, &found, received);
        let (of_income, off) = (gini * amount, with.income);
        let estimate = of_received(ranked, of_income, received, amount);
        let influence = |(unit, raw): (usize, &f64)| {
            let at = |column: &[f64]| column.get(unit).copied().unwrap_or(0.0);
            let (p, t, income) = (at(&weights.persons), at(&shares), at(&with.incomes));
            let on_received = raw - (ranked + received) * p / persons;
            let on_income = 2.0 * at(&with.kernel) / persons - income - (of_income + off) * p / persons;
            on_received / of_income - ranked / (of_income * of_income) * on_income - t / amount
                + received / (amount * amount) * (income + h.amid * p)
        };
        let influence = raw.iter().enumerate().map(influence).collect();
        Some(Self { estimate, influence, ties: found, share, shares })
    }
}

/// The elasticity from N(t), N(y), T and Y.
pub(super) fn of_received(ranked: f64, of_income: f64, received: f64, amount: f64) -> f64 {
    ranked / of_income - received / amount
}

/// The ties of households whose income changes.
fn tied(h: &Households, ordered: &Ordered) -> Vec<Tie> {
    let same = |place: usize| h.same.without.get(place).copied();
    let changed = |place: usize| ordered.income.get(place).copied();
    let mut found: Vec<Tie> = Vec::new();
    let mut first = 0;
    while let Some(begin) = changed(first) {
        let at = ordered.before.get(first).map_or(0, |b| *b as usize);
        let least = found.last().map_or(0, |t| t.close);
        let (mut open, mut low) = (at, begin);
        while open > least
            && let Some(before) = same(open - 1).filter(|y| ties(*y, low))
        {
            (low, open) = (before, open - 1);
        }
        let (mut close, mut last, mut high) = (at, first + 1, begin);
        loop {
            let (next_same, next_changed) = (same(close), changed(last));
            let next_is_same = next_same.is_some_and(|y| next_changed.is_none_or(|other| y <= other));
            match if next_is_same { next_same } else { next_changed } {
                Some(y) if ties(high, y) => {
                    high = y;
                    *(if next_is_same { &mut close } else { &mut last }) += 1;
                }
                _ => break,
            }
        }
        found.push(Tie { open, close, first, last });
        first = last;
    }
    found
}

/// N(t), and by unit the weighted influences on it without their constant.
fn ranked(
    h: &Households,
    weights: &Weights,
    ordered: &Ordered,
    share: &[f64],
    found: &[Tie],
    received: f64,
) -> (f64, Vec<f64>) {
    let persons = weights.all;
    let mut sums = Sums::new(h);
    let mut below = Total::default();
    let mut above = Total { sum: received, lost: 0.0 };
    let mut ranked = Total::default();
    let mut done = 0;
    let walk = |from: usize, to: usize, above: f64, below: &mut Total, sums: &mut Sums| {
        let part = weights.same.get(from..to).unwrap_or_default();
        for (p, unit) in part.iter().zip(h.same.unit.get(from..to).unwrap_or_default()) {
            sums.add(*unit, p * 2.0 / persons * above);
            below.add(*p);
        }
    };
    for tie in found {
        walk(done, tie.open, above.value(), &mut below, &mut sums);
        done = tie.close;
        let rows = tie.first..tie.last;
        let (shares, persons_tied) =
            (share.get(rows.clone()).unwrap_or_default(), ordered.persons.get(rows.clone()).unwrap_or_default());
        let units = ordered.unit.get(rows).unwrap_or_default();
        let weight = total(persons_tied.iter().copied());
        let pairs = || shares.iter().zip(persons_tied).zip(units);
        let amount = total(pairs().map(|((t, p), _)| t * p));
        let before = below.value();
        let half = above.value() - amount / 2.0;
        walk(tie.open, tie.close, half, &mut below, &mut sums);
        below.add(weight);
        let rank = (before + below.value()) / persons - 1.0;
        for ((t, p), unit) in pairs() {
            ranked.add(p * t * rank);
            sums.add(*unit, p * (t * rank + 2.0 / persons * half));
        }
        above.add(-amount);
    }
    walk(done, h.same.len(), above.value(), &mut below, &mut sums);
    (ranked.value(), sums.values())
}
