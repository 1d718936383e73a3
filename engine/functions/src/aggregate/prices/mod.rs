//! Measures of what it costs to send money.

mod smart;

use super::frame::Measure;

/// The measures of this family.
pub(super) const ALL: &[&Measure] = &[&smart::SMART_COST];
