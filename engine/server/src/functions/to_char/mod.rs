//! `to_char` with PostgreSQL's patterns: the engine's own takes those of C, and gives others back as they are.

mod numbers;
mod times;

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, IntervalMonthDayNanoType, IntervalUnit, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion_common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use times::Fields;

/// The function.
pub(super) fn to_char() -> ScalarUDF {
    ScalarUDF::new_from_impl(ToChar { signature: Signature::any(2, Volatility::Stable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToChar {
    signature: Signature,
}

/// What is written.
enum Kind {
    Date,
    Time,
    Zoned(chrono_tz::Tz),
    /// A zone that is hours from Greenwich and has no name.
    Offset(Tz),
    Interval,
    Number,
}

impl ScalarUDFImpl for ToChar {
    fn name(&self) -> &'static str {
        "to_char"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types.first() {
            Some(t) if t.is_numeric() || t.is_temporal() || t.is_null() => Ok(DataType::Utf8),
            Some(other) => {
                plan_err!("Function 'to_char' failed to match any signature: it writes times and numbers, not {other}")
            }
            None => plan_err!("Function 'to_char' failed to match any signature: it takes a value and a pattern"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let arrays = args.args.iter().map(|a| a.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let [values, patterns] = arrays.as_slice() else { return exec_err!("`to_char` takes a value and a pattern") };
        let zone = args.config_options.execution.time_zone.as_deref().unwrap_or("UTC");
        let (kind, values) = prepared(values, zone)?;
        let patterns = cast(patterns, &DataType::Utf8)?;
        let patterns = patterns.as_string::<i32>();
        let numbers = ArrayFormatter::try_new(values.as_ref(), &FormatOptions::default())?;
        let mut out = StringBuilder::with_capacity(rows, rows * 16);
        for row in 0..rows {
            if values.is_null(row) || values.data_type().is_null() || patterns.is_null(row) {
                out.append_null();
                continue;
            }
            let pattern = patterns.value(row);
            let text = match &kind {
                Kind::Number => numbers::written(&numbers.value(row).to_string(), pattern),
                _ => fields(&kind, &values, row)
                    .ok_or_else(|| "timestamp out of range".to_owned())
                    .and_then(|fields| times::written(&fields, pattern)),
            };
            out.append_value(text.map_err(|e| exec_datafusion_err!("{e}"))?);
        }
        let out: ArrayRef = Arc::new(out.finish());
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&out, 0)?),
            false => ColumnarValue::Array(out),
        })
    }
}

/// The values in the one type that they are read as.
fn prepared(values: &ArrayRef, zone: &str) -> Result<(Kind, ArrayRef)> {
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    Ok(match values.data_type() {
        DataType::Date32 | DataType::Date64 => (Kind::Date, cast(values, &micros)?),
        DataType::Timestamp(_, None) => (Kind::Time, cast(values, &micros)?),
        DataType::Timestamp(_, Some(_)) => {
            let kind = match zone.parse() {
                Ok(named) => Kind::Zoned(named),
                Err(_) => Kind::Offset(zone.parse()?),
            };
            let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
            (kind, cast(values, &utc)?)
        }
        DataType::Interval(_) | DataType::Duration(_) | DataType::Time32(_) | DataType::Time64(_) => {
            (Kind::Interval, cast(values, &DataType::Interval(IntervalUnit::MonthDayNano))?)
        }
        _ => (Kind::Number, Arc::clone(values)),
    })
}

fn fields(kind: &Kind, values: &ArrayRef, row: usize) -> Option<Fields> {
    if let Kind::Interval = kind {
        let value = values.as_primitive_opt::<IntervalMonthDayNanoType>()?.value(row);
        return Some(Fields::of_interval(value.months, value.days, value.nanoseconds));
    }
    let micros = values.as_primitive_opt::<TimestampMicrosecondType>()?.value(row);
    match kind {
        Kind::Zoned(zone) => Fields::of_zone(micros, zone),
        Kind::Offset(zone) => Fields::of_zone(micros, zone),
        _ => Fields::of(micros),
    }
}

#[cfg(test)]
mod tests {
    use super::{numbers, times};

    /// 2024-03-05 07:08:09.123456.
    const MICROS: i64 = 1_709_622_489_123_456;

    #[test]
    fn times_as_postgresql_writes_them() {
        let fields = times::Fields::of(MICROS).unwrap();
        for (pattern, text) in [
            ("YYYY-MM-DD HH24:MI:SS.US", "2024-03-05 07:08:09.123456"),
            ("yyyy-mm-dd hh24:mi:ss.ms", "2024-03-05 07:08:09.123"),
            ("HH12:MI AM pm A.M.", "07:08 AM am A.M."),
            ("Day, DD Month YYYY", "Tuesday  , 05 March     2024"),
            ("FMDay, FMDDth FMMonth YYYY", "Tuesday, 5th March 2024"),
            ("MON mon DY Dy dy MONTH month", "MAR mar TUE Tue tue MARCH     march    "),
            ("Q WW IW IYYY-IW DDD D ID J CC W", "1 10 10 2024-10 065 3 2 2460375 21 1"),
            ("YY YYY Y Y,YYY I IY IYY", "24 024 4 2,024 4 24 024"),
            ("\"Q\"Q YYYY\"-Q\"Q", "Q1 2024-Q1"),
            ("SSSS TZ OF TZH:TZM RM|rm FMRM", "25689  +00 +00:00 III |iii  III"),
            ("FF1 FF3 FF6 BC ad B.C.", "1 123 123456 AD ad A.D."),
            ("FMMM/FMDD/YYYY TMMonth DDTH", "3/5/2024 March 05TH"),
            ("o'clock: \\\"HH24\\\"", "o'clock: \"07\""),
        ] {
            assert_eq!(times::written(&fields, pattern).as_deref(), Ok(text), "{pattern}");
        }
        let zoned = times::Fields::of_zone(MICROS, &chrono_tz::Europe::Berlin).unwrap();
        assert_eq!(times::written(&zoned, "HH24:MI TZ tz OF TZH:TZM").as_deref(), Ok("08:08 CET cet +01 +01:00"));
        let interval = times::Fields::of_interval(14, 3, 93_784_000_000_000);
        assert_eq!(times::written(&interval, "YYYY MM DD HH24:MI:SS").as_deref(), Ok("0001 02 03 26:03:04"));
        assert!(times::written(&interval, "Month").is_err());
    }

    #[test]
    fn numbers_as_postgresql_writes_them() {
        for (number, pattern, text) in [
            ("1234.5", "9999.99", " 1234.50"),
            ("1234567.891", "9,999,999.99", " 1,234,567.89"),
            ("-12", "999", " -12"),
            ("12", "FM000", "012"),
            ("0.5", "0.99", " 0.50"),
            ("0.5", "9.99", "  .50"),
            ("0.5", "FM9.99", ".5"),
            ("1234", "FM9,999", "1,234"),
            ("12.345", "FM999.0", "12.3"),
            ("125", "999PR", " 125 "),
            ("-125", "999PR", "<125>"),
            ("12", "S999", " +12"),
            ("-12", "999S", " 12-"),
            ("12.5", "99D99", " 12.50"),
            ("1234", "999", " ###"),
            ("-12", "999MI", " 12-"),
            ("12", "999MI", " 12 "),
            ("12", "FM999MI", "12"),
            ("0", "999", "   0"),
            ("0", "FM999.99", "0."),
            ("1234.5678", "FM9999.0099", "1234.5678"),
            ("12", "9,999", "    12"),
            ("0.1", "FM90.99%", "0.1%"),
            ("1e3", "9999", " 1000"),
            ("-0.4", "99", "  0"),
            ("999.99", "999.9", " ###.#"),
            ("12", "$999", "$  12"),
            ("5", "\"n=\"99", "n=  5"),
            ("0", "9.99", "  .00"),
            ("-0.5", "S9.9", " -.5"),
            ("7", "SG99", "+ 7"),
            ("-7", "99SG", " 7-"),
            ("7", "PL99", "+  7"),
            ("-1234", "9,999PR", "<1,234>"),
            ("-5", "0999", "-0005"),
        ] {
            assert_eq!(numbers::written(number, pattern).as_deref(), Ok(text), "{number} {pattern}");
        }
        assert!(numbers::written("1", "9.99EEEE").is_err());
    }
}
