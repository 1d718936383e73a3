//! Rules about the tree itself, checked by reading it.

use std::fs;
use std::path::{Path, PathBuf};

/// Files longer than this want a seam.
const LONGEST: usize = 600;

/// A file below the root, by its path from there with `/`.
struct File {
    path: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files below `folder` whose names end so; what is not text is left out.
fn files(folder: &str, ending: &str) -> Vec<File> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", ".git", "__pycache__", "node_modules"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if name.ends_with(ending)
                && let Ok(text) = fs::read_to_string(&path)
            {
                let path = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push(File { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Fails with every complaint at once.
fn check(rule: &str, complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{rule}:\n  {}", complaints.join("\n  "));
}

/// Rust files that ship: no tests of their own, none in `tests/`.
fn sources() -> Vec<File> {
    let mut all = files("engine", ".rs");
    // A fixture for tests is named by its parent in a `#[cfg(test)]`; it is test code as a whole.
    let test_only: Vec<String> = all.iter().flat_map(test_modules).collect();
    all.retain(|f| !f.path.contains("/tests/") && !test_only.contains(&f.path));
    all
}

/// Paths of the modules a file declares under `#[cfg(test)]`, as `mod x;` with or without `#[path = "…"]`.
fn test_modules(file: &File) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let stem = file.path.rsplit('/').next().unwrap().trim_end_matches(".rs");
    let inner = if ["mod", "lib", "main"].contains(&stem) { folder.to_owned() } else { format!("{folder}/{stem}") };
    let mut found = Vec::new();
    let (mut test, mut path) = (false, None);
    for line in file.text.lines().map(str::trim) {
        if line == "#[cfg(test)]" {
            test = true;
        } else if let Some(named) = line.strip_prefix("#[path = \"").and_then(|l| l.strip_suffix("\"]")) {
            path = Some(format!("{folder}/{named}"));
        } else if !line.starts_with("#[") {
            let name = line.trim_start_matches("pub(crate) ").strip_prefix("mod ").and_then(|l| l.strip_suffix(';'));
            if let (true, Some(name)) = (test, name) {
                found.push(path.take().unwrap_or_else(|| format!("{inner}/{name}.rs")));
            }
            (test, path) = (false, None);
        }
    }
    found
}

/// Lines of code with their numbers: no comments, nothing from `#[cfg(test)]` on, no text in quotes.
fn code(file: &File) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let all: Vec<&str> = file.text.lines().collect();
    for (at, line) in all.iter().enumerate() {
        let below = all.get(at + 1..).unwrap_or_default().iter().find(|l| !l.starts_with("#["));
        let opens = |l: &&str| l.trim_start_matches("pub(crate) ").starts_with("mod ") && l.ends_with('{');
        if *line == "#[cfg(test)]" && below.is_some_and(opens) {
            break;
        }
        let mut kept = String::new();
        let mut quoted = false;
        let mut before = ' ';
        for c in line.chars() {
            if c == '"' && before != '\\' && before != '\'' {
                quoted = !quoted;
            } else if c == '/' && before == '/' && !quoted {
                kept.pop();
                break;
            } else if !quoted {
                kept.push(c);
            }
            before = if before == '\\' && c == '\\' { ' ' } else { c };
        }
        lines.push((at + 1, kept));
    }
    lines
}

/// Lines of the files that contain one of the words.
fn mentions(files: &[File], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in code(file) {
            for word in words.iter().filter(|w| contains_word(&line, w)) {
                found.push(format!("{}:{number}: `{word}`", file.path));
            }
        }
    }
    found
}

/// `print!(` is not in `eprint!(`.
fn contains_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        !word.starts_with(is_name) || !before.is_some_and(is_name)
    })
}

/// What a crate's manifest names under `[dependencies]`.
fn dependencies(package: &str) -> Vec<String> {
    let path = root().join("engine").join(package).join("Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
    manifest.get("dependencies").and_then(|d| d.as_table()).unwrap().keys().cloned().collect()
}

#[test]
fn leaves_do_not_know_the_engine() {
    let has = |package: &str, wanted: &dyn Fn(&str) -> bool| {
        dependencies(package).into_iter().filter(|d| wanted(d)).map(|d| format!("{package} depends on {d}")).collect()
    };
    check("functions stand alone", has("functions", &|d| d.starts_with("envoi") || d == "datafusion"));
    check("the lake needs no engine", has("lake", &|d| d.starts_with("envoi") || d.starts_with("datafusion")));
    check("the library does not know its callers", has("envoi", &|d| d == "envoi-cli" || d == "clap"));
    check(
        "the CLI reaches the rest through envoi",
        has("cli", &|d| d.starts_with("datafusion") || ["envoi-lake", "envoi-functions"].contains(&d)),
    );
}

#[test]
fn versions_stand_in_the_root_manifest() {
    let mut complaints = Vec::new();
    for file in files("engine", "Cargo.toml") {
        let manifest: toml::Table = file.text.parse().unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in manifest.get(section).and_then(|s| s.as_table()).into_iter().flatten() {
                if value.get("workspace").is_none() {
                    complaints.push(format!("{}: {name}", file.path));
                }
            }
        }
    }
    check("a dependency takes its version from the workspace", complaints);
}

#[test]
fn nothing_panics_on_input() {
    let words = [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!(", "dbg!("];
    check("errors are returned, not thrown", mentions(&sources(), &words));
}

#[test]
fn only_the_cli_prints() {
    let mut below = sources();
    // What a build script prints is for cargo.
    below.retain(|f| !f.path.starts_with("engine/cli/") && !f.path.ends_with("/build.rs"));
    check("libraries do not print", mentions(&below, &["println!(", "eprintln!(", "print!(", "eprint!("]));
}

#[test]
fn files_are_short() {
    let long = |f: &File| {
        let lines = f.text.lines().count();
        // Reference pages are as long as what they are made from.
        let made = f.path.starts_with("docs/") && f.text.contains("<!-- Generated by");
        (lines > LONGEST && !made).then(|| format!("{}: {lines} lines", f.path))
    };
    let all = ["engine", "sql", "docs"].map(|folder| {
        let ending = if folder == "engine" { ".rs" } else { "" };
        files(folder, ending).iter().filter_map(long).collect::<Vec<_>>()
    });
    check("a long file has a seam somewhere", all.concat());
}

#[test]
fn rows_of_slt_files_have_an_order() {
    let mut complaints = Vec::new();
    for file in files("sql/tests", ".slt") {
        for record in file.text.split("\n\n").filter(|r| r.lines().any(|l| l.starts_with("query "))) {
            let Some((asked, rows)) = record.split_once("\n----\n") else { continue };
            let words = asked.to_lowercase();
            // After the last parenthesis: an order within is none of the whole.
            let outermost = words.rsplit(')').next().unwrap_or_default();
            let ordered = outermost.contains("order by") || words.contains("rowsort") || words.contains("\nexplain");
            if rows.lines().count() > 1 && !ordered {
                complaints.push(format!("{}: {}", file.path, asked.lines().last().unwrap_or_default()));
            }
        }
    }
    check("several rows need `order by` or `rowsort`: which thread is first is nobody's choice", complaints);
}

#[test]
fn marts_have_meaning_and_tests() {
    let tests = files("sql/tests", ".slt");
    let marts = files("sql/marts", "");
    let mut complaints = Vec::new();
    for file in &marts {
        let Some((stem, ending)) = file.path.rsplit_once('.') else { continue };
        let other = match ending {
            "sql" => "toml",
            "toml" => "sql",
            _ => continue,
        };
        if !marts.iter().any(|f| f.path == format!("{stem}.{other}")) {
            complaints.push(format!("{} has no .{other}", file.path));
        }
        let name = stem.rsplit('/').next().unwrap();
        if ending == "sql" && !tests.iter().any(|t| t.text.contains(name)) {
            complaints.push(format!("{name} is in no file of sql/tests"));
        }
    }
    check("a mart is a .sql, a .toml and a test", complaints);
}

#[test]
fn marts_describe_their_columns() {
    let mut complaints = Vec::new();
    for mart in envoi::library::marts().unwrap() {
        for key in mart.meta.key.iter().filter(|k| !mart.meta.column.iter().any(|c| c.name == **k)) {
            complaints.push(format!("{}: key `{key}` is no column", mart.name));
        }
        if mart.sql.contains("select *") {
            complaints.push(format!("{}: `select *` in a mart", mart.name));
        }
    }
    check("columns are listed and described", complaints);
}

#[test]
fn descriptors_say_whose_it_is() {
    let mut complaints = Vec::new();
    for d in envoi::lake::import::descriptors().unwrap() {
        for (field, text) in [("licence", &d.licence), ("citation", &d.citation), ("description", &d.description)] {
            if text.trim().is_empty() {
                complaints.push(format!("{}: no {field}", d.id));
            }
        }
        if !d.citation.contains("{vintage}") {
            complaints.push(format!("{}: the citation does not name the edition: {{vintage}}", d.id));
        }
        for table in d.tables.iter().filter(|t| envoi::lake::tables::table(t).is_none()) {
            complaints.push(format!("{}: the lake has no table {table}", d.id));
        }
    }
    check("a dataset has licence, citation and caveats", complaints);
}

#[test]
fn one_place_builds_sessions() {
    let mut others = sources();
    others.retain(|f| f.path != "engine/envoi/src/session/factory.rs");
    let words = ["SessionContext::new", "SessionStateBuilder::", "SessionContext::default", "SessionContext::from"];
    check("ask SessionFactory for a session", mentions(&others, &words));
}

#[test]
fn nothing_names_a_machine() {
    let here = root().canonicalize().unwrap().display().to_string();
    // Put together, so that this file does not name what it forbids.
    let homes =
        ["/ro", "/ho", "/Us", "/wo"].into_iter().zip(["ot/", "me/", "ers/", "rk/"]).map(|(a, b)| format!("{a}{b}"));
    let words: Vec<String> = homes.chain([here]).collect();
    let mut complaints = Vec::new();
    for file in files("", "").iter().filter(|f| !f.path.ends_with(".csv") && f.path != "Cargo.lock" && f.path != ".git")
    {
        for (number, line) in (1..).zip(file.text.lines()) {
            for word in words.iter().filter(|w| names_path(line, w)) {
                complaints.push(format!("{}:{number}: {word}", file.path));
            }
        }
    }
    check("paths are of the clone, not of a machine", complaints);
}

/// The word begins a path; within a longer path or name it does not.
fn names_path(line: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || "_-.~/}*$".contains(c);
    line.match_indices(word).any(|(at, _)| !line[..at].chars().next_back().is_some_and(inside))
}
