//! Which queries are built in parts, and why others are not.

use crate::support::{World, blocking};

const MONTHLY: &str =
    "materialisation = \"incremental\"\n[incremental]\ninput = \"transfer\"\ntime = \"sent_at\"\ncolumn = \"month\"\n";
const MONTH: &str = "date_trunc('month', sent_at)";

/// What is said of a second run, after a transfer of another month came.
async fn second(sql: &str, toml: &str) -> String {
    let mut world = World::new();
    world.transfers("a", "2024-06-01", &[(1, "h1", 1.0), (2, "h2", 2.0)]).await;
    world.file("m.sql", sql).file("m.toml", toml).file("whole.sql", sql);
    world.ran().await;
    world.transfers("b", "2024-06-01", &[(40, "h1", 3.0)]).await;
    let said = world.ran().await;
    let both = "(select * from m except select * from whole) union all (select * from whole except select * from m)";
    assert_eq!(world.rows(&format!("select count(*) from ({both})")).await, ["0"], "{sql}");
    said[0].clone()
}

#[test]
fn queries_that_keep_months_apart() {
    for sql in [
        format!("select {MONTH} as month, count(*) as n from transfer group by 1"),
        "select cast(sent_at as date) as month, count(*) as n from transfer group by 1".to_owned(),
        "select sent_at as month, transfer_id from transfer where amount_usd > 1".to_owned(),
        format!("select distinct {MONTH} as month, household_id from transfer"),
        format!("with t as (select *, {MONTH} as month from transfer) select month, max(amount_usd) as most from t group by month"),
        format!("select {MONTH} as month, name_en from transfer left join country on sender_iso3 = iso3"),
        "select a.sent_at as month, b.transfer_id from transfer as a join transfer as b on a.sent_at = b.sent_at".to_owned(),
        "select month, n from (select sent_at as month, 1 as n from transfer union all select sent_at, 2 from transfer)".to_owned(),
        format!("select {MONTH} as month, sum(amount_usd) over (partition by {MONTH}, household_id) as usd from transfer"),
        format!("select {MONTH} as month, count(*) as n from transfer where sender_iso3 in (select iso3 from country) group by 1"),
    ] {
        let said = blocking(second(&sql, MONTHLY));
        assert_eq!(said, "m: published (input transfer changed; 1 months from 2024-02-01)", "{sql}");
    }
}

#[test]
fn queries_that_do_not_are_built_whole() {
    for (sql, why) in [
        (format!("select {MONTH} as month, sum(count(*)) over () as n from transfer group by 1"), "`over` puts rows"),
        ("select max(sent_at) as month, count(*) as n from transfer".to_owned(), "`group by` puts rows"),
        ("select date_trunc('year', sent_at) as month, count(*) as n from transfer group by 1".to_owned(), "`group by` puts rows"),
        ("select sent_at as month from transfer order by sent_at limit 5".to_owned(), "a limit"),
        ("select a.sent_at as month from transfer as a join transfer as b on a.household_id = b.household_id".to_owned(), "`join` puts rows"),
        ("select sent_at as month from transfer where amount_usd < (select max(amount_usd) from transfer)".to_owned(), "a query within an expression"),
        ("select sent_at as month from transfer union all select timestamp '2024-01-05 00:00:00'".to_owned(), "a branch of its union"),
        ("select sent_at + interval '40 days' as month from transfer".to_owned(), "does not say in which month"),
        ("select coalesce(t.sent_at, timestamp '2024-01-01 00:00:00') as month, iso3 from country left join transfer as t on t.sender_iso3 = iso3".to_owned(), "keeps rows of the other side"),
        ("select first_value(sent_at order by sent_at) as month, household_id from transfer group by household_id".to_owned(), "`group by` puts rows"),
    ] {
        let said = blocking(second(&sql, MONTHLY));
        assert!(said.contains("built whole: ") && said.contains(why), "{sql}: {said}");
    }
}

#[test]
fn other_inputs_and_late_rows_widen_it() {
    blocking(async {
        let sql = format!("select {MONTH} as month, count(*) as n from transfer group by 1");
        let late = format!("{MONTHLY}late = \"20 days\"\n");
        assert_eq!(second(&sql, &late).await, "m: published (input transfer changed; 2 months from 2024-01-01)");
        let days = MONTHLY.replace("column = \"month\"", "column = \"month\"\nevery = \"day\"");
        let by_day = "select date_trunc('day', sent_at) as month, count(*) as n from transfer group by 1";
        assert_eq!(second(by_day, &days).await, "m: published (input transfer changed; 1 days from 2024-02-10)");
    });
}

#[test]
fn keys_are_kept_apart_too() {
    let keyed = "materialisation = \"incremental\"\n[incremental]\ninput = \"transfer\"\nkey = [\"household_id\"]\n";
    for (sql, why) in [
        ("select household_id, count(*) as n from transfer group by household_id", "1 keys"),
        (
            "select household_id, transfer_id, rank() over (partition by household_id order by sent_at) as place from transfer",
            "1 keys",
        ),
        (
            "select household_id, rank() over (order by sent_at) as place from transfer",
            "built whole: its `over` puts rows of different keys",
        ),
        ("select upper(household_id) as household_id, count(*) as n from transfer group by 1", "built whole"),
    ] {
        let said = blocking(second(sql, keyed));
        assert!(said.contains(why), "{sql}: {said}");
    }
}
