//! The `.slt` files that ship in the crate `datafusion-sqllogictest`, asked through the port.
//!
//! They are read from the copy that cargo keeps, which `.ci/run` has it fetch, and are not part of this tree. `tests/recorded/upstream.txt` names the files that are asked, and what differs in them and why.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use sqllogictest::{Condition, DefaultColumnType, QueryExpect, Record, SortMode, parse_file};

use crate::client::{Client, Message};
use crate::server::usual;
use crate::slt::same;

/// The version of the engine below that this tree is built with.
fn version() -> String {
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock")).unwrap();
    let at = lock.split("name = \"datafusion\"\nversion = \"").nth(1).unwrap();
    at.split('"').next().unwrap().to_owned()
}

/// The files, if cargo has them.
fn files() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".cargo")))?;
    let package = format!("datafusion-sqllogictest-{}/test_files", version());
    let sources = std::fs::read_dir(home.join("registry/src")).ok()?;
    sources.map(|s| s.unwrap().path().join(&package)).find(|folder| folder.is_dir())
}

/// What there is of values whichever way they are written: lists in `{}` or `[]`, times with a `T` or a space.
fn loose(text: &str) -> Vec<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, '[' | ']' | '{' | '}' | '"' | '\'')).collect();
    let time = |w: &str| w.len() >= 10 && w.as_bytes().get(4) == Some(&b'-') && w.as_bytes().get(10) == Some(&b'T');
    let words = plain.split([' ', ',', '\n', '\t']).filter(|w| !w.is_empty());
    let split = |w: &str| if time(w) { w.replacen('T', " ", 1) } else { w.to_owned() };
    words.flat_map(|w| split(w).split(' ').map(|w| w.trim_end_matches('Z').to_owned()).collect::<Vec<_>>()).collect()
}

fn agree(mut actual: Vec<String>, mut expected: Vec<String>, sort: Option<SortMode>) -> bool {
    if sort.is_some_and(|s| s != SortMode::NoSort) {
        actual.sort();
        expected.sort();
    }
    let words = |lines: &[String]| {
        let mut all: Vec<String> = lines.iter().flat_map(|l| loose(l)).collect();
        // Values are sorted by how they are written, which differs.
        if sort.is_some_and(|s| s != SortMode::NoSort) {
            all.sort();
        }
        all
    };
    let (actual, expected) = (words(&actual), words(&expected));
    actual.len() == expected.len() && actual.iter().zip(&expected).all(|(a, b)| same(a, b))
}

/// What the port says of a query: rows, or the SQLSTATE.
fn asked(c: &mut Client, sql: &str) -> Result<Vec<String>, (String, String)> {
    let all = c.simple(sql);
    if let Some(error) = all.iter().find(|m| m.kind == 'E') {
        return Err((error.field(b'C').unwrap_or_default(), error.field(b'M').unwrap_or_default()));
    }
    let cell = |v: String| if v.is_empty() { "(empty)".to_owned() } else { v };
    let row = |m: &Message| m.texts().into_iter().map(cell).collect::<Vec<_>>().join(" ");
    Ok(all.iter().filter(|m| m.kind == 'D').map(row).collect())
}

/// How one record comes out; `None` for the same, or nothing to compare.
fn differs(c: &mut Client, record: &Record<DefaultColumnType>, tables: &mut Vec<String>) -> Option<String> {
    match record {
        Record::Statement { sql, .. } => {
            // Readers make no tables; what asks for one that the file makes is left out.
            let words: Vec<String> = sql.split_whitespace().map(str::to_lowercase).collect();
            if matches!(words.first().map(String::as_str), Some("create" | "set" | "reset")) {
                let name = words.iter().find(|w| {
                    let known =
                        ["create", "or", "replace", "external", "unbounded", "table", "view", "if", "not", "exists"];
                    !known.contains(&w.as_str())
                });
                tables.extend(name.map(|n| n.split(['(', ';']).next().unwrap_or(n).to_owned()));
            }
            None
        }
        Record::Query { sql, expected, conditions, .. } => {
            let others = |c: &Condition| matches!(c, Condition::OnlyIf { .. });
            let lower = sql.to_lowercase();
            let uses = |table: &String| {
                let part = |c: char| c.is_alphanumeric() || c == '_';
                lower.split(|c| !part(c)).any(|w| w == table.trim_matches('"'))
            };
            if conditions.iter().any(others) || tables.iter().any(uses) {
                return None;
            }
            let answer = asked(c, sql);
            match (expected, answer) {
                (_, Err((state, what))) if state == "XX000" => Some(format!("{state} {what}")),
                (QueryExpect::Error(_), Err(_)) => None,
                (QueryExpect::Error(_), Ok(rows)) => Some(format!("no error, but {rows:.100?}")),
                (QueryExpect::Results { .. }, Err((state, what))) => Some(format!("{state} {what:.160}")),
                (QueryExpect::Results { results, sort_mode, .. }, Ok(rows)) => {
                    let seen = format!("{rows:.160?} for {results:.160?}");
                    (!agree(rows, results.clone(), *sort_mode)).then_some(seen)
                }
            }
        }
        _ => None,
    }
}

#[test]
fn the_engine_s_own_files_through_the_port() {
    let Some(folder) = files() else {
        eprintln!("\n*** NOT TESTED: datafusion-sqllogictest {} is not among cargo's sources ***\n", version());
        return;
    };
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/upstream.txt");
    let list = std::fs::read_to_string(list).unwrap();
    let mut known: HashMap<(&str, usize), &str> = HashMap::new();
    let mut names = Vec::new();
    for line in list.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        match line.split_once('\t') {
            None => names.push(line),
            Some((lines, reason)) => {
                assert!(!reason.trim().is_empty(), "no reason: {line}");
                let name = *names.last().unwrap();
                known.extend(lines.split(' ').map(|n| ((name, n.parse().unwrap()), reason)));
            }
        }
    }
    let (mut wrong, mut used, mut asked) = (Vec::new(), HashSet::new(), 0);
    for name in &names {
        let records = parse_file::<DefaultColumnType>(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut c = Client::connect(usual().address);
        c.simple("set statement_timeout = '20s'");
        let mut tables = Vec::new();
        for record in records {
            let (Record::Query { loc, .. } | Record::Statement { loc, .. }) = &record else { continue };
            let place = (*name, loc.line() as usize);
            asked += usize::from(matches!(record, Record::Query { .. }));
            if let Some(what) = differs(&mut c, &record, &mut tables) {
                match known.contains_key(&place) {
                    true => {
                        used.insert(place);
                    }
                    false => wrong.push(format!("{name}:{} {what}", place.1)),
                }
            }
        }
    }
    // A line may be of several queries.
    let unused = known.iter().filter(|(place, _)| !used.contains(*place));
    wrong.extend(unused.map(|((name, line), reason)| format!("{name}:{line} is the same now, not: {reason}")));
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 300, "{asked} queries");
}
