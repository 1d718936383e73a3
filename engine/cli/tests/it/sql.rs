//! `envoi sql`: what it prints, where, and how it exits.

use std::fs;
use std::path::Path;

use crate::run;

/// Exit code, stdout and stderr of `envoi sql` with these arguments.
fn envoi(folder: &Path, arguments: &[&str], stdin: &str) -> (i32, String, String) {
    run::envoi(folder, &[&["sql"], arguments].concat(), stdin)
}

fn check(arguments: &[&str], stdin: &str, code: i32, out: &str, err: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (found, stdout, stderr) = envoi(folder.path(), arguments, stdin);
    assert_eq!((found, stdout.as_str()), (code, out), "{arguments:?}: {stderr}");
    assert!(stderr.starts_with(err), "{arguments:?}: {stderr}");
    assert!(!err.is_empty() || stderr.is_empty(), "{arguments:?}: {stderr}");
}

#[test]
fn commands_files_and_standard_input() {
    check(&["-c", "select 1 as a, 'x' as b"], "", 0, " a | b\n---+---\n 1 | x\n(1 row)\n", "");
    check(&["--format", "csv"], "select 1 as a;\n-- done\n", 0, "a\n1\n", "");
    check(&["--format", "csv", "-f", "-", "-c", "select 2 as b"], "select 1 as a", 0, "a\n1\nb\n2\n", "");
    check(&["--format", "csv", "-c", "select 2 as b", "-f", "-"], "select 1 as a", 0, "b\n2\na\n1\n", "");
}

#[test]
fn json_is_one_array() {
    check(
        &["--format", "json", "-c", "select 9007199254740993 as n, 'a\"b' as s, cast(null as int) as z"],
        "",
        0,
        "[\n{\"n\":9007199254740993,\"s\":\"a\\\"b\",\"z\":null}\n]\n",
        "",
    );
}

#[test]
fn what_holds_one_result_set_is_never_given_two() {
    let refused = "-c:1:16: error: an output in json holds one result set, and this is the second; `--format ndjson` ";
    check(&["--format", "json", "-c", "select 1 as a; select 2 as b"], "", 2, "", refused);
    for format in ["parquet", "arrow", "xlsx"] {
        check(&["--format", format, "-c", "select 1", "-c", "select 2"], "", 2, "", "-c:1:1: error: an output in ");
    }
    check(&["--format", "json"], "set envoi.as_of = '2025-12-01'; select 1 as a", 0, "[\n{\"a\":1}\n]\n", "");
    check(&["--format", "ndjson", "-c", "select 1 as a; select 2 as b"], "", 0, "{\"a\":1}\n{\"b\":2}\n", "");
    let folder = tempfile::tempdir().unwrap();
    let each = "\\o a.json\nselect 1 as a;\n\\o b.json\nselect 2 as b;\n";
    assert_eq!(envoi(folder.path(), &["--format", "json"], each).0, 0);
    assert_eq!(fs::read_to_string(folder.path().join("b.json")).unwrap(), "[\n{\"b\":2}\n]\n");
    // What could not be foreseen is refused when it comes; what is out already is whole.
    fs::write(folder.path().join("in.sql"), "select 3 as c").unwrap();
    let (code, out, err) = envoi(folder.path(), &["--format", "json"], "\\i in.sql\n\\i in.sql\n");
    assert_eq!((code, out.as_str()), (1, "[\n{\"c\":3}\n]\n"), "{err}");
    assert!(err.starts_with("in.sql:1:1: error: cannot write the result: an output in json holds one"), "{err}");
}

#[test]
fn the_first_failure_ends_a_script() {
    let script = "select 1 as a;\n\n  select * frm t;\nselect 2 as b;\n";
    check(&["--format", "csv"], script, 1, "a\n1\n", "<stdin>:3:12: error: ");
    check(&["--format", "csv", "--keep-going"], script, 1, "a\n1\nb\n2\n", "<stdin>:3:12: error: ");
    check(&["-c", "select 1 frm t"], "", 1, "", "-c:1:14: error: ");
    check(&["-f", "missing.sql"], "", 1, "", "error: cannot read `missing.sql`: ");
}

#[test]
fn the_place_of_a_failure_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (_, _, stderr) = envoi(folder.path(), &[], "select 'é',\n  nosuch from (select 1 as x)");
    assert!(stderr.contains("\n  2 |   nosuch from (select 1 as x)\n    |   ^^^^^^\n"), "{stderr}");
}

#[test]
fn variables() {
    let sql = "select :n + 1 as n, :'who' as who, ':n' as t";
    check(&["--format", "csv", "-v", "n=41", "-v", "who=O'Neil", "-c", sql], "", 0, "n,who,t\n42,O'Neil,:n\n", "");
    check(&["-c", "select 1 + :n"], "", 1, "", "-c:1:12: error: variable `n` is not set\n");
}

#[test]
fn usage_errors_exit_with_two() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--format", "nope"][..], &["-v", "novalue"], &["--nope"]] {
        assert_eq!(envoi(folder.path(), arguments, "").0, 2, "{arguments:?}");
    }
}

#[test]
fn output_files_are_whole_or_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    let run = |arguments: &[&str]| envoi(folder.path(), arguments, "").0;
    fs::write(&path, "old").unwrap();
    assert_eq!(run(&["-o", "x.csv", "-c", "select 1 as a; select nosuch"]), 1);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(run(&["-o", "x.csv", "--keep-going", "-c", "select 1 as a; select nosuch; select 2 as b"]), 1);
    assert_eq!(fs::read_to_string(&path).unwrap(), "a\n1\nb\n2\n");
    assert_eq!(run(&["-o", "x.parquet", "-c", "select 1 as a; select 2 as b"]), 2, "room for one");
    assert!(!folder.path().join("x.parquet").exists());
    assert_eq!(run(&["-o", "x.parquet", "-c", "select 1 as a"]), 0);
    assert!(fs::read(folder.path().join("x.parquet")).unwrap().ends_with(b"PAR1"));
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_csv_file_has_its_units_and_sources_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| envoi(folder.path(), arguments, "").0;
    let beside = folder.path().join("x.csv-metadata.json");
    assert_eq!(run(&["-o", "x.csv", "-c", "select 1 as a"]), 0);
    assert!(!beside.exists(), "nothing to say");
    let query = "select iso3, remittance_usd, remittance_usd > 0 as any from remittance_vs_oda limit 3";
    assert_eq!(run(&["-o", "x.csv", "-c", &format!("{query}; select nosuch")]), 1);
    assert!(!beside.exists(), "the result is not there either");
    assert_eq!(run(&["-o", "x.csv", "-c", query]), 0);
    let told: serde_json::Value = serde_json::from_slice(&fs::read(&beside).unwrap()).unwrap();
    assert_eq!((told["@context"].as_str(), told["url"].as_str()), (Some("http://www.w3.org/ns/csvw"), Some("x.csv")));
    let column = |i: usize, key: &str| told["tableSchema"]["columns"][i][key].as_str().unwrap_or_default().to_owned();
    assert_eq!([column(0, "titles"), column(1, "titles"), column(2, "titles")], ["iso3", "remittance_usd", "any"]);
    assert_eq!([column(0, "datatype"), column(1, "datatype"), column(2, "datatype")], ["string", "double", "boolean"]);
    assert_eq!(column(1, "schema:unitText"), "current US dollars");
    assert_eq!(column(1, "dc:license"), "CC BY 4.0");
    assert!(
        column(1, "dc:source").contains("worldbank.wdi") && column(1, "rdfs:comment").contains("revised"),
        "{told}"
    );
    // What describes the file before does not stay beside another.
    assert_eq!(run(&["-o", "x.csv", "-c", "select 1 as a"]), 0);
    let told: serde_json::Value = serde_json::from_slice(&fs::read(&beside).unwrap()).unwrap();
    assert_eq!(told["tableSchema"]["columns"].as_array().unwrap().len(), 1);
    assert_eq!(run(&["-o", "two.csv", "-c", &format!("{query}; {query}")]), 0);
    assert!(!folder.path().join("two.csv-metadata.json").exists(), "two tables have no one description");
}

#[test]
fn meta_commands_work_in_scripts() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.sql"), "select 3 as c;\n\\q\nselect 4;\n").unwrap();
    let script =
        "\\format csv\n\\set n 2\nselect :n as a;\n\\i in.sql\n\\o out.json\nselect 5 as d;\n\\o\n\\echo done\n";
    let (code, out, err) = envoi(folder.path(), &[], script);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "a\n2\nc\n3\ndone\n", ""));
    assert_eq!(fs::read_to_string(folder.path().join("out.json")).unwrap(), "[\n{\"d\":5}\n]\n");
    fs::write(folder.path().join("self.sql"), "\\i self.sql\n").unwrap();
    let (code, _, err) = envoi(folder.path(), &["-f", "self.sql"], "");
    assert!(code == 1 && err.contains("does it include itself?"), "{err}");
    let (code, _, err) = envoi(folder.path(), &["-c", "\\fromat"], "");
    assert_eq!((code, err.as_str()), (1, "-c:1:1: error: unknown command `\\fromat`; did you mean `\\format`?\n"));
}

#[test]
fn a_panic_over_a_damaged_file_is_an_error_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let copy = "copy (select arrow_cast(1, 'Duration(Nanosecond)') as d) to 'whole.arrow'";
    assert_eq!(envoi(folder.path(), &["-c", copy], "").0, 0);
    let whole = std::fs::read(folder.path().join("whole.arrow")).unwrap();
    // The unit of the column is among these bytes, and the reader of schemas panics over an unknown one.
    let mut script = String::new();
    for at in whole.len().saturating_sub(400)..whole.len() {
        let mut changed = whole.clone();
        changed[at] = 9;
        std::fs::write(folder.path().join(format!("x{at}.arrow")), changed).unwrap();
        script += &format!("select * from 'x{at}.arrow';\n");
    }
    let (code, _, err) = envoi(folder.path(), &["--keep-going", "-f", "-"], &script);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("its metadata makes no sense"), "no panic was met: {err}");
    assert!(!err.contains("panicked") && !err.contains("internal error"), "{err}");
}
