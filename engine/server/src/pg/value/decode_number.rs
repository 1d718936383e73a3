//! Numbers from parameters.

use arrow::datatypes::i256;
use datafusion_common::ScalarValue;

use super::decode::{invalid_binary, invalid_syntax, sized, trimmed};
use crate::pg::error::{INVALID_PARAMETER_VALUE, NUMERIC_VALUE_OUT_OF_RANGE, PgError, Result};

/// The most digits behind the point that a decimal of a parameter has.
const MAX_SCALE: usize = 38;
const MAX_DIGITS: usize = 76;

pub(super) fn text(oid: u32, text: &str) -> Result<ScalarValue> {
    Ok(match oid {
        20 => ScalarValue::Int64(Some(integer(text, "bigint", i64::MIN, i64::MAX)?)),
        21 => ScalarValue::Int16(Some(integer(text, "smallint", i16::MIN.into(), i16::MAX.into())? as i16)),
        23 => ScalarValue::Int32(Some(integer(text, "integer", i32::MIN.into(), i32::MAX.into())? as i32)),
        26 => {
            // Negative ones are the same bits, unsigned.
            let number = integer(text, "oid", i32::MIN.into(), u32::MAX.into())?;
            ScalarValue::Int64(Some(i64::from(number as u32)))
        }
        700 => {
            let value: f32 = float(text, "real")?;
            check_range(text, "real", value.is_infinite(), value == 0.0)?;
            ScalarValue::Float32(Some(value))
        }
        701 => {
            let value: f64 = float(text, "double precision")?;
            check_range(text, "double precision", value.is_infinite(), value == 0.0)?;
            ScalarValue::Float64(Some(value))
        }
        _ => numeric(text)?,
    })
}

pub(super) fn binary(oid: u32, bytes: &[u8]) -> Result<ScalarValue> {
    Ok(match oid {
        20 => ScalarValue::Int64(Some(i64::from_be_bytes(sized(bytes)?))),
        21 => ScalarValue::Int16(Some(i16::from_be_bytes(sized(bytes)?))),
        23 => ScalarValue::Int32(Some(i32::from_be_bytes(sized(bytes)?))),
        26 => ScalarValue::Int64(Some(u32::from_be_bytes(sized(bytes)?).into())),
        700 => ScalarValue::Float32(Some(f32::from_be_bytes(sized(bytes)?))),
        701 => ScalarValue::Float64(Some(f64::from_be_bytes(sized(bytes)?))),
        _ => numeric_binary(bytes)?,
    })
}

/// Brings decimals to one scale, so that one array can hold them: the greatest that any has.
pub(super) fn unify(values: &mut [ScalarValue]) -> Result<()> {
    let parts = |value: &ScalarValue| match value {
        ScalarValue::Decimal128(value, _, scale) => Some((value.map(i256::from_i128), *scale)),
        ScalarValue::Decimal256(value, _, scale) => Some((*value, *scale)),
        _ => None,
    };
    let present = values.iter().filter_map(parts).filter(|(value, _)| value.is_some());
    let Some(scale) = present.map(|(_, scale)| scale).max() else { return Ok(()) };
    let rescaled = values.iter().filter_map(parts).map(|(value, from)| {
        let Some(value) = value else { return Ok(None) };
        let power = i256::from_i128(10).checked_pow((scale - from).unsigned_abs().into());
        let scaled = power.and_then(|power| value.checked_mul(power)).filter(|scaled| fits(*scaled, MAX_DIGITS));
        scaled.map(Some).ok_or_else(too_many_digits)
    });
    let rescaled: Vec<Option<i256>> = rescaled.collect::<Result<_>>()?;
    let narrow = rescaled.iter().flatten().all(|value| fits(*value, 38));
    for (to, value) in values.iter_mut().zip(rescaled) {
        *to = if narrow {
            ScalarValue::Decimal128(value.map(i256::as_i128), 38, scale)
        } else {
            ScalarValue::Decimal256(value, MAX_DIGITS as u8, scale)
        };
    }
    Ok(())
}

fn integer(text: &str, name: &str, least: i64, most: i64) -> Result<i64> {
    let bare = trimmed(text);
    let digits = bare.strip_prefix(['+', '-']).unwrap_or(bare);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid_syntax(name, text));
    }
    let number = bare.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, format!("value \"{text}\" is out of range for type {name}"))
    })
}

fn float<T: std::str::FromStr>(text: &str, name: &str) -> Result<T> {
    trimmed(text).parse().map_err(|_| invalid_syntax(name, text))
}

/// An infinity or a zero that the text does not say is a number out of range.
fn check_range(text: &str, name: &str, infinite: bool, zero: bool) -> Result<()> {
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let says_infinity = text.contains(['i', 'I']);
    let says_zero = !mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    if (infinite && !says_infinity) || (zero && !says_zero) {
        let message = format!("\"{}\" is out of range for type {name}", trimmed(text));
        return Err(PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, message));
    }
    Ok(())
}

fn numeric(text: &str) -> Result<ScalarValue> {
    let invalid = || invalid_syntax("numeric", text);
    let bare = trimmed(text);
    let unsigned = bare.strip_prefix(['+', '-']).unwrap_or(bare);
    if ["nan", "infinity", "inf"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return Err(not_finite(bare));
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        None => (unsigned, 0),
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(invalid());
            }
            (mantissa, exponent.parse::<i32>().map_err(|_| too_many_digits())?)
        }
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(invalid());
    }
    let scale = i64::try_from(fraction.len()).map_err(|_| too_many_digits())? - i64::from(exponent);
    from_digits(bare.starts_with('-'), digits, scale)
}

/// Count of groups, weight of the first, sign, digits behind the point, groups of four digits.
fn numeric_binary(bytes: &[u8]) -> Result<ScalarValue> {
    let mut words = bytes.chunks(2).map(|word| sized::<2>(word).map(u16::from_be_bytes));
    let mut word = || words.next().unwrap_or_else(|| Err(invalid_binary()));
    let (count, weight, sign, scale) = (word()?, word()? as i16, word()?, word()?);
    let negative = match sign {
        0 => false,
        0x4000 => true,
        0xC000 => return Err(not_finite("NaN")),
        0xD000 => return Err(not_finite("Infinity")),
        0xF000 => return Err(not_finite("-Infinity")),
        _ => return Err(invalid_binary()),
    };
    if bytes.len() != 8 + 2 * usize::from(count) || scale > 0x3fff {
        return Err(invalid_binary());
    }
    let mut digits = Vec::with_capacity(4 * usize::from(count));
    for group in words {
        let group = group?;
        if group > 9999 {
            return Err(invalid_binary());
        }
        digits.extend([1000, 100, 10, 1].map(|power| b'0' + (group / power % 10) as u8));
    }
    // As many digits behind the point as it says, whatever the groups hold.
    let (scale, held) = (i64::from(scale), 4 * (i64::from(count) - 1 - i64::from(weight)));
    let superfluous = usize::try_from(held - scale).unwrap_or(0).min(digits.len());
    digits.truncate(digits.len() - superfluous);
    let kept = held - superfluous as i64;
    if digits.iter().all(|digit| *digit == b'0') {
        return from_digits(negative, Vec::new(), scale);
    }
    if scale > MAX_SCALE as i64 {
        // The zeros up to there would be taken off again.
        return from_digits(negative, digits, kept);
    }
    let missing = usize::try_from(scale - kept).unwrap_or(0);
    if missing > MAX_DIGITS {
        return Err(too_many_digits());
    }
    digits.extend(std::iter::repeat_n(b'0', missing));
    from_digits(negative, digits, kept + missing as i64)
}

/// A decimal of 38 digits where they are enough, else of 76.
fn from_digits(negative: bool, mut digits: Vec<u8>, mut scale: i64) -> Result<ScalarValue> {
    let leading = digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
    digits.drain(..leading);
    if digits.is_empty() {
        return Ok(ScalarValue::Decimal128(Some(0), 38, scale.clamp(0, MAX_SCALE as i64) as i8));
    }
    while scale > MAX_SCALE as i64 && digits.last() == Some(&b'0') {
        digits.pop();
        scale -= 1;
    }
    if scale > MAX_SCALE as i64 {
        let message = format!("numeric value has more than {MAX_SCALE} digits behind the point");
        return Err(PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, message));
    }
    if scale < 0 {
        let zeros = usize::try_from(scale.unsigned_abs()).unwrap_or(usize::MAX);
        if zeros > MAX_DIGITS {
            return Err(too_many_digits());
        }
        digits.extend(std::iter::repeat_n(b'0', zeros));
        scale = 0;
    }
    if digits.len() > MAX_DIGITS {
        return Err(too_many_digits());
    }
    let ten = i256::from_i128(10);
    let size = digits.iter().fold(i256::ZERO, |number, digit| {
        number.wrapping_mul(ten).wrapping_add(i256::from_i128(i128::from(digit - b'0')))
    });
    let number = if negative { size.wrapping_neg() } else { size };
    Ok(match digits.len() {
        0..=38 => ScalarValue::Decimal128(Some(number.as_i128()), 38, scale as i8),
        _ => ScalarValue::Decimal256(Some(number), MAX_DIGITS as u8, scale as i8),
    })
}

fn fits(value: i256, digits: usize) -> bool {
    let bound = i256::from_i128(10).checked_pow(digits as u32);
    bound.is_some_and(|bound| value < bound && value > bound.wrapping_neg())
}

fn too_many_digits() -> PgError {
    let message = format!("numeric value has more than {MAX_DIGITS} digits, the most that are supported");
    PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, message)
}

fn not_finite(text: &str) -> PgError {
    let message = format!("numeric {text} is not supported; decimals here are finite");
    PgError::new(INVALID_PARAMETER_VALUE, message).with_hint("Use double precision for NaN and Infinity.")
}
