//! Dates, times and intervals by a pattern: `YYYY-MM-DD HH24:MI`.

use std::fmt::Display;

use chrono::{DateTime, Datelike, NaiveDateTime, Offset, TimeZone, Timelike};

/// A time, or an interval, in parts.
pub(super) struct Fields {
    /// `None` for an interval.
    date: Option<NaiveDateTime>,
    /// Seconds east of Greenwich, and what the zone is called.
    zone: Option<(i32, String)>,
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
}

impl Fields {
    /// Of a time without a zone.
    pub(super) fn of(micros: i64) -> Option<Self> {
        Some(Self::local(DateTime::from_timestamp_micros(micros)?.naive_utc(), None))
    }

    /// Of a moment, as a zone has it.
    pub(super) fn of_zone<Z: TimeZone<Offset: Display>>(micros: i64, zone: &Z) -> Option<Self> {
        let time = zone.from_utc_datetime(&DateTime::from_timestamp_micros(micros)?.naive_utc());
        let offset = time.offset().fix().local_minus_utc();
        Some(Self::local(time.naive_local(), Some((offset, time.format("%Z").to_string()))))
    }

    fn local(time: NaiveDateTime, zone: Option<(i32, String)>) -> Self {
        Self {
            date: Some(time),
            zone,
            year: time.year().into(),
            month: time.month().into(),
            day: time.day().into(),
            hour: time.hour().into(),
            minute: time.minute().into(),
            second: time.second().into(),
            micros: (time.nanosecond() / 1000 % 1_000_000).into(),
        }
    }

    /// Of an interval: months are years and months, hours are not days.
    pub(super) fn of_interval(months: i32, days: i32, nanos: i64) -> Self {
        let (micros, months) = (nanos / 1000, i64::from(months));
        let seconds = micros / 1_000_000;
        Self {
            date: None,
            zone: None,
            year: months / 12,
            month: months % 12,
            day: days.into(),
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            micros: micros % 1_000_000,
        }
    }

    /// The year of the era: there is none that is 0.
    fn of_era(&self, year: i64) -> i64 {
        if year <= 0 && self.date.is_some() { 1 - year } else { year }
    }

    fn seconds(&self) -> i64 {
        self.hour * 3600 + self.minute * 60 + self.second
    }
}

/// Words of patterns; the longer ones first where one begins with another.
const WORDS: &[&str] = &[
    "Y,YYY", "YYYY", "IYYY", "MONTH", "SSSSS", "SSSS", "HH24", "HH12", "A.M.", "P.M.", "A.D.", "B.C.", "IDDD", "YYY",
    "IYY", "DAY", "DDD", "MON", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "TZH", "TZM", "FM", "TM", "FX", "YY", "IY",
    "MM", "MI", "MS", "US", "SS", "HH", "AM", "PM", "AD", "BC", "DD", "DY", "ID", "WW", "IW", "CC", "RM", "TZ", "OF",
    "Y", "I", "Q",
];
/// Those of one letter that are left.
const LETTERS: &[&str] = &["W", "D", "J"];

/// A time by a pattern.
pub(super) fn written(fields: &Fields, pattern: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = pattern;
    let mut fill = false;
    while let Some(c) = rest.chars().next() {
        if let Some(word) = WORDS.iter().chain(LETTERS).copied().find(|word| begins(rest, word)) {
            let asked = rest.get(..word.len()).unwrap_or(word);
            rest = rest.get(word.len()..).unwrap_or_default();
            match word {
                // Names of the language have no blanks behind them.
                "FM" | "TM" => fill = true,
                "FX" => {}
                _ => {
                    let value = part(fields, word, asked, fill)?;
                    fill = false;
                    out.push_str(&value);
                    // `th` after a number.
                    if rest.get(..2).is_some_and(|t| t == "th" || t == "TH")
                        && value.bytes().all(|b| b.is_ascii_digit())
                    {
                        out.push_str(&ordinal(&value, rest.starts_with("TH")));
                        rest = rest.get(2..).unwrap_or_default();
                    }
                }
            }
            continue;
        }
        let mut taken = c.len_utf8();
        match c {
            '"' => {
                let text = rest.get(1..).unwrap_or_default().split('"').next().unwrap_or_default();
                out.push_str(text);
                taken = (text.len() + 2).min(rest.len());
            }
            '\\' if rest.get(1..2) == Some("\"") => {
                out.push('"');
                taken = 2;
            }
            other => out.push(other),
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(out)
}

/// Whether a text begins with a word in large or small letters, or for names with a large one first.
fn begins(text: &str, word: &str) -> bool {
    let Some(start) = text.get(..word.len()) else { return false };
    let capital = || {
        matches!(word, "MONTH" | "MON" | "DAY" | "DY")
            && start.chars().next().is_some_and(char::is_uppercase)
            && start.chars().skip(1).all(char::is_lowercase)
    };
    start.eq_ignore_ascii_case(word) && (start == word || start == word.to_lowercase() || capital())
}

fn part(fields: &Fields, word: &str, asked: &str, fill: bool) -> Result<String, String> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    const ROMAN: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];
    let number = |value: i64, width: usize| match fill {
        true => value.to_string(),
        false if value < 0 => format!("-{:0width$}", -value),
        false => format!("{value:0width$}"),
    };
    let padded = |text: String, width: usize| if fill { text } else { format!("{text:width$}") };
    let name = |name: &str, width: usize| {
        let cased = match asked {
            a if a.chars().all(|c| !c.is_lowercase()) => name.to_uppercase(),
            a if a.chars().all(|c| !c.is_uppercase()) => name.to_lowercase(),
            _ => name.to_owned(),
        };
        padded(cased, width)
    };
    let short = |name: &str| name.chars().take(3).collect::<String>();
    let cased = |text: &str| if asked.chars().any(char::is_lowercase) { text.to_lowercase() } else { text.to_owned() };
    let date = || fields.date.ok_or_else(|| "invalid format specification for an interval value".to_owned());
    let month = || usize::try_from(fields.month - 1).ok();
    let year = fields.of_era(fields.year);
    let iso = || date().map(|d| fields.of_era(d.iso_week().year().into()));
    let hour12 = match fields.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let fraction = |digits: usize| format!("{:06}", fields.micros).chars().take(digits).collect::<String>();
    let of = |names: &[&str], at: Option<usize>| at.and_then(|at| names.get(at)).map_or("", |n| *n).to_owned();
    let weekday = || date().map(|d| usize::try_from(d.weekday().num_days_from_monday()).ok());
    let offset = fields.zone.as_ref().map_or(0, |(offset, _)| *offset);
    let east = |seconds: i32| if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 3600, offset.abs() / 60 % 60);
    Ok(match word {
        "YYYY" => number(year, 4),
        "YYY" => number(year % 1000, 3),
        "YY" => number(year % 100, 2),
        "Y" => number(year % 10, 1),
        "Y,YYY" => format!("{},{:03}", year / 1000, year % 1000),
        "IYYY" => number(iso()?, 4),
        "IYY" => number(iso()? % 1000, 3),
        "IY" => number(iso()? % 100, 2),
        "I" => number(iso()? % 10, 1),
        "MONTH" => date().map(|_| name(&of(&MONTHS, month()), 9))?,
        "MON" => date().map(|_| name(&short(&of(&MONTHS, month())), 3))?,
        "MM" => number(fields.month, 2),
        "RM" => padded(cased(&of(&ROMAN, month())), 4),
        "DAY" => name(&of(&DAYS, weekday()?), 9),
        "DY" => name(&short(&of(&DAYS, weekday()?)), 3),
        "DDD" => number(date()?.ordinal().into(), 3),
        "IDDD" => {
            let date = date()?;
            number(i64::from(date.iso_week().week0()) * 7 + i64::from(date.weekday().number_from_monday()), 3)
        }
        "DD" => number(fields.day, 2),
        "D" => number(date()?.weekday().number_from_sunday().into(), 1),
        "ID" => number(date()?.weekday().number_from_monday().into(), 1),
        "W" => number((fields.day - 1) / 7 + 1, 1),
        "WW" => number(i64::from(date()?.ordinal0()) / 7 + 1, 2),
        "IW" => number(date()?.iso_week().week().into(), 2),
        "CC" => number((year - 1) / 100 + 1, 2),
        "Q" => number((fields.month - 1) / 3 + 1, 1),
        // Days since the beginning of the Julian period.
        "J" => number(i64::from(date()?.num_days_from_ce()) + 1_721_425, 1),
        "HH24" => number(fields.hour, 2),
        "HH12" | "HH" => number(hour12, 2),
        "MI" => number(fields.minute, 2),
        "SS" => number(fields.second, 2),
        "SSSS" | "SSSSS" => number(fields.seconds(), 1),
        "MS" => fraction(3),
        "US" => fraction(6),
        "FF1" | "FF2" | "FF3" | "FF4" | "FF5" | "FF6" => {
            fraction(word.bytes().last().map_or(6, |b| usize::from(b.saturating_sub(b'0'))))
        }
        "AM" | "PM" => cased(if fields.hour % 24 >= 12 { "PM" } else { "AM" }),
        "A.M." | "P.M." => cased(if fields.hour % 24 >= 12 { "P.M." } else { "A.M." }),
        "AD" | "BC" => date().map(|_| cased(if fields.year <= 0 { "BC" } else { "AD" }))?,
        "A.D." | "B.C." => date().map(|_| cased(if fields.year <= 0 { "B.C." } else { "A.D." }))?,
        "TZ" => match &fields.zone {
            Some((0, name)) if name.starts_with('+') => cased("UTC"),
            Some((_, name)) => cased(name),
            None => String::new(),
        },
        "TZH" => format!("{}{hours:02}", east(offset)),
        "TZM" => format!("{minutes:02}"),
        "OF" if minutes == 0 => format!("{}{hours:02}", east(offset)),
        "OF" => format!("{}{hours:02}:{minutes:02}", east(offset)),
        other => return Err(format!("`{other}` in a pattern of to_char is not supported")),
    })
}

/// `st`, `nd`, `rd` or `th` of a number.
fn ordinal(digits: &str, large: bool) -> String {
    let (last, teens) =
        (digits.bytes().last(), digits.ends_with("11") || digits.ends_with("12") || digits.ends_with("13"));
    let end = match last {
        _ if teens => "th",
        Some(b'1') => "st",
        Some(b'2') => "nd",
        Some(b'3') => "rd",
        _ => "th",
    };
    if large { end.to_uppercase() } else { end.to_owned() }
}
