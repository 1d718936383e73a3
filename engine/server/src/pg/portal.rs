//! Statements that were parsed, and portals: statements with values, on their way.

use std::sync::Arc;

use arrow::datatypes::{Field, SchemaRef};
use datafusion_common::ScalarValue;
use envoi::Prepared;

use super::command::Command;
use super::rows::{Kept, Rows};
use super::value::{Format, type_of};
use super::wire::backend::Column;

/// A statement as Parse left it.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) command: Command,
    /// The engine's plan, of a query.
    pub(crate) prepared: Option<Prepared>,
    /// What its parameters are.
    pub(crate) parameters: Vec<u32>,
    /// Columns of its rows, if it has rows.
    pub(crate) columns: Option<SchemaRef>,
    /// Columns of the engine's answer as PostgreSQL calls them, of a cursor or copy too.
    pub(crate) answer: Option<SchemaRef>,
}

/// A statement with values.
#[derive(Debug)]
pub(crate) struct Portal {
    pub(crate) statement: Arc<Statement>,
    pub(crate) values: Vec<ScalarValue>,
    pub(crate) formats: Vec<Format>,
    pub(crate) state: State,
    /// It stays when the transaction ends.
    pub(crate) held: bool,
    /// Made by DECLARE.
    pub(crate) cursor: bool,
}

/// How far a portal is.
#[derive(Debug)]
pub(crate) enum State {
    /// Nothing was done yet.
    New,
    Rows(Rows),
    /// All rows, of a cursor that goes both ways.
    Kept(Kept),
    /// There is no more.
    Done,
}

/// Columns of a schema as clients are told of them.
pub(crate) fn columns(schema: &SchemaRef, formats: &[Format]) -> Vec<Column> {
    schema.fields().iter().enumerate().map(|(place, field)| column(field, format_at(formats, place))).collect()
}

/// The metadata of a field that is a relation's column: the relation's oid and the column's number there.
pub(super) const ORIGIN: &str = "envoi.origin";

fn column(field: &Field, format: Format) -> Column {
    let of = type_of(field);
    let origin = field.metadata().get(ORIGIN).and_then(|o| o.split_once(' '));
    let (table, number) =
        origin.and_then(|(oid, number)| Some((oid.parse().ok()?, number.parse().ok()?))).unwrap_or((0, 0));
    Column {
        name: field.name().clone(),
        table,
        column: number,
        oid: of.oid,
        size: of.size,
        modifier: of.modifier,
        format: i16::from(format == Format::Binary),
    }
}

/// The format of a column: one for all, or one each; text if none is given.
pub(crate) fn format_at(formats: &[Format], place: usize) -> Format {
    match formats {
        [] => Format::Text,
        [one] => *one,
        each => each.get(place).copied().unwrap_or(Format::Text),
    }
}

/// The formats of so many columns.
pub(crate) fn formats_of(formats: &[Format], columns: usize) -> Vec<Format> {
    (0..columns).map(|place| format_at(formats, place)).collect()
}
