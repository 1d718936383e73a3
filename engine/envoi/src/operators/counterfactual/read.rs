//! The survey as the model reads it.

use datafusion::arrow::array::{Array, Float64Array, RecordBatch};
use datafusion::arrow::datatypes::Schema;
use envoi_functions::counterfactual::Value;

use super::super::call::Call;
use super::super::characteristics::{Characteristics, by, characteristics, finite, negative};
use super::Df;
use crate::error::Result;

/// Which column is what.
pub(super) struct Roles {
    pub(super) income: usize,
    remittance: usize,
    weight: usize,
    pub(super) id: usize,
    /// Each of its values has a model of its own.
    pub(super) by: Option<usize>,
    /// All others, with whether they hold categories.
    pub(super) characteristics: Vec<(usize, bool)>,
}

impl Roles {
    pub(super) fn new(call: &Call, survey: &Schema) -> Result<Self> {
        let number = |argument| call.number_column(argument, "survey", survey);
        let (income, remittance, weight) = (number("income")?, number("remittance")?, number("weight")?);
        let id = call.column("id", "survey", survey)?;
        let by = by(call, survey)?;
        let named = [Some(income), Some(remittance), Some(weight), Some(id), by];
        let characteristics = characteristics(call, survey, &named)?;
        Ok(Self { income, remittance, weight, id, by, characteristics })
    }
}

/// A batch as the model reads it.
pub(super) struct Read {
    income: Float64Array,
    remittance: Float64Array,
    weight: Float64Array,
    characteristics: Characteristics,
}

/// What a household is to the model.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Part {
    /// Receives nothing, and is in the fit with this logarithm of income and weight.
    Fit(f64, f64),
    /// Receives nothing, and its income is 0 or less.
    Nonpositive,
    /// Receives nothing, and its income is NULL.
    Missing,
    /// Receives nothing, and has no weight.
    Weightless,
    Receives,
    /// Its remittances are NULL.
    Unknown,
}

impl Read {
    pub(super) fn new(call: &Call, roles: &Roles, batch: &RecordBatch) -> Df<Self> {
        let number = |place: usize| finite(call, batch, place);
        let negative = |argument: &str, numbers: &Float64Array| negative(call, argument, numbers);
        let (remittance, weight) = (number(roles.remittance)?, number(roles.weight)?);
        negative("remittance", &remittance)?;
        negative("weight", &weight)?;
        let characteristics = Characteristics::new(call, &roles.characteristics, batch)?;
        Ok(Self { income: number(roles.income)?, remittance, weight, characteristics })
    }

    /// Each row with its group and its characteristics.
    pub(super) fn each(&self, groups: &[usize], mut see: impl FnMut(usize, Part, &[Value<'_>]) -> Df<()>) -> Df<()> {
        for (row, group) in groups.iter().enumerate() {
            see(*group, self.part(row), &self.characteristics.of(row))?;
        }
        Ok(())
    }

    fn part(&self, row: usize) -> Part {
        let at = |column: &Float64Array| column.is_valid(row).then(|| column.value(row));
        let weight = at(&self.weight).filter(|w| *w > 0.0);
        match (at(&self.remittance), at(&self.income), weight) {
            (None, _, _) => Part::Unknown,
            (Some(received), _, _) if received > 0.0 => Part::Receives,
            (_, _, None) => Part::Weightless,
            (_, None, _) => Part::Missing,
            (_, Some(income), _) if income <= 0.0 => Part::Nonpositive,
            (_, Some(income), Some(weight)) => Part::Fit(income.ln(), weight),
        }
    }
}
