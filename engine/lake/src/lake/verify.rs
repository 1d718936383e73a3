//! Are the files of a version what their manifest says?

use super::{Lake, Manifest, checksum};
use crate::error::Result;

/// A file that is not as its manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Path below the lake's root.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
}

impl Lake {
    /// Reads every data file of a version and compares size and checksum.
    ///
    /// `progress` is told the bytes of each file done. Cost: all bytes of the version.
    pub async fn verify(&self, manifest: &Manifest, mut progress: impl FnMut(u64) + Send) -> Result<Vec<Damage>> {
        let mut damages = Vec::new();
        for file in &manifest.files {
            let damage = match self.store().get(&file.path).await? {
                None => Some("is missing".to_owned()),
                Some(bytes) if bytes.len() as u64 != file.bytes => {
                    Some(format!("has {} bytes, the manifest says {}", bytes.len(), file.bytes))
                }
                Some(bytes) if checksum(&bytes) != file.sha256 => {
                    Some("does not have the checksum in the manifest".to_owned())
                }
                Some(_) => None,
            };
            damages.extend(damage.map(|what| Damage { path: file.path.clone(), what }));
            progress(file.bytes);
        }
        Ok(damages)
    }
}
