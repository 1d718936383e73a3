//! Which PostgreSQL type an Arrow column is, and which Arrow type a parameter becomes.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

/// The key of a field's metadata that names its PostgreSQL type where Arrow's does not tell.
const OVERRIDE: &str = "pg.type";

/// What a `RowDescription` says of a column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PgType {
    pub(crate) oid: u32,
    /// Bytes; -1 where they vary.
    pub(crate) size: i16,
    /// Of `numeric`: precision and scale; -1 of others.
    pub(crate) modifier: i32,
    /// What an array is of.
    pub(crate) element: Option<u32>,
}

/// How a column's values are read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    /// Four unsigned bytes: `oid`, `xid` and the `reg` types.
    Oid(u32),
    Xid8,
    Lsn,
    Float4,
    Float8,
    Numeric,
    /// Text under any name.
    Text(u32),
    Char,
    Json,
    Jsonb,
    Bytea,
    Uuid,
    Inet,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    Interval,
    Void,
    Array(u32, Box<Kind>),
    /// `int2vector` and `oidvector`: arrays that count from zero and print without braces.
    Vector(u32, Box<Kind>),
}

/// The PostgreSQL type of a column: its metadata `pg.type` where its Arrow type can carry that,
/// else the nearest to its Arrow type. Text where there is none.
pub(crate) fn type_of(field: &Field) -> PgType {
    let kind = Kind::of(field);
    let size = match &kind {
        Kind::Bool | Kind::Char => 1,
        Kind::Int2 => 2,
        Kind::Int4 | Kind::Oid(_) | Kind::Float4 | Kind::Date | Kind::Void => 4,
        Kind::Int8 | Kind::Xid8 | Kind::Lsn | Kind::Float8 | Kind::Time | Kind::Timestamp | Kind::Timestamptz => 8,
        Kind::Interval | Kind::Uuid => 16,
        Kind::Text(19) => 64,
        _ => -1,
    };
    let element = match &kind {
        Kind::Array(2277, _) => None,
        Kind::Array(_, element) | Kind::Vector(_, element) => Some(element.oid()),
        _ => None,
    };
    let numeric = kind == Kind::Numeric || element == Some(Kind::Numeric.oid());
    let modifier = if numeric { modifier(field.data_type()) } else { -1 };
    PgType { oid: kind.oid(), size, modifier, element }
}

/// The Arrow type a parameter of that oid becomes; `None` for 0 and for oids that are not known.
///
/// A `numeric` becomes a decimal of the scale that it is written with; ten digits stand for it here.
pub(crate) fn arrow_type(oid: u32) -> Option<DataType> {
    let data_type = match oid {
        16 => DataType::Boolean,
        17 => DataType::Binary,
        18 | 19 | 25 | 114 | 705 | 1042 | 1043 | 2950 | 3802 => DataType::Utf8,
        20 | 26 => DataType::Int64,
        21 => DataType::Int16,
        23 => DataType::Int32,
        700 => DataType::Float32,
        701 => DataType::Float64,
        1082 => DataType::Date32,
        1083 => DataType::Time64(TimeUnit::Microsecond),
        1114 => DataType::Timestamp(TimeUnit::Microsecond, None),
        1184 => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
        1186 => DataType::Interval(IntervalUnit::MonthDayNano),
        1700 => DataType::Decimal128(38, 10),
        _ => return Some(DataType::List(Arc::new(Field::new_list_field(arrow_type(element_of(oid)?)?, true)))),
    };
    Some(data_type)
}

/// The oid that a parameter of that Arrow type is described as.
pub(crate) fn oid_of(data_type: &DataType) -> u32 {
    Kind::natural(data_type).oid()
}

/// Element types and the arrays of them.
const ARRAYS: [(u32, u32); 31] = [
    (16, 1000),
    (17, 1001),
    (18, 1002),
    (19, 1003),
    (20, 1016),
    (21, 1005),
    (22, 1006),
    (23, 1007),
    (24, 1008),
    (26, 1028),
    (28, 1011),
    (30, 1013),
    (114, 199),
    (700, 1021),
    (701, 1022),
    (869, 1041),
    (1033, 1034),
    (1042, 1014),
    (1043, 1015),
    (1082, 1182),
    (1083, 1183),
    (1114, 1115),
    (1184, 1185),
    (1186, 1187),
    (1700, 1231),
    (2205, 2210),
    (2206, 2211),
    (2950, 2951),
    (3220, 3221),
    (3802, 3807),
    (5069, 271),
];

/// The array type of an element type; `text[]` of those that have none.
fn array_of(element: u32) -> u32 {
    ARRAYS.iter().find(|(of, _)| *of == element).map_or(1009, |(_, array)| *array)
}

/// The element type of an array type.
pub(super) fn element_of(array: u32) -> Option<u32> {
    if array == 1009 {
        return Some(25);
    }
    ARRAYS.iter().find(|(_, of)| *of == array).map(|(element, _)| *element)
}

impl Kind {
    pub(super) fn of(field: &Field) -> Self {
        let data_type = field.data_type();
        let named = field.metadata().get(OVERRIDE).and_then(|name| Self::named(name, data_type));
        named.unwrap_or_else(|| Self::natural(data_type))
    }

    pub(super) fn oid(&self) -> u32 {
        match self {
            Self::Bool => 16,
            Self::Int2 => 21,
            Self::Int4 => 23,
            Self::Int8 => 20,
            Self::Xid8 => 5069,
            Self::Lsn => 3220,
            Self::Float4 => 700,
            Self::Float8 => 701,
            Self::Numeric => 1700,
            Self::Char => 18,
            Self::Json => 114,
            Self::Jsonb => 3802,
            Self::Bytea => 17,
            Self::Uuid => 2950,
            Self::Inet => 869,
            Self::Date => 1082,
            Self::Time => 1083,
            Self::Timestamp => 1114,
            Self::Timestamptz => 1184,
            Self::Interval => 1186,
            Self::Void => 2278,
            Self::Oid(oid) | Self::Text(oid) | Self::Array(oid, _) | Self::Vector(oid, _) => *oid,
        }
    }

    /// By the Arrow type alone.
    pub(super) fn natural(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Bool,
            DataType::Int8 | DataType::Int16 | DataType::UInt8 => Self::Int2,
            DataType::Int32 | DataType::UInt16 => Self::Int4,
            DataType::Int64 => Self::Int8,
            // The engine has these of the catalogue alone.
            DataType::UInt32 => Self::Oid(26),
            DataType::UInt64 => Self::Numeric,
            DataType::Float16 | DataType::Float32 => Self::Float4,
            DataType::Float64 => Self::Float8,
            DataType::Decimal32(..) | DataType::Decimal64(..) => Self::Numeric,
            DataType::Decimal128(..) | DataType::Decimal256(..) => Self::Numeric,
            DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text(25),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Self::Bytea,
            DataType::FixedSizeBinary(_) => Self::Bytea,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::Timestamptz,
            DataType::Interval(_) | DataType::Duration(_) => Self::Interval,
            DataType::Struct(_) | DataType::Map(..) => Self::Json,
            DataType::Dictionary(_, values) => Self::natural(values),
            DataType::RunEndEncoded(_, values) => Self::of(values),
            DataType::Union(fields, _) => {
                let mut kinds = fields.iter().map(|(_, field)| Self::of(field));
                let first = kinds.next().unwrap_or(Self::Text(25));
                if kinds.all(|kind| kind == first) { first } else { Self::Text(25) }
            }
            list => match list_element(list) {
                None => Self::Text(25),
                Some(child) => match Self::of(child) {
                    nested @ Self::Array(..) => nested,
                    element => Self::Array(array_of(element.oid()), Box::new(element)),
                },
            },
        }
    }

    /// By name; `None` where there is no such name, or values of the Arrow type are none of that.
    fn named(name: &str, data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Dictionary(_, values) => return Self::named(name, values),
            DataType::RunEndEncoded(_, values) => return Self::named(name, values.data_type()),
            _ => {}
        }
        let null = data_type.is_null();
        let text = null || matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let whole = null || data_type.is_integer();
        let list = list_element(data_type);
        let array = |element: Option<Kind>| -> Option<Kind> {
            let element = element?;
            (null || list.is_some()).then(|| Self::Array(array_of(element.oid()), Box::new(element)))
        };
        let leaf = list.map_or(data_type, |child| child.data_type());
        let vector = |oid: u32, element: Kind| {
            (null || (list.is_some() && leaf.is_integer())).then(|| Self::Vector(oid, Box::new(element)))
        };
        match name {
            "oid" => whole.then_some(Self::Oid(26)),
            "xid" => whole.then_some(Self::Oid(28)),
            "regclass" => (whole || text).then_some(Self::Oid(2205)),
            "regtype" => (whole || text).then_some(Self::Oid(2206)),
            "regproc" => (whole || text).then_some(Self::Oid(24)),
            "xid8" => (whole || text).then_some(Self::Xid8),
            "pg_lsn" => (whole || text).then_some(Self::Lsn),
            "text" => text.then_some(Self::Text(25)),
            "name" => text.then_some(Self::Text(19)),
            "varchar" => text.then_some(Self::Text(1043)),
            "bpchar" => text.then_some(Self::Text(1042)),
            "pg_node_tree" => text.then_some(Self::Text(194)),
            "aclitem" => text.then_some(Self::Text(1033)),
            "\"char\"" => (text || matches!(data_type, DataType::Int8 | DataType::UInt8)).then_some(Self::Char),
            "inet" => text.then_some(Self::Inet),
            "uuid" => (text || matches!(data_type, DataType::FixedSizeBinary(16))).then_some(Self::Uuid),
            "json" => Some(Self::Json),
            "jsonb" => Some(Self::Jsonb),
            "void" => Some(Self::Void),
            "timestamptz" => (null || matches!(data_type, DataType::Timestamp(..))).then_some(Self::Timestamptz),
            "int2vector" => vector(22, Self::Int2),
            "oidvector" => vector(30, Self::Oid(26)),
            "anyarray" if text => Some(Self::Text(2277)),
            "anyarray" => match Self::natural(data_type) {
                Self::Array(_, element) => Some(Self::Array(2277, element)),
                _ => None,
            },
            "oid[]" | "name[]" | "\"char\"[]" | "text[]" | "aclitem[]" => {
                array(Self::named(name.strip_suffix("[]")?, innermost(leaf)))
            }
            _ => None,
        }
    }
}

/// The field of a list's elements, of any kind of list.
pub(super) fn list_element(data_type: &DataType) -> Option<&Field> {
    match data_type {
        DataType::List(child)
        | DataType::LargeList(child)
        | DataType::ListView(child)
        | DataType::LargeListView(child)
        | DataType::FixedSizeList(child, _) => Some(child),
        _ => None,
    }
}

fn innermost(data_type: &DataType) -> &DataType {
    list_element(data_type).map_or(data_type, |child| innermost(child.data_type()))
}

/// Precision and scale of a decimal, or of those a list is of.
fn modifier(data_type: &DataType) -> i32 {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            // Eleven bits of a scale that may be negative.
            (i32::from(*precision) << 16 | i32::from(*scale) & 0x7ff) + 4
        }
        DataType::Dictionary(_, values) => modifier(values),
        DataType::RunEndEncoded(_, values) => modifier(values.data_type()),
        list => list_element(list).map_or(-1, |child| modifier(child.data_type())),
    }
}
