//! What cannot be written is never taken for written.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileTypeExt;
use std::process::{Command, Stdio};

use crate::run::{command, envoi};

/// Commands that write on standard output, one of each kind.
const COMMANDS: &[&[&str]] = &[
    &["--help"],
    &["--version"],
    &["help", "sql"],
    &["brief"],
    &["brief", "--country", "MEX"],
    &["completions", "bash"],
    &["config"],
    &["functions"],
    &["functions", "remit_oda_ratio"],
    &["lake", "status"],
    &["lake", "tables"],
    &["lake", "history"],
    &["lake", "verify"],
    &["source", "list"],
    &["source", "show", "worldbank.wdi"],
    &["source", "status"],
    &["sql", "-c", "select 1 as a"],
    &["sql", "--format", "csv", "-c", "select 1 as a"],
    &["sql", "--format", "tsv", "-c", "select 1 as a"],
    &["sql", "--format", "json", "-c", "select 1 as a"],
    &["sql", "--format", "ndjson", "-c", "select 1 as a"],
    &["sql", "--format", "markdown", "-c", "select 1 as a"],
    &["sql", "--format", "parquet", "-c", "select 1 as a"],
    &["sql", "--format", "arrow", "-c", "select 1 as a"],
    &["sql", "--format", "xlsx", "-c", "select 1 as a"],
    &["sql", "-c", "\\x\nselect 1 as a"],
    &["sql", "-c", "\\d"],
    &["sql", "-c", "\\d country"],
    &["sql", "-c", "\\df"],
    &["sql", "-c", "\\echo x"],
    &["sql", "-c", "\\?"],
];

#[test]
fn a_full_disk_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert!(full.metadata().unwrap().file_type().is_char_device(), "/dev/full is no device any more");
    for arguments in COMMANDS {
        let mut command = command(folder.path(), arguments);
        command.stdin(Stdio::null()).stdout(full.try_clone().unwrap()).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains("cannot write") && stderr.contains("No space left"), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_reader_who_leaves_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let many: &[&str] = &["sql", "--format", "csv", "-c", "select * from generate_series(1, 3000000) as t(v)"];
    for arguments in COMMANDS.iter().chain([&many]) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = command(folder.path(), arguments);
        command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

/// Renaming a page over a device would take the device from everybody.
#[test]
fn pages_go_into_pipes_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.html");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    let (code, out, err) = envoi(folder.path(), &["brief", "--html", "pipe.html"], "");
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo(), "the pipe was replaced");
    assert!(reader.join().unwrap().ends_with("</html>\n"));

    fs::write(folder.path().join("page.html"), "old").unwrap();
    assert_eq!(envoi(folder.path(), &["brief", "--html", "page.html"], "").0, 0);
    assert!(fs::read_to_string(folder.path().join("page.html")).unwrap().ends_with("</html>\n"));
    let (code, _, err) = envoi(folder.path(), &["brief", "--html", "none/page.html"], "");
    assert!(code == 1 && err.contains("cannot write `none/page.html`: "), "{err}");
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["home", "page.html", "pipe.html"], "nothing is left beside the page");
}
