//! The messages of the server, appended to what goes out.
//!
//! A message is appended whole or not at all. Texts lose their NULs, which would end them
//! early, and what is behind their first MiB.

use bytes::{BufMut, BytesMut};

use super::startup::NEWEST_MINOR;
use crate::pg::error::{PROGRAM_LIMIT_EXCEEDED, PgError, Result};

/// A column of a RowDescription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The table's oid, 0 where it is no table's column.
    pub(crate) table: u32,
    /// The column's number in that table, 0 where it is none.
    pub(crate) column: i16,
    /// The type's oid.
    pub(crate) oid: u32,
    /// Bytes of the type, negative where they vary.
    pub(crate) size: i16,
    /// Modifier of the type, -1 where it has none.
    pub(crate) modifier: i32,
    /// 0 for text, 1 for binary.
    pub(crate) format: i16,
}

pub(crate) fn authentication_ok(to: &mut BytesMut) {
    small(to, b'R', |to| to.put_i32(0));
}

/// AuthenticationSASL: the mechanisms on offer, the preferred one first.
pub(crate) fn authentication_sasl(to: &mut BytesMut, mechanisms: &[&str]) {
    small(to, b'R', |to| {
        to.put_i32(10);
        mechanisms.iter().for_each(|mechanism| text(to, mechanism));
        to.put_u8(0);
    });
}

pub(crate) fn authentication_sasl_continue(to: &mut BytesMut, data: &[u8]) {
    small(to, b'R', |to| {
        to.put_i32(11);
        to.put_slice(data);
    });
}

pub(crate) fn authentication_sasl_final(to: &mut BytesMut, data: &[u8]) {
    small(to, b'R', |to| {
        to.put_i32(12);
        to.put_slice(data);
    });
}

/// NegotiateProtocolVersion: the minor version that is spoken, and the options of the protocol
/// that are not known. The version goes out whole, as PostgreSQL sends it and its clients read it.
pub(crate) fn negotiate_version(to: &mut BytesMut, minor: u16, unknown: &[&str]) {
    small(to, b'v', |to| {
        to.put_u32((3 << 16) | u32::from(minor.min(NEWEST_MINOR)));
        // They came in one packet of 10,000 bytes.
        to.put_u32(u32::try_from(unknown.len()).unwrap_or(u32::MAX));
        unknown.iter().for_each(|option| text(to, option));
    });
}

pub(crate) fn parameter_status(to: &mut BytesMut, name: &str, value: &str) {
    small(to, b'S', |to| {
        text(to, name);
        text(to, value);
    });
}

/// BackendKeyData: what a CancelRequest must say; the secret has 4 bytes before protocol 3.2, up to 256 in it.
pub(crate) fn backend_key(to: &mut BytesMut, pid: i32, secret: &[u8]) {
    small(to, b'K', |to| {
        to.put_i32(pid);
        to.put_slice(secret);
    });
}

/// ReadyForQuery; `status` is `I` idle, `T` in a transaction, `E` in a failed one.
pub(crate) fn ready(to: &mut BytesMut, status: u8) {
    small(to, b'Z', |to| to.put_u8(status));
}

/// # Errors
/// 54000 for more columns than the protocol counts.
pub(crate) fn row_description(to: &mut BytesMut, columns: &[Column]) -> Result<()> {
    message(to, b'T', |to| {
        to.put_i16(i16::try_from(columns.len()).map_err(|_| too_many("columns", columns.len()))?);
        for column in columns {
            text(to, &column.name);
            to.put_u32(column.table);
            to.put_i16(column.column);
            to.put_u32(column.oid);
            to.put_i16(column.size);
            to.put_i32(column.modifier);
            to.put_i16(column.format);
        }
        Ok(())
    })
}

/// # Errors
/// 54000 for more parameters than the protocol counts.
pub(crate) fn parameter_description(to: &mut BytesMut, oids: &[u32]) -> Result<()> {
    message(to, b't', |to| {
        to.put_u16(u16::try_from(oids.len()).map_err(|_| too_many("parameters", oids.len()))?);
        oids.iter().for_each(|&oid| to.put_u32(oid));
        Ok(())
    })
}

pub(crate) fn no_data(to: &mut BytesMut) {
    small(to, b'n', |_| ());
}

pub(crate) fn parse_complete(to: &mut BytesMut) {
    small(to, b'1', |_| ());
}

pub(crate) fn bind_complete(to: &mut BytesMut) {
    small(to, b'2', |_| ());
}

pub(crate) fn close_complete(to: &mut BytesMut) {
    small(to, b'3', |_| ());
}

pub(crate) fn portal_suspended(to: &mut BytesMut) {
    small(to, b's', |_| ());
}

pub(crate) fn empty_query(to: &mut BytesMut) {
    small(to, b'I', |_| ());
}

/// CommandComplete, such as `SELECT 3`.
pub(crate) fn command_complete(to: &mut BytesMut, tag: &str) {
    small(to, b'C', |to| text(to, tag));
}

/// ErrorResponse.
pub(crate) fn error(to: &mut BytesMut, error: &PgError) {
    let severity = if error.fatal { "FATAL" } else { "ERROR" };
    let position = error.position.map(|position| position.to_string());
    let fields = [(b'D', error.detail.as_deref()), (b'H', error.hint.as_deref()), (b'P', position.as_deref())];
    report(to, b'E', severity, error.sqlstate, &error.message, &fields);
}

/// NoticeResponse; `severity` is `WARNING`, `NOTICE` or another of PostgreSQL's below `ERROR`.
pub(crate) fn notice(to: &mut BytesMut, severity: &str, sqlstate: &str, message: &str, hint: Option<&str>) {
    report(to, b'N', severity, sqlstate, message, &[(b'H', hint)]);
}

/// CopyOutResponse: the format of the whole (0 text, 1 binary) and of each column.
///
/// # Errors
/// 54000 for more columns than the protocol counts.
pub(crate) fn copy_out(to: &mut BytesMut, format: i8, columns: &[i16]) -> Result<()> {
    message(to, b'H', |to| {
        to.put_i8(format);
        to.put_i16(i16::try_from(columns.len()).map_err(|_| too_many("columns", columns.len()))?);
        columns.iter().for_each(|&format| to.put_i16(format));
        Ok(())
    })
}

pub(crate) fn copy_done(to: &mut BytesMut) {
    small(to, b'c', |_| ());
}

/// Appends a message of any type, whose body `write` appends. Where that fails or the body is
/// longer than a message can be, `to` is as it was before.
///
/// # Errors
/// What `write` returns; 54000 for more than 2 GiB.
pub(crate) fn message(to: &mut BytesMut, kind: u8, write: impl FnOnce(&mut BytesMut) -> Result<()>) -> Result<()> {
    let start = to.len();
    to.put_u8(kind);
    to.put_i32(0);
    let written = write(to).and_then(|()| {
        let length = to.len().saturating_sub(start + 1);
        i32::try_from(length).map_err(|_| too_many("bytes in a message", length))
    });
    match (written, to.get_mut(start + 1..start + 5)) {
        (Ok(length), Some(field)) => {
            field.copy_from_slice(&length.to_be_bytes());
            Ok(())
        }
        (written, _) => {
            to.truncate(start);
            written.and(Err(too_many("bytes taken off a message", start)))
        }
    }
}

/// A message that stays far below what a message can be: its texts are cut, its data is the server's own.
fn small(to: &mut BytesMut, kind: u8, write: impl FnOnce(&mut BytesMut)) {
    let sent = message(to, kind, |to| {
        write(to);
        Ok(())
    });
    debug_assert!(sent.is_ok(), "{sent:?}");
}

fn report(to: &mut BytesMut, kind: u8, severity: &str, sqlstate: &str, message: &str, others: &[(u8, Option<&str>)]) {
    let always = [(b'S', Some(severity)), (b'V', Some(severity)), (b'C', Some(sqlstate)), (b'M', Some(message))];
    small(to, kind, |to| {
        for (field, value) in always.iter().chain(others) {
            if let Some(value) = value {
                to.put_u8(*field);
                text(to, value);
            }
        }
        to.put_u8(0);
    });
}

/// Bytes of a text that are sent at most; an error's texts quote statements and plans.
const MOST_TEXT: usize = 1 << 20;

fn text(to: &mut BytesMut, text: &str) {
    let shown = text.get(..text.floor_char_boundary(MOST_TEXT)).unwrap_or(text);
    shown.split('\0').for_each(|part| to.put_slice(part.as_bytes()));
    to.put_u8(0);
}

fn too_many(what: &str, count: usize) -> PgError {
    PgError::new(PROGRAM_LIMIT_EXCEEDED, format!("{count} {what} are more than the protocol can count"))
}
