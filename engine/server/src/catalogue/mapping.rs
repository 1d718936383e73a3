//! The PostgreSQL type of an Arrow field.

use arrow::datatypes::{DataType, Field};

use super::field::PG_TYPE;
use super::system::types;

/// Oid, modifier (-1 without one) and length (-1 if it varies) of the type that a column has in PostgreSQL.
///
/// The field's metadata `pg.type`, where it names a type, comes before its Arrow type.
pub(crate) fn type_oid(field: &Field) -> (u32, i32, i16) {
    let named = field.metadata().get(PG_TYPE).and_then(|name| named_oid(name));
    let (oid, modifier) = match named {
        Some(oid) => (oid, -1),
        None => arrow_oid(field.data_type()),
    };
    (oid, modifier, types().get(oid).map_or(-1, |t| t.length))
}

/// The oid of a type by a name that PostgreSQL takes: its own or the one of the SQL standard, `[]` after it.
pub(crate) fn named_oid(name: &str) -> Option<u32> {
    if let Some(element) = name.strip_suffix("[]") {
        let element = named_oid(element.trim_end())?;
        return types().get(element).map(|t| t.array).filter(|a| *a != 0);
    }
    let name = name.trim();
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
    let found = types().named(own).next().map(|t| t.oid);
    found
}

fn arrow_oid(data_type: &DataType) -> (u32, i32) {
    let plain = |oid| (oid, -1);
    match data_type {
        DataType::Null => plain(25),
        DataType::Boolean => plain(16),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => plain(21),
        DataType::Int32 | DataType::UInt16 => plain(23),
        DataType::Int64 | DataType::UInt32 => plain(20),
        DataType::UInt64 => plain(1700),
        DataType::Float16 | DataType::Float32 => plain(700),
        DataType::Float64 => plain(701),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => {
            const HEADER: i32 = 4;
            // PostgreSQL keeps eleven bits of the scale, the negative ones too.
            (1700, ((i32::from(*p) << 16) | (i32::from(*s) & 0x7ff)) + HEADER)
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => plain(17),
        DataType::Date32 | DataType::Date64 => plain(1082),
        DataType::Time32(_) | DataType::Time64(_) => plain(1083),
        DataType::Timestamp(_, None) => plain(1114),
        DataType::Timestamp(_, Some(_)) => plain(1184),
        DataType::Interval(_) | DataType::Duration(_) => plain(1186),
        DataType::Dictionary(_, value) => arrow_oid(value),
        DataType::RunEndEncoded(_, value) => arrow_oid(value.data_type()),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => {
            let (oid, modifier) = element_oid(item.data_type());
            (types().get(oid).map_or(1009, |t| t.array), modifier)
        }
        DataType::Struct(_) | DataType::Map(_, _) | DataType::Union(_, _) => plain(114),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => plain(25),
    }
}

/// PostgreSQL has one type for arrays of any number of dimensions.
fn element_oid(item: &DataType) -> (u32, i32) {
    match item {
        DataType::List(inner) | DataType::LargeList(inner) | DataType::FixedSizeList(inner, _) => {
            element_oid(inner.data_type())
        }
        _ => arrow_oid(item),
    }
}
