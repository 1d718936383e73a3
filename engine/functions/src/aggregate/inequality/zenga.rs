//! `zenga`: Zenga's index of 2007.

use datafusion_common::Result;

use super::entropy::DROP;
use super::{SECTION, rows_rule};
use crate::aggregate::frame::{
    Given, Kernel, Kind, Measure, Parameter, Rows, Shape, Sink, Text, Total, Work, number, option, refuse, total,
    weight,
};

/// How the curve runs between rows.
pub(in crate::aggregate) const CURVE: Parameter = option(
    "curve",
    Kind::Choice(&["steps", "lines"]),
    "'steps' (the default) takes one point a row, as R convey does; 'lines' the integral along the Lorenz curve's straight lines, for which rows that tie are one and a row with twice the weight is two rows.",
);

pub(super) static ZENGA: Measure = Measure {
    name: "zenga",
    parameters: &[number("y", "Income, consumption or any amount of 0 or more."), weight(), CURVE, DROP],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| {
        let lines = given.choice("curve")? == Some("lines");
        Ok(Box::new(Zenga { lines, drop: given.flag("drop_nonpositive") }))
    }),
    text: Text {
        section: SECTION,
        syntax: "zenga(y [, w] [, curve => 'lines'] [, drop_nonpositive => true])",
        description: concat!(
            "Zenga's index (Zenga 2007), a fraction: the mean over p of one minus the ratio of the mean of the poorest p to the \
             mean of the others, 1 - L(p)(1 - p)/(p(1 - L(p))) by the Lorenz curve. Every part of the distribution counts alike. \
             With 'steps' the estimator of Barabesi, Diana and Perri (2016): at each row p is the share with it and L what \
             those before it hold; of few rows it is near 1 whatever they hold. With 'lines' the integral itself (Langel and Tillé 2012), \
             0 if all are equal. Negative values are an error unless dropped, zeros with them. NULL if the mean is zero.",
            rows_rule!()
        ),
        example: "> select zenga(y), zenga(y, curve => 'lines') from (values (1.0), (3.0), (4.0)) as t(y);\n0.9761904761904762, 0.5460804187831746",
    },
};

#[derive(Debug)]
struct Zenga {
    lines: bool,
    drop: bool,
}

impl Kernel for Zenga {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let values = rows.values();
        let first = if self.drop { values.partition_point(|y| *y <= 0.0) } else { 0 };
        match values.get(first) {
            Some(least) if *least < 0.0 => {
                return refuse("zenga", "y", least, "expected values of 0 or more, or `drop_nonpositive => true`");
            }
            _ => {}
        }
        let counted = rows.weighted().skip(first);
        if !self.lines {
            let points = points(counted);
            sink.maybe((!points.is_empty()).then(|| 1.0 - total(points.iter().map(|p| p.weight * p.ratio()))));
            return Ok(());
        }
        let segments = segments(counted);
        sink.maybe((!segments.is_empty()).then(|| total(segments.iter().map(Segment::area))));
        Ok(())
    }
}

/// A row with its place on the Lorenz curve.
#[derive(Debug, Clone, Copy)]
pub(in crate::aggregate) struct Point {
    /// Its share of weight.
    pub(in crate::aggregate) weight: f64,
    /// Its value over the mean.
    pub(in crate::aggregate) value: f64,
    /// The share of weight with it.
    pub(in crate::aggregate) people: f64,
    /// What it and those above hold, as a share of the total.
    pub(in crate::aggregate) held: f64,
}

/// The rows in ascending order; none if their sum is zero.
pub(in crate::aggregate) fn points(rows: impl Iterator<Item = (f64, f64)> + Clone) -> Vec<Point> {
    let most = rows.clone().fold(0.0, |most, (y, _)| f64::max(most, y));
    let weight = total(rows.clone().map(|(_, w)| w));
    let amount = total(rows.clone().map(|(y, w)| w / weight * (y / most)));
    if most <= 0.0 {
        return Vec::new();
    }
    let (mut people, mut before) = (Total::default(), Total::default());
    rows.map(|(y, w)| {
        let (weight, value) = (w / weight, y / most / amount);
        let held = 1.0 - before.value();
        people.add(weight);
        before.add(weight * value);
        Point { weight, value, people: people.value().min(1.0), held }
    })
    .collect()
}

impl Point {
    /// The mean of those before it over the mean of the others, but for their shares of people.
    pub(in crate::aggregate) fn ratio(&self) -> f64 {
        (1.0 / self.people - 1.0) * (1.0 / self.held - 1.0)
    }
}

/// A straight line of the Lorenz curve: shares of people and amounts at both ends.
#[derive(Debug, Clone, Copy)]
pub(in crate::aggregate) struct Segment {
    /// The value over the mean: the slope.
    pub(in crate::aggregate) slope: f64,
    /// The share of weight below, and the share with it.
    pub(in crate::aggregate) people: (f64, f64),
    /// The share of the total below, and the share with it.
    pub(in crate::aggregate) held: (f64, f64),
}

/// The straight lines of ascending values of 0 or more, rows that tie being one; none if their sum is zero.
pub(in crate::aggregate) fn segments(rows: impl Iterator<Item = (f64, f64)> + Clone) -> Vec<Segment> {
    let (weight, most) = rows.clone().fold((0.0, 0.0), |(w, most), (y, weight)| (w + weight, f64::max(most, y)));
    let weight = if weight > 0.0 { total(rows.clone().map(|(_, w)| w)) } else { return Vec::new() };
    let amount = total(rows.clone().map(|(y, w)| w / weight * (y / most)));
    if most <= 0.0 {
        return Vec::new();
    }
    let (mut people, mut held) = (Total::default(), Total::default());
    let (mut all, mut rows) = (Vec::new(), rows.peekable());
    while let Some((y, w)) = rows.next() {
        let mut tied = Total::default();
        tied.add(w);
        while let Some((_, w)) = rows.next_if(|(next, _)| *next == y) {
            tied.add(w);
        }
        let (share, slope) = (tied.value() / weight, y / most / amount);
        let (below, held_below) = (people.value(), held.value());
        people.add(share);
        held.add(share * slope);
        let last = rows.peek().is_none();
        let end = |sum: Total| if last { 1.0 } else { sum.value().min(1.0) };
        all.push(Segment { slope, people: (below, end(people)), held: (held_below, end(held)) });
    }
    all
}

impl Segment {
    /// By how much the line, drawn on to the left, misses the corner: L = slope p - offset.
    pub(in crate::aggregate) fn offset(&self) -> f64 {
        (self.people.0 * self.slope - self.held.0).max(0.0)
    }

    /// Logarithms of the ratios of shares: of people with and below, of amounts not held below and with.
    /// The first is 0 for the first line, the second for the last, where they are multiplied by zero.
    pub(in crate::aggregate) fn logarithms(&self) -> (f64, f64) {
        let people = if self.people.0 > 0.0 { ((self.people.1 - self.people.0) / self.people.0).ln_1p() } else { 0.0 };
        let left = 1.0 - self.held.1;
        let held = if left > 0.0 { ((self.held.1 - self.held.0) / left).ln_1p() } else { 0.0 };
        (people, held)
    }

    /// The integral of 1 - L(1 - p)/(p(1 - L)).
    pub(in crate::aggregate) fn area(&self) -> f64 {
        if self.slope <= 0.0 {
            return self.people.1 - self.people.0;
        }
        let offset = self.offset();
        let whole = 1.0 + offset;
        let (people, held) = self.logarithms();
        offset / whole * people + (1.0 / self.slope - 1.0 / whole) * held
    }
}
