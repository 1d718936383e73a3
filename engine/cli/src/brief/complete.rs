//! Which year is the newest complete one.
//!
//! The last column of a publisher's file fills over months, and comparing it
//! with the year before compares two sets of economies: in the July 2025
//! edition of the World Development Indicators 106 economies have remittances
//! in 2024 against 201 in 2023, and the plain total falls by a tenth while the
//! economies in both years rise by 7.567 %.
//!
//! A year is complete when as many economies as nine tenths of the best of the
//! five years before it have remittances, and likewise ODA. A series that is
//! not loaded at all is left out of the rule, and reported as missing.

use super::data::YearCoverage;

/// Calendar years looked back on.
const WINDOW: i32 = 5;

/// The newest year that is complete in remittances and in ODA.
pub(crate) fn newest_complete_year(coverage: &[YearCoverage]) -> Option<i32> {
    newest(coverage, &[|c| c.with_remittance, |c| c.with_oda])
}

/// The newest year, not after `year`, for which shares of GDP are complete.
pub(crate) fn newest_gdp_year(coverage: &[YearCoverage], year: i32) -> Option<i32> {
    let until: Vec<_> = coverage.iter().copied().filter(|c| c.year <= year).collect();
    newest(&until, &[|c| c.with_gdp_share])
}

type Count = fn(&YearCoverage) -> i64;

fn newest(coverage: &[YearCoverage], counts: &[Count]) -> Option<i32> {
    let loaded: Vec<_> = counts.iter().filter(|f| coverage.iter().any(|c| f(c) > 0)).collect();
    if loaded.is_empty() {
        return None;
    }
    let complete = |c: &&YearCoverage| loaded.iter().all(|f| is_complete(coverage, c, f));
    coverage.iter().filter(complete).map(|c| c.year).max()
}

fn is_complete(coverage: &[YearCoverage], of: &YearCoverage, count: &Count) -> bool {
    let before = coverage.iter().filter(|c| (of.year - WINDOW..of.year).contains(&c.year));
    let best = before.map(count).max().unwrap_or(0);
    // In tenths, so that exactly nine of ten is not lost to rounding.
    count(of) > 0 && count(of) * 10 >= best * 9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brief::data::GrowthPanel;

    fn years(rows: &[(i32, i64, i64)]) -> Vec<YearCoverage> {
        rows.iter()
            .map(|&(year, with_remittance, with_oda)| YearCoverage {
                year,
                with_remittance,
                with_oda,
                with_both: with_remittance.min(with_oda),
                ..YearCoverage::default()
            })
            .collect()
    }

    #[test]
    fn a_partial_last_year_is_passed_over() {
        let c = years(&[(2021, 201, 137), (2022, 201, 136), (2023, 201, 136), (2024, 106, 0)]);
        assert_eq!(newest_complete_year(&c), Some(2023));
    }

    #[test]
    fn both_series_must_be_complete() {
        let c = years(&[(2021, 200, 130), (2022, 200, 130), (2023, 200, 60)]);
        assert_eq!(newest_complete_year(&c), Some(2022));
    }

    #[test]
    fn exactly_nine_tenths_is_enough_and_one_less_is_not() {
        assert_eq!(newest_complete_year(&years(&[(2022, 200, 100), (2023, 180, 90)])), Some(2023));
        assert_eq!(newest_complete_year(&years(&[(2022, 200, 100), (2023, 179, 90)])), Some(2022));
        assert_eq!(newest_complete_year(&years(&[(2022, 200, 100), (2023, 180, 89)])), Some(2022));
    }

    #[test]
    fn a_slow_decline_does_not_hide_behind_the_year_before() {
        // Each year is above nine tenths of the last, not of the best of five.
        let c = years(&[(2020, 200, 100), (2021, 185, 100), (2022, 172, 100)]);
        assert_eq!(newest_complete_year(&c), Some(2021));
    }

    #[test]
    fn years_beyond_the_window_do_not_count() {
        assert_eq!(newest_complete_year(&years(&[(2000, 200, 100), (2010, 50, 50)])), Some(2010));
    }

    #[test]
    fn a_series_that_is_not_loaded_is_left_out() {
        assert_eq!(newest_complete_year(&years(&[(2022, 200, 0), (2023, 201, 0), (2024, 106, 0)])), Some(2023));
        assert_eq!(newest_complete_year(&years(&[(2023, 0, 0)])), None);
        assert_eq!(newest_complete_year(&[]), None);
    }

    #[test]
    fn shares_of_gdp_may_end_earlier() {
        let mut c = years(&[(2021, 201, 137), (2022, 201, 136), (2023, 201, 136)]);
        c[0].with_gdp_share = 195;
        c[1].with_gdp_share = 183;
        assert_eq!(newest_gdp_year(&c, 2023), Some(2022));
        assert_eq!(newest_gdp_year(&c, 2021), Some(2021));
        assert_eq!(newest_gdp_year(&c, 2000), None);
    }

    #[test]
    fn growth_is_over_the_matched_panel() {
        let panel = GrowthPanel { year: 2024, economies: 2, remittance_usd: 220.0, previous_usd: 200.0 };
        assert!(panel.growth().is_some_and(|g| (g - 0.1).abs() < 1e-12));
        assert_eq!(GrowthPanel { previous_usd: 0.0, ..panel }.growth(), None);
        assert_eq!(GrowthPanel { economies: 0, ..panel }.growth(), None);
    }
}
