//! Errors by replicates: the estimate again and again, of parts of the sample.

use datafusion_common::{Result, exec_err};

use super::design::{Design, Drawn};
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

    /// The variance, if every replicate has an estimate, and units less strata.
    pub(super) fn variance(&self, design: &Design, rows: &Rows<'_>, again: &Again<'_>) -> Result<(Option<f64>, usize)> {
        let drawn = design.replicated(rows)?;
        let base: Vec<f64> = (0..rows.len()).map(|row| rows.weight(row)).collect();
        let units: usize = drawn.strata.iter().map(|s| s.units.len()).sum();
        let count = self.bootstrap.map_or(units, |(draws, _)| draws);
        if count as f64 * rows.len() as f64 > MOST {
            return exec_err!(
                "`{}` would estimate {count} replicates of {} rows; choose linearisation, fewer replicates, or larger units",
                self.function,
                rows.len()
            );
        }
        let variance = match self.bootstrap {
            _ if units == 0 => Some(0.0),
            Some((draws, seed)) => bootstrap(&drawn, &base, draws, seed, again)?,
            None => jackknife(&drawn, &base, again)?,
        };
        Ok((variance, drawn.freedom()))
    }
}

/// Leaves out one unit after another; the others of its stratum stand for it.
fn jackknife(drawn: &Drawn, base: &[f64], again: &Again<'_>) -> Result<Option<f64>> {
    let mut replicates = Vec::new();
    let mut weights = base.to_vec();
    for stratum in &drawn.strata {
        let n = stratum.units.len() as f64;
        for left_out in &stratum.units {
            for unit in &stratum.units {
                let factor = if unit == left_out { 0.0 } else { n / (n - 1.0) };
                set(drawn, unit.clone(), &mut weights, base, factor);
            }
            let Some(estimate) = again(&weights)? else { return Ok(None) };
            replicates.push((estimate, stratum.left * (n - 1.0) / n));
        }
        stratum.units.iter().for_each(|unit| set(drawn, unit.clone(), &mut weights, base, 1.0));
    }
    Ok(Some(spread(&replicates, None)))
}

/// Draws all units but one of each stratum anew, with replacement (Rao and Wu 1988).
fn bootstrap(drawn: &Drawn, base: &[f64], draws: usize, seed: u64, again: &Again<'_>) -> Result<Option<f64>> {
    let mut replicates = Vec::with_capacity(draws);
    let mut weights = base.to_vec();
    let mut times = Vec::new();
    for draw in 0..draws {
        let mut random = Random::new(seed, draw as u64);
        for stratum in &drawn.strata {
            let units = stratum.units.len();
            times.clear();
            times.resize(units, 0u32);
            for _ in 1..units {
                if let Some(times) = times.get_mut(random.below(units)) {
                    *times += 1;
                }
            }
            let (n, root) = (units as f64, stratum.left.sqrt());
            for (unit, times) in stratum.units.iter().zip(&times) {
                let factor = 1.0 - root + root * n / (n - 1.0) * f64::from(*times);
                set(drawn, unit.clone(), &mut weights, base, factor);
            }
        }
        let Some(estimate) = again(&weights)? else { return Ok(None) };
        replicates.push((estimate, 1.0 / (draws as f64 - 1.0)));
    }
    Ok(Some(spread(&replicates, None)))
}

fn set(drawn: &Drawn, unit: std::ops::Range<usize>, weights: &mut [f64], base: &[f64], factor: f64) {
    for row in drawn.order.get(unit).unwrap_or_default() {
        if let (Some(slot), Some(weight)) = (weights.get_mut(*row), base.get(*row)) {
            *slot = weight * factor;
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
