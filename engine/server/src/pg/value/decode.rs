//! Parameters: the values of a `Bind` message.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use serde::de::IgnoredAny;

use super::types::{arrow_type, element_of};
use super::{Format, Style, decode_array, decode_interval, decode_number, decode_time};
use crate::pg::error::{
    CHARACTER_NOT_IN_REPERTOIRE, FEATURE_NOT_SUPPORTED, INVALID_BINARY_REPRESENTATION, INVALID_PARAMETER_VALUE,
    INVALID_TEXT_REPRESENTATION, PgError, Result,
};

/// A parameter from `Bind`; `None` is null, of the type that the oid names.
///
/// An oid that is not known is text where it comes as text, and an error (0A000) in binary.
pub(crate) fn decode(oid: u32, format: Format, bytes: Option<&[u8]>, style: &Style) -> Result<ScalarValue> {
    let Some(bytes) = bytes else { return Ok(null(&arrow_type(oid).unwrap_or(DataType::Utf8))) };
    if let Some(element) = element_of(oid).filter(|_| arrow_type(oid).is_some()) {
        return match format {
            Format::Text => decode_array::text(element, utf8(bytes)?, style),
            Format::Binary => decode_array::binary(element, bytes, style),
        };
    }
    match format {
        Format::Text => text(oid, utf8(bytes)?, style),
        Format::Binary => binary(oid, bytes),
    }
}

/// `invalid input syntax for type integer: "abc"`.
pub(super) fn invalid_syntax(name: &str, text: &str) -> PgError {
    PgError::new(INVALID_TEXT_REPRESENTATION, format!("invalid input syntax for type {name}: \"{text}\""))
}

/// Bytes that are none of a type's binary form.
pub(super) fn invalid_binary() -> PgError {
    PgError::new(INVALID_BINARY_REPRESENTATION, "incorrect binary data format in bind parameter")
}

/// Bytes of a type's exact size.
pub(super) fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| invalid_binary())
}

/// Without the blanks around it: those that C's `isspace` knows.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c'])
}

/// The sixteen bytes of a UUID: hexadecimal, with or without braces and with hyphens between any groups of four digits.
pub(super) fn uuid_bytes(text: &str) -> Result<[u8; 16]> {
    let invalid = || invalid_syntax("uuid", text);
    let bare = text.strip_prefix('{').map_or(Some(text), |rest| rest.strip_suffix('}')).ok_or_else(invalid)?;
    let mut digits = 0;
    let mut bytes = [0; 16];
    let mut after_hyphen = false;
    for byte in bare.bytes() {
        if byte == b'-' && digits > 0 && digits < 32 && digits % 4 == 0 && !after_hyphen {
            after_hyphen = true;
            continue;
        }
        let digit = char::from(byte).to_digit(16).ok_or_else(invalid)?;
        let to = bytes.get_mut(digits / 2).ok_or_else(invalid)?;
        *to = *to << 4 | digit as u8;
        digits += 1;
        after_hyphen = false;
    }
    if digits == 32 && !after_hyphen { Ok(bytes) } else { Err(invalid()) }
}

/// A null of an Arrow type.
pub(super) fn null(data_type: &DataType) -> ScalarValue {
    ScalarValue::try_from(data_type).unwrap_or(ScalarValue::Utf8(None))
}

fn text(oid: u32, text: &str, style: &Style) -> Result<ScalarValue> {
    Ok(match oid {
        16 => ScalarValue::Boolean(Some(boolean(text)?)),
        17 => ScalarValue::Binary(Some(bytea(text)?)),
        18 => string(char_from(text)?),
        20 | 21 | 23 | 26 | 700 | 701 | 1700 => return decode_number::text(oid, text),
        114 | 3802 => {
            json(text)?;
            string(text)
        }
        1082 | 1083 | 1114 | 1184 => return decode_time::text(oid, text, style),
        1186 => ScalarValue::IntervalMonthDayNano(Some(decode_interval::text(text, style)?)),
        2950 => string(hyphenated(uuid_bytes(trimmed(text))?)),
        _ => string(text),
    })
}

fn binary(oid: u32, bytes: &[u8]) -> Result<ScalarValue> {
    Ok(match oid {
        16 => ScalarValue::Boolean(Some(sized::<1>(bytes)? != [0])),
        17 => ScalarValue::Binary(Some(bytes.to_vec())),
        18 => match sized::<1>(bytes)? {
            [0] => string(""),
            byte => string(utf8(&byte)?),
        },
        19 | 25 | 705 | 1042 | 1043 => string(utf8(bytes)?),
        20 | 21 | 23 | 26 | 700 | 701 | 1700 => return decode_number::binary(oid, bytes),
        114 => {
            json(utf8(bytes)?)?;
            string(utf8(bytes)?)
        }
        3802 => {
            let Some((1, text)) = bytes.split_first() else { return Err(invalid_binary()) };
            json(utf8(text)?)?;
            string(utf8(text)?)
        }
        1082 | 1083 | 1114 | 1184 => return decode_time::binary(oid, bytes),
        1186 => ScalarValue::IntervalMonthDayNano(Some(decode_interval::binary(bytes)?)),
        2950 => string(hyphenated(sized(bytes)?)),
        _ => {
            let message = format!("a parameter of the type with oid {oid} cannot be read in binary");
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, message).with_hint("Send it as text, or as another type."));
        }
    })
}

fn string(text: impl Into<String>) -> ScalarValue {
    ScalarValue::Utf8(Some(text.into()))
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    let invalid = |byte: u8| {
        let message = format!("invalid byte sequence for encoding \"UTF8\": 0x{byte:02x}");
        PgError::new(CHARACTER_NOT_IN_REPERTOIRE, message)
    };
    if bytes.contains(&0) {
        return Err(invalid(0));
    }
    std::str::from_utf8(bytes).map_err(|error| invalid(bytes.get(error.valid_up_to()).copied().unwrap_or(0)))
}

/// Any unambiguous beginning of true, false, yes, no, on and off, in any case, and 1 and 0.
fn boolean(text: &str) -> Result<bool> {
    let word = trimmed(text).to_ascii_lowercase();
    let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
    if begins("true", 1) || begins("yes", 1) || begins("on", 2) || word == "1" {
        return Ok(true);
    }
    if begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0" {
        return Ok(false);
    }
    Err(invalid_syntax("boolean", text))
}

/// The first byte, or what `\101` says in octal; those beyond ASCII are no text.
fn char_from(text: &str) -> Result<&str> {
    match text.as_bytes() {
        [b'\\', b'0'..=b'3', b'0'..=b'7', b'0'..=b'7'] => {
            Err(PgError::new(FEATURE_NOT_SUPPORTED, format!("\"char\" {text} is beyond ASCII, which is not supported")))
        }
        _ => match text.get(..1) {
            None if !text.is_empty() => {
                let message = format!("\"char\" {text} is beyond ASCII, which is not supported");
                Err(PgError::new(FEATURE_NOT_SUPPORTED, message))
            }
            first => Ok(first.unwrap_or("")),
        },
    }
}

/// `\x` and hexadecimal digits, or the older form: bytes, with `\\` and octal `\001`.
fn bytea(text: &str) -> Result<Vec<u8>> {
    if let Some(digits) = text.strip_prefix("\\x") {
        return hex(digits);
    }
    let invalid = || PgError::new(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => {
                bytes.push(b'\\');
                after
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            (b'\\', _) => return Err(invalid()),
            (byte, after) => {
                bytes.push(*byte);
                after
            }
        };
    }
    Ok(bytes)
}

/// Pairs of hexadecimal digits, with blanks between pairs.
fn hex(digits: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut high: Option<u32> = None;
    for letter in digits.chars() {
        if high.is_none() && matches!(letter, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        let Some(digit) = letter.to_digit(16) else {
            return Err(PgError::new(INVALID_PARAMETER_VALUE, format!("invalid hexadecimal digit: \"{letter}\"")));
        };
        match high.take() {
            None => high = Some(digit),
            Some(high) => bytes.push((high << 4 | digit) as u8),
        }
    }
    match high {
        None => Ok(bytes),
        Some(_) => Err(PgError::new(INVALID_PARAMETER_VALUE, "invalid hexadecimal data: odd number of digits")),
    }
}

fn json(text: &str) -> Result<()> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| {
        let mut invalid = PgError::new(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json");
        invalid.detail = Some(error.to_string());
        invalid
    })?;
    Ok(())
}

fn hyphenated(bytes: [u8; 16]) -> String {
    let number = format!("{:032x}", u128::from_be_bytes(bytes));
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| number.get(range).unwrap_or(""));
    parts.join("-")
}
