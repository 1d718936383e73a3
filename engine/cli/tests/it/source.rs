//! `envoi source`: what it says of editions, and the limits that settings raise.

use std::path::Path;
use std::process::Command;

/// Exit code, stdout and stderr of `envoi source` on a lake in the folder.
fn source(folder: &Path, arguments: &[&str], limit: Option<(&str, &str)>) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_envoi"));
    command.arg("source").args(arguments).current_dir(folder);
    for (name, below) in [("HOME", "home"), ("XDG_DATA_HOME", "home/data"), ("XDG_CONFIG_HOME", "home/config")] {
        command.env(name, folder.join(below));
    }
    command.env("ENVOI_LAKE", folder.join("lake")).envs(limit);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn status_says_which_editions_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    for (name, row) in [("a", "Kenya,1"), ("b", "Kenya,2")] {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("t.csv"), format!("country,v\n{row}\n")).unwrap();
        let path = format!("{name}/t.csv");
        let (code, out, err) = source(folder.path(), &["import", "--vintage", "2024-01-01", &path], None);
        assert_eq!(code, 0, "{err}");
        assert_eq!(out.contains("replaces `t.csv`, vintage 2024-01-01, imported on"), name == "b", "{out}");
    }
    let (code, out, err) = source(folder.path(), &["status"], None);
    assert_eq!(code, 0, "{err}");
    let states: Vec<&str> = out.lines().filter(|l| l.starts_with("local.table")).collect();
    assert!(states.len() == 2 && states[0].contains(" replaced ") && states[1].contains(" current "), "{out}");
}

#[test]
fn a_limit_names_the_setting_that_raises_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), "country,v\nKenya,1\nMali,2\n").unwrap();
    let (code, _, err) = source(folder.path(), &["import", "t.csv"], Some(("ENVOI__IMPORT__ROWS", "2")));
    assert!(code == 1 && err.contains("raise the setting `import.rows`"), "{code}: {err}");
    let (code, _, err) = source(folder.path(), &["import", "t.csv"], Some(("ENVOI__IMPORT__ROWS", "3")));
    assert_eq!(code, 0, "{err}");
}

#[test]
fn the_report_of_an_import_is_for_programs_too() {
    let folder = tempfile::tempdir().unwrap();
    let text = "DONOR,RECIPIENT,MEASURE,FLOW_TYPE,PRICE_BASE,TIME_PERIOD,OBS_VALUE,UNIT_MEASURE,UNIT_MULT\n\
        ALLD,KEN,206,D,V,2005,760,USD,6\n";
    std::fs::write(folder.path().join("aid.csv"), text).unwrap();
    let (code, out, err) = source(folder.path(), &["import", "--json", "--vintage", "2024-01-31", "aid.csv"], None);
    assert_eq!(code, 0, "{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["version"], &report["changed"]), (&1.into(), &true.into()));
    let file = &report["files"][0];
    assert_eq!(
        (&file["file"], &file["source_id"], &file["rows"]),
        (&"aid.csv".into(), &"oecd.dac2a".into(), &1.into())
    );
    let notes = file["notes"].as_array().unwrap();
    assert!(notes.iter().any(|n| n == "values are in US dollars (from 10^6)"), "{notes:?}");
}
