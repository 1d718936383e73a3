//! Functions of PostgreSQL that clients ask the catalogue with.
//!
//! They work on a [`Snapshot`], row by row: catalogues have thousands of rows, not millions.

mod arrays;
mod call;
mod casts;
mod definitions;
mod descriptions;
mod key_columns;
mod nothing;
mod privileges;
mod session;
mod sizes;
mod texts;
mod to_char;
mod udf;
mod visibility;

use std::sync::Arc;

use datafusion_expr::ScalarUDF;

use crate::catalogue::Snapshot;
use call::Definition;
pub(crate) use casts::find_type;
use udf::CatalogueFunction;

/// All of them, answering from a snapshot.
pub(crate) fn functions(snapshot: &Arc<Snapshot>) -> Vec<Arc<ScalarUDF>> {
    let mut all: Vec<Arc<ScalarUDF>> = definitions_of_all()
        .map(|definition| Arc::new(ScalarUDF::from(CatalogueFunction::new(definition, Arc::clone(snapshot)))))
        .collect();
    all.extend(arrays::polymorphic());
    all.push(Arc::new(to_char::to_char()));
    all
}

fn definitions_of_all() -> impl Iterator<Item = Definition> {
    session::DEFINITIONS
        .iter()
        .chain(visibility::DEFINITIONS)
        .chain(privileges::DEFINITIONS)
        .chain(definitions::DEFINITIONS)
        .chain(descriptions::DEFINITIONS)
        .chain(key_columns::DEFINITIONS)
        .chain(casts::DEFINITIONS)
        .chain(sizes::DEFINITIONS)
        .chain(texts::DEFINITIONS)
        .chain(arrays::DEFINITIONS)
        .chain(nothing::DEFINITIONS)
        .copied()
}

#[cfg(test)]
mod tests;
