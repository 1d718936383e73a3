//! `hp_filter` and `hp_cycle`: the filter of Hodrick and Prescott over a list.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, Float64Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Float64Type};
use datafusion_common::{Result, exec_err};
use datafusion_doc::{DocSection, Documentation};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility};

use crate::hodrick_prescott::trend;

/// Both functions.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct HpFilter {
    name: &'static str,
    cycle: bool,
    signature: Signature,
    documentation: Documentation,
}

impl HpFilter {
    /// The trend and the cycle.
    pub(crate) fn all() -> [Self; 2] {
        [
            Self::new(
                "hp_filter",
                false,
                "Trend of a series by the filter of Hodrick and Prescott (1997), two-sided: a list as long as the given one, in \
                 its unit. The usual `lambda` is 6.25 for years (Ravn and Uhlig 2002; 100 is used too) and 1600 for quarters; \
                 larger is smoother. NULLs at either end stay NULL. A NULL between values is a gap, which the filter does not \
                 know: the answer is NULL unless `interpolate` is true, which puts values on a line between the neighbours. NaN \
                 and infinities are errors. Take logarithms first where growth is meant.",
                "> select hp_filter([1.0, 2.0, 4.0, 7.0], 0);\n[1.0, 2.0, 4.0, 7.0]",
            ),
            Self::new(
                "hp_cycle",
                true,
                "Cycle of a series: the series less its trend by `hp_filter`, with the same arguments and rules.",
                "> select hp_cycle([1.0, 2.0, 4.0, 7.0], 0);\n[0.0, 0.0, 0.0, 0.0]",
            ),
        ]
    }

    fn new(name: &'static str, cycle: bool, description: &str, example: &str) -> Self {
        let list = DataType::new_list(DataType::Float64, true);
        let signature = Signature::one_of(
            vec![
                TypeSignature::Exact(vec![list.clone(), DataType::Float64]),
                TypeSignature::Exact(vec![list, DataType::Float64, DataType::Boolean]),
            ],
            Volatility::Immutable,
        );
        let section = DocSection { include: true, label: "Series", description: None };
        let documentation =
            Documentation::builder(section, description, format!("{name}(values, lambda [, interpolate])"))
                .with_sql_example(format!("```sql\n{example}\n```"))
                .with_argument("values", "The series in the order of time, as a list: `array_agg(v order by year)`.")
                .with_argument("lambda", "Smoothing, 0 or more.")
                .with_argument("interpolate", "Whether to fill gaps on a line.")
                .build();
        Self { name, cycle, signature, documentation }
    }

    fn filtered(&self, series: &Float64Array, lambda: f64, interpolate: bool) -> Result<Option<Vec<Option<f64>>>> {
        if let Some(value) = series.iter().flatten().find(|v| !v.is_finite()) {
            return exec_err!("`{}` got {value} in `values`; expected finite numbers or NULL", self.name);
        }
        let mut known = (0..series.len()).filter(|i| series.is_valid(*i));
        let Some(begin) = known.next() else { return Ok(Some(vec![None; series.len()])) };
        let end = known.next_back().unwrap_or(begin);
        let inner: Vec<Option<f64>> = series.slice(begin, end - begin + 1).iter().collect();
        if inner.contains(&None) && !interpolate {
            return Ok(None);
        }
        let inner = fill(&inner);
        let trend = trend(&inner, lambda);
        let mut out = vec![None; series.len()];
        for (slot, (value, trend)) in out.iter_mut().skip(begin).zip(inner.into_iter().zip(trend)) {
            *slot = Some(if self.cycle { value - trend } else { trend });
        }
        Ok(Some(out))
    }
}

/// Puts gaps on a line between their neighbours; both ends are known.
fn fill(series: &[Option<f64>]) -> Vec<f64> {
    let mut filled: Vec<f64> = Vec::with_capacity(series.len());
    let mut last = 0.0;
    for (at, value) in series.iter().enumerate() {
        if let Some(value) = value {
            let gap = at - filled.len();
            let step = (value - last) / (gap + 1) as f64;
            (1..=gap).for_each(|n| filled.push(last + step * n as f64));
            filled.push(*value);
            last = *value;
        }
    }
    filled
}

impl ScalarUDFImpl for HpFilter {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::new_list(DataType::Float64, true))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (Some(lists), Some(lambdas)) = (
            arrays.first().and_then(|a| a.as_list_opt::<i32>()),
            arrays.get(1).and_then(|a| a.as_primitive_opt::<Float64Type>()),
        ) else {
            return exec_err!("`{}` takes a list of numbers and a number", self.name);
        };
        let fills: Option<&BooleanArray> = arrays.get(2).and_then(|a| a.as_boolean_opt());
        let (mut values, mut ends, mut valid) = (Vec::new(), vec![0i32], Vec::new());
        for row in 0..lists.len() {
            let lambda = lambdas.is_valid(row).then(|| lambdas.value(row));
            if let Some(lambda) = lambda.filter(|l| !(l.is_finite() && *l >= 0.0)) {
                return exec_err!("`{}` got {lambda} as `lambda`; expected a number of 0 or more", self.name);
            }
            let interpolate = fills.is_some_and(|f| f.is_valid(row) && f.value(row));
            let filtered = match lambda.filter(|_| lists.is_valid(row)) {
                Some(lambda) => self.filtered(lists.value(row).as_primitive(), lambda, interpolate)?,
                None => None,
            };
            valid.push(filtered.is_some());
            values.extend(filtered.unwrap_or_default());
            // No longer than the list that came in, whose offsets are 32 bits wide too.
            ends.push(values.len() as i32);
        }
        let field = Arc::new(Field::new_list_field(DataType::Float64, true));
        let offsets = OffsetBuffer::new(ends.into());
        let values = Arc::new(Float64Array::from(values));
        let nulls = Some(NullBuffer::from(valid)).filter(|n| n.null_count() > 0);
        super::shaped(&args.args, Arc::new(ListArray::try_new(field, offsets, values, nulls)?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
