//! Which models selectors mean.

use std::collections::BTreeMap;

use envoi::lake::Manifest;
use envoi_batch::{Project, Sources, State, select};

fn project() -> Project {
    let mut files = BTreeMap::new();
    for (path, sql, toml) in [
        ("in/a.sql", "select 1 as x", "tags = [\"daily\", \"core\"]"),
        ("in/b.sql", "select x from a", "tags = [\"daily\"]"),
        ("out/c.sql", "select x from b", ""),
        ("out/d.sql", "select x from c", "tags = [\"core\"]"),
        ("e.sql", "select iso3 from country", ""),
        ("f.sql", "select iso3 from e", "materialisation = \"view\""),
    ] {
        files.insert(path.to_owned(), sql.to_owned());
        files.insert(path.replace(".sql", ".toml"), toml.to_owned());
    }
    let sources = Sources { label: "the project".into(), files, ..Sources::default() };
    Project::read(&sources, &BTreeMap::new(), "", &Manifest::empty()).unwrap()
}

fn chosen(selectors: &[&str], exclude: &[&str]) -> Result<String, String> {
    let owned = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let found = select(&project(), &owned(selectors), &owned(exclude), &|m| match m.name.as_str() {
        "d" => State::Modified,
        "e" => State::New,
        _ => State::Unmodified,
    })?;
    Ok(found.into_iter().collect::<Vec<_>>().join(" "))
}

#[test]
fn selectors_are_those_of_dbt() {
    let check =
        |selectors: &[&str], expected: &str| assert_eq!(chosen(selectors, &[]).unwrap(), expected, "{selectors:?}");
    check(&[], "a b c d e f");
    check(&["b"], "b");
    check(&["+c"], "a b c");
    check(&["b+"], "b c d");
    check(&["1+c"], "b c");
    check(&["a+1"], "a b");
    check(&["+b+"], "a b c d");
    check(&["tag:daily"], "a b");
    check(&["tag:core,tag:daily"], "a");
    check(&["tag:daily+,out"], "c d");
    check(&["in"], "a b");
    check(&["path:out/"], "c d");
    check(&["out/c.sql"], "c");
    check(&["*", "e"], "a b c d e f");
    check(&["in/*"], "a b");
    check(&["state:modified"], "d e");
    check(&["state:new"], "e");
    check(&["state:old"], "a b c d f");
    check(&["state:unmodified+"], "a b c d f");
    check(&["tag:daily,state:new"], "");
    check(&["@b"], "a b c d");
    check(&["@e tag:core,path:in"], "a e f");
    check(&["e a"], "a e");
    check(&["tag:c*"], "a d");
    check(&["c.sql", "./in/"], "a b c");
    check(&["2+d"], "b c d");
    check(&["1+c+1"], "b c d");
    check(&["config.materialized:view"], "f");
    check(&["config.materialisation:table,out"], "c d");
    check(&["source:lake.country"], "e");
    check(&["source:country+"], "e f");
    check(&["source:country+1"], "e");
    check(&["+source:country"], "e");
    check(&["e", "a"], "a e");
    assert_eq!(chosen(&[], &["+c"]).unwrap(), "d e f");
    assert_eq!(chosen(&[], &["+c d", "tag:core,out", "in,out"]).unwrap(), "e f");
}

#[test]
fn unknown_selectors_are_errors() {
    let check = |selector: &str, part: &str| {
        let error = chosen(&[selector], &[]).unwrap_err();
        assert!(error.contains(part), "{error}");
    };
    check("tag:dayly", "did you mean `daily`?");
    check("zzz", "there are a, b, c, d, e");
    check("state:modifed", "did you mean `modified`?");
    check("in,out", "no model is all of `in,out`; `in out` is any of it");
    check("a,", "nothing beside a comma");
    check("source:contry", "`lake.country`");
    check("config.materialized:tabel", "did you mean `table`?");
    assert!(chosen(&[], &["nothing"]).is_err());
}
