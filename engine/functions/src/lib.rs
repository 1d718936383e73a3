//! Measures of flows and knowledge of economies as SQL functions: no I/O, no session, no clock.
//!
//! What the functions know of economies is given by the engine, as [`Countries`].

mod aggregate;
pub mod calibration;
mod cholesky;
pub mod counterfactual;
mod country;
mod hodrick_prescott;
pub mod least_squares;
pub mod propensity;
mod scalar;

use std::sync::Arc;

pub use country::{Countries, Known, Meaning, Passage, PassageRule};
use datafusion_expr::{AggregateUDF, ScalarUDF};

/// Every scalar function. The reference is generated from this list.
pub fn all_scalars(countries: Known) -> Vec<Arc<ScalarUDF>> {
    let mut all = vec![
        Arc::new(ScalarUDF::from(scalar::RemitOdaRatio::new())),
        Arc::new(ScalarUDF::from(scalar::RemitExceedsOda::new())),
        Arc::new(ScalarUDF::from(scalar::Relative::new())),
        Arc::new(ScalarUDF::from(scalar::AdultEquiv::new())),
        Arc::new(ScalarUDF::from(scalar::SvyReplicate::new())),
    ];
    all.extend(scalar::HpFilter::all().map(|f| Arc::new(ScalarUDF::from(f))));
    all.extend(scalar::numeric().into_iter().map(|f| Arc::new(ScalarUDF::from(f))));
    all.extend(country::all(countries));
    all
}

/// Every aggregate function. The reference is generated from this list too.
pub fn all_aggregates() -> Vec<Arc<AggregateUDF>> {
    aggregate::all()
}

/// The functions that take named arguments, and the names in their order.
pub fn all_named() -> Vec<(String, Vec<String>)> {
    let aggregates = aggregate::all();
    let replicate = ScalarUDF::from(scalar::SvyReplicate::new());
    let signatures = aggregates.iter().map(|f| (f.name(), f.signature()));
    let signatures = signatures.chain([(replicate.name(), replicate.signature())]);
    signatures.filter_map(|(name, s)| Some((name.to_owned(), s.parameter_names.clone()?))).collect()
}
