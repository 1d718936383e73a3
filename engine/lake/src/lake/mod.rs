//! A lake: numbered manifests over Parquet files, on any object store.
//!
//! ```text
//! <lake>/manifest/00000001.json     one version each, created once, never changed
//! <lake>/data/<table>/<sha256>-<import>.parquet
//! <lake>/staging/<table>/<sha256>-<import>.parquet
//! <lake>/model/<model>/<sha256>-<run>.parquet
//! <lake>/run/<run>.begin.json       one record each when it begins,
//! <lake>/run/<run>.json             and one when it ends, created once
//! ```

mod content;
mod disk;
mod footer;
mod gc;
mod lease;
mod manifest;
mod models;
mod parquet;
mod publish;
mod store;
mod verify;

use std::sync::Arc;

use crate::error::{Error, Result};

pub use content::{Content, Span, Spool};
pub use disk::Replacement;
pub use gc::{Collected, GRACE};
pub use lease::{Asked, Held, Lease, Now, Term};
pub use manifest::{DataFile, Manifest, PLAIN_TABLE, REFERENCE_SOURCE, SourceEdition, Standing};
pub use models::{
    BuiltModel, InputFile, MODEL_SCHEMA, MODEL_SOURCE, ModelChange, ModelColumn, ModelInput, PublishedModel, Stage,
};
pub(crate) use parquet::file_writer;
pub use parquet::{Sorted, duplicate, encode, sort, writer};
pub use publish::{Change, NewFile, Published, Replaced, checksum, checksum_of};
pub use store::Store;
pub use verify::Damage;

/// Folder of the manifests.
const MANIFESTS: &str = "manifest";

/// A lake that may be read and published to. Holds no state: every call looks afresh.
#[derive(Debug, Clone)]
pub struct Lake {
    store: Store,
}

impl Lake {
    /// The lake at `location`, a folder or URL; it need not exist yet.
    pub fn open(location: &str) -> Result<Self> {
        Ok(Self { store: Store::open(location)? })
    }

    /// The lake in a store of the caller's.
    pub fn with_store(store: Store) -> Self {
        Self { store }
    }

    /// Where it is.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Numbers of the published versions, ascending; empty if there is no lake yet.
    pub async fn versions(&self) -> Result<Vec<u64>> {
        let mut numbers: Vec<u64> = self
            .store
            .list(MANIFESTS)
            .await?
            .iter()
            .filter_map(|object| object.location.filename().and_then(Manifest::number))
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The newest manifest, `None` if there is no lake yet.
    pub async fn current(&self) -> Result<Option<Arc<Manifest>>> {
        match self.versions().await?.last() {
            Some(newest) => self.version(*newest).await.map(Some),
            None => Ok(None),
        }
    }

    /// The manifest of one version; an error that names the range if there is none.
    pub async fn version(&self, number: u64) -> Result<Arc<Manifest>> {
        let path = manifest_path(number);
        match self.store.get(&path).await? {
            Some(bytes) => Ok(Arc::new(Manifest::parse(&bytes, &path)?)),
            None => {
                let versions = self.versions().await?;
                let range = match (versions.first(), versions.last()) {
                    (Some(first), Some(last)) => format!("it has versions {first} to {last}"),
                    _ => "it has no version yet; run `envoi lake init` or `envoi source import`".to_owned(),
                };
                Err(Error::Usage(format!("lake `{}` has no version {number}; {range}", self.store.label())))
            }
        }
    }
}

fn manifest_path(number: u64) -> String {
    format!("{MANIFESTS}/{}", Manifest::file_name(number))
}
