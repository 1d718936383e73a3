//! What all measures share: their definition, the rows they keep, and how DataFusion calls them.
//!
//! A measure is a static [`Measure`]: name, parameters, shape of its result, text for
//! users, and a function that makes its [`Kernel`] (needs all rows of a group, sorted)
//! or its [`Sums`] (needs only totals). Rows are kept as flat columns of doubles and
//! sorted before a kernel sees them, so an answer depends neither on the order of rows
//! nor on how they were split.

mod accumulator;
mod buckets;
mod constants;
mod groups;
mod intake;
mod lists;
mod measure;
mod rows;
mod sink;
mod sort;
mod sums;
mod sums_groups;
mod total;
mod udaf;

pub(crate) use constants::Given;
pub(crate) use intake::{FINITE, Intake, WEIGHT, check, name, passing};
pub(crate) use lists::{States, lists, lists_of, state_type, state_type_of, values_of};
pub(crate) use measure::{
    Kernel, Kind, Measure, Own, Parameter, Sums, Text, Work, constant, flag, number, option, weight,
};
pub(crate) use rows::Rows;
pub(crate) use sink::{Field, Shape, Sink};
pub(crate) use sort::{dedup, key, sort, value};
pub(crate) use total::{Total, total};
pub(crate) use udaf::udaf;

use datafusion_common::{Result, exec_err};
use std::fmt::Display;

/// The error for an argument that is not allowed.
pub(crate) fn refuse<T>(function: &str, argument: &str, value: impl Display, allowed: &str) -> Result<T> {
    exec_err!("`{function}` got {value} as `{argument}`; {allowed}")
}
