//! The rows of a result: scale by measure.

use std::borrow::Cow;

use datafusion_common::Result;

use super::call::Call;
use super::group::Households;
use super::model::{Measure, Model, NEGATIVE, NOBODY, REWEIGHTED, Scale, estimates, influences};
use super::replicate::{Errors, replicated};
use crate::aggregate::frame::{Field, Shape, Sink};
use crate::aggregate::survey::design::freedom;
use crate::aggregate::survey::half_interval;

pub(super) const FIELDS: &[Field] = &[
    Field::Label("scale"),
    Field::Label("measure"),
    Field::Number("with"),
    Field::Number("without"),
    Field::Number("difference"),
    Field::Number("se_with"),
    Field::Number("se_without"),
    Field::Number("se"),
    Field::Number("ci_low"),
    Field::Number("ci_high"),
    Field::Count("df"),
    Field::Count("n"),
    Field::Number("g_min"),
    Field::Number("g_max"),
    Field::Number("deff"),
    Field::Count("lonely"),
    Field::Label("status"),
];

/// Names of scales, of measures, and what a status says.
const LABELS: [&str; 20] = [
    "survey",
    "amount",
    "weight",
    "both",
    "receiving_households",
    "receiving_persons",
    "mean",
    "headcount",
    "gap",
    "severity",
    "gini",
    "gini_elasticity",
    "no receiving households",
    "total out of reach",
    NEGATIVE,
    "no poverty line",
    "poverty line of zero or less",
    "mean of zero or less",
    REWEIGHTED,
    NOBODY,
];

fn label(text: &str) -> Option<f64> {
    LABELS.iter().position(|l| *l == text).map(|place| place as f64)
}

/// A sink for results.
pub(super) fn sink() -> Sink {
    Sink::new(Shape::Structs(FIELDS), LABELS.map(Cow::Borrowed).to_vec())
}

/// Puts the result of a group into the sink.
pub(super) fn put(call: &Call, h: &Households, sink: &mut Sink) -> Result<()> {
    let model = Model::new(call, h);
    let errors = match &call.replicates {
        Some(replicates) => Some(replicated(call, h, &model, &replicates.plan(&call.design, &h.strata, h.len())?)),
        None => None,
    };
    let df = errors.as_ref().map_or_else(|| freedom(&h.strata), |e| e.df);
    let quantile = (df > 0).then(|| half_interval(1.0, df));
    let lonely = h.strata.iter().filter(|s| s.units == 1).count();
    let mut cells = Vec::new();
    for (number, compared) in model.scales.iter().enumerate() {
        let weights = compared.places.ok().and_then(|p| model.at(p)).map(|pair| pair.weights);
        for (place, measure) in Measure::ALL.into_iter().enumerate().filter(|(_, m)| m.is_of(compared.scale)) {
            let estimate = compared.places.and_then(|places| estimates(h, &model, places, measure));
            let error = match (&errors, compared.places) {
                (_, Err(_)) => [None; 3],
                (Some(Errors { of, .. }), Ok(_)) => {
                    of.get(number).and_then(|scale| scale.get(place)).copied().unwrap_or_default()
                }
                (None, Ok(_)) if estimate.is_err() => [None; 3],
                (None, Ok(places)) => match influences(h, &model, places, measure) {
                    Some((with, without)) => linear(call, h, &with, without.as_deref())?.map(Some),
                    None => [None; 3],
                },
            };
            let status = estimate.err();
            let (with, without) = (estimate.ok().map(|e| e.0), estimate.ok().map(|e| e.1));
            let difference = estimate.ok().map(|(with, without)| with - without);
            let error = error.map(|e| e.filter(|_| estimate.is_ok()));
            let [se_with, se_without, se] = error;
            let half = quantile.zip(se).map(|(t, se)| t * se);
            let scale = Scale::ALL.iter().position(|s| *s == compared.scale);
            cells.extend([
                scale.map(|s| s as f64),
                Some((Scale::ALL.len() + place) as f64),
                with,
                without,
                difference,
                se_with,
                se_without,
                se,
                difference.zip(half).map(|(d, half)| d - half),
                difference.zip(half).map(|(d, half)| d + half),
                Some(df as f64),
                Some(h.len() as f64),
                weights.map(|w| w.least),
                weights.map(|w| w.most),
                weights.map(|w| w.effect),
                Some(lonely as f64),
                status.and_then(label),
            ]);
        }
    }
    sink.row(&cells);
    Ok(())
}

/// Errors of both and of their difference, by linearisation.
fn linear(call: &Call, h: &Households, with: &[f64], without: Option<&[f64]>) -> Result<[f64; 3]> {
    let error =
        |units: &[f64]| Ok::<_, datafusion_common::DataFusionError>(call.design.variance_of(&h.strata, units)?.sqrt());
    let Some(without) = without else { return Ok([error(with)?, 0.0, error(with)?]) };
    let off: Vec<f64> = with.iter().zip(without).map(|(with, without)| with - without).collect();
    Ok([error(with)?, error(without)?, error(&off)?])
}
