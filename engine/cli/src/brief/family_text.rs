//! Families, as text.

use super::data::BriefData;
use super::family::Family;
use super::family_chart::source_name;
use super::family_words::{MEASURES, balance, caveat, interval, line, more, poverty, receiving};
use super::format::{clean, left, number, pct, right, signed};
use super::text::{Look, Page, bar};

/// One line for each economy with a survey.
pub(super) fn world(page: &mut Page, data: &BriefData) {
    if let Some(why) = &data.families_missing {
        page.section("Families", "");
        page.prose(Look::Dim, why);
    }
    let Some(first) = data.families.first() else { return };
    page.section("Families with and without remittances", "poverty in % of persons, by the newest household survey");
    if let Some(text) = caveat(&data.families) {
        page.prose(Look::Plain, &text);
    }
    let wide = page.width >= 76;
    let name_width = page.width.saturating_sub(if wide { 62 } else { 42 }).clamp(14, 34);
    let mut head =
        format!("  {} {:>8} {:>8} {:>8} {:>7}", left("", name_width), "receive", "without", "with", "points");
    if wide {
        head += &format!("  {}{:>7}", left("95 %", 16), "seen");
    }
    let head = page.paint(Look::Dim, &head);
    page.line(&head);
    let (shown, left_out) = data.largest_families();
    for family in shown {
        let notes: String = data.notes_of(family).iter().map(|n| format!(" [{n}]")).collect();
        let name = format!("{}, {}{notes}", clean(&family.name), family.year);
        let effect = family.effect("survey", "headcount");
        let of = |value: Option<f64>| right(&pct(value, 1), 8);
        let points = effect.and_then(|e| e.difference).map_or_else(|| "–".to_owned(), |d| signed(d * 100.0, 1));
        let mut text = format!(
            "  {} {} {} {} {}",
            left(&name, name_width),
            of(family.receiving()),
            of(effect.and_then(|e| e.without)),
            of(effect.and_then(|e| e.with)),
            page.paint(Look::Remittance, &right(&points, 7)),
        );
        if wide {
            let interval = effect.map_or_else(|| "–".to_owned(), |e| interval(e, 100.0, 1));
            text += &format!("  {}{}", left(&interval, 16), right(&pct(family.balance.capture_ratio, 0), 5));
            text += if family.balance.capture_ratio.is_some() { " %" } else { "" };
        }
        page.line(&text);
    }
    let seen = if wide { " Seen: remittances that families report, over the balance of payments." } else { "" };
    page.prose(Look::Dim, &format!("{}{seen} {}", line_of_all(data, first), more(left_out)));
}

/// The line where all surveys have the same rule.
fn line_of_all(data: &BriefData, first: &Family) -> String {
    let mut rule = Family { line: None, ..first.clone() };
    if data.families.iter().any(|f| f.poverty_line != first.poverty_line) {
        rule.poverty_line = "a line of each survey".to_owned();
    }
    line(&rule)
}

/// All that is known of the families of one economy.
pub(super) fn country(page: &mut Page, data: &BriefData) {
    if let Some(why) = &data.families_missing {
        page.section("Families", "");
        page.prose(Look::Dim, why);
    }
    let Some(family) = data.families.first() else { return };
    let notes: String = data.notes_of(family).iter().map(|n| format!("[{n}]")).collect();
    let note =
        format!("{}, {} households {notes}", clean(&family.survey_id), number(family.households_sampled as f64, 0));
    page.section(&format!("Families, {}", family.year), &note);
    for text in caveat(&data.families).into_iter().chain(receiving(family)).chain(poverty(family)) {
        page.prose(Look::Plain, &text);
    }
    page.prose(Look::Plain, &balance(family));
    effects(page, family);
    fifths(page, family);
    sources(page, family);
    page.prose(Look::Dim, &line(family));
}

fn effects(page: &mut Page, family: &Family) {
    let rows: Vec<_> = MEASURES
        .iter()
        .filter_map(|m| Some((m, family.effect("survey", m.0).filter(|e| e.difference.is_some())?)))
        .collect();
    if rows.is_empty() {
        return;
    }
    page.line("");
    let wide = page.width >= 70;
    let column = if wide { "  95 %" } else { "" };
    let head = format!("  {} {:>9} {:>9} {:>11}{column}", left("", 20), "without", "with", "difference");
    let head = page.paint(Look::Dim, &head);
    page.line(&head);
    for ((_, name, factor, decimals), effect) in rows {
        let value = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| number(v * factor, *decimals));
        let difference = effect.difference.map_or_else(|| "–".to_owned(), |d| signed(d * factor, *decimals));
        let interval = if wide { interval(effect, *factor, *decimals) } else { String::new() };
        let text = format!(
            "  {} {} {} {}  {interval}",
            left(name, 20),
            right(&value(effect.without), 9),
            right(&value(effect.with), 9),
            page.paint(Look::Remittance, &right(&difference, 11)),
        );
        page.line(&text);
    }
}

fn fifths(page: &mut Page, family: &Family) {
    if family.quintiles.is_empty() {
        return;
    }
    page.line("");
    let head = format!("  {} {:>9} {:>12} {:>12}", left("fifth of persons", 20), "receive", "of all sent", "of income");
    let head = page.paint(Look::Dim, &head);
    page.line(&head);
    let room = page.width.saturating_sub(64).min(24);
    let most = family.quintiles.iter().filter_map(|q| q.receiving).fold(0.0, f64::max);
    for fifth in &family.quintiles {
        let name = match fifth.quintile {
            1 => "1, poorest".to_owned(),
            5 => "5, richest".to_owned(),
            n => n.to_string(),
        };
        let share = |v: Option<f64>, width: usize| format!("{} %", right(&pct(v, 1), width - 2));
        let text = format!(
            "  {} {} {} {}  {}",
            left(&name, 20),
            share(fifth.receiving, 9),
            share(fifth.distribution, 12),
            share(fifth.income, 12),
            if room < 4 { String::new() } else { page.paint(Look::Remittance, &bar(fifth.receiving, most, room)) },
        );
        page.line(&text);
    }
}

fn sources(page: &mut Page, family: &Family) {
    if family.sources.is_empty() {
        return;
    }
    page.line("");
    let head =
        format!("  {} {:>9} {:>14} {:>12}", left("source of income", 20), "share", "of inequality", "Gini at +1 %");
    let head = page.paint(Look::Dim, &head);
    page.line(&head);
    for source in &family.sources {
        let share = |v: Option<f64>, width: usize| format!("{} %", right(&pct(v, 1), width - 2));
        let elasticity = source.elasticity.map_or_else(|| "–".to_owned(), |e| format!("{} %", signed(e, 3)));
        let text = format!(
            "  {} {} {} {}",
            left(source_name(&source.source), 20),
            share(source.income_share, 9),
            share(source.inequality_share, 14),
            right(&elasticity, 12),
        );
        page.line(&text);
    }
}
