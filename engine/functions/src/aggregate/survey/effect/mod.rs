//! `transfer_effect`: from families to the nation, in one pass.
//!
//! All measures of all scales come from the same sorted households. What a survey's error
//! needs of them is kept by sampling unit, so the error of every measure and of every
//! difference is the variance of a short column.

mod accumulator;
mod call;
mod elasticity;
mod group;
mod lanes;
mod model;
mod names;
mod poverty;
mod replicate;
mod result;
mod side;
mod state;
mod store;
mod sums;
#[cfg(test)]
mod tests;
mod weights;

use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::{Accumulator, GroupsAccumulator};

use super::{DOMAIN, FPC, LONELY, METHOD, PSU, REPLICATES, SECTION, SEED, STRATUM};
use crate::aggregate::frame::{Given, Kind, Measure, Own, Parameter, Shape, Text, Work, number, option};
use accumulator::Effect;
use call::Call;

const NAME: &str = "transfer_effect";

pub(super) static TRANSFER_EFFECT: Measure = Measure {
    name: NAME,
    parameters: &[
        number("x", "Income of the household over a year, remittances included."),
        number("r", "Remittances it received, in the same unit; 0 for none. A household receives if they are above 0."),
        number("s", "Its equivalence scale, greater than 0: the number of persons for income per head."),
        Parameter {
            name: "z",
            kind: Kind::Line,
            optional: false,
            text: "Poverty line in the unit of x/s: a number, a column, or `relative(0.6, 'median')` of each distribution. Where it \
                 is NULL or not above zero in any row of a group, poverty is NULL and all else is given.",
        },
        Parameter {
            name: "w",
            kind: Kind::Weight,
            optional: false,
            text: "Weight of the household, 0 or more; for households that receive.",
        },
        Parameter {
            name: "n",
            kind: Kind::Weight,
            optional: false,
            text: "Its number of persons, 0 or more; w times n is the weight for all that is of persons.",
        },
        STRATUM,
        PSU,
        FPC,
        option(
            "captured",
            Kind::Number,
            "Remittances of the survey over those of the balance of payments, one number for a group; without it, or with NULL, \
             nothing is scaled.",
        ),
        option(
            "cell",
            Kind::Key,
            "Cell of calibration, such as region by size, an integer or a text; rows with NULL are a cell of their own. One cell \
             if left out.",
        ),
        option(
            "subcell",
            Kind::Key,
            "What tells cells of one name apart, such as a class of size, an integer or a text.",
        ),
        option(
            "counterfactual",
            Kind::Number,
            "Income the household would have without remittances, in the unit of x, instead of x - r; NULL for x - r.",
        ),
        option(
            "without_factor",
            Kind::Number,
            "What w is multiplied by in the distribution without remittances, 0 or more; NULL for 1. So households without \
             remittances stand for those that receive (inverse probability weighting); nothing is scaled then.",
        ),
        DOMAIN,
        LONELY,
        METHOD,
        REPLICATES,
        SEED,
        option(
            "line_share",
            Kind::Constant,
            "Says that z is this share of the median of income with remittances, so that errors take the line as estimated; \
             without it, or with NULL, as given.",
        ),
        option(
            "line_statistic",
            Kind::Choice(&["median", "mean"]),
            "Of which statistic z is `line_share`, 'median' if left out.",
        ),
    ],
    shape: |_| Shape::Structs(result::FIELDS),
    work: Work::Own(&Effects),
    text: Text {
        section: SECTION,
        syntax: "transfer_effect(x, r, s, z, w, n [, stratum] [, psu] [, fpc] [, captured => share] [, cell => name] [, subcell => name] [, counterfactual => amount] [, without_factor => factor] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0] [, line_share => share] [, line_statistic => 'median'])",
        description: "What remittances do to income, poverty and inequality, with design-based errors, as the survey has them and \
             scaled to the national total: the measures of `svy_mean`, `svy_fgt` and `svy_gini` and their differences, and the \
             elasticity of `gini_by_source`, in one pass. With remittances the income of a person is x/s, without them (x - r)/s \
             or counterfactual/s; a negative one is kept as it is.\n\n\
             A list of structs, `unnest` makes rows of it. `scale`: 'survey', as observed; and where `captured` is a share c: \
             'amount', every remittance divided by c, weights as they are; 'weight', amounts as they are and weights \
             calibrated so that their total is divided by c; 'both', amounts divided by the root of c and weights calibrated for \
             the rest. Calibration is linear (Deville and Särndal 1992): a weight is multiplied by g = 1 + λ(r - the mean of r in \
             its cell), so the households of each cell stay as many as they were. `measure`: 'receiving_households' and \
             'receiving_persons', shares; 'mean', in the unit of x/s; 'headcount', 'gap' and 'severity', `fgt` of 0, 1 and 2; \
             'gini'; of the survey's scale 'gini_elasticity', the relative change of the Gini coefficient when remittances grow by \
             one percent.\n\n\
             `with` and `without` are the measure with and without remittances (0 without, for shares and the elasticity), \
             `difference` the first less the second; `se_with`, `se_without` and `se` their errors, the last from the difference \
             of influences unit by unit, units with replacement within strata; a relative line, and one with `line_share`, is part of them, with densities taken as for `svy_quantile` (Osier 2009); ci_low and ci_high the 95 % interval of the \
             difference by Student's t; df, units less strata; n, households. Errors take captured, g and factors as fixed. `g_min` and \
             `g_max` are the least and largest g, `deff` what calibration multiplies Kish's effect of unequal weights by, \
             n Σ(wg)²/(Σwg)² over n Σw²/(Σw)²: 1 where weights stay. `lonely` is the number of strata with one unit. `status` says why numbers are NULL, such as \
             negative calibration weights, by which a share need not lie between 0 and 1.\n\n\
             Replicates of `method` are those of `svy_gini` and the like: the same seed gives the same draws. Rows with a NULL in \
             x, r, s, w, n or the design, or with w or n 0, are left out; without rows the answer is NULL. NaN, infinite values, \
             negative weights, scales of zero or less, and different numbers as `captured` in a group are errors.",
        example: "> select e['measure'], e['with'], e['without'], round(e['se'], 6) from (select unnest(transfer_effect(x, r, 1, 4, w, n)) as e from (values (5.0, 2.0, 1.0, 1), (3.0, 0.0, 1.0, 2), (6.0, 1.0, 1.0, 1), (9.0, 0.0, 1.0, 2)) as t(x, r, w, n)) where e['measure'] in ('headcount', 'gini');\nheadcount, 0.3333333333333333, 0.5, 0.187028\ngini, 0.23333333333333334, 0.2604166666666667, 0.045954",
    },
};

/// Makes the accumulators.
#[derive(Debug)]
struct Effects;

impl Own for Effects {
    fn states(&self) -> Vec<DataType> {
        state::types()
    }

    fn single(&self, given: &Given) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Effect::new(Call::new(given)?)))
    }

    fn groups(&self, given: &Given) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Effect::new(Call::new(given)?)))
    }
}
