//! The survey as the model reads it.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, Float64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Schema};
use envoi_functions::counterfactual::{Design, Value};

use super::super::call::{Call, is_number};
use super::super::tables::{column, doubles, texts, values};
use super::Df;
use crate::error::Result;

/// The most models of one call.
const GROUPS: usize = 1_000;

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
        let by = match call.text("by")? {
            "" => None,
            column => Some(call.place(column, "survey", survey)?),
        };
        let named = [Some(income), Some(remittance), Some(weight), Some(id), by];
        let mut characteristics = Vec::new();
        for (place, field) in survey.fields().iter().enumerate().filter(|(p, _)| !named.contains(&Some(*p))) {
            let texts = match field.data_type() {
                number if is_number(number) => false,
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
                DataType::Dictionary(_, value) if value.is_string() => true,
                other => {
                    let name = field.name();
                    return Err(call
                        .refused(format!("cannot take column `{name}` of type {other} for a characteristic"))
                        .with_hint(format!("leave it out: `(select * exclude ({name}) from …)`")));
                }
            };
            characteristics.push((place, texts));
        }
        if characteristics.is_empty() {
            return Err(
                call.refused("finds no characteristics in its table `survey`: columns beside those that are named")
            );
        }
        Ok(Self { income, remittance, weight, id, by, characteristics })
    }
}

/// A batch as the model reads it.
pub(super) struct Read {
    income: Float64Array,
    remittance: Float64Array,
    weight: Float64Array,
    characteristics: Vec<Characteristic>,
}

enum Characteristic {
    Numbers(Float64Array),
    Texts(StringArray),
}

impl Characteristic {
    fn value(&self, row: usize) -> Value<'_> {
        match self {
            Self::Numbers(column) if column.is_valid(row) => Value::Number(column.value(row)),
            Self::Texts(column) if column.is_valid(row) => Value::Text(column.value(row)),
            _ => Value::Missing,
        }
    }
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
        let number = |place: usize| -> Df<Float64Array> {
            let numbers = doubles(column(batch, place)?)?;
            let wrong = values(&numbers).flatten().find(|n| !n.is_finite());
            if let Some(wrong) = wrong {
                let schema = batch.schema_ref();
                return Err(call.refused(format!("has {wrong} in column `{}`", schema.field(place).name())).into());
            }
            Ok(numbers)
        };
        let negative = |argument: &str, numbers: &Float64Array| -> Df<()> {
            match values(numbers).flatten().find(|n| *n < 0.0) {
                None => Ok(()),
                Some(wrong) => Err(call.refused(format!("has a {argument} of {wrong}; it is 0 or more")).into()),
            }
        };
        let (remittance, weight) = (number(roles.remittance)?, number(roles.weight)?);
        negative("remittance", &remittance)?;
        negative("weight", &weight)?;
        let mut characteristics = Vec::new();
        for (place, categories) in &roles.characteristics {
            characteristics.push(if *categories {
                Characteristic::Texts(texts(column(batch, *place)?)?)
            } else {
                Characteristic::Numbers(number(*place)?)
            });
        }
        Ok(Self { income: number(roles.income)?, remittance, weight, characteristics })
    }

    /// Each row with its group and its characteristics.
    pub(super) fn each(&self, groups: &[usize], mut see: impl FnMut(usize, Part, &[Value<'_>]) -> Df<()>) -> Df<()> {
        for (row, group) in groups.iter().enumerate() {
            let all: Vec<Value<'_>> = self.characteristics.iter().map(|c| c.value(row)).collect();
            see(*group, self.part(row), &all)?;
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

/// The households of one value of column `by`, or all.
pub(super) struct Group {
    pub(super) name: Option<String>,
    pub(super) design: Design,
    pub(super) terms: Vec<String>,
    /// Households of the fit, and those with remittances.
    pub(super) seen: usize,
    pub(super) receivers: usize,
}

/// The groups, which are found as rows come.
pub(super) struct Groups {
    columns: Vec<(String, bool)>,
    /// By name: the order of rows does not show.
    pub(super) places: BTreeMap<Option<String>, usize>,
    pub(super) all: Vec<Group>,
}

impl Groups {
    /// No households yet; `columns` are the characteristics. Without `by` there is one group.
    pub(super) fn new(columns: Vec<(String, bool)>, by: Option<usize>) -> Self {
        let mut groups = Self { columns, places: BTreeMap::new(), all: Vec::new() };
        if by.is_none() {
            groups.add(None);
        }
        groups
    }

    fn add(&mut self, name: Option<String>) -> usize {
        let place = self.all.len();
        self.places.insert(name.clone(), place);
        let design = Design::new(self.columns.iter().cloned());
        self.all.push(Group { name, design, terms: Vec::new(), seen: 0, receivers: 0 });
        place
    }

    /// The group of each row.
    pub(super) fn of(&mut self, call: &Call, by: Option<usize>, batch: &RecordBatch) -> Df<Vec<usize>> {
        let Some(by) = by else { return Ok(vec![0; batch.num_rows()]) };
        let names = texts(column(batch, by)?)?;
        let mut all = Vec::with_capacity(names.len());
        for name in names.iter().map(|n| n.map(str::to_owned)) {
            let known = self.places.get(&name).copied();
            if known.is_none() && self.all.len() == GROUPS {
                return Err(call
                    .refused(format!("finds more than {GROUPS} values in the column given as `by`"))
                    .into());
            }
            all.push(known.unwrap_or_else(|| self.add(name)));
        }
        Ok(all)
    }
}
