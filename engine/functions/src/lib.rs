//! Measures of flows as SQL functions: no I/O, no session, no clock.
//!
//! ```
//! let names: Vec<_> = envoi_functions::all_scalars().iter().map(|f| f.name().to_owned()).collect();
//! assert!(names.contains(&"remit_oda_ratio".to_owned()));
//! ```

mod scalar;

use std::sync::Arc;

use datafusion_expr::ScalarUDF;

/// Every scalar function. The reference is generated from this list.
pub fn all_scalars() -> Vec<Arc<ScalarUDF>> {
    vec![
        Arc::new(ScalarUDF::from(scalar::RemitOdaRatio::new())),
        Arc::new(ScalarUDF::from(scalar::RemitExceedsOda::new())),
    ]
}
