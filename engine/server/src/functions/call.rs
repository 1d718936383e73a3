//! A call of a function for one row.

use arrow::datatypes::FieldRef;

use crate::catalogue::{Cell, PG_TYPE, Snapshot};

/// A function: its name, what it returns, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) returns: Returns,
    /// Whether the answer is NULL when an argument is.
    pub(super) strict: bool,
    pub(super) body: fn(&Call<'_>) -> Answer,
}

/// Type of what a function returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Returns {
    Bool,
    Int4,
    Int8,
    Oid,
    Name,
    Text,
    Timestamp,
    Oids,
    Names,
    Texts,
    Integers,
    /// An array of records of a value, `x`, and its number, `n`.
    Numbered,
}

/// A value, or what is wrong.
pub(super) type Answer = Result<Cell, String>;

impl Definition {
    /// A function whose answer is NULL when an argument is.
    pub(super) const fn strict(name: &'static str, returns: Returns, body: fn(&Call<'_>) -> Answer) -> Self {
        Self { name, returns, strict: true, body }
    }

    /// A function that is called with NULL too.
    pub(super) const fn lenient(name: &'static str, returns: Returns, body: fn(&Call<'_>) -> Answer) -> Self {
        Self { name, returns, strict: false, body }
    }
}

/// The arguments of one row.
pub(super) struct Call<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) arguments: &'a [Cell],
    pub(super) fields: &'a [FieldRef],
}

impl Call<'_> {
    /// How many arguments there are.
    pub(super) fn count(&self) -> usize {
        self.arguments.len()
    }

    /// An argument; NULL where it is left out.
    pub(super) fn cell(&self, place: usize) -> &Cell {
        self.arguments.get(place).unwrap_or(&Cell::Null)
    }

    /// A text argument; `None` if it is NULL or no text.
    pub(super) fn text(&self, place: usize) -> Option<&str> {
        match self.cell(place) {
            Cell::Text(t) => Some(t),
            _ => None,
        }
    }

    /// A whole number, as such or as digits.
    pub(super) fn number(&self, place: usize) -> Option<i64> {
        match self.cell(place) {
            Cell::Int(i) => Some(*i),
            Cell::Text(t) => t.trim().parse().ok(),
            _ => None,
        }
    }

    /// An oid, as a number or as digits.
    pub(super) fn oid(&self, place: usize) -> Option<u32> {
        self.number(place).and_then(|n| u32::try_from(n).ok())
    }

    /// The elements of an array; `None` if it is NULL or none.
    pub(super) fn list(&self, place: usize) -> Option<&[Cell]> {
        match self.cell(place) {
            Cell::List(l) => Some(l),
            _ => None,
        }
    }

    /// The PostgreSQL type that an argument is said to have.
    pub(super) fn pg_type(&self, place: usize) -> Option<&str> {
        self.fields.get(place)?.metadata().get(PG_TYPE).map(String::as_str)
    }
}
