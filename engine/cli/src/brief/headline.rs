//! The sentence that the whole brief is for, and what stands in its place where
//! the year is not complete.

use super::data::{BriefData, EconomyYear, GroupYear};
use super::format::{bn, economies, ratio, signed};

/// Remittances and ODA of the low- and middle-income economies in the year shown.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Headline {
    /// US$; over the economies that have both values where any has.
    pub(super) remittance_usd: Option<f64>,
    /// As above.
    pub(super) oda_usd: Option<f64>,
    /// Sentences: the comparison, or why there is none.
    pub(super) lines: Vec<String>,
}

/// None when nothing is loaded that would make one.
pub(super) fn headline(data: &BriefData) -> Option<Headline> {
    let year = data.year?;
    let all = data.group("LMY", year);
    let mut headline = match all.filter(|g| g.with_both > 0) {
        Some(all) => Headline { remittance_usd: all.remittance_usd, oda_usd: all.oda_usd, lines: vec![summary(all)] },
        None => apart(data, year)?,
    };
    if data.is_partial() {
        headline.lines.extend(panel(data, year));
    }
    Some(headline)
}

/// The sentence of a group with both values.
pub(super) fn summary(all: &GroupYear) -> String {
    let exceed = format!(
        "They exceed it in {} of the {} that have both values ({} in the group).",
        all.exceeding,
        economies(all.with_both),
        all.economies,
    );
    match all.ratio {
        Some(r) if all.with_both > 0 => {
            format!("Remittances are {} times net ODA. {exceed}", ratio(Some(r)))
        }
        _ if all.with_both > 0 => exceed,
        _ => "No economy has both values in this year.".to_owned(),
    }
}

/// Each value on its own, over the economies that have it; they are not the
/// same ones, so they are not compared.
fn apart(data: &BriefData, year: i32) -> Option<Headline> {
    let (with_remittance, remittance_usd) = sum(&data.economies, |e| e.remittance_usd);
    let (with_oda, oda_usd) = sum(&data.economies, |e| e.oda_usd);
    if with_remittance + with_oda == 0 {
        return None;
    }
    // The group is today's in every year.
    let members = data.groups.iter().rev().find(|g| g.code == "LMY");
    let have = |n: i64| if n == 0 { "none".to_owned() } else { n.to_string() };
    let line = format!(
        "{year} is {}: of the {} in the group {} have remittances and {} net ODA. The sums are over those, and there is no ratio.",
        if data.is_partial() { "partial" } else { "without a comparison" },
        members.map_or_else(|| "economies".to_owned(), |group| economies(group.economies)),
        have(with_remittance),
        have(with_oda),
    );
    Some(Headline { remittance_usd, oda_usd, lines: vec![line] })
}

fn sum(rows: &[EconomyYear], value: fn(&EconomyYear) -> Option<f64>) -> (i64, Option<f64>) {
    let values: Vec<f64> = rows.iter().filter(|e| e.is_lmic()).filter_map(value).collect();
    (values.len() as i64, (!values.is_empty()).then(|| values.iter().sum()))
}

/// Growth over the economies that have the year before too: what a partial year
/// can be compared with.
fn panel(data: &BriefData, year: i32) -> Option<String> {
    let panel = data.panels.iter().find(|p| p.year == year)?;
    let growth = panel.growth()?;
    Some(format!(
        "Over the matched panel of {} of any income with remittances in both years: {} bn US$ in {}, {} in {year}, {} %.",
        economies(panel.economies),
        bn(Some(panel.previous_usd)),
        year - 1,
        bn(Some(panel.remittance_usd)),
        signed(growth * 100.0, 3),
    ))
}
