//! Casts to text: `5::float8::text` is `5`, where the engine below writes `5.0`.

use std::sync::Arc;

use bytes::BytesMut;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, DurationMicrosecondType, Field, FieldRef, Float32Type, Float64Type, IntervalMonthDayNanoType,
    IntervalUnit, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::interval::Span;
use super::out::Out;
use super::style::{IntervalStyle, Style};
use super::{float, time};

/// Whether a value of a type is written another way than the engine below writes it.
pub(crate) fn is_written(of: &DataType) -> bool {
    matches!(
        of,
        DataType::Float32
            | DataType::Float64
            | DataType::Timestamp(..)
            | DataType::Interval(IntervalUnit::MonthDayNano)
            | DataType::Duration(_)
    )
}

/// A value as its text.
pub(crate) fn written(expr: Expr) -> Expr {
    ScalarUDF::new_from_impl(Written { signature: Signature::any(1, Volatility::Immutable) }).call(vec![expr])
}

/// Called as what it takes, since a cast is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Written {
    signature: Signature,
}

impl ScalarUDFImpl for Written {
    fn name(&self) -> &'static str {
        "written"
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
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), DataType::Utf8, args.arg_fields.iter().any(|f| f.is_nullable()))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = args.args.as_slice() else { return exec_err!("one value is written") };
        let constant = matches!(value, ColumnarValue::Scalar(_));
        let texts = texts(&value.to_array(if constant { 1 } else { args.number_rows })?)?;
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&texts, 0)?)
        } else {
            ColumnarValue::Array(Arc::new(texts))
        })
    }
}

fn texts(values: &ArrayRef) -> Result<StringArray> {
    let style = Style::default();
    match values.data_type() {
        DataType::Float64 => {
            let values = values.as_primitive::<Float64Type>();
            Ok(each(values, |row, out| float::float8(values.value(row), style.extra_float_digits, out)))
        }
        DataType::Float32 => {
            let values = values.as_primitive::<Float32Type>();
            Ok(each(values, |row, out| float::float4(values.value(row), style.extra_float_digits, out)))
        }
        DataType::Timestamp(_, zone) => {
            let micros = cast(values, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
            let micros = micros.as_primitive::<TimestampMicrosecondType>();
            Ok(each(micros, |row, out| time::timestamp(micros.value(row), zone.is_some(), &style, out)))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let values = values.as_primitive::<IntervalMonthDayNanoType>();
            Ok(each(values, |row, out| {
                let value = values.value(row);
                let span = Span { months: value.months, days: value.days, micros: value.nanoseconds / 1000 };
                span.text(IntervalStyle::Postgres, out);
            }))
        }
        DataType::Duration(_) => {
            let micros = cast(values, &DataType::Duration(TimeUnit::Microsecond))?;
            let micros = micros.as_primitive::<DurationMicrosecondType>();
            Ok(each(micros, |row, out| Span::of_micros(micros.value(row)).text(IntervalStyle::Postgres, out)))
        }
        other => exec_err!("{other} is written by the engine itself"),
    }
}

fn each(values: &dyn Array, write: impl Fn(usize, &mut Out<'_>)) -> StringArray {
    let mut texts = StringBuilder::with_capacity(values.len(), values.len() * 8);
    let mut buffer = BytesMut::new();
    for row in 0..values.len() {
        if values.is_null(row) {
            texts.append_null();
            continue;
        }
        buffer.clear();
        let mut out = Out::new(&mut buffer, 32);
        write(row, &mut out);
        texts.append_value(String::from_utf8_lossy(out.since(0)));
    }
    texts.finish()
}
