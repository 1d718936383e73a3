//! `counterfactual_income` and `counterfactual_model`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use envoi_functions::counterfactual::{Design, Drawn, Residuals, Value, identified};
use envoi_functions::least_squares::{Fit, INTERCEPT, LeastSquares};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use super::call::{Call, is_number};
use super::tables::{Held, column, described, doubles, optional, table, texts, values};
use super::{Operator, Rows, Work};
use crate::error::Result;

type Df<T> = std::result::Result<T, DataFusionError>;

/// The most draws: rows are as many times those of the survey.
const DRAWS: u64 = 10_000;

/// Incomes without remittances, or the model behind them.
#[derive(Debug)]
pub(super) struct Counterfactual {
    pub(super) model: bool,
}

const ADDED: [(&str, DataType, &str); 2] = [
    ("draw", DataType::Int64, "Number of the draw, from 1"),
    (
        "income_counterfactual",
        DataType::Float64,
        "Income as it would be without a migrant; of a household without remittances its income",
    ),
];

const MODEL: [(&str, DataType, &str); 9] = [
    ("term", DataType::Utf8, "Column of the survey, or `column=category`; `(intercept)` is the constant"),
    ("coefficient", DataType::Float64, "What one unit of it adds to ln(income)"),
    ("se", DataType::Float64, "Standard error of the coefficient, classical"),
    ("t", DataType::Float64, "Coefficient by standard error"),
    ("sigma", DataType::Float64, "Standard deviation of the residuals, weights scaled to 1 in the mean"),
    ("r_squared", DataType::Float64, "Share of the variance of ln(income) that is explained"),
    ("n", DataType::Int64, "Households the model is fitted to"),
    ("nonpositive", DataType::Int64, "Households without remittances left out because their income is 0 or less"),
    ("missing", DataType::Int64, "Households without remittances left out because income or a characteristic is NULL"),
];

impl Operator for Counterfactual {
    fn name(&self) -> &'static str {
        if self.model { "counterfactual_model" } else { "counterfactual_income" }
    }

    fn columns(&self, call: &Call, tables: &[SchemaRef]) -> Result<Vec<FieldRef>> {
        let survey = table(call, tables, "survey")?;
        Roles::new(call, survey)?;
        if self.model {
            return Ok(MODEL.iter().map(|(name, data_type, text)| described(name, data_type.clone(), text)).collect());
        }
        Options::new(call)?;
        call.free("survey", survey, ADDED.map(|(name, ..)| name))?;
        let added = ADDED.iter().map(|(name, data_type, text)| described(name, data_type.clone(), text));
        Ok(survey.fields().iter().map(Arc::clone).chain(added).collect())
    }

    fn rows(&self, work: Work) -> BoxFuture<'static, Df<Rows>> {
        rows(work, self.model).boxed()
    }
}

/// What the draws are like.
struct Options {
    draws: u64,
    seed: u64,
    residuals: String,
    always: bool,
}

impl Options {
    fn new(call: &Call) -> Result<Self> {
        Ok(Self {
            draws: call.whole("draws", 1..=DRAWS)?,
            seed: call.whole("seed", 0..=1 << 53)?,
            residuals: call.text("residuals")?.to_owned(),
            always: call.text("replace")? == "always",
        })
    }
}

/// Which column is what.
struct Roles {
    income: usize,
    remittance: usize,
    weight: usize,
    id: usize,
    /// All others, with whether they hold categories.
    characteristics: Vec<(usize, bool)>,
}

impl Roles {
    fn new(call: &Call, survey: &Schema) -> Result<Self> {
        let number = |argument| call.number_column(argument, "survey", survey);
        let (income, remittance, weight) = (number("income")?, number("remittance")?, number("weight")?);
        let id = call.column("id", "survey", survey)?;
        let mut characteristics = Vec::new();
        for (place, field) in
            survey.fields().iter().enumerate().filter(|(p, _)| ![income, remittance, weight, id].contains(p))
        {
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
        Ok(Self { income, remittance, weight, id, characteristics })
    }
}

/// A batch as the model reads it.
struct Read {
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
enum Part {
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
    fn new(call: &Call, roles: &Roles, batch: &RecordBatch) -> Df<Self> {
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

    /// Each row with its characteristics.
    fn each(&self, mut see: impl FnMut(Part, &[Value<'_>]) -> Df<()>) -> Df<()> {
        for row in 0..self.income.len() {
            let all: Vec<Value<'_>> = self.characteristics.iter().map(|c| c.value(row)).collect();
            see(self.part(row), &all)?;
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

/// The fitted model.
struct Model {
    fit: Fit,
    terms: Vec<String>,
    nonpositive: i64,
    missing: i64,
}

async fn rows(work: Work, model: bool) -> Df<Rows> {
    let Work { call, tables, schema, memory } = work;
    let survey: Option<SendableRecordBatchStream> = tables.into_iter().next();
    let survey = survey.ok_or_else(|| DataFusionError::Internal("table `survey` is not there".to_owned()))?;
    let roles = Roles::new(&call, &survey.schema())?;
    let names = roles.characteristics.iter().map(|(place, texts)| {
        let field = survey.schema();
        (field.field(*place).name().clone(), *texts)
    });
    let mut design = Design::new(names);
    let mut count = 0usize;
    let held = Held::all(survey, &memory, |batch| {
        let mut seen = 0usize;
        Read::new(&call, &roles, batch)?.each(|part, row| {
            // A row with a NULL is not in the fit, so its categories are not known by it.
            if matches!(part, Part::Fit(..)) && !row.contains(&Value::Missing) {
                seen += 1;
                design.see(row).map_err(|e| call.refused(e))?;
            }
            Ok(())
        })?;
        count += seen;
        Ok(0)
    })
    .await?;
    let terms = design.terms().map_err(|e| call.refused(e))?;
    let households: usize = held.batches.iter().map(RecordBatch::num_rows).sum();
    // A prediction and the number of the id of each household, and the residuals.
    held.beside(
        households * 3 * size_of::<f64>() + Drawn::size(count) + terms.len() * terms.len() * 3 * size_of::<f64>(),
    )?;
    let fitted = fitted(&call, &roles, &design, terms, &held).await?;
    if model {
        return Ok(futures::stream::iter([reported(&fitted, schema)]).boxed());
    }
    let options = Options::new(&call)?;
    let mut residuals: Vec<(f64, f64)> = Vec::new();
    let mut households: Vec<Vec<Household>> = Vec::new();
    for batch in &held.batches {
        households.push(predicted(&call, &roles, &design, &fitted.fit, batch, &mut residuals)?);
        tokio::task::yield_now().await;
    }
    let residuals = match (options.residuals.as_str(), fitted.fit.sigma) {
        ("none", _) => Residuals::None,
        ("normal", Some(sigma)) => Residuals::Normal(sigma),
        ("normal", None) => {
            return Err(call
                .refused("has as many terms as households without remittances, so no spread to draw from")
                .into());
        }
        _ => Residuals::Empirical(Drawn::new(residuals)),
    };
    let income = roles.income;
    let batches = held.batches.len();
    let places = (1..=options.draws).flat_map(move |draw| (0..batches).map(move |place| (draw, place)));
    let rows = places.map(move |(draw, place)| {
        let missing = || DataFusionError::Internal("a batch is gone".to_owned());
        // The rows are held as long as this lives.
        let batch = held.batches.get(place).ok_or_else(missing)?;
        let households = households.get(place).ok_or_else(missing)?;
        drawn(&call, batch, income, households, &residuals, draw, &options, &schema)
    });
    Ok(futures::stream::iter(rows).boxed())
}

async fn fitted(call: &Call, roles: &Roles, design: &Design, terms: Vec<String>, held: &Held) -> Df<Model> {
    let mut sums = LeastSquares::new(terms.clone(), true);
    let mut numbers = Vec::new();
    let (mut nonpositive, mut missing) = (0, 0);
    for batch in &held.batches {
        Read::new(call, roles, batch)?.each(|part, row| {
            match part {
                Part::Fit(y, weight) if design.row(row, &mut numbers) => sums.add(numbers.iter().copied(), y, weight),
                Part::Fit(..) | Part::Missing => missing += 1,
                Part::Nonpositive => nonpositive += 1,
                Part::Weightless | Part::Receives | Part::Unknown => {}
            }
            Ok(())
        })?;
        tokio::task::yield_now().await;
    }
    let fit = sums
        .fit()
        .map_err(|why| call.refused(format!("cannot fit its model to the households without remittances: {why}")))?;
    Ok(Model { fit, terms, nonpositive, missing })
}

/// A household as the draws see it.
#[derive(Clone, Copy)]
enum Household {
    /// Receives nothing: its income stays.
    Stays,
    /// Its remittances, or a characteristic, are NULL, or it has a category that the model does not know.
    Unknown,
    /// Receives: the logarithm of its income by the model, the number of its id.
    Receives(f64, u64),
}

/// The households of a batch; residuals of those in the fit are added to the others.
fn predicted(
    call: &Call,
    roles: &Roles,
    design: &Design,
    fit: &Fit,
    batch: &RecordBatch,
    residuals: &mut Vec<(f64, f64)>,
) -> Df<Vec<Household>> {
    let ids = texts(column(batch, roles.id)?)?;
    let mut numbers = Vec::new();
    let mut all = Vec::with_capacity(batch.num_rows());
    let predict = |numbers: &[f64]| {
        let (constant, slopes) = fit.coefficients.split_first().unwrap_or((&0.0, &[]));
        constant + slopes.iter().zip(numbers).map(|(b, x)| b * x).sum::<f64>()
    };
    Read::new(call, roles, batch)?.each(|part, row| {
        let household = match part {
            Part::Unknown => Household::Unknown,
            Part::Receives => {
                if ids.is_null(all.len()) {
                    return Err(call.refused("has a household with remittances and without an id").into());
                }
                if design.row(row, &mut numbers) {
                    Household::Receives(predict(&numbers), identified(ids.value(all.len())))
                } else {
                    Household::Unknown
                }
            }
            Part::Fit(y, weight) => {
                if design.row(row, &mut numbers) {
                    residuals.push((y - predict(&numbers), weight));
                }
                Household::Stays
            }
            Part::Nonpositive | Part::Missing | Part::Weightless => Household::Stays,
        };
        all.push(household);
        Ok(())
    })?;
    Ok(all)
}

/// A batch of the survey with a draw.
fn drawn(
    call: &Call,
    batch: &RecordBatch,
    income: usize,
    households: &[Household],
    residuals: &Residuals,
    draw: u64,
    options: &Options,
    schema: &SchemaRef,
) -> Df<RecordBatch> {
    let incomes = doubles(column(batch, income)?)?;
    let mut counterfactual = Vec::with_capacity(batch.num_rows());
    for (income, household) in values(&incomes).zip(households) {
        counterfactual.push(match household {
            Household::Stays => income,
            Household::Unknown => None,
            Household::Receives(mean, id) => {
                let logarithm = mean + residuals.of(*id, draw, options.seed);
                let prediction = logarithm.exp();
                if !prediction.is_finite() {
                    let why = format!("predicts an income of e to the {logarithm:.3e}, more than there is");
                    return Err(call
                        .refused(why)
                        .with_hint("are the characteristics in the units of the others?")
                        .into());
                }
                if options.always { Some(prediction) } else { income.map(|i| i.min(prediction)) }
            }
        });
    }
    let number = Arc::new(Int64Array::from(vec![i64::try_from(draw).unwrap_or(i64::MAX); batch.num_rows()]));
    let added: [Arc<dyn Array>; 2] = [number, optional(counterfactual.into_iter())];
    let columns = batch.columns().iter().map(Arc::clone).chain(added).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn reported(model: &Model, schema: SchemaRef) -> Df<RecordBatch> {
    let fit = &model.fit;
    let rows = fit.coefficients.len();
    let terms = std::iter::once(INTERCEPT).chain(model.terms.iter().map(String::as_str));
    let errors: Vec<Option<f64>> = (0..rows).map(|term| fit.standard_error(term)).collect();
    let ts = fit.coefficients.iter().zip(&errors).map(|(b, se)| se.filter(|se| *se > 0.0).map(|se| b / se));
    let same = |value: Option<f64>| optional(std::iter::repeat_n(value, rows));
    let counted = |count: i64| Arc::new(Int64Array::from(vec![count; rows]));
    let columns: Vec<Arc<dyn Array>> = vec![
        Arc::new(StringArray::from_iter_values(terms)),
        Arc::new(Float64Array::from(fit.coefficients.clone())),
        optional(errors.iter().copied()),
        optional(ts),
        same(fit.sigma),
        same(fit.r_squared),
        counted(i64::try_from(fit.rows).unwrap_or(i64::MAX)),
        counted(model.nonpositive),
        counted(model.missing),
    ];
    Ok(RecordBatch::try_new(schema, columns)?)
}
