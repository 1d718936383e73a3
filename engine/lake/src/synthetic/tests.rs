//! Folders of generated files: the same whatever the threads, marked, whole or not there.

use std::sync::atomic::{AtomicU64, Ordering};

use parquet::file::reader::{FileReader, SerializedFileReader};

use super::*;

fn plan(table: Table, rows: u64) -> Plan {
    Plan { table, rows, seed: 1, economies: None, strata: None, units: None }
}

/// Names and checksums of the files below a folder.
fn contents(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.push((name, checksum(&std::fs::read(&path).unwrap())));
            }
        }
    }
    found.sort();
    found
}

fn generated(plan: &Plan, threads: usize) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let report = write::all(plan, folder.path(), threads, 700, &|_| true).unwrap().unwrap();
    assert_eq!(report.rows, plan.rows);
    assert!(report.files.iter().all(|f| f.is_file()));
    contents(folder.path())
}

#[test]
fn a_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let several = Plan { economies: Some("PHL,NPL,SEN".parse().unwrap()), ..plan(Table::Household, 5_000) };
    for plan in [several, plan(Table::Transfer, 3_000)] {
        let once = generated(&plan, 1);
        assert!(once.len() > 5, "{once:?}");
        assert_eq!(generated(&plan, 2), once);
        assert_eq!(generated(&plan, 7), once);
        let other = generated(&Plan { seed: 2, ..plan.clone() }, 2);
        assert!(other.iter().zip(&once).all(|(a, b)| a.0 == b.0 && a.1 != b.1), "another seed, other files");
    }
}

#[test]
fn every_file_says_that_it_is_invented() {
    for (table, rows) in [(Table::Household, 3_000), (Table::Transfer, 1_500)] {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(table, rows);
        let report = write::all(&plan, folder.path(), 2, 1_000, &|_| true).unwrap().unwrap();
        for (number, path) in (1..).zip(&report.files) {
            assert!(path.display().to_string().ends_with(&format!("part-{number:05}-synthetic.parquet")));
            let file = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
            let metadata = file.metadata().file_metadata();
            let value = metadata.key_value_metadata().unwrap().iter().find(|kv| kv.key == MARK).unwrap();
            let mark: Mark = serde_json::from_str(value.value.as_deref().unwrap()).unwrap();
            assert!(mark.note.contains("not a survey") && mark.set.starts_with("synthetic_"), "{mark:?}");
            assert_eq!((mark.part, mark.parts), (number, report.files.len() as u64));
            for row in file.get_row_iter(None).unwrap() {
                let text = row.unwrap().to_string();
                assert!(text.contains("source_id: \"envoi.synthetic\"") && text.contains("\"synthetic_"), "{text}");
            }
        }
        let readme = std::fs::read_to_string(folder.path().join("README.md")).unwrap();
        assert!(readme.contains("not a survey") && readme.contains("CC0"), "{readme}");
        assert_eq!(contents(folder.path()).len(), report.files.len() + 1, "nothing else is there");
    }
}

#[test]
fn surveys_share_the_rows() {
    let plan = Plan { economies: Some(Economies::Largest(7)), ..plan(Table::Household, 100) };
    let sets = plan.sets().unwrap();
    let rows: Vec<u64> = sets.iter().map(Set::rows).collect();
    assert_eq!((rows.iter().sum::<u64>(), rows.len()), (100, 7));
    let mut names: Vec<String> = sets.iter().map(|s| s.name("")).collect();
    assert!(names.is_sorted());
    names.dedup();
    assert_eq!(names.len(), 7);
}

#[test]
fn stopped_it_leaves_the_folder_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    let there = root.path().join("there");
    std::fs::create_dir(&there).unwrap();
    for folder in [there.clone(), root.path().join("a/b/c")] {
        let seen = AtomicU64::new(0);
        let stop = |progress| match progress {
            Progress::Begin(rows) => rows == 50_000,
            Progress::Rows(rows) => seen.fetch_add(rows, Ordering::Relaxed) < 10_000,
        };
        let plan = plan(Table::Household, 50_000);
        assert_eq!(write::all(&plan, &folder, 2, 9_000, &stop).unwrap(), None);
        assert!(seen.into_inner() < 50_000);
    }
    let left: Vec<_> = std::fs::read_dir(root.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left, std::slice::from_ref(&there), "made folders are gone, the one that was there stays");
    assert_eq!(std::fs::read_dir(there).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let refused = |plan: &Plan, folder: &Path, words: &[&str]| {
        let error = generate(plan, folder, 1, &|_| true).unwrap_err();
        assert_eq!(error.class(), crate::Class::User, "{error}");
        for word in words {
            assert!(error.to_string().contains(word), "`{word}` is not in: {error}");
        }
    };
    let new = root.path().join("new");
    refused(&plan(Table::Household, 0), &new, &["0 rows", "1 to"]);
    refused(&plan(Table::Household, u64::MAX), &new, &["rows cannot be generated"]);
    let many = Plan { economies: Some(Economies::Largest(9)), ..plan(Table::Household, 8) };
    refused(&many, &new, &["9 economies have no household each among 8 rows"]);
    refused(&Plan { strata: Some(2), ..plan(Table::Transfer, 8) }, &new, &["strata and units are of surveys"]);
    refused(&Plan { units: Some(9), ..plan(Table::Household, 8) }, &new, &["1 to 4 work"]);
    assert!(!new.exists());
    std::fs::write(root.path().join("notes.txt"), "mine").unwrap();
    refused(&plan(Table::Household, 8), root.path(), &["is not empty", "`notes.txt`", "name a new one"]);
    refused(&plan(Table::Household, 8), &root.path().join("notes.txt"), &["is a file; name a folder"]);
    assert_eq!(contents(root.path()).len(), 1);
}

#[test]
fn a_single_row_is_enough() {
    for table in [Table::Household, Table::Transfer] {
        assert_eq!(generated(&plan(table, 1), 4).len(), 2);
    }
}
