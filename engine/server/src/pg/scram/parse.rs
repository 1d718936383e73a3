//! The client's two messages, taken apart.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::pg::error::{FEATURE_NOT_SUPPORTED, PROTOCOL_VIOLATION, PgError, Result};

/// What a client says of channel binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binding {
    /// `n`: it has none.
    None,
    /// `y`: it has, and believes that the server has none.
    NotOffered,
    /// `p=tls-server-end-point`.
    Certificate,
}

/// client-first-message.
#[derive(Debug)]
pub(super) struct ClientFirst<'a> {
    pub(super) binding: Binding,
    /// The GS2 header with its last comma, such as `n,,`.
    pub(super) header: &'a str,
    /// What is behind it: client-first-message-bare.
    pub(super) bare: &'a str,
    pub(super) nonce: &'a str,
}

impl<'a> ClientFirst<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self> {
        let text = text(message)?;
        let (flag, rest) = text.split_once(',').ok_or_else(|| malformed("no comma behind the channel-binding flag"))?;
        let binding = match flag {
            "n" => Binding::None,
            "y" => Binding::NotOffered,
            "p=tls-server-end-point" => Binding::Certificate,
            _ if flag.starts_with("p=") => {
                let text = "unsupported SCRAM channel-binding type, expected tls-server-end-point";
                return Err(PgError::fatal(PROTOCOL_VIOLATION, text));
            }
            _ => return Err(malformed("the channel-binding flag is none of `n`, `y` and `p=`")),
        };
        let (identity, bare) = rest.split_once(',').ok_or_else(|| malformed("no comma behind the GS2 header"))?;
        if identity.starts_with("a=") {
            let text = "client uses authorization identity, but it is not supported";
            return Err(PgError::fatal(FEATURE_NOT_SUPPORTED, text));
        }
        if !identity.is_empty() {
            return Err(malformed("the GS2 header has an attribute that there is not"));
        }
        if bare.starts_with("m=") {
            let text = "client requires an unsupported SCRAM extension";
            return Err(PgError::fatal(FEATURE_NOT_SUPPORTED, text));
        }
        let header = text.strip_suffix(bare).unwrap_or(text);
        let mut attributes = bare.split(',');
        attribute(attributes.next(), "n=")?;
        let nonce = attribute(attributes.next(), "r=")?;
        if nonce.is_empty() || !nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed("the nonce is empty or has characters that do not print"));
        }
        extensions(attributes)?;
        Ok(Self { binding, header, bare, nonce })
    }
}

/// client-final-message.
#[derive(Debug)]
pub(super) struct ClientFinal<'a> {
    /// What the client bound itself to: its GS2 header, and what it knows of the channel.
    pub(super) binding: Vec<u8>,
    pub(super) nonce: &'a str,
    pub(super) proof: [u8; 32],
    /// client-final-message-without-proof.
    pub(super) without_proof: &'a str,
}

impl<'a> ClientFinal<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self> {
        let text = text(message)?;
        let (without_proof, proof) = text.rsplit_once(',').ok_or_else(|| malformed("no proof"))?;
        let proof = BASE64.decode(attribute(Some(proof), "p=")?).ok().and_then(|proof| proof.try_into().ok());
        let proof = proof.ok_or_else(|| malformed("the proof is not base64 of 32 bytes"))?;
        let mut attributes = without_proof.split(',');
        let binding = BASE64.decode(attribute(attributes.next(), "c=")?);
        let binding = binding.map_err(|_| malformed("the channel binding is not base64"))?;
        let nonce = attribute(attributes.next(), "r=")?;
        extensions(attributes)?;
        Ok(Self { binding, nonce, proof, without_proof })
    }
}

/// The error for a message that is none of SCRAM.
pub(super) fn malformed(detail: &str) -> PgError {
    PgError { detail: Some(detail.to_owned()), ..PgError::fatal(PROTOCOL_VIOLATION, "malformed SCRAM message") }
}

fn text(message: &[u8]) -> Result<&str> {
    match std::str::from_utf8(message) {
        Ok(text) if !text.contains('\0') => Ok(text),
        Ok(_) => Err(malformed("it has a NUL")),
        Err(_) => Err(malformed("it is not UTF-8")),
    }
}

fn attribute<'a>(found: Option<&'a str>, name: &str) -> Result<&'a str> {
    found.and_then(|found| found.strip_prefix(name)).ok_or_else(|| malformed(&format!("attribute `{name}` expected")))
}

/// Attributes that may be there and mean nothing to us. A proof is not among them: the last
/// attribute is the only one, and it is the one that is checked.
fn extensions<'a>(mut attributes: impl Iterator<Item = &'a str>) -> Result<()> {
    let known = |attribute: &str| match attribute.as_bytes() {
        [name, b'=', ..] => name.is_ascii_alphabetic() && *name != b'p',
        _ => false,
    };
    if attributes.all(known) { Ok(()) } else { Err(malformed("an attribute that there is not")) }
}
