//! Benchmarks of the engine; see `benches/`.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark stops at the first thing that is not as it should be"
)]

use std::path::Path;
use std::process::Command;

/// The program as `cargo build --release` made it, over a lake.
pub fn envoi(lake: &Path) -> Command {
    let folder = std::env::current_exe().unwrap();
    let binary = folder.ancestors().nth(2).unwrap().join("envoi");
    assert!(binary.exists(), "{} is not there: run `cargo build --release` first", binary.display());
    let mut command = Command::new(binary);
    command.arg("--lake").arg(lake);
    command
}

/// Its output; a failure ends the benchmark.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
