//! Which functions readers may use, and of how many households.

use super::{reader, refused, rows};
use crate::lakes::blocking;

#[test]
fn functions_that_show_one_household_are_refused() {
    blocking(async {
        let reader = reader().await;
        for call in [
            "array_agg(income_total)",
            "string_agg(household_id, ',')",
            "first_value(income_total)",
            "last_value(income_total order by weight)",
            "nth_value(income_total, 2)",
            "bit_xor(size_persons::bigint)",
            "bool_or(remittance > 0)",
            "top_share(income_total, 1)",
            "ge_decomposition(income_total, region, 0, weight)",
            "sum(distinct income_total)",
            "count(distinct income_total)",
            "max(household_id)",
            "max(income_total * weight)",
            "min(income_total / size_persons)",
            "min(psu)",
            "approx_distinct(income_total)",
        ] {
            refused(&reader, &format!("select {call} from household"), "households are not shown one by one").await;
        }
    });
}

#[test]
fn constants_that_look_at_few_are_refused_or_hidden() {
    blocking(async {
        let reader = reader().await;
        for call in [
            "ge(income_total, 40, weight)",
            "fgt(income_total, 3000, 50, weight)",
            "quantile(income_total, p, weight) from (select income_total, weight, size_persons / 10 p from household)",
        ] {
            let from = if call.contains(" from ") { "" } else { " from household" };
            refused(&reader, &format!("select {call}{from}"), "households are not shown one by one").await;
        }
        for (call, shown) in [
            ("quantile(income_total, 0.999, weight)", false),
            ("quantile(income_total, 0.5, weight)", true),
            ("quantile_share(income_total, 0.0, 0.001, weight)", false),
            ("percentile_cont(0.9995) within group (order by income_total)", false),
            ("percentile_cont(0.5) within group (order by income_total)", true),
            ("poverty_headcount(income_total, 800, weight)", false),
            ("poverty_headcount(income_total, 1000000, weight)", false),
            ("poverty_headcount(income_total, 8000, weight)", true),
            ("poverty_headcount(income_total, relative(0.05, 'median'), weight)", false),
        ] {
            let sql = format!("select {call} is not null from household where survey_id = 'ton_2015'");
            let seen = rows(&super::reader().await, &sql).await;
            assert_eq!(seen, [[shown.to_string()]], "{call}");
        }
    });
}

#[test]
fn marts_of_families_are_aggregates_or_refused() {
    blocking(async {
        let reader = reader().await;
        for sql in [
            "select * from family_income",
            "select household_id, income_with_lcu from family_income",
            "select * from household_income()",
        ] {
            refused(&reader, sql, "households are not shown one by one").await;
        }
        let owner = super::owner().await;
        for (mart, keys) in [
            ("family_income_effect", 5),
            ("remittance_by_quintile", 4),
            ("income_source_decomposition", 4),
            ("national_income_effect", 3),
            ("macro_family_link", 3),
        ] {
            // Each by a role of its own.
            let (seen, _) = super::ask(&super::reader().await, &format!("select * from {mart}"))
                .await
                .unwrap_or_else(|e| panic!("{mart}: {e}"));
            let all = rows(&owner, &format!("select * from {mart}")).await;
            for row in &seen {
                let other =
                    all.iter().find(|other| other[..keys] == row[..keys]).unwrap_or_else(|| panic!("{mart}: {row:?}"));
                // A figure made of what is shown alone would be another one; a reason is no figure.
                let same = row.iter().zip(other).all(|(mine, theirs)| {
                    mine == "NULL"
                        || mine == theirs
                        || (theirs == "NULL" && mine.contains("rests on too few households"))
                });
                assert!(same, "{mart}: {row:?} is not {other:?}");
            }
            let cells = |rows: &[Vec<String>]| rows.iter().flatten().filter(|cell| *cell != "NULL").count();
            assert!(2 * cells(&seen) > cells(&all), "{mart}: {} of {} cells", cells(&seen), cells(&all));
            assert!(!seen.is_empty(), "{mart}");
        }
        let sql = "select survey_id, quintile, count(*), sum(weight * remittance_lcu) from family_income group by survey_id, quintile";
        assert!(rows(&reader, sql).await.iter().filter(|r| r[2] != "NULL").count() > 8);
    });
}
