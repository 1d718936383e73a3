//! `rake`, `calibrate` and their reports.

use std::sync::Arc;

use datafusion::arrow::array::{Array, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use envoi_functions::calibration::{Constraints, Distance, Fit, Fitted, Margin, Sample};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use super::call::{Call, is_number};
use super::tables::{Held, all_described, column, described, doubles, optional, table, texts, values};
use super::{Operator, Rows, Work};
use crate::error::Result;

type Df<T> = std::result::Result<T, DataFusionError>;

/// To margins, by raking.
#[derive(Debug)]
pub(super) struct Rake {
    pub(super) report: bool,
}

/// To margins and totals of variables, by a distance.
#[derive(Debug)]
pub(super) struct Calibrate {
    pub(super) report: bool,
}

impl Operator for Rake {
    fn name(&self) -> &'static str {
        if self.report { "rake_report" } else { "rake" }
    }

    fn columns(&self, call: &Call, tables: &[SchemaRef]) -> Result<Vec<FieldRef>> {
        plan(call)?;
        columns(call, tables, self.report)
    }

    fn rows(&self, work: Work) -> BoxFuture<'static, Df<Rows>> {
        rows(work, self.report).boxed()
    }
}

impl Operator for Calibrate {
    fn name(&self) -> &'static str {
        if self.report { "calibrate_report" } else { "calibrate" }
    }

    fn columns(&self, call: &Call, tables: &[SchemaRef]) -> Result<Vec<FieldRef>> {
        plan(call)?;
        columns(call, tables, self.report)
    }

    fn rows(&self, work: Work) -> BoxFuture<'static, Df<Rows>> {
        rows(work, self.report).boxed()
    }
}

/// How the weights are to be found.
struct Plan {
    distance: Distance,
    tolerance: f64,
    most: usize,
}

fn plan(call: &Call) -> Result<Plan> {
    let tolerance = call.number("tolerance", 1e-12..=0.1)?;
    let most = call.whole("max_iterations", 1..=10_000)? as usize;
    if call.name().starts_with("rake") {
        return Ok(Plan { distance: Distance::Raking, tolerance, most });
    }
    let (lower, upper) = (call.number("lower", 0.0..=0.999)?, call.number("upper", 1.001..=1e6)?);
    let distance = match call.text("method")? {
        "raking" => Distance::Raking,
        "logit" => Distance::Logit { lower, upper },
        _ => Distance::Linear,
    };
    Ok(Plan { distance, tolerance, most })
}

const REPORT: [(&str, DataType, &str); 10] = [
    ("variable", DataType::Utf8, "Column of the survey; `count` is the sum of the weights"),
    ("category", DataType::Utf8, "Value of the column; NULL where its sum is asked for"),
    ("total", DataType::Float64, "What the new weights were to add up to"),
    ("before", DataType::Float64, "What the old weights add up to"),
    ("after", DataType::Float64, "What the new weights add up to"),
    ("lambda", DataType::Float64, "Multiplier; 0 for a total that follows from others"),
    ("g_min", DataType::Float64, "The smallest new weight as a multiple of the old one"),
    ("g_max", DataType::Float64, "The largest new weight as a multiple of the old one"),
    (
        "deff",
        DataType::Float64,
        "Design effect of the new weights (Kish): 1 plus their squared coefficient of variation",
    ),
    ("iterations", DataType::Int64, "Steps of Newton's method"),
];

/// The columns that `rake` and `calibrate` add.
const ADDED: [(&str, &str); 2] = [
    ("g_weight", "The new weight as a multiple of the old one; NULL for a household without a weight"),
    ("weight_calibrated", "The new weight; as the old one where that is NULL or 0"),
];

fn columns(call: &Call, tables: &[SchemaRef], report: bool) -> Result<Vec<FieldRef>> {
    let survey = table(call, tables, "survey")?;
    call.number_column("weight", "survey", survey)?;
    given(call, tables, "margins", &["the margin", "the category", "its total"])?;
    if call.name().starts_with("calibrate") {
        given(call, tables, "totals", &["the variable", "its total"])?;
    }
    if report {
        return Ok(all_described(&REPORT));
    }
    call.free("survey", survey, ADDED.map(|(name, _)| name))?;
    let added = ADDED.iter().map(|(name, text)| described(name, DataType::Float64, text));
    Ok(survey.fields().iter().map(Arc::clone).chain(added).collect())
}

/// Refuses a table of totals that has not just these columns, the last one of numbers.
fn given(call: &Call, tables: &[SchemaRef], argument: &str, meant: &[&str]) -> Result<()> {
    let schema = table(call, tables, argument)?;
    let found = schema.fields().len();
    if found != meant.len() {
        return Err(call.refused(format!(
            "takes {} columns in its table `{argument}` ({}), not {found}",
            meant.len(),
            meant.join(", ")
        )));
    }
    match schema.fields().last() {
        Some(total) if !is_number(total.data_type()) => Err(call.refused(format!(
            "takes numbers in the last column of its table `{argument}`, and `{}` is of type {}",
            total.name(),
            total.data_type()
        ))),
        _ => Ok(()),
    }
}

async fn rows(work: Work, report: bool) -> Df<Rows> {
    let Work { call, tables, schema, memory } = work;
    let plan = plan(&call)?;
    let mut tables: Vec<Option<SendableRecordBatchStream>> = tables.into_iter().map(Some).collect();
    let mut rows_of = |argument: &str| -> Df<SendableRecordBatchStream> {
        let table = tables.get_mut(call.table(argument)?).and_then(Option::take);
        table.ok_or_else(|| DataFusionError::Internal(format!("table `{argument}` is not there")))
    };
    let mut margins = Vec::new();
    for (names, total) in totals(&call, "margins", rows_of("margins")?).await? {
        let [name, category] = <[String; 2]>::try_from(names).unwrap_or_default();
        margins.push((name, category, total));
    }
    let mut variables = Vec::new();
    if call.name().starts_with("calibrate") {
        for (names, total) in totals(&call, "totals", rows_of("totals")?).await? {
            variables.extend(names.into_iter().next().map(|name| (name, total)));
        }
    }
    let constraints = Constraints::new(margins, variables, plan.tolerance).map_err(|e| call.refused(e))?;
    let survey = rows_of("survey")?;
    let weight = call.column("weight", "survey", &survey.schema())?;
    let mut reader = Reader::new(&call, &constraints, weight, &survey.schema())?;
    let held = Held::all(survey, &memory, |batch| reader.read(&call, batch)).await?;
    let sample = reader.sample;
    held.beside(2 * sample.size() + Fit::size(&constraints, sample.points()))?;
    let mut fit =
        Fit::new(constraints, sample, plan.distance, plan.tolerance, plan.most).map_err(|e| call.refused(e))?;
    while !fit.step().map_err(|e| call.refused(e))? {
        tokio::task::yield_now().await;
    }
    let fitted = fit.finish();
    if report {
        let batch = reported(&fitted, schema)?;
        return Ok(futures::stream::iter([Ok(batch)]).boxed());
    }
    let starts: Vec<usize> = held
        .batches
        .iter()
        .scan(0, |next, batch| {
            let start = *next;
            *next += batch.num_rows();
            Some(start)
        })
        .collect();
    let rows = starts.into_iter().enumerate().map(move |(place, start)| {
        // The rows are held as long as this lives.
        let missing = || DataFusionError::Internal("a batch is gone".to_owned());
        let batch = held.batches.get(place).ok_or_else(missing)?;
        calibrated(batch, start, weight, &fitted, &schema)
    });
    Ok(futures::stream::iter(rows).boxed())
}

/// The rows of a table of totals: texts and a number.
async fn totals(call: &Call, argument: &str, mut table: SendableRecordBatchStream) -> Df<Vec<(Vec<String>, f64)>> {
    let mut all = Vec::new();
    while let Some(batch) = table.next().await {
        let batch = batch?;
        let Some((total, names)) = batch.columns().split_last() else { continue };
        let total = doubles(total)?;
        let names = names.iter().map(|n| texts(n)).collect::<Df<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            if total.is_null(row) || names.iter().any(|n| n.is_null(row)) {
                return Err(call.refused(format!("takes no NULL in its table `{argument}`")).into());
            }
            all.push((names.iter().map(|n| n.value(row).to_owned()).collect(), total.value(row)));
        }
        if all.len() > Constraints::MOST {
            let limit = Constraints::MOST;
            return Err(call.refused(format!("takes at most {limit} rows in its table `{argument}`")).into());
        }
    }
    Ok(all)
}

/// Takes the households into the sample.
struct Reader {
    sample: Sample,
    weight: usize,
    /// Margins with the place of their column.
    margins: Vec<(Margin, usize)>,
    variables: Vec<usize>,
}

impl Reader {
    fn new(call: &Call, constraints: &Constraints, weight: usize, survey: &Schema) -> Result<Self> {
        let place = |name: &str| call.place(name, "survey", survey);
        let mut margins = Vec::new();
        for margin in constraints.margins() {
            margins.push((margin.clone(), place(&margin.name)?));
        }
        let mut variables = Vec::new();
        for variable in constraints.variables() {
            let place = place(variable)?;
            call.numeric(place, survey)?;
            variables.push(place);
        }
        Ok(Self { sample: Sample::new(constraints), weight, margins, variables })
    }

    /// Reads a batch; returns the bytes held by now.
    fn read(&mut self, call: &Call, batch: &RecordBatch) -> Df<usize> {
        let weights = doubles(column(batch, self.weight)?)?;
        let counts: Vec<bool> = values(&weights).map(|w| w.is_some_and(|w| w != 0.0)).collect();
        let mut categories: Vec<Vec<u32>> = Vec::new();
        for (margin, place) in &self.margins {
            let column = column(batch, *place)?;
            let floats = column.data_type().is_floating();
            categories.push(places(call, margin, &texts(column)?, &counts, floats)?);
        }
        let mut numbers: Vec<Float64Array> = Vec::new();
        for place in &self.variables {
            let all = doubles(column(batch, *place)?)?;
            let name = batch.schema_ref().field(*place).name().clone();
            finite(call, &name, &all, &counts)?;
            numbers.push(all);
        }
        let (mut of, mut xs) = (Vec::new(), Vec::new());
        for (row, weight) in values(&weights).enumerate() {
            of.clear();
            of.extend(categories.iter().filter_map(|c| c.get(row)));
            xs.clear();
            xs.extend(numbers.iter().map(|n| n.value(row)));
            self.sample.push(weight, &of, &xs).map_err(|e| call.refused(e))?;
        }
        Ok(self.sample.size())
    }
}

/// The category of each row as the number of its constraint; of rows that do not count anything.
///
/// Of doubles, as Stata's files have them for codes, `1.0` is also category `1`.
fn places(call: &Call, margin: &Margin, categories: &StringArray, counts: &[bool], floats: bool) -> Df<Vec<u32>> {
    let whole = |category: &str| margin.place(category.strip_suffix(".0").filter(|_| floats)?);
    let mut all = Vec::with_capacity(counts.len());
    let mut last: Option<(&str, u32)> = None;
    for (category, counts) in categories.iter().zip(counts) {
        let known = match (category, last) {
            (_, _) if !counts => Some(0),
            (Some(category), Some((before, place))) if category == before => Some(place),
            (Some(category), _) => margin.place(category).or_else(|| whole(category)),
            (None, _) => None,
        };
        let Some(place) = known else {
            let what = match category {
                Some(category) => format!("has a household of category `{category}`"),
                None => "has a household with NULL".to_owned(),
            };
            let name = &margin.name;
            return Err(call
                .refused(format!("{what} in column `{name}`, and no total for it in `margins`"))
                .with_hint("give it a total, or leave such households out")
                .into());
        };
        if let (Some(category), true) = (category, counts) {
            last = Some((category, place));
        }
        all.push(place);
    }
    Ok(all)
}

fn finite(call: &Call, name: &str, numbers: &Float64Array, counts: &[bool]) -> Df<()> {
    for (number, counts) in values(numbers).zip(counts) {
        if *counts && !number.is_some_and(f64::is_finite) {
            let what = number.map_or_else(|| "NULL".to_owned(), |n| n.to_string());
            return Err(call
                .refused(format!("has a household with {what} in column `{name}`, of which a total is asked for"))
                .with_hint("leave such households out, or say what they have: `coalesce(…, 0)`")
                .into());
        }
    }
    Ok(())
}

/// A batch of the survey with its new weights.
fn calibrated(
    batch: &RecordBatch,
    start: usize,
    weight: usize,
    fitted: &Fitted,
    schema: &SchemaRef,
) -> Df<RecordBatch> {
    let weights = doubles(column(batch, weight)?)?;
    let g: Vec<Option<f64>> = (start..start + batch.num_rows()).map(|row| fitted.g(row)).collect();
    let new = values(&weights).zip(&g).map(|(w, g)| w.map(|w| w * g.unwrap_or(1.0)));
    let added = [optional(g.iter().copied()), optional(new)];
    let columns = batch.columns().iter().map(Arc::clone).chain(added).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn reported(fitted: &Fitted, schema: SchemaRef) -> Df<RecordBatch> {
    let rows = fitted.constraints.len();
    let of = |value: fn(&(_, f64, f64, f64)) -> f64| {
        let values =
            fitted.constraints.iter().map(|(c, before, after, lambda)| value(&(c.total, *before, *after, *lambda)));
        Arc::new(values.collect::<Float64Array>())
    };
    let same = |value: f64| Arc::new(Float64Array::from(vec![value; rows]));
    let names = fitted.constraints.iter().map(|(c, ..)| Some(c.name.as_str()));
    let categories = fitted.constraints.iter().map(|(c, ..)| c.category.as_deref());
    let iterations = i64::try_from(fitted.iterations).unwrap_or(i64::MAX);
    let (smallest, largest) = fitted.range;
    let columns: Vec<Arc<dyn Array>> = vec![
        Arc::new(names.collect::<StringArray>()),
        Arc::new(categories.collect::<StringArray>()),
        of(|c| c.0),
        of(|c| c.1),
        of(|c| c.2),
        of(|c| c.3),
        same(smallest),
        same(largest),
        same(fitted.design_effect),
        Arc::new(Int64Array::from(vec![iterations; rows])),
    ];
    Ok(RecordBatch::try_new(schema, columns)?)
}
