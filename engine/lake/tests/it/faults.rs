//! A store that fails: at the Nth write, before or after it has written.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use envoi_lake::import::{Options, import};
use envoi_lake::lake::Store;
use envoi_lake::{Class, Lake};
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::*;

use crate::support::{DAC2A, Scratch, WDI_REMITTANCES, fixture, run};

/// Fails the write number `nth`, counted from 0.
#[derive(Debug)]
struct Faulty {
    inner: local::LocalFileSystem,
    writes: AtomicUsize,
    nth: usize,
    after: bool,
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("faulty")
    }
}

fn full() -> Error {
    Error::Generic { store: "faulty", source: Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull)) }
}

#[async_trait::async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let fails = self.writes.fetch_add(1, Ordering::SeqCst) == self.nth;
        if fails && !self.after {
            return Err(full());
        }
        let put = self.inner.put_opts(location, payload, opts).await;
        if fails { Err(full()) } else { put }
    }
    async fn put_multipart_opts(&self, at: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, opts).await
    }
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }
    fn delete_stream(&self, all: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(all)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[test]
fn a_write_that_fails_changes_nothing() {
    for after in [false, true] {
        let (mut failed, mut nth) = (0, 0);
        loop {
            let s = Scratch::new();
            s.import(&[fixture(WDI_REMITTANCES)]).unwrap();
            let before = s.snapshot();
            let inner = local::LocalFileSystem::new_with_prefix(s.root()).unwrap();
            let faulty = Faulty { inner, writes: AtomicUsize::new(0), nth, after };
            let url = format!("file://{}/", s.root().display()).parse().unwrap();
            let lake = Lake::with_store(Store::with(Arc::new(faulty), url, Path::default()));
            let outcome = run(import(&lake, &[fixture(DAC2A)], &Options::default(), &|_| {}));
            s.check_whole();
            match outcome {
                Err(error) => {
                    assert_eq!(error.class(), Class::Resource, "{error}");
                    assert!(s.snapshot() == before, "write {nth}, after {after}: {error}");
                    failed += 1;
                }
                Ok(report) => {
                    assert!(report.changed);
                    assert_eq!(s.rows("aid_flow").len(), 5);
                    // A manifest that was written in spite of the error is published; beyond it nothing fails.
                    break;
                }
            }
            nth += 1;
        }
        assert!(failed >= 3, "only {failed} writes failed");
    }
}
