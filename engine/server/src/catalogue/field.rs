//! PostgreSQL's types of catalogue columns as fields of Arrow.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

/// Key of the metadata that names the PostgreSQL type where Arrow's does not tell.
pub(crate) const PG_TYPE: &str = "pg.type";

/// The field of a column whose type PostgreSQL writes `type_name`.
pub(super) fn field(name: &str, type_name: &str) -> Field {
    let (data_type, pg_type) = arrow_type(type_name);
    let field = Field::new(name, data_type, true);
    match pg_type {
        Some(t) => field.with_metadata(HashMap::from([(PG_TYPE.to_owned(), t.to_owned())])),
        None => field,
    }
}

fn arrow_type(type_name: &str) -> (DataType, Option<&str>) {
    let list = |item: DataType| DataType::List(Arc::new(Field::new_list_field(item, true)));
    match type_name {
        "boolean" => (DataType::Boolean, None),
        "smallint" => (DataType::Int16, None),
        "integer" | "information_schema.cardinal_number" => (DataType::Int32, None),
        "bigint" => (DataType::Int64, None),
        "real" => (DataType::Float32, None),
        "double precision" => (DataType::Float64, None),
        "text" => (DataType::Utf8, None),
        "bytea" => (DataType::Binary, None),
        "oid" | "xid" => (DataType::UInt32, Some(type_name)),
        "timestamp with time zone" | "information_schema.time_stamp" => {
            (DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())), None)
        }
        "interval" => (DataType::Interval(IntervalUnit::MonthDayNano), None),
        "information_schema.sql_identifier" => (DataType::Utf8, Some("name")),
        "information_schema.character_data" | "information_schema.yes_or_no" => (DataType::Utf8, Some("varchar")),
        "int2vector" => (list(DataType::Int16), Some(type_name)),
        "oidvector" => (list(DataType::UInt32), Some(type_name)),
        "oid[]" => (list(DataType::UInt32), Some(type_name)),
        "smallint[]" => (list(DataType::Int16), None),
        "boolean[]" => (list(DataType::Boolean), None),
        "real[]" => (list(DataType::Float32), None),
        "double precision[]" => (list(DataType::Float64), None),
        _ if type_name.ends_with("[]") => (list(DataType::Utf8), Some(type_name)),
        _ => (DataType::Utf8, Some(type_name)),
    }
}
