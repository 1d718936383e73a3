//! Several estimates of one call, such as the parts of a decomposition.

use std::cell::{Cell, RefCell};

use datafusion_common::Result;

use super::design::Design;
use super::estimate::{Estimate, Whole};
use super::replicates::Replicates;
use super::sample::{Linear, Sample};
use crate::aggregate::frame::{Given, Kernel, Rows, Sink};

/// What makes several estimates of the domain's rows.
pub(super) trait Estimators: std::fmt::Debug + Send + Sync + 'static {
    /// How many there are.
    fn count(&self) -> usize;
    /// What stands before the estimate's own fields.
    fn labels(&self, part: usize) -> Vec<Option<f64>>;
    /// Each of them, if it is defined; `None` if none is.
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Vec<Option<Linear>>>>;
}

#[derive(Debug)]
struct Several<E> {
    design: Design,
    estimators: E,
    replicates: Option<Replicates>,
}

/// The kernel of several estimates.
pub(super) fn several<E: Estimators>(given: &Given, estimators: E) -> Result<Box<dyn Kernel>> {
    Ok(Box::new(Several { design: Design::new(given)?, estimators, replicates: Replicates::new(given)? }))
}

impl<E: Estimators> Several<E> {
    fn wholes(&self, rows: &Rows<'_>) -> Result<Option<Vec<Option<Whole>>>> {
        let sample = Sample::new(rows, |row| self.design.inside(rows, row));
        if sample.places.is_empty() {
            return Ok(None);
        }
        let Some(all) = self.estimators.linearise(&sample)? else { return Ok(None) };
        Ok(Some(all.into_iter().map(|linear| Some(Whole::new(linear?, sample.places.clone()))).collect()))
    }

    /// The estimates of every replicate, made once for all parts.
    fn again(&self, rows: &Rows<'_>, weights: &[f64]) -> Result<Vec<Option<f64>>> {
        let wholes = self.wholes(&rows.reweighted(weights))?.unwrap_or_default();
        Ok(wholes.into_iter().map(|whole| Some(whole?.estimate)).collect())
    }
}

impl<E: Estimators> Kernel for Several<E> {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let Some(wholes) = self.wholes(rows)? else {
            sink.null();
            return Ok(());
        };
        let drawn: RefCell<Vec<Vec<Option<f64>>>> = RefCell::default();
        let order = self.design.drawn(rows)?;
        let mut cells = Vec::new();
        for (part, whole) in wholes.iter().enumerate() {
            cells.extend(self.estimators.labels(part));
            let Some(whole) = whole else {
                cells.extend(std::iter::repeat_n(None, Estimate::FIELDS));
                continue;
            };
            let estimate = match &self.replicates {
                None => whole.drawn(&self.design, &order, rows)?,
                Some(replicates) => {
                    // Replicates come in the same order for each part.
                    let at = Cell::new(0);
                    let again = |weights: &[f64]| {
                        let replicate = at.replace(at.get() + 1);
                        let mut drawn = drawn.borrow_mut();
                        if replicate == drawn.len() {
                            drawn.push(self.again(rows, weights)?);
                        }
                        Ok(drawn.get(replicate).and_then(|all| all.get(part).copied().flatten()))
                    };
                    let (variance, df) = replicates.variance(&self.design, &order, rows, &again)?;
                    whole.erring(variance, df, rows)
                }
            };
            cells.extend(estimate.cells());
        }
        sink.row(&cells);
        Ok(())
    }
}

/// The sum of estimates, each times a factor, with the estimate given: the delta method.
pub(super) fn combine(estimate: f64, parts: &[(f64, &Linear)]) -> Linear {
    let sum = |of: &dyn Fn(&Linear) -> Option<&Vec<f64>>| -> Option<Vec<f64>> {
        let mut all: Option<Vec<f64>> = None;
        for (factor, linear) in parts {
            let Some(values) = of(linear) else { continue };
            let all = all.get_or_insert_with(|| vec![0.0; values.len()]);
            all.iter_mut().zip(values).for_each(|(slot, z)| *slot += factor * z);
        }
        all
    };
    Linear {
        estimate,
        influence: sum(&|l| Some(&l.influence)).unwrap_or_default(),
        beyond: sum(&|l| l.beyond.as_ref()),
    }
}
