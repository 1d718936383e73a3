//! What the new weights must add up to.

use std::collections::{BTreeMap, HashMap};

use super::{Refusal, shown};

/// A total that the new weights must have.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// Column of the survey; [`Constraints::COUNT`] is the sum of the weights.
    pub name: String,
    /// The value of the column, where the column is a margin.
    pub category: Option<String>,
    /// The sum of the weights of the category, or of weight times variable.
    pub total: f64,
}

impl std::fmt::Display for Constraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.category {
            Some(category) => write!(f, "category `{category}` of margin `{}`", self.name),
            None => write!(f, "variable `{}`", self.name),
        }
    }
}

/// A column of categories.
#[derive(Debug, Clone)]
pub struct Margin {
    /// Column of the survey.
    pub name: String,
    places: HashMap<String, u32>,
}

impl Margin {
    /// The number of the category's constraint.
    pub fn place(&self, category: &str) -> Option<u32> {
        self.places.get(category).copied()
    }
}

/// All that must be met: margins by name and category, then variables by name, however they were given.
#[derive(Debug, Clone)]
pub struct Constraints {
    pub(super) all: Vec<Constraint>,
    margins: Vec<Margin>,
    variables: Vec<String>,
    count: Option<u32>,
}

impl Constraints {
    /// The variable that is 1 for every household.
    pub const COUNT: &str = "count";
    /// The most that one survey can be made to meet: the work grows with the cube of it.
    pub const MOST: usize = 2_000;

    /// Checks what is asked for: margins as (column, category, total), variables as (column, total).
    ///
    /// # Errors
    /// No constraint or more than [`Self::MOST`], one that is there twice, a margin's
    /// total below zero, any that is not finite, or sums of margins that differ by more
    /// than the share `tolerance`.
    pub fn new(
        margins: Vec<(String, String, f64)>,
        variables: Vec<(String, f64)>,
        tolerance: f64,
    ) -> Result<Self, Refusal> {
        let count = margins.len() + variables.len();
        if count == 0 {
            return Err(Refusal("has no totals to meet: give at least one".to_owned()));
        }
        if count > Self::MOST {
            return Err(Refusal(format!("has {count} totals to meet, more than the limit of {}", Self::MOST)));
        }
        let mut by_margin: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        for (name, category, total) in margins {
            if !(total.is_finite() && total >= 0.0) {
                return Err(Refusal(format!(
                    "has a total of {total} for category `{category}` of margin `{name}`; totals of margins are 0 or more"
                )));
            }
            let categories = by_margin.entry(name.clone()).or_default();
            if categories.insert(category.clone(), total).is_some() {
                return Err(Refusal(format!("has two totals for category `{category}` of margin `{name}`")));
            }
        }
        sums_agree(&by_margin, tolerance)?;
        let mut by_variable: BTreeMap<String, f64> = BTreeMap::new();
        for (name, total) in variables {
            if !total.is_finite() {
                return Err(Refusal(format!("has a total of {total} for variable `{name}`; totals are finite")));
            }
            if by_variable.insert(name.clone(), total).is_some() {
                return Err(Refusal(format!("has two totals for variable `{name}`")));
            }
        }
        Ok(Self::laid_out(by_margin, by_variable))
    }

    fn laid_out(by_margin: BTreeMap<String, BTreeMap<String, f64>>, by_variable: BTreeMap<String, f64>) -> Self {
        let mut all: Vec<Constraint> = Vec::new();
        let mut margins = Vec::new();
        for (name, categories) in by_margin {
            let mut places = HashMap::new();
            for (category, total) in categories {
                places.insert(category.clone(), all.len() as u32);
                all.push(Constraint { name: name.clone(), category: Some(category), total });
            }
            margins.push(Margin { name, places });
        }
        // The count is a margin of one category to which everybody belongs; the variables come last.
        let (counts, others): (Vec<_>, Vec<_>) = by_variable.into_iter().partition(|(name, _)| name == Self::COUNT);
        let count = counts.first().map(|_| all.len() as u32);
        let variables = others.iter().map(|(name, _)| name.clone()).collect();
        let last = counts.into_iter().chain(others);
        all.extend(last.map(|(name, total)| Constraint { name, category: None, total }));
        Self { all, margins, variables, count }
    }

    /// The margins in order.
    pub fn margins(&self) -> &[Margin] {
        &self.margins
    }

    /// Variables other than the count, in order: columns of numbers.
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    pub(super) fn count(&self) -> Option<u32> {
        self.count
    }

    /// Where the constraints of the variables begin.
    pub(super) fn first_variable(&self) -> usize {
        self.all.len() - self.variables.len()
    }
}

/// Every margin counts the same households.
fn sums_agree(margins: &BTreeMap<String, BTreeMap<String, f64>>, tolerance: f64) -> Result<(), Refusal> {
    let sum = |categories: &BTreeMap<String, f64>| crate::aggregate::total(categories.values().copied());
    let mut sums = margins.iter().map(|(name, categories)| (name, sum(categories)));
    let Some((first, expected)) = sums.next() else { return Ok(()) };
    for (name, sum) in sums {
        if (sum - expected).abs() > tolerance * expected.abs().max(sum.abs()) {
            return Err(Refusal(format!(
                "has margins that disagree: the totals of `{first}` add up to {}, those of `{name}` to {}",
                shown(expected),
                shown(sum)
            )));
        }
    }
    Ok(())
}
