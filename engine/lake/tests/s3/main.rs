//! Lakes on an S3 server: `engine/lake/tests/s3/run.sh` starts one and runs these.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers of tests included, and says on stderr what it left out"
)]

mod proxy;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chrono::Utc;
use envoi_lake::import::{Options, Report, import};
use envoi_lake::lake::{Asked, Lease, Now, Store};
use envoi_lake::{Class, Lake};
use proxy::{Fault, Proxy};

const WDI: &str = "worldbank/API_BX.TRF.PWKR.CD.DT_DS2_en_csv_v2_101.csv";
const ODA: &str = "worldbank/API_DT.ODA.ALLD.CD_DS2_en_csv_v2_202.csv";
const DAC2A: &str = "oecd/dac2a.csv";

/// A bucket of one test, and what is between.
struct Bucket {
    proxy: Proxy,
    name: String,
    runtime: tokio::runtime::Runtime,
}

impl Bucket {
    /// `None`, said loudly, where no server was started.
    fn new(name: &str) -> Option<Self> {
        let Ok(server) = std::env::var("ENVOI_TEST_S3") else {
            eprintln!("\n*** NOT TESTED: engine/lake/tests/s3/run.sh starts the server that ENVOI_TEST_S3 names ***\n");
            return None;
        };
        let mut stream = TcpStream::connect(&server).unwrap();
        write!(stream, "PUT /{name} HTTP/1.1\r\nhost: {server}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Some(Self { proxy: Proxy::new(&server), name: name.to_owned(), runtime })
    }

    fn lake(&self) -> Lake {
        let url: url::Url = format!("s3://{}/lake", self.name).parse().unwrap();
        let options = [
            ("aws_endpoint", format!("http://{}", self.proxy.address)),
            ("aws_allow_http", "true".to_owned()),
            ("aws_region", "us-east-1".to_owned()),
            ("aws_access_key_id", "test".to_owned()),
            ("aws_secret_access_key", "test".to_owned()),
        ];
        let (store, root) = object_store::parse_url_opts(&url, options).unwrap();
        Lake::with_store(Store::with(Arc::from(store), url, root))
    }

    fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    fn take_in(&self, file: &str) -> envoi_lake::Result<Report> {
        let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/fixtures").join(file);
        self.run(import(&self.lake(), &[path], &Options::default(), &|_| {}))
    }

    /// Every version opens with all its files, right to the checksum; `gc` leaves no other file.
    fn check_whole(&self) -> Vec<u64> {
        self.proxy.decide(|_, _| Fault::None);
        let lake = self.lake();
        let versions = self.run(lake.versions()).unwrap();
        let mut named = BTreeSet::new();
        for version in &versions {
            let manifest = self.run(lake.version(*version)).unwrap();
            assert_eq!(self.run(lake.verify(&manifest, |_| {})).unwrap(), [], "version {version}");
            named.extend(manifest.files.iter().map(|f| f.path.clone()));
        }
        if !versions.is_empty() {
            self.run(lake.gc(None, Duration::ZERO, false)).unwrap();
        }
        for folder in ["data", "staging"] {
            for object in self.run(lake.store().list(folder)).unwrap() {
                let path = lake.store().relative(&object.location).unwrap();
                assert!(named.contains(&path) || versions.is_empty(), "no version names {path}");
            }
        }
        versions
    }
}

#[test]
fn published_and_collected() {
    let Some(bucket) = Bucket::new("plain") else { return };
    assert!(bucket.take_in(WDI).unwrap().changed);
    assert!(bucket.take_in(DAC2A).unwrap().changed);
    assert!(!bucket.take_in(WDI).unwrap().changed);
    let lake = bucket.lake();
    bucket.run(lake.store().put("data/aid_flow/orphan.parquet", "x".into())).unwrap();
    assert!(!bucket.run(lake.store().put("data/aid_flow/orphan.parquet", "y".into())).unwrap(), "created twice");
    assert_eq!(bucket.check_whole(), [1, 2]);
    assert_eq!(bucket.run(lake.store().get("data/aid_flow/orphan.parquet")).unwrap(), None);
}

#[test]
fn two_publishers_at_once() {
    let Some(bucket) = Bucket::new("two") else { return };
    std::thread::scope(|scope| {
        let all = [WDI, ODA, DAC2A].map(|file| scope.spawn(|| bucket.take_in(file)));
        for one in all {
            assert!(one.join().unwrap().unwrap().changed);
        }
    });
    assert_eq!(bucket.check_whole(), [1, 2, 3]);
}

#[test]
fn faults_are_hidden_or_said_and_nothing_is_half_published() {
    let faults = [Fault::Refused, Fault::FailedAfter, Fault::Lost, Fault::Cut, Fault::Slow, Fault::Stale];
    for (at, fault) in faults.into_iter().enumerate() {
        for every in [3, 2] {
            let Some(bucket) = Bucket::new(&format!("fault-{at}-{every}")) else { return };
            bucket.take_in(WDI).unwrap();
            let hits = move |line: &str, number: usize| match fault {
                Fault::Stale => line.contains("list-type=2"),
                _ => number.is_multiple_of(every),
            };
            for file in [DAC2A, ODA] {
                bucket.proxy.decide(move |line, number| if hits(line, number) { fault } else { Fault::None });
                if let Err(error) = bucket.take_in(file) {
                    assert_eq!(error.class(), Class::Resource, "{fault:?}: {error}");
                }
            }
            assert!(bucket.proxy.hit.load(Ordering::SeqCst) > 0, "{fault:?} did not happen");
            let versions = bucket.check_whole();
            assert!((1..=3).contains(&versions.len()), "{fault:?}: {versions:?}");
            // Without faults it goes on.
            for file in [DAC2A, ODA] {
                bucket.take_in(file).unwrap();
            }
            assert_eq!(bucket.check_whole(), [1, 2, 3], "{fault:?}");
        }
    }
}

#[test]
fn one_holder_of_a_lease() {
    let Some(bucket) = Bucket::new("lease") else { return };
    let begin = Instant::now();
    let now = || Now { wall: Utc::now(), monotonic: begin.elapsed() };
    let term = Duration::from_secs(60);
    let lease = |holder: &str| Lease::new(bucket.lake().store().clone(), "schedule", holder, term).unwrap();
    let faults = [Fault::None, Fault::Refused, Fault::FailedAfter, Fault::Lost, Fault::Stale];
    for (round, fault) in faults.into_iter().enumerate() {
        bucket.proxy.decide(move |line, number| match fault {
            Fault::Stale if line.contains("list-type=2") => fault,
            Fault::Stale => Fault::None,
            _ if number.is_multiple_of(3) => fault,
            _ => Fault::None,
        });
        let mut all: Vec<Lease> = (0..4).map(|n| lease(&format!("{round}-{n}"))).collect();
        let asked: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = all.iter_mut().map(|l| scope.spawn(|| bucket.run(l.acquire(now())))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let held: Vec<usize> = (0..4).filter(|n| matches!(asked[*n], Ok(Asked::Ours(_)))).collect();
        assert!(held.len() <= 1, "{fault:?}: {asked:?}");
        for holder in held {
            let fence = all[holder].held(now().monotonic).unwrap().fence;
            let renewed = bucket.run(all[holder].renew(now()));
            assert!(renewed.as_ref().map_or(true, |r| r.is_some_and(|r| r.fence == fence)), "{fault:?}: {renewed:?}");
            bucket.proxy.decide(|_, _| Fault::None);
            let mut other = lease("other");
            assert!(matches!(bucket.run(other.acquire(now())).unwrap(), Asked::Theirs { .. }), "{fault:?}");
            bucket.run(all[holder].release(now())).unwrap();
        }
        bucket.proxy.decide(|_, _| Fault::None);
        // Where nobody got it for the faults, whoever did without knowing is the last to be over.
        let mut last = lease("last");
        if let Asked::Ours(_) = bucket.run(last.acquire(now())).unwrap() {
            bucket.run(last.release(now())).unwrap();
        } else {
            let list = bucket.run(bucket.lake().store().list("lease")).unwrap();
            for object in list {
                let path = bucket.lake().store().relative(&object.location).unwrap();
                bucket.run(bucket.lake().store().delete(&path)).unwrap();
            }
        }
    }
}
