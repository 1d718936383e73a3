//! Imports that are killed, and imports at the same time.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use envoi_lake::Lake;
use envoi_lake::import::{Options, import};

use crate::support::{DAC2A, Scratch, WDI_REMITTANCES, fixture, run};

const LAKE: &str = "ENVOI_TEST_CRASH_LAKE";

/// The child: imports for as long as it lives. Does nothing when run as a test.
#[test]
fn child() {
    let Ok(root) = std::env::var(LAKE) else { return };
    let lake = Lake::open(&root).unwrap();
    let say = |_: envoi_lake::import::Progress<'_>| eprintln!("step");
    run(import(&lake, &[fixture("worldbank"), fixture(DAC2A)], &Options::default(), &say)).unwrap();
}

#[test]
fn killed_at_any_moment() {
    let s = Scratch::new();
    s.import_bytes("first.csv", std::fs::read(fixture(WDI_REMITTANCES)).unwrap()).unwrap();
    let base = run(s.lake.versions()).unwrap();
    let (mut before, mut after) = (0, 0);
    for round in 0..32u32 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child", "--nocapture"])
            .env(LAKE, s.root())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The last step is `Publish`: a moment later files are being written.
        let mut steps = BufReader::new(child.stderr.take().unwrap()).lines();
        for _ in 0..(3 + round % 7) {
            steps.next();
        }
        // Nothing is waited for: this is a moment, not a pause.
        let moment = std::time::Instant::now();
        while moment.elapsed() < Duration::from_micros(u64::from(round) * 300) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        run(s.lake.gc(None, Duration::ZERO, false)).unwrap();
        s.check_whole();
        let versions = run(s.lake.versions()).unwrap();
        if versions == base {
            before += 1;
            assert!(s.rows("aid_flow").is_empty());
        } else {
            after += 1;
            assert_eq!((s.rows("aid_flow").len(), s.rows("observation").len()), (5, 24 + 18));
            // Back to the old version for the next kill.
            for version in versions.iter().filter(|v| !base.contains(v)) {
                std::fs::remove_file(s.root().join(format!("manifest/{version:08}.json"))).unwrap();
            }
            run(s.lake.gc(None, Duration::ZERO, false)).unwrap();
        }
    }
    eprintln!("{before} kills left the old version, {after} the new one");
    assert!(s.import(&[fixture(DAC2A)]).unwrap().changed);
    s.check_whole();
}

#[test]
fn two_imports_at_once() {
    for _ in 0..5 {
        let s = Scratch::new();
        let root = s.root();
        let one = |file: &'static str| {
            let root = root.clone();
            move || {
                let lake = Lake::open(root.to_str().unwrap()).unwrap();
                run(import(&lake, &[fixture(file)], &Options::default(), &|_| {})).unwrap()
            }
        };
        std::thread::scope(|scope| {
            let handles = [WDI_REMITTANCES, DAC2A, WDI_REMITTANCES, DAC2A].map(|file| scope.spawn(one(file)));
            for handle in handles {
                handle.join().unwrap();
            }
        });
        s.check_whole();
        assert_eq!(run(s.lake.versions()).unwrap(), [1, 2]);
        assert_eq!((s.rows("aid_flow").len(), s.rows("observation").len()), (5, 24));
    }
}
