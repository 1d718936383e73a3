//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side (RFC 5802, RFC 7677).
//!
//! ```text
//! client-first -> Exchange::first -> server-first
//! client-final -> Exchange::last  -> server-final, or the error that ends the connection
//! ```
//! A user who is not there is given a [`Verifier::made_up`] and goes the same way with the
//! same work, up to the same error.

mod parse;
mod saslprep;
#[cfg(test)]
mod tests;
mod verifier;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use subtle::{Choice, ConstantTimeEq as _};

pub use verifier::{Verifier, VerifierError};

use parse::{Binding, ClientFinal, ClientFirst, malformed};
use verifier::{mac, sha256};

use crate::pg::error::{
    INTERNAL_ERROR, INVALID_AUTHORIZATION_SPECIFICATION, INVALID_PASSWORD, PROTOCOL_VIOLATION, PgError, Result,
};

/// The mechanism without channel binding.
const SCRAM: &str = "SCRAM-SHA-256";
/// The mechanism that is bound to the TLS channel.
const SCRAM_PLUS: &str = "SCRAM-SHA-256-PLUS";

/// A login: two messages of the client, each answered once.
pub(crate) struct Exchange {
    user: String,
    verifier: Verifier,
    known: bool,
    certificate_hash: Option<Vec<u8>>,
    challenge: Option<Challenge>,
}

/// What the client's proof must answer.
struct Challenge {
    /// What the client must have bound itself to: its header, and the certificate's hash.
    binding: Vec<u8>,
    nonce: String,
    /// The messages so far, which both proofs are over.
    auth: String,
}

impl Exchange {
    /// `user` is the name in the StartupMessage; the one in SCRAM is not looked at, as in
    /// PostgreSQL. Where `known` is false no proof is right. `certificate_hash` is the
    /// `tls-server-end-point` of the server's certificate under TLS, else `None`.
    pub(crate) fn new(
        user: impl Into<String>,
        verifier: Verifier,
        known: bool,
        certificate_hash: Option<Vec<u8>>,
    ) -> Self {
        Self { user: user.into(), verifier, known, certificate_hash, challenge: None }
    }

    /// Takes the client's first message under the mechanism it chose, and gives the server's.
    ///
    /// # Errors
    /// All are fatal: 08P01 for another mechanism or a message that is none, 0A000 for an
    /// authorization identity or a mandatory extension, 28000 where the client was led to
    /// believe that there is no channel binding.
    pub(crate) fn first(&mut self, mechanism: &str, message: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; 18];
        getrandom::fill(&mut nonce)
            .map_err(|error| PgError::fatal(INTERNAL_ERROR, format!("could not generate random nonce: {error}")))?;
        self.first_with(mechanism, message, &BASE64.encode(nonce))
    }

    /// Takes the client's proof, and gives the server's.
    ///
    /// # Errors
    /// All are fatal: 28P01 for a wrong proof or a user who is not there, 28000 for another
    /// channel, 08P01 for a message that is none or answers another challenge.
    pub(crate) fn last(&mut self, message: &[u8]) -> Result<Vec<u8>> {
        let challenge = self.challenge.take().ok_or_else(|| malformed("a proof before a challenge"))?;
        let client = ClientFinal::parse(message)?;
        if !bool::from(client.binding.ct_eq(&challenge.binding)) {
            let text = "SCRAM channel binding check failed";
            return Err(PgError::fatal(INVALID_AUTHORIZATION_SPECIFICATION, text));
        }
        if client.nonce != challenge.nonce {
            return Err(PgError {
                detail: Some("the nonce is not the one of this exchange".to_owned()),
                ..PgError::fatal(PROTOCOL_VIOLATION, "invalid SCRAM response")
            });
        }
        let auth = [challenge.auth.as_bytes(), client.without_proof.as_bytes()];
        let mut client_key = mac(&self.verifier.stored_key, &auth);
        client_key.iter_mut().zip(client.proof).for_each(|(key, proof)| *key ^= proof);
        // Both are worked out whoever asks, so that the time tells nothing.
        let proven = sha256(&client_key).ct_eq(&self.verifier.stored_key) & Choice::from(u8::from(self.known));
        let signature = mac(&self.verifier.server_key, &auth);
        if !bool::from(proven) {
            let text = format!("password authentication failed for user \"{}\"", self.user);
            return Err(PgError::fatal(INVALID_PASSWORD, text));
        }
        Ok(format!("v={}", BASE64.encode(signature)).into_bytes())
    }

    fn first_with(&mut self, mechanism: &str, message: &[u8], nonce: &str) -> Result<Vec<u8>> {
        let bound = match (mechanism, &self.certificate_hash) {
            (SCRAM, _) => false,
            (SCRAM_PLUS, Some(_)) => true,
            _ => {
                let text = "client selected an invalid SASL authentication mechanism";
                return Err(PgError::fatal(PROTOCOL_VIOLATION, text));
            }
        };
        let client = ClientFirst::parse(message)?;
        let mut binding = client.header.as_bytes().to_vec();
        match (client.binding, bound) {
            (Binding::Certificate, true) => {
                binding.extend_from_slice(self.certificate_hash.as_deref().unwrap_or_default())
            }
            (Binding::Certificate, false) => {
                return Err(malformed("channel binding data under a mechanism without channel binding"));
            }
            (_, true) => return Err(malformed("no channel binding data under a mechanism with channel binding")),
            // Somebody between the two took the bound mechanism off the offer.
            (Binding::NotOffered, false) if self.certificate_hash.is_some() => {
                return Err(PgError {
                    detail: Some("the client supports channel binding and was not offered it, but it was".to_owned()),
                    ..PgError::fatal(INVALID_AUTHORIZATION_SPECIFICATION, "SCRAM channel binding negotiation error")
                });
            }
            (Binding::NotOffered | Binding::None, false) => {}
        }
        let nonce = format!("{}{nonce}", client.nonce);
        let salt = BASE64.encode(&self.verifier.salt);
        let server_first = format!("r={nonce},s={salt},i={}", self.verifier.iterations);
        let auth = format!("{},{server_first},", client.bare);
        self.challenge = Some(Challenge { binding, nonce, auth });
        Ok(server_first.into_bytes())
    }
}
