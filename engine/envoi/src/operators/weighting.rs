//! `propensity_weights` and `propensity_balance`: households that receive nothing, weighed so
//! that they stand for those that receive.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use envoi_functions::counterfactual::Value;
use envoi_functions::propensity::{Patterns, Propensities};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use super::call::Call;
use super::characteristics::{Characteristics, Group, Groups, by, characteristics, finite, negative};
use super::tables::{Held, all_described, optional, table};
use super::{Operator, Rows, Work};
use crate::error::Result;

type Df<T> = std::result::Result<T, DataFusionError>;

/// Differences below this count as none.
const SMALL: f64 = 0.1;

/// Weights of households, or what they do.
#[derive(Debug)]
pub(super) struct Weighting {
    pub(super) balance: bool,
}

const ADDED: [(&str, DataType, &str); 2] = [
    ("propensity", DataType::Float64, "Probability of being treated by the characteristics"),
    (
        "weight_factor",
        DataType::Float64,
        "What the weight of an untreated household is multiplied by to stand for the treated; 1 for a treated one",
    ),
];

const BALANCE: [(&str, DataType, &str); 10] = [
    ("by", DataType::Utf8, "Value of the column given as `by`; NULL without one"),
    ("characteristic", DataType::Utf8, "Column of the survey, or `column=category`"),
    ("mean_treated", DataType::Float64, "Weighted mean of the treated"),
    ("mean_untreated", DataType::Float64, "Weighted mean of the untreated"),
    ("mean_reweighted", DataType::Float64, "The same with `weight_factor`"),
    ("difference_before", DataType::Float64, "Standardised difference of the first two means"),
    ("difference_after", DataType::Float64, "Standardised difference after weighting"),
    ("balanced", DataType::Boolean, "Whether the latter is below 0.1 without its sign"),
    ("n_treated", DataType::Int64, "Treated households with a weight"),
    ("n_untreated", DataType::Int64, "Untreated households with a weight"),
];

impl Operator for Weighting {
    fn name(&self) -> &'static str {
        if self.balance { "propensity_balance" } else { "propensity_weights" }
    }

    fn columns(&self, call: &Call, tables: &[SchemaRef]) -> Result<Vec<FieldRef>> {
        let survey = table(call, tables, "survey")?;
        Roles::new(call, survey)?;
        if self.balance {
            return Ok(all_described(&BALANCE));
        }
        call.free("survey", survey, ADDED.map(|(name, ..)| name))?;
        Ok(survey.fields().iter().map(Arc::clone).chain(all_described(&ADDED)).collect())
    }

    fn rows(&self, work: Work) -> BoxFuture<'static, Df<Rows>> {
        rows(work, self.balance).boxed()
    }
}

/// Which column is what.
struct Roles {
    treated: usize,
    weight: usize,
    by: Option<usize>,
    characteristics: Vec<(usize, bool)>,
}

impl Roles {
    fn new(call: &Call, survey: &Schema) -> Result<Self> {
        let treated = call.number_column("treated", "survey", survey)?;
        let weight = call.number_column("weight", "survey", survey)?;
        let id = call.column("id", "survey", survey)?;
        let by = by(call, survey)?;
        let characteristics = characteristics(call, survey, &[Some(treated), Some(weight), Some(id), by])?;
        Ok(Self { treated, weight, by, characteristics })
    }
}

/// Who is treated, by row, with the weights; `None` where either is NULL.
fn arms(call: &Call, roles: &Roles, batch: &RecordBatch) -> Df<Vec<Option<(bool, f64)>>> {
    let (treated, weight) = (finite(call, batch, roles.treated)?, finite(call, batch, roles.weight)?);
    negative(call, "weight", &weight)?;
    if let Some(wrong) = treated.iter().flatten().find(|t| *t != 0.0 && *t != 1.0) {
        return Err(call.refused(format!("has {wrong} as `treated`; expected yes or no, or 1 and 0")).into());
    }
    Ok(treated.iter().zip(weight.iter()).map(|(t, w)| Some((t? != 0.0, w?))).collect())
}

/// What a household is to the fit of its group.
#[derive(Clone, Copy)]
enum Place {
    /// Of a kind.
    Kind(usize, usize),
    /// Of a category in which no household is treated.
    Never,
    /// Treatment, weight or a characteristic is NULL.
    Unknown,
}

/// What came of the fit of a group.
enum Fitted {
    Yes(Propensities),
    /// All are treated, or none is.
    OneArm,
    /// There is none.
    No,
}

impl From<Option<Propensities>> for Fitted {
    fn from(fitted: Option<Propensities>) -> Self {
        fitted.map_or(Self::OneArm, Self::Yes)
    }
}

async fn rows(work: Work, balance: bool) -> Df<Rows> {
    let Work { call, tables, schema, memory } = work;
    let survey = tables.into_iter().next();
    let survey = survey.ok_or_else(|| DataFusionError::Internal("table `survey` is not there".to_owned()))?;
    let columns = survey.schema();
    let roles = Roles::new(&call, &columns)?;
    let columns = roles.characteristics.iter().map(|(place, texts)| (columns.field(*place).name().clone(), *texts));
    let mut groups = Groups::new(columns.collect(), roles.by);
    let mut groups_of: Vec<Vec<usize>> = Vec::new();
    let mut households = 0;
    let held = Held::all(survey, &memory, |batch| {
        let of = groups.of(&call, roles.by, batch)?;
        let characteristics = Characteristics::new(&call, &roles.characteristics, batch)?;
        for ((row, group), arm) in of.iter().enumerate().zip(arms(&call, &roles, batch)?) {
            // Categories without treated households are not in the fit: nobody there stands for anyone.
            if let (Some(group), Some((true, weight))) = (groups.all.get_mut(*group), arm)
                && weight > 0.0
            {
                group.design.see(&characteristics.of(row)).map_err(|e| call.refused(e))?;
            }
        }
        groups_of.push(of);
        households += batch.num_rows();
        Ok(households * size_of::<usize>())
    })
    .await?;
    for group in &mut groups.all {
        group.terms = group.design.terms().map_err(|e| call.refused(e))?;
    }
    let mut patterns: Vec<Patterns> = groups.all.iter().map(|_| Patterns::default()).collect();
    let mut places: Vec<Vec<Place>> = Vec::new();
    let mut numbers = Vec::new();
    for (batch, of) in held.batches.iter().zip(&groups_of) {
        let characteristics = Characteristics::new(&call, &roles.characteristics, batch)?;
        let mut of_batch = Vec::with_capacity(of.len());
        for ((row, place), arm) in of.iter().enumerate().zip(arms(&call, &roles, batch)?) {
            let values = characteristics.of(row);
            let found = (groups.all.get(*place), patterns.get_mut(*place), arm);
            of_batch.push(match found {
                (Some(group), Some(patterns), Some((treated, weight))) if !values.contains(&Value::Missing) => {
                    if group.design.row(&values, &mut numbers) {
                        Place::Kind(*place, patterns.add(&numbers, treated, weight))
                    } else {
                        Place::Never
                    }
                }
                _ => Place::Unknown,
            });
        }
        places.push(of_batch);
        let kinds = patterns.iter().zip(&groups.all).map(|(p, g)| p.size(g.terms.len()));
        held.beside(households * (size_of::<usize>() + size_of::<Place>()) + kinds.sum::<usize>())?;
        tokio::task::yield_now().await;
    }
    let lenient = call.text("unfit")? == "null";
    let fit = |(patterns, group): (&Patterns, &Group)| match patterns.fit(&group.terms) {
        Ok(fitted) => Ok(Fitted::from(fitted)),
        Err(_) if lenient => Ok(Fitted::No),
        Err(why) => {
            let of = group.name.as_ref().map(|name| format!(" of `{name}`")).unwrap_or_default();
            Err(call.refused(format!("cannot weigh the households{of}: it {why}")))
        }
    };
    // By name: of several errors it is always the same that is told.
    let mut fitted: Vec<Fitted> = groups.all.iter().map(|_| Fitted::No).collect();
    for place in groups.places.values() {
        if let (Some(slot), Some(found)) = (fitted.get_mut(*place), patterns.get(*place).zip(groups.all.get(*place))) {
            *slot = fit(found)?;
        }
    }
    if balance {
        return Ok(futures::stream::iter([reported(&groups, &fitted, schema)]).boxed());
    }
    let batches = held.batches.len();
    let rows = (0..batches).map(move |number| {
        let missing = || DataFusionError::Internal("a batch is gone".to_owned());
        // The rows are held as long as this lives.
        let batch = held.batches.get(number).ok_or_else(missing)?;
        weighed(&call, &roles, batch, places.get(number).ok_or_else(missing)?, &fitted, &schema)
    });
    Ok(futures::stream::iter(rows).boxed())
}

/// A batch of the survey with its weights.
fn weighed(
    call: &Call,
    roles: &Roles,
    batch: &RecordBatch,
    places: &[Place],
    fitted: &[Fitted],
    schema: &SchemaRef,
) -> Df<RecordBatch> {
    // Without treated households the others stand for nobody; without others the treated have no probability.
    let of = |place: &Place, treated: bool| match *place {
        Place::Kind(group, kind) => match fitted.get(group)? {
            Fitted::Yes(fitted) => Some((fitted.p.get(kind).copied(), *fitted.factors.get(kind)?)),
            Fitted::OneArm => Some(((!treated).then_some(0.0), 0.0)),
            Fitted::No => None,
        },
        Place::Never => Some((Some(0.0), 0.0)),
        Place::Unknown => None,
    };
    let arms = arms(call, roles, batch)?;
    let found = || places.iter().zip(&arms).map(|(place, arm)| (*arm).and_then(|(t, _)| Some((t, of(place, t)?))));
    let propensity = optional(found().map(|f| f.and_then(|(_, (p, _))| p)));
    let factor = optional(found().map(|f| f.map(|(treated, (_, factor))| if treated { 1.0 } else { factor })));
    let added = [propensity, factor];
    let columns = batch.columns().iter().map(Arc::clone).chain(added).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn reported(groups: &Groups, fitted: &[Fitted], schema: SchemaRef) -> Df<RecordBatch> {
    let mut texts: [Vec<Option<String>>; 2] = Default::default();
    let mut numbers: [Vec<Option<f64>>; 5] = Default::default();
    let mut balanced: Vec<Option<bool>> = Vec::new();
    let mut counts: [Vec<i64>; 2] = Default::default();
    for place in groups.places.values() {
        let (Some(group), Some(Fitted::Yes(fitted))) = (groups.all.get(*place), fitted.get(*place)) else { continue };
        for (term, balance) in group.terms.iter().zip(&fitted.balance) {
            let row = [group.name.clone(), Some(term.clone())];
            texts.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
            let [treated, untreated, after] = balance.means.map(Some);
            let [first, second] = balance.differences.map_or([None; 2], |d| d.map(Some));
            let row = [treated, untreated, after, first, second];
            numbers.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
            balanced.push(second.map(|d| d.abs() < SMALL));
            let [untreated, treated] = fitted.rows.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
            counts.iter_mut().zip([treated, untreated]).for_each(|(column, value)| column.push(value));
        }
    }
    let texts = texts.into_iter().map(|c| Arc::new(StringArray::from(c)) as ArrayRef);
    let numbers = numbers.into_iter().map(|c| optional(c.into_iter()));
    let balanced: ArrayRef = Arc::new(BooleanArray::from(balanced));
    let counts = counts.into_iter().map(|c| Arc::new(Int64Array::from(c)) as ArrayRef);
    Ok(RecordBatch::try_new(schema, texts.chain(numbers).chain([balanced]).chain(counts).collect())?)
}
