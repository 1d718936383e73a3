//! Dates that publishers say in prose: `Date: December 2023`, `set on 1 July 2022`.

use chrono::NaiveDate;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The month of an English name, in full or by its first three letters.
fn month(word: &str) -> Option<u32> {
    let word = word.trim_matches(|c: char| !c.is_alphabetic()).to_lowercase();
    if word.len() < 3 {
        return None;
    }
    let fits = |name: &&str| **name == word || (word.len() <= 4 && name.starts_with(&word));
    (1..).zip(&MONTHS).find(|(_, name)| fits(name)).map(|(number, _)| number)
}

fn number(word: &str) -> Option<i32> {
    let digits = word.trim_matches(|c: char| !c.is_ascii_digit());
    if digits.len() > 4 { None } else { digits.parse().ok() }
}

/// A year between 1980 and 2100.
fn year(word: &str) -> Option<i32> {
    number(word).filter(|y| (1980..=2100).contains(y))
}

/// The first day of the first month and year that `text` names, such as `December 2023`.
pub(super) fn month_of(text: &str) -> Option<NaiveDate> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).find_map(|pair| match pair {
        [name, then] => NaiveDate::from_ymd_opt(year(then)?, month(name)?, 1),
        _ => None,
    })
}

/// The first day that `text` names after `mark`, as `1 July 2022` or `July 1, 2022`.
pub(super) fn day_after(text: &str, mark: &str) -> Option<NaiveDate> {
    let lower = text.to_lowercase();
    lower.match_indices(&mark.to_lowercase()).find_map(|(at, found)| {
        let words: Vec<&str> = lower.get(at + found.len()..)?.split_whitespace().take(3).collect();
        let [a, b, c] = words.as_slice() else { return None };
        let (day, name) = if month(b).is_some() { (a, b) } else { (b, a) };
        NaiveDate::from_ymd_opt(year(c)?, month(name)?, u32::try_from(number(day)?).ok()?)
    })
}

/// The first year that `text` names after `mark`.
pub(super) fn year_after(text: &str, mark: &str) -> Option<i32> {
    let lower = text.to_lowercase();
    let (_, rest) = lower.split_once(&mark.to_lowercase())?;
    rest.split_whitespace().take(2).find_map(year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_prose() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d);
        assert_eq!(month_of("Date: December 2023"), day(2023, 12, 1));
        assert_eq!(month_of("please cite: World Bank-KNOMAD, Nov. 2022."), day(2022, 11, 1));
        assert_eq!(month_of("World Bank list of economies (June 2020)"), day(2020, 6, 1));
        assert_eq!(month_of("may be 2023"), None);
        assert_eq!(month_of("Dilip Ratha, 2003"), None);
        assert_eq!(day_after("Income classifications set on 1 July 2022 remain", "set on"), day(2022, 7, 1));
        assert_eq!(day_after("in effect until July 1, 2023.", "effect until"), day(2023, 7, 1));
        assert_eq!(day_after("in effect until further notice today", "effect until"), None);
        assert_eq!(year_after("according to 2022 gross national income", "according to"), Some(2022));
    }
}
