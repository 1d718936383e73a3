//! The walk of several replicates at once: nothing is sorted again, and a household is read once for all.
//!
//! With q the weights of a replicate, the sum over all pairs Σ q_i q_j max(y_i, y_j) is taken apart
//! into pairs of households that do not change, the same for every distribution under the same
//! weights; pairs of those that do; and pairs of both. Incomes are less the one amid all.

use super::elasticity::Elasticity;
use super::group::Households;
use super::side::Ordered;
use super::weights::Weights;
use crate::aggregate::survey::lanes::{LANES, Lanes, NOTHING, Sorted, Walk, factors_of};

/// Something that a distribution, or the elasticity, adds when so many households have been passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    before: u32,
    /// Which distribution; the elasticity comes after all.
    of: u32,
    /// Number of the household in its order, or of a tie.
    number: u32,
    /// Whether a tie ends.
    close: bool,
}

/// Running sums of one distribution.
#[derive(Clone, Copy)]
struct Changed {
    pairs: Lanes,
    persons: Lanes,
}

/// A walk over the households under some weights: which distributions are found on it.
pub(super) struct Course<'a> {
    orders: Vec<&'a Ordered>,
    /// The elasticity, with the order of income with remittances.
    elasticity: Option<(&'a Elasticity, &'a Ordered)>,
    events: Vec<Event>,
}

impl<'a> Course<'a> {
    /// The course past these distributions.
    pub(super) fn new(orders: Vec<&'a Ordered>, elasticity: Option<(&'a Elasticity, &'a Ordered)>) -> Self {
        let events = events(&orders, elasticity.map(|(e, _)| e));
        Self { orders, elasticity, events }
    }

    /// Whether there is nothing to find.
    pub(super) fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// For each distribution Σ over all pairs, and for the elasticity P Σ q t 2F.
    pub(super) fn walk(&self, h: &Households, weights: &Weights, factors: &[Lanes]) -> (Vec<Lanes>, Lanes) {
        let mut same = Walk::new();
        let rows = Sorted { values: &h.same.without, weights: &weights.same, units: &h.same.unit, amid: h.amid };
        let nothing = Changed { pairs: NOTHING, persons: NOTHING };
        let (mut changed, mut ranked) = (vec![nothing; self.orders.len()], nothing);
        let mut done = 0;
        for event in &self.events {
            let before = event.before as usize;
            same.walk(&rows, done, before, factors);
            done = before;
            let of = event.of as usize;
            match (self.orders.get(of), changed.get_mut(of), self.elasticity) {
                (Some(ordered), Some(changed), _) => changed.add(h, ordered, event.number as usize, &same, factors),
                (_, _, Some((elasticity, ordered))) => rank(&mut ranked, elasticity, ordered, *event, &same, factors),
                _ => {}
            }
        }
        same.walk(&rows, done, h.same.len(), factors);
        let (pairs, _, income) = same.finish();
        let sums =
            changed.iter().map(|c| std::array::from_fn(|l| pairs[l] + c.pairs[l] + 2.0 * c.persons[l] * income[l]));
        (sums.collect(), ranked.pairs)
    }
}

/// What happens on the walk, in its order.
fn events(orders: &[&Ordered], elasticity: Option<&Elasticity>) -> Vec<Event> {
    let mut events = Vec::new();
    for (of, ordered) in (0u32..).zip(orders) {
        let event = |(number, before): (u32, &u32)| Event { before: *before, of, number, close: false };
        events.extend((0u32..).zip(&ordered.before).map(event));
    }
    let ties = elasticity.map(|e| e.ties.as_slice()).unwrap_or_default();
    for (number, tie) in (0u32..).zip(ties) {
        let event =
            |before: usize, close: bool| Event { before: before as u32, of: orders.len() as u32, number, close };
        events.extend([event(tie.open, false), event(tie.close, true)]);
    }
    events.sort_unstable();
    events
}

impl Changed {
    /// Adds a household's pairs with those before it.
    #[inline]
    fn add(&mut self, h: &Households, ordered: &Ordered, number: usize, same: &Walk, factors: &[Lanes]) {
        let row = (ordered.income.get(number), ordered.persons.get(number), ordered.unit.get(number));
        let (Some(income), Some(persons), Some(unit)) = row else { return };
        let off = income - h.amid;
        let factors = factors_of(factors, *unit);
        let (below, income) = same.passed();
        for l in 0..LANES {
            let q = persons * factors[l];
            self.pairs[l] += q * (2.0 * (off * (below[l] + self.persons[l]) - income[l]) + off * q);
            self.persons[l] += q;
        }
    }
}

/// Adds half of a tie's ranks, when it opens and when it closes, to the remittances of its households.
fn rank(
    ranked: &mut Changed,
    elasticity: &Elasticity,
    ordered: &Ordered,
    event: Event,
    same: &Walk,
    factors: &[Lanes],
) {
    let Some(tie) = elasticity.ties.get(event.number as usize) else { return };
    let rows = tie.first..tie.last;
    let (Some(shares), Some(persons), Some(units)) =
        (elasticity.share.get(rows.clone()), ordered.persons.get(rows.clone()), ordered.unit.get(rows))
    else {
        return;
    };
    let mut amounts = NOTHING;
    for ((share, persons), unit) in shares.iter().zip(persons).zip(units) {
        let factors = factors_of(factors, *unit);
        for l in 0..LANES {
            let q = persons * factors[l];
            amounts[l] += q * share;
            if event.close {
                ranked.persons[l] += q;
            }
        }
    }
    let (below, _) = same.passed();
    for l in 0..LANES {
        ranked.pairs[l] += amounts[l] * (below[l] + ranked.persons[l]);
    }
}
