//! Intervals: months, days and microseconds, as text in PostgreSQL's four styles.

use super::number::{padded, signed};
use super::out::Out;
use super::style::IntervalStyle;
use super::time::{MICROS_PER_SECOND, fraction};

/// The three that an interval is made of; none carries into another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Calendar months.
    pub months: i32,
    /// Calendar days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

/// What the styles print; all of one sign within months and within microseconds.
struct Fields {
    years: i64,
    months: i64,
    days: i64,
    hours: i64,
    minutes: i64,
    /// With the seconds.
    micros: i64,
}

impl Span {
    /// A difference of two moments: whole days, and the rest.
    pub fn of_micros(micros: i64) -> Self {
        let day = super::time::MICROS_PER_DAY;
        Self { months: 0, days: i32::try_from(micros / day).unwrap_or(i32::MAX), micros: micros % day }
    }

    /// Writes it as a style has it.
    pub fn text(self, style: IntervalStyle, out: &mut Out<'_>) {
        let seconds = self.micros / MICROS_PER_SECOND;
        let fields = Fields {
            years: i64::from(self.months / 12),
            months: i64::from(self.months % 12),
            days: i64::from(self.days),
            hours: seconds / 3600,
            minutes: seconds / 60 % 60,
            micros: self.micros % (60 * MICROS_PER_SECOND),
        };
        match style {
            IntervalStyle::Postgres => fields.postgres(out),
            IntervalStyle::PostgresVerbose => fields.verbose(out),
            IntervalStyle::Iso8601 => fields.iso(out),
            IntervalStyle::SqlStandard => fields.sql(out),
        }
    }
}

impl Fields {
    /// `1 year 2 mons -3 days +04:05:06.5`.
    fn postgres(&self, out: &mut Out<'_>) {
        let mut empty = true;
        // A part behind a negative one shows its plus.
        let mut after_negative = false;
        for (value, unit) in [(self.years, "year"), (self.months, "mon"), (self.days, "day")] {
            if value == 0 {
                continue;
            }
            if !empty {
                out.byte(b' ');
            }
            if after_negative && value > 0 {
                out.byte(b'+');
            }
            named(value, unit, value != 1, out);
            (empty, after_negative) = (false, value < 0);
        }
        if empty || self.has_time() {
            if !empty {
                out.byte(b' ');
            }
            if self.time_is_negative() {
                out.byte(b'-');
            } else if after_negative {
                out.byte(b'+');
            }
            self.clock(2, out);
        }
    }

    /// `@ 1 year 2 mons 3 days 4 hours 5 mins 6.5 secs ago`.
    fn verbose(&self, out: &mut Out<'_>) {
        out.byte(b'@');
        let mut empty = true;
        let mut ago = false;
        let parts = [
            (self.years, "year"),
            (self.months, "mon"),
            (self.days, "day"),
            (self.hours, "hour"),
            (self.minutes, "min"),
        ];
        for (mut value, unit) in parts {
            if value == 0 {
                continue;
            }
            if empty {
                ago = value < 0;
            }
            if ago {
                value = -value;
            }
            out.byte(b' ');
            named(value, unit, value != 1, out);
            empty = false;
        }
        if self.micros != 0 {
            out.byte(b' ');
            if self.micros < 0 && empty {
                ago = true;
            } else if (self.micros < 0) != ago {
                out.byte(b'-');
            }
            self.seconds(1, out);
            out.put(if self.micros.unsigned_abs() == MICROS_PER_SECOND as u64 { b" sec" } else { b" secs" });
            empty = false;
        }
        if empty {
            out.put(b" 0");
        }
        if ago {
            out.put(b" ago");
        }
    }

    /// `P1Y2M3DT4H5M6.5S`.
    fn iso(&self, out: &mut Out<'_>) {
        let lettered = |parts: &[(i64, u8)], out: &mut Out<'_>| {
            for (value, letter) in parts.iter().filter(|(value, _)| *value != 0) {
                signed(*value, out);
                out.byte(*letter);
            }
        };
        if !self.has_time() && self.days == 0 && !self.has_months() {
            return out.put(b"PT0S");
        }
        out.byte(b'P');
        lettered(&[(self.years, b'Y'), (self.months, b'M'), (self.days, b'D')], out);
        if self.has_time() {
            out.byte(b'T');
            lettered(&[(self.hours, b'H'), (self.minutes, b'M')], out);
            if self.micros != 0 {
                if self.micros < 0 {
                    out.byte(b'-');
                }
                self.seconds(1, out);
                out.byte(b'S');
            }
        }
    }

    /// `1-2`, `3 4:05:06.5`, or all with signs where the standard has no form.
    fn sql(&self, out: &mut Out<'_>) {
        let all = [self.years, self.months, self.days, self.hours, self.minutes, self.micros];
        let (negative, positive) = (all.iter().any(|n| *n < 0), all.iter().any(|n| *n > 0));
        let day_time = self.days != 0 || self.has_time();
        if !negative && !positive {
            return out.byte(b'0');
        }
        let sign = |negative: bool| if negative { b'-' } else { b'+' };
        let months = |out: &mut Out<'_>| {
            padded(self.years.unsigned_abs(), 1, out);
            out.byte(b'-');
            padded(self.months.unsigned_abs(), 1, out);
        };
        let days = |out: &mut Out<'_>| {
            padded(self.days.unsigned_abs(), 1, out);
            out.byte(b' ');
        };
        if (negative && positive) || (self.has_months() && day_time) {
            out.byte(sign(self.years < 0 || self.months < 0));
            months(out);
            out.byte(b' ');
            out.byte(sign(self.days < 0));
            days(out);
            out.byte(sign(self.time_is_negative()));
            return self.clock(1, out);
        }
        if negative {
            out.byte(b'-');
        }
        if self.has_months() {
            return months(out);
        }
        if self.days != 0 {
            days(out);
        }
        self.clock(1, out);
    }

    fn has_months(&self) -> bool {
        self.years != 0 || self.months != 0
    }

    fn has_time(&self) -> bool {
        self.hours != 0 || self.minutes != 0 || self.micros != 0
    }

    fn time_is_negative(&self) -> bool {
        self.hours < 0 || self.minutes < 0 || self.micros < 0
    }

    /// `04:05:06.5`, without sign.
    fn clock(&self, hour_digits: usize, out: &mut Out<'_>) {
        padded(self.hours.unsigned_abs(), hour_digits, out);
        out.byte(b':');
        padded(self.minutes.unsigned_abs(), 2, out);
        out.byte(b':');
        self.seconds(2, out);
    }

    /// Seconds and their fraction, without sign.
    fn seconds(&self, digits: usize, out: &mut Out<'_>) {
        padded(self.micros.unsigned_abs() / MICROS_PER_SECOND as u64, digits, out);
        fraction(self.micros, out);
    }
}

fn named(value: i64, unit: &str, plural: bool, out: &mut Out<'_>) {
    signed(value, out);
    out.byte(b' ');
    out.put(unit.as_bytes());
    if plural {
        out.byte(b's');
    }
}
