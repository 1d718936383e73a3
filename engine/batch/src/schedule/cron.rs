//! When a job is due: a cron line in a time zone, with the rules of Vixie's cron where clocks change.
//!
//! A line whose seconds, minutes and hours all do not begin with `*` names times of day. Where
//! the clock is put forward over one, the job is due once, right after; where it is put back,
//! and the time comes twice, the job is due the first time only. A line with a `*` there
//! means every so often: it follows the time that passes, so that it is due in both of two
//! equal hours and not in one that is left out.

use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono::{LocalResult, Offset};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// What the short words stand for.
const WORDS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];
/// No clock has been put forward by more: a day, where the date line moved.
const LONGEST_GAP: TimeDelta = TimeDelta::hours(25);

/// A cron line with its time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronLine {
    text: String,
    cron: Cron,
    zone: Tz,
    /// It names times of day.
    fixed: bool,
}

impl CronLine {
    /// Reads a line of five fields, of six with seconds before them, or a word such as `@daily`.
    ///
    /// # Errors
    /// What is wrong with it, or that it is never due.
    pub fn parse(text: &str, zone: Tz) -> Result<Self, String> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let fields = match text.starts_with('@') {
            true => {
                WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|(_, fields)| *fields).ok_or_else(
                    || format!("`{text}` is no word for a time; there are {}", WORDS.map(|(word, _)| word).join(", ")),
                )?
            }
            false => &text,
        };
        let parts: Vec<&str> = fields.split(' ').collect();
        if !(5..=6).contains(&parts.len()) || fields.is_empty() {
            return Err(format!(
                "a cron line has five fields (minute hour day month weekday), or six with seconds first; `{text}` has {}",
                if fields.is_empty() { 0 } else { parts.len() }
            ));
        }
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        // The parser refuses six fields where years are: seconds are its business.
        let parser = if parts.len() == 6 {
            CronParser::builder().seconds(Seconds::Required).year(Year::Optional).build()
        } else {
            parser
        };
        let cron = parser.parse(fields).map_err(|e| format!("`{text}` is no cron line: {}", said(&e)))?;
        let times = parts.get(..parts.len() - 3).unwrap_or_default();
        let fixed = !times.iter().any(|field| field.starts_with('*') || field.starts_with('?'));
        let line = Self { text, cron, zone, fixed };
        line.check()?;
        Ok(line)
    }

    /// The line as it was written, with single blanks.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whose clock it follows.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Refuses a line that names days no year has.
    fn check(&self) -> Result<(), String> {
        // A leap year, and 28 years in which every date has every weekday.
        let begin = NaiveDateTime::from_str("2024-01-01T00:00:00").unwrap_or_default() - TimeDelta::seconds(1);
        let next = self.cron.find_next_occurrence(&begin, false);
        match next {
            Ok(next) if next < begin + TimeDelta::days(366 * 30) => Ok(()),
            _ => Err(format!("`{}` is never due: no year has such a day", self.text)),
        }
    }

    /// The first time it is due after `after`; `None` where the calendar ends.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = after.with_timezone(&self.zone);
        if !self.fixed {
            return self.cron.find_next_occurrence(&local, false).ok().map(|due| due.with_timezone(&Utc));
        }
        let before = after.checked_sub_signed(LONGEST_GAP)?.with_timezone(&self.zone);
        let steady = before.offset().fix() == local.offset().fix();
        // Times that a gap swallowed are due at its end: so look from before one.
        let mut at = if steady { local.naive_local() } else { before.naive_local() };
        loop {
            at = self.cron.find_next_occurrence(&at, false).ok()?;
            match self.instant(at) {
                Some(due) if due > after => return Some(due),
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// The shortest time between two of its times, of the next hundred from 2024 on.
    pub(super) fn shortest(&self) -> Option<std::time::Duration> {
        let mut at = self.next(DateTime::from_timestamp(1_704_067_200, 0)?)?;
        let between = std::iter::from_fn(|| {
            let next = self.next(at)?;
            let time = next.signed_duration_since(std::mem::replace(&mut at, next));
            time.to_std().ok()
        });
        between.take(100).min()
    }

    /// The newest time it was due in `(after, until]`.
    pub fn newest(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // From near to far, so that a line of every second is not followed through years.
        const MINUTES: [i64; 6] = [1, 60, 24 * 60, 33 * 24 * 60, 370 * 24 * 60, 3000 * 24 * 60];
        let starts = MINUTES.iter().filter_map(|m| until.checked_sub_signed(TimeDelta::minutes(*m)));
        for start in starts.map(|start| start.max(after)).chain([after]) {
            let mut newest = None;
            let mut at = start;
            while let Some(due) = self.next(at).filter(|due| *due <= until) {
                newest = Some(due);
                at = due;
            }
            if newest.is_some() || start == after {
                return newest;
            }
        }
        None
    }

    /// How often it was due in `(after, until]`, counted up to `most`.
    pub fn count(&self, after: DateTime<Utc>, until: DateTime<Utc>, most: usize) -> usize {
        let mut at = after;
        let next = || {
            at = self.next(at).filter(|due| *due <= until)?;
            Some(())
        };
        std::iter::from_fn(next).take(most).count()
    }

    /// The moment at which the clock of the wall first shows a time, or goes past it.
    fn instant(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.zone.from_local_datetime(&wall) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.with_timezone(&Utc)),
            LocalResult::None => self.end_of_gap(wall),
        }
    }

    /// The moment at which the clock leaps over a time: halves the day before and after it
    /// until one second is left.
    fn end_of_gap(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        let shows = |at: DateTime<Utc>| at.with_timezone(&self.zone).naive_local();
        let mut low = wall.and_utc().checked_sub_signed(TimeDelta::hours(40))?;
        let mut high = wall.and_utc().checked_add_signed(TimeDelta::hours(40))?;
        while high.signed_duration_since(low) > TimeDelta::seconds(1) {
            let middle = low + TimeDelta::seconds(high.signed_duration_since(low).num_seconds() / 2);
            if shows(middle) < wall { low = middle } else { high = middle }
        }
        Some(high)
    }
}

/// The parser's words, as ours.
fn said(error: &croner::errors::CronError) -> String {
    use croner::errors::CronError::{ComponentError, IllegalCharacters, InvalidPattern};
    let text = match error {
        ComponentError(text) | IllegalCharacters(text) | InvalidPattern(text) => text.clone(),
        other => other.to_string(),
    };
    let mut chars = text.trim_end_matches('.').chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, zone: &str) -> CronLine {
        CronLine::parse(text, zone.parse().unwrap()).unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    /// Due times after `from`, on the zone's clock with its offset.
    fn check(text: &str, zone: &str, from: &str, expected: &[&str]) {
        let line = line(text, zone);
        let mut after = at(from);
        for want in expected {
            let due = line.next(after).unwrap();
            let shown = due.with_timezone(&line.zone()).format("%Y-%m-%dT%H:%M:%S%:z").to_string();
            assert_eq!(&shown, want, "{text} in {zone} after {after}");
            // Whatever lies between two due times leads to the later one.
            let between = due.signed_duration_since(after).num_seconds();
            for part in 1..8 {
                let moment = after + TimeDelta::seconds(between * part / 8);
                assert!(moment >= due || line.next(moment) == Some(due), "{text}: {moment}");
            }
            assert_eq!(line.newest(after, due), Some(due));
            after = due;
        }
    }

    #[test]
    fn plain_days() {
        check(
            "30 6 * * 1-5",
            "Europe/Paris",
            "2026-11-27T00:00:00+01:00",
            &["2026-11-27T06:30:00+01:00", "2026-11-30T06:30:00+01:00"],
        );
        check("@monthly", "UTC", "2026-01-31T00:00:00Z", &["2026-02-01T00:00:00+00:00", "2026-03-01T00:00:00+00:00"]);
        check("*/20 * * * * *", "UTC", "2026-01-01T00:00:05Z", &["2026-01-01T00:00:20+00:00"]);
        check("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", &["2028-02-29T00:00:00+00:00", "2032-02-29T00:00:00+00:00"]);
        check("0 9 L * *", "Asia/Manila", "2026-02-01T00:00:00Z", &["2026-02-28T09:00:00+08:00"]);
    }

    #[test]
    fn a_time_that_the_clock_leaps_over_is_due_once_right_after() {
        check(
            "30 2 * * *",
            "Europe/Paris",
            "2026-03-28T12:00:00Z",
            &["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"],
        );
        // Two such times are one; one that is after the gap anyway is not due twice.
        check(
            "0,30 2,3 * * *",
            "America/New_York",
            "2026-03-08T01:00:00-05:00",
            &["2026-03-08T03:00:00-04:00", "2026-03-08T03:30:00-04:00", "2026-03-09T02:00:00-04:00"],
        );
        // Half an hour, on an island.
        check(
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T12:00:00Z",
            &["2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"],
        );
        // At midnight, where the day begins at one.
        check(
            "0 0 * * *",
            "Africa/Cairo",
            "2026-04-23T12:00:00Z",
            &["2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"],
        );
        // A whole day: Samoa had no 30 December 2011.
        check(
            "0 12 30 * *",
            "Pacific/Apia",
            "2011-12-01T00:00:00Z",
            &["2011-12-31T00:00:00+14:00", "2012-01-30T12:00:00+14:00"],
        );
    }

    #[test]
    fn a_time_that_comes_twice_is_due_the_first_time() {
        check(
            "30 2 * * *",
            "Europe/Paris",
            "2026-10-24T12:00:00Z",
            &["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"],
        );
        check(
            "30 1 * * *",
            "America/New_York",
            "2026-10-31T12:00:00Z",
            &["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"],
        );
        check(
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-04T12:00:00Z",
            &["2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"],
        );
        // Begun between the two, it is not due before the next day.
        assert_eq!(
            line("30 2 * * *", "Europe/Paris").next(at("2026-10-25T02:10:00+01:00")),
            Some(at("2026-10-26T02:30:00+01:00"))
        );
    }

    #[test]
    fn every_so_often_follows_the_time_that_passes() {
        check(
            "*/30 * * * *",
            "Europe/Paris",
            "2026-03-29T01:15:00+01:00",
            &["2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"],
        );
        check(
            "0 * * * *",
            "America/New_York",
            "2026-11-01T00:30:00-04:00",
            &["2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00", "2026-11-01T02:00:00-05:00"],
        );
        check(
            "*/15 * * * *",
            "Australia/Lord_Howe",
            "2026-04-05T01:40:00+11:00",
            &[
                "2026-04-05T01:45:00+11:00",
                "2026-04-05T01:30:00+10:30",
                "2026-04-05T01:45:00+10:30",
                "2026-04-05T02:00:00+10:30",
            ],
        );
        // A `*` in the minutes of a missing hour: there is no such hour that day.
        check("*/30 2 * * *", "Europe/Paris", "2026-03-28T12:00:00Z", &["2026-03-30T02:00:00+02:00"]);
    }

    #[test]
    fn the_newest_of_many() {
        let line = line("* * * * * *", "UTC");
        let (long_ago, now) = (at("1990-01-01T00:00:00Z"), at("2026-01-01T00:00:00.5Z"));
        assert_eq!(line.newest(long_ago, now), Some(at("2026-01-01T00:00:00Z")));
        assert_eq!(line.newest(at("2026-01-01T00:00:00Z"), now), None);
        assert_eq!(line.count(long_ago, now, 1000), 1000);
        assert_eq!(line.count(at("2025-12-31T23:59:50Z"), now, 1000), 10);
        let rare = super::tests::line("0 0 29 2 *", "UTC");
        assert_eq!(rare.newest(long_ago, now), Some(at("2024-02-29T00:00:00Z")));
    }

    #[test]
    fn lines_that_are_wrong() {
        for (text, words) in [
            ("", "has 0"),
            ("* * * *", "has 4"),
            ("0 0 1 1 * 2020 7 8", "has 8"),
            ("61 * * * *", "is no cron line: "),
            ("x * * * *", "is no cron line: "),
            ("@reboot", "there are @yearly, "),
            ("0 0 30 2 *", "never due"),
            ("0 0 31 4,6,9,11 *", "never due"),
        ] {
            let told = CronLine::parse(text, Tz::UTC).unwrap_err();
            assert!(told.contains(words), "{text}: {told}");
        }
    }
}
