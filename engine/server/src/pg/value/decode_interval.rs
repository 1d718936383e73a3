//! Intervals from parameters: PostgreSQL's words, the SQL standard's `1-2 3 4:05:06` and ISO 8601.

use arrow::datatypes::IntervalMonthDayNano;

use super::decode::{sized, trimmed};
use super::decode_time::micros;
use super::style::{IntervalStyle, Style};
use super::time::{MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::pg::error::{DATETIME_FIELD_OVERFLOW, INTERVAL_FIELD_OVERFLOW, INVALID_DATETIME_FORMAT, PgError, Result};

pub(super) fn text(text: &str, style: &Style) -> Result<IntervalMonthDayNano> {
    let bare = trimmed(text);
    let mut reader = Reader { whole: text, rest: bare, total: Total::default() };
    match bare.strip_prefix(['P', 'p']) {
        Some(rest) => {
            reader.rest = rest;
            reader.iso()?;
        }
        None => {
            reader.words()?;
            // The standard's leading minus is of the whole, where there is no other sign.
            let one_sign = !bare.contains('+') && !bare.split_whitespace().skip(1).any(|word| word.starts_with('-'));
            if style.interval_style == IntervalStyle::SqlStandard && bare.starts_with('-') && one_sign {
                let Total { months, days, micros } = &mut reader.total;
                for part in [months, days, micros] {
                    *part = -part.abs();
                }
            }
        }
    }
    reader.total.finish().ok_or_else(out_of_range)
}

/// Microseconds, days and months.
pub(super) fn binary(bytes: &[u8]) -> Result<IntervalMonthDayNano> {
    let bytes: [u8; 16] = sized(bytes)?;
    let all = u128::from_be_bytes(bytes);
    let micros = (all >> 64) as i64;
    let total =
        Total { months: (all as u32 as i32).into(), days: ((all >> 32) as u32 as i32).into(), micros: micros.into() };
    total.finish().ok_or_else(out_of_range)
}

fn out_of_range() -> PgError {
    PgError::new(DATETIME_FIELD_OVERFLOW, "interval out of range")
}

/// What an interval adds up to; wide enough that no sum of a text overflows.
#[derive(Default)]
struct Total {
    months: i128,
    days: i128,
    micros: i128,
}

impl Total {
    fn finish(&self) -> Option<IntervalMonthDayNano> {
        Some(IntervalMonthDayNano {
            months: self.months.try_into().ok()?,
            days: self.days.try_into().ok()?,
            nanoseconds: self.micros.checked_mul(1000)?.try_into().ok()?,
        })
    }
}

/// A number with its sign; the fraction has it too.
#[derive(Clone, Copy)]
struct Number {
    whole: i64,
    fraction: f64,
    micros: i64,
}

struct Reader<'a> {
    whole: &'a str,
    rest: &'a str,
    total: Total,
}

impl Reader<'_> {
    fn words(&mut self) -> Result<()> {
        // A number whose unit is still to come.
        let mut pending: Option<Number> = None;
        let mut any = false;
        loop {
            self.rest = self.rest.trim_start_matches(|letter: char| letter.is_ascii_whitespace() || letter == '@');
            let Some(first) = self.rest.chars().next() else { break };
            if first.is_ascii_alphabetic() {
                let word = self.take(|letter| letter.is_ascii_alphabetic()).to_ascii_lowercase();
                match pending.take() {
                    Some(number) => self.add(number, &word)?,
                    None if word == "ago" && any && self.rest.is_empty() => {
                        let Total { months, days, micros } = &mut self.total;
                        for part in [months, days, micros] {
                            *part = -*part;
                        }
                    }
                    None => return Err(self.invalid()),
                }
                continue;
            }
            let negative = first == '-';
            if matches!(first, '+' | '-') {
                self.take_first();
            }
            let number = self.number(negative)?;
            if self.rest.starts_with(':') {
                if let Some(days) = pending.take() {
                    self.add(days, "day")?;
                }
                self.clock(number, negative)?;
            } else if pending.is_some() {
                return Err(self.invalid());
            } else if number.fraction == 0.0 && self.rest.starts_with('-') {
                self.take_first();
                let months = self.number(negative)?;
                if months.whole.abs() > 11 {
                    return Err(self.overflow());
                }
                self.add(number, "year")?;
                self.add(months, "month")?;
            } else {
                pending = Some(number);
            }
            any = true;
        }
        match pending {
            Some(number) => self.add(number, "second"),
            None if any => Ok(()),
            None => Err(self.invalid()),
        }
    }

    /// What comes behind `P`.
    fn iso(&mut self) -> Result<()> {
        let mut time = false;
        let mut any = false;
        while !self.rest.is_empty() {
            if !time && self.rest.starts_with(['T', 't']) {
                self.take_first();
                time = true;
                continue;
            }
            let negative = self.rest.starts_with('-');
            if self.rest.starts_with(['+', '-']) {
                self.take_first();
            }
            let number = self.number(negative)?;
            let unit = match (self.rest.chars().next().map(|letter| letter.to_ascii_uppercase()), time) {
                (Some('Y'), false) => "year",
                (Some('M'), false) => "month",
                (Some('W'), false) => "week",
                (Some('D'), false) => "day",
                (Some('H'), true) => "hour",
                (Some('M'), true) => "minute",
                (Some('S'), true) => "second",
                _ => return Err(self.invalid()),
            };
            self.take_first();
            self.add(number, unit)?;
            any = true;
        }
        if any { Ok(()) } else { Err(self.invalid()) }
    }

    /// Minutes and seconds behind hours; without seconds it is hours and minutes all the same.
    fn clock(&mut self, hours: Number, negative: bool) -> Result<()> {
        self.take_first();
        let minutes = self.number(negative)?;
        let mut seconds = Number { whole: 0, fraction: 0.0, micros: 0 };
        if self.rest.starts_with(':') {
            self.take_first();
            seconds = self.number(negative)?;
        }
        if hours.fraction != 0.0 || minutes.fraction != 0.0 {
            return Err(self.invalid());
        }
        if minutes.whole.abs() > 59 || seconds.whole.abs() > 60 {
            return Err(self.overflow());
        }
        self.add(hours, "hour")?;
        self.add(minutes, "minute")?;
        self.add(seconds, "second")
    }

    fn add(&mut self, number: Number, unit: &str) -> Result<()> {
        const SECOND: i128 = MICROS_PER_SECOND as i128;
        let whole = i128::from(number.whole);
        match unit {
            "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecond" | "microseconds" => self.time(number, 1),
            "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => self.time(number, 1000),
            "s" | "sec" | "secs" | "second" | "seconds" => {
                self.total.micros += whole * SECOND + i128::from(number.micros);
            }
            "m" | "min" | "mins" | "minute" | "minutes" => self.time(number, 60 * SECOND),
            "h" | "hr" | "hrs" | "hour" | "hours" => self.time(number, 3600 * SECOND),
            "d" | "day" | "days" => {
                self.total.days += whole;
                self.days(number.fraction);
            }
            "w" | "week" | "weeks" => {
                self.total.days += whole * 7;
                self.days(number.fraction * 7.0);
            }
            "mon" | "mons" | "month" | "months" => {
                self.total.months += whole;
                self.days(number.fraction * 30.0);
            }
            "y" | "yr" | "yrs" | "year" | "years" => self.months(number, 12),
            "dec" | "decs" | "decade" | "decades" => self.months(number, 120),
            "c" | "cent" | "century" | "centuries" => self.months(number, 1200),
            "mil" | "mils" | "millennium" | "millennia" => self.months(number, 12_000),
            _ => return Err(self.invalid()),
        }
        Ok(())
    }

    fn time(&mut self, number: Number, unit: i128) {
        let fraction = (number.fraction * unit as f64).round_ties_even() as i128;
        self.total.micros += i128::from(number.whole) * unit + fraction;
    }

    fn months(&mut self, number: Number, unit: i128) {
        let fraction = (number.fraction * unit as f64).round_ties_even() as i128;
        self.total.months += i128::from(number.whole) * unit + fraction;
    }

    /// Days and what is left of one.
    fn days(&mut self, days: f64) {
        self.total.days += days.trunc() as i128;
        self.total.micros += (days.fract() * MICROS_PER_DAY as f64).round_ties_even() as i128;
    }

    fn number(&mut self, negative: bool) -> Result<Number> {
        let sign = if negative { -1 } else { 1 };
        let digits = self.take(|letter| letter.is_ascii_digit());
        let mut fraction = "";
        if self.rest.starts_with('.') {
            self.take_first();
            fraction = self.take(|letter| letter.is_ascii_digit());
        }
        if digits.is_empty() && fraction.is_empty() {
            return Err(self.invalid());
        }
        let whole: i64 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| self.overflow())? };
        let part: f64 = if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse().unwrap_or(0.0) };
        let micros = micros(fraction).ok_or_else(|| self.invalid())?;
        Ok(Number { whole: whole * sign, fraction: part * sign as f64, micros: micros * sign })
    }

    fn take_first(&mut self) {
        let mut letters = self.rest.chars();
        letters.next();
        self.rest = letters.as_str();
    }

    fn invalid(&self) -> PgError {
        let message = format!("invalid input syntax for type interval: \"{}\"", self.whole);
        PgError::new(INVALID_DATETIME_FORMAT, message)
    }

    fn overflow(&self) -> PgError {
        let message = format!("interval field value out of range: \"{}\"", self.whole);
        PgError::new(INTERVAL_FIELD_OVERFLOW, message)
    }
}

impl<'a> Reader<'a> {
    /// The letters at the front that are of a kind.
    fn take(&mut self, of: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|letter: char| !of(letter)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}
