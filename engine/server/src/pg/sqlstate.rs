//! The engine's errors as PostgreSQL's clients know them.
//!
//! What the engine says itself has its SQLSTATE with it (`envoi::Error::state`). What the engine below says is known by
//! its words: it has no codes of its own. `tests/recorded/sqlstates.txt` has what PostgreSQL gives for the same
//! statements.

use envoi::Class;

use super::error::PgError;
use crate::functions::find_type;

/// The error about a statement; `begin` is where it begins in the text that the client sent.
pub(crate) fn of_engine(error: &envoi::Error, sql: &str, before: &str) -> PgError {
    // Names are in the quotes of PostgreSQL.
    let quoted = |text: &str| text.replace('`', "\"");
    let mut of = PgError::new(state(error), quoted(error.message()));
    of.hint = error.hint().map(quoted);
    of.position = error.position().and_then(|byte| {
        let characters = sql.get(..byte)?.chars().count();
        Some(before.chars().count() + characters + 1)
    });
    of
}

fn state(error: &envoi::Error) -> &'static str {
    if let Some(state) = error.state() {
        return state;
    }
    match error.class() {
        Class::Cancelled => "57014",
        Class::Resource => resource(error.message()),
        Class::Data => match by_words(error.message()) {
            GENERAL => "58030",
            known => known,
        },
        Class::Internal => "XX000",
        Class::User => by_words(error.message()),
    }
}

fn resource(message: &str) -> &'static str {
    match message {
        m if m.contains("statement") && (m.contains("deep") || m.contains("bytes") || m.contains("terms")) => "54001",
        m if m.contains("may") && m.contains("role") => "42501",
        m if m.contains("disk") || m.contains("space") => "53100",
        _ => "53200",
    }
}

/// Something is wrong with the statement.
const GENERAL: &str = "42000";

/// What an error has in it, in small letters; the first that fits says what it is.
const BY_WORDS: &[(&str, &str)] = &[
    // Who may do what.
    ("readers may not run", "25006"),
    ("readers see", "42501"),
    ("is not one that readers", "42501"),
    ("that readers may", "42501"),
    ("households", "42501"),
    ("permission denied", "42501"),
    // Grouping, windows, subqueries.
    ("aggregate functions are not allowed", "42803"),
    ("aggregate function calls cannot", "42803"),
    ("expression aggregatefunction(", "42803"),
    ("to grouping function is not in grouping columns", "42803"),
    ("must appear in the group by", "42803"),
    ("must be part of the group by", "42803"),
    ("window function calls cannot be nested", "42P20"),
    ("expression windowfunction(", "42P20"),
    ("invalid window frame", "42P20"),
    ("range requires exactly one order by", "42P20"),
    ("order by column out of bounds", "42P10"),
    ("cannot find column with position", "42P10"),
    ("for select distinct, order by", "42P10"),
    ("source table contains", "42P10"),
    ("group by", "42803"),
    ("too many columns! the subquery", "42601"),
    ("subquery should only return one column", "42601"),
    ("queries have different number of columns", "42601"),
    ("must have the same number of columns", "42601"),
    ("with query name", "42712"),
    ("correlated scalar subquery", "0A000"),
    ("window expressions should not contain a mixed", "0A000"),
    ("cannot run range queries", "0A000"),
    ("subquery can only be used in", "0A000"),
    ("accessing outer reference columns", "0A000"),
    ("limit must be", "2201W"),
    ("offset must be", "2201X"),
    ("integer or null, but got utf8", "22P02"),
    ("integer or null, but got", "42804"),
    // Types of what is compared, counted and asked.
    ("predicate 'utf8(", "22P02"),
    ("non-boolean predicate", "42804"),
    ("requires a boolean expression", "42804"),
    ("for logical boolean operation", "42804"),
    ("cannot infer common argument type", "42883"),
    ("cannot infer common type", "42883"),
    ("is not comparable", "42883"),
    ("cannot coerce arithmetic expression", "42883"),
    ("unary operator", "42883"),
    ("cannot get result type for temporal operation", "42883"),
    ("unnest() can only be applied", "42883"),
    ("substring without for/from", "42883"),
    ("cannot access field at argument", "42809"),
    ("has no type information", "42703"),
    // Values.
    ("division by zero", "22012"),
    ("divide by zero", "22012"),
    ("square root of a negative", "2201F"),
    ("zero raised to a negative power", "2201F"),
    ("month value", "22008"),
    ("day value", "22008"),
    ("unable to parse date from", "22008"),
    ("is too large to store in a decimal", "22003"),
    ("percentile value must be between", "22003"),
    ("overflow", "22003"),
    ("out of range", "22003"),
    ("can't cast value", "22003"),
    ("decimal(precision", "22023"),
    ("invalid timezone", "22023"),
    ("date part", "22023"),
    ("unsupported date_trunc granularity", "22023"),
    ("failed to decode value using", "22023"),
    ("no built-in encoding named", "22023"),
    ("invalid unicode scalar value", "22023"),
    ("field position must not be zero", "22023"),
    ("step can't be 0", "22023"),
    ("step cannot be zero", "22023"),
    ("negative count not allowed", "22011"),
    ("not a valid identifier", "22023"),
    ("failed to convert size", "22023"),
    ("regex parse error", "2201B"),
    ("compiled regex exceeds size limit", "54000"),
    ("cannot cast string", "22P02"),
    ("cannot cast value '", "22P02"),
    ("cannot be cast to", "22P02"),
    ("could not be converted", "22P02"),
    ("expected an integer value", "22P02"),
    ("invalid input syntax for type interval", "22007"),
    ("invalid input syntax", "22P02"),
    ("parser error", "22007"),
    ("cannot cast", "42846"),
    ("can't cast", "42846"),
    ("unsupported cast", "42846"),
    // Names, and the rest.
    ("ambiguous", "42702"),
    ("unrecognized configuration parameter", "42704"),
    ("there is no parameter", "42P02"),
    ("syntax error", "42601"),
    ("unexpected", "42601"),
    ("expected", "42601"),
    ("unterminated", "42601"),
    ("not supported", "0A000"),
    ("too deep", "54001"),
    ("too many", "54000"),
    ("at most", "54000"),
];

fn by_words(message: &str) -> &'static str {
    let m = message.to_lowercase();
    if let Some(state) = unknown_name(&m).or_else(|| date(&m)) {
        return state;
    }
    // Types of PostgreSQL that are not built are not supported; others are none.
    if let Some((_, name)) = m.split_once("unsupported sql type ") {
        let known = find_type(name.trim_matches('"')).is_some();
        return if known { "0A000" } else { "42704" };
    }
    if m.starts_with("the window ") && m.contains("is not defined") {
        return "42704";
    }
    if m.starts_with("function") || m.contains("no function matches") || m.contains("takes") && m.contains("argument") {
        return "42883";
    }
    BY_WORDS.iter().find(|(words, _)| m.contains(words)).map_or(GENERAL, |(_, state)| state)
}

/// A name that there is nothing of.
fn unknown_name(m: &str) -> Option<&'static str> {
    if m.contains("no field named") {
        return Some("42703");
    }
    if !(m.ends_with("does not exist") || m.contains("does not exist;") || m.contains("not found")) {
        return None;
    }
    Some(match () {
        () if m.starts_with("table") || m.starts_with("relation") => "42P01",
        () if m.starts_with("column") || m.contains("field") => "42703",
        () if m.starts_with("function") || m.starts_with("operator") => "42883",
        () if m.starts_with("schema") => "3F000",
        () => "42704",
    })
}

/// A text that is no date or time: the fields of one that are out of their range, or none at all.
fn date(m: &str) -> Option<&'static str> {
    let (_, text) = match m.split_once("error parsing timestamp from '") {
        Some(found) => found,
        None if m.contains("value of date") || m.contains("value of time") => m.split_once("cannot cast string '")?,
        None => return None,
    };
    let mut fields = text.split('\'').next()?.trim().split('-');
    let is = |field: Option<&str>, digits: std::ops::RangeInclusive<usize>| {
        let number = field.map_or("", |f| f.split(['t', ' ']).next().unwrap_or_default());
        digits.contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
    };
    let whole = is(fields.next(), 4..=6) && is(fields.next(), 1..=2) && is(fields.next(), 1..=2);
    Some(if whole { "22008" } else { "22007" })
}
