//! `relative`: a poverty line that follows the distribution.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, StringViewArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Float64Type};
use datafusion_common::{Result, exec_err};
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion_macros::user_doc;

/// What a line may be relative to.
const STATISTICS: [&str; 2] = ["median", "mean"];

#[user_doc(
    doc_section(label = "Poverty"),
    description = "A poverty line relative to the distribution it is applied to, for the argument `line` of the poverty measures: a share of the weighted median or mean of the group's own values. With `group by region` every region has a line of its own; for one line of the whole country compute it first and give it as a number or a column.",
    syntax_example = "relative(share, statistic)",
    sql_example = "```sql\n> select fgt(y, relative(0.6, 'median'), 0) from (values (1.0), (4.0), (5.0)) as t(y);\n0.3333333333333333\n```",
    argument(name = "share", description = "Share of the statistic, greater than 0: 0.6 in the European Union."),
    argument(
        name = "statistic",
        description = "'median' (the smallest value at which half of the weight is reached) or 'mean'."
    )
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Relative {
    signature: Signature,
}

impl Relative {
    pub(crate) fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Float64, DataType::Utf8View], Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    Fields::from(vec![Field::new("share", DataType::Float64, true), Field::new("statistic", DataType::Utf8View, true)])
}

impl ScalarUDFImpl for Relative {
    fn name(&self) -> &str {
        "relative"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [shares, statistics] = arrays.as_slice() else {
            return exec_err!("`relative` takes a share and a statistic");
        };
        let (shares, statistics) = (shares.as_primitive::<Float64Type>(), statistics.as_string_view());
        for (share, statistic) in shares.iter().zip(statistics) {
            line(share, statistic)?;
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(shares.iter().collect::<Float64Array>()),
            Arc::new(statistics.iter().collect::<StringViewArray>()),
        ];
        super::shaped(&args.args, Arc::new(StructArray::try_new(fields(), columns, None)?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn line(share: Option<f64>, statistic: Option<&str>) -> Result<()> {
    let shown = share.map_or_else(|| "NULL".to_owned(), |s| s.to_string());
    if !share.is_some_and(|s| s.is_finite() && s > 0.0) {
        return exec_err!("`relative` got {shown} as `share`; expected a number greater than 0");
    }
    match statistic {
        Some(name) if STATISTICS.contains(&name) => Ok(()),
        Some(name) => exec_err!("`relative` got '{name}' as `statistic`; expected 'median' or 'mean'"),
        None => exec_err!("`relative` got NULL as `statistic`; expected 'median' or 'mean'"),
    }
}
