//! One value as text, the same in every textual format.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{ArrowPrimitiveType, DataType, FieldRef, Float32Type, Float64Type};
use arrow::error::ArrowError;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// For people, `2023-01-01 12:00:00`; for programs, ISO 8601 with the `T`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Person,
    Program,
}

/// Options of one batch's cells; outlives them.
pub(crate) struct CellOptions {
    text: FormatOptions<'static>,
    json: EncoderOptions,
}

impl CellOptions {
    pub(crate) fn new(reader: Reader) -> Self {
        let text = FormatOptions::default().with_display_error(false);
        let text = match reader {
            Reader::Program => text,
            Reader::Person => text
                .with_datetime_format(Some("%Y-%m-%d %H:%M:%S%.f"))
                .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
                .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f%:z")),
        };
        Self {
            text,
            json: EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(Arc::new(PlainFloats)),
        }
    }

    /// The columns of `batch`, ready to be read row by row.
    pub(crate) fn columns<'a>(&'a self, batch: &'a RecordBatch) -> Result<Vec<Column<'a>>, ArrowError> {
        let schema = batch.schema_ref();
        schema.fields().iter().zip(batch.columns()).map(|(field, array)| self.column(field, array)).collect()
    }

    fn column<'a>(&'a self, field: &'a FieldRef, array: &'a ArrayRef) -> Result<Column<'a>, ArrowError> {
        let nested = array.data_type().is_nested();
        let json = if nested { make_encoder(field, array.as_ref(), &self.json).ok() } else { None };
        let values = match (array.data_type(), json) {
            (_, Some(encoder)) => Values::Json(encoder),
            (DataType::Float64, _) => Values::Float64,
            (DataType::Float32, _) => Values::Float32,
            _ => Values::Text(ArrayFormatter::try_new(array.as_ref(), &self.text)?),
        };
        Ok(Column { array, nulls: array.logical_nulls(), values })
    }
}

/// One column of one batch.
pub(crate) struct Column<'a> {
    array: &'a ArrayRef,
    nulls: Option<arrow::buffer::NullBuffer>,
    values: Values<'a>,
}

enum Values<'a> {
    Float64,
    Float32,
    Text(ArrayFormatter<'a>),
    /// Lists, structs and maps, as JSON.
    Json(NullableEncoder<'a>),
}

impl Column<'_> {
    /// Whether the value is NULL.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the value's text; nothing for NULL.
    pub(crate) fn write(&mut self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        if self.is_null(row) {
            return Ok(());
        }
        match &mut self.values {
            Values::Float64 => write_float(self.array.as_primitive::<Float64Type>().value(row), out),
            Values::Float32 => write_float(self.array.as_primitive::<Float32Type>().value(row), out),
            Values::Text(formatter) => formatter.value(row).write(out)?,
            Values::Json(encoder) => {
                let mut bytes = Vec::new();
                encoder.encode(row, &mut bytes);
                out.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
        Ok(())
    }
}

/// The shortest text that reads back as the same number; an exponent only
/// outside the range people write out.
fn write_float<T: Copy + Into<f64> + std::fmt::Display + std::fmt::LowerExp>(value: T, out: &mut String) {
    let wide: f64 = value.into();
    let magnitude = wide.abs();
    // Writing to a String cannot fail.
    let _ = if wide.is_nan() {
        write!(out, "NaN")
    } else if wide.is_infinite() {
        write!(out, "{}Infinity", if wide < 0.0 { "-" } else { "" })
    } else if magnitude == 0.0 || (1e-5..1e16).contains(&magnitude) {
        write!(out, "{value}")
    } else {
        write!(out, "{value:e}")
    };
}

/// Floats in JSON as everywhere else: arrow's own writer gives a remittance of
/// 52 billion as `5.2595343e10`. NaN and infinities become `null`.
#[derive(Debug)]
pub(super) struct PlainFloats;

impl EncoderFactory for PlainFloats {
    fn make_default_encoder<'a>(
        &self,
        _field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Float64 => Box::new(FloatEncoder(array.as_primitive::<Float64Type>())),
            DataType::Float32 => Box::new(FloatEncoder(array.as_primitive::<Float32Type>())),
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

struct FloatEncoder<'a, T: ArrowPrimitiveType>(&'a PrimitiveArray<T>);

impl<T: ArrowPrimitiveType> Encoder for FloatEncoder<'_, T>
where
    T::Native: Into<f64> + std::fmt::Display + std::fmt::LowerExp,
{
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let value = self.0.value(row);
        if Into::<f64>::into(value).is_finite() {
            let mut text = String::new();
            write_float(value, &mut text);
            out.extend_from_slice(text.as_bytes());
        } else {
            out.extend_from_slice(b"null");
        }
    }
}

/// Whether values read best aligned to the right.
pub(crate) fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => value.is_numeric(),
        other => other.is_numeric(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_read_back() {
        for (value, expected) in [
            (66_239_490_000.0, "66239490000"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-7, "1e-7"),
            (1.5e300, "1.5e300"),
            (-0.0, "-0"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            let mut out = String::new();
            write_float(value, &mut out);
            assert_eq!(out, expected);
            assert_eq!(out.parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }
}
