//! Errors by replicates: several at a time in one walk over the sorted households.

use super::call::Call;
use super::elasticity::of_received;
use super::group::{Households, Line};
use super::lanes::Course;
use super::model::{Measure, Model};
use super::poverty::relative;
use super::side::Ordered;
use crate::aggregate::survey::lanes::{LANES, Lanes, Several, dot, gini, several};
use crate::aggregate::survey::replicates::{Plan, spread};

/// Errors of every scale and measure: with, without, and of the difference.
pub(super) struct Errors {
    /// Units less strata, of those that replicates are drawn of.
    pub(super) df: usize,
    pub(super) of: Vec<[[Option<f64>; 3]; Measure::ALL.len()]>,
}

/// What replicates have of one measure: with, without, and their scale; none if one has no estimate.
type Found = Option<Vec<(f64, f64, f64)>>;

/// Estimates everything again in every replicate.
pub(super) fn replicated(call: &Call, h: &Households, model: &Model, plan: &Plan) -> Errors {
    let mut found: Vec<[Found; Measure::ALL.len()]> =
        model.scales.iter().map(|_| std::array::from_fn(|_| Some(Vec::with_capacity(plan.count)))).collect();
    let courses: Vec<_> = (0..model.weights.len()).map(|number| course(model, number)).collect();
    plan.several(h.units, |factors, scales| {
        let block = Block::new(call, h, model, &courses, factors, scales.len());
        for (compared, found) in model.scales.iter().zip(&mut found) {
            let Ok(places) = compared.places else { continue };
            for (measure, found) in Measure::ALL.into_iter().zip(found) {
                let (with, without) = block.estimates(places.numbers(), measure);
                for ((with, without), scale) in with.into_iter().zip(without).zip(scales) {
                    match (with, without, found.as_mut()) {
                        (Some(with), Some(without), Some(all)) => all.push((with, without, *scale)),
                        _ => *found = None,
                    }
                }
            }
        }
    });
    let error = |found: &Found| -> [Option<f64>; 3] {
        let Some(all) = found else { return [None; 3] };
        let of = |what: fn(&(f64, f64, f64)) -> f64| {
            let pairs: Vec<(f64, f64)> = all.iter().map(|r| (what(r), r.2)).collect();
            Some(if pairs.is_empty() { 0.0 } else { spread(&pairs, None).sqrt() })
        };
        [of(|r| r.0), of(|r| r.1), of(|r| r.0 - r.1)]
    };
    let of = found.iter().map(|measures| std::array::from_fn(|at| measures.get(at).map_or([None; 3], error))).collect();
    Errors { df: plan.freedom(), of }
}

/// The walk under weights of that number.
fn course(model: &Model, number: usize) -> Course<'_> {
    let elasticity = model.elasticity.as_ref().filter(|_| number == 0);
    let with = model.sides.get(Model::WITH).map(|under| &under.side.ordered);
    Course::new(ranked(model, number).map(|(_, ordered)| ordered).collect(), elasticity.zip(with))
}

/// The distributions under weights of that number that have a Gini coefficient.
fn ranked(model: &Model, number: usize) -> impl Iterator<Item = (usize, &Ordered)> {
    let under = model.sides.iter().enumerate().filter(move |(_, u)| u.weights == number && u.side.gini.is_some());
    under.map(|(at, u)| (at, &u.side.ordered))
}

/// Sums over weights in several replicates.
struct Weighed {
    households: Lanes,
    receiving: Lanes,
    persons: Lanes,
    persons_receiving: Lanes,
}

/// Several replicates.
struct Block {
    weights: Vec<Weighed>,
    mean: Vec<Several>,
    poverty: Vec<[Several; 3]>,
    gini: Vec<Several>,
    elasticity: Several,
}

fn lane(lanes: &Lanes, at: usize) -> f64 {
    lanes.get(at).copied().unwrap_or(f64::NAN)
}

impl Block {
    fn new(
        call: &Call,
        h: &Households,
        model: &Model,
        courses: &[Course<'_>],
        factors: &[Lanes],
        lanes: usize,
    ) -> Self {
        let weights: Vec<Weighed> = model
            .weights
            .iter()
            .map(|w| Weighed {
                households: dot(factors, &w.households),
                receiving: dot(factors, &w.receiving),
                persons: dot(factors, &w.persons),
                persons_receiving: dot(factors, &w.persons_receiving),
            })
            .collect();
        let mut block = Self {
            weights,
            mean: Vec::new(),
            poverty: Vec::new(),
            gini: vec![[None; LANES]; model.sides.len()],
            elasticity: [None; LANES],
        };
        let mut incomes = Vec::new();
        for under in &model.sides {
            let (Some(weights), Some(weighed)) = (model.weights.get(under.weights), block.weights.get(under.weights))
            else {
                continue;
            };
            let (persons, income) = (weighed.persons, dot(factors, &under.side.incomes));
            block.mean.push(several(|at| (h.amid + lane(&income, at) / lane(&persons, at)) / h.scale));
            block.poverty.push(match (&under.side.poverty, h.line) {
                (Some(_), Line::Relative) => {
                    let mut found = [[None; LANES]; 3];
                    for at in 0..lanes {
                        let one: Vec<f64> = factors.iter().map(|f| lane(f, at)).collect();
                        let again = relative(call, h, weights, &under.side.ordered, Some(&one));
                        for (place, found) in found.iter_mut().enumerate() {
                            let measure = again.as_ref().and_then(|p| p.measures.get(place).copied());
                            if let Some(slot) = found.get_mut(at) {
                                *slot = measure.filter(|m| m.is_finite());
                            }
                        }
                    }
                    found
                }
                (Some(poverty), _) => poverty.depths.each_ref().map(|depths| {
                    let depths = dot(factors, depths);
                    several(|at| lane(&depths, at) / lane(&persons, at))
                }),
                (None, _) => [[None; LANES]; 3],
            });
            incomes.push(income);
        }
        block.ginis(h, model, courses, factors, &incomes);
        block
    }

    /// Gini coefficients and their elasticity: a walk over the households for each set of weights.
    fn ginis(&mut self, h: &Households, model: &Model, courses: &[Course<'_>], factors: &[Lanes], incomes: &[Lanes]) {
        let all = model.weights.iter().zip(&self.weights).zip(courses);
        for (number, ((weights, weighed), course)) in all.enumerate() {
            if course.is_empty() {
                continue;
            }
            let elasticity = model.elasticity.as_ref().filter(|_| number == 0);
            let (kernels, ranks) = course.walk(h, weights, factors);
            for ((at, _), kernel) in ranked(model, number).zip(&kernels) {
                let Some(income) = incomes.get(at) else { continue };
                let of = |l: usize| gini(lane(kernel, l), lane(&weighed.persons, l), lane(income, l), h.amid);
                if let Some(slot) = self.gini.get_mut(at) {
                    *slot = several(of);
                }
            }
            let with = (self.gini.get(Model::WITH), incomes.get(Model::WITH));
            if let (Some(elasticity), (Some(ginis), Some(income))) = (elasticity, with) {
                let received = dot(factors, &elasticity.shares);
                self.elasticity = several(|l| {
                    let persons = lane(&weighed.persons, l);
                    let amount = lane(income, l) + h.amid * persons;
                    let gini = ginis.get(l).copied().flatten().unwrap_or(f64::NAN);
                    let of_received_ranks = lane(&ranks, l) / persons - lane(&received, l);
                    of_received(of_received_ranks, gini * amount, lane(&received, l), amount)
                });
            }
        }
    }

    /// What is measured, with and without.
    fn estimates(&self, (weights, with, without): (usize, usize, usize), measure: Measure) -> (Several, Several) {
        let share = |part: &Lanes, all: &Lanes| (several(|at| lane(part, at) / lane(all, at)), [Some(0.0); LANES]);
        let none = [None; LANES];
        let pair = |of: &[Several]| {
            let at = |place: usize| of.get(place).copied().unwrap_or(none);
            (at(with), at(without))
        };
        match (measure, self.weights.get(weights)) {
            (Measure::ReceivingHouseholds, Some(w)) => share(&w.receiving, &w.households),
            (Measure::ReceivingPersons, Some(w)) => share(&w.persons_receiving, &w.persons),
            (Measure::Mean, _) => pair(&self.mean),
            (Measure::Poverty(place), _) => {
                let at = |side: usize| self.poverty.get(side).and_then(|p| p.get(place)).copied().unwrap_or(none);
                (at(with), at(without))
            }
            (Measure::Gini, _) => pair(&self.gini),
            (Measure::Elasticity, _) => (self.elasticity, [Some(0.0); LANES]),
            (_, None) => (none, none),
        }
    }
}
