//! Everything that can be named in SQL, with what it means.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::Documentation;
use envoi_lake::Manifest;
use envoi_lake::lake::MODEL_SCHEMA;
use envoi_lake::tables::{self, DESCRIPTION, UNIT};

use crate::catalogue::CATALOGUE;
use crate::error::{Error, Result};
use crate::library::TableFunction;

/// Schemas, tables and functions of a session.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Schemas.
    pub schemas: Vec<String>,
    /// Tables and views, by schema and name.
    pub tables: Vec<TableName>,
    /// Functions, by name.
    pub functions: Vec<FunctionName>,
}

/// A table or view.
#[derive(Debug, Clone)]
pub struct TableName {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// `table` or `view`.
    pub kind: &'static str,
    /// What it holds, with its grain.
    pub description: Option<String>,
    /// Columns in order.
    pub columns: Vec<ColumnName>,
}

/// A column.
#[derive(Debug, Clone)]
pub struct ColumnName {
    /// Name.
    pub name: String,
    /// SQL type.
    pub data_type: String,
    /// May be NULL.
    pub nullable: bool,
    /// Unit.
    pub unit: Option<String>,
    /// What it means.
    pub description: Option<String>,
}

/// A function.
#[derive(Debug, Clone)]
pub struct FunctionName {
    /// Name.
    pub name: String,
    /// How it is called.
    pub signature: String,
    /// What it does.
    pub description: String,
    /// `scalar`, `aggregate`, `window` or `table`.
    pub kind: &'static str,
    /// Arguments with units, and an example with its output.
    pub details: String,
}

pub(super) async fn collect(context: &SessionContext, manifest: &Manifest) -> Result<Arc<Names>> {
    let state = context.state();
    let catalogue = state.catalog_list().catalog(CATALOGUE).ok_or_else(|| Error::internal("the catalogue is gone"))?;
    let mut names = Names { schemas: catalogue.schema_names(), ..Names::default() };
    for schema_name in &names.schemas {
        let Some(schema) = catalogue.schema(schema_name) else { continue };
        let mut tables = schema.table_names();
        tables.sort();
        for name in tables {
            let found = schema.table(&name).await;
            let found = if schema_name == MODEL_SCHEMA { Ok(found.unwrap_or_default()) } else { found };
            let Some(table) = found.map_err(|e| Error::from_datafusion(&e, ""))? else { continue };
            let kind = match table.table_type() {
                datafusion::datasource::TableType::View => "view",
                _ => "table",
            };
            let columns = table.schema().fields().iter().map(|f| column(f)).collect();
            let description = description(schema_name, &name, manifest);
            names.tables.push(TableName { schema: schema_name.clone(), name, kind, description, columns });
        }
    }
    let scalars = state.scalar_functions().values().map(|f| function(f.name(), "scalar", f.documentation()));
    let aggregates = state.aggregate_functions().values().map(|f| function(f.name(), "aggregate", f.documentation()));
    let windows = state.window_functions().values().map(|f| function(f.name(), "window", f.documentation()));
    names.functions = scalars.chain(aggregates).chain(windows).collect();
    names.functions.extend(crate::library::functions()?.iter().map(table_function));
    names.functions.sort_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
    names.functions.dedup_by(|a, b| a.name == b.name && a.kind == b.kind);
    Ok(Arc::new(names))
}

fn function(name: &str, kind: &'static str, documentation: Option<&Documentation>) -> FunctionName {
    let Some(d) = documentation else {
        return FunctionName {
            name: name.to_owned(),
            signature: format!("{name}(...)"),
            description: String::new(),
            kind,
            details: String::new(),
        };
    };
    let arguments = d.arguments.iter().flatten().map(|(argument, meaning)| format!("{argument}: {meaning}\n"));
    let example =
        d.sql_example.iter().map(|sql| format!("\n{}\n", sql.replace("```sql", "").replace("```", "").trim()));
    FunctionName {
        name: name.to_owned(),
        signature: d.syntax_example.clone(),
        description: d.description.trim().to_owned(),
        kind,
        details: arguments.chain(example).collect::<String>().trim().to_owned(),
    }
}

fn table_function(function: &TableFunction) -> FunctionName {
    let arguments = function.meta.argument.iter().map(|a| format!("{}: {}\n", a.name, a.description));
    FunctionName {
        name: function.name.clone(),
        signature: function.signature(),
        description: function.meta.description.clone(),
        kind: "table",
        details: arguments.chain([format!("\n{}", function.meta.example.trim())]).collect(),
    }
}

fn column(field: &Field) -> ColumnName {
    ColumnName {
        name: field.name().clone(),
        data_type: sql_type(field.data_type()),
        nullable: field.is_nullable(),
        unit: field.metadata().get(UNIT).cloned(),
        description: field.metadata().get(DESCRIPTION).cloned(),
    }
}

pub(super) fn description(schema: &str, table: &str, manifest: &Manifest) -> Option<String> {
    match schema {
        "lake" => tables::table(table).map(|t| {
            let microdata = if t.microdata { "; microdata" } else { "" };
            format!("{}; {}{microdata}", t.description, t.grain)
        }),
        "mart" => {
            crate::library::mart(table).ok().flatten().map(|m| format!("{}; {}", m.meta.description, m.meta.grain))
        }
        MODEL_SCHEMA => manifest.model(table).and_then(|m| m.description.clone()),
        _ => None,
    }
}

/// The name SQL has for a type.
fn sql_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Float32 => "real".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Int16 => "smallint".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(_, _) => "timestamp".to_owned(),
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => format!("decimal({p},{s})"),
        other => other.to_string().to_lowercase(),
    }
}
