//! Tables and marts as a catalogue shows them: columns, keys, and which keys name whom.

use datafusion::arrow::datatypes::SchemaRef;
use envoi_lake::tables;

use super::Session;
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

impl Session {
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
        for schema_name in ["mart", "lake", "staging"] {
            let Some(schema) = catalogue.schema(schema_name) else { continue };
            let mut names = schema.table_names();
            names.sort();
            for name in names {
                let Some(table) = schema.table(&name).await.map_err(failed)? else { continue };
                let columns = table.schema();
                let (description, key) = described(schema_name, &name)?;
                let files = manifest.files.iter().filter(|f| f.schema == schema_name && f.table == name);
                let view = schema_name == "mart";
                all.push(Relation {
                    schema: schema_name.to_owned(),
                    view,
                    description,
                    references: references(schema_name, &name, &columns),
                    key,
                    columns,
                    rows: (!view).then(|| files.map(|f| f.rows).sum()),
                    definition: view.then(|| mart_definition(&name)).flatten(),
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

/// What a table is, and its key.
fn described(schema: &str, name: &str) -> Result<(Option<String>, Vec<String>)> {
    Ok(match schema {
        "lake" => match tables::table(name) {
            Some(t) => {
                (Some(format!("{}; {}", t.description, t.grain)), t.key.iter().map(|k| (*k).to_owned()).collect())
            }
            None => (None, Vec::new()),
        },
        "mart" => match crate::library::mart(name)? {
            Some(m) => (Some(format!("{}; {}", m.meta.description, m.meta.grain)), m.meta.key.clone()),
            None => (None, Vec::new()),
        },
        _ => (Some("as the publisher has it".to_owned()), Vec::new()),
    })
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
