//! `envoi generate`: into a folder, into a lake, and not at all.

use std::path::Path;
use std::process::Stdio;

use crate::run::{command, envoi};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn ask(folder: &Path, sql: &str) -> String {
    let (code, out, err) = envoi(folder, &["sql", "--format", "csv", "-c", sql], "");
    assert_eq!(code, 0, "{sql}: {err}");
    out.lines().skip(1).collect::<Vec<_>>().join(" ")
}

#[test]
fn households_as_files_and_in_the_lake() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["generate", "household", "--rows", "1_200", "--countries", "PHL,NPL", "--strata", "5", "-o", "new/hh"];
    let (code, out, err) = envoi(folder.path(), &arguments, "");
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("1200 rows in 2 files") && out.contains("invented, no survey"), "{out}");
    assert_eq!(names(&folder.path().join("new/hh")), ["README.md", "household"]);
    let answer = ask(
        folder.path(),
        "select count(*), count(distinct stratum), round(sum(weight) / 1e6) from 'new/hh/household/*.parquet' where iso3 = 'PHL'",
    );
    assert_eq!(answer, "600,5,27");
    // Another thread more or less changes nothing.
    let again = [&["--threads", "1"], &arguments[..9], &["again"]].concat();
    assert_eq!(envoi(folder.path(), &again, "").0, 0);
    let part = "household/part-00002-synthetic.parquet";
    let read = |name: &str| std::fs::read(folder.path().join(name).join(part)).unwrap();
    assert!(read("new/hh") == read("again"));

    let (code, out, err) = envoi(folder.path(), &["source", "import", "again"], "");
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("envoi.synthetic, synthetic_npl_2019_") && out.contains("600 invented rows"), "{out}");
    assert_eq!(ask(folder.path(), "select count(*), min(survey_id) like 'synthetic%' from household"), "1200,true");
    let caveats = "select count(*) from source where source_id = 'envoi.synthetic' and caveats like '%not a survey%'";
    assert_eq!(ask(folder.path(), caveats), "2");
}

#[test]
fn transfers_have_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = envoi(folder.path(), &["generate", "transfer", "--rows", "2k", "--output", "t"], "");
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(envoi(folder.path(), &["source", "import", "t"], "").0, 0);
    let sql = "select count(*), count(distinct transfer_id), min(extract(year from sent_at)) = 2021 from transfer";
    assert_eq!(ask(folder.path(), sql), "2000,2000,true");
}

#[test]
fn wrong_wishes_are_usage() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("full")).unwrap();
    std::fs::write(folder.path().join("full/mine.txt"), "mine").unwrap();
    for (arguments, words) in [
        (&["household", "-o", "full"][..], "folder `full` is not empty: `mine.txt` is in it; name a new one"),
        (&["household", "--rows", "0", "-o", "x"], "0 rows cannot be generated"),
        (&["household", "--rows", "many", "-o", "x"], "`many` is no number of rows"),
        (&["household", "--countries", "QQQ", "-o", "x"], "no population, GDP and remittances of `QQQ`"),
        (&["household", "--countries", "Nepal", "-o", "x"], "`Nepal` is neither a number nor"),
        (&["household", "--rows", "100", "--psus", "60", "-o", "x"], "1 to 50 work"),
        (&["transfer", "--strata", "6", "-o", "x"], "strata and units are of surveys"),
        (&["remittances", "-o", "x"], "[possible values: household, transfer]"),
        (&["household"], "--output <DIR>"),
    ] {
        let (code, out, err) = envoi(folder.path(), &[&["generate"], arguments].concat(), "");
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
    assert_eq!(names(folder.path()), ["full"]);
    assert_eq!(names(&folder.path().join("full")), ["mine.txt"]);
}

/// A limit on the size of files stands for a full disk: writing fails in the middle.
#[test]
fn what_does_not_fit_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let program = command(folder.path(), &[]);
    let mut sh = std::process::Command::new("sh");
    let line = "trap '' XFSZ; ulimit -f 8; exec \"$PROGRAM\" generate household --rows 60000 -o a/b";
    sh.args(["-c", line]).current_dir(folder.path()).env("PROGRAM", program.get_program()).env_remove("ENVOI_UPDATE");
    let output = sh.stdin(Stdio::null()).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.starts_with("error: cannot write `") && err.contains("part-00001-synthetic.parquet`: "), "{err}");
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn ctrl_c_cleans_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path(), &["generate", "household", "--rows", "300M", "-o", "big"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = || {
        let inner = std::fs::read_dir(folder.path().join("big")).into_iter().flatten().flatten().next();
        inner.is_some_and(|e| e.path().join("household/part-00001-synthetic.parquet").exists())
    };
    while !begun() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it began");
        std::thread::yield_now();
    }
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), err.as_str()), (Some(1), "error: cancelled; nothing was written\n"));
    assert_eq!(names(folder.path()), Vec::<String>::new());
}
