//! The sample of a survey: strata, the units drawn in each, and what a household stands for.

use super::random::Stream;
use crate::error::{Error, Result};

/// Strata of a survey, unless asked for otherwise.
const STRATA: u64 = 100;
/// Primary sampling units of a survey, unless asked for otherwise.
const UNITS: u64 = 2000;
/// Regions of an economy, at most.
const REGIONS: u64 = 16;
/// Strata of a region, where there are enough: town and country, twice.
const OF_A_REGION: u64 = 4;

/// A stratum of the sample.
#[derive(Debug, Clone)]
pub(super) struct Stratum {
    pub(super) name: String,
    pub(super) region: String,
    /// Standard score of the region's income.
    pub(super) level: f64,
}

/// A primary sampling unit.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) stratum: usize,
    pub(super) urban: bool,
    /// Households of the population that each household here stands for.
    pub(super) weight: f64,
    /// Standard scores of what neighbours share: income, and migration.
    pub(super) income: f64,
    pub(super) migration: f64,
}

/// Units in their order; households follow one another unit by unit.
#[derive(Debug, Clone)]
pub(super) struct Design {
    pub(super) strata: Vec<Stratum>,
    pub(super) units: Vec<Unit>,
    rows: u64,
}

/// Numbers of strata and units for so many households: as asked for, or what fits.
/// Every stratum has two units and every unit two households, without which no error of
/// sampling can be estimated; only below four households that is given up.
pub(super) fn numbers(rows: u64, strata: Option<u64>, units: Option<u64>) -> Result<(u64, u64)> {
    let most = (rows / 2).max(1);
    if let Some(units) = units.filter(|u| *u > most || *u == 0) {
        let what = format!("{units} units of {rows} households of an economy: 1 to {most} work, two households each");
        return Err(Error::Usage(what));
    }
    let most = (units.unwrap_or(most) / 2).max(1);
    if let Some(strata) = strata.filter(|s| *s > most || *s == 0) {
        let what = format!(
            "{strata} strata of {rows} households of an economy: 1 to {most} work, two units each and two households a unit"
        );
        return Err(Error::Usage(what));
    }
    let usual = UNITS.max(strata.unwrap_or(0) * 2).min(rows / 5);
    let units = units.unwrap_or(usual.max(strata.unwrap_or(1) * 2).min((rows / 2).max(1)));
    Ok((strata.unwrap_or(STRATA.min((units / 2).max(1))), units))
}

impl Design {
    /// A sample of `rows` households that together stand for `households`.
    pub(super) fn new(rows: u64, households: f64, (strata, units): (u64, u64), seed: u64) -> Self {
        let regions = (strata / OF_A_REGION).clamp(1, REGIONS);
        let levels: Vec<f64> = (0..regions).map(|r| Stream::new(seed, &[1, r]).normals().0).collect();
        let mut sizes = Vec::new();
        let mut made = Vec::new();
        for number in 0..strata {
            let region = number * regions / strata;
            sizes.push((0.5 * Stream::new(seed, &[2, number]).normals().0).exp());
            made.push(Stratum {
                name: format!("S{:0wide$}", number + 1, wide = digits(strata).max(3)),
                region: format!("R{:02}", region + 1),
                level: levels.get(region as usize).copied().unwrap_or(0.0),
            });
        }
        let mut design = Self { strata: made, units: Vec::new(), rows };
        let mut measures = Vec::new();
        let mut held = vec![0.0; strata as usize];
        for number in 0..units {
            let stratum = (number * strata / units) as usize;
            let mut stream = Stream::new(seed, &[3, number]);
            let (size, _) = stream.normals();
            let (income, migration) = stream.normals();
            let measure = (0.3 * size).exp();
            let here = start(number + 1, rows, units) - start(number, rows, units);
            if let Some(held) = held.get_mut(stratum) {
                *held += measure * here as f64;
            }
            measures.push(measure);
            // Of one stratum the units alternate, otherwise the strata.
            let urban = if strata > 1 { stratum.is_multiple_of(2) } else { number.is_multiple_of(2) };
            let name = format!("P{:0wide$}", number + 1, wide = digits(units).max(4));
            design.units.push(Unit { name, stratum, urban, weight: 0.0, income, migration });
        }
        let whole: f64 = sizes.iter().zip(&held).filter(|(_, held)| **held > 0.0).map(|(size, _)| size).sum();
        for (unit, measure) in design.units.iter_mut().zip(measures) {
            let (size, held) = (sizes.get(unit.stratum).copied(), held.get(unit.stratum).copied());
            if let (Some(size), Some(held)) = (size, held.filter(|held| *held > 0.0)) {
                unit.weight = households * size / whole * measure / held;
            }
        }
        design
    }

    /// The unit of a household.
    pub(super) fn unit(&self, row: u64) -> Option<&Unit> {
        let units = self.units.len() as u128;
        let number = ((u128::from(row) + 1) * units - 1) / u128::from(self.rows.max(1));
        self.units.get(number as usize)
    }
}

/// Digits of a number, so that names sort as numbers do.
pub(super) fn digits(number: u64) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

/// The first household of a unit.
fn start(unit: u64, rows: u64, units: u64) -> u64 {
    (u128::from(unit) * u128::from(rows) / u128::from(units.max(1))) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_the_population() {
        for (rows, strata, units) in [(1, 1, 1), (7, 1, 3), (1000, 10, 100), (12_345, 7, 1_000), (999, 100, 499)] {
            let design = Design::new(rows, 1e6, (strata, units), 5);
            let weights: Vec<f64> = (0..rows).map(|row| design.unit(row).unwrap().weight).collect();
            let total: f64 = weights.iter().sum();
            assert!((total / 1e6 - 1.0).abs() < 1e-12, "{rows}: {total}");
            assert!(weights.iter().all(|w| *w > 0.0));
            let mut strata_seen: Vec<&str> =
                design.units.iter().map(|u| design.strata[u.stratum].name.as_str()).collect();
            assert!(strata_seen.is_sorted(), "files are in the order of the table");
            strata_seen.dedup();
            assert_eq!(strata_seen.len() as u64, strata);
            for row in 0..rows {
                let unit = design.unit(row).unwrap();
                let number: u64 = unit.name[1..].parse::<u64>().unwrap() - 1;
                assert!((start(number, rows, units)..start(number + 1, rows, units)).contains(&row));
            }
        }
    }

    #[test]
    fn numbers_fit_the_households() {
        for (rows, strata, units, expected) in [
            (100_000_000, None, None, Ok((100, 2000))),
            (2_000, None, None, Ok((100, 400))),
            (1, None, None, Ok((1, 1))),
            (5, None, None, Ok((1, 2))),
            (40, Some(5), None, Ok((5, 10))),
            (10_000, Some(3_000), None, Err("1 to 2500 work")),
            (10_000, None, Some(4), Ok((2, 4))),
            (10_000, Some(3), Some(4), Err("3 strata of 10000 households of an economy: 1 to 2 work")),
            (10, None, Some(6), Err("6 units of 10 households of an economy: 1 to 5 work")),
            (10, None, Some(0), Err("1 to 5 work")),
        ] {
            match (numbers(rows, strata, units), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{rows}"),
                (Err(found), Err(words)) => assert!(found.to_string().contains(words), "{found}"),
                (found, expected) => panic!("{rows}: {found:?} is not {expected:?}"),
            }
        }
        // What fits without being asked for never leaves a stratum with one unit.
        for rows in 4..3000 {
            let (strata, units) = numbers(rows, None, None).unwrap();
            assert!(units >= 2 * strata || strata == 1, "{rows}: {strata} {units}");
            assert!(units * 2 <= rows, "{rows}");
        }
    }
}
