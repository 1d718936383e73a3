//! The brief as text for a terminal or a file.

use super::data::{BriefData, EconomyYear, Figure, SourceLine};
use super::format::{MISSING, bn, clean, economies, fit, left, pct, ratio, right, signed, wrap};
use super::years::listed;
use super::{family_text, headline, text_country};
use nu_ansi_term::{Color, Style};
use unicode_width::UnicodeWidthStr;

/// Narrower terminals get lines that wrap; wider ones gain nothing.
const WIDTHS: (usize, usize) = (60, 100);

/// Lines as they grow, and how they may look.
pub(super) struct Page {
    pub(super) width: usize,
    color: bool,
    out: String,
}

/// How a piece of a line looks.
#[derive(Clone, Copy)]
pub(super) enum Look {
    Plain,
    Title,
    Dim,
    Remittance,
    Oda,
}

impl Page {
    /// An empty page.
    pub(super) fn new(width: usize, color: bool) -> Self {
        Self { width: width.clamp(WIDTHS.0, WIDTHS.1), color, out: String::new() }
    }

    /// A piece of a line in a look.
    pub(super) fn paint(&self, look: Look, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let style = match look {
            Look::Plain => return text.to_owned(),
            Look::Title => Style::new().bold(),
            Look::Dim => Style::new().dimmed(),
            Look::Remittance => Style::new().fg(Color::Cyan),
            Look::Oda => Style::new().fg(Color::Yellow),
        };
        style.paint(text).to_string()
    }

    /// One line; blanks at its end are dropped.
    pub(super) fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// Text over as many lines as it needs, indented by two.
    pub(super) fn prose(&mut self, look: Look, text: &str) {
        for line in wrap(text, self.width - 2) {
            let line = format!("  {}", self.paint(look, &line));
            self.line(&line);
        }
    }

    /// The head of a section, after an empty line.
    pub(super) fn section(&mut self, title: &str, note: &str) {
        let used = title.width() + 2;
        let line = if used + note.width() <= self.width || note.is_empty() {
            format!("\n{}  {}", self.paint(Look::Title, title), self.paint(Look::Dim, note))
        } else {
            format!("\n{}\n  {}", self.paint(Look::Title, title), self.paint(Look::Dim, &fit(note, self.width - 2)))
        };
        self.line(&line);
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// The whole brief, or the page of one economy, in lines of at most `width`
/// columns.
pub(crate) fn render(data: &BriefData, width: usize, color: bool) -> String {
    let mut page = Page::new(width, color);
    if let Some(country) = &data.country {
        text_country::render(&mut page, data, country);
    } else {
        world(&mut page, data);
    }
    missing(&mut page, data);
    sources(&mut page, data);
    page.finish()
}

fn world(page: &mut Page, data: &BriefData) {
    let title = data
        .year
        .map_or_else(|| "Remittances against aid".to_owned(), |year| format!("Remittances against aid, {year}"));
    let line = page.paint(Look::Title, &title);
    page.line(&line);
    let Some(year) = data.year else {
        if let Some(day) = data.as_of {
            page.prose(Look::Dim, &format!("as of {day}"));
        }
        family_text::world(page, data);
        return;
    };
    let whose = if data.sample { "a sample of economies" } else { "low- and middle-income economies" };
    page.prose(Look::Dim, &format!("{whose}, current US$, {}", data.year_label()));
    sample(page, data);
    headline(page, data);
    groups(page, data, year);
    receivers(page, data, year);
    corridors(page, data);
    family_text::world(page, data);
    coverage(page, data, year);
}

/// Says that the lake is a selection, where it is.
pub(super) fn sample(page: &mut Page, data: &BriefData) {
    if data.sample {
        page.prose(
            Look::Dim,
            "Sample lake: a selection of published figures. No total here is a world total; `envoi source import` brings the whole.",
        );
    }
}

fn headline(page: &mut Page, data: &BriefData) {
    let Some(head) = headline::headline(data) else {
        return;
    };
    page.line("");
    let most = head.remittance_usd.unwrap_or(0.0).max(head.oda_usd.unwrap_or(0.0));
    let room = page.width.saturating_sub(48);
    for (name, value, figure, look) in [
        ("Remittances received", head.remittance_usd, Figure::Remittance, Look::Remittance),
        ("Net ODA received", head.oda_usd, Figure::Oda, Look::Oda),
    ] {
        let drawn = page.paint(look, &bar(value, most, room));
        let text =
            format!("  {}{} bn US$ {} {drawn}", left(name, 22), right(&bn(value), 8), left(&notes(data, figure), 6));
        page.line(&text);
    }
    for line in &head.lines {
        page.prose(Look::Plain, line);
    }
}

fn groups(page: &mut Page, data: &BriefData, year: i32) {
    let kinds = ["income", "region"].map(|kind| data.groups_of(kind, year));
    if kinds.iter().flatten().all(|g| g.with_both == 0) {
        return;
    }
    page.section("By group", "sums over the economies that have both values");
    let strip = page.width >= 84;
    let name_width = page.width.saturating_sub(if strip { 62 } else { 44 }).clamp(14, 32);
    let scale = if strip { format!("  {}", ruler()) } else { String::new() };
    let head = format!(
        "  {} {:>9} {:>11} {:>9} {:>7}{scale}",
        left("bn US$", name_width),
        "exceed",
        "remittances",
        "net ODA",
        "ratio"
    );
    let head = page.paint(Look::Dim, &head);
    page.line(&head);
    for (i, rows) in kinds.iter().enumerate() {
        if i > 0 && !rows.is_empty() && !kinds[0].is_empty() {
            page.line("");
        }
        for g in rows {
            let drawn = if strip { format!("  {}", diverging(page, g.ratio)) } else { String::new() };
            let line = format!(
                "  {} {} {} {} {}{drawn}",
                left(&g.name, name_width),
                right(&of(g.exceeding, g.with_both, "/"), 9),
                right(&bn(g.remittance_usd), 11),
                right(&bn(g.oda_usd), 9),
                right(&ratio(g.ratio), 7),
            );
            page.line(&line);
        }
    }
}

/// So many of so many; none at all is missing, not zero of zero.
pub(super) fn of(some: i64, all: i64, word: &str) -> String {
    if all == 0 { MISSING.to_owned() } else { format!("{some}{word}{all}") }
}

fn receivers(page: &mut Page, data: &BriefData, year: i32) {
    let usd = data.largest_usd(10);
    let share = data.largest_share(10);
    let side_by_side = page.width >= 76;
    let width = if side_by_side { (page.width - 4) / 2 } else { page.width - 2 };
    let gdp_year = data.gdp_year.map_or_else(|| "no GDP".to_owned(), |y| y.to_string());
    let first = column(page, width, &format!("bn US$, {year} {}", notes(data, Figure::Remittance)), &usd, |e| {
        (e.remittance_usd, bn(e.remittance_usd))
    });
    let second = column(page, width, &format!("% of GDP, {gdp_year} {}", notes(data, Figure::Gdp)), &share, |e| {
        (e.remittance_gdp_share, pct(e.remittance_gdp_share, 1))
    });
    if usd.is_empty() && share.is_empty() {
        return;
    }
    page.section("Largest receivers", "low- and middle-income economies");
    if !side_by_side {
        for (text, _) in first.iter().chain(&second) {
            page.line(&format!("  {text}"));
        }
        return;
    }
    for i in 0..first.len().max(second.len()) {
        let (a, used) = first.get(i).cloned().unwrap_or_default();
        let b = second.get(i).map_or("", |(text, _)| text);
        let gap = " ".repeat((width + 2).saturating_sub(used));
        page.line(&format!("  {a}{gap}{b}"));
    }
}

/// The lines of a ranking with the columns each takes, which the escapes of
/// colour hide from a measure of the text.
fn column(
    page: &Page,
    width: usize,
    head: &str,
    rows: &[&EconomyYear],
    value: impl Fn(&EconomyYear) -> (Option<f64>, String),
) -> Vec<(String, usize)> {
    let name_width = (width * 11 / 20).min(26);
    let room = width.saturating_sub(name_width + 11);
    let most = rows.first().and_then(|e| value(e).0).unwrap_or(0.0);
    let head = fit(head, width);
    let mut out = vec![(page.paint(Look::Dim, &head), head.width())];
    if rows.is_empty() {
        out.push(("nothing loaded".to_owned(), "nothing loaded".width()));
    }
    for (i, e) in rows.iter().enumerate() {
        let (number, text) = value(e);
        let drawn = bar(number, most, room);
        let start = format!("{:>2} {} {} ", i + 1, left(&e.name, name_width), right(&text, 6));
        let used = start.width() + drawn.width();
        out.push((start + &page.paint(Look::Remittance, &drawn), used));
    }
    out
}

fn corridors(page: &mut Page, data: &BriefData) {
    let Some(first) = data.corridors.first() else {
        return;
    };
    let title = format!("Largest corridors, {}", first.year);
    let note = format!("modelled estimates, not records {}", notes(data, Figure::Corridor));
    page.section(&title, &note);
    let name_width = (page.width / 2).min(44);
    let room = page.width.saturating_sub(name_width + 21);
    for (i, c) in data.corridors.iter().take(8).enumerate() {
        let name = format!("{} → {}", clean(&c.sender_name), clean(&c.receiver_name));
        let drawn = page.paint(Look::Remittance, &bar(Some(c.remittance_usd), first.remittance_usd, room));
        let line =
            format!("  {:>2} {} {} bn {drawn}", i + 1, left(&name, name_width), right(&bn(Some(c.remittance_usd)), 7));
        page.line(&line);
    }
}

fn coverage(page: &mut Page, data: &BriefData, year: i32) {
    page.section("Coverage", "");
    for line in coverage_lines(data, year) {
        page.prose(Look::Plain, &line);
    }
}

/// How many economies, which years, what is partial; the same words in the
/// terminal and on the page.
pub(super) fn coverage_lines(data: &BriefData, year: i32) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(c) = data.coverage_of(year) {
        let filled: Vec<_> = data.coverage.iter().filter(|c| c.with_remittance > 0).map(|c| c.year).collect();
        let years = if filled.is_empty() { String::new() } else { format!("; years {}", listed(&filled)) };
        out.push(format!(
            "{year}: {} with remittances, {} with net ODA, {} with both{years}.",
            economies(c.with_remittance),
            c.with_oda,
            c.with_both,
        ));
    }
    for c in data.partial() {
        let before = data.coverage_of(c.year - 1).map_or(0, |p| p.with_remittance);
        let growth = data.panels.iter().find(|p| p.year == c.year).and_then(|p| Some((p, p.growth()?)));
        let growth = growth.map_or_else(String::new, |(p, g)| {
            let panel = economies(p.economies);
            format!(
                "; growth {} to {} over the matched panel of {panel}: {} %",
                c.year - 1,
                c.year,
                signed(g * 100.0, 3),
            )
        });
        let oda = if c.with_oda == 0 { ", none with net ODA" } else { "" };
        out.push(format!(
            "{} is partial: {} with remittances against {before} the year before{oda}{growth}.",
            c.year,
            economies(c.with_remittance),
        ));
    }
    match data.gdp_year {
        Some(gdp) if gdp != year => {
            out.push(format!("Shares of GDP are for {gdp}: GDP is not complete for {year} in this lake."));
        }
        _ => {}
    }
    out
}

fn missing(page: &mut Page, data: &BriefData) {
    let later = data.later();
    if let Some(day) = data.as_of.filter(|_| !later.is_empty()) {
        page.section(&format!("No edition as old as {day}"), "");
        for (figure, oldest) in later {
            page.line(&format!("  {} the oldest in the lake is of {oldest}", left(figure.label(), 26)));
        }
    }
    let missing = data.missing();
    if missing.is_empty() {
        return;
    }
    page.section("Not loaded", "");
    for figure in missing {
        let name = left(figure.label(), 26);
        page.line(&format!("  {name} {}", figure.import_hint()));
    }
}

fn sources(page: &mut Page, data: &BriefData) {
    if data.sources.is_empty() {
        return;
    }
    page.section("Sources", "provider, dataset, vintage, licence");
    for (n, s) in (1..).zip(&data.sources) {
        let feeds: Vec<_> = s.figures.iter().map(|f| f.label()).collect();
        let name = if s.provider.is_empty() { [&s.source_id, ""] } else { [s.provider.as_str(), &s.dataset] };
        let parts = name.into_iter().chain([s.vintage.as_str(), s.licence.as_str()]);
        let origin = parts.filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ");
        let text = format!("[{n}] {origin}: {}{}", feeds.join(", "), undated(data, s));
        page.prose(Look::Dim, &text);
    }
}

/// Why a source is later than the date asked for: only tables that date their
/// own rows are seen before their edition.
pub(super) fn undated(data: &BriefData, source: &SourceLine) -> &'static str {
    // Dates as ISO 8601 text are in order.
    let later = data.as_of.is_some_and(|day| source.vintage > day.to_string());
    if later { "; seen at every date, its rows have dates of their own" } else { "" }
}

/// `[1][3]`, the numbers of the sources of a figure.
pub(super) fn notes(data: &BriefData, figure: Figure) -> String {
    data.notes(figure).iter().map(|n| format!("[{n}]")).collect()
}

/// A bar in eighths of a column, empty for a missing value.
pub(super) fn bar(value: Option<f64>, most: f64, room: usize) -> String {
    let Some(value) = value.filter(|v| *v > 0.0 && most > 0.0) else {
        return String::new();
    };
    // At most `room` columns, so the cast cannot overflow; never nothing for
    // something.
    let eighths = ((value / most).min(1.0) * room as f64 * 8.0).round().max(1.0) as usize;
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    "█".repeat(eighths / 8) + part[eighths % 8]
}

/// Columns on each side of the strip around one, and the decades they span.
const STRIP: usize = 7;
const DECADES: f64 = 1.5;

fn ruler() -> String {
    format!("{:>w$}1{:<w$}", "ODA ◂ ", " ▸ more", w = STRIP)
}

/// A bar from one, to the left where ODA is larger and to the right where
/// remittances are, on a logarithmic scale.
fn diverging(page: &Page, ratio: Option<f64>) -> String {
    let Some(r) = ratio.filter(|r| *r > 0.0) else {
        return format!("{MISSING:>w$}", w = STRIP + 1);
    };
    let steps = (r.log10() / DECADES).clamp(-1.0, 1.0) * STRIP as f64;
    let halves = ((steps.abs() * 2.0).round().max(1.0)) as usize;
    let full = "█".repeat(halves / 2);
    if steps < 0.0 {
        let drawn = format!("{}{full}", if halves % 2 == 1 { "▐" } else { "" });
        let blank = " ".repeat(STRIP.saturating_sub(drawn.width()));
        format!("{blank}{}│", page.paint(Look::Oda, &drawn))
    } else {
        let drawn = format!("{full}{}", if halves % 2 == 1 { "▌" } else { "" });
        format!("{}│{}", " ".repeat(STRIP), page.paint(Look::Remittance, &drawn))
    }
}
