//! PostgreSQL's catalogues, `pg_catalog` and `information_schema`, over what the engine has.
//!
//! Every relation of PostgreSQL 15's catalogues exists with its columns. What is the same in every database (types,
//! functions, operators) is built in; the rest is made of a [`Snapshot`]; what a server that is read has nothing of
//! (triggers, sequences, policies) is empty.

mod batch;
mod cell;
mod definition;
mod embedded;
mod error;
mod field;
mod fill;
mod fixed;
mod format;
mod mapping;
mod oid;
mod relation;
mod shape;
mod snapshot;
mod system;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, SchemaRef};

use batch::Rows;
use shape::shapes;

pub(crate) use batch::cells_to_array;
pub(crate) use cell::Cell;
pub(crate) use definition::{
    foreign as foreign_definition, index as index_definition, index_column, operator_name,
    primary as primary_definition, quoted, relation_name, type_visible, view as view_definition,
};
pub(crate) use error::{CatalogueError, Result};
pub(crate) use field::PG_TYPE;
pub(crate) use fill::{column_description, setting};
pub(crate) use format::format_type;
pub(crate) use mapping::named_oid;
pub(crate) use relation::{Activity, Function, Reference, Relation, Server};
pub(crate) use shape::{SCHEMAS, Shape};
pub(crate) use snapshot::Snapshot;
pub(crate) use system::{Procedure, fixed_descriptions, keyword_column, operators, procedures, types};

/// The relations of a schema of the catalogue; none for another schema.
pub(crate) fn tables(schema: &str) -> Vec<&'static str> {
    shapes().iter().filter(|s| s.schema == schema).map(|s| s.name).collect()
}

/// The columns of a relation of the catalogue; `None` if there is none of the name.
pub(crate) fn columns(schema: &str, table: &str) -> Option<SchemaRef> {
    shapes().get(schema, table).map(|s| Arc::clone(&s.arrow))
}

/// Whether `pg_catalog` has a relation.
pub(crate) fn is_system(table: &str) -> bool {
    shapes().get("pg_catalog", table).is_some()
}

/// The oid of a relation of the catalogue.
pub(crate) fn shape_oid(schema: &str, table: &str) -> Option<u32> {
    shapes().get(schema, table).map(|s| s.oid)
}

/// The columns of the relation of the catalogue that has an oid.
pub(crate) fn columns_of_shape(oid: u32) -> Option<SchemaRef> {
    shapes().by_oid(oid).map(|s| Arc::clone(&s.arrow))
}

/// Whether a relation of the catalogue has no rows, whatever the engine has.
pub(crate) fn is_empty(schema: &str, table: &str) -> bool {
    shapes().get(schema, table).is_some() && !embedded::has(&format!("rows/{table}")) && !fill::is_filled(schema, table)
}

/// Whether some relation of the catalogue has a column of the name that holds names of functions.
pub(crate) fn is_function_column(name: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        shapes().iter().flat_map(|s| &s.columns).filter(|c| c.regproc).map(|c| c.name.as_str()).collect()
    });
    NAMES.contains(name)
}

/// Whether some relation of the catalogue has a column of the name that holds arrays.
pub(crate) fn is_array_column(name: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| columns_of(|t| matches!(t, DataType::List(_))));
    NAMES.contains(name)
}

/// Whether some relation of the catalogue has a column of the name that holds truths.
pub(crate) fn is_truth_column(name: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| columns_of(|t| *t == DataType::Boolean));
    NAMES.contains(name)
}

fn columns_of(of: impl Fn(&DataType) -> bool) -> HashSet<&'static str> {
    let fields = shapes().iter().flat_map(|s| s.arrow.fields());
    fields.filter(|f| of(f.data_type())).map(|f| f.name().as_str()).collect()
}

/// The rows of a relation of the catalogue, with exactly the columns that [`columns`] gives.
///
/// # Errors
/// There is no such relation; anything else is a fault of the catalogue.
pub(crate) fn rows(schema: &str, table: &str, snapshot: &Snapshot) -> Result<RecordBatch> {
    let none = || CatalogueError::NoRelation { schema: schema.to_owned(), table: table.to_owned() };
    let shape: &'static Shape = shapes().get(schema, table).ok_or_else(none)?;
    let fixed = fixed::fixed(shape)?;
    let mut rows = Rows::of(shape);
    fill::fill(schema, table, snapshot, &mut rows);
    let filled = rows.finish()?;
    Ok(if filled.num_rows() == 0 { fixed.as_ref().clone() } else { concat_batches(&shape.arrow, [&*fixed, &filled])? })
}
