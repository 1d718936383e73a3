//! Casts: to `oid` and what stands for one, to types that are texts here, and of arrays' literals.

use envoi::sqlparser::ast::{
    ArrayElemTypeDef, DataType, ExactNumberInfo, Expr, ObjectNamePart, TypedString, UnaryOperator, Value,
};

use super::arrays::elements;
use super::build::{self, call, called, is_text, last, literal};

/// Types that stand for an oid, with the functions that casts to them become.
const REGISTERED: [(&str, &str); 11] = [
    ("regclass", "envoi_regclass"),
    ("regtype", "envoi_regtype"),
    ("regproc", "envoi_regproc"),
    ("regprocedure", "envoi_regproc"),
    ("regoper", "envoi_regoper"),
    ("regoperator", "envoi_regoper"),
    ("regnamespace", "envoi_regnamespace"),
    ("regrole", "envoi_regrole"),
    ("regconfig", "envoi_oid"),
    ("regdictionary", "envoi_oid"),
    ("regcollation", "envoi_oid"),
];

/// `regclass 'x'` is a cast.
pub(super) fn before(expr: &mut Expr) {
    if let Expr::TypedString(TypedString { data_type, value, .. }) = expr
        && matches!(data_type, DataType::Custom(_, _) | DataType::Regclass)
    {
        *expr = build::cast(Expr::Value(value.clone()), data_type.clone());
    }
    let (text, data_type) = match expr {
        Expr::TypedString(TypedString { data_type, value, .. }) => (value, data_type),
        Expr::Cast { expr, data_type, .. } => match expr.as_mut() {
            Expr::Value(value) => (value, data_type),
            _ => return,
        },
        _ => return,
    };
    if let Value::SingleQuotedString(text) = &mut text.value
        && matches!(target(data_type), Target::Own(DataType::Timestamp(..)))
            | matches!(data_type, DataType::Timestamp(..))
        && let Some(whole) = with_seconds(text)
    {
        *text = whole;
    }
}

/// `2024-03-05 07:08` with the seconds that the engine wants.
fn with_seconds(text: &str) -> Option<String> {
    const SHAPE: &[u8] = b"dddd-dd-dd dd:dd";
    let (start, rest) = text.split_at_checked(SHAPE.len())?;
    let fits = start.bytes().zip(SHAPE).all(|(b, shape)| match shape {
        b'd' => b.is_ascii_digit(),
        b' ' => matches!(b, b' ' | b'T'),
        other => b == *other,
    });
    let ends = rest.is_empty() || rest.starts_with(['Z', 'z', '+', '-', ' ']);
    (fits && ends).then(|| format!("{start}:00{rest}"))
}

pub(super) fn cast(expr: &mut Expr) {
    let Expr::Cast { expr: inner, data_type, .. } = expr else { return };
    parameter(inner, data_type);
    if let Some(bytes) = bytes(inner, data_type) {
        *expr = bytes;
        return;
    }
    let replaced = match target(data_type) {
        Target::Registered(function) => registered(inner, function),
        // How many letters it keeps the engine looks after.
        Target::Text if has_length(data_type) => build::cast(as_text(inner), data_type.clone()),
        Target::Text => as_text(inner),
        Target::Oid => call("envoi_oid", vec![(**inner).clone()]),
        Target::Array(element) => match array(inner, &element) {
            Some(array) => array,
            None => return,
        },
        Target::Own(other) => build::cast((**inner).clone(), other),
        Target::Same => return,
    };
    *expr = replaced;
}

/// Bytes that are written out, `'\x00ff'` or with escapes, which the engine takes for those of the text.
fn bytes(inner: &Expr, data_type: &DataType) -> Option<Expr> {
    let wanted = match data_type {
        DataType::Bytea => true,
        DataType::Custom(name, _) => last(name) == "bytea",
        _ => false,
    };
    let text = literal(inner).filter(|_| wanted)?;
    let hex: String = match text.strip_prefix("\\x") {
        Some(hex) => hex.chars().filter(|c| !c.is_whitespace()).collect(),
        None => {
            let mut all = String::new();
            let mut rest = text.bytes();
            while let Some(byte) = rest.next() {
                let byte = match byte {
                    b'\\' => match rest.next()? {
                        b'\\' => b'\\',
                        first => {
                            let digits = [first, rest.next()?, rest.next()?];
                            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 8).ok()?
                        }
                    },
                    byte => byte,
                };
                all.push_str(&format!("{byte:02x}"));
            }
            all
        }
    };
    let whole = hex.len().is_multiple_of(2) && hex.bytes().all(|b| b.is_ascii_hexdigit());
    whole.then(|| Expr::value(Value::HexStringLiteral(hex)))
}

/// A parameter that is cast gets a type of the engine first, by which the client is told what to send.
fn parameter(inner: &mut Expr, data_type: &DataType) {
    if !matches!(inner, Expr::Value(v) if matches!(v.value, Value::Placeholder(_))) {
        return;
    }
    let data_type = match target(data_type) {
        Target::Registered(_) => DataType::Text,
        Target::Oid => DataType::BigInt(None),
        Target::Array(element) => {
            let element = match target(&element) {
                Target::Registered(_) | Target::Text => DataType::Text,
                Target::Oid => DataType::BigInt(None),
                Target::Own(own) => own,
                _ => element,
            };
            DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(element), None))
        }
        _ => return,
    };
    *inner = build::cast(inner.clone(), data_type);
}

/// What a cast's type is.
enum Target {
    Registered(String),
    Oid,
    Text,
    Array(DataType),
    /// A type of the engine by another name.
    Own(DataType),
    Same,
}

fn has_length(data_type: &DataType) -> bool {
    use DataType::{Char, CharVarying, Character, CharacterVarying, Varchar};
    matches!(
        data_type,
        Char(Some(_)) | CharVarying(Some(_)) | Character(Some(_)) | CharacterVarying(Some(_)) | Varchar(Some(_))
    )
}

fn target(data_type: &DataType) -> Target {
    if is_text(data_type) {
        return Target::Text;
    }
    match data_type {
        DataType::Regclass => Target::Registered("envoi_regclass".to_owned()),
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _)) => Target::Array((**element).clone()),
        DataType::JSON | DataType::JSONB | DataType::Uuid => Target::Text,
        DataType::Custom(name, modifiers) => custom(&last(name), modifiers),
        _ => Target::Same,
    }
}

fn custom(name: &str, modifiers: &[String]) -> Target {
    if let Some((_, function)) = REGISTERED.iter().find(|(n, _)| *n == name) {
        // Functions and operators have two ways to be written: with their arguments, and without.
        return Target::Registered(match name {
            "regprocedure" => "envoi_regprocedure".to_owned(),
            "regoperator" => "envoi_regoperator".to_owned(),
            _ => (*function).to_owned(),
        });
    }
    match name {
        "oid" | "xid" | "cid" => Target::Oid,
        "int2" | "smallint" => Target::Own(DataType::SmallInt(None)),
        "int4" | "integer" | "int" | "cardinal_number" => Target::Own(DataType::Integer(None)),
        "int8" | "bigint" | "xid8" => Target::Own(DataType::BigInt(None)),
        "float4" | "real" => Target::Own(DataType::Real),
        "float8" => Target::Own(DataType::DoublePrecision),
        "bool" | "boolean" => Target::Own(DataType::Boolean),
        "numeric" | "decimal" => Target::Own(DataType::Numeric(match modifiers {
            [p, s] => match (p.parse(), s.parse()) {
                (Ok(p), Ok(s)) => ExactNumberInfo::PrecisionAndScale(p, s),
                _ => ExactNumberInfo::None,
            },
            _ => ExactNumberInfo::None,
        })),
        "date" => Target::Own(DataType::Date),
        "timestamp" => Target::Own(DataType::Timestamp(None, envoi::sqlparser::ast::TimezoneInfo::None)),
        "timestamptz" | "time_stamp" => {
            Target::Own(DataType::Timestamp(None, envoi::sqlparser::ast::TimezoneInfo::WithTimeZone))
        }
        "interval" => Target::Own(DataType::Interval { fields: None, precision: None }),
        "bytea" => Target::Own(DataType::Bytea),
        "int2vector" => Target::Array(DataType::SmallInt(None)),
        "oidvector" => Target::Array(DataType::BigInt(None)),
        "_text" | "_varchar" | "_name" | "_bpchar" | "_char" => Target::Array(DataType::Text),
        "_oid" | "_int8" => Target::Array(DataType::BigInt(None)),
        "_int4" => Target::Array(DataType::Integer(None)),
        "_int2" => Target::Array(DataType::SmallInt(None)),
        _ => Target::Same,
    }
}

/// Whether a function is a cast to a type that stands for an oid.
pub(super) fn is_registered(name: &str) -> bool {
    name.starts_with("envoi_reg") && !name.ends_with("_name")
}

/// One cast after another: `x::regclass::regtype` has the same oid.
fn registered(inner: &Expr, function: String) -> Expr {
    match called(inner) {
        Some((name, arguments)) if is_registered(&name) => call(&function, arguments.into_iter().cloned().collect()),
        _ => call(&function, vec![inner.clone()]),
    }
}

/// Turns a cast to what stands for an oid to its name; the answer is what the cast was to.
pub(super) fn to_name(expr: &mut Expr) -> Option<String> {
    let name = called(expr).map(|(name, _)| name).filter(|n| is_registered(n))?;
    if let Expr::Function(function) = expr
        && let Some(ObjectNamePart::Identifier(last)) = function.name.0.last_mut()
    {
        last.value = format!("{name}_name");
    }
    Some(name)
}

/// The name of what an oid stands for, where it is cast to text.
fn as_text(inner: &Expr) -> Expr {
    let mut named = inner.clone();
    match to_name(&mut named) {
        Some(_) => named,
        None if matches!(inner, Expr::Value(v) if matches!(v.value, Value::SingleQuotedString(_))) => inner.clone(),
        None => build::cast(inner.clone(), DataType::Text),
    }
}

/// An array's literal as an array; a cast of an array to another kind of array is left out where both are of texts,
/// or of whole numbers.
fn array(inner: &Expr, element: &DataType) -> Option<Expr> {
    let text = matches!(target(element), Target::Text | Target::Registered(_));
    if let Some(literal) = literal(inner) {
        let elements = elements(literal)?;
        if elements.is_empty() {
            return Some(build::no_texts());
        }
        let value = |e: Option<String>| match e {
            None => build::null(),
            Some(word) if text => build::text(&word),
            Some(word) if word.parse::<i64>().is_ok() => match word.strip_prefix('-') {
                Some(digits) => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(build::number(digits)) },
                None => build::number(&word),
            },
            Some(word) => build::cast(build::text(&word), element.clone()),
        };
        let array = build::array(elements.into_iter().map(value).collect());
        // The engine takes whole numbers for the largest there are.
        let of = match target(element) {
            Target::Own(own) => own,
            Target::Same => element.clone(),
            _ => return Some(array),
        };
        return Some(build::cast(array, DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(of), None))));
    }
    let whole = matches!(element, DataType::SmallInt(_) | DataType::Int2(_) | DataType::Int4(_) | DataType::Int8(_))
        || matches!(
            target(element),
            Target::Oid | Target::Own(DataType::SmallInt(_) | DataType::Integer(_) | DataType::BigInt(_))
        );
    if let (Expr::Array(_), Target::Own(_) | Target::Same) = (inner, target(element)) {
        let of = match target(element) {
            Target::Own(own) => own,
            _ => element.clone(),
        };
        return Some(build::cast(inner.clone(), DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(of), None))));
    }
    (text || whole).then(|| inner.clone())
}
