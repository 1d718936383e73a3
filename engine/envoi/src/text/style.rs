//! How values are written as text: what `SET datestyle` and its like change.

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone as _};
use chrono_tz::{OffsetName, Tz};

/// How values are written as text; from the session's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// The zone that `timestamptz` is shown in, and read in where a text names none.
    pub time_zone: TimeZone,
    /// How dates are laid out.
    pub date_style: DateStyle,
    /// Which number of a date is the day.
    pub date_order: DateOrder,
    /// How intervals are laid out.
    pub interval_style: IntervalStyle,
    /// How bytes are laid out.
    pub bytea: Bytea,
    /// From 1 on floats are the shortest that read back the same; below, `%.15g` with that many digits more or less.
    pub extra_float_digits: i32,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            time_zone: TimeZone::Named(Tz::UTC),
            date_style: DateStyle::Iso,
            date_order: DateOrder::Mdy,
            interval_style: IntervalStyle::Postgres,
            bytea: Bytea::Hex,
            extra_float_digits: 1,
        }
    }
}

/// A time zone of the IANA database, or seconds east of Greenwich.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeZone {
    /// By its name.
    Named(Tz),
    /// Seconds east of Greenwich.
    Fixed(i32),
}

/// How dates are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateStyle {
    /// `1997-12-17`.
    Iso,
    /// `12/17/1997`.
    Sql,
    /// `Wed Dec 17 1997`.
    Postgres,
    /// `17.12.1997`.
    German,
}

/// Which of `01/02/2003` is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// The first.
    Dmy,
    /// The second.
    Mdy,
    /// The last.
    Ymd,
}

/// How intervals are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalStyle {
    /// `1 year 2 mons 03:04:05`.
    Postgres,
    /// `@ 1 year 2 mons 3 hours`.
    PostgresVerbose,
    /// `P1Y2MT3H`.
    Iso8601,
    /// `1-2 3:04:05`.
    SqlStandard,
}

/// How `bytea` is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bytea {
    /// `\x00`.
    Hex,
    /// `\000`.
    Escape,
}

impl TimeZone {
    /// Seconds east of Greenwich at a moment, in seconds since 1970.
    pub fn offset_at(self, seconds: i64) -> i32 {
        match self {
            Self::Fixed(offset) => offset,
            Self::Named(Tz::UTC) => 0,
            Self::Named(zone) => zone.offset_from_utc_datetime(&moment(seconds)).fix().local_minus_utc(),
        }
    }

    /// What the zone is called at a moment; `None` where only its offset names it.
    pub fn abbreviation_at(self, seconds: i64) -> Option<String> {
        match self {
            Self::Fixed(_) => None,
            Self::Named(zone) => zone.offset_from_utc_datetime(&moment(seconds)).abbreviation().map(str::to_owned),
        }
    }

    /// Seconds east of Greenwich where the clocks show a time, in seconds since 1970 by those clocks.
    ///
    /// Of a time shown twice it is the later, winter one; of a time skipped, the offset before
    /// the jump: as PostgreSQL reads both.
    pub fn offset_of_local(self, seconds: i64) -> i32 {
        const DAY: i64 = 86_400;
        let Self::Named(zone) = self else { return self.offset_at(seconds) };
        match zone.offset_from_local_datetime(&moment(seconds)) {
            chrono::LocalResult::Single(offset) => offset.fix().local_minus_utc(),
            chrono::LocalResult::Ambiguous(_, later) => later.fix().local_minus_utc(),
            chrono::LocalResult::None => self.offset_at(seconds.saturating_sub(DAY)),
        }
    }
}

/// A moment, or the nearest that the database of zones has an answer for.
fn moment(seconds: i64) -> NaiveDateTime {
    /// 200000 years: within what chrono counts.
    const FAR: i64 = 200_000 * 31_556_952;
    DateTime::from_timestamp(seconds.clamp(-FAR, FAR), 0).unwrap_or_default().naive_utc()
}
