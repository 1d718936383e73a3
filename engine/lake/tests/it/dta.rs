//! Stata data sets of every version against what pandas wrote into them.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::util::display::array_value_to_string;
use envoi_lake::Result;
use envoi_lake::read::{Dta, Limits};

use crate::shared;
use crate::support::{fixture_bytes, fixture_text};

fn read(bytes: Vec<u8>, projection: Option<&[usize]>, size: usize) -> Result<RecordBatch> {
    let dta = Dta::open(bytes.into(), "f.dta", &Limits::default())?;
    let batches = dta.batches(projection, size)?.collect::<Result<Vec<_>>>()?;
    let schema = dta.schema();
    let schema = projection.map_or(Ok(Arc::clone(&schema)), |p| schema.project(p).map(Into::into))?;
    Ok(concat_batches(&schema, &batches)?)
}

/// Every cell that the file has against the expected one, which is blank for NULL.
fn check(name: &str, bytes: Vec<u8>) {
    let found = read(bytes, None, 7).unwrap();
    let expected = fixture_text("dta/expected.csv");
    let mut rows = csv::Reader::from_reader(expected.as_bytes());
    let header = rows.headers().unwrap().clone();
    let schema = found.schema();
    let columns: Vec<usize> =
        schema.fields().iter().map(|f| header.iter().position(|h| h == f.name()).unwrap()).collect();
    let mut count = 0;
    for (i, row) in rows.records().enumerate() {
        let row = row.unwrap();
        for (column, at) in found.columns().iter().zip(&columns) {
            let value = if column.is_null(i) { String::new() } else { array_value_to_string(column, i).unwrap() };
            let same = value == row[*at] || value.parse::<f64>().is_ok_and(|v| row[*at].parse::<f32>() == Ok(v as f32));
            assert!(same, "{name}, row {i}, {}: `{value}`, expected `{}`", header[*at].to_owned(), &row[*at]);
        }
        count = i + 1;
    }
    assert_eq!((found.num_rows(), count), (40, 40), "{name}");
}

/// The version 113 of a file of 114: formats are 12 bytes instead of 49.
fn as_113(bytes: &[u8]) -> Vec<u8> {
    let variables =
        if bytes[1] == 1 { u16::from_be_bytes([bytes[4], bytes[5]]) } else { u16::from_le_bytes([bytes[4], bytes[5]]) };
    let variables = usize::from(variables);
    let formats = 109 + variables + 33 * variables + 2 * (variables + 1);
    let mut old = bytes[..formats].to_vec();
    old[0] = 113;
    bytes[formats..formats + 49 * variables].chunks(49).for_each(|format| old.extend(&format[..12]));
    old.extend(&bytes[formats + 49 * variables..]);
    old
}

const WRITTEN: [&str; 8] =
    ["v114_little", "v114_big", "v117_little", "v117_big", "v118_little", "v118_big", "v119_little", "v119_big"];

pub(crate) fn every_version() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> =
        WRITTEN.iter().map(|n| ((*n).to_owned(), fixture_bytes(&format!("dta/{n}.dta")))).collect();
    for name in ["v114_little", "v114_big"] {
        let bytes = fixture_bytes(&format!("dta/{name}.dta"));
        all.push((format!("{name} as 113"), as_113(&bytes)));
        let mut newer = bytes;
        newer[0] = 115;
        all.push((format!("{name} as 115"), newer));
    }
    all
}

#[test]
fn every_cell_of_every_version() {
    for (name, bytes) in every_version() {
        check(&name, bytes);
    }
}

#[test]
fn labels_and_types_are_in_the_schema() {
    for (name, bytes) in every_version() {
        let dta = Dta::open(bytes.into(), "f.dta", &Limits::default()).unwrap();
        let schema = dta.schema();
        let of = |column: &str, key: &str| schema.field_with_name(column).unwrap().metadata().get(key).cloned();
        assert_eq!(of("region", "description").as_deref(), Some("Región"), "{name}");
        assert_eq!(of("area", "value_labels").as_deref(), Some(r#"{"0":"rural","1":"urban"}"#), "{name}");
        assert_eq!(of("month", "stata_format").as_deref(), Some("%tm"), "{name}");
        assert_eq!(schema.metadata()["description"], "Invented households", "{name}");
        let kinds: Vec<String> = schema.fields().iter().take(11).map(|f| f.data_type().to_string()).collect();
        let expected = "Utf8 Int8 Int16 Int32 Float32 Float64 Utf8 Date32 Timestamp(ms) Date32 Date32";
        assert_eq!(kinds.join(" "), expected, "{name}");
    }
}

#[test]
fn some_variables_in_another_order() {
    let found = read(fixture_bytes("dta/v118_little.dta"), Some(&[12, 0]), 100).unwrap();
    assert_eq!(found.schema().field(0).name(), "remark");
    assert_eq!(array_value_to_string(found.column(0), 3).unwrap(), "xxxxxxxxxé");
    assert_eq!(array_value_to_string(found.column(1), 3).unwrap(), "h003");
    assert_eq!(read(fixture_bytes("dta/v118_little.dta"), Some(&[]), 100).unwrap().num_rows(), 40);
    assert!(read(fixture_bytes("dta/v118_little.dta"), Some(&[99]), 100).is_err());
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    for (name, bytes) in every_version() {
        for cut in 0..bytes.len() {
            let error = read(bytes[..cut].to_vec(), None, 16).map(|b| b.num_rows());
            // Before version 117 the file may end after the rows: value labels are optional.
            let whole = !bytes.starts_with(b"<") && matches!(error, Ok(40));
            assert!(error.is_err() || whole, "{name} cut at {cut}: {error:?}");
            if let Err(error) = error {
                let message = error.to_string();
                assert!(message.starts_with("f.dta: ") && !message.contains('\n'), "{message}");
            }
        }
    }
}

#[test]
fn counts_that_the_file_cannot_hold_are_errors() {
    let mut bytes = fixture_bytes("dta/v118_little.dta");
    let k = bytes.windows(3).position(|w| w == b"<K>").unwrap() + 3;
    bytes[k..k + 2].fill(0xff);
    assert!(read(bytes, None, 16).unwrap_err().to_string().contains("types should be 131070 bytes"));
    let mut bytes = fixture_bytes("dta/v118_little.dta");
    let n = bytes.windows(3).position(|w| w == b"<N>").unwrap() + 3;
    bytes[n..n + 8].fill(0xff);
    assert!(read(bytes.clone(), None, 16).unwrap_err().to_string().contains("more than 10000000"));
    bytes[n..n + 8].copy_from_slice(&1_000_000_u64.to_le_bytes());
    assert!(read(bytes, None, 16).unwrap_err().to_string().contains("observations should be"));
    for (first, words) in [(112, "version 112"), (110, "113 to 115"), (0, "not a Stata data set")] {
        let mut bytes = fixture_bytes("dta/v114_little.dta");
        bytes[0] = first;
        assert!(read(bytes, None, 16).unwrap_err().to_string().contains(words), "{words}");
    }
}

#[test]
fn changed_bytes_never_panic() {
    // A fixed sequence: the same changes in every run.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for (_, bytes) in every_version() {
        for _ in 0..400 {
            let mut changed = bytes.clone();
            for _ in 0..=next(4) {
                let at = next(changed.len());
                changed[at] = [0, 1, 0x7f, 0x80, 0xfe, 0xff][next(6)];
            }
            if let Ok(batch) = read(changed, None, 16) {
                assert!(batch.num_rows() <= bytes.len());
            }
        }
    }
}

#[test]
fn the_publishers_files() {
    let Some(data) = shared("data") else { return };
    for (name, rows, columns, column, sum) in
        [("hh12.dta", 8861, 58, "factor_viv", 31_031_838.0), ("income12.dta", 46_597, 17, "ing_tri", 284_585_620.83)]
    {
        let bytes = std::fs::read(data.join("enigh_mexico_2012").join(name)).unwrap();
        let all = read(bytes, None, 8192).unwrap();
        assert_eq!((all.num_rows(), all.num_columns()), (rows, columns), "{name}");
        let values =
            arrow::compute::cast(all.column_by_name(column).unwrap(), &arrow::datatypes::DataType::Float64).unwrap();
        let values = values.as_any().downcast_ref::<arrow::array::Float64Array>().unwrap();
        let found: f64 = values.iter().flatten().sum();
        assert!((found - sum).abs() < 0.01, "{name}: {found}");
    }
}
