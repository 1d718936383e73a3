//! `ipw_balance`: whether weights make treated and untreated rows alike.

use datafusion_common::Result;

use super::data::{Columns, Data};
use super::propensity::fit;
use super::{SECTION, TREATED, TRIM, W, X, rows_rule};
use crate::aggregate::frame::{
    Field, Given, Kernel, Kind, Measure, Parameter, Rows, Shape, Sink, Text, Total, Work, option, refuse,
};

/// Differences below this count as none.
const SMALL: f64 = 0.1;

const FIELDS: &[Field] = &[
    Field::Label("covariate"),
    Field::Number("difference_before"),
    Field::Number("difference_after"),
    Field::Flag("balanced"),
];

const ESTIMAND: Parameter = option(
    "estimand",
    Kind::Choice(&["att", "ate"]),
    "Whose weights are looked at: 'att' (the default), those of `ipw_att`, or 'ate', those of `ipw_ate`.",
);

pub(super) static IPW_BALANCE: Measure = Measure {
    name: "ipw_balance",
    parameters: &[TREATED, X, W, TRIM, ESTIMAND],
    shape: |_| Shape::Structs(FIELDS),
    work: Work::Rows(|given: &Given| {
        let trim = given.number("trim")?.unwrap_or(0.0);
        if !(0.0..0.5).contains(&trim) {
            return refuse("ipw_balance", "trim", trim, "expected a number of 0 or more and below 0.5");
        }
        let all = given.choice("estimand")? == Some("ate");
        Ok(Box::new(Balance { columns: Columns::new(given), trim, all }))
    }),
    text: Text {
        section: SECTION,
        syntax: "ipw_balance(treated, x [, w] [, trim] [, estimand => 'ate'])",
        description: concat!(
            "Standardised differences of covariates between treated and untreated rows, before and after weighting by propensity: \
             the mean of the treated less that of the untreated, over sqrt((s1^2 + s0^2)/2), s1 and s0 the standard deviations \
             (n - 1) in both arms before weighting, the same for both differences (Rosenbaum and Rubin 1985; Austin 2011). A \
             list with a struct for each covariate; `unnest` makes rows of it. `balanced` says whether the difference after \
             weighting is below 0.1 without its sign. A covariate that varies in neither arm has no differences. NULL too if \
             trimming leaves no row in an arm.",
            rows_rule!()
        ),
        example: "> select b['covariate'], round(b['difference_before'], 9), b['balanced'] from (select unnest(ipw_balance(t, {x: x})) as b from (values (0, 1.0), (1, 2.0), (0, 3.0), (1, 4.0), (0, 2.0), (1, 3.0)) as t(t, x));\nx, 1.0, false",
    },
};

#[derive(Debug)]
struct Balance {
    columns: Columns,
    trim: f64,
    all: bool,
}

impl Kernel for Balance {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let data = self.columns.read(rows, &[])?;
        let fitted = match data.arms() {
            Some(_) => fit(&self.columns, rows, &data)?,
            None => None,
        };
        let Some(fitted) = fitted else {
            sink.null();
            return Ok(());
        };
        let before: Vec<f64> = (0..rows.len()).map(|row| rows.weight(row)).collect();
        let factor = |(p, t): (&f64, &bool)| match t {
            _ if *p < self.trim || *p > 1.0 - self.trim => 0.0,
            true if self.all => 1.0 / p,
            true => 1.0,
            false if self.all => 1.0 / (1.0 - p),
            false => p / (1.0 - p),
        };
        let factors = fitted.p.iter().zip(&data.treated).map(factor);
        let after: Vec<f64> = before.iter().zip(factors).map(|(w, f)| w * f).collect();
        let some = |arm: bool| after.iter().zip(&data.treated).any(|(w, t)| *t == arm && *w > 0.0);
        if !some(true) || !some(false) {
            sink.null();
            return Ok(());
        }
        let mut cells = Vec::with_capacity(data.width() * FIELDS.len());
        for covariate in 0..data.width() {
            let of = |arm, weights: &[f64]| moments(&data, covariate, arm, weights);
            let ((m1, s1), (m0, s0)) = (of(true, &before), of(false, &before));
            let scale = (f64::midpoint(s1, s0)).sqrt();
            let over = |off: f64| (scale > 0.0).then(|| off / scale);
            let difference = over(of(true, &after).0 - of(false, &after).0);
            let balanced = difference.map(|d| f64::from(u8::from(d.abs() < SMALL)));
            cells.extend([Some(covariate as f64), over(m1 - m0), difference, balanced]);
        }
        sink.row(&cells);
        Ok(())
    }
}

/// Mean and variance of a covariate in an arm; of one row the variance is 0.
fn moments(data: &Data, covariate: usize, arm: bool, weights: &[f64]) -> (f64, f64) {
    let values = || {
        let arms = data.treated.iter().zip(weights).enumerate();
        let inside = arms.filter(|(_, (t, w))| **t == arm && **w > 0.0);
        inside.filter_map(|(row, (_, w))| Some((*data.row(row).get(covariate)?, *w)))
    };
    let (mut weight, mut sum, mut square, mut n) = (Total::default(), Total::default(), Total::default(), 0u32);
    values().for_each(|(x, w)| {
        weight.add(w);
        sum.add(w * x);
        n += 1;
    });
    let (weight, n) = (weight.value(), f64::from(n));
    let mean = sum.value() / weight;
    values().for_each(|(x, w)| square.add(w * (x - mean) * (x - mean)));
    (mean, if n > 1.0 { square.value() / weight * n / (n - 1.0) } else { 0.0 })
}
