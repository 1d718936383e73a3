//! How large the values of a function will be, from its arguments alone.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::kernels::length::length;
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit, TimestampNanosecondType,
};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

/// Bytes of the values that a call makes; upper bounds where exact ones cost more than the call.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Size {
    /// Of the largest value.
    pub(super) largest: u64,
    /// Of all values.
    pub(super) total: u64,
}

impl Size {
    fn add(&mut self, bytes: u64) {
        self.largest = self.largest.max(bytes);
        self.total = self.total.saturating_add(bytes);
    }
}

/// Works out the sizes. Arguments of a type it does not know have size 0: the function refuses them.
pub(super) type SizeOf = fn(&ScalarFunctionArgs) -> Result<Size, DataFusionError>;

/// `repeat(text, times)`.
pub(super) fn repeat(args: &ScalarFunctionArgs) -> Result<Size, DataFusionError> {
    let (texts, times) = (Numbers::lengths(args, 0)?, Numbers::values(args, 1)?);
    let bytes = |row| Some(times.positive(row)?.saturating_mul(texts.positive(row)?));
    Ok(sum(args, bytes))
}

/// `lpad(text, characters, fill)`: a character of the fill may have four bytes.
pub(super) fn pad(args: &ScalarFunctionArgs) -> Result<Size, DataFusionError> {
    let (texts, wanted) = (Numbers::lengths(args, 0)?, Numbers::values(args, 1)?);
    let widest = match args.args.get(2) {
        Some(ColumnarValue::Scalar(fill)) if fill.try_as_str().flatten().is_none_or(str::is_ascii) => 1,
        None => 1,
        Some(_) => 4,
    };
    // Not more than what is cut from the text and what is filled.
    let bytes = |row| {
        let wanted = wanted.positive(row)?;
        Some(wanted.saturating_mul(widest).saturating_add(texts.positive(row)?.min(wanted.saturating_mul(4))))
    };
    Ok(sum(args, bytes))
}

/// `replace(text, from, to)`: counted exactly where the upper bound is large.
pub(super) fn replace(args: &ScalarFunctionArgs) -> Result<Size, DataFusionError> {
    const LARGE: u64 = 64 << 20;
    let (texts, from, to) = (Numbers::lengths(args, 0)?, Numbers::lengths(args, 1)?, Numbers::lengths(args, 2)?);
    let bytes = |row| {
        let (text, from, to) = (texts.positive(row)?, from.positive(row)?, to.positive(row)?);
        let times = text.checked_div(from).unwrap_or_else(|| text.saturating_add(1));
        Some(text.saturating_add(times.saturating_mul(to.saturating_sub(from))))
    };
    let bound = sum(args, bytes);
    if bound.total <= LARGE {
        return Ok(bound);
    }
    let (Some(haystacks), Some(needles)) = (Texts::of(args, 0)?, Texts::of(args, 1)?) else { return Ok(bound) };
    let exact = |row| {
        let (text, needle, to) = (haystacks.get(row)?, needles.get(row)?, to.positive(row)?);
        let times = text.matches(needle).count() as u64;
        let grown = times.saturating_mul(to.saturating_sub(needle.len() as u64));
        Some((text.len() as u64).saturating_add(grown))
    };
    Ok(sum(args, exact))
}

/// `regexp_replace(text, pattern, by, flags)`: as if the pattern were found at every byte.
pub(super) fn regexp_replace(args: &ScalarFunctionArgs) -> Result<Size, DataFusionError> {
    let (texts, by) = (Numbers::lengths(args, 0)?, Numbers::lengths(args, 2)?);
    let patterns = Texts::of(args, 2)?;
    let once = match args.args.get(3) {
        None => true,
        Some(ColumnarValue::Scalar(flags)) => flags.try_as_str().flatten().is_none_or(|f| !f.contains('g')),
        Some(ColumnarValue::Array(_)) => false,
    };
    let bytes = |row| {
        let (text, by) = (texts.positive(row)?, by.positive(row)?);
        // What is found is put in again: of all places together it is no more than the text.
        let found = patterns.as_ref().and_then(|p| p.get(row)).map_or(0, |p| p.matches(['\\', '$']).count() as u64);
        let places = if once { 1 } else { text.saturating_add(1) };
        Some(text.saturating_mul(found.saturating_add(1)).saturating_add(places.saturating_mul(by)))
    };
    Ok(sum(args, bytes))
}

/// `concat(text, …)`.
pub(super) fn concat(args: &ScalarFunctionArgs) -> Result<Size, DataFusionError> {
    let parts: Vec<Numbers> = (0..args.args.len()).map(|i| Numbers::lengths(args, i)).collect::<Result<_, _>>()?;
    let bytes = |row| Some(parts.iter().filter_map(|p| p.positive(row)).fold(0u64, u64::saturating_add));
    Ok(sum(args, bytes))
}

/// `array_to_string(list, delimiter, null)`: the elements, and a delimiter or a text for NULL for each.
pub(super) fn array_to_string(args: &ScalarFunctionArgs) -> Result<Size, DataFusionError> {
    let Some(lists) = args.args.first() else { return Ok(Size::default()) };
    let lists = Column::of(lists)?;
    let lengths = Numbers::lengths(args, 0)?;
    let (glue, null) = (Numbers::lengths(args, 1)?, Numbers::lengths(args, 2)?);
    let bytes = |row| {
        // A number of eight bytes has up to 24 characters.
        let elements = lists.bytes(row).saturating_mul(3);
        let glue = glue.positive(row)?.saturating_add(null.positive(row).unwrap_or(0));
        Some(lengths.positive(row)?.saturating_mul(glue).saturating_add(elements))
    };
    Ok(sum(args, bytes))
}

/// `array_repeat(element, times)`.
pub(super) fn array_repeat(args: &ScalarFunctionArgs) -> Result<Size, DataFusionError> {
    let Some(element) = args.args.first() else { return Ok(Size::default()) };
    let (elements, times) = (Column::of(element)?, Numbers::values(args, 1)?);
    Ok(sum(args, |row| Some(times.positive(row)?.saturating_mul(elements.bytes(row).max(1)))))
}

/// `array_resize(list, length, element)`.
pub(super) fn array_resize(args: &ScalarFunctionArgs) -> Result<Size, DataFusionError> {
    let Some(ColumnarValue::Array(_) | ColumnarValue::Scalar(_)) = args.args.first() else {
        return Ok(Size::default());
    };
    let lengths = Numbers::values(args, 1)?;
    let fill = args.args.get(2).map(Column::of).transpose()?;
    let bytes = |row| {
        let element = fill.as_ref().map_or(0, |f| f.bytes(row)).max(8);
        Some(lengths.positive(row)?.saturating_mul(element))
    };
    Ok(sum(args, bytes))
}

/// `range(start, stop, step)` and `generate_series`, of numbers, dates and timestamps.
pub(super) fn range(args: &ScalarFunctionArgs) -> Result<Size, DataFusionError> {
    const ELEMENT: u64 = 8;
    let Some(first) = args.args.first().map(ColumnarValue::data_type) else { return Ok(Size::default()) };
    if first == DataType::Int64 || first == DataType::Null {
        let all: Vec<Numbers> = (0..args.args.len()).map(|i| Numbers::values(args, i)).collect::<Result<_, _>>()?;
        let bytes = |row| {
            let (start, stop, step) = match all.as_slice() {
                [stop] => (0, stop.get(row)?, 1),
                [start, stop] => (start.get(row)?, stop.get(row)?, 1),
                [start, stop, step] => (start.get(row)?, stop.get(row)?, step.get(row)?),
                _ => return None,
            };
            Some(steps(start.into(), stop.into(), step.into()).saturating_mul(ELEMENT))
        };
        return Ok(sum(args, bytes));
    }
    let day = i128::from(86_400_000_000_000_i64);
    let scale = match &first {
        DataType::Date32 | DataType::Date64 => day,
        DataType::Timestamp(_, _) => 1,
        _ => return Ok(Size::default()),
    };
    let (start, stop, step) = (Numbers::times(args, 0)?, Numbers::times(args, 1)?, Column::at(args, 2)?);
    let step = Column { values: cast(&step.values, &DataType::Interval(IntervalUnit::MonthDayNano))?, ..step };
    let step_values = step.values.as_primitive_opt::<IntervalMonthDayNanoType>();
    let bytes = |row| {
        let (months, days, nanos) = IntervalMonthDayNanoType::to_parts(step_values?.value(step.index(row)));
        let parts = [i128::from(months) * 28 * day, i128::from(days) * day, i128::from(nanos)];
        let mixed = parts.iter().any(|p| *p > 0) && parts.iter().any(|p| *p < 0);
        // Parts that work against one another may stand still.
        let step = if mixed { 1 } else { parts.iter().sum() };
        let (start, stop) = (i128::from(start.get(row)?) * scale, i128::from(stop.get(row)?) * scale);
        let (start, stop) = if mixed { (start.min(stop), start.max(stop)) } else { (start, stop) };
        Some(steps(start, stop, step).saturating_mul(ELEMENT))
    };
    Ok(sum(args, bytes))
}

/// Elements from `start` to `stop`, both counted.
fn steps(start: i128, stop: i128, step: i128) -> u64 {
    if step == 0 || (stop < start) != (step < 0) {
        return u64::from(start == stop);
    }
    u64::try_from((stop - start) / step + 1).unwrap_or(u64::MAX)
}

/// Rows that a call makes; one where every argument is constant.
fn rows(args: &ScalarFunctionArgs) -> usize {
    if args.args.iter().any(|a| matches!(a, ColumnarValue::Array(_))) { args.number_rows } else { 1 }
}

fn sum(args: &ScalarFunctionArgs, bytes: impl Fn(usize) -> Option<u64>) -> Size {
    let mut size = Size::default();
    (0..rows(args)).for_each(|row| size.add(bytes(row).unwrap_or(0)));
    size
}

fn cast(values: &ArrayRef, to: &DataType) -> Result<ArrayRef, DataFusionError> {
    Ok(cast_with_options(values, to, &CastOptions::default())?)
}

/// An argument: a column, or one value for all rows that is not spread over them.
struct Column {
    values: ArrayRef,
    constant: bool,
}

impl Column {
    fn of(argument: &ColumnarValue) -> Result<Self, DataFusionError> {
        Ok(match argument {
            ColumnarValue::Array(values) => Self { values: Arc::clone(values), constant: false },
            ColumnarValue::Scalar(value) => Self { values: value.to_array_of_size(1)?, constant: true },
        })
    }

    /// An argument, or NULL where it was left out.
    fn at(args: &ScalarFunctionArgs, at: usize) -> Result<Self, DataFusionError> {
        match args.args.get(at) {
            Some(argument) => Self::of(argument),
            None => Self::of(&ColumnarValue::Scalar(datafusion::common::ScalarValue::Null)),
        }
    }

    fn index(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    /// Bytes that the value of a row takes.
    fn bytes(&self, row: usize) -> u64 {
        if let Some(width) = self.values.data_type().primitive_width() {
            return width as u64;
        }
        let value = self.values.slice(self.index(row), 1).to_data();
        // Views say nothing of the bytes they point at.
        let viewed = value.get_slice_memory_size().unwrap_or(0);
        let text = length(self.values.slice(self.index(row), 1).as_ref()).ok();
        let text = text
            .and_then(|l| cast(&l, &DataType::Int64).ok())
            .map_or(0, |l| l.as_primitive_opt::<Int64Type>().filter(|l| l.is_valid(0)).map_or(0, |l| l.value(0)));
        (viewed as u64).max(u64::try_from(text).unwrap_or(0))
    }
}

/// An argument as whole numbers.
struct Numbers {
    values: Option<Int64Array>,
    constant: bool,
}

impl Numbers {
    fn of(column: Column, values: Option<ArrayRef>) -> Result<Self, DataFusionError> {
        let values = values.map(|v| cast(&v, &DataType::Int64)).transpose()?;
        Ok(Self { values: values.and_then(|v| v.as_primitive_opt().cloned()), constant: column.constant })
    }

    /// The values themselves.
    fn values(args: &ScalarFunctionArgs, at: usize) -> Result<Self, DataFusionError> {
        let column = Column::at(args, at)?;
        let values = column.values.data_type().is_integer().then(|| Arc::clone(&column.values));
        Self::of(column, values)
    }

    /// Bytes of texts, elements of lists.
    fn lengths(args: &ScalarFunctionArgs, at: usize) -> Result<Self, DataFusionError> {
        let column = Column::at(args, at)?;
        let values = length(column.values.as_ref()).ok();
        Self::of(column, values)
    }

    /// Days of dates, nanoseconds of timestamps.
    fn times(args: &ScalarFunctionArgs, at: usize) -> Result<Self, DataFusionError> {
        let column = Column::at(args, at)?;
        let values = match column.values.data_type() {
            DataType::Timestamp(_, zone) => {
                let nanos = cast(&column.values, &DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()))?;
                nanos.as_primitive_opt::<TimestampNanosecondType>().map(|n| n.values().iter().copied().collect())
            }
            DataType::Null => None,
            _ => {
                let days = cast(&column.values, &DataType::Date32)?;
                days.as_primitive_opt::<Date32Type>().map(|d| d.values().iter().map(|d| i64::from(*d)).collect())
            }
        };
        Ok(Self { values, constant: column.constant })
    }

    fn get(&self, row: usize) -> Option<i64> {
        let (values, row) = (self.values.as_ref()?, if self.constant { 0 } else { row });
        (row < values.len() && values.is_valid(row)).then(|| values.value(row))
    }

    /// The value; 0 for one below.
    fn positive(&self, row: usize) -> Option<u64> {
        Some(u64::try_from(self.get(row)?).unwrap_or(0))
    }
}

/// An argument as texts.
struct Texts {
    values: ArrayRef,
    constant: bool,
}

impl Texts {
    fn of(args: &ScalarFunctionArgs, at: usize) -> Result<Option<Self>, DataFusionError> {
        let column = Column::at(args, at)?;
        let texts = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View];
        if !texts.contains(column.values.data_type()) {
            return Ok(None);
        }
        Ok(Some(Self { values: cast(&column.values, &DataType::LargeUtf8)?, constant: column.constant }))
    }

    fn get(&self, row: usize) -> Option<&str> {
        let row = if self.constant { 0 } else { row };
        self.values.as_string_opt::<i64>().filter(|v| v.is_valid(row)).map(|v| v.value(row))
    }
}
