//! `logit`: who is treated, by covariates.

use datafusion_common::Result;

use super::data::{Columns, product};
use super::effect::error_of;
use super::propensity::fit;
use super::{FPC, LONELY, PSU, ROBUST, SECTION, STRATUM, TREATED, W, X, rows_rule};
use crate::aggregate::frame::{Field, Given, Kernel, Measure, Rows, Shape, Sink, Text, Work};
use crate::aggregate::survey::Design;
use crate::least_squares::{INTERCEPT, move_back};

const FIELDS: &[Field] =
    &[Field::Term("term", &[INTERCEPT]), Field::Number("coefficient"), Field::Number("se"), Field::Number("z")];

pub(super) static LOGIT: Measure = Measure {
    name: "logit",
    parameters: &[TREATED, X, W, ROBUST, STRATUM, PSU, FPC, LONELY],
    shape: |_| Shape::Structs(FIELDS),
    work: Work::Rows(|given: &Given| {
        let designed = ["stratum", "psu", "fpc"].iter().any(|name| given.given(name));
        let design = if designed || given.flag("robust") { Some(Design::new(given)?) } else { None };
        Ok(Box::new(Logit { columns: Columns::new(given), design }))
    }),
    text: Text {
        section: SECTION,
        syntax: "logit(treated, x [, w] [, robust => true] [, stratum] [, psu] [, fpc] [, lonely_psu => 'adjust'])",
        description: concat!(
            "Logistic regression by maximum likelihood, with a constant term: the logarithm of the odds of being treated. A list \
             with a struct for each term, `(intercept)` first: `coefficient`, in 1 over the unit of the covariate; `se`; `z`, \
             coefficient over se. `unnest` makes rows of it. Errors are those of the model, from the inverse of the \
             information, with the weights scaled to 1 in the mean, as R's glm gives them without weights. With \
             `robust => true` or a design they are those of the linearised estimate (Binder 1983), units with replacement \
             within strata, with the factor n/(n - 1).",
            rows_rule!()
        ),
        example: "> select c['term'], round(c['coefficient'], 9), round(c['se'], 9) from (select unnest(logit(t, {x: x})) as c from (values (0, 1.0), (1, 2.0), (0, 3.0), (1, 4.0), (0, 2.0), (1, 3.0)) as t(t, x));\n(intercept), -3.465735903, 3.208653073\nx, 1.386294361, 1.224744871",
    },
};

#[derive(Debug)]
struct Logit {
    columns: Columns,
    design: Option<Design>,
}

impl Kernel for Logit {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let data = self.columns.read(rows, &[])?;
        let fitted = match data.arms() {
            Some(_) => fit(&self.columns, rows, &data)?,
            None => None,
        };
        let Some(mut fitted) = fitted else {
            sink.null();
            return Ok(());
        };
        let mut errors = Vec::with_capacity(fitted.coefficients.len());
        if let Some(design) = &self.design {
            let off = |(t, p): (&bool, &f64)| f64::from(u8::from(*t)) - p;
            let off: Vec<f64> = data.treated.iter().zip(&fitted.p).map(off).collect();
            let drawn = design.drawn(rows)?;
            for term in 0..fitted.coefficients.len() {
                errors.push(error_of(design, &drawn, rows, &data.influence(&fitted.inverse, &off, term))?.0);
            }
            let constant = product(&fitted.coefficients, &data.means.iter().map(|m| -m).collect::<Vec<_>>());
            fitted.coefficients.iter_mut().take(1).for_each(|c| *c = constant);
        } else {
            move_back(&data.means, &mut fitted.coefficients, &mut fitted.inverse);
            let scale = rows.weight_sum() / rows.len() as f64;
            let terms = fitted.coefficients.len();
            errors.extend(fitted.inverse.iter().step_by(terms + 1).map(|v| (v * scale).max(0.0).sqrt()));
        }
        let cells: Vec<Option<f64>> = fitted
            .coefficients
            .iter()
            .zip(&errors)
            .enumerate()
            .flat_map(|(term, (c, se))| [Some(term as f64), Some(*c), Some(*se), Some(c / se)])
            .collect();
        sink.row(&cells);
        Ok(())
    }
}
