//! The scales of an effect: which weights and which two distributions each compares.

use super::call::Call;
use super::elasticity::Elasticity;
use super::group::{Households, Line};
use super::poverty::moves;
use super::side::Side;
use super::weights::{OUT_OF_REACH, Weights};

/// What remittances are scaled by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    Survey,
    Amount,
    Weight,
    Both,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Measure {
    ReceivingHouseholds,
    ReceivingPersons,
    Mean,
    /// Headcount, gap, severity.
    Poverty(usize),
    Gini,
    Elasticity,
}

impl Scale {
    pub(super) const ALL: [Self; 4] = [Self::Survey, Self::Amount, Self::Weight, Self::Both];
}

impl Measure {
    pub(super) const ALL: [Self; 8] = [
        Self::ReceivingHouseholds,
        Self::ReceivingPersons,
        Self::Mean,
        Self::Poverty(0),
        Self::Poverty(1),
        Self::Poverty(2),
        Self::Gini,
        Self::Elasticity,
    ];

    /// Whether a scale has it.
    pub(super) fn is_of(self, scale: Scale) -> bool {
        self != Self::Elasticity || scale == Scale::Survey
    }
}

/// A distribution by the weights it is under.
#[derive(Debug)]
pub(super) struct Under {
    pub(super) weights: usize,
    pub(super) side: Side,
}

/// A scale: the places of its weights and distributions, or why it has none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    pub(super) scale: Scale,
    pub(super) places: Result<Places, &'static str>,
}

/// Where the parts of a scale are in the model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    weights: usize,
    with: usize,
    without: usize,
    /// Weights of the distribution without remittances.
    weights_without: usize,
}

/// Both distributions of a scale, each with its weights.
pub(super) struct Pair<'a> {
    pub(super) weights: &'a Weights,
    pub(super) with: &'a Side,
    pub(super) without: &'a Side,
    weights_without: &'a Weights,
}

/// All scales of a group.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) weights: Vec<Weights>,
    pub(super) sides: Vec<Under>,
    pub(super) scales: Vec<Compared>,
    /// Of the survey as it is.
    pub(super) elasticity: Option<Elasticity>,
    /// What units move the poverty line by, where it is estimated.
    moves: Option<Vec<f64>>,
}

impl Model {
    /// The place of income with remittances under the survey's own weights, among the distributions.
    pub(super) const WITH: usize = 1;

    /// Computes every distribution that is compared.
    pub(super) fn new(call: &Call, h: &Households) -> Self {
        let own = Weights::own(h);
        let mut model = Self {
            moves: call.estimated.and_then(|estimated| moves(estimated, h, &own)),
            weights: vec![own],
            sides: Vec::new(),
            scales: Vec::new(),
            elasticity: None,
        };
        model.weights.extend(Weights::without(h));
        let weights_without = model.weights.len() - 1;
        let without = model.side(call, h, weights_without, &h.changed.without);
        let with = model.side(call, h, 0, &h.changed.with);
        let survey = Places { weights: 0, with, without, weights_without };
        model.scales.push(Compared { scale: Scale::Survey, places: Ok(survey) });
        if let (Some(own), Some(under)) = (model.weights.first(), model.sides.get(Self::WITH)) {
            model.elasticity = Elasticity::new(h, own, &under.side);
        }
        if let Some(captured) = h.captured {
            for scale in [Scale::Amount, Scale::Weight, Scale::Both] {
                let places = model.scaled(call, h, scale, 1.0 / captured, survey);
                model.scales.push(Compared { scale, places });
            }
        }
        model
    }

    fn scaled(
        &mut self,
        call: &Call,
        h: &Households,
        scale: Scale,
        ratio: f64,
        survey: Places,
    ) -> Result<Places, &'static str> {
        if survey.weights_without != survey.weights {
            return Err(REWEIGHTED);
        }
        if h.changed.received.iter().all(|r| *r <= 0.0) {
            return Err("no receiving households");
        }
        let (amounts, calibrated) = match scale {
            Scale::Survey => return Ok(survey),
            Scale::Amount => (ratio, None),
            Scale::Weight => (1.0, Some(ratio)),
            Scale::Both => (ratio.sqrt(), Some(ratio.sqrt())),
        };
        let with = h.changed.without.iter().zip(&h.changed.share).map(|(y, t)| y + t * amounts).collect::<Vec<_>>();
        if !ratio.is_finite() || with.iter().any(|y| !y.is_finite()) {
            return Err(OUT_OF_REACH);
        }
        let Some(calibrated) = calibrated else {
            return Ok(Places { with: self.side(call, h, 0, &with), ..survey });
        };
        self.weights.push(Weights::calibrated(h, calibrated)?);
        let weights = self.weights.len() - 1;
        let with = if scale == Scale::Weight { &h.changed.with } else { &with };
        let without = self.side(call, h, weights, &h.changed.without);
        Ok(Places { weights, with: self.side(call, h, weights, with), without, weights_without: weights })
    }

    fn side(&mut self, call: &Call, h: &Households, weights: usize, incomes: &[f64]) -> usize {
        if let Some(of) = self.weights.get(weights) {
            let side = Side::new(call, h, of, incomes, self.moves.as_deref());
            self.sides.push(Under { weights, side });
        }
        self.sides.len() - 1
    }

    /// Both distributions of a scale.
    pub(super) fn at(&self, places: Places) -> Option<Pair<'_>> {
        let side = |place: usize| self.sides.get(place).map(|under| &under.side);
        let weights = |place: usize| self.weights.get(place);
        Some(Pair {
            weights: weights(places.weights)?,
            with: side(places.with)?,
            without: side(places.without)?,
            weights_without: weights(places.weights_without)?,
        })
    }
}

impl Places {
    /// Place of the weights, and of the distributions with and without.
    pub(super) fn numbers(self) -> (usize, usize, usize) {
        (self.weights, self.with, self.without)
    }
}

/// What is measured of a scale, with and without; or why there is nothing.
pub(super) fn estimates(
    h: &Households,
    model: &Model,
    places: Places,
    measure: Measure,
) -> Result<(f64, f64), &'static str> {
    let Some(Pair { weights, with, without, weights_without }) = model.at(places) else { return Err(OUT_OF_REACH) };
    if weights_without.all <= 0.0 {
        return Err(NOBODY);
    }
    // Shares by them need not lie between 0 and 1.
    if weights.least < 0.0 {
        return Err(NEGATIVE);
    }
    let share = |part: &[f64], all: &[f64]| {
        let sum = |column: &[f64]| crate::aggregate::frame::total(column.iter().copied());
        (sum(part) / sum(all), 0.0)
    };
    Ok(match measure {
        Measure::ReceivingHouseholds => share(&weights.receiving, &weights.households),
        Measure::ReceivingPersons => share(&weights.persons_receiving, &weights.persons),
        Measure::Mean => (with.mean(h, weights), without.mean(h, weights_without)),
        Measure::Poverty(place) => {
            let of = |side: &Side| side.poverty.as_ref().and_then(|p| p.measures.get(place).copied());
            match (of(with), of(without)) {
                (Some(with), Some(without)) => (with, without),
                _ if h.line == Line::Missing => return Err("no poverty line"),
                _ => return Err("poverty line of zero or less"),
            }
        }
        Measure::Gini => match (with.gini, without.gini) {
            (Some(with), Some(without)) => (with, without),
            _ => return Err("mean of zero or less"),
        },
        Measure::Elasticity => match &model.elasticity {
            Some(elasticity) => (elasticity.estimate, 0.0),
            None => return Err("mean of zero or less"),
        },
    })
}

/// Why there is nothing by calibrated weights.
pub(super) const NEGATIVE: &str = "negative calibration weights";

/// Why nothing is scaled where the households without remittances are others.
pub(super) const REWEIGHTED: &str = "reweighted households are not scaled";

/// Why there is nothing to compare with.
pub(super) const NOBODY: &str = "no household without remittances to compare with";

/// Influences by unit, with and without; none on what remittances alone make.
pub(super) fn influences(
    h: &Households,
    model: &Model,
    places: Places,
    measure: Measure,
) -> Option<(Vec<f64>, Option<Vec<f64>>)> {
    let Pair { weights, with, without, weights_without } = model.at(places)?;
    let share = |part: &[f64], all: &[f64]| -> Vec<f64> {
        let sum = |column: &[f64]| crate::aggregate::frame::total(column.iter().copied());
        let (whole, share) = (sum(all), sum(part) / sum(all));
        part.iter().zip(all).map(|(part, all)| (part - share * all) / whole).collect()
    };
    Some(match measure {
        Measure::ReceivingHouseholds => (share(&weights.receiving, &weights.households), None),
        Measure::ReceivingPersons => (share(&weights.persons_receiving, &weights.persons), None),
        Measure::Mean => (with.mean_influence(h, weights), Some(without.mean_influence(h, weights_without))),
        Measure::Poverty(place) => {
            let (with, without) = (with.poverty.as_ref()?, without.poverty.as_ref()?);
            (with.influence(place, weights), Some(without.influence(place, weights_without)))
        }
        Measure::Gini => (with.gini_influence(h, weights), Some(without.gini_influence(h, weights_without))),
        Measure::Elasticity => (model.elasticity.as_ref()?.influence.clone(), None),
    })
}
