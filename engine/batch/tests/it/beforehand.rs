//! What was found late, or not at all: before anything runs.

use crate::support::{World, blocking};

/// Problems of a project of these files over one transfer contain each of these texts.
fn check(files: &[(&str, &str)], expected: &[&str]) {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-06-01", &[(1, "h", 1.0)]).await;
        world.says(files, expected).await;
    });
}

#[test]
fn the_age_of_tables_that_there_are_not() {
    let age = |table: &str| format!("[[freshness]]\ntable = \"{table}\"\nmax_age = \"9 days\"\n");
    check(
        &[("a.sql", "select 1 as x"), ("a.toml", &age("transfr"))],
        &["a.sql: [[freshness]]: there is no model or table `transfr`; did you mean `transfer`?"],
    );
    check(
        &[("a.sql", "select 1 as x"), ("a.toml", &age("lake.contry"))],
        &["[[freshness]]: there is no table `lake.contry`; did you mean `country`?"],
    );
    check(
        &[("a.sql", "select 1 as x"), ("a.toml", &age("remittance_vs_oda"))],
        &["`mart.remittance_vs_oda` has no editions of its own"],
    );
    check(&[("a.sql", "select 1 as x"), ("a.toml", &age("a b('"))], &["is no name of a table"]);
}

#[test]
fn a_model_may_be_asked_for_its_age() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-06-01", &[(1, "h", 1.0)]).await;
        world.file("z.sql", "select count(*) as n from transfer").file("a.sql", "select 1 as x");
        world.file("a.toml", "[[freshness]]\ntable = \"z\"\nmax_age = \"9 days\"\n");
        let record = world.run().await;
        let message = record.failure.unwrap().message;
        assert!(message.contains("freshness of model.z within 9 days") && message.contains("2024-06-01"), "{message}");
    });
}

#[test]
fn unit_tests_are_planned() {
    let sql = "select household_id, sum(amount_usd) as usd from transfer group by household_id";
    let test = |given: &str, expect: &str| {
        format!("[[unit_test]]\nname = \"t\"\nexpect = [{expect}]\n[unit_test.given]\n{given}\n")
    };
    let good = "\"lake.transfer\" = [{ household_id = \"p\", amount_usd = 1.5 }]";
    for (given, expect, part) in [
        (
            "transfer = [{ houshold_id = \"p\" }]",
            "",
            "`transfer` has no column `houshold_id`; did you mean `household_id`?",
        ),
        (good, "{ us = 1.0 }", "the query gives no column `us`; did you mean `usd`?"),
        ("country = [{ iso3 = \"MEX\" }]", "", "`given` has rows of `country`, which the query does not read"),
        ("transfer = [{ amount_usd = \"much\" }]", "", "rows of `transfer`: "),
        (good, "{ usd = \"much\" }", "rows of `expect`: "),
    ] {
        check(&[("a.sql", sql), ("a.toml", &test(given, expect))], &["a.sql: unit test `t`: ", part]);
    }
}

#[test]
fn columns_that_no_file_can_hold() {
    check(
        &[("a.sql", "select interval '1 month 2 days' as late, 1 as x")],
        &["a.sql: column `late` has an interval, which no Parquet file can hold; write `extract(epoch from \"late\")`"],
    );
    check(&[("a.sql", "select [interval '2 days'] as late")], &["column `late` has an interval in it"]);
    blocking(async {
        let mut world = World::new();
        world.file("v.sql", "select interval '1 hour' as late").file("v.toml", "materialisation = \"view\"");
        world.file("t.sql", "select extract(epoch from \"late\") as s, cast(\"late\" as text) as text from v");
        // A length of time between two times is held as it is.
        world.file("d.sql", "select timestamp '2024-01-02 00:00:00' - timestamp '2024-01-01 00:00:00' as d, NULL as n");
        world.ran().await;
        assert_eq!(world.rows("select s from t").await, ["3600.0"]);
        world.rows("select * from d").await;
    });
}

#[test]
fn problems_of_templates_are_where_they_were_written() {
    let many = "{% for name in ['a', 'b'] %}\n  -- {{ name }}\n{% endfor %}\n";
    // The line is as it was written.
    check(
        &[("a.sql", &format!("{many}select iso3,\n  nosuch from country"))],
        &["a.sql:5:3: ", "      nosuch from country\n      ^"],
    );
    // The word is.
    let sql = format!("{many}select {{{{ 1 }}}} as x, nosuch\nfrom {{{{ source('country') }}}}");
    check(&[("a.sql", &sql)], &["a.sql:4:22: ", "nosuch"]);
    // The template makes the word.
    let sql = format!("{many}select 1 as x,\n  {{{{ 'no' ~ 'such' }}}}\nfrom country");
    check(&[("a.sql", &sql)], &["a.sql:5:3: ", "the template makes `nosuch` of this line"]);
    // A table by its template.
    check(
        &[("a.sql", &format!("{many}select * from\n{{{{ ref('nix') }}}}"))],
        &["a.sql:5:", "there is no model `nix`"],
    );
    // Blanks that a template takes away are no hindrance.
    let sql = "{%- set n = 3 -%}\n{%- if n > 2 %}\nselect iso3\n{%- endif %}\nfrom country\nwhere )";
    check(&[("a.sql", sql)], &["a.sql:6:7: syntax error", "    where )\n          ^"]);
    // Where lines cannot be told, both are said.
    let sql = "{% set q %}select\nnosuch from country{% endset %}\n{{ q | upper }}";
    check(&[("a.sql", sql)], &["a.sql"]);
}

#[test]
fn a_template_that_counts_its_text_keeps_its_meaning() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "{% set t %}a\nb{% endset %}select {{ t | length }} as n");
        world.ran().await;
        assert_eq!(world.rows("select n from a").await, ["3"]);
    });
}

#[test]
fn tests_are_planned() {
    for (test, part) in [
        ("expression = \"nosuch > 1\"", "test `expression (nosuch > 1)`: column `nosuch` does not exist"),
        (
            "column = \"iso3\"\nrelationships = \"lake.country.iso\"",
            "test `relationships (iso3 in lake.country.iso)`: ",
        ),
        ("column = \"iso3\"\nrelationships = \"country\"", "names no column"),
        ("[test.reconcile]\ntotal = \"sum(n)\"\nagainst = \"select 1 as nope\"", "test `reconcile (sum(n))`: "),
    ] {
        let toml = format!("[[test]]\n{test}\n");
        check(&[("a.sql", "select iso3, 1 as n from country"), ("a.toml", &toml)], &["a.sql: [[test]]", part]);
    }
}

/// Many columns are one sort key: rows have the same order as by each.
#[test]
fn rows_of_many_columns_have_one_order() {
    blocking(async {
        let mut world = World::new();
        let columns = |from: &str| {
            let rest: Vec<String> = (2..60).map(|i| format!("1 as c{i}")).collect();
            format!("select c0, c1, {} from (values {from}) as t (c0, c1)", rest.join(", "))
        };
        world.file("a.sql", &columns("(2, 'b'), (1, 'z'), (NULL, 'a'), (2, NULL), (-1, 'ä')"));
        world.file("b.sql", &columns("(-1, 'ä'), (2, NULL), (NULL, 'a'), (2, 'b'), (1, 'z')"));
        world.ran().await;
        assert_eq!(world.rows("select c0, c1 from a").await, ["NULL a", "-1 ä", "1 z", "2 NULL", "2 b"]);
        let manifest = world.manifest().await;
        assert_eq!(manifest.model("a").unwrap().sha256, manifest.model("b").unwrap().sha256);
    });
}
