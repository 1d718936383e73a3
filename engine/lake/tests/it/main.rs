//! Tests of the lake through its public API.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers of tests included, and says on stderr what it left out"
)]

mod bad_input;
mod corpus;
mod country;
mod crash;
mod damage;
mod dta;
mod faults;
mod fetch;
mod fetch_faults;
mod fetch_support;
mod filing;
mod fuzz;
mod import_data360;
mod import_knomad;
mod import_oecd;
mod import_oecd_lists;
mod import_prices;
mod import_rpw_firms;
mod import_series;
mod import_shared;
mod import_survey;
mod import_synthetic;
mod import_undesa;
mod import_undesa_pairs;
mod import_worldbank;
mod import_worldbank_groups;
mod import_worldbank_json;
mod lake_sample;
mod lease;
mod messy;
mod races;
mod read;
mod server;
mod support;
mod table;
mod truncated;
mod workbooks;

use std::path::{Path, PathBuf};

/// A folder of the material kept outside this repository, or `None`, said loudly.
fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(folder);
    if !path.is_dir() {
        eprintln!("\n*** NOT TESTED: ../shared/{folder} is absent, so the checks on it were left out ***\n");
        return None;
    }
    Some(path)
}

/// All files below a folder, in name order.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
