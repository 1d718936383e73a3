//! Periods and dates as written in several languages, to first and last day.

use chrono::{Datelike, Months, NaiveDate};

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Grain {
    /// One day.
    Day,
    /// An ISO week.
    Week,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// A half-year.
    Half,
    /// A calendar year.
    Year,
    /// A fiscal year whose months the file does not say; it has no days here.
    FiscalYear,
    /// Several calendar years, first to last.
    Years,
}

impl Grain {
    /// The grain as a word, as in the `_grain` column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Half => "half",
            Self::Year => "year",
            Self::FiscalYear => "fiscal_year",
            Self::Years => "years",
        }
    }
}

/// A period with its canonical text: `2003`, `2003-Q4`, `2003-12`, `2003-12-31`, `FY2003`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Canonical text.
    pub text: String,
    /// First day; `None` for a fiscal year.
    pub start: Option<NaiveDate>,
    /// Last day; `None` for a fiscal year.
    pub end: Option<NaiveDate>,
    /// Grain.
    pub grain: Grain,
}

/// Which number of `01/02/2003` is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    DayFirst,
    MonthFirst,
}

/// What a text can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    Sure(Period),
    /// `31/12/2003`: sure, and tells the order of its column.
    Tells(Period, Order),
    /// `01/02/2003`: needs to be told.
    Needs {
        year: i32,
        first: u32,
        second: u32,
    },
    /// `2003/04`: April, or the fiscal year 2003 to 2004.
    MonthOrFiscal {
        year: i32,
        second: u32,
    },
}

/// Reads one text; `None` if it is no period.
pub(super) fn read(text: &str) -> Option<Reading> {
    let text = text.trim();
    // Midnight is how databases write a day.
    let text = text.trim_end_matches('Z').trim_end_matches(".000");
    let text = text.strip_suffix("00:00:00").map_or(text, |day| day.trim_end_matches(['T', ' ']));
    if text.is_empty() || text.len() > 40 || !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let tokens = tokens(text);
    let tokens: Vec<Token<'_>> =
        tokens.into_iter().filter(|t| !matches!(t, Token::Word("of" | "de" | "th" | "st"))).collect();
    use Token::{Number, Sign, Word};
    let sure = |p: Option<Period>| p.map(Reading::Sure);
    match tokens[..] {
        [Number(y, 4)] => sure(year(y)),
        // 2003Q4, 2003-Q4, 2003M12, 2003-W05, 2003 H1; Q4 2003, 4Q2003, 2011_1Q.
        [Number(y, 4), Word(letter), Number(n, 1..=2)] | [Number(y, 4), Sign(_), Word(letter), Number(n, 1..=2)] => {
            sure(part(y, letter, n))
        }
        [Word(letter), Number(n, 1..=2), Number(y, 4)] | [Word(letter), Number(n, 1..=2), Sign(_), Number(y, 4)]
            if letter.len() == 1 =>
        {
            sure(part(y, letter, n))
        }
        [Number(n, 1), Word(letter), Number(y, 4)] | [Number(n, 1), Word(letter), Sign(_), Number(y, 4)]
            if matches!(letter, "q" | "t" | "h" | "s") =>
        {
            sure(part(y, letter, n))
        }
        [Number(y, 4), Number(n, 1), Word(letter)] | [Number(y, 4), Sign(_), Number(n, 1), Word(letter)]
            if letter.len() == 1 =>
        {
            sure(part(y, letter, n))
        }
        [Word("fy"), Number(y, 4)] => sure(fiscal(y, None)),
        [Word("fy"), Number(y, 4), Sign('/' | '-'), Number(n, 2 | 4)] => sure(fiscal(y, Some(n))),
        // Month names: Dec-03, déc. 2003, December 2003, 2003 Dec, 31 Dec 2003, December 31, 2003.
        [Word(m), Number(y, 4 | 2)]
        | [Word(m), Sign(_), Number(y, 4 | 2)]
        | [Number(y, 4), Word(m)]
        | [Number(y, 4), Sign(_), Word(m)] => sure(month_named(m).and_then(|m| month(full_year(y), m))),
        [Number(d, 1..=2), Word(m), Number(y, 4 | 2)]
        | [Number(d, 1..=2), Sign(_), Word(m), Sign(_), Number(y, 4 | 2)]
        | [Word(m), Number(d, 1..=2), Number(y, 4)] => sure(month_named(m).and_then(|m| day(full_year(y), m, d))),
        [Number(y, 4), Sign('-' | '/' | '.'), Number(m, 1..=2), Sign('-' | '/' | '.'), Number(d, 1..=2)] => {
            sure(day(y, m, d))
        }
        // Dots are written day first wherever they are written.
        [Number(d, 1..=2), Sign('.'), Number(m, 1..=2), Sign('.'), Number(y, 4)] => sure(day(y, m, d)),
        [Number(a, 1..=2), Sign('/' | '-'), Number(b, 1..=2), Sign('/' | '-'), Number(y, 4 | 2)] => {
            numeric_day(full_year(y), a, b)
        }
        [Number(m, 1..=2), Sign('/' | '-' | '.'), Number(y, 4)] => sure(month(y, m)),
        [Number(y, 4), Sign('-' | '/'), Number(last, 4)] if last > y && last - y < 100 => sure(years(y, last)),
        [Number(y, 4), Sign(sign @ ('-' | '/' | '.')), Number(n, 2)] => {
            let next = (y + 1).rem_euclid(100) == n;
            match (1..=12).contains(&n) {
                true if next && sign != '.' => Some(Reading::MonthOrFiscal { year: y, second: n as u32 }),
                true => sure(month(y, n)),
                false if next => sure(fiscal(y, Some(n))),
                false => None,
            }
        }
        _ => None,
    }
}

impl Reading {
    /// Settles an order-dependent date.
    pub(super) fn settle(self, order: Option<Order>, fiscal_years: Option<bool>) -> Option<Period> {
        match (self, order, fiscal_years) {
            (Self::Sure(p) | Self::Tells(p, _), ..) => Some(p),
            (Self::Needs { year, first, second }, Some(Order::DayFirst), _) => day(year, second as i32, first as i32),
            (Self::Needs { year, first, second }, Some(Order::MonthFirst), _) => day(year, first as i32, second as i32),
            (Self::MonthOrFiscal { year, second }, _, Some(true)) => fiscal(year, Some(second as i32)),
            (Self::MonthOrFiscal { year, second }, _, Some(false)) => month(year, second as i32),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Token<'a> {
    /// Value and number of digits.
    Number(i32, usize),
    Word(&'a str),
    Sign(char),
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        if digits > 0 {
            tokens.push(rest[..digits].parse().map_or(Token::Sign('?'), |n| Token::Number(n, digits)));
            rest = &rest[digits..];
        } else if letters > 0 {
            tokens.push(Token::Word(lower(&rest[..letters])));
            // `déc.` and `31 Dec., 2003`: the dot ends the word.
            rest = rest[letters..].strip_prefix('.').unwrap_or(&rest[letters..]);
        } else {
            rest = &rest[c.len_utf8()..];
            match c {
                '-' | '/' | '.' | '_' => tokens.push(Token::Sign(c)),
                '\u{2010}'..='\u{2014}' => tokens.push(Token::Sign('-')),
                c if c.is_whitespace() || c == ',' => {}
                _ => tokens.push(Token::Sign('?')),
            }
        }
    }
    tokens
}

/// The known word, lower-cased, without allocating; unknown words are `?`.
fn lower(word: &str) -> &'static str {
    let folded = word.to_lowercase();
    WORDS
        .iter()
        .chain(MONTHS.iter().flat_map(|(names, _)| names.iter()))
        .find(|w| **w == folded)
        .copied()
        .unwrap_or("?")
}

const WORDS: [&str; 13] = ["q", "m", "h", "s", "t", "w", "fy", "of", "de", "th", "st", "tri", "sem"];

/// English, French, Spanish, Portuguese and German, in full and cut.
const MONTHS: [(&[&str], i32); 12] = [
    (&["january", "jan", "janvier", "janv", "enero", "ene", "janeiro", "januar", "jänner"], 1),
    (&["february", "feb", "février", "févr", "fév", "fevrier", "febrero", "fevereiro", "fev", "februar"], 2),
    (&["march", "mar", "mars", "marzo", "março", "märz", "mär", "mrz"], 3),
    (&["april", "apr", "avril", "avr", "abril", "abr"], 4),
    (&["may", "mai", "mayo", "maio"], 5),
    (&["june", "jun", "juin", "junio", "junho", "juni"], 6),
    (&["july", "jul", "juillet", "juil", "julio", "julho", "juli"], 7),
    (&["august", "aug", "août", "aout", "agosto", "ago"], 8),
    (&["september", "sep", "sept", "septembre", "septiembre", "setembro", "set"], 9),
    (&["october", "oct", "octobre", "octubre", "outubro", "out", "oktober", "okt"], 10),
    (&["november", "nov", "novembre", "noviembre", "novembro"], 11),
    (&["december", "dec", "décembre", "déc", "decembre", "diciembre", "dic", "dezembro", "dez", "dezember"], 12),
];

fn month_named(word: &str) -> Option<i32> {
    MONTHS.iter().find(|(names, _)| names.contains(&word)).map(|(_, m)| *m)
}

/// Two-digit years: 50 to 99 are of the last century, which statistics rarely precede.
fn full_year(year: i32) -> i32 {
    match year {
        0..=49 => 2000 + year,
        50..=99 => 1900 + year,
        _ => year,
    }
}

fn sane(year: i32) -> Option<i32> {
    (1500..=2200).contains(&year).then_some(year)
}

fn year(y: i32) -> Option<Period> {
    span(format!("{:04}", sane(y)?), y, 1, 12, Grain::Year)
}

fn years(first: i32, last: i32) -> Option<Period> {
    sane(first)?;
    let text = format!("{first}/{last}");
    Some(Period {
        text,
        start: NaiveDate::from_ymd_opt(first, 1, 1),
        end: NaiveDate::from_ymd_opt(last, 12, 31),
        grain: Grain::Years,
    })
}

fn fiscal(y: i32, second: Option<i32>) -> Option<Period> {
    sane(y)?;
    let text = match second {
        None => format!("FY{y}"),
        Some(n) if (y + 1).rem_euclid(100) == n.rem_euclid(100) => {
            format!("FY{y}/{:02}", n.rem_euclid(100))
        }
        Some(_) => return None,
    };
    Some(Period { text, start: None, end: None, grain: Grain::FiscalYear })
}

fn part(y: i32, letter: &str, n: i32) -> Option<Period> {
    sane(y)?;
    match (letter, n) {
        ("q" | "t" | "tri", 1..=4) => span(format!("{y}-Q{n}"), y, n * 3 - 2, 3, Grain::Quarter),
        ("h" | "s" | "sem", 1..=2) => span(format!("{y}-H{n}"), y, n * 6 - 5, 6, Grain::Half),
        ("m", 1..=12) => month(y, n),
        ("w", 1..=53) => {
            let start = NaiveDate::from_isoywd_opt(y, n as u32, chrono::Weekday::Mon)?;
            let end = start.checked_add_days(chrono::Days::new(6));
            Some(Period { text: format!("{y}-W{n:02}"), start: Some(start), end, grain: Grain::Week })
        }
        _ => None,
    }
}

fn month(y: i32, m: i32) -> Option<Period> {
    span(format!("{:04}-{m:02}", sane(y)?), y, m, 1, Grain::Month)
}

fn span(text: String, y: i32, first: i32, months: u32, grain: Grain) -> Option<Period> {
    let start = NaiveDate::from_ymd_opt(y, u32::try_from(first).ok()?, 1)?;
    let end = start.checked_add_months(Months::new(months))?.pred_opt()?;
    Some(Period { text, start: Some(start), end: Some(end), grain })
}

/// A day as a period.
pub(super) fn day(y: i32, m: i32, d: i32) -> Option<Period> {
    let date = NaiveDate::from_ymd_opt(sane(y)?, u32::try_from(m).ok()?, u32::try_from(d).ok()?)?;
    Some(Period { text: date.to_string(), start: Some(date), end: Some(date), grain: Grain::Day })
}

fn numeric_day(y: i32, a: i32, b: i32) -> Option<Reading> {
    match (a, b) {
        (13.., 1..=12) => day(y, b, a).map(|p| Reading::Tells(p, Order::DayFirst)),
        (1..=12, 13..) => day(y, a, b).map(|p| Reading::Tells(p, Order::MonthFirst)),
        (1..=12, 1..=12) if a == b => day(y, a, b).map(Reading::Sure),
        (1..=12, 1..=12) => {
            sane(y)?;
            Some(Reading::Needs { year: y, first: a as u32, second: b as u32 })
        }
        _ => None,
    }
}

/// The year a column header names: `2000`, `2000 [YR2000]`, `YR2000`, `2023e`, `FY2003`,
/// the last part of `Inflows/2000`; also years that a workbook stores as text or number.
pub(super) fn header_year(name: &str) -> Option<i32> {
    let name = name.rsplit('/').next().unwrap_or(name).trim();
    let name = name.split_once(" [").map_or(name, |(before, _)| before.trim());
    let name = name.strip_prefix("YR").or_else(|| name.strip_prefix("FY")).unwrap_or(name).trim();
    let (digits, flag) = name.split_at_checked(4)?;
    let flag = flag.trim();
    let plain = flag.is_empty()
        || (flag.chars().count() <= 3
            && !flag.contains(|c: char| c.is_ascii_digit() || "-/.".contains(c))
            && !flag.contains(['Q', 'M', 'H']));
    if !digits.bytes().all(|b| b.is_ascii_digit()) || !plain {
        return None;
    }
    digits.parse().ok().filter(|y| (1800..=2150).contains(y))
}

/// The date of a workbook cell as a period of one day.
pub(super) fn of_date(date: NaiveDate) -> Option<Period> {
    day(date.year(), date.month() as i32, date.day() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods() {
        let cases = [
            ("2003", "2003", Grain::Year),
            ("2003Q4", "2003-Q4", Grain::Quarter),
            ("2003-Q4", "2003-Q4", Grain::Quarter),
            ("Q4 2003", "2003-Q4", Grain::Quarter),
            ("4T2003", "2003-Q4", Grain::Quarter),
            ("2011_1Q", "2011-Q1", Grain::Quarter),
            ("2003M12", "2003-12", Grain::Month),
            ("2003H1", "2003-H1", Grain::Half),
            ("2003-W05", "2003-W05", Grain::Week),
            ("Dec-03", "2003-12", Grain::Month),
            ("déc. 2003", "2003-12", Grain::Month),
            ("JUL-2005", "2005-07", Grain::Month),
            ("diciembre de 2003", "2003-12", Grain::Month),
            ("12/2003", "2003-12", Grain::Month),
            ("2003-12", "2003-12", Grain::Month),
            ("31/12/2003", "2003-12-31", Grain::Day),
            ("12/31/2003", "2003-12-31", Grain::Day),
            ("2003-12-31", "2003-12-31", Grain::Day),
            ("2003/12/31", "2003-12-31", Grain::Day),
            ("31.12.2003", "2003-12-31", Grain::Day),
            ("31/12/98", "1998-12-31", Grain::Day),
            ("2003-12-31T00:00:00Z", "2003-12-31", Grain::Day),
            ("2003-12-31 00:00:00", "2003-12-31", Grain::Day),
            ("31 December 2003", "2003-12-31", Grain::Day),
            ("December 31, 2003", "2003-12-31", Grain::Day),
            ("FY2003", "FY2003", Grain::FiscalYear),
            ("2014/15", "FY2014/15", Grain::FiscalYear),
            ("1990-1995", "1990/1995", Grain::Years),
        ];
        for (text, canonical, grain) in cases {
            let period = read(text).and_then(|r| r.settle(None, None)).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((period.text.as_str(), period.grain), (canonical, grain), "{text}");
        }
        for text in ["", "12", "Kenya", "30/02/2003", "2003-13", "2003Q5", "99/99/2003", "1,234", "Dec", "x 2003"] {
            assert_eq!(read(text).and_then(|r| r.settle(None, None)), None, "{text}");
        }
        assert!(matches!(read("01/02/2003"), Some(Reading::Needs { .. })));
        assert!(matches!(read("2003/04"), Some(Reading::MonthOrFiscal { .. })));
    }

    #[test]
    fn years_in_headers() {
        for (name, year) in
            [("2000 [YR2000]", 2000), ("2000", 2000), ("YR1999", 1999), ("2023e", 2023), ("Inflows/2001", 2001)]
        {
            assert_eq!(header_year(name), Some(year), "{name}");
        }
        for name in ["y2000", "20001", "2020Q3 [YR2020Q3]", "2000-05", "value", "% of GDP in 2023"] {
            assert_eq!(header_year(name), None, "{name}");
        }
    }
}
