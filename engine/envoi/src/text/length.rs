//! How long intervals are, where the engine below compares months, then days, then the rest.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, Decimal128Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNanoType, IntervalUnit};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// The length of an interval in nanoseconds, a month of 30 days and a day of 24 hours, as PostgreSQL compares them.
pub(crate) fn length(expr: Expr) -> Expr {
    ScalarUDF::new_from_impl(Length { signature: Signature::any(1, Volatility::Immutable) }).call(vec![expr])
}

/// Called as what it takes: a comparison has the names of its sides.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Length {
    signature: Signature,
}

impl ScalarUDFImpl for Length {
    fn name(&self) -> &'static str {
        "interval_length"
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        Ok(args.iter().map(ToString::to_string).collect())
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        Ok(args.iter().map(|e| e.schema_name().to_string()).collect())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Decimal128(38, 0))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        const DAY: i128 = 86_400_000_000_000;
        let [interval] = args.args.as_slice() else { return exec_err!("one interval has a length") };
        let constant = matches!(interval, ColumnarValue::Scalar(_));
        let intervals = interval.to_array(if constant { 1 } else { args.number_rows })?;
        let intervals = cast(&intervals, &DataType::Interval(IntervalUnit::MonthDayNano))?;
        let lengths = intervals.as_primitive::<IntervalMonthDayNanoType>().iter().map(|interval| {
            interval.map(|i| (i128::from(i.months) * 30 + i128::from(i.days)) * DAY + i128::from(i.nanoseconds))
        });
        let lengths = lengths.collect::<Decimal128Array>().with_precision_and_scale(38, 0)?;
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&lengths, 0)?)
        } else {
            ColumnarValue::Array(Arc::new(lengths))
        })
    }
}
