//! `counterfactual_income` and `counterfactual_model`.

mod read;

use std::sync::Arc;

use datafusion::arrow::array::{Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use envoi_functions::counterfactual::{Drawn, Residuals, Value, identified};
use envoi_functions::least_squares::{Fit, INTERCEPT, LeastSquares};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use read::{Part, Read, Roles};

use super::call::Call;
use super::characteristics::{Group, Groups};
use super::tables::{Held, all_described, column, doubles, optional, table, texts, values};
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

const MODEL: [(&str, DataType, &str); 10] = [
    ("by", DataType::Utf8, "Value of the column given as `by`; NULL without one"),
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
            return Ok(all_described(&MODEL));
        }
        Options::new(call)?;
        call.free("survey", survey, ADDED.map(|(name, ..)| name))?;
        Ok(survey.fields().iter().map(Arc::clone).chain(all_described(&ADDED)).collect())
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

/// What came of a group's fit.
enum Fitted {
    Yes(Model),
    /// Nobody receives, so nothing is predicted.
    Needless,
    /// There is none: incomes without remittances are not known.
    No,
}

impl Fitted {
    fn model(&self) -> Option<&Model> {
        if let Self::Yes(model) = self { Some(model) } else { None }
    }
}

/// A fitted model.
struct Model {
    fit: Fit,
    nonpositive: i64,
    missing: i64,
}

async fn rows(work: Work, model: bool) -> Df<Rows> {
    let Work { call, tables, schema, memory } = work;
    let survey: Option<SendableRecordBatchStream> = tables.into_iter().next();
    let survey = survey.ok_or_else(|| DataFusionError::Internal("table `survey` is not there".to_owned()))?;
    let columns = survey.schema();
    let roles = Roles::new(&call, &columns)?;
    let columns = roles.characteristics.iter().map(|(place, texts)| (columns.field(*place).name().clone(), *texts));
    let mut groups = Groups::new(columns.collect(), roles.by);
    let mut groups_of: Vec<Vec<usize>> = Vec::new();
    let mut households = 0;
    let held = Held::all(survey, &memory, |batch| {
        let of = groups.of(&call, roles.by, batch)?;
        Read::new(&call, &roles, batch)?.each(&of, |group, part, row| {
            let Some(group) = groups.all.get_mut(group) else { return Ok(()) };
            match part {
                Part::Receives => group.receivers += 1,
                // A row with a NULL is not in the fit, so its categories are not known by it.
                Part::Fit(..) if !row.contains(&Value::Missing) => {
                    group.seen += 1;
                    group.design.see(row).map_err(|e| call.refused(e))?;
                }
                _ => {}
            }
            Ok(())
        })?;
        groups_of.push(of);
        households += batch.num_rows();
        Ok(households * size_of::<usize>())
    })
    .await?;
    for group in &mut groups.all {
        group.terms = group.design.terms().map_err(|e| call.refused(e))?;
    }
    // Of each household its group and what is predicted; the residuals; the triangles of the fits.
    let fits = groups.all.iter().map(|g| Drawn::size(g.seen) + g.terms.len() * g.terms.len() * 3 * size_of::<f64>());
    held.beside(households * (size_of::<usize>() + size_of::<Household>()) + fits.sum::<usize>())?;
    let models = fitted(&call, &roles, &groups, &groups_of, &held, model).await?;
    if model {
        return Ok(futures::stream::iter([reported(&groups, &models, schema)]).boxed());
    }
    let options = Options::new(&call)?;
    let mut residuals: Vec<Vec<(f64, f64)>> = groups.all.iter().map(|_| Vec::new()).collect();
    let mut households: Vec<Vec<Household>> = Vec::new();
    for (batch, of) in held.batches.iter().zip(&groups_of) {
        let ids = texts(column(batch, roles.id)?)?;
        let read = Read::new(&call, &roles, batch)?;
        households.push(predicted(&call, &read, &ids, of, (&groups, &models), &mut residuals)?);
        tokio::task::yield_now().await;
    }
    let found = models.iter().map(Fitted::model);
    let drawing = found.zip(residuals).map(|(model, residuals)| match (options.residuals.as_str(), model) {
        ("none", _) => Ok(Residuals::None),
        ("normal", Some(model)) => model.fit.sigma.map(Residuals::Normal).ok_or_else(|| {
            call.refused("has as many terms as households without remittances, so no spread to draw from")
        }),
        _ => Ok(Residuals::Empirical(Drawn::new(residuals))),
    });
    let residuals = drawing.collect::<Result<Vec<_>>>()?;
    let (draws, batches) = (options.draws, held.batches.len());
    let drawing = Drawing { call, options, income: roles.income, residuals, schema };
    let places = (1..=draws).flat_map(move |draw| (0..batches).map(move |place| (draw, place)));
    let rows = places.map(move |(draw, place)| {
        let missing = || DataFusionError::Internal("a batch is gone".to_owned());
        // The rows are held as long as this lives.
        let batch = held.batches.get(place).ok_or_else(missing)?;
        drawing.drawn(batch, households.get(place).ok_or_else(missing)?, draw)
    });
    Ok(futures::stream::iter(rows).boxed())
}

/// The model of each group; none where nothing has to be predicted, unless all are asked for.
async fn fitted(
    call: &Call,
    roles: &Roles,
    groups: &Groups,
    groups_of: &[Vec<usize>],
    held: &Held,
    all: bool,
) -> Df<Vec<Fitted>> {
    let lenient = call.text("unfit")? == "null";
    let none = |group: &Group| (LeastSquares::new(group.terms.clone(), true), 0, 0);
    let mut sums: Vec<(LeastSquares, i64, i64)> = groups.all.iter().map(none).collect();
    let mut numbers = Vec::new();
    for (batch, of) in held.batches.iter().zip(groups_of) {
        Read::new(call, roles, batch)?.each(of, |place, part, row| {
            let (Some(group), Some((sums, nonpositive, missing))) = (groups.all.get(place), sums.get_mut(place)) else {
                return Ok(());
            };
            match part {
                Part::Fit(y, weight) if group.design.row(row, &mut numbers) => {
                    sums.add(numbers.iter().copied(), y, weight);
                }
                Part::Fit(..) | Part::Missing => *missing += 1,
                Part::Nonpositive => *nonpositive += 1,
                Part::Weightless | Part::Receives | Part::Unknown => {}
            }
            Ok(())
        })?;
        tokio::task::yield_now().await;
    }
    let fit = |(group, (sums, nonpositive, missing)): (&Group, (LeastSquares, i64, i64))| {
        if group.receivers == 0 && !all {
            return Ok(Fitted::Needless);
        }
        match sums.fit() {
            Ok(fit) => Ok(Fitted::Yes(Model { fit, nonpositive, missing })),
            Err(_) if lenient => Ok(Fitted::No),
            Err(why) => {
                let of = group.name.as_ref().map(|name| format!(" of `{name}`")).unwrap_or_default();
                Err(call
                    .refused(format!("cannot fit its model to the households without remittances{of}: {why}"))
                    .into())
            }
        }
    };
    groups.all.iter().zip(sums).map(fit).collect()
}

/// A household as the draws see it.
#[derive(Clone, Copy)]
enum Household {
    /// Receives nothing: its income stays.
    Stays,
    /// Its remittances, or a characteristic, are NULL, or it has a category that the model does not know.
    Unknown,
    /// Receives: the logarithm of its income by the model, the number of its id, its group.
    Receives(f64, u64, usize),
}

/// The households of a batch; residuals of those in a fit are added to the others of their group.
fn predicted(
    call: &Call,
    read: &Read,
    ids: &StringArray,
    groups_of: &[usize],
    (groups, models): (&Groups, &[Fitted]),
    residuals: &mut [Vec<(f64, f64)>],
) -> Df<Vec<Household>> {
    let mut numbers = Vec::new();
    let mut all = Vec::with_capacity(groups_of.len());
    read.each(groups_of, |place, part, row| {
        let mut predict = || {
            let (group, model) = (groups.all.get(place)?, models.get(place)?.model()?);
            let (constant, slopes) = model.fit.coefficients.split_first()?;
            let whole = group.design.row(row, &mut numbers);
            whole.then(|| constant + slopes.iter().zip(&numbers).map(|(b, x)| b * x).sum::<f64>())
        };
        let unfit = matches!(models.get(place), Some(Fitted::No));
        let household = match part {
            _ if unfit => Household::Unknown,
            Part::Unknown => Household::Unknown,
            Part::Receives => {
                if ids.is_null(all.len()) {
                    return Err(call.refused("has a household with remittances and without an id").into());
                }
                let id = identified(ids.value(all.len()));
                predict().map_or(Household::Unknown, |mean| Household::Receives(mean, id, place))
            }
            Part::Fit(y, weight) => {
                if let (Some(residuals), Some(mean)) = (residuals.get_mut(place), predict()) {
                    residuals.push((y - mean, weight));
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

/// What all draws share.
struct Drawing {
    call: Call,
    options: Options,
    income: usize,
    /// By group.
    residuals: Vec<Residuals>,
    schema: SchemaRef,
}

impl Drawing {
    /// A batch of the survey with a draw.
    fn drawn(&self, batch: &RecordBatch, households: &[Household], draw: u64) -> Df<RecordBatch> {
        let incomes = doubles(column(batch, self.income)?)?;
        let mut counterfactual = Vec::with_capacity(batch.num_rows());
        for (income, household) in values(&incomes).zip(households) {
            counterfactual.push(match household {
                Household::Stays => income,
                Household::Unknown => None,
                Household::Receives(mean, id, group) => {
                    let residuals = self.residuals.get(*group);
                    let logarithm = mean + residuals.map_or(0.0, |r| r.of(*id, draw, self.options.seed));
                    let prediction = logarithm.exp();
                    if !prediction.is_finite() {
                        let why = format!("predicts an income of e to the {logarithm:.3e}, more than there is");
                        let hint = "are the characteristics in the units of the others?";
                        return Err(self.call.refused(why).with_hint(hint).into());
                    }
                    if self.options.always { Some(prediction) } else { income.map(|i| i.min(prediction)) }
                }
            });
        }
        let number = Arc::new(Int64Array::from(vec![i64::try_from(draw).unwrap_or(i64::MAX); batch.num_rows()]));
        let added: [Arc<dyn Array>; 2] = [number, optional(counterfactual.into_iter())];
        let columns = batch.columns().iter().map(Arc::clone).chain(added).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

fn reported(groups: &Groups, models: &[Fitted], schema: SchemaRef) -> Df<RecordBatch> {
    let mut texts: [Vec<Option<String>>; 2] = Default::default();
    let mut numbers: [Vec<Option<f64>>; 5] = Default::default();
    let mut counts: [Vec<i64>; 3] = Default::default();
    for place in groups.places.values() {
        let (Some(group), Some(Fitted::Yes(model))) = (groups.all.get(*place), models.get(*place)) else { continue };
        let fit = &model.fit;
        let terms = std::iter::once(INTERCEPT).chain(group.terms.iter().map(String::as_str));
        for (place, (term, coefficient)) in terms.zip(&fit.coefficients).enumerate() {
            let error = fit.standard_error(place);
            let t = error.filter(|se| *se > 0.0).map(|se| coefficient / se);
            let row = [Some(*coefficient), error, t, fit.sigma, fit.r_squared];
            numbers.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
            let row = [group.name.clone(), Some(term.to_owned())];
            texts.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
            let row = [i64::try_from(fit.rows).unwrap_or(i64::MAX), model.nonpositive, model.missing];
            counts.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
    }
    let texts = texts.into_iter().map(|c| Arc::new(StringArray::from(c)) as Arc<dyn Array>);
    let numbers = numbers.into_iter().map(|c| optional(c.into_iter()));
    let counts = counts.into_iter().map(|c| Arc::new(Int64Array::from(c)) as Arc<dyn Array>);
    Ok(RecordBatch::try_new(schema, texts.chain(numbers).chain(counts).collect())?)
}
