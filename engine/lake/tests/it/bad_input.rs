//! Input that must be refused, with its place, and leave the lake as it is.

use envoi_lake::import::Options;
use envoi_lake::read::Limits;

use crate::support::{DAC2A, Scratch, WDI_REMITTANCES, fixture, fixture_text};
use crate::workbooks::Matrix;

#[test]
fn cells_of_a_wide_file() {
    let s = Scratch::new();
    s.import(&[fixture(WDI_REMITTANCES)]).unwrap();
    let refuses = |from: &str, to: &str, words: &[&str]| {
        drop(s.refuses("wdi.csv", fixture_text(WDI_REMITTANCES).replacen(from, to, 1), words));
    };
    refuses("47500000", "47.5 million", &["wdi.csv", "row 7", "column `2021`", "`47.5 million` is not a number"]);
    refuses("\"NAM\"", "\"NAX\"", &["wdi.csv", "row 7", "Country Code", "unknown country `NAX`"]);
    // The name beside a code says what was meant; an aggregate may be near too.
    refuses("\"NAM\"", "\"QQX\"", &["row 7", "unknown country `QQX`; nearest is `Namibia` (NAM)"]);
    refuses("\"Low & middle income\",\"LMY\"", "\"\",\"LMQ\"", &["unknown country `LMQ`", "(LMY)", "(LMC)"]);
    refuses("\"Namibia\",\"NAM\"", "\"Kenya\",\"KEN\"", &["row 7", "duplicate key", "KEN", "row 6"]);
    refuses("\"2021\"", "\"2020\"", &["duplicate key", "row 6"]);
    refuses("\"2021\"", "\"20x1\"", &["row 5", "`20x1` is not a year"]);
    refuses("\"NAM\",\"Per", "\"\",\"Per", &["row 7", "no country code"]);
    refuses("Country Code", "Code", &["wdi.csv", "Country Code"]);
    refuses("2025-07-01", "soon", &["wdi.csv", "--vintage"]);
}

#[test]
fn the_wrong_source() {
    let s = Scratch::new();
    let under = |source: &str| Options { source: Some(source.to_owned()), ..Options::default() };
    s.refuses_with(&[fixture(DAC2A)], &under("worldbank.wdi"), &["dac2a.csv", "`oecd.dac2a`", "`worldbank.wdi`"]);
    s.refuses_with(&[fixture(DAC2A)], &under("worldbank.wdy"), &["worldbank.wdy", "worldbank.wdi"]);
    let other = s.put("people.csv", "a,b\n1,2\n");
    s.refuses_with(&[other], &under("worldbank.wdi"), &["people.csv", "not recognised as `worldbank.wdi`"]);
}

#[test]
fn files_that_cannot_be_read() {
    let s = Scratch::new();
    s.refuses("empty.csv", "", &["empty.csv", "is empty"]);
    s.refuses_with(&[s.inbox().join("absent")], &Options::default(), &["absent", "cannot read"]);
    let bare = Scratch::new();
    std::fs::create_dir_all(bare.inbox()).unwrap();
    bare.refuses_with(&[bare.inbox()], &Options::default(), &["no file to import"]);
    let locked = s.put("locked/a.csv", "a,b\n1,2\n").parent().unwrap().to_owned();
    let mode = |bits| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(bits)).unwrap();
    };
    mode(0o000);
    if std::fs::read_dir(&locked).is_ok() {
        eprintln!("\n*** NOT TESTED: this user may read any folder, so an unreadable one was left out ***\n");
    } else {
        s.refuses_with(&[s.inbox()], &Options::default(), &["locked", "cannot read"]);
    }
    mode(0o755);
}

#[test]
fn strangers_in_a_folder_are_passed_over_and_reported() {
    let s = Scratch::new();
    s.put("data/wdi.csv", fixture_text(WDI_REMITTANCES));
    s.put("data/README.md", "\"a quote that never ends\n");
    s.put("data/photo.png", b"\x89PNG\r\n\x1a\n\0\0\0\0");
    s.put("data/.hidden", "x");
    s.put("data/deeper/people.csv", "name,age\nA,1\n");
    let report = s.import(&[s.inbox()]).unwrap();
    let passed: Vec<_> = report.files.iter().filter(|f| f.source_id.is_none()).map(|f| f.file.as_str()).collect();
    assert_eq!(passed, ["data/README.md", "data/deeper/people.csv", "data/photo.png"], "with their folders");
    assert_eq!(s.rows("observation").len(), 24);
    let lone = Scratch::new();
    lone.put("people.csv", "name,age\nA,1\n");
    lone.refuses_with(&[lone.inbox()], &Options::default(), &["people.csv", "no known publisher"]);
}

#[test]
fn an_empty_file_is_said_to_be_empty() {
    let s = Scratch::new();
    s.put("data/.gitkeep", "");
    s.put("data/__init__.py", " \n");
    s.refuses_with(&[s.inbox()], &Options::default(), &["nothing to import", "`data/__init__.py`", "empty"]);
    s.put("data/wdi.csv", fixture_text(WDI_REMITTANCES));
    let report = s.import(&[s.inbox()]).unwrap();
    assert_eq!(report.files[0].notes, ["passed over: is empty"]);
    let s = Scratch::new();
    s.put("data/blank.csv", "\r\n");
    s.refuses_with(&[s.inbox()], &Options::default(), &["blank.csv: is empty"]);
}

#[test]
fn limits_name_their_setting() {
    let s = Scratch::new();
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        Options { limits, ..Options::default() }
    };
    let file = [fixture(WDI_REMITTANCES)];
    for (options, setting) in [
        (limits(|l| l.file_bytes = 10), "file_bytes"),
        (limits(|l| l.rows = 3), "rows"),
        (limits(|l| l.columns = 3), "columns"),
        (limits(|l| l.cells = 20), "cells"),
        (limits(|l| l.cell_bytes = 5), "cell_bytes"),
    ] {
        s.refuses_with(&file, &options, &["csv", &format!("raise the setting `import.{setting}`")]);
    }
    let zip = s.put("a.zip", crate::support::zipped(&[("a.csv", b"a,b\n1,2\n"), ("b.csv", b"a,b\n1,2\n")]));
    s.refuses_with(std::slice::from_ref(&zip), &limits(|l| l.members = 1), &["a.zip", "import.members"]);
    s.refuses_with(&[zip], &limits(|l| l.unpacked_bytes = 9), &["a.zip", "import.unpacked_bytes"]);
    s.put("folder/a.csv", "a,b\n1,2\n");
    s.put("folder/b.csv", "a,b\n1,2\n");
    s.refuses_with(&[s.inbox().join("folder")], &limits(|l| l.members = 1), &["folder", "import.members"]);
}

#[test]
fn two_files_of_one_edition_that_differ() {
    let s = Scratch::new();
    let a = s.put("a.csv", fixture_text(WDI_REMITTANCES));
    let b = s.put("b.csv", fixture_text(WDI_REMITTANCES).replace("47500000", "47500001"));
    s.refuses_with(&[a, b], &Options::default(), &["a.csv", "b.csv", "duplicate key", "2025-07-01"]);
    let one = s.put("x/people.csv", "name,age\nA,1\n");
    let two = s.put("y/people.csv", "name,age\nB,2\n");
    s.refuses_with(&[one, two], &Options::default(), &["people"]);
}

#[test]
fn one_bad_file_spoils_the_whole_import() {
    let s = Scratch::new();
    s.put("a.csv", fixture_text(WDI_REMITTANCES));
    let mut book = Matrix::default().book();
    book.truncate(book.len() / 2);
    s.put("b.xlsx", book);
    s.refuses_with(&[s.inbox()], &Options::default(), &["b.xlsx", "cut short"]);
}
