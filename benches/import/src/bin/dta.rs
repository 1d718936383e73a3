//! A Stata data set of one million income lines, decoded whole to Arrow by one thread.
//!
//! ```text
//! cargo run --release -p envoi-bench-import --bin dta [RUNS]
//! ```
//! Laid out as the income file of a household survey (keys as text, amounts as doubles);
//! the figures are invented, and their sum is checked.

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
use std::time::Instant;

use arrow::array::{Array, Float64Array};
use envoi_bench_import::{measure, median, told};
use envoi_lake::read::{Dta, Limits};

const ROWS: u64 = 1_000_000;
/// Name, type, and bytes of it, as version 118 has them.
const VARIABLES: [(&str, u16, usize); 12] = [
    ("folioviv", 10, 10),
    ("foliohog", 1, 1),
    ("numren", 2, 2),
    ("clave", 4, 4),
    ("month", 65_530, 1),
    ("year", 65_529, 2),
    ("ing_1", 65_526, 8),
    ("ing_2", 65_526, 8),
    ("ing_3", 65_526, 8),
    ("ing_4", 65_526, 8),
    ("factor", 65_528, 4),
    ("ing_tri", 65_526, 8),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        // The folder of a lake, which the measuring gives, is not needed.
        ["import", file, _] => read(Path::new(file)),
        [] => bench(5),
        [runs] => bench(runs.parse().expect("a number of runs")),
        _ => panic!("usage: dta [RUNS]"),
    }
}

fn bench(runs: usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("income.dta");
    generate(&file).unwrap();
    let megabytes = std::fs::metadata(&file).unwrap().len() as f64 / 1e6;
    println!("data set of {megabytes:.1} MB, {ROWS} rows x {} variables", VARIABLES.len());
    let runs: Vec<_> = (0..runs).map(|_| measure(&file, folder.path())).collect();
    let told = |run: &envoi_bench_import::Run| {
        let seconds = run.time.as_secs_f64();
        format!("{seconds:.3} s, {:.0} MB/s, peak {:.0} MiB", megabytes / seconds, run.peak as f64 / f64::from(1 << 20))
    };
    runs.iter().for_each(|run| println!("{}", told(run)));
    println!("median {}", told(&median(&runs)));
}

/// The amount of a row.
fn amount(row: u64) -> f64 {
    (row % 40_000) as f64 + 0.25
}

fn read(path: &Path) {
    let begin = Instant::now();
    let bytes = std::fs::read(path).unwrap();
    let dta = Dta::open(bytes.into(), "income.dta", &Limits::default()).unwrap();
    let (mut rows, mut sum, mut texts) = (0, 0.0, 0);
    for batch in dta.batches(None, 8192).unwrap() {
        let batch = batch.unwrap();
        rows += batch.num_rows() as u64;
        sum += batch.column(11).as_any().downcast_ref::<Float64Array>().unwrap().iter().flatten().sum::<f64>();
        texts += batch.column(0).len() - batch.column(0).null_count();
    }
    told(begin);
    let expected: f64 = (0..ROWS).map(amount).sum();
    assert_eq!((rows, sum, texts as u64), (ROWS, expected, ROWS));
}

fn generate(path: &Path) -> std::io::Result<()> {
    let mut head: Vec<u8> = b"<stata_dta><header><release>118</release><byteorder>LSF</byteorder><K>".to_vec();
    let count = VARIABLES.len() as u16;
    head.extend(count.to_le_bytes());
    head.extend(b"</K><N>");
    head.extend(ROWS.to_le_bytes());
    head.extend(b"</N><label>\0\0</label><timestamp>\0</timestamp></header><map>");
    let map = head.len();
    head.extend([0; 14 * 8]);
    head.extend(b"</map><variable_types>");
    VARIABLES.iter().for_each(|(_, kind, _)| head.extend(kind.to_le_bytes()));
    head.extend(b"</variable_types><varnames>");
    VARIABLES.iter().for_each(|(name, ..)| head.extend(padded(name, 129)));
    head.extend(b"</varnames><sortlist>");
    head.extend(vec![0; 2 * (VARIABLES.len() + 1)]);
    head.extend(b"</sortlist><formats>");
    VARIABLES.iter().for_each(|_| head.extend(padded("%9.0g", 57)));
    head.extend(b"</formats><value_label_names>");
    head.extend(vec![0; 129 * VARIABLES.len()]);
    head.extend(b"</value_label_names><variable_labels>");
    head.extend(vec![0; 321 * VARIABLES.len()]);
    head.extend(b"</variable_labels><characteristics></characteristics><data>");
    let width: usize = VARIABLES.iter().map(|(_, _, bytes)| bytes).sum();
    let labels = head.len() as u64 + ROWS * width as u64 + "</data><strls></strls>".len() as u64;
    head.splice(map + 11 * 8..map + 12 * 8, labels.to_le_bytes());
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&head)?;
    for row in 0..ROWS {
        write!(file, "{:010}{}{:02}P{:03}", row / 5, row % 2, row % 7, row % 81)?;
        file.write_all(&[(row % 12) as u8 + 1])?;
        file.write_all(&2012_u16.to_le_bytes())?;
        for part in 0..4 {
            file.write_all(&(amount(row) / f64::from(part + 1)).to_le_bytes())?;
        }
        file.write_all(&((row % 9000) as u32).to_le_bytes())?;
        file.write_all(&amount(row).to_le_bytes())?;
    }
    file.write_all(b"</data><strls></strls><value_labels></value_labels></stata_dta>")
}

fn padded(text: &str, width: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(width, 0);
    bytes
}
