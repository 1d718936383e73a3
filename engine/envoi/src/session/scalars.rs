//! Functions of PostgreSQL that the engine below does not have.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use md5::{Digest, Md5};

use crate::error::Error;

/// The functions.
pub(super) fn functions() -> [ScalarUDF; 2] {
    let of = |name, types: &[DataType], returned, compute| {
        let signature = Signature::exact(types.to_vec(), Volatility::Immutable);
        ScalarUDF::new_from_impl(Scalar { name, signature, returned, compute })
    };
    let (text, float, whole) = (DataType::Utf8, DataType::Float64, DataType::Int64);
    [
        of("md5", std::slice::from_ref(&text), text.clone(), md5),
        of("width_bucket", &[float.clone(), float.clone(), float, whole.clone()], whole, width_bucket),
    ]
}

/// NULL where an argument is.
#[derive(Debug)]
struct Scalar {
    name: &'static str,
    signature: Signature,
    returned: DataType,
    compute: fn(&[ArrayRef]) -> Result<ArrayRef>,
}

/// The name says which function it is.
impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Scalar {}

impl std::hash::Hash for Scalar {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returned.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let arrays = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let values = (self.compute)(&arrays)?;
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?)
        } else {
            ColumnarValue::Array(values)
        })
    }
}

/// The MD5 of a text (RFC 1321), as 32 digits of base 16: what makes keys of several columns.
fn md5(args: &[ArrayRef]) -> Result<ArrayRef> {
    let [texts] = args else { return exec_err!("`md5` takes one text") };
    let hex = |text: &str| {
        let digest = Md5::digest(text.as_bytes());
        digest.iter().fold(String::with_capacity(32), |mut hex, byte| {
            // A String takes all that is written to it.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    let texts = texts.as_string::<i32>();
    Ok(Arc::new(texts.iter().map(|text| text.map(hex)).collect::<StringArray>()))
}

/// The number, from 1, of the bucket of equal width that a value is in; 0 and one more than there are beyond the ends.
/// The upper end belongs to the bucket above; the ends may be the wrong way round.
fn width_bucket(args: &[ArrayRef]) -> Result<ArrayRef> {
    let [values, lows, highs, counts] = args else { return exec_err!("`width_bucket` takes four numbers") };
    let wrong = |what: String| Error::user(what).with_state("2201G");
    let [values, lows, highs] = [values, lows, highs].map(|a| a.as_primitive::<Float64Type>());
    let counts = counts.as_primitive::<Int64Type>();
    let bucket = |row: usize| -> Result<Option<i64>> {
        if [values, lows, highs].iter().any(|a| a.is_null(row)) || counts.is_null(row) {
            return Ok(None);
        }
        let (value, low, high, count) = (values.value(row), lows.value(row), highs.value(row), counts.value(row));
        if count <= 0 {
            return Err(wrong(format!("`width_bucket` got {count} buckets; expected 1 or more")).into());
        }
        if value.is_nan() || !low.is_finite() || !high.is_finite() || low == high {
            let got = format!("`width_bucket` got {value} between {low} and {high}");
            return Err(wrong(format!("{got}; expected a number, and two finite ends that differ")).into());
        }
        let inside = (value - low) / (high - low);
        Ok(Some(match inside {
            inside if inside < 0.0 => 0,
            inside if inside >= 1.0 => count.saturating_add(1),
            inside => (inside * count as f64) as i64 + 1,
        }))
    };
    Ok(Arc::new((0..values.len()).map(bucket).collect::<Result<Int64Array>>()?))
}
