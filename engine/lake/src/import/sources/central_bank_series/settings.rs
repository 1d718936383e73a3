//! What a descriptor says of a bank's file.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::period::Period;
use crate::country::{Concordance, Iso3, Match, Provider};
use crate::error::Result;
use crate::import::cells::{like, squeeze};
use crate::import::descriptor::{Descriptor, one_line};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Whose series they are.
    pub(super) iso3: String,
    pub(super) frequency: Frequency,
    pub(super) missing: Vec<String>,
    pub(super) period: Period,
    /// How the table lies; `down` where the descriptor does not say.
    #[serde(default)]
    pub(super) shape: Shape,
    /// Decimal sign of numbers in text; a point where the descriptor does not say.
    decimal: Option<char>,
    /// What stands between thousands in text; nothing where the descriptor does not say.
    thousands: Option<char>,
    #[serde(default)]
    pub(super) series: Vec<Series>,
    #[serde(default)]
    pub(super) regions: Vec<Regions>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frequency {
    A,
    Q,
    M,
}

/// How a table lies.
#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Shape {
    /// Periods down, a column for each series.
    #[default]
    Down,
    /// Periods across; the column of this header names the series.
    Across { series: String },
    /// One value a row: the columns of these headers name its series and hold it.
    Long { series: String, value: String },
}

/// A series of the whole country.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Series {
    /// What its column may be headed, or its row or rows be named, in any case.
    pub(super) header: Vec<String>,
    /// Sheet of a workbook, with `*` for anything; all of them where it does not say.
    pub(super) sheet: Option<String>,
    /// What a value of 1 in the file is in the unit.
    pub(super) scale: f64,
    pub(super) indicator: String,
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) definition: String,
}

/// A table of regions: periods down, a column for each region under its abbreviation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Regions {
    /// Sheet of a workbook, with `*` for anything.
    pub(super) sheet: String,
    /// Table of schema `staging` that they go to.
    pub(super) staging: String,
    /// Names of regions by abbreviation.
    #[serde(default)]
    pub(super) names: BTreeMap<String, String>,
    /// Sheet of the file with a name and an abbreviation in each row.
    pub(super) names_sheet: Option<String>,
    /// Fewer columns of known abbreviations than this are somebody's own table.
    pub(super) least: usize,
    /// The whole country: the column of its header, without one the sum of the regions.
    pub(super) country: Series,
}

impl Series {
    /// True if `text` is what the file calls it.
    pub(super) fn is(&self, text: &str) -> bool {
        let text = squeeze(text);
        self.header.iter().any(|h| h.eq_ignore_ascii_case(&text))
    }

    /// True if it may stand in a sheet of that name.
    pub(super) fn stands_in(&self, sheet: Option<&str>) -> bool {
        self.sheet.as_deref().is_none_or(|pattern| sheet.is_some_and(|name| like(pattern, name)))
    }
}

impl Frequency {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Q => "Q",
            Self::M => "M",
        }
    }

    pub(super) fn months(self) -> u32 {
        match self {
            Self::A => 12,
            Self::Q => 3,
            Self::M => 1,
        }
    }
}

impl Settings {
    /// A number as this file writes it, in plain digits; `None` if it is written otherwise.
    pub(super) fn plain(&self, text: &str) -> Option<String> {
        let decimal = self.decimal.unwrap_or('.');
        let (whole, fraction) = text.split_once(decimal).map_or((text, None), |(w, f)| (w, Some(f)));
        let mut plain = String::with_capacity(text.len());
        match self.thousands.filter(|t| whole.contains(*t)) {
            Some(mark) => {
                let (sign, digits) = whole.split_at(usize::from(whole.starts_with(['-', '+'])));
                let mut groups = digits.split(mark);
                let first = groups.next().filter(|g| (1..=3).contains(&g.len()))?;
                plain.extend([sign, first]);
                for group in groups {
                    plain.push_str(Some(group).filter(|g| g.len() == 3 && g.bytes().all(|b| b.is_ascii_digit()))?);
                }
            }
            None => plain.push_str(whole),
        }
        // A point that is not the decimal sign must not become one.
        if decimal != '.' && plain.contains('.') {
            return None;
        }
        if let Some(fraction) = fraction {
            plain.push('.');
            plain.push_str(fraction);
        }
        Some(plain)
    }
}

/// Checks the settings of a descriptor that is not part of the program.
pub(super) fn check(descriptor: &Descriptor) -> Result<(), String> {
    let settings: Settings = descriptor.try_settings().map_err(|e| format!("settings: {}", one_line(&e)))?;
    if settings.series.is_empty() && settings.regions.is_empty() {
        return Err("names no series; add [[settings.series]] with header, scale, indicator and unit".to_owned());
    }
    let known = Concordance::embedded().map_err(|e| e.to_string())?.lookup(Provider::Any, &settings.iso3);
    if !matches!(known, Some(Match::Economy(iso3)) if Iso3::new(&settings.iso3) == Some(iso3)) {
        return Err(format!("iso3 `{}` is no code of an economy, such as `PHL`", settings.iso3));
    }
    let all = settings.series.iter().chain(settings.regions.iter().map(|r| &r.country));
    for series in all {
        let (scale, indicator) = (series.scale, &series.indicator);
        if !(scale.is_finite() && scale > 0.0) {
            return Err(format!("scale {scale} of `{indicator}` is not above 0"));
        }
    }
    settings.period.check(settings.frequency)
}
