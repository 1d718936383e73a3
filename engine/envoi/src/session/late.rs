//! Parameters of functions in FROM, such as `generate_series(1, $1)`.
//!
//! The engine, and the library too, read those arguments while they plan. So such a statement is planned with values
//! of the right kind to tell its columns, and again with the client's values when it is run. Values are put into the
//! parsed statement: no text of a client's is read as SQL.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType as Sql, Expr, FunctionArg, FunctionArgExpr, Interval, ObjectName, TableFactor, TimezoneInfo,
    TypedString, Value, VisitMut, VisitorMut,
};

use super::prepared::{MOST, written};
use crate::error::{Error, Result};
use crate::library::{Argument, ArgumentKind, functions, mart};

/// What is known of a late parameter without its value: a value of the kind that its place takes.
pub(super) type Samples = BTreeMap<usize, ScalarValue>;

/// Finds the late parameters of a statement.
#[derive(Default)]
pub(super) struct Finder(pub(super) Samples);

impl VisitorMut for Finder {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let Some((name, arguments)) = called(factor) else { return ControlFlow::Continue(()) };
        let known = known(&name);
        let times = known.is_none() && temporal(arguments);
        for (place, argument) in arguments.iter_mut().enumerate() {
            let meant = known.and_then(|all| match argument {
                FunctionArg::Named { name, .. } => all.iter().find(|a| a.name == name.value.to_lowercase()),
                _ => all.get(place),
            });
            let sample = match meant {
                Some(argument) => sample_of_argument(argument),
                None if times && place == 2 => sample(&DataType::Interval(IntervalUnit::MonthDayNano)),
                None if times => sample(&DataType::Timestamp(TimeUnit::Microsecond, None)),
                None if series(&name) => sample(&DataType::Int64),
                None => sample(&DataType::Utf8),
            };
            let mut placeholders = Placeholders { found: &mut self.0, sample };
            let _ = argument.visit(&mut placeholders);
        }
        ControlFlow::Continue(())
    }
}

/// The name and arguments of a function in FROM; `unnest` takes parameters as any expression does.
fn called(factor: &mut TableFactor) -> Option<(String, &mut Vec<FunctionArg>)> {
    let last = |name: &ObjectName| {
        let ident = name.0.last().and_then(|part| part.as_ident());
        ident.map(|i| i.value.to_lowercase()).unwrap_or_default()
    };
    let (name, arguments) = match factor {
        TableFactor::Table { name, args: Some(args), .. } => (last(name), &mut args.args),
        TableFactor::Function { name, args, .. } => (last(name), args),
        _ => return None,
    };
    (name != "unnest").then_some((name, arguments))
}

fn series(name: &str) -> bool {
    matches!(name, "generate_series" | "range")
}

/// The arguments of a function or mart of the library.
fn known(name: &str) -> Option<&'static [Argument]> {
    if let Some(function) = functions().ok()?.iter().find(|f| f.name == name) {
        return Some(&function.meta.argument);
    }
    mart(name).ok().flatten().map(|m| m.meta.argument.as_slice())
}

/// Whether a series is one of times: its step is an interval, or a bound is a time.
fn temporal(arguments: &[FunctionArg]) -> bool {
    let is = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => match expr {
            Expr::Interval(_) => true,
            Expr::TypedString(typed) => is_time(&typed.data_type),
            Expr::Cast { data_type, .. } => is_time(data_type),
            _ => false,
        },
        _ => false,
    };
    arguments.iter().any(is)
}

fn is_time(data_type: &Sql) -> bool {
    matches!(
        data_type,
        Sql::Timestamp(..) | Sql::TimestampNtz(..) | Sql::Date | Sql::Interval { .. } | Sql::Datetime(_)
    ) || data_type.to_string().to_lowercase().starts_with("timestamp")
}

struct Placeholders<'a> {
    found: &'a mut Samples,
    sample: ScalarValue,
}

impl VisitorMut for Placeholders<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(number) = number(expr) {
            self.found.entry(number).or_insert_with(|| self.sample.clone());
        }
        ControlFlow::Continue(())
    }
}

/// The number of a parameter, from 1.
fn number(expr: &Expr) -> Option<usize> {
    let Expr::Value(value) = expr else { return None };
    let Value::Placeholder(name) = &value.value else { return None };
    name.strip_prefix('$')?.parse().ok().filter(|n| (1..=MOST).contains(n))
}

/// A value that an argument of the library takes.
fn sample_of_argument(argument: &Argument) -> ScalarValue {
    let plain = |text: &str| text.trim_matches('\'').to_owned();
    let usual = argument.default.as_deref().or(argument.choices.first().map(String::as_str)).map(plain);
    match argument.kind {
        ArgumentKind::Number => ScalarValue::Float64(Some(usual.and_then(|text| text.parse().ok()).unwrap_or(1.0))),
        ArgumentKind::Convention => {
            let default = argument.convention().map(|c| c.default.to_owned());
            ScalarValue::Utf8(Some(default.unwrap_or_default()))
        }
        ArgumentKind::Day => ScalarValue::Utf8(Some(usual.unwrap_or_else(|| "2000-01-01".to_owned()))),
        _ => ScalarValue::Utf8(Some(usual.unwrap_or_default())),
    }
}

/// A value of a type.
pub(super) fn sample(data_type: &DataType) -> ScalarValue {
    const MICROS_OF_2000: i64 = 946_684_800_000_000;
    let number = ScalarValue::Int64(Some(1));
    match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => ScalarValue::Utf8(Some(String::new())),
        DataType::Date32 => ScalarValue::Date32(Some(10_957)),
        DataType::Timestamp(_, zone) => ScalarValue::TimestampMicrosecond(Some(MICROS_OF_2000), zone.clone()),
        DataType::Interval(_) => ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNanoType::make_value(0, 1, 0))),
        other => number.cast_to(other).or_else(|_| ScalarValue::try_from(other)).unwrap_or(ScalarValue::Null),
    }
}

/// Puts values in the place of late parameters.
pub(super) struct Values<'a>(pub(super) &'a BTreeMap<usize, ScalarValue>);

impl VisitorMut for Values<'_> {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        match called(factor) {
            Some((_, arguments)) => arguments.visit(&mut Put(self.0)),
            None => ControlFlow::Continue(()),
        }
    }
}

struct Put<'a>(&'a BTreeMap<usize, ScalarValue>);

impl VisitorMut for Put<'_> {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let placeholder = match &*expr {
            // A text keeps its cast; the library and NULL do without.
            Expr::Cast { expr, .. } => number(expr).filter(|n| self.0.get(n).is_some_and(|v| !is_text(v))),
            other => number(other),
        };
        if let Some(value) = placeholder.and_then(|number| self.0.get(&number)) {
            match literal(value) {
                Ok(literal) => *expr = literal,
                Err(error) => return ControlFlow::Break(error),
            }
        }
        ControlFlow::Continue(())
    }
}

fn is_text(value: &ScalarValue) -> bool {
    value.data_type().is_string() && !value.is_null()
}

/// A value as SQL writes it.
fn literal(value: &ScalarValue) -> Result<Expr> {
    let data_type = value.data_type();
    let text = |text: String| Expr::value(Value::SingleQuotedString(text));
    let typed = |data_type: Sql, text: String| {
        let value = Value::SingleQuotedString(text).into();
        Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false })
    };
    let cast = |expr: Expr, data_type: Sql| {
        let (kind, expr) = (CastKind::Cast, Box::new(expr));
        Expr::Cast { kind, expr, data_type, array: false, format: None }
    };
    if value.is_null() {
        let null = Expr::value(Value::Null);
        return Ok(match &data_type {
            DataType::Timestamp(..) | DataType::Date32 => cast(null, written(&data_type)?),
            _ => null,
        });
    }
    Ok(match value {
        ScalarValue::Boolean(Some(truth)) => Expr::value(Value::Boolean(*truth)),
        ScalarValue::Utf8(Some(t)) | ScalarValue::LargeUtf8(Some(t)) | ScalarValue::Utf8View(Some(t)) => {
            text(t.clone())
        }
        ScalarValue::Float64(Some(number)) if number.is_finite() => {
            Expr::value(Value::Number(number.to_string(), false))
        }
        ScalarValue::Float32(Some(number)) if number.is_finite() => {
            Expr::value(Value::Number(number.to_string(), false))
        }
        ScalarValue::Float64(_) | ScalarValue::Float32(_) => cast(text(value.to_string()), written(&data_type)?),
        ScalarValue::Date32(_) => typed(Sql::Date, value.to_string()),
        ScalarValue::TimestampSecond(..)
        | ScalarValue::TimestampMillisecond(..)
        | ScalarValue::TimestampMicrosecond(..)
        | ScalarValue::TimestampNanosecond(..) => {
            let DataType::Timestamp(unit, zone) = &data_type else { return Err(cannot(&data_type)) };
            // Written without a zone it is UTC, as the value is.
            let plain = value.cast_to(&DataType::Timestamp(*unit, zone.clone().map(|_| "+00:00".into())));
            let shown = plain.and_then(|p| p.cast_to(&DataType::Utf8)).map_err(|_| cannot(&data_type))?;
            let zone = if zone.is_some() { TimezoneInfo::WithTimeZone } else { TimezoneInfo::None };
            typed(Sql::Timestamp(None, zone), shown.to_string())
        }
        ScalarValue::IntervalMonthDayNano(Some(interval)) => {
            let (months, days, nanos) = IntervalMonthDayNanoType::to_parts(*interval);
            let parts = format!("{months} months {days} days {nanos} nanoseconds");
            Expr::Interval(Interval {
                value: Box::new(text(parts)),
                leading_field: None,
                leading_precision: None,
                last_field: None,
                fractional_seconds_precision: None,
            })
        }
        number if data_type.is_numeric() => Expr::value(Value::Number(number.to_string(), false)),
        _ => return Err(cannot(&data_type)),
    })
}

fn cannot(data_type: &DataType) -> Error {
    Error::user(format!("a parameter of type {data_type} cannot be an argument of a function in FROM"))
        .with_hint("a number, a text, a date, a timestamp or an interval can")
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    fn put(sql: &str, values: Vec<ScalarValue>) -> String {
        let mut statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        let _ = statement.visit(&mut Values(&(1..).zip(values).collect()));
        statement.to_string()
    }

    fn found(sql: &str) -> Samples {
        let mut statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        let mut finder = Finder::default();
        let _ = statement.visit(&mut finder);
        finder.0
    }

    #[test]
    fn values_are_put_in_functions_of_from_alone() {
        let int = |n| ScalarValue::Int64(Some(n));
        for (sql, values, expected) in [
            (
                "SELECT $2 FROM generate_series(1, $1 + 1) WHERE a = $1",
                vec![int(-5), int(2)],
                "SELECT $2 FROM generate_series(1, -5 + 1) WHERE a = $1",
            ),
            ("SELECT * FROM f($1::INT)", vec![int(3)], "SELECT * FROM f(3)"),
            ("SELECT * FROM f($1::INT)", vec![ScalarValue::Int32(None)], "SELECT * FROM f(NULL)"),
            ("SELECT * FROM f($1::INT)", vec!["3".into()], "SELECT * FROM f('3'::INT)"),
            ("SELECT * FROM f(a => $1)", vec!["it's".into()], "SELECT * FROM f(a => 'it''s')"),
            (
                "SELECT * FROM f($1, $2)",
                vec![sample(&DataType::Timestamp(TimeUnit::Microsecond, None)), sample(&DataType::Date32)],
                "SELECT * FROM f(TIMESTAMP '2000-01-01T00:00:00', DATE '2000-01-01')",
            ),
        ] {
            assert_eq!(put(sql, values), expected);
        }
    }

    #[test]
    fn places_tell_types() {
        let types = |sql| found(sql).into_values().map(|v| v.data_type()).collect::<Vec<_>>();
        assert_eq!(types("select * from generate_series($1, $2)"), [DataType::Int64, DataType::Int64]);
        assert_eq!(
            types("select * from generate_series($1, $2, interval '1 day')"),
            vec![DataType::Timestamp(TimeUnit::Microsecond, None); 2]
        );
        assert_eq!(types("select $1 from t where a = $2"), []);
        assert_eq!(types("select * from revision($1, old => $2, new => $3)"), vec![DataType::Utf8; 3]);
    }
}
