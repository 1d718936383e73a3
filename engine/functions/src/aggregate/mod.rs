//! Functions of many rows.

mod approximate;
mod frame;
mod inequality;
mod poverty;
mod prices;
mod regression;
mod series;
mod survey;
mod transfers;
mod treatment;
mod world_bank;

use std::sync::Arc;

use datafusion_expr::AggregateUDF;
use frame::{Measure, udaf};
pub(crate) use frame::{Total, total};
pub(crate) use survey::{estimates, half_interval, spread};

/// Every aggregate function.
pub(crate) fn all() -> Vec<Arc<AggregateUDF>> {
    let families: [&[&'static Measure]; 10] = [
        inequality::ALL,
        approximate::ALL,
        poverty::ALL,
        transfers::ALL,
        series::ALL,
        world_bank::ALL,
        prices::ALL,
        survey::ALL,
        treatment::ALL,
        regression::MEASURES,
    ];
    families.concat().into_iter().map(udaf).chain(regression::all()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn parameters_have_names_of_their_own() {
        for function in super::all() {
            let names = function.signature().parameter_names.clone().unwrap_or_default();
            let distinct: BTreeSet<_> = names.iter().collect();
            assert!(!names.is_empty() && distinct.len() == names.len(), "{}: {names:?}", function.name());
        }
    }
}
