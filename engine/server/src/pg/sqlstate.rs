//! The engine's errors as PostgreSQL's clients know them.

use envoi::Class;

use super::error::PgError;

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
    match error.class() {
        Class::Cancelled => "57014",
        Class::Resource => resource(error.message()),
        Class::Data => match user(error.message()) {
            GENERAL => "58030",
            known => known,
        },
        Class::Internal => "XX000",
        Class::User => user(error.message()),
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

/// By what the message begins with, or has in it: the engine below has no codes of its own.
fn user(message: &str) -> &'static str {
    const BY_WORDS: &[(&str, &str)] = &[
        ("syntax error", "42601"),
        ("unexpected", "42601"),
        ("expected", "42601"),
        ("unterminated", "42601"),
        ("readers may not run", "25006"),
        ("readers see", "42501"),
        ("is not one that readers", "42501"),
        ("that readers may", "42501"),
        ("households", "42501"),
        ("permission denied", "42501"),
        ("division by zero", "22012"),
        ("divide by zero", "22012"),
        ("overflow", "22003"),
        ("out of range", "22003"),
        ("ambiguous", "42702"),
        ("must appear in the group by", "42803"),
        ("must be part of the group by", "42803"),
        ("group by", "42803"),
        ("cannot cast string", "22P02"),
        ("cannot cast", "42846"),
        ("can't cast", "42846"),
        ("unsupported cast", "42846"),
        ("not supported", "0A000"),
        ("too deep", "54001"),
        ("too many", "54000"),
        ("at most", "54000"),
        ("cannot be cast to", "22P02"),
        ("could not be converted", "22P02"),
        ("parser error", "22007"),
        ("there is no parameter", "42P02"),
    ];
    let m = message.to_lowercase();
    if m.ends_with("does not exist") || m.contains("does not exist;") || m.contains("not found") {
        return match () {
            () if m.starts_with("table") => "42P01",
            () if m.starts_with("column") || m.contains("field") => "42703",
            () if m.starts_with("function") => "42883",
            () if m.starts_with("setting") || m.contains("config") => "42704",
            () if m.starts_with("schema") => "3F000",
            () => "42704",
        };
    }
    if m.contains("no field named") {
        return "42703";
    }
    if m.starts_with("function") || m.contains("no function matches") || m.contains("takes") && m.contains("argument") {
        return "42883";
    }
    BY_WORDS.iter().find(|(words, _)| m.contains(words)).map_or(GENERAL, |(_, state)| state)
}
