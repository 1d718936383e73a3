//! README.md: its commands run, and what it shows is what they say.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::run::{command, envoi};

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap()
}

/// The blocks of code, without their fences.
fn blocks(text: &str) -> Vec<&str> {
    text.split("\n```").skip(1).step_by(2).map(|block| block.trim_start_matches('\n')).collect()
}

/// Runs a line as a shell does, `envoi` being this program.
fn shell(folder: &Path, line: &str) -> (i32, String, String) {
    let program = command(folder, &[]);
    let mut sh = std::process::Command::new("sh");
    sh.args(["-c", &format!("envoi() {{ \"$PROGRAM\" \"$@\"; }}\n{line}")]).current_dir(folder);
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => sh.env(name, value),
            None => sh.env_remove(name),
        };
    }
    let output = sh.env("PROGRAM", program.get_program()).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_brief_is_the_one_shown() {
    let text = readme();
    let shown = blocks(&text).into_iter().find(|block| block.starts_with("Remittances against aid")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = envoi(folder.path(), &[], "");
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out.trim_end(), shown.trim_end());
}

#[test]
fn examples_answer_as_shown() {
    let text = readme();
    let folder = tempfile::tempdir().unwrap();
    let examples: Vec<_> = blocks(&text).into_iter().filter_map(|block| block.strip_prefix("$ ")).collect();
    assert!(examples.len() >= 2, "{examples:?}");
    for example in examples {
        let (line, expected) = example.split_once('\n').unwrap();
        let (code, out, err) = shell(folder.path(), line);
        assert_eq!((code, out.trim_end()), (0, expected.trim_end()), "{line}: {err}");
    }
}

#[test]
fn commands_work_one_after_the_other() {
    let text = readme();
    let folder = tempfile::tempdir().unwrap();
    let lines = blocks(&text).into_iter().flat_map(str::lines).filter(|line| line.starts_with("envoi "));
    // A file in somebody's downloads is not here.
    let lines: Vec<_> = lines.filter(|line| !line.contains("~/")).collect();
    assert!(lines.len() >= 10, "{lines:?}");
    for line in lines {
        // No test leaves the machine.
        let dry = if line.contains("source fetch") { " --dry-run" } else { "" };
        let (code, _, err) = shell(folder.path(), &format!("{line}{dry}"));
        assert_eq!(code, 0, "{line}: {err}");
    }
}

#[test]
fn examples_of_fetching_plan() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/fetch.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("envoi source fetch ")).collect();
    assert!(lines.len() >= 6, "{lines:?}");
    for line in lines {
        let command = line.split('#').next().unwrap();
        let (code, out, err) = shell(folder.path(), &format!("{command} --dry-run"));
        assert!(
            code == 0 && out.contains("https://") && !out.replace("{newest}", "").contains('{'),
            "{line}: {out}{err}"
        );
    }
}

#[test]
fn questions_have_answers() {
    let text = readme();
    let folder = tempfile::tempdir().unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains("`select "));
    let mut asked = 0;
    for row in rows {
        let sql = row.split('`').find(|part| part.starts_with("select ")).unwrap();
        let (code, out, err) = envoi(folder.path(), &["sql", "-c", sql], "");
        assert_eq!(code, 0, "{sql}: {err}");
        assert!(row.contains("(needs ") || !out.ends_with("(0 rows)\n"), "{sql} has no answer");
        asked += 1;
    }
    assert!(asked >= 9, "{asked}");
}
