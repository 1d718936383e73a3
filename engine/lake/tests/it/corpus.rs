//! Every file of the corpus through import: taken or refused, never a panic or a table of noise.

use envoi_lake::import::Options;

use crate::support::Scratch;
use crate::{files_below, shared};

#[test]
fn every_file_is_taken_or_refused_with_its_name() {
    let Some(corpus) = shared("corpus") else { return };
    let (mut taken, mut refused) = (0, 0);
    for path in files_below(&corpus) {
        let s = Scratch::new();
        match s.import(std::slice::from_ref(&path)) {
            Ok(report) => {
                taken += 1;
                assert!(report.files.iter().any(|f| f.rows > 0), "{}: {report:?}", path.display());
                s.check_whole();
            }
            Err(error) => {
                refused += 1;
                let (message, name) = (error.to_string(), path.file_name().unwrap().to_string_lossy().into_owned());
                assert!(message.contains(&name) && !message.contains(char::is_control), "{name}: {message}");
                assert!(s.snapshot().is_empty(), "{name}");
            }
        }
    }
    eprintln!("{taken} taken, {refused} refused");
    assert!(refused > 100);
}

#[test]
fn fuzzed_text_is_no_table() {
    let Some(folder) = shared("corpus/csv_fuzz") else { return };
    for path in files_below(&folder) {
        let s = Scratch::new();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let message = s.refuses_with(std::slice::from_ref(&path), &Options::default(), &[&name]);
        eprintln!("{message}");
    }
}

#[test]
fn noise_is_refused_and_a_stray_escape_is_not() {
    let s = Scratch::new();
    s.refuses("nul.csv", "a,b\n1,2\n3,\0\n4,5\n", &["nul.csv, row 3", "NUL"]);
    s.refuses(
        "noise.csv",
        "a,b\n\u{1}x,\u{2}y\n\u{3}z,\u{4}w\nq,\u{5}r\n",
        &["noise.csv, row 3", "control characters"],
    );
    s.refuses("head.csv", "a,b\n", &["head.csv", "no row"]);
    s.import_bytes("escape.csv", "country,v\nNorway,1\nChad\u{1b}[31m,3\n").unwrap();
}
