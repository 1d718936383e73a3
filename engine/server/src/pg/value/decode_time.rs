//! Dates, times and timestamps from parameters.

use datafusion_common::ScalarValue;

use super::decode::{invalid_binary, sized, trimmed};
use super::style::{DateOrder, DateStyle, Style, TimeZone};
use super::time::{EPOCH_DAYS, EPOCH_MICROS, MICROS_PER_DAY, MICROS_PER_SECOND, days_from_civil};
use crate::pg::error::{
    DATETIME_FIELD_OVERFLOW, INVALID_DATETIME_FORMAT, INVALID_TIME_ZONE_DISPLACEMENT, PgError, Result,
};

/// Where `timestamptz` lives in Arrow.
const UTC: &str = "+00:00";
/// 4713 BC, and the last year that PostgreSQL has dates of.
const FIRST_YEAR: i64 = -4712;
const LAST_YEAR: i64 = 5_874_897;

pub(super) fn text(oid: u32, text: &str, style: &Style) -> Result<ScalarValue> {
    let name = match oid {
        1082 => "date",
        1083 => "time",
        1114 => "timestamp",
        _ => "timestamp with time zone",
    };
    let input = Input { text, name };
    if oid == 1083 {
        return Ok(ScalarValue::Time64Microsecond(Some(input.time_alone()?)));
    }
    let read = input.read(style)?;
    if oid == 1082 {
        let days = i32::try_from(read.days).map_err(|_| input.beyond())?;
        return Ok(ScalarValue::Date32(Some(days)));
    }
    let local = read.days.checked_mul(MICROS_PER_DAY).and_then(|micros| micros.checked_add(read.micros));
    // Arrow counts from 1970, so it ends 30 years before PostgreSQL does; the ends themselves are infinities.
    let local = local.filter(|local| *local < i64::MAX - MICROS_PER_DAY).ok_or_else(|| input.beyond())?;
    if oid == 1114 {
        return Ok(ScalarValue::TimestampMicrosecond(Some(local), None));
    }
    let seconds = local.div_euclid(MICROS_PER_SECOND);
    let offset = read.zone.unwrap_or(style.time_zone).offset_of_local(seconds);
    let micros = local - i64::from(offset) * MICROS_PER_SECOND;
    Ok(ScalarValue::TimestampMicrosecond(Some(micros), Some(UTC.into())))
}

pub(super) fn binary(oid: u32, bytes: &[u8]) -> Result<ScalarValue> {
    match oid {
        1082 => match i32::from_be_bytes(sized(bytes)?) {
            i32::MAX | i32::MIN => Err(infinite("date")),
            days => {
                let days = days.checked_add(EPOCH_DAYS as i32).ok_or_else(|| out_of_range("date"))?;
                Ok(ScalarValue::Date32(Some(days)))
            }
        },
        1083 => match i64::from_be_bytes(sized(bytes)?) {
            micros @ 0..=MICROS_PER_DAY => Ok(ScalarValue::Time64Microsecond(Some(micros))),
            _ => Err(out_of_range("time")),
        },
        1114 | 1184 => match i64::from_be_bytes(sized(bytes)?) {
            i64::MAX | i64::MIN => Err(infinite("timestamp")),
            micros => {
                let micros = micros.checked_add(EPOCH_MICROS).ok_or_else(|| out_of_range("timestamp"))?;
                let zone = (oid == 1184).then(|| UTC.into());
                Ok(ScalarValue::TimestampMicrosecond(Some(micros), zone))
            }
        },
        _ => Err(invalid_binary()),
    }
}

/// A text, and what it should be.
struct Input<'a> {
    text: &'a str,
    name: &'a str,
}

/// What a text says: a day, a time of it, and a zone.
struct Read {
    days: i64,
    micros: i64,
    zone: Option<TimeZone>,
}

impl Input<'_> {
    fn read(&self, style: &Style) -> Result<Read> {
        let mut rest = trimmed(self.text);
        let word = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        if word.eq_ignore_ascii_case("infinity") || word.eq_ignore_ascii_case("inf") {
            return Err(infinite(self.name));
        }
        if rest.eq_ignore_ascii_case("epoch") {
            return Ok(Read { days: 0, micros: 0, zone: Some(TimeZone::Fixed(0)) });
        }
        let mut before_christ = false;
        if let Some((front, era)) = rest.rsplit_once(' ') {
            before_christ = era.eq_ignore_ascii_case("bc");
            if before_christ || era.eq_ignore_ascii_case("ad") {
                rest = front.trim_end();
            }
        }
        let end = rest.find(|letter: char| !matches!(letter, '0'..='9' | '-' | '/' | '.')).unwrap_or(rest.len());
        let (date, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let days = self.date(date, before_christ, style)?;
        let after = after.strip_prefix(['T', 't']).unwrap_or(after).trim_start();
        let (micros, zone) = if after.starts_with(|letter: char| letter.is_ascii_digit()) {
            self.time(after)?
        } else {
            (0, self.zone(after)?)
        };
        Ok(Read { days, micros, zone })
    }

    /// Days since 1970.
    fn date(&self, date: &str, before_christ: bool, style: &Style) -> Result<i64> {
        let parts: Vec<&str> = date.split(['-', '/', '.']).collect();
        let (year, month, day) = match *parts.as_slice() {
            [first, second, third] if first.len() > 2 => (first, second, third),
            [first, second, third] => {
                let german = style.date_style == DateStyle::German;
                match style.date_order {
                    DateOrder::Ymd => (first, second, third),
                    DateOrder::Dmy => (third, second, first),
                    DateOrder::Mdy if german => (third, second, first),
                    DateOrder::Mdy => (third, first, second),
                }
            }
            [compact] if compact.len() == 8 => {
                (compact.get(..4).unwrap_or(""), compact.get(4..6).unwrap_or(""), compact.get(6..).unwrap_or(""))
            }
            _ => return Err(self.invalid()),
        };
        let number = |part: &str, most: usize| -> Result<i64> {
            let whole = (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            if whole { part.parse().map_err(|_| self.invalid()) } else { Err(self.invalid()) }
        };
        let short = year.len() <= 2 && !before_christ;
        let (year, month, day) = (number(year, 7)?, number(month, 2)?, number(day, 2)?);
        let year = match year {
            0 if !short => return Err(self.beyond_field()),
            0..70 if short => year + 2000,
            _ if short => year + 1900,
            _ if before_christ => 1 - year,
            _ => year,
        };
        if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return Err(self.beyond_field());
        }
        if !(FIRST_YEAR..=LAST_YEAR).contains(&year) {
            return Err(self.beyond());
        }
        Ok(days_from_civil(year, month as u32, day as u32))
    }

    /// A time of day for the type `time`, behind a date or not; a zone is read over.
    fn time_alone(&self) -> Result<i64> {
        let rest = trimmed(self.text);
        let time = match rest.find([' ', 'T']) {
            Some(at) if !rest.get(..at).unwrap_or("").contains(':') => rest.get(at + 1..).unwrap_or("").trim_start(),
            _ => rest,
        };
        Ok(self.time(time)?.0)
    }

    /// `04:05:06.5`, and a zone.
    fn time(&self, text: &str) -> Result<(i64, Option<TimeZone>)> {
        let end = text.find(|letter: char| !matches!(letter, '0'..='9' | ':' | '.')).unwrap_or(text.len());
        let (clock, zone) = text.split_at_checked(end).unwrap_or((text, ""));
        let mut parts = clock.split(':');
        let mut next = || parts.next();
        let (hours, minutes, seconds) = (next(), next(), next().unwrap_or("0"));
        if next().is_some() {
            return Err(self.invalid());
        }
        let two = |part: Option<&str>| -> Result<i64> {
            let part = part.filter(|part| (1..=2).contains(&part.len())).ok_or_else(|| self.invalid())?;
            part.parse().map_err(|_| self.invalid())
        };
        let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        let (hours, minutes, seconds) = (two(hours)?, two(minutes)?, two(Some(seconds))?);
        let fraction = micros(fraction).ok_or_else(|| self.invalid())?;
        let of_day = ((hours * 60 + minutes) * 60 + seconds) * MICROS_PER_SECOND + fraction;
        if minutes > 59 || seconds > 60 || of_day > MICROS_PER_DAY {
            return Err(self.beyond_field());
        }
        Ok((of_day, self.zone(zone)?))
    }

    /// `Z`, an offset or a name of the IANA database; nothing is none.
    fn zone(&self, text: &str) -> Result<Option<TimeZone>> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if ["z", "utc", "gmt"].iter().any(|name| text.eq_ignore_ascii_case(name)) {
            return Ok(Some(TimeZone::Fixed(0)));
        }
        let Some(size) = text.strip_prefix(['+', '-']) else {
            let named = text.parse().map(TimeZone::Named).map_err(|_| self.invalid())?;
            return Ok(Some(named));
        };
        let parts: Vec<&str> = if size.contains(':') {
            size.split(':').collect()
        } else {
            let hours = if size.len() % 2 == 1 { 1 } else { 2 };
            let (hours, rest) = size.split_at_checked(hours).ok_or_else(|| self.invalid())?;
            [hours].into_iter().chain((0..rest.len()).step_by(2).filter_map(|at| rest.get(at..at + 2))).collect()
        };
        let mut offset = 0;
        for (part, unit) in parts.iter().zip([3600, 60, 1]) {
            let number: i32 = part.parse().ok().filter(|_| part.len() <= 2).ok_or_else(|| self.invalid())?;
            if number < 0 || (unit < 3600 && number > 59) {
                return Err(self.invalid());
            }
            offset += number * unit;
        }
        if parts.len() > 3 || offset >= 16 * 3600 {
            let message = format!("time zone displacement out of range: \"{}\"", self.text);
            return Err(PgError::new(INVALID_TIME_ZONE_DISPLACEMENT, message));
        }
        Ok(Some(TimeZone::Fixed(if text.starts_with('-') { -offset } else { offset })))
    }

    fn invalid(&self) -> PgError {
        let message = format!("invalid input syntax for type {}: \"{}\"", self.name, self.text);
        PgError::new(INVALID_DATETIME_FORMAT, message)
    }

    fn beyond_field(&self) -> PgError {
        let message = format!("date/time field value out of range: \"{}\"", self.text);
        PgError::new(DATETIME_FIELD_OVERFLOW, message)
    }

    fn beyond(&self) -> PgError {
        let name = if self.name == "date" { "date" } else { "timestamp" };
        PgError::new(DATETIME_FIELD_OVERFLOW, format!("{name} out of range: \"{}\"", self.text))
    }
}

/// Microseconds of the digits behind a point, rounded; `None` where there is anything else.
pub(super) fn micros(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digit = |at: usize| i64::from(digits.as_bytes().get(at).map_or(0, |byte| byte - b'0'));
    let micros = (0..6).fold(0, |number, at| number * 10 + digit(at));
    Some(micros + i64::from(digit(6) >= 5))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn infinite(name: &str) -> PgError {
    PgError::new(DATETIME_FIELD_OVERFLOW, format!("{name} infinity is not supported as a parameter"))
}

fn out_of_range(name: &str) -> PgError {
    PgError::new(DATETIME_FIELD_OVERFLOW, format!("{name} out of range"))
}
