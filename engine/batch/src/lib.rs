//! Batch: models in dependency order, published whole, run on time.

pub mod history;
pub mod lineage;
pub mod metrics;
pub mod notify;
pub mod record;
pub mod schedule;
