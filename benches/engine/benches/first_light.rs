//! Medians of what a user waits for: import, first answer, prompt, marts.
//!
//! ```text
//! cargo build --release && cargo bench -p envoi-bench -p envoi-cli --bench first_light
//! ```
//! Reads the publishers' files in `../shared/data`. Every answer is compared with
//! the published figure before it is timed. Processes are timed whole, from
//! spawn to exit (the prompt: to its first prompt line), marts in one session:
//! run again, and as statements the session has not seen.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its table and stops at the first thing that is not as it should be"
)]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use envoi::{Config, Session};
use envoi_bench::{envoi, run};

const FILES: [&str; 4] = [
    "worldbank_wdi",
    "knomad/bilateral_remittance_matrix_2021_0.xlsx",
    "undesa/undesa_pd_2020_ims_stock_by_sex_and_destination.xlsx",
    "oecd_dac/dac2a_alld_net_oda_current.csv",
];

fn main() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    assert!(data.is_dir(), "the publishers' files are not in {}", data.display());
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    println!("{:<44} {:>10} {:>10} {:>10}  runs", "", "min ms", "median ms", "max ms");

    report("import of four publishers' files", 7, || {
        std::fs::remove_dir_all(&lake).ok();
        let paths: Vec<PathBuf> = FILES.iter().map(|f| data.join(f)).collect();
        let begin = Instant::now();
        run(envoi(&lake).args(["source", "import", "-q"]).args(paths));
        begin.elapsed()
    });

    let one = "remittances exceed ODA in 2023";
    let sql = "select economies_exceeding, economies_with_both from remittance_vs_oda_by_group where group_kind = 'lmic' and year = 2023";
    assert_eq!(
        run(envoi(&lake).args(["sql", "--format", "csv", "-c", sql])),
        "economies_exceeding,economies_with_both\n70,127\n",
        "{one}"
    );

    report("process: envoi sql -c 'select 1'", 31, || timed(envoi(&lake).args(["sql", "-c", "select 1"])));
    report("process: remittances exceed ODA, ten largest", 15, || {
        timed(envoi(&lake).args(["sql", "-c", "select iso3, remittance_usd, oda_usd, remit_oda_ratio from remittance_vs_oda where year = 2023 and remit_exceeds_oda order by remittance_usd desc limit 10"]))
    });
    report("process: brief", 15, || timed(envoi(&lake).arg("brief")));
    report("process: prompt ready", 15, || prompt_ready(&lake));

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let flags = vec![("lake.url", lake.display().to_string(), "--lake")];
    let config = Config::load(Some(Path::new("/dev/null")), std::iter::empty(), flags).unwrap();
    let session = runtime.block_on(async { envoi::open(&config).await.unwrap().owner().await.unwrap() });
    for mart in envoi::library::marts().unwrap() {
        let sql = format!("select * from {}", mart.name);
        let rows = runtime.block_on(count(&session, &sql));
        let run = |sql: &str| {
            let begin = Instant::now();
            assert_eq!(runtime.block_on(count(&session, sql)), rows);
            begin.elapsed()
        };
        report(&format!("warm: {} ({rows} rows)", mart.name), 21, || run(&sql));
        // A text that the session has not seen has no plan kept.
        let mut number = 0;
        report("  the same, as a new statement", 21, || {
            number += 1;
            run(&format!("{sql} -- {number}"))
        });
    }
}

async fn count(session: &Session, sql: &str) -> usize {
    let batches = session.run(sql).await.unwrap().collect().await.unwrap();
    batches.iter().map(|b| b.num_rows()).sum()
}

fn report(name: &str, runs: usize, mut once: impl FnMut() -> Duration) {
    let mut times: Vec<f64> = (0..runs).map(|_| once().as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    println!("{name:<44} {:>10.1} {:>10.1} {:>10.1}  {runs}", times[0], times[runs / 2], times[runs - 1]);
}

/// The binary beside this one, as `cargo build --release` leaves it.
fn timed(command: &mut Command) -> Duration {
    let begin = Instant::now();
    run(command);
    begin.elapsed()
}

/// Until the first prompt line stands on a pseudo-terminal, which `script` provides.
fn prompt_ready(lake: &Path) -> Duration {
    let binary = envoi(lake).get_program().to_owned();
    let line = format!("{} --color never --lake {} sql", binary.display(), lake.display());
    let begin = Instant::now();
    let mut child = Command::new("script")
        .args(["-qfc", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`script` of util-linux gives the prompt a terminal");
    let mut seen = Vec::new();
    let mut byte = [0u8; 1];
    let out = child.stdout.as_mut().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    while !String::from_utf8_lossy(&seen).contains("envoi> ") {
        assert_eq!(out.read(&mut byte).unwrap(), 1, "the prompt did not come: {}", String::from_utf8_lossy(&seen));
        seen.push(byte[0]);
        // The editor asks the terminal where its cursor is; `script` is none.
        if seen.ends_with(b"\x1b[6n") {
            std::io::Write::write_all(&mut stdin, b"\x1b[1;1R").unwrap();
        }
    }
    let ready = begin.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    ready
}
