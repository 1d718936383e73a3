//! Where the bytes of an exported file go as they are made: to a disk or a store, seen by nobody until it is whole.

use std::io::{self, BufWriter, Write};

use bytes::Bytes;
use envoi::lake::lake::{Replacement, Store};
use envoi::{Class, Error, Result};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

/// Bytes that go to a store at a time: stores take no less, but of the last, and some want them alike.
const PART: usize = 8 << 20;

/// A file that is being written. Its writer needs a thread that may block.
#[derive(Debug)]
pub struct Sink {
    to: To,
    hash: Sha256,
    bytes: u64,
}

#[derive(Debug)]
enum To {
    Disk(BufWriter<Replacement>),
    Store { part: Vec<u8>, parts: mpsc::Sender<Bytes> },
}

/// What was written.
#[derive(Debug)]
pub(super) struct Sum {
    pub(super) sha256: String,
    pub(super) bytes: u64,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = match &mut self.to {
            To::Disk(file) => file.write(bytes)?,
            To::Store { part, parts } => {
                let taken = bytes.len().min(PART - part.len());
                part.extend_from_slice(bytes.get(..taken).unwrap_or_default());
                if part.len() == PART {
                    let whole = Bytes::from(std::mem::take(part));
                    parts.blocking_send(whole).map_err(|_| io::Error::other("the store stopped"))?;
                }
                taken
            }
        };
        self.hash.update(bytes.get(..taken).unwrap_or_default());
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Disk(file) => file.flush(),
            To::Store { .. } => Ok(()),
        }
    }
}

impl Sink {
    fn to(to: To) -> Self {
        Self { to, hash: Sha256::new(), bytes: 0 }
    }

    /// Puts a file into place, or sends the rest of an object.
    async fn end(self) -> Result<Sum, io::Error> {
        match self.to {
            To::Disk(file) => {
                let place = move || file.into_inner().map_err(io::IntoInnerError::into_error)?.place();
                tokio::task::spawn_blocking(place).await.map_err(io::Error::other)??;
            }
            // Without a byte there is an object all the same.
            To::Store { part, .. } if part.is_empty() && self.bytes > 0 => {}
            To::Store { part, parts } => {
                parts.send(Bytes::from(part)).await.map_err(|_| io::Error::other("the store stopped"))?;
            }
        }
        let sha256 = self.hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        Ok(Sum { sha256, bytes: self.bytes })
    }
}

/// Replaces a file or object as a whole by what `fill` writes.
pub(super) async fn replaced<F>(store: &Store, path: &str, fill: impl FnOnce(Sink) -> F) -> Result<Sum>
where
    F: Future<Output = Result<Sink>>,
{
    let failed = |source: io::Error| Error::from(envoi::lake::Error::Io { path: path.to_owned(), source });
    if let Some(root) = store.local_path() {
        let target = root.join(path);
        let begun = tokio::task::spawn_blocking(move || Replacement::of(&target)).await;
        let file = begun.map_err(io::Error::other).and_then(|file| file).map_err(failed)?;
        let filled = fill(Sink::to(To::Disk(BufWriter::new(file)))).await?;
        return filled.end().await.map_err(failed);
    }
    let (parts, received) = mpsc::channel(1);
    let (done, whole) = oneshot::channel();
    let filling = async {
        let filled = fill(Sink::to(To::Store { part: Vec::new(), parts })).await?;
        let sum = filled.end().await.map_err(failed)?;
        // Who waited has failed, and says so.
        let _ = done.send(());
        Ok(sum)
    };
    let target = store.path(path);
    let (filled, sent) = futures::join!(filling, send(store, &target, received, whole));
    sent.map_err(|source| envoi::lake::Error::Store { what: format!("cannot write `{path}`"), source })?;
    filled
}

/// Sends the parts of an object as they come; without the word that it is whole, nothing of it stays.
async fn send(
    store: &Store,
    target: &Path,
    mut parts: mpsc::Receiver<Bytes>,
    whole: oneshot::Receiver<()>,
) -> object_store::Result<()> {
    let to = store.object_store();
    let Some(first) = parts.recv().await else { return Ok(()) };
    let Some(second) = parts.recv().await else {
        return match whole.await {
            Ok(()) => to.put(target, PutPayload::from(first)).await.map(drop),
            Err(_) => Ok(()),
        };
    };
    let mut upload = to.put_multipart(target).await?;
    let sent = async {
        for part in [first, second] {
            upload.put_part(PutPayload::from(part)).await?;
        }
        while let Some(part) = parts.recv().await {
            upload.put_part(PutPayload::from(part)).await?;
        }
        Ok(whole.await.is_ok())
    };
    match sent.await {
        Ok(true) => upload.complete().await.map(drop),
        Ok(false) => upload.abort().await,
        Err(e) => {
            // The first failure is the one to tell; what stays of it, stores remove by their own rules.
            let _ = upload.abort().await;
            Err(e)
        }
    }
}

/// Replaces a file or object by bytes that are there.
pub(super) async fn put(store: &Store, path: &str, bytes: Vec<u8>) -> Result<()> {
    let fill = |mut sink: Sink| async move {
        let written = tokio::task::spawn_blocking(move || sink.write_all(&bytes).map(|()| sink)).await;
        let written = written.map_err(io::Error::other).and_then(|sink| sink);
        written.map_err(|e| Error::new(Class::Resource, format!("cannot write: {e}")))
    };
    replaced(store, path, fill).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;

    fn store() -> (Store, Arc<InMemory>) {
        let memory = Arc::new(InMemory::new());
        let to = Arc::<InMemory>::clone(&memory);
        (Store::with(to, "memory:///x".parse().unwrap(), Path::from("x")), memory)
    }

    async fn fill(mut sink: Sink, bytes: usize, fails: bool) -> Result<Sink> {
        let work = move || {
            for block in vec![7u8; bytes].chunks(100_000) {
                sink.write_all(block).unwrap();
            }
            sink
        };
        let sink = tokio::task::spawn_blocking(work).await.unwrap();
        if fails { Err(Error::user("no luck")) } else { Ok(sink) }
    }

    #[tokio::test]
    async fn objects_are_whole_or_not_there() {
        for bytes in [0, 1, PART, PART + 1, 2 * PART + 5] {
            let (store, memory) = store();
            let sum = replaced(&store, "a/k=x%2Fy.csv", |sink| fill(sink, bytes, false)).await.unwrap();
            let path = Path::parse("x/a/k=x%2Fy.csv").unwrap();
            let found = memory.get(&path).await.unwrap().bytes().await.unwrap();
            assert_eq!((found.len(), sum.bytes), (bytes, bytes as u64));
            assert_eq!(sum.sha256, envoi::lake::lake::checksum(&found));
            let failed = replaced(&store, "b", |sink| fill(sink, bytes, true)).await.unwrap_err();
            assert!(failed.to_string().contains("no luck"), "{failed}");
            assert_eq!(store.get("b").await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn files_are_whole_or_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_str().unwrap()).unwrap();
        put(&store, "a/f.csv", b"old".to_vec()).await.unwrap();
        replaced(&store, "a/f.csv", |sink| fill(sink, 10, true)).await.unwrap_err();
        assert_eq!(std::fs::read(folder.path().join("a/f.csv")).unwrap(), b"old");
        replaced(&store, "a/f.csv", |sink| fill(sink, 10, false)).await.unwrap();
        assert_eq!(std::fs::read(folder.path().join("a/f.csv")).unwrap(), [7; 10]);
        assert_eq!(std::fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
    }
}
