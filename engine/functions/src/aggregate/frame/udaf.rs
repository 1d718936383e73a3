//! A measure as DataFusion knows aggregate functions.

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, internal_err, plan_err};
use datafusion_doc::Documentation;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};
use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::accumulator::{Maker, RowsAccumulator};
use super::groups::RowsGroups;
use super::intake::Intake;
use super::lists::state_type;
use super::sums::{Summed, SumsAccumulator, SumsMaker};
use super::sums_groups::SumsGroups;
use super::{Given, Kernel, Kind, Measure, Own, Work};
use crate::aggregate::approximate::{STATES, Sketch};

#[derive(Debug)]
struct MeasureUdf {
    measure: &'static Measure,
    signature: Signature,
    documentation: Documentation,
}

/// The aggregate function of a measure.
pub(crate) fn udaf(measure: &'static Measure) -> Arc<AggregateUDF> {
    let names: Vec<&str> = measure.parameters.iter().map(|p| p.name).collect();
    let signature = Signature::user_defined(Volatility::Immutable);
    // Names are refused only if one stands twice, which a test looks for.
    let signature = signature.clone().with_parameter_names(names).unwrap_or(signature);
    Arc::new(AggregateUDF::from(MeasureUdf { measure, signature, documentation: measure.documentation() }))
}

/// The name says which function it is.
impl PartialEq for MeasureUdf {
    fn eq(&self, other: &Self) -> bool {
        self.measure.name == other.measure.name
    }
}

impl Eq for MeasureUdf {}

impl Hash for MeasureUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.measure.name.hash(state);
    }
}

/// What is made for a call: it keeps sums or rows.
enum Made {
    Sums(Intake, SumsMaker),
    Rows(Intake, Maker),
    Sketch(Sketch),
}

impl MeasureUdf {
    fn make(&self, args: &AccumulatorArgs<'_>) -> Result<Made> {
        let given = Given::new(self.measure, args)?;
        let types: Vec<DataType> = args.expr_fields.iter().map(|f| f.data_type().clone()).collect();
        let intake = Intake::new(&given);
        let shape = (self.measure.shape)(&types);
        let sources = self.measure.parameters.iter().filter(|p| p.kind == Kind::Sources);
        let labels = sources.flat_map(|p| given.labels(p.name)).map(Cow::Owned).collect();
        let weighted = given.weighted();
        let keeps_sums = self.measure.sums(&types, args.is_distinct).is_some();
        let kernel: Box<dyn Kernel> = match self.measure.work {
            Work::Sums(width, make) | Work::Line(width, make, _) if keeps_sums => {
                let sums = make(&given)?;
                return Ok(Made::Sums(intake, SumsMaker { sums, width, shape, labels, weighted }));
            }
            Work::Sketch(_) if args.is_distinct => {
                return plan_err!("`{}` does not know DISTINCT rows; the exact measure does", self.measure.name);
            }
            Work::Sketch(finish) => return Ok(Made::Sketch(Sketch::new(intake, finish))),
            Work::Own(_) => return internal_err!("`{}` has accumulators of its own", self.measure.name),
            Work::Rows(make) => make(&given)?,
            Work::Line(_, _, make) if self.measure.relative(&types) => make(&given)?,
            Work::Sums(width, make) | Work::Line(width, make, _) => Box::new(Summed(make(&given)?, width)),
        };
        Ok(Made::Rows(intake, Maker { kernel, shape, labels, weighted, distinct: args.is_distinct }))
    }

    /// The accumulators of its own, if it has some, and the call.
    fn own(&self, args: &AccumulatorArgs<'_>) -> Result<Option<(&'static dyn Own, Given)>> {
        let Work::Own(own) = self.measure.work else { return Ok(None) };
        if args.is_distinct {
            return plan_err!("`{}` does not know DISTINCT rows; select them before", self.measure.name);
        }
        Ok(Some((own, Given::new(self.measure, args)?)))
    }

    fn sketched(&self) -> bool {
        matches!(self.measure.work, Work::Sketch(_))
    }

    /// The columns that rows are kept in.
    fn width(&self, types: &[DataType]) -> usize {
        let width = |(parameter, data_type): (&super::Parameter, &DataType)| match parameter.kind {
            _ if data_type.is_null() => 0,
            Kind::Number | Kind::Nullable | Kind::Truth | Kind::Weight => 1,
            Kind::Line => usize::from(data_type.is_numeric()),
            Kind::Key => 2,
            Kind::Sources => match data_type {
                DataType::Struct(fields) => fields.len(),
                _ => 0,
            },
            Kind::Constant | Kind::Constants | Kind::Flag | Kind::Choice(_) => 0,
        };
        self.measure.parameters.iter().zip(types).map(width).sum()
    }
}

impl AggregateUDFImpl for MeasureUdf {
    fn name(&self) -> &str {
        self.measure.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.measure.coerced(arg_types)
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok((self.measure.shape)(arg_types).data_type())
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let types: Vec<DataType> = args.input_fields.iter().map(|f| f.data_type().clone()).collect();
        let field = |n: usize, data_type: DataType| {
            let name = format_state_name(args.name, &format!("{}_{n}", self.measure.name));
            Arc::new(Field::new(name, data_type, true))
        };
        if let Work::Own(own) = self.measure.work {
            return Ok(own.states().into_iter().enumerate().map(|(n, data_type)| field(n, data_type)).collect());
        }
        let (count, data_type) = match self.measure.sums(&types, args.is_distinct) {
            Some(width) => (2 * width + 1, DataType::Float64),
            None if self.sketched() => (STATES, state_type()),
            None => (self.width(&types), state_type()),
        };
        Ok((0..count).map(|n| field(n, data_type.clone())).collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if let Some((own, given)) = self.own(&args)? {
            return own.single(&given);
        }
        Ok(match self.make(&args)? {
            Made::Sums(intake, maker) => Box::new(SumsAccumulator::new(intake, maker)),
            Made::Rows(intake, maker) => Box::new(RowsAccumulator::new(intake, maker)),
            Made::Sketch(sketch) => Box::new(sketch),
        })
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        !self.sketched()
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        if let Some((own, given)) = self.own(&args)? {
            return own.groups(&given);
        }
        Ok(match self.make(&args)? {
            Made::Sums(intake, maker) => Box::new(SumsGroups::new(intake, maker)),
            Made::Rows(intake, maker) => Box::new(RowsGroups::new(intake, maker)),
            Made::Sketch(_) => return internal_err!("`{}` has an accumulator for each group", self.measure.name),
        })
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
