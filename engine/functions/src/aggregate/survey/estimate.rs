//! From an estimate and its influences to its error under a design.

use datafusion_common::Result;

use super::design::{Design, Drawn};
use super::half_interval;
use super::lanes::{Lanes, Several};
use super::repeated::Repeated;
use super::replicates::Replicates;
use super::sample::{Estimator, Linear, Sample};
use crate::aggregate::frame::{Given, Kernel, Rows, Sink, total};

/// An estimate of all rows, and what each of them adds to it.
pub(super) struct Whole {
    pub(super) estimate: f64,
    /// The rows of the domain and their influences.
    places: Vec<usize>,
    influence: Vec<f64>,
    /// What all rows add besides, by their place.
    beyond: Vec<f64>,
}

/// An estimate with its error.
pub(super) struct Estimate {
    estimate: f64,
    /// None if a replicate has no estimate.
    pub(super) se: Option<f64>,
    /// Half of the interval; none without degrees of freedom.
    pub(super) half: Option<f64>,
    pub(super) df: usize,
    pub(super) n: usize,
    deff: Option<f64>,
}

impl Whole {
    /// An estimate of the rows at these places.
    pub(super) fn new(linear: Linear, places: Vec<usize>) -> Self {
        let (estimate, influence) = (linear.estimate, linear.influence);
        Self { estimate, places, influence, beyond: linear.beyond.unwrap_or_default() }
    }

    /// The estimate of the rows inside; `None` where it is not defined.
    pub(super) fn of(
        estimator: &impl Estimator,
        rows: &Rows<'_>,
        inside: impl Fn(usize) -> bool,
    ) -> Result<Option<Self>> {
        let sample = Sample::new(rows, inside);
        if sample.places.is_empty() {
            return Ok(None);
        }
        let linear = estimator.linearise(&sample)?;
        Ok(linear.map(|linear| Self::new(linear, sample.places)))
    }

    /// The difference of two estimates of the same rows, of which the second were in another order.
    pub(super) fn less(self, other: &Self, order: &[usize], rows: usize) -> Self {
        let mut off = vec![0.0; rows];
        let mut beyond = self.beyond;
        beyond.resize(rows, 0.0);
        let at = |place: usize| order.get(place).copied().unwrap_or(usize::MAX);
        for (place, z) in other.places.iter().zip(&other.influence) {
            if let Some(slot) = off.get_mut(at(*place)) {
                *slot = *z;
            }
        }
        for (place, z) in other.beyond.iter().enumerate() {
            if let Some(slot) = beyond.get_mut(at(place)) {
                *slot -= z;
            }
        }
        let less = |(place, z): (&usize, f64)| z - off.get(*place).copied().unwrap_or(0.0);
        let influence = self.places.iter().zip(self.influence).map(less).collect();
        Self { estimate: self.estimate - other.estimate, places: self.places, influence, beyond }
    }

    /// Its error by linearisation.
    pub(super) fn under(&self, design: &Design, rows: &Rows<'_>) -> Result<Estimate> {
        self.drawn(design, &design.drawn(rows)?, rows)
    }

    /// The same for rows whose order is known.
    pub(super) fn drawn(&self, design: &Design, drawn: &Drawn, rows: &Rows<'_>) -> Result<Estimate> {
        let mut totals = vec![0.0; rows.len()];
        for (place, z) in self.places.iter().zip(&self.influence) {
            if let Some(slot) = totals.get_mut(*place) {
                *slot = rows.weight(*place) * z;
            }
        }
        for (row, (slot, z)) in totals.iter_mut().zip(&self.beyond).enumerate() {
            *slot += rows.weight(row) * z;
        }
        let (variance, df) = design.variance(drawn, &totals)?;
        Ok(self.erring(Some(variance), df, rows))
    }

    /// With a variance; none if a replicate has no estimate, or squares leave the range of doubles.
    pub(super) fn erring(&self, variance: Option<f64>, df: usize, rows: &Rows<'_>) -> Estimate {
        let variance = variance.filter(|v| v.is_finite());
        let se = variance.map(f64::sqrt);
        Estimate {
            estimate: self.estimate,
            se,
            half: se.filter(|_| df > 0).map(|se| half_interval(se, df)),
            df,
            n: self.places.len(),
            deff: self.simple(rows).filter(|v| *v > 0.0).and_then(|simple| Some(variance? / simple)),
        }
    }

    /// The variance under simple random sampling without replacement of as many rows.
    fn simple(&self, rows: &Rows<'_>) -> Option<f64> {
        let n = self.places.len() as f64;
        let weighted = || self.influence.iter().zip(self.places.iter().map(|place| rows.weight(*place)));
        let weight = total(weighted().map(|(_, w)| w));
        let mean = total(weighted().map(|(z, w)| w * z)) / weight;
        let spread = total(weighted().map(|(z, w)| w * (z - mean) * (z - mean))) / weight;
        let scale = weight * weight * spread * n / (n - 1.0) / n;
        let drawn = (weight - n) / weight;
        (n > 1.0).then_some(scale * if drawn > 0.0 { drawn } else { 1.0 })
    }
}

impl Estimate {
    /// How many fields an estimate has.
    pub(super) const FIELDS: usize = 7;

    /// The fields of the struct.
    pub(super) fn cells(&self) -> [Option<f64>; Self::FIELDS] {
        [
            Some(self.estimate),
            self.se,
            self.half.map(|half| self.estimate - half),
            self.half.map(|half| self.estimate + half),
            Some(self.df as f64),
            Some(self.n as f64),
            self.deff,
        ]
    }
}

/// An estimate from a design.
#[derive(Debug)]
struct Survey<E> {
    design: Design,
    estimator: E,
    /// Whether it is of the first variable less that of the second.
    difference: bool,
    replicates: Option<Replicates>,
}

/// An estimate of one variable.
pub(super) fn survey<E: Estimator>(given: &Given, estimator: E) -> Result<Box<dyn Kernel>> {
    kernel(given, estimator, false)
}

/// The estimate of the first variable less that of the second.
pub(super) fn difference<E: Estimator>(given: &Given, estimator: E) -> Result<Box<dyn Kernel>> {
    kernel(given, estimator, true)
}

fn kernel<E: Estimator>(given: &Given, estimator: E, difference: bool) -> Result<Box<dyn Kernel>> {
    let (design, replicates) = (Design::new(given)?, Replicates::new(given)?);
    Ok(Box::new(Survey { design, estimator, difference, replicates }))
}

impl<E: Estimator> Survey<E> {
    fn whole(&self, rows: &Rows<'_>) -> Result<Option<Whole>> {
        let inside = |row: usize| self.design.inside(rows, row);
        if !self.difference {
            return Whole::of(&self.estimator, rows, inside);
        }
        let both = super::difference::pair(&self.estimator, rows, inside)?;
        Ok(both.map(|(first, second, order)| first.less(&second, &order, rows.len())))
    }
}

impl<E: Estimator> Survey<E> {
    /// The estimate in several replicates at once, if it is one that can be made so.
    fn repeated(&self, rows: &Rows<'_>, drawn: &Drawn) -> Result<Option<impl Fn(&[Lanes]) -> Several>> {
        let units = drawn.unit_of_rows();
        let inside = |row: usize| self.design.inside(rows, row);
        let of = |rows: &Rows<'_>, inside: &dyn Fn(usize) -> bool, row: &dyn Fn(usize) -> usize| {
            let unit = |place: usize| units.get(row(place)).copied().unwrap_or(0);
            Repeated::new(&self.estimator, &Sample::new(rows, inside), drawn.units.len(), unit)
        };
        let both = if self.difference {
            super::difference::both(rows, inside, of)?.map(|(first, second, _)| (first, Some(second)))
        } else {
            of(rows, &inside, &|row| row)?.map(|only| (only, None))
        };
        Ok(both.map(|(first, second)| {
            move |factors: &[Lanes]| {
                let mut all = first.several(factors);
                if let Some(second) = &second {
                    let less =
                        |(one, other): (&mut Option<f64>, Option<f64>)| *one = one.zip(other).map(|(a, b)| a - b);
                    all.iter_mut().zip(second.several(factors)).for_each(less);
                }
                all
            }
        }))
    }
}

impl<E: Estimator> Kernel for Survey<E> {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let Some(whole) = self.whole(rows)? else {
            sink.null();
            return Ok(());
        };
        let estimate = match &self.replicates {
            None => whole.under(&self.design, rows)?,
            Some(replicates) => {
                let drawn = self.design.drawn(rows)?;
                let (variance, df) = match self.repeated(rows, &drawn)? {
                    Some(several) => replicates.variance_of_several(&self.design, &drawn, rows.len(), several)?,
                    None => {
                        let again = |weights: &[f64]| Ok(self.whole(&rows.reweighted(weights))?.map(|w| w.estimate));
                        replicates.variance(&self.design, &drawn, rows, &again)?
                    }
                };
                whole.erring(variance, df, rows)
            }
        };
        sink.row(&estimate.cells());
        Ok(())
    }
}
