//! A poverty line as users write it.

use std::fmt;

/// A poverty line.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PovertyLine {
    /// A share of the median or mean of equivalised income.
    Relative { share: f64, statistic: &'static str },
    /// Local currency in a period, for each equivalent adult.
    Local { amount: f64, currency: String, period: Period },
    /// International dollars of a price year, for each equivalent adult and day.
    International { dollars: f64, year: u16 },
}

/// A period that amounts are of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Period {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

const PERIODS: [(&str, Period); 5] = [
    ("day", Period::Day),
    ("week", Period::Week),
    ("month", Period::Month),
    ("quarter", Period::Quarter),
    ("year", Period::Year),
];

impl Period {
    /// How many there are in a year.
    fn a_year(self) -> &'static str {
        match self {
            Self::Day => "365",
            Self::Week => "(365.0 / 7)",
            Self::Month => "12",
            Self::Quarter => "4",
            Self::Year => "1",
        }
    }
}

const EXPECTED: &str = "a share such as '0.6 median', an amount such as '3000 MXN a quarter', or international dollars a \
     day such as '2.15 ppp 2017'";

impl PovertyLine {
    /// Reads a line; the error says what is expected.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let expected = || EXPECTED.to_owned();
        let lower = text.trim().to_lowercase().replace('%', " % ");
        let mut words: Vec<&str> =
            lower.split_whitespace().filter(|w| !["of", "the", "a", "per"].contains(w)).collect();
        if words.is_empty() {
            return Err(expected());
        }
        let amount: f64 = words.remove(0).parse().map_err(|_| expected())?;
        if !amount.is_finite() || amount <= 0.0 {
            return Err(format!("a number above 0 first, as in {EXPECTED}"));
        }
        let statistic = |word: &str| ["median", "mean"].into_iter().find(|s| *s == word);
        match words.as_slice() {
            ["%", word] if statistic(word).is_some() => Self::relative(amount / 100.0, statistic(word)),
            [word] if statistic(word).is_some() => Self::relative(amount, statistic(word)),
            ["ppp", year] | ["ppp", year, "day"] | ["ppp", "day", year] => {
                let year = year.parse().ok().filter(|y| (1960..=2100).contains(y)).ok_or_else(expected)?;
                Ok(Self::International { dollars: amount, year })
            }
            ["ppp", ..] => {
                Err("the price year of international dollars behind `ppp`, as in '2.15 ppp 2017'".to_owned())
            }
            [currency, period] if currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_lowercase()) => {
                let period = PERIODS.iter().find(|(name, _)| name == period).map(|(_, p)| *p);
                let period = period.ok_or("one of the periods day, week, month, quarter and year last")?;
                let currency = if *currency == "lcu" { "lcu".to_owned() } else { currency.to_uppercase() };
                Ok(Self::Local { amount, currency, period })
            }
            [currency] if currency.len() == 3 => {
                Err(format!("the period of the amount, as in '{amount} {} a month'", currency.to_uppercase()))
            }
            _ => Err(expected()),
        }
    }

    fn relative(share: f64, statistic: Option<&'static str>) -> Result<Self, String> {
        match statistic {
            Some(statistic) if share <= 10.0 => Ok(Self::Relative { share, statistic }),
            _ => Err("a share of at most 10, such as 0.6; in percent write '60 % median'".to_owned()),
        }
    }

    /// What stands for `$poverty_line_…` in a query.
    pub(super) fn parts(&self) -> Vec<(&'static str, String)> {
        let (kind, amount, statistic, currency, year) = match self {
            Self::Relative { share, statistic } => ("relative", format!("{share:?}"), *statistic, "", 0),
            Self::Local { amount, currency, period } => {
                ("local", format!("({amount:?} * {})", period.a_year()), "median", currency.as_str(), 0)
            }
            Self::International { dollars, year } => ("ppp", format!("({dollars:?} * 365)"), "median", "", *year),
        };
        vec![
            ("kind", format!("'{kind}'")),
            // The share, or the amount in a year.
            ("amount", amount),
            ("statistic", format!("'{statistic}'")),
            ("currency", format!("'{currency}'")),
            ("price_year", year.to_string()),
        ]
    }
}

impl fmt::Display for PovertyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relative { share, statistic } => write!(f, "{share} {statistic}"),
            Self::Local { amount, currency, period } => {
                let name = PERIODS.iter().find(|(_, p)| p == period).map_or("year", |(name, _)| name);
                write!(f, "{amount} {currency} a {name}")
            }
            Self::International { dollars, year } => write!(f, "{dollars} ppp {year}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PovertyLine;

    #[test]
    fn lines_are_read_and_printed() {
        for (text, expected) in [
            ("0.6 median", "0.6 median"),
            ("60% of the median", "0.6 median"),
            ("50 % MEAN", "0.5 mean"),
            ("3000 MXN a quarter", "3000 MXN a quarter"),
            ("3000 mxn per quarter", "3000 MXN a quarter"),
            ("1.5 lcu a day", "1.5 lcu a day"),
            ("2.15 ppp 2017", "2.15 ppp 2017"),
            ("2.15 PPP 2017 a day", "2.15 ppp 2017"),
        ] {
            let line = PovertyLine::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(line.to_string(), expected);
            assert_eq!(PovertyLine::parse(expected), Ok(line));
        }
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for (text, expected) in [
            ("", "a share such as"),
            ("median", "a share such as"),
            ("0 median", "a number above 0"),
            ("-1 median", "a number above 0"),
            ("nan median", "a number above 0"),
            ("inf MXN a day", "a number above 0"),
            ("60 median", "at most 10"),
            ("0.6 mode", "a share such as"),
            ("3000 MXN", "the period of the amount"),
            ("3000 MXN a decade", "one of the periods"),
            ("2.15 ppp", "the price year"),
            ("2.15 ppp 17", "a share such as"),
            ("3000 MX' a day", "a share such as"),
        ] {
            let error = PovertyLine::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
