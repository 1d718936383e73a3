//! Figures that other programs computed from the same data: R survey, convey, laeken,
//! ineq, IC2, statsmodels. They are kept outside this repository, with their licences.
//!
//! `cargo test -p envoi --test it published -- --nocapture` prints the table of agreement.

mod calibration;
mod data;
mod effect;
mod errors;
mod questions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use questions::Question;

use crate::lakes::{blocking, rows, sample_lake, session};

/// The folder of the figures; `None`, said loudly, without it.
fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "\n*** NOT TESTED: ../shared/reference is absent, so measures were not compared with other programs ***\n"
    );
    None
}

/// A figure beside ours.
struct Compared {
    what: String,
    expected: f64,
    ours: String,
    tolerance: f64,
}

impl Compared {
    fn off(&self) -> f64 {
        if self.expected.is_nan() {
            return if self.ours == "NULL" { 0.0 } else { f64::INFINITY };
        }
        let Ok(ours) = self.ours.parse::<f64>() else { return f64::INFINITY };
        if self.expected == 0.0 { ours.abs() } else { (ours / self.expected - 1.0).abs() }
    }

    fn agrees(&self) -> bool {
        self.off() <= self.tolerance
    }
}

/// Rows of a file with quoted cells, by the names in its first line.
fn read(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(cells);
    let names = lines.next().unwrap();
    lines.map(|l| names.iter().cloned().zip(l).collect()).collect()
}

fn cells(line: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(String::new()),
            c => all.last_mut().unwrap().push(c),
        }
    }
    all
}

#[test]
fn published_figures() {
    let Some(folder) = folder() else { return };
    let mut asked: BTreeMap<String, Vec<(String, f64, String, f64)>> = BTreeMap::new();
    let mut left = Vec::new();
    for (file, expected) in data::expected(&folder) {
        let what = format!("{} {} {} {}", expected.dataset, expected.subset, expected.statistic, expected.params);
        match questions::question(&expected) {
            Some(Question { from, value, error, tolerance, error_tolerance }) => {
                let all = asked.entry(from).or_default();
                // An empty estimate says that there is none.
                let estimate = expected.estimate.unwrap_or(f64::NAN);
                all.push((what.clone(), estimate, value, tolerance));
                if let (Some(se), Some((from, error))) = (expected.se, error) {
                    asked.entry(from).or_default().push((format!("{what} (se)"), se, error, error_tolerance));
                } else if expected.se.is_some() {
                    left.push(format!("{file}: {what} (se)"));
                }
            }
            None => left.push(format!("{file}: {what}")),
        }
    }
    let setup = data::tables(&folder);
    let compared = blocking(async move {
        let session = session(sample_lake(), &[]).await;
        for statement in setup {
            rows(&session, &statement).await;
        }
        let mut compared = Vec::new();
        for (from, all) in asked {
            // A statement of many columns overflows nothing, but its errors are hard to read.
            for part in all.chunks(12) {
                let columns: Vec<String> =
                    part.iter().enumerate().map(|(n, (_, _, sql, _))| format!("{sql} as c{n}")).collect();
                let answer = rows(&session, &format!("select {} {from}", columns.join(", "))).await;
                for ((what, expected, _, tolerance), ours) in part.iter().zip(answer.into_iter().next().unwrap()) {
                    compared.push(Compared { what: what.clone(), expected: *expected, ours, tolerance: *tolerance });
                }
            }
        }
        compared
    });
    for c in &compared {
        let sign = if c.agrees() { "agrees" } else { "DIFFERS" };
        println!("{sign:8} {:>24} {:>24} {:9.1e}  {}", c.expected, c.ours, c.off(), c.what);
    }
    println!("{} figures compared, {} left out", compared.len(), left.len());
    left.iter().for_each(|l| println!("left out  {l}"));
    let wrong: Vec<&str> = compared.iter().filter(|c| !c.agrees()).map(|c| c.what.as_str()).collect();
    assert!(compared.len() > 760, "only {} figures were compared", compared.len());
    assert!(wrong.is_empty(), "{} figures differ:\n  {}", wrong.len(), wrong.join("\n  "));
}
