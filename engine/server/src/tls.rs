//! Encryption of connections, by rustls.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio_rustls::TlsAcceptor;

use crate::ServeError;
use crate::pg::Stream;

/// A certificate with its key, read again when their files change.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    now: RwLock<Arc<Loaded>>,
    looked: Mutex<Looked>,
}

/// When the files were last looked at, and what they were like then.
struct Looked {
    at: Instant,
    stamps: [Option<SystemTime>; 2],
}

/// How long a look at the files holds.
const FRESH: Duration = Duration::from_secs(5);

/// A certificate as it was read.
struct Loaded {
    acceptor: TlsAcceptor,
    /// Of the certificate, for clients that bind to the channel.
    certificate_hash: Vec<u8>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// An encrypted connection.
pub(crate) struct Accepted {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) certificate_hash: Vec<u8>,
}

impl Tls {
    /// Reads a certificate chain and its key, both in PEM. TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// Files that cannot be read, or that do not belong together: a server with a bad certificate does not start.
    pub fn load(certificate: &Path, key: &Path) -> Result<Arc<Self>, ServeError> {
        // Before they are read: what changes meanwhile is read again.
        let looked = Looked { at: Instant::now(), stamps: stamps(certificate, key) };
        let loaded = Loaded::read(certificate, key)?;
        Ok(Arc::new(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            now: RwLock::new(Arc::new(loaded)),
            looked: Mutex::new(looked),
        }))
    }

    /// Takes a certificate that has come in the place of the old one, if it is some seconds since that was looked
    /// at; a bad one is not taken, and why not is returned once.
    pub(crate) fn refresh(&self) -> Option<ServeError> {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.at.elapsed() < FRESH {
            return None;
        }
        looked.at = Instant::now();
        self.reload(&mut looked)
    }

    fn reload(&self, looked: &mut Looked) -> Option<ServeError> {
        let stamps = stamps(&self.certificate, &self.key);
        if stamps == looked.stamps {
            return None;
        }
        looked.stamps = stamps;
        match Loaded::read(&self.certificate, &self.key) {
            Ok(loaded) => {
                *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
                None
            }
            Err(error) => Some(error),
        }
    }

    /// Shakes hands.
    pub(crate) async fn accept(&self, stream: Box<dyn Stream>) -> std::io::Result<Accepted> {
        let now = Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner));
        let stream = now.acceptor.accept(stream).await?;
        Ok(Accepted { stream: Box::new(stream), certificate_hash: now.certificate_hash.clone() })
    }
}

/// When the files were written; certificates are renewed by writing them anew.
fn stamps(certificate: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [certificate, key].map(|file| std::fs::metadata(file).and_then(|m| m.modified()).ok())
}

impl Loaded {
    fn read(certificate: &Path, key: &Path) -> Result<Self, ServeError> {
        let wrong = |file: &Path, what: String| ServeError::Tls { file: file.to_owned(), what };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(|e| wrong(certificate, e.to_string()))?;
        let Some(first) = chain.first() else {
            return Err(wrong(certificate, "has no certificate".to_owned()));
        };
        let certificate_hash = end_point(first);
        let private = PrivateKeyDer::from_pem_file(key).map_err(|e| wrong(key, e.to_string()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(certificate, e.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(|e| wrong(certificate, e.to_string()))?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate_hash })
    }
}

/// What `tls-server-end-point` binds to (RFC 5929): the certificate's hash by the function of its signature, and by
/// SHA-256 where that is MD5 or SHA-1, or none at all.
fn end_point(certificate: &[u8]) -> Vec<u8> {
    // Object identifiers of signatures with SHA-384 and SHA-512, in DER: RSA, ECDSA.
    const SHA384: [&[u8]; 2] =
        [&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c], &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03]];
    const SHA512: [&[u8]; 2] =
        [&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d], &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04]];
    let has = |identifiers: [&[u8]; 2]| {
        identifiers.iter().any(|id| certificate.windows(id.len()).any(|window| window == *id))
    };
    match () {
        () if has(SHA512) => Sha512::digest(certificate).to_vec(),
        () if has(SHA384) => Sha384::digest(certificate).to_vec(),
        () => Sha256::digest(certificate).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path) -> [PathBuf; 2] {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let files = [folder.join("server.crt"), folder.join("server.key")];
        std::fs::write(&files[0], made.cert.pem()).unwrap();
        std::fs::write(&files[1], made.signing_key.serialize_pem()).unwrap();
        files
    }

    #[test]
    fn a_certificate_that_is_renewed_is_taken_and_a_bad_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = write(folder.path());
        let tls = Tls::load(&certificate, &key).unwrap();
        let hash = || tls.now.read().unwrap().certificate_hash.clone();
        let reload = || {
            let mut looked = tls.looked.lock().unwrap();
            // As if the files were of another time: two writes may be within one tick of the clock.
            looked.stamps[0] = looked.stamps[0].map(|at| at - FRESH);
            tls.reload(&mut looked)
        };
        let first = hash();
        write(folder.path());
        assert!(reload().is_none());
        let second = hash();
        assert_ne!(first, second);
        std::fs::write(&certificate, "no certificate").unwrap();
        let trouble = reload().unwrap().to_string();
        assert!(trouble.contains("server.crt") && trouble.contains("no certificate"), "{trouble}");
        assert_eq!(hash(), second);
        // It is said once.
        let mut looked = tls.looked.lock().unwrap();
        assert!(tls.reload(&mut looked).is_none());
        drop(looked);
        std::fs::remove_file(&key).unwrap();
        assert!(reload().is_some());
        assert_eq!(hash(), second);
    }
}
