//! `svy_mean_difference`, `svy_fgt_difference`, `svy_gini_difference`: two variables of the same rows.

use datafusion_common::Result;

use super::estimate::Whole;
use super::inequality::Gini;
use super::means::Moment;
use super::poverty::{ALPHA, LINE, Poverty};
use super::{DOMAIN, Estimator, FPC, LONELY, METHOD, PSU, REPLICATES, SECTION, SEED, SHAPE, STRATUM, W, difference};
use crate::aggregate::frame::{Given, Kind, Measure, Parameter, Rows, Text, Work};

const WITH: Parameter = Parameter {
    name: "y_with",
    kind: Kind::Nullable,
    optional: false,
    text: "The variable as it is, such as income with remittances.",
};
const WITHOUT: Parameter = Parameter {
    name: "y_without",
    kind: Kind::Nullable,
    optional: false,
    text: "What it is compared with, such as income without them. A row with NULL in either is outside the domain.",
};

/// What differences have in common.
macro_rules! difference_rule {
    () => {
        " Both are of the same rows, so the error is that of the difference of influences, row by row, and not made of the two errors: where the variables go together it is far smaller."
    };
}

pub(super) static SVY_MEAN_DIFFERENCE: Measure = Measure {
    name: "svy_mean_difference",
    parameters: &[WITH, WITHOUT, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given| difference(given, Moment::Mean)),
    text: Text {
        section: SECTION,
        syntax: "svy_mean_difference(y_with, y_without, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "Mean of `y_with` less the mean of `y_without`, in their unit.",
            difference_rule!(),
            super::design_rule!()
        ),
        example: "> select s['estimate'], s['se'] from (select svy_mean_difference(a, b, w) as s from (values (1.0, 1.0, 1.0), (5.0, 3.0, 1.0)) as t(a, b, w));\n1.0, 1.0",
    },
};

pub(super) static SVY_FGT_DIFFERENCE: Measure = Measure {
    name: "svy_fgt_difference",
    parameters: &[WITH, WITHOUT, LINE, ALPHA, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| {
        let alpha = given.required("alpha", "expected a number of 0 or more", |a| a >= 0.0)?;
        difference(given, Poverty::new(given, Some(alpha))?)
    }),
    text: Text {
        section: SECTION,
        syntax: "svy_fgt_difference(y_with, y_without, line, alpha, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "Poverty by `fgt` of `y_with` less that of `y_without`: negative where remittances lower poverty. A relative line is \
             that of each variable, so it moves too; for one line give a number or a column. NULL if a line is zero or less.",
            difference_rule!(),
            super::design_rule!()
        ),
        example: "> select s['estimate'], s['se'] from (select svy_fgt_difference(a, b, 4, 0, w) as s from (values (5.0, 3.0, 1.0), (3.0, 3.0, 1.0), (6.0, 5.0, 1.0), (9.0, 9.0, 1.0)) as t(a, b, w));\n-0.25, 0.25",
    },
};

pub(super) static SVY_GINI_DIFFERENCE: Measure = Measure {
    name: "svy_gini_difference",
    parameters: &[WITH, WITHOUT, W, STRATUM, PSU, FPC, DOMAIN, LONELY, METHOD, REPLICATES, SEED],
    shape: SHAPE,
    work: Work::Rows(|given| difference(given, Gini)),
    text: Text {
        section: SECTION,
        syntax: "svy_gini_difference(y_with, y_without, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "Gini coefficient of `y_with` less that of `y_without`: negative where remittances lower inequality. NULL if the mean \
             of either is zero or negative.",
            difference_rule!(),
            super::design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_gini_difference(a, b, w) as s from (values (3.0, 1.0, 1.0), (3.0, 3.0, 1.0)) as t(a, b, w));\n-0.25",
    },
};

/// Estimates of the first two columns, and the order that the rows of the second were in.
pub(super) fn pair(
    estimator: &impl Estimator,
    rows: &Rows<'_>,
    inside: impl Fn(usize) -> bool,
) -> Result<Option<(Whole, Whole, Vec<usize>)>> {
    both(rows, inside, |rows, inside, _| Whole::of(estimator, rows, inside))
}

/// Something of each of the first two columns, and the order that the rows of the second were in. It is made of
/// rows in ascending order, of which are inside, and which row of all is at each place.
pub(super) fn both<T>(
    rows: &Rows<'_>,
    inside: impl Fn(usize) -> bool,
    of: impl Fn(&Rows<'_>, &dyn Fn(usize) -> bool, &dyn Fn(usize) -> usize) -> Result<Option<T>>,
) -> Result<Option<(T, T, Vec<usize>)>> {
    let (first, second) = (rows.values(), rows.column(1));
    let known = |column: &[f64], row: usize| column.get(row).is_some_and(|y| !y.is_nan());
    let both = |row: usize| known(first, row) && known(second, row) && inside(row);
    let Some(one) = of(rows, &both, &|row| row)? else { return Ok(None) };
    let mut columns = rows.columns().to_vec();
    columns.swap(0, 1);
    let turned = Turned::new(&columns, |row| rows.weight(row));
    let slices = turned.slices();
    let row = |place: usize| turned.order.get(place).copied().unwrap_or(usize::MAX);
    let other = of(&Rows::new(&slices, Some(&turned.weights)), &|place| both(row(place)), &row)?;
    Ok(other.map(|other| (one, other, turned.order)))
}

/// Rows in the ascending order of their first column.
pub(super) struct Turned {
    columns: Vec<Vec<f64>>,
    pub(super) weights: Vec<f64>,
    /// Which row is at each place.
    order: Vec<usize>,
}

impl Turned {
    /// Sorts; rows that tie stay in their order.
    pub(super) fn new(columns: &[&[f64]], weight: impl Fn(usize) -> f64) -> Self {
        let keys = columns.first().copied().unwrap_or_default();
        let key = |row: &usize| keys.get(*row).copied().unwrap_or(f64::NAN);
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by(|a, b| key(a).total_cmp(&key(b)));
        let turn = |column: &&[f64]| order.iter().filter_map(|row| column.get(*row).copied()).collect();
        Self {
            columns: columns.iter().map(turn).collect(),
            weights: order.iter().map(|row| weight(*row)).collect(),
            order,
        }
    }

    /// The columns as rows take them.
    pub(super) fn slices(&self) -> Vec<&[f64]> {
        self.columns.iter().map(Vec::as_slice).collect()
    }
}
