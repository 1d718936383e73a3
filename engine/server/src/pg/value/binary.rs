//! Values in binary.

use std::net::IpAddr;

use super::column::{Body, Column};
use super::interval::Span;
use super::out::Out;
use super::style::Style;
use super::text::{INFINITE_DATE, MINUS_INFINITE_DATE, first, too_far};
use super::time::{EPOCH_DAYS, EPOCH_MICROS};
use super::{array, decode};
use crate::pg::error::{DATETIME_FIELD_OVERFLOW, FEATURE_NOT_SUPPORTED, NUMERIC_VALUE_OUT_OF_RANGE, PgError, Result};

/// What comes before the text of a `jsonb`: the version of its form.
const JSONB_VERSION: u8 = 1;

impl Column<'_> {
    /// Writes the value of a row that is not null in binary; the style is of text inside it.
    #[inline]
    pub(super) fn binary(&self, i: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
        match &self.body {
            Body::Int8(values) => out.put_array(values.get(i).to_be_bytes()),
            Body::Float8(values) => out.put_array(values[i].to_be_bytes()),
            Body::Text(values) => out.put(values.get(i)),
            _ => return self.other_binary(i, style, out),
        }
        Ok(())
    }

    fn other_binary(&self, i: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
        match &self.body {
            Body::Null | Body::Void => {}
            Body::Bool(values) => out.byte(u8::from(values.value(i))),
            Body::Int2(values) => {
                let narrow = i16::try_from(values.get(i)).map_err(|_| out_of_range("smallint", values.get(i)))?;
                out.put_array(narrow.to_be_bytes());
            }
            Body::Int4(values) => {
                let narrow = i32::try_from(values.get(i)).map_err(|_| out_of_range("integer", values.get(i)))?;
                out.put_array(narrow.to_be_bytes());
            }
            Body::Oid(values) => out.put_array((values.get(i) as u32).to_be_bytes()),
            Body::Int8(values) | Body::Xid8(values) | Body::Lsn(values) => out.put_array(values.get(i).to_be_bytes()),
            Body::Half(values) => out.put_array(values[i].to_f32().to_be_bytes()),
            Body::Float4(values) => out.put_array(values[i].to_be_bytes()),
            Body::Float8(values) => out.put_array(values[i].to_be_bytes()),
            Body::Numeric(values) => {
                let (negative, digits, scale) = values.get(i);
                digits.binary(negative, scale, out);
            }
            Body::Text(values) | Body::JsonText(values) | Body::Bytea(values) | Body::Uuid(values) => {
                out.put(values.get(i));
            }
            Body::OidName(values) => out.put_array(name_as_oid(values.get(i))?.to_be_bytes()),
            Body::LongText(values) => out.put_array(long(values.get(i))?.to_be_bytes()),
            Body::Jsonb(values) => {
                out.byte(JSONB_VERSION);
                out.put(values.get(i));
            }
            Body::Char(values) => out.byte(first(values, i)),
            Body::CharCode(values) => out.byte(values.get(i) as u8),
            Body::UuidText(values) => out.put_array(decode::uuid_bytes(&String::from_utf8_lossy(values.get(i)))?),
            Body::Inet(values) => inet(values.get(i), out)?,
            Body::Date(values) => out.put_array(date(values.days(i))?.to_be_bytes()),
            Body::Time(values) => out.put_array(values.micros(i).ok_or_else(too_far)?.to_be_bytes()),
            Body::Timestamp(values) | Body::Timestamptz(values) => {
                out.put_array(timestamp(values.micros(i).ok_or_else(too_far)?)?.to_be_bytes());
            }
            Body::Interval(values) => {
                let Span { months, days, micros } = values.get(i).ok_or_else(too_far)?;
                out.put_array(micros.to_be_bytes());
                out.put_array(days.to_be_bytes());
                out.put_array(months.to_be_bytes());
            }
            Body::List(list) => array::binary(list, i, style, out)?,
            Body::Vector(list) => array::vector_binary(list, i, style, out)?,
            Body::Struct(_) | Body::Map { .. } => self.json(i, style, out)?,
            Body::Json { value, jsonb } => {
                if *jsonb {
                    out.byte(JSONB_VERSION);
                }
                value.json(i, style, out)?;
            }
            Body::Union { mixed: true, .. } => self.text(i, style, out)?,
            Body::Dictionary { .. } | Body::Runs { .. } | Body::Union { .. } => {
                if let Some((inner, at)) = self.inner(i) {
                    inner.binary(at, style, out)?;
                }
            }
        }
        Ok(())
    }
}

fn out_of_range(name: &str, value: i64) -> PgError {
    PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, format!("value \"{value}\" is out of range for type {name}"))
}

fn date(days: i64) -> Result<i32> {
    let shifted = match days {
        INFINITE_DATE | MINUS_INFINITE_DATE => days,
        _ => days - EPOCH_DAYS,
    };
    i32::try_from(shifted)
        .map_err(|_| PgError::new(DATETIME_FIELD_OVERFLOW, format!("date out of range: {days} days since 1970-01-01")))
}

fn timestamp(micros: i64) -> Result<i64> {
    match micros {
        i64::MIN | i64::MAX => Ok(micros),
        _ => micros.checked_sub(EPOCH_MICROS).ok_or_else(|| {
            let message = format!("timestamp out of range: {micros} microseconds since 1970-01-01");
            PgError::new(DATETIME_FIELD_OVERFLOW, message)
        }),
    }
}

/// The names of a catalogue's objects are not looked up here: only numbers have a binary form.
fn name_as_oid(name: &[u8]) -> Result<u32> {
    let number = std::str::from_utf8(name).ok().and_then(|name| if name == "-" { Some(0) } else { name.parse().ok() });
    number.ok_or_else(|| {
        let name = String::from_utf8_lossy(name);
        PgError::new(FEATURE_NOT_SUPPORTED, format!("\"{name}\" has no oid to send in binary; ask for text"))
    })
}

/// `xid8` or `pg_lsn` by its text.
fn long(text: &[u8]) -> Result<u64> {
    let text = String::from_utf8_lossy(text);
    let number = match text.split_once('/') {
        None => text.parse().ok(),
        Some((high, low)) => match (u32::from_str_radix(high, 16), u32::from_str_radix(low, 16)) {
            (Ok(high), Ok(low)) => Some(u64::from(high) << 32 | u64::from(low)),
            _ => None,
        },
    };
    number.ok_or_else(|| decode::invalid_syntax("pg_lsn", &text))
}

/// Family, bits of the mask, whether it is a `cidr`, length and address.
fn inet(text: &[u8], out: &mut Out<'_>) -> Result<()> {
    let text = String::from_utf8_lossy(text);
    let (address, bits) = text.split_once('/').map_or((text.as_ref(), None), |(address, bits)| (address, Some(bits)));
    let invalid = || decode::invalid_syntax("inet", &text);
    let address: IpAddr = address.parse().map_err(|_| invalid())?;
    let full = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Ok(full), str::parse::<u8>).map_err(|_| invalid())?;
    if bits > full {
        return Err(invalid());
    }
    match address {
        IpAddr::V4(address) => {
            out.put_array([2, bits, 0, 4]);
            out.put_array(address.octets());
        }
        IpAddr::V6(address) => {
            out.put_array([3, bits, 0, 16]);
            out.put_array(address.octets());
        }
    }
    Ok(())
}
