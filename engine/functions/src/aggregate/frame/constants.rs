//! How a measure was called: which columns it has, and the arguments of the whole call.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type};
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::ColumnarValue;
use datafusion_expr::function::AccumulatorArgs;

use super::refuse;
use super::{Kind, Measure};

/// A call of a measure.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) measure: &'static Measure,
    types: Vec<DataType>,
    constants: Vec<Option<ScalarValue>>,
}

impl Given {
    /// Reads the call; an argument of the whole call that is a column is an error.
    pub(crate) fn new(measure: &'static Measure, args: &AccumulatorArgs<'_>) -> Result<Self> {
        let types = args.expr_fields.iter().map(|f| f.data_type().clone()).collect::<Vec<_>>();
        let empty = RecordBatch::new_empty(Arc::new(args.schema.clone()));
        let mut constants = Vec::with_capacity(measure.parameters.len());
        for ((parameter, expr), data_type) in measure.parameters.iter().zip(args.exprs).zip(&types) {
            let line = parameter.kind == Kind::Line;
            let whole = match parameter.kind {
                Kind::Constant | Kind::Constants | Kind::Flag | Kind::Choice(_) => true,
                _ => matches!(data_type, DataType::Struct(_)) && line,
            };
            constants.push(match expr.evaluate(&empty) {
                Ok(ColumnarValue::Scalar(value)) if whole || line => Some(value).filter(|v| !v.is_null()),
                _ if whole => {
                    return exec_err!(
                        "`{}` takes one value of `{}` for the whole call, not a column",
                        measure.name,
                        parameter.name
                    );
                }
                _ => None,
            });
        }
        Ok(Self { measure, types, constants })
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.measure.parameters.iter().position(|p| p.name == name)
    }

    fn constant(&self, name: &str) -> Option<&ScalarValue> {
        self.constants.get(self.place(name)?)?.as_ref()
    }

    /// Whether an argument of the whole call was given.
    pub(crate) fn given(&self, name: &str) -> bool {
        self.place(name).and_then(|p| self.types.get(p)).is_some_and(|t| !t.is_null())
    }

    /// How many columns of the kernel an argument has.
    pub(crate) fn width(&self, place: usize) -> usize {
        let Some(data_type) = self.types.get(place).filter(|t| !t.is_null()) else { return 0 };
        match self.measure.parameters.get(place).map(|p| p.kind) {
            Some(Kind::Number | Kind::Nullable | Kind::Truth) => 1,
            Some(Kind::Line) => usize::from(data_type.is_numeric()),
            Some(Kind::Key) => 2,
            Some(Kind::Sources) => match data_type {
                DataType::Struct(fields) => fields.len(),
                _ => 0,
            },
            _ => 0,
        }
    }

    /// The place of an argument's first column in the kernel's rows, if it was given.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        let place = self.place(name)?;
        (self.width(place) > 0).then(|| (0..place).map(|p| self.width(p)).sum())
    }

    /// Whether there are weights.
    pub(crate) fn weighted(&self) -> bool {
        let given = |(p, t): (&super::Parameter, &DataType)| p.kind == Kind::Weight && !t.is_null();
        self.measure.parameters.iter().zip(&self.types).any(given)
    }

    /// The names of a struct's fields.
    pub(crate) fn labels(&self, name: &str) -> Vec<String> {
        match self.place(name).and_then(|p| self.types.get(p)) {
            Some(DataType::Struct(fields)) => fields.iter().map(|f| f.name().clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// A number of the whole call, finite.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>> {
        let Some(value) = self.constant(name) else { return Ok(None) };
        match value.cast_to(&DataType::Float64)? {
            ScalarValue::Float64(Some(number)) if number.is_finite() => Ok(Some(number)),
            other => refuse(self.measure.name, name, other, "expected a finite number"),
        }
    }

    /// A number of the whole call that has to be there and to pass a test.
    pub(crate) fn required(&self, name: &str, allowed: &str, test: fn(f64) -> bool) -> Result<f64> {
        match self.number(name)? {
            Some(number) if test(number) => Ok(number),
            Some(number) => refuse(self.measure.name, name, number, allowed),
            None => refuse(self.measure.name, name, "NULL", allowed),
        }
    }

    /// A number or list of numbers of the whole call, each of which has to pass a test.
    pub(crate) fn numbers(&self, name: &str, allowed: &str, test: fn(f64) -> bool) -> Result<Vec<f64>> {
        let array = match self.constant(name) {
            Some(ScalarValue::List(list)) => list.value(0),
            Some(_) => return Ok(vec![self.required(name, allowed, test)?]),
            None => return refuse(self.measure.name, name, "NULL", allowed),
        };
        let numbers = array.as_primitive::<Float64Type>();
        let check = |number: Option<f64>| match number {
            Some(number) if number.is_finite() && test(number) => Ok(number),
            Some(number) => refuse(self.measure.name, name, number, allowed),
            None => refuse(self.measure.name, name, "NULL", allowed),
        };
        numbers.iter().map(check).collect()
    }

    /// Whether a flag was set.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.constant(name), Some(ScalarValue::Boolean(Some(true))))
    }

    /// The word given, if any; a word that is none of the choices is an error.
    pub(crate) fn choice(&self, name: &str) -> Result<Option<&'static str>> {
        let Some(text) = self.constant(name).and_then(|c| c.try_as_str().flatten()) else { return Ok(None) };
        let kind = self.place(name).and_then(|p| self.measure.parameters.get(p)).map(|p| p.kind);
        let Some(Kind::Choice(words)) = kind else { return Ok(None) };
        match words.iter().find(|w| **w == text) {
            Some(word) => Ok(Some(word)),
            None => {
                let words: Vec<String> = words.iter().map(|w| format!("'{w}'")).collect();
                refuse(self.measure.name, name, format!("'{text}'"), &format!("expected {}", words.join(" or ")))
            }
        }
    }

    /// The relative poverty line: share and statistic.
    pub(crate) fn relative(&self, name: &str) -> Option<(f64, String)> {
        let Some(ScalarValue::Struct(line)) = self.constant(name) else { return None };
        let share = line.column_by_name("share")?.as_primitive_opt::<Float64Type>()?.value(0);
        let statistic = line.column_by_name("statistic")?.as_string_view_opt()?.value(0).to_owned();
        Some((share, statistic))
    }
}
