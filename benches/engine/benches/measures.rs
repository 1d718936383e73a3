//! Measures over two million weighted rows, beside the best form that plain SQL has for them.
//!
//! ```text
//! cargo bench -p envoi-bench -p envoi-cli --bench measures [-- NAME]
//! ```
//! One session, as many threads as the machine has. Both forms run over the same rows,
//! from Parquet and from memory, by 1, 868, 1,000 and 1,000,000 groups; their answers
//! are compared, group by group, before they are timed. Measures that DataFusion has under the
//! same name are timed in a session of its own, too. Figures are invented.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its table and stops at the first thing that is not as it should be"
)]

use std::path::Path;
use std::time::Instant;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use envoi::{Config, Session};

const ROWS: usize = 2_000_000;
const RUNS: usize = 7;

/// A measure, its form in plain SQL, and how far they may be apart.
struct Pair {
    name: &'static str,
    ours: &'static str,
    plain: &'static str,
}

/// `{t}` is the table, `{g}` its column of groups.
const PAIRS: [Pair; 7] = [
    Pair {
        name: "gini",
        ours: "select {g}, gini(y, w) from {t} group by {g}",
        plain: "with c as (select {g}, w, w * y as wy, sum(w * y) over (partition by {g} order by y rows between unbounded \
                preceding and current row) as s from {t}) \
                select {g}, 1 - sum(w * (2 * s - wy)) / (sum(w) * sum(wy)) from c group by {g}",
    },
    Pair {
        name: "fgt 0, 1, 2",
        ours: "select {g}, fgt(y, 400, 0, w) + fgt(y, 400, 1, w) + fgt(y, 400, 2, w) from {t} group by {g}",
        plain: "select {g}, (sum(case when y < 400 then w else 0 end) + sum(case when y < 400 then w * (1 - y / 400) else 0 end) \
                + sum(case when y < 400 then w * (1 - y / 400) * (1 - y / 400) else 0 end)) / sum(w) from {t} group by {g}",
    },
    Pair {
        name: "median",
        ours: "select {g}, quantile(y, 0.5, w) from {t} group by {g}",
        plain: "with c as (select {g}, y, sum(w) over (partition by {g} order by y) as s, sum(w) over (partition by {g}) as t from {t}) \
                select {g}, min(y) filter (where s >= 0.5 * t) from c group by {g}",
    },
    Pair {
        name: "share of the top tenth",
        ours: "select {g}, quantile_share(y, 0.9, 1, w) from {t} group by {g}",
        plain: "with c as (select {g}, y, w, sum(w) over (partition by {g} order by y rows between unbounded preceding and current row) as s, \
                sum(w) over (partition by {g}) as t from {t}) \
                select {g}, sum(y * least(w, greatest(0, s - 0.9 * t))) / sum(w * y) from c group by {g}",
    },
    Pair {
        name: "corr",
        ours: "select {g}, corr(y, x) from {t} group by {g}",
        plain: "select {g}, (count(*) * sum(x * y) - sum(x) * sum(y)) / nullif(sqrt(count(*) * sum(x * x) - sum(x) * sum(x)) \
                * sqrt(count(*) * sum(y * y) - sum(y) * sum(y)), 0) from {t} group by {g}",
    },
    Pair {
        name: "regr_slope",
        ours: "select {g}, regr_slope(y, x) from {t} group by {g}",
        plain: "select {g}, (count(*) * sum(x * y) - sum(x) * sum(y)) / nullif(count(*) * sum(x * x) - sum(x) * sum(x), 0) \
                from {t} group by {g}",
    },
    Pair {
        name: "covar_samp",
        ours: "select {g}, covar_samp(y, x) from {t} group by {g}",
        plain: "select {g}, (sum(x * y) - sum(x) * sum(y) / count(*)) / nullif(count(*) - 1, 0) from {t} group by {g}",
    },
];

/// What DataFusion has under the same name.
const THEIRS: [&str; 3] = ["corr", "regr_slope", "covar_samp"];

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let session = runtime.block_on(open(folder.path()));
    let file = folder.path().join("households.parquet");
    let mix = |by: u64, modulus: u64| format!("(value * {by} % {modulus})");
    let rows = format!(
        "select 0 as g1, value % 868 as g868, value % 1000 as g1000, value % 1000000 as g1000000, \
         50 + {} / 500.0 + {} / 40.0 as y, 1 + {} / 10.0 as w, {} / 7.0 as x from generate_series(1, {ROWS}) as t(value)",
        mix(7919, 1_000_003),
        mix(104_729, 10_007),
        mix(1_299_709, 97),
        mix(15_485_863, 100_003)
    );
    let run = |sql: &str| runtime.block_on(answer(&session, sql));
    run(&format!("copy ({rows}) to '{}'", file.display()));
    run(&format!("create table memory as select * from '{}'", file.display()));
    let parquet = format!("'{}'", file.display());
    println!("{ROWS} rows, medians of {RUNS} runs in ms, new statements all");
    println!(
        "{:<24} {:>9} {:>9} {:>9} {:>9} {:>7} {:>10}",
        "", "groups", "from", "measure", "SQL", "ratio", "DataFusion"
    );
    let other = runtime.block_on(datafusion_alone(&file));
    let mut number = 0;
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    for pair in PAIRS.iter().filter(|p| wanted.is_empty() || wanted.iter().any(|w| p.name.contains(w.as_str()))) {
        for groups in ["g1", "g868", "g1000", "g1000000"] {
            for (from, table) in [("parquet", parquet.as_str()), ("memory", "memory")] {
                let text = |form: &str| form.replace("{g}", groups).replace("{t}", table);
                let (ours, plain) = (text(pair.ours), text(pair.plain));
                compare(pair.name, run(&ours), run(&plain));
                let mut time = |sql: &str| {
                    let mut times: Vec<f64> = (0..RUNS)
                        .map(|_| {
                            number += 1;
                            let begin = Instant::now();
                            run(&format!("{sql} -- {number}"));
                            begin.elapsed().as_secs_f64() * 1e3
                        })
                        .collect();
                    times.sort_by(f64::total_cmp);
                    times[RUNS / 2]
                };
                let theirs = THEIRS.contains(&pair.name).then(|| {
                    let sql = pair.ours.replace("{g}", groups).replace("{t}", from);
                    compare(pair.name, run(&ours), runtime.block_on(of_datafusion(&other, &sql)));
                    let mut times: Vec<f64> = (0..RUNS)
                        .map(|_| {
                            let begin = Instant::now();
                            runtime.block_on(of_datafusion(&other, &sql));
                            begin.elapsed().as_secs_f64() * 1e3
                        })
                        .collect();
                    times.sort_by(f64::total_cmp);
                    format!("{:>10.1}", times[RUNS / 2])
                });
                let (ours, plain) = (time(&ours), time(&plain));
                let (groups, theirs) = (&groups[1..], theirs.unwrap_or_default());
                println!(
                    "{:<24} {groups:>9} {from:>9} {ours:>9.1} {plain:>9.1} {:>7.1} {theirs}",
                    pair.name,
                    plain / ours
                );
            }
        }
    }
}

async fn open(folder: &Path) -> Session {
    let lake = folder.join("lake");
    envoi::lake::import::init(&envoi::lake::Lake::open(&lake.display().to_string()).unwrap()).await.unwrap();
    let flags = vec![("lake.url", lake.display().to_string(), "--lake")];
    let config = Config::load(Some(Path::new("/dev/null")), std::iter::empty(), flags).unwrap();
    envoi::open(&config).await.unwrap().owner().await.unwrap()
}

/// DataFusion without us: the file as table `parquet`, its rows as table `memory`.
#[expect(clippy::disallowed_methods, reason = "it is measured beside ours")]
async fn datafusion_alone(file: &Path) -> SessionContext {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(threads));
    let path = file.display().to_string();
    context.register_parquet("parquet", &path, ParquetReadOptions::default()).await.unwrap();
    let rows = context.table("parquet").await.unwrap().cache().await.unwrap();
    context.register_table("memory", rows.into_view()).unwrap();
    context
}

async fn of_datafusion(context: &SessionContext, sql: &str) -> Vec<(i64, Option<f64>)> {
    rows_of(context.sql(sql).await.unwrap().collect().await.unwrap())
}

/// The answer as rows of numbers, group first.
async fn answer(session: &Session, sql: &str) -> Vec<(i64, Option<f64>)> {
    rows_of(session.run(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}")).collect().await.unwrap())
}

fn rows_of(batches: Vec<RecordBatch>) -> Vec<(i64, Option<f64>)> {
    let mut rows = Vec::new();
    for batch in batches {
        if batch.num_columns() < 2 {
            continue;
        }
        let (groups, values) =
            (cast(batch.column(0), &DataType::Int64).unwrap(), cast(batch.column(1), &DataType::Float64).unwrap());
        let (groups, values) = (groups.as_primitive::<Int64Type>(), values.as_primitive::<Float64Type>());
        rows.extend(groups.iter().flatten().zip(values.iter()));
    }
    rows
}

fn compare(name: &str, mut ours: Vec<(i64, Option<f64>)>, mut plain: Vec<(i64, Option<f64>)>) {
    assert_eq!(ours.len(), plain.len(), "{name}");
    ours.sort_by_key(|(group, _)| *group);
    plain.sort_by_key(|(group, _)| *group);
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(1e-3);
    let apart = ours.iter().zip(&plain).filter(|((_, a), (_, b))| match (a, b) {
        (Some(a), Some(b)) => !near(*a, *b),
        (a, b) => a.is_some() != b.is_some(),
    });
    // Differences of large sums lose digits in a few groups of two rows; the measures do not.
    let apart: Vec<_> = apart.collect();
    assert!(apart.len() * 500 <= ours.len(), "{name}: {} of {} groups, as {:?}", apart.len(), ours.len(), apart[0]);
}
