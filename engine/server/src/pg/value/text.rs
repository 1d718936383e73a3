//! Values as text.

use super::column::{Body, Column};
use super::leaf::Bytes;
use super::out::Out;
use super::style::{Bytea, Style};
use super::{array, float, number, time};
use crate::pg::error::{DATETIME_FIELD_OVERFLOW, PgError, Result};

impl Column<'_> {
    /// Writes the value of a row that is not null as text.
    #[inline]
    pub(super) fn text(&self, i: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
        match &self.body {
            Body::Int8(values) => number::signed(values.get(i), out),
            Body::Float8(values) => float::float8(values[i], style.extra_float_digits, out),
            Body::Text(values) => out.put(values.get(i)),
            _ => return self.other_text(i, style, out),
        }
        Ok(())
    }

    fn other_text(&self, i: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
        match &self.body {
            Body::Null | Body::Void => {}
            Body::Bool(values) => out.byte(if values.value(i) { b't' } else { b'f' }),
            Body::Int2(values) | Body::Int4(values) | Body::Int8(values) => number::signed(values.get(i), out),
            // Four unsigned bytes, whatever integers they are kept in.
            Body::Oid(values) => number::unsigned(u64::from(values.get(i) as u32), out),
            Body::Xid8(values) => number::unsigned(values.get(i) as u64, out),
            Body::Lsn(values) => {
                let lsn = values.get(i) as u64;
                out.put(format!("{:X}/{:X}", lsn >> 32, lsn as u32).as_bytes());
            }
            Body::Half(values) => float::float4(values[i].to_f32(), style.extra_float_digits, out),
            Body::Float4(values) => float::float4(values[i], style.extra_float_digits, out),
            Body::Float8(values) => float::float8(values[i], style.extra_float_digits, out),
            Body::Numeric(values) => {
                let (negative, digits, scale) = values.get(i);
                digits.text(negative, scale, out);
            }
            Body::Text(values) | Body::OidName(values) | Body::LongText(values) | Body::UuidText(values) => {
                out.put(values.get(i));
            }
            Body::JsonText(values) | Body::Jsonb(values) | Body::Inet(values) => out.put(values.get(i)),
            Body::Char(values) => char_text(first(values, i), out),
            Body::CharCode(values) => char_text(values.get(i) as u8, out),
            Body::Bytea(values) => bytea(values.get(i), style.bytea, out),
            Body::Uuid(values) => uuid(values.get(i), out),
            Body::Date(values) => match values.days(i) {
                INFINITE_DATE => out.put(b"infinity"),
                MINUS_INFINITE_DATE => out.put(b"-infinity"),
                days => time::date(days, style, out),
            },
            Body::Time(values) => time::time(values.micros(i).ok_or_else(too_far)?, out),
            Body::Timestamp(values) => {
                time::timestamp(values.micros(i).ok_or_else(too_far)?, false, style, out);
            }
            Body::Timestamptz(values) => {
                time::timestamp(values.micros(i).ok_or_else(too_far)?, true, style, out);
            }
            Body::Interval(values) => values.get(i).ok_or_else(too_far)?.text(style.interval_style, out),
            Body::List(list) => array::text(list, i, style, out)?,
            Body::Vector(list) => array::vector_text(list, i, style, out)?,
            Body::Struct(_) | Body::Map { .. } => self.json(i, style, out)?,
            Body::Json { value, .. } => value.json(i, style, out)?,
            Body::Dictionary { .. } | Body::Runs { .. } | Body::Union { .. } => {
                if let Some((inner, at)) = self.inner(i) {
                    inner.text(at, style, out)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a value's text is made of letters, digits and `+-.:` alone, so that nothing around
    /// it ever has to be quoted or escaped.
    pub(super) fn is_plain(&self) -> bool {
        matches!(
            self.body,
            Body::Bool(_)
                | Body::Int2(_)
                | Body::Int4(_)
                | Body::Int8(_)
                | Body::Oid(_)
                | Body::Xid8(_)
                | Body::Half(_)
                | Body::Float4(_)
                | Body::Float8(_)
                | Body::Numeric(_)
                | Body::Uuid(_)
                | Body::Time(_)
        )
    }
}

/// Dates at the ends of 32 bits are infinities.
pub(super) const INFINITE_DATE: i64 = i32::MAX as i64;
pub(super) const MINUS_INFINITE_DATE: i64 = i32::MIN as i64;

/// The one byte of a `"char"`; zero where there is none.
pub(super) fn first(values: &Bytes<'_>, i: usize) -> u8 {
    values.get(i).first().copied().unwrap_or(0)
}

pub(super) fn too_far() -> PgError {
    PgError::new(DATETIME_FIELD_OVERFLOW, "a time or interval of the result does not fit 64 bits of microseconds")
}

/// A byte beyond ASCII in octal, zero as nothing.
fn char_text(byte: u8, out: &mut Out<'_>) {
    match byte {
        0 => {}
        1..=0x7f => out.byte(byte),
        _ => out.put_array(octal(byte)),
    }
}

fn octal(byte: u8) -> [u8; 4] {
    [b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]
}

pub(super) fn bytea(bytes: &[u8], format: Bytea, out: &mut Out<'_>) {
    if format == Bytea::Hex {
        out.put(b"\\x");
        return hex(bytes, out);
    }
    for byte in bytes {
        match byte {
            b'\\' => out.put(b"\\\\"),
            0x20..=0x7e => out.byte(*byte),
            _ => out.put_array(octal(*byte)),
        }
    }
}

fn hex(bytes: &[u8], out: &mut Out<'_>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for (to, byte) in out.space(2 * bytes.len()).chunks_exact_mut(2).zip(bytes) {
        to.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

pub(super) fn uuid(bytes: &[u8], out: &mut Out<'_>) {
    for (at, part) in bytes.chunks(2).enumerate() {
        if matches!(at, 2..=5) {
            out.byte(b'-');
        }
        hex(part, out);
    }
}
