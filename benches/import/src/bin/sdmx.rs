//! Aid between all donors and recipients as SDMX-CSV, of as many gigabytes as asked for.
//!
//! ```text
//! cargo run --release -p envoi-bench-import --bin sdmx [GIGABYTES [RUNS]]
//! ```
//! Columns and their order are those of the publisher's service for DAC2A; donors, measures
//! and figures are invented. No two lines have the same key, so nothing can be left out.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and stops at the first thing that is not as it should be"
)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use envoi_bench_import::{import_here, measure, median};
use envoi_lake::country::Concordance;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["import", file, lake] => {
            let report = import_here(Path::new(file), Path::new(lake)).unwrap();
            let rows = report.files[0].rows;
            println!("{rows} rows\n{}", report.files[0].notes.join("\n"));
        }
        [] => bench(5.0, 3),
        [gigabytes] => bench(gigabytes.parse().expect("gigabytes"), 3),
        [gigabytes, runs] => bench(gigabytes.parse().expect("gigabytes"), runs.parse().expect("a number of runs")),
        _ => panic!("usage: sdmx [GIGABYTES [RUNS]]"),
    }
}

fn bench(gigabytes: f64, runs: usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dac2a.csv");
    let rows = generate(&file, (gigabytes * 1e9) as u64).unwrap();
    let megabytes = std::fs::metadata(&file).unwrap().len() as f64 / 1e6;
    println!("text of {megabytes:.0} MB, {rows} rows");
    let runs: Vec<_> = (0..runs)
        .map(|i| {
            let lake = folder.path().join(format!("lake{i}"));
            let run = measure(&file, &lake);
            std::fs::remove_dir_all(lake).unwrap();
            run
        })
        .collect();
    let told = |run: &envoi_bench_import::Run| {
        let seconds = run.time.as_secs_f64();
        format!("{seconds:.1} s, {:.0} MB/s, peak {:.0} MiB", megabytes / seconds, run.peak as f64 / f64::from(1 << 20))
    };
    runs.iter().for_each(|run| println!("{}", told(run)));
    println!("median {}", told(&median(&runs)));
}

/// Writes lines until there are so many bytes; returns how many lines.
fn generate(path: &Path, bytes: u64) -> std::io::Result<u64> {
    let mut places: Vec<String> =
        Concordance::embedded().unwrap().countries().unwrap().iter().map(|c| c.iso3.to_string()).collect();
    places.sort();
    places.dedup();
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let header = "STRUCTURE,STRUCTURE_ID,ACTION,DONOR,RECIPIENT,MEASURE,UNIT_MEASURE,PRICE_BASE,TIME_PERIOD,OBS_VALUE,\
        BASE_PER,OBS_STATUS,UNIT_MULT,DECIMALS,FLOW_TYPE\n";
    file.write_all(header.as_bytes())?;
    let (mut written, mut rows) = (header.len() as u64, 0u64);
    let mut dice = 1u64;
    for donor in 0.. {
        for place in &places {
            for measure in 201..221 {
                for (price, base) in [("V", ""), ("Q", "2022")] {
                    for year in 1960..2024 {
                        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        let cents = (dice >> 40) as f64 / 100.0 - 1000.0;
                        let line = format!(
                            "DATAFLOW,OECD.DCD.FSD:DSD_DAC2@DF_DAC2A(1.6),I,9DON{donor:03},{place},{measure},USD,{price},{year},\
                             {cents:.2},{base},A,6,2,D\n"
                        );
                        file.write_all(line.as_bytes())?;
                        written += line.len() as u64;
                        rows += 1;
                    }
                }
            }
            if written >= bytes {
                file.flush()?;
                return Ok(rows);
            }
        }
    }
    Ok(rows)
}
