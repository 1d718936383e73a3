//! `ols` and `working_leser`: least squares with several covariates.

use datafusion_common::Result;

use crate::aggregate::frame::{
    Field, Given, Kernel, Kind, Measure, Parameter, Rows, Shape, Sink, Text, Work, number, refuse,
};
use crate::aggregate::survey::Design;
use crate::aggregate::treatment::data::{Columns, Data, product};
use crate::aggregate::treatment::effect::error_of;
use crate::aggregate::treatment::{FPC, LONELY, PSU, ROBUST, STRATUM, W, X};
use crate::least_squares::{Fit, INTERCEPT, LeastSquares, move_back};

const EXPENDITURE: &str = "ln_expenditure_per_head";

/// A coefficient's fields; its term is one of these words or a covariate.
macro_rules! term_fields {
    ($words:expr) => {
        &[Field::Term("term", $words), Field::Number("coefficient"), Field::Number("se"), Field::Number("t")]
    };
}

const FIELDS: &[Field] = term_fields!(&[INTERCEPT]);
const CURVE_FIELDS: &[Field] = term_fields!(&[INTERCEPT, EXPENDITURE]);

/// What both measures do with rows and errors.
macro_rules! fit_rule {
    () => {
        " A list with a struct for each term: `coefficient`; `se`; `t`, coefficient over se. `unnest` makes rows of it. Errors are the classical ones, for residuals that are independent and of one spread, with the weights scaled to 1 in the mean, as R's lm gives them. With `robust => true` or a design they are those of the linearised estimate (White 1980; Binder 1983), units with replacement within strata, with the factor n/(n - 1). Numbers far from zero or from one another in size lose no digits. Rows with a NULL or with weight 0 are left out; with fewer rows than coefficients the answer is NULL, with as many there are no errors. A covariate that is the same for all or a combination of others is an error that names it, as are NaN, infinite values and negative weights."
    };
}

pub(super) static OLS: Measure = Measure {
    name: "ols",
    parameters: &[number("y", "The dependent variable."), X, W, ROBUST, STRATUM, PSU, FPC, LONELY],
    shape: |_| Shape::Structs(FIELDS),
    work: Work::Rows(|given: &Given| Ok(Box::new(Ols::new(given, None)?))),
    text: Text {
        section: "Regression",
        syntax: "ols(y, x [, w] [, robust => true] [, stratum] [, psu] [, fpc] [, lonely_psu => 'adjust'])",
        description: concat!(
            "Linear regression of y on several covariates by ordinary or weighted least squares, with a constant term, \
             `(intercept)`, first.",
            fit_rule!()
        ),
        example: "> select c['term'], round(c['coefficient'], 12), round(c['se'], 9) from (select unnest(ols(y, {x: x})) as c from (values (1.0, 1.0), (2.0, 2.0), (6.0, 3.0), (7.0, 4.0)) as t(y, x));\n(intercept), -1.5, 1.161895004\nx, 2.2, 0.424264069",
    },
};

pub(super) static WORKING_LESER: Measure = Measure {
    name: "working_leser",
    parameters: &[
        number("budget_share", "What the household spends on the good, as a share of all it spends."),
        number("expenditure", "What it spends in all, greater than zero."),
        number("size", "Its number of persons, greater than zero."),
        Parameter {
            name: "x",
            kind: Kind::Sources,
            optional: false,
            text: "Whether it receives remittances, and other covariates, as a struct of numbers or of yes and no.",
        },
        W,
        ROBUST,
        STRATUM,
        PSU,
        FPC,
        LONELY,
    ],
    shape: |_| Shape::Structs(CURVE_FIELDS),
    work: Work::Rows(|given: &Given| Ok(Box::new(Ols::new(given, Some((1, 2)))?))),
    text: Text {
        section: "Regression",
        syntax: "working_leser(budget_share, expenditure, size, x [, w] [, robust => true] [, stratum] [, psu] [, fpc] [, lonely_psu => 'adjust'])",
        description: concat!(
            "Engel curve of Working (1943) and Leser (1963) by least squares: the budget share of a good on \
             ln(expenditure/size), the term `ln_expenditure_per_head` after `(intercept)`, and on x, such as whether the \
             household receives remittances. The elasticity of spending on the good is 1 + b/(mean share), b the coefficient of \
             the logarithm: below 1 for necessities.",
            fit_rule!()
        ),
        example: "> select c['term'], round(c['coefficient'], 9) from (select unnest(working_leser(s, e, n, {r: r})) as c from (values (0.6, 100.0, 4, 0), (0.5, 180.0, 4, 1), (0.55, 120.0, 4, 1), (0.4, 400.0, 5, 0), (0.45, 300.0, 5, 1)) as t(s, e, n, r));\n(intercept), 1.124335473\nln_expenditure_per_head, -0.164279302\nr, -0.00542939",
    },
};

#[derive(Debug)]
struct Ols {
    columns: Columns,
    design: Option<Design>,
    /// The columns of which the logarithm of the ratio is the first covariate.
    ratio: Option<(usize, usize)>,
}

impl Ols {
    fn new(given: &Given, ratio: Option<(usize, usize)>) -> Result<Self> {
        let designed = ["stratum", "psu", "fpc"].iter().any(|name| given.given(name));
        let design = if designed || given.flag("robust") { Some(Design::new(given)?) } else { None };
        Ok(Self { columns: Columns::new(given), design, ratio })
    }

    /// The covariate that is computed, if there is one.
    fn computed(&self, rows: &Rows<'_>) -> Result<Vec<Vec<f64>>> {
        let Some((above, below)) = self.ratio else { return Ok(Vec::new()) };
        let positive = |column: usize, name: &str| match rows.column(column).iter().find(|v| **v <= 0.0) {
            Some(wrong) => refuse(self.columns.function, name, wrong, "expected numbers greater than 0"),
            None => Ok(rows.column(column)),
        };
        let (above, below) = (positive(above, "expenditure")?, positive(below, "size")?);
        Ok(vec![above.iter().zip(below).map(|(a, b)| (a / b).ln()).collect()])
    }

    fn errors(&self, rows: &Rows<'_>, data: &Data, fit: &Fit) -> Result<Vec<Option<f64>>> {
        let terms = fit.coefficients.len();
        let Some(design) = &self.design else {
            let mut covariance = fit.covariance();
            if let Some(covariance) = &mut covariance {
                move_back(&data.means, &mut fit.coefficients.clone(), covariance);
            }
            let at = |term: usize| covariance.as_ref()?.get(term * (terms + 1)).map(|v| v.max(0.0).sqrt());
            return Ok((0..terms).map(at).collect());
        };
        if rows.len() <= terms {
            return Ok(vec![None; terms]);
        }
        let off =
            |row: usize| rows.values().get(row).copied().unwrap_or(0.0) - product(&fit.coefficients, data.row(row));
        let off: Vec<f64> = (0..rows.len()).map(off).collect();
        let drawn = design.drawn(rows)?;
        let of = |term: usize| Ok(Some(error_of(design, &drawn, rows, &data.influence(&fit.inverse, &off, term))?.0));
        (0..terms).map(of).collect()
    }
}

impl Kernel for Ols {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let computed = self.computed(rows)?;
        let before: Vec<&[f64]> = computed.iter().map(Vec::as_slice).collect();
        let data = self.columns.read(rows, &before)?;
        let names = before.iter().map(|_| EXPENDITURE.to_owned()).chain(self.columns.names());
        let mut squares = LeastSquares::new(names.collect(), true);
        for (row, (y, w)) in rows.weighted().enumerate() {
            squares.add(data.row(row).iter().copied(), y, w);
        }
        let fit = match squares.fit() {
            Ok(fit) => Some(fit),
            Err(unfit) => self.columns.unfit(unfit)?,
        };
        let Some(fit) = fit else {
            sink.null();
            return Ok(());
        };
        let errors = self.errors(rows, &data, &fit)?;
        let away: Vec<f64> = data.means.iter().map(|m| -m).collect();
        let constant = product(&fit.coefficients, &away);
        let coefficients = std::iter::once(constant).chain(fit.coefficients.iter().skip(1).copied());
        let cells: Vec<Option<f64>> = coefficients
            .zip(errors)
            .enumerate()
            .flat_map(|(term, (c, se))| [Some(term as f64), Some(c), se, se.map(|se| c / se)])
            .collect();
        sink.row(&cells);
        Ok(())
    }
}
