//! Statements that would end the process, plan for minutes or allocate what they name.

use envoi::{Class, Session};

use crate::lakes::{blocking, rows, sample_lake, session};

/// The error of a statement that must be refused, and the next one must work.
async fn refused(session: &Session, sql: &str, part: &str) {
    let shown = &sql[..sql.len().min(60)];
    let error = match session.run(sql).await {
        Err(e) => e,
        // The rows themselves may be as large as what should have been refused.
        Ok(answer) => match answer.collect().await {
            Ok(_) => panic!("{shown}: answered"),
            Err(e) => e,
        },
    };
    assert!(error.to_string().contains(part), "{shown}: {error}");
    assert!(matches!(error.class(), Class::Resource | Class::User), "{shown}: {error}");
    assert_eq!(rows(session, "select 1").await, [["1"]], "after {shown}");
}

#[test]
fn statements_too_large_are_refused() {
    blocking(async {
        let session = session(sample_lake(), &[]).await;
        let repeated = |head: &str, part: &str, times: usize| format!("{head}{}", part.repeat(times));
        let or = "select * from generate_series(1, 3) t(v) where v = 0";
        let cases = [
            (repeated("select 1", "+1", 16_000), "limit `terms` of 1000"),
            (repeated("select 'a'", "||'b'", 16_000), "limit `terms` of 1000"),
            (repeated(or, " or v = 1", 16_000), "limit `terms` of 1000"),
            (repeated(or, " and v = 1", 16_000), "limit `terms` of 1000"),
            (repeated("select on", "+on", 45_000), "limit `terms` of 1000"),
            (repeated("select 1", "+1", 45_000) + " frm t", "syntax error"),
            (repeated("explain select 1", "+1", 16_000), "limit `terms` of 1000"),
            (repeated("copy (select 1", "+1", 16_000) + ") to 'never.csv'", "limit `terms` of 1000"),
            (repeated("select 1", " union all select 1", 5_000), "limit `branches` of 1000"),
            (repeated("select 1 in (0", ",1", 400_000) + ")", "limit `tokens`"),
            (repeated("select ", "(", 10_000), "limit `brackets`"),
            (repeated("explain ", "explain ", 10_000), "limit `explains`"),
            (
                format!("select arrow_cast(1, '{}Int8{}')", "List(".repeat(8_000), ")".repeat(8_000)),
                "`type levels` of 64",
            ),
            // Wrong in the middle: each level would be read twice, and so all of them for ever.
            (repeated("select ", "array[", 40), "limit `readings`"),
            (repeated("select ", "cast(", 40) + "1 1" + &" as int)".repeat(40), "limit `readings`"),
            (repeated("select ", "position(", 20) + "1 1" + &" in 1)".repeat(20), "limit `readings`"),
            (repeated("select ", "substring(", 40) + "1 1" + &" from 1)".repeat(40), "limit `readings`"),
            (repeated("select ", "ceil(", 40) + "1 1" + &")".repeat(40), "limit `readings`"),
            (repeated("select ", "try_cast(", 12) + "array[1" + &",1".repeat(40_000) + " 1]", "limit `readings`"),
            ("select arrow_cast([1], 'FixedSizeList(2147483647, Int8)')".to_owned(), "limit `fixed size`"),
            ("select arrow_cast([1], 'FixedSizeList(2147483647 x Int8)')".to_owned(), ""),
            ("select arrow_try_cast([1], 'List(FixedSizeList(2147483647, Int8))')".to_owned(), "limit `fixed size`"),
            ("select cast([1] as int[2147483647])".to_owned(), "limit `fixed size`"),
            (repeated("select cast([1] as int", "[]", 10_000) + ")", "limit `type levels`"),
            (repeated("select a", "[b[1]]", 10_000) + " from (select [1] a, [1] b)", "limit `type levels`"),
        ];
        for (sql, part) in cases {
            refused(&session, &sql, part).await;
        }
        let columns: Vec<String> = (0..24).map(|i| format!("c{i}")).collect();
        let columns = columns.join(",");
        let values = vec!["1"; 24].join(",");
        let cube = format!("select count(*) from (values ({values})) t({columns}) group by cube({columns})");
        refused(&session, &cube, "limit `grouping sets` of 4096").await;
        let mut ctes = "with c0 as (select 1 x)".to_owned();
        (1..24).for_each(|i| ctes += &format!(", c{i} as (select a.x from c{0} a, c{0} b)", i - 1));
        refused(&session, &format!("{ctes} select count(*) from c23"), "limit `tables` of 1000").await;
        let mut line = "with c0 as (select 1 x)".to_owned();
        (1..3_000).for_each(|i| line += &format!(", c{i} as (select x from c{})", i - 1));
        refused(&session, &format!("{line} select x from c2999"), "limit `tables` of 1000").await;
    });
}

#[test]
fn statements_within_the_limits_are_answered() {
    blocking(async {
        let session = session(sample_lake(), &[]).await;
        let casts = format!("select {}1{}", "cast(".repeat(14), " as int)".repeat(14));
        assert_eq!(rows(&session, &casts).await, [["1"]]);
        let plus = format!("select 1{}", "+1".repeat(500));
        assert_eq!(rows(&session, &plus).await, [["501"]]);
        let union = format!("select count(*) from (select 1{})", " union all select 1".repeat(200));
        assert_eq!(rows(&session, &union).await, [["201"]]);
        let many: Vec<String> = (0..20_000).map(|i| i.to_string()).collect();
        let list = format!("select count(*) from generate_series(1, 100) t(v) where v in ({})", many.join(","));
        assert_eq!(rows(&session, &list).await, [["100"]]);
        assert_eq!(rows(&session, "select count(*) from (select 1 group by cube(1, 2))").await.len(), 1);
    });
}

#[test]
fn functions_allocate_no_more_than_a_value_may_have() {
    blocking(async {
        let session = session(sample_lake(), &[("runtime.memory", "256MiB")]).await;
        for (sql, part) in [
            (
                "select repeat('x', 1500000000)",
                "`repeat` would make a value of 1431 MiB, more than the limit of 64 MiB",
            ),
            ("select length(repeat(v, 2000000000)) from (values ('x'), ('y')) t(v)", "`repeat`"),
            ("select lpad('x', 2000000000)", "`lpad`"),
            ("select rpad('x', 2000000000, 'é')", "`rpad`"),
            ("select replace(repeat('a', 60000), 'a', repeat('b', 60000))", "`replace`"),
            ("select replace(repeat('a', 60000), '', repeat('b', 60000))", "`replace`"),
            ("select range(0, 200000000)", "`range` would make a value of 1526 MiB"),
            ("select generate_series(0, 200000000)", "`select … from generate_series(…)` makes rows"),
            ("select range(date '0001-01-01', date '2000-01-01', interval '1 month -30 days')", "`range`"),
            (
                "select generate_series(timestamp '2000-01-01', timestamp '2020-01-01', interval '1 ms')",
                "`generate_series`",
            ),
            ("select array_repeat(array_repeat(1, 100000), 100000)", "`array_repeat`"),
            ("select list_repeat(1, 2000000000)", "`array_repeat`"),
            ("select array_length(array_resize([1], 900000000))", "`array_resize`"),
            ("select array_to_string(range(0, 100000), repeat('x', 1000))", "`array_to_string`"),
            ("select length(repeat('x', 40000000) || repeat('y', 40000000))", "`||` would make a value of 77 MiB"),
            ("with recursive r as (select 'x' as n union all select n || n from r) select count(*) from r", "`||`"),
            ("select regexp_replace(repeat('a', 1000000), 'a', repeat('b', 10000), 'g')", "`regexp_replace`"),
            ("select length(regexp_replace(repeat('a', 60000000), '(a+)', '\\1\\1'))", "`regexp_replace`"),
            // More than a column counts in one batch of rows.
            ("select max(length(repeat('a', 1000000) || v)) from range(0, 8192) t(v)", "for 8192 rows"),
            ("select repeat('x', 60000000) from range(0, 1000)", "a constant of 58593 KiB would be in every row"),
            // Each value is allowed, all of them together are more than there is.
            ("select sum(length(repeat('x', 1000000 + v))) from range(0, 1000) t(v)", "memory"),
        ] {
            refused(&session, sql, part).await;
        }
        let concat = format!("select concat({})", vec!["repeat('a', 1000000)"; 70].join(", "));
        refused(&session, &concat, "`concat`").await;
        for (sql, answer) in [
            (
                "select repeat('ab', 3), lpad('x', 3, 'é'), rpad('x', 3), replace('aXa', 'a', 'bb')",
                "ababab|ééx|x  |bbXbb",
            ),
            ("select length(repeat('x', 1000000)), array_length(range(0, 1000000))", "1000000|1000000"),
            (
                "select range(3), generate_series(1, 3), array_repeat(1, 2), array_resize([1], 2, 7)",
                "[0, 1, 2]|[1, 2, 3]|[1, 1]|[1, 7]",
            ),
            ("select repeat(null, 3), repeat('x', -1), range(5, 1), array_repeat(null, 2)", "NULL|(empty)|[]|[, ]"),
            ("select array_length(generate_series(date '2000-01-01', date '2020-01-01', interval '1 day'))", "7306"),
            ("select array_length(range(timestamp '2000-01-01', timestamp '2000-01-02', interval '1 hour'))", "24"),
            ("select count(*) from range(0, 20000000)", "20000000"),
            ("select arrow_typeof(arrow_cast(1, 'List(Int8)'))", "List(Int8)"),
            ("select 'a' || 'b' || 1, 'a' || null, v || '!' from (values ('x')) t(v)", "ab1|NULL|x!"),
            ("select regexp_replace('abab', '(a)', '<\\1>'), regexp_replace('abab', 'a', '-', 'g')", "<a>bab|-b-b"),
            (
                "select length(repeat('x', 60000000)), length(v) from (select repeat('y', 1000000) as v)",
                "60000000|1000000",
            ),
            ("select concat('a', null, 1), array_to_string([1, null, 3], ',', 'x')", "a1|1,x,3"),
        ] {
            assert_eq!(rows(&session, sql).await[0].join("|"), answer, "{sql}");
        }
    });
}
