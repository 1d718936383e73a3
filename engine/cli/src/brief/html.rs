//! The brief as one self-contained page: no script, nothing fetched.

use super::chart::{Dot, Frame, Point, Series, lines, strips};
use super::data::{BriefData, CountryPage, EconomyYear, Figure, GroupYear};
use super::format::{bn, economies, pct, ratio};
use super::headline::headline;
use super::html_parts::{Ranked, corridor_rows, economy_table, escape, group_table, missing, notes, ranking, sources};
use super::text::coverage_lines;
use super::text_country::{gap_lines, income_name, sentence};
use super::{family_html, map};
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");

/// Before this year few economies report, and totals say more about them than
/// about the money.
const FIRST_YEAR: i32 = 1990;

/// A group's total rests on too few economies below this share of its members
/// (the World Bank's own rule for sums: no more than a third missing).
const ENOUGH: f64 = 2.0 / 3.0;

/// The whole page.
pub(crate) fn render(data: &BriefData) -> String {
    let body = match (&data.country, data.year) {
        (Some(country), _) => country_page(data, country),
        (None, Some(year)) => world(data, year),
        (None, None) => format!("<header><h1>Remittances against aid</h1></header>{}", family_html::world(data)),
    };
    let title = data.country.as_ref().map_or_else(
        || data.year.map_or_else(|| "Remittances against aid".into(), |y| format!("Remittances against aid, {y}")),
        |c| format!("{}: remittances against aid", c.name),
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>{}</title><style>{STYLE}</style></head><body><main>{body}{}{}</main></body></html>\n",
        escape(&title),
        missing(data),
        sources(data),
    )
}

fn world(data: &BriefData, year: i32) -> String {
    [
        hero(data, year),
        map_section(data, year),
        over_time(data, year),
        groups(data, year),
        spread_section(data, year),
        receivers(data, year),
        corridors(data),
        family_html::world(data),
        coverage(data, year),
    ]
    .concat()
}

fn banner(data: &BriefData) -> &'static str {
    if data.sample {
        "<p class=\"banner\"><b>Sample lake.</b> A selection of published figures that ships with the program. No total on this page is a world total.</p>"
    } else {
        ""
    }
}

fn hero(data: &BriefData, year: i32) -> String {
    let whose =
        if data.sample { "Low- and middle-income economies in the sample" } else { "Low- and middle-income economies" };
    let mut out = format!(
        "<header>{}<p class=\"kicker\">{whose}, {year}, {}</p><h1>Remittances against aid</h1>",
        banner(data),
        data.year_label()
    );
    let Some(head) = headline(data) else {
        return out + "<p class=\"gap\">No group of economies has a value in this year.</p></header>";
    };
    out.push_str("<div class=\"hero\"><div>");
    for line in &head.lines {
        let _ok = write!(out, "<p class=\"lead\">{}</p>", escape(line));
    }
    let compared = data.group("LMY", year).filter(|g| g.with_both > 0);
    let mut tiles = vec![
        ("rem", "Remittances received", bn(head.remittance_usd), "bn US$".to_owned(), notes(data, Figure::Remittance)),
        ("oda", "Net ODA received", bn(head.oda_usd), "bn US$".to_owned(), notes(data, Figure::Oda)),
    ];
    if let Some(all) = compared {
        let of = format!("of {}", all.with_both);
        tiles.push(("", "Remittances over ODA", ratio(all.ratio), "times".to_owned(), String::new()));
        tiles.push(("", "Remittances exceed ODA in", all.exceeding.to_string(), of, notes(data, Figure::Group)));
    }
    out.push_str("<dl class=\"tiles\">");
    for (class, label, value, unit, refs) in tiles {
        let _ok = write!(
            out,
            "<div class=\"tile {class}\"><dt>{label} {refs}</dt><dd>{} <small>{}</small></dd></div>",
            escape(&value),
            escape(&unit),
        );
    }
    out.push_str("</dl></div>");
    if let Some(all) = data.group("LMY", year) {
        let _ok = write!(
            out,
            "<figure>{}<figcaption>Billions of current US$, over the economies that have both values.</figcaption></figure>",
            panel(data, all, year, (520.0, 300.0))
        );
    }
    out + "</div></header>"
}

/// Remittances and ODA of a group over the years.
fn panel(data: &BriefData, group: &GroupYear, year: i32, (width, height): (f64, f64)) -> String {
    let rows: Vec<_> = data
        .groups
        .iter()
        .filter(|g| g.code == group.code && g.kind == group.kind)
        .filter(|g| g.year >= FIRST_YEAR && g.year <= year.max(FIRST_YEAR))
        .collect();
    let series = |name: &'static str, class: &'static str, get: fn(&GroupYear) -> Option<f64>| Series {
        name,
        class,
        decimals: 1,
        points: rows
            .iter()
            .filter_map(|g| {
                let text = format!(
                    "{}, {}: {} bn US$, over {} of {}",
                    g.name,
                    g.year,
                    bn(get(g)),
                    g.with_both,
                    economies(g.economies)
                );
                let tenths = (get(g)? / 1e8).round() / 10.0;
                let thin = g.coverage.is_none_or(|c| c < ENOUGH);
                Some(Point { year: g.year, value: tenths, thin, title: format!("{name} {text}") })
            })
            .collect(),
    };
    let title = format!("Remittances and net ODA received, {}", group.name);
    let desc =
        format!("In {year}: remittances {} and net ODA {} billion US$.", bn(group.remittance_usd), bn(group.oda_usd));
    lines(
        &Frame { width, height, title: &title, desc: &desc, mark: None },
        &[series("remittances", "rem", |g| g.remittance_usd), series("net ODA", "oda", |g| g.oda_usd)],
    )
}

fn map_section(data: &BriefData, year: i32) -> String {
    if data.economies.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<section><h2>Where remittances exceed aid</h2><p>Remittances received over net ODA received, {year} {}{}</p><figure>{}",
        notes(data, Figure::Remittance),
        notes(data, Figure::Oda),
        map::ratios(data, year),
    );
    out.push_str("<figcaption><ul class=\"legend\"><li class=\"word\">ODA is larger</li>");
    for (class, label) in
        [("c0", "over 10×"), ("c1", "3–10×"), ("c2", "1–3×"), ("c3", "1–3×"), ("c4", "3–10×"), ("c5", "over 10×")]
    {
        let _ok = write!(out, "<li><i class=\"{class}\"></i>{label}</li>");
        if class == "c2" {
            out.push_str("<li class=\"gapline\" aria-hidden=\"true\"></li>");
        }
    }
    out.push_str("<li class=\"word\">remittances are larger</li><li><i class=\"cn\"></i>net ODA not positive</li><li><i class=\"cx\"></i>a value is missing</li></ul>");
    let away = map::unmapped(&data.economies);
    if !away.is_empty() {
        let names: Vec<_> = away.iter().map(|e| format!("{} ({})", e.name, ratio(e.ratio))).collect();
        let _ok = write!(out, "<p>Not on the map: {}.</p>", escape(&names.join(", ")));
    }
    out.push_str("</figcaption></figure>");
    let rows: Vec<_> =
        data.economies.iter().filter(|e| e.remittance_usd.is_some() || e.oda_usd.is_some()).cloned().collect();
    out + &economy_table(&rows, &format!("All {} of the map as a table", economies(rows.len() as i64)), |e| {
        e.name.clone()
    }) + "</section>"
}

fn over_time(data: &BriefData, year: i32) -> String {
    let groups = data.groups_of("income", year);
    let panels: Vec<_> =
        groups.iter().map(|g| (g, panel(data, g, year, (360.0, 240.0)))).filter(|(_, svg)| !svg.is_empty()).collect();
    if panels.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<section><h2>Over time, by income group</h2><p>Billions of current US$. Each panel has its own scale. Dashed where fewer than two thirds of the group’s economies have both values; today’s groups are applied to all years.</p><div class=\"panels\">",
    );
    for (g, svg) in panels {
        let _ok = write!(
            out,
            "<figure><h3>{}</h3><p>Remittances exceed ODA in {} of {}</p>{svg}</figure>",
            escape(&g.name),
            g.exceeding,
            g.with_both
        );
    }
    out + "</div></section>"
}

fn groups(data: &BriefData, year: i32) -> String {
    let rows = [
        ("Together", data.groups_of("lmic", year)),
        ("By income", data.groups_of("income", year)),
        ("By region", data.groups_of("region", year)),
    ];
    if rows.iter().flat_map(|(_, g)| g).all(|g| g.with_both == 0) {
        return String::new();
    }
    format!(
        "<section><h2>By group</h2><p>Low- and middle-income economies: sums over those that have both values, {year}. The bar is logarithmic, from a thirtieth to thirty times. {}</p>{}</section>",
        notes(data, Figure::Group),
        group_table(&rows)
    )
}

fn spread_section(data: &BriefData, year: i32) -> String {
    let groups: Vec<(String, Vec<Dot>)> = data
        .groups_of("income", year)
        .into_iter()
        .map(|g| {
            let of_group = data.economies.iter().filter(|e| e.income.as_deref() == Some(&g.code));
            let dots = of_group.filter_map(|e| {
                let amounts = format!("{} against {} bn US$", bn(e.remittance_usd), bn(e.oda_usd));
                let ratio = e.ratio.filter(|r| *r > 0.0)?;
                Some(Dot { ratio, name: e.name.clone(), title: amounts })
            });
            (g.name.clone(), dots.collect())
        })
        .filter(|(_, dots): &(String, Vec<Dot>)| !dots.is_empty())
        .collect();
    if groups.is_empty() {
        return String::new();
    }
    let title = format!("Ratio of remittances to net ODA by economy and income group, {year}");
    let desc = "One dot for each economy on a logarithmic axis; the upright line is where the two are equal.";
    format!(
        "<section><h2>One dot, one economy</h2><p>Remittances as a multiple of net ODA, {year}. Left of 1, aid is larger; right of it, remittances. Economies without a positive ratio are left out.</p><figure>{}</figure></section>",
        strips(&title, desc, &groups)
    )
}

fn receivers(data: &BriefData, year: i32) -> String {
    let rows = |list: Vec<&EconomyYear>, value: fn(&EconomyYear) -> Option<f64>, text: fn(&EconomyYear) -> String| {
        let ranked = list.into_iter().filter_map(|e| {
            Some(Ranked { name: e.name.clone(), value: value(e)?, text: text(e), title: map::tooltip(e) })
        });
        ranked.collect::<Vec<_>>()
    };
    let usd = rows(data.largest_usd(10), |e| e.remittance_usd, |e| bn(e.remittance_usd));
    let share = rows(data.largest_share(10), |e| e.remittance_gdp_share, |e| pct(e.remittance_gdp_share, 1));
    if usd.is_empty() && share.is_empty() {
        return String::new();
    }
    let gdp = match data.gdp_year {
        Some(gdp) => ranking(&format!("Most against the size of the economy, {gdp}"), "% of GDP", &share),
        None => "<p class=\"gap\">No GDP is loaded, so there are no shares of it.</p>".to_owned(),
    };
    format!(
        "<section><h2>Ten largest receivers, both ways</h2><p>Low- and middle-income economies {}{}</p><div class=\"two\">{}{gdp}</div></section>",
        notes(data, Figure::Remittance),
        notes(data, Figure::Gdp),
        ranking(&format!("Most money, {year}"), "bn US$", &usd),
    )
}

fn corridors(data: &BriefData) -> String {
    let Some(first) = data.corridors.first() else {
        return String::new();
    };
    let top = data.corridors.get(..map::RANKED).unwrap_or(&data.corridors);
    let rows = corridor_rows(data, top, |c| format!("{} → {}", c.sender_name, c.receiver_name));
    // The land under the curves is the one of the ratio map.
    let flows = if data.economies.is_empty() { String::new() } else { map::flows(&data.corridors) };
    format!(
        "<section><h2>Largest corridors, {}</h2><p>Modelled estimates, not records. Curves run from thin at the sender to wide at the receiver; numbers are ranks in the table. {}</p><figure>{flows}</figure>{}</section>",
        first.year,
        notes(data, Figure::Corridor),
        ranking("From sender to receiver", "bn US$", &rows),
    )
}

fn coverage(data: &BriefData, year: i32) -> String {
    let mut out = String::from("<section><h2>Coverage</h2><div class=\"cover\"><div>");
    for line in coverage_lines(data, year) {
        let _ok = write!(out, "<p>{}</p>", escape(&line));
    }
    out.push_str("<p>A year is complete when at least nine tenths as many economies have values as in the best of the five years before it, for remittances and for ODA. Missing values are never counted as zero.</p></div><figure>");
    let series = |name: &'static str, class: &'static str, get: fn(&super::data::YearCoverage) -> i64| Series {
        name,
        class,
        decimals: 0,
        points: data
            .coverage
            .iter()
            .filter(|c| c.year >= FIRST_YEAR && get(c) > 0)
            .map(|c| {
                let title = format!("{}: {} with {name}", c.year, economies(get(c)));
                Point { year: c.year, value: get(c) as f64, thin: false, title }
            })
            .collect(),
    };
    let title = "Number of economies with values by year";
    out.push_str(&lines(
        &Frame {
            width: 520.0,
            height: 220.0,
            title,
            desc: "Economies with remittances and with both values.",
            mark: Some(year),
        },
        &[series("remittances", "rem", |c| c.with_remittance), series("both values", "both", |c| c.with_both)],
    ));
    let _ok = write!(
        out,
        "<figcaption>Economies with values. The upright line is {year}.</figcaption></figure></div></section>"
    );
    out
}

fn country_page(data: &BriefData, country: &CountryPage) -> String {
    let mut out = format!(
        "<header>{}<p class=\"kicker\">{}</p><h1>{}: remittances against aid</h1>",
        banner(data),
        escape(&format!(
            "{}, {}{}",
            country.iso3,
            income_name(country),
            data.as_of.map_or_else(String::new, |day| format!(", as of {day}"))
        )),
        escape(&country.name)
    );
    if let Some(text) = sentence(data, country) {
        let _ok = write!(out, "<p class=\"lead\">{}</p>", escape(&text));
    }
    // A small economy needs more digits than a large one.
    let most = country.series.iter().filter_map(|e| e.remittance_usd).fold(0.0, f64::max);
    let decimals = if most < 1e9 { 3 } else { 1 };
    let series = |name: &'static str, class: &'static str, get: fn(&EconomyYear) -> Option<f64>| Series {
        name,
        class,
        decimals,
        points: country
            .series
            .iter()
            .filter(|e| e.year >= FIRST_YEAR)
            .filter_map(|e| {
                let value = (get(e)? / 1e6).round() / 1e3;
                let title = format!("{name}, {}: {} bn US$", e.year, bn(get(e)));
                Some(Point { year: e.year, value, thin: false, title })
            })
            .collect(),
    };
    let title = format!("Remittances and net ODA received, {}", country.name);
    let svg = lines(
        &Frame { width: 600.0, height: 300.0, title: &title, desc: "The table below has the values.", mark: None },
        &[series("remittances", "rem", |e| e.remittance_usd), series("net ODA", "oda", |e| e.oda_usd)],
    );
    let _ok = write!(
        out,
        "</header><section><h2>Over time</h2><p>Billions of current US$ {}{}</p><figure>{svg}</figure>",
        notes(data, Figure::Remittance),
        notes(data, Figure::Oda)
    );
    out.push_str(&economy_table(&country.series, "All years as a table", |e| e.year.to_string()));
    out.push_str("</section>");
    let ways = [
        ("Where it comes from", corridor_rows(data, &country.inward, |c| c.sender_name.clone())),
        ("Where it goes", corridor_rows(data, &country.outward, |c| c.receiver_name.clone())),
    ];
    if ways.iter().any(|(_, rows)| !rows.is_empty()) {
        let year = country.inward.iter().chain(&country.outward).map(|c| c.year).max().unwrap_or_default();
        let _ok = write!(
            out,
            "<section><h2>Corridors, {year}</h2><p>Modelled estimates, not records. {}</p><div class=\"two\">",
            notes(data, Figure::Corridor)
        );
        for (caption, rows) in ways.iter().filter(|(_, rows)| !rows.is_empty()) {
            out.push_str(&ranking(caption, "bn US$", rows));
        }
        out.push_str("</div></section>");
    }
    out.push_str(&family_html::country(data));
    out.push_str("<section><h2>Coverage</h2>");
    for line in gap_lines(country) {
        let _ok = write!(out, "<p>{}</p>", escape(&line));
    }
    out + "</section>"
}
