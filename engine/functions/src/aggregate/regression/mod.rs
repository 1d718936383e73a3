//! `corr`, `covar_*` and `regr_*`, in place of the engine's own.
//!
//! There grouped correlation takes differences of raw sums of squares, which far from
//! zero leaves nothing, and grouped covariance and regression keep an object a group.
//! Here all of them keep the same eight numbers a group, and with and without groups the
//! same code computes them.

mod groups;
mod moments;
mod ols;
mod single;
mod statistic;

use std::sync::Arc;

use super::frame::{Measure, state_type};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::Result;
use datafusion_doc::{DocSection, Documentation};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};
use groups::PairGroups;
use moments::Moments;
use single::PairAccumulator;
use statistic::Statistic;

/// Those with several covariates, which keep rows.
pub(super) const MEASURES: &[&Measure] = &[&ols::OLS, &ols::WORKING_LESER];

/// The functions of pairs.
pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    Statistic::ALL.into_iter().map(|s| Arc::new(AggregateUDF::from(Regression::new(s)))).collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Regression {
    statistic: Statistic,
    aliases: Vec<String>,
    signature: Signature,
    documentation: Documentation,
}

impl Regression {
    fn new(statistic: Statistic) -> Self {
        let types = vec![DataType::Float64, DataType::Float64];
        let signature = Signature::exact(types, Volatility::Immutable);
        // Two names for two arguments are never refused.
        let signature = signature.clone().with_parameter_names(vec!["y", "x"]).unwrap_or(signature);
        let section = DocSection { include: true, label: "Regression", description: None };
        let name = statistic.name();
        let (meaning, example) = statistic.text();
        let description = format!(
            "{meaning} Pairs with a NULL are left out; without pairs the answer is {}. Means and squares are kept around \
             the running mean, relative to the first pair (Welford 1962; Chan, Golub and LeVeque 1983), so values far from zero lose no digits.",
            if statistic == Statistic::Count { "0" } else { "NULL" }
        );
        let documentation = Documentation::builder(section, description, format!("{name}(y, x)"))
            .with_sql_example(format!("```sql\n> select {name}(y, x) from (values (1.0, 1.0), (2.0, 2.0), (6.0, 3.0)) as t(y, x);\n{example}\n```"))
            .with_argument("y", "The dependent variable, a number.")
            .with_argument("x", "The independent variable, a number.")
            .build();
        let aliases = if statistic == Statistic::CovarSamp { vec!["covar".to_owned()] } else { Vec::new() };
        Self { statistic, aliases, signature, documentation }
    }
}

impl AggregateUDFImpl for Regression {
    fn name(&self) -> &str {
        self.statistic.name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(if self.statistic == Statistic::Count { DataType::UInt64 } else { DataType::Float64 })
    }

    fn default_value(&self, _: &DataType) -> Result<datafusion_common::ScalarValue> {
        self.statistic.scalar(&Moments::default())
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |part: &str| Arc::new(Field::new(format_state_name(args.name, part), DataType::Float64, true));
        if args.is_distinct {
            let pair = |part: &str| Arc::new(field(part).as_ref().clone().with_data_type(state_type()));
            return Ok(["y", "x"].into_iter().map(pair).collect());
        }
        Ok(Moments::PARTS.into_iter().map(field).collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(if args.is_distinct {
            Box::new(single::DistinctPairs::new(self.statistic))
        } else {
            Box::new(PairAccumulator::new(self.statistic))
        })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(PairGroups::new(self.statistic)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
