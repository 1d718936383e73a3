//! `cagr` and `growth_ls`: average growth rates.

use datafusion_common::Result;

use super::{SECTION, T, by_period};
use crate::aggregate::frame::{Kernel, Kind, Measure, Parameter, Rows, Shape, Sink, Text, Work, number, total};

pub(super) static CAGR: Measure = Measure {
    name: "cagr",
    parameters: &[number("v", "A level: a flow or stock, greater than zero."), T],
    shape: |_| Shape::Number,
    work: Work::Rows(|_| Ok(Box::new(Cagr))),
    text: Text {
        section: SECTION,
        syntax: "cagr(v, t)",
        description: "Compound growth rate a period, a fraction: (last/first)^(1/(periods between)) - 1, first and last where v \
                      is not NULL. NULL if either is zero or negative, and with less than two periods. A period that stands twice \
                      is an error, as are NaN and infinite values.",
        example: "> select cagr(v, t) from (values (100.0, 2000), (null, 2001), (121.0, 2002)) as t(v, t);\n0.09999999999999999",
    },
};

pub(super) static GROWTH_LS: Measure = Measure {
    name: "growth_ls",
    parameters: &[
        Parameter { name: "v", kind: Kind::Nullable, optional: false, text: "A level, greater than zero, or NULL." },
        T,
    ],
    shape: |_| Shape::Number,
    work: Work::Rows(|_| Ok(Box::new(LeastSquares))),
    text: Text {
        section: SECTION,
        syntax: "growth_ls(v, t)",
        description: "Least-squares growth rate a period, a fraction: exp(b) - 1 with b the slope of ln v on t, as the World Bank \
                      reports it. NULL if a value is zero or negative, with less than two values, or if more than half of the \
                      periods from the first to the last are missing or NULL. A period that stands twice is an error, as are NaN \
                      and infinite values.",
        example: "> select growth_ls(v, t) from (values (100.0, 2000), (110.0, 2001), (121.0, 2002)) as t(v, t);\n0.0999999999999999",
    },
};

#[derive(Debug)]
struct Cagr;

impl Kernel for Cagr {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let periods = by_period("cagr", rows, 1)?;
        let value = |row: usize| rows.values().get(row).copied().unwrap_or(f64::NAN);
        match (periods.first(), periods.last()) {
            (Some((begin, first)), Some((end, last))) if begin < end => {
                let (first, last) = (value(*first), value(*last));
                // By logarithms a small rate keeps its digits; a ratio may leave the range of doubles.
                let ratio = last / first;
                let log = if ratio.is_normal() { ratio.ln() } else { last.ln() - first.ln() };
                let rate = (log / (end - begin)).exp_m1();
                sink.maybe((first > 0.0 && last > 0.0).then_some(rate));
            }
            _ => sink.null(),
        }
        Ok(())
    }
}

#[derive(Debug)]
struct LeastSquares;

impl Kernel for LeastSquares {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let periods = by_period("growth_ls", rows, 1)?;
        let value = |row: usize| rows.values().get(row).copied().unwrap_or(f64::NAN);
        let seen: Vec<(f64, f64)> =
            periods.iter().map(|(t, row)| (*t, value(*row))).filter(|(_, v)| !v.is_nan()).collect();
        let span = match (periods.first(), periods.last()) {
            (Some((begin, _)), Some((end, _))) => (end - begin).floor() + 1.0,
            _ => 0.0,
        };
        let wanted = span.max(periods.len() as f64);
        if seen.len() < 2 || 2.0 * (seen.len() as f64) < wanted || seen.iter().any(|(_, v)| *v <= 0.0) {
            sink.null();
            return Ok(());
        }
        let logs = seen.iter().map(|(t, v)| (*t, v.ln()));
        sink.maybe(slope(logs).map(f64::exp_m1));
        Ok(())
    }
}

/// The least-squares slope of y on x; `None` if all x are the same.
pub(super) fn slope(points: impl Iterator<Item = (f64, f64)> + Clone) -> Option<f64> {
    let n = points.clone().count() as f64;
    let mean_x = total(points.clone().map(|p| p.0)) / n;
    let mean_y = total(points.clone().map(|p| p.1)) / n;
    let sxy = total(points.clone().map(|(x, y)| (x - mean_x) * (y - mean_y)));
    let sxx = total(points.map(|(x, _)| (x - mean_x) * (x - mean_x)));
    (sxx > 0.0).then(|| sxy / sxx)
}
