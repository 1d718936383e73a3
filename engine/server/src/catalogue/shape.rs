//! The relations of `pg_catalog` and `information_schema`: their columns, in the order of PostgreSQL's.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{Schema, SchemaRef};

use super::embedded;
use super::error::{CatalogueError, Result};
use super::field::field;

/// Oid of the schema `pg_catalog`.
pub(crate) const PG_CATALOG: u32 = 11;

/// A relation of the catalogue.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) schema: &'static str,
    pub(crate) name: &'static str,
    pub(crate) oid: u32,
    pub(crate) view: bool,
    pub(crate) columns: Vec<ColumnShape>,
    pub(crate) arrow: SchemaRef,
}

/// A column of a relation of the catalogue.
#[derive(Debug)]
pub(crate) struct ColumnShape {
    pub(crate) name: String,
    pub(crate) type_oid: u32,
    pub(crate) regproc: bool,
    pub(crate) not_null: bool,
}

/// All of them, by schema and name.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    all: Vec<Shape>,
    by_name: HashMap<&'static str, Vec<usize>>,
}

/// The two schemas.
pub(crate) const SCHEMAS: [&str; 2] = ["pg_catalog", "information_schema"];

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| read().unwrap_or_default());

/// The relations; none if what is built in were damaged, which a test rules out.
pub(crate) fn shapes() -> &'static Shapes {
    &SHAPES
}

impl Shapes {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Shape> {
        self.all.iter()
    }

    pub(crate) fn get(&self, schema: &str, table: &str) -> Option<&Shape> {
        let places = self.by_name.get(table)?;
        places.iter().filter_map(|&p| self.all.get(p)).find(|s| s.schema == schema)
    }

    pub(crate) fn by_oid(&self, oid: u32) -> Option<&Shape> {
        self.all.iter().find(|s| s.oid == oid)
    }
}

pub(super) fn read() -> Result<Shapes> {
    let fault = |why: &str| CatalogueError::File { file: "columns.csv".to_owned(), why: why.to_owned() };
    let sheet = embedded::sheet("columns")?.ok_or_else(|| fault("is missing"))?;
    let mut shapes = Shapes::default();
    let mut fields = Vec::new();
    let mut rows = sheet.rows.iter().peekable();
    while let Some(row) = rows.next() {
        let cell = |i: usize| row.get(i).unwrap_or_default();
        let (schema, relation) = (cell(0), cell(1));
        let oid = cell(2).parse().map_err(|_| fault("has an oid that is none"))?;
        if shapes.all.last().is_none_or(|s| s.oid != oid) {
            let schema = SCHEMAS.into_iter().find(|s| *s == schema).ok_or_else(|| fault("has a third schema"))?;
            // Names of the catalogue live as long as the process: table providers hand them out.
            let name: &'static str = Box::leak(relation.to_owned().into_boxed_str());
            shapes.by_name.entry(name).or_default().push(shapes.all.len());
            let arrow = Arc::new(Schema::empty());
            shapes.all.push(Shape { schema, name, oid, view: cell(3) == "v", columns: Vec::new(), arrow });
        }
        let Some(shape) = shapes.all.last_mut() else { continue };
        fields.push(field(cell(5), cell(6)));
        let type_oid = cell(7).parse().map_err(|_| fault("has a type that is none"))?;
        let (name, regproc) = (cell(5).to_owned(), cell(6) == "regproc");
        shape.columns.push(ColumnShape { name, type_oid, regproc, not_null: cell(8) == "1" });
        if rows.peek().and_then(|next| next.get(2)) != row.get(2) {
            shape.arrow = Arc::new(Schema::new(std::mem::take(&mut fields)));
        }
    }
    Ok(shapes)
}
