//! Arrays: lists of values, and lists of lists where they are rectangular.

use std::ops::Range;

use super::column::{Body, Column, List};
use super::out::Out;
use super::rows::patch_length;
use super::style::Style;
use crate::pg::error::{FEATURE_NOT_SUPPORTED, PROGRAM_LIMIT_EXCEEDED, PgError, Result};

/// `{1,NULL,"a b"}`, with more braces for more dimensions; `{}` of none.
pub(super) fn text(list: &List<'_>, i: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
    let range = list.ranges.get(i);
    if shape(list, range.clone())?.contains(&0) {
        out.put(b"{}");
        return Ok(());
    }
    braces(list, range, style, out)
}

/// Numbers with a space between them.
pub(super) fn vector_text(list: &List<'_>, i: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
    for (at, element) in list.ranges.get(i).enumerate() {
        if at > 0 {
            out.byte(b' ');
        }
        if list.elements.is_null(element) {
            return Err(null_in_vector());
        }
        list.elements.text(element, style, out)?;
    }
    Ok(())
}

/// Dimensions, whether there are nulls, the element type, sizes and lower bounds, elements.
pub(super) fn binary(list: &List<'_>, i: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
    let range = list.ranges.get(i);
    let mut sizes = shape(list, range.clone())?;
    if sizes.contains(&0) {
        sizes.clear();
    }
    out.put_array((sizes.len() as u32).to_be_bytes());
    let nulls = out.position();
    out.put_array([0; 4]);
    out.put_array(list.oid.to_be_bytes());
    for size in &sizes {
        let size = i32::try_from(*size).map_err(|_| too_long())?;
        out.put_array(size.to_be_bytes());
        out.put_array(1_i32.to_be_bytes());
    }
    if !sizes.is_empty() && elements(list, range, style, out)? {
        out.patch(nulls, 1_i32.to_be_bytes());
    }
    Ok(())
}

/// One dimension, counted from zero, even where it is empty.
pub(super) fn vector_binary(list: &List<'_>, i: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
    let range = list.ranges.get(i);
    let size = i32::try_from(range.len()).map_err(|_| too_long())?;
    for word in [1, 0, list.oid as i32, size, 0] {
        out.put_array(word.to_be_bytes());
    }
    if elements(list, range, style, out)? { Err(null_in_vector()) } else { Ok(()) }
}

/// Sizes of the dimensions, the outermost first; an error where lists within differ in theirs.
fn shape(list: &List<'_>, range: Range<usize>) -> Result<Vec<usize>> {
    let mut sizes = vec![range.len()];
    let Body::List(nested) = &list.elements.body else { return Ok(sizes) };
    let mut inner: Option<Vec<usize>> = None;
    for row in range {
        if list.elements.is_null(row) {
            return Err(ragged("a list in it is null"));
        }
        let found = shape(nested, nested.ranges.get(row))?;
        match &inner {
            Some(first) if *first != found => return Err(ragged("the lists in it differ in length")),
            Some(_) => {}
            None => inner = Some(found),
        }
    }
    sizes.extend(inner.unwrap_or_else(|| vec![0]));
    Ok(sizes)
}

fn braces(list: &List<'_>, range: Range<usize>, style: &Style, out: &mut Out<'_>) -> Result<()> {
    out.byte(b'{');
    let elements = &list.elements;
    let plain = elements.is_plain();
    let first = range.start;
    for row in range {
        if row > first {
            out.byte(b',');
        }
        if let Body::List(nested) = &elements.body {
            braces(nested, nested.ranges.get(row), style, out)?;
        } else if elements.is_null(row) {
            out.put(b"NULL");
        } else {
            let start = out.position();
            elements.text(row, style, out)?;
            if !plain && needs_quotes(out.since(start)) {
                out.rewrite(start, Some(b'"'), |byte| matches!(byte, b'"' | b'\\').then_some([b'\\', byte]));
            }
        }
    }
    out.byte(b'}');
    Ok(())
}

fn needs_quotes(text: &[u8]) -> bool {
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',' | b' ' | b'\t'..=b'\r');
    text.is_empty() || text.iter().any(special) || text.eq_ignore_ascii_case(b"null")
}

/// Length and bytes of each; gives whether any is null.
fn elements(list: &List<'_>, range: Range<usize>, style: &Style, out: &mut Out<'_>) -> Result<bool> {
    let mut nulls = false;
    for row in range {
        if let Body::List(nested) = &list.elements.body {
            nulls |= elements(nested, nested.ranges.get(row), style, out)?;
        } else {
            nulls |= list.elements.is_null(row);
            list.elements.binary_field(row, style, out)?;
        }
    }
    Ok(nulls)
}

impl Column<'_> {
    /// A value in binary behind its length; -1 where it is null.
    #[inline]
    pub(super) fn binary_field(&self, row: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
        if self.is_null(row) {
            out.put_array((-1_i32).to_be_bytes());
            return Ok(());
        }
        let length = out.position();
        out.put_array([0; 4]);
        self.binary(row, style, out)?;
        patch_length(out, length, length + 4)
    }

    /// A value as text behind its length; -1 where it is null.
    #[inline]
    pub(super) fn text_field(&self, row: usize, style: &Style, out: &mut Out<'_>) -> Result<()> {
        if self.is_null(row) {
            out.put_array((-1_i32).to_be_bytes());
            return Ok(());
        }
        let length = out.position();
        out.put_array([0; 4]);
        self.text(row, style, out)?;
        patch_length(out, length, length + 4)
    }
}

fn ragged(reason: &str) -> PgError {
    let message = format!("an array of several dimensions must be rectangular, but {reason}");
    PgError::new(FEATURE_NOT_SUPPORTED, message)
}

fn null_in_vector() -> PgError {
    PgError::new(FEATURE_NOT_SUPPORTED, "a vector of numbers cannot hold a null")
}

fn too_long() -> PgError {
    PgError::new(PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (2147483647)")
}
