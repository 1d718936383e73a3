//! Names of types as `format_type` writes them.

use super::shape::PG_CATALOG;
use super::snapshot::INFORMATION_SCHEMA;
use super::system::{PgType, types};

/// The name of a type with its modifier, if one is given: `numeric(18,4)`, `character varying[]`, `"char"`.
pub(crate) fn format_type(oid: u32, modifier: Option<i32>) -> String {
    if oid == 0 {
        return "-".to_owned();
    }
    let Some(found) = types().get(oid) else { return "???".to_owned() };
    // A true array is written as its element; int2vector and oidvector are types of their own.
    if found.category == "A" && found.element != 0 && found.length == -1 && found.name.starts_with('_') {
        return format!("{}[]", format_type(found.element, modifier));
    }
    let modifier = modifier.filter(|m| *m >= 0);
    match found.name.as_str() {
        _ if found.namespace != PG_CATALOG => qualified(found),
        "bool" => "boolean".to_owned(),
        "int2" => "smallint".to_owned(),
        "int4" => "integer".to_owned(),
        "int8" => "bigint".to_owned(),
        "float4" => "real".to_owned(),
        "float8" => "double precision".to_owned(),
        "char" => "\"char\"".to_owned(),
        "varchar" => length("character varying", modifier, 4),
        "bpchar" => match modifier {
            Some(_) => length("character", modifier, 4),
            None => "character".to_owned(),
        },
        "bit" => length("bit", modifier, 0),
        "varbit" => length("bit varying", modifier, 0),
        "numeric" => numeric(modifier),
        "timestamp" => precision("timestamp", " without time zone", modifier),
        "timestamptz" => precision("timestamp", " with time zone", modifier),
        "time" => precision("time", " without time zone", modifier),
        "timetz" => precision("time", " with time zone", modifier),
        "interval" => precision("interval", "", modifier.map(|m| m & 0xffff).filter(|m| *m != 0xffff)),
        other => other.to_owned(),
    }
}

fn qualified(found: &PgType) -> String {
    let schema = if found.namespace == INFORMATION_SCHEMA { "information_schema" } else { "public" };
    format!("{schema}.{}", found.name)
}

fn length(name: &str, modifier: Option<i32>, header: i32) -> String {
    modifier.map_or_else(|| name.to_owned(), |m| format!("{name}({})", m.saturating_sub(header)))
}

fn numeric(modifier: Option<i32>) -> String {
    const HEADER: i32 = 4;
    let Some(packed) = modifier.map(|m| m.saturating_sub(HEADER)) else { return "numeric".to_owned() };
    // The scale has eleven bits, the highest of them its sign.
    let scale = ((packed & 0x7ff) ^ 1024) - 1024;
    format!("numeric({},{scale})", (packed >> 16) & 0xffff)
}

fn precision(name: &str, zone: &str, modifier: Option<i32>) -> String {
    modifier.map_or_else(|| format!("{name}{zone}"), |m| format!("{name}({m}){zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_types_as_postgresql_does() {
        let cases = [
            (25, None, "text"),
            (1043, Some(14), "character varying(10)"),
            (1700, Some((18 << 16) + 8), "numeric(18,4)"),
            (1231, Some((18 << 16) + 8), "numeric(18,4)[]"),
            (1009, None, "text[]"),
            (18, None, "\"char\""),
            (1184, Some(3), "timestamp(3) with time zone"),
            (22, None, "int2vector"),
            (30, None, "oidvector"),
            (1042, Some(-1), "character"),
            (1186, Some(-1), "interval"),
            (0, None, "-"),
            (99_999, None, "???"),
        ];
        for (oid, modifier, expected) in cases {
            assert_eq!(format_type(oid, modifier), expected, "{oid}");
        }
    }
}
