//! An error as PostgreSQL's clients know them.

use std::borrow::Cow;

/// What goes into an `ErrorResponse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PgError {
    /// Five characters: the class, and what it is in it.
    pub(crate) sqlstate: &'static str,
    pub(crate) message: Cow<'static, str>,
    pub(crate) detail: Option<String>,
    pub(crate) hint: Option<String>,
    /// Character of the statement, counted from 1.
    pub(crate) position: Option<usize>,
    /// Whether the connection ends with it.
    pub(crate) fatal: bool,
}

impl PgError {
    pub(crate) fn new(sqlstate: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { sqlstate, message: message.into(), detail: None, hint: None, position: None, fatal: false }
    }

    /// The connection ends with it.
    pub(crate) fn fatal(sqlstate: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { fatal: true, ..Self::new(sqlstate, message) }
    }

    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

pub(crate) type Result<T, E = PgError> = std::result::Result<T, E>;

/// A message that is not what its type says.
pub(crate) const PROTOCOL_VIOLATION: &str = "08P01";
/// Bytes of a text that are not UTF-8.
pub(crate) const CHARACTER_NOT_IN_REPERTOIRE: &str = "22021";
/// Bytes of a binary value that are none of its type.
pub(crate) const INVALID_BINARY_REPRESENTATION: &str = "22P03";
/// A text that is none of its type.
pub(crate) const INVALID_TEXT_REPRESENTATION: &str = "22P02";
/// What is not built, or not part of a server that is read.
pub(crate) const FEATURE_NOT_SUPPORTED: &str = "0A000";
/// A statement that does not parse.
pub(crate) const SYNTAX_ERROR: &str = "42601";
/// A statement was stopped: by request, or by its time.
pub(crate) const QUERY_CANCELED: &str = "57014";
/// A value that a setting or option does not take.
pub(crate) const INVALID_PARAMETER_VALUE: &str = "22023";
/// A name that is none of a setting, role and the like.
pub(crate) const UNDEFINED_OBJECT: &str = "42704";
/// A setting that cannot be changed, or not now.
pub(crate) const CANT_CHANGE: &str = "55P02";
/// No cursor or portal of that name.
pub(crate) const INVALID_CURSOR_NAME: &str = "34000";
/// No statement of that name.
pub(crate) const INVALID_STATEMENT_NAME: &str = "26000";
/// Too many connections, or queries that wait.
pub(crate) const TOO_MANY_CONNECTIONS: &str = "53300";
/// The operator ended the connection, or the server stops.
pub(crate) const ADMIN_SHUTDOWN: &str = "57P01";
/// A password, or a proof of knowing it, that is not the user's.
pub(crate) const INVALID_PASSWORD: &str = "28P01";
/// A login that is refused for another reason than its password.
pub(crate) const INVALID_AUTHORIZATION_SPECIFICATION: &str = "28000";
/// Memory is short.
pub(crate) const OUT_OF_MEMORY: &str = "53200";
/// More than the protocol or this server can carry.
pub(crate) const PROGRAM_LIMIT_EXCEEDED: &str = "54000";
/// A fault of the server.
pub(crate) const INTERNAL_ERROR: &str = "XX000";
/// A number that its type does not hold.
pub(crate) const NUMERIC_VALUE_OUT_OF_RANGE: &str = "22003";
/// A text that is no date, time or interval.
pub(crate) const INVALID_DATETIME_FORMAT: &str = "22007";
/// A date or time that its type does not hold.
pub(crate) const DATETIME_FIELD_OVERFLOW: &str = "22008";
/// An offset from UTC that no zone has.
pub(crate) const INVALID_TIME_ZONE_DISPLACEMENT: &str = "22009";
/// A part of an interval that is too large.
pub(crate) const INTERVAL_FIELD_OVERFLOW: &str = "22015";
/// A value of another type than the one it is for.
pub(crate) const DATATYPE_MISMATCH: &str = "42804";
