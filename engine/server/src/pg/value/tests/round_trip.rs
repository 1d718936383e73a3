//! What is written is read back the same, of every type that is read and in both formats.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, IntervalMonthDayNano, i256};
use datafusion_common::ScalarValue;
use proptest::prelude::*;

use super::values;
use crate::pg::value::style::{Bytea, IntervalStyle, TimeZone};
use crate::pg::value::{Format, Style, decode, oid_of};

const DAY: i64 = 86_400_000_000;
/// 4713 BC and the end of 294246, in days since 1970.
const DAYS: std::ops::Range<i64> = -2_440_550..106_751_000;

fn column<T: std::fmt::Debug, A: FromIterator<Option<T>> + Array + 'static>(
    values: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<ArrayRef> {
    prop::collection::vec(prop::option::of(values), 0..6)
        .prop_map(|values| Arc::new(values.into_iter().collect::<A>()) as ArrayRef)
        .boxed()
}

/// Arrays of every type that a parameter becomes.
fn arrays() -> impl Strategy<Value = ArrayRef> {
    let text = "[^\\x00]{0,12}";
    let words = prop::sample::select(&["", "null", "a,b", "{}", "\"", "\\", " x ", "NULL", "é\n"][..]);
    let span = (any::<i32>(), any::<i32>(), -9_000_000_000_000_000_i64..9_000_000_000_000_000)
        .prop_map(|(months, days, micros)| IntervalMonthDayNano::new(months, days, micros * 1000));
    let moments = DAYS.prop_flat_map(|day| (0..DAY).prop_map(move |micros| day * DAY + micros));
    let float8 = any::<u64>().prop_map(f64::from_bits).prop_filter("one NaN", |value| !value.is_nan());
    let float4 = any::<u32>().prop_map(f32::from_bits).prop_filter("one NaN", |value| !value.is_nan());
    prop_oneof![
        column::<_, BooleanArray>(any::<bool>()),
        column::<_, Int16Array>(any::<i16>()),
        column::<_, Int32Array>(any::<i32>()),
        column::<_, Int64Array>(any::<i64>()),
        column::<_, Float32Array>(prop_oneof![float4, Just(f32::NAN), Just(f32::INFINITY)]),
        column::<_, Float64Array>(prop_oneof![float8, Just(f64::NAN), Just(f64::NEG_INFINITY)]),
        column::<_, StringArray>(text),
        column::<_, StringArray>(words.prop_map(str::to_owned)),
        column::<_, BinaryArray>(prop::collection::vec(any::<u8>(), 0..9)),
        column::<_, Date32Array>(DAYS.prop_map(|days| days as i32)),
        column::<_, Time64MicrosecondArray>(0..=DAY),
        column::<_, TimestampMicrosecondArray>(moments.clone()),
        column::<i64, TimestampMicrosecondArray>(moments).prop_map(|array| {
            let zoned = array.as_primitive::<arrow::datatypes::TimestampMicrosecondType>().clone();
            Arc::new(zoned.with_timezone("+00:00")) as ArrayRef
        }),
        column::<_, IntervalMonthDayNanoArray>(span),
    ]
}

/// One list of all the values.
fn listed(array: &ArrayRef) -> ArrayRef {
    let item = Arc::new(Field::new_list_field(array.data_type().clone(), true));
    Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([array.len()]), Arc::clone(array), None))
}

fn styles() -> impl Strategy<Value = Style> {
    let interval = prop::sample::select(
        &[IntervalStyle::Postgres, IntervalStyle::PostgresVerbose, IntervalStyle::Iso8601, IntervalStyle::SqlStandard]
            [..],
    );
    let zone = prop::sample::select(&[chrono_tz::UTC, chrono_tz::Asia::Kolkata, chrono_tz::America::New_York][..]);
    (interval, any::<bool>(), zone).prop_map(|(interval_style, hex, zone)| Style {
        interval_style,
        bytea: if hex { Bytea::Hex } else { Bytea::Escape },
        time_zone: TimeZone::Named(zone),
        ..Style::default()
    })
}

fn assert_same(array: &ArrayRef, style: &Style) -> Result<(), TestCaseError> {
    for format in [Format::Text, Format::Binary] {
        let written = values(array, None, format, style).unwrap();
        for (i, bytes) in written.iter().enumerate() {
            let read = decode(oid_of(array.data_type()), format, bytes.as_deref(), style);
            let expected = ScalarValue::try_from_array(array, i).unwrap();
            prop_assert_eq!(read, Ok(expected), "{:?}", bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes)));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn values_are_read_back(array in arrays(), style in styles()) {
        assert_same(&array, &style)?;
    }

    #[test]
    fn arrays_are_read_back(array in arrays(), style in styles()) {
        assert_same(&listed(&array), &style)?;
    }

    #[test]
    fn decimals_are_read_back(unscaled in any::<[u8; 32]>(), width in 0_u32..250, scale in 0_i8..=38) {
        let shift = i256::from_i128(2).checked_pow(width.min(254)).unwrap();
        let value = i256::from_le_bytes(unscaled).checked_div(shift).unwrap();
        prop_assume!(value.wrapping_abs() < i256::from_i128(10).checked_pow(76).unwrap());
        let array = Decimal256Array::from(vec![value]).with_precision_and_scale(76, scale).unwrap();
        let array: ArrayRef = Arc::new(array);
        for format in [Format::Text, Format::Binary] {
            let written = values(&array, None, format, &Style::default()).unwrap();
            let read = decode(1700, format, written[0].as_deref(), &Style::default()).unwrap();
            let (found, found_scale) = match read {
                ScalarValue::Decimal128(Some(found), 38, scale) => (i256::from_i128(found), scale),
                ScalarValue::Decimal256(Some(found), 76, scale) => (found, scale),
                other => panic!("{other:?}"),
            };
            prop_assert_eq!((found, found_scale), (value, scale));
        }
    }

    #[test]
    fn rows_hold_all_columns(numbers in prop::collection::vec(any::<i64>(), 1..5)) {
        let columns = numbers.iter().map(|n| Arc::new(Int64Array::from(vec![*n])) as ArrayRef);
        let batch = arrow::record_batch::RecordBatch::try_from_iter(
            columns.enumerate().map(|(at, column)| (format!("c{at}"), column)),
        ).unwrap();
        let mut out = bytes::BytesMut::new();
        let formats = vec![Format::Binary; numbers.len()];
        let encoder = crate::pg::value::RowEncoder::new(&batch.schema(), &formats, &Style::default()).unwrap();
        encoder.rows(&batch, 0..1, &mut out).unwrap();
        let mut expected = vec![b'D'];
        expected.extend((6 + 12 * numbers.len() as u32).to_be_bytes());
        expected.extend((numbers.len() as u16).to_be_bytes());
        for number in &numbers {
            expected.extend(8_u32.to_be_bytes());
            expected.extend(number.to_be_bytes());
        }
        prop_assert_eq!(&out[..], &expected[..]);
    }
}

#[test]
fn what_is_not_of_the_schema_is_refused() {
    let array: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let batch = arrow::record_batch::RecordBatch::try_from_iter([("c", array)]).unwrap();
    let text = arrow::datatypes::Schema::new(vec![Field::new("c", DataType::Utf8, true)]);
    let mut out = bytes::BytesMut::new();
    let encoder = crate::pg::value::RowEncoder::new(&text, &[Format::Text], &Style::default()).unwrap();
    assert_eq!(encoder.rows(&batch, 0..1, &mut out).unwrap_err().sqlstate, "XX000");
    let encoder = crate::pg::value::RowEncoder::new(&batch.schema(), &[Format::Text], &Style::default()).unwrap();
    assert_eq!(encoder.rows(&batch, 0..2, &mut out).unwrap_err().sqlstate, "XX000");
    assert!(out.is_empty());
    assert!(crate::pg::value::RowEncoder::new(&batch.schema(), &[Format::Text; 2], &Style::default()).is_err());
    assert!(crate::pg::value::RowEncoder::new(&batch.schema(), &[], &Style::default()).is_ok());
}
