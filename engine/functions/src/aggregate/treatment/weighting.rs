//! `ipw_att` and `ipw_ate`: effects by inverse probability weighting.

use datafusion_common::Result;

use super::data::{Columns, Data, times};
use super::effect::{Effect, TRIMMED, error};
use super::propensity::{Propensity, fit};
use super::{FPC, LONELY, PSU, SECTION, STRATUM, TREATED, TRIM, W, X, Y, rows_rule};
use crate::aggregate::frame::{
    Given, Kernel, Kind, Measure, Parameter, Rows, Shape, Sink, Text, Total, Work, option, refuse,
};
use crate::aggregate::survey::Design;

const NORMALISED: Parameter = option(
    "normalised",
    Kind::Flag,
    "Whether the weights of each arm are scaled to add up to 1 (Hájek), which is the default; false takes them as they are (Horvitz and Thompson).",
);

/// What both effects say of their error.
macro_rules! error_rule {
    () => {
        " A struct: estimate, in the unit of y; se, by linearisation with the estimated propensity as part of it (Lunceford and Davidian 2004; Hirano, Imbens and Ridder 2003), for the design if one is given and otherwise for independent rows, trimmed rows being taken as given; ci_low and ci_high, the 95 % interval by Student's t with units less strata; n_treated and n_control, rows that count; trimmed, rows that do not by their propensity. Look at `ipw_balance` before you believe it. NULL too if trimming leaves no row in an arm."
    };
}

pub(super) static IPW_ATT: Measure = Measure {
    name: "ipw_att",
    parameters: &[Y, TREATED, X, W, TRIM, NORMALISED, STRATUM, PSU, FPC, LONELY],
    shape: |_| Shape::Struct(TRIMMED),
    work: Work::Rows(|given: &Given| Ok(Box::new(Weighting::new(given, true)?))),
    text: Text {
        section: SECTION,
        syntax: "ipw_att(y, treated, x [, w] [, trim] [, normalised => false] [, stratum] [, psu] [, fpc] [, lonely_psu => 'adjust'])",
        description: concat!(
            "Effect of a treatment on the treated by inverse probability weighting: the mean of the treated less that of the \
             untreated, who are weighed by the odds p/(1 - p) of their propensity p, from `logit(treated, x, w)`, so that they \
             stand for what the treated would have had.",
            error_rule!(),
            rows_rule!()
        ),
        example: "> select round(e['estimate'], 9), e['n_treated'] from (select ipw_att(y, t, {x: x}) as e from (values (5.0, 0, 1.0), (9.0, 1, 2.0), (6.0, 0, 3.0), (8.0, 1, 4.0), (4.0, 0, 2.0), (9.0, 1, 3.0)) as t(y, t, x));\n3.095238095, 3",
    },
};

pub(super) static IPW_ATE: Measure = Measure {
    name: "ipw_ate",
    parameters: &[Y, TREATED, X, W, TRIM, NORMALISED, STRATUM, PSU, FPC, LONELY],
    shape: |_| Shape::Struct(TRIMMED),
    work: Work::Rows(|given: &Given| Ok(Box::new(Weighting::new(given, false)?))),
    text: Text {
        section: SECTION,
        syntax: "ipw_ate(y, treated, x [, w] [, trim] [, normalised => false] [, stratum] [, psu] [, fpc] [, lonely_psu => 'adjust'])",
        description: concat!(
            "Average effect of a treatment on all by inverse probability weighting: the treated weighed by 1/p less the untreated \
             weighed by 1/(1 - p), p the propensity from `logit(treated, x, w)`.",
            error_rule!(),
            rows_rule!()
        ),
        example: "> select round(e['estimate'], 9), e['n_control'] from (select ipw_ate(y, t, {x: x}) as e from (values (5.0, 0, 1.0), (9.0, 1, 2.0), (6.0, 0, 3.0), (8.0, 1, 4.0), (4.0, 0, 2.0), (9.0, 1, 3.0)) as t(y, t, x));\n3.533333333, 3",
    },
};

#[derive(Debug)]
struct Weighting {
    columns: Columns,
    design: Design,
    on_treated: bool,
    trim: f64,
    normalised: bool,
}

impl Weighting {
    fn new(given: &Given, on_treated: bool) -> Result<Self> {
        let trim = given.number("trim")?.unwrap_or(0.0);
        if !(0.0..0.5).contains(&trim) {
            return refuse(given.measure.name, "trim", trim, "expected a number of 0 or more and below 0.5");
        }
        let normalised = !given.given("normalised") || given.flag("normalised");
        Ok(Self { columns: Columns::new(given), design: Design::new(given)?, on_treated, trim, normalised })
    }
}

impl Kernel for Weighting {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let Some(found) = self.effect(rows)? else {
            sink.null();
            return Ok(());
        };
        let (se, df) = error(&self.design, rows, &found.influence)?;
        let (treated, others) = found.counted;
        let effect = Effect { estimate: found.mean, se, df, treated, others };
        effect.put(sink, &[Some((rows.len() - treated - others) as f64)]);
        Ok(())
    }
}

/// The effect, what each row adds to it, and how many rows of each arm it is of.
struct Found {
    mean: f64,
    influence: Vec<f64>,
    counted: (usize, usize),
}

/// The mean of an arm and what each row adds to it.
struct Arm {
    mean: f64,
    influence: Vec<f64>,
}

impl Weighting {
    fn effect(&self, rows: &Rows<'_>) -> Result<Option<Found>> {
        let data = self.columns.read(rows, &[])?;
        if data.arms().is_none() {
            return Ok(None);
        }
        let Some(fitted) = fit(&self.columns, rows, &data)? else { return Ok(None) };
        let kept: Vec<bool> = fitted.p.iter().map(|p| *p >= self.trim && *p <= 1.0 - self.trim).collect();
        let counts = |arm: bool| data.treated.iter().zip(&kept).filter(|(t, kept)| **t == arm && **kept).count();
        let counted = (counts(true), counts(false));
        if counted.0 == 0 || counted.1 == 0 {
            return Ok(None);
        }
        let (one, two) = (self.arm(true, rows, &data, &fitted, &kept), self.arm(false, rows, &data, &fitted, &kept));
        let influence = one.influence.iter().zip(&two.influence).map(|(a, b)| a - b).collect();
        Ok(Some(Found { mean: one.mean - two.mean, influence, counted }))
    }

    /// The factor of a row's weight in its arm, and the derivative of it with the linear predictor.
    fn factor(&self, arm: bool, p: f64) -> (f64, f64) {
        let odds = p / (1.0 - p);
        match (self.on_treated, arm) {
            (true, true) => (1.0, 0.0),
            (true, false) => (odds, odds),
            (false, true) => (1.0 / p, -(1.0 - p) / p),
            (false, false) => (1.0 / (1.0 - p), odds),
        }
    }

    fn arm(&self, arm: bool, rows: &Rows<'_>, data: &Data, fitted: &Propensity, kept: &[bool]) -> Arm {
        let outcome = rows.values();
        let y = |row: usize| outcome.get(row).copied().unwrap_or(0.0);
        let in_arm = |row: &usize| data.treated.get(*row) == Some(&arm) && kept.get(*row) == Some(&true);
        let factor = |row: usize| self.factor(arm, fitted.p.get(row).copied().unwrap_or(0.5));
        let (mut weight, mut sum) = (Total::default(), Total::default());
        for row in (0..rows.len()).filter(in_arm) {
            let w = rows.weight(row) * factor(row).0;
            weight.add(w);
            sum.add(w * y(row));
        }
        // Horvitz and Thompson divide by those whom the mean is of.
        let of_all =
            |row: &usize| kept.get(*row) == Some(&true) && (!self.on_treated || data.treated.get(*row) == Some(&true));
        let scale = if self.normalised {
            weight.value()
        } else {
            crate::aggregate::frame::total((0..rows.len()).filter(of_all).map(|row| rows.weight(row)))
        };
        let mean = sum.value() / scale;
        let centre = if self.normalised { mean } else { 0.0 };
        // The direct part, and how the mean moves with the coefficients of the propensity.
        let mut influence = vec![0.0; rows.len()];
        let mut slopes = vec![Total::default(); data.width() + 1];
        for row in (0..rows.len()).filter(in_arm) {
            let (value, slope) = factor(row);
            let off = (y(row) - centre) / scale;
            influence.iter_mut().skip(row).take(1).for_each(|z| *z = value * off);
            let moved = rows.weight(row) * slope * off;
            let x = std::iter::once(&1.0).chain(data.row(row));
            slopes.iter_mut().zip(x).for_each(|(total, x)| total.add(moved * x));
        }
        if !self.normalised {
            for row in (0..rows.len()).filter(of_all) {
                influence.iter_mut().skip(row).take(1).for_each(|z| *z -= mean / scale);
            }
        }
        let slopes: Vec<f64> = slopes.iter().map(|s| s.value()).collect();
        let back = times(&fitted.inverse, &slopes);
        for (row, ((z, t), p)) in influence.iter_mut().zip(&data.treated).zip(&fitted.p).enumerate() {
            let score = f64::from(u8::from(*t)) - p;
            *z += score * super::data::product(&back, data.row(row));
        }
        Arm { mean, influence }
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::tests::{ROWS, columns, derivatives};
    use super::Weighting;
    use crate::aggregate::survey::Design;

    #[test]
    fn influences_are_derivatives() {
        for (on_treated, normalised, trim) in
            [(true, true, 0.0), (true, false, 0.0), (false, true, 0.0), (false, false, 0.0), (false, true, 0.1)]
        {
            let columns = columns("ipw", 1);
            let measure = Weighting { columns, design: Design::none("ipw"), on_treated, trim, normalised };
            derivatives(&ROWS, |rows| {
                let found = measure.effect(rows).unwrap().unwrap();
                (found.mean, found.influence)
            });
        }
    }
}
