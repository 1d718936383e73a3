//! The world map: the ratio by economy, and the largest corridors over it.

use super::chart::{Frame, ratio_class};
use super::data::{BriefData, Corridor, EconomyYear};
use super::format::{bn, ratio};
use super::html_parts::escape;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Natural Earth (public domain) as paths by economy; see the README beside it.
const WORLD: &str = include_str!("../../../../datasets/geometry/world.json");

/// The view box of the geometry.
const WIDTH: f64 = 2000.0;
const HEIGHT: f64 = 866.0;

/// An area less than this across also gets a dot, or it cannot be seen.
const VISIBLE: f64 = 12.0;

/// The shape of an economy, or its place where the shape is too small to draw.
struct Shape {
    iso3: String,
    x: f64,
    y: f64,
    path: Option<String>,
}

impl Shape {
    fn is_small(&self) -> bool {
        self.path.as_deref().is_none_or(|d| extent(d) < VISIBLE)
    }
}

/// Shapes that cannot be read are left out; a test holds that there are none.
fn shapes() -> Vec<Shape> {
    let world: serde_json::Value = serde_json::from_str(WORLD).unwrap_or_default();
    let rows = world.get("countries").and_then(|c| c.as_array()).map(Vec::as_slice).unwrap_or_default();
    let shape = |row: &serde_json::Value| {
        Some(Shape {
            iso3: row.get("iso3")?.as_str()?.to_owned(),
            x: row.get("x")?.as_f64()?,
            y: row.get("y")?.as_f64()?,
            path: row.get("d").and_then(|d| d.as_str()).map(str::to_owned),
        })
    };
    rows.iter().filter_map(shape).collect()
}

/// The longer side of the largest part of a path made of `M x y l dx dy ... z`.
fn extent(d: &str) -> f64 {
    let part = |part: &str| {
        let spaced = part.replace('-', " -");
        let numbers: Vec<f64> = spaced.split([' ', ',', 'l', 'z']).filter_map(|n| n.parse().ok()).collect();
        let (mut at, mut low, mut high) = ((0.0, 0.0), (0.0f64, 0.0f64), (0.0f64, 0.0f64));
        for pair in numbers.chunks_exact(2).skip(1) {
            at = (at.0 + pair[0], at.1 + pair[1]);
            low = (low.0.min(at.0), low.1.min(at.1));
            high = (high.0.max(at.0), high.1.max(at.1));
        }
        (high.0 - low.0).max(high.1 - low.1)
    };
    d.split('M').map(part).fold(0.0, f64::max)
}

/// Economies with a value that the geometry does not know.
pub(super) fn unmapped(rows: &[EconomyYear]) -> Vec<&EconomyYear> {
    let shapes = shapes();
    let has = |e: &&EconomyYear| e.remittance_usd.is_some() || e.oda_usd.is_some();
    rows.iter().filter(has).filter(|e| !shapes.iter().any(|s| s.iso3 == e.iso3)).collect()
}

/// What a pointer resting on an economy shows.
pub(super) fn tooltip(e: &EconomyYear) -> String {
    let verdict = match (e.ratio, e.exceeds) {
        (Some(r), _) => format!("ratio {}", ratio(Some(r))),
        (None, Some(_)) => "net ODA is not positive: repayments exceed grants".to_owned(),
        (None, None) => "no ratio, a value is missing".to_owned(),
    };
    let amount = |v: Option<f64>| v.map_or_else(|| "not published".to_owned(), |_| format!("{} bn US$", bn(v)));
    format!("{}: remittances {}, net ODA {}, {verdict}", e.name, amount(e.remittance_usd), amount(e.oda_usd))
}

/// The map of ratios. Its land is drawn once and used again under the
/// corridors.
pub(super) fn ratios(data: &BriefData, year: i32) -> String {
    let by_code: BTreeMap<&str, &EconomyYear> = data.economies.iter().map(|e| (e.iso3.as_str(), e)).collect();
    let title = format!("Remittances received over net ODA received, {year}");
    let desc = "World map. Blue economies received more in remittances than in net official development \
                assistance, orange ones less; darker is further from equal. Dots are economies too small to draw. \
                The table below the map has every value.";
    let mut out = Frame { width: WIDTH, height: HEIGHT, title: &title, desc, mark: None }.open("map");
    out.push_str(
        "<defs><pattern id=\"stripe\" width=\"10\" height=\"10\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect class=\"c5\" width=\"10\" height=\"10\"/><path class=\"hatch\" d=\"M0 0V10\"/></pattern></defs>",
    );
    let (mut land, mut dots) = (String::new(), String::new());
    for shape in shapes() {
        let row = by_code.get(shape.iso3.as_str());
        let class = row.map_or("cx", |e| ratio_class(e.ratio, e.exceeds));
        let tip = row.map_or_else(|| format!("{}: no values", shape.iso3), |e| tooltip(e));
        let (tip, iso3) = (escape(&tip), escape(&shape.iso3));
        if let Some(d) = &shape.path {
            let d = escape(d);
            let _ok =
                write!(land, "<path class=\"{class}\" data-iso3=\"{iso3}\" d=\"{d}\"><title>{tip}</title></path>");
        }
        // A dot for every rock without values would hide the islands that matter.
        if shape.is_small() && row.is_some() {
            let _ok = write!(
                dots,
                "<circle class=\"{class}\" data-iso3=\"{iso3}\" cx=\"{}\" cy=\"{}\" r=\"{}\"><title>{tip}</title></circle>",
                shape.x,
                shape.y,
                if class == "cx" { 4 } else { 8 },
            );
        }
    }
    let _ok = write!(out, "<g id=\"land\" class=\"land\">{land}</g><g class=\"dots\">{dots}</g></svg>");
    out
}

/// Corridors drawn.
pub(super) const FLOWS: usize = 30;
/// Corridors with their rank beside them, as in the table.
pub(super) const RANKED: usize = 12;
/// Width of the largest corridor at the receiver's end.
const WIDEST: f64 = 30.0;

/// The largest corridors over the land that [`ratios`] has drawn.
pub(super) fn flows(rows: &[Corridor]) -> String {
    let Some(first) = rows.first() else {
        return String::new();
    };
    let places: BTreeMap<String, (f64, f64)> = shapes().into_iter().map(|s| (s.iso3, (s.x, s.y))).collect();
    let title = format!("The {} largest remittance corridors, {}", rows.len().min(FLOWS), first.year);
    let desc = "World map with one curve for each corridor, thin at the sender and wide at the receiver; the \
                width at the receiver is in proportion to the amount. The table beside it has the values.";
    let (mut arcs, mut lowest) = (String::new(), 0.0f64);
    let mut ranks = String::new();
    let mut used: Vec<(f64, f64)> = Vec::new();
    for (rank, c) in (1..).zip(rows.iter().take(FLOWS)) {
        let ends = (places.get(c.sender_iso3.as_str()), places.get(c.receiver_iso3.as_str()));
        let (Some(from), Some(to)) = ends else {
            continue;
        };
        let width = (c.remittance_usd / first.remittance_usd * WIDEST).max(2.8);
        let bend = [0.25, 0.5, 0.75].map(|t| on_curve(*from, *to, t).1);
        lowest = bend.into_iter().chain([from.1, to.1]).fold(lowest, f64::max);
        let _ok = write!(
            arcs,
            "<path d=\"{}\"><title>{}</title></path>",
            tapered(*from, *to, width),
            escape(&format!("{} to {}: {} bn US$", c.sender_name, c.receiver_name, bn(Some(c.remittance_usd)))),
        );
        if rank <= RANKED {
            let (x, y) = free_place(*from, *to, &used);
            used.push((x, y));
            let _ok = write!(
                ranks,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"17\"/><text x=\"{x:.1}\" y=\"{:.1}\">{rank}</text>",
                y + 8.0,
            );
        }
    }
    // The empty south is cut off below the lowest curve.
    let height = (lowest + 60.0).clamp(HEIGHT / 2.0, HEIGHT).round();
    let mut out = Frame { width: WIDTH, height, title: &title, desc, mark: None }.open("map flows");
    let _ok = write!(
        out,
        "<use href=\"#land\"/><g class=\"arcs\">{arcs}</g><g class=\"ranks\" aria-hidden=\"true\">{ranks}</g></svg>"
    );
    out
}

/// A point of the curve, which bends to the left of its direction so that
/// there and back lie apart.
fn on_curve(from: (f64, f64), to: (f64, f64), t: f64) -> (f64, f64) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let middle = ((from.0 + to.0) / 2.0 + dy * 0.28, (from.1 + to.1) / 2.0 - dx * 0.28);
    let at = |a: f64, m: f64, b: f64| (1.0 - t) * (1.0 - t) * a + 2.0 * (1.0 - t) * t * m + t * t * b;
    (at(from.0, middle.0, to.0), at(from.1, middle.1, to.1))
}

/// The outline of a curve that grows from nearly nothing to `width`.
fn tapered(from: (f64, f64), to: (f64, f64), width: f64) -> String {
    const STEPS: i32 = 18;
    let (mut there, mut back) = (String::new(), Vec::new());
    for i in 0..=STEPS {
        let t = f64::from(i) / f64::from(STEPS);
        let (x, y) = on_curve(from, to, t);
        let (ahead, behind) = (on_curve(from, to, t + 0.01), on_curve(from, to, t - 0.01));
        let (dx, dy) = (ahead.0 - behind.0, ahead.1 - behind.1);
        let half = (1.0 + (width - 1.0) * t) / 2.0 / dx.hypot(dy).max(1e-9);
        let _ok = write!(there, "{}{:.1} {:.1}", if i == 0 { 'M' } else { 'L' }, x - dy * half, y + dx * half);
        back.push((x + dy * half, y - dx * half));
    }
    for (x, y) in back.iter().rev() {
        let _ok = write!(there, "L{x:.1} {y:.1}");
    }
    there + "Z"
}

/// A place along the curve that no other rank has taken.
fn free_place(from: (f64, f64), to: (f64, f64), used: &[(f64, f64)]) -> (f64, f64) {
    let free = |p: &(f64, f64)| used.iter().all(|u| (u.0 - p.0).hypot(u.1 - p.1) > 38.0);
    let along = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1];
    along.into_iter().map(|t| on_curve(from, to, t)).find(free).unwrap_or_else(|| on_curve(from, to, 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_the_geometry_is_read() {
        let shapes = shapes();
        assert_eq!(shapes.len(), WORLD.matches("\"iso3\"").count());
        assert!(WORLD.contains(&format!("\"view_box\":[0,0,{WIDTH},{HEIGHT}]")));
        assert!(shapes.iter().all(|s| (0.0..=WIDTH).contains(&s.x) && (0.0..=HEIGHT).contains(&s.y)));
        // Every path is of the form that `extent` reads.
        let known = |c: char| c.is_ascii_digit() || " -Mlz.".contains(c);
        assert!(shapes.iter().filter_map(|s| s.path.as_deref()).all(|d| d.chars().all(known) && extent(d) > 0.0));
    }

    #[test]
    fn small_island_states_are_dots_and_large_countries_are_not() {
        let shapes = shapes();
        let small = |iso3: &str| shapes.iter().find(|s| s.iso3 == iso3).is_some_and(Shape::is_small);
        for iso3 in ["TUV", "KIR", "MHL", "TON", "DMA", "GRD", "MDV", "COM"] {
            assert!(small(iso3), "{iso3}");
        }
        for iso3 in ["MEX", "IND", "LSO", "RWA"] {
            assert!(!small(iso3), "{iso3}");
        }
    }

    #[test]
    fn a_curve_starts_and_ends_at_its_economies() {
        assert_eq!(on_curve((0.0, 0.0), (10.0, 20.0), 0.0), (0.0, 0.0));
        assert_eq!(on_curve((0.0, 0.0), (10.0, 20.0), 1.0), (10.0, 20.0));
    }

    #[test]
    fn there_and_back_lie_apart() {
        let there = on_curve((0.0, 0.0), (100.0, 0.0), 0.5);
        let back = on_curve((100.0, 0.0), (0.0, 0.0), 0.5);
        assert!((there.1 - back.1).abs() > 20.0);
    }
}
