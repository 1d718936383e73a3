//! One invented household: members, income by source, remittances.
//!
//! ```text
//! ln(own income) = region + town + neighbours + household     sources share it out
//! logit(receives) = region + country + neighbours + members - own income
//! remittances     = members^0.3 x log-normal, one in 25 with a Pareto tail
//! ```
//! Three constants of each economy are found from the households themselves, before any is
//! written: the income of its own is that of the economy, the share that receives and the sum
//! of remittances are those of [`Aims`].

use super::design::{Design, Unit};
use super::economy::Economy;
use super::random::{Stream, drawn};

/// Households that the constants are found from, at most.
const PILOT: u64 = 8192;

/// Standard deviations of the logarithm of income: between regions, units and households.
const BETWEEN_REGIONS: f64 = 0.22;
const BETWEEN_UNITS: f64 = 0.25;
const BETWEEN_HOUSEHOLDS: f64 = 0.68;
/// Town over country.
const TOWN: f64 = 0.35;

/// Standard deviation of the logarithm of remittances among those who receive.
const REMITTANCES: f64 = 0.85;
/// Share of them in the tail, and its exponent: the variance is finite.
const TAIL: (f64, f64) = (0.04, 2.5);

/// The household without income of its own: one in 80.
const WITHOUT: f64 = 1.0 / 80.0;

/// What the households of an economy are to be together; money in US dollars a year.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aims {
    /// Of the population.
    pub(super) households: f64,
    pub(super) mean_size: f64,
    /// Income of its own of each person.
    pub(super) own_income: f64,
    /// Share of households that receive.
    pub(super) receiving: f64,
    /// Sum of remittances over that of the balance of payments.
    pub(super) captured: f64,
    pub(super) remittance: f64,
}

impl Aims {
    /// Aims that are plausible for an economy; surveys see a third to two thirds of remittances.
    pub(super) fn of(economy: &Economy, seed: u64) -> Self {
        let gdp = economy.gdp_usd / economy.persons;
        let share = economy.remittance_usd / economy.gdp_usd;
        let mean_size = (11.0 - 0.85 * gdp.ln()).clamp(2.3, 6.5);
        let captured = 0.3 + 0.3 * Stream::new(seed, &[4]).unit();
        let remittance = captured * economy.remittance_usd;
        // Households have some three fifths of GDP.
        let income = (0.58 * gdp).max(60.0);
        Self {
            households: (economy.persons / mean_size).round(),
            mean_size,
            own_income: (income - remittance / economy.persons).max(0.4 * income),
            receiving: (0.04 + 1.3 * share).clamp(0.04, 0.5),
            captured,
            remittance,
        }
    }
}

/// A household; money in whole US dollars a year.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Family {
    pub(super) size: u32,
    pub(super) children: u32,
    pub(super) labour: f64,
    pub(super) farm: f64,
    pub(super) transfer: f64,
    pub(super) remittance: f64,
    pub(super) domestic: f64,
    pub(super) consumption: f64,
}

impl Family {
    pub(super) fn total(&self) -> f64 {
        self.labour + self.farm + self.transfer + self.remittance + self.domestic
    }
}

/// How the households of an economy come about.
#[derive(Debug, Clone)]
pub(super) struct Model {
    seed: u64,
    mean_size: f64,
    /// Cumulated shares of households of 1, 2, ... members, in the country and in town.
    sizes: [Vec<f64>; 2],
    /// Income of its own of a household whose logarithm is zero.
    own_scale: f64,
    receiving: f64,
    remittance_scale: f64,
    mean_income: f64,
}

/// What a household is before remittances.
struct Base {
    size: u32,
    children: u32,
    /// Of one whose scale is 1.
    own: f64,
    /// Logit of receiving, without the constant.
    inclined: f64,
    /// Remittances if it receives, on average, of a scale of 1.
    expected: f64,
}

impl Model {
    /// The model whose households, of that sample, meet the aims.
    pub(super) fn new(seed: u64, aims: &Aims, design: &Design, rows: u64) -> Self {
        let sizes = [poisson(aims.mean_size * 1.08 - 1.0), poisson(aims.mean_size * 0.94 - 1.0)];
        let mut model = Self {
            seed,
            mean_size: aims.mean_size,
            sizes,
            own_scale: 1.0,
            receiving: 0.0,
            remittance_scale: 1.0,
            mean_income: 0.0,
        };
        let many = rows.min(PILOT);
        let place = |i: u64| (u128::from(i) * u128::from(rows) / u128::from(many)) as u64;
        let pilot: Vec<(f64, Base)> = (0..many)
            .filter_map(|i| {
                let unit = design.unit(place(i))?;
                Some((unit.weight, model.base(unit, design, &mut model.stream(place(i)))))
            })
            .collect();
        let sum = |of: &dyn Fn(&Base) -> f64| pilot.iter().map(|(weight, base)| weight * of(base)).sum::<f64>();
        let weight = sum(&|_| 1.0).max(f64::MIN_POSITIVE);
        let persons = sum(&|base| f64::from(base.size));
        model.own_scale = aims.own_income * persons / sum(&|base| base.own).max(f64::MIN_POSITIVE);
        // The share rises with the constant: halved until it is met.
        let (mut low, mut high) = (-30.0, 30.0);
        for _ in 0..60 {
            let middle: f64 = 0.5 * (low + high);
            if sum(&|base| logistic(middle + base.inclined)) < aims.receiving * weight {
                low = middle
            } else {
                high = middle
            }
        }
        model.receiving = 0.5 * (low + high);
        let expected = sum(&|base| logistic(model.receiving + base.inclined) * base.expected);
        // The pilot stands for the households of all.
        let aim = aims.remittance * weight / aims.households;
        model.remittance_scale = aim / expected.max(f64::MIN_POSITIVE);
        model.mean_income = (aims.own_income * persons + aim) / weight;
        model
    }

    fn stream(&self, row: u64) -> Stream {
        Stream::new(self.seed, &[5, row])
    }

    fn base(&self, unit: &Unit, design: &Design, stream: &mut Stream) -> Base {
        let region = design.strata.get(unit.stratum).map_or(0.0, |s| s.level);
        let (country, town) = if unit.urban { (0.0, 1.0) } else { (1.0, 0.0) };
        let [rural, urban] = &self.sizes;
        let size = drawn(if unit.urban { urban } else { rural }, stream.unit()) as u32 + 1;
        // Six in sixteen of those beyond the first are children.
        let bits = stream.bits();
        let children = (1..size).filter(|member| (bits >> (4 * member.min(&15))) & 15 < 6).count() as u32;
        let (household, _) = stream.normals();
        let logarithm =
            BETWEEN_REGIONS * region + TOWN * town + BETWEEN_UNITS * unit.income + BETWEEN_HOUSEHOLDS * household;
        let members = f64::from(size);
        Base {
            size,
            children,
            own: if stream.happens(WITHOUT) { 0.0 } else { members.powf(0.7) * logarithm.exp() },
            inclined: 0.35 * country - 0.45 * region + 0.4 * unit.migration + 0.12 * (members - self.mean_size)
                - 0.3 * household,
            expected: members.powf(0.3) * (0.2 * household).exp(),
        }
    }

    /// The household of a row.
    pub(super) fn family(&self, row: u64, unit: &Unit, design: &Design) -> Family {
        let mut stream = self.stream(row);
        let base = self.base(unit, design, &mut stream);
        let own = base.own * self.own_scale;
        let works = stream.happens(if unit.urban { 0.85 } else { 0.6 });
        let farms = stream.happens(if unit.urban { 0.12 } else { 0.6 });
        let helped = stream.happens(0.35) || !works && !farms;
        let (a, b) = (0.15 + 0.7 * stream.unit(), 0.03 + 0.3 * stream.unit());
        let (worked, farmed) = match (works, farms) {
            (true, true) => (a, 1.0 - a),
            (true, false) => (1.0, 0.0),
            (false, true) => (0.0, 1.0),
            (false, false) => (0.0, 0.0),
        };
        let transfer = match (helped, works || farms) {
            (true, true) => b,
            (true, false) => 1.0,
            (false, _) => 0.0,
        };
        let receives = stream.happens(logistic(self.receiving + base.inclined));
        let (spread, domestic_spread) = stream.normals();
        let (in_tail, tail) = (stream.happens(TAIL.0), stream.unit());
        let remittance = if receives {
            let noise = (REMITTANCES * spread - 0.5 * REMITTANCES * REMITTANCES).exp();
            let tail = if in_tail { (1.0 - tail).powf(-1.0 / TAIL.1) } else { 1.0 };
            let amount = self.remittance_scale * base.expected * noise * tail / tail_mean();
            amount.round().max(1.0)
        } else {
            0.0
        };
        let supported = stream.happens(if unit.urban { 0.08 } else { 0.14 });
        let domestic = if supported { 0.08 * self.mean_income * (0.8 * domestic_spread - 0.32).exp() } else { 0.0 };
        let mut family = Family {
            size: base.size,
            children: base.children,
            labour: (own * (1.0 - transfer) * worked).round(),
            farm: (own * (1.0 - transfer) * farmed).round(),
            transfer: (own * transfer).round(),
            remittance,
            domestic: domestic.round(),
            consumption: 0.0,
        };
        let needs = 0.12 * self.mean_income * (f64::from(base.size) / self.mean_size).sqrt();
        let (saving, _) = stream.normals();
        family.consumption = ((needs + 0.72 * family.total()) * (0.2 * saving - 0.02).exp()).round();
        family
    }
}

/// Mean of the factor of the tail.
fn tail_mean() -> f64 {
    1.0 - TAIL.0 + TAIL.0 * TAIL.1 / (TAIL.1 - 1.0)
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Cumulated probabilities of 0, 1, ... 15 events where `mean` are to be expected.
fn poisson(mean: f64) -> Vec<f64> {
    let mut term = (-mean).exp();
    let mut sum = 0.0;
    (1..=16)
        .map(|n| {
            sum += term;
            term *= mean / f64::from(n);
            sum
        })
        .collect()
}
