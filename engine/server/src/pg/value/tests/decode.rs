//! Parameters: what is read, and what is refused with which words.

use arrow::array::Array;
use arrow::datatypes::{DataType, IntervalMonthDayNano, i256};
use chrono_tz::Tz;
use datafusion_common::ScalarValue;
use proptest::prelude::*;

use crate::pg::error::PgError;
use crate::pg::value::style::{DateOrder, IntervalStyle, TimeZone};
use crate::pg::value::{Format, Style, arrow_type, decode};

fn text(oid: u32, text: &str) -> Result<ScalarValue, PgError> {
    decode(oid, Format::Text, Some(text.as_bytes()), &Style::default())
}

fn binary(oid: u32, bytes: &[u8]) -> Result<ScalarValue, PgError> {
    decode(oid, Format::Binary, Some(bytes), &Style::default())
}

/// The elements of a list of text.
fn elements(list: ScalarValue) -> Vec<String> {
    let ScalarValue::List(list) = list else { panic!("{list:?} is no list") };
    let values = list.value(0);
    (0..values.len()).map(|i| ScalarValue::try_from_array(&values, i).unwrap().to_string()).collect()
}

const OIDS: [u32; 26] = [
    16, 17, 18, 19, 20, 21, 23, 25, 26, 114, 700, 701, 705, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1700, 2950, 3802,
    1007, 1231, 1009,
];

#[test]
fn null_has_its_type() {
    for oid in OIDS {
        let null = decode(oid, Format::Text, None, &Style::default()).unwrap();
        assert!(null.is_null());
        assert_eq!(Some(null.data_type()), arrow_type(oid));
    }
    assert_eq!(decode(0, Format::Binary, None, &Style::default()).unwrap(), ScalarValue::Utf8(None));
    assert_eq!(arrow_type(0), None);
    assert_eq!(arrow_type(2205), None);
    assert!(matches!(arrow_type(1016), Some(DataType::List(item)) if *item.data_type() == DataType::Int64));
}

#[test]
fn numbers_and_words() {
    assert_eq!(text(23, " 12 ").unwrap(), ScalarValue::Int32(Some(12)));
    assert_eq!(text(20, "+5").unwrap(), ScalarValue::Int64(Some(5)));
    assert_eq!(text(26, "-1").unwrap(), ScalarValue::Int64(Some(4_294_967_295)));
    for (word, value) in
        [("t", true), ("YES", true), ("on", true), ("1", true), (" fal ", false), ("of", false), ("n", false)]
    {
        assert_eq!(text(16, word).unwrap(), ScalarValue::Boolean(Some(value)), "{word}");
    }
    assert_eq!(text(701, " -Infinity ").unwrap(), ScalarValue::Float64(Some(f64::NEG_INFINITY)));
    assert!(matches!(text(700, "NaN").unwrap(), ScalarValue::Float32(Some(value)) if value.is_nan()));
    assert_eq!(text(701, "0e400").unwrap(), ScalarValue::Float64(Some(0.0)));
    assert_eq!(text(1700, "-12.50").unwrap(), ScalarValue::Decimal128(Some(-1250), 38, 2));
    assert_eq!(text(1700, "1.5e3").unwrap(), ScalarValue::Decimal128(Some(1500), 38, 0));
    assert_eq!(text(1700, ".5").unwrap(), ScalarValue::Decimal128(Some(5), 38, 1));
    let nines = "9".repeat(39);
    let wide = i256::from_string(&nines).unwrap();
    assert_eq!(text(1700, &nines).unwrap(), ScalarValue::Decimal256(Some(wide), 76, 0));
    assert_eq!(text(1700, &format!("0.1{}", "0".repeat(60))).unwrap().to_string().trim_end_matches('0'), "0.1");
    let bytes = [0, 3, 0, 1, 0, 0, 0, 4, 0, 1, 9, 0x29, 0x1a, 0x85];
    assert_eq!(binary(1700, &bytes).unwrap(), ScalarValue::Decimal128(Some(123_456_789), 38, 4));
}

#[test]
fn strings_and_bytes() {
    let string = |text: &str| ScalarValue::Utf8(Some(text.into()));
    let uuid = string("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    assert_eq!(text(2950, "A0EEBC999C0B4EF8BB6D6BB9BD380A11").unwrap(), uuid);
    assert_eq!(text(2950, "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}").unwrap(), uuid);
    assert_eq!(text(18, "xyz").unwrap(), string("x"));
    assert_eq!(binary(18, &[0]).unwrap(), string(""));
    assert_eq!(text(2205, "pg_class").unwrap(), string("pg_class"));
    assert_eq!(text(0, "?").unwrap(), string("?"));
    assert_eq!(binary(3802, b"\x01{}").unwrap(), string("{}"));
    let bytes = ScalarValue::Binary(Some(vec![0xde, 0xad]));
    assert_eq!(text(17, "\\xDe aD").unwrap(), bytes);
    assert_eq!(text(17, "\\336\\255").unwrap(), bytes);
    assert_eq!(text(17, "a\\\\").unwrap(), ScalarValue::Binary(Some(b"a\\".to_vec())));
}

#[test]
fn dates_and_times() {
    let day = |n| ScalarValue::Date32(Some(n));
    assert_eq!(text(1082, "20240102").unwrap(), day(19_724));
    assert_eq!(text(1082, "2024-1-2 03:04:05").unwrap(), day(19_724));
    assert_eq!(text(1082, "1/2/2024").unwrap(), day(19_724));
    let dmy = Style { date_order: DateOrder::Dmy, ..Style::default() };
    assert_eq!(decode(1082, Format::Text, Some(b"02.01.2024"), &dmy).unwrap(), day(19_724));
    assert_eq!(text(1082, "0044-03-15 BC").unwrap(), day(-735_160));
    let time = |micros| ScalarValue::Time64Microsecond(Some(micros));
    assert_eq!(text(1083, "24:00").unwrap(), time(86_400_000_000));
    assert_eq!(text(1083, "23:59:60").unwrap(), time(86_400_000_000));
    assert_eq!(text(1083, "04:05:06.7777777").unwrap(), time(14_706_777_778));
    assert_eq!(text(1083, "2024-01-02 04:05:06+02").unwrap(), time(14_706_000_000));
    let zoned = |seconds: i64| ScalarValue::TimestampMicrosecond(Some(seconds * 1_000_000), Some("+00:00".into()));
    for moment in [
        "2024-01-02T03:04:05Z",
        "2024-01-02 03:04:05",
        "2024-01-02 04:04:05 +01",
        "2024-01-02 08:34:05+0530",
        "2024-01-02 08:34:05+05:30:00",
        "2024-01-02 04:04:05 Europe/Berlin",
    ] {
        assert_eq!(text(1184, moment).unwrap(), zoned(1_704_164_645), "{moment}");
    }
    // Skipped when summer begins, twice when it ends.
    let berlin = Style { time_zone: TimeZone::Named(Tz::Europe__Berlin), ..Style::default() };
    let local = |text: &str| decode(1184, Format::Text, Some(text.as_bytes()), &berlin).unwrap();
    assert_eq!(local("2024-03-31 02:30"), zoned(1_711_848_600));
    assert_eq!(local("2024-10-27 02:30"), zoned(1_729_992_600));
    assert_eq!(text(1114, "epoch").unwrap(), ScalarValue::TimestampMicrosecond(Some(0), None));
}

#[test]
fn intervals() {
    let span = |months, days, seconds: f64| IntervalMonthDayNano::new(months, days, (seconds * 1e9) as i64);
    for (words, expected) in [
        ("1-2", span(14, 0, 0.0)),
        ("3 4:05:06", span(0, 3, 14_706.0)),
        ("-1-2 +3 -4:05:06", span(-14, 3, -14_706.0)),
        ("1.5 years", span(18, 0, 0.0)),
        ("1.5 mons", span(1, 15, 0.0)),
        ("1.1 months", span(1, 3, 0.0)),
        ("1.5 days", span(0, 1, 43_200.0)),
        ("1.5 weeks", span(0, 10, 43_200.0)),
        ("P1Y2M3DT4H5M6.5S", span(14, 3, 14_706.5)),
        ("5", span(0, 0, 5.0)),
        ("@ 1 day ago", span(0, -1, 0.0)),
        ("1 day -04:05", span(0, 1, -14_700.0)),
        ("1d2h", span(0, 1, 7200.0)),
        ("1 year 2-3", span(39, 0, 0.0)),
        ("-1.5 hours", span(0, 0, -5400.0)),
    ] {
        assert_eq!(text(1186, words).unwrap(), ScalarValue::IntervalMonthDayNano(Some(expected)), "{words}");
    }
    assert_eq!(
        text(1186, "1.123456789 secs").unwrap(),
        ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, 0, 1_123_457_000)))
    );
    let standard = Style { interval_style: IntervalStyle::SqlStandard, ..Style::default() };
    let whole = decode(1186, Format::Text, Some(b"-3 4:05:06"), &standard).unwrap();
    assert_eq!(whole, ScalarValue::IntervalMonthDayNano(Some(span(0, -3, -14_706.0))));
}

#[test]
fn arrays() {
    let words = elements(text(1009, r#" { a , "b" , NULL, "NULL", c d , "q\"x", a\,b, \null } "#).unwrap());
    assert_eq!(words, ["a", "b", "NULL", "NULL", "c d", "q\"x", "a,b", "null"]);
    assert_eq!(elements(text(1007, "[0:1]={1,2}").unwrap()), ["1", "2"]);
    assert!(elements(text(1007, "{}").unwrap()).is_empty());
    let ScalarValue::List(mixed) = text(1231, "{1.50,NULL,2}").unwrap() else { panic!("no list") };
    assert_eq!(*mixed.value(0).data_type(), DataType::Decimal128(38, 2));
    let head = |dimensions: u8, oid: u8, count: u8| {
        let mut bytes = vec![0, 0, 0, dimensions, 0, 0, 0, 0, 0, 0, 0, oid];
        if dimensions > 0 {
            bytes.extend([0, 0, 0, count, 0, 0, 0, 1]);
        }
        bytes
    };
    assert!(elements(binary(1007, &head(0, 23, 0)).unwrap()).is_empty());
    let one = [&head(1, 23, 1)[..], &[0, 0, 0, 4, 0, 0, 0, 7]].concat();
    assert_eq!(elements(binary(1007, &one).unwrap()), ["7"]);
    let varchar =
        [&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x04, 0x13, 0, 0, 0, 1, 0, 0, 0, 1][..], &[0, 0, 0, 1, b'x']].concat();
    assert_eq!(elements(binary(1009, &varchar).unwrap()), ["x"]);
    let state = |bytes: &[u8]| binary(1007, bytes).unwrap_err().sqlstate;
    assert_eq!(state(&head(1, 20, 0)), "42804");
    assert_eq!(state(&head(2, 23, 0)), "0A000");
    assert_eq!(state(&head(1, 23, 255)), "22P03");
    assert_eq!(state(&[&one[..], &[0]].concat()), "22P03");
    for (literal, state) in
        [("{1,2", "22P02"), ("{a,}", "22P02"), ("{,}", "22P02"), ("{{1}}", "0A000"), ("{1}x", "22P02")]
    {
        assert_eq!(text(1007, literal).unwrap_err().sqlstate, state, "{literal}");
    }
    assert_eq!(text(1009, "{\"a\"b}").unwrap_err().message, "malformed array literal: \"{\"a\"b}\"");
}

#[test]
fn refusals() {
    let cases = [
        (23, "abc", "22P02", "invalid input syntax for type integer: \"abc\""),
        (23, "", "22P02", "invalid input syntax for type integer: \"\""),
        (23, "99999999999", "22003", "value \"99999999999\" is out of range for type integer"),
        (26, "99999999999", "22003", "value \"99999999999\" is out of range for type oid"),
        (701, "x", "22P02", "invalid input syntax for type double precision: \"x\""),
        (701, "1e400", "22003", "\"1e400\" is out of range for type double precision"),
        (701, "1e-400", "22003", "\"1e-400\" is out of range for type double precision"),
        (1700, "x", "22P02", "invalid input syntax for type numeric: \"x\""),
        (1700, "NaN", "22023", "numeric NaN is not supported; decimals here are finite"),
        (16, "o", "22P02", "invalid input syntax for type boolean: \"o\""),
        (1082, "2024-13-01", "22008", "date/time field value out of range: \"2024-13-01\""),
        (1082, "2023-02-29", "22008", "date/time field value out of range: \"2023-02-29\""),
        (1082, "0000-01-01", "22008", "date/time field value out of range: \"0000-01-01\""),
        (1082, "5000-01-01 BC", "22008", "date out of range: \"5000-01-01 BC\""),
        (1082, "x", "22007", "invalid input syntax for type date: \"x\""),
        (1082, "infinity", "22008", "date infinity is not supported as a parameter"),
        (1114, "300000-01-01", "22008", "timestamp out of range: \"300000-01-01\""),
        (1184, "x", "22007", "invalid input syntax for type timestamp with time zone: \"x\""),
        (1184, "1970-01-01 00:00+99", "22009", "time zone displacement out of range: \"1970-01-01 00:00+99\""),
        (1083, "25:00", "22008", "date/time field value out of range: \"25:00\""),
        (1186, "x", "22007", "invalid input syntax for type interval: \"x\""),
        (1186, "1 2 days", "22007", "invalid input syntax for type interval: \"1 2 days\""),
        (1186, "999999999 years", "22008", "interval out of range"),
        (2950, "x", "22P02", "invalid input syntax for type uuid: \"x\""),
        (17, "\\xzz", "22023", "invalid hexadecimal digit: \"z\""),
        (17, "\\x1", "22023", "invalid hexadecimal data: odd number of digits"),
        (17, "a\\b", "22P02", "invalid input syntax for type bytea"),
        (114, "{", "22P02", "invalid input syntax for type json"),
        (25, "a\0", "22021", "invalid byte sequence for encoding \"UTF8\": 0x00"),
    ];
    for (oid, value, state, message) in cases {
        let error = text(oid, value).unwrap_err();
        assert_eq!((error.sqlstate, error.message.as_ref()), (state, message), "{oid} {value}");
    }
    let wrong = binary(23, &[1]).unwrap_err();
    assert_eq!((wrong.sqlstate, wrong.message.as_ref()), ("22P03", "incorrect binary data format in bind parameter"));
    assert_eq!(binary(25, &[0xff]).unwrap_err().sqlstate, "22021");
    assert_eq!(binary(1700, &[0, 0, 0, 0, 0xc0, 0, 0, 0]).unwrap_err().sqlstate, "22023");
    assert_eq!(binary(1082, &i32::MAX.to_be_bytes()).unwrap_err().sqlstate, "22008");
    assert_eq!(binary(4711, &[]).unwrap_err().sqlstate, "0A000");
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for oid in OIDS.into_iter().chain([0, 1000, 1001, 1016, 1115, 1185, 1187, 199, 3807, 4711]) {
            for format in [Format::Text, Format::Binary] {
                let _ = decode(oid, format, Some(&bytes), &Style::default());
            }
        }
    }

    #[test]
    fn no_text_panics(text in "[-+0-9eENnPTYMDHS:./ {},\"\\\\\\[\\]=a-zé]{0,24}") {
        let standard = Style { interval_style: IntervalStyle::SqlStandard, date_order: DateOrder::Ymd, ..Style::default() };
        for oid in OIDS.into_iter().chain([1016, 1182, 1183, 1185, 1187, 2951]) {
            let _ = decode(oid, Format::Text, Some(text.as_bytes()), &standard);
        }
    }

    #[test]
    fn no_array_panics(count in any::<i32>(), oid in prop::sample::select(&[23_u32, 1700, 1186][..]), tail in prop::collection::vec(any::<u8>(), 0..40)) {
        let array = match oid { 23 => 1007, 1700 => 1231, _ => 1187 };
        let mut bytes = [1_i32.to_be_bytes(), [0; 4], oid.to_be_bytes(), count.to_be_bytes(), [0; 4]].concat();
        bytes.extend(tail);
        let _ = binary(array, &bytes);
    }

    #[test]
    fn no_numeric_panics(words in prop::collection::vec(any::<u16>(), 3..12), sign in prop::sample::select(&[0_u16, 0x4000][..])) {
        let mut bytes = ((words.len() - 2) as u16).to_be_bytes().to_vec();
        bytes.extend(words[0].to_be_bytes());
        bytes.extend(sign.to_be_bytes());
        bytes.extend((words[1] % 0x4000).to_be_bytes());
        bytes.extend(words[2..].iter().flat_map(|word| (word % 10_000).to_be_bytes()));
        let _ = binary(1700, &bytes);
    }
}
