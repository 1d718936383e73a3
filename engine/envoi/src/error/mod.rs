//! The engine's error: what failed, whose it is to mend, where in the statement, and what would work.

mod place;

use std::fmt;

use datafusion::arrow::error::ArrowError;
use datafusion::common::{Column, DataFusionError, SchemaError};
use datafusion::error::DataFusionError as Df;
use datafusion::sql::sqlparser::parser::ParserError;

/// Result of the engine's calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who can mend an error; servers map it to SQLSTATEs, the command to exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Fix the statement or the command.
    User,
    /// Fix the file or the lake.
    Data,
    /// A limit was reached, or a disk or store failed.
    Resource,
    /// Our bug.
    Internal,
    /// The user stopped it.
    Cancelled,
}

/// An error of the engine. `Display` is one line, lower case, without a final stop.
#[derive(Debug, Clone)]
pub struct Error {
    class: Class,
    message: String,
    position: Option<usize>,
    hint: Option<String>,
    state: Option<&'static str>,
}

impl Error {
    /// An error of the given class.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), position: None, hint: None, state: None }
    }

    /// Fix the statement or the command.
    pub fn user(message: impl Into<String>) -> Self {
        Self::new(Class::User, message)
    }

    /// Our bug.
    pub fn internal(message: impl fmt::Display) -> Self {
        Self::new(Class::Internal, format!("internal error, please report: {message}"))
    }

    /// A panic in the work for a statement, by what it says.
    pub(crate) fn panicked(said: &str) -> Self {
        // Builders of arrays know no other way to say that a batch of texts is more than their offsets count.
        if said.contains("offset overflow") {
            let what = "the values of a column for one batch of rows are more than 2 GiB";
            return Self::new(Class::Resource, what).with_state("54000").with_hint("ask for shorter values");
        }
        Self::internal(said)
    }

    /// The same error with what would work.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error with the SQLSTATE that PostgreSQL gives it.
    #[must_use]
    pub fn with_state(mut self, state: &'static str) -> Self {
        self.state = Some(state);
        self
    }

    /// The same error at a byte offset of the statement.
    #[must_use]
    pub fn at(mut self, position: Option<usize>) -> Self {
        self.position = position.or(self.position);
        self
    }

    /// Who can mend it.
    pub fn class(&self) -> Class {
        self.class
    }

    /// What failed, without what would work.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Byte offset in the statement, where it is known.
    pub fn position(&self) -> Option<usize> {
        self.position
    }

    /// What would work, where it is known.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The SQLSTATE, where it is known.
    pub fn state(&self) -> Option<&'static str> {
        self.state
    }

    /// DataFusion's error about `sql`, in our words.
    pub(crate) fn from_datafusion(error: &DataFusionError, sql: &str) -> Self {
        let span = error.diagnostic().and_then(|d| d.span).map(|s| (s.start.line, s.start.column));
        let root = root(error);
        let position = span.and_then(|(line, column)| offset(sql, line, column));
        if let Some(what) = of_measure(&root.strip_backtrace()) {
            return Self::user(what).at(position);
        }
        let found = || position.or_else(|| place::of(&root.strip_backtrace(), sql));
        let translated = match root {
            Df::SQL(parser, _) => return parse_error(parser, sql),
            Df::SchemaError(schema, _) => schema_error(schema),
            Df::ResourcesExhausted(what) => Self::new(Class::Resource, first_line(what))
                .with_hint("raise `--memory`, or lower what is sorted, grouped or joined at once"),
            // The engine below calls wrong arguments an internal error, once for every signature.
            Df::Internal(what) if what.contains("failed to match any signature") => wrong_arguments(what),
            // What the engine below calls its own fault, and is the statement's: windows over ranges of intervals, and
            // sizes below nought.
            Df::Internal(what)
                if ["Cannot run range queries", "array_resize: failed to convert size"]
                    .iter()
                    .any(|w| what.starts_with(w)) =>
            {
                Self::user(lower_first(&first_line(what)))
            }
            Df::Internal(what) => Self::internal(first_line(what)),
            Df::IoError(e) => Self::new(Class::Resource, e.to_string()),
            Df::ObjectStore(e) => Self::new(Class::Data, e.to_string()),
            Df::ArrowError(e, _) => arrow_error(e),
            Df::ParquetError(e) => Self::new(Class::Data, first_line(&e.to_string())),
            Df::NotImplemented(what) => Self::user(format!("not supported: {}", first_line(what))),
            Df::Plan(what) if what.starts_with("Invalid function '") => unknown_function(what),
            Df::Plan(what) if what.contains("failed to match any signature") => wrong_arguments(what),
            Df::Execution(what) if what.starts_with("Scalar subquery returned more than one row") => {
                crate::session::several_rows()
            }
            Df::Plan(what) | Df::Configuration(what) | Df::Execution(what) => {
                Self::user(lower_first(&first_line(what)))
            }
            Df::ExecutionJoin(e) => Self::panicked(&e.to_string()),
            Df::External(e) => match e.downcast_ref::<Self>() {
                Some(ours) => ours.clone(),
                None => Self::user(first_line(&e.to_string())),
            },
            other => Self::user(lower_first(&first_line(&other.strip_backtrace()))),
        };
        translated.at(found())
    }
}

/// The innermost error that says something.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error {
        Df::Context(_, inner) | Df::Diagnostic(_, inner) => root(inner),
        Df::Shared(inner) => root(inner),
        Df::Collection(all) => all.first().map_or(error, root),
        other => other,
    }
}

/// `Invalid function 'x'. Did you mean 'y'?` in our words.
fn unknown_function(what: &str) -> Error {
    let mut quoted = what.split('\'').skip(1).step_by(2);
    let name = quoted.next().unwrap_or_default();
    let error = Error::user(format!("function `{name}` does not exist")).with_state("42883");
    // The engine below names the nearest however far it is.
    match quoted.next().and_then(|near| nearest(name, std::iter::once(near))) {
        Some(near) => error.with_hint(format!("did you mean `{near}`?")),
        None => error.with_hint("`envoi functions` lists the functions"),
    }
}

/// `Function 'x' failed to match any signature, errors: …, …` in our words: the first of them.
fn wrong_arguments(what: &str) -> Error {
    let first = what.split("Error during planning: ").nth(1).unwrap_or(what);
    let first = first.trim_end_matches(',').lines().next().unwrap_or(first).trim();
    Error::user(lower_first(first).replace('\'', "`")).with_state("42883")
}

/// What a kernel says of the values it was given.
fn arrow_error(error: &ArrowError) -> Error {
    let ours = Error::new(Class::Data, lower_first(&first_line(&error.to_string())));
    match error {
        ArrowError::DivideByZero => ours.with_state("22012"),
        ArrowError::ArithmeticOverflow(_) => ours.with_state("22003"),
        ArrowError::MemoryError(_) => Error { class: Class::Resource, ..ours },
        // Kernels of the engine say what is wrong as one of these.
        ArrowError::ExternalError(e) => match e.downcast_ref::<DataFusionError>().map(root) {
            Some(Df::External(inner)) => inner.downcast_ref::<Error>().cloned().unwrap_or(ours),
            Some(Df::ArrowError(inner, _)) => arrow_error(inner),
            _ => ours,
        },
        _ => ours,
    }
}

/// What a measure says of its arguments, without the words of the engine below around it.
fn of_measure(what: &str) -> Option<String> {
    let (_, own) = what.split_once("user-defined coercion failed with: Error during planning: ")?;
    let own = own.split(". No function matches").next().unwrap_or(own);
    Some(first_line(own))
}

fn parse_error(parser: &ParserError, sql: &str) -> Error {
    let text = match parser {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.clone(),
        ParserError::RecursionLimitExceeded => "the statement is nested too deeply".to_owned(),
    };
    // The parser ends its words with the place: `… at Line: 1, Column: 15`.
    let (what, place) = match text.rfind(" at Line: ") {
        Some(at) => (text.get(..at).unwrap_or(&text), text.get(at + " at Line: ".len()..)),
        None => (text.as_str(), None),
    };
    let place = place.and_then(|p| {
        let (line, column) = p.split_once(", Column: ")?;
        Some((line.trim().parse().ok()?, column.trim().parse().ok()?))
    });
    let position = match place {
        Some((line, column)) => offset(sql, line, column),
        None if what.ends_with("found: EOF") => Some(sql.len()),
        None => None,
    };
    let state = if matches!(parser, ParserError::RecursionLimitExceeded) { "54001" } else { "42601" };
    Error::user(format!("syntax error: {}", lower_first(&first_line(what)))).with_state(state).at(position)
}

fn schema_error(error: &SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let place = field.relation.as_ref().map(|r| format!(" in `{}`", r.table())).unwrap_or_default();
            let relation = |r| valid_fields.iter().any(|f| f.relation.as_ref().is_some_and(|v| v.table() == r));
            let state = match &field.relation {
                Some(r) if !valid_fields.is_empty() && !relation(r.table()) => "42P01",
                _ => "42703",
            };
            let error = Error::user(format!("column `{}` does not exist{place}", field.name)).with_state(state);
            match nearest(&field.name, valid_fields.iter().map(Column::name)) {
                Some(near) => error.with_hint(format!("did you mean `{near}`?")),
                None if valid_fields.is_empty() => error,
                None => {
                    let names: Vec<&str> = valid_fields.iter().map(Column::name).take(20).collect();
                    error.with_hint(format!("there are `{}`", names.join("`, `")))
                }
            }
        }
        SchemaError::AmbiguousReference { field } => {
            Error::user(format!("column `{}` is in more than one table", field.name))
                .with_state("42702")
                .with_hint("write the table before it: `t.column`")
        }
        SchemaError::DuplicateQualifiedField { qualifier, .. } => {
            Error::user(format!("table name `{}` is given more than once", qualifier.table()))
                .with_state("42712")
                .with_hint("give each its own name: `t as a, t as b`")
        }
        other => Error::user(lower_first(&first_line(&other.to_string()))),
    }
}

/// The name most like `wanted`, if any is like it.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.84;
    let wanted = wanted.to_lowercase();
    names
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// Byte offset of a line and column that count characters from 1.
pub(crate) fn offset(sql: &str, line: u64, column: u64) -> Option<usize> {
    let (line, column) = (usize::try_from(line).ok()?.checked_sub(1)?, usize::try_from(column).ok()?.checked_sub(1)?);
    let start: usize = sql.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = sql.get(start..)?;
    Some(start + rest.char_indices().nth(column).map_or(rest.len(), |(i, _)| i))
}

fn first_line(text: &str) -> String {
    let line = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default().trim();
    line.trim_end_matches('.').to_owned()
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        // An acronym or identifier keeps its capitals.
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<envoi_lake::Error> for Error {
    fn from(error: envoi_lake::Error) -> Self {
        let class = match error.class() {
            envoi_lake::Class::User => Class::User,
            envoi_lake::Class::Data => Class::Data,
            envoi_lake::Class::Resource => Class::Resource,
            envoi_lake::Class::Internal => Class::Internal,
        };
        Self::new(class, error.to_string())
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_characters() {
        assert_eq!(offset("select 1", 1, 8), Some(7));
        assert_eq!(offset("é\nselect x", 2, 8), Some("é\nselect ".len()));
        assert_eq!(offset("é x", 1, 3), Some("é ".len()));
        assert_eq!(offset("a", 9, 9), Some(1));
    }

    #[test]
    fn names_alike() {
        assert_eq!(nearest("remitance_usd", ["remittance_usd", "oda_usd"].into_iter()), Some("remittance_usd"));
        assert_eq!(nearest("zzz", ["remittance_usd"].into_iter()), None);
    }
}
