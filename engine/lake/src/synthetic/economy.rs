//! What is published of an economy, so that what is invented for it is of its size.

use crate::country::Iso3;
use crate::error::{Error, Result};
use crate::sample::Sheet;

/// The year that generated surveys describe: the last before the pandemic, and one of the sample.
pub(super) const YEAR: i32 = 2019;

/// Figures of [`YEAR`], from `datasets/sample`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Economy {
    pub(super) iso3: Iso3,
    pub(super) persons: f64,
    pub(super) gdp_usd: f64,
    /// Remittances received, by the balance of payments.
    pub(super) remittance_usd: f64,
}

/// Which economies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Economies {
    /// So many, those that receive most remittances.
    Largest(usize),
    /// These, by ISO 3166 alpha-3 code.
    Named(Vec<String>),
}

impl std::str::FromStr for Economies {
    type Err = String;

    /// A number, or codes with commas between them.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("`{text}` is neither a number nor ISO 3166 alpha-3 codes such as `PHL,NPL`");
        if let Ok(number) = text.trim().parse() {
            return if number == 0 {
                Err("at least one economy is needed".to_owned())
            } else {
                Ok(Self::Largest(number))
            };
        }
        let codes: Vec<String> = text.split(',').map(|code| code.trim().to_uppercase()).collect();
        if codes.iter().any(|code| Iso3::new(code).is_none()) {
            return Err(wrong());
        }
        match codes.iter().enumerate().find(|(i, code)| codes.iter().take(*i).any(|before| before == *code)) {
            Some((_, twice)) => Err(format!("`{twice}` is named twice")),
            None => Ok(Self::Named(codes)),
        }
    }
}

/// Every economy of which enough is published, those that receive most remittances first.
fn known() -> Result<Vec<Economy>> {
    let sheet = Sheet::open("economy_year.csv")?;
    let mut all = Vec::new();
    for record in sheet.records() {
        if record.parse::<i32>("year")? != YEAR {
            continue;
        }
        let positive = |column: &str, scale: f64| -> Result<Option<f64>> {
            let text = record.text(column)?;
            Ok(if text.is_empty() { None } else { Some(record.parse::<f64>(column)? * scale).filter(|v| *v > 0.0) })
        };
        let (persons, gdp) = (positive("population_thousands", 1e3)?, positive("gdp_musd", 1e6)?);
        let remittance = positive("remittances_received_musd", 1e6)?;
        if let (Some(persons), Some(gdp_usd), Some(remittance_usd)) = (persons, gdp, remittance) {
            all.push(Economy { iso3: record.iso3("iso3")?.parse()?, persons, gdp_usd, remittance_usd });
        }
    }
    all.sort_by(|a, b| b.remittance_usd.total_cmp(&a.remittance_usd).then(a.iso3.cmp(&b.iso3)));
    Ok(all)
}

/// The economies asked for, in the order of their codes.
pub(super) fn chosen(economies: &Economies) -> Result<Vec<Economy>> {
    let all = known()?;
    let mut chosen = match economies {
        Economies::Largest(n) if *n <= all.len() => all.into_iter().take(*n).collect(),
        Economies::Largest(n) => {
            let what =
                format!("{n} economies are more than the {} of which enough is published in the sample", all.len());
            return Err(Error::Usage(what));
        }
        Economies::Named(codes) => {
            let find = |code: &String| {
                all.iter().find(|e| e.iso3.as_str() == code).cloned().ok_or_else(|| {
                    let codes: Vec<&str> = all.iter().map(|e| e.iso3.as_str()).collect();
                    let what = format!("the sample has no population, GDP and remittances of `{code}` for {YEAR}");
                    Error::Usage(format!("{what}; it has them of {}", codes.join(" ")))
                })
            };
            codes.iter().map(find).collect::<Result<Vec<_>>>()?
        }
    };
    chosen.sort_by_key(|e| e.iso3);
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Vec<String>, String> {
        let all = chosen(&text.parse()?).map_err(|e| e.to_string())?;
        Ok(all.iter().map(|e| e.iso3.to_string()).collect())
    }

    #[test]
    fn by_number_and_by_code() {
        assert_eq!(asked("3").unwrap().len(), 3);
        assert_eq!(asked("phl, NPL").unwrap(), ["NPL", "PHL"]);
        assert!(asked("50").unwrap().len() == 50);
        for (text, error) in [
            ("0", "at least one economy"),
            ("5000", "5000 economies are more than the 1"),
            ("Mexico", "`Mexico` is neither"),
            ("MEX,MEX", "`MEX` is named twice"),
            ("", "`` is neither"),
            ("QQQ", "no population, GDP and remittances of `QQQ` for 2019; it has them of IND"),
        ] {
            let found = asked(text).unwrap_err();
            assert!(found.contains(error), "{text}: {found}");
        }
    }
}
