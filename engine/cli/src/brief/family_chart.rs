//! Charts of families as SVG text: Lorenz curves, estimates with their errors, fifths,
//! sources of income, and the way from the family to the balance of payments.

use std::fmt::Write;

use super::chart::{Frame, nice_step};
use super::family::{Family, Lorenz};
use super::format::{bn, number, pct, signed};
use super::html_parts::escape;

/// Lorenz curves with and without remittances, and their difference below. Empty without both.
pub(super) fn lorenz(family: &Family) -> String {
    const LEFT: f64 = 46.0;
    const TOP: f64 = 10.0;
    const SIDE: f64 = 340.0;
    let Lorenz { with, without } = &family.lorenz;
    let points = Lorenz::POINTS as usize + 1;
    if with.len() != points || without.len() != points {
        return String::new();
    }
    // Income without remittances may be negative for some.
    let low = with.iter().chain(without).copied().fold(0.0, f64::min).max(-0.3);
    let x = |share: f64| LEFT + share * SIDE;
    let y = |held: f64| TOP + (1.0 - held.max(low)) / (1.0 - low) * SIDE;
    let title = format!("Lorenz curves of income with and without remittances, {}, {}", family.name, family.year);
    let desc =
        "The share of income that the poorest part of persons hold; below, with less without in percentage points.";
    let mut out = Frame { width: 420.0, height: 508.0, title: &title, desc, mark: None }.open("chart");
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let class = if tick == 0.0 { "axis" } else { "grid" };
        let _ok = write!(
            out,
            "<path class=\"{class}\" d=\"M{LEFT} {y:.1}H{:.1}\"/><text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{:.0}</text><text class=\"tick mid\" x=\"{:.1}\" y=\"{:.1}\">{:.0}</text>",
            x(1.0),
            LEFT - 6.0,
            y(tick) + 4.0,
            tick * 100.0,
            x(tick),
            TOP + SIDE + 18.0,
            tick * 100.0,
            y = y(tick),
        );
    }
    let _ok = write!(out, "<path class=\"equal\" d=\"M{LEFT} {:.1}L{:.1} {:.1}\"/>", y(0.0), x(1.0), y(1.0));
    let path = |curve: &[f64]| {
        let all = curve.iter().enumerate().map(|(i, held)| format!("{:.1} {:.1}", x(Lorenz::at(i)), y(*held)));
        all.collect::<Vec<_>>().join("L")
    };
    let _ok = write!(
        out,
        "<path class=\"line both thin\" d=\"M{}\"/><path class=\"line rem\" d=\"M{}\"/>",
        path(without),
        path(with)
    );
    let gini = family.effect("survey", "gini");
    for (row, (class, name, value)) in (0u8..).zip([
        ("rem", "with remittances", gini.and_then(|g| g.with)),
        ("both", "without", gini.and_then(|g| g.without)),
    ]) {
        let at = TOP + 22.0 + 22.0 * f64::from(row);
        let gini = value.map_or_else(String::new, |g| format!(", Gini {}", number(g, 3)));
        let dashed = if class == "both" { " thin" } else { "" };
        let _ok = write!(
            out,
            "<path class=\"line {class}{dashed}\" d=\"M{:.1} {:.1}h26\"/><text x=\"{:.1}\" y=\"{at:.1}\">{name}{gini}</text>",
            LEFT + 12.0,
            at - 4.0,
            LEFT + 46.0,
        );
    }
    for i in (5..points - 1).step_by(5) {
        let (a, b) = (with.get(i).copied(), without.get(i).copied());
        let text = format!(
            "The poorest {:.0} % of persons have {} % of income with remittances, {} % without",
            Lorenz::at(i) * 100.0,
            pct(a, 1),
            pct(b, 1)
        );
        let _ok = write!(
            out,
            "<circle class=\"hit\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"9\"><title>{}</title></circle>",
            x(Lorenz::at(i)),
            y(a.unwrap_or(0.0)),
            escape(&text)
        );
    }
    out + &difference(with, without, (LEFT, SIDE)) + "</svg>"
}

/// The strip below the curves: what the poorest hold more with remittances than without.
fn difference(with: &[f64], without: &[f64], (left, side): (f64, f64)) -> String {
    const MIDDLE: f64 = 442.0;
    const HALF: f64 = 32.0;
    let points: Vec<f64> = with.iter().zip(without).map(|(a, b)| (a - b) * 100.0).collect();
    let most = points.iter().map(|d| d.abs()).fold(0.0, f64::max);
    if most <= 0.0 {
        return String::new();
    }
    let x = |i: usize| left + Lorenz::at(i) * side;
    let y = |d: f64| MIDDLE - d / most * HALF;
    let line =
        points.iter().enumerate().map(|(i, d)| format!("{:.1} {:.1}", x(i), y(*d))).collect::<Vec<_>>().join("L");
    let largest = points.iter().copied().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap_or_default();
    let above = largest.1 > 0.0;
    let decimals = if most < 0.95 { 2 } else { 1 };
    format!(
        "<path class=\"fill-rem soft\" d=\"M{left} {MIDDLE}L{line}L{:.1} {MIDDLE}Z\"/><path class=\"line rem\" d=\"M{line}\"/><path class=\"axis\" d=\"M{left} {MIDDLE}H{:.1}\"/><text class=\"label rem mid\" x=\"{:.1}\" y=\"{:.1}\">{}</text><text class=\"tick\" x=\"{left}\" y=\"504\">with less without, percentage points of income</text>",
        left + side,
        left + side,
        x(largest.0).clamp(left + 24.0, left + side - 24.0),
        if above { y(largest.1) - 6.0 } else { y(largest.1) + 17.0 },
        signed(largest.1, decimals),
    )
}

/// Two estimates of one thing.
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) note: String,
    /// Without and with remittances: estimate, and half of its interval.
    pub(super) without: (f64, Option<f64>),
    pub(super) with: (f64, Option<f64>),
    /// Their difference with its interval, in words.
    pub(super) said: String,
}

/// Estimates with and without remittances as points with their intervals. Values are
/// percentages; the axis is as long as they need, so it need not begin at zero.
pub(super) fn pairs(title: &str, desc: &str, rows: &[Pair]) -> String {
    const WIDTH: f64 = 760.0;
    const LEFT: f64 = 206.0;
    const RIGHT: f64 = 160.0;
    const ROW: f64 = 58.0;
    let values = || rows.iter().flat_map(|r| [r.with, r.without]).filter(|(value, _)| value.is_finite());
    let most = values().map(|(value, margin)| value + margin.unwrap_or(0.0)).fold(f64::NEG_INFINITY, f64::max);
    let least = values().map(|(value, margin)| value - margin.unwrap_or(0.0)).fold(f64::INFINITY, f64::min);
    if rows.is_empty() || least > most {
        return String::new();
    }
    let step = nice_step(most - least.max(0.0));
    let low = (least.max(0.0) / step).floor() * step;
    let high = ((most / step).ceil() * step).max(low + step);
    let height = ROW * rows.len() as f64 + 30.0;
    let x = |value: f64| LEFT + (value.clamp(low, high) - low) / (high - low) * (WIDTH - LEFT - RIGHT);
    let mut out = Frame { width: WIDTH, height, title, desc, mark: None }.open("chart wide");
    let ticks = ((high - low) / step).round().clamp(1.0, 20.0) as i32;
    for i in 0..=ticks {
        let value = low + f64::from(i) * step;
        let class = if value == 0.0 { "axis" } else { "grid" };
        let _ok = write!(
            out,
            "<path class=\"{class}\" d=\"M{x:.1} 0V{:.1}\"/><text class=\"tick mid\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            height - 26.0,
            height - 8.0,
            number(value, if step < 1.0 { 1 } else { 0 }),
            x = x(value),
        );
    }
    for (row, pair) in (0u16..).zip(rows) {
        let middle = f64::from(row) * ROW + ROW / 2.0;
        let _ok = write!(
            out,
            "<text class=\"strip\" x=\"0\" y=\"{:.1}\">{}</text><text class=\"tick note\" x=\"0\" y=\"{:.1}\">{}</text><path class=\"joined\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
            middle - 1.0,
            escape(&pair.name),
            middle + 15.0,
            escape(&pair.note),
            x(pair.without.0),
            middle - 9.0,
            x(pair.with.0),
            middle + 9.0,
        );
        for (class, (value, margin), at) in [("both", pair.without, middle - 9.0), ("rem", pair.with, middle + 9.0)] {
            if let Some(margin) = margin {
                let (low, high) = (x(value - margin), x(value + margin));
                let _ok = write!(
                    out,
                    "<path class=\"ci {class}\" d=\"M{low:.1} {at:.1}H{high:.1}M{low:.1} {:.1}v8M{high:.1} {:.1}v8\"/>",
                    at - 4.0,
                    at - 4.0
                );
            }
            let _ok = write!(out, "<circle class=\"fill-{class}\" cx=\"{:.1}\" cy=\"{at:.1}\" r=\"5\"/>", x(value));
        }
        let at = WIDTH - RIGHT + 16.0;
        let (first, rest) = pair.said.split_once(' ').unwrap_or((&pair.said, ""));
        let _ok = write!(
            out,
            "<text class=\"label rem\" x=\"{at:.1}\" y=\"{:.1}\">{}</text><text class=\"tick note\" x=\"{at:.1}\" y=\"{:.1}\">{}</text>",
            middle - 1.0,
            escape(first),
            middle + 15.0,
            escape(rest)
        );
    }
    out + "</svg>"
}

/// One value of each fifth, poorest first, as columns.
pub(super) fn fifths(title: &str, values: &[Option<f64>]) -> String {
    const WIDTH: f64 = 330.0;
    const HEIGHT: f64 = 190.0;
    const FOOT: f64 = 26.0;
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return String::new();
    }
    let wide = WIDTH / values.len().max(1) as f64;
    let mut out = Frame {
        width: WIDTH,
        height: HEIGHT,
        title,
        desc: "One column for each fifth of persons, the poorest first.",
        mark: None,
    }
    .open("chart");
    let last = values.len().saturating_sub(1);
    for (i, value) in values.iter().enumerate() {
        let middle = (i as f64 + 0.5) * wide;
        let tall = value.unwrap_or(0.0).max(0.0) / most * (HEIGHT - FOOT - 24.0);
        let name = match i {
            0 => "poorest".to_owned(),
            i if i == last => "richest".to_owned(),
            i => (i + 1).to_string(),
        };
        let _ok = write!(
            out,
            "<rect class=\"fill-rem\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" rx=\"2\"/><text class=\"mid strong\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text><text class=\"tick mid\" x=\"{middle:.1}\" y=\"{:.1}\">{name}</text>",
            middle - wide * 0.34,
            HEIGHT - FOOT - tall,
            wide * 0.68,
            HEIGHT - FOOT - tall - 7.0,
            escape(&pct(*value, 1)),
            HEIGHT - 8.0,
        );
    }
    let _ok = write!(out, "<path class=\"axis\" d=\"M0 {:.1}H{WIDTH}\"/>", HEIGHT - FOOT);
    out + "</svg>"
}

/// Each source's share of income above its share of inequality.
pub(super) fn sources(family: &Family) -> String {
    const WIDTH: f64 = 520.0;
    const LEFT: f64 = 138.0;
    const RIGHT: f64 = 80.0;
    const ROW: f64 = 54.0;
    let both = |s: &super::family::IncomeSource| [s.income_share.unwrap_or(0.0), s.inequality_share.unwrap_or(0.0)];
    let values = || family.sources.iter().flat_map(both);
    let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
    if high <= low {
        return String::new();
    }
    let x = |value: f64| LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT - 60.0);
    let title = format!("Sources of income in the Gini coefficient, {}, {}", family.name, family.year);
    let desc = "For each source its share of income, and its share of the Gini coefficient.";
    let height = ROW * family.sources.len() as f64 + 8.0;
    let mut out = Frame { width: WIDTH, height, title: &title, desc, mark: None }.open("chart");
    for (row, source) in (0u16..).zip(&family.sources) {
        let top = f64::from(row) * ROW;
        let own = if source.source == "remittance" { "rem" } else { "both" };
        let _ok = write!(
            out,
            "<text class=\"strip\" x=\"0\" y=\"{:.1}\">{}</text>",
            top + 26.0,
            escape(source_name(&source.source))
        );
        for (share, at, soft) in [(source.income_share, top + 4.0, " soft"), (source.inequality_share, top + 21.0, "")]
        {
            let value = share.unwrap_or(0.0);
            let (from, to) = (x(value.min(0.0)), x(value.max(0.0)));
            let _ok = write!(
                out,
                "<rect class=\"fill-{own}{soft}\" x=\"{from:.1}\" y=\"{at:.1}\" width=\"{:.1}\" height=\"15\" rx=\"2\"/><text x=\"{:.1}\" y=\"{:.1}\">{} %</text>",
                (to - from).max(0.8),
                to + 6.0,
                at + 12.0,
                escape(&pct(share, 1)),
            );
        }
        let elasticity = source.elasticity.map_or_else(|| super::format::MISSING.to_owned(), |e| signed(e, 3));
        let _ok = write!(
            out,
            "<text class=\"end{}\" x=\"{WIDTH}\" y=\"{:.1}\">{elasticity} %</text>",
            if own == "rem" { " strong" } else { "" },
            top + 26.0,
        );
    }
    let _ok = write!(out, "<path class=\"axis\" d=\"M{x:.1} 0V{height}\"/>", x = x(0.0));
    out + "</svg>"
}

/// A source as people say it.
pub(super) fn source_name(source: &str) -> &str {
    match source {
        "labour" => "work",
        "farm" => "farm, business",
        "transfer" => "transfers",
        "remittance" => "remittances",
        "remittance_domestic" => "kin at home",
        other => other,
    }
}

/// From what families report to what the balance of payments counts, beside aid: heights are
/// money. Empty without both sums.
pub(super) fn chain(family: &Family) -> String {
    const FLOOR: f64 = 300.0;
    const TALL: f64 = 250.0;
    let balance = &family.balance;
    let (Some(seen), Some(counted)) = (balance.survey_usd, balance.balance_usd.filter(|b| *b > 0.0)) else {
        return String::new();
    };
    let aid = balance.oda_usd.filter(|oda| *oda > 0.0);
    let most = counted.max(seen).max(aid.unwrap_or(0.0));
    let tall = |usd: f64| (usd / most * TALL).max(1.5);
    let title = format!("From the family to the balance of payments, {}, {}", family.name, family.year);
    let desc = format!(
        "Families report {} billion US dollars, the balance of payments counts {}; net ODA is {}.",
        bn(Some(seen)),
        bn(Some(counted)),
        bn(balance.oda_usd)
    );
    let mut out = Frame { width: 640.0, height: 352.0, title: &title, desc: &desc, mark: None }.open("chart chain");
    let (a, b, c) = (tall(seen), tall(counted), aid.map_or(0.0, tall));
    // What is seen runs from the families into the nation's sum; the rest has no family in the survey.
    let _ok = write!(
        out,
        "<defs><pattern id=\"unseen\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><path class=\"hatched\" d=\"M0 0V7\"/></pattern></defs>\
         <path class=\"fill-rem soft\" d=\"M92 {:.1}L292 {:.1}V{FLOOR}H92Z\"/><rect class=\"fill-rem\" x=\"52\" y=\"{:.1}\" width=\"40\" height=\"{a:.1}\"/>",
        FLOOR - a,
        FLOOR - a.min(b),
        FLOOR - a,
    );
    let _ok = write!(
        out,
        "<rect class=\"unseen\" x=\"292\" y=\"{:.1}\" width=\"64\" height=\"{:.1}\"/><rect class=\"fill-rem\" x=\"292\" y=\"{:.1}\" width=\"64\" height=\"{:.1}\"/><rect class=\"outline\" x=\"292\" y=\"{:.1}\" width=\"64\" height=\"{b:.1}\"/>",
        FLOOR - b,
        (b - a).max(0.0),
        FLOOR - a.min(b),
        a.min(b),
        FLOOR - b,
    );
    let mut label = |x: f64, y: f64, class: &str, text: &str| {
        let _ok = write!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(text));
    };
    label(72.0, FLOOR - a - 10.0, "label rem mid", &bn(Some(seen)));
    label(324.0, FLOOR - b - 10.0, "label rem mid", &bn(Some(counted)));
    label(366.0, FLOOR - a.min(b) / 2.0 + 4.0, "", &format!("{} % seen", pct(balance.capture_ratio, 0)));
    if b - a > 34.0 {
        label(366.0, FLOOR - (a + b) / 2.0 + 4.0, "tick", "not reported");
    }
    for (x, first, second) in [
        (72.0, "families", "as they report"),
        (324.0, "nation", "balance of payments"),
        (540.0, "net ODA", "for comparison"),
    ] {
        label(x, FLOOR + 22.0, "strip mid", first);
        label(x, FLOOR + 40.0, "tick mid", second);
    }
    match aid {
        Some(aid) => {
            label(540.0, FLOOR - c - 10.0, "label oda mid", &bn(Some(aid)));
            let _ok = write!(
                out,
                "<rect class=\"fill-oda\" x=\"508\" y=\"{:.1}\" width=\"64\" height=\"{c:.1}\"/>",
                FLOOR - c
            );
        }
        None => label(540.0, FLOOR - 10.0, "tick mid", "none positive"),
    }
    let _ok = write!(out, "<path class=\"axis\" d=\"M0 {FLOOR}H640\"/>");
    out + "</svg>"
}
