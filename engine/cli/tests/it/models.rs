//! `envoi run`: the shipped models over the sample lake, and a user's own folder.

use std::path::Path;

use crate::run::{command, envoi};

fn project(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join("models").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    envoi(folder, &[&["run", "--dir", "models"], arguments].concat(), "")
}

#[test]
fn the_shipped_models_run_over_the_sample_lake() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = envoi(folder.path(), &["run"], "");
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(err.contains("remittances_and_aid published (new), "), "{err}");
    assert!(err.contains(" published, lake version 2, "), "{err}");
    let (code, out, err) = envoi(folder.path(), &["run", "--json"], "");
    assert_eq!(code, 0, "{err}");
    let record: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(record["status"], "success");
    assert!(record["models"].as_array().unwrap().iter().all(|m| m["status"] == "unchanged"), "{out}");
    let (code, out, err) = envoi(folder.path(), &["lake", "history"], "");
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("corridors_of_receivers, "), "{out}");
    let sql = "select count(*) > 0 as any from remittances_and_aid";
    let (code, out, err) = envoi(folder.path(), &["sql", "--format", "csv", "-c", sql, "-c", "\\dt"], "");
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("any\ntrue\n"), "{out}");
    assert!(out.contains("transfers_by_month"), "{out}");
    let (code, out, err) = envoi(folder.path(), &["lake", "verify"], "");
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn a_dry_run_shows_why_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), &[("a.sql", "select iso3 from lake.country"), ("b.sql", "select count(*) as n from a")]);
    let (code, out, err) = run(folder.path(), &["--dry-run"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("build  a") && out.contains("-- b\nselect count(*) as n from a\n"), "{out}");
    let (_, out, _) = run(folder.path(), &["--dry-run", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((plan[0]["name"].as_str(), plan[0]["reason"].as_str()), (Some("a"), Some("new")));
    assert!(plan[0]["rows_estimated"].as_u64().is_some(), "{out}");
    let (_, out, _) = envoi(folder.path(), &["lake", "history"], "");
    assert!(!out.contains("run "), "{out}");
}

#[test]
fn failures_name_the_model_and_what_it_blocked() {
    let folder = tempfile::tempdir().unwrap();
    project(
        folder.path(),
        &[
            ("a.sql", "select iso3 from lake.country"),
            ("a.toml", "[[test]]\nexpression = \"iso3 < 'C'\"\n"),
            ("b.sql", "select count(*) as n from a"),
            ("c.sql", "select 1 as x"),
        ],
    );
    let (code, out, err) = run(folder.path(), &[]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("error: model `a`, test: test `expression (iso3 < 'C')` failed: "), "{err}");
    assert!(err.contains("\nblocked: b"), "{err}");
    assert!(err.contains("c published (new)"), "{err}");
    let (code, out, _) = run(folder.path(), &["--json"]);
    let record: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, record["failure"]["model"].as_str()), (1, Some("a")));
    assert_eq!(record["failure"]["blocked"][0], "b");
}

#[test]
fn problems_are_told_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), &[("a.sql", "select * from b"), ("b.sql", "select * from a"), ("c.sql", "select 1 fro x")]);
    let (code, _, err) = run(folder.path(), &[]);
    assert_eq!(code, 1);
    assert!(err.starts_with("error: 2 problems, nothing was run\n"), "{err}");
    assert!(err.contains("a -> b -> a") && err.contains("c.sql:1:"), "{err}");
}

#[test]
fn wrong_command_lines_are_usage_errors() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), &[("corridors.sql", "select 1 as x")]);
    let check = |arguments: &[&str], part: &str| {
        let (code, _, err) = run(folder.path(), arguments);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains(part), "{err}");
    };
    check(&["coridors"], "did you mean `corridors`?");
    check(&["--from", "2024-02-01", "--to", "2024-01-01"], "is not before");
    check(&["--as-of", "2024-01-01"], "leave --as-of");
    check(&["--var", "year"], "NAME=VALUE");
    let (code, _, err) = envoi(folder.path(), &["run", "--dir", "nowhere"], "");
    assert!(code == 2 && err.contains("`nowhere` is not a folder"), "{err}");
}

#[test]
fn exports_are_in_the_formats_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    std::fs::create_dir(&target).unwrap();
    let toml: String = ["csv", "json", "xlsx", "parquet"]
        .iter()
        .map(|format| format!("[[export]]\ntarget = '{}'\nformat = \"{format}\"\n", target.display()))
        .collect();
    project(folder.path(), &[("a.sql", "select 1 as x, 'b' as y"), ("a.toml", &toml)]);
    let (code, _, err) = run(folder.path(), &[]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(std::fs::read_to_string(target.join("a.csv")).unwrap(), "x,y\n1,b\n");
    assert!(target.join("a.xlsx").is_file() && target.join("a.parquet").is_file());
    assert!(target.join("a.json.envoi.json").is_file());
}

#[test]
fn a_run_that_is_killed_at_any_step_leaves_the_old_version_or_the_new_one() {
    for step in ["staged", "tested", "published", "exported", "recorded"] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().display().to_string();
        project(
            folder.path(),
            &[
                ("a.sql", "select 1 as x"),
                ("a.toml", &format!("target = '{out}'\nformat = \"csv\"\n")),
                ("b.sql", "select x from a"),
            ],
        );
        let mut killed = command(folder.path(), &["run", "--dir", "models"]);
        let output = killed.env("STOP_ENVOI_AT", step).output().unwrap();
        assert!(output.status.code().is_none(), "{step}: it ran to its end");
        let (_, json, _) = envoi(folder.path(), &["history", "--json"], "");
        let runs: serde_json::Value = serde_json::from_str(&json).unwrap();
        // Where a process cannot be seen to be gone, it counts as running for some minutes.
        let ends = if cfg!(target_os = "linux") { "interrupted" } else { "running" };
        let published = ["published", "exported"].contains(&step).then_some(2);
        if step == "recorded" {
            assert_eq!(runs[0]["status"], "success", "{step}: {json}");
        } else {
            assert_eq!(
                (&runs[0]["status"], &runs[0]["published_version"]),
                (&ends.into(), &published.into()),
                "{step}"
            );
        }
        let (code, out, err) = envoi(folder.path(), &["lake", "verify"], "");
        assert_eq!(code, 0, "{step}: {out}{err}");
        let (code, _, err) = run(folder.path(), &[]);
        assert_eq!(code, 0, "{step}: {err}");
        envoi(folder.path(), &["lake", "gc", "--now", "--keep", "1"], "");
        let (_, out, _) = envoi(folder.path(), &["sql", "--format", "csv", "-c", "select x from b"], "");
        assert_eq!(out, "x\n1\n", "{step}");
        assert_eq!(std::fs::read_to_string(folder.path().join("a.csv")).unwrap(), "x\n1\n", "{step}");
    }
}

#[test]
fn models_that_the_folder_no_longer_has() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), &[("a.sql", "select 1 as x"), ("old.sql", "select 1 as x")]);
    assert_eq!(run(folder.path(), &[]).0, 0);
    std::fs::remove_file(folder.path().join("models/old.sql")).unwrap();
    let (code, _, err) = run(folder.path(), &[]);
    assert!(
        code == 0 && err.contains("no longer in the project, still in the lake: old; `--prune` takes it out"),
        "{err}"
    );
    let (_, out, _) = run(folder.path(), &["--dry-run", "--prune"]);
    assert!(out.contains("gone  old"), "{out}");
    // The same folder by another name is the same project.
    let (code, _, err) = envoi(folder.path(), &["run", "--dir", "models/../models", "--prune"], "");
    assert!(code == 0 && err.contains("1 unchanged, 1 taken out, lake version "), "{err}");
    let (code, _, err) = envoi(folder.path(), &["sql", "-c", "select * from model.old"], "");
    assert!(code == 1 && err.contains("old"), "{err}");
    let (_, out, _) = envoi(folder.path(), &["history"], "");
    assert_eq!(out.lines().count(), 4, "{out}");
    // A selector beside it is none of its names.
    let (code, _, err) = run(folder.path(), &["--prune", "a"]);
    assert!(code == 2 && err.contains("beside selectors it names the models"), "{err}");
}

#[test]
fn exports_are_written_as_they_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let toml: String = ["parquet", "csv"]
        .map(|f| format!("[[export]]\ntarget = '{}'\nformat = \"{f}\"\npartitioned = true\n", target.display()))
        .concat();
    let toml = format!("partition_by = [\"k\"]\n{toml}");
    project(folder.path(), &[("a.sql", "select 'x y' as k, 1 as n union all select 'b/c', 2"), ("a.toml", &toml)]);
    let (code, _, err) = run(folder.path(), &[]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(std::fs::read_to_string(target.join("a/k=b%2Fc/a.csv")).unwrap(), "k,n\nb/c,2\n");
    let query = format!("select k, n from '{}'", target.join("a/k=x%20y/a.parquet").display());
    let (_, out, err) = envoi(folder.path(), &["sql", "--format", "csv", "-c", &query], "");
    assert_eq!(out, "k,n\nx y,1\n", "{err}");
    let left = std::fs::read_dir(target.join("a/k=b%2Fc")).unwrap().count();
    assert_eq!(left, 2, "no file is left over");
}
