//! The probability of being treated, for the rows of a call.

use datafusion_common::{Result, exec_err};

use super::data::{Columns, Data};
use crate::aggregate::frame::Rows;
pub(super) use crate::propensity::Logit as Propensity;
use crate::propensity::{Sample, Unlikely};

/// Fits the logit. Covariates are around their means. `None` with fewer rows than coefficients.
pub(super) fn fit(columns: &Columns, rows: &Rows<'_>, data: &Data) -> Result<Option<Propensity>> {
    let weights: Vec<f64> = (0..rows.len()).map(|row| rows.weight(row)).collect();
    let names = columns.names();
    let sample = Sample { names: &names, covariates: data.all(), weights: &weights, treated: &data.treated };
    match sample.fit() {
        Ok(fit) => Ok(Some(fit)),
        Err(Unlikely::Unfit(unfit)) => columns.unfit(unfit),
        Err(other) => exec_err!("`{}` {other}", columns.function),
    }
}
