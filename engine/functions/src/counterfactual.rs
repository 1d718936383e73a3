//! What households with a migrant would earn without: ln(income) of those that receive
//! nothing, on their characteristics, predicted for those that receive (Adams 2008;
//! Acosta, Calderón, Fajnzylber and López 2007; Brown and Jimenez 2008).
//!
//! A prediction alone understates how incomes vary. So a residual is added, drawn from
//! those of the households that receive nothing, or from a normal distribution of their
//! spread. Which one follows from seed, draw and the household's id alone.

use std::collections::BTreeMap;

use crate::aggregate::Total;
use crate::calibration::Refusal;

/// A value of a characteristic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// A number, finite.
    Number(f64),
    /// A category.
    Text(&'a str),
    /// NULL.
    Missing,
}

/// What the columns of characteristics become in a regression.
#[derive(Debug)]
pub struct Design {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    name: String,
    /// Categories with their place among the dummies; `None` is the one that is left out.
    categories: Option<BTreeMap<String, Option<usize>>>,
}

impl Design {
    /// The most categories that a characteristic may have.
    pub const CATEGORIES: usize = 500;
    /// The most terms beside the constant.
    pub const TERMS: usize = 1_000;

    /// Columns by name, and whether they hold categories.
    pub fn new(columns: impl IntoIterator<Item = (String, bool)>) -> Self {
        let column = |(name, texts): (String, bool)| Column { name, categories: texts.then(BTreeMap::new) };
        Self { columns: columns.into_iter().map(column).collect() }
    }

    /// Takes note of the categories of a row.
    ///
    /// # Errors
    /// More categories than [`Self::CATEGORIES`].
    pub fn see(&mut self, row: &[Value<'_>]) -> Result<(), Refusal> {
        for (column, value) in self.columns.iter_mut().zip(row) {
            let (Some(categories), Value::Text(category)) = (&mut column.categories, value) else { continue };
            if categories.contains_key(*category) {
                continue;
            }
            if categories.len() == Self::CATEGORIES {
                let (name, most) = (&column.name, Self::CATEGORIES);
                return Err(Refusal(format!(
                    "finds more than {most} values in column `{name}`, too many for a characteristic; leave it out"
                )));
            }
            categories.insert((*category).to_owned(), None);
        }
        Ok(())
    }

    /// Gives each category but the first of its column a dummy; returns the names of all terms.
    ///
    /// # Errors
    /// More terms than [`Self::TERMS`].
    pub fn terms(&mut self) -> Result<Vec<String>, Refusal> {
        let mut terms = Vec::new();
        for column in &mut self.columns {
            match &mut column.categories {
                None => terms.push(column.name.clone()),
                Some(categories) => {
                    for (dummy, (category, place)) in categories.iter_mut().skip(1).enumerate() {
                        *place = Some(dummy);
                        terms.push(format!("{}={category}", column.name));
                    }
                }
            }
        }
        if terms.len() > Self::TERMS {
            let (found, most) = (terms.len(), Self::TERMS);
            return Err(Refusal(format!("would need {found} terms, more than the limit of {most}; leave columns out")));
        }
        Ok(terms)
    }

    /// The numbers of a row, one a term; whether there is one of each: no NULL and no category that was not seen.
    pub fn row(&self, values: &[Value<'_>], numbers: &mut Vec<f64>) -> bool {
        numbers.clear();
        for (column, value) in self.columns.iter().zip(values) {
            match (&column.categories, value) {
                (None, Value::Number(number)) => numbers.push(*number),
                (Some(categories), Value::Text(category)) => {
                    let Some(place) = categories.get(*category) else { return false };
                    let dummies = categories.len().saturating_sub(1);
                    numbers.extend((0..dummies).map(|d| f64::from(u8::from(Some(d) == *place))));
                }
                _ => return false,
            }
        }
        true
    }
}

/// What is added to predictions.
#[derive(Debug)]
pub enum Residuals {
    /// Nothing.
    None,
    /// Of a normal distribution with this standard deviation.
    Normal(f64),
    /// One of these, the more often the larger its weight.
    Empirical(Drawn),
}

/// Residuals in ascending order with the weights up to each, as shares of all.
#[derive(Debug)]
pub struct Drawn {
    residuals: Vec<f64>,
    shares: Vec<f64>,
}

impl Drawn {
    /// Residuals and their weights, in any order.
    pub fn new(mut all: Vec<(f64, f64)>) -> Self {
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut sum = Total::default();
        let sums: Vec<f64> = all
            .iter()
            .map(|(_, weight)| {
                sum.add(*weight);
                sum.value()
            })
            .collect();
        let whole = sum.value();
        Self { residuals: all.iter().map(|(r, _)| *r).collect(), shares: sums.iter().map(|s| s / whole).collect() }
    }

    /// Bytes that so many residuals take while they are brought in order.
    pub fn size(residuals: usize) -> usize {
        residuals * 4 * size_of::<f64>()
    }
}

impl Residuals {
    /// The residual of a household in a draw.
    pub fn of(&self, household: u64, draw: u64, seed: u64) -> f64 {
        let first = mixed(household ^ mixed(draw ^ mixed(seed)));
        match self {
            Self::None => 0.0,
            Self::Normal(sigma) => {
                // Box and Muller; the first number is not 0.
                let second = uniform(mixed(first ^ 0x9e37_79b9_7f4a_7c15));
                let radius = (-2.0 * (1.0 - uniform(first)).ln()).sqrt();
                sigma * radius * (std::f64::consts::TAU * second).cos()
            }
            Self::Empirical(drawn) => {
                let share = uniform(first);
                let place = drawn.shares.partition_point(|s| *s <= share);
                drawn.residuals.get(place).or(drawn.residuals.last()).copied().unwrap_or(0.0)
            }
        }
    }
}

/// A number for the text of an id, always the same (FNV-1a, mixed).
pub fn identified(id: &str) -> u64 {
    let byte = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    mixed(id.bytes().fold(0xcbf2_9ce4_8422_2325, byte))
}

/// All bits from all bits (the finaliser of SplitMix64).
fn mixed(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// From 0 up to 1, not 1 itself.
fn uniform(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::{Design, Drawn, Residuals, Value, identified};

    #[test]
    fn characteristics_become_terms() {
        let mut design =
            Design::new([("age".to_owned(), false), ("region".to_owned(), true), ("one".to_owned(), true)]);
        for region in ["south", "east", "north"] {
            design.see(&[Value::Number(1.0), Value::Text(region), Value::Text("x")]).unwrap();
        }
        assert_eq!(design.terms().unwrap(), ["age", "region=north", "region=south"]);
        let mut numbers = Vec::new();
        let mut row = |region, one| {
            let whole = design.row(&[Value::Number(7.0), region, one], &mut numbers);
            (whole, numbers.clone())
        };
        assert_eq!(row(Value::Text("south"), Value::Text("x")), (true, vec![7.0, 0.0, 1.0]));
        assert_eq!(row(Value::Text("east"), Value::Text("x")), (true, vec![7.0, 0.0, 0.0]));
        assert!(!row(Value::Text("west"), Value::Text("x")).0);
        assert!(!row(Value::Missing, Value::Text("x")).0);
        assert!(!row(Value::Text("east"), Value::Text("y")).0);
    }

    #[test]
    fn many_categories_are_no_characteristic() {
        let mut design = Design::new([("name".to_owned(), true)]);
        let wrong = (0..1000).find_map(|i| design.see(&[Value::Text(&i.to_string())]).err());
        assert!(wrong.unwrap().0.contains("more than 500 values in column `name`"));
    }

    #[test]
    fn draws_follow_the_weights() {
        let drawn = Residuals::Empirical(Drawn::new(vec![(1.0, 3.0), (-1.0, 1.0), (5.0, 0.0)]));
        let n = 40_000;
        let ones = (0..n).filter(|i| drawn.of(identified(&i.to_string()), 1, 7) == 1.0).count();
        assert!((ones as f64 / n as f64 - 0.75).abs() < 0.01, "{ones}");
        assert!((0..n).all(|i| drawn.of(identified(&i.to_string()), 1, 7) != 5.0));
        // Always the same; another draw, seed or household gives another.
        let normal = Residuals::Normal(1.0);
        let base = normal.of(identified("a"), 1, 0);
        assert_eq!(base, normal.of(identified("a"), 1, 0));
        assert!(
            [("a", 2, 0), ("a", 1, 1), ("b", 1, 0)].iter().all(|(i, d, s)| normal.of(identified(i), *d, *s) != base)
        );
        assert_eq!(Residuals::None.of(1, 2, 3), 0.0);
        assert_eq!(Residuals::Empirical(Drawn::new(vec![])).of(1, 2, 3), 0.0);
    }

    #[test]
    fn normal_draws_have_the_moments_of_one() {
        let normal = Residuals::Normal(2.0);
        let n = 40_000;
        let all: Vec<f64> = (0..n).map(|i| normal.of(identified(&format!("h{i}")), 3, 1)).collect();
        let mean = all.iter().sum::<f64>() / n as f64;
        let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.04 && (variance - 4.0).abs() < 0.1, "{mean} {variance}");
    }
}
