//! The world map: the ratio by economy, and the largest corridors over it.

use super::chart::{Frame, ratio_class};
use super::data::{BriefData, Corridor, EconomyYear};
use super::format::{bn, ratio};
use super::html_parts::escape;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Natural Earth (public domain) in the Equal Earth projection; one line per
/// economy, economies too small to be drawn as points.
const WORLD: &str = include_str!("../../../../datasets/geometry/world.csv");

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 500.0;

/// The shape of an economy, or its place where the shape is too small to see.
struct Shape {
    iso3: &'static str,
    x: f64,
    y: f64,
    /// `None` for a point.
    path: Option<&'static str>,
}

/// Lines that cannot be read are left out; a test holds that there are none.
fn shapes() -> impl Iterator<Item = Shape> {
    WORLD.lines().skip(1).filter_map(|line| {
        let mut parts = line.splitn(5, ',');
        let (iso3, kind) = (parts.next()?, parts.next()?);
        let (x, y) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let d = parts.next()?.trim_matches('"');
        let path = (kind == "path" && !d.is_empty()).then_some(d);
        Some(Shape { iso3, x, y, path })
    })
}

/// Economies with a value that the geometry does not know.
pub(super) fn unmapped(rows: &[EconomyYear]) -> Vec<&EconomyYear> {
    let known: Vec<_> = shapes().map(|s| s.iso3).collect();
    let has = |e: &&EconomyYear| e.remittance_usd.is_some() || e.oda_usd.is_some();
    rows.iter().filter(has).filter(|e| !known.contains(&e.iso3.as_str())).collect()
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
        "<defs><pattern id=\"stripe\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect class=\"c5\" width=\"5\" height=\"5\"/><path class=\"hatch\" d=\"M0 0V5\"/></pattern></defs>",
    );
    let (mut land, mut dots) = (String::new(), String::new());
    for shape in shapes() {
        let row = by_code.get(shape.iso3);
        let class = row.map_or("cx", |e| ratio_class(e.ratio, e.exceeds));
        let tip = row.map_or_else(|| format!("{}: no values", shape.iso3), |e| tooltip(e));
        let tip = escape(&tip);
        let iso3 = escape(shape.iso3);
        let _ok = match shape.path {
            Some(d) => {
                write!(land, "<path class=\"{class}\" data-iso3=\"{iso3}\" d=\"{}\"><title>{tip}</title></path>", escape(d))
            }
            // A grey dot for every uninhabited rock would hide the islands that matter.
            None if row.is_none() => Ok(()),
            None => write!(
                dots,
                "<circle class=\"{class}\" data-iso3=\"{iso3}\" cx=\"{}\" cy=\"{}\" r=\"4\"><title>{tip}</title></circle>",
                shape.x, shape.y,
            ),
        };
    }
    let _ok = write!(out, "<g id=\"land\" class=\"land\">{land}</g><g class=\"dots\">{dots}</g></svg>");
    out
}

/// Corridors drawn.
pub(super) const FLOWS: usize = 30;
/// Corridors with their rank beside them, as in the table.
pub(super) const RANKED: usize = 12;
/// Width of the largest corridor at the receiver's end.
const WIDEST: f64 = 15.0;

/// The largest corridors over the land that [`ratios`] has drawn.
pub(super) fn flows(rows: &[Corridor]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let places: BTreeMap<&str, (f64, f64)> = shapes().map(|s| (s.iso3, (s.x, s.y))).collect();
    let title = format!("The {} largest remittance corridors, {}", rows.len().min(FLOWS), first.year);
    let desc = "World map with one curve for each corridor, thin at the sender and wide at the receiver; the \
                width at the receiver is in proportion to the amount. The table beside it has the values.";
    let mut out = Frame { width: WIDTH, height: HEIGHT, title: &title, desc, mark: None }.open("map flows");
    out.push_str("<use href=\"#land\"/><g class=\"arcs\">");
    let mut ranks = String::new();
    let mut used: Vec<(f64, f64)> = Vec::new();
    for (rank, c) in (1..).zip(rows.iter().take(FLOWS)) {
        let ends = (places.get(c.sender_iso3.as_str()), places.get(c.receiver_iso3.as_str()));
        let (Some(from), Some(to)) = ends else { continue };
        let width = (c.remittance_usd / first.remittance_usd * WIDEST).max(1.4);
        let _ok = write!(
            out,
            "<path d=\"{}\"><title>{}</title></path>",
            tapered(*from, *to, width),
            escape(&format!("{} to {}: {} bn US$", c.sender_name, c.receiver_name, bn(Some(c.remittance_usd)))),
        );
        if rank <= RANKED {
            let (x, y) = free_place(*from, *to, &used);
            used.push((x, y));
            let _ok = write!(
                ranks,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"8.5\"/><text x=\"{x:.1}\" y=\"{:.1}\">{rank}</text>",
                y + 4.0,
            );
        }
    }
    let _ok = write!(out, "</g><g class=\"ranks\" aria-hidden=\"true\">{ranks}</g></svg>");
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
        let half = (0.5 + (width - 0.5) * t) / 2.0 / dx.hypot(dy).max(1e-9);
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
    let free = |p: &(f64, f64)| used.iter().all(|u| (u.0 - p.0).hypot(u.1 - p.1) > 19.0);
    let along = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1];
    along.into_iter().map(|t| on_curve(from, to, t)).find(free).unwrap_or_else(|| on_curve(from, to, 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_geometry_is_read() {
        let n = shapes().count();
        assert_eq!(n, WORLD.lines().skip(1).filter(|l| !l.trim().is_empty()).count());
        assert!(n > 190, "{n}");
        assert!(shapes().all(|s| (0.0..=WIDTH).contains(&s.x) && (0.0..=HEIGHT).contains(&s.y)));
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
