//! PostgreSQL's values from and to Arrow.
//!
//! Out: a column is planned once per statement ([`types`]), bound to its Arrow array once per
//! batch ([`column`]) and then read row by row, as text ([`text`]) or binary ([`binary`]),
//! straight into the connection's buffer ([`rows`], [`copy`]). In: [`decode`].

mod array;
mod binary;
mod column;
mod copy;
mod decode;
mod decode_array;
mod decode_interval;
mod decode_number;
mod decode_time;
mod json;
mod leaf;
mod numeric;
mod rows;
mod text;
mod types;

#[cfg(test)]
mod tests;

use envoi::text::{float, interval, number, out, style, time};

pub(crate) use copy::{CopyEncoder, CopyFormat, CopyOptions, ForceQuote};
pub(crate) use decode::decode;
pub(crate) use envoi::text::style::{Bytea, DateOrder, DateStyle, IntervalStyle, Style, TimeZone};
pub(crate) use rows::RowEncoder;
pub(crate) use types::{arrow_type, oid_of, type_of};

/// How a value crosses the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Binary,
}
