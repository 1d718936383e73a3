//! The year that was asked for, and the years there are.

use super::data::{BriefOptions, EconomyYear, Figure, YearCoverage};
use super::error::Error;

/// More runs of years than this are told by their ends.
const MOST_RUNS: usize = 8;

/// An error unless some economy has a value in the year.
pub(super) fn check_year(asked: i32, coverage: &[YearCoverage], options: &BriefOptions) -> Result<(), Error> {
    let filled = coverage.iter().filter(|c| c.with_remittance > 0 || c.with_oda > 0);
    let years: Vec<_> = filled.map(|c| c.year).collect();
    if years.contains(&asked) {
        return Ok(());
    }
    let have = match (years.is_empty(), none_so_old(options)) {
        (false, _) => format!("the lake has {}", listed(&years)),
        (true, Some(why)) => why,
        (true, None) => {
            format!("the lake has no remittances and no ODA yet, try `{}`", Figure::Remittance.import_hint())
        }
    };
    Err(Error::UnknownYear { whose: String::new(), asked, have })
}

/// An error unless this economy has a value in the year.
pub(super) fn check_country_year(asked: i32, name: &str, series: &[EconomyYear]) -> Result<(), Error> {
    let filled = series.iter().filter(|e| e.remittance_usd.is_some() || e.oda_usd.is_some());
    let years: Vec<_> = filled.map(|e| e.year).collect();
    if years.contains(&asked) {
        return Ok(());
    }
    Err(Error::UnknownYear { whose: format!(" of {name}"), asked, have: format!("the lake has {}", listed(&years)) })
}

/// Why nothing is seen, when that is because of `--as-of`.
pub(super) fn none_so_old(options: &BriefOptions) -> Option<String> {
    let (day, oldest) = (options.as_of?, options.oldest.values().min()?);
    (day < *oldest).then(|| format!("no edition in the lake is as old as {day}, the oldest is of {oldest}"))
}

/// Years in order as people say them: `2000, 2005, 2018 to 2023`.
pub(super) fn listed(years: &[i32]) -> String {
    let mut runs: Vec<(i32, i32)> = Vec::new();
    for year in years {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *year => *last = *year,
            Some((_, last)) if *last >= *year => {}
            _ => runs.push((*year, *year)),
        }
    }
    let run = |(first, last): &(i32, i32)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first} to {last}"),
    };
    match runs.as_slice() {
        [(first, _), .., (_, last)] if runs.len() > MOST_RUNS => format!("{first} to {last} with gaps"),
        runs => runs.iter().map(run).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_told_with_their_gaps() {
        assert_eq!(listed(&[2000, 2005, 2006, 2018, 2019, 2020]), "2000, 2005, 2006, 2018 to 2020");
        assert_eq!(listed(&[2023]), "2023");
        assert_eq!(listed(&(1960..2024).step_by(2).collect::<Vec<_>>()), "1960 to 2022 with gaps");
    }

    #[test]
    fn a_year_without_values_says_which_years_there_are() {
        let year = |year| YearCoverage { year, with_remittance: 3, ..YearCoverage::default() };
        let coverage = [year(2000), year(2005), YearCoverage { year: 2006, ..YearCoverage::default() }];
        let options = BriefOptions::default();
        assert!(check_year(2000, &coverage, &options).is_ok());
        let error = check_year(2006, &coverage, &options).unwrap_err().to_string();
        assert_eq!(error, "no values for 2006; the lake has 2000, 2005");
        assert!(check_year(1990, &[], &options).unwrap_err().to_string().contains("envoi source import"));
        let series = [EconomyYear { year: 2001, oda_usd: Some(1.0), ..EconomyYear::default() }];
        let error = check_country_year(2000, "Mexico", &series).unwrap_err().to_string();
        assert_eq!(error, "no values of Mexico for 2000; the lake has 2001");
    }

    #[test]
    fn a_date_before_every_edition_is_told_apart_from_an_empty_lake() {
        let day = |text: &str| text.parse().unwrap();
        let options = BriefOptions {
            as_of: Some(day("2010-01-01")),
            oldest: [(Figure::Oda, day("2025-10-07")), (Figure::Gdp, day("2023-07-25"))].into(),
            ..BriefOptions::default()
        };
        let error = check_year(2009, &[], &options).unwrap_err().to_string();
        assert_eq!(
            error,
            "no values for 2009; no edition in the lake is as old as 2010-01-01, the oldest is of 2023-07-25"
        );
        assert_eq!(none_so_old(&BriefOptions { as_of: Some(day("2024-01-01")), ..options }), None);
    }
}
