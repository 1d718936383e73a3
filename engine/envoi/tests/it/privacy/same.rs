//! Any query of a reader has the owner's answer, but for cells that are not shown.

use super::{ask, owner, reader, rows};
use crate::lakes::blocking;

/// Queries with their rows ordered by their keys, the first so many columns.
const QUERIES: [(&str, usize); 28] = [
    ("select count(*) from household", 0),
    ("select survey_id, count(*), sum(weight) from household group by survey_id", 1),
    ("select survey_id, region, count(*), sum(weight), avg(size_persons) from household group by survey_id, region", 2),
    ("select survey_id, urban, sum(weight * income_total) / sum(weight) from household group by survey_id, urban", 2),
    ("select survey_id, region, urban, count(*) from household group by survey_id, region, urban", 3),
    ("select survey_id, region, sum(remittance * weight) from household group by rollup(survey_id, region)", 2),
    ("select survey_id, region, urban, sum(weight) from household group by cube(survey_id, region, urban)", 3),
    ("select survey_id, region, count(*) filter (where remittance > 0) from household group by survey_id, region", 2),
    (
        "select survey_id, remittance > 0, gini(income_total, weight) from household group by survey_id, remittance > 0",
        2,
    ),
    ("select survey_id, gini(income_total / size_persons, weight * size_persons) from household group by survey_id", 1),
    ("select survey_id, region, median(income_total), max(income_labour) from household group by survey_id, region", 2),
    ("select survey_id, quantile(income_total, [0.25, 0.5, 0.75], weight) from household group by survey_id", 1),
    (
        "select survey_id, poverty_headcount(income_total / size_persons, 3000, weight * size_persons) from household group by survey_id",
        1,
    ),
    (
        "select survey_id, region, fgt(income_total, relative(0.6, 'median'), 0, weight) from household group by survey_id, region",
        2,
    ),
    ("select survey_id, svy_mean(income_total, weight, stratum, psu) from household group by survey_id", 1),
    ("select survey_id, count(distinct household_id), count(distinct region) from household group by survey_id", 1),
    (
        "select survey_id, gini_by_source(income_total, named_struct('labour', income_labour, 'farm', income_farm, 'remittance', remittance), weight) from household group by survey_id",
        1,
    ),
    (
        "select survey_id, quintile, sum(remittance * weight) from (select *, ntile(5) over (partition by survey_id order by income_total) as quintile from household) group by survey_id, quintile",
        2,
    ),
    (
        "with h as (select survey_id, region r, income_total / size_persons y, weight w from household where urban) select survey_id, r, sum(y * w) / sum(w) from h group by survey_id, r",
        2,
    ),
    (
        "select survey_id, case when size_persons <= 2 then 'small' when size_persons <= 4 then 'middle' else 'large' end as class, sum(weight) from household group by survey_id, class",
        2,
    ),
    (
        "select survey_id, sum(case when remittance > 0 then weight else 0 end) / sum(weight) from household group by survey_id",
        1,
    ),
    (
        "select survey_id, avg(income_total - remittance), corr(income_total, size_persons) from household group by survey_id",
        1,
    ),
    (
        "select h.survey_id, c.name_en, sum(h.weight) from household h join country c on h.iso3 = c.iso3 group by h.survey_id, c.name_en",
        2,
    ),
    ("select distinct survey_id, region from household", 2),
    ("select survey_id, region, sum(weight) s from household group by survey_id, region having sum(weight) > 1000", 2),
    ("select count(*) from household where survey_id = 'nothing'", 0),
    (
        "select survey_id, region, grouping(survey_id, region), grouping(region) as g, sum(weight) from household group by rollup(survey_id, region)",
        2,
    ),
    ("select grouping(urban) + 1, urban, count(*) from household group by cube(urban) having grouping(urban) = 0", 2),
];

#[test]
fn answers_are_the_owners_but_for_what_is_not_shown() {
    blocking(async {
        let owner = owner().await;
        for (sql, keys) in QUERIES {
            // Every query by a role of its own: what was asked before hides more.
            let reader = reader().await;
            let (seen, notes) = ask(&reader, sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
            let all = rows(&owner, sql).await;
            let mut hidden = all.len() - seen.len().min(all.len());
            for row in &seen {
                let same =
                    all.iter().find(|other| other[..keys] == row[..keys]).unwrap_or_else(|| panic!("{sql}: {row:?}"));
                for (mine, theirs) in row.iter().zip(same) {
                    let nothing = mine == "NULL" && theirs != "NULL";
                    hidden += usize::from(nothing);
                    assert!(nothing || mine == theirs, "{sql}: {mine} is not the owner's {theirs}");
                }
            }
            assert!(hidden == 0 || !notes.is_empty(), "{sql}: {hidden} cells are missing and nothing says so");
            assert!(hidden < all.iter().map(Vec::len).sum::<usize>().max(1), "{sql}: nothing is shown: {seen:?}");
        }
    });
}

/// What the rules hide, and no more.
#[test]
fn small_cells_are_left_out_and_the_next_smallest_marked() {
    blocking(async {
        let sql = "select region, count(*) from household where survey_id = 'ton_2015' group by region order by region";
        let (seen, notes) = ask(&reader().await, sql).await.unwrap();
        let all = rows(&owner().await, sql).await;
        assert_eq!(all.last().unwrap(), &["G", "4"]);
        // `G` is dropped; without `F` beside it the total would give it away.
        assert_eq!(seen.len(), all.len() - 1);
        assert_eq!(seen.last().unwrap(), &["F", "NULL"]);
        assert_eq!(seen[..5], all[..5]);
        assert_eq!(notes.len(), 2, "{notes:?}");
        // One household has most of the income of `D`; 3 of `E` receive anything.
        let sql = "select region, sum(income_labour), sum(remittance), sum(weight) from household where survey_id = 'wsm_2016' \
                   group by region order by region";
        let seen = rows(&reader().await, sql).await;
        let of = |region: &str, column: usize| seen.iter().find(|r| r[0] == region).map(|r| r[column].clone()).unwrap();
        assert_eq!([of("D", 1), of("E", 2)], ["NULL", "NULL"]);
        assert_ne!(of("E", 3), "NULL");
    });
}

/// What says nothing of households is not hidden with what does.
#[test]
fn rows_that_are_hidden_say_what_they_are_of() {
    blocking(async {
        let sql = "select grouping(region), grouping(urban), region, urban, min(currency), sum(weight) from household \
                   where survey_id = 'ton_2015' group by grouping sets ((), (region), (urban))";
        let seen = rows(&reader().await, sql).await;
        let f = seen.iter().find(|r| r[2] == "F").unwrap();
        assert_eq!(f, &["0", "1", "F", "NULL", "TOP", "NULL"]);
        assert!(seen.iter().all(|r| r[0] != "NULL" && r[1] != "NULL" && r[4] == "TOP"), "{seen:?}");
    });
}
