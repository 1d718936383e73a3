//! One sort key made of many columns.
//!
//! A plan keeps account of what it is sorted by, and looks through it again and again: sorted by two thousand columns
//! it takes a hundred times as long to plan as by two hundred. As one key they cost as much as one.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// Sorts as its arguments do one after the other, ascending and NULL first.
#[derive(Debug, PartialEq, Eq, Hash)]
struct RowOrder {
    signature: Signature,
}

/// The key of these columns.
pub(super) fn row_order(columns: Vec<Expr>) -> Expr {
    let signature = Signature::variadic_any(Volatility::Immutable);
    ScalarUDF::new_from_impl(RowOrder { signature }).call(columns)
}

impl ScalarUDFImpl for RowOrder {
    fn name(&self) -> &str {
        "row_order"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType, DataFusionError> {
        Ok(DataType::Binary)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue, DataFusionError> {
        let rows = args.number_rows;
        let columns: Vec<ArrayRef> =
            args.args.into_iter().map(|value| value.into_array(rows)).collect::<Result<_, _>>()?;
        let options = SortOptions { descending: false, nulls_first: true };
        let field = |column: &ArrayRef| SortField::new_with_options(column.data_type().clone(), options);
        let converter = RowConverter::new(columns.iter().map(field).collect())?;
        let keys = converter.convert_columns(&columns)?.try_into_binary()?;
        Ok(ColumnarValue::Array(std::sync::Arc::new(keys)))
    }
}
