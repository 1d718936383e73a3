//! The messages of a client, one at a time.

use std::fmt;

use bytes::{Bytes, BytesMut};

use super::read::Body;
use crate::pg::error::{PROTOCOL_VIOLATION, PgError, Result};

/// A message of a client. Its `Debug` form is its name only: statements, values and proofs
/// of passwords stay out of logs.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Frontend {
    Query(String),
    /// `types` may be shorter than the statement's parameters; 0 stands for a type that is not said.
    Parse {
        statement: String,
        query: String,
        types: Vec<u32>,
    },
    /// `formats` is empty (all text), one for all values, or one a value; so is `results`,
    /// which is not held against the columns here. A value of `None` is NULL.
    Bind {
        portal: String,
        statement: String,
        formats: Vec<i16>,
        values: Vec<Option<Bytes>>,
        results: Vec<i16>,
    },
    Describe {
        kind: Target,
        name: String,
    },
    /// All rows where `most` is 0 or less.
    Execute {
        portal: String,
        most: i32,
    },
    Close {
        kind: Target,
        name: String,
    },
    Sync,
    Flush,
    Terminate,
    /// SASLInitialResponse or SASLResponse: which of them, only who waits for it knows.
    Password(Bytes),
    CopyData(Bytes),
    CopyDone,
    CopyFail(String),
    /// The fast path to a function, which is not built; its body is not looked at.
    FunctionCall,
}

/// What a Describe or Close is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Statement,
    Portal,
}

/// Takes one message off the front of `buf`; `None` while bytes of it are missing. `limit` is
/// the most that its length field may say.
///
/// # Errors
/// Fatal (08P01), nothing taken: a type that there is not, a length out of bounds. Not fatal,
/// the message taken: a body that is not what its type says (08P01), text that is not UTF-8
/// (22021). Who has to answer such an error looks at the first byte of `buf` beforehand, with
/// [`skips_to_sync`].
pub(crate) fn message(buf: &mut BytesMut, limit: usize) -> Result<Option<Frontend>> {
    let Some(&kind) = buf.first() else { return Ok(None) };
    let Some(name) = name(kind) else {
        return Err(PgError::fatal(PROTOCOL_VIOLATION, format!("invalid frontend message type {kind}")));
    };
    let Some(&length) = buf.get(1..).and_then(<[u8]>::first_chunk) else { return Ok(None) };
    let (length, most) = (i32::from_be_bytes(length), if is_short(kind) { limit.min(SHORT) } else { limit });
    let Some(length) = usize::try_from(length).ok().filter(|length| (4..=most).contains(length)) else {
        let text = format!("invalid length of {name} message: {length}, expected 4 to {most}");
        return Err(PgError::fatal(PROTOCOL_VIOLATION, text));
    };
    if buf.len() - 1 < length {
        return Ok(None);
    }
    let body = buf.split_to(1 + length).freeze().slice(5..);
    decode(kind, Body::new(name, body)).map(Some)
}

/// Whether an error in a message of this type is answered by skipping what follows up to the
/// next Sync, as for all messages of an extended query. After any other error the client waits
/// for ReadyForQuery at once.
pub(crate) fn skips_to_sync(kind: u8) -> bool {
    matches!(kind, b'P' | b'B' | b'D' | b'E' | b'C' | b'H')
}

/// The most that the length of a message may say that carries a name or nothing, as in PostgreSQL.
const SHORT: usize = 10_000;

fn is_short(kind: u8) -> bool {
    !matches!(kind, b'Q' | b'P' | b'B' | b'd' | b'F')
}

fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        b'Q' => "Query",
        b'P' => "Parse",
        b'B' => "Bind",
        b'D' => "Describe",
        b'E' => "Execute",
        b'C' => "Close",
        b'S' => "Sync",
        b'H' => "Flush",
        b'X' => "Terminate",
        b'p' => "password",
        b'd' => "CopyData",
        b'c' => "CopyDone",
        b'f' => "CopyFail",
        b'F' => "FunctionCall",
        _ => return None,
    })
}

fn decode(kind: u8, mut body: Body) -> Result<Frontend> {
    let message = match kind {
        b'Q' => Frontend::Query(body.text()?),
        b'P' => Frontend::Parse { statement: body.text()?, query: body.text()?, types: body.list(4, Body::u32)? },
        b'B' => bind(&mut body)?,
        b'D' => Frontend::Describe { kind: target(&mut body)?, name: body.text()? },
        b'E' => Frontend::Execute { portal: body.text()?, most: body.i32()? },
        b'C' => Frontend::Close { kind: target(&mut body)?, name: body.text()? },
        b'S' => Frontend::Sync,
        b'H' => Frontend::Flush,
        b'c' => Frontend::CopyDone,
        b'f' => Frontend::CopyFail(body.text()?),
        b'p' => return Ok(Frontend::Password(body.rest())),
        b'd' => return Ok(Frontend::CopyData(body.rest())),
        b'F' => return Ok(Frontend::FunctionCall),
        // Who leaves is not held up by what is left to say.
        _ => return Ok(Frontend::Terminate),
    };
    body.end().map(|()| message)
}

fn bind(body: &mut Body) -> Result<Frontend> {
    let (portal, statement) = (body.text()?, body.text()?);
    let formats = body.list(2, format)?;
    let values = body.list(4, Body::value)?;
    if formats.len() > 1 && formats.len() != values.len() {
        return Err(body.wrong(format_args!("{} parameter formats but {} parameters", formats.len(), values.len())));
    }
    let results = body.list(2, format)?;
    Ok(Frontend::Bind { portal, statement, formats, values, results })
}

fn format(body: &mut Body) -> Result<i16> {
    match body.i16()? {
        format @ 0..=1 => Ok(format),
        format => Err(body.wrong(format_args!("format code {format}, expected 0 (text) or 1 (binary)"))),
    }
}

fn target(body: &mut Body) -> Result<Target> {
    match body.u8()? {
        b'S' => Ok(Target::Statement),
        b'P' => Ok(Target::Portal),
        kind => Err(body.wrong(format_args!("subtype {kind}, expected 83 (`S`) or 80 (`P`)"))),
    }
}

impl fmt::Debug for Frontend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Query(_) => "Query",
            Self::Parse { .. } => "Parse",
            Self::Bind { .. } => "Bind",
            Self::Describe { .. } => "Describe",
            Self::Execute { .. } => "Execute",
            Self::Close { .. } => "Close",
            Self::Sync => "Sync",
            Self::Flush => "Flush",
            Self::Terminate => "Terminate",
            Self::Password(_) => "Password",
            Self::CopyData(_) => "CopyData",
            Self::CopyDone => "CopyDone",
            Self::CopyFail(_) => "CopyFail",
            Self::FunctionCall => "FunctionCall",
        })
    }
}
