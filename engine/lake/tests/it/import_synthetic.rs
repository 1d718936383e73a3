//! Generated files come back into a lake as they are; what was changed in them does not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use envoi_lake::import::Options;
use envoi_lake::synthetic::{MARK, Plan, Table, generate};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;

use crate::support::{Scratch, day, sum};

fn plan(table: Table, rows: u64, seed: u64) -> Plan {
    let economies = Some("PHL,NPL".parse().unwrap());
    Plan { table, rows, seed, economies, strata: None, units: None }
}

fn made(s: &Scratch, name: &str, plan: &Plan) -> PathBuf {
    let folder = s.inbox().join(name);
    generate(plan, &folder, 2, &|_| true).unwrap().unwrap();
    folder
}

#[test]
fn a_folder_as_it_was_generated() {
    let s = Scratch::new();
    let folder = made(&s, "one", &plan(Table::Household, 900, 7));
    let report = s.import(std::slice::from_ref(&folder)).unwrap();
    let readme = report.files.iter().find(|f| f.file == "README.md").unwrap();
    assert_eq!(readme.source_id, None, "{readme:?}");
    let rows = s.rows("household");
    assert_eq!(rows.len(), 900);
    assert!(rows.iter().all(|r| r["survey_id"].starts_with("synthetic_") && r["source_id"] == "envoi.synthetic"));
    assert_eq!(rows.iter().filter(|r| r["iso3"] == "NPL").count(), 450);
    let manifest = s.manifest();
    let sources: Vec<_> = manifest.sources.iter().filter(|e| e.source_id == "envoi.synthetic").collect();
    assert_eq!(sources.len(), 2);
    assert!(sources.iter().all(|e| e.licence == "CC0 1.0" && e.caveats.as_ref().unwrap().contains("not a survey")));
    s.check_whole();
    // The same again is known, another seed is another survey beside it.
    assert!(!s.import(&[folder]).unwrap().changed);
    let other = made(&s, "two", &plan(Table::Household, 900, 8));
    s.import(&[other]).unwrap();
    let rows = s.rows("household");
    assert_eq!(rows.len(), 1_800);
    let households = sum(&rows.into_iter().filter(|r| r["iso3"] == "NPL").collect::<Vec<_>>(), "weight");
    assert!((1e7..1.3e7).contains(&households), "two surveys stand for Nepal twice: {households}");
    s.check_whole();
}

#[test]
fn transfers_go_to_their_table() {
    let s = Scratch::new();
    let folder = made(&s, "t", &plan(Table::Transfer, 600, 1));
    s.import(&[folder]).unwrap();
    let rows = s.rows("transfer");
    assert_eq!(rows.len(), 600);
    assert!(
        rows.iter().all(|r| ["PHL", "NPL"].contains(&r["receiver_iso3"].as_str()) && r["sent_at"].starts_with("2021-"))
    );
    assert!(sum(&rows, "amount_usd") > 0.0);
    s.check_whole();
}

#[test]
fn large_files_are_read_from_disk() {
    let s = Scratch::new();
    let plan = Plan { economies: None, ..plan(Table::Household, 100_000, 3) };
    let folder = made(&s, "large", &plan);
    let file = folder.join("household/part-00001-synthetic.parquet");
    assert!(std::fs::metadata(&file).unwrap().len() > 1 << 20, "too small to stay on disk");
    let report = s.import(&[file]).unwrap();
    assert_eq!(report.files[0].rows, 100_000);
    assert_eq!(s.manifest().files.iter().filter(|f| f.table == "household").map(|f| f.rows).sum::<u64>(), 100_000);
    s.check_whole();
}

/// The file with its rows changed, its mark as it was unless told otherwise.
fn changed(path: &Path, mark: Option<&str>, change: impl Fn(RecordBatch) -> RecordBatch) -> Vec<u8> {
    let file = std::fs::File::open(path).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let mut kept = builder.metadata().file_metadata().key_value_metadata().unwrap().clone();
    kept.retain(|kv| kv.key == MARK);
    if let (Some(mark), Some(kv)) = (mark, kept.first_mut()) {
        kv.value = Some(mark.to_owned());
    }
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(|b| change(b.unwrap())).collect();
    let properties = WriterProperties::builder().set_key_value_metadata(Some(kept)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batches[0].schema(), Some(properties)).unwrap();
    for batch in batches {
        writer.write(&batch).unwrap();
    }
    writer.into_inner().unwrap()
}

fn with(batch: &RecordBatch, name: &str, column: ArrayRef) -> RecordBatch {
    let at = batch.schema().index_of(name).unwrap();
    let mut columns = batch.columns().to_vec();
    columns[at] = column;
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

#[test]
fn what_was_changed_is_refused() {
    let s = Scratch::new();
    let folder = made(&s, "f", &plan(Table::Household, 20, 1));
    let file = folder.join("household/part-00001-synthetic.parquet");
    let odd = |bytes: Vec<u8>, words: &[&str]| s.refuses("changed.parquet", bytes, words);
    let rows = |batch: &RecordBatch| batch.num_rows();
    let text = |batch: &RecordBatch, text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; rows(batch)])) };
    odd(changed(&file, None, |b| with(&b, "source_id", text(&b, "inegi.enigh_2012"))), &["row 1", "`source_id`"]);
    odd(changed(&file, None, |b| with(&b, "survey_id", text(&b, "mex_enigh_2012"))), &["row 1", "`survey_id`"]);
    odd(changed(&file, None, |b| with(&b, "household_id", text(&b, "1"))), &["row 2", "survey_id, household_id"]);
    let weight = |bad: f64| {
        changed(&file, None, |b| {
            let mut values = vec![1.0; rows(&b)];
            values[4] = bad;
            with(&b, "weight", Arc::new(Float64Array::from(values)))
        })
    };
    odd(weight(-1.0), &["row 5", "-1 is no `weight`"]);
    odd(weight(f64::NAN), &["row 5", "NaN is no `weight`"]);
    odd(weight(f64::INFINITY), &["row 5", "inf is no `weight`"]);
    odd(
        changed(&file, None, |b| b.project(&[0, 1, 2]).unwrap()),
        &["lacks column `household_id`", "generate it again"],
    );
    odd(changed(&file, None, |b| b.slice(0, 0)), &["has no row"]);
    odd(changed(&file, Some("{}"), |b| b), &["looks like `envoi.synthetic`", "cannot be read"]);
    let whole = std::fs::read(&file).unwrap();
    odd(whole[..whole.len() - 40].to_vec(), &["Parquet"]);
    let mut broken = whole;
    for byte in &mut broken[200..260] {
        *byte ^= 0x5a;
    }
    let path = s.put("broken.parquet", &broken);
    // Not every byte is checked by the format; what cannot be read is an error, and no panic.
    let _ = s.import(&[path]);

    let vintage = Options { vintage: Some(day("2024-01-01")), ..Options::default() };
    s.refuses_with(&[file], &vintage, &["states its vintage in every row, 2020-01-01; leave --vintage 2024-01-01 out"]);
}
