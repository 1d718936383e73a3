//! Whatever is wrong with a project is found before anything runs, all of it at once.

use crate::support::{World, blocking};

/// Problems of a project of these files contain each of these texts.
fn check(files: &[(&str, &str)], expected: &[&str]) {
    blocking(async {
        let mut world = World::new();
        world.says(files, expected).await;
        assert!(world.lake.versions().await.unwrap().is_empty());
        assert!(world.lake.store().list("run").await.unwrap().is_empty());
    });
}

#[test]
fn a_circle_is_printed_as_a_path() {
    check(
        &[("a.sql", "select * from b"), ("x/b.sql", "select * from {{ ref('c') }}"), ("c.sql", "select * from a")],
        &["in a circle: a -> b -> c -> a"],
    );
    check(&[("a.sql", "select * from a")], &["a -> a"]);
}

#[test]
fn what_does_not_parse_has_file_line_and_caret() {
    check(
        &[("a.sql", "select 1 as x\nfrom lake.country\nwhere )")],
        &["a.sql:3:7: syntax error", "    where )\n          ^"],
    );
    check(
        &[("a.sql", "drop table x"), ("b.sql", "select 1 as a; select 2 as a")],
        &["a.sql: this is not a query", "b.sql:1:15: there is more"],
    );
}

#[test]
fn a_missing_ref_has_a_near_match() {
    check(
        &[("corridors.sql", "select 1 as x"), ("a.sql", "select * from {{ ref('coridors') }}")],
        &["a.sql:1:15: there is no model `coridors`; did you mean `corridors`?"],
    );
    check(&[("a.sql", "select * from remittances_vs_oda")], &["did you mean `remittance_vs_oda`?"]);
    check(
        &[("a.sql", "select * from lake.transfers")],
        &["there is no table `lake.transfers`; did you mean `transfer`?"],
    );
}

#[test]
fn names_are_of_one_model() {
    check(
        &[
            ("a.sql", "select 1 as x"),
            ("b/a.sql", "select 1 as x"),
            ("transfer.sql", "select 1 as x"),
            ("Ä b.sql", "select 1 as x"),
        ],
        &["model `a` is in `a.sql` too", "`transfer` is a table of schema `lake`", "is no name of a table"],
    );
    check(&[("remittance_vs_oda.sql", "select 1 as x")], &["is a table of schema `mart`"]);
}

#[test]
fn toml_is_read_strictly() {
    check(
        &[("a.sql", "select 1 as x"), ("a.toml", "owner = \"me\"\nmaterialization = \"view\"\n")],
        &["a.toml:2:1: unknown key `materialization`; did you mean `materialisation`?", "    ^"],
    );
    check(
        &[("a.sql", "/* toml\nsrot = []\n*/\nselect 1 as x")],
        &["a.sql:2:1: unknown key `srot`; did you mean `sort`?"],
    );
    check(
        &[("a.sql", "select 1 as x"), ("project.toml", "[defaults]\ntag = []\n")],
        &["project.toml:1:1: in [defaults]: unknown key `tag`"],
    );
    check(&[("a.sql", "select 1 as x"), ("aa.toml", "")], &["there is no `aa.sql` beside it"]);
    check(&[("a.sql", "select 1 as x"), ("a.toml", "timeout = \"soon\"")], &["`soon` is not a length of time"]);
    check(&[("a.sql", "select 1 as x"), ("a.toml", "materialisation = \"incremental\"")], &["needs [incremental]"]);
    check(
        &[("a.sql", "select 1 as x"), ("a.toml", "target = \"/x\"\nformat = \"parket\"")],
        &["unknown format `parket`; did you mean `parquet`?"],
    );
}

#[test]
fn templates_fail_with_their_line() {
    check(&[("a.sql", "select 1 as x\nfrom {{ nothing }}")], &["a.sql:2:1: template", "not defined"]);
    check(&[("a.sql", "select\n{{ var('year') }} as x")], &["a.sql:2:1: template: there is no var `year`"]);
    check(&[("a.sql", "select {% if %}")], &["a.sql:1:1: template"]);
}

#[test]
fn plans_are_made_before_anything_runs() {
    check(
        &[("a.sql", "select iso3, name_en from country"), ("b.sql", "select iso3, name_eng from a")],
        &["b.sql:1:14: column `name_eng` does not exist", "did you mean `name_en`?"],
    );
    check(
        &[("a.sql", "select iso3 from country"), ("a.toml", "sort = [\"iso\"]\n[[test]]\nunique = [\"iso4\"]\n")],
        &["sort names column `iso`", "did you mean `iso3`?", "[[test]] names column `iso4`"],
    );
    check(&[("a.sql", "select iso3 as x, name_en as x from country")], &["a.sql"]);
}

#[test]
fn all_problems_are_told_at_once() {
    check(
        &[
            ("a.sql", "selec 1"),
            ("b.sql", "select * from nowhere_at_all"),
            ("c.sql", "select 1 as x"),
            ("c.toml", "x = 1"),
        ],
        &["a.sql", "b.sql", "c.toml"],
    );
}

#[test]
fn a_model_that_is_not_asked_for_must_be_there() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "select 1 as x").file("b.sql", "select x from a");
        world.options.selectors = vec!["b".into()];
        let problems = world.problems().await;
        assert!(problems[0].what.contains("`+b` asks for it too"), "{problems:?}");
    });
}

#[test]
fn other_columns_under_an_incremental_model() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-06-01", &[(1, "h", 1.0)]).await;
        let toml = "materialisation = \"incremental\"\n[incremental]\ninput = \"transfer\"\ntime = \"sent_at\"\ncolumn = \"month\"\n";
        world.file("m.toml", toml);
        world.file("m.sql", "select date_trunc('month', sent_at) as month, count(*) as n from transfer group by 1");
        world.ran().await;
        let wider = "select date_trunc('month', sent_at) as month, count(*) as n, max(amount_usd) as most from transfer group by 1";
        world.file("m.sql", wider);
        let what = world.problems().await[0].what.clone();
        assert!(what.contains("new `most` Float64") && what.contains("on_schema_change"), "{what}");
        world.file("m.toml", &format!("{toml}on_schema_change = \"append\"\n"));
        assert_eq!(world.ran().await, ["m: published (query changed)"]);
        world.file("m.sql", "select date_trunc('month', sent_at) as month, count(*) as n from transfer group by 1");
        assert!(world.problems().await[0].what.contains("gone `most`"));
        world.file("m.toml", &format!("{toml}on_schema_change = \"rebuild\"\n"));
        assert_eq!(world.ran().await, ["m: published (query changed)"]);
    });
}
