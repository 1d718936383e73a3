//! Dates, times and timestamps as text.

use super::number::{fill, padded, pair};
use super::out::Out;
use super::style::{DateOrder, DateStyle, Style, TimeZone};

/// Microseconds of a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds of a day.
pub const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// Days from 1970, Arrow's epoch, to 2000, PostgreSQL's.
pub const EPOCH_DAYS: i64 = 10_957;
/// The same in microseconds.
pub const EPOCH_MICROS: i64 = EPOCH_DAYS * MICROS_PER_DAY;

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
const WEEKDAYS: [&[u8; 3]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];

/// A day of the Gregorian calendar, carried back before it began; year 0 is 1 BC.
#[derive(Clone, Copy)]
struct Civil {
    year: i64,
    month: u32,
    day: u32,
}

/// The day that is `days` after 1970-01-01.
#[inline]
fn civil(days: i64) -> Civil {
    // Years that begin in March, in eras of 400 of them.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097) as u32;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    Civil { year: i64::from(year_of_era) + era * 400 + i64::from(month <= 2), month, day }
}

/// The days from 1970-01-01 to a day that the calendar has.
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = i64::from((month + 9) % 12);
    let of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// A date, in days since 1970.
#[inline]
pub fn date(days: i64, style: &Style, out: &mut Out<'_>) {
    let civil = civil(days);
    if style.date_style == DateStyle::Iso {
        iso_date(civil, out);
    } else {
        numbers(civil, style, out);
    }
    era(civil, out);
}

/// A time of day in microseconds.
#[inline]
pub fn time(micros: i64, out: &mut Out<'_>) {
    clock(out.space(8), micros);
    fraction(micros, out);
}

/// A timestamp in microseconds since 1970; with a zone it is shown by that zone's clocks.
#[inline]
pub fn timestamp(micros: i64, zoned: bool, style: &Style, out: &mut Out<'_>) {
    if micros == i64::MAX || micros == i64::MIN {
        return out.put(if micros > 0 { b"infinity" } else { b"-infinity" });
    }
    let zone = zoned.then(|| Zone::at(style.time_zone, micros));
    let local = zone.as_ref().map_or(micros, |zone| zone.local(micros));
    let (days, of_day) = (local.div_euclid(MICROS_PER_DAY), local.rem_euclid(MICROS_PER_DAY));
    let civil = civil(days);
    match style.date_style {
        DateStyle::Iso => {
            iso_moment(civil, of_day, b' ', out);
            if let Some(zone) = zone {
                zone.offset(false, b":", out);
            }
        }
        DateStyle::Postgres => {
            out.put(WEEKDAYS[(days + 4).rem_euclid(7) as usize]);
            out.byte(b' ');
            let month: &[u8] = MONTHS[(civil.month - 1) as usize];
            let day = pair(civil.day);
            let day_first = style.date_order == DateOrder::Dmy;
            let (first, second) = if day_first { (&day[..], month) } else { (month, &day[..]) };
            out.put(first);
            out.byte(b' ');
            out.put(second);
            out.byte(b' ');
            time(of_day, out);
            out.byte(b' ');
            year(civil, out);
            if let Some(zone) = zone {
                zone.name(style.time_zone, out);
            }
        }
        DateStyle::Sql | DateStyle::German => {
            numbers(civil, style, out);
            out.byte(b' ');
            time(of_day, out);
            if let Some(zone) = zone {
                zone.name(style.time_zone, out);
            }
        }
    }
    era(civil, out);
}

/// A timestamp as JSON has it, whatever the session's style: ISO 8601, with minutes in the offset.
pub fn iso_timestamp(micros: i64, zoned: bool, style: &Style, out: &mut Out<'_>) {
    if micros == i64::MAX || micros == i64::MIN {
        return out.put(if micros > 0 { b"infinity" } else { b"-infinity" });
    }
    let zone = zoned.then(|| Zone::at(style.time_zone, micros));
    let local = zone.as_ref().map_or(micros, |zone| zone.local(micros));
    let civil = civil(local.div_euclid(MICROS_PER_DAY));
    iso_moment(civil, local.rem_euclid(MICROS_PER_DAY), b'T', out);
    if let Some(zone) = zone {
        zone.offset(true, b":", out);
    }
    era(civil, out);
}

/// A fraction of a second, point and all, without zeros at its end; nothing where it is zero.
#[inline]
pub fn fraction(micros: i64, out: &mut Out<'_>) {
    let mut fraction = (micros.unsigned_abs()) % MICROS_PER_SECOND as u64;
    if fraction == 0 {
        return;
    }
    let mut len = 6;
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        len -= 1;
    }
    let to = out.space(len + 1);
    fill(to, fraction);
    to[0] = b'.';
}

/// Day, month and year in the order and with the separators of a style that is not ISO.
fn numbers(civil: Civil, style: &Style, out: &mut Out<'_>) {
    let separator = match style.date_style {
        DateStyle::German => b'.',
        DateStyle::Postgres => b'-',
        DateStyle::Sql | DateStyle::Iso => b'/',
    };
    let day_first = style.date_order == DateOrder::Dmy || style.date_style == DateStyle::German;
    let (first, second) = if day_first { (civil.day, civil.month) } else { (civil.month, civil.day) };
    for number in [first, second] {
        out.put_array(pair(number));
        out.byte(separator);
    }
    year(civil, out);
}

/// `2024-01-02`, without the era.
#[inline]
fn iso_date(civil: Civil, out: &mut Out<'_>) {
    if (1..=9999).contains(&civil.year) {
        iso_date_into(out.space(10), civil);
    } else {
        year(civil, out);
        let to = out.space(6);
        let ([m1, m2], [d1, d2]) = (pair(civil.month), pair(civil.day));
        to.copy_from_slice(&[b'-', m1, m2, b'-', d1, d2]);
    }
}

/// Ten bytes of a date between the years 1 and 9999.
#[inline]
fn iso_date_into(to: &mut [u8], civil: Civil) {
    let year = civil.year as u32;
    let ([y1, y2], [y3, y4]) = (pair(year / 100), pair(year % 100));
    let ([m1, m2], [d1, d2]) = (pair(civil.month), pair(civil.day));
    to.copy_from_slice(&[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2]);
}

/// `2024-01-02 03:04:05.5`, without the era.
#[inline]
fn iso_moment(civil: Civil, of_day: i64, between: u8, out: &mut Out<'_>) {
    if (1..=9999).contains(&civil.year) {
        let to = out.space(19);
        iso_date_into(&mut to[..10], civil);
        to[10] = between;
        clock(&mut to[11..], of_day);
        fraction(of_day, out);
    } else {
        iso_date(civil, out);
        out.byte(between);
        time(of_day, out);
    }
}

/// Eight bytes of hours, minutes and seconds.
#[inline]
fn clock(to: &mut [u8], micros: i64) {
    let seconds = (micros / MICROS_PER_SECOND) as u32;
    let ([h1, h2], [m1, m2], [s1, s2]) = (pair(seconds / 3600), pair(seconds / 60 % 60), pair(seconds % 60));
    to.copy_from_slice(&[h1, h2, b':', m1, m2, b':', s1, s2]);
}

/// At least four digits, of the era.
fn year(civil: Civil, out: &mut Out<'_>) {
    let year = if civil.year > 0 { civil.year } else { 1 - civil.year };
    padded(year.unsigned_abs(), 4, out);
}

#[inline]
fn era(civil: Civil, out: &mut Out<'_>) {
    if civil.year <= 0 {
        out.put(b" BC");
    }
}

/// A zone's clocks at one moment.
struct Zone {
    seconds: i64,
    offset: i32,
}

impl Zone {
    fn at(zone: TimeZone, micros: i64) -> Self {
        let seconds = micros.div_euclid(MICROS_PER_SECOND);
        Self { seconds, offset: zone.offset_at(seconds) }
    }

    fn local(&self, micros: i64) -> i64 {
        micros.saturating_add(i64::from(self.offset) * MICROS_PER_SECOND)
    }

    /// `+01`, `+05:30`, `-00:25:21`; `minutes` writes them even where they are none.
    fn offset(&self, minutes: bool, separator: &[u8], out: &mut Out<'_>) {
        let size = self.offset.unsigned_abs();
        out.byte(if self.offset < 0 { b'-' } else { b'+' });
        out.put_array(pair(size / 3600));
        if !size.is_multiple_of(3600) || minutes {
            out.put(separator);
            out.put_array(pair(size / 60 % 60));
        }
        if !size.is_multiple_of(60) {
            out.put(separator);
            out.put_array(pair(size % 60));
        }
    }

    /// Its abbreviation behind a space; the database has none of zones that their offset names, as in `+0630`.
    fn name(&self, zone: TimeZone, out: &mut Out<'_>) {
        out.byte(b' ');
        match zone {
            TimeZone::Fixed(_) => self.offset(false, b":", out),
            TimeZone::Named(_) => match zone.abbreviation_at(self.seconds) {
                Some(name) => out.put(name.as_bytes()),
                None => self.offset(false, b"", out),
            },
        }
    }
}
