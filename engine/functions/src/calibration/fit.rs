//! The multipliers, step by step.

use super::{Constraint, Constraints, Distance, Refusal, Sample, shown};
use crate::aggregate::Total;
use crate::cholesky::Cholesky;

/// A constraint of which no more than this share is its own follows from others.
const OWN: f64 = 1e-11;
/// A step is halved so often before the totals are given up.
const HALVINGS: u32 = 50;
/// The share of the promised decrease that a step must bring (Armijo).
const DECREASE: f64 = 1e-4;

/// A search for the multipliers.
#[derive(Debug)]
pub struct Fit {
    constraints: Constraints,
    sample: Sample,
    distance: Distance,
    tolerance: f64,
    most: usize,
    /// Constraints that do not follow from those before them.
    kept: Vec<usize>,
    /// What an error of each constraint is a share of.
    scale: Vec<f64>,
    before: Vec<f64>,
    lambda: Vec<f64>,
    now: State,
    iterations: usize,
}

/// What some multipliers give.
#[derive(Debug, Clone)]
struct State {
    reached: Vec<f64>,
    /// The function to be minimised.
    objective: f64,
    /// The largest error as a share of its total, and the constraint with it.
    error: f64,
    worst: usize,
}

/// Weights that meet the constraints.
#[derive(Debug)]
pub struct Fitted {
    sample: Sample,
    g: Vec<f64>,
    /// Constraints with the sums of the old weights, of the new ones, and their multipliers.
    pub constraints: Vec<(Constraint, f64, f64, f64)>,
    /// The smallest and the largest g.
    pub range: (f64, f64),
    /// Kish's design effect of the new weights, 1 plus their squared coefficient of variation.
    pub design_effect: f64,
    /// Steps that were taken.
    pub iterations: usize,
}

impl Fit {
    /// Begins at the weights of the design.
    ///
    /// # Errors
    /// A total that no household adds to or that no g within its bounds can reach, and
    /// totals that contradict each other.
    pub fn new(
        constraints: Constraints,
        sample: Sample,
        distance: Distance,
        tolerance: f64,
        most: usize,
    ) -> Result<Self, Refusal> {
        let sample = sample.sorted();
        let (before, size) = (sums(&constraints, &sample, |x| x), sums(&constraints, &sample, f64::abs));
        for ((constraint, before), size) in constraints.all.iter().zip(&before).zip(&size) {
            reachable(constraint, *before, *size, distance)?;
        }
        let scale = constraints.all.iter().zip(&size).map(|(c, size)| match (c.total.abs(), *size) {
            (0.0, 0.0) => 1.0,
            (0.0, size) => size,
            (total, _) => total,
        });
        let scale: Vec<f64> = scale.collect();
        let lambda = vec![0.0; constraints.all.len()];
        let now = State { reached: before.clone(), objective: 0.0, error: f64::INFINITY, worst: 0 };
        let mut fit = Self {
            constraints,
            sample,
            distance,
            tolerance,
            most,
            kept: Vec::new(),
            scale,
            before,
            lambda,
            now,
            iterations: 0,
        };
        fit.now = fit.state(&fit.lambda);
        fit.kept = fit.independent()?;
        fit.start();
        Ok(fit)
    }

    /// Begins raking where one round by hand over the first margin, or the count, ends:
    /// from weights of another scale Newton's method would take a step for every factor of e.
    fn start(&mut self) {
        if self.distance != Distance::Raking || self.now.error <= self.tolerance {
            return;
        }
        let first = self.constraints.margins().first().map(|m| m.name.as_str()).unwrap_or(Constraints::COUNT);
        let mut lambda = self.lambda.clone();
        let sums = self.constraints.all.iter().zip(&self.before).zip(&mut lambda);
        for ((constraint, before), lambda) in sums.filter(|((c, _), _)| c.name == first) {
            let ratio = constraint.total / before;
            if ratio > 0.0 && ratio.is_finite() {
                *lambda = ratio.ln();
            }
        }
        let state = self.state(&lambda);
        if state.objective < self.now.objective {
            (self.lambda, self.now) = (lambda, state);
        }
    }

    /// Bytes that the search holds beside the households.
    pub fn size(constraints: &Constraints, points: usize) -> usize {
        let k = constraints.all.len();
        // The matrix, its factor, some vectors, and g of every point.
        size_of::<f64>() * (2 * k * k + 16 * k + points)
    }

    /// One step of Newton's method; whether it was the last.
    ///
    /// # Errors
    /// No step comes nearer, or there were as many as are allowed: names the constraint with the largest error.
    pub fn step(&mut self) -> Result<bool, Refusal> {
        let met = self.now.error <= self.tolerance;
        if met && self.iterations == 0 {
            return Ok(true);
        }
        if !met && self.iterations == self.most {
            let steps = self.most;
            return Err(self.failed(&format!("does not meet the totals after {steps} iterations")));
        }
        let (direction, slope) = self.direction();
        if met {
            // Once met, another step gives the digits that rounding leaves, whatever the tolerance.
            let (lambda, state) = self.moved(&direction, 1.0);
            if state.error < self.now.error {
                (self.lambda, self.now) = (lambda, state);
            }
            return Ok(true);
        }
        let mut length = 1.0;
        for _ in 0..HALVINGS {
            let (lambda, state) = self.moved(&direction, length);
            let promised = self.now.objective + DECREASE * length * slope;
            if state.objective.is_finite() && (state.objective <= promised || state.error < self.now.error) {
                (self.lambda, self.now) = (lambda, state);
                self.iterations += 1;
                return Ok(false);
            }
            length /= 2.0;
        }
        Err(self.failed("cannot come nearer to the totals"))
    }

    /// All steps at once.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn solve(mut self) -> Result<Fitted, Refusal> {
        while !self.step()? {}
        Ok(self.finish())
    }

    /// The weights as they are now.
    pub fn finish(self) -> Fitted {
        let g: Vec<f64> = self.sample.each().map(|p| self.distance.at(at(&p, &self.lambda)).g).collect();
        let range = g.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), g| (low.min(*g), high.max(*g)));
        let (mut sum, mut squares) = (Total::default(), Total::default());
        for ((g, weight), square) in g.iter().zip(&self.sample.weights).zip(&self.sample.squares) {
            sum.add(g * weight.value());
            squares.add(g * g * square.value());
        }
        let design_effect = self.sample.rows as f64 * squares.value() / (sum.value() * sum.value());
        let sums = self.before.into_iter().zip(self.now.reached).zip(self.lambda);
        let constraints =
            self.constraints.all.into_iter().zip(sums).map(|(c, ((before, after), lambda))| (c, before, after, lambda));
        Fitted {
            constraints: constraints.collect(),
            sample: self.sample,
            g,
            range,
            design_effect,
            iterations: self.iterations,
        }
    }

    fn failed(&self, how: &str) -> Refusal {
        let worst = self.constraints.all.get(self.now.worst);
        let reached = shown(self.now.reached.get(self.now.worst).copied().unwrap_or(f64::NAN));
        let (name, total) = worst.map_or_else(Default::default, |c| (c.to_string(), shown(c.total)));
        Refusal(format!(
            "{how}: of all totals {name} is furthest off, with {reached} instead of {total} (a share of {:.1e}, where {:.1e} is asked for); \
             the survey may have no households where the totals need them",
            self.now.error, self.tolerance
        ))
    }

    fn moved(&self, direction: &[f64], length: f64) -> (Vec<f64>, State) {
        let mut lambda = self.lambda.clone();
        for (place, change) in self.kept.iter().zip(direction) {
            if let Some(lambda) = lambda.get_mut(*place) {
                *lambda += length * change;
            }
        }
        let state = self.state(&lambda);
        (lambda, state)
    }

    /// What these multipliers give.
    fn state(&self, lambda: &[f64]) -> State {
        let mut reached = vec![Total::default(); lambda.len()];
        let mut objective = Total::default();
        for point in self.sample.each() {
            let now = self.distance.at(at(&point, lambda));
            objective.add(point.weight * now.integral);
            let weight = point.weight * now.g;
            for (place, x) in point.support() {
                if let Some(total) = reached.get_mut(place) {
                    total.add(weight * x);
                }
            }
        }
        let reached: Vec<f64> = reached.into_iter().map(Total::value).collect();
        let (mut error, mut worst) = (0.0, 0);
        let wanted = self.constraints.all.iter().zip(lambda).zip(&self.scale).zip(&reached);
        for (place, (((constraint, lambda), scale), reached)) in wanted.enumerate() {
            objective.add(-constraint.total * lambda);
            let off = ((reached - constraint.total) / scale).abs();
            if off > error || off.is_nan() {
                (error, worst) = (off, place);
            }
        }
        State { reached, objective: objective.value(), error, worst }
    }

    /// Newton's direction over the kept constraints, and how the function falls along it.
    fn direction(&self) -> (Vec<f64>, f64) {
        let matrix = self.products(&self.lambda);
        let k = self.lambda.len();
        let entry = |i: usize, j: usize| matrix.get(i * k + j).copied().unwrap_or(0.0);
        let roots: Vec<f64> = self.kept.iter().map(|i| entry(*i, *i).sqrt()).collect();
        let gap = |place: &usize| {
            let total = self.constraints.all.get(*place).map_or(0.0, |c| c.total);
            total - self.now.reached.get(*place).copied().unwrap_or(total)
        };
        let gaps: Vec<f64> = self.kept.iter().map(gap).collect();
        let right: Vec<f64> = gaps.iter().zip(&roots).map(|(gap, root)| ratio(*gap, *root)).collect();
        let mut more = 0.0;
        let factor = loop {
            // With g at its bounds the matrix can lose its rank; a little on the diagonal keeps the way downhill.
            let mut factor = Cholesky::default();
            let whole = self.kept.iter().zip(&roots).enumerate().all(|(n, (i, root))| {
                let before = self.kept.iter().zip(&roots).take(n);
                let cross: Vec<f64> = before.map(|(j, other)| ratio(entry(*i, *j), root * other)).collect();
                factor.add(&cross, 1.0 + more, f64::EPSILON).is_ok()
            });
            if whole || more > 1.0 {
                break factor;
            }
            more = if more == 0.0 { 1e-10 } else { more * 10.0 };
        };
        let direction: Vec<f64> =
            factor.solve(&right).iter().zip(&roots).map(|(step, root)| ratio(*step, *root)).collect();
        let slope = -direction.iter().zip(&gaps).map(|(step, gap)| step * gap).sum::<f64>();
        (direction, slope)
    }

    /// The lower half of the matrix of products Σ d F'(x'λ) x x'.
    fn products(&self, lambda: &[f64]) -> Vec<f64> {
        let k = lambda.len();
        let mut matrix = vec![0.0; k * k];
        for point in self.sample.each() {
            let weight = point.weight * self.distance.at(at(&point, lambda)).slope;
            for (n, (i, x)) in point.support().enumerate() {
                let Some(row) = matrix.get_mut(i * k..(i + 1) * k) else { continue };
                // Constraints of a point come in order, so those before are those of the lower half.
                for (j, y) in point.support().take(n + 1) {
                    if let Some(entry) = row.get_mut(j) {
                        *entry += weight * x * y;
                    }
                }
            }
        }
        matrix
    }

    /// Constraints that do not follow from those before them; those that do must not contradict them.
    fn independent(&self) -> Result<Vec<usize>, Refusal> {
        let matrix = self.products(&self.lambda);
        let k = self.lambda.len();
        let entry = |i: usize, j: usize| matrix.get(i * k + j).copied().unwrap_or(0.0);
        let mut factor = Cholesky::default();
        let mut kept: Vec<usize> = Vec::new();
        for (i, constraint) in self.constraints.all.iter().enumerate() {
            let root = entry(i, i).sqrt();
            if root == 0.0 {
                // A total of 0 that nobody adds to is met.
                continue;
            }
            let cross: Vec<f64> = kept.iter().map(|j| entry(i, *j) / (root * entry(*j, *j).sqrt())).collect();
            let Err(follows) = factor.add(&cross, 1.0, OWN) else {
                kept.push(i);
                continue;
            };
            let shares = kept.iter().zip(&follows).map(|(j, share)| (*j, share * root / entry(*j, *j).sqrt()));
            self.consistent(constraint, i, &shares.collect::<Vec<_>>())?;
        }
        Ok(kept)
    }

    fn consistent(&self, constraint: &Constraint, place: usize, shares: &[(usize, f64)]) -> Result<(), Refusal> {
        let of = |j: usize| self.constraints.all.get(j);
        let follows = crate::aggregate::total(shares.iter().filter_map(|(j, share)| Some(share * of(*j)?.total)));
        let scale = self.scale.get(place).copied().unwrap_or(1.0);
        // What follows is known to fewer digits than the totals are.
        if (follows - constraint.total).abs() <= self.tolerance.max(1e-9) * scale.max(follows.abs()) {
            return Ok(());
        }
        let others = shares.iter().filter(|(_, share)| share.abs() > 1e-7);
        let mut names: Vec<String> = Vec::new();
        for other in others.filter_map(|(j, _)| of(*j)) {
            let name = match &other.category {
                Some(_) => format!("margin `{}`", other.name),
                None => other.to_string(),
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Err(Refusal(format!(
            "has totals that contradict each other: {constraint} follows from {}, which make it {}, not {}",
            names.join(", "),
            shown(follows),
            shown(constraint.total)
        )))
    }
}

impl Fitted {
    /// g of a row; `None` for one that takes no part.
    pub fn g(&self, row: usize) -> Option<f64> {
        self.sample.point_of(row).and_then(|p| self.g.get(p)).copied()
    }
}

/// x'λ.
fn at(point: &super::sample::Point<'_>, lambda: &[f64]) -> f64 {
    point.support().map(|(place, x)| x * lambda.get(place).copied().unwrap_or(0.0)).sum()
}

/// Sums of weight times `of` what a household adds, by constraint.
fn sums(constraints: &Constraints, sample: &Sample, of: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut all = vec![Total::default(); constraints.all.len()];
    for point in sample.each() {
        for (place, x) in point.support() {
            if let Some(total) = all.get_mut(place) {
                total.add(point.weight * of(x));
            }
        }
    }
    all.into_iter().map(Total::value).collect()
}

/// The quotient, 0 by 0.
fn ratio(above: f64, below: f64) -> f64 {
    if below == 0.0 { 0.0 } else { above / below }
}

/// Whether some g within the bounds gives the total, as far as one constraint alone can tell.
fn reachable(constraint: &Constraint, before: f64, size: f64, distance: Distance) -> Result<(), Refusal> {
    let total = constraint.total;
    if size == 0.0 && total != 0.0 {
        let total = shown(total);
        return Err(Refusal(format!(
            "has a total of {total} for {constraint}, to which no household with a weight adds anything"
        )));
    }
    // Only where all signs are the same do bounds of g bound the sum.
    if size == 0.0 || before.abs() < size * (1.0 - 1e-12) {
        return Ok(());
    }
    let (lower, upper) = distance.bounds();
    let g = total / before;
    if g > lower && g < upper {
        return Ok(());
    }
    let means = if lower == 0.0 && upper == f64::INFINITY {
        "weights above zero cannot meet it".to_owned()
    } else {
        format!("g would have to be {} in the mean and is between {lower} and {upper}", shown(g))
    };
    let (total, before) = (shown(total), shown(before));
    Err(Refusal(format!("has a total of {total} for {constraint}, which is {before} in the survey: {means}")))
}
