//! A variable of a chunk of rows as an Arrow array.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, Date32Array, PrimitiveArray, StringBuilder, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, TimeUnit};

use super::cursor::{number, text};
use super::layout::{Layout, Storage, Variable};
use super::strls::Strls;

/// Bytes of text that one batch may hold: references to one long string can be many.
const TEXT: usize = 512 << 20;
/// Days from 1960-01-01, Stata's day 0, to 1970-01-01.
const EPOCH: i64 = 3653;
const DAY: f64 = 86_400_000.0;

/// How a number is to be read by its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    Day,
    Week,
    Months(i64),
    Clock,
}

fn time(variable: &Variable) -> Option<Time> {
    if matches!(variable.storage, Storage::Str(_) | Storage::StrL) {
        return None;
    }
    let format = variable.format.trim_start_matches('%').trim_start_matches('-');
    // `%d` is the old name of `%td`.
    match format.strip_prefix('t').map(|f| f.as_bytes().first()) {
        Some(Some(b'd')) => Some(Time::Day),
        Some(Some(b'w')) => Some(Time::Week),
        Some(Some(b'm')) => Some(Time::Months(1)),
        Some(Some(b'q')) => Some(Time::Months(3)),
        Some(Some(b'h')) => Some(Time::Months(6)),
        Some(Some(b'c')) => Some(Time::Clock),
        Some(_) => None,
        None => format.starts_with('d').then_some(Time::Day),
    }
}

pub(super) fn field(variable: &Variable) -> Field {
    let data_type = match (time(variable), variable.storage) {
        (Some(Time::Clock), _) => DataType::Timestamp(TimeUnit::Millisecond, None),
        (Some(_), _) => DataType::Date32,
        (None, Storage::Byte) => DataType::Int8,
        (None, Storage::Int) => DataType::Int16,
        (None, Storage::Long) => DataType::Int32,
        (None, Storage::Float) => DataType::Float32,
        (None, Storage::Double) => DataType::Float64,
        (None, Storage::Str(_) | Storage::StrL) => DataType::Utf8,
    };
    let mut metadata = HashMap::from([("stata_format".to_owned(), variable.format.clone())]);
    if !variable.label.is_empty() {
        metadata.insert("description".to_owned(), variable.label.clone());
    }
    if !variable.labels.is_empty() {
        let labels = variable.labels.iter().map(|(value, text)| (value.to_string(), text.clone().into()));
        let labels = serde_json::Value::Object(labels.collect());
        metadata.insert("value_labels".to_owned(), labels.to_string());
    }
    Field::new(&variable.name, data_type, true).with_metadata(metadata)
}

/// Rows of a data set.
pub(super) struct Chunk<'a> {
    pub(super) data: &'a [u8],
    /// Number of the first of them, from 0.
    pub(super) first: usize,
    pub(super) layout: &'a Layout,
    pub(super) strls: &'a Strls,
    pub(super) bytes: &'a [u8],
}

impl Chunk<'_> {
    /// The values of a variable; an error has the row it is in.
    pub(super) fn decode(&self, variable: &Variable) -> Result<ArrayRef, (usize, String)> {
        if let Some(time) = time(variable) {
            return Ok(self.times(variable, time));
        }
        Ok(match variable.storage {
            Storage::Byte => Arc::new(self.numbers::<1, Int8Type>(variable, byte)),
            Storage::Int => Arc::new(self.numbers::<2, Int16Type>(variable, int)),
            Storage::Long => Arc::new(self.numbers::<4, Int32Type>(variable, long)),
            Storage::Float => Arc::new(self.numbers::<4, Float32Type>(variable, float)),
            Storage::Double => Arc::new(self.numbers::<8, Float64Type>(variable, double)),
            Storage::Str(width) => self.strings(variable, width),
            Storage::StrL => self.long_strings(variable)?,
        })
    }

    /// The bytes of a value in each row, least significant first for numbers.
    fn values<const N: usize>(&self, variable: &Variable) -> impl Iterator<Item = [u8; N]> {
        let (offset, big) = (variable.offset, self.layout.big);
        self.data.chunks_exact(self.layout.width.max(1)).map(move |row| {
            let mut value: [u8; N] = row.get(offset..offset + N).and_then(|b| b.try_into().ok()).unwrap_or([0; N]);
            if big {
                value.reverse();
            }
            value
        })
    }

    fn numbers<const N: usize, T: ArrowPrimitiveType>(
        &self,
        variable: &Variable,
        convert: impl Fn([u8; N]) -> Option<T::Native>,
    ) -> PrimitiveArray<T> {
        self.values::<N>(variable).map(convert).collect()
    }

    fn times(&self, variable: &Variable, time: Time) -> ArrayRef {
        let numbers: Vec<Option<f64>> = match variable.storage {
            Storage::Byte => self.values(variable).map(|b| byte(b).map(f64::from)).collect(),
            Storage::Int => self.values(variable).map(|b| int(b).map(f64::from)).collect(),
            Storage::Long => self.values(variable).map(|b| long(b).map(f64::from)).collect(),
            Storage::Float => self.values(variable).map(|b| float(b).map(f64::from)).collect(),
            _ => self.values(variable).map(double).collect(),
        };
        if time == Time::Clock {
            let milliseconds = numbers.into_iter().map(|n| n.map(|n| (n - EPOCH as f64 * DAY) as i64));
            return Arc::new(milliseconds.collect::<TimestampMillisecondArray>());
        }
        let day = |n: f64| -> Option<i32> {
            let n = n.floor() as i64;
            let day = match time {
                Time::Months(months) => first_of(n.checked_mul(months)?)?,
                // Weeks begin on 1 January and every seven days; the last of a year is longer.
                Time::Week => first_of(n.div_euclid(52).checked_mul(12)?)?.checked_add(n.rem_euclid(52) * 7)?,
                _ => n.checked_sub(EPOCH)?,
            };
            i32::try_from(day).ok()
        };
        Arc::new(numbers.into_iter().map(|n| n.and_then(day)).collect::<Date32Array>())
    }

    fn strings(&self, variable: &Variable, width: usize) -> ArrayRef {
        let rows = self.data.chunks_exact(self.layout.width.max(1));
        let mut values = StringBuilder::with_capacity(rows.len(), rows.len() * width.min(16));
        for row in rows {
            let bytes = row.get(variable.offset..variable.offset + width).unwrap_or_default();
            let text = text(bytes, self.layout.utf8);
            if text.is_empty() { values.append_null() } else { values.append_value(text) }
        }
        Arc::new(values.finish())
    }

    fn long_strings(&self, variable: &Variable) -> Result<ArrayRef, (usize, String)> {
        let Layout { version, big, width, utf8, .. } = self.layout;
        let rows = self.data.chunks_exact((*width).max(1));
        let (mut values, mut held) = (StringBuilder::new(), 0_usize);
        for (i, row) in rows.enumerate() {
            let bytes = row.get(variable.offset..variable.offset + 8).unwrap_or_default();
            // The variable in 4, 2 or 3 bytes, the observation in the others.
            let split = match version {
                117 => 4,
                118 => 2,
                _ => 3,
            };
            let (v, o) = bytes.split_at_checked(split).unwrap_or_default();
            let key = (number(v, *big) as u32, number(o, *big));
            let Some((bytes, is_text)) = self.strls.get(self.bytes, key) else {
                let what = format!("refers to long string ({}, {}), which is not in the file", key.0, key.1);
                return Err((self.first + i, what));
            };
            held += bytes.len();
            if held > TEXT {
                return Err((self.first + i, format!("the long strings of these rows take more than {TEXT} bytes")));
            }
            let text = if is_text { text(bytes, *utf8) } else { String::from_utf8_lossy(bytes) };
            if text.is_empty() { values.append_null() } else { values.append_value(text) }
        }
        Ok(Arc::new(values.finish()))
    }
}

/// Above 100 the values are missing ones.
fn byte(bytes: [u8; 1]) -> Option<i8> {
    Some(i8::from_le_bytes(bytes)).filter(|v| *v <= 100)
}

fn int(bytes: [u8; 2]) -> Option<i16> {
    Some(i16::from_le_bytes(bytes)).filter(|v| *v <= 32_740)
}

fn long(bytes: [u8; 4]) -> Option<i32> {
    Some(i32::from_le_bytes(bytes)).filter(|v| *v <= 2_147_483_620)
}

/// Missing from 2^127 on.
fn float(bytes: [u8; 4]) -> Option<f32> {
    Some(f32::from_le_bytes(bytes)).filter(|v| v.is_finite() && *v < f32::from_bits(0x7f00_0000))
}

/// Missing from 2^1023 on.
fn double(bytes: [u8; 8]) -> Option<f64> {
    Some(f64::from_le_bytes(bytes)).filter(|v| v.is_finite() && *v < f64::from_bits(0x7fe0_0000_0000_0000))
}

/// Days since 1970 of the first day of a month, counted from January 1960.
fn first_of(month: i64) -> Option<i64> {
    let year = i32::try_from(1960 + month.div_euclid(12)).ok()?;
    let day = chrono::NaiveDate::from_ymd_opt(year, month.rem_euclid(12) as u32 + 1, 1)?;
    Some(day.signed_duration_since(chrono::NaiveDate::default()).num_days())
}
