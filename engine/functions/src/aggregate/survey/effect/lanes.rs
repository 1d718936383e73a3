//! The walk of several replicates at once: nothing is sorted again, and a household is read once for all.
//!
//! With q the weights of a replicate, the sum over all pairs Σ q_i q_j max(y_i, y_j) is taken apart
//! into pairs of households that do not change, the same for every distribution under the same
//! weights; pairs of those that do; and pairs of both. Incomes are less the one amid all.

use super::elasticity::Elasticity;
use super::group::Households;
use super::side::Ordered;
use super::weights::Weights;
use crate::aggregate::frame::Total;

/// How many replicates are walked at once.
pub(super) const LANES: usize = 16;

/// A number for each of them.
pub(super) type Lanes = [f64; LANES];

/// Rows after which running sums begin anew, so that they stay small beside their terms.
const STRETCH: usize = 1024;

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

/// Running sums over the households that do not change.
struct Same {
    /// Σ over pairs of them.
    pairs: [Total; LANES],
    persons: [Total; LANES],
    income: [Total; LANES],
    /// Persons and income before the stretch.
    persons_before: Lanes,
    income_before: Lanes,
    /// Of the stretch.
    pairs_here: Lanes,
    persons_here: Lanes,
    income_here: Lanes,
}

/// Running sums of one distribution.
#[derive(Clone, Copy)]
struct Changed {
    pairs: Lanes,
    persons: Lanes,
}

const NOTHING: Lanes = [0.0; LANES];

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
        let mut same = Same::new();
        let nothing = Changed { pairs: NOTHING, persons: NOTHING };
        let (mut changed, mut ranked) = (vec![nothing; self.orders.len()], nothing);
        let mut done = 0;
        for event in &self.events {
            let before = event.before as usize;
            same.walk(h, weights, done, before, factors);
            done = before;
            let of = event.of as usize;
            match (self.orders.get(of), changed.get_mut(of), self.elasticity) {
                (Some(ordered), Some(changed), _) => changed.add(h, ordered, event.number as usize, &same, factors),
                (_, _, Some((elasticity, ordered))) => rank(&mut ranked, elasticity, ordered, *event, &same, factors),
                _ => {}
            }
        }
        same.walk(h, weights, done, h.same.len(), factors);
        same.stretch();
        let sums = changed.iter().map(|c| {
            let of = |l: usize| same.pairs[l].value() + c.pairs[l] + 2.0 * c.persons[l] * same.income_before[l];
            std::array::from_fn(of)
        });
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

/// The factors of a unit.
#[inline]
fn factors_of(factors: &[Lanes], unit: u32) -> &Lanes {
    const ONE: Lanes = [1.0; LANES];
    factors.get(unit as usize).unwrap_or(&ONE)
}

impl Same {
    fn new() -> Self {
        let none = [Total::default(); LANES];
        Self {
            pairs: none,
            persons: none,
            income: none,
            persons_before: NOTHING,
            income_before: NOTHING,
            pairs_here: NOTHING,
            persons_here: NOTHING,
            income_here: NOTHING,
        }
    }

    /// Walks over households by income.
    fn walk(&mut self, h: &Households, weights: &Weights, begin: usize, end: usize, factors: &[Lanes]) {
        let mut begin = begin;
        while begin < end {
            // A stretch ends at places that do not hang on events.
            let stop = end.min((begin / STRETCH + 1) * STRETCH);
            let incomes = h.same.without.get(begin..stop).unwrap_or_default();
            let persons = weights.same.get(begin..stop).unwrap_or_default();
            let units = h.same.unit.get(begin..stop).unwrap_or_default();
            let (mut pairs, mut below, mut income) = (self.pairs_here, self.persons_here, self.income_here);
            for ((y, p), unit) in incomes.iter().zip(persons).zip(units) {
                let off = y - h.amid;
                let factors = factors_of(factors, *unit);
                for l in 0..LANES {
                    let q = p * factors[l];
                    let amount = q * off;
                    pairs[l] += amount * (2.0 * below[l] + q);
                    below[l] += q;
                    income[l] += amount;
                }
            }
            (self.pairs_here, self.persons_here, self.income_here) = (pairs, below, income);
            begin = stop;
            if begin % STRETCH == 0 {
                self.stretch();
            }
        }
    }

    fn stretch(&mut self) {
        for l in 0..LANES {
            self.pairs[l].add(self.pairs_here[l]);
            self.pairs[l].add(2.0 * self.persons_before[l] * self.income_here[l]);
            self.persons[l].add(self.persons_here[l]);
            self.income[l].add(self.income_here[l]);
            self.persons_before[l] = self.persons[l].value();
            self.income_before[l] = self.income[l].value();
        }
        (self.pairs_here, self.persons_here, self.income_here) = (NOTHING, NOTHING, NOTHING);
    }
}

impl Changed {
    /// Adds a household's pairs with those before it.
    #[inline]
    fn add(&mut self, h: &Households, ordered: &Ordered, number: usize, same: &Same, factors: &[Lanes]) {
        let row = (ordered.income.get(number), ordered.persons.get(number), ordered.unit.get(number));
        let (Some(income), Some(persons), Some(unit)) = row else { return };
        let off = income - h.amid;
        let factors = factors_of(factors, *unit);
        for l in 0..LANES {
            let q = persons * factors[l];
            let below = same.persons_before[l] + same.persons_here[l];
            let income = same.income_before[l] + same.income_here[l];
            self.pairs[l] += q * (2.0 * (off * (below + self.persons[l]) - income) + off * q);
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
    same: &Same,
    factors: &[Lanes],
) {
    let Some(tie) = elasticity.ties.get(event.number as usize) else { return };
    let rows = elasticity.share.iter().zip(&ordered.persons).zip(&ordered.unit);
    let mut amounts = NOTHING;
    for ((share, persons), unit) in rows.skip(tie.first).take(tie.last - tie.first) {
        let factors = factors_of(factors, *unit);
        for l in 0..LANES {
            let q = persons * factors[l];
            amounts[l] += q * share;
            if event.close {
                ranked.persons[l] += q;
            }
        }
    }
    for l in 0..LANES {
        let below = same.persons_before[l] + same.persons_here[l] + ranked.persons[l];
        ranked.pairs[l] += amounts[l] * below;
    }
}
