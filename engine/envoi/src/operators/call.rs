//! The arguments of a call, all given and in their places.

use std::ops::RangeInclusive;

use datafusion::arrow::datatypes::{DataType, Schema};

use crate::error::{Error, Result, nearest};
use crate::library::{ArgumentKind, TableFunction, functions, wrong_call};

/// A call of a computed function.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
pub(super) struct Call {
    function: String,
    /// One for each argument: a number, a text or the name of a column as it was written; of a table nothing.
    values: Vec<String>,
}

impl Call {
    pub(super) fn new(function: &str, values: Vec<String>) -> Self {
        Self { function: function.to_owned(), values }
    }

    /// Name of the function.
    pub(super) fn name(&self) -> &str {
        &self.function
    }

    pub(super) fn function(&self) -> Result<&'static TableFunction> {
        let found = functions()?.iter().find(|f| f.name == self.function);
        found.ok_or_else(|| Error::internal(format!("`{}` is not described", self.function)))
    }

    /// An error of the call: what the function does or lacks.
    pub(super) fn wrong(&self, why: impl std::fmt::Display) -> Error {
        match self.function() {
            Ok(function) => wrong_call(&self.function, &function.meta.argument, &why.to_string()),
            Err(error) => error,
        }
    }

    /// An error of what the tables hold.
    pub(super) fn refused(&self, why: impl std::fmt::Display) -> Error {
        Error::user(format!("`{}` {why}", self.function))
    }

    /// A text or the name of a column.
    pub(super) fn text(&self, argument: &str) -> Result<&str> {
        let place = self.function()?.meta.argument.iter().position(|a| a.name == argument);
        let value = place.and_then(|p| self.values.get(p)).map(String::as_str);
        value.ok_or_else(|| Error::internal(format!("`{}` has no argument `{argument}`", self.function)))
    }

    /// A number within bounds.
    pub(super) fn number(&self, argument: &str, bounds: RangeInclusive<f64>) -> Result<f64> {
        let text = self.text(argument)?;
        let number = text.parse().ok().filter(|n| bounds.contains(n));
        number.ok_or_else(|| {
            let (low, high) = (bounds.start(), bounds.end());
            self.wrong(format!("takes a number from {low} to {high} as `{argument}`, not {text}"))
        })
    }

    /// A whole number within bounds.
    pub(super) fn whole(&self, argument: &str, bounds: RangeInclusive<u64>) -> Result<u64> {
        let text = self.text(argument)?;
        text.parse().ok().filter(|n| bounds.contains(n)).ok_or_else(|| {
            let (low, high) = (bounds.start(), bounds.end());
            self.wrong(format!("takes a whole number from {low} to {high} as `{argument}`, not {text}"))
        })
    }

    /// Which of the tables an argument is.
    pub(super) fn table(&self, argument: &str) -> Result<usize> {
        let mut tables = self.function()?.meta.argument.iter().filter(|a| a.kind == ArgumentKind::Table);
        let place = tables.position(|a| a.name == argument);
        place.ok_or_else(|| Error::internal(format!("`{}` has no table `{argument}`", self.function)))
    }

    /// The place of the column that an argument names.
    pub(super) fn column(&self, argument: &str, table: &str, schema: &Schema) -> Result<usize> {
        self.place(self.text(argument)?, table, schema)
    }

    /// The place of a column by its name.
    pub(super) fn place(&self, column: &str, table: &str, schema: &Schema) -> Result<usize> {
        schema.index_of(column).map_err(|_| {
            let error = self.refused(format!("finds no column `{column}` in its table `{table}`"));
            match nearest(column, schema.fields().iter().map(|f| f.name().as_str())) {
                Some(near) => error.with_hint(format!("did you mean `{near}`?")),
                None => {
                    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).take(20).collect();
                    error.with_hint(format!("there are `{}`", names.join("`, `")))
                }
            }
        })
    }

    /// Refuses a table that has a column of a name that the rows get beside its own.
    pub(super) fn free<const N: usize>(&self, table: &str, schema: &Schema, added: [&str; N]) -> Result<()> {
        match added.into_iter().find(|name| schema.index_of(name).is_ok()) {
            None => Ok(()),
            Some(name) => Err(self
                .refused(format!("adds a column `{name}`, and its table `{table}` has one of that name"))
                .with_hint(format!("leave it out: `(select * exclude ({name}) from …)`"))),
        }
    }

    /// The column that an argument names, which has to be of numbers.
    pub(super) fn number_column(&self, argument: &str, table: &str, schema: &Schema) -> Result<usize> {
        let place = self.column(argument, table, schema)?;
        self.numeric(place, schema)?;
        Ok(place)
    }

    /// Refuses a column that is not of numbers.
    pub(super) fn numeric(&self, place: usize, schema: &Schema) -> Result<()> {
        let field = schema.field(place);
        if is_number(field.data_type()) {
            return Ok(());
        }
        Err(self.refused(format!("takes numbers, and column `{}` is of type {}", field.name(), field.data_type())))
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let arguments = self.function().map(|f| f.meta.argument.as_slice()).unwrap_or_default();
        let scalars = arguments.iter().zip(&self.values).filter(|(a, _)| a.kind != ArgumentKind::Table);
        let shown: Vec<String> = scalars.map(|(a, value)| format!("{} => {value}", a.name)).collect();
        write!(f, "{}({})", self.function, shown.join(", "))
    }
}

/// Numbers, yes and no as 1 and 0, and a column of nothing but NULL.
pub(super) fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Boolean | DataType::Null)
}
