//! Faults of the catalogue: all of them are ours.

use arrow::error::ArrowError;

/// What is wrong in the catalogue that is built in, or in what it was filled with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogueError {
    /// A relation that the catalogue does not have.
    #[error("relation \"{schema}.{table}\" is not part of the catalogue")]
    NoRelation { schema: String, table: String },
    /// A row names a column that the relation does not have.
    #[error("relation \"{table}\" of the catalogue has no column \"{column}\"")]
    NoColumn { table: String, column: String },
    /// A value is none of the column's type.
    #[error("'{value}' is not of the type {expected} in the catalogue")]
    Value { value: String, expected: String },
    /// A file that is built in cannot be read.
    #[error("file {file} of the catalogue: {why}")]
    File { file: String, why: String },
    /// Columns do not make a batch.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

pub(crate) type Result<T, E = CatalogueError> = std::result::Result<T, E>;
