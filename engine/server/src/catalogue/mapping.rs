//! The PostgreSQL type of an Arrow field.

use arrow::datatypes::Field;

use super::system::types;
use crate::pg::type_of;

/// Oid, modifier (-1 without one) and length (-1 if it varies) of the type that a column has in PostgreSQL.
///
/// The field's metadata `pg.type`, where it names a type, comes before its Arrow type.
pub(crate) fn type_oid(field: &Field) -> (u32, i32, i16) {
    let of = type_of(field);
    (of.oid, of.modifier, of.size)
}

/// The oid of a type by a name that PostgreSQL takes: its own or the one of the SQL standard, `[]` after it.
pub(crate) fn named_oid(name: &str) -> Option<u32> {
    let mut element = name.trim();
    // However many dimensions are written, arrays of a type have one type.
    while let Some(inner) = element.strip_suffix("[]") {
        element = inner.trim_end();
    }
    let found = element_named(element)?;
    if element.len() == name.trim().len() {
        return Some(found);
    }
    types().get(found).map(|t| t.array).filter(|a| *a != 0)
}

fn element_named(name: &str) -> Option<u32> {
    let lower = name.to_lowercase();
    let own = match lower.as_str() {
        "boolean" => "bool",
        "smallint" => "int2",
        "integer" | "int" => "int4",
        "bigint" => "int8",
        "real" => "float4",
        "double precision" | "float" => "float8",
        "decimal" | "dec" => "numeric",
        "character varying" => "varchar",
        // Without quotes it is character(1), with them the type of one byte.
        "character" | "char" => "bpchar",
        "timestamp without time zone" => "timestamp",
        "timestamp with time zone" => "timestamptz",
        "time without time zone" => "time",
        "time with time zone" => "timetz",
        "bit varying" => "varbit",
        other => other.trim_matches('"'),
    };
    types().named(own).next().map(|t| t.oid)
}
