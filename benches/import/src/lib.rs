//! What imports of the largest publishers' files cost: each binary makes a file of the
//! publisher's shape, imports it in processes of its own, and prints time and peak memory.
//!
//! ```text
//! cargo run --release -p envoi-bench-import --bin rpw
//! ```

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and stops at the first thing that is not as it should be"
)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use envoi_lake::import::{Options, Report, import};
use envoi_lake::{Lake, Result};

/// What one import took.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// From the first byte read to the published version.
    pub time: Duration,
    /// Peak of the process's resident memory in bytes, generation not included; 0 where the system does not say.
    pub peak: u64,
}

/// Imports a file into a new lake beside it and prints `Run` for [`measure`] to read.
///
/// # Errors
/// What the import returns.
pub fn import_here(file: &Path, lake: &Path) -> Result<Report> {
    let lake = Lake::open(&lake.display().to_string())?;
    let begin = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let report = runtime.block_on(import(&lake, &[file.to_path_buf()], &Options::default(), &|_| {}))?;
    told(begin);
    Ok(report)
}

/// Prints time and peak memory for [`measure`] to read.
pub fn told(begin: Instant) {
    println!("{} {}", begin.elapsed().as_micros(), peak_bytes());
}

/// Runs this program again as `import FILE LAKE`, so that a run's memory is its own.
pub fn measure(file: &Path, lake: &Path) -> Run {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).arg("import").args([file, lake]).output().expect("a process");
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{wrong}");
    let mut words = said.lines().next().expect("a line").split(' ').map(|w| w.parse().expect("a number"));
    let (micros, peak) = (words.next().expect("time"), words.next().expect("memory"));
    Run { time: Duration::from_micros(micros), peak }
}

/// The middle time, and the highest peak.
pub fn median(runs: &[Run]) -> Run {
    let mut times: Vec<Duration> = runs.iter().map(|r| r.time).collect();
    times.sort();
    Run { time: times[times.len() / 2], peak: runs.iter().map(|r| r.peak).max().unwrap_or(0) }
}

/// Linux keeps the high-water mark of a process.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}
