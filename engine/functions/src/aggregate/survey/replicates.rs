//! Errors by replicates: the estimate again and again, of parts of the sample.

use datafusion_common::{Result, exec_err};

use super::design::{Design, Drawn, Stratum};
use super::lanes::{LANES, Lanes, Several};
use crate::aggregate::frame::{Given, Rows, Total, refuse, total};

/// How many rows all replicates of a group may have together: minutes of work.
const MOST: f64 = 2e10;

/// How replicates are made.
#[derive(Debug)]
pub(super) struct Replicates {
    function: &'static str,
    /// Number of draws and seed; none for the jackknife.
    bootstrap: Option<(usize, u64)>,
}

/// What a replicate is estimated by, given weights.
type Again<'a> = dyn Fn(&[f64]) -> Result<Option<f64>> + 'a;

impl Replicates {
    /// Reads the arguments; `None` for linearisation.
    pub(super) fn new(given: &Given) -> Result<Option<Self>> {
        let function = given.measure.name;
        let method = given.choice("method")?;
        let whole = |name: &str, least: f64, most: f64, otherwise: f64| match given.number(name)? {
            Some(_) if method != Some("bootstrap") => {
                exec_err!("`{function}` takes `{name}` with `method => 'bootstrap'` alone")
            }
            Some(n) if n.fract() != 0.0 || !(least..=most).contains(&n) => {
                refuse(function, name, n, &format!("expected an integer from {least} to {most}"))
            }
            n => Ok(n.unwrap_or(otherwise)),
        };
        let draws = whole("replicates", 2.0, 100_000.0, 1000.0)? as usize;
        let seed = whole("seed", 0.0, 9_007_199_254_740_992.0, 0.0)? as u64;
        Ok(match method {
            Some("jackknife") => Some(Self { function, bootstrap: None }),
            Some("bootstrap") => Some(Self { function, bootstrap: Some((draws, seed)) }),
            _ => None,
        })
    }

    /// The replicates of a design, and of so many rows.
    pub(super) fn plan(&self, design: &Design, strata: &[Stratum], rows: usize) -> Result<Plan> {
        let drawn = strata.iter().map(|s| Ok((*s, design.replicated(*s)?))).collect::<Result<Vec<_>>>()?;
        let units: usize = drawn.iter().filter(|(_, drawn)| *drawn).map(|(s, _)| s.units).sum();
        let count = match self.bootstrap {
            _ if units == 0 => 0,
            Some((draws, _)) => draws,
            None => units,
        };
        if count as f64 * rows as f64 > MOST {
            return exec_err!(
                "`{}` would estimate {count} replicates of {rows} rows; choose linearisation, fewer replicates, or larger units",
                self.function
            );
        }
        Ok(Plan { bootstrap: self.bootstrap, strata: drawn, count })
    }

    /// The variance, if every replicate has an estimate, and units less strata.
    pub(super) fn variance(
        &self,
        design: &Design,
        drawn: &Drawn,
        rows: &Rows<'_>,
        again: &Again<'_>,
    ) -> Result<(Option<f64>, usize)> {
        let plan = self.plan(design, &drawn.strata, rows.len())?;
        let mut factors = vec![1.0; drawn.units.len()];
        let mut weights = vec![0.0; rows.len()];
        let mut replicates = Vec::with_capacity(plan.count);
        let units = drawn.unit_of_rows();
        for replicate in 0..plan.count {
            let scale = plan.factors(replicate, &mut factors);
            for (row, (weight, unit)) in weights.iter_mut().zip(&units).enumerate() {
                *weight = rows.weight(row) * factors.get(*unit as usize).copied().unwrap_or(1.0);
            }
            let Some(estimate) = again(&weights)? else { return Ok((None, plan.freedom())) };
            replicates.push((estimate, scale));
        }
        Ok((Some(variance(&replicates)), plan.freedom()))
    }

    /// The same of an estimate that several replicates have at once.
    pub(super) fn variance_of_several(
        &self,
        design: &Design,
        drawn: &Drawn,
        rows: usize,
        several: impl Fn(&[Lanes]) -> Several,
    ) -> Result<(Option<f64>, usize)> {
        let plan = self.plan(design, &drawn.strata, rows)?;
        let mut replicates = Some(Vec::with_capacity(plan.count));
        plan.several(drawn.units.len(), |factors, scales| {
            for (estimate, scale) in several(factors).into_iter().zip(scales) {
                match (estimate, replicates.as_mut()) {
                    (Some(estimate), Some(all)) => all.push((estimate, *scale)),
                    _ => replicates = None,
                }
            }
        });
        Ok((replicates.map(|all| variance(&all)), plan.freedom()))
    }
}

fn variance(replicates: &[(f64, f64)]) -> f64 {
    if replicates.is_empty() { 0.0 } else { spread(replicates, None) }
}

/// The replicates of a sample.
pub(super) struct Plan {
    bootstrap: Option<(usize, u64)>,
    /// Whether replicates are drawn of each stratum.
    strata: Vec<(Stratum, bool)>,
    /// How many replicates there are.
    pub(super) count: usize,
}

impl Plan {
    /// Units less strata, of those that replicates are drawn of.
    pub(super) fn freedom(&self) -> usize {
        self.strata.iter().filter(|(_, drawn)| *drawn).map(|(s, _)| s.units - 1).sum()
    }

    /// What a replicate multiplies the weights of each unit by, those of a stratum side by side;
    /// gives the scale of the replicate's square.
    pub(super) fn factors(&self, replicate: usize, factors: &mut [f64]) -> f64 {
        match self.bootstrap {
            Some((draws, seed)) => {
                self.bootstrap(Random::new(seed, replicate as u64), factors);
                1.0 / (draws as f64 - 1.0)
            }
            None => self.jackknife(replicate, factors),
        }
    }

    /// Makes replicates by several at once: what each multiplies the weights of every unit by, and their scales.
    pub(super) fn several(&self, units: usize, mut of: impl FnMut(&[Lanes], &[f64])) {
        let mut factors = vec![[1.0; LANES]; units];
        let mut one = vec![1.0; units];
        for begin in (0..self.count).step_by(LANES) {
            let mut scales = Vec::with_capacity(LANES);
            for lane in 0..LANES.min(self.count - begin) {
                scales.push(self.factors(begin + lane, &mut one));
                for (factors, factor) in factors.iter_mut().zip(&one) {
                    factors[lane] = *factor;
                }
            }
            of(&factors, &scales);
        }
    }

    /// Leaves out one unit after another; the others of its stratum stand for it.
    fn jackknife(&self, replicate: usize, factors: &mut [f64]) -> f64 {
        factors.fill(1.0);
        let (mut place, mut scale) = (replicate, 0.0);
        let mut rest = factors;
        for (stratum, drawn) in &self.strata {
            let Some((units, others)) = rest.split_at_mut_checked(stratum.units) else { break };
            rest = others;
            if !drawn {
                continue;
            }
            if let Some(left_out) = (place < units.len()).then_some(place) {
                let n = units.len() as f64;
                units.fill(n / (n - 1.0));
                units.iter_mut().skip(left_out).take(1).for_each(|u| *u = 0.0);
                scale = stratum.left * (n - 1.0) / n;
                break;
            }
            place -= units.len();
        }
        scale
    }

    /// Draws all units but one of each stratum anew, with replacement (Rao and Wu 1988).
    fn bootstrap(&self, mut random: Random, factors: &mut [f64]) {
        let mut rest = factors;
        for (stratum, drawn) in &self.strata {
            let Some((units, others)) = rest.split_at_mut_checked(stratum.units) else { break };
            rest = others;
            if !drawn {
                units.fill(1.0);
                continue;
            }
            units.fill(0.0);
            for _ in 1..units.len() {
                if let Some(times) = units.get_mut(random.below(stratum.units)) {
                    *times += 1.0;
                }
            }
            let (n, root) = (units.len() as f64, stratum.left.sqrt());
            units.iter_mut().for_each(|times| *times = 1.0 - root + root * n / (n - 1.0) * *times);
        }
    }
}

/// The sum of squares around a centre or the mean of replicates, each with its scale.
pub(crate) fn spread(replicates: &[(f64, f64)], centre: Option<f64>) -> f64 {
    let all = || total(replicates.iter().map(|(estimate, _)| *estimate));
    let mean = centre.unwrap_or_else(|| all() / replicates.len() as f64);
    let mut sum = Total::default();
    replicates.iter().for_each(|(estimate, scale)| sum.add(scale * (estimate - mean) * (estimate - mean)));
    sum.value()
}

/// Numbers that look random, of a seed and the number of a draw (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn new(seed: u64, draw: u64) -> Self {
        let mut first = Self(seed);
        Self(first.next() ^ Self(draw).next().rotate_left(32))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// An integer below a bound.
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}
