//! Publishers beside one another, on a local disk and on a store in memory.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use envoi_lake::import::{Options, Report, import, init};
use envoi_lake::lake::Store;
use envoi_lake::{Class, Lake};
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::*;

use crate::support::{DAC2A, WDI_ODA, WDI_REMITTANCES, fixture, run};

/// What a store does with a manifest that is to be written.
type Hook = Box<dyn Fn() -> Turn + Send + Sync>;

enum Turn {
    /// Writes it.
    Write,
    /// Fails, and has not written it.
    Fail,
    /// Writes it and asks once more, as after an answer that was lost.
    Twice,
}

/// A store in memory that several lakes share, each with a hook of its own.
struct Hooked {
    inner: Arc<InMemory>,
    before_manifest: Hook,
}

impl std::fmt::Debug for Hooked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hooked")
    }
}

impl std::fmt::Display for Hooked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hooked")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Hooked {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        if location.as_ref().contains("manifest/") {
            match (self.before_manifest)() {
                Turn::Write => {}
                Turn::Fail => {
                    let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
                    return Err(Error::Generic { store: "hooked", source: Box::new(source) });
                }
                Turn::Twice => {
                    self.inner.put_opts(location, payload.clone(), opts.clone()).await?;
                }
            }
        }
        self.inner.put_opts(location, payload, opts).await
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

fn lake(inner: &Arc<InMemory>, before_manifest: Hook) -> Lake {
    let store = Hooked { inner: Arc::clone(inner), before_manifest };
    Lake::with_store(Store::with(Arc::new(store), "memory:///lake/".parse().unwrap(), Path::from("lake")))
}

fn plain(inner: &Arc<InMemory>) -> Lake {
    lake(inner, Box::new(|| Turn::Write))
}

fn take_in(lake: &Lake, file: &str) -> envoi_lake::Result<Report> {
    let path: PathBuf = fixture(file);
    run(import(lake, &[path], &Options::default(), &|_| {}))
}

/// Every version opens with all its files, and no other file lies about.
fn check_whole(lake: &Lake) {
    let mut named = std::collections::BTreeSet::new();
    for version in run(lake.versions()).unwrap() {
        let manifest = run(lake.version(version)).unwrap();
        assert_eq!(run(lake.verify(&manifest, |_| {})).unwrap(), [], "version {version}");
        named.extend(manifest.files.iter().map(|f| f.path.clone()));
    }
    for folder in ["data", "staging"] {
        for object in run(lake.store().list(folder)).unwrap() {
            let path = lake.store().relative(&object.location).unwrap();
            assert!(named.contains(&path), "no version names {path}");
        }
    }
}

#[test]
fn an_import_that_fails_takes_nothing_of_another_back() {
    let inner = Arc::new(InMemory::new());
    take_in(&plain(&inner), WDI_ODA).unwrap();
    // Both have written their data files before the one fails; the other publishes after.
    let (written, failed) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let failing = {
        let written = Arc::clone(&written);
        lake(
            &inner,
            Box::new(move || {
                written.wait();
                Turn::Fail
            }),
        )
    };
    let lasting = {
        let (written, failed, turns) = (Arc::clone(&written), Arc::clone(&failed), AtomicUsize::new(0));
        lake(
            &inner,
            Box::new(move || {
                if turns.fetch_add(1, Ordering::SeqCst) == 0 {
                    written.wait();
                    failed.wait();
                }
                Turn::Write
            }),
        )
    };
    std::thread::scope(|scope| {
        let one = scope.spawn(|| {
            let outcome = take_in(&failing, DAC2A);
            failed.wait();
            outcome
        });
        let other = scope.spawn(|| take_in(&lasting, DAC2A));
        assert_eq!(one.join().unwrap().unwrap_err().class(), Class::Resource);
        assert!(other.join().unwrap().unwrap().changed);
    });
    check_whole(&lasting);
}

#[test]
fn only_the_import_that_made_the_version_says_that_it_changed_something() {
    let inner = Arc::new(InMemory::new());
    let first: Mutex<Option<Report>> = Mutex::new(None);
    let slot = Arc::new(first);
    let beaten = {
        let (shared, slot) = (Arc::clone(&inner), Arc::clone(&slot));
        lake(
            &inner,
            Box::new(move || {
                let (inner, slot) = (Arc::clone(&shared), Arc::clone(&slot));
                // The other import is quicker, from begin to end.
                let quick =
                    std::thread::spawn(move || *slot.lock().unwrap() = Some(take_in(&plain(&inner), DAC2A).unwrap()));
                quick.join().unwrap();
                Turn::Write
            }),
        )
    };
    let report = take_in(&beaten, DAC2A).unwrap();
    assert!(slot.lock().unwrap().as_ref().unwrap().changed);
    assert!(!report.changed, "{report:?}");
    assert_eq!((report.version, run(beaten.versions()).unwrap()), (1, vec![1]));
    check_whole(&beaten);
}

#[test]
fn an_answer_that_was_lost_is_no_conflict() {
    for file in [DAC2A, WDI_REMITTANCES] {
        let inner = Arc::new(InMemory::new());
        let lossy = lake(&inner, Box::new(|| Turn::Twice));
        let report = take_in(&lossy, file).unwrap();
        assert!(report.changed, "its own manifest was taken for another's");
        assert_eq!(run(lossy.versions()).unwrap(), [1]);
        check_whole(&lossy);
    }
}

#[test]
fn remote_lakes_publish_as_local_ones_do() {
    let inner = Arc::new(InMemory::new());
    let here = plain(&inner);
    assert_eq!(run(init(&here)).unwrap(), 1);
    assert!(take_in(&here, WDI_REMITTANCES).unwrap().changed);
    assert!(!take_in(&here, WDI_REMITTANCES).unwrap().changed);
    let failing = lake(&inner, Box::new(|| Turn::Fail));
    assert_eq!(take_in(&failing, DAC2A).unwrap_err().class(), Class::Resource);
    check_whole(&here);
    std::thread::scope(|scope| {
        let imports = [DAC2A, WDI_ODA, DAC2A, WDI_ODA].map(|file| {
            let inner = Arc::clone(&inner);
            scope.spawn(move || take_in(&plain(&inner), file).unwrap().changed)
        });
        let made = imports.into_iter().map(|i| i.join().unwrap()).filter(|made| *made).count();
        assert_eq!(made, 2);
    });
    assert_eq!(run(here.versions()).unwrap(), [1, 2, 3, 4]);
    check_whole(&here);
}

#[test]
fn a_store_that_this_build_leaves_out_is_said_so() {
    for (url, feature, built) in [
        ("s3://bucket/lake", "s3", cfg!(feature = "s3")),
        ("gs://bucket/lake", "gcs", cfg!(feature = "gcs")),
        ("az://container/lake", "azure", cfg!(feature = "azure")),
    ] {
        let opened = Lake::open(url);
        if !built {
            let message = opened.unwrap_err().to_string();
            assert!(message.contains(&format!("--features {feature}")) && message.contains(url), "{message}");
        }
    }
}
