//! Households with their characteristics, and the groups that have a model each.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, Float64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::DataFusionError;
use envoi_functions::counterfactual::{Design, Value};

use super::call::{Call, is_number};
use super::tables::{column, doubles, texts, values};
use crate::error::Result;

type Df<T> = std::result::Result<T, DataFusionError>;

/// The most models of one call.
const GROUPS: usize = 1_000;

/// The column that argument `by` names.
pub(super) fn by(call: &Call, survey: &Schema) -> Result<Option<usize>> {
    match call.text("by")? {
        "" => Ok(None),
        column => call.place(column, "survey", survey).map(Some),
    }
}

/// All columns but those that are named, with whether they hold categories.
pub(super) fn characteristics(call: &Call, survey: &Schema, named: &[Option<usize>]) -> Result<Vec<(usize, bool)>> {
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
        return Err(call.refused("finds no characteristics in its table `survey`: columns beside those that are named"));
    }
    Ok(characteristics)
}

/// A column of finite numbers.
pub(super) fn finite(call: &Call, batch: &RecordBatch, place: usize) -> Df<Float64Array> {
    let numbers = doubles(column(batch, place)?)?;
    let wrong = values(&numbers).flatten().find(|n| !n.is_finite());
    if let Some(wrong) = wrong {
        let schema = batch.schema_ref();
        return Err(call.refused(format!("has {wrong} in column `{}`", schema.field(place).name())).into());
    }
    Ok(numbers)
}

/// Refuses numbers below 0.
pub(super) fn negative(call: &Call, argument: &str, numbers: &Float64Array) -> Df<()> {
    match values(numbers).flatten().find(|n| *n < 0.0) {
        None => Ok(()),
        Some(wrong) => Err(call.refused(format!("has a {argument} of {wrong}; it is 0 or more")).into()),
    }
}

/// The characteristics of a batch.
pub(super) struct Characteristics(Vec<Characteristic>);

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

impl Characteristics {
    pub(super) fn new(call: &Call, columns: &[(usize, bool)], batch: &RecordBatch) -> Df<Self> {
        let read = |(place, categories): &(usize, bool)| -> Df<Characteristic> {
            Ok(if *categories {
                Characteristic::Texts(texts(column(batch, *place)?)?)
            } else {
                Characteristic::Numbers(finite(call, batch, *place)?)
            })
        };
        Ok(Self(columns.iter().map(read).collect::<Df<_>>()?))
    }

    /// Those of a row.
    pub(super) fn of(&self, row: usize) -> Vec<Value<'_>> {
        self.0.iter().map(|c| c.value(row)).collect()
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
