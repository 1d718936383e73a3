//! Arrays from parameters: of one dimension or none.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;

use super::decode::{decode, invalid_binary};
use super::types::arrow_type;
use super::{Format, Style, decode_number};
use crate::pg::error::{DATATYPE_MISMATCH, FEATURE_NOT_SUPPORTED, INVALID_TEXT_REPRESENTATION, PgError, Result};

/// `{1,NULL,"a b"}`, with or without bounds in front as in `[0:2]={1,2,3}`.
pub(super) fn text(element: u32, text: &str, style: &Style) -> Result<ScalarValue> {
    let mut values = Vec::new();
    for item in Reader::new(text)?.items()? {
        values.push(decode(element, Format::Text, item.as_deref().map(str::as_bytes), style)?);
    }
    list(element, values)
}

/// Dimensions, whether there are nulls, the element type, size and lower bound, elements.
pub(super) fn binary(element: u32, bytes: &[u8], style: &Style) -> Result<ScalarValue> {
    let mut rest = bytes;
    let (dimensions, nulls, sent) = (word(&mut rest)?, word(&mut rest)?, word(&mut rest)? as u32);
    // PostgreSQL's arrays have six dimensions at most.
    if !matches!(nulls, 0 | 1) || !(0..=6).contains(&dimensions) {
        return Err(invalid_binary());
    }
    if !compatible(element, sent) {
        let message =
            format!("an array of elements of oid {sent} came for a parameter whose elements have oid {element}");
        return Err(PgError::new(DATATYPE_MISMATCH, message));
    }
    if dimensions > 1 {
        return Err(several_dimensions());
    }
    let mut values = Vec::new();
    if dimensions == 1 {
        let (count, _lower) = (word(&mut rest)?, word(&mut rest)?);
        let count = usize::try_from(count).map_err(|_| invalid_binary())?;
        // Each takes at least the four bytes of its length.
        if count > rest.len() / 4 {
            return Err(invalid_binary());
        }
        for _ in 0..count {
            let value = match word(&mut rest)? {
                -1 => None,
                length => {
                    let length = usize::try_from(length).map_err(|_| invalid_binary())?;
                    let (value, after) = rest.split_at_checked(length).ok_or_else(invalid_binary)?;
                    rest = after;
                    Some(value)
                }
            };
            values.push(decode(element, Format::Binary, value, style)?);
        }
    }
    if !rest.is_empty() {
        return Err(invalid_binary());
    }
    list(element, values)
}

fn list(element: u32, mut values: Vec<ScalarValue>) -> Result<ScalarValue> {
    decode_number::unify(&mut values)?;
    let data_type = match values.first() {
        Some(value) => value.data_type(),
        None => arrow_type(element).unwrap_or(DataType::Utf8),
    };
    Ok(ScalarValue::List(ScalarValue::new_list_nullable(&values, &data_type)))
}

fn word(rest: &mut &[u8]) -> Result<i32> {
    let (word, after) = rest.split_first_chunk::<4>().ok_or_else(invalid_binary)?;
    *rest = after;
    Ok(i32::from_be_bytes(*word))
}

/// Whether elements that say they are of one type can be read as another: those of text can.
fn compatible(expected: u32, sent: u32) -> bool {
    let text = |oid: u32| matches!(oid, 19 | 25 | 705 | 1042 | 1043);
    expected == sent || (text(expected) && text(sent))
}

fn several_dimensions() -> PgError {
    PgError::new(FEATURE_NOT_SUPPORTED, "arrays of several dimensions are not supported as parameters")
}

/// The elements of an array's text.
struct Reader<'a> {
    whole: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Goes past the bounds, where there are any.
    fn new(whole: &'a str) -> Result<Self> {
        let mut reader = Self { whole, rest: whole };
        reader.blanks();
        if reader.rest.starts_with('[') {
            let (bounds, rest) = reader.rest.split_once('=').ok_or_else(|| reader.malformed())?;
            let bounds = bounds.trim_end().strip_prefix('[').and_then(|bounds| bounds.strip_suffix(']'));
            let bounds = bounds.ok_or_else(|| reader.malformed())?;
            if bounds.contains('[') {
                return Err(several_dimensions());
            }
            let (low, high) = bounds.split_once(':').unwrap_or(("1", bounds));
            if low.parse::<i32>().is_err() || high.parse::<i32>().is_err() {
                return Err(reader.malformed());
            }
            reader.rest = rest;
            reader.blanks();
        }
        Ok(reader)
    }

    fn items(mut self) -> Result<Vec<Option<String>>> {
        let mut items = Vec::new();
        self.demand('{')?;
        self.blanks();
        if !self.take('}') {
            loop {
                self.blanks();
                items.push(self.item()?);
                self.blanks();
                if self.take('}') {
                    break;
                }
                self.demand(',')?;
            }
        }
        self.blanks();
        if self.rest.is_empty() { Ok(items) } else { Err(self.malformed()) }
    }

    fn item(&mut self) -> Result<Option<String>> {
        if self.rest.starts_with('{') {
            return Err(several_dimensions());
        }
        if self.take('"') {
            return self.quoted().map(Some);
        }
        let mut item = String::new();
        // How much of it stays: blanks at its end do not, unless escaped.
        let mut kept = 0;
        let mut escaped = false;
        while let Some(letter) = self.rest.chars().next() {
            match letter {
                ',' | '}' => break,
                '{' | '"' => return Err(self.malformed()),
                '\\' => {
                    self.advance(letter);
                    item.push(self.escaped()?);
                    escaped = true;
                    kept = item.len();
                }
                _ => {
                    self.advance(letter);
                    item.push(letter);
                    if !blank(letter) {
                        kept = item.len();
                    }
                }
            }
        }
        item.truncate(kept);
        if item.is_empty() {
            return Err(self.malformed());
        }
        Ok(if !escaped && item.eq_ignore_ascii_case("null") { None } else { Some(item) })
    }

    fn quoted(&mut self) -> Result<String> {
        let mut item = String::new();
        while let Some(letter) = self.rest.chars().next() {
            self.advance(letter);
            match letter {
                '"' => return Ok(item),
                '\\' => item.push(self.escaped()?),
                _ => item.push(letter),
            }
        }
        Err(self.malformed())
    }

    /// The letter behind a backslash.
    fn escaped(&mut self) -> Result<char> {
        let letter = self.rest.chars().next().ok_or_else(|| self.malformed())?;
        self.advance(letter);
        Ok(letter)
    }

    fn advance(&mut self, letter: char) {
        self.rest = self.rest.get(letter.len_utf8()..).unwrap_or("");
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(blank);
    }

    fn take(&mut self, letter: char) -> bool {
        let Some(rest) = self.rest.strip_prefix(letter) else { return false };
        self.rest = rest;
        true
    }

    fn demand(&mut self, letter: char) -> Result<()> {
        if self.take(letter) { Ok(()) } else { Err(self.malformed()) }
    }

    fn malformed(&self) -> PgError {
        PgError::new(INVALID_TEXT_REPRESENTATION, format!("malformed array literal: \"{}\"", self.whole))
    }
}

fn blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t'..='\r')
}
