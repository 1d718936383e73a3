//! Periods as banks write them: `JUL-2005`, `2003 Q1`, `Ene 2020 (p)`.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::settings::Frequency;
use crate::import::cells::squeeze;
use crate::read::Cell;

/// How a file writes its periods.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Period {
    /// Headers of the columns that make the period, in order; their texts are joined with a
    /// blank. None where periods lie across.
    #[serde(default)]
    pub(super) columns: Vec<String>,
    /// `%Y` and `%y` year, `%m` number and `%b` name of the month, `%q` quarter as a figure or
    /// Roman, `%d` a day that does not count; all else as it is, in any case.
    format: String,
    /// A period, for messages.
    pub(super) example: String,
    /// Names of the months from January on, where they are not English; the first letters do.
    #[serde(default)]
    months: Vec<String>,
    /// The month that names a period of several: its first, or its last.
    #[serde(default)]
    month: Named,
    /// What may stand behind a period, and the `obs_status` it means.
    #[serde(default)]
    marks: BTreeMap<String, String>,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Named {
    #[default]
    First,
    Last,
}

const ENGLISH: [&str; 12] = [
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
const ROMAN: [&str; 4] = ["IV", "III", "II", "I"];

/// What a text has said so far.
#[derive(Default, Clone, Copy)]
struct Said {
    year: Option<i32>,
    month: Option<u32>,
    quarter: Option<u32>,
}

impl Period {
    /// The first day of a period, and what its mark means; `None` for anything else.
    pub(super) fn read(&self, text: &str, frequency: Frequency) -> Option<(NaiveDate, Option<&str>)> {
        let text = squeeze(text);
        let (said, rest) = self.parse(&text)?;
        let mark = rest.trim().trim_matches(['(', ')', '*']).trim();
        let status = if rest.trim().is_empty() {
            None
        } else {
            let known = self.marks.iter().find(|(m, _)| m.eq_ignore_ascii_case(mark))?;
            Some(known.1.as_str())
        };
        self.day(said, frequency).map(|day| (day, status))
    }

    /// As [`Period::read`], also for a workbook's date.
    pub(super) fn of_cell(&self, cell: &Cell, frequency: Frequency) -> Option<(NaiveDate, Option<&str>)> {
        match cell {
            Cell::Date(day) => {
                let said = Said { year: Some(day.year()), month: Some(day.month()), quarter: None };
                self.day(said, frequency).map(|day| (day, None))
            }
            cell => self.read(&cell.text(), frequency),
        }
    }

    /// The example must be a period of the frequency, or no row will be.
    pub(super) fn check(&self, frequency: Frequency) -> Result<(), String> {
        if self.read(&self.example, frequency).is_some() {
            return Ok(());
        }
        let (example, format) = (&self.example, &self.format);
        Err(format!("period: example `{example}` is not of the format `{format}` and frequency {}", frequency.code()))
    }

    fn day(&self, said: Said, frequency: Frequency) -> Option<NaiveDate> {
        let year = said.year.filter(|y| (1900..2200).contains(y))?;
        let step = frequency.months();
        let month = match (said.month, said.quarter) {
            (Some(month), None) if self.month == Named::Last => month.checked_sub(step - 1)?,
            (Some(month), None) => month,
            (None, Some(quarter)) if frequency == Frequency::Q => quarter * 3 - 2,
            (None, None) if frequency == Frequency::A => 1,
            _ => return None,
        };
        let fits = month >= 1 && (month - 1) % step == 0;
        fits.then(|| NaiveDate::from_ymd_opt(year, month, 1)).flatten()
    }

    fn parse<'t>(&self, text: &'t str) -> Option<(Said, &'t str)> {
        let mut said = Said::default();
        let mut rest = text;
        let mut format = self.format.chars();
        while let Some(c) = format.next() {
            rest = if c == '%' { self.field(format.next()?, rest, &mut said)? } else { literal(c, rest)? };
        }
        // `2011` must not be read out of `20115`.
        let ends = !rest.starts_with(|c: char| c.is_ascii_digit());
        ends.then_some((said, rest))
    }

    /// Reads what one `%` of the format stands for.
    fn field<'t>(&self, kind: char, text: &'t str, said: &mut Said) -> Option<&'t str> {
        let (number, rest) = match kind {
            'Y' => digits(text, 4, 4)?,
            'y' => digits(text, 2, 2)?,
            'm' | 'd' => digits(text, 1, 2)?,
            'b' => self.name(text)?,
            'q' => quarter(text)?,
            _ => return None,
        };
        match kind {
            'Y' => said.year = i32::try_from(number).ok(),
            'y' => said.year = century(number),
            'm' | 'b' => said.month = Some(number).filter(|n| (1..=12).contains(n)),
            'q' => said.quarter = Some(number),
            _ => {}
        }
        Some(rest)
    }

    /// The month that a word names, in full or by its first letters.
    fn name<'t>(&self, text: &'t str) -> Option<(u32, &'t str)> {
        let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        let word = word.to_lowercase();
        if word.chars().count() < 3 {
            return None;
        }
        let own = self.months.iter().map(String::as_str);
        let names: Vec<&str> = if self.months.is_empty() { ENGLISH.to_vec() } else { own.collect() };
        let mut fits = (1..).zip(names).filter(|(_, name)| name.to_lowercase().starts_with(&word));
        let (number, _) = fits.next()?;
        // Banks write `Sept.` too.
        fits.next().is_none().then(|| (number, rest.strip_prefix('.').unwrap_or(rest)))
    }
}

fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(count).filter(|_| count >= least)?;
    Some((number.parse().ok()?, rest))
}

/// POSIX: 69 to 99 are of the last century.
fn century(year: u32) -> Option<i32> {
    i32::try_from(if year < 69 { 2000 + year } else { 1900 + year }).ok()
}

fn literal(c: char, text: &str) -> Option<&str> {
    let mut rest = text.chars();
    rest.next().filter(|found| found.to_lowercase().eq(c.to_lowercase())).map(|_| rest.as_str())
}

fn quarter(text: &str) -> Option<(u32, &str)> {
    let roman = (1..=4).rev().zip(ROMAN).find_map(|(n, roman)| {
        let (found, rest) = text.split_at_checked(roman.len())?;
        found.eq_ignore_ascii_case(roman).then_some((n, rest))
    });
    roman.or_else(|| digits(text, 1, 1).filter(|(n, _)| (1..=4).contains(n)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, frequency: Frequency, text: &str, expected: Option<&str>) {
        let settings = format!("format = '{format}'\nexample = ''\nmarks = {{ p = 'E' }}");
        let period: Period = toml::from_str(&settings).unwrap();
        let found = period.read(text, frequency);
        let found = found.map(|(day, status)| format!("{day}{}", status.unwrap_or_default()));
        assert_eq!(found.as_deref(), expected, "{format}: {text}");
    }

    #[test]
    fn periods_of_banks() {
        use Frequency::{A, M, Q};
        check("%b-%Y", M, "JUL-2005", Some("2005-07-01"));
        check("%b-%Y", M, "Sept.-2005", Some("2005-09-01"));
        check("%b-%Y", M, " July-2005 (P)", Some("2005-07-01E"));
        check("%b-%Y", M, "July-2005 r", None);
        check("%b-%Y", M, "JUL-200", None);
        check("%b-%Y", M, "JUL-20055", None);
        check("%b-%Y", M, "Ju-2005", None);
        check("%b-%Y", Q, "JUL-2005", Some("2005-07-01"));
        check("%b-%Y", Q, "AUG-2005", None);
        check("%Y Q%q", Q, "2003 q4", Some("2003-10-01"));
        check("%Y-%q", Q, "2003-III", Some("2003-07-01"));
        check("%Y Q%q", Q, "2003 Q5", None);
        check("%Y Q%q", M, "2003 Q3", None);
        check("%m/%y", M, "1/98", Some("1998-01-01"));
        check("%d/%m/%Y", M, "31/12/2020", Some("2020-12-01"));
        check("%m/%Y", M, "13/2020", None);
        check("%Y", A, "2020", Some("2020-01-01"));
        check("%Y", M, "2020", None);
    }

    #[test]
    fn names_of_months_and_of_quarters() {
        let months = "months = ['enero', 'febrero', 'marzo', 'abril', 'mayo', 'junio']";
        let period: Period = toml::from_str(&format!("format = '%b %Y'\nexample = 'Abr 2020'\n{months}")).unwrap();
        assert!(period.check(Frequency::M).is_ok());
        assert!(period.read("Ene 2020", Frequency::M).is_some());
        // Of two months that a word may mean neither is taken.
        assert!(period.read("M 2020", Frequency::M).is_none());
        assert!(period.read("January 2020", Frequency::M).is_none());
        let last: Period = toml::from_str("format = '%b %Y'\nexample = 'Mar 2020'\nmonth = 'last'").unwrap();
        let day = |text: &str| last.read(text, Frequency::Q).map(|(day, _)| day.to_string());
        assert_eq!(day("Mar 2020").as_deref(), Some("2020-01-01"));
        assert_eq!(day("Jan 2020"), None);
        assert!(last.check(Frequency::Q).is_ok() && toml::from_str::<Period>("format = ''").is_err());
    }
}
