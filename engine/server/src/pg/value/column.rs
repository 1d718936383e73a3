//! One column of a batch, ready to be read row by row.

use arrow::array::types::{Float16Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type};
use arrow::array::{Array, AsArray, UnionArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DataType};

use super::leaf::{Bytes, Decimals, Intervals, Ints, Ranges, Ticks, values};
use super::types::{Kind, list_element};
use crate::pg::error::{INTERNAL_ERROR, PgError, Result};

/// A column of a batch, or the values inside one.
pub(super) struct Column<'a> {
    pub(super) body: Body<'a>,
    nulls: Option<&'a NullBuffer>,
}

/// The values of a column by what is to be done with them.
pub(super) enum Body<'a> {
    /// Nothing but nulls.
    Null,
    Void,
    Bool(&'a BooleanBuffer),
    Int2(Ints<'a>),
    Int4(Ints<'a>),
    Int8(Ints<'a>),
    Oid(Ints<'a>),
    /// Of a `reg` type, by name.
    OidName(Bytes<'a>),
    Xid8(Ints<'a>),
    Lsn(Ints<'a>),
    Half(&'a [<Float16Type as ArrowPrimitiveType>::Native]),
    Float4(&'a [f32]),
    Float8(&'a [f64]),
    Numeric(Decimals<'a>),
    Text(Bytes<'a>),
    /// `xid8` or `pg_lsn` by its text.
    LongText(Bytes<'a>),
    Char(Bytes<'a>),
    CharCode(Ints<'a>),
    JsonText(Bytes<'a>),
    Jsonb(Bytes<'a>),
    Bytea(Bytes<'a>),
    Uuid(Bytes<'a>),
    UuidText(Bytes<'a>),
    Inet(Bytes<'a>),
    Date(Ticks<'a>),
    Time(Ticks<'a>),
    Timestamp(Ticks<'a>),
    Timestamptz(Ticks<'a>),
    Interval(Intervals<'a>),
    List(List<'a>),
    Vector(List<'a>),
    Struct(Vec<(Vec<u8>, Column<'a>)>),
    Map {
        ranges: Ranges<'a>,
        keys: Box<Column<'a>>,
        values: Box<Column<'a>>,
    },
    /// Anything as JSON.
    Json {
        value: Box<Column<'a>>,
        jsonb: bool,
    },
    Dictionary {
        keys: Ints<'a>,
        values: Box<Column<'a>>,
    },
    Runs {
        ends: Ints<'a>,
        offset: usize,
        values: Box<Column<'a>>,
    },
    Union {
        array: &'a UnionArray,
        children: Vec<(i8, Column<'a>)>,
        mixed: bool,
    },
}

/// Lists, the elements of all of them in one column.
pub(super) struct List<'a> {
    pub(super) ranges: Ranges<'a>,
    pub(super) elements: Box<Column<'a>>,
    /// The oid of what is innermost.
    pub(super) oid: u32,
}

impl<'a> Column<'a> {
    /// Reads `array` as what was planned for its field; an error where the array is not of it.
    pub(super) fn bind(array: &'a dyn Array, kind: &Kind) -> Result<Self> {
        let body = body(array, kind)?.ok_or_else(|| {
            let message =
                format!("values of the Arrow type {} arrived for a column of oid {}", array.data_type(), kind.oid());
            PgError::new(INTERNAL_ERROR, message)
        })?;
        Ok(Self { body, nulls: array.nulls().filter(|nulls| nulls.null_count() > 0) })
    }

    #[inline]
    pub(super) fn is_null(&self, i: usize) -> bool {
        if let Some(nulls) = self.nulls
            && nulls.is_null(i)
        {
            return true;
        }
        match &self.body {
            Body::Null => true,
            Body::Dictionary { .. } | Body::Runs { .. } | Body::Union { .. } | Body::Json { .. } => {
                self.inner_is_null(i)
            }
            _ => false,
        }
    }

    #[inline(never)]
    fn inner_is_null(&self, i: usize) -> bool {
        match &self.body {
            Body::Json { value, .. } => value.is_null(i),
            _ => self.inner(i).is_none_or(|(inner, at)| inner.is_null(at)),
        }
    }

    /// Where the value of a dictionary, run or union really is; `None` of other columns.
    pub(super) fn inner(&self, i: usize) -> Option<(&Column<'a>, usize)> {
        match &self.body {
            Body::Dictionary { keys, values } => Some((values, keys.get(i) as usize)),
            Body::Runs { ends, offset, values } => {
                let at = (i + offset) as i64;
                Some((values, ends.up_to(at)))
            }
            Body::Union { array, children, .. } => {
                let id = array.type_id(i);
                let (_, child) = children.iter().find(|(of, _)| *of == id)?;
                Some((child, array.value_offset(i)))
            }
            _ => None,
        }
    }

    /// How many bytes the values of some rows take at most, not counting what is in lists and JSON.
    pub(super) fn expected(&self, rows: &std::ops::Range<usize>) -> usize {
        match &self.body {
            Body::Text(values) | Body::JsonText(values) | Body::Jsonb(values) => values.total(rows),
            Body::Bytea(values) => 2 * values.total(rows) + 2 * rows.len(),
            _ => 16 * rows.len(),
        }
    }
}

/// `None` where the array's type is none of the kind's.
fn body<'a>(array: &'a dyn Array, kind: &Kind) -> Result<Option<Body<'a>>> {
    Ok(match array.data_type() {
        DataType::Null => Some(Body::Null),
        DataType::Dictionary(..) => {
            let Some(dictionary) = array.as_any_dictionary_opt() else { return Ok(None) };
            let values = Box::new(Column::bind(dictionary.values().as_ref(), kind)?);
            Ints::of(dictionary.keys()).map(|keys| Body::Dictionary { keys, values })
        }
        DataType::RunEndEncoded(..) => runs(array, kind)?,
        _ if matches!(kind, Kind::Json | Kind::Jsonb) => Some(json(array, kind)?),
        DataType::Union(..) => union(array, kind)?,
        _ => match kind {
            Kind::Array(_, element) => list(array, kind, element)?.map(Body::List),
            Kind::Vector(_, element) => list(array, kind, element)?.map(Body::Vector),
            _ => leaf(array, kind),
        },
    })
}

/// What is neither nested nor encoded.
fn leaf<'a>(array: &'a dyn Array, kind: &Kind) -> Option<Body<'a>> {
    let bytes = || Bytes::of(array);
    let ints = || Ints::of(array);
    Some(match kind {
        Kind::Bool => Body::Bool(array.as_boolean_opt()?.values()),
        Kind::Int2 => Body::Int2(ints()?),
        Kind::Int4 => Body::Int4(ints()?),
        Kind::Int8 => Body::Int8(ints()?),
        Kind::Oid(_) => ints().map(Body::Oid).or_else(|| bytes().map(Body::OidName))?,
        Kind::Xid8 => ints().map(Body::Xid8).or_else(|| bytes().map(Body::LongText))?,
        Kind::Lsn => ints().map(Body::Lsn).or_else(|| bytes().map(Body::LongText))?,
        Kind::Float4 if *array.data_type() == DataType::Float16 => Body::Half(values::<Float16Type>(array)?),
        Kind::Float4 => Body::Float4(values::<Float32Type>(array)?),
        Kind::Float8 => Body::Float8(values::<Float64Type>(array)?),
        Kind::Numeric => Body::Numeric(Decimals::of(array)?),
        Kind::Text(_) => Body::Text(bytes()?),
        Kind::Char => bytes().map(Body::Char).or_else(|| ints().map(Body::CharCode))?,
        Kind::Bytea => Body::Bytea(bytes()?),
        Kind::Uuid if matches!(array.data_type(), DataType::FixedSizeBinary(_)) => Body::Uuid(bytes()?),
        Kind::Uuid => Body::UuidText(bytes()?),
        Kind::Inet => Body::Inet(bytes()?),
        Kind::Date => Body::Date(Ticks::of(array)?),
        Kind::Time => Body::Time(Ticks::of(array)?),
        Kind::Timestamp => Body::Timestamp(Ticks::of(array)?),
        Kind::Timestamptz => Body::Timestamptz(Ticks::of(array)?),
        Kind::Interval => Body::Interval(Intervals::of(array)?),
        Kind::Void => Body::Void,
        Kind::Json | Kind::Jsonb | Kind::Array(..) | Kind::Vector(..) => return None,
    })
}

/// Text that is JSON already, or anything else as JSON.
fn json<'a>(array: &'a dyn Array, kind: &Kind) -> Result<Body<'a>> {
    let data_type = array.data_type();
    let natural = Kind::natural(data_type);
    let body = match data_type {
        DataType::Struct(_) if *kind == Kind::Json => structure(array)?,
        DataType::Map(..) if *kind == Kind::Json => map(array)?,
        DataType::Union(..) if natural == *kind => union(array, kind)?,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Bytes::of(array).map(|text| if *kind == Kind::Jsonb { Body::Jsonb(text) } else { Body::JsonText(text) })
        }
        _ => None,
    };
    match body {
        Some(body) => Ok(body),
        None => Ok(Body::Json { value: Box::new(Column::bind(array, &natural)?), jsonb: *kind == Kind::Jsonb }),
    }
}

fn union<'a>(array: &'a dyn Array, kind: &Kind) -> Result<Option<Body<'a>>> {
    let Some(array) = array.as_union_opt() else { return Ok(None) };
    let children = array
        .fields()
        .iter()
        .map(|(id, field)| Ok((id, Column::bind(array.child(id).as_ref(), &Kind::of(field))?)))
        .collect::<Result<Vec<_>>>()?;
    let mixed = array.fields().iter().any(|(_, field)| Kind::of(field) != *kind);
    Ok(Some(Body::Union { array, children, mixed }))
}

/// A list; one of lists keeps the kind down to the innermost.
fn list<'a>(array: &'a dyn Array, kind: &Kind, element: &Kind) -> Result<Option<List<'a>>> {
    let Some((ranges, elements)) = Ranges::of(array) else { return Ok(None) };
    let nested = list_element(elements.data_type()).is_some();
    let elements = Box::new(Column::bind(elements, if nested { kind } else { element })?);
    Ok(Some(List { ranges, elements, oid: element.oid() }))
}

fn structure(array: &dyn Array) -> Result<Option<Body<'_>>> {
    let Some(array) = array.as_struct_opt() else { return Ok(None) };
    let fields = array.fields().iter().zip(array.columns());
    let fields = fields
        .map(|(field, child)| {
            let mut name = serde_json::to_vec(field.name()).unwrap_or_default();
            name.push(b':');
            Ok((name, Column::bind(child.as_ref(), &Kind::of(field))?))
        })
        .collect::<Result<_>>()?;
    Ok(Some(Body::Struct(fields)))
}

fn map(array: &dyn Array) -> Result<Option<Body<'_>>> {
    let Some(array) = array.as_map_opt() else { return Ok(None) };
    let (key, value) = array.entries_fields();
    let keys = Box::new(Column::bind(array.keys().as_ref(), &Kind::of(key))?);
    let values = Box::new(Column::bind(array.values().as_ref(), &Kind::of(value))?);
    Ok(Some(Body::Map { ranges: Ranges::Offsets(array.value_offsets()), keys, values }))
}

fn runs<'a>(array: &'a dyn Array, kind: &Kind) -> Result<Option<Body<'a>>> {
    macro_rules! runs {
        ($type:ty, $ints:path) => {
            match array.as_run_opt::<$type>() {
                None => None,
                Some(runs) => {
                    let values = Box::new(Column::bind(runs.values().as_ref(), kind)?);
                    let ends = runs.run_ends();
                    Some(Body::Runs { ends: $ints(ends.values()), offset: ends.offset(), values })
                }
            }
        };
    }
    Ok(match array.data_type() {
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs!(Int16Type, Ints::I16),
            DataType::Int32 => runs!(Int32Type, Ints::I32),
            _ => runs!(Int64Type, Ints::I64),
        },
        _ => None,
    })
}
