//! Measures of bounded size: values are counted in buckets, rows are not kept.

mod accumulator;
mod counted;
mod gini;

use super::frame::Measure;
pub(super) use accumulator::{STATES, Sketch};
use gini::APPROX_GINI;

/// The measures of this family.
pub(super) const ALL: &[&Measure] = &[&APPROX_GINI];
