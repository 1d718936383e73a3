//! Families, on the page.

use std::fmt::Write;

use super::data::BriefData;
use super::family::{Effect, Family, Quintile};
use super::family_chart::{Pair, chain, fifths, lorenz, pairs, sources};
use super::family_words::{MEASURES, balance, caveat, interval, line, more, poverty, receiving, scale_words};
use super::format::{MISSING, number, pct, per_head, signed};
use super::html_parts::escape;

/// What remittances do to families, economy by economy.
pub(super) fn world(data: &BriefData) -> String {
    let mut out = missing(data);
    let Some(first) = data.families.first() else { return out };
    let (shown, left_out) = data.largest_families();
    let rows: Vec<Pair> = shown.iter().filter_map(|f| pair(f, "survey", format!("{}, {}", f.name, f.year))).collect();
    out.push_str("<section><h2>What remittances do to families</h2>");
    out.push_str(&caveat_html(&data.families));
    let _ok = write!(
        out,
        "<p>Persons in poverty without and with remittances, in percent, by the newest household survey of each economy; lines are 95 % confidence intervals. {}</p>{}",
        escape(&line(&Family { line: None, ..first.clone() })),
        KEY
    );
    if !rows.is_empty() {
        let title = "Poverty with and without remittances, by economy";
        let _ok = write!(out, "<figure>{}</figure>", pairs(title, "The table below has the values.", &rows));
    }
    out += &table(data, &shown);
    if left_out > 0 {
        let _ok = write!(out, "<p>{}</p>", escape(&more(left_out)));
    }
    out + "</section>"
}

/// The families of one economy: one section from the family to the nation's accounts.
pub(super) fn country(data: &BriefData) -> String {
    let mut out = missing(data);
    let Some(family) = data.families.first() else { return out };
    let _ok = write!(
        out,
        "<section><h2>Families, {}</h2>{}<p class=\"kicker\">{}, {} households sampled {}</p>",
        family.year,
        caveat_html(&data.families),
        escape(&family.survey_id),
        number(family.households_sampled as f64, 0),
        refs(data, family),
    );
    for text in receiving(family).into_iter().chain(poverty(family)) {
        let _ok = write!(out, "<p class=\"said\">{}</p>", escape(&text));
    }
    out.push_str(&from_family_to_nation(family));
    out.push_str(&at_every_scale(family));
    out.push_str(&who_receives(family));
    match (curves(family), by_source(family)) {
        (curves, sources) if curves.is_empty() || sources.is_empty() => out += &(curves + &sources),
        (curves, sources) => {
            let _ok = write!(out, "<div class=\"two\"><div>{curves}</div><div>{sources}</div></div>");
        }
    }
    let _ok = write!(out, "<p>{}</p>", escape(&line(family)));
    out + "</section>"
}

const KEY: &str = "<ul class=\"legend\"><li><i class=\"dotkey both\"></i>without remittances</li><li><i class=\"dotkey rem\"></i>with remittances</li></ul>";

fn missing(data: &BriefData) -> String {
    data.families_missing.as_ref().map_or_else(String::new, |why| {
        format!("<section><h2>Families</h2><p class=\"gap\">{}</p></section>", escape(why))
    })
}

fn caveat_html(families: &[Family]) -> String {
    caveat(families)
        .map_or_else(String::new, |text| format!("<p class=\"banner\">{}</p>", escape(&text.replace('`', ""))))
}

fn refs(data: &BriefData, family: &Family) -> String {
    let link = |n: usize| format!("<a class=\"ref\" href=\"#source-{n}\">[{n}]</a>");
    data.notes_of(family).into_iter().map(link).collect()
}

/// The headcount on a scale as two points; `None` without both.
fn pair(family: &Family, scale: &str, name: String) -> Option<Pair> {
    let effect = family.effect(scale, "headcount")?;
    let (with, without, difference) = (effect.with?, effect.without?, effect.difference?);
    Some(Pair {
        name,
        note: match scale {
            "survey" => format!("{} % receive", pct(family.receiving(), 1)),
            other => scale_words(other).1.to_owned(),
        },
        without: (without * 100.0, None),
        with: (with * 100.0, effect.margin(effect.with_se).map(|m| m * 100.0)),
        said: format!("{} {} points", signed(difference * 100.0, 1), interval(effect, 100.0, 1)),
    })
}

fn table(data: &BriefData, shown: &[&Family]) -> String {
    let mut out = String::from(
        "<div class=\"scroll\"><table class=\"families\"><thead><tr><th scope=\"col\"></th><th scope=\"col\" class=\"num\">Receive<br>% of households</th><th scope=\"col\" class=\"num\">Each<br>US$ a year</th><th scope=\"col\" class=\"num\">Share of<br>income, %</th><th scope=\"col\" class=\"num\">Poverty,<br>points</th><th scope=\"col\" class=\"num\">Gini<br>difference</th><th scope=\"col\" class=\"num\">Survey sees of<br>balance, %</th><th scope=\"col\" class=\"num\">Poverty if<br>all, points</th></tr></thead><tbody>",
    );
    let points =
        |e: Option<&Effect>| e.and_then(|e| e.difference).map_or_else(|| MISSING.to_owned(), |d| signed(d * 100.0, 1));
    for f in shown {
        let gini = f.effect("survey", "gini").and_then(|e| e.difference);
        let _ok = write!(
            out,
            "<tr><th scope=\"row\">{}, {} {}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\"><b>{}</b></td><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>",
            escape(&f.name),
            f.year,
            refs(data, f),
            pct(f.receiving(), 1),
            per_head(f.received_usd()),
            pct(f.remittance_income_share(), 1),
            points(f.effect("survey", "headcount")),
            gini.map_or_else(|| MISSING.to_owned(), |d| signed(d, 3)),
            pct(f.balance.capture_ratio, 0),
            points(f.scaled()),
        );
    }
    out + "</tbody></table></div>"
}

fn from_family_to_nation(family: &Family) -> String {
    let picture = chain(family);
    let mut out = String::from("<h3 class=\"step\">From the family to the nation to the balance of payments</h3>");
    let _ok = write!(out, "<p>{}</p>", escape(&balance(family)));
    if picture.is_empty() {
        return out;
    }
    let _ok = write!(
        out,
        "<div class=\"chainwrap\"><figure>{picture}<figcaption>Billions of current US$, {}; heights are money.</figcaption></figure><dl class=\"facts\">",
        family.year
    );
    let headcount = family.effect("survey", "headcount");
    let points = |e: Option<&Effect>| e.and_then(|e| e.difference).map(|d| format!("{} points", signed(d * 100.0, 1)));
    let b = &family.balance;
    let amount = |usd: Option<f64>| usd.map(|_| format!("{} US$", per_head(usd)));
    for (label, value) in [
        ("Poverty, as families report", points(headcount)),
        ("Poverty, if they received all", points(family.scaled())),
        ("Remittances over GDP", b.gdp_share.map(|s| format!("{} %", pct(Some(s), 1)))),
        ("Remittances per head", amount(b.remittance_per_head_usd)),
        ("Net ODA per head", amount(b.oda_per_head_usd)),
    ] {
        if let Some(value) = value {
            let _ok = write!(out, "<div><dt>{label}</dt><dd>{}</dd></div>", escape(&value));
        }
    }
    out + "</dl></div>"
}

fn at_every_scale(family: &Family) -> String {
    let scales = ["survey", "amount", "weight", "both"];
    let rows: Vec<Pair> =
        scales.iter().filter_map(|scale| pair(family, scale, scale_words(scale).0.to_owned())).collect();
    if rows.is_empty() {
        return String::new();
    }
    let title = format!("Poverty with and without remittances, {}, {}", family.name, family.year);
    let mut out = String::from("<h3 class=\"step\">Poverty, with its error</h3><p>Percent of persons");
    if rows.len() > 1 {
        out.push_str(". The first line is what families report; below, remittances are scaled to the balance of payments in three ways, with errors that take the scale as given");
    }
    let _ok = write!(
        out,
        ". Lines are 95 % confidence intervals.</p>{KEY}<figure>{}</figure>",
        pairs(&title, "The table below has the values as reported.", &rows)
    );
    out.push_str("<div class=\"scroll\"><table class=\"families\"><thead><tr><th scope=\"col\">As reported</th><th scope=\"col\" class=\"num\">Without</th><th scope=\"col\" class=\"num\">With</th><th scope=\"col\" class=\"num\">Difference</th><th scope=\"col\" class=\"num\">95 %</th></tr></thead><tbody>");
    for (measure, name, factor, decimals) in MEASURES {
        let Some(effect) = family.effect("survey", measure).filter(|e| e.difference.is_some()) else { continue };
        let value = |v: Option<f64>| v.map_or_else(|| MISSING.to_owned(), |v| number(v * factor, decimals));
        let _ok = write!(
            out,
            "<tr><th scope=\"row\">{name}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\"><b>{}</b></td><td class=\"num\">{}</td></tr>",
            value(effect.without),
            value(effect.with),
            effect.difference.map_or_else(|| MISSING.to_owned(), |d| signed(d * factor, decimals)),
            interval(effect, factor, decimals),
        );
    }
    out + "</tbody></table></div>"
}

fn who_receives(family: &Family) -> String {
    let values = |of: fn(&Quintile) -> Option<f64>| family.quintiles.iter().map(of).collect::<Vec<_>>();
    let panels = [
        ("Households that receive", "% of the households of each fifth", values(|q| q.receiving)),
        ("Where the money goes", "% of all remittances", values(|q| q.distribution)),
        ("What it is to them", "remittances in % of income", values(|q| q.income)),
    ];
    let drawn: Vec<_> = panels
        .iter()
        .map(|(head, unit, values)| (head, unit, fifths(&format!("{head}, {}", family.name), values)))
        .filter(|(.., svg)| !svg.is_empty())
        .collect();
    if drawn.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<h3 class=\"step\">Who receives</h3><p>Fifths of persons by income without remittances.</p><div class=\"panels\">",
    );
    for (head, unit, svg) in drawn {
        let _ok = write!(out, "<figure><h4>{head}</h4><p>{unit}</p>{svg}</figure>");
    }
    out + "</div>"
}

fn curves(family: &Family) -> String {
    let svg = lorenz(family);
    if svg.is_empty() {
        return String::new();
    }
    let words = match family.effect("survey", "gini").and_then(|e| Some((e, e.difference?))) {
        Some((effect, d)) => format!(
            "The Gini coefficient changes by {} ({}).{}",
            signed(d, 3),
            interval(effect, 1.0, 3),
            if effect.ci_low.is_some_and(|l| l <= 0.0) && effect.ci_high.is_some_and(|h| h >= 0.0) {
                " The sample cannot tell that from no change."
            } else if d < 0.0 {
                " Income is more equal with remittances."
            } else {
                " Income is less equal with remittances."
            }
        ),
        None => String::new(),
    };
    format!(
        "<h3 class=\"step\">Inequality</h3><p>{}</p><figure>{svg}<figcaption>Across: persons, poorest first, %. Up: share of income that they have, %. The thin diagonal is equality.</figcaption></figure>",
        escape(&words)
    )
}

fn by_source(family: &Family) -> String {
    let svg = sources(family);
    if svg.is_empty() {
        return String::new();
    }
    format!(
        "<h3 class=\"step\">Inequality by source of income</h3><p>Pale: share of income. Full: share of the Gini coefficient. At the right: change of the Gini coefficient if the source grows by 1 %.</p><figure>{svg}<figcaption>Lerman and Yitzhaki 1985.</figcaption></figure>"
    )
}
