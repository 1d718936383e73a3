//! Everything the brief shows, as plain data: text and page are drawn from
//! these structs and from nothing else.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::family::Family;

/// What the user asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct BriefOptions {
    /// One economy instead of the world: ISO 3166 alpha-3, or its English name.
    pub country: Option<String>,
    /// This year instead of the newest complete one.
    pub year: Option<i32>,
    /// The lake is the sample that ships with the program: a selection, over
    /// which no total is a world total.
    pub sample: bool,
    /// Only editions not later than this are seen.
    pub as_of: Option<NaiveDate>,
    /// The oldest edition of each figure in the lake, seen or not.
    pub oldest: BTreeMap<Figure, NaiveDate>,
}

/// The brief.
#[derive(Debug, Clone, Default)]
pub(crate) struct BriefData {
    /// See [`BriefOptions::sample`].
    pub sample: bool,
    /// See [`BriefOptions::as_of`].
    pub as_of: Option<NaiveDate>,
    /// See [`BriefOptions::oldest`].
    pub oldest: BTreeMap<Figure, NaiveDate>,
    /// The year shown; `None` when nothing is loaded that would make one.
    pub year: Option<i32>,
    /// The newest complete year; another one may have been asked for.
    pub complete_year: Option<i32>,
    /// The year of the shares of GDP: GDP may end earlier than remittances.
    pub gdp_year: Option<i32>,
    /// How many economies have what, oldest year first.
    pub coverage: Vec<YearCoverage>,
    /// Groups of low- and middle-income economies, every year.
    pub groups: Vec<GroupYear>,
    /// Every economy in `year`.
    pub economies: Vec<EconomyYear>,
    /// Every economy in `gdp_year`.
    pub gdp_economies: Vec<EconomyYear>,
    /// Largest corridors of the newest year, largest first.
    pub corridors: Vec<Corridor>,
    /// Growth into each year after the newest complete one, over economies present in both.
    pub panels: Vec<GrowthPanel>,
    /// The one economy asked for.
    pub country: Option<CountryPage>,
    /// Families by the newest survey of each economy, or of the one asked for.
    pub families: Vec<Family>,
    /// Why there are none, where there are surveys.
    pub families_missing: Option<String>,
    /// Where the figures come from.
    pub sources: Vec<SourceLine>,
}

/// How many economies have a value in a year.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct YearCoverage {
    pub year: i32,
    pub with_remittance: i64,
    pub with_oda: i64,
    pub with_both: i64,
    pub with_gdp_share: i64,
}

/// A group of low- and middle-income economies in a year; money in US$, summed
/// over the economies that have both values.
#[derive(Debug, Clone, Default)]
pub(crate) struct GroupYear {
    /// `lmic`, `income` or `region`.
    pub kind: String,
    pub code: String,
    pub name: String,
    pub year: i32,
    pub economies: i64,
    pub with_both: i64,
    pub exceeding: i64,
    pub remittance_usd: Option<f64>,
    pub oda_usd: Option<f64>,
    pub ratio: Option<f64>,
    /// `with_both` over `economies`.
    pub coverage: Option<f64>,
}

/// One economy in one year; money in US$, shares as fractions.
#[derive(Debug, Clone, Default)]
pub(crate) struct EconomyYear {
    pub iso3: String,
    pub name: String,
    pub year: i32,
    /// `LIC`, `LMC`, `UMC`, `HIC`, or not classified.
    pub income: Option<String>,
    pub remittance_usd: Option<f64>,
    pub oda_usd: Option<f64>,
    /// `None` also where ODA is zero or negative.
    pub ratio: Option<f64>,
    pub exceeds: Option<bool>,
    pub remittance_gdp_share: Option<f64>,
    pub remittance_per_head_usd: Option<f64>,
    pub oda_per_head_usd: Option<f64>,
}

impl EconomyYear {
    /// Low- or middle-income by the publisher's income group.
    pub(crate) fn is_lmic(&self) -> bool {
        matches!(self.income.as_deref(), Some("LIC" | "LMC" | "UMC"))
    }
}

/// Money from one economy to another in a year, US$.
#[derive(Debug, Clone, Default)]
pub(crate) struct Corridor {
    pub sender_iso3: String,
    pub sender_name: String,
    pub receiver_iso3: String,
    pub receiver_name: String,
    pub year: i32,
    pub remittance_usd: f64,
    /// Share of all the receiver receives.
    pub receiver_share: Option<f64>,
    /// Share of all the sender sends.
    pub sender_share: Option<f64>,
}

/// Growth from the year before over the economies that have both years.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GrowthPanel {
    pub year: i32,
    pub economies: i64,
    pub remittance_usd: f64,
    pub previous_usd: f64,
}

impl GrowthPanel {
    /// As a fraction; `None` without a positive base.
    pub(crate) fn growth(&self) -> Option<f64> {
        (self.economies > 0 && self.previous_usd > 0.0).then(|| self.remittance_usd / self.previous_usd - 1.0)
    }
}

/// The page of one economy.
#[derive(Debug, Clone, Default)]
pub(crate) struct CountryPage {
    pub iso3: String,
    pub name: String,
    /// Oldest year first.
    pub series: Vec<EconomyYear>,
    /// Corridors that bring money in, largest first.
    pub inward: Vec<Corridor>,
    /// Corridors that take money out, largest first.
    pub outward: Vec<Corridor>,
}

/// What a source feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Figure {
    Remittance,
    Oda,
    Gdp,
    Population,
    Corridor,
    Group,
    Household,
}

impl Figure {
    /// All, in the order of the notes.
    pub(crate) const ALL: [Self; 7] =
        [Self::Remittance, Self::Oda, Self::Gdp, Self::Population, Self::Corridor, Self::Group, Self::Household];

    /// As the source list says it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Remittance => "remittances received",
            Self::Oda => "net ODA received",
            Self::Gdp => "GDP",
            Self::Population => "population",
            Self::Corridor => "corridors",
            Self::Group => "income groups and regions",
            Self::Household => "families",
        }
    }

    /// What fills it when it is missing.
    pub(crate) fn import_hint(self) -> &'static str {
        match self {
            Self::Remittance => "envoi source import API_BX.TRF.PWKR.CD.DT_*.csv",
            Self::Oda => "envoi source import API_DT.ODA.ALLD.CD_*.csv",
            Self::Gdp => "envoi source import API_NY.GDP.MKTP.CD_*.xls",
            Self::Population => "envoi source import API_SP.POP.TOTL_*.csv",
            Self::Corridor => "envoi source import bilateral_remittance_matrix_2021_*.xlsx",
            Self::Group => "envoi source import Metadata_Country_API_*.csv",
            Self::Household => "envoi source import SURVEY_FILES... --mapping SURVEY.toml",
        }
    }
}

/// One dataset in one edition, and what it feeds here.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceLine {
    pub figures: Vec<Figure>,
    pub source_id: String,
    pub provider: String,
    pub dataset: String,
    /// Date of the publisher's edition.
    pub vintage: String,
    pub licence: String,
    pub citation: String,
    pub url: Option<String>,
    pub caveats: Option<String>,
}

impl BriefData {
    /// The row of a group in a year.
    pub(crate) fn group(&self, code: &str, year: i32) -> Option<&GroupYear> {
        self.groups.iter().find(|g| g.code == code && g.year == year)
    }

    /// Groups of a kind in a year; income groups from poor to rich, regions by
    /// what they receive.
    pub(crate) fn groups_of(&self, kind: &str, year: i32) -> Vec<&GroupYear> {
        let mut rows: Vec<_> = self.groups.iter().filter(|g| g.kind == kind && g.year == year).collect();
        rows.sort_by(|a, b| {
            let rank = |g: &GroupYear| ["LIC", "LMC", "UMC"].iter().position(|c| *c == g.code);
            rank(a).cmp(&rank(b)).then_with(|| descending(a.remittance_usd, b.remittance_usd))
        });
        rows
    }

    /// Low- and middle-income economies that receive most, in US$.
    pub(crate) fn largest_usd(&self, n: usize) -> Vec<&EconomyYear> {
        largest(&self.economies, n, |e| e.remittance_usd)
    }

    /// Low- and middle-income economies that receive most, as a share of GDP.
    pub(crate) fn largest_share(&self, n: usize) -> Vec<&EconomyYear> {
        largest(&self.gdp_economies, n, |e| e.remittance_gdp_share)
    }

    /// Coverage of a year.
    pub(crate) fn coverage_of(&self, year: i32) -> Option<&YearCoverage> {
        self.coverage.iter().find(|c| c.year == year)
    }

    /// Numbers of the sources of a figure, counted from 1.
    pub(crate) fn notes(&self, figure: Figure) -> Vec<usize> {
        (1..).zip(&self.sources).filter(|(_, s)| s.figures.contains(&figure)).map(|(n, _)| n).collect()
    }

    /// Numbers of the sources of a survey, counted from 1.
    pub(crate) fn notes_of(&self, family: &Family) -> Vec<usize> {
        let is = |s: &SourceLine| s.source_id == family.source_id && s.vintage == family.vintage;
        (1..)
            .zip(&self.sources)
            .filter(|(_, s)| s.figures.contains(&Figure::Household) && is(s))
            .map(|(n, _)| n)
            .collect()
    }

    /// Families of the economies that receive most by the balance of payments, in the order of
    /// all, and how many more have a survey.
    pub(crate) fn largest_families(&self) -> (Vec<&Family>, usize) {
        const SHOWN: usize = 12;
        let mut order: Vec<usize> = (0..self.families.len()).collect();
        let usd = |i: &usize| self.families.get(*i).and_then(|f| f.balance.balance_usd);
        order.sort_by(|a, b| descending(usd(a), usd(b)));
        order.truncate(SHOWN);
        order.sort_unstable();
        let shown: Vec<&Family> = order.into_iter().filter_map(|i| self.families.get(i)).collect();
        let more = self.families.len() - shown.len();
        (shown, more)
    }

    /// Parts without a single value that the lake has only in editions later
    /// than the date asked for, with the oldest of these.
    pub(crate) fn later(&self) -> Vec<(Figure, NaiveDate)> {
        let Some(day) = self.as_of else { return Vec::new() };
        let after = |figure: Figure| self.oldest.get(&figure).filter(|oldest| **oldest > day).map(|o| (figure, *o));
        self.empty().into_iter().filter_map(after).collect()
    }

    /// Parts without a single value that an import would bring.
    pub(crate) fn missing(&self) -> Vec<Figure> {
        let later = self.later();
        self.empty().into_iter().filter(|figure| later.iter().all(|(other, _)| other != figure)).collect()
    }

    fn empty(&self) -> Vec<Figure> {
        let none = |f: fn(&YearCoverage) -> i64| self.coverage.iter().all(|c| f(c) == 0);
        let mut out = Vec::new();
        if none(|c| c.with_remittance) {
            out.push(Figure::Remittance);
        }
        if none(|c| c.with_oda) {
            out.push(Figure::Oda);
        }
        if none(|c| c.with_gdp_share) {
            out.push(Figure::Gdp);
        }
        if self.country.is_none() && self.corridors.is_empty() {
            out.push(Figure::Corridor);
        }
        if self.groups.is_empty() && !none(|c| c.with_both) {
            out.push(Figure::Group);
        }
        out
    }

    /// Years with values after the newest complete one.
    pub(crate) fn partial(&self) -> impl Iterator<Item = &YearCoverage> {
        let after = self.complete_year.unwrap_or(i32::MAX);
        self.coverage.iter().filter(move |c| c.year > after && (c.with_remittance > 0 || c.with_oda > 0))
    }

    /// Whether the year shown is after the newest complete one.
    pub(crate) fn is_partial(&self) -> bool {
        self.year.is_some_and(|year| self.complete_year.is_none_or(|complete| year > complete))
    }

    /// How the year shown was come by, and the date it is seen at.
    pub(crate) fn year_label(&self) -> String {
        let mut label = match (self.year == self.complete_year, self.is_partial()) {
            (true, _) => "the newest complete year",
            (false, true) => "the year asked for, partial",
            (false, false) => "the year asked for",
        }
        .to_owned();
        if let Some(day) = self.as_of {
            label.push_str(&format!(", as of {day}"));
        }
        label
    }
}

/// Largest first, missing last.
pub(crate) fn descending(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

fn largest(rows: &[EconomyYear], n: usize, value: fn(&EconomyYear) -> Option<f64>) -> Vec<&EconomyYear> {
    let mut rows: Vec<_> = rows.iter().filter(|e| e.is_lmic() && value(e).is_some_and(|v| v > 0.0)).collect();
    rows.sort_by(|a, b| descending(value(a), value(b)).then_with(|| a.iso3.cmp(&b.iso3)));
    rows.truncate(n);
    rows
}
