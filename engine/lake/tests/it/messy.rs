//! The messy corpus, every field of every entry of its `expect.json`.

use envoi_lake::read::Limits;
use envoi_lake::table::{ColumnKind, Table, read_table};
use envoi_lake::{Error, Result};
use serde_json::Value;

use crate::shared;

/// What differs between an entry and what was read; empty if nothing does.
fn differences(entry: &Value, read: &Result<Table>) -> Vec<String> {
    let outcome = entry["outcome"].as_str().unwrap();
    let table = match (outcome, read) {
        ("import", Err(e)) => return vec![format!("was rejected: {e}")],
        ("reject", Ok(_)) => return vec!["was imported".to_owned()],
        (_, Err(e)) => return rejection(entry, e),
        (_, Ok(table)) => table,
    };
    let mut all = Vec::new();
    for (field, wanted) in entry.as_object().unwrap() {
        let found: Value = match field.as_str() {
            "file" | "outcome" | "note" | "max_rss_mb" | "max_secs" | "error_line" => continue,
            "cells" => {
                all.extend(cells(wanted, table));
                continue;
            }
            "warnings" => {
                let codes: Vec<&str> = table.warnings.iter().map(|w| w.code).collect();
                let missing = wanted.as_array().unwrap().iter().filter(|w| !codes.contains(&w.as_str().unwrap()));
                all.extend(missing.map(|w| format!("no warning {w}, only {codes:?}")));
                continue;
            }
            "type" => {
                for (name, kind) in wanted.as_object().unwrap() {
                    let found = table.column(name).map(|c| kind_name(c.kind));
                    if found != kind.as_str() {
                        all.push(format!("column `{name}` is {found:?}, not {kind}"));
                    }
                }
                continue;
            }
            "rows" => table.rows().into(),
            "columns" => table.columns.iter().map(|c| c.name.clone()).collect(),
            "ncolumns" => table.columns.len().into(),
            "delimiter" => table.delimiter.map(|d| d.to_string().replace('\t', "\\t")).into(),
            "decimal" => table.decimal.to_string().into(),
            "encoding" => table.encoding.into(),
            // The corpus counts lines from 0 here, the product from 1 everywhere.
            "header_row" => (table.header_row - 1).into(),
            "header_rows" => table.header_rows.into(),
            "unit" => table.unit.clone().into(),
            "notes" => table.notes.clone().into(),
            "years" => table.years().into(),
            "long_rows" => {
                let rows = table.to_long_record_batch().unwrap().map_or(0, |b| b.num_rows());
                assert_eq!(rows, table.long_rows());
                rows.into()
            }
            "sheet" => table.sheet.clone().into(),
            other => panic!("expect.json has a field `{other}` that this test does not know"),
        };
        if found != *wanted {
            all.push(format!("{field} is {found}, not {wanted}"));
        }
    }
    all
}

fn rejection(entry: &Value, error: &Error) -> Vec<String> {
    let (Error::Data { place, .. } | Error::Limit { place, .. }) = error else {
        return vec![format!("{error:?}")];
    };
    let message = error.to_string();
    let mut all = Vec::new();
    if !message.contains(entry["file"].as_str().unwrap()) || message.ends_with('.') {
        all.push(format!("a message of another style: {message}"));
    }
    if let Some(line) = entry["error_line"].as_u64()
        && place.row != Some(line)
    {
        all.push(format!("names line {:?}, not {line}", place.row));
    }
    all
}

fn cells(wanted: &Value, table: &Table) -> Vec<String> {
    let mut all = Vec::new();
    for cell in wanted.as_array().unwrap() {
        let (row, name) = (cell["row"].as_u64().unwrap() as usize, cell["column"].as_str().unwrap());
        let Some(column) = table.column(name) else {
            all.push(format!("no column `{name}`"));
            continue;
        };
        let value = column.values.get(row).and_then(Option::as_deref);
        if value != cell["value"].as_str() {
            all.push(format!("{name}[{row}] is {value:?}, not {}", cell["value"]));
        }
        let flag = column.flags.get(row).and_then(Option::as_deref).unwrap_or_default();
        if let Some(wanted) = cell["flag"].as_str()
            && flag != wanted
        {
            all.push(format!("flag of {name}[{row}] is {flag:?}, not {wanted:?}"));
        }
    }
    all
}

fn kind_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Integer | ColumnKind::Number | ColumnKind::Decimal { .. } => "number",
        ColumnKind::Date => "date",
        ColumnKind::Period => "period",
        ColumnKind::Boolean => "boolean",
        _ => "text",
    }
}

#[test]
fn messy_files_are_read_as_expected() {
    let Some(folder) = shared("corpus/messy") else {
        return;
    };
    let expect: Value = serde_json::from_slice(&std::fs::read(folder.join("expect.json")).unwrap()).unwrap();
    let (mut agree, mut wrong) = (0, 0);
    for entry in expect.as_array().unwrap() {
        let file = entry["file"].as_str().unwrap();
        let read = read_table(&std::fs::read(folder.join(file)).unwrap(), file, &Limits::default());
        let differences = differences(entry, &read);
        eprintln!("{} {file}", if differences.is_empty() { "agrees " } else { "DIFFERS" });
        for difference in &differences {
            eprintln!("          {difference}");
        }
        match &read {
            Ok(table) => {
                let report = table.report().join("\n");
                assert!(
                    !report.contains(|c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c)),
                    "{file}"
                );
                let batch = table.to_record_batch().unwrap_or_else(|e| panic!("{file}: {e}"));
                assert_eq!(batch.num_rows(), table.rows());
            }
            Err(error) => eprintln!("          {error}"),
        }
        if differences.is_empty() { agree += 1 } else { wrong += 1 }
    }
    eprintln!("{agree} of {} entries agree", agree + wrong);
    assert_eq!(wrong, 0, "see the table above");
}
