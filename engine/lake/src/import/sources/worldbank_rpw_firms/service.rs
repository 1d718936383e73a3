//! One service of a firm, and what tells it from others.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use chrono::NaiveDate;

use crate::country::Iso3;
use crate::read::{Cell, Row};

/// What sending one amount costs; percents of the amount.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quote {
    /// Index into `Settings::amounts`.
    pub(super) amount: usize,
    pub(super) usd: f64,
    pub(super) fee: Option<f64>,
    pub(super) margin: Option<f64>,
    pub(super) cost: Option<f64>,
}

/// What the lake tells services apart by, before it has to use the producer's id.
pub(super) type Key = (Iso3, Iso3, NaiveDate, u32, Option<u32>, Option<u32>);

/// One row of the file; texts are indices of `Texts`.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) key: Key,
    pub(super) id: Option<u32>,
    pub(super) transparent: Option<bool>,
    pub(super) qualifies: Option<bool>,
    pub(super) quotes: Vec<Quote>,
    pub(super) sheet: usize,
    pub(super) row: u64,
    /// Of all cells of the row: rows without an id are the same only if all of them are.
    pub(super) hash: u64,
}

impl Service {
    /// The same service, entered twice.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        let prices = (&self.quotes, self.transparent, self.qualifies);
        let same = prices == (&other.quotes, other.transparent, other.qualifies);
        same && self.id == other.id && (self.id.is_some() || self.hash == other.hash)
    }
}

/// Texts, each held once: firms and services repeat in every quarter.
#[derive(Default)]
pub(super) struct Texts {
    all: Vec<Arc<str>>,
    index: HashMap<Arc<str>, u32>,
}

impl Texts {
    pub(super) fn add(&mut self, text: &str) -> u32 {
        if let Some(index) = self.index.get(text) {
            return *index;
        }
        let (index, text) = (u32::try_from(self.all.len()).unwrap_or(u32::MAX), Arc::<str>::from(text));
        self.all.push(Arc::clone(&text));
        self.index.insert(text, index);
        index
    }

    pub(super) fn get(&self, index: u32) -> &str {
        self.all.get(index as usize).map_or("", |text| text)
    }
}

pub(super) fn hash(row: &Row) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (index, cell) in row.cells.iter().enumerate().filter(|(_, c)| !c.is_blank()) {
        match cell {
            Cell::Text(text) => (index, text).hash(&mut hasher),
            Cell::Number(number) => (index, number.to_bits()).hash(&mut hasher),
            cell => (index, cell.text()).hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// The first day of `2011_1Q`, also where other editions write `2011Q1`.
pub(super) fn quarter(text: &str) -> Option<NaiveDate> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let rest: String = text.chars().filter(|c| !c.is_ascii_digit() && !matches!(c, '_' | '-' | ' ')).collect();
    let (year, quarter) = digits.split_at_checked(4)?;
    let quarter: u32 = quarter.parse().ok().filter(|q| (1..=4).contains(q))?;
    let year: i32 = year.parse().ok().filter(|y| (1990..2200).contains(y))?;
    // The year comes first in every edition; `3Q_2011` would be read as the year 3201.
    let led = text.get(..4).is_some_and(|t| t.bytes().all(|b| b.is_ascii_digit()));
    (led && digits.len() == 5 && rest.eq_ignore_ascii_case("q"))
        .then(|| NaiveDate::from_ymd_opt(year, quarter * 3 - 2, 1))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters() {
        let day = |text: &str| quarter(text).map(|d| d.to_string());
        assert_eq!(day("2011_1Q").as_deref(), Some("2011-01-01"));
        assert_eq!(day("2025_3Q").as_deref(), Some("2025-07-01"));
        assert_eq!(day("2025 Q4").as_deref(), Some("2025-10-01"));
        for wrong in ["", "2011", "2011_5Q", "2011_1", "201_1Q", "1Q_2011", "2011_11Q", "2011_1Qx"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }
}
