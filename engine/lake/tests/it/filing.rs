//! Under which dataset and vintage a file stands in the lake, and what takes its place.

use envoi_lake::import::{Options, Report};
use envoi_lake::lake::Standing;

use crate::support::{DAC2A, Scratch, WDI_ODA, WDI_REMITTANCES, day, fixture, fixture_text};

fn dated(text: &str) -> Options {
    Options { vintage: Some(day(text)), ..Options::default() }
}

fn under(source: &str) -> Options {
    Options { source: Some(source.to_owned()), ..Options::default() }
}

fn notes(report: &Report) -> String {
    report.files.iter().flat_map(|f| f.notes.clone()).collect::<Vec<_>>().join("\n")
}

/// Dataset and vintage of what was imported, sorted.
fn filed(s: &Scratch) -> Vec<(String, String)> {
    let manifest = s.manifest();
    let imported = manifest.sources.iter().filter(|e| e.source_id != "envoi.country");
    let mut all: Vec<_> = imported.map(|e| (e.source_id.clone(), e.vintage.to_string())).collect();
    all.sort();
    all
}

#[test]
fn a_known_file_under_a_wrong_source() {
    let s = Scratch::new();
    s.import(&[fixture(DAC2A)]).unwrap();
    s.refuses_with(&[fixture(DAC2A)], &under("worldbank.wdi"), &["dac2a.csv", "`oecd.dac2a`", "`worldbank.wdi`"]);
    s.refuses_with(&[fixture(DAC2A)], &under("worldbank.wdy"), &["worldbank.wdy", "worldbank.wdi"]);
    assert!(!s.import_with(&[fixture(DAC2A)], &under("oecd.dac2a")).unwrap().changed);
    // As a plain table it is another thing, which the lake does not have yet.
    assert!(s.import_with(&[fixture(DAC2A)], &under("local.table")).unwrap().changed);
    assert!(!s.import_with(&[fixture(DAC2A)], &under("local.table")).unwrap().changed);
    assert_eq!(s.rows("aid_flow").len(), 5);
}

#[test]
fn a_known_file_under_another_vintage_is_filed_anew() {
    let s = Scratch::new();
    s.import_with(&[fixture(DAC2A)], &dated("2031-01-01")).unwrap();
    let report = s.import_with(&[fixture(DAC2A)], &dated("2025-05-01")).unwrap();
    assert!(report.changed);
    let told = notes(&report);
    assert!(told.contains("filed anew as vintage 2025-05-01; vintage 2031-01-01"), "{told}");
    assert_eq!(filed(&s), [("oecd.dac2a".to_owned(), "2025-05-01".to_owned())]);
    let rows = s.rows("aid_flow");
    assert!(rows.len() == 5 && rows.iter().all(|r| r["vintage"] == "2025-05-01"), "{rows:?}");
    let held = s.manifest();
    assert!(held.files.iter().all(|f| f.vintage != day("2031-01-01")), "nothing is left of the wrong vintage");
    s.check_whole();
    let again = s.import_with(&[fixture(DAC2A)], &dated("2025-05-01")).unwrap();
    assert!(!again.changed && notes(&again).contains("oecd.dac2a, vintage 2025-05-01"), "{again:?}");
    assert!(!s.import(&[fixture(DAC2A)]).unwrap().changed, "without a vintage a known file is known");
}

#[test]
fn what_another_file_gave_too_stays() {
    let s = Scratch::new();
    // The same rows, as another file: both give the edition.
    let twin = s.put("twin.csv", fixture_text(WDI_REMITTANCES).replace("\r\n", "\n"));
    s.import(&[fixture(WDI_REMITTANCES), twin, fixture(WDI_ODA)]).unwrap();
    s.import_with(&[fixture(WDI_REMITTANCES)], &dated("2024-01-01")).unwrap();
    let held = s.manifest();
    let count = |vintage: &str, table: &str| {
        held.files.iter().filter(|f| f.vintage == day(vintage) && f.table == table && f.schema == "lake").count()
    };
    assert_eq!((count("2025-07-01", "observation"), count("2024-01-01", "observation")), (1, 1));
    let oda = s.rows("observation").iter().filter(|r| r["indicator"] == "DT.ODA.ALLD.CD").count();
    assert!(oda > 0, "the other indicator is not touched");
    s.import_with(&[s.inbox()], &dated("2024-01-01")).unwrap();
    let held = s.manifest();
    assert!(held.files.iter().all(|f| f.vintage != day("2025-07-01")), "now nobody gives it any more");
    assert_eq!(s.rows("observation").iter().filter(|r| r["indicator"] == "DT.ODA.ALLD.CD").count(), oda);
    s.check_whole();
}

#[test]
fn other_content_of_the_same_edition_is_said_to_replace() {
    let s = Scratch::new();
    s.import_bytes("first.csv", fixture_text(WDI_REMITTANCES)).unwrap();
    let first = s.manifest().sources.iter().find(|e| e.file == "first.csv").unwrap().clone();
    let second = fixture_text(WDI_REMITTANCES).replace("47500000", "47500001");
    let report = s.import_bytes("second.csv", second).unwrap();
    let told = notes(&report);
    let wanted =
        format!("replaces `first.csv`, vintage 2025-07-01, imported on {}, in `observation`", first.imported_at);
    assert!(told.contains(&wanted), "{told}");
    assert!(!told.contains("aggregate_observation"), "what is equal is not replaced: {told}");
    let held = s.manifest();
    let standing = |file: &str, as_of: Option<&str>| {
        let source = held.sources.iter().find(|e| e.file == file).unwrap();
        held.standing(source, as_of.map(day))
    };
    // Its aggregates are the same in both, so they are still of the first file too.
    assert_eq!((standing("first.csv", None), standing("second.csv", None)), (Standing::Current, Standing::Current));
    assert_eq!(standing("second.csv", Some("2020-01-01")), Standing::Later);
}

#[test]
fn how_editions_stand() {
    let s = Scratch::new();
    let table = |name: &str, text: &str| s.import_bytes(name, text).unwrap();
    s.import_with(&[s.put("a/people.csv", "name,age\nA,1\n")], &dated("2024-01-01")).unwrap();
    let report = s.import_with(&[s.put("b/people.csv", "name,age\nB,2\n")], &dated("2024-01-01")).unwrap();
    assert!(notes(&report).contains("replaces `people.csv`, vintage 2024-01-01"), "{report:?}");
    table("new.csv", &fixture_text(WDI_REMITTANCES));
    table("old.csv", &fixture_text(WDI_REMITTANCES).replace("2025-07-01", "2023-05-10"));
    let held = s.manifest();
    let all: Vec<(String, Standing)> = held
        .sources
        .iter()
        .filter(|e| e.source_id != "envoi.country")
        .map(|e| (e.file.clone(), held.standing(e, None)))
        .collect();
    let expected = [
        ("people.csv", Standing::Replaced),
        ("people.csv", Standing::Current),
        ("new.csv", Standing::Current),
        ("old.csv", Standing::Older),
    ];
    assert_eq!(all, expected.map(|(file, standing)| (file.to_owned(), standing)));
}
