//! Arrow's arrays of one subject behind one reader each.

use arrow::array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalYearMonthType, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::array::{
    Array, AsArray, BinaryViewArray, FixedSizeBinaryArray, FixedSizeListArray, GenericBinaryArray, GenericStringArray,
    StringViewArray,
};
use arrow::datatypes::{DataType, IntervalDayTime, IntervalMonthDayNano, IntervalUnit, TimeUnit, i256};

use super::interval::Span;
use super::numeric::Digits;

/// The values of a primitive array, nulls and all.
pub(super) fn values<T: ArrowPrimitiveType>(array: &dyn Array) -> Option<&[T::Native]> {
    Some(array.as_primitive_opt::<T>()?.values())
}

/// Whole numbers of any width; those of 64 unsigned bits are the same bits, signed.
pub(super) enum Ints<'a> {
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
}

impl<'a> Ints<'a> {
    pub(super) fn of(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Int8 => Self::I8(values::<Int8Type>(array)?),
            DataType::Int16 => Self::I16(values::<Int16Type>(array)?),
            DataType::Int32 => Self::I32(values::<Int32Type>(array)?),
            DataType::Int64 => Self::I64(values::<Int64Type>(array)?),
            DataType::UInt8 => Self::U8(values::<UInt8Type>(array)?),
            DataType::UInt16 => Self::U16(values::<UInt16Type>(array)?),
            DataType::UInt32 => Self::U32(values::<UInt32Type>(array)?),
            DataType::UInt64 => Self::U64(values::<UInt64Type>(array)?),
            _ => return None,
        })
    }

    #[inline]
    pub(super) fn get(&self, i: usize) -> i64 {
        match self {
            Self::I8(values) => i64::from(values[i]),
            Self::I16(values) => i64::from(values[i]),
            Self::I32(values) => i64::from(values[i]),
            Self::I64(values) => values[i],
            Self::U8(values) => i64::from(values[i]),
            Self::U16(values) => i64::from(values[i]),
            Self::U32(values) => i64::from(values[i]),
            Self::U64(values) => values[i] as i64,
        }
    }

    /// How many of the ends of runs, in ascending order, are not beyond `last`.
    pub(super) fn up_to(&self, last: i64) -> usize {
        match self {
            Self::I16(ends) => ends.partition_point(|end| i64::from(*end) <= last),
            Self::I32(ends) => ends.partition_point(|end| i64::from(*end) <= last),
            Self::I64(ends) => ends.partition_point(|end| *end <= last),
            _ => 0,
        }
    }
}

/// Text or bytes in any of Arrow's layouts.
pub(super) enum Bytes<'a> {
    Text(&'a GenericStringArray<i32>),
    LargeText(&'a GenericStringArray<i64>),
    TextView(&'a StringViewArray),
    Raw(&'a GenericBinaryArray<i32>),
    LargeRaw(&'a GenericBinaryArray<i64>),
    RawView(&'a BinaryViewArray),
    Fixed(&'a FixedSizeBinaryArray),
}

impl<'a> Bytes<'a> {
    pub(super) fn of(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string_opt()?),
            DataType::LargeUtf8 => Self::LargeText(array.as_string_opt()?),
            DataType::Utf8View => Self::TextView(array.as_string_view_opt()?),
            DataType::Binary => Self::Raw(array.as_binary_opt()?),
            DataType::LargeBinary => Self::LargeRaw(array.as_binary_opt()?),
            DataType::BinaryView => Self::RawView(array.as_binary_view_opt()?),
            DataType::FixedSizeBinary(_) => Self::Fixed(array.as_fixed_size_binary_opt()?),
            _ => return None,
        })
    }

    #[inline]
    pub(super) fn get(&self, i: usize) -> &'a [u8] {
        match self {
            Self::Text(array) => array.value(i).as_bytes(),
            Self::LargeText(array) => array.value(i).as_bytes(),
            Self::TextView(array) => array.value(i).as_bytes(),
            Self::Raw(array) => array.value(i),
            Self::LargeRaw(array) => array.value(i),
            Self::RawView(array) => array.value(i),
            Self::Fixed(array) => array.value(i),
        }
    }

    /// The bytes of some rows together, roughly.
    pub(super) fn total(&self, rows: &std::ops::Range<usize>) -> usize {
        match self {
            Self::Text(array) => (array.value_offsets()[rows.end] - array.value_offsets()[rows.start]) as usize,
            Self::LargeText(array) => (array.value_offsets()[rows.end] - array.value_offsets()[rows.start]) as usize,
            Self::Raw(array) => (array.value_offsets()[rows.end] - array.value_offsets()[rows.start]) as usize,
            Self::LargeRaw(array) => (array.value_offsets()[rows.end] - array.value_offsets()[rows.start]) as usize,
            // The length is the low half of a view.
            Self::TextView(array) => array.views()[rows.clone()].iter().map(|view| *view as u32 as usize).sum(),
            Self::RawView(array) => array.views()[rows.clone()].iter().map(|view| *view as u32 as usize).sum(),
            Self::Fixed(array) => usize::try_from(array.value_length()).unwrap_or(0) * rows.len(),
        }
    }
}

/// Decimals of any width, and whole numbers that need one.
pub(super) enum Decimals<'a> {
    Whole(&'a [u64]),
    D32(&'a [i32], i8),
    D64(&'a [i64], i8),
    D128(&'a [i128], i8),
    D256(&'a [i256], i8),
}

impl<'a> Decimals<'a> {
    pub(super) fn of(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::UInt64 => Self::Whole(values::<UInt64Type>(array)?),
            DataType::Decimal32(_, scale) => Self::D32(values::<Decimal32Type>(array)?, *scale),
            DataType::Decimal64(_, scale) => Self::D64(values::<Decimal64Type>(array)?, *scale),
            DataType::Decimal128(_, scale) => Self::D128(values::<Decimal128Type>(array)?, *scale),
            DataType::Decimal256(_, scale) => Self::D256(values::<Decimal256Type>(array)?, *scale),
            _ => return None,
        })
    }

    /// Whether it is negative, its digits and its scale.
    pub(super) fn get(&self, i: usize) -> (bool, Digits, i8) {
        match self {
            Self::Whole(values) => (false, Digits::of_u64(values[i]), 0),
            Self::D32(values, scale) => (values[i] < 0, Digits::of_u64(values[i].unsigned_abs().into()), *scale),
            Self::D64(values, scale) => (values[i] < 0, Digits::of_u64(values[i].unsigned_abs()), *scale),
            Self::D128(values, scale) => (values[i] < 0, Digits::of_u128(values[i].unsigned_abs()), *scale),
            Self::D256(values, scale) => (values[i].is_negative(), Digits::of_i256(values[i]), *scale),
        }
    }
}

/// Counts of a unit of time: dates, times, timestamps and durations.
pub(super) enum Ticks<'a> {
    I32(&'a [i32], i64),
    /// Each is so many microseconds.
    I64(&'a [i64], i64),
    Nanos(&'a [i64]),
}

impl<'a> Ticks<'a> {
    /// Dates are counted in days where they are of 32 bits, else in milliseconds.
    pub(super) fn of(array: &'a dyn Array) -> Option<Self> {
        use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
        const MILLIS: i64 = 1000;
        const SECONDS: i64 = 1_000_000;
        Some(match array.data_type() {
            DataType::Date32 => Self::I32(values::<Date32Type>(array)?, super::time::MICROS_PER_DAY),
            DataType::Date64 => Self::I64(values::<Date64Type>(array)?, MILLIS),
            DataType::Time32(Second) => Self::I32(values::<Time32SecondType>(array)?, SECONDS),
            DataType::Time32(_) => Self::I32(values::<Time32MillisecondType>(array)?, MILLIS),
            DataType::Time64(Microsecond) => Self::I64(values::<Time64MicrosecondType>(array)?, 1),
            DataType::Time64(_) => Self::Nanos(values::<Time64NanosecondType>(array)?),
            DataType::Timestamp(Second, _) => Self::I64(values::<TimestampSecondType>(array)?, SECONDS),
            DataType::Timestamp(Millisecond, _) => Self::I64(values::<TimestampMillisecondType>(array)?, MILLIS),
            DataType::Timestamp(Microsecond, _) => Self::I64(values::<TimestampMicrosecondType>(array)?, 1),
            DataType::Timestamp(Nanosecond, _) => Self::Nanos(values::<TimestampNanosecondType>(array)?),
            DataType::Duration(Second) => Self::I64(values::<DurationSecondType>(array)?, SECONDS),
            DataType::Duration(Millisecond) => Self::I64(values::<DurationMillisecondType>(array)?, MILLIS),
            DataType::Duration(Microsecond) => Self::I64(values::<DurationMicrosecondType>(array)?, 1),
            DataType::Duration(Nanosecond) => Self::Nanos(values::<DurationNanosecondType>(array)?),
            _ => return None,
        })
    }

    /// In microseconds; `None` where they do not fit. The greatest and the least count stay
    /// what they are: infinity.
    #[inline]
    pub(super) fn micros(&self, i: usize) -> Option<i64> {
        match self {
            Self::I32(values, unit) => i64::from(values[i]).checked_mul(*unit),
            Self::I64(values, 1) => Some(values[i]),
            Self::I64(values, unit) => match values[i] {
                infinite @ (i64::MIN | i64::MAX) => Some(infinite),
                count => count.checked_mul(*unit),
            },
            Self::Nanos(values) => match values[i] {
                infinite @ (i64::MIN | i64::MAX) => Some(infinite),
                count => Some(count.div_euclid(1000)),
            },
        }
    }

    /// Of dates: days since 1970.
    #[inline]
    pub(super) fn days(&self, i: usize) -> i64 {
        const MILLIS_PER_DAY: i64 = 86_400_000;
        match self {
            Self::I32(values, _) => i64::from(values[i]),
            Self::I64(values, _) | Self::Nanos(values) => values[i].div_euclid(MILLIS_PER_DAY),
        }
    }
}

/// Intervals of Arrow's three kinds, and durations.
pub(super) enum Intervals<'a> {
    YearMonth(&'a [i32]),
    DayTime(&'a [IntervalDayTime]),
    MonthDayNano(&'a [IntervalMonthDayNano]),
    Duration(Ticks<'a>),
}

impl<'a> Intervals<'a> {
    pub(super) fn of(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Interval(IntervalUnit::YearMonth) => Self::YearMonth(values::<IntervalYearMonthType>(array)?),
            DataType::Interval(IntervalUnit::DayTime) => Self::DayTime(values::<IntervalDayTimeType>(array)?),
            DataType::Interval(_) => Self::MonthDayNano(values::<IntervalMonthDayNanoType>(array)?),
            _ => Self::Duration(Ticks::of(array)?),
        })
    }

    /// `None` where it has more microseconds than fit.
    pub(super) fn get(&self, i: usize) -> Option<Span> {
        let span = match self {
            Self::YearMonth(values) => Span { months: values[i], ..Span::default() },
            Self::DayTime(values) => {
                let micros = i64::from(values[i].milliseconds) * 1000;
                Span { days: values[i].days, micros, ..Span::default() }
            }
            Self::MonthDayNano(values) => {
                let IntervalMonthDayNano { months, days, nanoseconds } = values[i];
                Span { months, days, micros: nanoseconds / 1000 }
            }
            Self::Duration(ticks) => Span::of_micros(ticks.micros(i)?),
        };
        Some(span)
    }
}

/// Where a list's elements are among all elements.
pub(super) enum Ranges<'a> {
    Offsets(&'a [i32]),
    LargeOffsets(&'a [i64]),
    Views(&'a [i32], &'a [i32]),
    LargeViews(&'a [i64], &'a [i64]),
    Fixed(usize),
}

impl<'a> Ranges<'a> {
    /// The elements of a list array and where each list's are.
    pub(super) fn of(array: &'a dyn Array) -> Option<(Self, &'a dyn Array)> {
        Some(match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list_opt::<i32>()?;
                (Self::Offsets(list.value_offsets()), list.values().as_ref())
            }
            DataType::LargeList(_) => {
                let list = array.as_list_opt::<i64>()?;
                (Self::LargeOffsets(list.value_offsets()), list.values().as_ref())
            }
            DataType::ListView(_) => {
                let list = array.as_list_view_opt::<i32>()?;
                (Self::Views(list.value_offsets(), list.value_sizes()), list.values().as_ref())
            }
            DataType::LargeListView(_) => {
                let list = array.as_list_view_opt::<i64>()?;
                (Self::LargeViews(list.value_offsets(), list.value_sizes()), list.values().as_ref())
            }
            DataType::FixedSizeList(..) => {
                let list: &FixedSizeListArray = array.as_fixed_size_list_opt()?;
                (Self::Fixed(usize::try_from(list.value_length()).ok()?), list.values().as_ref())
            }
            _ => return None,
        })
    }

    pub(super) fn get(&self, i: usize) -> std::ops::Range<usize> {
        let from = |start: i64, len: i64| start as usize..(start + len) as usize;
        match self {
            Self::Offsets(offsets) => offsets[i] as usize..offsets[i + 1] as usize,
            Self::LargeOffsets(offsets) => offsets[i] as usize..offsets[i + 1] as usize,
            Self::Views(offsets, sizes) => from(offsets[i].into(), sizes[i].into()),
            Self::LargeViews(offsets, sizes) => from(offsets[i], sizes[i]),
            Self::Fixed(len) => i * len..(i + 1) * len,
        }
    }
}
