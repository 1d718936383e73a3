//! `growth_sd` and `detrended_sd`: how much a flow varies from period to period.

use datafusion_common::Result;

use super::growth::slope;
use super::{SECTION, T, by_period};
use crate::aggregate::frame::{Kernel, Measure, Parameter, Rows, Shape, Sink, Text, Work, number, total};

const V: Parameter = number("v", "A flow, greater than zero, in real terms; NULL where it is not known.");

/// What is done with gaps and values without logarithm.
macro_rules! gaps_rule {
    () => {
        " NULL if a value is zero or negative, and with less than three values. A period that stands twice is an error, as are NaN and infinite values."
    };
}

pub(super) static GROWTH_SD: Measure = Measure {
    name: "growth_sd",
    parameters: &[V, T],
    shape: |_| Shape::Number,
    work: Work::Rows(|_| Ok(Box::new(Volatility { name: "growth_sd", trend: false }))),
    text: Text {
        section: SECTION,
        syntax: "growth_sd(v, t)",
        description: concat!(
            "Standard deviation (n - 1) of growth from period to period, that is of ln v(t) - ln v(t - 1), a fraction: 0.1 is \
             some ten percent. Growth over a gap is not counted: periods that follow each other are one apart. The stability of \
             remittances relative to another flow is the ratio of two of these.",
            gaps_rule!()
        ),
        example: "> select growth_sd(v, t) from (values (1.0, 2000), (2.0, 2001), (2.0, 2002)) as t(v, t);\n0.49012907173427356",
    },
};

pub(super) static DETRENDED_SD: Measure = Measure {
    name: "detrended_sd",
    parameters: &[V, T],
    shape: |_| Shape::Number,
    work: Work::Rows(|_| Ok(Box::new(Volatility { name: "detrended_sd", trend: true }))),
    text: Text {
        section: SECTION,
        syntax: "detrended_sd(v, t)",
        description: concat!(
            "Standard deviation (n - 1) of what is left of ln v around its straight trend over t by least squares, a fraction: \
             volatility around steady growth (`growth_ls`). Gaps do no harm.",
            gaps_rule!()
        ),
        example: "> select round(detrended_sd(v, t), 12) from (values (1.0, 2000), (2.0, 2001), (2.0, 2002)) as t(v, t);\n0.200094355642",
    },
};

#[derive(Debug)]
struct Volatility {
    name: &'static str,
    trend: bool,
}

impl Kernel for Volatility {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let periods = by_period(self.name, rows, 1)?;
        let value = |row: usize| rows.values().get(row).copied().unwrap_or(f64::NAN);
        let points: Vec<(f64, f64)> = periods.iter().map(|(t, row)| (*t, value(*row))).collect();
        if points.len() < 3 || points.iter().any(|(_, v)| *v <= 0.0) {
            sink.null();
            return Ok(());
        }
        let logs: Vec<(f64, f64)> = points.iter().map(|(t, v)| (*t, v.ln())).collect();
        let varying: Vec<f64> = if self.trend {
            let Some(slope) = slope(logs.iter().copied()) else {
                sink.null();
                return Ok(());
            };
            let middle = logs.get(logs.len() / 2).map_or(0.0, |(t, _)| *t);
            logs.iter().map(|(t, log)| log - slope * (t - middle)).collect()
        } else {
            let next = |w: &[(f64, f64)]| match w {
                [a, b] if b.0 - a.0 == 1.0 => Some(b.1 - a.1),
                _ => None,
            };
            logs.windows(2).filter_map(next).collect()
        };
        sink.maybe(deviation(&varying));
        Ok(())
    }
}

/// The standard deviation of a sample; `None` of less than two.
fn deviation(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = total(values.iter().copied()) / n;
    let square = total(values.iter().map(|v| (v - mean) * (v - mean)));
    (values.len() > 1).then(|| (square / (n - 1.0)).sqrt())
}
