//! Ten million synthetic households: written by `generate`, and imported into a lake.
//!
//! ```text
//! cargo run --release -p envoi-bench-import --bin synthetic [ROWS]
//! ```

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and stops at the first thing that is not as it should be"
)]

use std::path::Path;
use std::time::Instant;

use envoi_bench_import::{import_here, measure, told};
use envoi_lake::synthetic::{Economies, Plan, Table, generate};

const ROWS: u64 = 10_000_000;
/// Economies of the national benchmarks, with 2,000 sampling units each.
const ECONOMIES: usize = 50;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["import", from, to] if from.ends_with(".plan") => make(from, Path::new(to)),
        ["import", from, to] => {
            import_here(Path::new(from), Path::new(to)).unwrap();
        }
        [] => bench(ROWS),
        [rows] => bench(rows.parse().expect("a number of rows")),
        _ => panic!("usage: synthetic [ROWS]"),
    }
}

/// Writes the rows that `<rows>-<economies>.plan` names.
fn make(name: &str, folder: &Path) {
    let plan = Path::new(name).file_stem().unwrap().to_string_lossy();
    let (rows, economies) = plan.split_once('-').unwrap();
    let (rows, economies) = (rows.parse().unwrap(), Economies::Largest(economies.parse().unwrap()));
    let plan = Plan { table: Table::Household, rows, seed: 1, economies: Some(economies), strata: None, units: None };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let begin = Instant::now();
    let report = generate(&plan, folder, threads, &|_| true).unwrap().unwrap();
    assert_eq!(report.rows, rows);
    told(begin);
}

fn bench(rows: u64) {
    for economies in [1, ECONOMIES] {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("made");
        let run = measure(&root.path().join(format!("{rows}-{economies}.plan")), &folder);
        let bytes: u64 =
            std::fs::read_dir(folder.join("household")).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
        println!(
            "{rows} households of {economies} economies: {:.1} s, {:.0} rows a second, {:.1} bytes a row, peak {} MiB",
            run.time.as_secs_f64(),
            rows as f64 / run.time.as_secs_f64(),
            bytes as f64 / rows as f64,
            run.peak >> 20
        );
        let run = measure(&folder, &root.path().join("lake"));
        println!("imported: {:.1} s, peak {} MiB", run.time.as_secs_f64(), run.peak >> 20);
    }
}
