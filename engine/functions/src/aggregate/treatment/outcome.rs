//! `regression_att`: the effect on the treated by predicting what they would have had.

use datafusion_common::Result;

use super::data::{Columns, Data, product, times};
use super::effect::{Effect, FIELDS, error};
use super::{FPC, LONELY, PSU, SECTION, STRATUM, TREATED, W, X, Y, rows_rule};
use crate::aggregate::frame::{Given, Kernel, Measure, Rows, Shape, Sink, Text, Total, Work};
use crate::aggregate::survey::Design;
use crate::least_squares::LeastSquares;

pub(super) static REGRESSION_ATT: Measure = Measure {
    name: "regression_att",
    parameters: &[Y, TREATED, X, W, STRATUM, PSU, FPC, LONELY],
    shape: |_| Shape::Struct(FIELDS),
    work: Work::Rows(|given: &Given| {
        Ok(Box::new(Imputation { columns: Columns::new(given), design: Design::new(given)? }))
    }),
    text: Text {
        section: SECTION,
        syntax: "regression_att(y, treated, x [, w] [, stratum] [, psu] [, fpc] [, lonely_psu => 'adjust'])",
        description: concat!(
            "Effect of a treatment on the treated by regression: y on x by least squares among the untreated, and the mean over \
             the treated of y less its prediction (Oaxaca 1973; Imbens 2004). A struct: estimate, in the unit of y; se, by \
             linearisation with the estimated coefficients as part of it and residuals of any spread, for the design if one is \
             given and otherwise for independent rows; ci_low and ci_high, the 95 % interval by Student's t with units less \
             strata; n_treated and n_control. NULL too with fewer untreated rows than coefficients.",
            rows_rule!()
        ),
        example: "> select round(e['estimate'], 9), round(e['se'], 9) from (select regression_att(y, t, {x: x}) as e from (values (5.0, 0, 1.0), (9.0, 1, 2.0), (6.0, 0, 3.0), (8.0, 1, 4.0), (4.0, 0, 2.0), (9.0, 1, 3.0)) as t(y, t, x));\n3.166666667, 0.799305254",
    },
};

#[derive(Debug)]
struct Imputation {
    columns: Columns,
    design: Design,
}

impl Kernel for Imputation {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let data = self.columns.read(rows, &[])?;
        match (data.arms(), self.effect(rows, &data)?) {
            (Some((treated, others)), Some((estimate, influence))) => {
                let (se, df) = error(&self.design, rows, &influence)?;
                Effect { estimate, se, df, treated, others }.put(sink, &[]);
            }
            _ => sink.null(),
        }
        Ok(())
    }
}

impl Imputation {
    /// The effect and what each row adds to it.
    fn effect(&self, rows: &Rows<'_>, data: &Data) -> Result<Option<(f64, Vec<f64>)>> {
        if data.arms().is_none() {
            return Ok(None);
        }
        let mut squares = LeastSquares::new(self.columns.names(), true);
        for (row, ((y, w), t)) in rows.weighted().zip(&data.treated).enumerate() {
            if !t {
                squares.add(data.row(row).iter().copied(), y, w);
            }
        }
        let fit = match squares.fit() {
            Ok(fit) => fit,
            Err(unfit) => return self.columns.unfit(unfit),
        };
        let residual = |(row, y): (usize, &f64)| y - product(&fit.coefficients, data.row(row));
        let off: Vec<f64> = rows.values().iter().enumerate().map(residual).collect();
        let (mut weight, mut sum) = (Total::default(), Total::default());
        let mut means = vec![Total::default(); data.width() + 1];
        for (row, (off, t)) in off.iter().zip(&data.treated).enumerate() {
            if *t {
                let w = rows.weight(row);
                weight.add(w);
                sum.add(w * off);
                let x = std::iter::once(&1.0).chain(data.row(row));
                means.iter_mut().zip(x).for_each(|(mean, x)| mean.add(w * x));
            }
        }
        let weight = weight.value();
        let estimate = sum.value() / weight;
        let means: Vec<f64> = means.iter().map(|m| m.value() / weight).collect();
        let back = times(&fit.inverse, &means);
        let influence = off
            .iter()
            .zip(&data.treated)
            .enumerate()
            .map(|(row, (off, t))| if *t { (off - estimate) / weight } else { -off * product(&back, data.row(row)) })
            .collect();
        Ok(Some((estimate, influence)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::tests::{ROWS, columns, derivatives};
    use super::Imputation;
    use crate::aggregate::survey::Design;

    #[test]
    fn influences_are_derivatives() {
        let measure = Imputation { columns: columns("regression_att", 1), design: Design::none("regression_att") };
        derivatives(&ROWS, |rows| {
            let data = measure.columns.read(rows, &[]).unwrap();
            measure.effect(rows, &data).unwrap().unwrap()
        });
    }
}
