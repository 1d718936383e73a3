//! Texts that need care: floats, dates, intervals, decimals.

use bytes::BytesMut;
use chrono_tz::Tz;

use crate::pg::value::interval::Span;
use crate::pg::value::numeric::Digits;
use crate::pg::value::out::Out;
use crate::pg::value::style::{Bytea, DateOrder, DateStyle, IntervalStyle, Style, TimeZone};
use crate::pg::value::{float, number, text, time};

fn written(write: impl FnOnce(&mut Out<'_>)) -> String {
    let mut buffer = BytesMut::new();
    let mut out = Out::new(&mut buffer, 0);
    write(&mut out);
    out.finish();
    String::from_utf8(buffer.to_vec()).unwrap()
}

#[test]
fn whole_numbers() {
    for n in [0, 1, -1, 9, 10, 99, 100, -12_345, i64::MAX, i64::MIN] {
        assert_eq!(written(|out| number::signed(n, out)), n.to_string());
    }
}

#[test]
fn shortest_float8() {
    let cases = [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-4, "0.0001"),
        (0.00012, "0.00012"),
        (1e-5, "1e-05"),
        (1.5e-7, "1.5e-07"),
        (1e14, "100000000000000"),
        (1e15, "1e+15"),
        (1e20, "1e+20"),
        (1e100, "1e+100"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (9_007_199_254_740_993.0, "9.007199254740992e+15"),
        (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
        // The shortest that rounds to even lies on the bound between two floats; it is not taken.
        (1e23, "9.999999999999999e+22"),
        (-1e23, "-9.999999999999999e+22"),
    ];
    for (value, expected) in cases {
        assert_eq!(written(|out| float::float8(value, 1, out)), expected, "{value:e}");
    }
}

#[test]
fn shortest_float4() {
    let cases = [
        (1e6, "1e+06"),
        (999_999.0, "999999"),
        (16_777_216.0, "1.6777216e+07"),
        (0.1, "0.1"),
        (1e-4, "0.0001"),
        (1e-5, "1e-05"),
        (1e-45, "1e-45"),
        (f32::MAX, "3.4028235e+38"),
        (f32::NAN, "NaN"),
    ];
    for (value, expected) in cases {
        assert_eq!(written(|out| float::float4(value, 1, out)), expected, "{value:e}");
    }
}

#[test]
fn rounded_floats() {
    let cases = [
        (0.1 + 0.2, 0, "0.3"),
        (1.0 / 3.0, 0, "0.333333333333333"),
        (1.0 / 3.0, -5, "0.3333333333"),
        (1e15, 0, "1e+15"),
        (123_456.0, -12, "1.23e+05"),
        (0.00001234, 0, "1.234e-05"),
        (100.0, 0, "100"),
        (-0.0, 0, "-0"),
        (2.0, -20, "2"),
    ];
    for (value, extra, expected) in cases {
        assert_eq!(written(|out| float::float8(value, extra, out)), expected);
    }
    assert_eq!(written(|out| float::float4(0.1, 0, out)), "0.1");
}

#[test]
fn timestamps_in_every_style() {
    // 2024-01-02 03:04:05.5
    let micros = 1_704_164_645_500_000;
    let cases = [
        (DateStyle::Iso, DateOrder::Mdy, "2024-01-02 03:04:05.5", "2024-01-02 04:04:05.5+01", "2024-01-02"),
        (DateStyle::Sql, DateOrder::Mdy, "01/02/2024 03:04:05.5", "01/02/2024 04:04:05.5 CET", "01/02/2024"),
        (DateStyle::Sql, DateOrder::Dmy, "02/01/2024 03:04:05.5", "02/01/2024 04:04:05.5 CET", "02/01/2024"),
        (
            DateStyle::Postgres,
            DateOrder::Mdy,
            "Tue Jan 02 03:04:05.5 2024",
            "Tue Jan 02 04:04:05.5 2024 CET",
            "01-02-2024",
        ),
        (
            DateStyle::Postgres,
            DateOrder::Dmy,
            "Tue 02 Jan 03:04:05.5 2024",
            "Tue 02 Jan 04:04:05.5 2024 CET",
            "02-01-2024",
        ),
        (DateStyle::German, DateOrder::Mdy, "02.01.2024 03:04:05.5", "02.01.2024 04:04:05.5 CET", "02.01.2024"),
    ];
    for (date_style, date_order, plain, zoned, date) in cases {
        let style =
            Style { date_style, date_order, time_zone: TimeZone::Named(Tz::Europe__Berlin), ..Style::default() };
        assert_eq!(written(|out| time::timestamp(micros, false, &style, out)), plain);
        assert_eq!(written(|out| time::timestamp(micros, true, &style, out)), zoned);
        assert_eq!(written(|out| time::date(micros / time::MICROS_PER_DAY, &style, out)), date);
    }
}

#[test]
fn timestamps_at_the_edges() {
    let iso = Style::default();
    let plain = |micros| written(|out| time::timestamp(micros, false, &iso, out));
    assert_eq!(plain(i64::MAX), "infinity");
    assert_eq!(plain(i64::MIN), "-infinity");
    assert_eq!(plain(0), "1970-01-01 00:00:00");
    assert_eq!(plain(-1), "1969-12-31 23:59:59.999999");
    assert_eq!(plain(-210_866_803_200_000_000), "4714-11-24 00:00:00 BC");
    assert_eq!(plain(i64::MAX - 1), "294247-01-10 04:00:54.775806");
    assert_eq!(plain(time::days_from_civil(-43, 3, 15) * time::MICROS_PER_DAY), "0044-03-15 00:00:00 BC");
    assert_eq!(written(|out| time::iso_timestamp(500_000, true, &iso, out)), "1970-01-01T00:00:00.5+00:00");
}

#[test]
fn zones_of_all_kinds() {
    let zoned = |seconds: i64, zone, date_style| {
        let style = Style { time_zone: zone, date_style, ..Style::default() };
        written(|out| time::timestamp(seconds * time::MICROS_PER_SECOND, true, &style, out))
    };
    let kolkata = TimeZone::Named(Tz::Asia__Kolkata);
    assert_eq!(zoned(0, kolkata, DateStyle::Iso), "1970-01-01 05:30:00+05:30");
    // In the war its offset was its name.
    assert_eq!(zoned(-788_933_888, kolkata, DateStyle::Sql), "01/01/1945 02:11:52 +0630");
    assert_eq!(zoned(0, TimeZone::Fixed(-12_600), DateStyle::Iso), "1969-12-31 20:30:00-03:30");
    assert_eq!(zoned(0, TimeZone::Fixed(-12_600), DateStyle::Sql), "12/31/1969 20:30:00 -03:30");
    let berlin = TimeZone::Named(Tz::Europe__Berlin);
    assert_eq!(zoned(-5_364_662_400, berlin, DateStyle::Iso), "1800-01-01 00:53:28+00:53:28");
}

#[test]
fn times_of_day() {
    assert_eq!(written(|out| time::time(14_706_500_000, out)), "04:05:06.5");
    assert_eq!(written(|out| time::time(time::MICROS_PER_DAY, out)), "24:00:00");
    assert_eq!(written(|out| time::time(1, out)), "00:00:00.000001");
}

#[test]
fn intervals_in_every_style() {
    use IntervalStyle::{Iso8601, Postgres, PostgresVerbose, SqlStandard};
    let styles = [Postgres, PostgresVerbose, Iso8601, SqlStandard];
    let cases = [
        ((0, 0, 0), ["00:00:00", "@ 0", "PT0S", "0"]),
        (
            (14, 3, 14_706_500_000),
            [
                "1 year 2 mons 3 days 04:05:06.5",
                "@ 1 year 2 mons 3 days 4 hours 5 mins 6.5 secs",
                "P1Y2M3DT4H5M6.5S",
                "+1-2 +3 +4:05:06.5",
            ],
        ),
        (
            (-14, 3, -14_706_500_000),
            [
                "-1 years -2 mons +3 days -04:05:06.5",
                "@ 1 year 2 mons -3 days 4 hours 5 mins 6.5 secs ago",
                "P-1Y-2M3DT-4H-5M-6.5S",
                "-1-2 +3 -4:05:06.5",
            ],
        ),
        ((0, -1, 0), ["-1 days", "@ 1 day ago", "P-1D", "-1 0:00:00"]),
        ((12, 0, 0), ["1 year", "@ 1 year", "P1Y", "1-0"]),
        ((0, 0, 1_000_000), ["00:00:01", "@ 1 sec", "PT1S", "0:00:01"]),
        ((0, 0, -500_000), ["-00:00:00.5", "@ 0.5 secs ago", "PT-0.5S", "-0:00:00.5"]),
        ((0, 1, -1_000_000), ["1 day -00:00:01", "@ 1 day -1 sec", "P1DT-1S", "+0-0 +1 -0:00:01"]),
    ];
    for ((months, days, micros), expected) in cases {
        for (style, expected) in styles.into_iter().zip(expected) {
            assert_eq!(written(|out| Span { months, days, micros }.text(style, out)), expected, "{style:?}");
        }
    }
}

#[test]
fn decimals() {
    let cases = [
        (1_234_567, 2, "12345.67"),
        (0, 2, "0.00"),
        (5, 0, "5"),
        (1, 5, "0.00001"),
        (10_000, 0, "10000"),
        (12, -3, "12000"),
        (0, -3, "0"),
    ];
    for (value, scale, expected) in cases {
        assert_eq!(written(|out| Digits::of_u128(value).text(false, scale, out)), expected);
    }
    let binary = |value, negative, scale| {
        let mut buffer = BytesMut::new();
        let mut out = Out::new(&mut buffer, 0);
        Digits::of_u128(value).binary(negative, scale, &mut out);
        out.finish();
        super::hex(&buffer)
    };
    assert_eq!(binary(123_456_789, false, 4), "0003000100000004000109291a85");
    assert_eq!(binary(1, true, 5), "0001fffe4000000503e8");
    assert_eq!(binary(10_000, false, 0), "00010001000000000001");
    assert_eq!(binary(0, false, 2), "0000000000000002");
    assert_eq!(binary(12, false, -3), "0002000100000000000107d0");
    assert_eq!(
        written(|out| Digits::of_u128(u128::MAX).text(true, 10, out)),
        "-34028236692093846346337460743.1768211455"
    );
}

#[test]
fn byte_strings() {
    let bytes = b"a\\\x00\xff";
    assert_eq!(written(|out| text::bytea(bytes, Bytea::Hex, out)), "\\x615c00ff");
    assert_eq!(written(|out| text::bytea(bytes, Bytea::Escape, out)), "a\\\\\\000\\377");
}

#[test]
fn unfinished_writing_is_forgotten() {
    let mut buffer = BytesMut::from(&b"kept"[..]);
    let mut out = Out::new(&mut buffer, 100);
    out.put(&[1; 5000]);
    drop(out);
    assert_eq!(&buffer[..], b"kept");
}
