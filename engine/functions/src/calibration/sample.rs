//! The households, as the solver sees them.

use std::collections::HashMap;
use std::mem::size_of;

use super::{Constraints, Refusal};
use crate::aggregate::Total;

/// The point of a row that takes no part.
const NOBODY: u32 = u32::MAX;

/// Households with their weights, and what each adds to the totals.
///
/// Without variables all households of the same categories have the same g. Then a
/// point stands for all of them: of a million households few points are left.
#[derive(Debug)]
pub struct Sample {
    /// Categories of a point: one of each margin, and the count if it is asked for.
    pub(super) width: usize,
    pub(super) variables: usize,
    first_variable: usize,
    count: Option<u32>,
    points_of: Vec<u32>,
    /// Points by their categories; `None` where each row is a point.
    cells: Option<HashMap<Box<[u32]>, u32>>,
    pub(super) categories: Vec<u32>,
    pub(super) numbers: Vec<f64>,
    pub(super) weights: Vec<Total>,
    /// Sums of squares of weights.
    pub(super) squares: Vec<Total>,
    pub(super) rows: u64,
}

/// What a household adds to the totals.
pub(super) struct Point<'a> {
    /// Constraints to which it adds 1.
    pub(super) categories: &'a [u32],
    /// The first constraint of the variables, and what it adds to each from there.
    pub(super) first: usize,
    pub(super) numbers: &'a [f64],
    pub(super) weight: f64,
}

impl Point<'_> {
    /// Constraints with what the household adds to them; those of a margin it adds nothing to are left out.
    pub(super) fn support(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let ones = self.categories.iter().map(|c| (*c as usize, 1.0));
        ones.chain(self.numbers.iter().enumerate().map(|(i, x)| (self.first + i, *x)))
    }
}

impl Sample {
    /// No households yet.
    pub fn new(constraints: &Constraints) -> Self {
        let variables = constraints.variables().len();
        Self {
            width: constraints.margins().len() + usize::from(constraints.count().is_some()),
            variables,
            first_variable: constraints.first_variable(),
            count: constraints.count(),
            points_of: Vec::new(),
            cells: (variables == 0).then(HashMap::new),
            categories: Vec::new(),
            numbers: Vec::new(),
            weights: Vec::new(),
            squares: Vec::new(),
            rows: 0,
        }
    }

    /// Adds a row: its category in each margin as the number of the constraint, its variables.
    ///
    /// A row without a weight, or with a weight of 0, takes no part, and its other values are not looked at.
    ///
    /// # Errors
    /// A weight or variable that is negative or not finite, more than 4 billion rows.
    pub fn push(&mut self, weight: Option<f64>, categories: &[u32], numbers: &[f64]) -> Result<(), Refusal> {
        let Some(weight) = weight.filter(|w| *w != 0.0) else {
            self.points_of.push(NOBODY);
            return Ok(());
        };
        if !(weight.is_finite() && weight > 0.0) {
            return Err(Refusal(format!("has a weight of {weight}; weights are 0 or more, and finite")));
        }
        let next = u32::try_from(self.weights.len()).ok().filter(|n| *n != NOBODY);
        let next = next.ok_or_else(|| Refusal("has more than 4 billion households".to_owned()))?;
        let known = self.cells.as_ref().and_then(|cells| cells.get(categories)).copied();
        let point = known.unwrap_or(next);
        if known.is_none() {
            if let Some(cells) = &mut self.cells {
                cells.insert(categories.into(), next);
            }
            self.categories.extend(categories.iter().copied().chain(self.count));
            self.numbers.extend(numbers);
            self.weights.push(Total::default());
            self.squares.push(Total::default());
        }
        if let (Some(sum), Some(squares)) = (self.weights.get_mut(point as usize), self.squares.get_mut(point as usize))
        {
            sum.add(weight);
            squares.add(weight * weight);
        }
        self.points_of.push(point);
        self.rows += 1;
        Ok(())
    }

    /// Puts points that stand for several rows in the order of their categories, so that sums over them
    /// do not depend on the order in which rows came.
    pub(super) fn sorted(mut self) -> Self {
        if self.cells.take().is_none() {
            return self;
        }
        let width = self.width;
        let categories = |point: &u32| {
            let begin = *point as usize * width;
            self.categories.get(begin..begin + width).unwrap_or_default()
        };
        let mut order: Vec<u32> = (0..).take(self.weights.len()).collect();
        order.sort_by(|a, b| categories(a).cmp(categories(b)));
        let mut place = vec![NOBODY; order.len()];
        for (new, old) in (0..).zip(&order) {
            if let Some(place) = place.get_mut(*old as usize) {
                *place = new;
            }
        }
        let ordered = |totals: &[Total]| order.iter().filter_map(|p| totals.get(*p as usize)).copied().collect();
        let (weights, squares) = (ordered(&self.weights), ordered(&self.squares));
        let sorted = order.iter().flat_map(categories).copied().collect();
        for point in &mut self.points_of {
            *point = place.get(*point as usize).copied().unwrap_or(NOBODY);
        }
        Self { weights, squares, categories: sorted, ..self }
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        let cell = size_of::<(Box<[u32]>, u32)>() + self.width * size_of::<u32>();
        self.points_of.capacity() * size_of::<u32>()
            + self.cells.as_ref().map_or(0, |c| c.capacity() * (cell + 1))
            + self.categories.capacity() * size_of::<u32>()
            + self.numbers.capacity() * size_of::<f64>()
            + (self.weights.capacity() + self.squares.capacity()) * size_of::<Total>()
    }

    /// How many different points there are.
    pub fn points(&self) -> usize {
        self.weights.len()
    }

    pub(super) fn each(&self) -> impl Iterator<Item = Point<'_>> {
        // Chunks of nothing do not exist: a sample without categories or without variables has empty slices.
        let categories = |i: usize| self.categories.get(i * self.width..(i + 1) * self.width).unwrap_or_default();
        let numbers = |i: usize| self.numbers.get(i * self.variables..(i + 1) * self.variables).unwrap_or_default();
        self.weights.iter().enumerate().map(move |(i, weight)| Point {
            categories: categories(i),
            first: self.first_variable,
            numbers: numbers(i),
            weight: weight.value(),
        })
    }

    /// The point of each row; `None` for one that takes no part.
    pub(super) fn point_of(&self, row: usize) -> Option<usize> {
        self.points_of.get(row).filter(|p| **p != NOBODY).map(|p| *p as usize)
    }
}
