//! What is kept of a password.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::digest::Key;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::saslprep::saslprep;

/// What is kept of a password: enough to check a proof of it, not to make one.
///
/// Its text is the one that PostgreSQL keeps in `pg_authid`:
/// `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`, the last three in base64. Who has it
/// can guess passwords against it, so the `Debug` form leaves the keys out.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    pub(super) iterations: u32,
    pub(super) salt: Vec<u8>,
    pub(super) stored_key: [u8; 32],
    pub(super) server_key: [u8; 32],
}

/// Why there is no verifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// No character in the password.
    #[error("the password is empty")]
    Empty,
    /// The operating system gave no random bytes for the salt.
    #[error("no random bytes for the salt: {0}")]
    Random(String),
    /// The password cannot be made into a key.
    #[error("the password cannot be made into a key")]
    Key,
    /// A text that is no verifier.
    #[error("not a SCRAM-SHA-256 verifier: {0}")]
    Malformed(&'static str),
}

/// Rounds of PBKDF2, as PostgreSQL's `scram_iterations` has them.
const ITERATIONS: u32 = 4096;
/// Bytes of a new salt, as PostgreSQL makes them.
const SALT: usize = 16;

impl Verifier {
    /// A verifier of a password, with a new random salt. The password is prepared with
    /// SASLprep; where that refuses it, its bytes are taken as they are.
    ///
    /// # Errors
    /// An empty password, which no client of PostgreSQL sends; no random bytes to be had.
    pub fn of(password: &str) -> Result<Self, VerifierError> {
        if password.is_empty() {
            return Err(VerifierError::Empty);
        }
        let mut salt = vec![0; SALT];
        getrandom::fill(&mut salt).map_err(|error| VerifierError::Random(error.to_string()))?;
        Self::derive(password, ITERATIONS, salt)
    }

    /// The verifier of a user who is not there: the same for the same name as long as `secret`
    /// lives, and nothing that somebody without it can tell from a real one. No password fits it.
    pub(crate) fn made_up(user: &str, secret: &[u8; 32]) -> Self {
        let part = |label: &[u8]| mac(secret, &[label, user.as_bytes()]);
        let salt = part(b"salt\0").into_iter().take(SALT).collect();
        Self { iterations: ITERATIONS, salt, stored_key: part(b"stored key\0"), server_key: part(b"server key\0") }
    }

    pub(super) fn derive(password: &str, iterations: u32, salt: Vec<u8>) -> Result<Self, VerifierError> {
        let prepared = saslprep(password);
        let password = prepared.as_deref().unwrap_or(password).as_bytes();
        let mut salted = [0; 32];
        pbkdf2::pbkdf2::<Hmac<Sha256>>(password, &salt, iterations, &mut salted).map_err(|_| VerifierError::Key)?;
        let stored_key = sha256(&mac(&salted, &[b"Client Key"]));
        let server_key = mac(&salted, &[b"Server Key"]);
        Ok(Self { iterations, salt, stored_key, server_key })
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { iterations, salt, stored_key, server_key } = self;
        let [salt, stored, server] = [&salt[..], stored_key, server_key].map(|bytes| BASE64.encode(bytes));
        write!(f, "SCRAM-SHA-256${iterations}:{salt}${stored}:{server}")
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

impl FromStr for Verifier {
    type Err = VerifierError;

    fn from_str(text: &str) -> Result<Self, VerifierError> {
        let wrong = VerifierError::Malformed;
        let rest = text.strip_prefix("SCRAM-SHA-256$").ok_or(wrong("it does not begin with `SCRAM-SHA-256$`"))?;
        let (head, keys) = rest.split_once('$').ok_or(wrong("no `$` before its keys"))?;
        let (iterations, salt) = head.split_once(':').ok_or(wrong("no `:` before its salt"))?;
        let (stored, server) = keys.split_once(':').ok_or(wrong("no `:` between its keys"))?;
        let digits = iterations.bytes().all(|byte| byte.is_ascii_digit());
        let iterations = iterations.parse::<u32>().ok().filter(|&n| digits && (1..=MOST_ITERATIONS).contains(&n));
        let key = |text: &str| BASE64.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        Ok(Self {
            iterations: iterations.ok_or(wrong("its iterations are no whole number from 1 to 10000000"))?,
            salt: BASE64
                .decode(salt)
                .ok()
                .filter(|salt| !salt.is_empty())
                .ok_or(wrong("its salt is not base64 of 1 byte or more"))?,
            stored_key: key(stored).ok_or(wrong("its StoredKey is not base64 of 32 bytes"))?,
            server_key: key(server).ok_or(wrong("its ServerKey is not base64 of 32 bytes"))?,
        })
    }
}

/// Clients do this work at every login: above it they seem to hang.
const MOST_ITERATIONS: u32 = 10_000_000;

/// HMAC-SHA-256 over the parts one after the other.
pub(super) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC fills a short key up with zeros to the hash's block.
    let mut block = Key::<Hmac<Sha256>>::default();
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block);
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hashlib.pbkdf2_hmac` and `hmac`: password `pencil`, salt of RFC 7677.
    const PENCIL: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    #[test]
    fn text_as_postgresql_keeps_it() {
        let verifier: Verifier = PENCIL.parse().unwrap();
        assert_eq!(verifier.to_string(), PENCIL);
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        assert_eq!(Verifier::derive("pencil", 4096, salt.clone()).unwrap(), verifier);
        assert_ne!(Verifier::derive("Pencil", 4096, salt).unwrap(), verifier);
        assert!(
            !format!("{verifier:?}").contains("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="),
            "keys stay out of logs"
        );
    }

    #[test]
    fn texts_that_are_none() {
        let [stored, server] =
            ["WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=", "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="];
        for (text, part) in [
            (String::new(), "does not begin"),
            ("md5abcdef".into(), "does not begin"),
            ("SCRAM-SHA-256$4096:AAAA".into(), "no `$`"),
            (format!("SCRAM-SHA-256$4096${stored}:{server}"), "before its salt"),
            (format!("SCRAM-SHA-256$4096:AAAA${stored}"), "between its keys"),
            (format!("SCRAM-SHA-256$0:AAAA${stored}:{server}"), "iterations"),
            (format!("SCRAM-SHA-256$+1:AAAA${stored}:{server}"), "iterations"),
            (format!("SCRAM-SHA-256$99999999999:AAAA${stored}:{server}"), "iterations"),
            (format!("SCRAM-SHA-256$1:${stored}:{server}"), "salt"),
            (format!("SCRAM-SHA-256$1:A*AA${stored}:{server}"), "salt"),
            (format!("SCRAM-SHA-256$1:AAAA$AAAA:{server}"), "StoredKey"),
            (format!("SCRAM-SHA-256$1:AAAA${stored}:{server} "), "ServerKey"),
        ] {
            let error = text.parse::<Verifier>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn salts_are_new_and_made_up_ones_are_stable() {
        let [a, b] = [Verifier::of("secret").unwrap(), Verifier::of("secret").unwrap()];
        assert!(a.salt != b.salt && a.salt.len() == 16 && a.iterations == 4096);
        assert_eq!(Verifier::of(""), Err(VerifierError::Empty));
        let made_up = |user, secret| Verifier::made_up(user, &[secret; 32]);
        assert_eq!(made_up("nobody", 1), made_up("nobody", 1));
        assert_ne!(made_up("nobody", 1).salt, made_up("nobody", 2).salt);
        assert_ne!(made_up("nobody", 1).salt, made_up("nemo", 1).salt);
        assert_eq!(made_up("nobody", 1).salt.len(), a.salt.len());
    }
}
