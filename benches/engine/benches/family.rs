//! From families to the nation: `transfer_effect` over ten million households.
//!
//! ```text
//! cargo bench -p envoi-bench -p envoi-cli --bench family [-- --rows N] [-- --r]
//! ```
//! Fifty economies with 100 strata and 2,000 sampling units each, in one Parquet file, sorted
//! as a lake sorts them, names as texts. Figures are invented. Every statement runs in a
//! process of its own, of which time, time of processor and peak memory are printed; before, the answer for one
//! economy is compared with the measures of surveys that it is made of. With `--r` the same
//! is asked of R (`benches/r`), if R and its package survey are there. Then the whole of mart
//! `national_income_effect` runs over generated households in a lake, with the World Bank's balance
//! of payments where it is at hand.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its table and stops at the first thing that is not as it should be"
)]

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use arrow::util::display::array_value_to_string;
use envoi::{Config, Session};
use envoi_bench::{envoi, run};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: usize = 10_000_000;
const ECONOMIES: usize = 50;
const REPLICATES: usize = 200;
/// Households that R can hold, all of one economy.
const ROWS_OF_R: usize = 100_000;

/// The effect with all scales; `{more}` are further arguments.
const EFFECT: &str = "transfer_effect(income_total * 12 / months, remittance * 12 / months, size_persons, 500.0, weight, size_persons, \
                      stratum, psu, captured => 0.5, cell => region{more})";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1));
    if let (Some(file), Some(sql)) = (after("--file"), after("--sql")) {
        return alone(Path::new(file), sql);
    }
    let rows = after("--rows").map_or(ROWS, |r| r.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("households.parquet");
    println!("{rows} households, {ECONOMIES} economies, 100 strata and 2,000 units each");
    measured(&file, &format!("copy ({}) to '{}'", generated(rows, ECONOMIES), file.display()), "writing them");
    verify(&file);
    let effect = |more: &str| EFFECT.replace("{more}", more);
    let by_economy = |call: &str| format!("select iso3, {call} as e from '{}' group by iso3", file.display());
    let runs = |what: &str, sql: &str| {
        let mut times: Vec<f64> = (0..3).map(|run| measured(&file, sql, &format!("{what}, run {}", run + 1))).collect();
        times.sort_by(f64::total_cmp);
        times[1]
    };
    measured(
        &file,
        &by_economy(
            "sum(income_total * 12 / months), sum(remittance), sum(size_persons), sum(weight), max(stratum), max(psu), max(region)",
        ),
        "reading the columns alone",
    );
    let one = runs("by economy", &by_economy(&effect("")));
    let bootstrap = format!(", method => 'bootstrap', replicates => {REPLICATES}");
    let many = measured(&file, &by_economy(&effect(&bootstrap)), &format!("{REPLICATES} replicates by economy"));
    println!("{REPLICATES} replicates take {:.1} times one estimate", many / one);
    measured(&file, &by_economy(&effect(", method => 'jackknife'")), "jackknife by economy, 2,000 replicates");
    runs("all as one group", &format!("select {} as e from '{}'", effect(""), file.display()));
    std::fs::remove_file(&file).unwrap();
    the_mart(folder.path(), rows);
    if arguments.iter().any(|a| a == "--r") {
        beside_r(folder.path());
    }
}

/// All of `national_income_effect`, from a lake with as many generated households of as many economies.
fn the_mart(folder: &Path, rows: usize) {
    let (lake, made) = (folder.join("lake"), folder.join("made"));
    let envoi = |arguments: &[&str]| run(envoi(&lake).args(arguments));
    let (count, economies, to) = (rows.to_string(), ECONOMIES.to_string(), made.display().to_string());
    envoi(&["generate", "household", "--rows", &count, "--countries", &economies, "-o", &to]);
    envoi(&["source", "import", "-q", &to]);
    std::fs::remove_dir_all(&made).unwrap();
    let balance = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/worldbank_wdi");
    if balance.is_dir() {
        envoi(&["source", "import", "-q", &balance.display().to_string()]);
    } else {
        println!("*** WITHOUT BALANCE OF PAYMENTS: {} is absent, so nothing is scaled ***", balance.display());
    }
    let lines = [("relative line", "0.6 median"), ("line in local currency", "3000 USD a year")];
    for (what, line) in lines {
        let sql = format!("select * from national_income_effect(poverty_line => '{line}')");
        for round in 1..=3 {
            measured(&folder.join("none"), &sql, &format!("national_income_effect, {what}, run {round}"));
        }
    }
}

/// Invented households: incomes and remittances log-normal, a tenth to a third of households receive.
fn generated(rows: usize, economies: usize) -> String {
    let per = rows / economies;
    // Weyl sequences of several irrational steps fill the unit interval evenly; no two columns share one.
    let uniform = |step: f64, add: f64| format!("((value * {step:?} + {add:?}) - floor(value * {step:?} + {add:?}))");
    let (a, b, c, d) = (
        uniform(0.618_033_988_749_895, 0.11),
        uniform(0.754_877_666_246_693, 0.23),
        uniform(0.569_840_290_998_053, 0.37),
        uniform(0.819_172_513_396_164, 0.41),
    );
    let (e, f) = (uniform(0.671_043_606_703_789, 0.53), uniform(0.549_700_477_901_972, 0.61));
    format!(
        "with h as (select (value - 1) / {per} as economy, (value - 1) % {per} as place, {a} as a, {b} as b, {c} as c, {d} as d, \
         {e} as e, {f} as f from generate_series(1, {rows}) as t(value)), \
         u as (select *, place * 2000 / {per} as unit, sqrt(-2 * ln(1 - a)) * cos(6.283185307179586 * b) as z, \
         sqrt(-2 * ln(1 - a)) * sin(6.283185307179586 * b) as y from h), \
         v as (select *, unit / 20 as stratum, c < 0.1 + 0.2 * (unit % 7) / 6.0 as receives, 1 + cast(floor(6 * d * d + 2 * e) as bigint) as size from u), \
         w as (select *, size * round(exp(6.6 + 0.002 * stratum + 0.3 * ((unit * 37) % 20) / 20.0 + 0.8 * z), 2) as own, \
         case when receives then round(size * exp(4.8 + 0.9 * y), 2) else 0.0 end as remittance from v) \
         select 'E' || lpad(cast(economy as varchar), 2, '0') as iso3, 'S' || lpad(cast(stratum as varchar), 3, '0') as stratum, \
         'U' || lpad(cast(unit as varchar), 5, '0') as psu, 'R' || cast(stratum / 20 as varchar) || '-' || cast(least(size, 5) as varchar) as region, \
         round(20 + 60 * ((stratum * 31) % 10) / 10.0 + 10 * f, 3) as weight, cast(size as double) as size_persons, \
         own + remittance as income_total, remittance, 12.0 as months from w order by economy, unit"
    )
}

/// Runs a statement in a process of its own; gives its seconds.
fn measured(file: &Path, sql: &str, what: &str) -> f64 {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).arg("--file").arg(file).arg("--sql").arg(sql).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{sql}: {text} {}", String::from_utf8_lossy(&output.stderr));
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|w| w.parse().ok()).collect();
    let [.., seconds, processor, mebibytes] = numbers.as_slice() else { panic!("{text}") };
    println!("{what:<44} {seconds:>8.2} s {processor:>8.2} s of processor {mebibytes:>7.0} MiB");
    *seconds
}

/// The statement alone: prints its seconds, and the peak memory of this process.
fn alone(file: &Path, sql: &str) {
    let folder = file.parent().unwrap();
    let session = open(folder);
    let (begin, used) = (Instant::now(), processor());
    answer(&session, sql);
    println!("{} {} {}", begin.elapsed().as_secs_f64(), processor() - used, peak());
}

/// Seconds of processor this process has taken, by the kernel's hundredths.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|f| f.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Peak memory of this process in MiB, as the kernel counts it.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or(f64::NAN) / 1024.0
}

struct Open {
    session: Session,
    runtime: tokio::runtime::Runtime,
}

fn open(folder: &Path) -> Open {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let session = runtime.block_on(async {
        let lake = folder.join("lake").display().to_string();
        envoi::lake::import::init(&envoi::lake::Lake::open(&lake).unwrap()).await.ok();
        let flags = vec![("lake.url", lake, "--lake")];
        let config = Config::load(Some(Path::new("/dev/null")), std::iter::empty(), flags).unwrap();
        envoi::open(&config).await.unwrap().owner().await.unwrap()
    });
    Open { session, runtime }
}

/// The answer as rows of text.
fn answer(open: &Open, sql: &str) -> Vec<Vec<String>> {
    open.runtime.block_on(async {
        let mut rows = Vec::new();
        let batches = open.session.run(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}")).collect().await.unwrap();
        for batch in batches {
            let cell = |column: &arrow::array::ArrayRef, row: usize| array_value_to_string(column, row).unwrap();
            rows.extend(
                (0..batch.num_rows()).map(|row| batch.columns().iter().map(|c| cell(c, row)).collect::<Vec<_>>()),
            );
        }
        rows
    })
}

/// Compares one economy with the measures of surveys.
fn verify(file: &Path) {
    let open = open(file.parent().unwrap());
    let from = format!(
        "(select *, income_total / size_persons as y1, (income_total - remittance) / size_persons as y0, \
        weight * size_persons as p from '{}' where iso3 = 'E07')",
        file.display()
    );
    let effect = EFFECT.replace("{more}", "");
    let rows = answer(
        &open,
        &format!(
            "select e['measure'], e['with'], e['without'], e['se'] from (select unnest({effect}) as e from {from}) \
        where e['scale'] = 'survey'"
        ),
    );
    let find = |measure: &str| rows.iter().find(|r| r[0] == measure).unwrap();
    let design = "p, stratum, psu";
    let should = [
        ("mean", format!("svy_mean(y1, {design})"), format!("svy_mean_difference(y1, y0, {design})")),
        (
            "headcount",
            format!("svy_fgt(y1, 500, 0, {design})"),
            format!("svy_fgt_difference(y1, y0, 500, 0, {design})"),
        ),
        ("gini", format!("svy_gini(y1, {design})"), format!("svy_gini_difference(y1, y0, {design})")),
    ];
    for (measure, with, difference) in should {
        let sql = format!(
            "select a['estimate'], a['estimate'] - b['estimate'], b['se'] from (select {with} as a, {difference} as b from {from})"
        );
        let (is, should) = (find(measure), answer(&open, &sql));
        for (is, should) in is[1..].iter().zip(&should[0]) {
            let (is, should): (f64, f64) = (is.parse().unwrap(), should.parse().unwrap());
            assert!((is - should).abs() <= 1e-10 * should.abs(), "{measure}: {is} {should}");
        }
    }
    println!("the answer for one economy is that of svy_mean, svy_fgt, svy_gini and their differences");
}

/// The survey's measures by R survey on as many households as it can hold, beside ours.
fn beside_r(folder: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../r/effect.R");
    if Command::new("Rscript").arg("--version").output().is_err() {
        println!("*** NOT COMPARED: there is no Rscript ***");
        return;
    }
    let (csv, parquet) = (folder.join("r.csv"), folder.join("r.parquet"));
    let rows = generated(ROWS_OF_R, 1);
    measured(&parquet, &format!("copy ({rows}) to '{}'", parquet.display()), "households for R");
    let open = open(folder);
    answer(&open, &format!("copy (select * from '{}') to '{}'", parquet.display(), csv.display()));
    let effect = EFFECT.replace("{more}", "");
    let sql = format!(
        "select e['measure'], e['with'], e['without'], e['se_with'], e['se'] from (select unnest({effect}) as e from '{}') \
        where e['scale'] = 'survey'",
        parquet.display()
    );
    let ours = answer(&open, &sql);
    let output = Command::new("Rscript").arg(&script).arg(&csv).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
    let mut of_r = f64::NAN;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["seconds", seconds] => of_r = seconds.parse().unwrap(),
            [measure, numbers @ ..] => {
                let ours = ours.iter().find(|r| r[0] == *measure).unwrap();
                for (is, should) in ours[1..].iter().zip(numbers) {
                    let (is, should): (f64, f64) = (is.parse().unwrap(), should.parse().unwrap());
                    assert!((is - should).abs() <= 1e-9 * should.abs(), "{measure}: {is}, R {should}");
                }
            }
            [] => {}
        }
    }
    let seconds = measured(&parquet, &sql, "the same of envoi, from Parquet");
    println!("{:<44} {of_r:>8.2} s, {:.0} times as long", "R survey, data in memory", of_r / seconds);
}
