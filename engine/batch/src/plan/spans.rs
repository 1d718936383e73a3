//! Sets of days, as spans.

use chrono::{Datelike, NaiveDate};
use envoi::Granularity;

/// In a stored list: rows without a time.
const NULLS: (i64, i64) = (i64::MIN, i64::MIN);

/// Days since 1970 as spans, first and the one after the last, apart and in order; and rows without a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Days {
    spans: Vec<(i64, i64)>,
    nulls: bool,
}

impl Days {
    pub(crate) fn all() -> Self {
        Self { spans: vec![(i64::MIN, i64::MAX)], nulls: true }
    }

    /// From a day to before another; without one, from the first or to the last.
    pub(crate) fn between(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Self {
        Self::of(from.map_or(i64::MIN, number), to.map_or(i64::MAX, number))
    }

    pub(crate) fn of(first: i64, after: i64) -> Self {
        Self { spans: if first < after { vec![(first, after)] } else { Vec::new() }, nulls: false }
    }

    pub(crate) fn nulls(nulls: bool) -> Self {
        Self { spans: Vec::new(), nulls }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty() && !self.nulls
    }

    pub(crate) fn is_all(&self) -> bool {
        *self == Self::all()
    }

    pub(crate) fn spans(&self) -> &[(i64, i64)] {
        &self.spans
    }

    /// Its first day, for people.
    pub(crate) fn label(&self) -> String {
        match self.spans.first() {
            Some((first, _)) if *first != i64::MIN => day(*first).to_string(),
            Some(_) => "the first".to_owned(),
            None => "no day".to_owned(),
        }
    }

    pub(crate) fn has_nulls(&self) -> bool {
        self.nulls
    }

    /// Whether a day is in it; `None`: a row without one.
    pub(crate) fn has(&self, day: Option<i64>) -> bool {
        match day {
            Some(day) => self.spans.iter().any(|(first, after)| *first <= day && day < *after),
            None => self.nulls,
        }
    }

    #[must_use]
    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut spans: Vec<(i64, i64)> = self.spans.iter().chain(&other.spans).copied().collect();
        spans.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
        for (first, after) in spans {
            match joined.last_mut() {
                Some(last) if first <= last.1 => last.1 = last.1.max(after),
                _ => joined.push((first, after)),
            }
        }
        Self { spans: joined, nulls: self.nulls || other.nulls }
    }

    #[must_use]
    pub(crate) fn without(&self, other: &Self) -> Self {
        let mut left = self.spans.clone();
        for (first, after) in &other.spans {
            left = left
                .into_iter()
                .flat_map(|(a, b)| [(a, b.min(*first)), (a.max(*after), b)])
                .filter(|(a, b)| a < b)
                .collect();
        }
        left.sort_unstable();
        left.dedup();
        Self { spans: left, nulls: self.nulls && !other.nulls }
    }

    /// The whole spans of that length that its days are in; `late` days before count too.
    #[must_use]
    pub(crate) fn whole(&self, every: Granularity, late: i64) -> Self {
        let mut all = Self::nulls(self.nulls);
        for (first, after) in &self.spans {
            let first = if *first == i64::MIN { *first } else { begin(first - late, every) };
            let after = if *after == i64::MAX { *after } else { end(after - 1, every) };
            all = all.union(&Self::of(first, after));
        }
        all
    }

    /// Its spans of that length one by one; `None` where they are without bound, or too many.
    pub(crate) fn each(&self, every: Granularity) -> Option<Vec<Self>> {
        const MOST: usize = 10_000;
        let mut all = Vec::new();
        for (first, after) in &self.spans {
            if *first == i64::MIN || *after == i64::MAX {
                return None;
            }
            let mut at = *first;
            while at < *after {
                let next = end(at, every).min(*after);
                all.push(Self::of(at, next));
                at = next;
                if all.len() > MOST {
                    return None;
                }
            }
        }
        if self.nulls {
            all.push(Self::nulls(true));
        }
        Some(all)
    }

    pub(crate) fn to_list(&self) -> Vec<(i64, i64)> {
        self.spans.iter().copied().chain(self.nulls.then_some(NULLS)).collect()
    }

    pub(crate) fn from_list(list: &[(i64, i64)]) -> Self {
        let spans = list.iter().copied().filter(|s| *s != NULLS).collect();
        Self { spans, nulls: list.contains(&NULLS) }
    }
}

/// Days since 1970.
pub(crate) fn number(day: NaiveDate) -> i64 {
    i64::from(day.num_days_from_ce()) - i64::from(NaiveDate::default().num_days_from_ce())
}

/// The day of a number; beyond the calendar, its end.
pub(crate) fn day(number: i64) -> NaiveDate {
    let ce = number.saturating_add(i64::from(NaiveDate::default().num_days_from_ce()));
    let edge = if number < 0 { NaiveDate::MIN } else { NaiveDate::MAX };
    i32::try_from(ce).ok().and_then(NaiveDate::from_num_days_from_ce_opt).unwrap_or(edge)
}

/// The first day of the span that a day is in.
pub(crate) fn begin(of: i64, every: Granularity) -> i64 {
    let date = day(of);
    let first = match every {
        Granularity::Day => return of,
        // 1970-01-01 was a Thursday.
        Granularity::Week => return of - (of + 3).rem_euclid(7),
        Granularity::Month => date.with_day(1),
        Granularity::Quarter => date.with_day(1).and_then(|d| d.with_month(3 * (d.month0() / 3) + 1)),
        Granularity::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1),
    };
    first.map_or(of, number)
}

/// The day after the span that a day is in.
pub(crate) fn end(of: i64, every: Granularity) -> i64 {
    let first = day(begin(of, every));
    let months = match every {
        Granularity::Day => return of + 1,
        Granularity::Week => return begin(of, every) + 7,
        Granularity::Month => 1,
        Granularity::Quarter => 3,
        Granularity::Year => 12,
    };
    first.checked_add_months(chrono::Months::new(months)).map_or(of + 1, number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(text: &str) -> i64 {
        number(text.parse().unwrap())
    }

    #[test]
    fn spans_of_the_calendar() {
        let check = |every, of: &str, first: &str, after: &str| {
            assert_eq!((begin(days(of), every), end(days(of), every)), (days(first), days(after)));
        };
        check(Granularity::Day, "2024-02-29", "2024-02-29", "2024-03-01");
        check(Granularity::Week, "2026-11-27", "2026-11-23", "2026-11-30");
        check(Granularity::Week, "1969-12-31", "1969-12-29", "1970-01-05");
        check(Granularity::Month, "2024-12-31", "2024-12-01", "2025-01-01");
        check(Granularity::Quarter, "2024-05-01", "2024-04-01", "2024-07-01");
        check(Granularity::Year, "1969-07-20", "1969-01-01", "1970-01-01");
    }

    #[test]
    fn sets() {
        let set = Days::of(1, 5).union(&Days::of(5, 7)).union(&Days::of(10, 12));
        assert_eq!(set.spans(), [(1, 7), (10, 12)]);
        assert_eq!(set.without(&Days::of(3, 11)).spans(), [(1, 3), (11, 12)]);
        assert!(Days::all().without(&Days::all()).is_empty());
        let rest = Days::all().without(&Days::of(0, 31));
        assert_eq!(Days::from_list(&rest.to_list()), rest);
        assert!(rest.has(None) && rest.has(Some(31)) && !rest.has(Some(30)));
        let months = Days::of(days("2024-01-15"), days("2024-02-02")).whole(Granularity::Month, 0);
        assert_eq!(months.each(Granularity::Month).unwrap().len(), 2);
        assert_eq!(
            Days::of(days("2024-01-02"), days("2024-01-03")).whole(Granularity::Month, 3).spans()[0].0,
            days("2023-12-01")
        );
    }
}
