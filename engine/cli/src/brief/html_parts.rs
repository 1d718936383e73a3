//! Pieces of the page: escaping, tables, rankings and the note on sources.

use super::chart::around_one;
use super::data::{BriefData, Corridor, EconomyYear, Figure, GroupYear};
use super::format::{bn, clean, pct, ratio};
use super::text::{of, undated};
use std::fmt::Write;

/// Text made safe inside an element or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// References to the sources of a figure, as links to the note.
pub(super) fn notes(data: &BriefData, figure: Figure) -> String {
    let mut out = String::new();
    for n in data.notes(figure) {
        let _ok = write!(out, "<a class=\"ref\" href=\"#source-{n}\">[{n}]</a>");
    }
    out
}

/// One line of a ranking.
pub(super) struct Ranked {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) text: String,
    pub(super) title: String,
}

/// A ranking as a table whose bars are drawn by the style sheet.
pub(super) fn ranking(caption: &str, unit: &str, rows: &[Ranked]) -> String {
    let most = rows.iter().map(|r| r.value).fold(0.0, f64::max);
    let mut out = format!(
        "<table class=\"rank\"><caption>{}</caption><thead><tr><th scope=\"col\"><span class=\"away\">Rank</span></th><th scope=\"col\"><span class=\"away\">Name</span></th><th scope=\"col\" class=\"num\" colspan=\"2\">{}</th></tr></thead><tbody>",
        escape(caption),
        escape(unit),
    );
    for (i, r) in rows.iter().enumerate() {
        let width = if most > 0.0 { (r.value / most * 100.0).clamp(0.0, 100.0) } else { 0.0 };
        let _ok = write!(
            out,
            "<tr title=\"{}\"><td class=\"n\">{}</td><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"track\"><span class=\"bar\" style=\"width:{width:.1}%\"></span></td></tr>",
            escape(&r.title),
            i + 1,
            escape(&r.name),
            escape(&r.text),
        );
    }
    out + "</tbody></table>"
}

/// Corridors as lines of a ranking.
pub(super) fn corridor_rows(data: &BriefData, rows: &[Corridor], name: impl Fn(&Corridor) -> String) -> Vec<Ranked> {
    // Of a selection of corridors a share would be taken for one of the whole.
    let share = |c: &Corridor| match data.sample {
        true => String::new(),
        false => format!(", {} % of what {} receives", pct(c.receiver_share, 1), c.receiver_name),
    };
    rows.iter()
        .map(|c| Ranked {
            name: name(c),
            value: c.remittance_usd,
            text: bn(Some(c.remittance_usd)),
            title: format!(
                "{} to {}, {}: {} bn US${}",
                c.sender_name,
                c.receiver_name,
                c.year,
                bn(Some(c.remittance_usd)),
                share(c),
            ),
        })
        .collect()
}

/// Groups with their bars around one.
pub(super) fn group_table(rows: &[(&str, Vec<&GroupYear>)]) -> String {
    let mut out = String::from(
        "<div class=\"scroll\"><table class=\"groups\"><thead><tr><th scope=\"col\">Group</th><th scope=\"col\" class=\"num\">Remittances<br>bn US$</th><th scope=\"col\" class=\"num\">Net ODA<br>bn US$</th><th scope=\"col\" class=\"num\">Ratio</th><th scope=\"col\" class=\"wide\"><span class=\"k oda\">◂ ODA</span> <span class=\"k rem\">remittances ▸</span></th><th scope=\"col\" class=\"num\">Remittances<br>exceed in</th><th scope=\"col\" class=\"num\">Both values<br>of members</th></tr></thead>",
    );
    for (head, groups) in rows {
        if groups.is_empty() {
            continue;
        }
        let _ok =
            write!(out, "<tbody><tr class=\"kind\"><th colspan=\"7\" scope=\"rowgroup\">{}</th></tr>", escape(head));
        for g in groups {
            let _ok = write!(
                out,
                "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\"><b>{}</b></td><td class=\"wide\">{}</td><td class=\"num\">{}</td><td class=\"num\">{} of {}</td></tr>",
                escape(&g.name),
                bn(g.remittance_usd),
                bn(g.oda_usd),
                escape(&ratio(g.ratio)),
                around_one(g.ratio),
                of(g.exceeding, g.with_both, " of "),
                g.with_both,
                g.economies,
            );
        }
        out.push_str("</tbody>");
    }
    out + "</table></div>"
}

/// Every economy in a table, folded: the words of the map.
pub(super) fn economy_table(rows: &[EconomyYear], summary: &str, label: fn(&EconomyYear) -> String) -> String {
    let mut out = format!(
        "<details><summary>{}</summary><div class=\"scroll\"><table class=\"all\"><thead><tr><th scope=\"col\"></th><th scope=\"col\" class=\"num\">Remittances<br>bn US$</th><th scope=\"col\" class=\"num\">Net ODA<br>bn US$</th><th scope=\"col\" class=\"num\">Ratio</th><th scope=\"col\" class=\"num\">Remittances<br>% of GDP</th></tr></thead><tbody>",
        escape(summary)
    );
    for e in rows {
        let _ok = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>",
            escape(&label(e)),
            bn(e.remittance_usd),
            bn(e.oda_usd),
            escape(&ratio(e.ratio)),
            escape(&pct(e.remittance_gdp_share, 1)),
        );
    }
    out + "</tbody></table></div></details>"
}

/// What the page would show and does not, and why.
pub(super) fn missing(data: &BriefData) -> String {
    let mut out = String::new();
    let later = data.later();
    if let Some(day) = data.as_of.filter(|_| !later.is_empty()) {
        let _ok = write!(out, "<section><h2>No edition as old as {day}</h2><ul class=\"gap\">");
        for (figure, oldest) in later {
            let _ok = write!(out, "<li>{}: the oldest in the lake is of {oldest}</li>", figure.label());
        }
        out.push_str("</ul></section>");
    }
    let missing = data.missing();
    if !missing.is_empty() {
        out.push_str("<section><h2>Not loaded</h2><ul class=\"gap\">");
        for figure in missing {
            let _ok = write!(out, "<li>{}: <code>{}</code></li>", figure.label(), escape(figure.import_hint()));
        }
        out.push_str("</ul></section>");
    }
    out
}

/// Where every figure comes from, with licence, citation and caveats.
pub(super) fn sources(data: &BriefData) -> String {
    let mut out = String::from("<section id=\"sources\"><h2>Sources</h2>");
    if data.sources.is_empty() {
        return out + "<p class=\"gap\">No source is recorded in this lake.</p></section>";
    }
    out.push_str("<ol class=\"sources\">");
    for (n, s) in (1..).zip(&data.sources) {
        let feeds: Vec<_> = s.figures.iter().map(|f| f.label()).collect();
        let name = match (s.provider.is_empty(), s.dataset.is_empty()) {
            (false, false) => format!("{}, {}", s.provider, s.dataset),
            _ => s.source_id.clone(),
        };
        let feeds = feeds.join(", ") + undated(data, s);
        let _ok = write!(out, "<li id=\"source-{n}\"><b>{}</b>: {}.", escape(&name), escape(&feeds));
        for (label, value) in [("Vintage", s.vintage.as_str()), ("Licence", s.licence.as_str())] {
            let shown = if value.is_empty() { "not recorded" } else { value };
            let _ok = write!(out, " {label} {}.", escape(shown));
        }
        if !s.citation.is_empty() {
            let _ok = write!(out, " <cite>{}</cite>", escape(&s.citation));
        }
        // Only plain web addresses become links; anything else stays text.
        if let Some(url) = s.url.as_deref().filter(|u| u.starts_with("https://") || u.starts_with("http://")) {
            let url = escape(url);
            let _ok = write!(out, " <a href=\"{url}\" rel=\"noreferrer\">{url}</a>");
        }
        if let Some(caveats) = s.caveats.as_deref().filter(|c| !c.trim().is_empty()) {
            // Editions of one dataset share their caveats; once is enough to read.
            let first = data.sources.iter().position(|o| o.caveats.as_deref() == Some(caveats)).map_or(n, |i| i + 1);
            let _ok = if first == n {
                write!(out, " <span class=\"caveat\">Caveats: {}</span>", escape(caveats))
            } else {
                write!(out, " <span class=\"caveat\">Caveats as <a href=\"#source-{first}\">[{first}]</a>.</span>")
            };
        }
        out.push_str("</li>");
    }
    out + "</ol></section>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_text() {
        assert_eq!(escape("<script>\"'&\u{202e}"), "&lt;script&gt;&quot;&#39;&amp; ");
    }
}
