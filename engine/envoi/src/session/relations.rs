//! Tables and marts as a catalogue shows them: columns, keys, and which keys name whom.

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::logical_expr::{Documentation, Signature};
use envoi_lake::lake::MODEL_SCHEMA;
use envoi_lake::{Manifest, tables};

use super::Session;
use super::names::description;
use crate::catalogue::CATALOGUE;
use crate::error::{Error, Result};

/// A table of the lake or a mart.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// Whether it is a query.
    pub view: bool,
    /// What it holds, with its grain.
    pub description: Option<String>,
    /// Columns; field metadata has `unit`, `description` and the like where known.
    pub columns: SchemaRef,
    /// Columns that tell rows apart; none where that is not known.
    pub key: Vec<String>,
    /// Columns that name rows of other tables.
    pub references: Vec<Reference>,
    /// Rows, where they are counted.
    pub rows: Option<u64>,
    /// The query of a view.
    pub definition: Option<String>,
}

/// Columns that name rows of another table by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Columns here.
    pub columns: Vec<String>,
    /// Schema there.
    pub schema: String,
    /// Table there.
    pub table: String,
    /// Columns there.
    pub to: Vec<String>,
}

/// A function with types that it can be called with.
#[derive(Debug, Clone)]
pub struct Callable {
    /// Name.
    pub name: String,
    /// `scalar`, `aggregate` or `window`.
    pub kind: &'static str,
    /// Types of arguments of one way to call it, those that may be left out left out.
    pub arguments: Vec<DataType>,
    /// What it gives then.
    pub result: DataType,
    /// What it does.
    pub description: String,
}

impl Session {
    /// Functions of which a way to call them is known.
    pub fn functions(&self) -> Vec<Callable> {
        let state = self.0.context.state();
        let of = |name: &str, kind, documentation: Option<&Documentation>, found: Option<(Vec<DataType>, DataType)>| {
            let (arguments, result) = found?;
            let description = documentation.map(|d| d.description.trim().to_owned()).unwrap_or_default();
            Some(Callable { name: name.to_owned(), kind, arguments, result, description })
        };
        let scalars = state.scalar_functions().values().map(|f| {
            let found = called(f.signature(), |t| f.coerce_types(t).ok(), |t| f.return_type(t).ok());
            of(f.name(), "scalar", f.documentation(), found)
        });
        let aggregates = state.aggregate_functions().values().map(|f| {
            let found = called(f.signature(), |t| f.coerce_types(t).ok(), |t| f.return_type(t).ok());
            of(f.name(), "aggregate", f.documentation(), found)
        });
        let mut all: Vec<Callable> = scalars.chain(aggregates).flatten().collect();
        all.sort_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
        all.dedup_by(|a, b| a.name == b.name && a.kind == b.kind);
        all
    }

    /// All tables of the lake, tables as publishers have them, and marts.
    ///
    /// # Errors
    /// A lake that cannot be read.
    pub async fn relations(&self) -> Result<Vec<Relation>> {
        self.0.view.refresh().await?;
        let session = self.clone();
        self.0.runtime.spawn(async move { session.collected().await })?.finish().await?
    }

    async fn collected(&self) -> Result<Vec<Relation>> {
        let failed = |e| Error::from_datafusion(&e, "");
        let manifest = self.0.view.manifest().await?;
        let state = self.0.context.state();
        let catalogue =
            state.catalog_list().catalog(CATALOGUE).ok_or_else(|| Error::internal("the catalogue is gone"))?;
        let mut all = Vec::new();
        for schema_name in ["mart", "lake", "staging", MODEL_SCHEMA] {
            let Some(schema) = catalogue.schema(schema_name) else { continue };
            let mut names = schema.table_names();
            names.sort();
            for name in names {
                // A view of a model whose columns are gone, and a model a reader may not see, are not listed.
                let found = schema.table(&name).await;
                let found = if schema_name == MODEL_SCHEMA { Ok(found.unwrap_or_default()) } else { found };
                let Some(table) = found.map_err(failed)? else { continue };
                let columns = table.schema();
                let (description, key) = described(schema_name, &name, &manifest)?;
                let files = manifest.files.iter().filter(|f| f.schema == schema_name && f.table == name);
                let model = manifest.model(&name).filter(|m| schema_name == MODEL_SCHEMA && m.is_view());
                let view = schema_name == "mart" || model.is_some();
                all.push(Relation {
                    schema: schema_name.to_owned(),
                    view,
                    description,
                    references: references(schema_name, &name, &columns),
                    key,
                    columns,
                    rows: (!view).then(|| files.map(|f| f.rows).sum()),
                    definition: match model {
                        Some(model) => Some(model.compiled.clone()),
                        None => view.then(|| mart_definition(&name)).flatten(),
                    },
                    name,
                });
            }
        }
        Ok(all)
    }
}

fn mart_definition(name: &str) -> Option<String> {
    crate::library::mart(name).ok().flatten().map(|m| m.sql.clone())
}

/// A way to call a function, and what it gives then.
fn called(
    signature: &Signature,
    coerced: impl Fn(&[DataType]) -> Option<Vec<DataType>>,
    result: impl Fn(&[DataType]) -> Option<DataType>,
) -> Option<(Vec<DataType>, DataType)> {
    const MOST: usize = 4;
    let numbers = (0..=MOST).filter_map(|count| coerced(&vec![DataType::Float64; count]));
    let examples = signature.type_signature.get_example_types();
    examples.into_iter().chain(numbers).find_map(|types| result(&types).map(|result| (types, result)))
}

/// What a table is, and its key.
fn described(schema: &str, name: &str, manifest: &Manifest) -> Result<(Option<String>, Vec<String>)> {
    let key = match schema {
        "lake" => tables::table(name).map(|t| t.key.iter().map(|k| (*k).to_owned()).collect()),
        "mart" => crate::library::mart(name)?.map(|m| m.meta.key.clone()),
        _ => None,
    };
    Ok((description(schema, name, manifest), key.unwrap_or_default()))
}

/// Names of economies and indicators, which are told of in tables of their own.
fn references(schema: &str, name: &str, columns: &SchemaRef) -> Vec<Reference> {
    let to = |column: &str, table: &str, key: &str| Reference {
        columns: vec![column.to_owned()],
        schema: "lake".to_owned(),
        table: table.to_owned(),
        to: vec![key.to_owned()],
    };
    let of = |column: &str| match column {
        c if (c == "iso3" || c.ends_with("_iso3")) && name != "country" => Some(to(c, "country", "iso3")),
        "indicator" if name != "indicator" => Some(to("indicator", "indicator", "indicator")),
        "source_id" if name != "source" && schema == "lake" => Some(to("source_id", "source", "source_id")),
        _ => None,
    };
    columns.fields().iter().filter_map(|f| of(f.name())).collect()
}
