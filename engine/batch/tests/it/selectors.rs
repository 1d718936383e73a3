//! Which models selectors mean.

use std::collections::BTreeMap;

use envoi::lake::Manifest;
use envoi_batch::{Project, Sources, select};

fn project() -> Project {
    let mut files = BTreeMap::new();
    for (path, sql, toml) in [
        ("in/a.sql", "select 1 as x", "tags = [\"daily\", \"core\"]"),
        ("in/b.sql", "select x from a", "tags = [\"daily\"]"),
        ("out/c.sql", "select x from b", ""),
        ("out/d.sql", "select x from c", "tags = [\"core\"]"),
        ("e.sql", "select 1 as x", ""),
    ] {
        files.insert(path.to_owned(), sql.to_owned());
        files.insert(path.replace(".sql", ".toml"), toml.to_owned());
    }
    Project::read(&Sources { label: "the project".into(), files }, &BTreeMap::new(), "", &Manifest::empty()).unwrap()
}

fn chosen(selectors: &[&str], exclude: &[&str]) -> Result<String, String> {
    let owned = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let found = select(&project(), &owned(selectors), &owned(exclude), &|m| m.name == "d")?;
    Ok(found.into_iter().collect::<Vec<_>>().join(" "))
}

#[test]
fn selectors_are_those_of_dbt() {
    let check =
        |selectors: &[&str], expected: &str| assert_eq!(chosen(selectors, &[]).unwrap(), expected, "{selectors:?}");
    check(&[], "a b c d e");
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
    check(&["*", "e"], "a b c d e");
    check(&["in/*"], "a b");
    check(&["state:modified"], "d");
    check(&["e", "a"], "a e");
    assert_eq!(chosen(&[], &["+c"]).unwrap(), "d e");
}

#[test]
fn unknown_selectors_are_errors() {
    let check = |selector: &str, part: &str| {
        let error = chosen(&[selector], &[]).unwrap_err();
        assert!(error.contains(part), "{error}");
    };
    check("tag:dayly", "did you mean `daily`?");
    check("zzz", "there are a, b, c, d, e");
    check("state:new", "state:modified");
    assert!(chosen(&[], &["nothing"]).is_err());
}
