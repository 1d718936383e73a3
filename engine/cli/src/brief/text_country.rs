//! The page of one economy, as text.

use super::data::{BriefData, Corridor, CountryPage, EconomyYear, Figure};
use super::family_text;
use super::format::{bn, clean, left, pct, per_head, ratio, right};
use super::text::{Look, Page, bar, notes, sample};
use super::years::listed;

/// Years shown one by one; before them, every fifth.
const RECENT: i32 = 7;

pub(super) fn render(page: &mut Page, data: &BriefData, country: &CountryPage) {
    let title = format!("{} ({}): remittances against aid", clean(&country.name), country.iso3);
    let line = page.paint(Look::Title, &title);
    page.line(&line);
    let day = data.as_of.map_or_else(String::new, |day| format!(", as of {day}"));
    page.prose(Look::Dim, &format!("{}, current US${day}", income_name(country)));
    sample(page, data);
    if let Some(text) = sentence(data, country) {
        page.prose(Look::Plain, &text);
    }
    series(page, data, country);
    corridors(page, data, ("Comes from", "it receives"), &country.inward, |c| (&c.sender_name, c.receiver_share));
    corridors(page, data, ("Goes to", "it sends"), &country.outward, |c| (&c.receiver_name, c.sender_share));
    family_text::country(page, data);
    gaps(page, country);
}

/// The income group in words, by today's classification.
pub(super) fn income_name(country: &CountryPage) -> &'static str {
    match country.series.last().and_then(|e| e.income.as_deref()) {
        Some("LIC") => "low income",
        Some("LMC") => "lower middle income",
        Some("UMC") => "upper middle income",
        Some("HIC") => "high income",
        _ => "income group not classified",
    }
}

/// What the economy received in the year shown, or in its own newest.
pub(super) fn sentence(data: &BriefData, country: &CountryPage) -> Option<String> {
    let has = |e: &&EconomyYear| e.remittance_usd.is_some() || e.oda_usd.is_some();
    let of_year = country.series.iter().filter(has).find(|e| Some(e.year) == data.year);
    let e = of_year.or_else(|| country.series.iter().rev().find(has))?;
    let verdict = match (e.exceeds, e.ratio) {
        (Some(true), Some(r)) => format!("Remittances were {} times net ODA.", ratio(Some(r))),
        (Some(true), None) => {
            "Remittances exceeded net ODA, which was not positive: repayments exceeded grants.".into()
        }
        (Some(false), Some(r)) => format!("Remittances were below net ODA: {} times as much.", ratio(Some(r))),
        (Some(false), None) => "Remittances did not exceed net ODA.".to_owned(),
        (None, _) => "Only one of the two is published, so they cannot be compared.".to_owned(),
    };
    let amount = |v: Option<f64>| v.map_or_else(|| "not published".to_owned(), |_| format!("{} bn US$", bn(v)));
    Some(format!(
        "{}: remittances received {}, net ODA received {}. {verdict}",
        e.year,
        amount(e.remittance_usd),
        amount(e.oda_usd),
    ))
}

/// The years a table has room for.
pub(super) fn shown(series: &[EconomyYear]) -> Vec<&EconomyYear> {
    let filled: Vec<_> = series.iter().filter(|e| e.remittance_usd.is_some() || e.oda_usd.is_some()).collect();
    let last = filled.last().map_or(0, |e| e.year);
    filled.into_iter().filter(|e| e.year % 5 == 0 || e.year > last - RECENT).filter(|e| e.year >= 1990).collect()
}

fn series(page: &mut Page, data: &BriefData, country: &CountryPage) {
    let rows = shown(&country.series);
    if rows.is_empty() {
        return;
    }
    let origin = format!("{} {}", notes(data, Figure::Remittance), notes(data, Figure::Oda));
    page.section("By year", &format!("bn US$, share of GDP in %, US$ per head {origin}"));
    let wide = page.width >= 72;
    let room = page.width.saturating_sub(70).min(20);
    let mut head = format!("  {} {:>11} {:>9} {:>7}", left("year", 5), "remittances", "net ODA", "ratio");
    if wide {
        head.push_str(&format!(" {:>7} {:>9} {:>9}", "% GDP", "per head", "ODA/head"));
    }
    let head = page.paint(Look::Dim, &head);
    page.line(&head);
    let most = rows.iter().filter_map(|e| e.remittance_usd).fold(0.0, f64::max);
    for e in rows {
        let mut line = format!(
            "  {} {} {} {}",
            left(&e.year.to_string(), 5),
            right(&bn(e.remittance_usd), 11),
            right(&bn(e.oda_usd), 9),
            right(&ratio(e.ratio), 7),
        );
        if wide {
            line.push_str(&format!(
                " {} {} {}  {}",
                right(&pct(e.remittance_gdp_share, 1), 7),
                right(&per_head(e.remittance_per_head_usd), 9),
                right(&per_head(e.oda_per_head_usd), 9),
                page.paint(Look::Remittance, &bar(e.remittance_usd, most, room)),
            ));
        }
        page.line(&line);
    }
}

fn corridors<'a>(
    page: &mut Page,
    data: &BriefData,
    (title, direction): (&str, &str),
    rows: &'a [Corridor],
    other: impl Fn(&'a Corridor) -> (&'a String, Option<f64>),
) {
    let Some(first) = rows.first() else { return };
    // Of a selection of corridors a share would be taken for one of the whole.
    let of = match data.sample {
        true => "a selection, so no shares".to_owned(),
        false => format!("% of all {direction}"),
    };
    let note = format!("modelled estimates; {of} {}", notes(data, Figure::Corridor));
    page.section(&format!("{title}, {}", first.year), &note);
    let name_width = (page.width / 2).min(34);
    let room = page.width.saturating_sub(name_width + 28);
    for (i, c) in rows.iter().take(5).enumerate() {
        let (name, share) = other(c);
        let drawn = page.paint(Look::Remittance, &bar(Some(c.remittance_usd), first.remittance_usd, room));
        let share = if data.sample { String::new() } else { format!("{} % ", right(&pct(share, 1), 5)) };
        let usd = right(&bn(Some(c.remittance_usd)), 7);
        page.line(&format!("  {:>2} {} {usd} bn {share}{drawn}", i + 1, left(name, name_width)));
    }
}

fn gaps(page: &mut Page, country: &CountryPage) {
    let lines = gap_lines(country);
    if lines.is_empty() {
        return;
    }
    page.section("Coverage", "");
    for line in lines {
        page.prose(Look::Plain, &line);
    }
}

type Value = fn(&EconomyYear) -> Option<f64>;

/// What this economy lacks, in sentences.
pub(super) fn gap_lines(country: &CountryPage) -> Vec<String> {
    let mut out = Vec::new();
    let values: [(&str, Value); 2] =
        [("remittances received", |e| e.remittance_usd), ("net ODA received", |e| e.oda_usd)];
    for (name, get) in values {
        let years: Vec<_> = country.series.iter().filter(|e| get(e).is_some()).map(|e| e.year).collect();
        out.push(match years.is_empty() {
            true => format!("No value of {name} in any year."),
            false => format!("Values of {name}: {}.", listed(&years)),
        });
    }
    let zeros: Vec<_> =
        country.series.iter().filter(|e| e.remittance_usd == Some(0.0)).map(|e| e.year.to_string()).collect();
    if !zeros.is_empty() {
        out.push(format!("A printed zero can mean not reported: remittances in {}.", zeros.join(", ")));
    }
    if country.inward.is_empty() {
        out.push("No corridor into this economy is loaded.".to_owned());
    }
    if country.outward.is_empty() {
        out.push("No corridor out of this economy is loaded.".to_owned());
    }
    out
}
