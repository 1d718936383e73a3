//! Batch: models in dependency order, published whole, run on time.

pub mod record;
pub mod schedule;
