//! `cyclicality`: whether a flow moves with the economy.

use datafusion_common::Result;

use super::{SECTION, T, by_period};
use crate::aggregate::frame::{
    Given, Kernel, Kind, Measure, Rows, Shape, Sink, Text, Work, number, option, refuse, total,
};
use crate::hodrick_prescott::trend;

/// Ravn and Uhlig (2002), for yearly data.
const YEARLY: f64 = 6.25;

pub(super) static CYCLICALITY: Measure = Measure {
    name: "cyclicality",
    parameters: &[
        number("v", "The flow, greater than zero, in real terms."),
        number("gdp", "What it is compared with, greater than zero, in real terms."),
        T,
        option("lambda", Kind::Constant, "Smoothing of the trend: 6.25 (the default) for years, 1600 for quarters."),
        option(
            "method",
            Kind::Choice(&["hp", "difference"]),
            "'hp' (the default) correlates what is left of the logarithms around their trends, 'difference' their first differences.",
        ),
    ],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| {
        let lambda = given.number("lambda")?.unwrap_or(YEARLY);
        if lambda < 0.0 {
            return refuse("cyclicality", "lambda", lambda, "expected a number of 0 or more");
        }
        Ok(Box::new(Cyclicality { lambda, difference: given.choice("method")? == Some("difference") }))
    }),
    text: Text {
        section: SECTION,
        syntax: "cyclicality(v, gdp, t [, lambda] [, method => 'difference'])",
        description: "Correlation, from -1 to 1, of a flow's cycle with that of output, both in logarithms around the trend of \
                      Hodrick and Prescott (1997); above 0 is procyclical. NULL if a value is zero or negative, if a period \
                      between the first and the last is missing or NULL (a filter knows no gaps), with less than four periods, or \
                      if a cycle is flat. A period that stands twice is an error, as are NaN and infinite values.",
        example: "> select cyclicality(v, g, t, method => 'difference')\n  from (values (1.0, 10.0, 1), (2.0, 11.0, 2), (2.0, 11.5, 3), (5.0, 13.0, 4)) as t(v, g, t);\n0.9933319727934737",
    },
};

#[derive(Debug)]
struct Cyclicality {
    lambda: f64,
    difference: bool,
}

impl Kernel for Cyclicality {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let periods = by_period("cyclicality", rows, 2)?;
        let series = |column: usize| -> Vec<f64> {
            let at = |row: &usize| rows.column(column).get(*row).copied().unwrap_or(f64::NAN);
            periods.iter().map(|(_, row)| at(row)).collect()
        };
        let (v, gdp) = (series(0), series(1));
        let whole = periods.windows(2).all(|w| matches!(w, [a, b] if b.0 - a.0 == 1.0));
        if periods.len() < 4 || !whole || v.iter().chain(&gdp).any(|v| *v <= 0.0) {
            sink.null();
            return Ok(());
        }
        sink.maybe(correlation(&self.cycle(&v), &self.cycle(&gdp)));
        Ok(())
    }
}

impl Cyclicality {
    fn cycle(&self, values: &[f64]) -> Vec<f64> {
        let logs: Vec<f64> = values.iter().map(|v| v.ln()).collect();
        if self.difference {
            return logs.windows(2).filter_map(|w| Some(w.last()? - w.first()?)).collect();
        }
        logs.iter().zip(trend(&logs, self.lambda)).map(|(log, trend)| log - trend).collect()
    }
}

fn correlation(left: &[f64], right: &[f64]) -> Option<f64> {
    let n = left.len() as f64;
    let centred = |values: &[f64]| -> Vec<f64> {
        let mean = total(values.iter().copied()) / n;
        values.iter().map(|v| v - mean).collect()
    };
    let (left, right) = (centred(left), centred(right));
    let product = |a: &[f64], b: &[f64]| total(a.iter().zip(b).map(|(a, b)| a * b));
    let spread = (product(&left, &left) * product(&right, &right)).sqrt();
    (spread > 0.0).then(|| product(&left, &right) / spread)
}
