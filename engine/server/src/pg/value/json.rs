//! Values as JSON: what structs and maps are sent as, and what is in them.

use super::column::{Body, Column};
use super::out::Out;
use super::style::{Bytea, Style};
use super::text::{bytea, too_far};
use super::{float, time};
use crate::pg::error::Result;

impl Column<'_> {
    /// Writes a value as JSON; null as `null`.
    pub(super) fn json(&self, i: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
        if self.is_null(i) {
            out.put(b"null");
            return Ok(());
        }
        let finite = match &self.body {
            Body::Half(values) => values[i].is_finite(),
            Body::Float4(values) => values[i].is_finite(),
            Body::Float8(values) => values[i].is_finite(),
            _ => true,
        };
        match &self.body {
            Body::Bool(values) => out.put(if values.value(i) { b"true" } else { b"false" }),
            Body::Half(values) if finite => float::float4(values[i].to_f32(), 1, out),
            Body::Float4(values) if finite => float::float4(values[i], 1, out),
            Body::Float8(values) if finite => float::float8(values[i], 1, out),
            Body::Int2(_) | Body::Int4(_) | Body::Int8(_) | Body::Oid(_) | Body::Numeric(_) => {
                self.text(i, style, out)?
            }
            Body::JsonText(values) | Body::Jsonb(values) => out.put(values.get(i)),
            Body::Json { value, .. } => value.json(i, style, out)?,
            Body::List(list) | Body::Vector(list) => {
                let range = list.ranges.get(i);
                out.byte(b'[');
                for row in range.clone() {
                    if row > range.start {
                        out.byte(b',');
                    }
                    list.elements.json(row, style, out)?;
                }
                out.byte(b']');
            }
            Body::Struct(fields) => {
                out.byte(b'{');
                for (at, (name, field)) in fields.iter().enumerate() {
                    if at > 0 {
                        out.byte(b',');
                    }
                    out.put(name);
                    field.json(i, style, out)?;
                }
                out.byte(b'}');
            }
            Body::Map { ranges, keys, values } => {
                let range = ranges.get(i);
                out.byte(b'{');
                for row in range.clone() {
                    if row > range.start {
                        out.byte(b',');
                    }
                    keys.key(row, style, out)?;
                    out.byte(b':');
                    values.json(row, style, out)?;
                }
                out.byte(b'}');
            }
            Body::Dictionary { .. } | Body::Runs { .. } | Body::Union { .. } => {
                if let Some((inner, at)) = self.inner(i) {
                    inner.json(at, style, out)?;
                }
            }
            _ => self.quoted(i, style, out)?,
        }
        Ok(())
    }

    /// A key of an object: always a string.
    fn key(&self, i: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
        let start = out.position();
        self.json(i, style, out)?;
        if out.since(start).first() != Some(&b'"') {
            escape(start, out);
        }
        Ok(())
    }

    /// What has no form of its own in JSON: a string of its text.
    fn quoted(&self, i: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
        let start = out.position();
        match &self.body {
            // Dates are ISO here, whatever the session prefers.
            Body::Date(_) => self.text(i, &Style::default(), out)?,
            Body::Timestamp(values) => time::iso_timestamp(values.micros(i).ok_or_else(too_far)?, false, style, out),
            Body::Timestamptz(values) => time::iso_timestamp(values.micros(i).ok_or_else(too_far)?, true, style, out),
            Body::Bytea(values) => bytea(values.get(i), Bytea::Hex, out),
            _ => self.text(i, style, out)?,
        }
        escape(start, out);
        Ok(())
    }
}

/// Makes a JSON string of what was written since `start`.
fn escape(start: usize, out: &mut Out<'_>) {
    let short = |byte: u8| match byte {
        b'"' | b'\\' => Some(byte),
        8 => Some(b'b'),
        b'\t' => Some(b't'),
        b'\n' => Some(b'n'),
        12 => Some(b'f'),
        b'\r' => Some(b'r'),
        _ => None,
    };
    let unnamed = |byte: &u8| *byte < 0x20 && short(*byte).is_none();
    if out.since(start).iter().any(unnamed) {
        // Rare enough for a copy: control characters without a letter take six bytes.
        let text = String::from_utf8_lossy(out.since(start)).into_owned();
        out.rewind(start);
        out.put(&serde_json::to_vec(&text).unwrap_or_default());
        return;
    }
    out.rewrite(start, Some(b'"'), |byte| short(byte).map(|letter| [b'\\', letter]));
}
