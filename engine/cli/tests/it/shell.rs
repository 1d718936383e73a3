//! Backslash commands, as users of psql expect them.

use crate::run::envoi;

/// The names a listing shows, as `schema.name kind`.
fn listed(command: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = envoi(folder.path(), &["sql", "-c", command], "");
    assert_eq!((code, err.as_str()), (0, ""), "{command}");
    let rows = out.lines().skip(2).filter(|line| line.contains(" | "));
    let cells = rows.map(|line| line.split('|').map(str::trim).take(3).collect::<Vec<_>>());
    cells.map(|cells| format!("{}.{} {}", cells[0], cells[1], cells[2])).collect()
}

#[test]
fn lists_take_patterns() {
    let marts = listed("\\dt mart.*");
    assert!(marts.contains(&"mart.remittance_vs_oda view".to_owned()), "{marts:?}");
    assert!(marts.iter().all(|name| name.starts_with("mart.")), "{marts:?}");
    assert_eq!(listed("\\dv mart.*"), marts);
    let tables = listed("\\dt lake.*");
    assert!(tables.contains(&"lake.country table".to_owned()), "{tables:?}");
    assert!(tables.iter().all(|name| name.starts_with("lake.") && name.ends_with(" table")), "{tables:?}");
    assert_eq!(listed("\\dt LAKE.countr?"), ["lake.country table"]);
    assert_eq!(listed("\\dt country*"), ["lake.country table", "lake.country_alias table", "lake.country_group table"]);
    assert_eq!(listed("\\dt country"), ["lake.country table"]);
    assert_eq!(listed("\\d country*").len() % 3, listed("\\d country").len() % 3, "columns of each, not a list");
}

#[test]
fn one_name_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let run = |command: &str| envoi(folder.path(), &["sql", "-c", command], "");
    for command in ["\\d mart.remittance_vs_oda", "\\d envoi.mart.remittance_vs_oda;", "\\d+ REMITTANCE_VS_ODA"] {
        let (code, out, err) = run(command);
        assert!(code == 0 && out.starts_with("view mart.remittance_vs_oda: "), "{command}: {err}");
        assert!(out.contains("current US dollars"), "{out}");
    }
    let (_, out, _) = run("\\d mart.corridor_*");
    assert!(
        out.contains("view mart.corridor_ranking: ") && out.contains("\n\nview mart.corridor_per_migrant: ")
            || out.contains("\n\nview mart.corridor_ranking: "),
        "{out}"
    );
    let (code, out, _) = run("create table \"Odd name\" as select 1 as a;\n\\d \"Odd name\"");
    assert!(code == 0 && out.starts_with("table session.Odd name\n"), "{out}");
}

#[test]
fn functions_and_schemas_take_patterns() {
    let folder = tempfile::tempdir().unwrap();
    let run = |command: &str| envoi(folder.path(), &["sql", "-c", command], "");
    for (pattern, has, not) in
        [("remit*", "remit_oda_ratio", "unremit"), ("ab?", "abs(", "avg("), ("abs", "abs(", "avg(")]
    {
        let (code, out, _) = run(&format!("\\df {pattern}"));
        assert!(code == 0 && out.contains(has) && !out.contains(not), "{pattern}: {out}");
    }
    let (_, out, _) = run("\\dn m*");
    assert!(out.contains("mart") && !out.contains("lake"), "{out}");
}

#[test]
fn nothing_found_says_so() {
    for (command, message) in [
        ("\\dt nothing*", "no table or view matches `nothing*`; \\d lists what there is"),
        ("\\d mart.nothing*", "no table or view matches `mart.nothing*`; \\d lists what there is"),
        (
            "\\d mart.remitance_vs_oda",
            "table `mart.remitance_vs_oda` does not exist; did you mean `remittance_vs_oda`?",
        ),
        ("\\df nothing*", "no function matches `nothing*`; \\df lists what there is"),
        ("\\dn nothing*", "no schema matches `nothing*`; \\dn lists what there is"),
        ("\\q now", "use it as `\\q`"),
        ("\\include", "use it as `\\i FILE`"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (code, _, err) = envoi(folder.path(), &["sql", "-c", command], "");
        assert_eq!((code, err.as_str()), (1, format!("-c:1:1: error: {message}\n").as_str()));
    }
}

#[test]
fn the_help_lists_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let (_, out, _) = envoi(folder.path(), &["sql", "-c", "\\?"], "");
    for name in ["\\d ", "\\dt ", "\\dv ", "\\dn ", "\\df ", "\\x ", "\\o ", "\\include", "\\edit", "\\help", "\\quit"]
    {
        assert!(out.contains(name), "{name}: {out}");
    }
}
