//! Cells of publishers' tables as numbers, years and dates; strict, with places.

use chrono::{Datelike, NaiveDate};

use crate::error::{Error, Result};
use crate::read::{Cell, Grid, Row};

/// A number as publishers write it in data files: plain digits, a point for
/// decimals. `None` for a blank or one of the `missing` marks; anything else that
/// is not a finite number is an error naming file, sheet, row and column.
pub fn number(grid: &Grid, row: &Row, index: usize, column: &str, missing: &[String]) -> Result<Option<f64>> {
    let wrong = |text: &str| {
        Error::data(
            grid.at(row, column),
            format!(
                "`{}` is not a number; expected digits with a decimal point, or for missing {}",
                crate::error::Printable(text),
                missing
                    .iter()
                    .map(|m| if m.is_empty() { "nothing".to_owned() } else { format!("`{m}`") })
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        )
    };
    match row.cell(index) {
        Cell::Empty => Ok(None),
        Cell::Number(n) if n.is_finite() => Ok(Some(*n)),
        Cell::Text(text) => {
            let text = text.trim();
            if text.is_empty() || missing.iter().any(|m| m == text) {
                return Ok(None);
            }
            match text.parse::<f64>() {
                Ok(n) if n.is_finite() && text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) => {
                    Ok(Some(n))
                }
                _ => Err(wrong(text)),
            }
        }
        other => Err(wrong(&other.text())),
    }
}

/// A year in a header or cell, as text or number; `None` if it is none between 1800 and 2200.
pub fn year(cell: &Cell) -> Option<i32> {
    let year = match cell {
        Cell::Number(n) if n.fract() == 0.0 && n.abs() < 1e6 => *n as i32,
        Cell::Text(t) => t.trim().parse().ok()?,
        Cell::Date(d) => d.year(),
        _ => return None,
    };
    (1800..=2200).contains(&year).then_some(year)
}

/// A day as ISO 8601 text or as a workbook's date.
pub fn date(cell: &Cell) -> Option<NaiveDate> {
    match cell {
        Cell::Date(d) => Some(d.date()),
        Cell::Text(t) => NaiveDate::parse_from_str(t.trim(), "%Y-%m-%d").ok(),
        // A workbook's serial day that lost its format.
        Cell::Number(n) if (20_000.0..80_000.0).contains(n) => {
            NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(chrono::Days::new(*n as u64))
        }
        _ => None,
    }
}

/// The first day of a year.
pub fn first_of(year: i32, place: crate::error::Place) -> Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, 1, 1).ok_or_else(|| Error::data(place, format!("`{year}` is not a year")))
}

/// Letters of a column as a spreadsheet shows them: 0 is `A`, 26 is `AA`.
pub fn column_letters(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// Text with runs of blanks as one, and none at the ends.
pub fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Matches a name against a pattern in which `*` stands for anything; case and outer blanks do not count.
pub fn like(pattern: &str, name: &str) -> bool {
    fn rest(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', pattern)) => (0..=name.len()).any(|i| name.get(i..).is_some_and(|name| rest(pattern, name))),
            Some((p, pattern)) => name.split_first().is_some_and(|(n, name)| p == n && rest(pattern, name)),
        }
    }
    rest(pattern.trim().to_lowercase().as_bytes(), name.trim().to_lowercase().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(cell: Cell) -> Grid {
        Grid { file: "f.csv".into(), sheet: None, rows: vec![Row { number: 7, hidden: false, cells: vec![cell] }] }
    }

    fn check(cell: Cell, expected: std::result::Result<Option<f64>, &str>) {
        let grid = grid(cell.clone());
        let missing = ["".to_owned(), "..".to_owned()];
        let got = number(&grid, &grid.rows[0], 0, "2020", &missing);
        match (got, expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{cell:?}"),
            (Err(e), Err(part)) => assert!(e.to_string().contains(part), "{e}"),
            (got, expected) => panic!("{cell:?}: {got:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn numbers_are_strict_and_missing_is_not_zero() {
        check(Cell::Text("12.5".into()), Ok(Some(12.5)));
        check(Cell::Text(" -1e6 ".into()), Ok(Some(-1e6)));
        check(Cell::Text(" ".into()), Ok(None));
        check(Cell::Text("..".into()), Ok(None));
        check(Cell::Text("0".into()), Ok(Some(0.0)));
        check(Cell::Number(2.0), Ok(Some(2.0)));
        check(Cell::Text("1,234".into()), Err("f.csv, row 7, column `2020`: `1,234` is not a number"));
        check(Cell::Text("inf".into()), Err("not a number"));
        check(Cell::Text("nan".into()), Err("not a number"));
        check(Cell::Number(f64::NAN), Err("not a number"));
        check(Cell::Error("#N/A".into()), Err("#N/A"));
    }

    #[test]
    fn letters_of_columns() {
        let letters = [0, 25, 26, 51, 52, 701, 702].map(column_letters);
        assert_eq!(letters, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }

    #[test]
    fn sheet_patterns() {
        assert!(like("FINAL BRM *", "FINAL BRM 2021 "));
        assert!(like("Table 1", "table 1"));
        assert!(!like("Table 1", "Table 10"));
        assert!(!like("FINAL BRM *", "Sheet1"));
    }
}
