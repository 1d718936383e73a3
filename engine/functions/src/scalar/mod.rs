//! Functions of one row.

mod adult_equiv;
mod hp_filter;
mod numeric;
mod relative;
mod remit_exceeds_oda;
mod remit_oda_ratio;
mod svy_replicate;

pub(crate) use adult_equiv::AdultEquiv;
pub(crate) use hp_filter::HpFilter;
pub(crate) use numeric::all as numeric;
pub(crate) use relative::Relative;
pub(crate) use remit_exceeds_oda::RemitExceedsOda;
pub(crate) use remit_oda_ratio::RemitOdaRatio;
pub(crate) use svy_replicate::SvyReplicate;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::Float64Type;
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::ColumnarValue;

/// Remittances and ODA as two columns of one length; a lone value is repeated.
fn pair(name: &str, arguments: &[ColumnarValue]) -> Result<(Float64Array, Float64Array)> {
    let arrays = ColumnarValue::values_to_arrays(arguments)?;
    let [remittance, oda] = arrays.as_slice() else {
        return exec_err!("`{name}` takes two numbers: remittances and ODA in the same unit");
    };
    Ok((numbers(name, remittance)?, numbers(name, oda)?))
}

/// NaN and infinities are no amounts of money: an error naming the function.
fn numbers(name: &str, array: &ArrayRef) -> Result<Float64Array> {
    let values = array.as_primitive::<Float64Type>().clone();
    match values.iter().flatten().find(|v| !v.is_finite()) {
        Some(value) => exec_err!("`{name}` got {value}; expected finite numbers or NULL"),
        None => Ok(values),
    }
}

/// One value if all arguments were single values, so that constants stay constants.
pub(crate) fn shaped(arguments: &[ColumnarValue], result: ArrayRef) -> Result<ColumnarValue> {
    if arguments.iter().all(|a| matches!(a, ColumnarValue::Scalar(_))) {
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
    }
    Ok(ColumnarValue::Array(result))
}
