//! Charts as SVG text: lines over years, dots on a logarithmic axis, and bars
//! around one. Colours are classes of the page's style sheet, so that light,
//! dark and print each choose their own.

use super::format::{number, ratio};
use super::html_parts::escape;
use std::fmt::Write;

/// One line of a chart.
pub(super) struct Series {
    /// As the label at its end says it.
    pub(super) name: &'static str,
    /// Class that gives its colour.
    pub(super) class: &'static str,
    /// Of the label at its end.
    pub(super) decimals: usize,
    /// Oldest first; missing years are absent.
    pub(super) points: Vec<Point>,
}

/// One value of a line.
pub(super) struct Point {
    pub(super) year: i32,
    pub(super) value: f64,
    /// Rests on too few economies to be read like the others.
    pub(super) thin: bool,
    /// What a pointer resting on it shows.
    pub(super) title: String,
}

/// Size of a drawing and what it is, for those who cannot see it.
pub(super) struct Frame<'a> {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) title: &'a str,
    pub(super) desc: &'a str,
    /// Year to mark by an upright line.
    pub(super) mark: Option<i32>,
}

impl Frame<'_> {
    /// The opening tag with title and description.
    pub(super) fn open(&self, class: &str) -> String {
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {} {}\" role=\"img\"><title>{}</title><desc>{}</desc>",
            self.width,
            self.height,
            escape(self.title),
            escape(self.desc),
        )
    }
}

const LEFT: f64 = 34.0;
const RIGHT: f64 = 96.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 24.0;

/// Lines over years from zero, each labelled at its end. Empty without two
/// years to draw.
pub(super) fn lines(frame: &Frame<'_>, series: &[Series]) -> String {
    let all = || series.iter().flat_map(|s| &s.points);
    let (Some(first), Some(last)) = (all().map(|p| p.year).min(), all().map(|p| p.year).max()) else {
        return String::new();
    };
    if first == last {
        return String::new();
    }
    let most = all().map(|p| p.value).fold(0.0, f64::max);
    let least = all().map(|p| p.value).fold(0.0, f64::min);
    // A dip that would not show as a line is no reason for an axis below zero.
    let least = if least < -0.02 * most { least } else { 0.0 };
    let step = nice_step(most - least);
    let (low, high) = ((least / step).floor() * step, (most / step).ceil().max(1.0) * step);
    let x = |year: i32| LEFT + f64::from(year - first) / f64::from(last - first) * (frame.width - LEFT - RIGHT);
    let y = |v: f64| frame.height - BOTTOM - (v - low) / (high - low) * (frame.height - TOP - BOTTOM);

    let mut out = frame.open("chart");
    let ticks = ((high - low) / step).round() as i32;
    for i in 0..=ticks {
        let v = low + f64::from(i) * step;
        let class = if v.abs() < step / 2.0 { "axis" } else { "grid" };
        let decimals = if step < 1.0 { step.log10().abs().ceil() as usize } else { 0 };
        let _ok = write!(
            out,
            "<path class=\"{class}\" d=\"M{LEFT} {y:.1}H{:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" class=\"tick end\">{}</text>",
            frame.width - RIGHT,
            LEFT - 6.0,
            y(v) + 4.0,
            number(v, decimals),
            y = y(v),
        );
    }
    for year in year_ticks(first, last) {
        let _ok =
            write!(out, "<text x=\"{:.1}\" y=\"{:.1}\" class=\"tick mid\">{year}</text>", x(year), frame.height - 6.0);
    }
    if let Some(year) = frame.mark.filter(|y| (first..=last).contains(y)) {
        let _ok = write!(out, "<path class=\"mark\" d=\"M{:.1} {TOP}V{:.1}\"/>", x(year), frame.height - BOTTOM);
    }
    for s in series {
        for pair in s.points.windows(2) {
            let [a, b] = pair else { continue };
            let thin = if a.thin || b.thin { " thin" } else { "" };
            let _ok = write!(
                out,
                "<path class=\"line {}{thin}\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
                s.class,
                x(a.year),
                y(a.value),
                x(b.year),
                y(b.value),
            );
        }
        // Years far apart are published values joined by a line, not a series.
        let sparse = s.points.windows(2).any(|p| p[1].year - p[0].year > 1);
        for (i, p) in s.points.iter().enumerate() {
            let seen = if sparse || i + 1 == s.points.len() { s.class } else { "" };
            let (px, py) = (x(p.year), y(p.value));
            let _ok = write!(out, "<g class=\"pt {seen}\"><circle cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"3\"/>");
            let _ok = write!(
                out,
                "<circle class=\"hit\" cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"7\"><title>{}</title></circle></g>",
                escape(&p.title)
            );
        }
    }
    let ends: Vec<_> = series.iter().filter_map(|s| s.points.last().map(|p| (s, p))).collect();
    let mut places: Vec<f64> = ends.iter().map(|(_, p)| y(p.value)).collect();
    spread(&mut places, 32.0, frame.height - BOTTOM - 14.0);
    for ((s, p), at) in ends.iter().zip(places) {
        let value = number(p.value, s.decimals);
        let _ok = write!(
            out,
            "<text x=\"{x:.1}\" y=\"{at:.1}\" class=\"label {c}\">{value}</text><text x=\"{x:.1}\" y=\"{:.1}\" class=\"tick\">{}</text>",
            at + 13.0,
            escape(s.name),
            x = x(last) + 8.0,
            c = s.class,
        );
    }
    out + "</svg>"
}

/// A step of 1, 2 or 5 times a power of ten that makes two to five intervals.
pub(super) fn nice_step(span: f64) -> f64 {
    if span <= 0.0 {
        return 1.0;
    }
    let raw = span / 5.0;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|s| s * power >= raw).unwrap_or(10.0);
    step * power
}

/// First, last, and round years between them with room for their digits.
fn year_ticks(first: i32, last: i32) -> Vec<i32> {
    let step = if last - first > 12 { 10 } else { 2 };
    let near = |y: &i32| y - first >= step / 2 && last - y >= step / 2;
    let mut out = vec![first];
    out.extend((first + 1..last).filter(|y| y % step == 0).filter(near));
    out.push(last);
    out
}

/// Moves labels apart until each has `gap`, none below `floor`.
fn spread(places: &mut [f64], gap: f64, floor: f64) {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|a, b| places[*a].total_cmp(&places[*b]));
    let mut limit = floor;
    for i in order.iter().rev() {
        places[*i] = places[*i].min(limit);
        limit = places[*i] - gap;
    }
}

/// Class of a ratio on the map and in the strips: `c0` where ODA is more than
/// ten times remittances, to `c5` where remittances are more than ten times
/// ODA; `cn` where ODA is not positive, `cx` where a value is missing.
pub(super) fn ratio_class(ratio: Option<f64>, exceeds: Option<bool>) -> &'static str {
    match (ratio, exceeds) {
        (Some(r), _) if r < 0.1 => "c0",
        (Some(r), _) if r < 1.0 / 3.0 => "c1",
        (Some(r), _) if r <= 1.0 => "c2",
        (Some(r), _) if r <= 3.0 => "c3",
        (Some(r), _) if r <= 10.0 => "c4",
        (Some(_), _) => "c5",
        (None, Some(_)) => "cn",
        (None, None) => "cx",
    }
}

/// A bar from one to the right where remittances are larger, to the left where
/// ODA is, logarithmic over a thirtieth to thirty times.
pub(super) fn around_one(value: Option<f64>) -> String {
    let Some(r) = value.filter(|r| *r > 0.0) else {
        return String::new();
    };
    let length = (r.log10() / 1.5).clamp(-1.0, 1.0) * 60.0;
    let x = if length < 0.0 { 60.0 + length } else { 60.0 };
    format!(
        "<svg class=\"around\" viewBox=\"0 0 120 12\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"{}\" x=\"{x:.1}\" y=\"1\" width=\"{:.1}\" height=\"10\"/><path class=\"axis\" d=\"M60 0V12\"/></svg>",
        ratio_class(Some(r), None),
        length.abs().max(0.6),
    )
}

/// One dot of the strips.
pub(super) struct Dot {
    pub(super) ratio: f64,
    pub(super) name: String,
    pub(super) title: String,
}

const STRIP_HEIGHT: f64 = 112.0;
const DOT: f64 = 5.4;

/// One strip of dots for each group on one logarithmic axis from a
/// three-hundredth to three hundred; beyond that a dot sits at the end.
pub(super) fn strips(title: &str, desc: &str, groups: &[(String, Vec<Dot>)]) -> String {
    let (width, left, right) = (1000.0, 110.0, 90.0);
    let height = 30.0 + STRIP_HEIGHT * groups.len() as f64;
    let x = |r: f64| left + (r.log10().clamp(-2.5, 2.5) + 2.5) / 5.0 * (width - left - right);
    let mut out = Frame { width, height, title, desc, mark: None }.open("chart strips");
    for r in [0.01, 0.1, 1.0, 10.0, 100.0] {
        let class = if r == 1.0 { "axis" } else { "grid" };
        let label = if r < 1.0 { format!("1/{}", 1.0 / r) } else { format!("{r}") };
        let _ok = write!(
            out,
            "<path class=\"{class}\" d=\"M{x:.1} 0V{:.1}\"/><text x=\"{x:.1}\" y=\"{:.1}\" class=\"tick mid\">{label}</text>",
            height - 30.0,
            height - 4.0,
            x = x(r),
        );
    }
    for (row, (name, dots)) in (0u8..).zip(groups) {
        let top = f64::from(row) * STRIP_HEIGHT;
        let _ok = write!(out, "<text x=\"0\" y=\"{:.1}\" class=\"strip\">{}</text>", top + 20.0, escape(name));
        let placed = swarm(dots, x, top + STRIP_HEIGHT / 2.0 + 8.0);
        // The two ends are named; the others show their name under a pointer.
        let ends = [placed.first().map(|p| (p, "end", -10.0)), placed.last().map(|p| (p, "start", 10.0))];
        for ((dot, cx, cy), class, away) in ends.into_iter().flatten() {
            let _ok = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" class=\"tick name {class}\">{}</text>",
                cx + away,
                cy + 4.0,
                escape(&dot.name)
            );
        }
        for (dot, cx, cy) in placed {
            let _ok = write!(
                out,
                "<circle class=\"dot {}\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"{DOT}\"><title>{}</title></circle>",
                ratio_class(Some(dot.ratio), None),
                escape(&format!("{}: {} times ODA. {}", dot.name, ratio(Some(dot.ratio)), dot.title)),
            );
        }
    }
    out + "</svg>"
}

/// Dots beside each other where they would overlap: each takes the free place
/// nearest to the middle of its strip.
fn swarm(dots: &[Dot], x: impl Fn(f64) -> f64, middle: f64) -> Vec<(&Dot, f64, f64)> {
    let mut sorted: Vec<_> = dots.iter().collect();
    sorted.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    let mut out: Vec<(&Dot, f64, f64)> = Vec::new();
    for dot in sorted {
        let cx = x(dot.ratio);
        let free = |cy: f64| out.iter().all(|(_, px, py)| (px - cx).hypot(py - cy) >= DOT * 2.1);
        let levels = (0..=36).map(|i| {
            let off = f64::from((i + 1) / 2) * (DOT * 0.5);
            if i % 2 == 0 { middle + off } else { middle - off }
        });
        let cy = levels.clone().find(|cy| free(*cy)).unwrap_or(middle);
        out.push((dot, cx, cy));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for (span, step) in [(626.0, 200.0), (44.0, 10.0), (201.0, 50.0), (1.0, 0.2), (0.0, 1.0)] {
            assert!((nice_step(span) - step).abs() < 1e-9, "{span}");
        }
    }

    #[test]
    fn years_on_the_axis_do_not_collide() {
        assert_eq!(year_ticks(1990, 2023), [1990, 2000, 2010, 2023]);
        assert_eq!(year_ticks(2019, 2023), [2019, 2020, 2022, 2023]);
    }

    #[test]
    fn labels_are_moved_apart() {
        let mut at = [100.0, 98.0, 10.0];
        spread(&mut at, 29.0, 180.0);
        assert_eq!(at, [100.0, 71.0, 10.0]);
    }

    #[test]
    fn classes_turn_at_one() {
        assert_eq!(ratio_class(Some(1.0), Some(false)), "c2");
        assert_eq!(ratio_class(Some(1.01), Some(true)), "c3");
        assert_eq!(ratio_class(None, Some(true)), "cn");
        assert_eq!(ratio_class(None, None), "cx");
    }

    #[test]
    fn one_year_is_not_a_line() {
        let frame = Frame { width: 300.0, height: 200.0, title: "t", desc: "d", mark: None };
        assert_eq!(lines(&frame, &[]), "");
    }
}
