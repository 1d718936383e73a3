//! `remit_oda_ratio`: remittances over official development assistance.

use std::sync::Arc;

use arrow::array::Float64Array;
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion_macros::user_doc;

/// R / A of METHODS A1: NULL when either is NULL or A <= 0.
#[user_doc(
    doc_section(label = "Remittances and aid"),
    description = "Remittances received divided by official development assistance received. NULL when either is NULL or when ODA is zero or negative (repayments exceed grants): a ratio would mislead. NaN and infinities are errors.",
    syntax_example = "remit_oda_ratio(remittance_usd, oda_usd)",
    sql_example = "```sql\n> select remit_oda_ratio(626.0, 161.0), remit_oda_ratio(5.0, -1.0);\n3.888198757763975, NULL\n```",
    argument(
        name = "remittance_usd",
        description = "Personal remittances received (balance of payments, BPM6), in the unit of oda_usd."
    ),
    argument(
        name = "oda_usd",
        description = "Net ODA received (DAC2A measure 206, or WDI DT.ODA.ALLD.CD) of the same economy and year."
    )
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct RemitOdaRatio {
    signature: Signature,
}

impl RemitOdaRatio {
    pub(crate) fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Float64, DataType::Float64], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for RemitOdaRatio {
    fn name(&self) -> &str {
        "remit_oda_ratio"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (remittance, oda) = super::pair(self.name(), &args.args)?;
        let ratio: Float64Array = remittance.iter().zip(&oda).map(|(r, a)| ratio(r?, a?)).collect();
        super::shaped(&args.args, Arc::new(ratio))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn ratio(remittance: f64, oda: f64) -> Option<f64> {
    (oda > 0.0).then(|| remittance / oda)
}

#[cfg(test)]
mod tests {
    use super::ratio;

    #[test]
    fn no_ratio_to_nothing_or_less() {
        assert_eq!(ratio(3.0, 2.0), Some(1.5));
        assert_eq!(ratio(0.0, 2.0), Some(0.0));
        assert_eq!(ratio(3.0, 0.0), None);
        assert_eq!(ratio(3.0, -2.0), None);
    }
}
