//! Where a lake lives: an object-store URL, opened, read, and written durably.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::{Path, PathPart};
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use url::Url;

use crate::error::{Error, Result};

/// An object store and the folder in it that is the lake.
#[derive(Debug, Clone)]
pub struct Store {
    url: Url,
    store: Arc<dyn ObjectStore>,
    root: Path,
    /// The folder on disk, where the store is one: written files are flushed to it.
    local: Option<PathBuf>,
}

impl Store {
    /// Opens `location`: a path, `file://`, or with the features `s3`, `gcs`, `azure` also `s3://`, `gs://`, `az://`.
    ///
    /// Nothing is created and nothing is read yet.
    pub fn open(location: &str) -> Result<Self> {
        match Url::parse(location) {
            // A one-letter scheme is a drive, not a store.
            Ok(url) if url.scheme().len() > 1 => Self::open_url(url),
            _ => Self::open_path(PathBuf::from(location)),
        }
    }

    fn open_path(path: PathBuf) -> Result<Self> {
        let path = plain(&path).map_err(|source| Error::Io { path: path.display().to_string(), source })?;
        let url = Url::from_directory_path(&path).map_err(|()| {
            Error::Usage(format!("`{}` cannot be a lake folder; give an absolute path or a URL", path.display()))
        })?;
        let root = Path::from_absolute_path(&path)
            .map_err(|e| Error::Usage(format!("`{}` cannot be a lake folder: {e}", path.display())))?;
        let store = object_store::local::LocalFileSystem::new();
        Ok(Self { url, store: Arc::new(store), root, local: Some(path) })
    }

    fn open_url(url: Url) -> Result<Self> {
        if url.scheme() == "file" {
            let path = url.to_file_path().map_err(|()| Error::Usage(format!("`{url}` is not a local folder")))?;
            return Self::open_path(path);
        }
        if let Some((feature, false)) = feature(url.scheme()) {
            return Err(Error::Usage(format!(
                "this build leaves the store of lake `{}` out; build envoi with `--features {feature}`",
                redacted(&url)
            )));
        }
        let options = std::env::vars().map(|(k, v)| (k.to_ascii_lowercase(), v));
        let (store, root) = object_store::parse_url_opts(&url, options).map_err(|source| {
            let what = match feature(url.scheme()) {
                Some(_) => format!("cannot open lake `{}`", redacted(&url)),
                None => format!(
                    "cannot open lake `{}`; give a folder, or a file://, s3://, gs:// or az:// URL",
                    redacted(&url)
                ),
            };
            Error::Store { what, source }
        })?;
        Ok(Self { url, store: Arc::from(store), root, local: None })
    }

    /// A lake in a store of the caller's, for tests and embedding; `url` names it in messages.
    pub fn with(store: Arc<dyn ObjectStore>, url: Url, root: Path) -> Self {
        Self { url, store, root, local: None }
    }

    /// The lake's address, without credentials.
    pub fn label(&self) -> String {
        match &self.local {
            Some(path) => path.display().to_string(),
            None => redacted(&self.url),
        }
    }

    /// The store itself, to read data files from.
    pub fn object_store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// The folder on disk, for a local lake.
    pub fn local_path(&self) -> Option<&std::path::Path> {
        self.local.as_deref()
    }

    /// Full path in the store of a path below the lake's root.
    pub fn path(&self, relative: &str) -> Path {
        // A part that can be a name is one as it stands: `%20` in it is no blank.
        let named = |part| PathPart::parse(part).unwrap_or_else(|_| PathPart::from(part));
        relative.split('/').filter(|part| !part.is_empty()).fold(self.root.clone(), |p, part| p.join(named(part)))
    }

    /// Reads a whole object; `None` if there is none.
    pub async fn get(&self, relative: &str) -> Result<Option<Bytes>> {
        let failed =
            |source| Error::Store { what: format!("cannot read `{relative}` of lake `{}`", self.label()), source };
        match self.store.get(&self.path(relative)).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(failed)?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed(source)),
        }
    }

    /// Writes an object whole or not at all, durably. One that is there is left as
    /// it is, and `false` returned.
    pub async fn put(&self, relative: &str, bytes: Bytes) -> Result<bool> {
        let failed =
            |source| Error::Store { what: format!("cannot write `{relative}` in lake `{}`", self.label()), source };
        if let Some(root) = &self.local {
            let path = root.join(relative);
            let write = move || super::disk::write(&path, &bytes, &mut |_| Ok(()));
            // Flushing takes its time: other work of this thread goes on.
            let written = match tokio::runtime::Handle::try_current() {
                Ok(handle) => handle.spawn_blocking(write).await.unwrap_or_else(|e| Err(std::io::Error::other(e))),
                Err(_) => write(),
            };
            return written
                .map_err(|e| failed(object_store::Error::Generic { store: "LocalFileSystem", source: Box::new(e) }));
        }
        let create = PutOptions::from(PutMode::Create);
        match self.store.put_opts(&self.path(relative), PutPayload::from(bytes), create).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(source) => Err(failed(source)),
        }
    }

    /// Names, sizes and ages of the objects below a folder.
    pub async fn list(&self, relative: &str) -> Result<Vec<object_store::ObjectMeta>> {
        let prefix = self.path(relative);
        self.store.list(Some(&prefix)).try_collect().await.map_err(|source| Error::Store {
            what: format!("cannot list `{relative}` of lake `{}`", self.label()),
            source,
        })
    }

    /// The part of a store path below the lake's root.
    pub fn relative(&self, path: &Path) -> Option<String> {
        let parts = path.prefix_match(&self.root)?;
        Some(parts.map(|p| p.as_ref().to_owned()).collect::<Vec<_>>().join("/"))
    }

    /// Deletes an object; one that is gone already is no error.
    pub async fn delete(&self, relative: &str) -> Result<()> {
        match self.store.delete(&self.path(relative)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => {
                Err(Error::Store { what: format!("cannot delete `{relative}` of lake `{}`", self.label()), source })
            }
        }
    }
}

/// The path from the root, `..` followed as the system does as far as there are folders, and beyond by its name.
fn plain(path: &std::path::Path) -> std::io::Result<PathBuf> {
    use std::path::Component;

    let mut plain = PathBuf::new();
    for component in std::path::absolute(path)?.components() {
        match component {
            Component::ParentDir => {
                if let Ok(found) = plain.canonicalize() {
                    plain = found;
                }
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    Ok(plain)
}

/// The feature of this package that brings the store of a scheme, and whether this
/// build has it; `None` for a scheme that needs none or is not known.
fn feature(scheme: &str) -> Option<(&'static str, bool)> {
    match scheme {
        "s3" | "s3a" => Some(("s3", cfg!(feature = "s3"))),
        "gs" => Some(("gcs", cfg!(feature = "gcs"))),
        "az" | "adl" | "azure" | "abfs" | "abfss" => Some(("azure", cfg!(feature = "azure"))),
        _ => None,
    }
}

fn redacted(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for URLs that cannot carry credentials, which then have none.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.set_query(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn paths_may_go_up() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        assert_eq!(plain(&root.join("a/b/../lake")).unwrap(), root.join("a/lake"));
        assert_eq!(plain(&root.join("none/../lake")).unwrap(), root.join("lake"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.join("a/b"), root.join("link")).unwrap();
            assert_eq!(plain(&root.join("link/../lake")).unwrap(), root.join("a/lake"));
        }
    }
}
