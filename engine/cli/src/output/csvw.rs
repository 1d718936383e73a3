//! What is known of a delimited file's columns, beside it: a CSV has no room for units and sources.
//!
//! The form and the name, `result.csv-metadata.json`, are those of the W3C's
//! Metadata Vocabulary for Tabular Data (2015); readers that know it find it.

use std::path::{Path, PathBuf};

use arrow::datatypes::{DataType, Field, Schema};
use serde_json::{Map, Value, json};

use super::Format;

/// Where the description of a delimited file is.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push("-metadata.json");
    path.with_file_name(name)
}

/// True if any column has anything to say beyond its name and type.
pub(crate) fn speaks(schema: &Schema) -> bool {
    schema.fields().iter().any(|field| PROPERTIES.iter().any(|(key, _)| field.metadata().contains_key(*key)))
}

/// Keys of a column's metadata, and what they are called there: terms of Dublin Core
/// where it has one, and of schema.org for the unit.
const PROPERTIES: [(&str, &str); 5] = [
    ("description", "dc:description"),
    ("unit", "schema:unitText"),
    ("source", "dc:source"),
    ("licence", "dc:license"),
    ("caveats", "rdfs:comment"),
];

/// The description of a file of that name with these columns.
pub(crate) fn describe(schema: &Schema, file: &str, format: Format) -> String {
    let columns: Vec<Value> = schema.fields().iter().map(|field| column(field)).collect();
    let delimiter = if format == Format::Tsv { "\t" } else { "," };
    let whole = json!({
        "@context": "http://www.w3.org/ns/csvw",
        "url": file,
        "dialect": {"delimiter": delimiter, "header": true, "encoding": "utf-8"},
        "tableSchema": {"columns": columns},
    });
    // A value made of texts alone is always written.
    serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
}

fn column(field: &Field) -> Value {
    let mut column = Map::new();
    column.insert("titles".to_owned(), json!(field.name()));
    column.insert("datatype".to_owned(), json!(datatype(field.data_type())));
    column.insert("required".to_owned(), json!(!field.is_nullable()));
    for (key, term) in PROPERTIES {
        if let Some(text) = field.metadata().get(key).filter(|text| !text.is_empty()) {
            column.insert(term.to_owned(), json!(text));
        }
    }
    Value::Object(column)
}

/// The type as XML Schema names it.
fn datatype(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "boolean",
        t if t.is_integer() => "integer",
        DataType::Float16 | DataType::Float32 | DataType::Float64 => "double",
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            "decimal"
        }
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Timestamp(..) => "datetime",
        DataType::Time32(_) | DataType::Time64(_) => "time",
        _ => "string",
    }
}
