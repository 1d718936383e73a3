//! `remit_exceeds_oda`: do remittances exceed official development assistance?

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion_macros::user_doc;

/// R > A of METHODS A1: true when A <= 0 and R > 0, NULL if either is NULL.
#[user_doc(
    doc_section(label = "Remittances and aid"),
    description = "True if remittances received exceed official development assistance received. NULL when either is NULL. Negative ODA (repayments exceed grants) is exceeded by any positive remittance. NaN and infinities are errors.",
    syntax_example = "remit_exceeds_oda(remittance_usd, oda_usd)",
    sql_example = "```sql\n> select remit_exceeds_oda(626.0, 161.0), remit_exceeds_oda(5.0, -1.0), remit_exceeds_oda(5.0, null);\ntrue, true, NULL\n```",
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
pub(crate) struct RemitExceedsOda {
    signature: Signature,
}

impl RemitExceedsOda {
    pub(crate) fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Float64, DataType::Float64], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for RemitExceedsOda {
    fn name(&self) -> &str {
        "remit_exceeds_oda"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (remittance, oda) = super::pair(self.name(), &args.args)?;
        let exceeds: BooleanArray = remittance.iter().zip(&oda).map(|(r, a)| Some(exceeds(r?, a?))).collect();
        super::shaped(&args.args, Arc::new(exceeds))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// With A <= 0 only money that was received exceeds it: R of exactly 0 may mean "not reported".
fn exceeds(remittance: f64, oda: f64) -> bool {
    remittance > oda && (oda > 0.0 || remittance > 0.0)
}

#[cfg(test)]
mod tests {
    use super::exceeds;

    #[test]
    fn negative_aid_is_exceeded_by_money_only() {
        assert!(exceeds(2.0, 1.0));
        assert!(!exceeds(1.0, 1.0));
        assert!(exceeds(0.1, 0.0));
        assert!(exceeds(0.1, -5.0));
        assert!(!exceeds(0.0, -5.0));
    }
}
