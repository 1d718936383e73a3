//! `hhi`, `top_share`, `rosenbluth`: concentration on few partners or firms.

use datafusion_common::Result;

use super::SECTION;
use crate::aggregate::frame::{
    Given, Kernel, Measure, Parameter, Rows, Shape, Sink, Text, Work, constant, flag, number, total,
};

const V: Parameter = number("v", "A flow or stock, one row a partner; rows of zero or less do not count.");

pub(super) static HHI: Measure = Measure {
    name: "hhi",
    parameters: &[
        V,
        flag("normalised", "Whether to give (HHI - 1/n)/(1 - 1/n), which is 0 for equal shares; NULL for one row."),
    ],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| Ok(Box::new(Hhi { normalised: given.flag("normalised") }))),
    text: Text {
        section: SECTION,
        syntax: "hhi(v [, normalised => true])",
        description: "Herfindahl-Hirschman index, from 1/n for n equal partners to 1 for a single one: the sum of squared shares \
                      (Herfindahl 1950). Rows that are NULL, zero or negative do not count; without others the answer is NULL. NaN \
                      and infinite values are errors.",
        example: "> select hhi(v), hhi(v, true) from (values (1.0), (1.0), (2.0)) as t(v);\n0.375, 0.06250000000000001",
    },
};

pub(super) static TOP_SHARE: Measure = Measure {
    name: "top_share",
    parameters: &[V, constant("k", "How many of the largest: a whole number of 1 or more.")],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| {
        let k = given.required("k", "expected a whole number of 1 or more", |k| k >= 1.0 && k.fract() == 0.0)?;
        Ok(Box::new(Top(k as usize)))
    }),
    text: Text {
        section: SECTION,
        syntax: "top_share(v, k)",
        description: "Share of the k largest in the total, a fraction; 1 if there are no more than k. Rows that are NULL, zero or \
                      negative do not count; without others the answer is NULL. NaN and infinite values are errors.",
        example: "> select top_share(v, 1), top_share(v, 5) from (values (1.0), (1.0), (2.0)) as t(v);\n0.5, 1.0",
    },
};

pub(super) static ROSENBLUTH: Measure = Measure {
    name: "rosenbluth",
    parameters: &[V],
    shape: |_| Shape::Number,
    work: Work::Rows(|_| Ok(Box::new(Rosenbluth))),
    text: Text {
        section: SECTION,
        syntax: "rosenbluth(v)",
        description: "Rosenbluth's index (Rosenbluth 1955; Hall and Tideman 1967), from 1/n for n equal partners to 1 for a single \
                      one: 1/(2 sum(i s) - 1), s the shares and i their ranks from the largest; it looks more at the number of \
                      small partners than `hhi` does, and is 1/(n(1 - G)) with G the Gini coefficient. Rows that are NULL, zero or \
                      negative do not count; without others the answer is NULL. NaN and infinite values are errors.",
        example: "> select rosenbluth(v) from (values (1.0), (1.0), (2.0)) as t(v);\n0.4",
    },
};

fn positive<'a>(rows: &Rows<'a>) -> &'a [f64] {
    let values = rows.values();
    values.get(values.partition_point(|v| *v <= 0.0)..).unwrap_or_default()
}

#[derive(Debug)]
struct Hhi {
    normalised: bool,
}

impl Kernel for Hhi {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let values = positive(rows);
        let Some(largest) = values.last() else {
            sink.null();
            return Ok(());
        };
        let all = total(values.iter().map(|v| v / largest));
        let index = total(values.iter().map(|v| (v / largest / all).powi(2)));
        let n = values.len() as f64;
        sink.number(if self.normalised { (index - 1.0 / n) / (1.0 - 1.0 / n) } else { index });
        Ok(())
    }
}

#[derive(Debug)]
struct Top(usize);

impl Kernel for Top {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let values = positive(rows);
        let Some(largest) = values.last() else {
            sink.null();
            return Ok(());
        };
        let shares = || values.iter().rev().map(|v| v / largest);
        sink.number(total(shares().take(self.0)) / total(shares()));
        Ok(())
    }
}

#[derive(Debug)]
struct Rosenbluth;

impl Kernel for Rosenbluth {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let values = positive(rows);
        let Some(largest) = values.last() else {
            sink.null();
            return Ok(());
        };
        let shares = || values.iter().rev().map(|v| v / largest);
        let ranked = total(shares().zip(1u32..).map(|(share, rank)| share * f64::from(rank)));
        sink.number(1.0 / (2.0 * ranked / total(shares()) - 1.0));
        Ok(())
    }
}
